"""`together()`, `again()` and the helpers, against a real server."""

import asyncio
from typing import ClassVar

import asyncpg
import pytest
from piccolo.columns import Integer, Varchar
from piccolo.table import Table

from leerbudget.foundation.database import (
    DB,
    again,
    copy_in,
    execute,
    execute_script,
    fetch_all,
    fetch_one,
    fetch_value,
    own_connection,
    sqlstate_of,
    together,
)
from leerbudget.foundation.errors import Busy, Conflict, InvalidInput, LeerbudgetError


class Thing(Table, db=DB, tablename="thing"):
    """A table of this test, as a room would declare it."""

    name = Varchar(primary_key=True)
    amount = Integer()


class TooSmallError(LeerbudgetError):
    """A thing's amount fell below zero."""

    code: ClassVar[str] = "thing_too_small"
    constraint: ClassVar[str] = "thing_amount"


async def add(name, amount=0, parent=None):
    await execute("INSERT INTO thing VALUES ($1, $2, $3)", name, amount, parent)


async def names():
    return await fetch_value("SELECT string_agg(name, ' ' ORDER BY name) FROM thing")


async def failing(name, failure=ZeroDivisionError):
    """Write a row in a nested block and fail."""
    async with together():
        await add(name)
        raise failure


# --- all or nothing ---------------------------------------------------------------------------------------


async def test_a_failure_undoes_the_whole_block(things):
    """A block that fails leaves nothing; its error travels on unchanged."""
    with pytest.raises(ZeroDivisionError):
        await failing("a")
    assert await names() is None


async def test_a_failure_in_a_nested_block_undoes_that_block_only(things):
    """A nested block that fails and is caught outside leaves nothing; the outer block keeps its own writes."""
    async with together():
        await add("outer")
        with pytest.raises(ZeroDivisionError):
            await failing("inner")
        await add("after")
    assert await names() == "after outer"


async def test_piccolo_alone_keeps_what_a_failed_nested_block_wrote(things):
    """Negative control: Piccolo's own nested transaction keeps the inner rows, which is why `together()` exists."""

    async def piccolo_failing():
        async with DB.transaction():
            await add("inner")
            raise ZeroDivisionError

    async with DB.transaction():
        await add("outer")
        with pytest.raises(ZeroDivisionError):
            await piccolo_failing()
    assert await names() == "inner outer"


async def test_a_refused_statement_in_a_nested_block_leaves_the_outer_one_usable(things):
    """After a database error in a savepoint the outer transaction goes on and commits."""
    async with together():
        await add("one")
        with pytest.raises(Conflict):
            async with together():
                await add("one")
        await add("two")
    assert await names() == "one two"


async def test_three_levels_deep_each_undoes_its_own(things):
    """Savepoints nest: only the level that failed, and those inside it, are undone."""

    async def middle():
        async with together():
            await add("middle")
            async with together():
                await add("inner kept by middle")
            raise ZeroDivisionError

    async with together():
        await add("outer")
        with pytest.raises(ZeroDivisionError):
            await middle()
        async with together():
            await add("second")
    assert await names() == "outer second"


async def test_piccolo_queries_share_the_transaction(things):
    """A Piccolo query inside `together()` sees its rows and is undone with it."""

    async def mixed():
        async with together() as connection:
            await Thing.insert(Thing(name="p", amount=3))
            assert await connection.fetchval("SELECT amount FROM thing WHERE name = 'p'") == 3
            await execute("UPDATE thing SET amount = 4 WHERE name = 'p'")
            assert await Thing.select(Thing.amount).first() == {"amount": 4}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await mixed()
    assert await Thing.count() == 0


async def test_a_block_can_be_read_only_and_choose_its_isolation(things):
    """`readonly` refuses writes; a repeatable-read block keeps seeing its snapshot."""
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with together(readonly=True):
            await add("a")
    async with together(isolation="repeatable_read"):
        assert await names() is None
        await things.execute("INSERT INTO thing VALUES ('later')")
        assert await names() is None
    assert await names() == "later"


