"""Money for a place or for certain courses on the pages: giving it, deciding on it, and seeing what it buys."""

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.budgets import approvals
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.web.earmarks import for_what, kind_of
from leerbudget.entrypoints.web.pages import View
from leerbudget.foundation.ids import new_id

GRANTS, POLICIES = "/organisatie/toekenningen", "/organisatie/beleid"
PLACES = "renkum\r\n  Nuenen, Gerwen en Nederwetten \r\nArnhem, Ede\r\nRenkum"
KEPT = ("Arnhem", "Ede", "Nuenen, Gerwen en Nederwetten", "Renkum")


@pytest.fixture
async def organisation(world_db):
    made = await world.an_organisation()
    await world.fill_pot(made, 2_000)
    return made


async def test_a_grant_is_for_places_themes_and_courses(app, organisation):
    """One name a line or parted by commas, in any case; the lists of the organisation and the family say it in words."""
    family, course = await world.a_family(organisation=organisation), await world.a_course()
    await world.a_course(state="submitted")
    asked = {"families": "all", "each": "50", "expires_on": visiting.day_text(200), "themes": ["trauma"]}
    async with visiting.finance(app, organisation) as finance:
        answer = await finance.submit("/organisatie", GRANTS, **asked, municipalities=PLACES, courses=[str(course)])
        assert answer.status_code == 303, answer.text
        (view,) = await budgets.budgets_of(family)
        assert (view.themes, view.municipalities, view.courses) == (("trauma",), KEPT, (course,))
        words = "Trauma en veiligheid, alleen in Arnhem, Ede, Nuenen, Gerwen en Nederwetten en Renkum, alleen de cursus"
        assert words in await finance.page("/organisatie")
    async with visiting.parent(app, family) as parent:
        for page in ("/budget", f"/budget/{view.id}"):
            shown = await parent.page(page)
            assert words in shown
            assert "Budget voor een deel van het aanbod" in shown


async def test_what_does_not_exist_is_told_at_its_field(app, organisation):
    """A name that is nearly right gets the right one; a course that is not there and nonsense give nothing."""
    await world.a_family(organisation=organisation)
    good = {"families": "all", "each": "50", "expires_on": visiting.day_text(200)}
    wrong = {
        "Bedoelt u Renkum?": ("municipalities", {"municipalities": "Arnhem\r\nRenkem"}),
        "Kijk of de naam klopt.": ("municipalities", {"municipalities": "qqqqqq"}),
        "Kies cursussen uit de lijst.": ("courses", {"courses": ["alle"]}),
        "Deze cursus bestaat niet.": ("courses", {"courses": [str(new_id())]}),
    }
    policy = {"name": "A", "each": "1", "per": "family"}
    policy |= {"starts_on": visiting.day_text(0), "ends_on": visiting.day_text(9)}
    async with visiting.finance(app, organisation) as finance:
        await world.a_course()
        for sentence, (field, change) in wrong.items():
            for page, action, filled in (("/organisatie", GRANTS, good), (POLICIES, POLICIES, policy)):
                answer = await finance.submit(page, action, **filled, **change)
                assert answer.status_code == 422
                assert sentence in answer.text
                assert f'id="{field}-fout"' in answer.text
                assert change.get("municipalities", "").replace("\r\n", "\n") in answer.text
    assert await count("SELECT (SELECT count(*) FROM budget) + (SELECT count(*) FROM grant_policy)") == 0


async def test_a_policy_and_a_request_say_what_for(app, organisation):
    """The policy's own page and the colleague's page name the places, all of them, before anything is granted."""
    await world.a_family(organisation=organisation)
    await approvals.set_limit(organisation, 0, actor=None)
    policy = {"name": "Groep A", "each": "1", "per": "family", "municipalities": PLACES}
    policy |= {"starts_on": visiting.day_text(0), "ends_on": visiting.day_text(180)}
    async with visiting.finance(app, organisation) as finance:
        one = (await finance.submit(POLICIES, POLICIES, **policy)).headers["location"].split("?")[0]
        assert "Alleen in Arnhem, Ede, Nuenen, Gerwen en Nederwetten en Renkum" in await finance.page(one)
        await finance.submit(one, f"{one}/gezinnen")
        asked = (await finance.submit(one, f"{one}/toekennen")).headers["location"]
        assert "Alleen in Arnhem, Ede, Nuenen, Gerwen en Nederwetten en Renkum" in await finance.page(asked)


async def test_a_family_is_told_what_its_money_buys(app, world_db):
    """The count on its page, the mark in the search, and the sentence when booking all look at the earmark."""
    family = await world.a_family()
    await world.a_budget(family, euros=20)
    await world.a_budget(family, euros=100, municipalities=("Renkum",))
    there = await world.a_session(postcode4="6861", price_cents=12_000)
    others = [await world.a_session(postcode4=place, price_cents=4_500) for place in ("3511", None)]
    me = str((await world.parents_of(family))[0])
    async with visiting.parent(app, family) as parent:
        assert "1\u00a0bijeenkomst bij u in de buurt" in await parent.page("/budget")
        found = await parent.page("/zoeken")
        assert found.count("Dit kost meer dan uw leerbudget nu toelaat.") == 2
        for session in others:
            answer = await parent.post(
                f"/bijeenkomsten/{session}/inschrijven", {"booking_id": str(new_id()), "persons": [me]}
            )
            assert answer.status_code == 409
            assert "een deel is voor iets anders bedoeld" in answer.text
            assert "€\u00a025,00 te weinig" in answer.text
        values = {"booking_id": str(new_id()), "persons": [me]}
        check = await parent.post(f"/bijeenkomsten/{there}/inschrijven", values)
        assert (check.status_code, "budget voor een plaats van" in check.text) == (200, True)
        assert "Gemeente" in await parent.page(f"/bijeenkomsten/{there}")


def money(**earmarks):
    return View(**{"themes": None, "forms": None, "municipalities": None, "course_titles": ()} | earmarks)


def quoted(title):
    return f"\N{LEFT SINGLE QUOTATION MARK}{title}\N{RIGHT SINGLE QUOTATION MARK}"


def test_earmarks_in_words():
    """A few names are listed, of many the rest is counted; one more than shown is named, not counted."""
    places = [f"G{n}" for n in range(1, 8)]
    told = {
        for_what(money()): "Alles in het aanbod",
        for_what(money(municipalities=places[:1])): "Alleen in G1",
        for_what(money(municipalities=places[:5])): "Alleen in G1, G2, G3, G4 en G5",
        for_what(money(municipalities=places)): "Alleen in G1, G2, G3, G4 en 3 andere gemeenten",
        for_what(money(municipalities=places), most=7): "Alleen in G1, G2, G3, G4, G5, G6 en G7",
        for_what(money(course_titles=("A", "B"))): f"Alleen de cursussen {quoted('A')} en {quoted('B')}",
        for_what(
            money(themes=("trauma",), course_titles=("A",))
        ): f"Trauma en veiligheid, alleen de cursus {quoted('A')}",
    }
    assert list(told) == list(told.values())
    assert [kind_of(money(**each)) for each in ({}, {"forms": ("webinar",)}, {"course_titles": ("A",)})] == [
        "leerbudget",
        "budget voor een thema",
        "budget voor een cursus",
    ]
