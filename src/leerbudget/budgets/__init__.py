"""Learning budgets: the right of a family to spend what an organisation granted.

Organisation pot → grant → hold → posted to the trainer, or released; what is left at the end
of the period falls back to the organisation.
"""
