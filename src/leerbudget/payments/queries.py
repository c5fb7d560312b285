"""Read the top-ups: for the organisation, for who confirms them, and for the auditor."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.ledger.queries import MESSAGES_MAX, one_long_look
from leerbudget.payments.bank_queries import bank_troubles
from leerbudget.payments.errors import TaskUnknown, TopUpUnknown
from leerbudget.payments.settlements import troubles


@dataclass(frozen=True, slots=True)
class TopUpView:
    """One top-up. `reference` is without spaces (`rules.readable` prints it).

    `received_cents`: what was credited; `held_until`: until then a direct debit waits outside the pot; `pay_url`:
    where it can still be paid.
    """

    id: UUID
    organisation: UUID
    organisation_name: str
    amount_cents: int
    reference: str
    purchase_order: str | None
    state: str
    requested_at: datetime
    requested_by: UUID | None
    received_on: date | None
    confirmed_at: datetime | None
    confirmed_by: UUID | None
    gateway: str
    gateway_ref: str | None
    methods: list[str]
    received_cents: int
    refunded_cents: int
    held_until: datetime | None
    released_at: datetime | None
    pay_url: str | None
    lapses_at: datetime | None


_TOP_UPS = """
    SELECT t.id, t.organisation, o.name, t.amount_cents, t.reference, t.purchase_order, t.state, t.requested_at,
           t.requested_by, t.received_on, t.confirmed_at, t.confirmed_by, t.gateway, t.gateway_ref, t.methods, t.received_cents,
           t.refunded_cents, t.held_until, t.released_at, t.pay_url, t.lapses_at
    FROM payment t JOIN organisation o ON o.id = t.organisation
"""

# Every payment's counter with the books: what reached the pot or waits outside it, or came in for a family's own share.
_WRONG_TOP_UPS = """
    WITH booked AS (
      SELECT split_part(m.business_ref, ':', 1) AS reference, sum(m.amount_cents)::bigint AS cents,
             bool_and(CASE m.kind WHEN 'top_up' THEN a.kind IN ('organisation_pot', 'organisation_held')
                      ELSE a.kind = 'own_payment' END AND d.kind IN ('bank', 'gateway_clearing')) AS in_place, array_agg(DISTINCT a.owner) AS owners, bool_or(d.kind = 'bank') AS by_bank
      FROM transfer m JOIN account a ON a.id = m.credit JOIN account d ON d.id = m.debit
      WHERE m.kind IN ('top_up', 'own_payment') GROUP BY 1)
    SELECT t.reference,
           CASE WHEN b.reference IS NULL THEN 'is betaald maar staat niet in de boeken'
                WHEN t.received_cents = 0 THEN 'staat in de boeken maar is niet betaald'
                WHEN NOT b.in_place OR b.owners <> ARRAY[coalesce(t.organisation, t.id)] OR b.by_bank <> (t.gateway = 'manual')
                    THEN 'ging niet van de bank of de betaaldienst naar wie betaalde'
                ELSE 'heeft een ander bedrag dan in de boeken' END AS trouble
    FROM payment t LEFT JOIN booked b USING (reference)
    WHERE t.received_cents <> coalesce(b.cents, 0) OR NOT b.in_place OR b.owners <> ARRAY[coalesce(t.organisation, t.id)]
       OR b.by_bank <> (t.gateway = 'manual')
    ORDER BY t.reference LIMIT $1
"""

_STRAY_TOP_UPS = """
    SELECT m.number, m.business_ref FROM transfer m LEFT JOIN payment t ON t.reference = split_part(m.business_ref, ':', 1)
    WHERE m.kind IN ('top_up', 'own_payment') AND t.id IS NULL ORDER BY m.number LIMIT $1
"""

# What was credited or set apart is what the facts say came in.
_WRONG_RECEIPTS = """
    SELECT p.reference FROM payment p
    LEFT JOIN LATERAL (SELECT sum(f.amount_cents) AS cents FROM payment_fact f
                       WHERE f.payment = p.id AND f.kind = 'received' AND f.currency = 'EUR') told ON true
    LEFT JOIN LATERAL (SELECT sum(t.amount_cents) AS cents FROM payment_fact f JOIN transfer t
                       ON t.kind = 'unmatched' AND t.business_ref = f.gateway || ':' || f.key
                       WHERE f.payment = p.id AND f.kind = 'received') apart ON true
    WHERE coalesce(told.cents, 0) <> p.received_cents + coalesce(apart.cents, 0)
    ORDER BY p.reference LIMIT $1
