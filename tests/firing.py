"""Firing named constraints: insert a row that is right but for one thing, and see who answers."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from leerbudget.foundation.database import execute, fetch_all, together
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id

Row = Mapping[str, Any]


async def insert(table: str, row: Row) -> None:
    """Insert one row as it is; lists and dictionaries the way JSON has them."""
    columns = ", ".join(row)
    await execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1::jsonb)",
        msgspec.json.encode(row).decode(),
    )


async def fires(constraint: str, table: str, good: Row, **bad: Any) -> None:
    """The good row with the bad values is refused under the constraint's name, by the error that claims it.

    Without bad values the good row goes in twice, with another id: that fires a unique constraint.
    """
    with pytest.raises(LeerbudgetError) as refusal:
        await _try(table, good, bad)
    assert refusal.value.data.get("constraint") == constraint, (constraint, refusal.value.__cause__)
    assert type(refusal.value) is LeerbudgetError.for_constraint(constraint)
    assert constraint in LeerbudgetError.claimed_constraints(), f"nobody claims {constraint}"


async def _try(table: str, good: Row, bad: Row) -> None:
    async with together():
        if not bad:
            await insert(table, {**good, "id": new_id()})
        await insert(table, {**good, "id": new_id(), **bad})


class _TakenBack(Exception):
    """Ends a transaction that only looked."""


async def goes_in(table: str, good: Row) -> None:
    """The good row itself is accepted (and taken back): otherwise a refusal proves nothing."""
    with suppress(_TakenBack):
        async with together():
            await insert(table, {**good, "id": new_id()})
            raise _TakenBack  # a refusal of the row comes before and is not suppressed


async def constraints_of(*tables: str) -> set[str]:
    """Every named CHECK, UNIQUE and foreign key of these tables."""
    rows = await fetch_all(
        """SELECT conname FROM pg_constraint WHERE conrelid = ANY($1::text[]::regclass[]) AND contype IN ('c', 'u', 'f')
           AND conname NOT LIKE '%\\_not\\_null'""",
        list(tables),
    )
    return {row["conname"] for row in rows}
