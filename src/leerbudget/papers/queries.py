"""Read what papers are made of: top-ups, VAT treatments, agreements, what trainers earned, and invoices."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation.clock import AMSTERDAM, today
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.foundation.money import euros
from leerbudget.papers.errors import InvoiceUnknown
from leerbudget.papers.rules import Agreement, Earned, InvoiceLine, Party, in_force, lines_of, next_month, number_of
from leerbudget.payments.errors import TopUpUnknown
from leerbudget.payments.rules import last_month_to_settle


@dataclass(frozen=True, slots=True)
class TopUpPaper:
    """What papers say of a top-up. `received`: day and cents of everything that came in; `payer`: None until it is known."""

    id: UUID
    organisation: UUID
    organisation_name: str
    reference: str
    purchase_order: str | None
    amount_cents: int
    received_cents: int
    by_bank: bool
    asked_on: date
    received: tuple[tuple[date, int], ...]
    payer: Party | None
    buyer_reference: str | None


@dataclass(frozen=True, slots=True)
class TreatmentView:
    """A VAT treatment that was written down."""

    id: UUID
    course: UUID
    trainer: UUID
    treatment: str
    legal_basis: str | None
    evidence: str
    valid_from: date
    set_at: datetime
    set_by: UUID | None


@dataclass(frozen=True, slots=True)
class BillingView:
    """Where an organisation wants its papers addressed to."""

    street: str
    postcode: str
    place: str
    register: str
    number: str
    buyer_reference: str | None


@dataclass(frozen=True, slots=True)
class SelfBillingView:
    """An agreement on self-billing; `ended_at` None: it holds."""

    id: UUID
    trainer: UUID
    name: str
    street: str
    postcode: str
    place: str
    kvk: str
    vat_id: str
    agreed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvoiceHead:
    """An invoice of a trainer without its lines. `month`: its first day."""

    id: UUID
    trainer: UUID
    number: int
    kind: str
    month: date
    issued_on: date
    gross_cents: int
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice with everything that stands on it. `corrected`: number → day of issue of the invoices that it corrects."""

    head: InvoiceHead
    supplier: Party
    buyer: Party
    agreed_on: date
    lines: tuple[InvoiceLine, ...]
    corrected: dict[int, date]


@dataclass(frozen=True, slots=True)
class MonthEarned:
    """What a trainer earned in a month (its first day): what an invoice of that month would say."""

    trainer: UUID
    month: date
    lines: tuple[InvoiceLine, ...]


# `$2`: of one organisation, or None for who may see all.
_TOP_UP = """
    SELECT p.id, p.organisation, o.name, p.reference, p.purchase_order, p.amount_cents, p.received_cents, p.gateway,
           p.requested_at, b.street, b.postcode, b.place, b.register, b.number, b.buyer_reference
    FROM payment p JOIN organisation o ON o.id = p.organisation LEFT JOIN billing_details b ON b.organisation = o.id
    WHERE (p.id::text = $1 OR p.reference = $1) AND ($2::uuid IS NULL OR p.organisation = $2)
"""

_RECEIVED = """
    SELECT happened_at, amount_cents FROM payment_fact
    WHERE payment = $1 AND kind = 'received' AND currency = 'EUR' ORDER BY happened_at, id
"""

_TREATMENTS = """
    SELECT id, course, trainer, treatment, legal_basis, evidence, valid_from, set_at, set_by FROM vat_treatment
    WHERE ($1::uuid IS NULL OR course = $1) AND ($2::uuid IS NULL OR trainer = $2)
    ORDER BY valid_from DESC, set_at DESC, id DESC LIMIT 1000
"""

_AGREEMENTS = """
    SELECT id, trainer, name, street, postcode, place, kvk, vat_id, agreed_at, ended_at FROM self_billing
    WHERE trainer = $1 ORDER BY agreed_at DESC, id DESC
"""

