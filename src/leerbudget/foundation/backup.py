"""Make backups of the embedded server: all data at once, and from then on its log (`foundation.log_archive`)."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from leerbudget.foundation import backup_files
from leerbudget.foundation.backup_files import FACTS, FORMAT, Backup, BackupFailed, backups_in, read_back
from leerbudget.foundation.binaries import ServerUser, find_programs, open_private, programs_for, run_as, server_user
from leerbudget.foundation.connecting import connect
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.log_archive import lead_log, log_of, number_of, segments_in
from leerbudget.foundation.running import finished

ARRIVES_SECONDS = 120.0
"""Longest wait until the log of a backup has arrived beside it."""

REFUSALS_MAX = 3
"""So often in a row the server tries to bring a piece of its log before it takes a minute's rest."""


@dataclass(frozen=True)
class MadeBackup:
    """A backup that was just made and read back, and the older ones that made room for it."""

    place: Path
    facts: Backup
    size_bytes: int
    removed: tuple[Path, ...]


def make_backup(server: EmbeddedServer, directory: Path, *, programs: str | None, keep: int | None) -> MadeBackup:
    """A backup of this server in a fresh directory below `directory`, read back; its log arrives there from now on.

    Args:
        server: the embedded server, owned or shared.
        directory: holds backups of this database only; made, closed to others, when absent.
        programs: directory with the PostgreSQL programs, instead of the wheel's.
        keep: afterwards remove all but so many backups, and the log that only older ones needed.

    Raises:
        SettingsError: the directory cannot be used, or this server keeps no log.
        BackupFailed: PostgreSQL or the disk refused; nothing that looks like a backup is left.
        BackupDamaged: what was written does not read back; it is gone again.
    """
    user = server_user(server.data)
    _make_directory(directory, server.home, user)
    with _alone(directory):
        state = _asked(server, _STATE)
        _refuse_others(directory, state)
        for left in directory.glob(f"{_UNFINISHED}*"):  # by a backup that was killed; we hold the lock
            shutil.rmtree(left, ignore_errors=True)
        before = log_of(server.home)
        log = _log_in(directory, before, state["at"], user)
        lead_log(server.home, log)
        try:
            place, facts = _written(
                server, directory, log, user, programs_for(user, find_programs(programs), server.home)
            )
        except BaseException:
            if log != before:
                lead_log(server.home, before)
                _give_back(log, before, user)
            raise
        size = sum(file.stat().st_size for file in place.iterdir())
        return MadeBackup(place, facts, size, tuple(_make_room(directory, keep, log) if keep else ()))


_UNFINISHED = ".unfinished-"
"""How the name begins of what is being written or removed: nothing takes it for a backup."""

_STATE = """
SELECT current_setting('archive_mode') AS archive_mode, system_identifier::text AS system, clock_timestamp() AS at,
       (SELECT failed_count FROM pg_stat_archiver) AS refusals
FROM pg_control_system()
"""
_MARK = "SELECT pg_current_xact_id()"
"""A change of nothing: restoring to a moment ends before the first change after it, so there has to be one."""


def _asked(server: EmbeddedServer, question: str) -> Any:
    async def ask() -> Any:
        connection = await connect(server.admin_dsn)
        try:
            return await connection.fetchrow(question)
        finally:
            await connection.close()

    return finished(ask())


def _make_directory(directory: Path, home: Path, user: ServerUser) -> None:
    if directory.is_relative_to(home):
        raise SettingsError(
            message=f"{directory} ligt in de gegevensmap zelf. Kies een andere schijf, of een andere map."
        )
    if not directory.parent.is_dir():
        raise SettingsError(message=f"De map {directory.parent} bestaat niet.")
    if not directory.exists():
        _private_directory(directory, user)
    if run_as(user, "/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", directory).returncode:
        raise SettingsError(
            message=f"Gebruiker '{user.name}', onder wie PostgreSQL draait, kan niet schrijven in {directory}. "
            "Geef die gebruiker de map, of noem een map die nog niet bestaat."
        )


