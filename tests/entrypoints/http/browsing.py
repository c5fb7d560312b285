"""The web application in the test's own event loop, over a clean database.

A test folder gets the fixtures with `from entrypoints.http.browsing import app, client` in its conftest.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache

import httpx
import pytest
from litestar import Litestar

from leerbudget.app import create_app
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.settings import Settings
from leerbudget.identity import actions

BASE = "http://leerbudget.test"
ORIGIN = {"Origin": BASE}


def settings_for(base_url: str = BASE, **changes) -> Settings:
    """Settings of a test installation."""
    return replace(Settings.from_environment({"LEERBUDGET_ENV": "test"}), base_url=base_url, **changes)


@asynccontextmanager
async def running(made: Litestar) -> AsyncIterator[Litestar]:
    """The application between its start and its stop, both in one task (fixtures start and end in two)."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with made.lifespan():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    await started.wait()
    try:
        yield made
    finally:
        stop.set()
        await life


@cache
def application() -> Litestar:
    """The application as it is put together for everybody: half a second of work, and it keeps nothing of a visit."""
    return create_app(settings_for())


@pytest.fixture
async def app(world_db) -> AsyncIterator[Litestar]:
    """The application, from its start to its stop, over the test's database."""
    async with running(application()) as made:
        yield made


def client_for(app: Litestar, base: str = BASE, **options) -> httpx.AsyncClient:
    """A browser-like client: keeps cookies, talks to the application in this loop."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.7", 1234))
    return httpx.AsyncClient(transport=transport, base_url=base, **options)


@pytest.fixture
async def client(app) -> AsyncIterator[httpx.AsyncClient]:
    """A stranger's browser."""
    async with client_for(app) as made:
        yield made


async def link_token(address: str) -> str:
    """The token in the newest login link mailed to this address."""
    link = await fetch_value(
        "SELECT context->>'link' FROM outbox_message WHERE address = $1 AND kind = 'magic_link' ORDER BY id DESC LIMIT 1",
        address,
    )
    found = re.search(r"sleutel=([A-Za-z0-9_-]+)$", link or "")
    assert found, f"no login link for {address}"
    return found[1]


async def log_in(
    client: httpx.AsyncClient, email: str = "ouder@fictief.example", roles=(("foster_parent", None),)
) -> str:
    """Log the browser in as somebody with these roles; the session's token."""
    await actions.give_login(email, None, list(roles))
    await actions._make_link(email)  # not request_link: a test that logs in often must not be throttled
    answer = await client.post("/api/v1/web-sessions", json={"token": await link_token(email)}, headers=ORIGIN)
    assert answer.status_code == 201, answer.text
    return client.cookies["leerbudget"]
