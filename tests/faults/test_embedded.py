"""The embedded server in ordinary life: as which user, where, and what it refuses."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.embedded_ground import ROOT, environment, gone, mode, only_root, refused, runs_as, value
from leerbudget.foundation import binaries, roles
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError

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