_ALL_AGREEMENTS = "SELECT id, trainer, agreed_at, ended_at FROM self_billing WHERE trainer = ANY($1::uuid[])"

# Everything that a trainer's account gained or lost by teaching in months of working for nobody else; what came back
# stands with what it came back from. VAT is that of the last meeting, or of the day of earning when that was sooner.
EARNED = r"""
    WITH payee AS (
        SELECT id AS account, owner AS trainer FROM account
        WHERE kind = 'trainer_payable' AND ($2::uuid[] IS NULL OR owner = ANY($2::uuid[]))
    ), side AS (
        SELECT p.trainer, t.kind, t.at, t.amount_cents AS cents, t.business_ref
        FROM payee p JOIN transfer t ON t.credit = p.account
        WHERE t.phase IN ('posted', 'post') AND t.at < $1 AND t.kind NOT IN ('settlement', 'payout', 'payout_undone')
        UNION ALL
        SELECT p.trainer, t.kind, t.at, -t.amount_cents, t.business_ref
        FROM payee p JOIN transfer t ON t.debit = p.account
        WHERE t.phase IN ('posted', 'post') AND t.at < $1 AND t.kind NOT IN ('settlement', 'payout', 'payout_undone')
    ), dated AS (
        SELECT s.trainer, s.kind, s.cents, (s.at AT TIME ZONE 'Europe/Amsterdam')::date AS earned_on,
               (o.at AT TIME ZONE 'Europe/Amsterdam')::date AS first_earned_on,
               CASE WHEN s.business_ref ~ '^(end|fee):[0-9a-f-]{36}:' THEN split_part(s.business_ref, ':', 2)::uuid END AS booking
        FROM side s
        LEFT JOIN transfer o ON s.kind = 'fee_return' AND o.kind = 'booking' AND o.phase = 'post'
                            AND o.business_ref = 'end:' || substring(s.business_ref FROM 5)
    )
    SELECT d.trainer, d.cents, d.earned_on, d.first_earned_on, b.session, m.first_on, m.last_on, v.treatment, v.legal_basis,
           CASE WHEN d.kind = 'correction' THEN 'correction' WHEN d.kind = 'fee_return' THEN 'returned'
                WHEN b.state = 'cancelled' THEN 'cancellation' ELSE 'course' END AS kind
    FROM dated d
    LEFT JOIN LATERAL (
        SELECT organisation FROM trainer_employer e
        WHERE e.trainer = d.trainer AND e.from_month <= date_trunc('month', d.earned_on)::date
        ORDER BY e.from_month DESC LIMIT 1
    ) e ON true
    LEFT JOIN booking b ON b.id = d.booking
    LEFT JOIN course_session s ON s.id = b.session
    LEFT JOIN LATERAL (
        SELECT min((starts_at AT TIME ZONE 'Europe/Amsterdam')::date) AS first_on,
               max((starts_at AT TIME ZONE 'Europe/Amsterdam')::date) AS last_on
        FROM meeting WHERE session = s.id
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT treatment, legal_basis FROM vat_treatment v
        WHERE v.course = s.course AND v.trainer = d.trainer
          AND v.valid_from <= least(m.last_on, coalesce(d.first_earned_on, d.earned_on))
        ORDER BY v.valid_from DESC, v.set_at DESC, v.id DESC LIMIT 1
    ) v ON true
    WHERE e.organisation IS NULL
    ORDER BY d.trainer, d.earned_on, b.session
"""

HEADS = """
    SELECT id, trainer, number, kind, month, issued_on, gross_cents, net_cents, vat_cents FROM invoice
"""

_INVOICE = """
    SELECT i.buyer, a.name, a.street, a.postcode, a.place, a.kvk, a.vat_id, a.agreed_at
    FROM invoice i JOIN self_billing a ON a.id = i.agreement WHERE i.id = $1
"""

