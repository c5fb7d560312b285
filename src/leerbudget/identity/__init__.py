"""Who somebody is to the system, and what they may do.

Logins by magic link, own rotating web sessions, roles with a scope, the one permission table
`may()`, and the append-only audit trail. Knows ids, never families or wishes.
"""
