"""Closed lists of payments."""

TOP_UP_STATES = ("requested", "confirmed", "cancelled")
