"""A second process of ours beside this one: started again when it falls, and gone when this one goes."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from leerbudget.foundation.processes import following

AGAIN_AFTER_SECONDS = 1.0
STOP_SECONDS_MAX = 10.0

log = structlog.get_logger(__name__)


@contextmanager
def beside(*words: str) -> Iterator[None]:
    """`leerbudget <words>` runs as a process of its own for the length of the block."""
    stopping = threading.Event()
    # the kernel watches the starting thread, so one thread starts the process and stays with it
    keeper = threading.Thread(target=_keep, args=(words, stopping), name=f"leerbudget-{words[0]}")
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def _keep(words: tuple[str, ...], stopping: threading.Event) -> None:
    while not stopping.is_set():
        process = subprocess.Popen(  # noqa: S603 - our own command
            following(*words), stdin=subprocess.DEVNULL
        )
        while process.poll() is None and not stopping.wait(0.2):
            pass
        if not stopping.is_set():
            log.error("process fell, started again", process=words[0], code=process.returncode)
            stopping.wait(AGAIN_AFTER_SECONDS)
    _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
