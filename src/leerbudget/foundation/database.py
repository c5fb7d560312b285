"""The database as the rooms see it: `together()`, `again()` and a handful of reads and writes.

Everything runs on the connection of the transaction the caller is in, or else on a pool connection.
Piccolo queries share that same transaction. What PostgreSQL refuses comes out as a `LeerbudgetError`:
a violated constraint as the error that claims its name, unusable values as `InvalidInput`, time limits
and lost races as `Busy`. The original error is always the cause.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast

import asyncpg

from leerbudget.foundation.connecting import REFUSALS, connect, refuse_old_server
from leerbudget.foundation.engine import (
    CONNECT_FAILURES,
    CONNECT_SECONDS,
    FairPool,
    Isolation,
    PoolEngine,
    acquire,
    connection_lost,
    forget_nothing,
)
from leerbudget.foundation.errors import Busy, InvalidInput, LeerbudgetError, SettingsError
from leerbudget.foundation.roles import refuse_superuser

Outcome = TypeVar("Outcome")

DB = PoolEngine()
"""The one engine; tables say `class Booking(Table, db=DB)`."""

RETRYABLE = frozenset({"40001", "40P01", "55P03"})
"""A lost race (serialization, deadlock) or a lock not had in time: the same work may well succeed."""

_BUSY = RETRYABLE | {"57014", "25P03", "25P04", "57P01", "57P02", "57P03", "57P05"}
"""Also: statement, idle and transaction timeouts, and a server that stops or restarts."""

_BUSY_CLASSES = ("08", "53")
"""Connections that fail, and a server that has run out of something: slots, memory, room on its disk."""


@asynccontextmanager
async def together(isolation: Isolation | None = None, *, readonly: bool = False) -> AsyncIterator[Any]:
    """All or nothing: the outermost block is a transaction, a nested one a savepoint.

    Yields the asyncpg connection. A failure inside a nested block undoes that block only, if the caller
    catches it outside the block. `isolation` and `readonly` are for the outermost block. No tasks may be
    started inside (`asyncio.wait_for` starts one, `asyncio.timeout` does not), and nothing slow awaited.

    Raises:
        LeerbudgetError: what the constraint, the value or the time limit stands for.
        Busy: no connection, a lost race or a time limit.
    """
    outer = DB.own_transaction()
    if outer is not None:
        with translated(outer.connection):
            async with outer.connection.transaction(isolation=isolation):
                yield outer.connection
        return
    try:
        async with DB.transaction(isolation=isolation, readonly=readonly) as transaction:
            with translated(transaction.connection):
                yield transaction.connection
    except asyncpg.PostgresError as refusal:  # by BEGIN or COMMIT; nearer refusals are translated by now
        error = in_our_words(refusal, None)
        if error is None:
            raise
        raise error from refusal


async def again(work: Callable[[], Awaitable[Outcome]], *, retries: int = 3) -> Outcome:
    """The work's outcome; it is done anew after a lost race, at most `retries` times, with jitter.

    The work opens its own `together()` and must be safe to start over. Inside a transaction it runs once:
    only the outermost transaction can start over.

    Raises:
        Busy: it lost every race.
    """
    tries = 0 if DB.own_transaction() is not None else retries
    for attempt in range(tries):
        try:
            return await work()
        except (Busy, asyncpg.PostgresError) as failure:
            if sqlstate_of(failure) not in RETRYABLE:
                raise
        await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter, not a secret
    return await work()


async def fetch_all(sql: str, *args: Any) -> list[Any]:
    """Every row the query gives, as asyncpg Records."""
    rows: list[Any] = await _run("fetch", sql, *args)
    return rows


async def fetch_one(sql: str, *args: Any) -> Any | None:
    """The first row, or None."""
    return await _run("fetchrow", sql, *args)


async def call(sql: str, *args: Any) -> Any:
    """The row of one statement that is all or nothing by itself.

    On its own it is a transaction, in one round trip; inside a transaction it is a savepoint.
    """
    if DB.own_transaction() is None:
        return await fetch_one(sql, *args)
    async with together():
        return await fetch_one(sql, *args)


async def fetch_value(sql: str, *args: Any) -> Any:
    """The first column of the first row, or None when there is no row."""
    return await _run("fetchval", sql, *args)


async def execute(sql: str, *args: Any) -> int:
    """Run one statement; the number of rows it touched."""
    status: str = await _run("execute", sql, *args)
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


async def copy_in(table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> int:
    """Bulk insert by COPY; the number of rows. Column defaults fill what `columns` leaves out."""
    status: str = await _run("copy_records_to_table", table, columns=list(columns), records=records)
    return int(status.rsplit(" ", 1)[-1])


async def execute_script(sql: str) -> None:
    """Run many statements at once (simple protocol, no parameters): for migrations and test data."""
    await _run("execute", sql)


async def _run(method: str, *args: Any, **options: Any) -> Any:
    """One call of asyncpg on the current transaction's connection, or on a pool connection of its own.

    A plain try instead of `translated()`, because every read of the house passes here.
    """
    current, pool = DB.own_transaction(), DB.pool
    connection = current.connection if current is not None else await acquire(pool)
    try:
        return await getattr(connection, method)(*args, **options)
    except REFUSALS as refusal:
        error = in_our_words(refusal, connection)
        if error is None:
            raise
        raise error from refusal
    finally:
        if current is None and pool is not None:
            await pool.release(connection)


@asynccontextmanager
async def own_connection() -> AsyncIterator[Any]:
    """A connection outside the pool, for LISTEN and session locks, closed afterwards.

    Raises:
        Busy: the server cannot be reached now.
        SettingsError: no pool is open.
    """
    if not _opened:
        raise SettingsError(message="De database is nog niet geopend (open_pool ontbreekt).")
    try:
        connection = await asyncpg.connect(_opened[0], timeout=10)
    except CONNECT_FAILURES as failure:
        raise Busy(reason="no_connection") from failure
    try:
        with translated(connection):
            yield connection
    finally:
        await connection.close(timeout=5)


# --- what PostgreSQL refuses -------------------------------------------------------------------------------


REFUSED = "LB001"
"""What `rooms.refuse` raises: an error's code as the message, its data as the detail."""


