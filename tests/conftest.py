"""One PostgreSQL for the whole run, one migrated template, clones for tests that ask for a database.

In a parallel run the controlling process owns the server and outlives its workers, which are guests
(`foundation.embedded`). Whichever process comes first makes the template.
"""

import contextlib
import fcntl
import importlib.util
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import structlog

import forking
from clones import POOL, CleanDatabase, UsedAgain, cloned
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.running import Dsns, embedded_dsns, migrate, prepare_embedded

TEMPLATE_LOCK = 7_305_003
RUN_PREFIX = "leerbudget-tests-"
ABANDONED_AFTER = 3600.0  # seconds
ROOM_IN_MEMORY = 2_000_000_000  # bytes; write-ahead log and a few clones fit several times over
LONG = (
    "tests/faults/",
    "tests/concurrency/",
    "tests/simulation/",
    "tests/bookings/test_service_model.py",
    "tests/browser/test_journeys.py",
    "tests/entrypoints/cli/test_demo.py",
    "tests/matcher/test_staffing.py",
    "tests/test_contracts.py",
)
"""Where single tests take long: they go first, so that no process ends long after the others."""
RUN_DIR = pytest.StashKey[Path]()
SERVER = pytest.StashKey[EmbeddedServer]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's directory; workers of a parallel run get the controller's."""
    _keep_compiled_modules()
    given = getattr(config, "workerinput", {}).get("leerbudget_run_dir")
    if given is None:
        config.stash[RUN_DIR] = _fresh_run_dir()
    else:
        config.stash[RUN_DIR] = Path(given)
        forking.FORKS.address = config.workerinput["leerbudget_forks"]


def _keep_compiled_modules() -> None:
    """Whatever the environment says: without `__pycache__` each of a hundred processes compiles all it imports, for 2 s."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


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
    """In a parallel run the controller starts the server, and the process that forks, before its first worker."""
    config = node.config
    if SERVER not in config.stash:
        config.stash[SERVER] = EmbeddedServer.start(config.stash[RUN_DIR] / "cluster", fast=True)
    node.workerinput["leerbudget_run_dir"] = str(config.stash[RUN_DIR])
    node.workerinput["leerbudget_forks"] = forking.FORKS.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests go first; processes then take the short ones from each other until nothing is left."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


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


@pytest.fixture
async def clean_database(cluster: EmbeddedServer, template: Dsns) -> AsyncIterator[CleanDatabase]:
    """A migrated, empty database of its own; no pool is opened."""
    async with cloned(cluster, template) as database:
        yield database


@pytest.fixture
def clean_database_url(clean_database: CleanDatabase) -> str:
    """What `LEERBUDGET_DATABASE_URL` would hold for a migrated, empty database."""
    return clean_database.dsns.app


@pytest.fixture(scope="session")
async def used_again(cluster: EmbeddedServer, template: Dsns) -> AsyncIterator[UsedAgain]:
    """The database of this test process that tests use one after another."""
    database = UsedAgain(cluster, template)
    yield database
    await database.drop()


@pytest.fixture
async def world_db(
    request: pytest.FixtureRequest, cluster: EmbeddedServer, template: Dsns, used_again: UsedAgain
) -> AsyncIterator[CleanDatabase]:
    """A migrated, empty database with the pool open as `leerbudget_app`; who works as `admin` has it alone."""
    if "admin" not in request.fixturenames:
        yield await used_again.lend()
        await used_again.take_back()
        return
    async with cloned(cluster, template) as database:
        await open_pool(database.dsns.app, size=POOL)
        try:
            yield database
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
