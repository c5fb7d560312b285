from piccolo.apps.migrations.auto.migration_manager import MigrationManager

ID = "2026-11-23T05:55:07:021853"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="leerbudget", description=DESCRIPTION
    )

    manager.drop_table(class_name="TopUp", tablename="top_up", schema=None)

    return manager
