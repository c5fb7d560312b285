"""States of a booking (requirements 4.7) and of attendance."""

BOOKING_STATES = ("offered", "confirmed", "attended", "no_show", "declined", "expired", "cancelled")
LIVE_STATES = ("offered", "confirmed", "attended", "no_show")
"""States that keep their seat: what is over still took place."""
ORIGINS = ("direct", "round", "coordinator")
ATTENDANCE_STATES = ("planned", "present", "absent")
