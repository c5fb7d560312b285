"""A PostgreSQL server of our own, from the programs in a wheel: started, shared, handed over, stopped.

One process owns the server: the one that holds the lock beside the data. Others with the same data
directory are guests and simply connect; when the owner goes, its server goes with it (on Linux by the
kernel, even after `kill -9`) and a guest starts it anew within about a second. The server listens on a
socket inside its private data directory; TCP only on request, on the loopback address.
"""

import asyncio
import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from leerbudget.foundation.binaries import (
    MAJOR,
    ServerUser,
    clean_environment,
    find_programs,
    groups_of,
    make_home,
    open_private,
    programs_for,
    reachable,
    run_as,
    server_user,
)
from leerbudget.foundation.connecting import REFUSALS
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.log_archive import archiving
from leerbudget.foundation.postmaster import address, is_server, postmaster_pid, status

SUPERUSER = "postgres"
"""The bootstrap role; only the server's own operating-system user (and root) can log in as it."""

START_SECONDS = 120.0
"""Longest wait for a start, recovery after a crash included (3 GB of WAL took 27 s)."""

DEATHS_A_MINUTE = 5
"""A server that falls more often than this is not started again at once, but after `PAUSE_SECONDS`."""

PAUSE_SECONDS = 5.0
"""Until a server that served before and failed is tried again: for as long as its users live."""

SOCKET_PATH_MAX = 80
"""Longer directories do not fit a Unix socket address (107 bytes with the file's name)."""

_SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",  # bounds crash recovery to seconds
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "pglz",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # statements can hold personal data
    "log_line_prefix": "%m [%p] %u ",
}
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "archive_mode": "off",
}

_TRANSIENT = ("shared memory block", "postmaster.pid")
"""What the log says when the remains of a killed server have not quite gone; then a start is tried again."""

_NO_ROOM = "No space left on device"
_ROOM_LEAST = 32 * 2**20
"""Bytes without which a server that fell over a full disk may not get up: two segments of its log."""

_HBA = f"""\
# written by leerbudget at every start
local all,replication {SUPERUSER} peer map=leerbudget
local all all scram-sha-256
host all {SUPERUSER} all reject
host all all 127.0.0.1/32 scram-sha-256
"""
"""Who may log in how: the superuser only as the server's own operating-system user or root, others by password."""

_LAUNCH = """
import ctypes, os, signal, sys
parent, uid, gid, groups = sys.argv[1:5]
if uid:
    os.setgroups([int(g) for g in groups.split()]); os.setgid(int(gid)); os.setuid(int(uid))
os.umask(0o077)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGINT, 0, 0, 0)  # PR_SET_PDEATHSIG: stop with the owner
    if os.getppid() != int(parent): sys.exit("the owner is gone")
os.execv(sys.argv[5], sys.argv[5:])
"""
"""Run by a bare Python so that no code of ours runs between fork and exec in a process with threads."""

log = structlog.get_logger(__name__)
_living: "weakref.WeakSet[EmbeddedServer]" = weakref.WeakSet()


