"""An empty database for what makes up its own world: the demonstration and the simulated year."""

from leerbudget.foundation.connecting import connect
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.roles import empty_database
from leerbudget.foundation.running import Dsns

_IN_USE = """
SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('public')
               AND relname <> 'migration' AND pg_relation_size(oid) > 0)
"""
"""Whether anything was ever stored, in our tables or somebody else's."""


async def renew(dsns: Dsns, mark: str, *, of: str) -> None:
    """An empty database with this mark; data without it is never thrown away. `of`: whose the data may be, in Dutch.

    Raises:
        SettingsError: the database holds somebody else's data.
    """
    if dsns.owner is None:
        raise SettingsError(message="Zet LEERBUDGET_OWNER_URL, of gebruik de ingebouwde database.")
    connection = await connect(dsns.owner)
    try:
        marked = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        in_use = await connection.fetchval(_IN_USE)
    finally:
        await connection.close()
    if in_use and marked != mark:
        raise SettingsError(message=f"In deze database staan gegevens die niet van {of} zijn. Er is niets veranderd.")
    await empty_database(dsns.owner, mark)
