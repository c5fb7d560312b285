"""The command as a person or a script runs it: as the real process, forked without its start, or in this process."""

import os
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest

from forking import FORKS
from leerbudget.entrypoints.cli import main

SECONDS_MAX = 120
COMMAND = (sys.executable, "-m", "leerbudget")


def environment(**settings):
    """This process's environment without settings of ours, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LEERBUDGET", "STRIPE", "PG"))}
    return kept | {name: str(value) for name, value in settings.items()}


def on(database, **more):
    """The environment in which commands work on a test's database."""
    return environment(
        LEERBUDGET_DATABASE_URL=database.dsns.app, LEERBUDGET_WORKER_URL=database.dsns.worker, LEERBUDGET_ENV="test"
    ) | {name: str(value) for name, value in more.items()}


def leerbudget(*words, env=None, **options):
    """Run `leerbudget <words>` to its end."""
    return _ended([*COMMAND, *(str(word) for word in words)], env, options)


def forked(*words, env=None, **options):
    """Run `leerbudget <words>` to its end as a process of its own, where the start of Python is not the claim."""
    return _ended(FORKS.command(*(str(word) for word in words)), env, options)


def _ended(command, env, options):
    usual = {"env": env or environment(), "capture_output": True, "text": True, "timeout": SECONDS_MAX, "cwd": "/"}
    return subprocess.run(command, check=False, **usual | options)


class Done(NamedTuple):
    """How a command in this process ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def here(monkeypatch, capfd):
    """Run `leerbudget <words>` in this process: all but the start of Python, and a second quicker. Not inside a loop."""

    def run(*words, env=None):
        given = environment() if env is None else env
        handler = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch:
            for name in set(os.environ) - set(given):
                patch.delenv(name)
            for name, value in given.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["leerbudget", *(str(word) for word in words)])
            try:
                with pytest.raises(SystemExit) as end:
                    main.run()
            finally:
                signal.signal(signal.SIGTERM, handler)
        return Done(end.value.code or 0, *capfd.readouterr())

    return run


def complaint(done, code):
    """The one line that a refused command leaves on stderr; nothing on stdout, no traceback."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("leerbudget: "), done.stderr
    return done.stderr
