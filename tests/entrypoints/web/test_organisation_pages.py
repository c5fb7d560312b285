"""Top-ups with four eyes and grants, through the pages of organisation and coordinator."""

import re

import pytest

import world
from entrypoints.http.browsing import settings_for
from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from leerbudget.budgets import approvals, requests
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.web.organisations import _regions
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import queries as payments
from leerbudget.payments.choosing import EXAMPLE, own_account
from leerbudget.payments.pain import OwnAccount


@pytest.fixture
async def organisation(world_db):
    return await world.an_organisation()


async def test_a_top_up_is_asked_by_one_and_confirmed_by_another(app, organisation):
    """The reference stands on its page; the coordinator confirms; the pot holds the money; each step twice is once."""
    async with visiting.finance(app, organisation) as finance, visiting.coordinator(app) as coordinator:
        form = await finance.form("/organisatie", "/organisatie/stortingen")
        filled = {**form.values, "amount": "25.000,50", "purchase_order": "INK-7"}
        places = {(await finance.post("/organisatie/stortingen", filled)).headers["location"] for _ in range(2)}
        (place,) = places
        (top_up,) = await payments.top_ups_of(organisation)
        assert (top_up.amount_cents, top_up.purchase_order) == (2_500_050, "INK-7")
        assert place == f"/organisatie/stortingen/{top_up.reference}?melding=storting-gevraagd"
        own = await finance.page(place)
        assert " ".join(top_up.reference[at : at + 4] for at in range(0, len(top_up.reference), 4)) in own
        assert "bevestigen" not in "".join(form.action for form in forms_in(own))
        assert f"/organisatie/stortingen/{top_up.reference}" in await coordinator.page("/stortingen")
        assert (await finance.get("/stortingen")).status_code == 404
        page, action = f"/organisatie/stortingen/{top_up.reference}", f"/organisatie/stortingen/{top_up.id}/bevestigen"
        assert (await finance.post(action, {"received_on": visiting.day_text(0)})).status_code == 404
        for wrong in ("", "gisteren", visiting.day_text(3), visiting.day_text(-4), "2027-02-31"):
            answer = await coordinator.submit(page, action, received_on=wrong)
            assert answer.status_code == 422, wrong
            assert 'id="received_on-fout"' in answer.text
        for _ in range(2):
            answer = await coordinator.post(action, {"received_on": visiting.day_text(0)})
            assert (answer.status_code, answer.headers["location"]) == (303, "/stortingen?melding=storting-ontvangen")
        assert (await budgets.pot(organisation)).free_cents == 2_500_050
        assert "Ontvangen" in await finance.page("/organisatie")
    assert await ledger.check() == []


@pytest.mark.parametrize(
    "amount", ["", "veel", "-5", "0", "49,99", "1e9", "25.00", "999999999999", "€", "1,5", "\u0665\u0660"]
)
async def test_what_is_no_amount_comes_back(app, organisation, amount):
    """Anything but a Dutch amount within the bounds answers 422, with what was filled in."""
    async with visiting.finance(app, organisation) as finance:
        answer = await finance.submit("/organisatie", "/organisatie/stortingen", amount=amount, purchase_order="INK")
        assert answer.status_code == 422
        assert "<title>Fout: " in answer.text
        assert 'id="amount-fout"' in answer.text
        (form,) = [f for f in forms_in(answer.text) if f.action == "/organisatie/stortingen"]
        assert form.values["purchase_order"] == ["INK"]
    assert await count("SELECT count(*) FROM payment") == 0


