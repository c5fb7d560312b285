"""Learning budgets for foster families."""