async def test_a_task_started_inside_cannot_use_the_connection(things):
    """A task born inside `together()` is refused in plain words, in every way to the database; nothing hangs."""

    async def nested():
        async with together():
            pass

    async with together():
        for way in (names, nested, lambda: Thing.count().run()):
            with pytest.raises(RuntimeError, match="started inside together"):
                await asyncio.create_task(way())
        await add("mine")
    assert await names() == "mine"


# --- what PostgreSQL refuses ------------------------------------------------------------------------------


async def test_a_claimed_constraint_is_raised_as_its_own_error(things):
    """A violated constraint leaves as the error that claims its name, with the database's error as cause."""
    with pytest.raises(TooSmallError) as caught:
        async with together():
            await add("a", -1)
    assert isinstance(caught.value.__cause__, asyncpg.CheckViolationError)
    assert caught.value.data == {"constraint": "thing_amount"}
    with pytest.raises(TooSmallError):
        await add("a", -1)  # outside a block too


async def test_piccolo_refusals_are_translated_by_together(things):
    """A constraint that a Piccolo query violates leaves `together()` as the domain error as well."""
    with pytest.raises(TooSmallError):
        async with together():
            await Thing.insert(Thing(name="a", amount=-1))


async def test_an_unclaimed_constraint_is_a_conflict_that_names_it(things):
    """A constraint that no error claims is a `Conflict` carrying its name."""
    await add("a")
    with pytest.raises(Conflict) as caught:
        await add("a")
    assert caught.value.data == {"constraint": "thing_pkey"}


def test_one_error_speaks_for_a_constraint():
    """Two errors that claim the same name would answer by who was imported last: the second is refused."""
    with pytest.raises(TypeError, match="TooSmallError speaks for the constraint thing_amount already"):
        type("Second", (Conflict,), {"constraint": "thing_amount"})


async def test_a_trigger_can_refuse_under_a_claimed_name(things):
    """A refusal raised by the database's own code under a claimed constraint name is translated too."""
    with pytest.raises(TooSmallError):
        await execute("DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55000', CONSTRAINT = 'thing_amount'; END$$")


BAD_VALUES = {
    "NUL byte": ("a\x00b", 0),
    "lone surrogate": ("\ud800", 0),
    "number beyond 32 bits": ("a", 2**31),
    "number beyond 64 bits": ("a", 2**63),
    "wrong type": ("a", "many"),
    "missing": (None, 0),
}


@pytest.mark.parametrize("kind", BAD_VALUES)
async def test_unusable_values_are_invalid_input(things, kind):
    """A value that cannot be stored is `InvalidInput`, not an unknown failure."""
    with pytest.raises(InvalidInput) as caught:
        async with together():
            await add(*BAD_VALUES[kind])
    assert caught.value.data["errors"]


async def test_a_mistake_in_the_code_is_not_disguised(things):
    """Errors that only a programmer can cause travel on as they are."""
    with pytest.raises(asyncpg.UndefinedTableError):
        await fetch_value("SELECT 1 FROM nothing_like_it")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute("CREATE TABLE mine (x int)")
    with pytest.raises(asyncpg.InterfaceError):
        await fetch_value("SELECT $1::int")


# --- lost races -------------------------------------------------------------------------------------------


async def increment():
    """Read, think, write: wrong without isolation."""
    async with together(isolation="serializable"):
        amount = await fetch_value("SELECT amount FROM thing WHERE name = 'n'")
        await asyncio.sleep(0)
        await execute("UPDATE thing SET amount = $1 WHERE name = 'n'", amount + 1)


async def careless_increment():
    """The same without isolation."""
    async with together():
        amount = await fetch_value("SELECT amount FROM thing WHERE name = 'n'")
        await asyncio.sleep(0.01)
        await execute("UPDATE thing SET amount = $1 WHERE name = 'n'", amount + 1)


