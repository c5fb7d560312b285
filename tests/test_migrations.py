"""The migrated schema is the schema of the table classes; Piccolo itself does not see a changed constraint."""

import contextlib
import io

import asyncpg
from piccolo.apps.migrations.commands.new import AutoMigrationManager
from piccolo.table import create_db_tables

from leerbudget.foundation.database import close_pool, execute_script, open_pool
from leerbudget.piccolo_app import APP_CONFIG

DEFINITIONS = """
SELECT conrelid::regclass::text || '.' || conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
"""
BY_HAND = {"attendance.one_meeting_at_a_time", "cohort_family.one_cohort_at_a_time"}
"""Constraints that only the guards' script makes."""


async def definitions(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        return {row["name"]: row["definition"] for row in await connection.fetch(DEFINITIONS)}
    finally:
        await connection.close()


async def test_a_migration_would_find_nothing_to_do():
    """`piccolo migrations new --auto` sees no difference between tables and migrations."""
    with contextlib.redirect_stdout(io.StringIO()):
        changes = await AutoMigrationManager().get_alter_statements(app_config=APP_CONFIG)
    assert [statement for change in changes for statement in change.statements] == []


async def test_every_constraint_says_the_same_in_tables_and_migrations(clean_database):
    """A Check whose text was changed without a migration would show here: names and texts are compared."""
    migrated = await definitions(clean_database.admin_dsn)
    await open_pool(clean_database.dsns.owner, for_migration=True)
    try:
        await execute_script("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await create_db_tables(*APP_CONFIG.table_classes)
    finally:
        await close_pool()
    drawn = await definitions(clean_database.admin_dsn)
    missing = {name for name in set(migrated) ^ set(drawn) if not name.startswith("migration.")}
    assert missing == BY_HAND
    assert {name: text for name, text in drawn.items() if migrated[name] != text} == {}
