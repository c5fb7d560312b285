"""What stands on papers: valid by the published rules, the same amounts everywhere, readable aloud, nothing personal."""

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

import world
from leerbudget.entrypoints.worker.jobs import paper_jobs
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.errors import NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.papers.actions import agree_self_billing, set_billing
from leerbudget.papers.errors import EInvoiceIncomplete, NothingReceived
from leerbudget.papers.invoices import BY_CUSTOMER, e_invoice, invoice_paper
from leerbudget.papers.queries import InvoiceHead, InvoiceView, TopUpPaper, invoice, invoices_of, top_up_paper
from leerbudget.papers.rules import EXAMPLE, Earned, lines_of
from leerbudget.papers.top_ups import NO_VAT, e_invoice_for, receipt_for, request_for
from leerbudget.papers.typesetting import amount, pdf
from leerbudget.payments import actions as payments
from leerbudget.payments.choosing import EXAMPLE as EXAMPLE_ACCOUNT
from leerbudget.payments.errors import TopUpUnknown
from papers.invoicing_world import BASIS, PAYER, SUPPLIER, a_lesson, is_exempt, issued
from papers.test_papers_rules import NUMBERS, somebody_earned
from papers.validating import cents, faults, texts
from payments.settling_world import on

OWN = (EXAMPLE, EXAMPLE_ACCOUNT)
TOP_UP = TopUpPaper(
    id=UUID(int=1),
    organisation=UUID(int=2),
    organisation_name=PAYER.name,
    reference="RF18539007547034",
    purchase_order="INK-7",
    amount_cents=2_500_050,
    received_cents=0,
    by_bank=True,
    asked_on=date(2027, 3, 1),
    received=(),
    payer=PAYER,
    buyer_reference=None,
)


def an_invoice(earned):
    """An invoice of February for what was earned; None when it would be empty."""
    lines = tuple(lines_of(earned, NUMBERS))
    gross, net = sum(line.gross_cents for line in lines), sum(line.net_cents for line in lines)
    kind = "credit_note" if gross < 0 else "invoice"
    month = date(2027, 2, 1)
    head = InvoiceHead(UUID(int=3), UUID(int=4), 3, kind, month, date(2027, 3, 2), gross, net, gross - net)
    corrected = {number: date(2027, 2, 2) for number in {line.corrects for line in lines} - {None}}
    return InvoiceView(head, SUPPLIER, EXAMPLE, date(2027, 1, 5), lines, corrected) if lines else None


async def words(paper):
    """The text of a paper's PDF, with single spaces."""
    return " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(await pdf(paper))).pages).split())


@pytest.mark.parametrize(
    "top_up",
    [
        TOP_UP,
        replace(TOP_UP, purchase_order=None, buyer_reference="K-1", payer=PAYER._replace(register="kvk", number="12345678")),
        replace(TOP_UP, amount_cents=25_000_000_000, organisation_name="A & B <c>"),
    ],
)  # fmt: skip
def test_the_e_invoice_of_a_deposit_is_valid_and_outside_vat(top_up):
    """By schema and rules nothing is wrong; no VAT and no VAT number is in it, and it is paid by its reference."""
    content = e_invoice_for(top_up, *OWN)
    assert faults(content) == []
    assert texts(content, "TaxTotal", "TaxSubtotal", "TaxCategory", "ID") == ["O"]
    assert texts(content, "TaxTotal", "TaxSubtotal", "TaxCategory", "TaxExemptionReasonCode") == ["VATEX-EU-O"]
    assert b"PartyTaxScheme" not in content
    assert cents(content, "LegalMonetaryTotal", "PayableAmount") == [top_up.amount_cents]
    assert texts(content, "PaymentMeans", "PaymentID") == [top_up.reference]
    assert texts(content, "PaymentMeans", "PayeeFinancialAccount", "ID") == [EXAMPLE_ACCOUNT.iban]
    order = [] if top_up.purchase_order is None else [top_up.purchase_order]
    assert texts(content, "OrderReference", "ID") == order
    assert content == e_invoice_for(top_up, *OWN)


