"""A database ready for use: embedded or external, its roles in place, its schema up to date."""

import asyncio
import os
import socket
import subprocess
import sys
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import pytest

from leerbudget.foundation import roles, running
from leerbudget.foundation.connecting import connect
from leerbudget.foundation.database import DB, close_pool, fetch_value, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.running import Dsns, migrate, running_database
from leerbudget.foundation.settings import Settings


async def value(dsn, sql):
    """What a query gives, on a connection of its own."""
    connection = await connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture
async def empty(cluster, template):
    """A database with roles and rights but without tables, as right after bootstrap."""
    name = f"empty_{uuid4().hex[:12]}"
    keeper = await asyncpg.connect(cluster.admin_dsn)
    passwords = roles.stored_passwords(cluster.home)
    await roles.bootstrap(cluster.admin_dsn, passwords, database=name)
    app = cluster.dsn(roles.APP, name, passwords[roles.APP])
    yield Dsns(app=app, worker=app, reader=app, owner=cluster.dsn("postgres", name))
    await keeper.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await keeper.close()


TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


async def test_migrating_makes_the_tables_for_the_owner_and_can_be_repeated(empty):
    """Migrations run once, as the owner; a second time nothing happens; the search path stays clean."""
    path = list(sys.path)
    await migrate(empty)
    made = await value(empty.owner, TABLES)
    assert made > 5
    assert await value(empty.owner, f"{TABLES} AND tableowner <> '{roles.OWNER}'") == 0
    await migrate(empty)
    assert await value(empty.owner, TABLES) == made
    assert sys.path == path
    assert DB.pool is None


async def test_a_migration_that_fails_leaves_nothing(empty, monkeypatch):
    """When any migration fails, none of that run's tables exist."""
    forwards = running._forwards

    async def failing():
        await forwards()
        assert await fetch_value(TABLES) > 5
        raise ZeroDivisionError

    monkeypatch.setattr(running, "_forwards", failing)
    with pytest.raises(ZeroDivisionError):
        await migrate(empty)
    assert await value(empty.owner, TABLES) == 0
    assert DB.pool is None


async def test_replicas_that_migrate_at_once_do_it_once(empty):
    """Two processes that migrate the same database at the same time both succeed; each migration ran once."""
    program = "import asyncio, sys; from leerbudget.foundation.running import *; asyncio.run(migrate(Dsns('', '', '', sys.argv[1])))"
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty.owner, stdout=subprocess.DEVNULL, cwd="/"
        )
        for _ in range(2)
    ]
    assert [await process.wait() for process in started] == [0, 0]
    assert await value(empty.owner, "SELECT count(*) - count(DISTINCT name) FROM migration") == 0


async def test_piccolos_own_command_line_makes_the_same_owner(empty):
    """`piccolo migrations forwards` with LEERBUDGET_OWNER_URL makes tables that belong to `leerbudget_owner`."""
    command = (sys.executable, "-m", "piccolo.main", "migrations", "forwards", "leerbudget")
    environment = {"PATH": os.environ["PATH"], "LEERBUDGET_OWNER_URL": empty.owner}
    environment["PICCOLO_CONF"] = "leerbudget.foundation.piccolo_conf"
    done = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd="/", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await done.communicate()
    assert done.returncode == 0, told.decode()
    assert await value(empty.owner, TABLES) > 5
    assert await value(empty.owner, f"{TABLES} AND tableowner <> '{roles.OWNER}'") == 0


async def test_migrating_needs_an_owner_login(empty):
    """Without a login that may become the owner, the reason is one clear line."""
    with pytest.raises(SettingsError, match="LEERBUDGET_OWNER_URL"):
        await migrate(Dsns(app=empty.app, worker="", reader="", owner=None))


def test_connection_strings_are_not_shown():
    """Printing the connection strings shows none of them."""
    assert repr(Dsns(app="geheim", worker="geheim", reader="geheim", owner="geheim")) == "Dsns()"


