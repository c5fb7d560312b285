# ruff: noqa: INP001, T201 (a folder of commands that print, not a package)
"""Bookings a second over HTTP, as a ratio to pgbench doing the same database work on the same durable server.

pgbench is PostgreSQL's own load generator, written in C: what it reaches is what the server can do. It looks the web
session up and calls the same booking function as the website. Both sides take turns in one run, with one web process.
How long people wait is told beside how long pgbench itself waits with as many clients, or at as many bookings a second:
what stands before a counter waits for it, whoever is behind it (docs/decisions/0023).

Usage: python benchmarks/bookings.py [--families 2000] [--seconds 6] [--clients 200] [--turns 2]
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import mean
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import machine
import report
from load import Tally, posted

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from crowd import Wanted, log_in, parents, sessions, spread
from leerbudget.bookings.queries import inconsistencies
from leerbudget.foundation import clock
from leerbudget.foundation.binaries import find_programs
from leerbudget.foundation.database import close_pool, execute, execute_script, fetch_value, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.running import Dsns, migrate, prepare_embedded
from leerbudget.identity.queries import LIVE_SESSION
from leerbudget.identity.rules import token_sha256

SESSIONS, SEATS, SEATS_HOT = 5_000, 40, 1_000
PGBENCH_CLIENTS = 10
"""More of them only wait for each other on two cores."""
PGBENCH_AT_MOST = 2_500
"""Bookings a second that are made ready for it."""
CROWD_EACH = 40
"""Bookings of each client of a crowd: enough to see them wait after all of them are warm."""
WANTED = """
DROP TABLE IF EXISTS wanted; DROP SEQUENCE IF EXISTS wanted_now; CREATE SEQUENCE wanted_now;
CREATE TABLE wanted (
  n bigint PRIMARY KEY, family uuid, person uuid, session uuid, token bytea, apart_since date, today date, at timestamptz
);
GRANT SELECT ON wanted TO leerbudget_app; GRANT USAGE ON wanted_now TO leerbudget_app
"""
FILL = """
INSERT INTO wanted SELECT n, f, p, s, t, $5, $6, $7
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) WITH ORDINALITY w(f, p, s, t, n)
"""
LIVE = LIVE_SESSION.replace("$1", "(SELECT token FROM wanted WHERE n = :n)").replace("$2", "now()")
BOOK = """
SELECT b.state FROM wanted w, LATERAL rooms.book(
  uuidv7(), '\\x00', w.family, w.session, ARRAY[w.person], NULL, '{}', 'direct', NULL, NULL, NULL,
  'booking_confirmed', '/inschrijvingen', 'booked', ARRAY['open', 'proposed'], w.apart_since, w.today, w.at, NULL
) b WHERE w.n = (SELECT nextval('wanted_now'));
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """The server under both sides: where pgbench is and how it logs in, and where the website answers."""

    programs: Path
    dsn: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How pgbench asks: by so many clients, for so many seconds (None: until every booking is made).

    `per_second`: so many are due each second, and an answer counts from the moment at which it was due; None: each
    client asks again at once.
    """

    clients: int = PGBENCH_CLIENTS
    seconds: float | None = None
    per_second: float | None = None

    def words(self, wanted: int) -> list[str]:
        """As options of pgbench."""
        often = ["-T", str(int(self.seconds))] if self.seconds else ["-t", str(wanted // self.clients)]
        return ["-c", str(self.clients), *often, *(["-R", str(self.per_second)] if self.per_second else [])]


async def pgbench(ground: Ground, wanted: list[Wanted], pace: Pace) -> Tally:
    """The same database work without a website."""
    await _prepare(wanted)
    with tempfile.TemporaryDirectory(prefix="leerbudget-pgbench-") as folder:
        script = Path(folder) / "booking.sql"
        script.write_text(f"\\set n random(1, {len(wanted)})\n{' '.join(LIVE.split())};\n{' '.join(BOOK.split())}\n")
        words = ["-n", "-M", "prepared", "-j", "1", *pace.words(len(wanted)), "-f", script, "-l", ground.dsn]
        process = await asyncio.create_subprocess_exec(
            ground.programs / "pgbench", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
        )
        _, err = await process.communicate()
        if process.returncode:
            raise SystemExit(err.decode()[-2000:])
        return _warm(Path(folder))


def _warm(folder: Path) -> Tally:
    """What pgbench's log tells of the time in which every client was warm: a connection's first booking makes its plans.

    A line has client, number, microseconds and script, and the moment of the answer in seconds and microseconds.
    """
    lines = [[int(part) for part in line.split()] for log in folder.glob("pgbench_log*") for line in log.open()]
    ended = [seconds + millionths / 1e6 for *_, seconds, millionths in (line[:6] for line in lines)]
    first: dict[int, float] = {}
    for line, end in zip(lines, ended, strict=True):
        first.setdefault(line[0], end)
    began = max(first.values())
    waited = [(line[2] / 1e6, end) for line, end in zip(lines, ended, strict=True)]
    return Tally(began, max(ended), [seconds for seconds, end in waited if end - seconds >= began])


async def _prepare(wanted: list[Wanted]) -> None:
    await execute_script(WANTED)
    await execute(FILL, *columns(wanted))
    await execute("ANALYZE wanted")


def columns(wanted: list[Wanted]) -> tuple[object, ...]:
    """What `FILL` fills in: families, persons, sessions and web sessions in step, and the days that all share."""
    today = clock.today()
    each = [(w.parent.family, w.parent.person, w.session, token_sha256(w.parent.token)) for w in wanted]
    return (*(list(column) for column in zip(*each, strict=True)), today - timedelta(days=365), today, clock.now())


async def website(
    ground: Ground, wanted: Iterator[Wanted], *, clients: int, seconds: float, every_seconds: float = 0.0
) -> Tally:
    """Bookings over HTTP by so many clients."""
    requests = (_request(ground, each) for each in wanted)
    tally = await posted(
        *(ground.host, ground.port, requests), clients=clients, seconds=seconds, every_seconds=every_seconds
    )
    if set(tally.statuses) != {201}:
        raise SystemExit(f"not every booking was made: {tally.statuses}")
    return tally


def _request(ground: Ground, wanted: Wanted) -> bytes:
    order = {"id": str(new_id()), "course_session": str(wanted.session), "persons": [str(wanted.parent.person)]}
    body = json.dumps(order).encode()
    origin = f"http://{ground.host}:{ground.port}"
    head = (
        f"POST /api/v1/families/{wanted.parent.family}/bookings HTTP/1.1\r\nHost: {ground.host}:{ground.port}\r\n"
        f"Origin: {origin}\r\nCookie: leerbudget={wanted.parent.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def measure(ground: Ground, options: argparse.Namespace) -> None:
    """Print both sides, spread over many sessions and crowding into one."""
    families = await parents(options.families)
    await log_in(families)
    made = await sessions([SEATS] * SESSIONS + [SEATS_HOT] * 2 * options.turns)
    rooms, hot = made[:SESSIONS], made[SESSIONS:]
    many = spread(families, rooms, SEATS)

    def ahead(count: int = int(options.seconds * PGBENCH_AT_MOST)) -> list[Wanted]:
        return list(itertools.islice(many, count))

    def all_for(room: UUID) -> list[Wanted]:
        return [Wanted(parent, room) for parent in families[:SEATS_HOT]]

    await website(ground, itertools.islice(many, 2_000), clients=20, seconds=60)
    await execute_script("ANALYZE")  # not before there are bookings: plans for empty tables would be kept
    await website(ground, itertools.islice(many, 2_000), clients=options.clients, seconds=60)
    ours, theirs, crowds = [], [], []
    for _ in range(options.turns):
        theirs.append(await pgbench(ground, ahead(), Pace(seconds=options.seconds)))
        crowds.append(await pgbench(ground, ahead(CROWD_EACH * options.clients), Pace(options.clients)))
        ours.append(await website(ground, many, clients=options.clients, seconds=options.seconds))
    rows = [_row("spread over many sessions", ours, theirs, crowds, options.clients)]
    due = await pgbench(ground, ahead(), Pace(seconds=options.seconds, per_second=options.clients))
    calm = await website(ground, many, clients=options.clients, seconds=options.seconds, every_seconds=1.0)
    rows.append(_row("the same, each client once a second", [calm], theirs, [due], options.clients))
    ours, theirs = [], []
    for one, other in zip(hot[::2], hot[1::2], strict=True):
        theirs.append(await pgbench(ground, all_for(one), Pace()))
        ours.append(await website(ground, iter(all_for(other)), clients=options.clients, seconds=60))
    rows.append(_row("all for one session", ours, theirs, [], options.clients))
    sold = await fetch_value("SELECT sum(seats_taken) FROM course_session")
    broken = await inconsistencies()
    print(f"seats sold: {sold}, promises broken: {len(broken)}")
    if not broken and not options.no_report:
        report.keep_bookings(machine.description(), rows)


def _row(what: str, ours: list[Tally], theirs: list[Tally], crowds: list[Tally], clients: int) -> dict[str, Any]:
    """`crowds`: pgbench with as many clients as the website, or at as many bookings a second; none when not asked."""
    rate, limit = (mean(tally.per_second for tally in tallies) for tallies in (ours, theirs))
    row = {
        "what": what,
        "pgbench_per_second": round(limit),
        "http_per_second": round(rate),
        "ratio": round(rate / limit, 2),
        "clients": clients,
        **_waits("", ours),
        **_waits("pgbench_", crowds),
    }
    print(
        f"{what:26} pgbench {limit:6.0f}/s   website {rate:6.0f}/s   ratio {row['ratio']:.2f}   {clients} clients:"
        f" p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms"
        f" (pgbench p50 {row['pgbench_p50_ms']} ms, p99 {row['pgbench_p99_ms']} ms)"
    )
    return row


def _waits(whose: str, tallies: list[Tally]) -> dict[str, int | str]:
    """The usual wait, and the longest of all turns that one in a hundred reaches."""
    return {
        f"{whose}p50_ms": round(mean(tally.milliseconds(0.5) for tally in tallies)) if tallies else "-",
        f"{whose}p99_ms": round(max(tally.milliseconds(0.99) for tally in tallies)) if tallies else "-",
    }


async def prepared(server: EmbeddedServer, options: argparse.Namespace) -> None:
    """Measure on a fresh database of this server."""
    dsns = await prepare_embedded(server)
    await migrate(dsns)
    with _served(dsns) as url:
        where = urlsplit(url)
        ground = Ground(find_programs(), dsns.app, where.hostname or "", where.port or 0)
        await open_pool(dsns.owner or "", size=4, for_migration=True)
        try:
            await measure(ground, options)
        finally:
            await close_pool()


class _served:  # noqa: N801 - used as a function
    """The website in one process of its own, on a free port."""

    def __init__(self, dsns: Dsns) -> None:
        environment = os.environ | {"LEERBUDGET_DATABASE_URL": dsns.app, "LEERBUDGET_WORKER_URL": dsns.worker}
        words = [sys.executable, "-m", "leerbudget", "serve", "--port", "0"]
        self.log = tempfile.TemporaryFile("w")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(  # noqa: S603
            words, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def __enter__(self) -> str:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        return self.process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def main() -> None:
    """Start a durable server of its own, measure, and leave nothing behind."""
    parser = argparse.ArgumentParser(description="Bookings a second, as a ratio to pgbench.")
    parser.add_argument("--families", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--no-report", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leerbudget-bench-") as folder:
        Path(folder).chmod(0o711)  # root's server runs as another user
        with EmbeddedServer.start(Path(folder) / "data", connections_max=options.clients + 100) as server:
            asyncio.run(prepared(server, options))
    if not options.no_report:
        report.write()


if __name__ == "__main__":
    main()
