"""Read bank statements (camt.053) and the payment reference that a payer put on a transfer. Plain values, no database.

Only booked entries count; what is pending may never happen. A statement that does not add up is refused as a whole:
something is missing, and nobody can know what.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from xml.etree.ElementTree import Element

from stdnum import iban as iban_numbers
from stdnum import iso11649

from leerbudget.payments.bank_errors import (
    BankFileIncomplete,
    EntryTwiceInFile,
    OtherCurrency,
    StatementDoesNotAddUp,
)
from leerbudget.payments.iso20022 import cents_at, day_at, message_in, needed, signed, text_at

CAMT_VERSIONS = tuple(f"camt.053.001.{version:02}" for version in range(2, 13))
BANK_REF_LENGTH = 60
NOTE_LENGTH = 600
_NO_REFERENCE = {"NONREF", "NOTPROVIDED", "NOREF"}
_OURS_IN_TEXT = re.compile(r"R\s?F(?:[\s.\-]{0,2}\d){18}(?!\d)", re.ASCII)
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """Money that the bank booked.

    Args:
        bank_ref: names the entry for good within its account; of the bank, or else a digest of what it says.
        cents: more than zero: to us.
        booked_on: by the bank.
        party_name: who paid us, or whom we paid.
        party_iban: their account.
        note: what they wrote along, on one line.
        creditor_ref: the structured reference; whatever they put there.
        end_to_end: what the one who paid called the payment. Anybody can write anything there.
        return_reason: the bank's code when a payment of ours came back; only a bank can write it.
    """

    bank_ref: str
    cents: int
    booked_on: date
    party_name: str | None
    party_iban: str | None
    note: str | None
    creditor_ref: str | None
    end_to_end: str | None
    return_reason: str | None


@dataclass(frozen=True, slots=True)
class BankStatement:
    """A statement that adds up: opening balance + entries = closing balance, in euro cents."""

    iban: str
    number: str
    opening_cents: int
    closing_cents: int
    closing_on: date
    entries: tuple[StatementEntry, ...]


def read_statements(file: bytes) -> list[BankStatement]:
    """Every statement in a camt.053 file, with its booked entries.

    Raises:
        BankFileTooLarge, BankFileNotText, BankFileDefines, BankFileNotXml, BankFileUnknown: no such message.
        BankFileIncomplete: it lacks an account, a balance, an amount or a day.
        OtherCurrency: another currency than the euro.
        StatementDoesNotAddUp: an entry is missing or changed.
        EntryTwiceInFile: two entries with one bank reference.
    """
    root = message_in(file, CAMT_VERSIONS)
    found = [_statement(element) for element in root.findall("BkToCstmrStmt/Stmt")]
    if not found:
        raise BankFileIncomplete(place="BkToCstmrStmt/Stmt")
    times = Counter((each.iban, entry.bank_ref) for each in found for entry in each.entries)
    for (_, bank_ref), count in times.items():
        if count > 1:
            raise EntryTwiceInFile(bank_ref=bank_ref)
    return found


def _statement(element: Element) -> BankStatement:
    iban = needed(element, "Acct/Id/IBAN").replace(" ", "").upper()
    if not iban_numbers.is_valid(iban):
        raise BankFileIncomplete(place="Stmt/Acct/Id/IBAN")
    number = needed(element, "Id")
    opening, _ = _balance(element, _OPENING)
    closing, closing_on = _balance(element, _CLOSING)
    booked = [each for each in element.findall("Ntry") if text_at(each, "Sts/Cd", "Sts") == "BOOK"]
    entries = _told_apart([entry for each in booked for entry in _entries(each)])
    difference = closing - opening - sum(entry.cents for entry in entries)
    if difference:
        raise StatementDoesNotAddUp(statement=number, difference_cents=difference)
    return BankStatement(iban, number[:BANK_REF_LENGTH], opening, closing, closing_on, entries)


def _balance(statement: Element, kinds: Sequence[str]) -> tuple[int, date]:
    """The balance of the first of these kinds that there is, with its day."""
    by_kind = {text_at(each, "Tp/CdOrPrtry/Cd"): each for each in statement.findall("Bal")}
    for kind in kinds:
        if kind in by_kind:
            return signed(by_kind[kind], _euro_cents(by_kind[kind], "Amt")), day_at(by_kind[kind], "Dt")
    raise BankFileIncomplete(place=f"Bal ({kinds[0]})")


def _euro_cents(element: Element, path: str) -> int:
    cents, currency = cents_at(element, path)
    if currency != "EUR":
        raise OtherCurrency(currency=currency[:3] or "-")
    return cents


def _entries(entry: Element) -> list[StatementEntry]:
    """An entry, or each part of one that the bank booked together, when the parts add up to it."""
    total = signed(entry, _euro_cents(entry, "Amt"))
    details = entry.findall("NtryDtls/TxDtls")
    own_ref = _reference(entry)
    if len(details) < 2:
        detail = details[0] if details else entry
        found = [_entry(entry, detail, total, own_ref or _reference(detail))]
    else:
        parts = [_part_cents(each, total) for each in details]
        if None in parts:  # the bank does not say how it divides: a person must
            found = [replace(_entry(entry, entry, total, own_ref), note=_note(details))]
        else:
            cents = [part for part in parts if part is not None]
            if sum(cents) != total:
                raise StatementDoesNotAddUp(statement=own_ref or "Ntry", difference_cents=total - sum(cents))
            refs = [f"{own_ref}/{place}" if own_ref else _reference(each) for place, each in enumerate(details, 1)]
            found = [_entry(entry, *part) for part in zip(details, cents, refs, strict=True)]
    return [each for each in found if each.cents]


def _part_cents(detail: Element, total: int) -> int | None:
    """The cents of a part; it goes the way of the whole unless it says otherwise."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if detail.find(path) is not None:
            cents = _euro_cents(detail, path)
            if detail.find("CdtDbtInd") is not None:
                return signed(detail, cents)
            return cents if total > 0 else -cents
    return None


