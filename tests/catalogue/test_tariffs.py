"""Tariffs: which one is the price of a session, and that no later tariff alters what was published (R06)."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

import world
from catalogue.tariffing import (
    POSTCODES,
    a_course_of,
    a_free_trainer,
    a_tariff,
    an_order,
    collide,
    most_specific,
    price_of,
    published,
    tariff,
)
from leerbudget.catalogue import actions, queries
from leerbudget.catalogue.errors import PriceNotTariff, SessionFixed, TariffMissing, TariffOverlaps
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.geography.postcodes import place_of
from leerbudget.people.rules import Registered
from leerbudget.trainers.employers import work_for

# --- which one applies ----------------------------------------------------------------------------------------

REGION = (5500, "youth_region", "Jeugdregio Utrecht")
TOWN = (4800, "municipality", "Utrecht")
LAND = (5000, "national", None)
STAFF = (6000, "organisation", None)
NOBODY: tuple[()] = ()
GOLDEN = [
    # the first meeting begins at, where, given by an employee of the organisation -> price and scope
    ("2027-02-01T18:00Z", "Utrecht", False, REGION),
    ("2027-02-01T18:00Z", "Zeist", False, REGION),
    ("2027-02-01T18:00Z", "Renkum", False, LAND),
    ("2027-02-01T18:00Z", None, False, LAND),
    # New Year: the year of Amsterdam, not of Greenwich
    ("2026-12-31T22:30Z", "Utrecht", False, NOBODY),
    ("2026-12-31T23:00Z", "Utrecht", False, REGION),
    ("2027-12-31T22:30Z", "Utrecht", False, REGION),
    ("2027-12-31T23:00Z", "Utrecht", False, LAND),
    # the town's tariff begins on the night the clock goes forward, and ends on the day it goes back
    ("2027-03-27T22:30Z", "Utrecht", False, REGION),
    ("2027-03-27T23:00Z", "Utrecht", False, TOWN),
    ("2027-03-28T00:59Z", "Utrecht", False, TOWN),
    ("2027-03-28T01:00Z", "Zeist", False, REGION),
    ("2027-10-30T22:00Z", "Utrecht", False, TOWN),
    ("2027-10-31T00:30Z", "Utrecht", False, TOWN),
    ("2027-10-31T01:30Z", "Utrecht", False, TOWN),
    ("2027-10-31T22:59Z", "Utrecht", False, TOWN),
    ("2027-10-31T23:00Z", "Utrecht", False, REGION),
    # the organisation's own people: its tariff wins in June, everywhere
    ("2027-06-15T18:00Z", "Utrecht", True, STAFF),
    ("2027-06-15T18:00Z", "Renkum", True, STAFF),
    ("2027-06-15T18:00Z", None, True, STAFF),
    ("2027-06-15T18:00Z", "Utrecht", False, TOWN),
    ("2027-05-31T21:59Z", "Utrecht", True, TOWN),
    ("2027-05-31T22:00Z", "Utrecht", True, STAFF),
    ("2027-06-30T21:59Z", "Utrecht", True, STAFF),
    ("2027-06-30T22:00Z", "Utrecht", True, TOWN),
    ("2027-07-01T18:00Z", None, True, LAND),
]


async def test_the_most_specific_tariff_of_the_first_day_is_the_price(december):
    """Organisation, municipality, youth region, country: by place, trainer and the day in Amsterdam (R06)."""
    course, organisation = await world.a_course(), await world.an_organisation()
    year = {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31)}
    await tariff(course)
    await tariff(course, price_cents=5500, region="Jeugdregio Utrecht", municipalities=("Zeist", "Utrecht"), **year)
    summer = {"starts_on": date(2027, 3, 28), "ends_on": date(2027, 10, 31)}
    await tariff(course, price_cents=4800, municipalities=("Utrecht",), **summer)
    june = {"starts_on": date(2027, 6, 1), "ends_on": date(2027, 6, 30)}
    await tariff(course, price_cents=6000, organisation=organisation, **june)
    free, employee = await a_free_trainer(), await world.an_employee(organisation)
    for at, town, own, expected in GOLDEN:
        how = {"town": town, "starts_at": datetime.fromisoformat(at), "trainer": employee if own else free}
        if not expected:
            with pytest.raises(TariffMissing):
                await published(course, **how)
            continue
        found = await published(course, **how)
        assert found[:2] == expected[:2], (at, town, own)
        assert expected[2] is None or found[2] == expected[2]


async def test_later_meetings_do_not_count(december):
    """A series that begins under one tariff costs that, also when it goes on under another."""
    course = await world.a_course()
    await tariff(course, ends_on=date(2027, 2, 28))
    await tariff(course, starts_on=date(2027, 3, 1), price_cents=7000)
    start = datetime(2027, 2, 28, 22, tzinfo=UTC)  # eleven o'clock in the evening; the second meeting is in March
    meetings = tuple((start + timedelta(days=n), start + timedelta(days=n, minutes=50)) for n in (0, 1))
    assert await published(course, meetings=meetings) == (5000, "national", None)


async def test_the_employer_of_the_trainer_gives_the_course_or_else_who_offers_it(december):
    """A free trainer stands in for the organisation of the course; an employee brings the tariff of the employer."""
    offers, employs = [await world.an_organisation() for _ in "ab"]
    course = await a_course_of(offers)
    await tariff(course, price_cents=1000, organisation=offers)
    await tariff(course, price_cents=2000, organisation=employs)
    assert (await published(course))[0] == 1000
    assert (await published(course, trainer=await world.an_employee(employs)))[0] == 2000
    elsewhere = await world.an_employee(await world.an_organisation())
    with pytest.raises(TariffMissing):
        await published(course, trainer=elsewhere)


async def test_another_employer_counts_from_the_month_in_which_it_is_one(december):
    """Sessions of before the change cost what the first asks, later ones what the second asks; what was published stays."""
    first, second = [await world.an_organisation() for _ in "ab"]
    course, trainer = await world.a_course(), await world.an_employee(first)
    await tariff(course, price_cents=1000, organisation=first)
    await tariff(course, price_cents=2000, organisation=second)
    early = await an_order(course, trainer=trainer, starts_at=datetime(2027, 2, 28, 18, tzinfo=UTC))
    stays = await an_order(course, trainer=trainer, starts_at=datetime(2027, 3, 5, 18, tzinfo=UTC))
    await actions.publish_sessions([stays])
    with clock.travelling(datetime(2027, 2, 10, 12, tzinfo=UTC)):
        await work_for({trainer: second}, actor=None)  # from March on
        late = await an_order(course, trainer=trainer, starts_at=datetime(2027, 3, 1, 18, tzinfo=UTC))
        await actions.publish_sessions([early, late, stays])
    assert [(await price_of(each.id))[0] for each in (early, late, stays)] == [1000, 2000, 1000]
    with clock.travelling(datetime(2027, 3, 10, 12, tzinfo=UTC)):
        await work_for({trainer: None}, actor=None)  # from April on for oneself
        with pytest.raises(TariffMissing):
            await published(course, trainer=trainer, starts_at=datetime(2027, 4, 1, 18, tzinfo=UTC))


async def test_another_course_has_another_tariff(december):
    """A tariff is of one course; for the next one there is none."""
    course, other = await world.a_course(), await world.a_course()
    await tariff(course)
    assert (await published(course))[0] == 5000
    with pytest.raises(TariffMissing):
        await published(other)


async def test_any_set_of_tariffs_gives_the_price_that_plain_reading_gives(december):
    """Random tariffs and sessions: the database refuses what collides and picks what a person would pick."""
    towns, organisations = list(POSTCODES), [await world.an_organisation() for _ in "ab"]
    assert [place_of(code).municipality for code in POSTCODES.values()] == towns
    staff = {organisation: await world.an_employee(organisation) for organisation in organisations}
    free, seen = await a_free_trainer(), set()
    for seed in range(8):
        dice = random.Random(seed)  # noqa: S311 - a made-up case, not a secret
        courses = [await world.a_course() for _ in "ab"]
        accepted = []
        for _ in range(40):
            order = _random_tariff(dice, courses, towns, organisations)
            refused = any(collide(order, other) for other in accepted)
            try:
                await add_tariffs([order], actor=None)
            except TariffOverlaps:
                assert refused, order
                seen.add("refused")
            else:
                assert not refused, order
                accepted.append(order)
        for _ in range(60):
            organisation, town = dice.choice([None, *organisations]), dice.choice([None, *towns])
            starts_at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * dice.randrange(48 * 24))
            trainer = free if organisation is None else staff[organisation]
            order = await an_order(dice.choice(courses), town=town, starts_at=starts_at, trainer=trainer)
            expected = most_specific(accepted, order.course, town, organisation, starts_at)
            try:
                await actions.publish_sessions([order])
            except TariffMissing:
                assert expected is None, order
                seen.add("missing")
                continue
            found = await queries.session_detail(order.id)
            assert expected is not None, order
            assert (found.price_cents, found.tariff.id) == (expected.price_cents, expected.id)
            seen.add(expected.scope)
    assert seen == {"refused", "missing", "national", "youth_region", "municipality", "organisation"}


def _random_tariff(dice, courses, towns, organisations):
    """Short periods within 24 days, so that they often meet."""
    first = date(2027, 1, 1) + timedelta(days=dice.randrange(24))
    scope = dice.choice(
        [
            {},
            {"region": "Jeugdregio (fictief)", "municipalities": tuple(dice.sample(towns, dice.randrange(1, 4)))},
            {"municipalities": (dice.choice(towns),)},
            {"organisation": dice.choice(organisations)},
        ]
    )
    ends_on = None if dice.random() < 0.1 else first + timedelta(days=dice.randrange(8))
    return a_tariff(
        dice.choice(courses), price_cents=dice.randrange(1, 9999), starts_on=first, ends_on=ends_on, **scope
    )


# --- explicit prices and drafts ---------------------------------------------------------------------------------


async def test_where_a_tariff_applies_another_price_is_refused(december):
    """Dearer or cheaper: everybody pays the tariff (R06). The same price is the tariff; elsewhere the price is one's own."""
    course = await world.a_course()
    applied = await tariff(course, municipalities=("Utrecht",))
    for cents in (4999, 5001, 0):
        with pytest.raises(PriceNotTariff, match="50,00") as refusal:
            await published(course, price_cents=cents)
        assert [problem["path"] for problem in refusal.value.data["problems"]] == ["price_cents"]
    assert await published(course, price_cents=5000) == (5000, "municipality", "Utrecht")
    assert await published(course, town="Zeist", price_cents=4999) == (4999, None, None)
    assert applied.price_cents == 5000


