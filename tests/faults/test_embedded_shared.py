"""The embedded server shared by several processes, and the accidents that happen to it and to its owner."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from faults.embedded_ground import Program, alive, environment, gone, only_linux, refused, value
from faults.embedded_program import postmaster
from leerbudget.foundation import embedded
from leerbudget.foundation.database import close_pool, fetch_value, open_pool, together
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import Busy, SettingsError
from leerbudget.foundation.running import prepare_embedded

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


async def test_a_server_that_served_before_is_never_given_up(home, monkeypatch):
    """Killed again and again, and unable to start for a while, it comes back: nobody need restart the program."""
    monkeypatch.setattr(embedded, "DEATHS_A_MINUTE", 1)
    monkeypatch.setattr(embedded, "PAUSE_SECONDS", 0.05)
    with EmbeddedServer.start(home / "data", fast=True) as server:
        for _ in range(3):
            os.kill(postmaster(server.home), signal.SIGKILL)
            assert await value(server.admin_dsn, "SELECT 1") == 1
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(embedded, "_FAST", embedded._FAST | {"shared_buffers": "nonsense"})
            os.kill(postmaster(server.home), signal.SIGKILL)
            assert await asyncio.to_thread(started_in_vain, server)
        assert await value(server.admin_dsn, "SELECT 1") == 1


def started_in_vain(server, seconds=20.0):
    """Whether a start fails within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if "nonsense" in server._log_tail():
            return True
        time.sleep(0.02)
    return False


def test_a_server_that_never_served_is_given_up(home, monkeypatch):
    """A server that falls over at its first start is not restarted for ever."""
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
