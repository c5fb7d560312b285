"""Who may do what, and for how long."""

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from leerbudget.foundation import roles
from leerbudget.foundation.connecting import connect, refuse_old_server, where
from leerbudget.foundation.database import DB, check_server, close_pool, execute, fetch_value, open_pool, together
from leerbudget.foundation.errors import Busy, SettingsError


@pytest.fixture
async def table(admin):
    """A table that the owner made, as a migration would."""
    await admin.execute("""
        SET ROLE leerbudget_owner;
        CREATE TABLE thing (id int GENERATED ALWAYS AS IDENTITY, name text UNIQUE);
        CREATE FUNCTION answer() RETURNS int LANGUAGE sql RETURN 42;
        RESET ROLE;
        INSERT INTO thing (name) VALUES ('first');
    """)
    return admin


async def as_role(dsn, sql):
    """Run one statement with a login of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


ROW_WORK = {
    "select": "SELECT name FROM thing",
    "insert": "INSERT INTO thing (name) VALUES ('second')",
    "update": "UPDATE thing SET name = 'changed' WHERE name = 'first'",
    "delete": "DELETE FROM thing",
}
SCHEMA_WORK = {
    "create": "CREATE TABLE mine (x int)",
    "temporary": "CREATE TEMP TABLE mine (x int)",
    "alter": "ALTER TABLE thing ADD COLUMN more int",
    "truncate": "TRUNCATE thing",
    "drop": "DROP TABLE thing",
    "disable triggers": "ALTER TABLE thing DISABLE TRIGGER ALL",
    "bypass": "SET session_replication_role = replica",
    "become owner": "SET ROLE leerbudget_owner",
    "make role": "CREATE ROLE friend",
    "read files": "SELECT pg_read_file('PG_VERSION')",
}


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_app_and_worker_change_rows_but_never_the_schema(world_db, table, role):
    """The application's roles may read and write rows of tables made later, and call functions; nothing more."""
    dsn = getattr(world_db.dsns, role)
    for sql in ROW_WORK.values():
        await as_role(dsn, sql)
    assert await as_role(dsn, "SELECT answer()") == 42
    for sql in SCHEMA_WORK.values():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(dsn, sql)


async def test_reader_only_reads(world_db, table):
    """The reader sees rows and can change nothing."""
    assert await as_role(world_db.dsns.reader, ROW_WORK["select"]) == "first"
    for sql in [ROW_WORK[name] for name in ("insert", "update", "delete")] + list(SCHEMA_WORK.values()):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(world_db.dsns.reader, sql)


async def test_the_owner_owns_the_tables_and_cannot_log_in(world_db, table, cluster):
    """Tables belong to `leerbudget_owner`, which has no login."""
    assert await table.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'thing'") == roles.OWNER
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(cluster.dsn(roles.OWNER, world_db.name))


@pytest.mark.parametrize("password", ["", "wrong"])
async def test_a_wrong_password_is_refused(world_db, cluster, password):
    """The private socket does not make the passwords superfluous."""
    with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
        await asyncpg.connect(cluster.dsn(roles.APP, world_db.name, password))


@pytest.mark.parametrize("role", [roles.APP, roles.WORKER, roles.READER])
async def test_every_role_has_its_time_limits(world_db, role):
    """A fresh login of each role has exactly the documented limits."""
    dsn = {roles.APP: world_db.dsns.app, roles.WORKER: world_db.dsns.worker, roles.READER: world_db.dsns.reader}[role]
    for name, value in roles.TIME_LIMITS[role].items():
        sql = f"SELECT current_setting('{name}')::interval = '{value}'::interval"
        assert await as_role(dsn, sql), name


async def limited(world_db, admin, name):
    """Shorten one limit for this database only, and open the pool anew so that it holds."""
    await admin.execute(f"ALTER ROLE {roles.APP} IN DATABASE {world_db.name} SET {name} = '150ms'")
    await close_pool()
    await open_pool(world_db.dsns.app)


async def test_waiting_for_a_lock_ends_in_busy(world_db, table):
    """Whoever waits for a row longer than the role's lock limit hears `Busy`."""
    await limited(world_db, table, "lock_timeout")
    async with table.transaction():
        await table.execute("UPDATE thing SET name = 'mine'")
        with pytest.raises(Busy) as caught:
            await execute("UPDATE thing SET name = 'yours'")
    assert caught.value.data == {"reason": "55P03"}


async def test_a_slow_statement_ends_in_busy(world_db, table):
    """A statement longer than the role's limit is `Busy`."""
    await limited(world_db, table, "statement_timeout")
    with pytest.raises(Busy) as caught:
        await execute("SELECT pg_sleep(5)")
    assert caught.value.data == {"reason": "57014"}


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout", "transaction_timeout"])
async def test_a_frozen_block_loses_its_locks(world_db, table, limit):
    """A block that does nothing for too long is ended by the server: its lock is free, its work undone, `Busy`."""
    await limited(world_db, table, limit)

    async def frozen():
        async with together():
            await execute("UPDATE thing SET name = 'frozen'")
            await asyncio.sleep(0.4)
            await execute("UPDATE thing SET name = 'still frozen'")

    with pytest.raises(Busy):
        await frozen()
    assert await fetch_value("SELECT name FROM thing") == "first"