def _private_directory(place: Path, user: ServerUser) -> None:
    place.mkdir(mode=0o700)
    if user.switch:
        os.chown(place, user.uid, user.gid)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    lock = open_private(directory / ".lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupFailed(reason=f"er loopt al een reservekopie naar {directory}") from None
    finally:
        os.close(lock)


def _refuse_others(directory: Path, state: Any) -> None:
    if state["archive_mode"] != "on":
        raise SettingsError(message="Deze databaseserver houdt geen log bij. Start leerbudget opnieuw.")
    for place, facts in backups_in(directory).items():
        if facts.system != state["system"]:
            raise SettingsError(message=f"{place} is van een andere database. Kies een eigen map voor elke database.")


def _log_in(directory: Path, known: Path | None, at: datetime, user: ServerUser) -> Path:
    """Where the log goes from now on: on where it went, or from a fresh start when that is not here."""
    if known is not None and known.parent == directory and known.is_dir():
        return known
    log = directory / f"log-{_name(at)}"
    _private_directory(log, user)
    return log


def _give_back(log: Path, before: Path | None, user: ServerUser) -> None:
    """What arrived in the fresh log belongs in the one before it: older backups there need it without a hole."""
    for piece in log.iterdir():
        if before is not None and piece.suffix == ".gz":
            moved = Path(shutil.copy(piece, before / f"{piece.name}.part"))
            moved.chmod(0o600)
            if user.switch:
                os.chown(moved, user.uid, user.gid)
            moved.rename(before / piece.name)
        piece.unlink()
    log.rmdir()


def _name(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H%M%S.%f}Z"


def _written(
    server: EmbeddedServer, directory: Path, log: Path, user: ServerUser, programs: Path
) -> tuple[Path, Backup]:
    """The backup under its own name: only what was written to its end and reads back well gets one."""
    making = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=directory))
    try:
        if user.switch:
            os.chown(making, user.uid, user.gid)
        refusals = _asked(server, _STATE)["refusals"]
        _copy_data(server, making, user, programs)
        facts = _with_its_log(server, log, refusals, _first_segment(making))
        with os.fdopen(open_private(making / FACTS, os.O_WRONLY), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(facts)))
            file.flush()
            os.fsync(file.fileno())
        read_back(making)
        place = directory / _name(facts.at)
        _keep_on_disk(making)
        making.rename(place)
        _keep_on_disk(directory)
    except OSError as failure:
        raise BackupFailed(reason=failure.strerror or str(failure)) from failure
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return place, facts


def _copy_data(server: EmbeddedServer, making: Path, user: ServerUser, programs: Path) -> None:
    done = run_as(
        user,
        *(programs / "pg_basebackup", "--dbname", server.admin_dsn, "--no-password", "--pgdata", making),
        *(
            "--format=tar",
            "--compress=gzip:1",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
        ),
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise BackupFailed(reason=lines[0] if lines else "pg_basebackup viel uit")


def _first_segment(making: Path) -> str:
    ranges = msgspec.json.decode((making / backup_files.MANIFEST).read_bytes())["WAL-Ranges"]
    timeline, (high, low) = ranges[0]["Timeline"], ranges[0]["Start-LSN"].split("/")
    return f"{timeline:08X}{int(high, 16):08X}{int(low, 16) >> 24:08X}"


def _with_its_log(server: EmbeddedServer, log: Path, refusals: int, first: str) -> Backup:
    """Close the piece of log that the backup ends in, and wait until it is where it belongs."""
    ended = _asked(server, _STATE)
    _asked(server, _MARK)
    last: str = _asked(server, "SELECT pg_walfile_name(pg_switch_wal()) AS name")["name"]
    deadline = time.monotonic() + ARRIVES_SECONDS
    while not (log / f"{last}.gz").exists():
        if time.monotonic() > deadline or _asked(server, _STATE)["refusals"] >= refusals + REFUSALS_MAX:
            raise BackupFailed(reason=f"het log komt niet aan in {log}; zie {server.home / 'postgres.log'}")
        time.sleep(0.05)
    return Backup(
        format=FORMAT,
        system=ended["system"],
        at=ended["at"],
        log=log.name,
        first_segment=first,
        last_segment=last,
    )


def _keep_on_disk(directory: Path) -> None:
    """What was made or renamed in this directory survives a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_room(directory: Path, keep: int, log: Path) -> Iterator[Path]:
    """Remove the oldest backups beyond `keep`, and the log that no other needs."""
    kept = backups_in(directory)
    for place in list(kept)[:-keep]:
        del kept[place]
        leaving = place.rename(directory / f"{_UNFINISHED}{place.name}")
        shutil.rmtree(leaving)
        yield place
    for old in directory.glob("log-*"):
        needed = [number_of(facts.first_segment) for facts in kept.values() if facts.log == old.name]
        if not needed and old != log:
            shutil.rmtree(old)
        for piece in segments_in(old) if needed else ():
            if number_of(piece) < min(needed):
                (old / f"{piece}.gz").unlink()


async def log_troubles() -> list[str]:
    """Whether the log of the database arrives where it should: an empty list, or what is wrong."""
    rows = await fetch_all(
        "SELECT last_failed_wal FROM pg_stat_archiver"
        " WHERE last_failed_time > coalesce(last_archived_time, '-infinity')"
    )
    return [f"het log komt niet aan sinds {row['last_failed_wal']}; zie het logboek van PostgreSQL" for row in rows]
