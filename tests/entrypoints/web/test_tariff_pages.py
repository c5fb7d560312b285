"""Tariffs through the pages: the coordinator's, an organisation's own, and the sentence at the price (R06)."""

import pytest

import world
from entrypoints.web import visiting
from leerbudget.catalogue import price_list
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.rules import TariffOrder
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id

PAGE, OWN = "/tarieven", "/organisatie/tarieven"


def good(course, **changes):
    """A national tariff from today, as the form has it."""
    return {"course": str(course), "scope": "national", "price": "45", "starts_on": visiting.day_text(0)} | changes


async def added(visitor, page, **filled):
    """Add one and open it; the address of its page."""
    before = {each.id for each in await price_list.tariffs()}
    answer = await visitor.submit(page, page, **filled)
    assert answer.headers["location"] == f"{page}?cursus={filled['course']}&melding=tarief-toegevoegd", answer.text
    (made,) = {each.id for each in await price_list.tariffs()} - before
    return f"{page}/{made}"


async def test_a_coordinator_sets_tariffs_and_ends_them(app, world_db):
    """Country, region and town; each on the list with its name; a last day is set once and shown."""
    course, other = await world.a_course(), await world.a_course()
    async with visiting.coordinator(app) as coordinator:
        land = await added(coordinator, PAGE, **good(course))
        places = {"scope": "youth_region", "region": "Jeugdregio  Utrecht", "municipalities": "Zeist, Utrecht ,"}
        region = await added(coordinator, PAGE, **good(course, **places, price="49,50"))
        town = {"scope": "municipality", "municipalities": "Utrecht", "region": "blijft buiten"}
        await added(coordinator, PAGE, **good(course, **town, price="41"))
        await added(coordinator, PAGE, **good(other))
        shown = await coordinator.page(f"{PAGE}?cursus={course}")
        assert [
            word in shown for word in ("Jeugdregio Utrecht", "€\u00a049,50", "€\u00a041,00", "tot nader bericht")
        ] == [True] * 4
        assert shown.count(f'href="{PAGE}/') == 3
        assert (await coordinator.page(PAGE)).count(f'href="{PAGE}/') == 4
        assert "Utrecht en Zeist" in await coordinator.page(region)
        answer = await coordinator.submit(land, land, last_day=visiting.day_text(-1))
        assert (answer.status_code, "eindigt vandaag of later" in answer.text) == (422, True)
        answer = await coordinator.submit(land, land, last_day="")
        assert (answer.status_code, "Kies de laatste dag." in answer.text) == (422, True)
        answer = await coordinator.submit(land, land, last_day=visiting.day_text(0))
        assert answer.headers["location"] == f"{land}?melding=tarief-eindigt"
        assert "kan niet eerder meer eindigen" in await coordinator.page(land)
        later = await added(coordinator, PAGE, **good(course, starts_on=visiting.day_text(1), price="46"))
        await coordinator.submit(later, later, last_day=visiting.day_text(0))
        assert "ingetrokken voor het begon" in await coordinator.page(later)


async def test_an_organisation_sets_its_own(app, world_db):
    """For its own people only: other tariffs are neither on its list nor on its pages, and the reverse."""
    course, organisation = await world.a_course(), await world.an_organisation()
    async with visiting.finance(app, organisation) as finance, visiting.coordinator(app) as coordinator:
        land = await added(coordinator, PAGE, **good(course))
        mine = await added(finance, OWN, course=str(course), price="39", starts_on=visiting.day_text(0))
        (tariff,) = [each for each in await price_list.tariffs() if each.organisation is not None]
        assert (tariff.scope, tariff.organisation, tariff.price_cents) == ("organisation", organisation, 3_900)
        assert (await finance.page(OWN)).count(f'href="{OWN}/') == 1
        assert (await coordinator.page(PAGE)).count(f'href="{PAGE}/') == 1
        assert "€\u00a039,00" in await coordinator.page(PAGE)
        assert "Tarieven voor wat u zelf geeft" in await finance.page("/organisatie")
        for visitor, address in ((coordinator, mine.replace(OWN, PAGE)), (finance, land.replace(PAGE, OWN))):
            assert (await visitor.get(address)).status_code == 404
            assert (await visitor.post(address, {"last_day": visiting.day_text(0)})).status_code == 404
        answer = await finance.submit(mine, mine, last_day=visiting.day_text(5))
        assert answer.headers["location"] == f"{mine}?melding=tarief-eindigt"


