"""The embedded server and the accidents that happen to it and to its owner."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

import leerbudget
from leerbudget.foundation import binaries, embedded, roles
from leerbudget.foundation.database import close_pool, fetch_value, open_pool, together
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import Busy, SettingsError
from leerbudget.foundation.running import prepare_embedded

PROGRAM = Path(__file__).with_name("embedded_program.py")
ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="needs root, to be two users at once")
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


@pytest.fixture
def home(run_dir, request):
    """A place for data of this test only, that an unprivileged server can enter."""
    place = run_dir / f"h{abs(hash(request.node.nodeid)) % 10**6}"  # short: sockets have short addresses
    place.mkdir()
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


class Program:
    """A running `embedded_program.py`."""

    def __init__(self, data_dir, way="wait", kind="fast", **options):
        self.process = subprocess.Popen(
            [options.pop("python", sys.executable), str(PROGRAM), str(data_dir), way, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
            **options,
        )

    def told(self):
        """The next line it prints."""
        return json.loads(self.process.stdout.readline())

    def ask_to_end(self):
        """Close its standard input and wait."""
        self.process.stdin.close()
        return self.process.wait(30)

    def kill(self, means=signal.SIGKILL):
        """End it."""
        self.process.send_signal(means)
        return self.process.wait(30)


def environment():
    """What a program needs to find this package, under any user."""
    paths = [str(Path(leerbudget.__file__).parents[1]), str(Path(asyncpg.__file__).parents[1])]
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def program():
    """Start programs; whatever still lives at the end is killed."""
    started = []

    def start(*arguments, **options):
        started.append(Program(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(OSError):
            one.kill()
        one.process.stdout.close()
        with contextlib.suppress(OSError):
            one.process.stdin.close()


def alive(pid):
    """Whether the process exists and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def runs_as(pid):
    """The user that a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


def mode(place):
    """A file's permissions."""
    return stat.S_IMODE(place.stat().st_mode)