async def test_grants_reach_every_family_once(app, organisation):
    """All or only those without: the pot pays exactly once per press that was meant."""
    families = [await world.a_family(organisation=organisation) for _ in range(3)]
    await world.fill_pot(organisation, 1_000)
    until = visiting.day_text(200)
    async with visiting.finance(app, organisation) as finance:
        action = "/organisatie/toekenningen"
        form = await finance.form("/organisatie", action)
        filled = {**form.values, "families": "all", "each": "250", "expires_on": until}
        for _ in range(2):
            answer = await finance.post(action, filled)
            assert (answer.status_code, answer.headers["location"]) == (303, "/organisatie?melding=toegekend")
        assert (await budgets.pot(organisation)).free_cents == 25_000
        assert [len(await budgets.budgets_of(family)) for family in families] == [1, 1, 1]
        families.append(await world.a_family(organisation=organisation))
        answer = await finance.submit("/organisatie", action, families="new", each="100,00", expires_on=until)
        assert answer.status_code == 303
        assert [len(await budgets.budgets_of(family)) for family in families] == [1, 1, 1, 1]
        answer = await finance.submit("/organisatie", action, families="all", each="100", expires_on=until)
        assert answer.status_code == 422
        assert "niet genoeg in de pot" in answer.text
        assert "€\u00a0150,00" in answer.text
        answer = await finance.submit("/organisatie", action, families="new", each="10", expires_on=until)
        assert "geen gezinnen" in answer.text
    assert await ledger.check() == []


async def test_a_wrong_grant_comes_back(app, organisation):
    """Missing and impossible answers are told at their field; a used id for another grant is refused."""
    await world.a_family(organisation=organisation)
    await world.fill_pot(organisation, 1_000)
    grant_id = str(new_id())
    good = {"grant_id": grant_id, "families": "all", "each": "25", "expires_on": visiting.day_text(100)}
    wrong = [
        ({"each": "0"}, "each"),
        ({"each": "x"}, "each"),
        ({"each": "99999999999999999999"}, "each"),
        ({"expires_on": ""}, "expires_on"),
        ({"expires_on": visiting.day_text(0)}, "expires_on"),
        ({"expires_on": "9999-99-99"}, "expires_on"),
        ({"families": "iedereen"}, "families"),
        ({"grant_id": "1"}, "each"),
    ]
    async with visiting.finance(app, organisation) as finance:
        for change, field in wrong:
            answer = await finance.post("/organisatie/toekenningen", {**good, **change})
            assert answer.status_code == 422, change
            assert f'id="{field}-fout"' in answer.text, change
        assert (await finance.post("/organisatie/toekenningen", good)).status_code == 303
        again = await finance.post("/organisatie/toekenningen", {**good, "each": "26"})
        assert again.status_code == 422
        (form,) = [f for f in forms_in(again.text) if f.action == "/organisatie/toekenningen"]
        assert form.values["grant_id"] != [grant_id]  # what was refused is not what comes next
    assert await count("SELECT count(*) FROM budget") == 1