_LINES = """
    SELECT kind, session, first_on, last_on, treatment, legal_basis, gross_cents, net_cents, vat_cents, corrects
    FROM invoice_line WHERE invoice = $1 ORDER BY position
"""

_CORRECTED = """
    SELECT number, issued_on FROM invoice WHERE trainer = $1 AND number = ANY($2::int[]) ORDER BY number
"""


async def top_up_paper(name: str, organisation: UUID | None) -> TopUpPaper:
    """What papers say of a top-up, by its id or its reference (without spaces).

    Raises:
        TopUpUnknown: no organisation, or not this one, pays in under it.
    """
    row = await fetch_one(_TOP_UP, name, organisation)
    if row is None:
        raise TopUpUnknown
    facts = await fetch_all(_RECEIVED, row["id"])
    payer = None
    if row["street"] is not None:
        payer = Party(row["name"], row["street"], row["postcode"], row["place"], row["register"], row["number"])
    return TopUpPaper(
        id=row["id"],
        organisation=row["organisation"],
        organisation_name=row["name"],
        reference=row["reference"],
        purchase_order=row["purchase_order"],
        amount_cents=row["amount_cents"],
        received_cents=row["received_cents"],
        by_bank=row["gateway"] == "manual",
        asked_on=row["requested_at"].astimezone(AMSTERDAM).date(),
        received=tuple((fact["happened_at"].astimezone(AMSTERDAM).date(), fact["amount_cents"]) for fact in facts),
        payer=payer,
        buyer_reference=row["buyer_reference"],
    )


async def billing_of(organisation: UUID) -> BillingView | None:
    """Where an organisation wants its papers addressed to; None when it never said."""
    row = await fetch_one(
        "SELECT street, postcode, place, register, number, buyer_reference FROM billing_details WHERE organisation = $1",
        organisation,
    )
    return None if row is None else BillingView(*row)


async def treatments(course: UUID | None = None, trainer: UUID | None = None) -> list[TreatmentView]:
    """The VAT treatments that were written down, the last to begin first (at most 1,000)."""
    return [TreatmentView(*row) for row in await fetch_all(_TREATMENTS, course, trainer)]


async def agreements_of(trainer: UUID) -> list[SelfBillingView]:
    """The agreements of a trainer on self-billing, the latest first."""
    return [SelfBillingView(*row) for row in await fetch_all(_AGREEMENTS, trainer)]


async def invoices_of(trainer: UUID) -> list[InvoiceHead]:
    """The invoices of a trainer that were issued, the latest first."""
    return [InvoiceHead(*row) for row in await fetch_all(HEADS + "WHERE trainer = $1 ORDER BY number DESC", trainer)]


async def invoices(month: date | None = None) -> list[InvoiceHead]:
    """Every invoice that was issued (of one month, by its first day), by month, trainer and number."""
    sql = HEADS + "WHERE $1::date IS NULL OR month = $1 ORDER BY month, trainer, number"
    return [InvoiceHead(*row) for row in await fetch_all(sql, month)]


async def invoice(id: UUID, trainer: UUID | None = None) -> InvoiceView:  # noqa: A002 - the word of the house for a key
    """An invoice with its lines.

    Raises:
        InvoiceUnknown: there is none, or it is of another trainer than is named.
    """
    found = await fetch_one(HEADS + "WHERE id = $1 AND ($2::uuid IS NULL OR trainer = $2)", id, trainer)
    parties = await fetch_one(_INVOICE, id)
    if found is None or parties is None:
        raise InvoiceUnknown
    head = InvoiceHead(*found)
    lines = tuple(InvoiceLine(*row) for row in await fetch_all(_LINES, id))
    numbers = [line.corrects for line in lines if line.corrects is not None]
    corrected = await fetch_all(_CORRECTED, head.trainer, numbers)
    where = (parties["street"], parties["postcode"], parties["place"])
    return InvoiceView(
        head=head,
        supplier=Party(parties["name"], *where, "kvk", parties["kvk"], parties["vat_id"]),
        buyer=Party(**msgspec.json.decode(parties["buyer"])),
        agreed_on=parties["agreed_at"].astimezone(AMSTERDAM).date(),
        lines=lines,
        corrected={row["number"]: row["issued_on"] for row in corrected},
    )


