"""Bring a backup back to life in a fresh data directory, up to a moment, or say in one line why that cannot be."""

import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leerbudget.foundation.backup_files import (
    BASE,
    WAL,
    Backup,
    BackupDamaged,
    MomentOutOfReach,
    RestoreFailed,
    TargetNotEmpty,
    backups_in,
    choose,
    read_back,
    written,
)
from leerbudget.foundation.binaries import ServerUser, make_home, server_user
from leerbudget.foundation.connecting import connect
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.log_archive import SEGMENT_BYTES, Stretch, in_command, number_of, stretch
from leerbudget.foundation.running import finished

RECOVERY_SECONDS = 24 * 3600.0
"""Longest wait for PostgreSQL to go through the log."""

_REPLAYED = """
SELECT pg_last_wal_replay_lsn() - '0/0' AS replayed_bytes, pg_last_xact_replay_timestamp() AS last_change
"""
_LAST_CHANGE = re.compile(r"last completed transaction was at log time (.+)$", re.MULTILINE)
_ENDED_EARLY = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class Restored:
    """A server that runs on what was restored.

    Args:
        server: the running server; it stops with the block.
        backup: where the restore began.
        last_change: the moment of the last change that is in it; None when the log held none.
    """

    server: EmbeddedServer
    backup: Path
    last_change: datetime | None


@contextmanager
def restored(
    source: Path, home: Path, *, until: datetime | None, log: bool = True, programs: str | None
) -> Iterator[Restored]:
    """The backup brought back in this data directory; its server runs for the length of the block.

    Args:
        source: a backup, or the directory with all of them: then the last one before the moment.
        home: the data directory to make; absent or empty.
        until: the last moment to bring back; None for all that the log has.
        log: without the log the restore ends where the backup did, a last resort when the log is lost.
        programs: directory with the PostgreSQL programs, instead of the wheel's.

    Raises:
        TargetNotEmpty: something is in the data directory.
        NotABackup: there is nothing to restore.
        BackupDamaged: a part of the backup or of its log is missing or broken.
        MomentOutOfReach: the moment lies before the backup or after the end of its log.
        RestoreFailed: PostgreSQL or the disk refused.
        SettingsError: the server cannot start here. After all of these the directory is as it was.
    """
    existed = home.exists()
    if existed and any(home.iterdir()):
        raise TargetNotEmpty(place=home)
    place, facts = choose(source, until)
    read_back(place)
    pieces = _log_for(place, facts, until) if log else Stretch((), None)
    server: EmbeddedServer | None = None
    try:
        make_home(home)
        _lay_out(place, facts, home, pieces, _targets(until, log=log))
        server = _recovered(home, facts, until, pieces, programs)
        last_change = _replayed(server, place, pieces, until)
        _tidy_up(home)
    except BaseException as failure:
        if server is not None:
            server.stop()
        _leave_as_it_was(home, existed=existed)
        if isinstance(failure, OSError):
            raise RestoreFailed(reason=failure.strerror or str(failure)) from failure
        raise
    with server:
        yield Restored(server, place, last_change)


def _log_for(place: Path, facts: Backup, until: datetime | None) -> Stretch:
    """The pieces of log to go through; with an end in sight a gap may lie behind it, and PostgreSQL will tell."""
    same_log = [other for other in backups_in(place.parent).values() if other.log == facts.log]
    last = max((other.last_segment for other in [facts, *same_log]), key=number_of)
    pieces = stretch(place.parent / facts.log, facts.first_segment, last)
    if pieces.missing and until is None:
        raise BackupDamaged(
            place=place,
            reason=f"in {facts.log} ontbreekt {pieces.missing}; met --until is te bereiken wat ervoor ligt",
        )
    return pieces


def _targets(until: datetime | None, *, log: bool) -> dict[str, str]:
    """PostgreSQL's settings for where to end; with a target, ending before it is an error."""
    if not log:
        return {"recovery_target": "immediate"}
    return {"recovery_target_time": written(until)} if until else {}


# --- the files --------------------------------------------------------------------------------------------

_RECOVERY = "# from here on only for the restore; leerbudget takes it away afterwards\n"