async def test_every_wrong_price_of_a_file_is_told(december):
    """Of three sessions two are wrong in two ways: both are named, and nothing is published."""
    course, other = await world.a_course(), await world.a_course()
    await tariff(course)
    orders = [await an_order(course, price_cents=1), await an_order(other), await an_order(course)]
    with pytest.raises(PriceNotTariff) as refusal:
        await actions.publish_sessions(orders)
    assert [(problem["ref"], problem["code"]) for problem in refusal.value.data["problems"]] == [
        (orders[0].external_ref, "price_not_tariff"),
        (orders[1].external_ref, "tariff_missing"),
    ]
    assert await queries.session_ids([order.external_ref for order in orders]) == {}


async def test_a_draft_may_have_any_price_until_it_is_published(december):
    """What a draft costs is looked at when it opens; without a price it has the tariff of that moment."""
    course = await world.a_course()
    order = await an_order(course, price_cents=100)
    await actions.draft_sessions([order])
    with pytest.raises(TariffMissing):
        await actions.draft_sessions([await an_order(course)])
    old = await tariff(course)
    with pytest.raises(PriceNotTariff):
        await actions.publish_sessions([order])
    asked = replace(order, price_cents=None)
    assert await actions.draft_sessions([asked]) == Registered(0, 1, 0)
    await end_tariff(old.id, date(2026, 12, 31), actor=None)
    last = await tariff(course, price_cents=5200)
    assert await actions.publish_sessions([asked]) == Registered(0, 1, 0)
    found = await queries.session_detail(order.id)
    assert (found.price_cents, found.tariff.id) == (5200, last.id)


