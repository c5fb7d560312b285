# ruff: noqa: INP001 (a folder of commands, not a package)
"""Where and when something was measured."""

import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path

PACKAGES = ("ortools", "highspy", "numba", "numpy", "scipy")


def description() -> dict[str, str]:
    """Machine, versions, commit (with a + when files had been changed since) and moment."""
    root = Path(__file__).resolve().parents[1]
    return {
        "moment": time.strftime("%Y-%m-%d %H:%M"),
        "commit": _git(root, "rev-parse", "--short=10", "HEAD") + ("+" if _changed(root) else ""),
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {_memory_gib()} GiB",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES),
    }


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip()


def _changed(root: Path) -> bool:
    """Whether the program itself differs from the commit."""
    return bool(_git(root, "status", "--porcelain", "--", "src", "requirements.lock"))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