def _reference(element: Element) -> str | None:
    """What the bank itself calls an entry; None when that names nothing."""
    found = text_at(element, "AcctSvcrRef", "Refs/AcctSvcrRef")
    return None if found is None or found.upper() in _NO_REFERENCE else found[:35]


def _entry(entry: Element, detail: Element, cents: int, bank_ref: str | None) -> StatementEntry:
    party = "Dbtr" if cents > 0 else "Cdtr"
    found = StatementEntry(
        bank_ref=bank_ref or "",
        cents=cents,
        booked_on=day_at(entry, "BookgDt"),
        party_name=_plain(
            text_at(detail, f"RltdPties/{party}/Pty/Nm", f"RltdPties/{party}/Nm", "RltdPties/InitgPty/Pty/Nm"), 140
        ),
        party_iban=_plain(text_at(detail, f"RltdPties/{party}Acct/Id/IBAN"), 34),
        note=_note([detail]),
        creditor_ref=_plain(text_at(detail, "RmtInf/Strd/CdtrRefInf/Ref"), 35),
        end_to_end=_plain(text_at(detail, "Refs/EndToEndId"), 35),
        return_reason=_plain(text_at(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"), 35),
    )
    return found if bank_ref and bank_ref.isprintable() else replace(found, bank_ref="")


def _note(details: Sequence[Element]) -> str | None:
    """What was written along, or else what the bank says of it."""
    written = [" ".join((each.text or "").split()) for detail in details for each in detail.findall("RmtInf/Ustrd")]
    written = written or [text_at(detail, "AddtlTxInf", "AddtlNtryInf") or "" for detail in details]
    return _plain(" ".join(part for part in written if part), NOTE_LENGTH)


def _plain(text: str | None, length: int) -> str | None:
    """Text that can be kept and shown: printable, and not longer than its place."""
    kept = "".join(sign if sign.isprintable() else " " for sign in text or "")
    return " ".join(kept.split())[:length].strip() or None


def _told_apart(entries: Sequence[StatementEntry]) -> tuple[StatementEntry, ...]:
    """A digest for each entry that the bank gave no reference; twins of one day are counted."""
    seen: Counter[str] = Counter()
    found = []
    for entry in entries:
        if entry.bank_ref:
            found.append(entry)
            continue
        said = "\x1f".join(str(part) for part in content_of(entry))
        seen[said] += 1
        digest = hashlib.sha256(f"{said}\x1f{seen[said]}".encode()).hexdigest()
        found.append(replace(entry, bank_ref=f"sha256-{digest[:40]}"))
    return tuple(found)


def content_of(entry: StatementEntry) -> tuple[object, ...]:
    """What an entry says, its reference apart."""
    return (
        *(entry.booked_on, entry.cents, entry.party_name, entry.party_iban, entry.note),
        *(entry.creditor_ref, entry.end_to_end, entry.return_reason),
    )


def reference_on(entry: StatementEntry) -> str | None:
    """The one payment reference (ISO 11649, compact) that a payer put on a transfer; None: none, or several.

    The structured reference goes before what stands in the note, where it may have spaces. Check digits are verified.
    """
    structured = (entry.creditor_ref or "").replace(" ", "").upper()
    if structured.startswith("RF") and structured.isascii() and iso11649.is_valid(structured):
        return structured
    written = {re.sub(r"[\s.\-]", "", found) for found in _OURS_IN_TEXT.findall((entry.note or "").upper())}
    right = [each for each in written if iso11649.is_valid(each)]
    return right[0] if len(right) == 1 else None
