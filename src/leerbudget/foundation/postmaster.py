"""What a server tells about itself in `postmaster.pid`, inside its data."""

import os
import sys
from pathlib import Path


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().split("\n")
    except OSError:
        return []


def status(data: Path) -> str:
    """How far the start is; `ready` when it answers queries."""
    lines = _pid_file(data)
    return lines[7].strip() if len(lines) > 7 else ""


def postmaster_pid(data: Path) -> int | None:
    """The process id of the server that runs on this data, or ran there when it was killed."""
    lines = _pid_file(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def address(data: Path) -> tuple[int, str] | None:
    """Port and socket directory of the server that runs on this data."""
    lines = _pid_file(data)
    return (int(lines[3]), lines[4]) if len(lines) > 5 and lines[3].isdigit() else None


def is_server(pid: int, data: Path) -> bool:
    """Whether the process is the server of this data, not a stranger that got its number."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    if sys.platform != "linux":
        return True
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    except OSError:
        return False
