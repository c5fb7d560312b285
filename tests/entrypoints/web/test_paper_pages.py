"""Papers to take along: of a top-up by the organisation, of what was earned by the trainer, by nobody else."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.papers.actions import agree_self_billing, issue_invoices
from leerbudget.papers.queries import agreements_of, billing_of, invoices_of
from leerbudget.papers.rules import EXAMPLE
from leerbudget.payments import actions as payments
from papers.invoicing_world import SUPPLIER
from papers.validating import faults, texts

FILES = ("verzoek.pdf", "ontvangstbewijs.pdf", "e-factuur.xml")
DETAILS = {"street": "Plein 1", "postcode": "1234ab", "place": "Plaats", "register": "oin", "number": "1" * 20}
AGREEMENT = {"name": SUPPLIER.name, "street": SUPPLIER.street, "postcode": SUPPLIER.postcode, "place": SUPPLIER.place}
AGREEMENT |= {"number": SUPPLIER.number, "vat_id": SUPPLIER.vat_id}


@pytest.fixture
async def people(app):
    """A finance officer, a colleague elsewhere, a coordinator, two trainers and a stranger."""
    organisation, (ana, person), (ben, other) = (
        await world.an_organisation(),
        await world.a_trainer(),
        await world.a_trainer(),
    )
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield {
            "organisation": organisation,
            "finance": await enter(visiting.finance(app, organisation)),
            "elsewhere": await enter(visiting.finance(app, await world.an_organisation())),
            "coordinator": await enter(visiting.coordinator(app)),
            "ana": ana,
            "trainer": await enter(visiting.trainer(app, ana, person)),
            "colleague": await enter(visiting.trainer(app, ben, other)),
            "stranger": await enter(visiting.stranger(app)),
        }


async def earned(trainer, cents, days_ago):
    """So many days ago a trainer earned something."""
    account = await account_of("trainer_payable", trainer, constrained=False)
    bank, key = await account_of("bank", None, constrained=False), new_id()
    with clock.travelling(clock.now() - timedelta(days=days_ago)):
        order = TransferOrder(key, "correction", str(key), "posted", bank, account, cents, reason="Proef")
        await record([order], actor=None)


async def test_an_organisation_takes_its_papers_along(people):
    """The request at once, the e-invoice once it said where it is, the receipt once the money came; nobody else's."""
    finance, top_up = people["finance"], new_id()
    reference = await payments.request_top_up(top_up, people["organisation"], 500_000, "INK-7", actor=None)
    base = f"/organisatie/stortingen/{reference}"
    shown = await finance.get(base)
    assert [file in shown.text for file in FILES] == [True, False, True]
    asked = [await finance.get(f"{base}/{file}") for file in FILES]
    assert [answer.status_code for answer in asked] == [200, 409, 409]
    assert "Er ontbreekt: adres en KvK-nummer of OIN" in asked[2].text
    wrong = await finance.post("/organisatie/factuurgegevens", DETAILS | {"number": "12", "postcode": "12"})
    assert wrong.status_code == 422
    assert all(part in wrong.text for part in ("Plein 1", "Dit nummer heeft 20 cijfers.", "postcode als 1234 AB"))
    assert await billing_of(people["organisation"]) is None
    done = await finance.post("/organisatie/factuurgegevens", DETAILS)
    assert (done.status_code, done.headers["location"]) == (303, "/organisatie/factuurgegevens?melding=opgeslagen")
    assert 'value="1234 AB"' in (await finance.get("/organisatie/factuurgegevens")).text
    await payments.confirm_top_up(top_up, clock.today(), actor=None)
    for person in (finance, people["coordinator"]):
        for file in FILES:
            answer = await person.get(f"{base}/{file}")
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert answer.content.startswith(b"%PDF" if file.endswith("pdf") else b"<?xml")
            assert reference in answer.headers["content-disposition"]
    content = (await finance.get(f"{base}/e-factuur.xml")).content
    assert faults(content) == []
    assert texts(content, "OrderReference", "ID") == ["INK-7"]
    for file in FILES:
        refused = [(await people[who].get(f"{base}/{file}")).status_code for who in ("elsewhere", "trainer")]
        assert refused == [404, 404]
        assert (await people["stranger"].get(f"{base}/{file}")).status_code == 303


async def test_a_trainer_agrees_and_takes_the_invoices_along(people):
    """Without a tick or with a wrong number nothing is agreed; from then on a month gives an invoice, and one can stop."""
    trainer, ana = people["trainer"], people["ana"]
    made = {"agreement_id": str(new_id())} | AGREEMENT
    for form, words in (
        (made, "Zet een vinkje"),
        (made | {"agree": "ja", "vat_id": "NL123456789B01"}, "Dit btw-nummer klopt niet"),
    ):
        answer = await trainer.post("/trainer/facturen/afspraak", form)
        assert (answer.status_code, words in answer.text, SUPPLIER.street in answer.text) == (422, True, True)
    assert await agreements_of(ana) == []
    for _ in range(2):
        answer = await trainer.post("/trainer/facturen/afspraak", made | {"agree": "ja"})
        assert answer.headers["location"] == "/trainer/facturen?melding=facturen-afgesproken"
    another = await trainer.post(
        "/trainer/facturen/afspraak", made | {"agree": "ja", "agreement_id": str(new_id()), "name": "Ander"}
    )
    assert (another.status_code, "Er is al een afspraak" in another.text) == (422, True)
    shown = (await trainer.get("/trainer/facturen")).text
    assert all(part in shown for part in ("Onze afspraak", SUPPLIER.vat_id, "Er is nog geen factuur"))
    answer = await trainer.post("/trainer/facturen/stoppen")
    assert answer.headers["location"] == "/trainer/facturen?melding=facturen-gestopt"
    assert [each.ended_at is None for each in await agreements_of(ana)] == [False]


async def test_invoices_are_for_their_trainer_only(people):
    """The list, the paper and the file; another trainer finds nothing, and what one invoices oneself is told apart."""
    trainer, ana = people["trainer"], people["ana"]
    await earned(ana, 12_100, 130)
    with clock.travelling(clock.now() - timedelta(days=95)):
        await agree_self_billing(new_id(), ana, SUPPLIER, actor=None)
    await earned(ana, 24_200, 94)
    await issue_invoices(EXAMPLE, actor=None)
    (head,) = await invoices_of(ana)
    shown = (await trainer.get("/trainer/facturen")).text
    assert all(part in shown for part in ("LB-00001", "242,00", "Zelf factureren", "121,00", "100,00", "21,00"))
    base = f"/trainer/facturen/{head.id}"
    paper, file = await trainer.get(f"{base}/factuur.pdf"), await trainer.get(f"{base}/factuur.xml")
    assert paper.content.startswith(b"%PDF")
    assert paper.headers["content-disposition"] == 'attachment; filename="factuur-LB-00001.pdf"'
    assert faults(file.content) == []
    for who in ("colleague", "finance", "coordinator"):
        assert (await people[who].get(f"{base}/factuur.pdf")).status_code == 404
    assert (await trainer.get(f"/trainer/facturen/{new_id()}/factuur.xml")).status_code == 404
