"""People who book, wait and answer over the API while something is being killed.

Who gets no answer, or hears that it is busy, asks again under the same id until there is one. What was
acknowledged is written down here, and is compared with what stands in the database at the end.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

import world
from crowd import Parent, Wanted, log_in, parents, sessions, spread
from leerbudget.bookings import queries, waiting
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger

BOOKERS, LINES = 6, 2
"""Who books one session after another, and how many sessions have a line of people who wait for their one seat."""
IN_LINE = 4
SEATS = 20
PATIENCE_SECONDS = 120.0
NOBODY_THERE_SECONDS = 0.1
"""Until somebody tries again to connect; who tries without end takes from the website what it needs to start."""
LOOKS = 400
"""How often somebody looks for an offer; only looks that were answered count, so that a kill costs nobody a seat."""


_STANDS = """
SELECT e.state, e.asked_at, e.booking, t.refused, t.tried_at, s.state AS session, s.seats_taken, s.seats_max, s.freed_at
FROM course_session s LEFT JOIN waiting_entry e ON e.id = $1 LEFT JOIN waiting_try t ON t.entry = e.id
WHERE s.id = $2
"""


@dataclass
class Load:
    """What people ask, and what they were told: the state of each booking and of each place in line."""

    client: httpx.AsyncClient
    wanted: Iterator[Wanted]
    lines: Sequence[tuple[UUID, Sequence[Parent]]]
    bookings: dict[UUID, str] = field(default_factory=dict)
    entries: dict[UUID, str] = field(default_factory=dict)
    booked: int = 0
    asked_again: int = 0
    enough: bool = False

    async def ask(self, parent: Parent, method: str, path: str, status: int, body: Any = None) -> Any:
        """The answer, however often it must be asked for; 503 is the only refusal that nobody brought on themselves."""
        cookie = {"Cookie": f"leerbudget={parent.token}"}
        while True:
            try:
                answer = await self.client.request(method, f"/api/v1{path}", json=body, headers=cookie)
            except httpx.TransportError:
                await asyncio.sleep(NOBODY_THERE_SECONDS)
            else:
                if answer.status_code != 503:
                    break
                assert int(answer.headers["retry-after"]) > 0
            self.asked_again += 1
            await asyncio.sleep(0.02)
        assert answer.status_code == status, (method, path, answer.text)
        return answer.json() if answer.content else None

    async def book(self, parent: Parent, session: UUID) -> UUID:
        """One seat."""
        booking = new_id()
        order = {"id": str(booking), "course_session": str(session), "persons": [str(parent.person)]}
        await self.ask(parent, "POST", f"/families/{parent.family}/bookings", 201, order)
        self.bookings[booking] = "confirmed"
        return booking

    async def book_on(self) -> None:
        """Book until it is enough."""
        for each in self.wanted:
            await self.book(each.parent, each.session)
            self.booked += 1
            if self.enough:
                return

    async def wait_on(self, session: UUID, line: Sequence[Parent]) -> None:
        """The one seat goes from hand to hand: given up, offered to who waits, and taken, or refused and booked anew.

        Somebody else joins the line and leaves it before the seat is free.
        """
        holder = line[0]
        booking = await self.book(holder, session)
        for turn, parent in enumerate(itertools.cycle([*line[1:], line[0]])):
            if self.enough:
                return
            entry = await self._join(parent, session)
            other = await self._join(line[(turn + 2) % len(line)], session)
            await self._leave(line[(turn + 2) % len(line)], other)
            await self.ask(holder, "PUT", f"/bookings/{booking}/cancellation", 200)
            self.bookings[booking] = "cancelled"
            booking = await self._answered(parent, entry, session, refused=turn % 3 == 2)
            holder = parent

    async def _join(self, parent: Parent, session: UUID) -> UUID:
        entry = new_id()
        order = {"id": str(entry), "course_session": str(session), "persons": [str(parent.person)]}
        await self.ask(parent, "POST", f"/families/{parent.family}/waiting-entries", 201, order)
        self.entries[entry] = "waiting"
        return entry

    async def _leave(self, parent: Parent, entry: UUID) -> None:
        await self.ask(parent, "DELETE", f"/waiting-entries/{entry}", 204)
        self.entries[entry] = "left"

    async def _answered(self, parent: Parent, entry: UUID, session: UUID, *, refused: bool) -> UUID:
        """Wait for the offer and answer it; the booking that the parent has then."""
        for _ in range(LOOKS):
            told = await self.ask(parent, "GET", f"/families/{parent.family}/waiting-entries", 200)
            (place,) = (each for each in told["items"] if each["id"] == str(entry))
            if place["state"] == "offered":
                break
            await asyncio.sleep(0.05)
        else:
            stands = await fetch_all(_STANDS, entry, session)
            raise AssertionError(f"nobody offered the free seat: {[dict(row) for row in stands]}")
        booking = UUID(place["booking"])
        if not refused:
            await self.ask(parent, "PUT", f"/waiting-entries/{entry}/acceptance", 200)
            self.entries[entry], self.bookings[booking] = "served", "confirmed"
            return booking
        await self.ask(parent, "PUT", f"/waiting-entries/{entry}/refusal", 200)
        self.bookings[booking] = "declined"
        await self._leave(parent, entry)
        return await self.book(parent, session)

    async def offer_on(self, lines: Sequence[asyncio.Task[None]]) -> None:
        """What the worker does for them, in this process, until nobody stands in line or is about to: their turn ends."""
        while not all(line.done() for line in lines):
            try:
                await waiting.offer_free_seats()
            except Busy:
                self.asked_again += 1
            await asyncio.sleep(0.05)

    async def goes_on(self, more: int = 20) -> float:
        """Wait until so many more bookings are acknowledged; the seconds it took."""
        began, least = time.monotonic(), self.booked + more
        while self.booked < least:
            assert time.monotonic() - began < PATIENCE_SECONDS, "nobody could book any more"
            await asyncio.sleep(0.01)
        return time.monotonic() - began


async def a_load(client: httpx.AsyncClient, rooms: int = 400) -> Load:
    """A crowd with logins, and sessions for it: `rooms` to book, and a few with a line, each of a course of its own."""
    crowd = await parents(100)
    waiters = await parents(LINES * IN_LINE)
    await log_in(crowd + waiters)
    scarce = await sessions([1] * LINES, courses=[await world.a_course() for _ in range(LINES)])
    lines = [(session, waiters[n * IN_LINE : (n + 1) * IN_LINE]) for n, session in enumerate(scarce)]
    return Load(client, spread(crowd, await sessions([SEATS] * rooms), SEATS), lines)


async def pressed(load: Load, kill: Callable[[], Awaitable[None]], times: int) -> list[float]:
    """People go on while `kill` is called so many times at moments by chance; the seconds until they could book again."""
    chance = random.Random(times)  # noqa: S311 - moments, no secret
    async with asyncio.TaskGroup() as tasks:
        for _ in range(BOOKERS):
            tasks.create_task(load.book_on())
        lines = [tasks.create_task(load.wait_on(session, line)) for session, line in load.lines]
        tasks.create_task(load.offer_on(lines))
        await load.goes_on()
        waited = []
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            await kill()
            waited.append(await load.goes_on())
        load.enough = True
    return waited


async def everything_stands(load: Load) -> None:
    """Every acknowledged booking and place in line is there, once and as it was told; no other is; every promise holds."""
    assert {row["id"]: row["state"] for row in await fetch_all("SELECT id, state FROM booking")} == load.bookings
    assert {row["id"]: row["state"] for row in await fetch_all("SELECT id, state FROM waiting_entry")} == load.entries
    assert {"served", "left"} == set(load.entries.values())
    assert load.asked_again > 0
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