@settings(max_examples=60, deadline=None)  # the first of each kind reads its schema
@given(st.lists(somebody_earned(), min_size=1, max_size=8))
def test_every_invoice_of_a_trainer_is_valid_and_says_what_the_books_say(earned):
    """For anything that was earned: valid by schema and rules, and the amounts are those of the lines, to the cent."""
    view = an_invoice(earned)
    if view is None:
        return
    credit = view.head.kind == "credit_note" and view.corrected  # else an invoice below zero: nothing is corrected
    content, sign = e_invoice(view), -1 if credit else 1
    assert faults(content) == []
    assert cents(content, "LegalMonetaryTotal", "PayableAmount") == [sign * view.head.gross_cents]
    assert cents(content, "LegalMonetaryTotal", "TaxExclusiveAmount") == [sign * view.head.net_cents]
    assert cents(content, "TaxTotal", "TaxAmount") == [sign * view.head.vat_cents]
    line = "CreditNoteLine" if sign < 0 else "InvoiceLine"
    assert cents(content, line, "LineExtensionAmount") == [sign * each.net_cents for each in view.lines]
    assert texts(content, "Note") == [BY_CUSTOMER]


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        (b"25000.50</cbc:PayableAmount>", b"25000.51</cbc:PayableAmount>", "BR-CO-16"),
        (b"25000.50</cbc:LineExtensionAmount>\n  </cac:LegalMonetaryTotal>", b"", "not in it"),
        (b"<cbc:ID>O</cbc:ID>", b"<cbc:ID>S</cbc:ID>", "BR-S"),
        (b'<cbc:CompanyID schemeID="0106">', b'<cbc:CompanyID schemeID="0088">', "NL-R-003"),
        (b"<cbc:CityName>Voorbeeldstad</cbc:CityName>", b"", "NL-R-00"),
        (b"<cbc:IssueDate>2027-03-01</cbc:IssueDate>", b"<cbc:IssueDate>1 maart</cbc:IssueDate>", "IssueDate"),
        (b"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>", b"", "BR-05"),
    ],
)
def test_what_is_wrong_with_an_e_invoice_is_noticed(right, wrong, rule):
    """A changed amount, category, number, address, day or a missing element is found by the rule that it breaks: the control."""
    content = e_invoice_for(TOP_UP, *OWN)
    assert (right in content) is (rule != "not in it")
    if right in content:
        assert any(rule in fault for fault in faults(content.replace(right, wrong)))


def test_an_e_invoice_says_what_it_lacks():
    """Nobody gets a file that their system would refuse; what is paid online has none at all."""
    bare = replace(TOP_UP, payer=None, purchase_order=None)
    with pytest.raises(EInvoiceIncomplete, match="KvK-nummer of OIN van uw organisatie, uw inkoopnummer"):
        e_invoice_for(bare, *OWN)
    with pytest.raises(EInvoiceIncomplete, match="gegevens van het programma, het rekeningnummer"):
        e_invoice_for(TOP_UP, None, None)
    with pytest.raises(NotFound):
        e_invoice_for(replace(TOP_UP, by_bank=False), *OWN)


async def test_a_request_says_what_to_pay_and_that_there_is_no_vat():
    """Amount, account, reference and order number; without an account or a programme it still is a paper."""
    told = await words(request_for(TOP_UP, *OWN))
    for part in ("Verzoek tot storting", amount(2_500_050), "NL91 ABNA 0417 1643 00", "RF18 5390 0754 7034", "INK-7"):
        assert " ".join(part.split()) in told, (part, told)
    assert NO_VAT in told
    bare = await words(request_for(replace(TOP_UP, payer=None, purchase_order=None), None, None))
    assert "Vraag ons naar het rekeningnummer" in bare
    assert "IBAN" not in await words(request_for(replace(TOP_UP, by_bank=False), *OWN))


async def test_a_receipt_says_what_came_and_when():
    """Every part by itself, the rest that is open, what was too much; and there is none before anything came."""
    parts = ((date(2027, 3, 4), 2_000_000), (date(2027, 3, 9), 100))
    told = await words(receipt_for(replace(TOP_UP, received=parts, received_cents=2_000_100), *OWN))
    for part in ("Ontvangstbewijs", "4 maart 2027", "€ 20.000,00", "9 maart 2027", "€ 20.001,00", "€ 4.999,50", NO_VAT):
        assert part in told, (part, told)
    much = replace(TOP_UP, received=((date(2027, 3, 4), 2_500_051),), received_cents=2_500_050)
    assert "Bijgeschreven op deze storting € 25.000,50" in await words(receipt_for(much, *OWN))
    with pytest.raises(NothingReceived):
        receipt_for(TOP_UP, *OWN)