def gone(pid, seconds=15.0):
    """Whether the process ends within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


async def value(dsn, sql, *, seconds=20.0):
    """What a query gives; waits for a server that is on its way."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=2)
        except (OSError, asyncpg.PostgresError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
            continue
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


def refused(data_dir, **options):
    """The one line with which a start is refused."""
    with pytest.raises(SettingsError) as caught:
        EmbeddedServer.start(data_dir, fast=True, wait_seconds=30, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


# --- an ordinary life -------------------------------------------------------------------------------------


async def test_it_starts_in_a_path_with_a_space_and_keeps_its_data(home):
    """A first start makes the data directory, a second finds it; the data directory is private."""
    place = home / "mijn 'map' é"
    with EmbeddedServer.start(place, fast=True) as server:
        await value(server.admin_dsn, "CREATE TABLE kept (x int)")
        assert server.owns
        assert (server.data / ".s.PGSQL.5432").is_socket()
        assert mode(server.data) == 0o700
        assert int(await value(server.admin_dsn, "SHOW server_version_num")) >= 180000
    with EmbeddedServer.start(place, fast=True) as server:
        assert await value(server.admin_dsn, "SELECT count(*) FROM kept") == 0


async def test_a_long_path_gets_its_socket_elsewhere(home):
    """Where the path is too long for a socket address, a private short directory is used, and used again."""
    place = home / ("lang" * 25)
    with EmbeddedServer.start(place, fast=True) as server:
        first = server.admin_dsn
        assert await value(first, "SELECT 1") == 1
    with EmbeddedServer.start(place, fast=True) as server:
        assert server.admin_dsn == first
    directory = Path((place / "socket-directory").read_text())
    assert mode(directory) == 0o700
    os.rmdir(directory)  # noqa: PTH106 - refused when a socket was left in it


async def test_stopping_is_quick_and_repeatable(home):
    """After `stop()` the process is gone; a second call does nothing; the connection string says it is down."""
    server = EmbeddedServer.start(home / "data", fast=True)
    pid = int(await value(server.admin_dsn, "SELECT pg_backend_pid()"))
    began = time.monotonic()
    server.stop()
    server.stop()
    assert time.monotonic() - began < 5
    assert gone(pid)
    with pytest.raises(SettingsError, match="draait nu niet"):
        _ = server.admin_dsn


@only_root
async def test_for_root_the_server_runs_as_an_ordinary_user(home):
    """PostgreSQL never runs as root, and no directory above the data changes its mode."""
    before = [(parent, mode(parent)) for parent in home.parents]
    with EmbeddedServer.start(home / "data", fast=True) as server:
        pid = (server.data / "postmaster.pid").read_text().split("\n")[0]
        assert runs_as(pid) != 0
    assert before == [(parent, mode(parent)) for parent in home.parents]


def ordinary_python():
    """An unprivileged user and a Python of this version that it may run, if there are any."""
    for name in ("nobody", "postgres"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
                test = [python, "-c", "import leerbudget.foundation.embedded"]
                with contextlib.suppress(OSError):
                    done = subprocess.run(
                        test,
                        user=user.pw_uid,
                        group=user.pw_gid,
                        extra_groups=[],
                        env=environment(),
                        capture_output=True,
                        check=False,
                        cwd="/",
                    )
                    if done.returncode == 0:
                        return user, python
    pytest.skip("no Python of this version that an unprivileged user may run")
    return None


@only_root
async def test_an_ordinary_user_starts_it_too(home, program):
    """An unprivileged user gets a server of its own, under its own name."""
    user, python = ordinary_python()
    os.chown(home, user.pw_uid, user.pw_gid)
    one = program(home / "data", python=python, user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    told = one.told()
    assert told["owns"], told
    assert runs_as(told["pid"]) == user.pw_uid
    assert one.ask_to_end() == 0
    assert gone(told["pid"])


@only_root
def test_someone_elses_data_is_refused(home, program):
    """Another user's data directory, or an unreachable one, is one clear line."""
    user, python = ordinary_python()
    EmbeddedServer.start(home / "data", fast=True).stop()
    (home / "closed").mkdir(mode=0o700)
    for place in (home / "data", home / "closed" / "data"):
        one = program(place, python=python, user=user.pw_uid, group=user.pw_gid, extra_groups=[])
        assert "is niet te gebruiken" in one.told()["error"]


@only_root
def test_a_directory_that_the_server_cannot_reach_is_refused(home):
    """As root, data under a closed directory is refused with advice; the closed directory stays closed."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    assert "/var/lib/leerbudget" in refused(closed / "data")
    assert mode(closed) == 0o700


@only_root
async def test_root_and_the_user_can_take_turns(home, program):
    """What root started in an ordinary user's directory that user can start again, and root can be its guest."""
    user, python = ordinary_python()
    place = home / "data"
    place.mkdir(mode=0o700)
    os.chown(place, user.pw_uid, user.pw_gid)
    with EmbeddedServer.start(place, fast=True) as server:
        roles.stored_passwords(place)
        await value(server.admin_dsn, "CREATE TABLE kept (x int)")
    assert {file.stat().st_uid for file in place.iterdir()} == {user.pw_uid}
    one = program(place, python=python, user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    assert one.told()["owns"]
    with EmbeddedServer.start(place, fast=True, wait_seconds=10) as guest:
        assert not guest.owns
        assert await value(guest.admin_dsn, "SELECT count(*) FROM kept") == 0


@only_root
def test_a_link_laid_in_the_directory_is_not_followed(home):
    """Root does not write through links that another user laid where our files go."""
    for name in ("postgres.lock", "postgres.log"):
        place = home / name.replace(".", "-")
        place.mkdir(mode=0o711)
        (home / "victim").write_text("unharmed")
        (place / name).symlink_to(home / "victim")
        assert "is niet te gebruiken" in refused(place)
        assert (home / "victim").read_text() == "unharmed"


@only_root
async def test_programs_that_the_server_cannot_reach_are_copied(home):
    """A checkout under a closed directory works: the programs are copied, once, to where they can run."""
    found = binaries.find_programs()
    package, libraries = found.parents[1], found.parents[2] / f"{found.parents[1].name}.libs"
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(found.parent, closed / package.name / found.parent.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name)
    programs = str(closed / package.name / found.parent.name / found.name)
    for _ in range(2):
        with EmbeddedServer.start(home / "data", fast=True, programs=programs) as server:
            assert await value(server.admin_dsn, "SELECT 1") == 1
    assert len(list((home / "data").glob("programs-*"))) == 1


def test_unusable_directories_are_refused(home):
    """Data of another major version, strangers' files, and programs of another version are refused by name."""
    (home / "old" / "postgres").mkdir(parents=True)
    (home / "old" / "postgres" / "PG_VERSION").write_text("16\n")
    (home / "full" / "postgres").mkdir(parents=True)
    (home / "full" / "postgres" / "thesis.txt").touch()
    for place in (home / "old", home / "full"):
        place.chmod(0o711)
        if ROOT:
            os.chown(place / "postgres", pwd.getpwnam("nobody").pw_uid, -1)
    (home / "file").touch()
    assert "PostgreSQL 16; dit programma leest versie 18" in refused(home / "old")
    assert "niet leeg" in refused(home / "full")
    assert "is niet te gebruiken" in refused(home / "file" / "data")
    assert "geen programma 'postgres'" in refused(home / "data", programs=str(home))
    older = binaries.find_programs().parents[1] / "pginstall" / "bin"
    if (older / "postgres").exists() and "pixeltable" in str(older):
        assert "16." in refused(home / "data", programs=str(older))


def test_a_port_in_use_is_refused(home):
    """When the asked TCP port is taken the start fails with the server's own reason."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "start niet" in refused(home / "data", listen_port=taken.getsockname()[1])


def test_a_start_that_was_killed_leaves_nothing_half_done(home):
    """The remains of an interrupted first start do not hinder the next one and are cleared away."""
    (home / "data").mkdir()
    (home / "data").chmod(0o711)
    (home / "data" / "postgres-making-x").mkdir()
    (home / "data" / "postgres-making-x" / "PG_VERSION").write_text("18\n")
    with EmbeddedServer.start(home / "data", fast=True) as server:
        assert server.owns
    assert not list((home / "data").glob("postgres-making-*"))


# --- shared by several processes --------------------------------------------------------------------------


async def test_processes_that_start_at_once_share_one_server(home, program):
    """Of three processes that start on an empty directory exactly one owns the server; all can use it."""
    told = [one.told() for one in [program(home / "data") for _ in range(3)]]
    assert sorted(facts["owns"] for facts in told) == [False, False, True]
    assert len({facts["pid"] for facts in told}) == 1


@pytest.mark.parametrize("means", ["a clean end", "kill -9"])
async def test_when_the_owner_goes_a_guest_takes_over(home, program, means):
    """The guest's server answers soon after the owner went, at the same address, with the same data."""
    first = program(home / "data")
    owner = first.told()
    guest = program(home / "data")
    assert not guest.told()["owns"]
    await value(owner["dsn"], "CREATE TABLE kept (x int)")
    began = time.monotonic()
    if means == "kill -9":
        first.kill()
    else:
        assert first.ask_to_end() == 0
    facts = guest.told()
    assert facts["owns"]
    assert await value(owner["dsn"], "SELECT count(*) FROM kept") == 0
    assert time.monotonic() - began < 20
    assert facts["pid"] != owner["pid"]
    assert gone(owner["pid"])
    guest.ask_to_end()
    assert gone(facts["pid"])


async def test_a_guest_that_ends_leaves_the_server_alone(home, program):
    """A guest's clean end or sudden death does not touch the owner's server."""
    owner = program(home / "data").told()
    for end in (Program.ask_to_end, Program.kill):
        guest = program(home / "data")
        assert not guest.told()["owns"]
        end(guest)
    assert await value(owner["dsn"], "SELECT 1", seconds=0) == 1


async def test_an_open_pool_survives_the_hand_over(home):
    """While the server changes hands a request hears `Busy` and nothing else; soon after, the same pool works.

    Both servers live in this process: a second start in one process is a guest, too.
    """
    first = EmbeddedServer.start(home / "data", fast=True)
    second = EmbeddedServer.start(home / "data", fast=True)
    assert (first.owns, second.owns) == (True, False)
    await open_pool((await prepare_embedded(second)).app, size=3)
    try:
        assert await fetch_value("SELECT 1") == 1
        first.stop()
        assert await answer_within(20) == 1
        assert await asyncio.to_thread(owns_within, second, 5)
    finally:
        await close_pool()
        second.stop()


async def answer_within(seconds):
    """What the pool answers once it is no longer `Busy`; any other error is an error."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(Busy):
            async with together():
                return await fetch_value("SELECT 1")
        await asyncio.sleep(0.02)
    return None


def owns_within(server, seconds):
    """Whether the server becomes this process's own within that time."""
    until = time.monotonic() + seconds
    while not server.owns and time.monotonic() < until:
        time.sleep(0.02)
    return server.owns


def test_a_forked_child_neither_stops_nor_keeps_the_server(home):
    """A forked child that ends leaves the server running, and one that lives on does not hold the lock."""
    quick = subprocess.run(
        [sys.executable, "-c", FORKING, str(home / "data")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert quick.stdout.split() == ["alive", "free"], quick.stderr


FORKING = """
import os, sys, time, signal
from pathlib import Path
from leerbudget.foundation.embedded import EmbeddedServer
place = Path(sys.argv[1])
server = EmbeddedServer.start(place, fast=True)
child = os.fork()
if child == 0:
    server.stop()
    sys.exit(0)  # runs atexit, too
os.waitpid(child, 0)
print("alive" if server._answers() else "stopped", flush=True)
child = os.fork()
if child == 0:
    time.sleep(60)
server.stop()
again = EmbeddedServer.start(place, fast=True, wait_seconds=20)
print("free" if again.owns else "held", flush=True)
again.stop()
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


# --- accidents --------------------------------------------------------------------------------------------


@only_linux
@pytest.mark.parametrize(
    ("way", "means"),
    [
        ("wait", signal.SIGTERM),
        ("uvicorn", signal.SIGKILL),
        ("uvicorn", signal.SIGTERM),
        ("uvicorn", signal.SIGINT),
    ],
)
async def test_no_server_outlives_its_owner(home, program, way, means):
    """However its owner dies, also under a real web server, the PostgreSQL process is gone soon after."""
    one = program(home / "data", way)
    facts = one.told()
    if way == "uvicorn":
        await asyncio.sleep(1)  # let it install its signal handlers
    assert alive(facts["pid"])
    one.kill(means)
    assert gone(facts["pid"])


@only_linux
async def test_a_server_that_did_outlive_its_owner_is_replaced(home, program):
    """Without the kernel's help the server does outlive a killed owner (the control); the next start replaces it."""
    one = program(home / "data", "careless")
    facts = one.told()
    await value(facts["dsn"], "CREATE TABLE kept (x int)")
    one.kill()
    assert not gone(facts["pid"], 1.0)
    with EmbeddedServer.start(home / "data", fast=True) as server:
        assert server.owns
        assert gone(facts["pid"])
        assert await value(server.admin_dsn, "SELECT count(*) FROM kept") == 0


async def test_a_killed_server_is_started_again_by_its_owner(home, program):
    """After `kill -9` of PostgreSQL itself its owner recovers it: what was committed is there."""
    one = program(home / "data", "wait", "durable")
    facts = one.told()
    await value(facts["dsn"], "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS x")
    os.kill(facts["pid"], signal.SIGKILL)
    assert await value(facts["dsn"], "SELECT count(*) FROM kept") == 1000


async def test_after_everything_was_killed_the_next_start_recovers(home, program):
    """After `kill -9` of the server and its owner together, the next start recovers what was committed."""
    one = program(home / "data", "wait", "durable")
    facts = one.told()
    await value(facts["dsn"], "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS x")
    os.kill(one.process.pid, signal.SIGSTOP)  # so that it cannot start it again
    os.kill(facts["pid"], signal.SIGKILL)
    one.kill()
    with EmbeddedServer.start(home / "data") as server:
        assert await value(server.admin_dsn, "SELECT count(*) FROM kept") == 1000


def test_a_server_that_keeps_dying_is_given_up(home, monkeypatch):
    """A server that falls over at every start is not restarted for ever."""
    monkeypatch.setattr(embedded, "_SETTINGS", embedded._SETTINGS | {"shared_buffers": "nonsense"})
    monkeypatch.setattr(embedded, "_FAST", {})
    assert "start niet" in refused(home / "data")


async def test_an_owner_that_hangs_is_not_waited_for_without_end(home, program):
    """Whoever cannot own the server and finds none hears so after the time it gave."""
    import fcntl

    (home / "data").mkdir()
    (home / "data").chmod(0o711)
    with (home / "data" / "postgres.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SettingsError, match="startte niet binnen 1 seconden"):
            EmbeddedServer.start(home / "data", fast=True, wait_seconds=1)
