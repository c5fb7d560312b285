"""Searching: what fits is found, what does not is not, and pages neither repeat nor skip."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import world
from leerbudget.catalogue import actions, search
from leerbudget.catalogue.errors import CursorNotValid, SearchPostcodeUnknown
from leerbudget.catalogue.queries import SearchQuery
from leerbudget.catalogue.search import MEETING_DAY_PARTS, patterns, reachable
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.geography.postcodes import all_places, place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher.day_parts import day_parts_of

db = pytest.mark.usefixtures("world_db")


async def found(**query):
    return [card.id for card in (await search.search(SearchQuery(**query))).cards]


@db
async def test_only_what_can_be_booked_is_found():
    """Cancelled, begun and full sessions are left out; full ones show when nobody needs a seat."""
    here, cancelled, full = await world.a_session(), await world.a_session(), await world.a_session(seats=1)
    await actions.decide(cancelled, runs=False, reason="x", actor=None)
    await actions.take_seats(full, 1, party="foster_parents", childcare={})
    assert await found() == [here]
    assert set(await found(persons=0)) == {here, full}
    assert await found(persons=13) == []
    with clock.travelling(world.in_days(31)[0]):
        assert await found() == []


@db
async def test_each_filter_keeps_what_fits():
    """Theme, form, price, online, period and childcare, each by itself and together."""
    course = await world.a_course(theme="grief_loss", form="theme_meeting")
    near = await world.a_session(course=course, price_cents=1000, childcare={"a4_8": 2})
    online = await world.a_session(postcode4=None, price_cents=9000, meetings=[world.in_days(60)])
    day = clock.today() + timedelta(days=45)
    for query in (
        {"themes": ("grief_loss",)},
        {"forms": ("theme_meeting", "dialogue")},
        {"price_cents_max": 1000},
        {"online": False},
        {"ends_on": day},
        {"childcare": {"a4_8": 2}},
    ):
        assert await found(**query) == [near], query
    for query in ({"online": True}, {"starts_on": day}, {"themes": ("trauma",)}):
        assert await found(**query) == [online], query
    assert await found(childcare={"a4_8": 3}) == await found(childcare={"a4_8": 1, "a0_3": 1}) == []
    assert await found(themes=("grief_loss",), online=True) == []


@db
async def test_words_are_found_in_title_theme_form_and_place():
    """Every word must occur, in whatever case; what SQL reads as a joker stands for itself."""
    course = await world.a_course(theme="attachment")
    session = await world.a_session(course=course)
    for text in ("hechting", "HECHT groeps", "cursus fictief", "utrecht", "  "):
        assert await found(text=text) == [session], text
    for text in ("hechting zwolle", "%", "_", "\\", "'; DROP TABLE course; --", "\x00%"):
        assert await found(text=text) == [], text


@db
async def test_an_offer_that_is_not_for_a_family_is_not_shown():
    """R17: `not_for` hides; a family with children of several ages is shown what fits one of them."""
    audience = {
        "family_type": {"kinship": "not_for"},
        "experience": {"lt1": "for"},
        "child_age_bands": {"a0_3": "not_for", "a4_8": "not_for"},
    }
    session = await world.a_session(course=await world.a_course(audience=audience))
    assert await found(family_type="recruited") == await found(child_age_bands=("a0_3", "a12_15")) == [session]
    assert await found(family_type="kinship") == await found(child_age_bands=("a0_3", "a4_8")) == []


@db
async def test_distance_is_a_limit_an_order_and_a_figure():
    """Within the minutes of one mode; sorted by minutes, online first at 0; the card says mode and minutes."""
    utrecht, zeist, maastricht = [await world.a_session(postcode4=code) for code in ("3511", "3701", "6211")]
    online = await world.a_session(postcode4=None)
    page = await search.search(SearchQuery(postcode4="3511", travel_minutes_max={"car": 45}, sort="travel"))
    assert [card.id for card in page.cards] == [online, utrecht, zeist]
    minutes = travel_minutes(*(Point(place_of(c).lat, place_of(c).lon) for c in ("3511", "3701")))
    assert (page.cards[2].travel_minutes, page.cards[2].travel_mode) == (minutes["car"], "car")
    assert (page.cards[0].travel_minutes, page.cards[0].online) == (0, True)
    assert maastricht in await found(postcode4="3511")
    assert set(await found(postcode4="3511", travel_minutes_max={"walk": 20}, online=False)) == {utrecht}
    with pytest.raises(SearchPostcodeUnknown):
        await found(postcode4="0000")


@db
async def test_every_meeting_falls_in_the_week():
    """A series is found when all its meetings are in day-parts that are marked, and not when one is not."""
    monday = next(d for d in range(20, 40) if (clock.today() + timedelta(days=d)).weekday() == 0)
    evening, next_day = world.in_days(monday, 18), world.in_days(monday + 1, 9)
    one, both = await world.a_session(meetings=[evening]), await world.a_session(meetings=[evening, next_day])
    monday_evening, tuesday_morning = "001" + "0" * 18, "0011" + "0" * 17
    assert await found(week=monday_evening) == [one]
    assert set(await found(week=tuesday_morning)) == {one, both}
    assert await found(week="0" * 21) == []


@db
@pytest.mark.parametrize("sort", ["date", "price", "travel"])
async def test_pages_hold_every_session_once(sort):
    """Page after page gives all sessions in order, also when one is booked in between; a changed mark is refused."""
    course, (trainer, _) = await world.a_course(), await world.a_trainer()
    chance = random.Random(7)  # noqa: S311 - a seed, no secret
    meetings = [world.in_days(30 + chance.randrange(5)) for _ in range(23)]
    every = [
        await world.a_session(
            course=course, trainer=trainer, price_cents=chance.choice([0, 500]), meetings=[when], postcode4="3511"
        )
        for when in meetings
    ]
    seen, after = [], None
    while True:
        page = await search.search(SearchQuery(sort=sort, after=after, limit=5, postcode4="3701"))
        seen += [card.id for card in page.cards]
        if page.next is None:
            break
        after = page.next
        await actions.take_seats(every[0], 1, party="foster_parents", childcare={})
    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == set(every)
    for cursor in (after[:-2], "x", "é", after.swapcase(), ""):
        with pytest.raises(CursorNotValid):
            await search.search(SearchQuery(sort=sort, after=cursor))
    with pytest.raises(CursorNotValid):
        await search.search(SearchQuery(sort="price" if sort == "date" else "date", after=after))


@db
async def test_the_database_counts_day_parts_as_the_matcher_does():
    """The day-parts of 2,000 random meetings, over clock changes and midnight, are the same in SQL and in the matcher."""
    chance = random.Random(11)  # noqa: S311 - a seed, no secret
    first = datetime(2027, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(minutes=chance.randrange(365 * 24 * 60)) for _ in range(1_900)]
    starts += [datetime(2027, *day, 0, 15 * n % 60, tzinfo=UTC) for day in ((3, 28), (10, 31)) for n in range(50)]
    ends = [start + timedelta(minutes=chance.choice([1, 30, 150, 390, 720, 1_439])) for start in starts]
    rows = await fetch_all(
        f"""SELECT n, (SELECT mask FROM ({MEETING_DAY_PARTS}) AS of_meeting(mask)) AS mask
            FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS m(starts_at, ends_at, n) ORDER BY n""",
        starts,
        ends,
    )
    different = [
        (start, end)
        for row, start, end in zip(rows, starts, ends, strict=True)
        if row["mask"] != day_parts_of(start, end)
    ]
    assert different == []


@given(st.sampled_from(sorted(all_places())), st.integers(0, 200), st.integers(0, 200))
def test_what_is_reachable_is_within_a_limit(postcode4, car, bike):
    """Every area is within the minutes of its mode, by the same figures as anywhere else; home is always reachable by bike."""
    codes, minutes, modes = reachable(postcode4, (("bike", bike), ("car", car)))
    limits = {"bike": bike, "car": car}
    assert all(m <= limits[mode] for m, mode in zip(minutes, modes, strict=True))
    assert postcode4 in codes
    here = place_of(postcode4)
    for code, m, mode in list(zip(codes, minutes, modes, strict=True))[:3]:
        there = place_of(code)
        assert travel_minutes(Point(here.lat, here.lon), Point(there.lat, there.lon))[mode] == m


@given(st.text(max_size=60))
def test_patterns_are_as_many_as_the_words(text):
    """One pattern a word, at most eight, without NUL."""
    found_patterns = patterns(text)
    assert len(found_patterns) == min(8, len(text.replace("\x00", " ").split()))
    assert not any("\x00" in pattern for pattern in found_patterns)


@db
async def test_a_page_that_asks_for_everything_gets_everything(admin):
    """The start page counts and the search page pages over all there is, not over the first hundred."""
    session = await world.a_session()
    await admin.execute(
        """INSERT INTO course_session (id, external_ref, course, venue, trainer, state, price_cents, seats_min, seats_max,
             seats_taken, starts_at, ends_at, decide_on, created_at)
           SELECT uuidv7(), 'copy-' || n, course, venue, trainer, state, price_cents, seats_min, seats_max, 0, starts_at,
             ends_at, decide_on, created_at FROM course_session, generate_series(1, 150) n WHERE id = $1""",
        session,
    )
    assert len(await found(limit=2_000)) == 151
    assert len(await found(limit=20)) == 20
