"""Tell a payment what the bank booked for it: the one place where the bank side knows of payments."""

from datetime import date, datetime, time
from uuid import UUID

from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.database import fetch_value
from leerbudget.payments.facts import apply_facts
from leerbudget.payments.gateways import MoneyFact

_APART = """
    SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'unmatched' AND business_ref = 'manual:' || $1
"""


async def payment_of(reference: str) -> UUID | None:
    """The payment by bank transfer that carries this reference (compact); None when there is none."""
    found: UUID | None = await fetch_value(
        "SELECT id FROM payment WHERE reference = $1 AND gateway = 'manual'", reference
    )
    return found


async def credit(payment: UUID, key: str, amount_cents: int, booked_on: date, *, actor: UUID | None) -> int:
    """Say that this much arrived for a payment by bank transfer, once for each key; the cents that it does not take.

    `key` is the bank's name of the money (`bank_rules.entry_ref`). What the payment does not take is in suspense.
    """
    arrived = datetime.combine(booked_on, time(), AMSTERDAM)
    fact = MoneyFact(key, "received", key, amount_cents, "EUR", "transfer", arrived)
    await apply_facts(payment, [fact], actor=actor)
    rest: int = await fetch_value(_APART, key)
    return rest
