# ruff: noqa: INP001 (a folder of commands, not a package)
"""Runs one measured command in a process of its own: elapsed and processor seconds, and its peak memory."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.25
KIB_PER_MIB = 1024
SAID_MOST = 500


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command cost. `peak_mib`: its processes together.

    `status`: done, failed, or ended (it took too long). `told`: what it said when it failed.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mib: int
    status: str
    told: str


def measured(script: Path, *words: str, seconds: float) -> Spent:
    """Run a Python script; it is ended when it takes longer than `seconds` of elapsed time."""
    began = time.perf_counter()
    child = subprocess.Popen(  # noqa: S603 - our own scripts
        [sys.executable, str(script), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watch = Watch(child.pid, began + seconds)
    watch.start()
    told = "" if child.stderr is None else child.stderr.read()
    _, exit_status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(exit_status)
    watch.over.set()
    watch.join()
    status = "ended" if watch.ended else "failed" if child.returncode else "done"
    peak_mib = max(watch.peak_kib, usage.ru_maxrss) // KIB_PER_MIB
    said = told.strip()[-SAID_MOST:] if status == "failed" else ""
    return Spent(round(wall, 2), round(usage.ru_utime + usage.ru_stime, 2), peak_mib, status, said)


class Watch(threading.Thread):
    """Adds up the memory of the child and its workers now and then, and ends them all when time is over."""

    def __init__(self, pid: int, until: float) -> None:
        """`until`: by the clock of `time.perf_counter`."""
        super().__init__(daemon=True)
        self.pid = pid
        self.until = until
        self.over = threading.Event()
        self.peak_kib = 0
        self.ended = False

    def run(self) -> None:
        """Until the child is over."""
        while not self.over.wait(POLL_SECONDS):
            self.peak_kib = max(self.peak_kib, sum(_kib(pid) for pid in _group(self.pid)))
            if time.perf_counter() > self.until and not self.ended:
                self.ended = True
                os.killpg(self.pid, signal.SIGKILL)


def _group(leader: int) -> list[int]:
    """Every process in the group that the child leads; none where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader:
            found.append(int(entry.parent.name))
    return found


def _kib(pid: int) -> int:
    """Memory in use; what processes share is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
