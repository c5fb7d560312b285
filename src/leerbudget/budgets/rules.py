"""Closed lists of budgets."""

BUDGET_STATES = ("active", "expired")