async def test_a_draft_at_the_price_of_a_tariff_learns_which_one_when_it_opens(december):
    """Nothing in the order changes, but the tariff came after the draft."""
    course = await world.a_course()
    order = await an_order(course, price_cents=5000)
    await actions.draft_sessions([order])
    await tariff(course)
    assert await actions.publish_sessions([order]) == Registered(0, 1, 0)
    assert await price_of(order.id) == (5000, "national", None)


# --- what is published stays ------------------------------------------------------------------------------------


async def test_a_published_session_keeps_its_price_and_tariff(december):
    """Later tariffs, of any scope, and the end of its own leave it alone; so does the same order again (R06)."""
    course, organisation = await world.a_course(), await world.an_organisation()
    own = await tariff(course)
    order = await an_order(course, trainer=await world.an_employee(organisation))
    await actions.publish_sessions([order])
    row = "SELECT to_jsonb(s)::text FROM course_session s WHERE id = $1"
    before = await fetch_value(row, order.id)
    await end_tariff(own.id, clock.today(), actor=None)
    await tariff(course, price_cents=1)
    await tariff(course, price_cents=2, region="Regio", municipalities=("Utrecht",))
    await tariff(course, price_cents=3, municipalities=("Utrecht",))
    await tariff(course, price_cents=4, organisation=organisation)
    for again in (order, replace(order, price_cents=5000), replace(order, id=new_id())):
        assert await actions.publish_sessions([again]) == Registered(0, 0, 1)
    assert await fetch_value(row, order.id) == before
    assert await price_of(order.id) == (5000, "national", None)
    fresh = await an_order(course, trainer=order.trainer)
    await actions.publish_sessions([fresh])
    assert (await price_of(fresh.id))[:2] == (4, "organisation")


