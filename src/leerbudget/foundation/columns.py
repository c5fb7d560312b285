"""Columns with safe defaults: Piccolo's own defaults fill in what a caller forgot, ours refuse it.

A required column has no default, so the database answers NOT NULL to whoever forgets it.
A foreign key restricts deletes and is found by an index.
"""

from typing import Any

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Timestamptz,
    Varchar,
)
from piccolo.table import Table


def key() -> UUID:
    """The primary key; the caller makes the id (`foundation.ids.new_id`)."""
    return UUID(primary_key=True, default=None, null=False)


def foreign(table: type[Table], *, optional: bool = False, index: bool = True) -> ForeignKey[Any]:
    """A reference that must exist and that blocks deletion of what it points to.

    Without an index of its own where a `Unique` of the table begins with it: that one serves, and each costs writing.
    """
    return ForeignKey(
        table, null=optional, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict, index=index
    )


def text(length: int = 200, *, optional: bool = False, index: bool = False) -> Varchar:
    """Bounded text."""
    return Varchar(length=length, default=None, null=optional, index=index)


def cents(*, default: int | None = None, optional: bool = False) -> BigInt:
    """An amount in euro cents."""
    return BigInt(default=default, null=optional)


def whole(*, default: int | None = None, optional: bool = False) -> Integer:
    """A small whole number."""
    return Integer(default=default, null=optional)


def moment(*, optional: bool = False, index: bool = False) -> Timestamptz:
    """A zone-aware instant."""
    return Timestamptz(default=None, null=optional, index=index)


def day(*, optional: bool = False) -> Date:
    """A calendar date in Amsterdam."""
    return Date(default=None, null=optional)


def flag(*, default: bool) -> Boolean:
    """Yes or no."""
    return Boolean(default=default, null=False)


def identifier(*, optional: bool = False, index: bool = False) -> UUID:
    """An id of something on a floor above, which this room must not import."""
    return UUID(default=None, null=optional, index=index)


def words(*, optional: bool = False) -> Array:
    """A list of codes from a closed list."""
    return Array(base_column=Varchar(length=60), default=None, null=optional)


def identifiers(*, optional: bool = False) -> Array:
    """A list of ids; the database does not look them up."""
    return Array(base_column=UUID(default=None, null=False), default=None, null=optional)


def document(*, optional: bool = False) -> JSONB:
    """A JSON document."""
    return JSONB(default=None, null=optional)


def content(*, optional: bool = True) -> Bytea:
    """Raw bytes."""
    return Bytea(default=None, null=optional)


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The body of a CHECK that keeps a column to a closed list."""
    return f"{column} IN ({', '.join(repr(v) for v in values)})"