def test_without_settings_an_own_server_runs_for_the_length_of_the_block(own_place):
    """The embedded database comes with its roles, works from outside a loop, and is gone after the block."""
    settings = Settings.from_environment({"LEERBUDGET_DATA_DIR": str(own_place)})
    with running_database(settings, fast=True) as dsns:
        assert asyncio.run(value(dsns.app, "SELECT current_user::text")) == roles.APP
        assert asyncio.run(value(dsns.worker, "SELECT current_user::text")) == roles.WORKER
        assert asyncio.run(value(dsns.reader, "SELECT current_user::text")) == roles.READER
        assert asyncio.run(value(dsns.owner, "SELECT current_database()::text")) == roles.DATABASE
    with pytest.raises(SettingsError, match="niet te bereiken"):
        asyncio.run(connect(dsns.app))


@pytest.fixture
async def external(own_place):
    """A server as an organisation would run it: over TCP, with a manager that is no superuser."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedServer.start(own_place, fast=True, listen_port=port) as server:
        keeper = await asyncpg.connect(server.admin_dsn)
        await keeper.execute("CREATE ROLE manager LOGIN PASSWORD 'm@n' CREATEROLE CREATEDB")
        await keeper.close()
        yield f"127.0.0.1:{port}"


async def test_an_external_server_is_set_up_by_its_owner_url(external):
    """With LEERBUDGET_OWNER_URL of a manager the roles and the database are made and migrated; the app then works."""
    app = f"postgresql://{roles.APP}:{quote('a/p:p@', safe='')}@{external}/pleegzorg"
    settings = Settings.from_environment(
        {
            "LEERBUDGET_DATABASE_URL": app,
            "LEERBUDGET_WORKER_URL": f"postgresql://{roles.WORKER}:w@{external}/pleegzorg",
            "LEERBUDGET_OWNER_URL": f"postgresql://manager:m%40n@{external}/pleegzorg",
        }
    )
    for _ in range(2):
        with running_database(settings) as dsns:
            await migrate(dsns)
    await open_pool(dsns.app)
    try:
        assert await fetch_value(TABLES) > 5
        assert await fetch_value("SHOW lock_timeout") == "3s"
    finally:
        await close_pool()
    assert await value(dsns.worker, "SHOW statement_timeout") == "2min"
    without_owner = Settings.from_environment({"LEERBUDGET_DATABASE_URL": app})
    with running_database(without_owner) as dsns:
        assert dsns == Dsns(app=app, worker=app, reader=app, owner=None)


async def test_over_tcp_only_passwords_count_and_never_the_superuser(external):
    """A wrong password, no password and the superuser are refused over TCP; the right password is the control."""
    assert await value(f"postgresql://manager:m%40n@{external}/postgres", "SELECT 1") == 1
    for login in ("manager:wrong", "manager", "postgres", "postgres:postgres"):
        with pytest.raises(SettingsError, match="niet te bereiken"):
            await connect(f"postgresql://{login}@{external}/postgres")


async def test_a_manager_without_rights_is_told_so(external):
    """An owner login that may not make roles is one clear line."""
    keeper = f"postgresql://manager:m%40n@{external}/postgres"
    await value(keeper, "CREATE ROLE weak LOGIN PASSWORD 'w'")
    settings = Settings.from_environment(
        {
            "LEERBUDGET_DATABASE_URL": f"postgresql://{roles.APP}:a@{external}/pleegzorg",
            "LEERBUDGET_OWNER_URL": f"postgresql://weak:w@{external}/postgres",
        }
    )
    with pytest.raises(SettingsError, match="mag te weinig"), running_database(settings):
        pass


def test_the_server_does_not_see_our_secrets(own_place, monkeypatch):
    """PostgreSQL's environment holds no setting of ours and no PG variable."""
    monkeypatch.setenv("LEERBUDGET_SECRET_KEY", "k" * 40)
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    with EmbeddedServer.start(own_place, fast=True) as server:
        pid = (server.data / "postmaster.pid").read_text().split("\n")[0]
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - not a file of ours
            seen = file.read()
    assert b"k" * 40 not in seen
    assert b"PGOPTIONS" not in seen
    assert os.environ["PGOPTIONS"]
