"""The disk is full: who asks hears that it is busy, nothing is half done, and it goes on by itself once there is room."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from crowd import log_in, parents, sessions
from entrypoints.http.browsing import ORIGIN, application, client_for, running
from faults.embedded_ground import ROOT
from leerbudget.bookings import actions, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation.database import close_pool, fetch_all, fetch_value, open_pool
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from without import changed_function

FULL = "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';\n  "
PLACES = (
    ("catalogue", "take_seats", "-- a dialogue has seats per party as well"),
    ("bookings", "book", "-- and the money for it"),
    ("bookings", "book", "IF _wish IS NOT NULL THEN\n    PERFORM rooms.mark_wish"),
)
"""Where the disk turns out to be full: after the seat, after the booking, after the money."""


async def ask(client, parent, session, key):
    """The answer to one request for a seat."""
    order = {"id": str(key), "course_session": str(session), "persons": [str(parent.person)]}
    path, cookie = f"/api/v1/families/{parent.family}/bookings", {"Cookie": f"leerbudget={parent.token}"}
    return await client.post(path, json=order, headers=cookie)


def told_to_come_back(answer):
    """503 with a time to come back, as a problem document."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["code"] == "busy"


async def nothing_is_wrong():
    """Every promise about seats, money and time holds."""
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def everything():
    """Seats, bookings, money, places in line and letters."""
    tables = ("booking", "booking_person", "attendance", "transfer", "waiting_entry", "waiting_try", "outbox_message")
    counts = [await fetch_value(f"SELECT count(*) FROM {table}") for table in tables]
    return counts, await fetch_all("SELECT id, seats_taken FROM course_session ORDER BY id")


@pytest.mark.parametrize("place", PLACES, ids=("after the seat", "after the booking", "after the money"))
async def test_a_booking_for_which_there_is_no_room_is_not_made(app, admin, place):
    """Wherever PostgreSQL runs out of room: 503 with Retry-After, no seat, no money, no letter; with room it is made."""
    (parent,), (session,) = await parents(1), await sessions([1])
    await log_in([parent])
    before, key = await everything(), new_id()
    await admin.execute(changed_function(*place, FULL + place[2]))
    async with client_for(app, headers=ORIGIN) as client:
        assert told_to_come_back(await ask(client, parent, session, key))
        assert await everything() == before
        await nothing_is_wrong()
        await admin.execute(changed_function(*place, place[2]))
        assert (await ask(client, parent, session, key)).status_code == 201
    await nothing_is_wrong()


async def test_seats_for_which_there_is_no_room_are_offered_later(world_db, admin):
    """The worker's offer of a free seat is undone as a whole; the family is asked once there is room."""
    (session,), (holder, waiter) = await sessions([1]), await parents(2)
    taken = BookingRequest(new_id(), holder.family, session, (holder.person,))
    await actions.book(taken, actor=None)
    await waiting.join(WaitingOrder(new_id(), waiter.family, session, (waiter.person,)), actor=None)
    await actions.cancel(taken.id, actor=None)
    before, place = await everything(), PLACES[1]
    await admin.execute(changed_function(*place, FULL + place[2]))
    with pytest.raises(Busy):
        await waiting.offer_free_seats()
    assert await everything() == before
    await admin.execute(changed_function(*place, place[2]))
    assert len(await waiting.offer_free_seats()) == 1
    await nothing_is_wrong()


# --- a disk that really is full --------------------------------------------------------------------------------

ROOM_MEGABYTES = 128
BACK_SECONDS = 20
FULL_SECONDS = 3
"""Time for the server to fall and to try to get up, more than once, while there is no room."""
MOUNTED = (
    *("unshare", "--mount", "sh", "-c"),
    f'mount -t tmpfs -o size={ROOM_MEGABYTES}m,mode=711 tmpfs "$0" && exec "$@"',
)
"""Runs a command that alone sees a small disk in the given folder; the disk goes when the command ends."""


def can_mount():
    """Whether a process may have a small disk of its own here."""
    if not (ROOT and sys.platform == "linux" and shutil.which("unshare")):
        return False
    return subprocess.run([*MOUNTED, "/mnt", "true"], check=False, capture_output=True).returncode == 0


class SmallDisk:
    """A server on a small disk, in a process that alone can see that disk; others reach in through `/proc`."""

    def __init__(self, home, program):
        running = program(home / "data", "migrated", "durable", within=(*MOUNTED, str(home)))
        inside = f"/proc/{running.process.pid}/root{home}"
        self.ballast = Path(inside, "ballast")
        self.admin, self.app = (
            told.replace(f"host={quote(str(home))}", f"host={quote(inside)}")
            for told in (running.told()["dsn"], running.told()["app"])
        )

    def fill(self):
        """Leave not a single page."""
        with self.ballast.open("wb", buffering=0) as file:
            for size in (2**20, 2**12):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    async def fill_the_log_too(self):
        """Leave nothing of the segment that the server writes its log in: it cannot go on."""
        self.fill()
        admin = await asyncpg.connect(self.admin)
        with suppress(asyncpg.PostgresError, OSError):
            for _ in range(3):
                await admin.execute("SELECT pg_switch_wal()")
                await admin.execute("CREATE TABLE more (x int); DROP TABLE more")
        admin.terminate()


@dataclass
class Askers:
    """People who each ask for a seat; who was refused is remembered, and asks again."""

    client: httpx.AsyncClient
    wanted: Iterator[tuple]
    made: set = field(default_factory=set)
    refused: list = field(default_factory=list)

    async def ask(self, each):
        """Whether the seat was booked; the only other answer is to come back later."""
        answer = await ask(self.client, *each)
        if answer.status_code == 201:
            self.made.add(each[2])
            return True
        assert told_to_come_back(answer)
        return False

    async def book(self, times):
        """So many people ask; how many were refused."""
        for each in islice(self.wanted, times):
            if not await self.ask(each):
                self.refused.append(each)
        return len(self.refused)

    async def ask_again(self):
        """Everybody who was refused, under the same id, until it is done."""
        ends = time.monotonic() + BACK_SECONDS
        for each in self.refused:
            while not await self.ask(each):
                assert time.monotonic() < ends, "it did not go on"
                await asyncio.sleep(0.1)
        self.refused.clear()


@pytest.mark.skipif(not can_mount(), reason="only root on Linux, allowed to mount, can make a small disk for this")
async def test_a_full_disk_refuses_bookings_and_later_makes_them(home, program):
    """A disk of 128 MB is filled: 503. Its log has no room either: the server falls, and comes back once there is room."""
    disk = SmallDisk(home, program)
    await open_pool(disk.app, size=4)
    try:
        crowd, rooms = await parents(40), await sessions([20] * 40)
        await log_in(crowd)
        wanted = ((parent, room, new_id()) for room in rooms for parent in crowd[:20])
        async with running(application()) as app, client_for(app, headers=ORIGIN) as client:
            people = Askers(client, wanted)
            assert await people.book(20) == 0
            disk.fill()
            assert await people.book(100) > 20
            disk.ballast.unlink()
            await people.ask_again()
            await disk.fill_the_log_too()
            assert await people.book(5) == 5
            await asyncio.sleep(FULL_SECONDS)
            assert await people.book(5) == 10
            disk.ballast.unlink()
            await people.ask_again()
        assert {row["id"] for row in await fetch_all("SELECT id FROM booking")} == people.made
        await nothing_is_wrong()
    finally:
        await close_pool()
