"""Workers that are killed, stopped or frozen while they deliver: no letter lost, at most the known duplicate (I8)."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from leerbudget.foundation.database import fetch_value
from leerbudget.notifications import actions
from leerbudget.notifications.actions import Notice
from notifications.mail_server import MailServer, mail_server

WORKER = """
import asyncio, sys
from leerbudget.entrypoints.worker import main
from leerbudget.foundation.settings import Settings

if sys.argv[2] == "mail only":
    main.JOBS = ()
    main.Worker.__init__.__defaults__ = ((),)
asyncio.run(main.run_until_stopped(Settings.from_environment(), sys.argv[1]))
"""


async def post_some(count: int) -> None:
    """Notices to so many addresses."""
    await actions.post_many(
        [
            Notice(
                kind="grant_received",
                business_ref="b1",
                address=f"ouder{n}@fictief.example",
                context={"link": "/budget", "amount_cents": 100},
            )
            for n in range(count)
        ]
    )


@asynccontextmanager
async def worker(dsn: str, server: MailServer, jobs: str = "mail only") -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process of ours; killed at the end when it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WORKER,
        dsn,
        jobs,
        env={**os.environ, "LEERBUDGET_ENV": "test", "LEERBUDGET_SMTP_URL": f"smtp://127.0.0.1:{server.port}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def end_leases(admin: asyncpg.Connection) -> None:
    """As if five minutes went by for whatever a dead worker held."""
    await admin.execute("UPDATE outbox_message SET claimed_until = now() - interval '1 second' WHERE sent_at IS NULL")


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Wait until it holds, looking now and then: what is waited for happens in other processes.

    Raises:
        TimeoutError: it takes longer.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.02)


async def all_sent() -> bool:
    """Whether nothing waits in the outbox."""
    return await fetch_value("SELECT count(*) FROM outbox_message WHERE sent_at IS NULL") == 0


async def one_claimed() -> bool:
    """Whether a worker holds something."""
    return await fetch_value("SELECT count(*) FROM outbox_message WHERE claimed_until IS NOT NULL") > 0


async def test_killed_between_sending_and_marking_gives_one_duplicate_with_the_same_id(world_db, admin):
    """A kill -9 in the one moment that SMTP leaves open: the letter comes twice, under one Message-ID, and not thrice."""
    await post_some(1)
    held = asyncio.Event()
    async with mail_server() as server:

        async def hold_the_row() -> None:
            await admin.execute("BEGIN")
            await admin.execute("SELECT FROM outbox_message FOR UPDATE")
            held.set()

        server.before_answer = hold_the_row
        async with worker(world_db.dsns.worker, server) as process:
            await asyncio.wait_for(held.wait(), 60)
            await asyncio.sleep(0.3)  # the server has answered by now, and the worker waits for the row
            process.kill()
            await process.wait()
        # the dead worker's backend still waits for the row and would mark it: let it die too, as with the machine
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        await admin.execute("ROLLBACK")
        server.before_answer = None
        assert await fetch_value("SELECT sent_at FROM outbox_message") is None
        await end_leases(admin)
        async with worker(world_db.dsns.worker, server):
            await until(all_sent)
            await asyncio.sleep(1.5)  # time for a third, if there were one
        assert len(server.ids) == 2
        assert len(set(server.ids)) == 1


async def test_killed_before_the_server_accepted_loses_nothing(world_db, admin):
    """The letter that was under way goes out later, once."""
    await post_some(1)
    async with mail_server() as server:
        server.hang = True
        async with worker(world_db.dsns.worker, server) as process:
            await until(one_claimed)
            process.kill()
            await process.wait()
        server.hang = False
        await end_leases(admin)
        async with worker(world_db.dsns.worker, server):
            await until(all_sent)
        assert len(server.ids) == 1


async def test_killed_again_and_again_every_letter_arrives_with_at_most_one_duplicate_per_kill(world_db, admin):
    """Two workers, killed at random moments: nothing lost; duplicates only of what was under way, under one id."""
    await post_some(60)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    kills = 0
    async with mail_server() as server:
        for _ in range(2):
            async with worker(world_db.dsns.worker, server) as one, worker(world_db.dsns.worker, server) as two:
                server.accepted.clear()
                await asyncio.wait_for(server.accepted.wait(), 60)
                await asyncio.sleep(chance.uniform(0, 0.03))
                for process in (one, two):
                    if process.returncode is None:
                        process.kill()
                        kills += 1
            await end_leases(admin)
        async with worker(world_db.dsns.worker, server):
            await until(all_sent)
        count = Counter(server.ids)
    assert len(count) == 60
    assert sum(count.values()) - 60 <= kills
    assert {letter["To"] for letter in server.letters} == {f"ouder{n}@fictief.example" for n in range(60)}


async def test_asked_to_stop_a_worker_finishes_its_letter_and_gives_the_rest_back(world_db):
    """SIGTERM in the middle of a letter: it is delivered and marked, the others are due at once, exit code 0."""
    await post_some(5)
    async with mail_server() as server:
        go_on = asyncio.Event()
        server.before_answer = go_on.wait
        async with worker(world_db.dsns.worker, server, jobs="all") as process:
            await asyncio.wait_for(server.accepted.wait(), 60)
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert process.returncode is None
            go_on.set()
            said, _ = await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 0, said.decode()[-2000:]
        assert len(server.ids) == 1
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL") == 1
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE claimed_until IS NOT NULL") == 0
    assert b"job failed" not in said, said.decode()[-3000:]


async def test_a_frozen_worker_that_wakes_after_its_lease_sends_only_the_letter_under_way_again(world_db, admin):
    """SIGSTOP over the end of the lease: only the letter under way may come twice; the rest of the batch may not."""
    await post_some(3)
    async with mail_server() as server:
        go_on = asyncio.Event()
        server.before_answer = go_on.wait
        async with worker(world_db.dsns.worker, server) as sleeper:
            await asyncio.wait_for(server.accepted.wait(), 60)
            sleeper.send_signal(signal.SIGSTOP)
            go_on.set()
            await end_leases(admin)
            async with worker(world_db.dsns.worker, server):
                await until(all_sent)
            sent = list(server.ids)
            sleeper.send_signal(signal.SIGCONT)
            await asyncio.sleep(2)
        count = Counter(server.ids)
    assert set(count) == set(sent)
    assert sorted(count.values()) in ([1, 1, 1], [1, 1, 2])
