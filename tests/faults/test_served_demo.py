"""The demonstration as it is served: killed, stopped, started again, served twice; nothing is ever left behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from entrypoints.cli.commanding import COMMAND, environment, forked

SECONDS_MAX = 60
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


class Served:
    """A serving process of ours, and what it said so far."""

    def __init__(self, words, env):
        self.process = subprocess.Popen(
            [*COMMAND, *words], env=env, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.said, self.complained = [], []
        self.readers = [
            threading.Thread(target=self._read, args=pair)
            for pair in ((self.process.stdout, self.said), (self.process.stderr, self.complained))
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, stream, lines):
        with stream:
            lines += iter(stream.readline, "")

    def address(self):
        """Where it serves; waits until it says so."""
        return until(self._address, self)

    def _address(self):
        assert self.process.poll() is None, "".join(self.complained)
        return next((line.strip() for line in self.said if line.startswith("http://")), None)

    def end(self, number):
        """Send the signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Wait until it is over; the exit code."""
        code = self.process.wait(SECONDS_MAX)
        for reader in self.readers:
            reader.join(SECONDS_MAX)
        return code


def until(condition, about=None):
    """The condition's first true answer, looking now and then."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise TimeoutError(about and "".join(about.complained))


def processes(home):
    """Who works on this data directory: servers by their folder, workers and web processes by their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            theirs = str(home) in words or f"LEERBUDGET_DATA_DIR={home}".encode() in (folder / "environ").read_bytes()
        except OSError:
            continue
        if words and theirs:
            found[int(folder.name)] = words
    return found


def answers(address):
    """Whether the pages and the API answer, with the database behind them."""
    try:
        with httpx.Client(base_url=address, timeout=10) as visitor:
            health = visitor.get("api/v1/health")
            return (
                visitor.get("/").status_code == 200 and health.status_code == 200 and health.json()["database"] == "ok"
            )
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def home(run_dir):
    """A data directory for these tests, that an unprivileged server can enter."""
    place = run_dir / uuid4().hex[:8]  # of this test process: another may run other tests of this file
    yield place
    left = processes(place)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(place, ignore_errors=True)
    assert not left


@pytest.fixture(scope="module")
def env(home):
    """The environment of a newcomer: only the data directory is chosen."""
    return environment(LEERBUDGET_DATA_DIR=home)


@pytest.fixture(scope="module")
def migrated(env):
    """The same environment, with a database that has its tables, whichever of these tests came first here."""
    done = forked("migrate", env=env)
    assert done.returncode == 0, done.stderr
    return env


def healthy(env):
    """What the doctor finds."""
    done = forked("doctor", "--json", env=env)
    return done.returncode == 0 and json.loads(done.stdout)["healthy"]


def test_the_demonstration_is_served_and_survives_a_kill(home, env):
    """`demo` ends in pages that answer; `kill -9` leaves no process; the next start recovers within seconds, healthy."""
    one = Served(["demo", "--families", "50", "--sessions", "10", "--seed", "3", "--port", "0"], env)
    address = one.address()
    assert until(lambda: answers(address), one)
    assert any(line == "ledger: balanced\n" for line in one.said)
    assert not any("migrated" in line for line in one.said)
    until(lambda: any(" worker" in words for words in processes(home).values()), one)
    assert len([words for words in processes(home).values() if "postgres -D" in words]) == 1

    assert one.end(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not processes(home))

    began = time.monotonic()
    two = Served(["serve", "--port", "0", "--background"], env)
    address = two.address()
    assert until(lambda: answers(address), two)
    assert time.monotonic() - began < 20
    assert healthy(env)

    assert two.end(signal.SIGTERM) == 0
    assert not processes(home)
    assert not any("Traceback" in line for line in two.complained), "".join(two.complained)


def test_ctrl_c_ends_it_without_a_word_and_a_fallen_worker_comes_back(home, migrated):
    """SIGINT is how people stop it: exit code 0, no traceback, nothing left. A killed worker is started again."""
    one = Served(["serve", "--port", "0", "--background"], migrated)
    assert until(lambda: answers(one.address()), one)

    def worker():
        return next((pid for pid, words in processes(home).items() if words.endswith(" -m leerbudget worker ")), None)

    fallen = until(worker, one)
    os.kill(fallen, signal.SIGKILL)
    assert until(lambda: worker() not in {None, fallen}, one)
    assert one.end(signal.SIGINT) == 0
    assert not processes(home)
    assert not any("Traceback" in line for line in one.complained), "".join(one.complained)


def test_two_share_one_database_and_the_second_goes_on_without_the_first(home, migrated):
    """Two serves on one data directory: one server; when its owner ends or is killed, the other takes over."""
    one = Served(["serve", "--port", "0"], migrated)
    first = one.address()
    two = Served(["serve", "--port", "0", "--workers", "2"], migrated)
    second = two.address()
    assert first != second
    assert until(lambda: answers(first) and answers(second), two)
    assert len([words for words in processes(home).values() if "postgres -D" in words]) == 1
    assert one.end(signal.SIGKILL) == -signal.SIGKILL
    assert until(lambda: answers(second), two)
    assert healthy(migrated)

    assert two.end(signal.SIGKILL) == -signal.SIGKILL  # its two web processes and the server go with it
    until(lambda: not processes(home))


def test_a_story_that_is_stopped_leaves_nothing_running(home, env):
    """SIGTERM while the demonstration is being told: 143, the server and the solver end, the next one begins anew."""
    one = Served(["demo", "--families", "60", "--no-serve"], env)
    until(lambda: any("match solve" in words for words in processes(home).values()), one)
    assert one.end(signal.SIGTERM) == 143
    until(lambda: not processes(home))
    assert not any("Traceback" in line for line in one.complained), "".join(one.complained)
    assert re.search("fictional Netherlands of 60 ", "".join(one.said))
