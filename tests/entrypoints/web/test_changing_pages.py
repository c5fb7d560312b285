"""Changing one's mind through the pages: cancelling late, something with a child, another date."""

import re
from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions, moving, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.moving import MoveRequest
from leerbudget.budgets import queries as budgets
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id

PRICE, HALF = 4500, 2250


@pytest.fixture
async def family(world_db):
    made = await world.a_family(parents=2)
    await world.a_budget(made, euros=250)
    return made


async def booked(family, session):
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))[:1])
    return (await actions.book(request, actor=None)).booking


async def free_cents(family):
    return sum(each.free_cents for each in await budgets.budgets_of(family))


def late():
    """Ten days before the first meeting, when half comes back."""
    return clock.travelling(clock.now() + timedelta(days=20))


async def test_something_with_a_child_costs_nothing_and_asks_nothing(app, family):
    """Late, the page offers to cancel for free, with one press and without a question; everything comes back."""
    booking = await booked(family, await world.a_session())
    path = f"/inschrijvingen/{booking}/annuleren"
    async with visiting.parent(app, family) as parent:
        assert "Is er iets met een kind?" not in await parent.page(path)
    with late():
        async with visiting.parent(app, family) as parent:
            page = await parent.page(path)
            assert "Is er iets met een kind?" in page
            assert re.search(r"Dit kan nog 2\s+keer in een jaar", page)
            answer = await parent.post(path, {"fee_shown_cents": "0", "child": "ja"})
            assert answer.headers["location"] == "/inschrijvingen?melding=geannuleerd"
    assert await free_cents(family) == 25_000


async def test_when_it_was_used_the_page_says_so(app, family):
    """After two times in a year the offer is gone, and pressing an old page tells why and keeps the place."""
    bookings = [await booked(family, await world.a_session(meetings=[world.in_days(25 + n)])) for n in range(3)]
    with late():
        async with visiting.parent(app, family) as parent:
            path = f"/inschrijvingen/{bookings[2]}/annuleren"
            for booking in bookings[:2]:
                await parent.post(f"/inschrijvingen/{booking}/annuleren", {"fee_shown_cents": "0", "child": "ja"})
            assert "Is er iets met een kind?" not in await parent.page(path)
            refused = await parent.post(path, {"fee_shown_cents": "0", "child": "ja"})
            assert refused.status_code == 409
            assert "is voor dit jaar al gebruikt" in refused.text
    assert await count("SELECT count(*) FROM booking WHERE state = 'confirmed'") == 1


async def test_a_page_from_before_midnight_does_not_cost_more(app, family):
    """The page said free, the press comes when it costs half: nothing happens and the page tells what it costs now."""
    booking = await booked(family, await world.a_session())
    path = f"/inschrijvingen/{booking}/annuleren"
    with late():
        async with visiting.parent(app, family) as parent:
            refused = await parent.post(path, {"fee_shown_cents": "0"})
            assert refused.status_code == 409
            assert "De kosten zijn veranderd" in refused.text
            assert f'name="fee_shown_cents" value="{HALF}"' in refused.text
            assert await free_cents(family) == 25_000 - PRICE
            done = await parent.post(path, {"fee_shown_cents": str(HALF)})
            assert done.headers["location"] == "/inschrijvingen?melding=geannuleerd"
    assert await free_cents(family) == 25_000 - HALF


async def test_another_date_in_two_presses(app, family):
    """From the list of bookings to another date: choose it, see what it costs, done. A second press changes nothing."""
    course = await world.a_course()
    first = await world.a_session(course=course)
    second = await world.a_session(course=course, meetings=[world.in_days(40)], price_cents=5000)
    booking = await booked(family, first)
    path = f"/inschrijvingen/{booking}/andere-datum"
    async with visiting.parent(app, family) as parent:
        assert f'href="{path}"' in await parent.page("/inschrijvingen")
        assert f'href="{path}"' in await parent.page(f"/inschrijvingen/{booking}/annuleren")
        assert f'href="{path}?naar={second}"' in await parent.page(path)
        checked = await parent.page(f"{path}?naar={second}")
        assert "Overstappen kost u niets extra." in checked
        values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', checked))
        assert (values["price_shown_cents"], values["fee_shown_cents"]) == ("5000", "0")
        for _ in range(2):
            answer = await parent.post(path, values)
            assert answer.headers["location"] == f"/inschrijvingen/{values['booking_id']}?melding=overgestapt"
        assert (await parent.get(path)).headers["location"] == "/inschrijvingen"
        assert "U bent overgestapt" in (await parent.get(answer.headers["location"])).text
    assert await free_cents(family) == 25_000 - 5000
    assert await queries.inconsistencies() == []


async def test_what_stands_in_the_way_is_told_and_the_place_stays(app, family):
    """The last seat went, the price changed, a page too old or a date that is none: a sentence, and nothing changed."""
    course = await world.a_course()
    first = await world.a_session(course=course)
    second = await world.a_session(course=course, seats=1, meetings=[world.in_days(40)])
    booking = await booked(family, first)
    path = f"/inschrijvingen/{booking}/andere-datum"
    values = {
        "booking_id": str(new_id()),
        "session_id": str(second),
        "price_shown_cents": "4500",
        "fee_shown_cents": "0",
    }
    async with visiting.parent(app, family) as parent:
        for changes, status, sentence in (
            ({"price_shown_cents": "100"}, 409, "De prijs is veranderd"),
            ({"fee_shown_cents": "100"}, 409, "De kosten zijn veranderd"),
            ({"session_id": str(first)}, 409, "Overstappen kan alleen naar een andere datum"),
            ({"session_id": str(new_id())}, 404, "Deze bijeenkomst kennen we niet."),
            ({"session_id": "x"}, 422, "Deze pagina was verlopen."),
            ({"price_shown_cents": "veel"}, 422, "Deze pagina was verlopen."),
        ):
            answer = await parent.post(path, values | changes)
            assert (answer.status_code, sentence in answer.text) == (status, True), changes
        other = await world.a_family()
        await world.a_budget(other)
        await booked(other, second)
        full = await parent.post(path, values)
        assert (full.status_code, "Er zijn niet genoeg plaatsen vrij." in full.text) == (409, True)
        assert "Er is nu geen andere datum met plaats." in full.text
        assert (await parent.get(f"{path}?naar={second}")).status_code == 409
    assert await count("SELECT count(*) FROM booking WHERE family = $1 AND state = 'confirmed'", family) == 1
    assert await free_cents(family) == 25_000 - PRICE


async def test_nobody_moves_another_familys_booking(app, family):
    """It looks as if it were not there (I10)."""
    other = await world.a_family()
    await world.a_budget(other)
    booking = await booked(other, await world.a_session())
    async with visiting.parent(app, family) as parent:
        for path in (f"/inschrijvingen/{booking}/andere-datum", f"/inschrijvingen/{new_id()}/andere-datum"):
            for answer in (await parent.get(path), await parent.post(path, {"booking_id": str(new_id())})):
                assert answer.status_code == 404
                assert "Deze inschrijving is er niet" in answer.text


async def test_the_list_shows_what_became_of_a_moved_booking(app, family):
    """The old place stands under "Eerder" as moved, the other one under what is to come."""
    course = await world.a_course()
    booking = await booked(family, await world.a_session(course=course))
    to = await world.a_session(course=course, meetings=[world.in_days(40)])
    await moving.move(MoveRequest(new_id(), booking, to), actor=None)
    async with visiting.parent(app, family) as parent:
        page = await parent.page("/inschrijvingen")
        assert "Overgestapt naar een andere datum." in page
