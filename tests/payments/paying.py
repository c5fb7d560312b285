"""Builders for payments through a gateway: what it tells, in the words of one gateway, and what the books then hold."""

from datetime import UTC, datetime, timedelta

from ledger.bookkeeping import CLERK
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute, fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.rules import TRANSFER_KINDS
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
    rows = await fetch_all(_STANDING, organisation, list(TRANSFER_KINDS))
    return {row["kind"]: row["cents"] for row in rows if row["cents"]}


# Looked up by index, for a story is told thousands of times in one database.
_STANDING = """
    WITH mine AS MATERIALIZED (SELECT id, reference FROM payment WHERE organisation = $1),
    told AS MATERIALIZED (SELECT gateway, key, money_ref FROM payment_fact WHERE payment IN (SELECT id FROM mine)),
    refs AS MATERIALIZED (
        SELECT reference AS ref FROM mine
        UNION SELECT mine.reference || ':' || told.money_ref FROM mine, told
        UNION SELECT gateway || ':' || key FROM told
        UNION SELECT money_ref || ':' || what FROM told, unnest(ARRAY['taken', 'returned', 'refunded', 'failed']) AS what
        UNION SELECT 'refund:' || id FROM payment_attempt WHERE payment IN (SELECT id FROM mine)),
    named AS MATERIALIZED (
        SELECT t.* FROM refs, unnest($2::text[]) AS of (kind)
        JOIN LATERAL (SELECT * FROM transfer WHERE kind = of.kind AND business_ref = refs.ref) t ON true),
    sides AS (
        SELECT a.kind, t.amount_cents FROM account a JOIN transfer t ON t.credit = a.id AND t.phase IN ('posted', 'post')
        WHERE a.owner = $1
        UNION ALL
        SELECT a.kind, -t.amount_cents FROM account a JOIN transfer t ON t.debit = a.id AND t.phase IN ('posted', 'post')
        WHERE a.owner = $1
        UNION ALL
        SELECT a.kind, CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END
        FROM named t JOIN account a ON a.id IN (t.debit, t.credit)
        WHERE a.owner IS NULL AND t.phase IN ('posted', 'post'))
    SELECT kind, sum(amount_cents)::bigint AS cents FROM sides GROUP BY kind
"""


def at(days):
    """The tests' clock, so many days after the payments."""
    return travelling(NOON + timedelta(days=days))