def _lay_out(place: Path, facts: Backup, home: Path, pieces: Stretch, targets: dict[str, str]) -> None:
    """The data aside and then in place, with the log where the server's own user can read it."""
    log = home / "restoring-log"
    log.mkdir(mode=0o700)
    for name in pieces.present:
        shutil.copyfile(place.parent / facts.log / f"{name}.gz", log / f"{name}.gz")
    making = Path(tempfile.mkdtemp(prefix="postgres-making-", dir=home))
    _unpack(place / BASE, making)
    _unpack(place / WAL, making / "pg_wal")
    for stale in making.glob(".s.PGSQL.*"):  # the lock of the old server's socket, which lives among the data
        stale.unlink()
    settings = {
        "restore_command": f"test -e {in_command(log)}/%f.gz && gzip -dc {in_command(log)}/%f.gz > %p",
        "recovery_target_action": "promote",
        "recovery_target_timeline": "current",
        "hot_standby": "off",  # so that it answers when it is done, and not before
    } | targets
    with (making / "postgresql.auto.conf").open("a") as file:
        file.write(_RECOVERY + "".join(f"{name} = {_in_settings(value)}\n" for name, value in settings.items()))
    (making / "recovery.signal").touch()
    _give(server_user(home / "postgres"), log, making)
    making.rename(home / "postgres")


def _in_settings(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


# the first Pythons 3.11 lack the filter; what is unpacked was read back against its checksums before
_CAREFULLY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def _unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive, "r:gz") as content:
        content.extractall(into, **_CAREFULLY)  # noqa: S202 - our own archive, with the filter where there is one


def _give(user: ServerUser, *trees: Path) -> None:
    """All of it readable for the server's user and for nobody else."""
    for tree in trees:
        for place in (tree, *tree.rglob("*")):
            place.chmod(0o700 if place.is_dir() else 0o600)
            if user.switch:
                os.chown(place, user.uid, user.gid)


def _tidy_up(home: Path) -> None:
    settings = home / "postgres" / "postgresql.auto.conf"
    settings.write_text(settings.read_text().partition(_RECOVERY)[0])
    shutil.rmtree(home / "restoring-log")


def _leave_as_it_was(home: Path, *, existed: bool) -> None:
    if not existed:
        shutil.rmtree(home, ignore_errors=True)
        return
    for place in home.iterdir():
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()


# --- the recovery -----------------------------------------------------------------------------------------


def _recovered(
    home: Path, facts: Backup, until: datetime | None, pieces: Stretch, programs: str | None
) -> EmbeddedServer:
    """The server, once it has gone through the log."""
    try:
        return EmbeddedServer.start(home, programs=programs, wait_seconds=RECOVERY_SECONDS)
    except SettingsError as failure:
        told = (home / "postgres.log").read_text(errors="replace") if (home / "postgres.log").exists() else ""
        if _ENDED_EARLY in told:
            last = _LAST_CHANGE.findall(told)
            end = last[-1].replace(" ", "T") if last else "…"
            reach = f"het log reikt van {written(facts.at)} tot {end}, de laatste wijziging erin"
            gap = f"; daarna ontbreekt {pieces.missing}" if pieces.missing else ""
            raise MomentOutOfReach(moment=written(until), reach=reach + gap) from failure
        fatal = [line for line in told.splitlines() if " FATAL: " in line or " PANIC: " in line]
        if fatal:
            raise RestoreFailed(reason=fatal[0].partition(":  ")[2]) from failure
        raise


def _replayed(server: EmbeddedServer, place: Path, pieces: Stretch, until: datetime | None) -> datetime | None:
    """The last change that came back; when all was asked, the last piece of log was really gone through."""

    async def ask() -> Any:
        connection = await connect(server.admin_dsn)
        try:
            return await connection.fetchrow(_REPLAYED)
        finally:
            await connection.close()

    row = finished(ask())
    last_change: datetime | None = row["last_change"]
    if until is None and pieces.present:
        unread = [name for name in pieces.present if number_of(name) * SEGMENT_BYTES >= row["replayed_bytes"]]
        if unread:
            raise BackupDamaged(
                place=place,
                reason=f"het log is niet te lezen vanaf {unread[0]}; ervoor is de laatste wijziging op {last_change}",
            )
    return last_change
