"""The web process and PostgreSQL are killed while people book: what was acknowledged stands, once (I5, I6)."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

import httpx
import pytest

from crowd import log_in, parents, sessions, spread
from entrypoints.cli.commanding import COMMAND, on
from faults.embedded_program import postmaster
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation.database import close_pool, fetch_all, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.running import migrate, prepare_embedded
from leerbudget.ledger import queries as ledger

CLIENTS = 8
SEATS = 20
DATABASE_KILLS, WEB_KILLS = 5, 10
PATIENCE_SECONDS = 60.0
BACK_SECONDS = 20.0
"""Within this time people book again after a kill (reliability section 3, for PostgreSQL; the website has less to do)."""


@dataclass
class Load:
    """People who book one after another, and again under the same id when nobody answered."""

    wanted: object
    acknowledged: list = field(default_factory=list)
    asked_again: int = 0
    enough: bool = False

    async def book_on(self, ask):
        """Book until it is enough; `ask` raises ConnectionError when nobody answered."""
        for each in self.wanted:
            booking = new_id()
            while True:
                try:
                    await ask(booking, each)
                    break
                except ConnectionError:
                    self.asked_again += 1
                    await asyncio.sleep(0.02)
            self.acknowledged.append(booking)
            if self.enough:
                return

    async def goes_on(self, more=20):
        """Wait until so many more bookings are acknowledged; the seconds it took."""
        began, least = time.monotonic(), len(self.acknowledged) + more
        while len(self.acknowledged) < least:
            assert time.monotonic() - began < PATIENCE_SECONDS, "nobody could book any more"
            await asyncio.sleep(0.01)
        return time.monotonic() - began


async def everything_stands(acknowledged):
    """Every acknowledged booking is there once, no other is, and every promise holds."""
    rows = await fetch_all("SELECT id, state FROM booking")
    assert {row["id"]: row["state"] for row in rows} == dict.fromkeys(acknowledged, "confirmed")
    assert len(acknowledged) == len(set(acknowledged))
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def pressed(load, ask, kill, times):
    """Clients book while `kill` is called so many times at moments by chance; the seconds until they could go on."""
    chance = random.Random(times)  # noqa: S311 - moments, no secret
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CLIENTS):
            tasks.create_task(load.book_on(ask))
        await load.goes_on()
        waited = []
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            await kill()
            waited.append(await load.goes_on())
        load.enough = True
    return waited


async def test_killing_the_database_loses_no_acknowledged_booking(home):
    """Five times kill -9 of a durable PostgreSQL under load: it comes back, and every booking that was acknowledged stands."""
    with EmbeddedServer.start(home / "data") as server:
        dsns = await prepare_embedded(server)
        await migrate(dsns)
        await open_pool(dsns.app, size=CLIENTS)
        try:
            load = Load(spread(await parents(100), await sessions([SEATS] * 400), SEATS))

            async def ask(booking, each):
                try:
                    await actions.book(
                        BookingRequest(booking, each.parent.family, each.session, (each.parent.person,)), actor=None
                    )
                except Busy as failure:
                    raise ConnectionError from failure

            async def kill():
                os.kill(postmaster(home / "data"), signal.SIGKILL)

            assert max(await pressed(load, ask, kill, DATABASE_KILLS)) < BACK_SECONDS
            assert load.asked_again > 0
            await everything_stands(load.acknowledged)
        finally:
            await close_pool()


class Website:
    """The website in a process of its own, always on the same port."""

    def __init__(self, database):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = on(database)
        self.process = None
        self.start()

    def start(self):
        """Serve."""
        words = [*COMMAND, "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(words, env=self.environment, stdout=subprocess.DEVNULL)

    def kill(self):
        """End it at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def website(world_db):
    """The website on the test's database."""
    site = Website(world_db)
    yield site
    site.kill()


async def test_killing_the_website_loses_no_acknowledged_booking(world_db, website):
    """Ten times kill -9 of the web process under load: people ask again under the same id, and every booking stands once."""
    crowd = await parents(100)
    await log_in(crowd)
    load = Load(spread(crowd, await sessions([SEATS] * 400), SEATS))
    origin = f"http://127.0.0.1:{website.port}"
    async with httpx.AsyncClient(base_url=f"{origin}/api/v1", headers={"Origin": origin}, timeout=20) as client:

        async def ask(booking, each):
            order = {"id": str(booking), "course_session": str(each.session), "persons": [str(each.parent.person)]}
            cookie = {"Cookie": f"leerbudget={each.parent.token}"}
            try:
                answer = await client.post(f"/families/{each.parent.family}/bookings", json=order, headers=cookie)
            except httpx.TransportError as failure:
                raise ConnectionError from failure
            assert answer.status_code == 201, answer.text

        async def kill():
            website.kill()
            website.start()

        assert max(await pressed(load, ask, kill, WEB_KILLS)) < BACK_SECONDS
    assert load.asked_again > 0
    await everything_stands(load.acknowledged)
