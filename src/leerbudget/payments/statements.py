"""Import bank statements: part of the actions of this room.

First a file is stored, all of it or nothing; then each entry is placed by itself, in its own transaction. What was
stored and not placed (a crash in between) is placed by the next import.
"""

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.bank_errors import EntryChanged, OtherBankAccount, StatementChanged
from leerbudget.payments.bank_rules import ACCOUNT_FAULTS, end_to_end_of, entry_ref
from leerbudget.payments.camt import BankStatement, StatementEntry, content_of, read_statements, reference_on
from leerbudget.payments.crediting import credit, payment_of
from leerbudget.payments.payees import end_refused
from leerbudget.payments.tasks import open_task, solve_task
from leerbudget.payments.telling import tell_payee

_STORE_STATEMENT = """
    INSERT INTO bank_statement (id, iban, number, digest, opening_cents, closing_cents, closing_on, imported_at,
                                imported_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""

_COLUMNS = """
    id, statement, iban, bank_ref, digest, direction, amount_cents, booked_on, party_name, party_iban, note, reference,
    end_to_end, return_reason, state, suspense_cents
"""

_STORE_ENTRIES = f"""
    INSERT INTO bank_entry ({_COLUMNS})
    SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::bank_entry, $1::jsonb) ORDER BY bank_ref
    ON CONFLICT DO NOTHING
"""

_STORED = "SELECT bank_ref, digest FROM bank_entry WHERE iban = $1 AND bank_ref = ANY($2::text[])"

_GAP = """
    SELECT closing_cents FROM bank_statement WHERE iban = $1 AND closing_on < $2
    ORDER BY closing_on DESC, imported_at DESC LIMIT 1
"""

_UNPLACED = "SELECT id FROM bank_entry WHERE state = 'read' ORDER BY booked_on, id"

_ENTRY = """
    SELECT id, iban, bank_ref, direction, amount_cents, booked_on, reference, end_to_end, return_reason, state
    FROM bank_entry WHERE id = $1 FOR NO KEY UPDATE
"""

_PLACE = """
    UPDATE bank_entry SET state = $2, suspense_cents = $3, payment = $4, line = $5, decided_at = $6, decided_by = $7
    WHERE id = $1
"""

_OUR_LINE = """
    SELECT id, purpose, subject, source, iban, amount_cents, state FROM payout_line WHERE id = $1 FOR NO KEY UPDATE
"""

_RETURN = """
    SELECT id, iban, bank_ref, direction, amount_cents, return_reason FROM bank_entry
    WHERE state = 'suspense' AND direction = 'in' AND return_reason IS NOT NULL AND payment IS NULL
      AND lower(end_to_end) = $1 AND amount_cents = $2
    ORDER BY booked_on, id LIMIT 1 FOR NO KEY UPDATE