@pytest.mark.parametrize("limit", ["lock_timeout", "idle_in_transaction_session_timeout"])
async def test_without_limits_a_frozen_block_blocks(world_db, table, limit):
    """Negative control: as superuser, who has no limits, the same waiting goes on."""
    await limited(world_db, table, limit)
    other = await asyncpg.connect(world_db.admin_dsn)
    try:
        async with table.transaction():
            await table.execute("UPDATE thing SET name = 'mine'")
            await asyncio.sleep(0.4)
            with pytest.raises(TimeoutError):
                await other.execute("UPDATE thing SET name = 'yours'", timeout=0.4)
    finally:
        await other.close()


async def test_roles_above_the_rules_are_refused(clean_database, cluster):
    """The application does not start as superuser, with BYPASSRLS, or as (a member of) the tables' owner."""
    with pytest.raises(SettingsError, match="boven de regels"):
        await open_pool(clean_database.admin_dsn)
    assert DB.pool is None
    keeper = await asyncpg.connect(cluster.admin_dsn)
    try:
        for definition in ("BYPASSRLS", f"IN ROLE {roles.OWNER}"):
            await keeper.execute(f"CREATE ROLE above LOGIN PASSWORD 'x' {definition}")
            await keeper.execute(f"GRANT CONNECT ON DATABASE {clean_database.name} TO above")
            with pytest.raises(SettingsError, match="'above' staat boven de regels"):
                await check_server(cluster.dsn("above", clean_database.name, "x"))
            await keeper.execute(f"DROP OWNED BY above; REVOKE CONNECT ON DATABASE {clean_database.name} FROM above")
            await keeper.execute("DROP ROLE above")
    finally:
        await keeper.close()
    await check_server(clean_database.dsns.app)  # the control: the ordinary role passes


UNREACHABLE = {
    "nobody listens": "postgresql://app:geheim@127.0.0.1:1/x",
    "no such socket": "postgresql://app:geheim@/x?host=/nonexistent",
    "no such name": "postgresql://app:geheim@database.invalid/x",
}


@pytest.mark.parametrize("kind", UNREACHABLE)
async def test_an_unreachable_database_is_one_clear_line(kind):
    """A database that cannot be reached is one sentence with its address and without its password."""
    with pytest.raises(SettingsError, match="is niet te bereiken") as caught:
        await open_pool(UNREACHABLE[kind])
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert DB.pool is None


@pytest.mark.parametrize(
    "dsn", ["postgresql://app:x@127.0.0.1:notaport/x", "postgresql://app:gehe/im@127.0.0.1/x", "postgresql://[x"]
)
async def test_a_malformed_address_is_one_clear_line(dsn):
    """An address that cannot be read is refused without quoting any piece of its password."""
    with pytest.raises(SettingsError, match="klopt niet") as caught:
        await open_pool(dsn)
    assert "gehe" not in str(caught.value)


async def test_a_wrong_login_or_database_is_one_clear_line(cluster, template):
    """A wrong password and an unknown database are told the same way."""
    for dsn in (cluster.dsn(roles.APP, roles.DATABASE, "wrong"), cluster.dsn("postgres", "no_such_database")):
        with pytest.raises(SettingsError, match="is niet te bereiken"):
            await connect(dsn)


def test_an_old_server_is_refused():
    """PostgreSQL 17 is refused by name; 18 and later pass."""
    with pytest.raises(SettingsError, match=r"PostgreSQL 17; .* 18 of nieuwer"):
        refuse_old_server(17)
    refuse_old_server(18)
    refuse_old_server(19)


def test_addresses_are_shown_without_passwords():
    """Neither form of a password in a DSN is shown."""
    assert where("postgresql://app:a:b@h/x?host=/s") == "postgresql://app@h/x?host=/s"
    assert where("postgresql://app@h/x?password=geheim&host=/s") == "postgresql://app@h/x?password=***&host=/s"
    assert where("nonsense") == "nonsense"


def test_passwords_are_private_and_the_same_for_everyone(tmp_path):
    """Processes that ask at the same time get the same long passwords, in a file only its owner can read."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: roles.stored_passwords(tmp_path), range(24)))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0].values())) == 3
    assert min(map(len, answers[0].values())) >= 32
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_bootstrap_can_be_repeated_and_raced(cluster, template):
    """Several processes that bootstrap at once all succeed, and the logins keep working."""
    passwords = roles.stored_passwords(cluster.home)
    await asyncio.gather(*(roles.bootstrap(cluster.admin_dsn, passwords, database="raced") for _ in range(4)))
    dsn = cluster.dsn(roles.APP, "raced", passwords[roles.APP])
    assert await as_role(dsn, "SELECT current_user::text") == roles.APP
    keeper = await asyncpg.connect(cluster.admin_dsn)
    await keeper.execute("DROP DATABASE raced WITH (FORCE)")
    await keeper.close()
