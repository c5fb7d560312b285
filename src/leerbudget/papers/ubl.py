"""Write e-invoices: UBL 2.1 by NLCIUS, the Dutch use of EN 16931 (BT and BG numbers are those of the standard).

Plain values in, bytes out. Amounts are cents; a credit note holds what goes back, above zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from xml.etree import ElementTree as ET

from leerbudget.papers.rules import Party

NLCIUS: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
COMMERCIAL, CREDIT, SELF_BILLED = "380", "381", "389"
"""Types of document (UNTDID 1001) that NLCIUS allows."""

TRANSFER, STANDING_AGREEMENT = "58", "57"
"""How it is paid (UNTDID 4461): a SEPA transfer, or as was agreed once for all."""

_SCHEMES: Final[Mapping[str, str]] = {"kvk": "0106", "oin": "0190"}
_SPACES: Final[Mapping[str, str]] = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_DOCUMENT: Final = "urn:oasis:names:specification:ubl:schema:xsd:{kind}-2"


@dataclass(frozen=True, slots=True)
class EInvoiceLine:
    """A line (BG-25): its net cents; `period`: first and last day; below zero it takes away from the rest."""

    name: str
    net_cents: int
    category: str
    percent: int | None
    period: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class EInvoiceVat:
    """All lines of one VAT category and ground (BG-23). `category`: S (a rate), E (exempt) or O (no VAT applies)."""

    category: str
    percent: int | None
    net_cents: int
    vat_cents: int
    reason: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class EInvoice:
    """What stands in an e-invoice. `account`: holder and IBAN to pay to; `corrects`: number and day of earlier ones."""

    type_code: str
    number: str
    issued_on: date
    note: str
    seller: Party
    buyer: Party
    lines: Sequence[EInvoiceLine]
    vat: Sequence[EInvoiceVat]
    terms: str
    payment_code: str
    payment_reference: str
    account: tuple[str, str] | None = None
    order: str | None = None
    buyer_reference: str | None = None
    corrects: Sequence[tuple[str, date]] = ()
    period: tuple[date, date] | None = None


def written(invoice: EInvoice) -> bytes:
    """The e-invoice as a file. The same each time."""
    for prefix, space in _SPACES.items():
        ET.register_namespace(prefix, space)
    kind = "CreditNote" if invoice.type_code == CREDIT else "Invoice"
    ET.register_namespace("", _DOCUMENT.format(kind=kind))
    root = ET.Element(f"{{{_DOCUMENT.format(kind=kind)}}}{kind}")
    _head(root, invoice, kind)
    _party(_in(root, "AccountingSupplierParty"), invoice.seller, vat=_has_vat(invoice))
    _party(_in(root, "AccountingCustomerParty"), invoice.buyer, vat=_has_vat(invoice))
    _payment(root, invoice)
    _totals(root, invoice)
    for place, line in enumerate(invoice.lines, start=1):
        _line(_in(root, f"{kind}Line"), place, line, kind)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content + b"\n"


def _head(root: ET.Element, invoice: EInvoice, kind: str) -> None:
    _say(root, "CustomizationID", NLCIUS)
    _say(root, "ProfileID", PROFILE)
    _say(root, "ID", invoice.number)
    _say(root, "IssueDate", invoice.issued_on.isoformat())
    _say(root, f"{kind}TypeCode", invoice.type_code)
    _say(root, "Note", invoice.note)
    _say(root, "DocumentCurrencyCode", "EUR")
    if invoice.buyer_reference is not None:
        _say(root, "BuyerReference", invoice.buyer_reference)
    if invoice.period is not None:
        _period(root, invoice.period)
    if invoice.order is not None:
        _say(_in(root, "OrderReference"), "ID", invoice.order)
    for number, issued_on in invoice.corrects:
        earlier = _in(_in(root, "BillingReference"), "InvoiceDocumentReference")
        _say(earlier, "ID", number)
        _say(earlier, "IssueDate", issued_on.isoformat())


def _party(place: ET.Element, party: Party, *, vat: bool) -> None:
    """The seller or the buyer. Where no VAT applies neither may show a VAT number (BR-O-02)."""
    found, scheme = _in(place, "Party"), _SCHEMES[party.register]
    _say(found, "EndpointID", party.number, schemeID=scheme)
    _say(_in(found, "PartyName"), "Name", party.name)
    address = _in(found, "PostalAddress")
    _say(address, "StreetName", party.street)
    _say(address, "CityName", party.place)
    _say(address, "PostalZone", party.postcode)
    _say(_in(address, "Country"), "IdentificationCode", "NL")
    if vat and party.vat_id is not None:
        tax = _in(found, "PartyTaxScheme")
        _say(tax, "CompanyID", party.vat_id)
        _say(_in(tax, "TaxScheme"), "ID", "VAT")
    entity = _in(found, "PartyLegalEntity")
    _say(entity, "RegistrationName", party.name)
    _say(entity, "CompanyID", party.number, schemeID=scheme)


def _payment(root: ET.Element, invoice: EInvoice) -> None:
    means = _in(root, "PaymentMeans")
    _say(means, "PaymentMeansCode", invoice.payment_code)
    _say(means, "PaymentID", invoice.payment_reference)
    if invoice.account is not None:
        holder, iban = invoice.account
        account = _in(means, "PayeeFinancialAccount")
        _say(account, "ID", iban)
        _say(account, "Name", holder)
    _say(_in(root, "PaymentTerms"), "Note", invoice.terms)


def _totals(root: ET.Element, invoice: EInvoice) -> None:
    net, vat = sum(line.net_cents for line in invoice.lines), sum(each.vat_cents for each in invoice.vat)
    total = _in(root, "TaxTotal")
    _amount(total, "TaxAmount", vat)
    for each in invoice.vat:
        part = _in(total, "TaxSubtotal")
        _amount(part, "TaxableAmount", each.net_cents)
        _amount(part, "TaxAmount", each.vat_cents)
        _category(_in(part, "TaxCategory"), each.category, each.percent, (each.reason_code, each.reason))
    sums = _in(root, "LegalMonetaryTotal")
    _amount(sums, "LineExtensionAmount", net)
    _amount(sums, "TaxExclusiveAmount", net)
    _amount(sums, "TaxInclusiveAmount", net + vat)
    _amount(sums, "PayableAmount", net + vat)


def _line(place: ET.Element, number: int, line: EInvoiceLine, kind: str) -> None:
    """A line: one piece at its price; prices are never below zero (BR-27), so what takes away is minus one piece."""
    _say(place, "ID", str(number))
    quantity = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    _say(place, quantity, "-1" if line.net_cents < 0 else "1", unitCode="C62")
    _amount(place, "LineExtensionAmount", line.net_cents)
    if line.period is not None:
        _period(place, line.period)
    item = _in(place, "Item")
    _say(item, "Name", line.name)
    _category(_in(item, "ClassifiedTaxCategory"), line.category, line.percent, (None, None))
    _amount(_in(place, "Price"), "PriceAmount", abs(line.net_cents))


def _category(place: ET.Element, category: str, percent: int | None, reasons: tuple[str | None, str | None]) -> None:
    _say(place, "ID", category)
    if percent is not None:
        _say(place, "Percent", str(percent))
    for name, reason in zip(("TaxExemptionReasonCode", "TaxExemptionReason"), reasons, strict=True):
        if reason is not None:
            _say(place, name, reason)
    _say(_in(place, "TaxScheme"), "ID", "VAT")


def _period(place: ET.Element, period: tuple[date, date]) -> None:
    found = _in(place, "InvoicePeriod")
    _say(found, "StartDate", period[0].isoformat())
    _say(found, "EndDate", period[1].isoformat())


def _has_vat(invoice: EInvoice) -> bool:
    return any(each.category != "O" for each in invoice.vat)


def _in(place: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(place, f"{{{_SPACES['cac']}}}{name}")


def _say(place: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(place, f"{{{_SPACES['cbc']}}}{name}", attributes).text = text


def _amount(place: ET.Element, name: str, cents: int) -> None:
    sign = "-" if cents < 0 else ""
    _say(place, name, f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}", currencyID="EUR")


def turned(lines: Iterable[EInvoiceLine], vat: Iterable[EInvoiceVat]) -> tuple[list[EInvoiceLine], list[EInvoiceVat]]:
    """What a credit note holds: the same, the other way round."""
    return (
        [EInvoiceLine(each.name, -each.net_cents, each.category, each.percent, each.period) for each in lines],
        [
            EInvoiceVat(each.category, each.percent, -each.net_cents, -each.vat_cents, each.reason, each.reason_code)
            for each in vat
        ],
    )
