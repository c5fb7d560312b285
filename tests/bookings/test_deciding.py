"""Whether a session goes on is decided on the numbers of that moment, once, whoever else is at work."""

import asyncio
from datetime import timedelta

import world
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value, together
from leerbudget.foundation.ids import new_id


async def a_request(session):
    family = await world.a_family()
    await world.a_budget(family)
    return BookingRequest(id=new_id(), family=family, session=session, persons=tuple(await world.parents_of(family)))


async def test_two_workers_decide_every_session_once(world_db):
    """A second worker that finds a session decided on passes on to the next, without a complaint."""
    enough = [await world.a_session() for _ in range(3)]
    for session in enough:
        await actions.book(await a_request(session), actor=None)
    empty = await world.a_session()
    with clock.travelling(clock.now() + timedelta(days=24)):
        one, other = await asyncio.gather(actions.decide_sessions(), actions.decide_sessions())
    assert sorted(one[0] + other[0]) == sorted(enough)
    assert one[1] + other[1] == [empty]


async def test_a_seat_sold_during_the_decision_counts(world_db):
    """The family that makes the group large enough just before the decision is not sent home."""
    session = await world.a_session(seats_min=2)
    await actions.book(await a_request(session), actor=None)
    second, booked = await a_request(session), asyncio.Event()

    async def book_slowly():
        async with together():
            await actions.book(second, actor=None)
            booked.set()
            await asyncio.sleep(0.3)

    with clock.travelling(clock.now() + timedelta(days=24)):
        slow = asyncio.create_task(book_slowly())
        await booked.wait()
        assert await actions.decide_sessions() == ([session], [])
        await slow
    assert await fetch_value("SELECT state FROM booking WHERE id = $1", second.id) == "confirmed"


async def test_a_seat_given_up_during_the_decision_counts(world_db):
    """A group that just became too small does not go on."""
    session = await world.a_session(seats_min=2)
    requests = [await a_request(session) for _ in range(2)]
    for request in requests:
        await actions.book(request, actor=None)
    given_up = asyncio.Event()

    async def cancel_slowly():
        async with together():
            await actions.cancel(requests[0].id, actor=None)
            given_up.set()
            await asyncio.sleep(0.3)

    with clock.travelling(clock.now() + timedelta(days=24)):
        slow = asyncio.create_task(cancel_slowly())
        await given_up.wait()
        assert await actions.decide_sessions() == ([], [session])
        await slow
    assert await queries.inconsistencies() == []
