"""Write payment orders for the bank (pain.001) and read what it says of them (pain.002). Plain values, no database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree.ElementTree import SubElement

from sepaxml import SepaTransfer
from text_unidecode import unidecode

from leerbudget.payments.bank_errors import BankFileIncomplete
from leerbudget.payments.iso20022 import message_in, needed, text_at

PAIN_001 = "pain.001.001.09"
PAIN_002_VERSIONS = tuple(f"pain.002.001.{version:02}" for version in range(3, 15))
LINE_STATUSES = {"ACCP": "accepted", "ACSP": "accepted", "ACSC": "accepted", "ACCC": "accepted", "ACTC": "accepted"}
LINE_STATUSES |= {"ACWC": "accepted", "PDNG": "accepted", "RJCT": "rejected", "CANC": "rejected"}


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The bank account of the programme, from which it pays."""

    iban: str
    holder_name: str


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """One payment in an order: `end_to_end` is ours and comes back in every message about it."""

    end_to_end: str
    payee_name: str
    iban: str
    amount_cents: int
    note: str


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What the bank says of one payment: `accepted` or `rejected`, with its reason code."""

    end_to_end: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the bank says of an order. `rejected`: nothing of it will be paid, whatever the lines say."""

    message_id: str
    rejected: bool
    reason: str | None
    lines: tuple[LineStatus, ...]


def payment_order(
    own: OwnAccount, message_id: str, transfers: Sequence[CreditTransfer], *, execution_on: date, made_at: datetime
) -> bytes:
    """A pain.001.001.09 file, valid by its official schema; each payment is booked by itself.

    It names accounts by IBAN alone, as Regulation (EU) 260/2012 has it since 2016 within the European Economic Area:
    no bank of a payee, and for our own the word that the guidelines of the European Payments Council ask for there.

    Takes a second of computing (the schema): not inside a transaction.
    """
    order = SepaTransfer(
        {"name": sepa_text(own.holder_name), "IBAN": own.iban, "batch": False, "currency": "EUR"}, schema=PAIN_001
    )
    header = order._xml.find("CstmrCdtTrfInitn/GrpHdr")  # noqa: SLF001 - its constructor fills it at random
    header.find("MsgId").text = message_id
    header.find("CreDtTm").text = made_at.strftime("%Y-%m-%dT%H:%M:%S")
    for transfer in transfers:
        order.add_payment(
            {
                "name": sepa_text(transfer.payee_name),
                "IBAN": transfer.iban,
                "amount": transfer.amount_cents,
                "execution_date": execution_on,
                "description": sepa_text(transfer.note),
                "endtoend_id": transfer.end_to_end,
            }
        )
    for bank in order._xml.iter("FinInstnId"):  # noqa: SLF001 - left empty by the library; the schema lets that pass
        SubElement(SubElement(bank, "Othr"), "Id").text = "NOTPROVIDED"
    file: bytes = order.export(validate=True)
    return file


def sepa_text(text: str) -> str:
    """Text in the letters that every bank takes (EPC217-08): others become the nearest, or a space."""
    plain = re.sub(r"[^A-Za-z0-9/?:().,'+ -]", " ", unidecode(text))
    return " ".join(plain.split()) or "-"


def read_status(file: bytes) -> StatusReport:
    """What a pain.002 file says.

    Raises:
        BankFileTooLarge, BankFileNotText, BankFileDefines, BankFileNotXml, BankFileUnknown: no such message.
        BankFileIncomplete: it does not say which order it is about, or says something unknown.
    """
    root = message_in(file, PAIN_002_VERSIONS)
    report = root.find("CstmrPmtStsRpt")
    if report is None:
        raise BankFileIncomplete(place="CstmrPmtStsRpt")
    group = "OrgnlGrpInfAndSts"
    lines = []
    for batch in report.findall("OrgnlPmtInfAndSts"):
        whole = text_at(batch, "PmtInfSts")
        for each in batch.findall("TxInfAndSts"):
            status = text_at(each, "TxSts") or whole or "-"
            if status not in LINE_STATUSES:
                raise BankFileIncomplete(place="TxInfAndSts/TxSts")
            reason = text_at(each, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
            lines.append(
                LineStatus(needed(each, "OrgnlEndToEndId"), LINE_STATUSES[status], (reason or "")[:35] or None)
            )
    return StatusReport(
        message_id=needed(report, f"{group}/OrgnlMsgId"),
        rejected=text_at(report, f"{group}/GrpSts") == "RJCT",
        reason=(text_at(report, f"{group}/StsRsnInf/Rsn/Cd") or "")[:35] or None,
        lines=tuple(lines),
    )
