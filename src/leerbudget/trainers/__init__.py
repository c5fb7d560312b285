"""The trainer pool: who may teach, in what state of admission, with which certificate until when.

A certificate must hold on every meeting date, not only on the day of admission.
"""