async def test_every_paper_is_a_tagged_pdf_that_says_so():
    """PDF/UA-1 by its own word, with tags, a language and a title; the same paper is the same file."""
    made = await pdf(request_for(TOP_UP, *OWN))
    reader = PdfReader(io.BytesIO(made))
    root = reader.trailer["/Root"]
    assert (root["/Lang"], bool(root["/MarkInfo"]["/Marked"]), "/StructTreeRoot" in root) == ("nl-NL", True, True)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert reader.metadata.title == "Verzoek tot storting"
    assert made == await pdf(request_for(TOP_UP, *OWN))


async def test_what_people_typed_is_never_read_as_markup():
    """Names and numbers come out as they were typed, whatever they mean to a typesetter or to XML."""
    odd = '#panic("x") $y$ *z* <a>&b; \\ @c'
    top_up = replace(TOP_UP, purchase_order=odd, payer=PAYER._replace(name=odd))
    assert (await words(request_for(top_up, *OWN))).count(odd) == 2
    content = e_invoice_for(top_up, *OWN)
    assert faults(content) == []
    assert texts(content, "OrderReference", "ID") == [odd]


async def test_a_long_invoice_has_all_its_lines():
    """Over several pages, the heads of the table come again and the total is on it."""
    earned = [
        Earned("course", 4_500, UUID(int=n), date(2027, 2, 3), date(2027, 2, 3), "standard_21", None) for n in range(70)
    ]
    made = await pdf(invoice_paper(an_invoice(earned)))
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]
    assert len(pages) > 1
    assert all("Wat Wanneer Btw" in page for page in pages[:-1])
    assert sum(page.count("bijeenkomst S") for page in pages) == 70
    assert "Totaal, btw erin € 3.150,00" in pages[-1]


async def test_no_paper_names_a_family_a_child_a_wish_a_theme_or_a_course(world_db):
    """A whole month of lessons and a top-up: none of the words that are anybody's own is on any paper."""
    with travelling(datetime(2027, 1, 2, 12, tzinfo=UTC)):
        (ana, _), family, late = await world.a_trainer(), await world.a_family(), await world.a_family()
        exempt, taxed = await world.a_course(theme="trauma"), await world.a_course(theme="attachment")
        organisation = await world.an_organisation()
        for each in (family, late):
            await world.a_budget(each, euros=900, organisation=organisation)
        await agree_self_billing(new_id(), ana, SUPPLIER, actor=None)
        await is_exempt(exempt, ana, date(2027, 1, 2))
        reference = await payments.request_top_up(new_id(), organisation, 500_000, "INK-7", actor=None)
        await payments.confirm_by_reference(reference, date(2027, 1, 2), amount_cents=500_000, actor=None)
        await set_billing(organisation, PAYER, actor=None)
    for course, hour in ((exempt, 9), (taxed, 18)):
        meetings = [tuple(datetime(2027, 2, 10, at, tzinfo=UTC) for at in (hour, hour + 2))]
        await a_lesson(ana, course, meetings, family=family, late=late if hour == 18 else None)
    with travelling(on("2027-03-02")):
        (job,) = paper_jobs(EXAMPLE)
        assert await job.work() == 1
    assert await issued("2027-03-02") == 0
    made = await invoice((await invoices_of(ana))[0].id)
    found = await top_up_paper(reference, organisation)
    papers = [invoice_paper(made), request_for(found, *OWN), receipt_for(found, *OWN)]
    told = " ".join([await words(paper) for paper in papers])
    told += " ".join(each.decode() for each in (e_invoice(made), e_invoice_for(found, *OWN)))
    assert faults(e_invoice(made)) == []
    assert {line.kind for line in made.lines} == {"course", "cancellation"}
    assert BASIS in told
    assert BY_CUSTOMER in told
    own = await fetch_all("""
        SELECT label AS word FROM family UNION SELECT external_ref FROM family UNION SELECT title FROM course
        UNION SELECT theme FROM course UNION SELECT external_ref FROM course UNION SELECT id::text FROM booking
        UNION SELECT name FROM person WHERE party = 'foster_parents' UNION SELECT id::text FROM family
        UNION SELECT external_ref FROM course_session UNION SELECT name FROM venue
    """)
    assert len(own) > 12
    assert [row["word"] for row in own if re.search(rf"\b{re.escape(row['word'])}\b", told, re.IGNORECASE)] == []
    with pytest.raises(TopUpUnknown):
        await top_up_paper(reference, await world.an_organisation())
