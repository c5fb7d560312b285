"""What the tests of the embedded server stand on: a home of its own, and owners in processes of their own."""

import asyncio
import contextlib
import json
import os
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
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError

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
            [*options.pop("within", ()), options.pop("python", sys.executable), str(PROGRAM), str(data_dir), way, kind],
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