"""

PLACED = ("matched", "payout", "payout_returned", "suspense")
"""What becomes of an entry by itself; a person decides about `suspense`."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did.

    Args:
        statements: in the file.
        entries: booked entries in the file.
        known: of those, how many were stored before.
        placed: how many entries ended in each of `PLACED`.
        gaps: IBANs of statements that do not open where the one before closed: a statement may be missing.
    """

    statements: int
    entries: int
    known: int
    placed: dict[str, int]
    gaps: tuple[str, ...]


async def import_statements(file: bytes, own_ibans: Collection[str], *, actor: UUID | None) -> ImportSummary:
    """Store the statements of a camt.053 file and place their entries. The same file again changes nothing.

    Raises:
        BankFileTooLarge, BankFileNotText, BankFileDefines, BankFileNotXml, BankFileUnknown, BankFileIncomplete,
        OtherCurrency, StatementDoesNotAddUp, EntryTwiceInFile: the file is wrong (`camt.read_statements`).
        OtherBankAccount: a statement of an account that is not ours.
        StatementChanged: a statement with this number was stored with another content.
        EntryChanged: an entry with this reference was stored with another content.
    """
    statements = await asyncio.to_thread(read_statements, file)
    for each in statements:
        if each.iban not in own_ibans:
            raise OtherBankAccount(iban=each.iban)
    async with together():
        gaps, fresh = [], 0
        for each in statements:
            gaps += [each.iban] if await _opens_elsewhere(each) else []
            fresh += await _store(each, actor)
    placed = await place_entries(actor=actor)
    count = sum(len(each.entries) for each in statements)
    return ImportSummary(len(statements), count, count - fresh, placed, tuple(gaps))


async def _opens_elsewhere(statement: BankStatement) -> bool:
    day = min((entry.booked_on for entry in statement.entries), default=statement.closing_on)
    before = await fetch_one(_GAP, statement.iban, day)
    return before is not None and before["closing_cents"] != statement.opening_cents


async def _store(statement: BankStatement, actor: UUID | None) -> int:
    """Store a statement and those of its entries that are not known; how many those are."""
    digest = _digest([*_totals(statement), *(each.bank_ref for each in statement.entries)])
    made = new_id()
    values = (statement.opening_cents, statement.closing_cents, statement.closing_on, now(), actor)
    if not await execute(_STORE_STATEMENT, made, statement.iban, statement.number, digest, *values):
        known = await fetch_one(
            "SELECT id, digest FROM bank_statement WHERE iban = $1 AND number = $2", statement.iban, statement.number
        )
        if known is None or known["digest"] != digest:
            raise StatementChanged(statement=statement.number)
        made = known["id"]
    rows = [_row(made, statement.iban, entry) for entry in statement.entries]
    fresh = await execute(_STORE_ENTRIES, msgspec.json.encode(rows).decode())
    stored = await fetch_all(_STORED, statement.iban, [row["bank_ref"] for row in rows])
    digests = {row["bank_ref"]: row["digest"] for row in stored}
    for row in rows:
        if digests[row["bank_ref"]] != row["digest"]:
            raise EntryChanged(bank_ref=row["bank_ref"])
    return fresh


def _totals(statement: BankStatement) -> tuple[object, ...]:
    return (statement.opening_cents, statement.closing_cents, statement.closing_on)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def _row(statement: UUID, iban: str, entry: StatementEntry) -> dict[str, Any]:
    return {
        "id": new_id(),
        "statement": statement,
        "iban": iban,
        "bank_ref": entry.bank_ref,
        "digest": _digest(content_of(entry)),
        "direction": "in" if entry.cents > 0 else "out",
        "amount_cents": abs(entry.cents),
        "booked_on": entry.booked_on,
        "party_name": entry.party_name,
        "party_iban": entry.party_iban,
        "note": entry.note,
        "reference": reference_on(entry),
        "end_to_end": entry.end_to_end,
        "return_reason": entry.return_reason,
        "state": "read",
        "suspense_cents": 0,
    }


async def place_entries(*, actor: UUID | None) -> dict[str, int]:
    """Place every stored entry that was not placed yet; how many ended in each of `PLACED`."""
    placed = dict.fromkeys(PLACED, 0)
    for row in await fetch_all(_UNPLACED):
        state = await _place(row["id"], actor)
        if state is not None:
            placed[state] += 1
    return placed


async def _place(entry: UUID, actor: UUID | None) -> str | None:
    """Where an entry ends; None when another import was first.

    A payment is known by its reference alone, never by its amount or by what a stranger called it. A payout is known
    by the name that we gave it: on a debit, or on a credit of which the bank itself says that it is a return.
    """
    async with together():
        row = await fetch_one(_ENTRY, entry)
        if row is None or row["state"] != "read":
            return None
        line, payment, waits = await _line_of(row), None, 0
        if line is not None:
            state = await _about_payout(row, line, actor)
        else:
            if row["direction"] == "in" and row["reference"] is not None:
                payment = await payment_of(row["reference"])
            waits = await _from_outside(row, payment, actor)
            state = "suspense" if waits else "matched"
        await execute(_PLACE, entry, state, waits, payment, None if line is None else line["id"], now(), actor)
    return state


async def _line_of(row: Any) -> Any:
    """The payout line that an entry is about, when it fits: how it stands, and the cent."""
    if row["direction"] == "in" and row["return_reason"] is None:
        return None
    try:
        line = await fetch_one(_OUR_LINE, UUID(hex=row["end_to_end"] or ""))
    except ValueError:
        return None
    fitting = ("approved", "accepted") if row["direction"] == "out" else ("booked",)
    fits = line is not None and line["amount_cents"] == row["amount_cents"] and line["state"] in fitting
    return line if fits else None


async def _about_payout(row: Any, line: Any, actor: UUID | None) -> str:
    """The bank paid a line, or the payee's bank sent it back: then what paid it has its money again."""
    bank = await account_of("bank", None, constrained=False)
    clearing = await account_of("payout_clearing", None, constrained=False)
    ref = entry_ref(row["iban"], row["bank_ref"])
    cents = row["amount_cents"]
    if row["direction"] == "out":
        orders = [TransferOrder(new_id(), "payout_booked", ref, "posted", clearing, bank, cents)]
        state, became = "payout", "booked"
    else:
        orders = [
            TransferOrder(new_id(), "payout_returned", ref, "posted", bank, clearing, cents),
            undoing(line, clearing),
        ]
        state, became = "payout_returned", "returned"
    await record(orders, actor=actor)
    await execute(
        "UPDATE payout_line SET state = $2, bank_reason = $3 WHERE id = $1", line["id"], became, row["return_reason"]
    )
    if became == "booked":
        if line["purpose"] == "refund":
            await solve_task("refund_failed", f"refund:{line['subject']}", "Terugbetaald via de bank.", actor=actor)
        if await _return_told_before(line, actor):
            return state  # that it came back is the news, and was told
    elif line["purpose"] == "trainer" and row["return_reason"] in ACCOUNT_FAULTS:
        await end_refused(line["subject"], line["iban"], actor=actor)
    await tell_payee(line, became)
    return state


