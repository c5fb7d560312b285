"""Pay out in batches: part of the actions of this room.

One person drafts, another approves; then the money leaves what pays it for the clearing account, and the file for the
bank is kept. The statement empties the clearing account; what the bank refuses or sends back returns to what paid it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import AMSTERDAM, now, today
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.bank_errors import (
    NothingToPay,
    PayableChanged,
    PayoutEnded,
    PayoutKnown,
    PayoutUnknown,
    StatusOfAnother,
)
from leerbudget.payments.bank_rules import ACCOUNT_FAULTS, LineOrder, end_to_end_of, message_id_of, next_working_day
from leerbudget.payments.pain import CreditTransfer, LineStatus, OwnAccount, StatusReport, payment_order, read_status
from leerbudget.payments.payables import lines_back, lines_of_refunds, lines_to_trainers, payables
from leerbudget.payments.payees import end_refused
from leerbudget.payments.rules import last_month_to_settle
from leerbudget.payments.statements import undoing
from leerbudget.payments.telling import tell_payee

_DRAFT = """
    INSERT INTO payout (id, message_id, state, execution_on, drafted_at, drafted_by)
    VALUES ($1, $2, 'drafted', $3, $4, $5) ON CONFLICT DO NOTHING
"""

_LINES = """
    INSERT INTO payout_line (id, payout, purpose, subject, source, payee_name, iban, amount_cents, note, state)
    SELECT wanted.id, $1, wanted.purpose, wanted.subject, wanted.source, wanted.payee_name, wanted.iban, wanted.cents,
           wanted.note, 'drafted'
    FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::text[])
         AS wanted(id, purpose, subject, source, payee_name, iban, cents, note)
    ORDER BY subject
    ON CONFLICT DO NOTHING
"""

_LINES_OF = """
    SELECT id, purpose, subject, source, payee_name, iban, amount_cents, note, state FROM payout_line
    WHERE payout = $1 ORDER BY id
"""

_APPROVE = """
    UPDATE payout SET state = 'approved', file = $2, decided_at = $3, decided_by = $4
    WHERE id = $1 AND state = 'drafted'
