"""Bank statements as text, the mock bank as the other end, and who pays out. Everyone here is fictional (fictief)."""

import hashlib
from dataclasses import dataclass
from functools import cache

import xmlschema

from leerbudget.foundation.database import fetch_all
from leerbudget.ledger.queries import export

OWN_IBAN = "NL41MOCK0000000001"
PAYER_IBAN = "NL14MOCK0000000002"


@dataclass(frozen=True)
class Line:
    """A booked entry as a bank writes it; cents above zero come in."""

    cents: int
    ref: str | None = None
    note: str | None = None
    structured: str | None = None
    end_to_end: str = "NOTPROVIDED"
    day: str = "2027-01-15"
    status: str = "BOOK"
    currency: str = "EUR"
    returned: str | None = None
    iban: str | None = PAYER_IBAN

    def xml(self, version=8):
        """The entry, in the shape of a version of camt.053."""
        details = self.details(version)
        status = f"<Sts><Cd>{self.status}</Cd></Sts>" if version >= 4 else f"<Sts>{self.status}</Sts>"
        ref = f"<AcctSvcrRef>{self.ref}</AcctSvcrRef>" if self.ref else ""
        return (
            f"<Ntry>{money(self.cents, self.currency)}{status}<BookgDt><Dt>{self.day}</Dt></BookgDt>{ref}"
            f"<NtryDtls>{details}</NtryDtls></Ntry>"
        )

    def details(self, version=8, own=""):
        """The one transaction that the entry is about."""
        side = "Dbtr" if self.cents > 0 else "Cdtr"
        name = "<Nm>Familie Voorbeeld (fictief)</Nm>"
        name = f"<Pty>{name}</Pty>" if version >= 8 else name
        account = f"<{side}Acct><Id><IBAN>{self.iban}</IBAN></Id></{side}Acct>" if self.iban else ""
        said = f"<Ustrd>{self.note}</Ustrd>" if self.note else ""
        said += f"<Strd><CdtrRefInf><Ref>{self.structured}</Ref></CdtrRefInf></Strd>" if self.structured else ""
        back = f"<RtrInf><Rsn><Cd>{self.returned}</Cd></Rsn></RtrInf>" if self.returned else ""
        return (
            f"<TxDtls><Refs><EndToEndId>{self.end_to_end}</EndToEndId></Refs>{own}"
            f"<RltdPties><{side}>{name}</{side}>{account}</RltdPties><RmtInf>{said}</RmtInf>{back}</TxDtls>"
        )


def money(cents, currency="EUR"):
    """An amount with the way it goes."""
    way = "CRDT" if cents >= 0 else "DBIT"
    return f'<Amt Ccy="{currency}">{abs(cents) // 100}.{abs(cents) % 100:02}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def balance(kind, cents, day="2027-01-15"):
    """A balance of a statement."""
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{money(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def statement(*lines, number="1", opening=0, closing=None, iban=OWN_IBAN, version=8, day="2027-01-15"):
    """One statement; its closing balance adds up unless another is given."""
    total = opening + sum(line.cents for line in lines if isinstance(line, Line) and line.status == "BOOK")
    closing = total if closing is None else closing
    entries = "".join(line.xml(version) if isinstance(line, Line) else line for line in lines)
    return (
        f"<Stmt><Id>{number}</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
        f"{balance('OPBD', opening, day)}{balance('CLBD', closing, day)}{entries}</Stmt>"
    )


def camt(*statements, version=8, before=""):
    """A camt.053 file."""
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02}"
    text = f'<?xml version="1.0" encoding="UTF-8"?>{before}<Document xmlns="{space}"><BkToCstmrStmt><GrpHdr/>'
    return f"{text}{''.join(statements)}</BkToCstmrStmt></Document>".encode()


def one(*lines, version=8, **rest):
    """A file with one statement."""
    return camt(statement(*lines, version=version, **rest), version=version)


def rejecting(message_id):
    """A pain.002 that rejects an order as a whole."""
    space = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    said = f"<OrgnlMsgId>{message_id}</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>"
    text = f'<Document xmlns="{space}"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>{said}</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>'
    return text.encode()


def kept_schemas():
    """Read the official schema of a payment order once, and not for every file that is written: that is a second each."""
    if not hasattr(xmlschema.XMLSchema, "cache_info"):
        xmlschema.XMLSchema = cache(xmlschema.XMLSchema)


def status_of(message_id, *lines):
    """A pain.002 about payments of an order: `(end-to-end id, status, reason)` each."""
    space = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    told = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for name, status, reason in lines
    )
    group = f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId></OrgnlGrpInfAndSts>"
    text = f'<Document xmlns="{space}"><CstmrPmtStsRpt>{group}<OrgnlPmtInfAndSts>{told}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>'
    return text.encode()


async def books():
    """A digest of every transfer, as the auditor gets them: equal books, equal digest."""
    digest = hashlib.sha256()
    async for transfer in export():
        digest.update(repr(transfer).encode())
    return digest.hexdigest()


async def states():
    """The state of every bank entry, by its reference."""
    rows = await fetch_all("SELECT bank_ref, state FROM bank_entry")
    return {row["bank_ref"]: row["state"] for row in rows}


async def sums():
    """The cents on every account of the programme that is not zero."""
    rows = await fetch_all("""
        SELECT a.kind, sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)::bigint AS cents
        FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) WHERE a.owner IS NULL AND t.phase IN ('posted', 'post')
        GROUP BY a.kind
    """)
    return {row["kind"]: row["cents"] for row in rows if row["cents"]}
