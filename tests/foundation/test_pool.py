"""The pool survives failed commits, cancelled tasks and killed backends."""

import asyncio
import itertools
import random

import asyncpg
import pytest
from piccolo.columns import Varchar
from piccolo.table import Table

from leerbudget.foundation.database import DB, close_pool, execute, fetch_value, open_pool, together
from leerbudget.foundation.engine import FairPool, acquire
from leerbudget.foundation.errors import Busy, Conflict, SettingsError


class PooledThing(Table, db=DB, tablename="thing"):
    """A table of this test, as a room would declare it."""

    name = Varchar(primary_key=True)


async def add(name, amount=0, parent=None):
    await execute("INSERT INTO thing VALUES ($1, $2, $3)", name, amount, parent)


async def names():
    return await fetch_value("SELECT string_agg(name, ' ' ORDER BY name) FROM thing")


async def commit_that_fails():
    """A foreign key that is only checked at COMMIT."""
    async with together():
        await add("orphan", 0, "nobody")


async def test_failed_commits_do_not_lose_connections(world_db, things):
    """After more failed commits than the pool has connections, every connection still works."""
    await close_pool()
    await open_pool(world_db.dsns.app, size=3)
    for _ in range(8):
        with pytest.raises(Conflict):
            await commit_that_fails()
        assert DB.current_transaction.get() is None
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(fetch_value("SELECT 1 FROM pg_sleep(0.05)") for _ in range(6))) == [1] * 6


async def test_the_plain_engine_does_lose_them(world_db, things):
    """Negative control: with Piccolo's own engine three failed commits exhaust a pool of three."""
    from piccolo.engine.postgres import PostgresEngine

    class Quiet(PostgresEngine):
        async def check_version(self):
            """No connection at construction."""

        async def prep_database(self):
            """Nothing."""

    plain = Quiet({"dsn": world_db.dsns.app})
    await plain.start_connection_pool(min_size=1, max_size=3)
    pool = plain.pool
    try:
        await asyncio.gather(*(_plain_commit_that_fails(plain) for _ in range(3)))
        with pytest.raises(TimeoutError):
            await pool.fetchval("SELECT 1", timeout=0.3) if pool.get_idle_size() else await pool.acquire(timeout=0.3)
    finally:
        pool.terminate()


async def _plain_commit_that_fails(engine):
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with engine.transaction() as transaction:
            await transaction.connection.execute("INSERT INTO thing VALUES ('orphan', 0, 'nobody')")


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(1)", "INSERT INTO thing VALUES ('gone')"])
async def test_cancelled_work_gives_its_connection_back(world_db, things, statement):
    """Tasks cancelled at any moment of a block leave nothing behind and lose no connection."""
    await close_pool()
    await open_pool(world_db.dsns.app, size=2)

    async def work():
        async with together() as connection:
            await connection.execute(statement)
            await asyncio.sleep(5)

    for delay in (0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.03, 0.06):
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(delay)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(fetch_value("SELECT 1 FROM pg_sleep(0.02)") for _ in range(4))) == [1] * 4
    assert await names() is None


async def test_a_connection_comes_back_clean(world_db, things):
    """What a block set for itself does not reach the next user of the connection."""
    await close_pool()
    await open_pool(world_db.dsns.app, size=1)
    before = await fetch_value("SHOW lock_timeout")
    async with together():
        await execute("SET LOCAL lock_timeout = '77ms'")
        await execute("SELECT pg_advisory_xact_lock(42)")
    assert await fetch_value("SHOW lock_timeout") == before
    # Only its own: neighbouring tests hold locks on the same server.
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    async with together():
        await execute("SELECT pg_advisory_xact_lock(42)")
        assert await fetch_value(held) == 1
    assert await fetch_value(held) == 0


async def test_a_full_pool_answers_busy_within_its_limit(world_db, monkeypatch):
    """Whoever cannot get a connection in time hears `Busy` instead of waiting for ever."""
    monkeypatch.setattr("leerbudget.foundation.engine.ACQUIRE_SECONDS", 0.2)
    await close_pool()
    await open_pool(world_db.dsns.app, size=1)
    taken, release = asyncio.Event(), asyncio.Event()

    async def holder():
        async with together():
            taken.set()
            await release.wait()

    task = asyncio.create_task(holder())
    await taken.wait()
    with pytest.raises(Busy):
        await fetch_value("SELECT 1")
    with pytest.raises(Busy):
        async with together():
            pass
    release.set()
    await task
    assert await fetch_value("SELECT 1") == 1


@pytest.mark.parametrize("pause", [0, 0.05])
@pytest.mark.parametrize("last", ["write", "nothing"])
async def test_a_backend_killed_in_a_block_is_busy_once(things, pause, last):
    """A backend killed in a block gives `Busy` at the next statement or at COMMIT; the pool replaces it."""

    async def killed():
        async with together():
            await add("lost")
            pid = await fetch_value("SELECT pg_backend_pid()")
            await things.execute(f"SELECT pg_terminate_backend({pid})")
            await asyncio.sleep(pause)
            if last == "write":
                await add("also lost")

    with pytest.raises(Busy):
        await killed()
    assert await names() is None
    await add("kept")
    assert await names() == "kept"


