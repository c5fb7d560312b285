"""`together()`, `again()` and the helpers, against a real server."""

import pytest

from leerbudget.foundation.database import execute, fetch_value, together


async def make_tables(admin):
    await admin.execute("SET ROLE leerbudget_owner")
    await admin.execute(
        "CREATE TABLE thing (name text PRIMARY KEY, amount int NOT NULL DEFAULT 0, CONSTRAINT thing_amount CHECK (amount >= 0))"
    )
    await admin.execute("RESET ROLE")


async def test_a_failure_in_a_nested_block_undoes_that_block_only(world_db, admin):
    """A nested block that fails and is caught outside leaves nothing; the outer block keeps its own writes."""
    await make_tables(admin)
    async with together():
        await execute("INSERT INTO thing VALUES ($1)", "outer")
        with pytest.raises(ZeroDivisionError):
            async with together():
                await execute("INSERT INTO thing VALUES ($1)", "inner")
                raise ZeroDivisionError
    assert await fetch_value("SELECT string_agg(name, ',') FROM thing") == "outer"