async def test_a_grant_above_the_limit_waits_for_a_colleague(app, organisation):
    """Asking twice is one request; who asked cannot decide; a colleague approves one and refuses another with a reason."""
    family = await world.a_family(organisation=organisation)
    await world.fill_pot(organisation, 1_000)
    await approvals.set_limit(organisation, 30_000, actor=None)
    grants, until = "/organisatie/toekenningen", visiting.day_text(200)
    async with (
        visiting.finance(app, organisation) as asks,
        visiting.finance(app, organisation, role="organisation_admin") as decides,
    ):
        form = await asks.form("/organisatie", grants)
        filled = {**form.values, "families": "all", "each": "300,01", "expires_on": until}
        places = {(await asks.post(grants, filled)).headers["location"] for _ in range(2)}
        (view,) = await requests.requests_of(organisation)
        path = f"/organisatie/aanvragen/{view.id}"
        assert places == {f"{path}?melding=toekenning-gevraagd"}
        assert path in await decides.page("/organisatie")
        assert "€\u00a0300,00" in await asks.page("/organisatie")
        assert {form.action for form in forms_in(await asks.page(path))} == {"/uitloggen"}
        for act in ("goedkeuren", "afwijzen"):
            answer = await asks.post(f"{path}/{act}", {"reason": "Zelf"})
            assert (answer.status_code, "U vroeg dit zelf aan" in answer.text) == (403, True)
        for _ in range(2):
            answer = await decides.post(f"{path}/goedkeuren")
            assert (answer.status_code, answer.headers["location"]) == (303, "/organisatie?melding=toegekend")
        assert (await budgets.pot(organisation)).granted_cents == 30_001
        assert "Over deze aanvraag is al beslist" in (await decides.post(f"{path}/afwijzen", {"reason": "Toch"})).text
        await asks.submit("/organisatie", grants, families="all", each="900", expires_on=until)
        path = f"/organisatie/aanvragen/{(await requests.requests_of(organisation))[0].id}"
        answer = await decides.submit(path, f"{path}/goedkeuren")
        assert (answer.status_code, "€\u00a0699,99 in de pot" in answer.text) == (409, True)
        answer = await decides.submit(path, f"{path}/afwijzen", reason=" ")
        assert (answer.status_code, 'id="reason-fout"' in answer.text) == (422, True)
        answer = await decides.submit(path, f"{path}/afwijzen", reason="Eerst  overleggen.")
        assert answer.headers["location"] == f"{path}?melding=toekenning-afgewezen"
        assert "Eerst overleggen." in await asks.page(path)
        assert "over deze aanvraag is al beslist" in (await decides.post(f"{path}/goedkeuren")).text.lower()
    assert len(await budgets.budgets_of(family)) == 1
    assert await ledger.check() == []


async def test_a_municipality_looks_and_does_not_touch(app, organisation):
    """Who may only look sees no forms, and posting is refused."""
    async with visiting.finance(app, organisation, role="municipality_viewer") as viewer:
        page = await viewer.page("/organisatie")
        assert {form.action for form in forms_in(page)} == {"/uitloggen"}
        request = f"/organisatie/aanvragen/{new_id()}"
        for action in ("/organisatie/stortingen", "/organisatie/toekenningen", f"{request}/goedkeuren"):
            assert (await viewer.post(action, {"amount": "100"})).status_code == 404


async def test_no_course_or_learner_stands_on_the_organisations_page(app, organisation):
    """Amounts and counts only: no course title, no name of a person or family."""
    family = await world.a_family(organisation=organisation)
    await world.a_budget(family, organisation=organisation)
    session = await world.a_session()
    me = str((await world.parents_of(family))[0])
    async with visiting.parent(app, family) as parent:
        values = {"booking_id": str(new_id()), "persons": [me], "confirm": "ja", "price_shown_cents": "4500"}
        assert (await parent.post(f"/bijeenkomsten/{session}/inschrijven", values)).status_code == 303
    async with visiting.finance(app, organisation) as finance:
        page = await finance.page("/organisatie")
        assert "€\u00a045,00" in page
        told = re.sub(r"(?s)<form.*?</form>", "", page)  # what can be chosen is the whole catalogue, whoever learns it
        for word in ("Cursus", "Ouder", "Gezin "):
            assert word not in told
        assert "minder dan 5" in page


def test_hidden_regions_do_not_follow_from_the_total():
    """Fewer than five families are hidden, with the next smallest region when the difference would tell."""

    def shown(*families):
        regions = [budgets.RegionTotals(f"r{n}", n, n, 0, 0, 0, 0, 0) for n in families]
        return [view.families for view in _regions(regions)]

    assert shown(9, 20) == [9, 20]
    assert shown(3, 9, 20) == [None, None, 20]
    assert shown(3, 4, 9, 20) == [None, None, 9, 20]
    assert shown(2) == [None]


def test_payers_are_told_the_account_that_was_set_and_in_production_no_other():
    """A made-up account number is for where no money is real; nobody is asked to pay to it."""
    real = settings_for(bank_iban="NL02ABNA0123456789", bank_holder="Leerbudget")
    assert own_account(real) == OwnAccount("NL02ABNA0123456789", "Leerbudget")
    assert own_account(settings_for()) == EXAMPLE
    assert own_account(settings_for(environment="production")) is None