"""


async def top_ups_of(organisation: UUID) -> list[TopUpView]:
    """The organisation's top-ups, latest first."""
    sql = _TOP_UPS + " WHERE t.organisation = $1 ORDER BY t.requested_at DESC, t.id DESC"
    return [TopUpView(*row) for row in await fetch_all(sql, organisation)]


async def open_top_ups() -> list[TopUpView]:
    """The top-ups by bank transfer whose arrival somebody must confirm, oldest first."""
    sql = _TOP_UPS + " WHERE t.state = 'open' AND t.gateway = 'manual' ORDER BY t.requested_at, t.id"
    return [TopUpView(*row) for row in await fetch_all(sql)]


RECEIVED_SHOWN = 50


async def received_top_ups() -> list[TopUpView]:
    """The top-ups of which money came in last, latest first."""
    sql = _TOP_UPS + " WHERE t.received_cents > 0 ORDER BY t.received_on DESC, t.id DESC LIMIT $1"
    return [TopUpView(*row) for row in await fetch_all(sql, RECEIVED_SHOWN)]


async def top_up(named: str) -> TopUpView:
    """The top-up with this id, or this reference without spaces.

    Raises:
        TopUpUnknown: there is none.
    """
    try:
        known = UUID(named)
    except ValueError:
        known = None
    rows = await fetch_all(_TOP_UPS + " WHERE t.reference = $1 OR t.id = $2", named, known)
    if not rows:
        raise TopUpUnknown
    return TopUpView(*rows[0])


@dataclass(frozen=True, slots=True)
class TaskView:
    """Something about money that a person must look at. `reference`, `organisation_name`: of the payment, if any.

    `contacts`: where a family paid itself, the names of its parents and how to reach them; nothing of what it booked.
    """

    id: UUID
    kind: str
    subject: str
    amount_cents: int
    opened_at: datetime
    reference: str | None
    organisation_name: str | None
    closed_at: datetime | None
    outcome: str | None
    contacts: list[str]


_TASKS = """
    SELECT t.id, t.kind, t.subject, t.amount_cents, t.opened_at, p.reference, o.name, t.closed_at, t.outcome,
           array(SELECT concat_ws(', ', pe.name, pe.email) FROM booking b JOIN person pe ON pe.family = b.family
                 WHERE b.id = p.booking ORDER BY pe.name, pe.id)
    FROM finance_task t LEFT JOIN payment p ON p.id = t.payment LEFT JOIN organisation o ON o.id = p.organisation
"""


async def open_tasks() -> list[TaskView]:
    """What a person must still look at, oldest first."""
    return [TaskView(*row) for row in await fetch_all(_TASKS + "WHERE t.closed_at IS NULL ORDER BY t.opened_at, t.id")]


async def task(id: UUID) -> TaskView:  # noqa: A002 - the name every query uses
    """One task, open or closed.

    Raises:
        TaskUnknown: there is no such task.
    """
    rows = await fetch_all(_TASKS + "WHERE t.id = $1", id)
    if not rows:
        raise TaskUnknown(id=id)
    return TaskView(*rows[0])


async def check() -> list[str]:
    """What does not fit between top-ups, settlements and the books, in plain Dutch. Call it outside a transaction."""
    async with one_long_look():
        messages = [
            f"Storting {row['reference']} {row['trouble']}." for row in await fetch_all(_WRONG_TOP_UPS, MESSAGES_MAX)
        ]
        messages += [
            f"Mutatie {row['number']} ({row['business_ref']}) is een storting die niemand aankondigde."
            for row in await fetch_all(_STRAY_TOP_UPS, MESSAGES_MAX)
        ]
        messages += [
            f"Storting {row['reference']}: wat binnenkwam is niet wat werd bijgeschreven en apart gezet."
            for row in await fetch_all(_WRONG_RECEIPTS, MESSAGES_MAX)
        ]
        messages += [*await troubles(MESSAGES_MAX), *await bank_troubles(MESSAGES_MAX)]
    return messages
