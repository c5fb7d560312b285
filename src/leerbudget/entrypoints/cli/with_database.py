"""Runs a command's work with the database ready: embedded or external, migrated, with an open pool."""

import asyncio
import logging
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from importlib.resources import files
from typing import Any, TypeVar

import asyncpg

from leerbudget.entrypoints.cli.main import STOPPED
from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.database import close_pool, fetch_all, fetch_value, open_pool
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.running import MADE_FROM, Dsns, functions, running_database
from leerbudget.foundation.settings import Settings

Answer = TypeVar("Answer")


def with_database(work: Callable[[], Awaitable[Answer]], *, role: str = "worker") -> Answer:
    """The work's answer, done with the pool open as the given role (app, worker or reader).

    Raises:
        SettingsError: wrong settings, a database that cannot be used, or one that was never migrated.
    """
    settings = Settings.from_environment()
    configure_logging(settings.environment, level=logging.WARNING)
    use_test_clock(settings.test_clock)
    with running_database(settings) as dsns:
        return run_until_told(with_pool(dsns, role, work))


def run_until_told(work: Coroutine[Any, Any, Answer]) -> Answer:
    """`asyncio.run`, where SIGTERM cancels the work as Ctrl-C does.

    The work then ends where it waits. An error raised by the signal itself would come up between any two
    instructions, also of a library that calls Python from C: such a process was seen to crash.

    Raises:
        SystemExit: SIGTERM came and the work was undone; the code is 143.
    """
    told = False

    async def watched() -> Answer:
        nonlocal told
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio.run makes one

        def stop(*_: object) -> None:
            nonlocal told
            told = True
            loop.call_soon_threadsafe(task.cancel)

        previous = signal.signal(signal.SIGTERM, stop)
        try:
            return await work
        finally:
            signal.signal(signal.SIGTERM, previous)

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if told:
            sys.exit(STOPPED + signal.SIGTERM)
        raise


async def with_pool(dsns: Dsns, role: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The work's answer, with the pool open for its length.

    Raises:
        SettingsError: the database was never migrated, or not for long, or the role has too few rights.
    """
    await open_pool(getattr(dsns, role))
    try:
        await refuse_unmigrated()
        return await work()
    except asyncpg.InsufficientPrivilegeError as refusal:
        raise SettingsError(message=f"De databaserol mag te weinig: {refusal}") from refusal
    finally:
        await close_pool()


async def refuse_unmigrated() -> None:
    """Refuse a database without our tables, or without the latest of them. One that is ahead of us is fine.

    Raises:
        SettingsError: `leerbudget migrate` has to run first.
    """
    if await fetch_value("SELECT to_regclass('migration')") is None:
        raise SettingsError(message="De database is nog leeg. Voer eerst `leerbudget migrate` uit.")
    done = {_digits(row["name"]) for row in await fetch_all("SELECT name FROM migration WHERE app_name = 'leerbudget'")}
    missing, ahead = _migrations() - done, done - _migrations()
    if not missing and not ahead and await fetch_value(MADE_FROM) != functions()[1]:
        missing = {"functions"}
    if missing:
        raise SettingsError(
            message=f"De database loopt {len(missing)} stap(pen) achter. Voer eerst `leerbudget migrate` uit."
        )


def _migrations() -> set[str]:
    """The migrations of this version, by the moment in their names."""
    names = (file.name for file in files("leerbudget.migrations").iterdir())
    return {_digits(name) for name in names if name.startswith("leerbudget_") and name.endswith(".py")}


def _digits(name: str) -> str:
    return re.sub(r"\D", "", name)
