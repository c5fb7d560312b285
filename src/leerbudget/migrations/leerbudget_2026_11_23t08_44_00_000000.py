"""What Piccolo's table classes cannot express of what families pay themselves; the SQL stands beside this file."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Varchar

from leerbudget.foundation.database import execute_script

ID = "2026-11-23T08:44:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Who else holds money for a seat"


async def forwards() -> MigrationManager:
    """Run the script as a whole: function bodies hold semicolons and braces."""
    manager = MigrationManager(migration_id=ID, app_name="leerbudget", description=DESCRIPTION)

    async def guards() -> None:
        await execute_script(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

    manager.add_raw(guards)
    manager.alter_column(  # what was held before was held of budgets; from now on every hold says of whom
        table_class_name="BudgetHold",
        tablename="budget_hold",
        column_name="payer",
        db_column_name="payer",
        params={"default": None},
        old_params={"default": "budget"},
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )
    return manager
