"""Who may do what in the database: four roles, their rights and their time limits.

`leerbudget_owner` owns every table and cannot log in; migrations run as it. `leerbudget_app` and
`leerbudget_worker` read and write rows, `leerbudget_reader` only reads. None can bypass a check.
Money and seats would survive a frozen process only if its locks expire, hence the limits per role
(`lock_timeout` and its kin are off by default in PostgreSQL).
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import asyncpg

from leerbudget.foundation.binaries import open_private
from leerbudget.foundation.connecting import connect, refuse_old_server
from leerbudget.foundation.errors import SettingsError

OWNER = "leerbudget_owner"
APP = "leerbudget_app"
WORKER = "leerbudget_worker"
READER = "leerbudget_reader"
DATABASE = "leerbudget"

TIME_LIMITS: dict[str, dict[str, str]] = {
    APP: {
        "lock_timeout": "3s",
        "statement_timeout": "10s",
        "idle_in_transaction_session_timeout": "5s",
        "transaction_timeout": "15s",
    },
    WORKER: {
        "lock_timeout": "3s",
        "statement_timeout": "120s",
        "idle_in_transaction_session_timeout": "5s",
        "transaction_timeout": "120s",
    },
    READER: {
        "lock_timeout": "3s",
        "statement_timeout": "120s",
        "idle_in_transaction_session_timeout": "5s",
        "transaction_timeout": "120s",
    },
}
"""How long each role may wait, work and idle before PostgreSQL ends it."""

_BOOTSTRAP_LOCK = 7_305_001
_RIGHTS = f"""
    ALTER SCHEMA public OWNER TO {OWNER};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO {APP}, {WORKER}, {READER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP}, {WORKER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT ON TABLES TO {READER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE ON SEQUENCES TO {APP}, {WORKER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {APP}, {WORKER}, {READER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""


def stored_passwords(home: Path) -> dict[str, str]:
    """The passwords of the login roles, kept beside the data in a file only its owner can read.

    Made at the first call; several processes may call at once and all get the same.
    """
    place = home / "database-passwords.json"
    if not place.exists():
        fresh = {role: secrets.token_urlsafe(24) for role in TIME_LIMITS}
        partial = home / f"database-passwords.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(open_private(partial, os.O_WRONLY), "w") as file:
            json.dump(fresh, file, indent=1)
        try:
            os.link(partial, place)  # the first one wins; nobody ever reads half a file
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    known: dict[str, str] = json.loads(place.read_text())
    return known


async def bootstrap(
    dsn: str, passwords: dict[str, str], *, database: str = DATABASE, keep_passwords: bool = False
) -> None:
    """Make the roles, the database and the rights, or bring them up to date. Safe to repeat and to race.

    Args:
        dsn: connection of a superuser, or of a role that may create roles and databases.
        passwords: for login roles; a role that is not named gets no password and so cannot log in.
        database: the database to make, owned by `leerbudget_owner`.
        keep_passwords: leave a role that exists its password.

    Raises:
        SettingsError: the server cannot be reached or is older than PostgreSQL 18, or the role may not do this.
    """
    connection = await _maintenance_connection(dsn)
    try:
        refuse_old_server(connection.get_server_version().major)
        await connection.execute("SELECT pg_advisory_lock($1)", _BOOTSTRAP_LOCK)
        await _make_roles(connection, passwords, keep_passwords=keep_passwords)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await _run(connection, "CREATE DATABASE %I OWNER %I", database, OWNER)
        await grant_entry(connection, database)
        inside = await connect(dsn, database=database)
        try:
            await inside.execute(_RIGHTS)
        finally:
            await inside.close()
    except asyncpg.InsufficientPrivilegeError as refusal:
        raise SettingsError(message=f"De rol in LEERBUDGET_OWNER_URL mag te weinig: {refusal}") from refusal
    finally:
        await connection.close()


async def _maintenance_connection(dsn: str) -> Any:
    """A connection to `postgres`, where all who bootstrap meet (locks are per database), or else to the named database."""
    try:
        return await connect(dsn, database="postgres")
    except SettingsError as failure:
        if not isinstance(failure.__cause__, asyncpg.InvalidCatalogNameError | asyncpg.InsufficientPrivilegeError):
            raise
    return await connect(dsn)


async def grant_entry(connection: Any, database: str) -> None:
    """Let our roles, and nobody else, enter the database (a copy of a database does not keep these rights)."""
    await _run(connection, "REVOKE ALL ON DATABASE %I FROM PUBLIC", database)
    await _run(connection, f"GRANT CONNECT ON DATABASE %I TO {APP}, {WORKER}, {READER}", database)
    await _run(connection, f"GRANT CREATE ON DATABASE %I TO {OWNER}", database)


async def _make_roles(connection: Any, passwords: dict[str, str], *, keep_passwords: bool) -> None:
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    if OWNER not in known:
        await _run(connection, "CREATE ROLE %I NOLOGIN", OWNER)
        await _run(connection, "GRANT %I TO CURRENT_USER", OWNER)
    for role, limits in TIME_LIMITS.items():
        if role not in known:
            await _run(connection, "CREATE ROLE %I LOGIN", role)
        if role in passwords and not (role in known and keep_passwords):
            await _run(connection, "ALTER ROLE %I PASSWORD %L", role, passwords[role])
        for name, value in limits.items():
            await _run(connection, f"ALTER ROLE %I SET {name} = %L", role, value)


async def _run(connection: Any, template: str, *names: str) -> None:
    """Run a definition whose names and literals PostgreSQL itself quotes (definitions take no parameters)."""
    holes = ", ".join(f"${number + 2}::text" for number in range(len(names)))
    await connection.execute(await connection.fetchval(f"SELECT format($1, {holes})", template, *names))


async def refuse_superuser(connection: Any) -> None:
    """Refuse a role for which checks, row security or the ledger's immutability do not hold.

    Raises:
        SettingsError: the role is a superuser, has BYPASSRLS, or owns (or may become the owner of) the tables.
    """
    role = await connection.fetchrow(
        """
        SELECT rolname, rolsuper OR rolbypassrls AS above,
               EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')) AS owns
        FROM pg_roles WHERE rolname = current_user
        """,
        OWNER,
    )
    if role["above"] or role["owns"]:
        raise SettingsError(
            message=f"De databaserol '{role['rolname']}' staat boven de regels (superuser, BYPASSRLS of eigenaar van "
            f"de tabellen). Gebruik een gewone rol, zoals {APP}."
        )


async def empty_database(dsn: str, comment: str) -> None:
    """Throw away everything in the database and write the comment on it; the roles' rights stay as they were.

    Args:
        dsn: connection of the role that bootstrapped the database.
        comment: says what the database is for from now on.

    Raises:
        SettingsError: the server cannot be reached, or the role may not do this.
    """
    connection = await connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("DROP SCHEMA public CASCADE")
            await connection.execute("CREATE SCHEMA public")
            await connection.execute(_RIGHTS)
            database = await connection.fetchval("SELECT current_database()")
            statement = await connection.fetchval(
                "SELECT format('COMMENT ON DATABASE %I IS %L', $1::text, $2::text)", database, comment
            )
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as refusal:
        raise SettingsError(message=f"De rol in LEERBUDGET_OWNER_URL mag te weinig: {refusal}") from refusal
    finally:
        await connection.close()
