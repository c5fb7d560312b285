"""Builders for payments through a gateway: what it tells, in the words of one gateway, and what the books then hold."""

from datetime import UTC, datetime, timedelta

from ledger.bookkeeping import CLERK
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute, fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.payments.gateways import MoneyFact
from leerbudget.payments.rules import reference_of

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
METHODS = ["ideal", "card", "sepa_debit"]


async def a_payment(organisation, cents, methods=METHODS, gateway="stripe"):
    """A payment that its gateway knows; nothing was paid."""
    made = new_id()
    await execute(
        "INSERT INTO payment (id, organisation, gateway, gateway_ref, methods, amount_cents, reference, state,"
        " received_cents, refunded_cents, requested_at, requested_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 0, 0, $8, $9)",
        *(made, organisation, gateway, f"cs_{made}", methods, cents, reference_of(made), NOON, CLERK),
    )
    return made


def told(kind, cents=0, *, ref="pi_1", method="ideal", currency="EUR", days=0):
    """One fact of a gateway. The refs of tests in one database differ by payment (`of`)."""
    return MoneyFact(f"{ref}:{kind}", kind, ref, cents, currency, method, NOON + timedelta(days=days))


def of(payment, facts):
    """The same facts as this payment's own: money objects belong to one payment."""
    ours = []
    for fact in facts:
        ref = f"{fact.money_ref}_{payment.hex[-12:]}"
        ours.append(
            MoneyFact(
                f"{ref}:{fact.kind}", fact.kind, ref, fact.amount_cents, fact.currency, fact.method, fact.happened_at
            )
        )
    return ours


async def standing(organisation):
    """What every account about this organisation's payments holds, zeros left out: credits less debits, in cents."""
    rows = await fetch_all(
        """
        SELECT a.kind, sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)::bigint AS cents
        FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) AND t.phase IN ('posted', 'post')
        WHERE a.owner = $1 OR (a.owner IS NULL AND (
            regexp_replace(t.business_ref, '^(stripe|sandbox|manual):|:[a-z_]+$', '', 'g') IN (
                SELECT money_ref FROM payment_fact WHERE payment IN (SELECT id FROM payment WHERE organisation = $1))
            OR split_part(t.business_ref, ':', 1) IN (SELECT reference FROM payment WHERE organisation = $1)
            OR t.business_ref IN (SELECT 'refund:' || id FROM payment_attempt
                                  WHERE payment IN (SELECT id FROM payment WHERE organisation = $1))))
        GROUP BY a.kind
        """,
        organisation,
    )
    return {row["kind"]: row["cents"] for row in rows if row["cents"]}


def at(days):
    """The tests' clock, so many days after the payments."""
    return travelling(NOON + timedelta(days=days))
