"""The command line as a whole: help, exit codes, one clear line for whatever is wrong, never a traceback."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time

import asyncpg
import click
import pytest
from click.testing import CliRunner

from entrypoints.cli.commanding import COMMAND, complaint, environment, forked, leerbudget, on
from leerbudget.entrypoints.cli import main, serve
from leerbudget.entrypoints.cli.main import COMMANDS
from leerbudget.entrypoints.cli.main import leerbudget as command_line
from leerbudget.foundation import roles
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.ids import new_id


def all_commands(command, path=()):
    """Every command and group below this one, with the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from all_commands(command.get_command(click.Context(command), name), (*path, name))


EVERY = [path for path, _ in all_commands(command_line)]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_explains_itself(path):
    """`--help` answers with exit code 0, a sentence, and a line for every option."""
    answer = CliRunner().invoke(command_line, [*path, "--help"])
    assert answer.exit_code == 0
    assert answer.output.startswith("Usage: ")
    command = dict(all_commands(command_line))[path]
    assert command.help, "a command without a sentence"
    assert all(option in answer.output for each in command.params for option in each.opts if option.startswith("--"))


def test_help_lists_every_command_without_importing_any():
    """The first thing a newcomer types is quick: no database library, no solver, no web server is loaded."""
    look = "import sys\nfrom leerbudget.entrypoints.cli.main import run\ntry: run()\nexcept SystemExit: pass\n"
    look += "print([m for m in ('asyncpg', 'piccolo', 'numpy', 'litestar', 'uvicorn', 'ortools') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look, "--help"], capture_output=True, text=True, check=True)
    *told, imported = done.stdout.strip().splitlines()
    assert imported == "[]"
    listed = [line.split()[0] for line in told if line.startswith("  ") and line.split()[0] in COMMANDS]
    assert listed == sorted(COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["--nonsense"],
        ["doctor", "--nonsense"],
        ["doctor", "superfluous"],
        ["round", "nonsense"],
        ["round", "freeze"],
        ["round", "freeze", "no-id"],
        ["round", "freeze", "01938d2e-0000-7000-8000-00000000000g"],
        ["round", "open", "--name", "x", "--from", "2027-02-30", "--until", "2027-03-01", "--seed", "1"],
        ["round", "open", "--name", "x", "--from", "9999-12-31", "--until", "9999-12-31", "--seed", "1"],
        ["round", "open", "--name", "x", "--from", "2027-01-01", "--until", "2027-03-01", "--seed", "9" * 5000],
        ["round", "open", "--name", "x" * 121, "--from", "2027-01-01", "--until", "2027-03-01", "--seed", "1"],
        ["round", "open", "--name", "  ", "--from", "2027-01-01", "--until", "2027-03-01", "--seed", "1"],
        ["round", "solve", str(new_id()), "--gap", "nan"],
        ["round", "solve", str(new_id()), "--seconds", "-1"],
        ["demo", "--families", "0"],
        ["demo", "--families", "1e9"],
        ["demo", "--seed", "-1"],
        ["demo", "--port", "65536"],
        ["serve", "--port", "eight"],
        ["serve", "--workers", "0"],
        ["import", "families", "/no/such/file.csv"],
        ["match", "solve", "/no/such/file.json"],
        ["payments", "confirm-top-up", "RF00", "--amount-cents", "9" * 30, "--received-on", "2027-01-01"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_two(words, here, own_place):
    """Unknown commands and options, wrong ids, dates and numbers, missing files: told before anything starts."""
    complaint(here(*words, env=environment(LEERBUDGET_DATA_DIR=own_place)), 2)
    assert not (own_place).exists()


@pytest.mark.parametrize("words", [["nonsense"], ["round", "open", "--name", b"\xff\xfe"]])
def test_wrong_usage_of_the_real_process(words):
    """As a process: exit code 2 and one line, bytes that are no text included."""
    words = [word if isinstance(word, bytes) else word.encode() for word in words]
    complaint(
        subprocess.run([*COMMAND, *words], env=environment(), capture_output=True, text=True, timeout=60, check=False),
        2,
    )


def test_a_forked_command_answers_as_the_real_one(tmp_path):
    """Exit code, both streams, environment and folder: what other tests run forked is what people run."""
    env = environment(LEERBUDGET_ENV="nonsense")
    ended = {}
    for run in (leerbudget, forked):
        size = ["--trainers", 1, "--sessions", 1, "--seed", 1]
        made = run("match", "trainers-generate", *size, "--out", "made.json", env=env, cwd=tmp_path)
        refused = run("doctor", env=env, cwd=tmp_path)
        told = [(done.returncode, done.stdout, done.stderr) for done in (made, refused)]
        ended[run] = told, (tmp_path / "made.json").read_bytes()
        (tmp_path / "made.json").unlink()
    assert ended[leerbudget] == ended[forked]
    assert [code for code, _, _ in ended[forked][0]] == [0, 2]


def test_a_group_alone_shows_what_there_is(here):
    """`leerbudget` and `leerbudget round` without more: the list of commands, and exit code 2."""
    for words in ([], ["round"], ["match"]):
        done = here(*words)
        assert done.returncode == 2
        assert "Commands:" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\u202eevil", "\ud800", "\x1b[31m"])
def test_a_name_is_one_clean_line(name):
    """NUL, line ends, direction marks, broken characters and escape sequences are refused."""
    words = ["round", "open", "--name", name, "--from", "2027-01-01", "--until", "2027-02-01", "--seed", "1"]
    assert CliRunner().invoke(command_line, words).exit_code == 2


WRONG_SETTINGS = {
    "several at once": (
        {"LEERBUDGET_ENV": "prod", "LEERBUDGET_BASE_URL": "nonsense", "LEERBUDGET_SMTP_URL": "ftp://x"},
        ["LEERBUDGET_ENV", "LEERBUDGET_BASE_URL", "LEERBUDGET_SMTP_URL"],
    ),
    "no such database": ({"LEERBUDGET_DATABASE_URL": "mysql://x"}, ["LEERBUDGET_DATABASE_URL"]),
    "nobody answers": (
        {"LEERBUDGET_DATABASE_URL": "postgresql://app:geheim@127.0.0.1:1/x"},
        ["niet te bereiken", "app@127.0.0.1:1/x"],
    ),
    "a clock outside test": ({"LEERBUDGET_TEST_CLOCK": "/x"}, ["LEERBUDGET_TEST_CLOCK"]),
    "production without anything": (
        {"LEERBUDGET_ENV": "production"},
        ["LEERBUDGET_DATABASE_URL", "LEERBUDGET_SECRET_KEY", "LEERBUDGET_BASE_URL"],
    ),
    "a file for a folder": ({"LEERBUDGET_DATA_DIR": "/dev/null/x"}, ["/dev/null/x", "LEERBUDGET_DATA_DIR"]),
    "no programs": ({"LEERBUDGET_PG_BIN": "/no/such/folder"}, ["/no/such/folder"]),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
@pytest.mark.parametrize("command", ["doctor", "migrate", "serve --port 0", "worker", "demo --no-serve"])
def test_wrong_settings_are_one_line_that_names_them_all(command, case, here, own_place):
    """Whatever the command, wrong settings and unreachable databases end it at once, without the password."""
    settings, told = WRONG_SETTINGS[case]
    if command == "migrate" and case == "nobody answers":
        told = ["LEERBUDGET_OWNER_URL"]
    if command.startswith("demo") and case == "nobody answers":
        told = ["LEERBUDGET_OWNER_URL"]
    env = environment(LEERBUDGET_DATA_DIR=own_place) | settings
    line = complaint(here(*command.split(), env=env), 2)
    assert all(part in line for part in told), line
    assert "geheim" not in line


async def an_old_server(reader, writer):
    """As much of PostgreSQL's protocol as a login needs, by a server that says it is version 16."""

    def message(kind, content):
        return kind + (len(content) + 4).to_bytes(4, "big") + content

    while True:
        length = int.from_bytes(await reader.readexactly(4), "big")
        code = int.from_bytes((await reader.readexactly(length - 4))[:4], "big")
        if code == 196608:
            break
        writer.write(b"N")  # no TLS
    writer.write(message(b"R", b"\0\0\0\0") + message(b"S", b"server_version\x0016.3\0"))
    writer.write(message(b"K", b"\0\0\0\1\0\0\0\1") + message(b"Z", b"I"))
    await reader.readexactly(5)  # the goodbye
    writer.close()


async def test_a_database_that_is_too_old_is_refused():
    """PostgreSQL 16 is told from 18 before anything is asked of it."""
    async with await asyncio.start_server(an_old_server, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://app:geheim@127.0.0.1:{port}/x"
        for settings in ({}, {"LEERBUDGET_OWNER_URL": url}):
            env = environment(LEERBUDGET_DATABASE_URL=url, **settings)
            done = await asyncio.to_thread(forked, "migrate" if settings else "doctor", env=env)
            assert "PostgreSQL 16; leerbudget heeft versie 18" in complaint(done, 2)


@pytest.fixture
async def empty(cluster, template):
    """A database with roles and rights but without tables."""
    name = f"empty_{new_id().hex[-12:]}"
    passwords = roles.stored_passwords(cluster.home)
    await roles.bootstrap(cluster.admin_dsn, passwords, database=name)
    yield {
        "LEERBUDGET_DATABASE_URL": cluster.dsn(roles.APP, name, passwords[roles.APP]),
        "LEERBUDGET_OWNER_URL": cluster.dsn("postgres", name),
    }
    keeper = await asyncpg.connect(cluster.admin_dsn)
    await keeper.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await keeper.close()


async def test_a_database_that_was_never_migrated_says_what_to_do(empty):
    """doctor, serve and round ask for `leerbudget migrate`; two of those at once and one more all end well."""
    env = environment(LEERBUDGET_DATABASE_URL=empty["LEERBUDGET_DATABASE_URL"])
    for words in (["doctor"], ["round", "show"], ["ledger", "check"], ["serve", "--port", "0"]):
        assert "leerbudget migrate" in complaint(await asyncio.to_thread(forked, *words, env=env), 2)
    env = environment(**empty)
    both = await asyncio.gather(*[asyncio.to_thread(forked, "migrate", env=env) for _ in range(2)])
    both.append(await asyncio.to_thread(forked, "migrate", env=env))
    assert [(done.returncode, done.stdout, done.stderr) for done in both] == [(0, "database: up to date\n", "")] * 3
    assert (await asyncio.to_thread(forked, "doctor", env=env)).returncode == 0


async def test_a_database_that_lags_behind_is_refused_and_one_that_is_ahead_is_not(clean_database):
    """The latest migration missing: one line; a migration of a later version: the commands still work."""
    keeper = await asyncpg.connect(clean_database.admin_dsn)
    last = await keeper.fetchrow("DELETE FROM migration WHERE id = (SELECT max(id) FROM migration) RETURNING name")
    line = complaint(await asyncio.to_thread(forked, "doctor", env=on(clean_database)), 2)
    assert "loopt 1 stap" in line
    again = "INSERT INTO migration (name, app_name, ran_on) VALUES ($1, 'leerbudget', now())"
    for name in (last["name"], "2999-01-01T00:00:00:000000"):
        await keeper.execute(again, name)
    await keeper.close()
    assert (await asyncio.to_thread(forked, "doctor", env=on(clean_database))).returncode == 0


async def test_a_database_with_other_functions_is_refused_until_it_is_migrated(clean_database):
    """Functions of another version: one line; `leerbudget migrate` puts this version's in place."""
    keeper = await asyncpg.connect(clean_database.admin_dsn)
    await keeper.execute("COMMENT ON SCHEMA rooms IS 'another text'; DROP FUNCTION rooms.course_suits")
    assert "loopt 1 stap" in complaint(await asyncio.to_thread(forked, "doctor", env=on(clean_database)), 2)
    env = on(clean_database, LEERBUDGET_OWNER_URL=clean_database.admin_dsn)
    assert (await asyncio.to_thread(forked, "migrate", env=env)).returncode == 0
    assert await keeper.fetchval("SELECT count(*) FROM pg_proc WHERE proname = 'course_suits'") == 1
    await keeper.close()
    assert (await asyncio.to_thread(forked, "doctor", env=on(clean_database))).returncode == 0


async def test_a_role_with_too_few_rights_is_told_so(clean_database, cluster):
    """A login that may enter but not read, and one that may not enter: one line each."""
    keeper = await asyncpg.connect(clean_database.admin_dsn)
    await keeper.execute("CREATE ROLE weakling LOGIN PASSWORD 'geheim'")
    url = cluster.dsn("weakling", clean_database.name, "geheim")
    env = environment(LEERBUDGET_DATABASE_URL=url)
    try:
        for rights in (
            "SELECT 1",
            f"GRANT CONNECT ON DATABASE {clean_database.name} TO weakling",
            "GRANT USAGE ON SCHEMA public TO weakling",
        ):
            await keeper.execute(rights)
            for words in (["doctor"], ["round", "show"]):
                assert "geheim" not in complaint(await asyncio.to_thread(forked, *words, env=env), 2)
        env["LEERBUDGET_OWNER_URL"] = url
        line = complaint(await asyncio.to_thread(forked, "migrate", env=env), 2)
        assert "LEERBUDGET_OWNER_URL mag te weinig" in line
    finally:
        await keeper.execute("DROP OWNED BY weakling; DROP ROLE weakling")
        await keeper.close()


def test_a_port_in_use_is_one_line_before_anything_starts(here, own_place):
    """Serve and demo say so at once: no database was made, no story told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = environment(LEERBUDGET_DATA_DIR=own_place)
        for command in ("serve", "demo"):
            line = complaint(here(command, "--port", port, env=env), 2)
            assert f"Poort {port} op 127.0.0.1 is al in gebruik" in line
    for host in ("192.0.2.1", "no.such.host.invalid", "x" * 300, "::zz"):
        assert "is niet te gebruiken" in complaint(here("serve", "--host", host, "--port", "0", env=env), 2)
    assert not (own_place).exists()


def test_a_port_without_permission_is_one_line(monkeypatch):
    """What the system refuses to an ordinary user below port 1024."""

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SettingsError, match=r"Poort 80 op 127\.0\.0\.1 is niet te gebruiken: Permission denied"):
        serve.listen("127.0.0.1", 80)


def test_somebody_elses_data_directory_is_one_line(here, own_place, monkeypatch):
    """Data of another user are refused by whatever command, and stay as they were."""
    (own_place / "postgres").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    env = environment(LEERBUDGET_DATA_DIR=own_place)
    for words in (["doctor"], ["serve", "--port", "0"], ["demo", "--no-serve"]):
        assert "de gegevens zijn van een andere gebruiker" in complaint(here(*words, env=env), 2)
    assert list((own_place / "postgres").iterdir()) == []


def test_the_demonstration_stays_out_of_production(here):
    """Whatever else is set, LEERBUDGET_ENV=production refuses it."""
    env = environment(
        LEERBUDGET_ENV="production",
        LEERBUDGET_DATABASE_URL="postgresql://app@127.0.0.1:1/x",
        LEERBUDGET_SECRET_KEY="k" * 40,
        LEERBUDGET_BASE_URL="https://leerbudget.example.org",
    )
    assert "LEERBUDGET_ENV=production" in complaint(here("demo", "--no-serve", env=env), 2)


async def test_a_reader_that_leaves_or_a_full_disk_is_no_traceback(clean_database):
    """`| head` ends quietly; a full disk is one line and exit code 1."""
    env = on(clean_database)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        quiet = await asyncio.to_thread(
            leerbudget, "doctor", env=env, capture_output=False, stdout=writing, stderr=subprocess.PIPE
        )
    finally:
        os.close(writing)
    assert (quiet.returncode, quiet.stderr) == (1, "")
    for words in (["doctor"], ["--help"], ["export", "families"]):
        with open("/dev/full", "w") as full:  # noqa: ASYNC230, PTH123 - a device, not a file
            done = await asyncio.to_thread(
                leerbudget, *words, env=env, capture_output=False, stdout=full, stderr=subprocess.PIPE
            )
        assert (done.returncode, done.stderr) == (1, "leerbudget: No space left on device\n"), words


async def test_asked_to_stop_a_command_unwinds(clean_database):
    """SIGTERM in the middle of work ends it with 143 and no noise; Ctrl-C with 130 and one word."""
    keeper, looker = [await asyncpg.connect(clean_database.admin_dsn) for _ in range(2)]
    await keeper.execute("BEGIN; LOCK TABLE migration, matching_round")
    try:
        for number, code, said in ((signal.SIGTERM, 143, b""), (signal.SIGINT, 130, b"\nleerbudget: stopped\n")):
            process = await asyncio.create_subprocess_exec(
                *COMMAND, "round", "show", env=on(clean_database), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            async with asyncio.timeout(30):
                while not await looker.fetchval(  # noqa: ASYNC110 - another process's wait
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                ):
                    await asyncio.sleep(0.02)
            began = time.monotonic()
            process.send_signal(number)
            assert await process.communicate() == (b"", said)
            assert process.returncode == code
            assert time.monotonic() - began < 5
    finally:
        await keeper.close()
        await looker.close()


def test_a_complaint_is_one_line_whatever_is_in_it(capsys):
    """Line ends and broken characters in a message do not make more lines or a second failure."""
    with pytest.raises(SystemExit):
        main._leave("first\nsecond \ud800", 2)
    assert capsys.readouterr().err == "leerbudget: first second \\ud800\n"
