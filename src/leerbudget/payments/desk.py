"""Read what who works at the finance desk must see: statements, one bank entry, what can be paid out and to whom."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.foundation.clock import today
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.payments.bank_errors import EntryUnknown, PayoutAccountUnknown, PayoutUnknown
from leerbudget.payments.bank_queries import PAYOUTS, PayoutView
from leerbudget.payments.bank_rules import LineOrder
from leerbudget.payments.payables import lines_back, lines_of_refunds, lines_to_trainers, payables
from leerbudget.payments.payouts import first_unpaid_day

STATEMENTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement that was imported: `entries` first seen in it, `waiting` of them in suspense."""

    id: UUID
    iban: str
    number: str
    opening_cents: int
    closing_cents: int
    closing_on: date
    imported_at: datetime
    entries: int
    waiting: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """A bank entry, whatever became of it. `payment_reference`: of the payment that it was for; `reason`: what was said."""

    id: UUID
    bank_ref: str
    direction: str
    amount_cents: int
    suspense_cents: int
    booked_on: date
    party_name: str | None
    party_iban: str | None
    note: str | None
    reference: str | None
    return_reason: str | None
    state: str
    reason: str | None
    payment_reference: str | None


@dataclass(frozen=True, slots=True)
class Unpayable:
    """A trainer who earned something and has no bank account that counts."""

    trainer: UUID
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class ReadyToPay:
    """What a draft would pay now, and what it cannot pay."""

    lines: list[LineOrder]
    without_account: list[Unpayable]


@dataclass(frozen=True, slots=True)
class AccountView:
    """A bank account of a trainer. `counting_iban`: the one that is used until this one is confirmed, if any."""

    id: UUID
    trainer: UUID
    trainer_name: str
    iban: str
    holder_name: str
    proposed_at: datetime
    proposed_by: UUID | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    counting_iban: str | None


_STATEMENTS = """
    SELECT s.id, s.iban, s.number, s.opening_cents, s.closing_cents, s.closing_on, s.imported_at, count(e.id),
           count(e.id) FILTER (WHERE e.state = 'suspense')
    FROM (SELECT * FROM bank_statement ORDER BY imported_at DESC, id DESC LIMIT $1) s
    LEFT JOIN bank_entry e ON e.statement = s.id
    GROUP BY s.id, s.iban, s.number, s.opening_cents, s.closing_cents, s.closing_on, s.imported_at
    ORDER BY s.imported_at DESC, s.id DESC
"""

_ENTRY = """
    SELECT e.id, e.bank_ref, e.direction, e.amount_cents, e.suspense_cents, e.booked_on, e.party_name, e.party_iban, e.note,
           e.reference, e.return_reason, e.state, e.reason, p.reference
    FROM bank_entry e LEFT JOIN payment p ON p.id = e.payment WHERE e.id = $1
"""

_DRAFTED = "SELECT subject FROM payout_line WHERE purpose = 'trainer' AND state = 'drafted'"

_NAMES = "SELECT t.id, p.name FROM trainer t JOIN person p ON p.id = t.person WHERE t.id = ANY($1::uuid[])"

_ACCOUNT = """
    SELECT a.id, a.trainer, p.name, a.iban, a.holder_name, a.proposed_at, a.proposed_by, a.confirmed_at, a.ended_at, (
        SELECT c.iban FROM payout_account c
        WHERE c.trainer = a.trainer AND c.confirmed_at IS NOT NULL AND c.ended_at IS NULL
        ORDER BY c.confirmed_at DESC, c.id DESC LIMIT 1)
    FROM payout_account a JOIN trainer t ON t.id = a.trainer JOIN person p ON p.id = t.person
"""


async def statements() -> list[StatementView]:
    """The statements that were imported last, latest first."""
    return [StatementView(*row) for row in await fetch_all(_STATEMENTS, STATEMENTS_SHOWN)]


async def entry(id: UUID) -> EntryView:  # noqa: A002 - the name every query uses
    """One bank entry.

    Raises:
        EntryUnknown: there is no such entry.
    """
    row = await fetch_one(_ENTRY, id)
    if row is None:
        raise EntryUnknown(id=id)
    return EntryView(*row)


async def ready_to_pay() -> ReadyToPay:
    """What a draft of this moment would pay: trainers, refunds, and what goes back to its sender."""
    before = first_unpaid_day(today())
    drafted = {row["subject"] for row in await fetch_all(_DRAFTED)}
    trainers = [line for line in await lines_to_trainers(before) if line.subject not in drafted]
    left = {each.trainer: each.cents for each in await payables(before) if each.iban is None}
    names = await fetch_all(_NAMES, list(left))
    without = sorted((Unpayable(row["id"], row["name"], left[row["id"]]) for row in names), key=lambda each: each.name)
    return ReadyToPay([*trainers, *await lines_of_refunds(), *await lines_back()], without)


async def payout(id: UUID) -> PayoutView:  # noqa: A002 - as above
    """One payout.

    Raises:
        PayoutUnknown: no such payout.
    """
    row = await fetch_one(PAYOUTS.format(where="WHERE p.id = $1"), id)
    if row is None:
        raise PayoutUnknown(id=id)
    return PayoutView(*row)


async def account(id: UUID) -> AccountView:  # noqa: A002 - as above
    """One bank account of a trainer.

    Raises:
        PayoutAccountUnknown: there is no such account.
    """
    row = await fetch_one(f"{_ACCOUNT} WHERE a.id = $1", id)
    if row is None:
        raise PayoutAccountUnknown
    return AccountView(*row)


async def accounts_to_confirm() -> list[AccountView]:
    """The bank accounts of trainers that wait for a second person, the oldest first."""
    sql = f"{_ACCOUNT} WHERE a.confirmed_at IS NULL AND a.ended_at IS NULL ORDER BY a.proposed_at, a.id"
    return [AccountView(*row) for row in await fetch_all(sql)]


async def trusted(organisation: UUID) -> str | None:
    """Why this organisation's direct debits count at once; None: they do not."""
    reason: str | None = await fetch_value("SELECT reason FROM payer_trust WHERE organisation = $1", organisation)
    return reason
