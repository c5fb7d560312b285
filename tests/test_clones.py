"""The database that tests use one after another: nothing of one test is there for the next."""

import asyncpg
import pytest

import world
from clones import UsedAgain
from leerbudget.foundation.database import DB, close_pool, execute, fetch_all, fetch_value, open_pool

TABLES = """
SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') AND table_name <> 'migration'
"""
LOCKS = """
SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""


@pytest.fixture
async def database(cluster, template):
    """One that no other test uses."""
    made = UsedAgain(cluster, template)
    yield made
    await made.drop()


async def seen(dsn):
    """Which tables have rows, in the eyes of the superuser."""
    looker = await asyncpg.connect(dsn)
    names = [row["name"] for row in await looker.fetch(TABLES)]
    found = {name for name in names if await looker.fetchval(f"SELECT EXISTS (SELECT FROM {name})")}
    await looker.close()
    return found


async def test_the_next_test_finds_nothing_of_the_last(database):
    """Rows, numbers that were counted, settings and locks of connections are gone; the database is the same one."""
    first = await database.lend()
    await world.a_budget(await world.a_family())
    numbers = await fetch_all("SELECT number FROM person ORDER BY number")
    await execute("SET lock_timeout = '7s'")
    await execute("SELECT pg_advisory_lock(1)")
    assert {"public.family", "public.budget", "public.transfer"} <= await seen(first.superuser_dsn)
    await database.take_back()
    assert DB.pool is None
    second = await database.lend()
    assert second is first
    assert await seen(first.superuser_dsn) == set()
    assert await fetch_value("SHOW lock_timeout") != "7s"
    assert await fetch_value(LOCKS) == 0
    await world.a_family()
    assert await fetch_all("SELECT number FROM person ORDER BY number") == numbers


@pytest.mark.parametrize("left", ["the superuser's work", "a connection", "another pool"])
async def test_who_leaves_more_than_rows_leaves_a_database_that_nobody_uses_again(database, left):
    """Changed tables, strangers' connections or another pool: the next test gets another database."""
    first = await database.lend()
    if left == "the superuser's work":
        stranger = await asyncpg.connect(first.admin_dsn)
        await stranger.execute("CREATE TABLE left_behind (x int)")
        await stranger.close()
    elif left == "a connection":
        stranger = await asyncpg.connect(first.dsns.app)
    else:
        await close_pool()
        await open_pool(first.dsns.app, size=2)
    await database.take_back()
    assert (await database.lend()).name != first.name
    assert await fetch_value("SELECT to_regclass('left_behind') IS NULL")
    if left == "a connection":
        stranger.terminate()