class EmbeddedServer:
    """A running server, owned or shared. Use as a context manager, or call `stop()`.

    Args:
        data_dir: the directory that holds the data, the log and the lock; made when absent.
        fast: for tests only: no durability, so a crash may lose everything.
        listen_port: also listen on 127.0.0.1 at this port, with SCRAM passwords.
        programs: directory with the PostgreSQL programs, instead of the wheel's.
        connections_max: how many may be connected at once, instead of the usual number.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        fast: bool = False,
        listen_port: int | None = None,
        programs: str | None = None,
        connections_max: int | None = None,
    ) -> None:
        self.home = data_dir.expanduser().absolute()
        self.data = self.home / "postgres"
        self.owns = False
        self._fast, self._listen_port, self._chosen = fast, listen_port, programs
        self._connections = {} if connections_max is None else {"max_connections": str(connections_max)}
        self._start_seconds = START_SECONDS
        self._user: ServerUser | None = None
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._failure: BaseException | None = None
        self._pid = os.getpid()
        self._settled, self._stopping = threading.Event(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="leerbudget-postgres", daemon=True)

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        fast: bool = False,
        listen_port: int | None = None,
        programs: str | None = None,
        connections_max: int | None = None,
        wait_seconds: float = START_SECONDS,
    ) -> Self:
        """A server that answers `SELECT 1`: started here, or shared with the process that owns it.

        Raises:
            SettingsError: it cannot be used or did not start in time; one sentence says why.
        """
        server = cls(data_dir, fast=fast, listen_port=listen_port, programs=programs, connections_max=connections_max)
        server._start_seconds = max(START_SECONDS, wait_seconds)
        _living.add(server)
        server._keeper.start()
        try:
            in_time = server._settled.wait(wait_seconds)
        except BaseException:  # a signal
            server.stop()
            raise
        if not in_time:
            server.stop()
            raise SettingsError(
                message=f"De database in {server.home} startte niet binnen {wait_seconds:.0f} seconden. "
                f"Zie {server.home / 'postgres.log'}."
            )
        if server._failure is not None:
            server.stop()
            raise server._failure
        return server

    @property
    def admin_dsn(self) -> str:
        """Connection string of the superuser, for bootstrap, backup and tests."""
        return self.dsn(SUPERUSER, "postgres")

    def dsn(self, role: str, database: str, password: str = "") -> str:
        """Connection string for a role over the private socket."""
        found = address(self.data)
        if found is None:
            raise SettingsError(message=f"De database in {self.home} draait nu niet.")
        port, directory = found
        login = f"{quote(role, safe='')}:{quote(password, safe='')}" if password else quote(role, safe="")
        return f"postgresql://{login}@/{quote(database, safe='')}?host={quote(directory)}&port={port}"

    def stop(self) -> None:
        """Stop the server if this process owns it, and let go; a second call does nothing."""
        if os.getpid() != self._pid:
            return
        self._stopping.set()
        if self._keeper.is_alive() and threading.current_thread() is not self._keeper:
            self._keeper.join(60)
        _living.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- the keeper's thread: it lives as long as the server, since the kernel watches the starting thread ---

    def _keep(self) -> None:
        try:
            self._make_home()
            while not self._stopping.is_set():
                if self._take_lock():
                    self._own_while_possible()
                elif not self._settled.is_set() and self._answers():
                    self._settled.set()
                else:
                    self._stopping.wait(0.2 if self._settled.is_set() else 0.05)
        except BaseException as failure:  # told to whoever waits for the start
            self._failure = self._not_ours(_reason(failure)) if isinstance(failure, OSError) else failure
            if self._settled.is_set():  # the one who asked for the start has long gone on
                log.exception("embedded_server_failed", reason=str(failure), data_dir=str(self.home))
        finally:
            self._end_child()
            self._drop_lock()
            self._settled.set()

    def _own_while_possible(self) -> None:
        """Own the server. When it served before and fails now it is let go, for any of its users to try again soon."""
        try:
            self._own()
        except Exception as failure:
            if not self._settled.is_set():
                raise
            log.exception("embedded_server_failed", reason=str(failure), data_dir=str(self.home))
            self._end_child()
            self._drop_lock()
            self._stopping.wait(PAUSE_SECONDS)

    def _own(self) -> None:
        user = self._user = server_user(self.data)
        if not reachable(user, self.home):
            raise SettingsError(
                message=f"{self.home} is niet bereikbaar voor gebruiker '{user.name}', onder wie PostgreSQL draait. "
                "Zet LEERBUDGET_DATA_DIR op een andere plek, bijvoorbeeld /var/lib/leerbudget."
            )
        programs = programs_for(user, find_programs(self._chosen), self.home)
        self._stop_orphan(programs)
        self._prepare(programs)
        deaths: list[float] = []
        while not self._stopping.is_set():
            self._launch(programs)
            self.owns = True
            self._settled.set()
            while self._child is not None and self._child.poll() is None:
                if self._stopping.wait(0.2):
                    return
            deaths = [moment for moment in deaths if moment > time.monotonic() - 60] + [time.monotonic()]
            log.warning("embedded_server_died", data_dir=str(self.home), deaths_last_minute=len(deaths))
            if self._out_of_room():
                self._stopping.wait(1.0)
            elif len(deaths) > DEATHS_A_MINUTE:
                raise SettingsError(message=f"De database in {self.home} valt telkens uit. {self._last_words()}")

    def _make_home(self) -> None:
        try:
            make_home(self.home)
            descriptor = open_private(self.home / "postgres.lock", os.O_RDWR)
            os.close(descriptor)
        except OSError as failure:
            raise self._not_ours(_reason(failure)) from failure
        if self.data.exists() and os.geteuid() not in {0, self.data.stat().st_uid}:
            raise self._not_ours("de gegevens zijn van een andere gebruiker")

    def _not_ours(self, reason: str) -> SettingsError:
        return SettingsError(
            message=f"De gegevensmap {self.home} is niet te gebruiken: {reason}. "
            "Kies met LEERBUDGET_DATA_DIR een map die van u is."
        )

    def _take_lock(self) -> bool:
        descriptor = open_private(self.home / "postgres.lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def _drop_lock(self) -> None:
        descriptor, self._lock = self._lock, None
        if descriptor is not None:
            os.close(descriptor)

    def _stop_orphan(self, programs: Path) -> None:
        """A server without an owner is stopping, or outlived an owner on a system without that kernel help."""
        pid = postmaster_pid(self.data)
        if pid is None or not is_server(pid, self.data) or self._user is None:
            return
        run_as(self._user, programs / "pg_ctl", "stop", "-D", self.data, "-m", "fast", "-t", "100")

    def _prepare(self, programs: Path) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR):
                raise SettingsError(
                    message=f"De gegevens in {self.data} zijn van PostgreSQL {found}; dit programma leest versie {MAJOR}. "
                    "Zet ze over met pg_upgrade of een reservekopie (zie docs/operations.md)."
                )
        else:
            self._initialise(programs)
        self._write_for_server("pg_hba.conf", _HBA)
        self._write_for_server("pg_ident.conf", _ident(self._server_user.name))

    def _initialise(self, programs: Path) -> None:
        """Make the data directory aside and move it in place, so a broken start leaves nothing half done."""
        if self.data.exists() and any(self.data.iterdir()):
            raise SettingsError(message=f"{self.data} is niet leeg, maar er staat geen database in.")
        for abandoned in self.home.glob("postgres-making-*"):  # by a start that was killed; we hold the lock
            shutil.rmtree(abandoned, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix="postgres-making-", dir=self.home))
        self._give(making)
        done = run_as(
            self._server_user,
            *(programs / "initdb", "-D", making, "-U", SUPERUSER, "--encoding=UTF8", "--no-locale"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *("--auth-local=peer", "--auth-host=scram-sha-256"),
            *(["--no-sync"] if self._fast else []),
        )
        if done.returncode != 0:
            raise SettingsError(message=f"De database in {self.home} is niet te maken: {_last_line(done.stderr)}")
        making.rename(self.data)

    @property
    def _server_user(self) -> ServerUser:
        if self._user is None:
            raise RuntimeError("only the owner knows the server's user")
        return self._user

    def _give(self, place: Path) -> None:
        if self._server_user.switch:
            os.chown(place, self._server_user.uid, self._server_user.gid)

    def _write_for_server(self, name: str, text: str) -> None:
        """A file beside the data, not in it: root must not write where the server's user could lay a link."""
        descriptor, partial = tempfile.mkstemp(prefix=name, dir=self.home)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self._give(Path(partial))
        Path(partial).rename(self.home / name)

    def _launch(self, programs: Path) -> None:
        """Start `postgres` and wait until it answers, recovery included."""
        deadline = time.monotonic() + self._start_seconds
        while not self._stopping.is_set():
            self._child = self._spawn(programs)
            while self._child.poll() is None and not self._stopping.is_set():
                if status(self.data) == "ready" and postmaster_pid(self.data) == self._child.pid and self._answers():
                    return
                if time.monotonic() > deadline:
                    raise SettingsError(
                        message=f"De database in {self.home} startte niet op tijd. {self._last_words()}"
                    )
                time.sleep(0.01)
            if self._settled.is_set() and self._out_of_room():  # it ran before, and will again
                deadline = time.monotonic() + START_SECONDS
                self._stopping.wait(1.0)
                continue
            if time.monotonic() > deadline or not any(sign in self._log_tail() for sign in _TRANSIENT):
                raise SettingsError(message=f"De database in {self.home} start niet. {self._last_words()}")
            self._stopping.wait(0.2)

    def _spawn(self, programs: Path) -> subprocess.Popen[bytes]:
        user = self._server_user
        fast = _FAST if self._fast else {}
        settings = _SETTINGS | archiving(self.home) | fast | self._connections | self._listening()
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        switch = [str(user.uid), str(user.gid), " ".join(map(str, groups_of(user)))] if user.switch else ["", "", ""]
        with os.fdopen(open_private(self.home / "postgres.log", os.O_WRONLY | os.O_APPEND), "ab") as output:
            if output.tell() > 10_000_000:
                output.truncate(0)
            return subprocess.Popen(  # noqa: S603 - programs of our own choosing
                [
                    *(sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *switch),
                    *(str(programs / "postgres"), "-D", str(self.data), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=clean_environment(),
                start_new_session=True,  # Ctrl-C in the terminal reaches us, and we stop it
            )

    def _listening(self) -> dict[str, str]:
        directory = self.data if len(str(self.data)) <= SOCKET_PATH_MAX else self._short_directory()
        chosen = {
            "unix_socket_directories": f'"{directory}"',
            "unix_socket_permissions": "0700",
            "hba_file": str(self.home / "pg_hba.conf"),
            "ident_file": str(self.home / "pg_ident.conf"),
        }
        if self._listen_port is None:
            return chosen | {"listen_addresses": ""}
        return chosen | {"listen_addresses": "127.0.0.1", "port": str(self._listen_port)}

    def _short_directory(self) -> Path:
        """A private directory for the socket, remembered beside the data so that it stays the same."""
        note = self.home / "socket-directory"
        if note.exists():
            known = Path(note.read_text())
            if known.is_dir() and not known.is_symlink() and known.stat().st_uid == self._server_user.uid:
                return known
        made = Path(tempfile.mkdtemp(prefix="leerbudget-"))
        self._give(made)
        note.write_text(str(made))
        return made

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        for means, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if child.poll() is not None:
                break
            child.send_signal(means)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.owns = False

    def _answers(self) -> bool:
        """Whether the server answers a query now."""
        if address(self.data) is None:
            return False
        try:
            return asyncio.run(_select_one(self.admin_dsn))
        except (OSError, TimeoutError, SettingsError, *REFUSALS):
            return False

    def _log_tail(self) -> str:
        try:
            return (self.home / "postgres.log").read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    def _out_of_room(self) -> bool:
        """Whether a full disk stops the server. The log may not say so: it is on the same disk."""
        return _NO_ROOM in self._log_tail() or shutil.disk_usage(self.data).free < _ROOM_LEAST

    def _last_words(self) -> str:
        return f"Laatste regel van postgres.log: {_last_line(self._log_tail())}"


async def _select_one(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return bool(await connection.fetchval("SELECT 1") == 1)
    finally:
        await connection.close(timeout=5)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "(geen uitleg)")


def _reason(failure: OSError) -> str:
    return failure.strerror or str(failure)


def _ident(server_user: str) -> str:
    return "".join(f'leerbudget "{user}" {SUPERUSER}\n' for user in sorted({"root", server_user}))


def _stop_all() -> None:
    for server in list(_living):
        server.stop()


def _close_locks() -> None:
    for server in list(_living):
        server._drop_lock()  # noqa: SLF001 - a forked child must not keep its parent's lock


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_close_locks)
