"""The waiting list through its pages: ask, see where one stands, answer."""

from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions, line, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id


@pytest.fixture
async def family(world_db):
    made = await world.a_family(parents=2)
    await world.a_budget(made, euros=250)
    return made


async def a_full_session(**more):
    """A session of one seat, and the booking in it."""
    session, first = await world.a_session(seats=1, **more), await world.a_family()
    await world.a_budget(first)
    request = BookingRequest(new_id(), first, session, tuple(await world.parents_of(first)))
    return session, (await actions.book(request, actor=None)).booking


def one(persons):
    return [str(persons[0])]


async def test_from_full_to_a_seat(app, family):
    """A full group offers the list; who waits sees its number, is told when there is a seat, and takes it with one press."""
    session, taken = await a_full_session(price_cents=4500)
    me = one(await world.parents_of(family))
    path = f"/bijeenkomsten/{session}/wachtlijst"
    async with visiting.parent(app, family) as parent:
        assert f'href="{path}"' in await parent.page(f"/bijeenkomsten/{session}")
        asked = await parent.submit(path, path, persons=me)
        assert (asked.status_code, asked.headers["location"]) == (303, "/inschrijvingen?melding=wachtlijst")
        assert "U bent als eerste aan de beurt." in await parent.page("/inschrijvingen")
        assert "U staat op de wachtlijst." in await parent.page(f"/bijeenkomsten/{session}")
        await actions.cancel(taken, actor=None)
        await waiting.offer_free_seats()
        (place,) = await line.waiting_of(family)
        address = f"/wachtlijst/{place.entry}"
        assert f'href="{address}"' in await parent.page("/mijn")
        assert f'href="{address}"' in await parent.page("/inschrijvingen")
        taken_now = await parent.submit(address, f"{address}/aannemen")
        assert taken_now.headers["location"] == f"/inschrijvingen/{place.booking}?melding=ingeschreven"
        again = await parent.post(f"{address}/aannemen")
        assert again.headers["location"] == "/inschrijvingen?melding=te-laat"
        assert "Gelukt" in await parent.page(f"/inschrijvingen/{place.booking}")
    assert await count("SELECT count(*) FROM booking WHERE family = $1 AND state = 'confirmed'", family) == 1


@pytest.mark.parametrize(
    ("answer", "told", "state"),
    [("afwijzen", "wacht-verder", "waiting"), ("verlaten", "wachtlijst-af", "left")],
)
async def test_saying_no_costs_nothing(app, family, answer, told, state):
    """No to this date, or off the list: the seat is free again and the page says what happened."""
    session, taken = await a_full_session()
    entry = new_id()
    persons = tuple(await world.parents_of(family))[:1]
    await waiting.join(waiting.WaitingOrder(entry, family, session, persons), actor=None)
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    async with visiting.parent(app, family) as parent:
        done = await parent.submit(f"/wachtlijst/{entry}", f"/wachtlijst/{entry}/{answer}")
        assert done.headers["location"] == f"/inschrijvingen?melding={told}"
        page = await parent.page("/inschrijvingen")
        assert ("Van de wachtlijst af" in page) == (state == "waiting")
    assert await count("SELECT seats_taken FROM course_session WHERE id = $1", session) == 0
    assert await count("SELECT count(*) FROM waiting_entry WHERE state = $1", state) == 1


async def test_without_a_date_to_come_nobody_is_next(app, family):
    """Once its course began, a family at the head of the line reads that no date is planned, until there is one again."""
    session, _ = await a_full_session()
    persons = tuple(await world.parents_of(family))[:1]
    await waiting.join(waiting.WaitingOrder(new_id(), family, session, persons), actor=None)
    async with visiting.parent(app, family) as parent:
        assert "U bent als eerste aan de beurt." in await parent.page("/inschrijvingen")
    (place,) = await line.waiting_of(family)
    with clock.travelling(clock.now() + timedelta(days=31)):
        async with visiting.parent(app, family) as parent:
            told = await parent.page("/inschrijvingen")
            assert "Er staat nu geen andere datum gepland." in told
            assert "aan de beurt" not in told
            begun = await parent.page(f"/bijeenkomsten/{session}")
            assert "Deze bijeenkomst is al begonnen." in begun
            assert ">Kosten</h2>" in begun
            assert "vrij." not in begun
            await world.a_session(course=place.course, meetings=[world.in_days(30)])
            assert "U bent als eerste aan de beurt." in await parent.page("/inschrijvingen")


