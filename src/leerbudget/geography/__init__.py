"""Where people and venues are, and roughly how long the way takes.

Postcodes of four digits with their place, and travel minutes by mode. Knows no person and no database.
Contains data of GeoNames.org, CC BY 4.0 (see pc4.attribution.txt).
"""
