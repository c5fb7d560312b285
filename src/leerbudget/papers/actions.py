"""Write down VAT treatments, billing details and agreements, and issue the invoices of trainers. Moves no money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

import msgspec

from leerbudget.foundation.clock import AMSTERDAM, now, today
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit, record_audits
from leerbudget.identity.queries import emails_with_role
from leerbudget.ledger.rules import refuse, text_fault
from leerbudget.notifications.actions import Notice, post_many
from leerbudget.papers.errors import (
    ProgrammeUnknown,
    SelfBillingKnown,
    SelfBillingOpen,
    TreatmentKnown,
    TreatmentTooLate,
)
from leerbudget.papers.queries import earned_by_month, first_open_month, ours
from leerbudget.papers.rules import (
    BUYER_REFERENCE_LENGTH,
    Agreement,
    InvoiceLine,
    Party,
    in_force,
    lines_of,
    party_faults,
    tidy,
    treatment_faults,
)

INVOICES_PAGE = "/trainer/facturen"
"""Where trainers find what was made out for them."""

_TREAT = """
    INSERT INTO vat_treatment (id, course, trainer, treatment, legal_basis, evidence, valid_from, set_at, set_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING
"""

_BILL = """
    INSERT INTO billing_details (id, organisation, street, postcode, place, register, number, buyer_reference, set_at, set_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (organisation) DO UPDATE SET street = excluded.street, postcode = excluded.postcode,
        place = excluded.place, register = excluded.register, number = excluded.number,
        buyer_reference = excluded.buyer_reference, set_at = excluded.set_at, set_by = excluded.set_by
"""

_AGREE = """
    INSERT INTO self_billing (id, trainer, name, street, postcode, place, kvk, vat_id, agreed_at, agreed_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# Locked until the invoices are written: whoever issues at the same moment waits, and then sees them.
_AGREEMENTS = (
    "SELECT id, trainer, agreed_at, ended_at FROM self_billing ORDER BY trainer, agreed_at, id FOR NO KEY UPDATE"
)

_ISSUED = "SELECT trainer, month, number FROM invoice WHERE trainer = ANY($1::uuid[])"

_ISSUE = """
    INSERT INTO invoice (id, trainer, agreement, number, kind, month, issued_on, issued_at, buyer, gross_cents, net_cents, vat_cents)
    SELECT id, trainer, agreement, number, CASE WHEN gross < 0 THEN 'credit_note' ELSE 'invoice' END, month, $1, $2, $3,
           gross, net, gross - net
    FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::int[], $8::date[], $9::bigint[], $10::bigint[])
         AS made(id, trainer, agreement, number, month, gross, net)
"""

_LINES = """
    INSERT INTO invoice_line (id, invoice, position, kind, session, first_on, last_on, treatment, legal_basis,
                              gross_cents, net_cents, vat_cents, corrects)
    SELECT uuidv7(), made.* FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::date[], $6::date[], $7::text[],
        $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::int[]) AS made
"""


@dataclass(frozen=True, slots=True)
class TreatmentOrder:
    """A VAT treatment to write down: for a course by a trainer, from a day on, with what it rests on."""

    id: UUID
    course: UUID
    trainer: UUID
    treatment: str
    evidence: str
    valid_from: date
    legal_basis: str | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """An invoice that is due."""

    id: UUID
    trainer: UUID
    agreement: UUID
    number: int
    month: date
    lines: Sequence[InvoiceLine]


async def set_treatment(order: TreatmentOrder, *, actor: UUID | None) -> None:
    """Write down how VAT treats a course by a trainer from a day on. The same again has no effect.

    What was written down before keeps counting for the days before. Who wants another treatment writes another one.

    Raises:
        InvalidInput: something is malformed.
        TreatmentTooLate: the day is in a month that is over.
        TreatmentKnown: the id stands for another treatment.
        TreatedUnknown: no such course or trainer.
    """
    refuse(list(treatment_faults(order.treatment, order.legal_basis, order.evidence)))
    if order.valid_from < today().replace(day=1):
        raise TreatmentTooLate(errors=[{"path": "valid_from", "message": TreatmentTooLate.message_nl}])
    content = (
        order.course,
        order.trainer,
        order.treatment,
        order.legal_basis,
        order.evidence.strip(),
        order.valid_from,
    )
    async with together():
        if await execute(_TREAT, order.id, *content, now(), actor):
            await record_audit(actor, "vat_treatment_set", "vat_treatment", order.id)
            return
        row = await fetch_one(
            "SELECT course, trainer, treatment, legal_basis, evidence, valid_from FROM vat_treatment WHERE id = $1",
            order.id,
        )
        if row is None or tuple(row) != content:
            raise TreatmentKnown


async def set_billing(
    organisation: UUID, address: Party, buyer_reference: str | None = None, *, actor: UUID | None
) -> None:
    """Say where an organisation wants its papers addressed to; what was said before is forgotten.

    Args:
        organisation: whose papers.
        address: its name is not kept: that of the organisation counts.
        buyer_reference: what it wants to find on e-invoices without a purchase order.
        actor: who says so.

    Raises:
        InvalidInput: something is malformed.
        BilledUnknown: no such organisation.
    """
    right = tidy(address)
    faults = list(party_faults(right, vat=False))
    if buyer_reference is not None:
        faults.append(("buyer_reference", text_fault(buyer_reference, BUYER_REFERENCE_LENGTH)))
    refuse(faults)
    async with together():
        await execute(_BILL, new_id(), organisation, *right[1:6], buyer_reference, now(), actor)
        await record_audit(actor, "billing_details_set", "organisation", organisation)


async def agree_self_billing(
    id: UUID,  # noqa: A002 - the name every action uses for what the caller made
    trainer: UUID,
    supplier: Party,
    *,
    actor: UUID | None,
) -> None:
    """Note that a trainer agrees that we make out their invoices, from this month on. The same again has no effect.

    Raises:
        InvalidInput: something is malformed, or there is no VAT number.
        SelfBillingKnown: the id stands for another agreement.
        SelfBillingOpen: there is an agreement already.
        SupplierUnknown: no such trainer.
    """
    right = tidy(supplier)
    refuse(list(party_faults(right._replace(register="kvk"), vat=True)))
    content = (trainer, right.name, right.street, right.postcode, right.place, right.number, right.vat_id)
    async with together():
        row = await fetch_one(
            "SELECT trainer, name, street, postcode, place, kvk, vat_id FROM self_billing WHERE id = $1", id
        )
        if row is not None:
            if tuple(row) != content:
                raise SelfBillingKnown
            return
        if await fetch_one("SELECT id FROM self_billing WHERE trainer = $1 AND ended_at IS NULL", trainer):
            raise SelfBillingOpen
        await execute(_AGREE, id, *content, now(), actor)
        await record_audit(actor, "self_billing_agreed", "trainer", trainer)


async def end_self_billing(trainer: UUID, *, actor: UUID | None) -> None:
    """Make out no invoices for a trainer any more, from this month on. Again has no effect."""
    async with together():
        sql = "UPDATE self_billing SET ended_at = $2 WHERE trainer = $1 AND ended_at IS NULL"
        if await execute(sql, trainer, now()):
            await record_audit(actor, "self_billing_ended", "trainer", trainer)


async def issue_invoices(buyer: Party | None, *, actor: UUID | None) -> int:
    """Issue an invoice for every month that is over for a day, to every trainer who agreed to it; how many.

    What stands on them follows from transfers, treatments and agreements that are final by then: calling it at any time,
    several times at once or again after it was killed gives the same invoices. Numbers have no gaps.

    Args:
        buyer: the programme; None when it is not set who that is.
        actor: who asked; None: the clock.

    Raises:
        ProgrammeUnknown: an invoice is due and `buyer` is None.
    """
    async with together():
        agreements = await _agreements()
        if not agreements:
            return 0
        before = first_open_month(today())
        earned = await earned_by_month(before, agreements)
        known: dict[UUID, dict[date, int]] = {trainer: {} for trainer in agreements}
        for row in await fetch_all(_ISSUED, list(agreements)):
            known[row["trainer"]][row["month"]] = row["number"]
        drafts = []
        for (trainer, month), found in sorted(earned.items()):
            agreement = in_force(agreements[trainer], month)
            if agreement is None or month in known[trainer]:
                continue
            lines = lines_of((each for each in found if ours(each, agreements[trainer])), known[trainer])
            if lines:
                number = max(known[trainer].values(), default=0) + 1
                known[trainer][month] = number
                drafts.append(_Draft(new_id(), trainer, agreement.id, number, month, lines))
        if drafts:
            await _write(drafts, buyer)
            await _tell(drafts)
            await record_audits(actor, "invoice_issued", "invoice", {draft.id: {} for draft in drafts})
    return len(drafts)


async def _agreements() -> Mapping[UUID, list[Agreement]]:
    rows: Iterable[tuple[UUID, UUID, datetime, datetime | None]] = [tuple(row) for row in await fetch_all(_AGREEMENTS)]
    return {
        trainer: [Agreement(id_, agreed_at, ended_at) for id_, _, agreed_at, ended_at in group]
        for trainer, group in groupby(rows, key=lambda row: row[1])
    }


async def _write(drafts: Sequence[_Draft], buyer: Party | None) -> None:
    if buyer is None:
        raise ProgrammeUnknown
    at = now()
    await execute(
        _ISSUE,
        at.astimezone(AMSTERDAM).date(),
        at,
        msgspec.json.encode(buyer._asdict()).decode(),
        *([getattr(draft, name) for draft in drafts] for name in ("id", "trainer", "agreement", "number", "month")),
        [sum(line.gross_cents for line in draft.lines) for draft in drafts],
        [sum(line.net_cents for line in draft.lines) for draft in drafts],
    )
    rows = [
        (draft.id, position, *astuple(line)) for draft in drafts for position, line in enumerate(draft.lines, start=1)
    ]
    await execute(_LINES, *map(list, zip(*rows, strict=True)))


async def _tell(drafts: Sequence[_Draft]) -> None:
    """Who agreed that silence is acceptance hears that there is something to accept (art. 224 VAT directive)."""
    addresses = await emails_with_role("trainer", scopes=[draft.trainer for draft in drafts])
    await post_many(
        [
            Notice(kind="invoice_issued", business_ref=str(draft.id), address=address, context={"link": INVOICES_PAGE})
            for draft in drafts
            for address in addresses.get(draft.trainer, [])
        ]
    )
