"""What the pages of the gallery show at the finance desk: bank, payouts, refunds and trainers' accounts."""

from datetime import date
from types import SimpleNamespace as Thing
from typing import Any

from leerbudget.entrypoints.web.bank import WHAT
from leerbudget.entrypoints.web.templating import Form
from leerbudget.payments.bank_errors import RefundNotOwed

LONG_NOTE = "Bijdrage leerbudget 2027 volgens afspraak met mevrouw Voorbeeld, kenmerk onbekend (fictief)"

BANK = Thing(
    own_iban="NL91 ABNA 0417 1643 00",
    example=True,
    result=Thing(entries=14, placed=9, known=3, waiting=2, gap=True),
    waiting=[
        Thing(id="e1", booked_on=date(2027, 1, 15), outgoing=False, cents=700000, party_name="Stichting Voorbeeld aan de Vaart (fictief)", note=LONG_NOTE),
        Thing(id="e2", booked_on=date(2027, 1, 16), outgoing=True, cents=125, party_name=None, note=None),
    ],
    statements=[Thing(number="2027-00015", closing_on=date(2027, 1, 16), closing_cents=1118000, imported_on=date(2027, 1, 17), entries=14, waiting=2)],
)  # fmt: skip
BANK_EMPTY = Thing(own_iban=None, example=False, result=None, waiting=[], statements=[])
BANK_REFUSED = Form(
    errors={
        "file": "Het afschrift 2027-00015 telt niet op. Het verschil is € 1,25. Er is niets van dit bestand verwerkt."
    }
)


def entry(**changes: Any) -> Thing:
    """Money that came in and waits."""
    return Thing(
        **{
            "id": "e1",
            "state": "suspense",
            "outgoing": False,
            "amount_cents": 700000,
            "suspense_cents": 200000,
            "booked_on": date(2027, 1, 15),
            "party_name": "Stichting Voorbeeld (fictief)",
            "party_iban": "NL14 MOCK 0000 0000 02",
            "note": LONG_NOTE,
            "reference": None,
            "bank_ref": "NL91ABNA0417164300-2027015-000012",
            "return_reason": None,
            "payment_reference": None,
            "reason": None,
            "choices": list(WHAT),
            **changes,
        }
    )


ENTRY_ERROR = Form(
    values={"what": "payment", "reference": "RF45", "reason": "Gebeld"},
    errors={"reference": "Dit betalingskenmerk klopt niet; controleer elk cijfer."},
)
OWED_ERROR = Form(
    values={"what": "payment", "reference": "RF18539007547034", "reason": "Gebeld"},
    errors={"reference": RefundNotOwed.message_nl},
)

LINES = [
    Thing(purpose="trainer", payee="Bram Hoekstra (fictief)", iban="NL30 MOCK 0000 0000 05", cents=118000),
    Thing(purpose="send_back", payee="Stichting Voorbeeld aan de Vaart (fictief)", iban="NL14 MOCK 0000 0000 02", cents=7000),
]  # fmt: skip
PAYOUT_LINES = [
    Thing(id="u2", state="drafted", drafted_on=date(2027, 2, 2), lines=2, cents=125000, open_cents=0, rejected=0),
    Thing(id="u1", state="approved", drafted_on=date(2027, 1, 4), lines=31, cents=3118000, open_cents=118000, rejected=2),
]  # fmt: skip
PAYOUTS = Thing(
    answer=Thing(accepted=29, rejected=2, unchanged=1),
    ready=LINES,
    ready_cents=125000,
    without_account=[Thing(name="Noor Willemsen (fictief)", cents=45000)],
    payout_id="p9",
    payouts=PAYOUT_LINES,
    accounts=[Thing(id="a1", trainer="Bram Hoekstra (fictief)", proposed_on=date(2027, 1, 21))],
)
PAYOUTS_EMPTY = Thing(answer=None, ready=[], ready_cents=0, without_account=[], payout_id="p9", payouts=[], accounts=[])
PAYOUTS_ERROR = Form(errors={"draft": "Er is nu niets om uit te betalen.", "file": "Kies het bestand van de bank."})


def payout(state: str = "drafted", *, own: bool = False, **changes: Any) -> Thing:
    """One payout."""
    of_line = {"drafted": ("drafted", "drafted"), "approved": ("booked", "rejected")}[state]
    payments = [
        Thing(**vars(line), state=found, bank_reason="AC04" if found == "rejected" else None)
        for line, found in zip(LINES, of_line, strict=True)
    ]
    return Thing(
        **{
            **vars(PAYOUT_LINES[0]),
            "state": state,
            "message_id": "LB-01a2079bb48279788814f46f6013d96a",
            "execution_on": date(2027, 2, 2),
            "drafted_by": "coordinator@leerbudget.example",
            "decided_by": None if state == "drafted" else "kas@leerbudget.example",
            "own": own,
            "payments": payments,
            **changes,
        }
    )


CHECKED = Form(
    values={"checked": "ja"},
    errors={"checked": "U stelde deze uitbetaling zelf voor. Een collega keurt haar goed."},
)
ACCOUNT = Thing(
    id="a1",
    trainer="Bram Hoekstra (fictief)",
    iban="NL30 MOCK 0000 0000 05",
    holder="B. Hoekstra (fictief)",
    proposed_on=date(2027, 1, 21),
    counting_iban="NL14 MOCK 0000 0000 02",
    state="waiting",
    own=False,
)
OWN_ACCOUNT = Thing(
    counting=Thing(iban="NL•• … 0002", holder="B. Hoekstra (fictief)", on=date(2026, 3, 1)),
    waiting=[Thing(iban="NL•• … 0005", holder="B. Hoekstra (fictief)", on=date(2027, 1, 21))],
)


def refund(**changes: Any) -> Thing:
    """A top-up of which some can go back."""
    return Thing(
        **{
            "id": "t1",
            "organisation": "De Brug pleegzorg (fictief)",
            "reference": "RF45000000000118",
            "online": True,
            "received_cents": 5000000,
            "refunded_cents": 100000,
            "left_cents": 4900000,
            "cents": None,
            "free_before_cents": None,
            "free_after_cents": None,
            **changes,
        }
    )


REFUND_ERROR = Form(
    values={"refund_id": "r1", "amount": "60.000"},
    errors={"amount": "Van deze storting kan hoogstens € 49.000,00 terug."},
)
REFUND_SEEN = refund(cents=25000, free_before_cents=1200000, free_after_cents=1175000)
TRUST = Thing(id="o1", name="De Brug pleegzorg (fictief)", reason=None)
TRUSTED = Thing(id="o2", name="De Brug pleegzorg (fictief)", reason="Er ligt een getekende afspraak.")
