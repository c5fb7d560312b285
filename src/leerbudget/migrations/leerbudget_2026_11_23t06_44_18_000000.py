"""What Piccolo's table classes cannot express of the bank side; the SQL stands beside this file."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from leerbudget.foundation.database import execute_script

ID = "2026-11-23T06:44:18:000000"
VERSION = "1.38.0"
DESCRIPTION = "Bank: privileges, one open payout line for what is paid, kinds of transfer and account"


async def forwards() -> MigrationManager:
    """Run the script as a whole: function bodies hold semicolons and braces."""
    manager = MigrationManager(migration_id=ID, app_name="leerbudget", description=DESCRIPTION)

    async def guards() -> None:
        await execute_script(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

    manager.add_raw(guards)
    return manager
