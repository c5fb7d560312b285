"""The worker is killed while it offers free seats and lets offers lapse: every promise holds, nobody is asked twice."""

import asyncio
import random
import subprocess
from contextlib import contextmanager

import world
from crowd import parents, sessions
from entrypoints.cli.commanding import COMMAND, on
from faults.test_outbox_kill import until
from leerbudget.bookings import actions, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from scale import WORKER_KILLS

SEATS, IN_LINE = 2, 5
KILLS = -(-WORKER_KILLS // 2)
"""While seats are offered, and as often while offers lapse and the next in line is asked."""
ROOMS = 25 * KILLS
"""Sessions with a line: enough for a worker to be in the middle of it at every kill."""
PATIENCE_SECONDS = 60 + ROOMS / 2
"""For all of them by one worker, also on a machine that does other work."""
AT_LEAST = 10
"""Bookings that changed before a worker is killed."""


@contextmanager
def worker(database):
    """A worker process of ours; killed at the end."""
    process = subprocess.Popen([*COMMAND, "worker"], env=on(database), stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def lines_for_free_seats():
    """Sessions of which every seat was given up, each with five families in line; nobody was asked yet."""
    crowd = await parents(ROOMS + IN_LINE)
    rooms = await sessions([SEATS] * ROOMS, courses=[await world.a_course() for _ in range(ROOMS)])
    for n, room in enumerate(rooms):
        holders = [BookingRequest(new_id(), p.family, room, (p.person,)) for p in crowd[n : n + SEATS]]
        for holder in holders:
            await actions.book(holder, actor=None)
        for place in range(IN_LINE):
            parent = crowd[(n + SEATS + place) % len(crowd)]
            await waiting.join(WaitingOrder(new_id(), parent.family, room, (parent.person,)), actor=None)
        for holder in holders:
            await actions.cancel(holder.id, actor=None)


async def states():
    """How many bookings from the waiting list there are in each state."""
    rows = await fetch_all("SELECT state, count(*) AS n FROM booking WHERE origin = 'waiting' GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def killed_in_the_middle(database, state, most):
    """Workers are started and killed at moments by chance, each after it did some of the work, before it is done."""
    chance = random.Random(most)  # noqa: S311 - moments, no secret
    for _ in range(KILLS):
        least = (await states()).get(state, 0) + AT_LEAST

        async def some_done(least=least):
            return (await states()).get(state, 0) >= least

        with worker(database):
            await until(some_done)
            await asyncio.sleep(chance.uniform(0, 0.05))
    assert (await states())[state] < most


async def everything_is_right():
    """Every promise holds, every seat is offered, and nobody was asked twice for one session or told so twice."""
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
    assert await fetch_value("SELECT count(*) FROM course_session WHERE seats_taken <> $1", SEATS) == 0
    twice = "SELECT family FROM booking WHERE origin = 'waiting' GROUP BY family, session HAVING count(*) > 1"
    assert await fetch_all(twice) == []
    letters = "SELECT count(*) FROM outbox_message WHERE kind = 'place_offered'"
    assert await fetch_value(letters) == sum((await states()).values())
    read = await fetch_all("SELECT message_id, count(*) FROM mailbox_message GROUP BY message_id HAVING count(*) > 1")
    assert read == []


async def test_a_worker_killed_while_it_offers_seats_or_lets_offers_lapse_leaves_nothing_half_done(world_db, admin):
    """Kill -9 of real workers in the middle of offering and of lapsing; the last one finishes, and each seat is offered once."""
    await lines_for_free_seats()
    all_seats = ROOMS * SEATS
    await killed_in_the_middle(world_db, "offered", all_seats)

    async def all_offered():
        return (await states()).get("offered", 0) == all_seats

    with worker(world_db):
        await until(all_offered, seconds=PATIENCE_SECONDS)
    await everything_is_right()
    await admin.execute("UPDATE booking SET offered_until = now() - interval '1 second' WHERE state = 'offered'")
    await killed_in_the_middle(world_db, "expired", all_seats)

    async def all_moved_on():
        return await states() == {"expired": all_seats, "offered": all_seats}

    with worker(world_db):
        await until(all_moved_on, seconds=PATIENCE_SECONDS)
    await everything_is_right()