async def test_a_connection_killed_while_idle_is_replaced(things):
    """Connections that the server ended between two requests are replaced without anyone noticing."""
    await asyncio.gather(*(fetch_value("SELECT pg_sleep(0.01)") for _ in range(5)))
    await things.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'leerbudget_app' AND datname = current_database()"  # other tests share the server
    )
    await asyncio.sleep(0.1)
    assert await asyncio.gather(*(fetch_value("SELECT 1") for _ in range(5))) == [1] * 5


async def test_who_comes_while_the_pool_closes_hears_busy(world_db):
    """A request that arrives during the shutdown is `Busy`; all work that was under way is finished."""
    slow = "SELECT '7' AS name FROM pg_sleep(0.3)"

    async def block():
        async with together():
            return await fetch_value(slow)

    work = [asyncio.create_task(way) for way in (block(), fetch_value(slow), PooledThing.raw(slow).run())]
    pool = DB.pool
    while pool.get_size() - pool.get_idle_size() < 3:  # noqa: ASYNC110 - the pool tells nobody
        await asyncio.sleep(0.005)
    closing = asyncio.create_task(close_pool())
    await asyncio.sleep(0.02)
    with pytest.raises(Busy):
        await acquire(pool)
    await closing
    assert await asyncio.gather(*work) == ["7", "7", [{"name": "7"}]]


async def test_nothing_works_before_the_pool_is_open():
    """Without a pool every way to the database says so in one sentence."""
    assert DB.pool is None
    for way in (lambda: fetch_value("SELECT 1"), lambda: PooledThing.count().run()):
        with pytest.raises(SettingsError, match="niet geopend"):
            await way()
    with pytest.raises(SettingsError, match="niet geopend"):
        async with together():
            pass
    await close_pool()


async def overtaken(pool, clients=40, times=25):
    """How often somebody got a connection before somebody who had asked for one earlier."""
    asked, served, chance = itertools.count(), [], random.Random(5)  # noqa: S311 - moments, no secret

    async def client():
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0, 0.002))
            number = next(asked)
            connection = await pool.acquire(timeout=30)
            served.append(number)
            await asyncio.sleep(chance.uniform(0, 0.0002))
            await pool.release(connection)

    await asyncio.gather(*(pool.release(one) for one in [await pool.acquire(timeout=30) for _ in range(2)]))
    await asyncio.gather(*(client() for _ in range(clients)))
    return sum(one > other for one, other in itertools.pairwise(served))


async def test_nobody_is_overtaken_while_waiting_for_a_connection(clean_database):
    """Forty clients for two connections, a thousand times: connections go out in the order of asking."""
    await open_pool(clean_database.dsns.app, size=2)
    try:
        assert await overtaken(DB.pool) == 0
    finally:
        await close_pool()


async def test_without_turns_people_are_overtaken(clean_database):
    """Negative control: asyncpg's own pool lets a newcomer take what somebody who waited was woken for."""
    async with asyncpg.create_pool(clean_database.dsns.app, min_size=2, max_size=2) as plain:
        assert await overtaken(plain) > 0


async def test_a_connection_that_ends_while_it_is_given_back_troubles_nobody(world_db):
    """The server ends a connection between the last answer and its return: the answer stands, the pool goes on."""
    connection = await acquire(DB.pool)
    returning = asyncio.create_task(DB.pool.release(connection))
    await asyncio.sleep(0)  # asyncpg has begun
    connection._con.terminate()
    await returning
    assert await asyncio.gather(*(fetch_value("SELECT 1 FROM pg_sleep(0.01)") for _ in range(20))) == [1] * 20


async def test_giving_back_something_twice_is_still_a_mistake(world_db):
    """Negative control: what asyncpg says of a connection that still lives is not hidden."""

    class Careless:
        async def release(self, *_, **__):
            raise asyncpg.InternalClientError

    connection = await acquire(DB.pool)
    with pytest.raises(asyncpg.InternalClientError):
        await FairPool(Careless(), 1).release(connection)
    await DB.pool.release(connection)


async def test_a_connection_that_ends_at_the_begin_of_a_transaction_is_busy(world_db, monkeypatch):
    """The library hears of the end when it did not expect to be: the asker may ask again, and the pool is whole."""

    async def told_of_the_end(self):
        raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")

    with monkeypatch.context() as patched:
        patched.setattr("asyncpg.transaction.Transaction.start", told_of_the_end)
        for _ in range(12):  # more than there are connections
            with pytest.raises(Busy):
                async with together():
                    pytest.fail("there is no transaction")
    async with together():
        assert await fetch_value("SELECT 1") == 1
