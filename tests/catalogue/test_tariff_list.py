"""Adding and ending tariffs: one at a time per course and place, never changed (R06)."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

import world
from catalogue.tariffing import a_tariff, published, tariff
from leerbudget.catalogue import price_list, tariffs
from leerbudget.catalogue.errors import (
    CatalogueRefTwice,
    CatalogueUnknown,
    TariffEndNotPossible,
    TariffKnown,
    TariffNotValid,
    TariffOverlaps,
    TariffUnknown,
)
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.people.rules import Registered


async def test_a_tariff_is_one_thing(december):
    """Again has no effect, also after its end; another content under its id or reference is refused; each is told."""
    course = await world.a_course()
    order = a_tariff(course, region="Regio", municipalities=("Zeist", "Utrecht"))
    twin = replace(order, municipalities=("Utrecht", "Zeist"))
    answers = [await add_tariffs([each], actor=None) for each in (order, twin)]
    assert answers == [Registered(1, 0, 0), Registered(0, 0, 1)]
    await end_tariff(order.id, date(2027, 6, 30), actor=None)
    assert await add_tariffs([order], actor=None) == Registered(0, 0, 1)
    for wrong in ({"price_cents": 1}, {"starts_on": date(2027, 1, 2)}, {"id": new_id(), "region": "Elders"}):
        with pytest.raises(TariffKnown) as refusal:
            await add_tariffs([replace(order, **wrong)], actor=None)
        assert refusal.value.data["refs"] == [order.external_ref]
    with pytest.raises(TariffKnown):
        await add_tariffs([replace(order, external_ref="other")], actor=None)
    trail = await fetch_all("SELECT verb FROM audit_entry WHERE subject = $1 ORDER BY at, id", order.id)
    assert [line["verb"] for line in trail] == ["tariff_added", "tariff_ended"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"scope": "planet"}, "scope"),
        ({"municipalities": ("Utrecht",), "scope": "national"}, "municipalities"),
        ({"municipalities": (), "scope": "municipality"}, "municipalities"),
        ({"municipalities": ("Utrecht", "Zeist")}, "municipalities"),
        ({"municipalities": ("Utrecht", "Utrecht"), "region": "Regio"}, "municipalities"),
        ({"municipalities": ("Lutjebroek aan Zee",)}, "municipalities"),
        ({"region": "", "municipalities": ("Utrecht",)}, "region"),
        ({"region": "Regio", "scope": "national"}, "region"),
        ({"scope": "organisation"}, "organisation"),
        ({"price_cents": -1}, "price_cents"),
        ({"price_cents": 1_000_001}, "price_cents"),
        ({"ends_on": date(2026, 12, 31)}, "ends_on"),
    ],
)
async def test_a_tariff_without_a_meaning_is_refused(december, changes, path):
    """A scope without what it is for, a place that does not exist, a price or period that cannot be."""
    with pytest.raises(TariffNotValid) as refusal:
        await add_tariffs([a_tariff(await world.a_course(), **changes)], actor=None)
    assert [problem["path"] for problem in refusal.value.data["problems"]] == [path]


async def test_what_a_tariff_names_exists(december):
    """An unknown course or organisation is not found; the same reference twice is refused; so is an unknown tariff."""
    course = await world.a_course()
    for wrong in (a_tariff(new_id()), a_tariff(course, organisation=new_id())):
        with pytest.raises(CatalogueUnknown):
            await add_tariffs([wrong], actor=None)
    order = a_tariff(course)
    with pytest.raises(CatalogueRefTwice):
        await add_tariffs([order, replace(order, id=new_id())], actor=None)
    with pytest.raises(TariffUnknown):
        await end_tariff(new_id(), clock.today(), actor=None)
    with pytest.raises(TariffUnknown):
        await price_list.tariff(new_id())
    assert (await price_list.tariffs(), await add_tariffs([], actor=None)) == ([], Registered(0, 0, 0))


async def test_all_tariffs_or_none(december):
    """One that collides, with what stands or within the file, keeps the whole file out and is named."""
    course = await world.a_course()
    stands = await tariff(course, ends_on=date(2027, 6, 30))
    good = a_tariff(course, starts_on=date(2027, 7, 1), ends_on=date(2027, 7, 31))
    bad = a_tariff(course, starts_on=date(2027, 6, 30), ends_on=date(2027, 6, 30))
    with pytest.raises(TariffOverlaps) as refusal:
        await add_tariffs([good, bad], actor=None)
    assert refusal.value.data["refs"] == [bad.external_ref]
    twins = [replace(good, id=new_id(), external_ref=name) for name in "ab"]
    with pytest.raises(TariffOverlaps) as refusal:
        await add_tariffs(twins, actor=None)
    assert refusal.value.data["refs"] == ["a", "b"]
    assert [view.id for view in await price_list.tariffs()] == [stands.id]


async def test_a_tariff_ends_today_or_later_and_another_follows(december):
    """Never in the past and never later than agreed; the day after its last day the next one can begin."""
    course = await world.a_course()
    order = await tariff(course, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31))
    for wrong in (date(2026, 11, 30), date(2028, 1, 1)):
        with pytest.raises(TariffEndNotPossible):
            await end_tariff(order.id, wrong, actor=None)
    for _ in "ab":
        assert await end_tariff(order.id, date(2027, 1, 31), actor=None) == date(2027, 1, 31)
    assert await fetch_value("SELECT count(*) FROM audit_entry WHERE verb = 'tariff_ended'") == 1
    with pytest.raises(TariffOverlaps):
        await tariff(course, starts_on=date(2027, 1, 31))
    await tariff(course, starts_on=date(2027, 2, 1), price_cents=5200)
    assert (await published(course, starts_at=datetime(2027, 1, 31, 18, tzinfo=UTC)))[0] == 5000
    assert (await published(course, starts_at=datetime(2027, 2, 1, 18, tzinfo=UTC)))[0] == 5200
    assert await end_tariff(order.id, clock.today(), actor=None) == clock.today()
    with pytest.raises(TariffEndNotPossible):
        await end_tariff(order.id, date(2027, 1, 1), actor=None)


async def test_a_tariff_that_was_withdrawn_before_it_began_never_holds(december):
    """Its place is free for the right one; it stays in the list of what there was, not in that of what holds."""
    course = await world.a_course()
    wrong = await tariff(course, price_cents=50_000)
    assert await end_tariff(wrong.id, clock.today(), actor=None) == date(2026, 12, 31)
    right = await tariff(course)
    assert (await published(course, starts_at=datetime(2027, 1, 1, 12, tzinfo=UTC)))[0] == 5000
    assert (await price_list.tariff(wrong.id)).withdrawn
    assert not (await price_list.tariff(right.id)).withdrawn
    assert [view.id for view in await price_list.tariffs_from(date(2026, 12, 31))] == [right.id]
    assert {view.id for view in await price_list.tariffs(course=course)} == {wrong.id, right.id}


async def test_the_price_list_is_of_a_course_or_of_an_organisation(december):
    """By course, the widest scope first; what is over is not in it."""
    course, organisation = await world.a_course(), await world.an_organisation()
    own = await tariff(course, organisation=organisation)
    town = await tariff(course, municipalities=("Zeist",))
    land = await tariff(course)
    other = await tariff(await world.a_course())
    gone = await tariff(course, starts_on=date(2026, 1, 1), ends_on=date(2026, 6, 30))
    today = clock.today()
    assert [view.id for view in await price_list.tariffs_from(today, course=course)] == [land.id, town.id, own.id]
    assert [view.id for view in await price_list.tariffs_from(today, organisation=organisation)] == [own.id]
    assert {view.id for view in await price_list.tariffs_from(today)} == {land.id, town.id, own.id, other.id}
    page = await price_list.tariffs(limit=2)
    rest = await price_list.tariffs(after=page[-1].id)
    assert [view.id for view in page + rest] == sorted(each.id for each in (own, town, land, other, gone))


# --- what the database keeps to ---------------------------------------------------------------------------------


async def test_nobody_changes_a_tariff(december):
    """The application's role can end a tariff and nothing else: no other price, no other period, no removal."""
    await tariff(await world.a_course())
    for sql in ("DELETE FROM tariff", "UPDATE tariff SET price_cents = 1", "UPDATE tariff SET starts_on = starts_on"):
        with pytest.raises(Exception, match="permission denied"):
            await execute(sql)


