"""Databases of tests: copies of a migrated template, each for one test, or used again and emptied in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from leerbudget.foundation import database, roles
from leerbudget.foundation.database import DB, close_pool, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.running import Dsns

POOL = 10
GROWTH_MOST = 8_000_000
"""Bytes by which a database may have grown and still be used again: the next test would read what is left of it."""
_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind = 'S' AS counts
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relname NOT IN ('migration', 'migration_id_seq')
"""
_STRANGERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL($1::int[])"
_SIZE = "SELECT pg_database_size(current_database())"


@dataclass
class CleanDatabase:
    """A migrated, empty database of one test: connection strings by role.

    `bare`: somebody asked for the superuser's way in, to whom no rule applies.
    """

    name: str
    dsns: Dsns
    superuser_dsn: str
    bare: bool = False

    @property
    def admin_dsn(self) -> str:
        """The superuser's connection string; who has used it leaves a database that nobody uses again."""
        self.bare = True
        return self.superuser_dsn


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


class UsedAgain:
    """One clone of this test process with its pool open; tests have it in turn, and each finds it empty.

    PostgreSQL reads its catalogues, compiles functions and plans statements for every connection anew: for a usual test
    that is five times the work of the test itself. After a test that leaves more than rows and counted numbers the
    database is dropped, and the next one has another.
    """

    def __init__(self, cluster: EmbeddedServer, template: Dsns) -> None:
        self._cluster, self._template = cluster, template
        self._lent: CleanDatabase | None = None
        self._clone: Any = None
        self._keeper: Any = None
        self._pool: Any = None
        self._names: list[str] = []
        self._restart = self._looks = ""
        self._size = 0

    async def lend(self) -> CleanDatabase:
        """The database, empty, with its pool open."""
        if self._lent is None:
            await self._make()
        else:
            DB.pool = self._pool
            database._opened[:] = [self._lent.dsns.app]
        assert self._lent is not None
        return self._lent

    async def take_back(self) -> None:
        """Close the way to the database and empty it, or drop it."""
        empty = False
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # somebody ended the keeper's connection
            empty = await self._emptied()
        if not empty:
            await self.drop()
            return
        DB.pool = None
        database._opened.clear()

    async def drop(self) -> None:
        """Be done with the database, if there is one."""
        await close_pool()
        if self._lent is not None:
            self._lent = None
            self._pool.terminate()
            await self._keeper.close()
            await self._clone.__aexit__(None, None, None)

    async def _make(self) -> None:
        self._clone = cloned(self._cluster, self._template)
        made = await self._clone.__aenter__()
        self._keeper = await asyncpg.connect(made.superuser_dsn)
        found = await self._keeper.fetch(_TABLES)
        self._names = [row["name"] for row in found if not row["counts"]]
        self._looks = f"SELECT ARRAY[{', '.join(f'EXISTS (SELECT FROM {name})' for name in self._names)}]"
        self._restart = "".join(f"SELECT setval('{row['name']}', 1, false);" for row in found if row["counts"])
        await self._keeper.execute("SET session_replication_role = replica")  # rows go without asking their triggers
        self._size = await self._keeper.fetchval(_SIZE)
        await open_pool(made.dsns.app, size=POOL)
        self._lent, self._pool = made, DB.pool

    async def _emptied(self) -> bool:
        if self._lent is None or self._lent.bare or DB.pool is not self._pool:
            return False
        ours = await self._quieted()
        if ours is None or await self._keeper.fetchval(_STRANGERS, [*ours, self._keeper.get_server_pid()]):
            return False
        filled = await self._keeper.fetchval(self._looks)
        rows = [f"DELETE FROM {name};" for name, some in zip(self._names, filled, strict=True) if some]
        await self._keeper.execute("".join(rows) + self._restart)
        return bool(await self._keeper.fetchval(_SIZE) < self._size + GROWTH_MOST)

    async def _quieted(self) -> list[int] | None:
        """The pool's connections without locks, listeners and settings of their own; None when one is in use or lost."""
        if self._pool.get_size() != self._pool.get_idle_size():
            return None
        held = []
        try:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                for _ in range(self._pool.get_size()):
                    held.append(await self._pool.acquire(timeout=5))
                    await held[-1].reset()
                return [connection.get_server_pid() for connection in held]
            return None
        finally:
            for connection in held:
                await self._pool.release(connection)
