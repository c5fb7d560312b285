"""Notices to people: outbox rows written with their cause, sent later by the worker.

Knows an address, a kind and a context; knows nobody. Subjects and bodies never name a course topic
or a child. Without SMTP (demonstration) mail lands in the local mailbox.
"""
