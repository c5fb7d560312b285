"""How all payments, books and tasks stand, to compare a before with an after."""

from collections import Counter

from leerbudget.foundation.database import fetch_all

_STANDS = {
    "cents": """
        SELECT a.kind AS what, sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)::bigint AS many
        FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) AND t.phase IN ('posted', 'post') GROUP BY 1
    """,
    "bookings": "SELECT state AS what, count(*) AS many FROM booking GROUP BY 1",
    "letters": "SELECT kind AS what, count(*) AS many FROM outbox_message GROUP BY 1",
    "payments": "SELECT state AS what, count(*) AS many FROM payment GROUP BY 1",
    "lines": "SELECT state AS what, count(*) AS many FROM payout_line GROUP BY 1",
    "tasks": """
        SELECT kind || ' ' || amount_cents AS what, count(*) AS many FROM finance_task WHERE closed_at IS NULL GROUP BY 1
    """,
    "waiting": "SELECT direction AS what, sum(suspense_cents)::bigint AS many FROM bank_entry WHERE state = 'suspense' GROUP BY 1",
}


async def stands():
    """All balances by kind of account, and how many bookings, letters, payments, payout lines and tasks there are of each kind."""
    return {what: Counter({row["what"]: row["many"] for row in await fetch_all(sql)}) for what, sql in _STANDS.items()}


def changes(before, after):
    """What became different, zeros left out."""
    found = {}
    for what, was in before.items():
        now = after[what]
        found[what] = {key: now[key] - was[key] for key in {*was, *now} if now[key] != was[key]}
    return {what: each for what, each in found.items() if each}
