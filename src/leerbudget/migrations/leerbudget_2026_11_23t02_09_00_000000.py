"""Venues that are there already get the municipality of their postcode."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from leerbudget.foundation.database import execute
from leerbudget.geography.postcodes import all_places

ID = "2026-11-23T02:09:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Venues know their municipality"


async def forwards() -> MigrationManager:
    """Fill by the table of postcodes, which the database does not have."""
    manager = MigrationManager(migration_id=ID, app_name="leerbudget", description=DESCRIPTION)

    async def fill() -> None:
        places = all_places().values()
        await execute(
            "UPDATE venue v SET municipality = p.municipality"
            " FROM unnest($1::text[], $2::text[]) AS p(postcode4, municipality) WHERE v.postcode4 = p.postcode4",
            [place.postcode4 for place in places],
            [place.municipality for place in places],
        )

    manager.add_raw(fill)
    return manager