@contextmanager
def translated(connection: Any) -> Iterator[None]:
    """Within the block, what PostgreSQL refuses is raised as the house's own error, with its cause kept."""
    try:
        yield
    except REFUSALS as refusal:
        error = in_our_words(refusal, connection)
        if error is None:
            raise
        raise error from refusal


def in_our_words(refusal: Exception, connection: Any) -> LeerbudgetError | None:
    """The house's error for a refusal; None when it can only be a mistake in the code."""
    if not isinstance(refusal, asyncpg.PostgresError):
        return Busy(reason="connection_lost") if connection_lost(refusal, connection) else None
    state = refusal.sqlstate or ""
    constraint = getattr(refusal, "constraint_name", None)
    if state == REFUSED:
        return LeerbudgetError.for_code(refusal.args[0])(**json.loads(getattr(refusal, "detail", "{}")))
    if state == "23502" or state.startswith("22"):
        missing = state == "23502"
        path = getattr(refusal, "column_name", None) if missing else ""
        message = "Dit ontbreekt." if missing else "Deze waarde kan niet worden bewaard."
        return InvalidInput(errors=[{"path": path, "message": message}])
    if state.startswith("23") or constraint in LeerbudgetError.claimed_constraints():
        return LeerbudgetError.for_constraint(constraint)(constraint=constraint)
    if state in _BUSY or state.startswith(_BUSY_CLASSES):
        return Busy(reason=state)
    return None


def sqlstate_of(error: BaseException | None) -> str | None:
    """The PostgreSQL error code behind an error, looking through its causes."""
    while error is not None:
        if isinstance(error, asyncpg.PostgresError):
            state: str | None = error.sqlstate
            return state
        error = error.__cause__
    return None


# --- opening and closing -----------------------------------------------------------------------------------

_opened: list[str] = []


async def open_pool(dsn: str, size: int = 10, *, for_migration: bool = False) -> None:
    """Open the pool for this process, after checking that the server and the role may be used.

    Only `for_migration` may the role be one that stands above the rules.

    Raises:
        SettingsError: unreachable, older than PostgreSQL 18, or a role that could bypass the rules.
    """
    if DB.pool is not None:
        raise RuntimeError("a pool is already open; close_pool() first")
    await check_server(dsn, for_migration=for_migration)
    # no floor (min_size): while the server changes hands asyncpg would fill the log with attempts to keep it
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        reset=forget_nothing,
        server_settings={"application_name": "leerbudget"},
    )
    DB.pool = cast("Any", FairPool(pool, size))
    _opened[:] = [dsn]


async def close_pool() -> None:
    """Close the pool; a second call does nothing. Connections still in use get five seconds."""
    pool, DB.pool = DB.pool, None
    _opened.clear()
    if pool is not None:
        try:
            await asyncio.wait_for(pool.close(), 5)
        except TimeoutError:
            pool.terminate()


async def check_server(dsn: str, *, for_migration: bool = False) -> None:
    """Refuse a server that cannot be reached or is too old, and a role that stands above the rules.

    Raises:
        SettingsError: with one sentence that names the trouble, never the password.
    """
    connection = await connect(dsn)
    try:
        refuse_old_server(connection.get_server_version().major)
        if not for_migration:
            await refuse_superuser(connection)
    finally:
        await connection.close(timeout=5)
