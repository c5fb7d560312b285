"""Piccolo's PostgreSQL engine, made safe for a pool.

Piccolo 1.38 gives a pool connection back only when everything went well: after a COMMIT that fails
(a deferred constraint, a serialization failure) or a cancelled task the connection is lost for ever
and the context variable keeps pointing at it. It also connects in its constructor and treats a nested
transaction as part of the outer one. `PoolEngine` mends the first two; `database.together` the third.
"""

import asyncio
import contextlib
import os
from types import TracebackType
from typing import Any, Literal, Self, cast

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from leerbudget.foundation.errors import Busy, SettingsError

os.environ.setdefault("PICCOLO_CONF", "leerbudget.foundation.piccolo_conf")  # so Piccolo finds us in an installed wheel

Isolation = Literal["read_committed", "repeatable_read", "serializable"]

ACQUIRE_SECONDS = 5.0
"""Longest wait for a free pool connection before the caller hears `Busy`."""

CONNECT_SECONDS = 5.0
"""Longest wait for the server to let a pool connection in."""

RELEASE_SECONDS = 5.0
"""Longest wait for the server to stop a statement that was given up, before the connection is ended instead."""

CONNECT_FAILURES = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""What connecting can meet while the server or its disk is full, or it starts, stops or changes hands."""


class PoolTransaction(PostgresTransaction):
    """A transaction that always gives its connection back, whatever happened to it."""

    def __init__(self, engine: "PoolEngine", *, isolation: Isolation | None = None, readonly: bool = False) -> None:
        super().__init__(engine, allow_nested=True)
        self.task = asyncio.current_task()
        self._pool: Any = None
        self._isolation = isolation
        self._readonly = readonly

    async def __aenter__(self) -> Self:
        if self._parent is not None:
            return cast("Self", self._parent)
        self.connection = await self.get_connection()
        try:
            self.transaction = self.connection.transaction(isolation=self._isolation, readonly=self._readonly)
            await self.transaction.start()
        except BaseException as failure:
            lost = connection_lost(failure, self.connection)
            await self._give_back()
            if lost:
                raise Busy(reason="connection_lost") from failure
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def get_connection(self) -> Any:
        """A connection from the pool, or a fresh one when no pool is open.

        Raises:
            Busy: no connection came free in time, or the server cannot be reached now.
        """
        self._pool = self.engine.pool
        if self._pool is None:
            return await self.engine.get_new_connection()
        return await acquire(self._pool)

    async def _give_back(self) -> None:
        if not is_gone(self.connection) and not (self._committed or self._rolled_back):
            self.connection.terminate()  # its state is unknown: never let the pool hand it out again
        if self._pool is not None:
            await asyncio.shield(self._pool.release(self.connection))
        elif not is_gone(self.connection):
            await asyncio.shield(self.connection.close())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self._parent is not None:
            return False
        try:
            await self._finish(error)
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give_back()
        return False

    async def _finish(self, error: BaseException | None) -> None:
        if self._rolled_back or self._committed:
            return
        if error is None:
            try:
                await self.transaction.commit()
            except (asyncpg.InterfaceError, asyncpg.InternalClientError) as failure:
                if not connection_lost(failure, self.connection):
                    raise
                raise Busy(reason="connection_lost") from failure
            self._committed = True
            return
        with contextlib.suppress(
            Exception
        ):  # the connection died; the server rolls back, and `error` is the one to tell
            await self.transaction.rollback()
            self._rolled_back = True


def is_gone(connection: Any) -> bool:
    """Whether the server or we ended this connection (a terminated pool connection cannot even be asked)."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def connection_lost(failure: BaseException, connection: Any) -> bool:
    """Whether a failure means that the server ended the connection, and not a mistake in our code.

    When it happens during COMMIT nobody can tell whether the server still did it; callers make their own
    ids, so asking again is safe.
    """
    if isinstance(failure, asyncpg.InternalClientError):  # asyncpg was told of the end, but did not expect to be
        connection.terminate()
        return True
    return isinstance(failure, asyncpg.InterfaceError) and is_gone(connection)


