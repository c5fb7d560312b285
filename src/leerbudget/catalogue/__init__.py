"""What can be learnt: courses with their audience, venues, course sessions, meetings, seats, childcare.

Seats and childcare places change only by conditional updates; named constraints refuse the rest.
"""
