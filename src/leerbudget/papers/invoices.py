"""The papers of a trainer: the invoice that the programme makes out, as a PDF and as an e-invoice."""

from collections.abc import Sequence

from leerbudget.papers.queries import InvoiceView
from leerbudget.papers.rules import PERCENT, InvoiceLine, VatSum, code_of, number_of, vat_sums
from leerbudget.papers.typesetting import Paper, address, amount, day, month
from leerbudget.papers.ubl import (
    CREDIT,
    SELF_BILLED,
    STANDING_AGREEMENT,
    EInvoice,
    EInvoiceLine,
    EInvoiceVat,
    turned,
    written,
)

BY_CUSTOMER = "Factuur uitgereikt door afnemer"
"""The words that the law asks for on an invoice that the buyer makes out (art. 226 point 10a VAT directive, art. 35a Wet OB)."""

KIND_TEXTS = {
    "course": "Cursus gegeven",
    "cancellation": "Kosten van annuleren",
    "returned": "Terugbetaald aan een leerbudget",
    "correction": "Verbetering in de boeken",
}
TITLES = {"invoice": "Factuur", "credit_note": "Creditfactuur"}
_SETTLED = "Dit bedrag wordt uitbetaald op de rekening die bij ons bekend is. U hoeft niets te sturen."
_TO_SETTLE = "Dit bedrag gaat af van wat u hierna verdient. U hoeft niets te betalen."


def invoice_paper(view: InvoiceView) -> Paper:
    """An invoice or credit note as a paper; a credit note shows what goes back as amounts below zero."""
    head = view.head
    facts = [
        ("Factuurnummer", number_of(head.number)),
        ("Factuurdatum", day(head.issued_on)),
        ("Over de maand", month(head.month)),
    ]
    facts += [("Verbetert", f"{number_of(number)} van {day(on)}") for number, on in view.corrected.items()]
    credit = head.kind == "credit_note"
    return Paper(
        title=f"{TITLES[head.kind]} {number_of(head.number)}",
        made_on=head.issued_on,
        sender=address(view.supplier),
        receiver=address(view.buyer),
        facts=facts,
        words=[f"{BY_CUSTOMER}, zoals afgesproken op {day(view.agreed_on)}."],
        heads=["Wat", "Wanneer", "Btw", "Bedrag, btw erin"],
        rows=[
            [line_text(line), when(line), rate_text(line.treatment), amount(line.gross_cents)] for line in view.lines
        ],
        columns=[2, 2, 0, 0],
        amounts=[3],
        sums=[*_sums(vat_sums(view.lines)), ("Totaal, btw erin", amount(head.gross_cents), True)],
        closing=[*_grounds(vat_sums(view.lines)), _TO_SETTLE if credit else _SETTLED],
    )


def e_invoice(view: InvoiceView) -> bytes:
    """An invoice or credit note as a file for a bookkeeping program (UBL 2.1, NLCIUS).

    A credit note that corrects no invoice of ours (a correction in the books) is an invoice below zero: Dutch rules ask
    every credit note which invoice it corrects (NL-R-001).
    """
    head = view.head
    lines = [
        EInvoiceLine(
            line_text(line),
            line.net_cents,
            _category(line.treatment),
            PERCENT[line.treatment],
            None if line.first_on is None or line.last_on is None else (line.first_on, line.last_on),
        )
        for line in view.lines
    ]
    vat = _vat(vat_sums(view.lines))
    credit = head.kind == "credit_note" and bool(view.corrected)
    if credit:
        lines, vat = turned(lines, vat)
    return written(
        EInvoice(
            type_code=CREDIT if credit else SELF_BILLED,
            number=number_of(head.number),
            issued_on=head.issued_on,
            note=BY_CUSTOMER,
            seller=view.supplier,
            buyer=view.buyer,
            lines=lines,
            vat=vat,
            terms=_TO_SETTLE if head.kind == "credit_note" else _SETTLED,
            payment_code=STANDING_AGREEMENT,
            payment_reference=number_of(head.number),
            buyer_reference=f"{head.month:%Y-%m}",
            corrects=[(number_of(number), on) for number, on in view.corrected.items()],
        )
    )


def line_text(line: InvoiceLine) -> str:
    """What a line is about: never a topic or a name."""
    text = KIND_TEXTS[line.kind]
    if line.session is not None:
        text += f", bijeenkomst {code_of(line.session)}"
    return text if line.corrects is None else f"{text}, verbetert {number_of(line.corrects)}"


def when(line: InvoiceLine) -> str:
    """The day or days of a line; empty when it has none."""
    if line.first_on is None or line.last_on is None:
        return ""
    return day(line.first_on) if line.first_on == line.last_on else f"{day(line.first_on)} t/m {day(line.last_on)}"


def rate_text(treatment: str) -> str:
    """A VAT treatment in a word."""
    return "vrijgesteld" if treatment == "exempt" else f"{PERCENT[treatment]}%"


def _category(treatment: str) -> str:
    return "E" if treatment == "exempt" else "S"


def _vat(sums: Sequence[VatSum]) -> list[EInvoiceVat]:
    """What each treatment comes to: an e-invoice has one sum for all that is exempt, whatever the grounds (BR-E-01)."""
    found = []
    for treatment in dict.fromkeys(each.treatment for each in sums):
        same = [each for each in sums if each.treatment == treatment]
        net, vat = sum(each.net_cents for each in same), sum(each.vat_cents for each in same)
        grounds = "; ".join(each.legal_basis for each in same if each.legal_basis is not None)
        found.append(EInvoiceVat(_category(treatment), PERCENT[treatment], net, vat, grounds or None))
    return found


def _sums(sums: Sequence[VatSum]) -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    for each in sums:
        if each.treatment == "exempt":
            found.append(("Vrijgesteld van btw", amount(each.net_cents), False))
        else:
            rate = rate_text(each.treatment)
            found += [
                (f"Zonder btw ({rate})", amount(each.net_cents), False),
                (f"Btw {rate}", amount(each.vat_cents), False),
            ]
    return found


def _grounds(sums: Sequence[VatSum]) -> list[str]:
    return [f"Vrijgesteld van btw: {each.legal_basis}" for each in sums if each.legal_basis is not None]
