"""The papers of a top-up: the request for a deposit, its e-invoice, and the receipt.

A top-up is a deposit: until a place is paid from it, it is the organisation's own money, and what it will pay for, from
whom and at which rate of VAT, is not known. So there is no supply and no VAT on it (docs/decisions/0029).
"""

from stdnum import iban

from leerbudget.foundation.errors import NotFound
from leerbudget.papers.errors import EInvoiceIncomplete, NothingReceived
from leerbudget.papers.queries import TopUpPaper
from leerbudget.papers.rules import Party
from leerbudget.papers.typesetting import Paper, address, amount, day
from leerbudget.papers.ubl import COMMERCIAL, TRANSFER, EInvoice, EInvoiceLine, EInvoiceVat, written
from leerbudget.payments.pain import OwnAccount
from leerbudget.payments.rules import readable

NO_VAT = "Een storting is geen levering en geen dienst. Er zit daarom geen btw in dit bedrag."
OUTSIDE_SCOPE = ("Buiten het bereik van de btw: dit is een storting.", "VATEX-EU-O")


def request_for(top_up: TopUpPaper, own: Party | None, account: OwnAccount | None) -> Paper:
    """The request for a deposit.

    Args:
        top_up: what was asked for.
        own: the programme, when it is known.
        account: to transfer to, when they are known.
    """
    to_pay = [("Over te maken", amount(top_up.amount_cents))]
    if top_up.by_bank and account is not None:
        to_pay += [("Naar", account.holder_name), ("IBAN", str(iban.format(account.iban)))]
    ways = "Zet het betalingskenmerk bij uw overschrijving. Daaraan herkennen wij uw storting."
    if not top_up.by_bank:
        ways = "U betaalt deze storting online, op de pagina van de storting."
    elif account is None:
        ways = f"Vraag ons naar het rekeningnummer. {ways}"
    return Paper(
        title="Verzoek tot storting",
        made_on=top_up.asked_on,
        sender=_sender(own, account),
        receiver=_receiver(top_up),
        facts=[*_facts(top_up), *to_pay],
        words=[ways, NO_VAT, "Dit is geen factuur voor een levering of dienst."],
    )


def receipt_for(top_up: TopUpPaper, own: Party | None, account: OwnAccount | None) -> Paper:
    """The receipt: what came in, and when.

    Raises:
        NothingReceived: nothing did, or nothing that counts.
    """
    if not top_up.received_cents or not top_up.received:
        raise NothingReceived
    total = sum(cents for _, cents in top_up.received)
    rest = top_up.amount_cents - top_up.received_cents
    sums = [("Ontvangen", amount(total), True)]
    if total != top_up.received_cents:
        sums.append(("Bijgeschreven op deze storting", amount(top_up.received_cents), False))
    if rest:
        sums.append(("Nog te ontvangen", amount(rest), False))
    return Paper(
        title="Ontvangstbewijs",
        made_on=max(on for on, _ in top_up.received),
        sender=_sender(own, account),
        receiver=_receiver(top_up),
        facts=[*_facts(top_up), ("Gevraagd bedrag", amount(top_up.amount_cents))],
        heads=["Ontvangen op", "Bedrag"],
        rows=[[day(on), amount(cents)] for on, cents in top_up.received],
        columns=[1, 0],
        amounts=[1],
        sums=sums,
        closing=[NO_VAT],
    )


def e_invoice_for(top_up: TopUpPaper, own: Party | None, account: OwnAccount | None) -> bytes:
    """The request for a deposit as an e-invoice (UBL 2.1, NLCIUS), in VAT category O: outside the scope of VAT.

    Raises:
        NotFound: it is not paid by bank transfer, so there is nothing to pay by invoice.
        EInvoiceIncomplete: the programme, its account, the payer's details or a reference of the payer is not known.
    """
    if not top_up.by_bank:
        raise NotFound
    missing = {
        "de gegevens van het programma": own,
        "het rekeningnummer van het programma": account,
        "adres en KvK-nummer of OIN van uw organisatie": top_up.payer,
        "uw inkoopnummer of een vast kenmerk van uw organisatie": top_up.purchase_order or top_up.buyer_reference,
    }
    unknown = [name for name, value in missing.items() if value is None]
    if own is None or account is None or top_up.payer is None or unknown:
        raise EInvoiceIncomplete(missing=", ".join(unknown))
    reason, code = OUTSIDE_SCOPE
    return written(
        EInvoice(
            type_code=COMMERCIAL,
            number=top_up.reference,
            issued_on=top_up.asked_on,
            note=f"Verzoek tot storting. {NO_VAT}",
            seller=own,
            buyer=top_up.payer,
            lines=[EInvoiceLine(f"Storting {top_up.reference}", top_up.amount_cents, "O", None)],
            vat=[EInvoiceVat("O", None, top_up.amount_cents, 0, reason, code)],
            terms="Het bedrag telt zodra het binnen is.",
            payment_code=TRANSFER,
            payment_reference=top_up.reference,
            account=(account.holder_name, account.iban),
            order=top_up.purchase_order,
            buyer_reference=top_up.buyer_reference,
        )
    )


def _facts(top_up: TopUpPaper) -> list[tuple[str, str]]:
    known = [("Betalingskenmerk", readable(top_up.reference)), ("Aangevraagd op", day(top_up.asked_on))]
    return known if top_up.purchase_order is None else [*known, ("Uw inkoopnummer", top_up.purchase_order)]


def _sender(own: Party | None, account: OwnAccount | None) -> list[str]:
    if own is not None:
        return address(own)
    return ["Leerbudget" if account is None else account.holder_name]


def _receiver(top_up: TopUpPaper) -> list[str]:
    return [top_up.organisation_name] if top_up.payer is None else address(top_up.payer)
