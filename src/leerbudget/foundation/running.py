"""A database that is ready for use, whichever way: the embedded server or the one that was configured."""

import asyncio
import contextlib
import hashlib
import io
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import structlog

from leerbudget.foundation import roles
from leerbudget.foundation.database import close_pool, open_pool, together
from leerbudget.foundation.embedded import SUPERUSER, EmbeddedServer
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.settings import Settings

Outcome = TypeVar("Outcome")

log = structlog.get_logger(__name__)

_MIGRATION_LOCK = 7_305_002


@dataclass(frozen=True)
class Dsns:
    """Connection strings by purpose. They hold passwords, so `repr` shows none of them.

    Args:
        app: what the web application logs in with.
        worker: what background work logs in with; longer time limits.
        reader: read only, for reports and export.
        owner: the login that may become `leerbudget_owner` to migrate; None when it was not configured.
    """

    app: str = field(repr=False)
    worker: str = field(repr=False)
    reader: str = field(repr=False)
    owner: str | None = field(repr=False)


@contextmanager
def running_database(settings: Settings, *, fast: bool = False) -> Iterator[Dsns]:
    """The database of these settings, with its roles in place, for as long as the block lasts.

    Without `database_url` the embedded server runs (or is shared) under `data_dir`. With it, nothing is
    started; when `owner_url` is set too, missing roles and the database are made with it. Blocks while
    it starts, so use it around `asyncio.run` or `uvicorn.run`.

    Raises:
        SettingsError: it cannot be reached, is too old, or the data directory cannot be used.
    """
    if settings.database_url is not None:
        yield finished(_external_dsns(settings, settings.database_url))
        return
    with EmbeddedServer.start(settings.data_dir, fast=fast, programs=settings.pg_bin) as server:
        yield finished(prepare_embedded(server))


def finished(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The work's outcome, in a loop of its own, whether or not one runs here already.

    A signal ends the waiting here, never the work between two of its instructions.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def embedded_dsns(server: EmbeddedServer) -> Dsns:
    """Connection strings for the embedded server's roles; `prepare_embedded` makes what they name."""
    passwords = roles.stored_passwords(server.home)
    app, worker, reader = (
        server.dsn(role, roles.DATABASE, passwords[role]) for role in (roles.APP, roles.WORKER, roles.READER)
    )
    return Dsns(app=app, worker=worker, reader=reader, owner=server.dsn(SUPERUSER, roles.DATABASE))


async def prepare_embedded(server: EmbeddedServer) -> Dsns:
    """The roles and the database on the embedded server, made when absent.

    Raises:
        SettingsError: the server cannot be reached.
    """
    await roles.bootstrap(server.admin_dsn, roles.stored_passwords(server.home))
    return embedded_dsns(server)


async def _external_dsns(settings: Settings, url: str) -> Dsns:
    worker, owner = settings.worker_url or url, settings.owner_url
    if owner is not None:
        logins = [urlsplit(dsn) for dsn in (url, worker)]
        passwords = {login.username: unquote(login.password) for login in logins if login.username and login.password}
        database = unquote(logins[0].path.lstrip("/")) or roles.DATABASE
        await roles.bootstrap(owner, passwords, database=database, keep_passwords=True)
        owner = urlunsplit(urlsplit(owner)._replace(path=f"/{quote(database, safe='')}"))
    return Dsns(app=url, worker=worker, reader=url, owner=owner)


async def migrate(dsns: Dsns) -> None:
    """Bring the schema up to date: all of Piccolo's migrations forwards, all or nothing, one process at a time.

    Raises:
        SettingsError: no owner login is configured, the server is too old, or a migration failed.
    """
    if dsns.owner is None:
        raise SettingsError(message="Zet LEERBUDGET_OWNER_URL: de rol die de tabellen maakt en wijzigt.")
    await open_pool(dsns.owner, size=2, for_migration=True)
    try:
        async with together() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await connection.execute(f"SET LOCAL ROLE {roles.OWNER}")
            await connection.execute("SET LOCAL lock_timeout = '30s'")
            await _forwards()
            await _replace_functions(connection)
    finally:
        await close_pool()


async def _replace_functions(connection: Any) -> None:
    """The rooms' database functions, as their `functions.sql` have them: what is code is not migrated but replaced."""
    text, made = functions()
    if await connection.fetchval(MADE_FROM) == made:
        return
    await connection.execute("DROP SCHEMA IF EXISTS rooms CASCADE; CREATE SCHEMA rooms")
    await connection.execute("SET LOCAL check_function_bodies = off")  # they call each other, in any order
    await connection.execute(text)
    await connection.execute(f"GRANT USAGE ON SCHEMA rooms TO {roles.APP}, {roles.WORKER}")
    await connection.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rooms TO {roles.APP}, {roles.WORKER}")
    await connection.execute(f"COMMENT ON SCHEMA rooms IS '{made}'")


MADE_FROM = "SELECT obj_description(to_regnamespace('rooms'), 'pg_namespace')"
"""Asks a database which text its functions were made from."""


def functions() -> tuple[str, str]:
    """The text of all rooms' database functions, and its SHA-256."""
    files = sorted(Path(__file__).parent.parent.glob("*/functions.sql"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return text, hashlib.sha256(text.encode()).hexdigest()


async def _forwards() -> None:
    from piccolo.apps.migrations.commands.forwards import run_forwards  # noqa: PLC0415 - slow, and only here

    told, path = io.StringIO(), list(sys.path)
    try:
        with contextlib.redirect_stdout(told):
            result = await run_forwards("leerbudget")
    finally:
        sys.path[:] = path  # Piccolo puts the migrations folder in front and leaves it there
    if not result.success:
        raise SettingsError(message=f"De database is niet bijgewerkt: {result.message}")
    steps = [line.split()[1] for line in told.getvalue().splitlines() if line.startswith("  - ")]
    if steps:
        log.info("migrated", steps=steps)
