"""Processes of ours that never outlive the one that started them, not even after `kill -9` (Linux)."""

import ctypes
import os
import signal
import sys

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_FOLLOW = f"""
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({_DEATH_SIGNAL}, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]): sys.exit("the first process is gone")
os.execv(sys.executable, [sys.executable, "-P", "-m", "leerbudget", *sys.argv[2:]])
"""
"""Run by a bare Python, so that no code of ours runs between fork and exec in a process with threads."""


def following(*words: str) -> list[str]:
    """The command line that runs `leerbudget <words>` and ends (SIGTERM) when this process ends.

    The kernel watches the thread that starts it, so start it from a thread that stays.
    """
    return [sys.executable, "-I", "-S", "-c", _FOLLOW, str(os.getpid()), *words]


def die_with(parent: int) -> None:
    """Ask the kernel to end this process (SIGTERM) when its parent ends, even by `kill -9`. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the first process is gone")