"""


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """What a status report did: lines accepted, lines rejected, and lines of which it told nothing that counts."""

    accepted: int
    rejected: int
    unchanged: int


def first_unpaid_day(day: date) -> datetime:
    """From when on earnings wait for a later payout: the end of the last month that is over for a whole day."""
    year, month = map(int, last_month_to_settle(day).split("-"))
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=AMSTERDAM)


async def draft_payout(
    id: UUID,  # noqa: A002 - the name every action uses for what the caller made
    extra: Sequence[LineOrder] = (),
    *,
    actor: UUID,
) -> int:
    """Draft payments of everything that can be paid out now; how many lines. Nothing moves yet.

    What stands in another draft, or is under way, is left out. The same id again has no effect.

    Args:
        id: made by the caller.
        extra: what others want to be paid along.
        actor: who drafts; somebody else approves.

    Raises:
        NothingToPay: there is nothing, or no account to pay it on.
        PayoutKnown: the id stands for a payout of somebody else.
    """
    async with together():
        known = await fetch_one("SELECT drafted_by FROM payout WHERE id = $1", id)
        if known is not None:
            if known["drafted_by"] != actor:
                raise PayoutKnown
            return len(await fetch_all(_LINES_OF, id))
        before = first_unpaid_day(today())
        orders = [*await lines_to_trainers(before), *await lines_of_refunds(), *await lines_back(), *extra]
        if not await execute(_DRAFT, id, message_id_of(id), next_working_day(today()), now(), actor):
            raise PayoutKnown
        names = ("id", "purpose", "subject", "source", "payee_name", "iban", "amount_cents", "note")
        columns = [[getattr(order, name) for order in orders] for name in names]
        count = await execute(_LINES, id, *columns)
        if not count:
            raise NothingToPay
        await record_audit(actor, "payout_drafted", "payout", id)
    return count


async def cancel_payout(id: UUID, *, actor: UUID | None) -> None:  # noqa: A002 - as above
    """Drop a draft; what it would pay can go in another. Again has no effect.

    Raises:
        PayoutUnknown: no such payout.
        PayoutEnded: it was approved; the bank has it, or may have it.
    """
    async with together():
        if await execute(
            "UPDATE payout SET state = 'cancelled', decided_at = $2, decided_by = $3 WHERE id = $1 AND state = 'drafted'",
            *(id, now(), actor),
        ):
            await execute("UPDATE payout_line SET state = 'cancelled' WHERE payout = $1 AND state = 'drafted'", id)
            await record_audit(actor, "payout_cancelled", "payout", id)
        elif await _state(id) != "cancelled":
            raise PayoutEnded(state="approved")


async def approve_payout(id: UUID, own: OwnAccount, *, actor: UUID) -> None:  # noqa: A002 - as above
    """Let a draft be paid from our account: the money leaves what pays it, and the file is kept. Again has no effect.

    Raises:
        PayoutUnknown: no such payout.
        PayoutEnded: it was cancelled, or approved by somebody else.
        AnotherPersonConfirms: who drafted it cannot approve it (four eyes, by the database).
        PayableChanged: less is to be paid now, or on another account.
    """
    lines = await fetch_all(_LINES_OF, id)
    row = await fetch_one("SELECT message_id, execution_on, state, decided_by FROM payout WHERE id = $1", id)
    if row is None:
        raise PayoutUnknown(id=id)
    if (row["state"], row["decided_by"]) == ("approved", actor):
        return
    if row["state"] != "drafted":
        raise PayoutEnded(state=row["state"])
    day = max(row["execution_on"], next_working_day(today()))
    made_at = now().astimezone(AMSTERDAM)
    file = await asyncio.to_thread(
        payment_order, own, row["message_id"], _transfers(lines), execution_on=day, made_at=made_at
    )
    async with together():
        if not await execute(_APPROVE, id, file, now(), actor):
            raise PayoutEnded(state=await _state(id))
        await _still_payable(lines)
        clearing = await account_of("payout_clearing", None, constrained=False)
        await record([_ordering(line, clearing) for line in lines], actor=actor)
        await execute("UPDATE payout_line SET state = 'approved' WHERE payout = $1 AND state = 'drafted'", id)
        await record_audit(actor, "payout_approved", "payout", id)


_PAID_BACK = "SELECT id FROM payment_attempt WHERE id = ANY($1::uuid[]) AND state <> 'refused'"


def _transfers(lines: Sequence[Any]) -> list[CreditTransfer]:
    return [
        CreditTransfer(end_to_end_of(line["id"]), line["payee_name"], line["iban"], line["amount_cents"], line["note"])
        for line in lines
    ]


def _ordering(line: Any, clearing: UUID) -> TransferOrder:
    ref = f"payout:{line['id']}"
    return TransferOrder(new_id(), "payout", ref, "posted", line["source"], clearing, line["amount_cents"])


async def _still_payable(lines: Sequence[Any]) -> None:
    """Refuse when a trainer's line is more than what is payable, or for another account, or a refund was paid by hand.

    No lock is needed: while this line is open there is no other for the trainer (`one_open_line_per_subject`).
    """
    refunds = {line["subject"]: line for line in lines if line["purpose"] == "refund"}
    for row in await fetch_all(_PAID_BACK, list(refunds)):
        raise PayableChanged(line=refunds[row["id"]]["id"])
    mine = [line for line in lines if line["purpose"] == "trainer"]
    found = await payables(first_unpaid_day(today()), [line["subject"] for line in mine])
    payable = {each.trainer: each for each in found}
    for line in mine:
        due = payable.get(line["subject"])
        if due is None or due.cents < line["amount_cents"] or due.iban != line["iban"]:
            raise PayableChanged(line=line["id"])


async def _state(payout: UUID) -> str:
    row = await fetch_one("SELECT state FROM payout WHERE id = $1", payout)
    if row is None:
        raise PayoutUnknown(id=payout)
    state: str = row["state"]
    return state


async def import_status(file: bytes, *, actor: UUID | None) -> StatusSummary:
    """Take in what the bank says of a payout (pain.002). What it rejects goes back to what paid it, once.

    A trainer's account that the bank says is wrong, closed or blocked is used no more.

    Raises:
        BankFileTooLarge, BankFileNotText, BankFileDefines, BankFileNotXml, BankFileUnknown, BankFileIncomplete:
            the file is wrong (`pain.read_status`).
        StatusOfAnother: it is about a file or a line that is not ours; nothing of it is taken in.
    """
    report = read_status(file)
    async with together():
        payout = await fetch_one(
            "SELECT id FROM payout WHERE message_id = $1 AND state = 'approved'", report.message_id
        )
        if payout is None:
            raise StatusOfAnother(message_id=report.message_id)
        lines = await fetch_all(_LINES_OF + " FOR NO KEY UPDATE", payout["id"])
        told = _told(report, {end_to_end_of(line["id"]) for line in lines})
        faulty = {each.end_to_end for each in report.lines if each.reason in ACCOUNT_FAULTS}
        clearing = await account_of("payout_clearing", None, constrained=False)
        counts = dict.fromkeys(("accepted", "rejected", "unchanged"), 0)
        for line in lines:
            became = await _told_of(line, told.get(end_to_end_of(line["id"])), clearing, actor)
            counts[became] += 1
            if became == "rejected" and line["purpose"] == "trainer" and end_to_end_of(line["id"]) in faulty:
                await end_refused(line["subject"], line["iban"], actor=actor)
    return StatusSummary(**counts)


def _told(report: StatusReport, ours: set[str]) -> dict[str, LineStatus]:
    """What the report says of each line. A rejected order rejects every line."""
    if any(each.end_to_end not in ours for each in report.lines):
        raise StatusOfAnother(message_id=report.message_id)
    if report.rejected:
        said = {each.end_to_end: each.reason for each in report.lines}
        return {name: LineStatus(name, "rejected", said.get(name) or report.reason) for name in ours}
    return {each.end_to_end: each for each in report.lines}


async def _told_of(line: Any, status: LineStatus | None, clearing: UUID, actor: UUID | None) -> str:
    """What becomes of a line: a later word counts only as long as the money is under way."""
    if status is None or line["state"] not in {"approved", "accepted"} or line["state"] == status.state:
        return "unchanged"
    if status.state == "rejected":
        await record([undoing(line, clearing)], actor=actor)
    await execute(
        "UPDATE payout_line SET state = $2, bank_reason = $3 WHERE id = $1", line["id"], status.state, status.reason
    )
    await tell_payee(line, status.state)
    return status.state
