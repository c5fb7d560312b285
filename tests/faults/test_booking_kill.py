"""The website and PostgreSQL are killed while people book, wait and answer: what was acknowledged stands, once (I5, I6)."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import median

import httpx
import pytest

from entrypoints.cli.commanding import COMMAND, on
from entrypoints.http.browsing import ORIGIN, application, client_for, running
from faults.embedded_program import postmaster
from faults.load import a_load, everything_stands, pressed
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.running import migrate, prepare_embedded
from scale import DATABASE_KILLS, WEB_KILLS

POOL = 8
WEB_BACK_SECONDS, DATABASE_BACK_SECONDS = 5.0, 20.0
"""Within this time after a kill people have booked again, twenty times (reliability section 3).

Most of the website's return is the start of Python: on a machine that is busy with other things, twice the time that
its first start took there.
"""


@asynccontextmanager
async def durable_database(home) -> AsyncIterator[None]:
    """A server that writes to disk what it acknowledges, with the tables and an open pool."""
    with EmbeddedServer.start(home / "data") as server:
        dsns = await prepare_embedded(server)
        await migrate(dsns)
        await open_pool(dsns.app, size=POOL)
        try:
            yield
        finally:
            await close_pool()


async def test_killing_the_database_loses_nothing_that_was_acknowledged(home):
    """Five times kill -9 of a durable PostgreSQL under load: it comes back, and bookings and places in line are as told."""

    async def kill():
        os.kill(postmaster(home / "data"), signal.SIGKILL)

    async with durable_database(home), running(application()) as app, client_for(app, headers=ORIGIN) as client:
        load = await a_load(client)
        assert max(await pressed(load, kill, DATABASE_KILLS)) < DATABASE_BACK_SECONDS
        await everything_stands(load)


class Website:
    """The website in a process of its own, always on the same port.

    `command`: gives the command line for words; the real command, where its start and a `kill -9` are the claim.
    """

    def __init__(self, database, command=lambda *words: [*COMMAND, *words]):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.origin = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.environment, self.command = on(database), command
        self.process = None
        self.start()

    def start(self):
        """Serve."""
        command = self.command("serve", "--port", self.origin.rpartition(":")[2])
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)

    async def answers(self) -> float:
        """Wait until it answers; the seconds it took."""
        began = time.monotonic()
        async with self.visited(timeout=5) as visitor, asyncio.timeout(60):
            while True:
                with suppress(httpx.TransportError):
                    await visitor.get("/api/v1/health")
                    return time.monotonic() - began
                await asyncio.sleep(0.02)

    def kill(self):
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def visited(self, **options) -> httpx.AsyncClient:
        """A browser-like client of it."""
        return httpx.AsyncClient(base_url=self.origin, headers={"Origin": self.origin}, **options)


@pytest.fixture
def website(world_db):
    """The website on the test's database."""
    site = Website(world_db)
    yield site
    site.kill()


async def test_killing_the_website_loses_nothing_that_was_acknowledged(world_db, website):
    """Ten times kill -9 of the web process under load: people ask again under the same id, and everything stands once."""

    async def kill():
        website.kill()
        website.start()

    first = await website.answers()
    async with website.visited(timeout=20) as client:
        load = await a_load(client)
        waited = await pressed(load, kill, WEB_KILLS)
        await everything_stands(load)
    assert median(waited) < max(WEB_BACK_SECONDS, 2 * first)