class PoolEngine(PostgresEngine):
    """The one engine of the house: no connection at import, no leak, one task per transaction."""

    def __init__(self) -> None:
        super().__init__(config={})

    async def check_version(self) -> None:
        """Nothing at import time; `database.open_pool` checks the server."""

    async def prep_database(self) -> None:
        """Nothing: no extensions are needed."""

    def transaction(
        self,
        allow_nested: bool = True,  # noqa: ARG002, FBT001, FBT002 - Piccolo's own signature
        isolation: Isolation | None = None,
        readonly: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> PoolTransaction:
        """The outermost transaction; inside another one, nothing at all (Piccolo's meaning). Use `together`."""
        self.own_transaction()
        return PoolTransaction(self, isolation=isolation, readonly=readonly)

    def own_transaction(self) -> PoolTransaction | None:
        """The transaction this task is in, if any.

        Raises:
            RuntimeError: the caller is another task than the one that opened the transaction it inherited.
        """
        current = self.current_transaction.get()
        if current is None:
            return None
        if not isinstance(current, PoolTransaction) or current.task is not asyncio.current_task():
            raise RuntimeError(
                "a task started inside together() cannot use its connection: work one by one, or after it"
            )
        return current

    async def get_new_connection(self) -> Any:
        """A connection of its own, for Piccolo's command line when `config` names a `dsn`.

        Raises:
            SettingsError: no pool is open and no `dsn` is known.
        """
        if not self.config.get("dsn"):
            raise SettingsError(message="De database is nog niet geopend (open_pool ontbreekt).")
        return await asyncpg.connect(**self.config)

    async def _run_in_pool(self, query: str, args: Any = None) -> Any:
        pool: Any = self.pool
        connection = await acquire(pool)
        try:
            return await connection.fetch(query, *(args or ()))
        finally:
            await pool.release(connection)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Piccolo's way to run a query; refuses a foreign task first."""
        self.own_transaction()
        return await super().run_querystring(querystring, in_pool)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Piccolo's way to run a definition; refuses a foreign task first."""
        self.own_transaction()
        return await super().run_ddl(ddl, in_pool)


class FairPool:
    """An asyncpg pool that gives its connections out in the order in which they were asked for.

    asyncpg lets a newcomer take the connection that woke somebody who waited, who then waits again behind all
    others: with 200 clients one answer in a hundred took four times as long as the usual one.
    """

    def __init__(self, pool: Any, size: int) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(size)

    async def acquire(self, *, timeout: float) -> Any:  # noqa: ASYNC109 - as asyncpg has it
        """The next connection.

        Raises:
            TimeoutError: none came free in so many seconds.
        """
        if self._turns.locked():
            async with asyncio.timeout(timeout):
                await self._turns.acquire()
        else:
            await self._turns.acquire()  # at once
        try:
            # whose turn it is need not wait, unless a cut connection was never handed back: without a limit, for ever
            return await self._pool.acquire(timeout=timeout)
        except BaseException:
            self._turns.release()
            raise

    async def release(self, connection: Any) -> None:
        """Give a connection back.

        asyncpg clears a connection away that the server ends. When that happens while it is being given back it
        complains of its own work; whatever was done on the connection stands.
        """
        try:
            await self._pool.release(connection, timeout=RELEASE_SECONDS)
        except asyncpg.InternalClientError:
            if not is_gone(connection):
                raise
        finally:
            self._turns.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


async def acquire(pool: Any) -> Any:
    """A pool connection within `ACQUIRE_SECONDS`.

    Raises:
        Busy: none came free, or the server cannot be reached now.
        SettingsError: there is no pool.
    """
    if pool is None:
        raise SettingsError(message="De database is nog niet geopend (open_pool ontbreekt).")
    try:
        return await pool.acquire(timeout=ACQUIRE_SECONDS)
    except CONNECT_FAILURES as failure:
        raise Busy(reason="no_connection") from failure
    except asyncpg.InterfaceError as failure:
        if not pool.is_closing():
            raise
        raise Busy(reason="stopping") from failure


async def forget_nothing(connection: Any) -> None:
    """Reset nothing when a connection returns to the pool.

    asyncpg's own reset query costs half of a one-row read. It is not needed here: the house uses only
    SET LOCAL and transaction-scoped advisory locks (session locks and LISTEN live on a connection of
    their own, `database.own_connection`), and asyncpg itself still rolls back an open transaction.
    """
