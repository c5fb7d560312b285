"""The worker's loops: jobs and mail side by side, failures that stop nothing, and a clean end."""

import asyncio

import pytest

from leerbudget.entrypoints.worker.jobs import JOBS, Job
from leerbudget.entrypoints.worker.main import Worker, run_until_stopped
from leerbudget.foundation.errors import Busy, SettingsError
from leerbudget.foundation.settings import Settings
from leerbudget.notifications import actions, queries
from leerbudget.notifications.delivery import MailboxDelivery

BASE = "http://leerbudget.test"


async def test_one_round_does_every_job_and_delivers_what_is_due(world_db):
    """Every job of every room runs on an empty database; a waiting notice lands in the mailbox."""
    await actions.post("grant_received", "b1", "ouder@fictief.example", {"link": "/budget", "amount_cents": 25000})
    tally = await Worker(MailboxDelivery(), BASE).run_once()
    assert (tally.sent, tally.failed) == (1, 0)
    (letter,) = await queries.mailbox()
    assert "€ 250,00" in letter.body
    assert f"{BASE}/budget" in letter.body


async def test_a_failing_job_and_a_slow_job_hold_up_neither_mail_nor_each_other(world_db):
    """One job always fails, one never ends: mail and the third job go on, and the failure is tried again."""
    runs = {"failing": 0, "busy": 0, "good": 0}

    async def failing() -> None:
        runs["failing"] += 1
        raise RuntimeError("broken")

    async def busy() -> None:
        runs["busy"] += 1
        raise Busy(reason="55P03")

    async def good() -> None:
        runs["good"] += 1

    async def endless() -> None:
        await asyncio.sleep(3600)

    jobs = [Job("f", 0.01, failing), Job("b", 0.01, busy), Job("e", 0.01, endless), Job("g", 0.01, good)]
    stop = asyncio.Event()
    running = asyncio.create_task(Worker(MailboxDelivery(), BASE, jobs).run(stop))
    await actions.post("grant_received", "b1", "ouder@fictief.example", {"link": "/budget", "amount_cents": 1})
    async with asyncio.timeout(20):
        while not await queries.mailbox():  # noqa: ASYNC110 - delivered elsewhere
            await asyncio.sleep(0.02)
    assert min(runs.values()) >= 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_asked_to_stop_work_under_way_is_finished(world_db, monkeypatch):
    """What is nearly done is done; what never ends is cut off."""
    monkeypatch.setattr("leerbudget.entrypoints.worker.main.STOP_SECONDS_MAX", 0.5)
    done, begun, cut = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def short() -> None:
        begun.set()
        await asyncio.sleep(0.2)
        done.set()

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cut.set()
            raise

    stop = asyncio.Event()
    jobs = [Job("short", 60, short), Job("endless", 60, endless)]
    running = asyncio.create_task(Worker(MailboxDelivery(), BASE, jobs).run(stop))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(running, 10)
    assert done.is_set()
    assert cut.is_set()


async def test_production_without_a_mail_server_does_not_start():
    """Mail that nobody will ever read is refused at the start."""
    settings = Settings.from_environment(
        {
            "LEERBUDGET_ENV": "production",
            "LEERBUDGET_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "LEERBUDGET_SECRET_KEY": "x" * 40,
            "LEERBUDGET_BASE_URL": "https://leerbudget.example",
        }
    )
    with pytest.raises(SettingsError, match="LEERBUDGET_SMTP_URL"):
        await run_until_stopped(settings, "postgresql://nobody@127.0.0.1:1/none")


def test_jobs_have_names_of_their_own():
    """A name in the log means one job."""
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.every_seconds > 0 for job in JOBS)