async def add_at_once(rounds=10):
    """Per course ten colliding tariffs at the same moment; how many each course has."""
    courses = [await world.a_course() for _ in range(rounds)]
    for course in courses:
        orders = [
            a_tariff(course, region=f"Regio {n}", municipalities=("Utrecht", other))
            for n, other in enumerate(["Zeist", "Renkum", "Amsterdam"] * 3)
        ]
        outcomes = await asyncio.gather(*(add_tariffs([order], actor=None) for order in orders), return_exceptions=True)
        assert all(isinstance(each, Registered | TariffOverlaps | Busy) for each in outcomes), outcomes
    sql = "SELECT count(*) FROM tariff WHERE course = $1"
    return [await fetch_value(sql, course) for course in courses]


async def test_the_same_tariff_at_the_same_moment_is_one(december):
    """Ten presses of one button: one tariff, one line in the trail, and nobody hears that it cannot be."""
    for _ in range(20):
        order = a_tariff(await world.a_course())
        outcomes = await asyncio.gather(*(add_tariffs([order], actor=None) for _ in range(10)))
        assert sorted(each.added for each in outcomes) == [0] * 9 + [1]
        assert await fetch_value("SELECT count(*) FROM audit_entry WHERE subject = $1", order.id) == 1


async def test_colliding_tariffs_at_the_same_moment_leave_one(december):
    """Regions that share one municipality: whoever comes second hears that there is a tariff."""
    assert await add_at_once() == [1] * 10


async def test_the_database_itself_keeps_colliding_tariffs_apart(december, monkeypatch):
    """Without waiting for each other the exclusion constraint refuses the second: whoever writes the table."""
    monkeypatch.setattr(tariffs, "_ONE_AT_A_TIME", "SELECT $1::uuid[]")
    assert await add_at_once() == [1] * 10


async def test_looking_first_is_not_enough(december, monkeypatch, admin):
    """Negative control: without waiting and without the constraint there are two."""
    monkeypatch.setattr(tariffs, "_ONE_AT_A_TIME", "SELECT $1::uuid[]")
    await admin.execute("ALTER TABLE tariff DROP CONSTRAINT one_tariff_at_a_time")
    assert max(await add_at_once()) > 1
