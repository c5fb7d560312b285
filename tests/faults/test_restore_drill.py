"""The restore drill: data destroyed while people book, brought back to a moment (reliability section 3)."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest

from crowd import Parent, parents, sessions, spread
from entrypoints.cli.commanding import COMMAND, complaint, environment, forked
from faults.embedded_ground import value
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation import clock
from leerbudget.foundation.database import close_pool, fetch_all, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.running import embedded_dsns, migrate, prepare_embedded
from leerbudget.ledger import queries as ledger

DRILLS = int(os.environ.get("RESTORE_DRILLS", "1"))
"""How often; one with every run of the tests, twenty before a release (`RESTORE_DRILLS=20`)."""

CLIENTS = 4
SEATS = 20
PAUSE_SECONDS = 0.02
"""Between two bookings of one client, so that there is something left to book when the copying is slow."""

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Told:
    """A booking that was acknowledged: asked for and answered at these moments."""

    booking: UUID
    asked_at: datetime
    answered_at: datetime


class Desk:
    """People who book one after another until the place burns down; what they were told is written down elsewhere."""

    def __init__(self, crowd: list[Parent], rooms: list[UUID]) -> None:
        self.wanted = spread(crowd, rooms, SEATS)
        self.told: list[Told] = []

    async def book(self) -> None:
        """One client."""
        for each in self.wanted:
            booking, asked = new_id(), clock.now()
            request = BookingRequest(booking, each.parent.family, each.session, (each.parent.person,))
            await actions.book(request, actor=None)
            self.told.append(Told(booking, asked, clock.now()))
            await asyncio.sleep(PAUSE_SECONDS)

    async def goes_on(self, more: int = 25) -> None:
        """Wait until so many more bookings are acknowledged."""
        until, least = time.monotonic() + PATIENCE_SECONDS, len(self.told) + more
        while len(self.told) < least:
            assert time.monotonic() < until, "nobody could book any more"
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def open(self):
        """People book for the length of the block."""
        clients = [asyncio.create_task(self.book()) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            ends = await asyncio.gather(*clients, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


def on(data):
    """The environment of commands on this data directory."""
    return environment(LEERBUDGET_DATA_DIR=data)


async def log_is_brought(dsn, kept):
    """Close a piece of log, as the server itself does every minute, and wait until it is beside the backups."""
    piece = await value(dsn, "SELECT pg_walfile_name(pg_switch_wal())")
    until = time.monotonic() + PATIENCE_SECONDS
    while not list(kept.glob(f"log-*/{piece}.gz")):
        assert time.monotonic() < until, "the log does not arrive"
        await asyncio.sleep(0.02)
    return piece


def burn(owner, pid, data):
    """No shutdown, no last words: the server dies before its owner could stop it, and the data is gone."""
    owner.process.send_signal(signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    owner.kill()
    shutil.rmtree(data)


async def what_stands(data):
    """The bookings in the data directory, after every promise was looked at, and a booking made in it."""
    with EmbeddedServer.start(data) as server:
        await open_pool(embedded_dsns(server).app, size=2)
        try:
            assert await queries.inconsistencies() == []
            assert await ledger.check() == []
            found = {row["id"] for row in await fetch_all("SELECT id FROM booking WHERE state = 'confirmed'")}
            desk = Desk(await parents(SEATS), await sessions([SEATS]))
            await desk.book()
            assert len(desk.told) == SEATS
        finally:
            await close_pool()
    return found


@pytest.mark.parametrize("number", range(DRILLS))
async def test_restored_to_a_moment_under_load(home, program, number):
    """What was acknowledged before the moment is there, nothing asked after it is, and every promise holds."""
    data, kept = home / "data", home / "kept"
    owner = program(data, kind="durable")
    facts = await asyncio.to_thread(owner.told)
    with EmbeddedServer.start(data) as guest:
        dsns = await prepare_embedded(guest)
        await migrate(dsns)
        await open_pool(dsns.app, size=CLIENTS)
        try:
            desk = Desk(await parents(100), await sessions([SEATS] * 200))
            async with desk.open():
                await desk.goes_on()
                done = await asyncio.to_thread(forked, "backup", kept, env=on(data))
                assert (done.returncode, done.stderr) == (0, "")
                await desk.goes_on()
                moment = clock.now()
                await desk.goes_on()
                middle = await log_is_brought(facts["dsn"], kept)
                await desk.goes_on()
                brought_from = clock.now()
                await log_is_brought(facts["dsn"], kept)
                await desk.goes_on()
        finally:
            await close_pool()
    burn(owner, facts["pid"], data)

    back = await asyncio.to_thread(forked, "restore", kept, "--to", home / "back", "--until", moment.isoformat())
    assert (back.returncode, back.stderr) == (0, ""), back.stdout + back.stderr
    assert [line[:4] for line in back.stdout.splitlines()[-7:]] == ["ok  "] * 7
    stands = await what_stands(home / "back")
    assert {one.booking for one in desk.told if one.answered_at < moment} <= stands
    assert not {one.booking for one in desk.told if one.asked_at > moment} & stands

    everything = await asyncio.to_thread(forked, "restore", kept, "--to", home / "all")
    assert (everything.returncode, everything.stderr) == (0, ""), everything.stdout + everything.stderr
    stands = await what_stands(home / "all")
    assert {one.booking for one in desk.told if one.answered_at < brought_from} <= stands
    assert len(stands) < len(desk.told)  # the last piece was not brought yet: what a lost disk takes along

    next(kept.glob(f"log-*/{middle}.gz")).unlink()
    for words in ((), ("--until", brought_from.isoformat())):
        hole = await asyncio.to_thread(forked, "restore", kept, "--to", home / "hole", *words)
        assert middle in complaint(hole, 1)
        assert not (home / "hole").exists()


async def test_a_killed_backup_leaves_nothing_that_a_restore_takes(home, program):
    """After kill -9 halfway there is no backup, under whatever name; the next backup clears it away and is whole."""
    data, kept = home / "data", home / "kept"
    await asyncio.to_thread(program(data, kind="durable").told)
    process = subprocess.Popen(  # noqa: ASYNC220 - it is killed, not waited for
        [*COMMAND, "backup", kept], env=on(data), stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while not (begun := [file for file in kept.glob(".unfinished-*/base.tar.gz") if file.stat().st_size > 100_000]):
        assert time.monotonic() < until
        assert process.poll() is None
        await asyncio.sleep(0.005)
    process.kill()
    await asyncio.to_thread(process.wait)
    for place in (kept, begun[0].parent):
        refused = await asyncio.to_thread(forked, "restore", place, "--to", home / "back")
        assert "[not_a_backup]" in complaint(refused, 1)
        assert not (home / "back").exists()
    await asyncio.sleep(1)  # the server ends the killed client's copy
    done = await asyncio.to_thread(forked, "backup", kept, env=on(data))
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(kept.glob(".unfinished-*"))
    assert len(list(kept.glob("*Z/backup.json"))) == 1
