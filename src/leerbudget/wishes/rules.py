"""Closed lists of wishes (requirements 4.5, 4.7)."""

WISH_STATES = ("draft", "open", "proposed", "booked", "fulfilled", "withdrawn", "parked")
CHILDCARE_NEEDS = ("none", "own_sitter", "needs_place", "needs_budget")
TRAVEL_MODES = ("car", "public_transport", "bike", "walk")
