# ruff: noqa: INP001, T201 (a folder of commands that print, not a package)
"""How many bookings a second, as a ratio to plain commits on the same durable server in the same run.

A rate alone says more about the disk than about us: every booking ends in one COMMIT that waits for it.
So each figure stands beside one-row inserts under the same concurrency, measured just before.

Usage: python benchmarks/bookings.py [--families 60] [--at-once 8]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import world
from leerbudget.bookings.actions import BookingRequest, book
from leerbudget.foundation.clock import now
from leerbudget.foundation.database import close_pool, execute, open_pool
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.running import migrate, prepare_embedded

PLAIN = """
INSERT INTO throttle (id, subject, window_starts_at, tries) VALUES ($1, $2, $3, 1)
"""


async def rate(work: Sequence[Callable[[], Awaitable[object]]], at_once: int) -> float:
    """Pieces of work done a second, so many at once."""
    waiting = list(reversed(work))

    async def one_after_another() -> None:
        while waiting:
            await waiting.pop()()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(one_after_another())
    return len(work) / (time.perf_counter() - began)


async def families_with_money(count: int) -> list[tuple[UUID, UUID]]:
    """Families with one parent and a budget: (family, parent)."""
    organisation = await world.an_organisation()
    made = []
    for _ in range(count):
        family = await world.a_family(organisation=organisation)
        await world.a_budget(family, organisation=organisation)
        made.append((family, (await world.parents_of(family))[0]))
    return made


async def measure(count: int, at_once: int) -> None:
    """Print bookings into many sessions and into one, each with its ratio to plain commits."""
    families = await families_with_money(count)
    course = await world.a_course()
    trainer = (await world.a_trainer())[0]
    many = [
        await world.a_session(course=course, trainer=trainer, meetings=[world.in_days(30 + n)]) for n in range(count)
    ]
    one = await world.a_session(course=course, trainer=trainer, seats=count, meetings=[world.in_days(20)])

    async def plain() -> None:
        await execute(PLAIN, new_id(), str(new_id()), now())

    def booking(who: tuple[UUID, UUID], session: UUID) -> Callable[[], Awaitable[object]]:
        return lambda: book(BookingRequest(new_id(), who[0], session, (who[1],)), actor=None)

    commits = await rate([plain] * count * 5, at_once)
    print(f"plain commits               {commits:8.0f}/s  (baseline)")
    spread = await rate([booking(who, session) for who, session in zip(families, many, strict=True)], at_once)
    print(f"bookings, many sessions     {spread:8.0f}/s  {spread / commits:.2f} of the baseline")
    narrow = await rate([booking(who, one) for who in families], at_once)
    print(f"bookings, one session       {narrow:8.0f}/s  {narrow / commits:.2f} of the baseline")


async def prepared(server: EmbeddedServer, count: int, at_once: int) -> None:
    """Measure on a fresh database of this server."""
    dsns = await prepare_embedded(server)
    await migrate(dsns)
    await open_pool(dsns.app, size=at_once + 2)
    try:
        await measure(count, at_once)
    finally:
        await close_pool()


def main() -> None:
    """Start a durable server of its own, measure, and leave nothing behind."""
    parser = argparse.ArgumentParser(description="Bookings a second, as a ratio to plain commits.")
    parser.add_argument("--families", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leerbudget-bench-") as folder:
        Path(folder).chmod(0o711)  # root's server runs as another user
        with EmbeddedServer.start(Path(folder) / "data") as server:
            asyncio.run(prepared(server, options.families, options.at_once))


if __name__ == "__main__":
    main()
