"""One unpaid seat for a family at a time; the SQL stands beside this file."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from leerbudget.foundation.database import execute_script

ID = "2026-11-23T13:35:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Bookings: one unpaid seat for a family at a time"


async def forwards() -> MigrationManager:
    """Run the script as a whole: function bodies hold semicolons and braces."""
    manager = MigrationManager(migration_id=ID, app_name="leerbudget", description=DESCRIPTION)

    async def guards() -> None:
        await execute_script(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

    manager.add_raw(guards)
    return manager
