"""Work that nobody waits for at a screen: mail from the outbox, and jobs driven by the clock.

Any number of workers may run. A notice belongs to one of them at a time (`notifications.actions.claim`);
a job may run in several at once, because every job is made of conditional steps that happen once.
"""