async def earned_by_month(
    before: date, trainers: Collection[UUID] | None = None
) -> dict[tuple[UUID, date], list[Earned]]:
    """What trainers earned for themselves by teaching, by trainer and month, before a month began.

    Args:
        before: the first day of the month that does not count yet.
        trainers: whose; None: all.
    """
    until = datetime(before.year, before.month, before.day, tzinfo=AMSTERDAM)
    rows = await fetch_all(EARNED, until, None if trainers is None else list(trainers))
    found: dict[tuple[UUID, date], list[Earned]] = {}
    for row in rows:
        month = row["earned_on"].replace(day=1)
        found.setdefault((row["trainer"], month), []).append(_earned(row, month))
    return found


async def differences() -> list[str]:
    """What does not fit between invoices and the books, in plain Dutch. A month that waits for its invoice is no difference."""
    issued = await invoices()
    if not issued:
        return []
    trainers = sorted({each.trainer for each in issued})
    agreements: dict[UUID, list[Agreement]] = {trainer: [] for trainer in trainers}
    for row in await fetch_all(_ALL_AGREEMENTS, trainers):
        agreements[row["trainer"]].append(Agreement(row["id"], row["agreed_at"], row["ended_at"]))
    earned = await earned_by_month(next_month(max(each.month for each in issued)), trainers)
    found = []
    for each in issued:
        own = agreements[each.trainer]
        held = in_force(own, each.month) is not None
        due = sum(part.cents for part in earned.get((each.trainer, each.month), ()) if held and ours(part, own))
        if due != each.gross_cents:
            name = f"Factuur {number_of(each.number)} van trainer {each.trainer}"
            found.append(f"{name} is {euros(each.gross_cents)}, maar in de boeken staat {euros(due)}.")
    for trainer in trainers:
        numbers = sorted(each.number for each in issued if each.trainer == trainer)
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"De facturen van trainer {trainer} zijn niet zonder gaten genummerd.")
    return found


async def to_invoice_oneself(trainer: UUID) -> list[MonthEarned]:
    """What a trainer earned in months that are over for a day and that we make out no invoice of; the latest first.

    What came back is in an invoice of ours when both months are ours, and in these otherwise.
    """
    agreements = [Agreement(each.id, each.agreed_at, each.ended_at) for each in await agreements_of(trainer)]
    found = []
    for (_, month), earned in (await earned_by_month(first_open_month(today()), [trainer])).items():
        covered = in_force(agreements, month) is not None
        own = [each for each in earned if not (covered and ours(each, agreements))]
        if own:
            found.append(MonthEarned(trainer, month, tuple(lines_of(own, {}))))
    return sorted((each for each in found if each.lines), key=lambda each: each.month, reverse=True)


def ours(earned: Earned, agreements: Iterable[Agreement]) -> bool:
    """Whether something of a month that we invoice is ours to invoice: not when it corrects what we did not invoice."""
    return earned.since is None or in_force(agreements, earned.since) is not None


def first_open_month(day: date) -> date:
    """The first day of the first month that is not over for a whole day."""
    return next_month(date.fromisoformat(f"{last_month_to_settle(day)}-01"))


def _earned(row: Any, month: date) -> Earned:
    since = row["first_earned_on"] and row["first_earned_on"].replace(day=1)
    return Earned(
        kind=row["kind"],
        cents=row["cents"],
        session=row["session"],
        first_on=row["first_on"],
        last_on=row["last_on"],
        treatment=row["treatment"] or "standard_21",
        legal_basis=row["legal_basis"],
        since=None if since == month else since,
    )
