"""Accounts and transfers: where every cent is and how it got there.

One transfer is one debit and one credit; reservations are resolved exactly once; nothing is edited.
Knows cents, not courses.
"""
