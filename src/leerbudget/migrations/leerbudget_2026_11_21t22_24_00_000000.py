"""Rights by column for the money rooms; the SQL stands beside this file."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from leerbudget.foundation.database import execute_script

ID = "2026-11-21T22:24:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The application cannot fill an account or change an amount"


async def forwards() -> MigrationManager:
    """Run the script as a whole."""
    manager = MigrationManager(migration_id=ID, app_name="leerbudget", description=DESCRIPTION)

    async def rights() -> None:
        await execute_script(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

    manager.add_raw(rights)
    return manager
