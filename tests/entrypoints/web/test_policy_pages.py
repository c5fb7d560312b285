"""Policies through an organisation's pages: add one, draw families by lot, grant, compare."""

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from leerbudget.budgets import approvals, cohorts
from leerbudget.budgets import queries as budgets
from leerbudget.ledger import queries as ledger

PAGE = "/organisatie/beleid"


@pytest.fixture
async def organisation(world_db):
    made = await world.an_organisation()
    for _ in range(12):
        await world.a_family(organisation=made)
    await world.fill_pot(made, 4_000)
    return made


def good(**changes):
    """A policy of half a year, as the form has it."""
    filled = {"name": "Groep A", "each": "250", "per": "family"}
    return filled | {"starts_on": visiting.day_text(0), "ends_on": visiting.day_text(180)} | changes


async def test_families_are_drawn_and_granted_by_policy(app, organisation):
    """Seven families by lot, the other five in a second policy that carries over; each is granted once per press."""
    async with visiting.finance(app, organisation) as finance:
        answer = await finance.submit(PAGE, PAGE, **good(carry_percent="50", carry_euros="100", themes=["trauma"]))
        one = answer.headers["location"].split("?")[0]
        assert answer.headers["location"] == f"{one}?melding=beleid-toegevoegd"
        shown = await finance.page(one)
        assert "Hooguit €\u00a0100,00 en 50 procent gaat mee" in shown
        assert "Trauma en veiligheid" in shown
        answer = await finance.submit(one, f"{one}/gezinnen", number="7")
        assert answer.headers["location"] == f"{one}?melding=groep-gevuld"
        for _ in range(2):
            answer = await finance.submit(one, f"{one}/toekennen")
            assert answer.headers["location"] == f"{one}?melding=toegekend"
        assert (await budgets.pot(organisation)).granted_cents == 175_000
        other = (await finance.submit(PAGE, PAGE, **good(name="Groep B", each="450"))).headers["location"].split("?")[0]
        await finance.submit(other, f"{other}/gezinnen")
        answer = await finance.submit(other, f"{other}/gezinnen")
        assert (answer.status_code, "geen gezinnen die nog geen groep hebben" in answer.text) == (422, True)
        await finance.submit(other, f"{other}/toekennen")
        assert sorted(each.families_granted for each in await cohorts.cohorts_of(organisation)) == [5, 7]
        page = await finance.page(PAGE)
        assert "€\u00a01.750,00" in page
        assert "€\u00a02.250,00" in page
    assert await ledger.check() == []


async def test_a_wrong_policy_comes_back(app, organisation):
    """What is missing or impossible is told at its field, with what was filled in; nothing is kept."""
    wrong = [
        ({"name": ""}, "name"),
        ({"each": "veel"}, "each"),
        ({"each": "0"}, "each"),
        ({"per": "kind"}, "per"),
        ({"starts_on": ""}, "starts_on"),
        ({"ends_on": "2026-02-31"}, "ends_on"),
        ({"ends_on": visiting.day_text(-1)}, "ends_on"),
        ({"carry_percent": "101"}, "carry_percent"),
        ({"carry_euros": "x"}, "carry_euros"),
        ({"follows": "dat ene"}, "follows"),
        ({"themes": ["voetbal"]}, "themes"),
    ]
    async with visiting.finance(app, organisation) as finance:
        form = await finance.form(PAGE, PAGE)
        for change, field in wrong:
            answer = await finance.post(PAGE, {**form.values, **good(**change)})
            assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True), change
            assert change.get("name", "Groep A") in answer.text
        assert await count("SELECT count(*) FROM grant_policy") == 0
        for expected in (303, 422):
            assert (await finance.submit(PAGE, PAGE, **good())).status_code == expected  # the name is taken
        one = f"{PAGE}/{(await cohorts.cohorts_of(organisation))[0].policy}"
        for number in ("x", "-1", "0"):
            assert (await finance.submit(one, f"{one}/gezinnen", number=number)).status_code == 422
        assert (await finance.post(f"{one}/toekennen", {"grant_id": "1"})).status_code == 422
        late = good(name="Later", starts_on=visiting.day_text(180), ends_on=visiting.day_text(200))
        answer = await finance.submit(PAGE, PAGE, **late, follows=one.rpartition("/")[2])
        assert (answer.status_code, 'href="#starts_on"' in answer.text) == (422, True)
        later = good(name="Later", starts_on=visiting.day_text(181), ends_on=visiting.day_text(200))
        for expected in (303, 422):  # only one policy follows another
            answer = await finance.submit(PAGE, PAGE, **later, follows=one.rpartition("/")[2])
            assert answer.status_code == expected
            later["name"] = "Nog later"
        assert 'href="#follows"' in answer.text


async def test_money_and_the_limit_are_told_at_the_button(app, organisation):
    """Too small a pot is told with what there is; above the limit a colleague decides on the whole group."""
    async with visiting.finance(app, organisation) as finance:
        answer = await finance.submit(PAGE, PAGE, **good(each="400"))
        one = answer.headers["location"].split("?")[0]
        await finance.submit(one, f"{one}/gezinnen")
        answer = await finance.submit(one, f"{one}/toekennen")
        assert (answer.status_code, "€\u00a04.000,00 in de pot" in answer.text) == (422, True)
        await world.fill_pot(organisation, 1_000)
        await approvals.set_limit(organisation, 100_000, actor=None)
        answer = await finance.submit(one, f"{one}/toekennen")
        assert answer.headers["location"].startswith("/organisatie/aanvragen/")
    assert await count("SELECT count(*) FROM budget") == 0


async def test_a_municipality_compares_and_does_not_touch(app, organisation):
    """Who may only look sees the comparison without links or forms, and posting is refused."""
    async with visiting.finance(app, organisation) as finance:
        one = (await finance.submit(PAGE, PAGE, **good())).headers["location"].split("?")[0]
    async with visiting.finance(app, organisation, role="municipality_viewer") as viewer:
        page = await viewer.page(PAGE)
        assert "Groep A" in page
        assert one not in page
        assert {form.action for form in forms_in(page)} == {"/uitloggen"}
        assert (await viewer.get(one)).status_code == 404
        for action in (PAGE, f"{one}/gezinnen", f"{one}/toekennen"):
            assert (await viewer.post(action, {})).status_code == 404
