"""What every room stands on.

Money in cents, one clock, time-ordered ids, one family of errors, settings read once,
and the database: the embedded server, the pool, and `together()`.
"""
