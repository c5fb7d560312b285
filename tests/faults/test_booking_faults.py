"""Connections that are cut, a worker that hangs, an answer at the last second: nothing half, nothing twice (I4, I6)."""

import asyncio
import time
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest

from crowd import parents, sessions
from entrypoints.http.browsing import ORIGIN, client_for
from faults.load import a_load, everything_stands, pressed
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import OfferLapsed
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger

CUTS, RACES = 20, 50


async def nothing_is_wrong():
    """Every promise about seats, money and time holds."""
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def test_cutting_every_connection_loses_nothing_that_was_acknowledged(app, admin):
    """Twenty times every connection of the application is ended under load: what was acknowledged stands, once."""

    async def cut():
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'leerbudget_app' AND datname = current_database()"
        )

    async with client_for(app, headers=ORIGIN) as client:
        load = await a_load(client)
        await pressed(load, cut, CUTS)
        await everything_stands(load)


async def test_a_process_that_hangs_holding_a_seat_delays_others_for_seconds_only(world_db):
    """A transaction that stands still with a session's row is ended by the server; whoever waited books after it."""
    (parent,) = await parents(1)
    (session,) = await sessions([1])
    hanging = await asyncpg.connect(world_db.dsns.app)
    try:
        await hanging.execute("BEGIN")
        await hanging.execute("UPDATE course_session SET seats_taken = 1 WHERE id = $1", session)
        request = BookingRequest(new_id(), parent.family, session, (parent.person,))
        began = time.monotonic()
        assert (await again(lambda: actions.book(request, actor=None))).state == "confirmed"
        assert time.monotonic() - began > 2  # it did wait; the time limits are the roles' own
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await hanging.execute("COMMIT")
    finally:
        await hanging.close()
    assert await fetch_value("SELECT id FROM booking") == request.id
    await nothing_is_wrong()


async def outcome(work):
    """What became of it: done, or lapsed."""
    try:
        await work
    except OfferLapsed:
        return "lapsed"
    return "done"


async def test_an_answer_at_the_deadline_and_the_expiry_never_both_happen(world_db):
    """Fifty offers are accepted, declined and expired at the same moment: each ends in one way, with seat and money to match."""
    crowd, rooms = await parents(RACES), await sessions([1] * RACES)
    until = clock.now() + timedelta(days=3)
    requests = [
        BookingRequest(new_id(), parent.family, room, (parent.person,), offered_until=until)
        for parent, room in zip(crowd, rooms, strict=True)
    ]
    for request in requests:
        await actions.book(request, actor=None)

    async def expired():
        with clock.travelling(until + timedelta(seconds=1)):
            await actions.expire_offers()
        return "done"

    answers = [
        outcome(verb(request.id, actor=None)) for request in requests for verb in (actions.accept, actions.decline)
    ]
    told = await asyncio.gather(*answers[:RACES], *(expired() for _ in range(3)), *answers[RACES:])
    states = Counter(row["state"] for row in await fetch_all("SELECT state FROM booking"))
    assert set(states) <= {"confirmed", "declined", "expired"}
    assert sum(states.values()) == RACES
    answered = Counter(told[:RACES] + told[RACES + 3 :])
    assert answered["done"] == states["confirmed"] + states["declined"]
    assert await fetch_value("SELECT sum(seats_taken) FROM course_session") == states["confirmed"]
    await nothing_is_wrong()