async def test_why_one_was_passed_over_is_told(app, family):
    """A couple that needed two seats reads that there was one."""
    session, taken = await a_full_session()
    await waiting.join(
        waiting.WaitingOrder(new_id(), family, session, tuple(await world.parents_of(family))), actor=None
    )
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    async with visiting.parent(app, family) as parent:
        assert "er waren minder plaatsen vrij dan u nodig hebt" in await parent.page("/inschrijvingen")


async def test_a_kept_seat_leads_to_the_list(app, family):
    """Somebody else waits for the seat that became free: the page says so, and the booking form refuses with a sentence."""
    session, taken = await a_full_session()
    other = await world.a_family()
    await world.a_budget(other)
    await waiting.join(waiting.WaitingOrder(new_id(), other, session, tuple(await world.parents_of(other))), actor=None)
    await actions.cancel(taken, actor=None)
    me = one(await world.parents_of(family))
    async with visiting.parent(app, family) as parent:
        page = await parent.page(f"/bijeenkomsten/{session}")
        assert "Die is eerst voor gezinnen op de wachtlijst." in page
        assert "Op de wachtlijst" in page
        values = {"booking_id": str(new_id()), "persons": me}
        refused = await parent.post(f"/bijeenkomsten/{session}/inschrijven", values)
        assert refused.status_code == 409
        assert "eerst voor gezinnen op de wachtlijst" in refused.text


async def test_wrong_answers_come_back(app, family):
    """Nobody chosen, impossible children, waiting twice: the form keeps its values and says what to change."""
    session, _ = await a_full_session(childcare={"a4_8": 3})
    me = one(await world.parents_of(family))
    path = f"/bijeenkomsten/{session}/wachtlijst"
    async with visiting.parent(app, family) as parent:
        for changes, status, sentence in (
            ({"persons": []}, 422, "Kies wie er komt."),
            ({"persons": me, "children-a4_8": "veel"}, 422, "Vul een aantal in, zoals 1."),
            ({"persons": me, "children-a4_8": "99"}, 422, "Het aantal kinderen voor de opvang klopt niet."),
        ):
            answer = await parent.submit(path, path, **changes)
            assert (answer.status_code, sentence in answer.text) == (status, True), sentence
        first = await parent.submit(path, path, persons=me, **{"children-a4_8": "1"})
        assert first.status_code == 303
        twice = await parent.submit(path, path, persons=me)
        assert (twice.status_code, "U staat al op de wachtlijst" in twice.text) == (409, True)
    assert await count("SELECT count(*) FROM waiting_entry") == 1


async def test_what_is_over_offers_no_list(app, family):
    """Called off or begun: nothing to wait for."""
    session, _ = await a_full_session()
    path = f"/bijeenkomsten/{session}"
    async with visiting.parent(app, family) as parent:
        starts = await world.a_session(seats=1, meetings=[world.in_days(1)])
        assert "/wachtlijst" in await parent.page(path)
        await actions.cancel_session(session, reason="ziek", actor=None)
        assert "/wachtlijst" not in await parent.page(path)
    with clock.travelling(clock.now() + timedelta(days=2)):
        async with visiting.parent(app, family) as parent:
            assert "/wachtlijst" not in await parent.page(f"/bijeenkomsten/{starts}")


async def test_a_dialogue_without_seats_for_parents_offers_the_list(app, family):
    """Seats for professionals are no seats for parents: the page says so, and one can wait."""
    session = await world.a_dialogue()
    for _ in range(3):
        other = await world.a_family()
        request = BookingRequest(new_id(), other, session, tuple(await world.parents_of(other)))
        await actions.book(request, actor=None)
    async with visiting.parent(app, family) as parent:
        page = await parent.page(f"/bijeenkomsten/{session}")
        assert "De plaatsen voor pleegouders zijn bezet." in page
        assert f"/bijeenkomsten/{session}/wachtlijst" in page
        assert f"/bijeenkomsten/{session}/inschrijven" not in page