async def test_retried_work_counts_exactly_under_concurrency(things):
    """Of 20 concurrent increments each counts once or says `Busy` and counts not at all."""
    await add("n")
    outcomes = await asyncio.gather(*(again(increment) for _ in range(20)), return_exceptions=True)
    done = outcomes.count(None)
    assert all(outcome is None or isinstance(outcome, Busy) for outcome in outcomes)
    assert done >= 4
    assert await fetch_value("SELECT amount FROM thing") == done


async def test_enough_retries_lose_nothing(things):
    """With room for retries all 20 increments arrive."""
    await add("n")
    await asyncio.gather(*(again(increment, retries=30) for _ in range(20)))
    assert await fetch_value("SELECT amount FROM thing") == 20


async def test_the_same_work_without_isolation_loses_updates(things):
    """Negative control: read committed with a pause between read and write loses increments."""
    await add("n")
    await asyncio.gather(*(careless_increment() for _ in range(10)))
    assert await fetch_value("SELECT amount FROM thing") < 10


async def test_again_tries_four_times_at_most_and_only_for_lost_races(things):
    """A lost race is tried three times anew and then is `Busy`; any other failure is told at once."""
    attempts = []

    async def losing(state):
        attempts.append(state)
        async with together():
            await execute(f"DO $$BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{state}'; END$$")

    for state in ("40001", "40P01", "55P03"):
        with pytest.raises(Busy) as caught:
            await again(lambda state=state: losing(state))
        assert sqlstate_of(caught.value) == state
        assert attempts.count(state) == 4
    with pytest.raises(Busy):
        await again(lambda: losing("57014"))
    assert attempts.count("57014") == 1


async def test_a_deadlock_is_retried(things):
    """Two blocks that lock two rows in opposite order both finish under `again()`."""
    await execute("INSERT INTO thing VALUES ('a'), ('b')")

    async def both(first, second):
        async with together():
            await execute("UPDATE thing SET amount = amount + 1 WHERE name = $1", first)
            await asyncio.sleep(0.05)
            await execute("UPDATE thing SET amount = amount + 1 WHERE name = $1", second)

    await asyncio.gather(again(lambda: both("a", "b")), again(lambda: both("b", "a")))
    assert await fetch_value("SELECT sum(amount) FROM thing") == 4


async def test_again_inside_a_transaction_runs_once(things):
    """Only the outermost transaction can start over, so inside one the work is done once."""
    attempts = []

    async def losing():
        attempts.append(1)
        async with together():
            await execute("DO $$BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END$$")

    async with together():
        with pytest.raises(Busy):
            await again(losing)
    assert len(attempts) == 1


# --- reads and writes -------------------------------------------------------------------------------------


async def test_the_helpers_read_and_write(things):
    """Rows, a row, a value, a count, a bulk copy and a script, in and outside a transaction."""
    assert await copy_in("thing", ["name", "amount"], [("a", 1), ("b", 2)]) == 2
    assert [tuple(row) for row in await fetch_all("SELECT name, amount FROM thing ORDER BY 1")] == [("a", 1), ("b", 2)]
    row = await fetch_one("SELECT * FROM thing WHERE name = $1", "b")
    assert row["amount"] == 2
    assert await fetch_one("SELECT * FROM thing WHERE name = $1", "z") is None
    assert await execute("UPDATE thing SET amount = 5") == 2
    async with together():
        await copy_in("thing", ["name"], [("c",)])
        await execute_script("INSERT INTO thing VALUES ('d'); UPDATE thing SET amount = 6 WHERE name = 'd'")
    assert await fetch_value("SELECT amount FROM thing WHERE name = 'd'") == 6
    with pytest.raises(Conflict):
        await copy_in("thing", ["name"], [("x",), ("a",)])
    assert await names() == "a b c d"


async def test_an_own_connection_lives_outside_the_pool(world_db):
    """Session locks and LISTEN get a connection that is closed afterwards, so they cannot leak."""
    held = """
        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    async with own_connection() as connection:
        await connection.execute("SELECT pg_advisory_lock(77)")
        assert await fetch_value(held) == 1
    assert await fetch_value(held) == 0
