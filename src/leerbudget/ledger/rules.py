"""Closed lists of the ledger: plain values."""

ACCOUNT_KINDS = (
    "bank",
    "organisation_pot",
    "family_budget",
    "trainer_payable",
    "suspense",
    "rounding",
)
"""Kinds of account in use; the full list of money.md section 1 grows with the payments room."""

PHASES = ("posted", "reserve", "post", "void", "expire")
"""`posted` moves cents at once; `reserve` sets them aside; `post`, `void` and `expire` resolve a reservation."""

TRANSFER_KINDS = ("top_up", "grant", "grant_return", "booking", "correction")
"""Why cents move: from the bank to a pot, pot to budget, back to the pot, budget to trainer, or a correction."""
