"""Commands as processes of their own without the start of Python: one process that has imported everything forks them.

A real start takes one to four seconds of work, mostly imports, and the suite would pay it a hundred times. A forked
command has its own memory, environment, folder, streams and exit code, and runs `leerbudget`'s own `run()`. What it
does not show is the start itself, so tests about that start (and about signals) call the real command.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAN_FORK = sys.platform == "linux"
"""Elsewhere a fork of a process with libraries in it is not safe, and every command is started in full."""
IMPORTED = (
    "leerbudget.app",
    "leerbudget.entrypoints.cli.exports",
    "leerbudget.entrypoints.cli.imports",
    "leerbudget.entrypoints.cli.ledger",
    "leerbudget.entrypoints.cli.match",
    "leerbudget.entrypoints.cli.payments",
    "leerbudget.entrypoints.cli.round",
    "leerbudget.entrypoints.cli.serve",
    "leerbudget.entrypoints.cli.upkeep",
    "leerbudget.entrypoints.worker.command",
    "leerbudget.matcher.certificates",
    "leerbudget.matcher.explain",
    "leerbudget.matcher.solving",
    "leerbudget.piccolo_app",
    "leerbudget.migrations",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)
READY_SECONDS_MAX = 240
"""Longest wait for the process: where nothing is compiled yet it compiles all of the solver first."""
CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(sys.argv[1])
    request = json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(asking, [len(request).to_bytes(8, "big")], [0, 1, 2])
    asking.sendall(request)
    answer = asking.recv(1)
if not answer: sys.exit("the forking process is gone")
os._exit(answer[0])
"""
"""A small process that lends its streams, environment and folder to the fork, and ends as it ends."""


class Forks:
    """The process that forks commands, one for all test processes: it starts when it is first asked for or told to."""

    def __init__(self) -> None:
        self.address = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the process, which is ready some seconds later and ends with this one; where it listens."""
        if not self.address and CAN_FORK:
            self._folder = tempfile.TemporaryDirectory(prefix="leerbudget-forks-")
            self.address = str(Path(self._folder.name, "socket"))
            self._process = subprocess.Popen([sys.executable, __file__, self.address], stdin=subprocess.PIPE)
        return self.address

    def command(self, *words: str) -> list[str]:
        """The command line that runs `leerbudget <words>` in a fork."""
        if not CAN_FORK:
            return [sys.executable, "-m", "leerbudget", *words]
        self.start()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not Path(self.address).exists():
            assert self._process is None or self._process.poll() is None, "the forking process is gone"
            assert time.monotonic() < deadline, "the forking process does not begin"
            time.sleep(0.02)
        return [sys.executable, "-I", "-S", "-c", CLIENT, self.address, *words]

    def close(self) -> None:
        """End the process if it is ours; commands under way are ended as well."""
        if self._process is not None and self._folder is not None:
            self._process.communicate(timeout=10)
            self._process = None
            self._folder.cleanup()


FORKS = Forks()
"""The one of this test process; in a parallel run all have the controller's (`conftest`)."""


def serve(address: str) -> None:
    """Import everything, then fork a command for everyone who asks, until nobody holds our input any more."""
    import selectors
    from importlib import import_module

    for name in IMPORTED:
        import_module(name)
    _solve_once()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who serves one request
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this process
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as waiting:
        listening.bind(f"{address}~")
        listening.listen(64)
        Path(f"{address}~").rename(address)  # whoever sees it can connect
        waiting.register(listening, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        while not any(key.fileobj is sys.stdin for key, _ in waiting.select()):
            asking, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _attend(asking)
            asking.close()


def _solve_once() -> None:
    """Read the compiled loops from their cache, which every fork then has."""
    import msgspec

    from leerbudget.fictional.instances import generate_instance
    from leerbudget.matcher.instance import read_instance
    from leerbudget.matcher.solving import Limits, solve

    solve(read_instance(msgspec.json.encode(generate_instance(40, 8, 1))), Limits(seconds=5))


def _attend(asking: socket.socket) -> None:
    """Run one command in a child and tell its exit code; whoever asked and goes away takes it along."""
    import select

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(asking, 8, 3)
    request = asking.makefile("rb").read(int.from_bytes(size, "big"))
    ended, held = os.pipe()  # the child alone holds it, so it ends with the child
    child = os.fork()
    if child == 0:
        asking.close()
        os.close(ended)
        _become(streams, *json.loads(request))
    os.close(held)
    ready, _, _ = select.select([ended, asking], [], [])
    if ended not in ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if ended in ready:
        code = os.waitstatus_to_exitcode(status)
        asking.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def _become(streams: list[int], words: list[str], environment: dict[str, str], folder: str) -> None:
    """Run the command with the streams, environment and folder of whoever asked, and end as it ends."""
    from leerbudget.entrypoints.cli.main import run

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["leerbudget", *words]
    code = 1
    try:
        run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - what Python itself does with an error that nobody caught
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            code = 120
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
