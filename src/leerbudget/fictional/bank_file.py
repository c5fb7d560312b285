"""A made-up bank statement (camt.053), as a bank would send it. Plain values in, the file out; no money is real."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_PAYER_IBAN = "NL02ABNA0123456789"


@dataclass(frozen=True, slots=True)
class Entry:
    """Money that came in (cents above zero) or went out.

    Args:
        cents: how much.
        party: who is at the other end.
        note: what was written along.
        iban: of the other end.
        end_to_end: the name that who ordered it gave it.
        return_reason: why the other bank sent it back (ISO 20022: `AC04` account closed); None: it is no return.
    """

    cents: int
    party: str
    note: str
    iban: str = _PAYER_IBAN
    end_to_end: str = "NOTPROVIDED"
    return_reason: str | None = None


def statement_file(iban: str, number: str, on: date, *, opening_cents: int, entries: Sequence[Entry]) -> bytes:
    """One statement of one day, which adds up. Two with one number are one statement for who reads them."""
    closing_cents = opening_cents + sum(each.cents for each in entries)
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_SPACE}"><BkToCstmrStmt>',
        f"<GrpHdr><MsgId>{number}</MsgId><CreDtTm>{on}T20:00:00</CreDtTm></GrpHdr>",
        f"<Stmt><Id>{number}</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>",
        _balance("OPBD", opening_cents, on),
        _balance("CLBD", closing_cents, on),
        *(_entry(each, f"{number}-{place}", on) for place, each in enumerate(entries, 1)),
        "</Stmt></BkToCstmrStmt></Document>\n",
    ]
    return "\n".join(parts).encode()


def _amount(cents: int) -> str:
    way = "CRDT" if cents >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def _balance(kind: str, cents: int, on: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(cents)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _entry(entry: Entry, ref: str, on: date) -> str:
    side = "Dbtr" if entry.cents > 0 else "Cdtr"
    party = (
        f"<RltdPties><{side}><Pty><Nm>{escape(entry.party)}</Nm></Pty></{side}>"
        f"<{side}Acct><Id><IBAN>{entry.iban}</IBAN></Id></{side}Acct></RltdPties>"
    )
    said = f"<RmtInf><Ustrd>{escape(entry.note)}</Ustrd></RmtInf>"
    back = f"<RtrInf><Rsn><Cd>{entry.return_reason}</Cd></Rsn></RtrInf>" if entry.return_reason else ""
    return (
        f"<Ntry>{_amount(entry.cents)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{entry.end_to_end}</EndToEndId></Refs>"
        f"{party}{said}{back}</TxDtls></NtryDtls></Ntry>"
    )
