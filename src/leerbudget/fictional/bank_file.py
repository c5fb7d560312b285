"""A made-up bank statement (camt.053), as a bank would send it. Plain values in, the file out; no money is real."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_PAYER_IBAN = "NL02ABNA0123456789"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in: how much, from whom, and what they wrote along."""

    cents: int
    payer: str
    note: str


def statement_file(iban: str, number: str, on: date, *, opening_cents: int, receipts: Sequence[Receipt]) -> bytes:
    """One statement of one day, which adds up. Two with one number are one statement for who reads them."""
    closing_cents = opening_cents + sum(each.cents for each in receipts)
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_SPACE}"><BkToCstmrStmt>',
        f"<GrpHdr><MsgId>{number}</MsgId><CreDtTm>{on}T20:00:00</CreDtTm></GrpHdr>",
        f"<Stmt><Id>{number}</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>",
        _balance("OPBD", opening_cents, on),
        _balance("CLBD", closing_cents, on),
        *(_entry(each, f"{number}-{place}", on) for place, each in enumerate(receipts, 1)),
        "</Stmt></BkToCstmrStmt></Document>\n",
    ]
    return "\n".join(parts).encode()


def _amount(cents: int) -> str:
    way = "CRDT" if cents >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def _balance(kind: str, cents: int, on: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(cents)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _entry(receipt: Receipt, ref: str, on: date) -> str:
    payer = (
        f"<RltdPties><Dbtr><Pty><Nm>{escape(receipt.payer)}</Nm></Pty></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{_PAYER_IBAN}</IBAN></Id></DbtrAcct></RltdPties>"
    )
    said = f"<RmtInf><Ustrd>{escape(receipt.note)}</Ustrd></RmtInf>"
    return (
        f"<Ntry>{_amount(receipt.cents)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls>{payer}{said}</TxDtls></NtryDtls></Ntry>"
    )
