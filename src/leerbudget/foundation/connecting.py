"""One connection, made with care: what is wrong is told in one sentence, without the password."""

import re
from typing import Any

import asyncpg

from leerbudget.foundation.errors import SettingsError

REFUSALS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Everything that asyncpg raises; the last one when the server goes between two steps of asyncpg's own."""

SERVER_VERSION_MIN = 18
"""Oldest PostgreSQL that has what the tables use (`uuidv7()`)."""


async def connect(dsn: str, **options: Any) -> Any:
    """One asyncpg connection.

    Raises:
        SettingsError: it cannot be made; the sentence names server and reason, never the password.
    """
    try:
        return await asyncpg.connect(dsn, timeout=10, **options)
    except ValueError as failure:  # of the address itself; the reason could quote a piece of the password
        raise SettingsError(message=f"Het adres van de database, {where(dsn)}, klopt niet.") from failure
    except (OSError, TimeoutError, *REFUSALS) as failure:
        reason = " ".join(str(failure).split()) or type(failure).__name__
        raise SettingsError(message=f"De database {where(dsn)} is niet te bereiken: {reason}") from failure


def where(dsn: str) -> str:
    """The DSN without its password, for people to read."""
    dsn = re.sub(r"(?i)(password=)[^&]*", r"\1***", dsn)
    head, at, tail = dsn.rpartition("@")
    scheme, slashes, login = head.partition("://")
    return f"{scheme}{slashes}{login.split(':', 1)[0]}@{tail}" if at else dsn


def refuse_old_server(major: int) -> None:
    """Refuse a PostgreSQL older than 18.

    Raises:
        SettingsError: it is older.
    """
    if major < SERVER_VERSION_MIN:
        raise SettingsError(
            message=f"De database is PostgreSQL {major}; leerbudget heeft versie {SERVER_VERSION_MIN} of nieuwer nodig."
        )
