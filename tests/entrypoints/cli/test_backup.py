"""`leerbudget backup` and `leerbudget restore`: what they say, leave behind and refuse."""

import asyncio
import fcntl
import gzip
import json
import resource
import shutil
import signal
import stat
import subprocess
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from entrypoints.cli.commanding import complaint, environment, forked
from faults.embedded_ground import ROOT, only_root, value
from leerbudget.foundation import backup, binaries
from leerbudget.foundation.backup import log_troubles
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.log_archive import log_of
from leerbudget.foundation.running import prepare_embedded

CLOSE_PIECE = "SELECT pg_walfile_name(pg_switch_wal()) FROM pg_logical_emit_message(false, '', '')"
SECOND = timedelta(seconds=1)


def on(data):
    """The environment of commands on this data directory."""
    return environment(LEERBUDGET_DATA_DIR=data)


@pytest.fixture(scope="session")
def stock(run_dir):
    """A data directory of which three backups were made; the last one let go of the first. Nothing runs on it.

    Made once, by whichever process of the run comes first.
    """
    place = run_dir / "stock"
    with (run_dir / "stock.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            place.mkdir(mode=0o711)
            with EmbeddedServer.start(place / "data"):
                orders = [("backup", place / "kept", *words) for words in ((), (), ("--keep", 2))]
                told = [forked(*order, env=on(place / "data")) for order in orders]
            assert [one.stderr for one in told] == [""] * 3
            (place / "told.json").write_text(json.dumps([one.stdout for one in told]))
    told = json.loads((place / "told.json").read_text())
    return SimpleNamespace(data=place / "data", kept=place / "kept", told=told)


@pytest.fixture
def copied(stock, own_place):
    """The backups, copied elsewhere by whoever runs the tests; the oldest first."""
    own_place.mkdir(mode=0o711)
    shutil.copytree(stock.kept, own_place / "kept")
    kept = own_place / "kept"
    backups = sorted(kept.glob("*Z/backup.json"))
    log = next(kept.glob("log-*"))
    facts = [json.loads(one.read_text()) for one in backups]
    return SimpleNamespace(
        place=own_place,
        kept=kept,
        backups=[one.parent for one in backups],
        facts=facts,
        at=[datetime.fromisoformat(one["at"]) for one in facts],
        log=log,
        to=own_place / "back",
    )


def put_back(copied, *words, source=None):
    """Run `leerbudget restore` into a fresh data directory."""
    return forked("restore", source or copied.kept, "--to", copied.to, *words)


def refused(copied, code, *words, source=None, status=1):
    """The line with which a restore is refused; nothing is left of it."""
    told = complaint(put_back(copied, *words, source=source), status)
    assert f"[{code}]" in told or status == 2, told
    assert not copied.to.exists()
    return told


# --- a backup ---------------------------------------------------------------------------------------------


def test_a_backup_says_what_was_written(stock):
    """Where, how large, that it reads back, from which moment on, and what made room."""
    first, _, last = stock.told
    where = first.splitlines()[0].removeprefix("backup: ").split(", ")
    assert where[0].startswith(str(stock.kept))
    assert float(where[1].removesuffix(" MB")) > 1
    assert where[2] == "teruggelezen: klopt"
    assert datetime.fromisoformat(first.splitlines()[1].rsplit(" ", 1)[1]).utcoffset() is not None
    assert "hooguit 60 s" in first
    assert last.splitlines()[3:] == [f"  verwijderd: {where[0]}"]


def test_backups_are_closed_to_others(stock):
    """They hold personal data: directories 700, files 600, and as root all of it is the server's own user's."""
    things = [stock.kept, *stock.kept.rglob("*")]
    assert {stat.S_IMODE(thing.stat().st_mode) for thing in things if thing.is_dir()} == {0o700}
    assert {stat.S_IMODE(thing.stat().st_mode) for thing in things if thing.is_file()} == {0o600}
    assert {thing.stat().st_uid for thing in things} == {(stock.data / "postgres").stat().st_uid}
    assert not ROOT or stock.kept.stat().st_uid != 0


def test_keeping_some_lets_go_of_the_rest(stock, copied):
    """Two are left, with exactly the log that the older one needs, and no half-removed thing."""
    assert len(copied.backups) == 2
    pieces = sorted(file.name[:24] for file in stock.kept.glob("log-*/*.gz") if len(file.name) == 27)
    assert pieces[0] == copied.facts[0]["first_segment"]
    assert pieces[-1] >= copied.facts[1]["last_segment"]
    assert sorted(thing.name[0] for thing in stock.kept.iterdir()) == [".", "2", "2", "l"]


def test_where_no_backup_can_go(stock, own_place, here):
    """No database, inside the data itself, below nothing, and a server by address: one line, and nothing is made."""
    own_place.mkdir(mode=0o711)
    empty, data = on(own_place / "empty"), on(stock.data)
    assert "staat geen database" in complaint(here("backup", own_place / "kept", env=empty), 2)
    assert "gegevensmap zelf" in complaint(here("backup", stock.data / "kept", env=data), 2)
    assert "bestaat niet" in complaint(here("backup", own_place / "no" / "kept", env=data), 2)
    by_address = environment(LEERBUDGET_DATABASE_URL="postgresql://leerbudget_app@db.invalid/leerbudget")
    assert "reservekopieën van die server" in complaint(here("backup", own_place / "kept", env=by_address), 2)
    assert "'--keep'" in complaint(here("backup", own_place / "kept", "--keep", "0", env=data), 2)
    assert list(own_place.iterdir()) == []


@only_root
def test_a_directory_of_somebody_else_is_refused(stock, own_place, here):
    """As root, a directory that the server's user cannot write in is refused, and its mode stays."""
    own_place.mkdir(mode=0o711)
    (own_place / "mine").mkdir(mode=0o700)
    assert "kan niet schrijven" in complaint(here("backup", own_place / "mine", env=on(stock.data)), 2)
    assert stat.S_IMODE((own_place / "mine").stat().st_mode) == 0o700


def test_one_at_a_time_and_one_database(stock, own_place, here):
    """A second backup to the same directory waits for nobody; another database's directory is refused."""
    with (stock.kept / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "[backup_failed]" in complaint(here("backup", stock.kept, env=on(stock.data)), 1)
    EmbeddedServer.start(own_place / "other").stop()
    assert "van een andere database" in complaint(here("backup", stock.kept, env=on(own_place / "other")), 2)
    assert log_of(own_place / "other") is None


def test_a_server_that_keeps_no_log_is_refused(own_place, here):
    """Without its log a backup would not reach beyond itself."""
    own_place.mkdir(mode=0o711)
    with EmbeddedServer.start(own_place / "data", fast=True):
        assert "houdt geen log bij" in complaint(here("backup", own_place / "kept", env=on(own_place / "data")), 2)


def little():
    """In a process that is about to begin: files over 100 kB are refused, as a full disk refuses them."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.fixture
def full_disk(monkeypatch):
    """The copying of data meets a full disk."""
    run = subprocess.run

    def limited(command, **options):
        return run(command, **options, **({"preexec_fn": little} if "pg_basebackup" in command[0] else {}))

    monkeypatch.setattr(binaries.subprocess, "run", limited)


def test_without_room_for_a_backup_all_is_as_it_was(own_place, here, full_disk, monkeypatch):
    """When the disk refuses: one line and no backup; what the log had brought meanwhile goes where it went before."""
    own_place.mkdir(mode=0o711)
    data, kept = own_place / "data", own_place / "kept"
    with EmbeddedServer.start(data) as server:
        assert forked("backup", kept, env=on(data)).returncode == 0
        before, give_back = log_of(data), backup._give_back

        def late(log, *rest):
            (log / "000000010000000000000099.gz").write_bytes(b"brought meanwhile")
            give_back(log, *rest)

        monkeypatch.setattr(backup, "_give_back", late)
        assert "File too large" in complaint(here("backup", own_place / "full", env=on(data)), 1)
        assert [thing.name for thing in (own_place / "full").iterdir()] == [".lock"]
        assert log_of(data) == before
        arrived = before / "000000010000000000000099.gz"
        assert arrived.read_bytes() == b"brought meanwhile"
        assert (arrived.stat().st_uid, stat.S_IMODE(arrived.stat().st_mode)) == (server.data.stat().st_uid, 0o600)


def test_without_room_for_a_restore_nothing_is_left(copied, here):
    """When the disk refuses: one line, and no data directory; an empty one is empty again."""
    for made in (False, True):
        if made:
            copied.to.mkdir(mode=0o711)
        no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, no_limit[1]))  # Python answers with an error, not a signal
        try:
            full = here("restore", copied.kept, "--to", copied.to)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
        assert "File too large. [restore_failed]" in complaint(full, 1)
        assert (list(copied.to.iterdir()) == []) if made else not copied.to.exists()


async def troubles(*, there):
    """What is wrong with the log, once there is something, or nothing."""
    until = time.monotonic() + 60
    while bool(told := await log_troubles()) != there:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    return told


async def test_a_log_that_does_not_arrive_is_told(own_place):
    """A log that cannot be brought is kept by the server, told by the doctor's check, and brought when it can be."""
    own_place.mkdir(mode=0o711)
    data, kept = own_place / "data", own_place / "kept"
    with EmbeddedServer.start(data) as server:
        await open_pool((await prepare_embedded(server)).reader)
        try:
            assert (await asyncio.to_thread(forked, "backup", kept, env=on(data))).returncode == 0
            assert await log_troubles() == []
            log = log_of(data)
            log.rename(own_place / "away")
            piece = await value(server.admin_dsn, CLOSE_PIECE)
            assert await troubles(there=True) == [
                f"het log komt niet aan sinds {piece}; zie het logboek van PostgreSQL"
            ]
            (own_place / "away").rename(log)
            await value(server.admin_dsn, CLOSE_PIECE)
            assert await troubles(there=False) == []
            assert (log / f"{piece}.gz").exists()
        finally:
            await close_pool()


# --- a restore that is refused before anything is written --------------------------------------------------


def test_what_is_no_moment_or_place(copied, here):
    """A moment without a zone, beyond all years, without a log; a source that is not there; a full target: code 2 or 1."""
    for words in (("--until", "2026-11-21T14:03:00"), ("--until", "9999-12-31T23:59:59-14:00"), ("--until", "nu")):
        complaint(here("restore", copied.kept, "--to", copied.to, *words), 2)
    complaint(here("restore", copied.kept, "--to", copied.to, "--no-log", "--until", copied.facts[0]["at"]), 2)
    complaint(here("restore", copied.place / "nowhere", "--to", copied.to), 2)
    complaint(here("restore", copied.kept), 2)
    assert "[target_not_empty]" in complaint(here("restore", copied.kept, "--to", copied.kept), 1)


def test_what_is_no_backup(copied, here):
    """An empty directory, and one whose backup was not made to its end."""
    (copied.place / "empty").mkdir()
    unfinished = copied.backups[0].rename(copied.kept / ".unfinished-x")
    for source in (copied.place / "empty", unfinished, copied.log):
        assert "[not_a_backup]" in complaint(here("restore", source, "--to", copied.to), 1)
    assert not copied.to.exists()


def broken(file):
    """One byte in the middle changed."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def swapped(file):
    """A readable archive that is not the one that was written."""
    file.write_bytes(gzip.compress(bytes(10_240)))


def replaced(file, old, new):
    """Other words in a text."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


DAMAGE = [
    ("base.tar.gz ontbreekt", lambda one: (one / "base.tar.gz").unlink()),
    ("pg_wal.tar.gz ontbreekt", lambda one: (one / "pg_wal.tar.gz").unlink()),
    ("backup_manifest ontbreekt", lambda one: (one / "backup_manifest").unlink()),
    ("", lambda one: broken(one / "base.tar.gz")),  # unreadable or unlike, as it falls
    ("", lambda one: broken(one / "pg_wal.tar.gz")),
    ("niet te lezen", lambda one: broken(one / "backup_manifest")),
    ("backup_manifest is gewijzigd", lambda one: replaced(one / "backup_manifest", '"Size": 8192', '"Size": 8193')),
    ("bestand(en) kloppen niet", lambda one: swapped(one / "base.tar.gz")),
    ("in pg_wal.tar.gz ontbreekt", lambda one: swapped(one / "pg_wal.tar.gz")),
    ("backup.json is niet te lezen", lambda one: replaced(one / "backup.json", "log", "lag")),
    ("een andere versie", lambda one: replaced(one / "backup.json", '"format": 1', '"format": 2')),
]


def test_a_damaged_backup_is_refused(copied, here):
    """Whatever is missing, cut or changed is named, and nothing is written."""
    for number, (reason, damage) in enumerate(DAMAGE):
        one = copied.place / f"damage-{number}" / "2026"
        shutil.copytree(copied.backups[0], one)
        damage(one)
        told = complaint(here("restore", one, "--to", copied.to), 1)
        assert "[backup_damaged]" in told
        assert reason in told
    assert not copied.to.exists()


def test_a_moment_before_every_backup(copied):
    """The line says where the reach begins; with more backups, where the oldest does."""
    told = refused(copied, "moment_out_of_reach", "--until", (copied.at[0] - SECOND).isoformat())
    assert copied.at[0].isoformat() in told
    told = refused(copied, "moment_out_of_reach", "--until", copied.facts[0]["at"], source=copied.backups[1])
    assert copied.at[1].isoformat() in told


def test_a_log_that_stops_short_of_what_was_promised(copied):
    """A hole in the log, or a tail that a later backup saw: all there is, is not what there was."""
    pieces = sorted(copied.log.glob("????????????????????????.gz"))
    tail = next(piece for piece in pieces if piece.name.startswith(copied.facts[1]["last_segment"]))
    for piece in pieces[pieces.index(tail) :]:
        piece.unlink()
    assert tail.name[:24] in refused(copied, "backup_damaged", source=copied.backups[0])
    shutil.rmtree(copied.log)
    assert copied.facts[1]["first_segment"] in refused(copied, "backup_damaged")


# --- a restore that PostgreSQL itself must judge -----------------------------------------------------------


def test_a_moment_after_the_end_of_the_log(copied):
    """Refused with the last change that the log holds; a moment before that one is reached."""
    told = refused(copied, "moment_out_of_reach", "--until", "2090-01-01T00:00:00Z")
    last = datetime.fromisoformat(told.split(" tot ")[1].split(",")[0])
    assert last > copied.at[1]
    copied.to.mkdir(mode=0o711)
    done = put_back(copied, "--until", (last - timedelta(microseconds=1)).isoformat())
    assert "leerbudget migrate" in done.stderr  # it runs, and is as empty as it was


def test_a_broken_piece_of_log_is_no_end(copied):
    """PostgreSQL would stop before it and call that all there is; the restore does not."""
    newest = copied.log / f"{copied.facts[1]['last_segment']}.gz"
    broken(newest)
    assert newest.name[:24] in refused(copied, "backup_damaged", source=copied.backups[1])


def test_without_its_log_a_backup_is_still_something(copied):
    """The last resort brings back the moment of the backup itself, also under another user than made it."""
    shutil.rmtree(copied.log)
    done = put_back(copied, "--no-log", source=copied.backups[1])
    assert (done.returncode, "leerbudget migrate" in done.stderr) == (2, True)
    assert done.stdout.startswith(f"restore: {copied.backups[1]} staat in {copied.to}\n")
    settings = (copied.to / "postgres" / "postgresql.auto.conf").read_text()
    assert "recovery_target" not in settings
    assert not (copied.to / "restoring-log").exists()
    with EmbeddedServer.start(copied.to) as server:
        assert server.owns
