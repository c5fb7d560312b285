"""What a backup consists of, how one is found and chosen, and whether it is whole.

DIRECTORY/
  2026-11-21T140305.123456Z/    one backup; the directory gets this name when all of it is written
    backup.json                 what follows here as `Backup`
    backup_manifest             PostgreSQL's list of all files, with a checksum of each
    base.tar.gz, pg_wal.tar.gz  the data, and the log from begin to end of the backup
  log-2026-11-21T140304.…Z/     the server's log since then, in pieces (`foundation.log_archive`)
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.log_archive import SEGMENT_BYTES

FACTS, MANIFEST, BASE, WAL = "backup.json", "backup_manifest", "base.tar.gz", "pg_wal.tar.gz"
FORMAT = 1

_CHUNK_BYTES = 1 << 20


class NotABackup(LeerbudgetError):
    """Here is no backup that this program made to its end."""

    code = "not_a_backup"
    message_nl = "In {place} staat geen reservekopie van leerbudget."


class BackupDamaged(LeerbudgetError):
    """A part is missing or is not what was written. `reason` says which."""

    code = "backup_damaged"
    message_nl = "De reservekopie {place} is beschadigd: {reason}."


class BackupFailed(LeerbudgetError):
    """No backup was made; what was there before is untouched. `reason` says why."""

    code = "backup_failed"
    message_nl = "Er is geen reservekopie gemaakt: {reason}."


class MomentOutOfReach(LeerbudgetError):
    """The log does not reach the moment that was asked for; `reach` says which moments it does reach."""

    code = "moment_out_of_reach"
    message_nl = "{moment} is niet te bereiken; {reach}."


class TargetNotEmpty(LeerbudgetError):
    """A restore never writes where something is."""

    code = "target_not_empty"
    message_nl = "{place} is niet leeg. Kies een map die leeg is of nog niet bestaat."


class RestoreFailed(LeerbudgetError):
    """PostgreSQL could not be brought back from this backup; nothing was left behind. `reason` says why."""

    code = "restore_failed"
    message_nl = "Terugzetten lukte niet: {reason}."


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `backup.json` says.

    Args:
        format: of these files; a program refuses one that it does not know.
        system: PostgreSQL's number of the database; backups of two databases never share a directory.
        at: the first moment to which this backup can be restored; its log reaches at least this far.
        log: the name of the directory beside it with the log.
        first_segment: the piece of the log with which a restore begins.
        last_segment: the piece that was in the log when the backup was done.
    """

    format: int
    system: str
    at: datetime
    log: str
    first_segment: str
    last_segment: str


def read_facts(place: Path) -> Backup:
    """What this backup says of itself.

    Raises:
        NotABackup: there is none here.
        BackupDamaged: what it says cannot be understood.
    """
    if not (place / FACTS).is_file():
        raise NotABackup(place=place)
    try:
        facts = msgspec.json.decode((place / FACTS).read_bytes(), type=Backup)
    except msgspec.MsgspecError as failure:
        raise BackupDamaged(place=place, reason=f"{FACTS} is niet te lezen") from failure
    if facts.format != FORMAT:
        raise BackupDamaged(place=place, reason=f"{FACTS} is van een andere versie van leerbudget")
    return facts


def backups_in(directory: Path) -> dict[Path, Backup]:
    """Every backup that was made to its end in this directory, the oldest first.

    Raises:
        BackupDamaged: one of them cannot be understood.
    """
    found = {place: read_facts(place) for place in directory.iterdir() if finished(place)}
    return dict(sorted(found.items(), key=lambda item: item[1].at))


def finished(place: Path) -> bool:
    """Whether this is a backup that was made to its end: until then its name begins with a dot."""
    try:
        return not place.name.startswith(".") and (place / FACTS).is_file()
    except PermissionError:  # somebody else's, beside it
        return False


def choose(place: Path, until: datetime | None) -> tuple[Path, Backup]:
    """The backup to begin with: this one, or of a directory of them the last one before the moment.

    Raises:
        NotABackup: there is none.
        BackupDamaged: one cannot be understood.
        MomentOutOfReach: the moment lies before all of them.
    """
    kept = {place: read_facts(place)} if finished(place) else backups_in(place)
    if not kept:
        raise NotABackup(place=place)
    early = [(where, facts) for where, facts in kept.items() if until is None or facts.at <= until]
    if not early:
        first = next(iter(kept.values())).at
        raise MomentOutOfReach(
            moment=written(until), reach=f"{written(first)} is het eerste moment van deze reservekopie"
        )
    return early[-1]


def written(moment: datetime | None) -> str:
    """A moment as `--until` takes it, exact."""
    return moment.isoformat() if moment else ""


def read_back(place: Path) -> None:
    """Read every byte of a backup and hold it against the checksums that PostgreSQL made while writing.

    Raises:
        BackupDamaged: something is missing, too much, or changed.
    """
    facts = read_facts(place)
    try:
        expected = _manifest(place / MANIFEST)
        with tarfile.open(place / BASE, "r:gz") as archive:
            found = {member.name.removeprefix("./"): _sha256(archive, member) for member in archive if member.isfile()}
        with tarfile.open(place / WAL, "r:gz") as archive:
            log = {member.name for member in archive if member.size == SEGMENT_BYTES}
        with gzip.open(place / WAL) as content:  # to the end, where its own checksum is
            while content.read(_CHUNK_BYTES):
                pass
    except FileNotFoundError as failure:
        raise BackupDamaged(place=place, reason=f"{Path(failure.filename).name} ontbreekt") from failure
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, KeyError, TypeError) as failure:
        raise BackupDamaged(place=place, reason=f"niet te lezen ({failure})") from failure
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise BackupDamaged(place=place, reason=f"{len(wrong)} bestand(en) kloppen niet, zoals {wrong[0]}")
    if facts.first_segment not in log:
        raise BackupDamaged(place=place, reason=f"in {WAL} ontbreekt {facts.first_segment}")


def _manifest(file: Path) -> dict[str, str]:
    """The SHA-256 of every file of the data, by name; the list itself ends with its own."""
    text = file.read_bytes()
    body, mark, _ = text.rpartition(b'"Manifest-Checksum"')
    manifest = json.loads(text)
    if not mark or hashlib.sha256(body).hexdigest() != manifest["Manifest-Checksum"]:
        raise ValueError(f"{MANIFEST} is gewijzigd")
    return {entry["Path"]: entry["Checksum"] for entry in manifest["Files"]}


def _sha256(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content: IO[bytes] | None = archive.extractfile(member)
    digest = hashlib.sha256()
    while content is not None and (chunk := content.read(_CHUNK_BYTES)):
        digest.update(chunk)
    return digest.hexdigest()
