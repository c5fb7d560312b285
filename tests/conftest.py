"""One PostgreSQL for the whole run, one migrated template, one clone per test that asks for a database.

In a parallel run the controlling process owns the server and outlives its workers, which are guests
(`foundation.embedded`). Whichever process comes first makes the template.
"""

import contextlib
import fcntl
import importlib.util
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import structlog

import forking
from leerbudget.foundation import roles
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.running import Dsns, embedded_dsns, migrate, prepare_embedded

TEMPLATE_LOCK = 7_305_003
RUN_PREFIX = "leerbudget-tests-"
ABANDONED_AFTER = 3600.0  # seconds
ROOM_IN_MEMORY = 2_000_000_000  # bytes; write-ahead log and a few clones fit several times over
RUN_DIR = pytest.StashKey[Path]()
SERVER = pytest.StashKey[EmbeddedServer]()


@dataclass(frozen=True)
class CleanDatabase:
    """A migrated, empty database of one test: connection strings by role, and the superuser's."""

    name: str
    dsns: Dsns
    admin_dsn: str


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's directory; workers of a parallel run get the controller's."""
    given = getattr(config, "workerinput", {}).get("leerbudget_run_dir")
    if given is None:
        config.stash[RUN_DIR] = _fresh_run_dir()
    else:
        config.stash[RUN_DIR] = Path(given)


def _fresh_run_dir() -> Path:
    """A directory that an unprivileged server can enter, in memory where there is room for it.

    pytest's own temporary directories are closed to other users, and root's server is another user.
    Cloning a database takes 20 ms in memory and up to 600 ms on a slow disk.
    """
    parent = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private name in it
    if not (os.access(parent, os.W_OK | os.X_OK) and shutil.disk_usage(parent).free > ROOM_IN_MEMORY):
        parent = Path(tempfile.gettempdir())
    _clear_abandoned(parent)
    made = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=parent))
    made.chmod(0o711)
    return made


def _clear_abandoned(parent: Path) -> None:
    """Remove what killed runs left an hour ago or more: our own directories whose server nobody holds."""
    for lock_file in parent.glob(f"{RUN_PREFIX}*/cluster/postgres.lock"):
        with contextlib.suppress(OSError):  # another run may be clearing the same, or holds it
            facts = lock_file.stat()
            if facts.st_uid != os.geteuid() or time.time() - facts.st_mtime < ABANDONED_AFTER:
                continue
            with lock_file.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock_file.parents[1], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In a parallel run the controller starts the server before its first worker."""
    config = node.config
    if SERVER not in config.stash:
        config.stash[SERVER] = EmbeddedServer.start(config.stash[RUN_DIR] / "cluster", fast=True)
    node.workerinput["leerbudget_run_dir"] = str(config.stash[RUN_DIR])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the controller's server and clear the directory away."""
    forking.FORKS.close()
    if SERVER in config.stash:
        config.stash[SERVER].stop()
    if not hasattr(config, "workerinput") and RUN_DIR in config.stash:
        shutil.rmtree(config.stash[RUN_DIR], ignore_errors=True)


@pytest.fixture(scope="session")
def run_dir(pytestconfig: pytest.Config) -> Path:
    """A directory of this run, the same in every worker, that an unprivileged server can enter."""
    return pytestconfig.stash[RUN_DIR]


@pytest.fixture
def own_place(run_dir: Path) -> Iterator[Path]:
    """A place in the run's directory that no other test uses, in whatever process; nothing is there yet."""
    place = run_dir / uuid4().hex[:8]  # short: sockets have short addresses
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(run_dir: Path) -> Iterator[EmbeddedServer]:
    """The one server of this run; fast, so without durability."""
    with EmbeddedServer.start(run_dir / "cluster", fast=True) as server:
        yield server


@pytest.fixture(scope="session")
async def template(cluster: EmbeddedServer, run_dir: Path) -> Dsns:
    """The migrated database that every clone is copied from; nobody connects to it once it is ready."""
    ready = run_dir / "template-ready"
    keeper = await asyncpg.connect(cluster.admin_dsn)
    try:
        await keeper.execute("SELECT pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not ready.exists():
            dsns = await prepare_embedded(cluster)
            if importlib.util.find_spec("leerbudget.piccolo_app") is not None:
                await migrate(dsns)
            ready.touch()
        return embedded_dsns(cluster)
    finally:
        await keeper.close()


@asynccontextmanager
async def cloned(cluster: EmbeddedServer, template: Dsns) -> AsyncIterator[CleanDatabase]:
    """A copy of the template, dropped afterwards."""
    name = f"test_{uuid4().hex[:16]}"
    keeper = await asyncpg.connect(cluster.admin_dsn)
    try:
        await keeper.execute(f"CREATE DATABASE {name} TEMPLATE {roles.DATABASE} STRATEGY file_copy OWNER {roles.OWNER}")
        try:
            await roles.grant_entry(keeper, name)
            yield CleanDatabase(name, _renamed(template, name), _on(cluster.admin_dsn, name))
        finally:
            await keeper.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await keeper.close()


def _renamed(dsns: Dsns, name: str) -> Dsns:
    owner = None if dsns.owner is None else _on(dsns.owner, name)
    return replace(
        dsns, app=_on(dsns.app, name), worker=_on(dsns.worker, name), reader=_on(dsns.reader, name), owner=owner
    )


def _on(dsn: str, name: str) -> str:
    # not urlunsplit: it would drop the empty host that a socket DSN may have
    return dsn.replace(f"{urlsplit(dsn).path}?", f"/{name}?")


@pytest.fixture
async def clean_database(cluster: EmbeddedServer, template: Dsns) -> AsyncIterator[CleanDatabase]:
    """A migrated, empty database of its own; no pool is opened."""
    async with cloned(cluster, template) as database:
        yield database


@pytest.fixture
def clean_database_url(clean_database: CleanDatabase) -> str:
    """What `LEERBUDGET_DATABASE_URL` would hold for a migrated, empty database."""
    return clean_database.dsns.app


@pytest.fixture
async def world_db(clean_database: CleanDatabase) -> AsyncIterator[CleanDatabase]:
    """A migrated, empty database with the pool open as `leerbudget_app`."""
    await open_pool(clean_database.dsns.app, size=10)
    try:
        yield clean_database
    finally:
        await close_pool()


@pytest.fixture
async def admin(world_db: CleanDatabase) -> AsyncIterator[Any]:
    """A superuser's connection to the test's database: to look behind the rules and to break them."""
    connection = await asyncpg.connect(world_db.admin_dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(autouse=True)
def solver_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round's solver is a forked process, without two seconds of imports; commands in tests start the real one."""
    monkeypatch.setattr("leerbudget.rounds.solving.following", forking.FORKS.command)


@pytest.fixture(autouse=True)
def logging_not_configured() -> Iterator[None]:
    """A command that ran in this process leaves its logging to nobody: its stream is gone with its test."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root = logging.getLogger()
        ours = structlog.stdlib.ProcessorFormatter
        root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler.formatter, ours)]