async def test_a_price_of_its_own_stays_when_a_tariff_comes(december):
    """A file from before there were tariffs can be imported again; its sessions go on as they are, also a step further."""
    course = await world.a_course()
    order = await an_order(course, price_cents=4500)
    await actions.publish_sessions([order])
    await tariff(course)
    assert await actions.publish_sessions([order]) == Registered(0, 0, 1)
    assert await actions.publish_sessions([replace(order, seats_max=10)]) == Registered(0, 1, 0)
    assert await actions.publish_sessions([replace(order, seats_max=10, state="confirmed")]) == Registered(0, 1, 0)
    assert await price_of(order.id) == (4500, None, None)


async def test_a_session_that_moves_gets_the_tariff_of_where_and_when_it_goes(december):
    """Another first day, place or trainer of a session that nobody booked is another price; more seats are not."""
    course, organisation = await world.a_course(), await world.an_organisation()
    spring = await tariff(course, ends_on=date(2027, 3, 31))
    await tariff(course, starts_on=date(2027, 4, 1), price_cents=7000)
    await tariff(course, price_cents=8000, municipalities=("Zeist",), starts_on=date(2027, 4, 1))
    await tariff(course, price_cents=9000, organisation=organisation, starts_on=date(2027, 4, 1))
    order = await an_order(course)
    await actions.publish_sessions([order])
    await end_tariff(spring.id, clock.today(), actor=None)
    more = replace(order, seats_max=10)
    assert await actions.publish_sessions([more]) == Registered(0, 1, 0)
    assert (await price_of(order.id))[0] == 5000
    later = datetime(2027, 3, 31, 22, tzinfo=UTC)  # midnight in Amsterdam: the first of April
    moved = replace(more, meetings=((later, later + timedelta(hours=2)),))
    with pytest.raises(PriceNotTariff):
        await actions.publish_sessions([replace(moved, price_cents=5000)])
    for change, cents in (
        ({}, 7000),
        ({"venue": (await an_order(course, town="Zeist")).venue}, 8000),
        ({"trainer": await world.an_employee(organisation)}, 9000),
    ):
        moved = replace(moved, **change)
        assert await actions.publish_sessions([moved]) == Registered(0, 1, 0)
        assert (await price_of(order.id))[0] == cents


async def test_a_booked_session_does_not_move_to_another_price(december):
    """Somebody has a seat: neither the day nor the price changes (SessionFixed), whatever the tariffs say."""
    course = await world.a_course()
    await tariff(course, ends_on=date(2027, 3, 31))
    await tariff(course, starts_on=date(2027, 4, 1), price_cents=7000)
    order = await an_order(course)
    await actions.publish_sessions([order])
    await actions.take_seats(order.id, 1, party="foster_parents", childcare={})
    later = datetime(2027, 4, 1, 18, tzinfo=UTC)
    with pytest.raises(SessionFixed):
        await actions.publish_sessions([replace(order, meetings=((later, later + timedelta(hours=2)),))])
    assert await price_of(order.id) == (5000, "national", None)
