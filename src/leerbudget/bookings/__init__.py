"""A seat and a hold of money: both or neither. Attendance turns the hold into a payment.

Offers from a round, direct bookings, cancellations by the course's own rule.
"""
