"""What the pages of the gallery show of papers of money."""

from datetime import UTC, date, datetime
from types import SimpleNamespace as Thing

from leerbudget.entrypoints.web.templating import Form

PAPERS = [
    ("Verzoek tot storting (pdf)", "/organisatie/stortingen/RF45000000000118/verzoek.pdf"),
    ("E-factuur voor uw boekhouding (xml)", "/organisatie/stortingen/RF45000000000118/e-factuur.xml"),
]

BILLING_FORM = Form(
    values={"street": "Plein 1", "postcode": "0123", "place": "Voorbeeldstad", "register": "oin", "number": "1234"},
    errors={"postcode": "Geef een postcode als 1234 AB.", "number": "Dit nummer heeft 20 cijfers."},
)

AGREEMENT = Thing(
    name="Atelier Hoekstra (fictief)",
    street="Dorpsstraat 1",
    postcode="1234 AB",
    place="Voorbeeldstad",
    kvk="12345678",
    vat_id="NL123456782B90",
    agreed_at=datetime(2027, 1, 5, 12, tzinfo=UTC),
)

OWN_INVOICES = Thing(
    agreement=AGREEMENT,
    invoices=[
        Thing(id="i2", number="LB-00002", month=date(2027, 2, 1), issued_on=date(2027, 3, 2), gross_cents=-4500, credit=True),
        Thing(id="i1", number="LB-00001", month=date(2027, 1, 1), issued_on=date(2027, 2, 2), gross_cents=121000, credit=False),
    ],
    page=1,
    last_page=2,
    months=[],
)  # fmt: skip

TO_INVOICE = Thing(
    agreement=None,
    invoices=[],
    page=1,
    last_page=1,
    months=[
        Thing(
            first_day=date(2027, 2, 1),
            gross_cents=103500,
            lines=[
                Thing(what="Cursus gegeven, bijeenkomst SF66DE75F60", when="1 februari 2027 t/m 15 februari 2027", rate="21%", session="s1", gross_cents=58500),
                Thing(what="Cursus gegeven, bijeenkomst SC8CC549FCB", when="9 februari 2027", rate="vrijgesteld", session="s2", gross_cents=45000),
            ],
            sums=[
                Thing(percent=21, legal_basis=None, net_cents=48347, vat_cents=10153),
                Thing(percent=0, legal_basis="artikel 11, lid 1, onderdeel o, Wet OB 1968", net_cents=45000, vat_cents=0),
            ],
        )
    ],
)  # fmt: skip

AGREEMENT_FORM = Form(
    values={"agreement_id": "a1", "name": "Atelier Hoekstra (fictief)", "vat_id": "NL1"},
    errors={"vat_id": "Dit btw-nummer klopt niet. Het lijkt op NL123456789B01.", "agree": "Zet een vinkje als u het hiermee eens bent."},
)  # fmt: skip