async def test_a_wrong_tariff_comes_back(app, world_db):
    """What is missing or impossible is told at its field, with what was filled in; nothing is kept."""
    course = await world.a_course()
    stands = TariffOrder(new_id(), "stands", course, "municipality", 4_500, clock.today(), municipalities=("Zeist",))
    await add_tariffs([stands], actor=None)
    wrong = [
        ({"course": ""}, "course"),
        ({"course": str(new_id())}, "course"),
        ({"scope": "organisation"}, "scope"),
        ({"price": "gratis"}, "price"),
        ({"price": "10.001"}, "price"),
        ({"starts_on": ""}, "starts_on"),
        ({"ends_on": "morgen"}, "ends_on"),
        ({"ends_on": visiting.day_text(-1)}, "ends_on"),
        ({"scope": "youth_region", "municipalities": "Zeist"}, "region"),
        ({"scope": "youth_region", "region": "Regio"}, "municipalities"),
        ({"scope": "municipality", "municipalities": "Atlantis"}, "municipalities"),
        ({"scope": "municipality", "municipalities": "Zeist"}, "starts_on"),
    ]
    async with visiting.coordinator(app) as coordinator:
        for changes, field in wrong:
            answer = await coordinator.submit(PAGE, PAGE, **(good(course) | changes))
            assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True), (changes, answer.text)
    assert [each.id for each in await price_list.tariffs()] == [stands.id]


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ({"scope": "national"}, "Dit is het landelijke tarief"),
        ({"scope": "municipality", "municipalities": ("Utrecht",)}, "Tarief van de gemeente Utrecht"),
        ({"scope": "youth_region", "region": "Jeugdregio Midden", "municipalities": ("Utrecht",)}, "Tarief van Jeugdregio Midden"),
    ],
)  # fmt: skip
async def test_the_price_says_where_it_comes_from(app, world_db, scope, sentence):
    """In one sentence, with the last day; after an early end it says that the price stays; without a tariff nothing."""
    course, today = await world.a_course(), clock.today()
    open_end = TariffOrder(new_id(), "a", course, price_cents=4_500, starts_on=today, **scope)
    await add_tariffs([open_end], actor=None)
    session = await world.a_session(course=course, price_cents=None)
    own = await world.a_session()
    async with visiting.stranger(app) as stranger:
        page = f"/bijeenkomsten/{session}"
        assert f"{sentence}.<" in await stranger.page(page)
        last_day = (await catalogue.session_detail(session)).starts_at.date()
        await end_tariff(open_end.id, last_day, actor=None)
        assert f"{sentence}, geldig tot en met {last_day.day}\u00a0" in await stranger.page(page)
        await end_tariff(open_end.id, today, actor=None)
        assert f"{sentence}. Het tarief is veranderd, maar deze prijs blijft zo." in await stranger.page(page)
        assert "arief" not in await stranger.page(f"/bijeenkomsten/{own}")


async def test_the_price_of_an_organisation_carries_its_name(app, world_db):
    """The organisation that gives it is the one on the page."""
    course, organisation = await world.a_course(), await world.an_organisation()
    await add_tariffs([TariffOrder(new_id(), "a", course, "organisation", 4_500, clock.today(), organisation=organisation)], actor=None)  # fmt: skip
    tariff = (await price_list.tariffs())[0]
    member = await world.an_employee(organisation)
    session = await world.a_session(course=course, price_cents=None, trainer=member)
    async with visiting.stranger(app) as stranger:
        assert f"Tarief van {tariff.organisation_name}." in await stranger.page(f"/bijeenkomsten/{session}")
