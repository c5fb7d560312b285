"""The migrated schema is the schema of the table classes; Piccolo itself does not see a changed constraint."""

import contextlib
import importlib
import io

import asyncpg
import pytest
from piccolo.apps.migrations.commands.new import AutoMigrationManager
from piccolo.table import create_db_tables

import world
from leerbudget.foundation.database import close_pool, execute, execute_script, fetch_all, fetch_value, open_pool
from leerbudget.piccolo_app import APP_CONFIG

DEFINITIONS = """
SELECT conrelid::regclass::text || '.' || conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
"""
BY_HAND = {"attendance.one_meeting_at_a_time", "cohort_family.one_cohort_at_a_time", "tariff.one_tariff_at_a_time"}
"""Constraints that only the guards' script makes."""


IN_VAIN = """
SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  AND EXISTS (SELECT FROM pg_index o WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indpred IS NULL
              AND (o.indkey::int2[])[0:i.indnkeyatts - 1] = (i.indkey::int2[])[0:i.indnkeyatts - 1])
"""
"""Indexes that begin, or are, another one: who reads can use that one, and who writes pays for both."""
NOT_FOUND = """
SELECT c.conrelid::regclass::text || '.' || c.conname AS name FROM pg_constraint c
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1])
"""
"""Foreign keys that no index begins with."""


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


@pytest.mark.usefixtures("world_db")
async def test_every_reference_is_found_by_one_index(admin):
    """No index is the beginning of another, and every foreign key is the beginning of one."""
    assert [row["name"] for row in await fetch_all(IN_VAIN)] == []
    assert [row["name"] for row in await fetch_all(NOT_FOUND)] == []
    await admin.execute("CREATE INDEX in_vain ON attendance (booking); DROP INDEX attendance_meeting")
    assert [row["name"] for row in await fetch_all(IN_VAIN)] == ["in_vain"]
    assert len(await fetch_all(NOT_FOUND)) == 1


@pytest.mark.usefixtures("world_db")
async def test_venues_that_were_there_get_their_municipality():
    """A venue from before the column learns where it lies; a registered one knows it from its postcode."""
    lies_in = "SELECT v.municipality FROM venue v JOIN course_session s ON s.venue = v.id WHERE s.id = $1"
    session = await world.a_session(postcode4="6861")
    assert await fetch_value(lies_in, session) == "Renkum"
    await execute("UPDATE venue SET municipality = ''")
    filling = importlib.import_module("leerbudget.migrations.leerbudget_2026_11_23t02_09_00_000000")
    for step in (await filling.forwards()).raw:
        await step()
    assert await fetch_value(lies_in, session) == "Renkum"