async def _return_told_before(line: Any, actor: UUID | None) -> bool:
    """Statements may come in any order: money of this line that was sent back may wait in suspense already. Whether it did."""
    row = await fetch_one(_RETURN, end_to_end_of(line["id"]), line["amount_cents"])
    if row is None:
        return False
    bank = await account_of("bank", None, constrained=False)
    suspense = await account_of("suspense", None, constrained=False)
    ref, cents = entry_ref(row["iban"], row["bank_ref"]), row["amount_cents"]
    reason = "De afschrijving stond op een later gelezen afschrift."
    out = TransferOrder(new_id(), "entry_explained", ref, "posted", suspense, bank, cents, reason=reason)
    await record([out], actor=actor)
    await solve_task("unmatched", ref, reason, actor=actor)
    await _about_payout(row, line, actor)
    await execute(_PLACE, row["id"], "payout_returned", 0, None, line["id"], now(), actor)
    return True


def undoing(line: Any, clearing: UUID) -> TransferOrder:
    """A payout line that was not paid after all: back to the account that paid it, once."""
    ref = f"payout:{line['id']}"
    return TransferOrder(new_id(), "payout_undone", ref, "posted", clearing, line["source"], line["amount_cents"])


async def _from_outside(row: Any, payment: UUID | None, actor: UUID | None) -> int:
    """A payment gets what came for it; anything else waits in suspense for a person: how many cents."""
    ref, cents = entry_ref(row["iban"], row["bank_ref"]), row["amount_cents"]
    if payment is not None:
        return await credit(payment, ref, cents, row["booked_on"], actor=actor)
    bank = await account_of("bank", None, constrained=False)
    suspense = await account_of("suspense", None, constrained=False)
    debit, to = (bank, suspense) if row["direction"] == "in" else (suspense, bank)
    await record([TransferOrder(new_id(), "unmatched", ref, "posted", debit, to, cents)], actor=actor)
    await open_task("unmatched", ref, cents)
    return int(cents)
