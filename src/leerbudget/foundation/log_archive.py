"""The write-ahead log of the embedded server, kept in pieces beside the backups: every moment can be returned to.

A link in the data directory says where the pieces go; `leerbudget backup` lays it. The server itself brings
every finished piece there, and keeps what could not be brought until it can be. A piece is never overwritten.
"""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

LOG_SECONDS = 60
"""A piece is closed after so many seconds, full or not: what a lost disk takes along at most."""

SEGMENT_BYTES = 16 * 1024 * 1024
"""What one piece holds; PostgreSQL's own default, which the embedded server keeps."""

_LINK = "archive"
_PER_LOG_ID = 2**32 // SEGMENT_BYTES
_PIECE = re.compile(r"([0-9A-F]{24})\.gz")

# gzip, because a piece closed early is mostly zeros, and because its checksum tells a damaged piece
_BRING = (
    "test ! -L {log} || if test -e {log}/%f.gz; then gzip -dc {log}/%f.gz | cmp -s - %p; "
    "else gzip -1c %p > {log}/%f.part && sync {log}/%f.part && mv {log}/%f.part {log}/%f.gz && sync {log}; fi"
)


def archiving(home: Path) -> dict[str, str]:
    """The server's settings with which it brings its log to where the link in this data directory leads."""
    command = _BRING.format(log=in_command(home / _LINK))
    return {"archive_mode": "on", "archive_timeout": f"{LOG_SECONDS}s", "archive_command": command}


def in_command(place: Path) -> str:
    """A path as PostgreSQL's archive and restore commands take it: whole for the shell, without holes to fill in."""
    return shlex.quote(str(place)).replace("%", "%%")


def log_of(home: Path) -> Path | None:
    """Where this data directory's log goes; None when it goes nowhere."""
    link = home / _LINK
    return link.readlink() if link.is_symlink() else None


def lead_log(home: Path, log: Path | None) -> None:
    """From now on the log of this data directory goes there, or nowhere."""
    link, fresh = home / _LINK, home / f"{_LINK}.{os.getpid()}"
    if log is None:
        link.unlink(missing_ok=True)
        return
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(log)
    fresh.replace(link)


def number_of(segment: str) -> int:
    """The place of a piece in the row of all pieces; its first byte is at that many times `SEGMENT_BYTES`."""
    return int(segment[8:16], 16) * _PER_LOG_ID + int(segment[16:24], 16)


def segments_in(log: Path) -> list[str]:
    """The names of all pieces that are there, in order."""
    if not log.is_dir():
        return []
    return sorted(found[1] for place in log.iterdir() if (found := _PIECE.fullmatch(place.name)))


@dataclass(frozen=True)
class Stretch:
    """The pieces of a log from the one that a restore begins with.

    Args:
        present: names, in order.
        missing: the first one that should be there and is not; what lies behind it is out of reach.
    """

    present: tuple[str, ...]
    missing: str | None


def stretch(log: Path, first: str, last: str) -> Stretch:
    """The pieces from `first`, which should reach `last` without a gap and may reach further."""
    timeline, begin = first[:8], number_of(first)
    present = [name for name in segments_in(log) if name[:8] == timeline and number_of(name) >= begin]
    known = {number_of(name) for name in present}
    gap = next((n for n in range(begin, max([number_of(last), *known]) + 1) if n not in known), None)
    missing = None if gap is None else f"{timeline}{gap // _PER_LOG_ID:08X}{gap % _PER_LOG_ID:08X}"
    return Stretch(tuple(present), missing)
