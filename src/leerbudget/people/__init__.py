"""Families, parents, professionals, organisations: who is who, and who is whose professional.

Never a child's name or birth date, only an age band; four digits of the postcode.
The avoid list lives here, readable only by the matcher and the booking checks.
"""
