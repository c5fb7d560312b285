"""What families want to learn, when they can come, how far they travel.

The private words of a wish live in their own table; nobody but their writer reads them.
"""
