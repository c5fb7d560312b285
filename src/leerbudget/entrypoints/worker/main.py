"""The worker's loops, and how they end."""

import asyncio
import signal
from collections.abc import Sequence

import structlog

from leerbudget.entrypoints.worker.jobs import JOBS, Job, paper_jobs, payment_jobs
from leerbudget.entrypoints.worker.mail import Tally, deliver_due
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.errors import Busy, SettingsError
from leerbudget.foundation.settings import Settings
from leerbudget.notifications.delivery import Delivery, delivery_for
from leerbudget.papers.rules import programme
from leerbudget.payments import choosing

MAIL_EVERY_SECONDS = 1.0
STOP_SECONDS_MAX = 20.0
"""How long work under way may take after the request to stop; then it is cut off and done again later."""

log = structlog.get_logger("leerbudget.worker")


class Worker:
    """Delivers mail and does the clock-driven jobs, each in a loop of its own: a slow job delays no mail.

    Args:
        delivery: how letters reach their address.
        base_url: put in front of the links in letters.
        jobs: what to do, and how often.
    """

    def __init__(self, delivery: Delivery, base_url: str, jobs: Sequence[Job] = JOBS) -> None:
        self._delivery = delivery
        self._base_url = base_url
        self._jobs = tuple(jobs)

    async def run_once(self) -> Tally:
        """Every job once, then one batch of mail; what came of the mail.

        Raises:
            Exception: whatever a job raised; in `run` it is logged instead.
        """
        for job in self._jobs:
            await job.work()
        return await deliver_due(self._delivery, self._base_url)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. A job or letter under way is finished; what fails is logged and done again."""
        loops = [asyncio.create_task(self._mail_loop(stop), name="mail")]
        loops += [asyncio.create_task(self._job_loop(job, stop), name=job.name) for job in self._jobs]
        log.info("worker started", jobs=len(self._jobs))
        try:
            await stop.wait()
            _, late = await asyncio.wait(loops, timeout=STOP_SECONDS_MAX)
            if late:
                log.warning("work cut off", jobs=[task.get_name() for task in late])
        finally:
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
        log.info("worker stopped")

    async def _mail_loop(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            tally = Tally()
            try:
                tally = await deliver_due(self._delivery, self._base_url, stop=stop)
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever happens to one batch
                _tell(error, "deliver mail")
            if not tally.sent:
                await _pause(stop, MAIL_EVERY_SECONDS)

    async def _job_loop(self, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await job.work()
            except Exception as error:  # noqa: BLE001 - as above
                _tell(error, job.name)
            await _pause(stop, job.every_seconds)


def _tell(error: Exception, job: str) -> None:
    if isinstance(error, Busy):
        log.warning("too busy, later again", job=job, reason=str(error.data.get("reason")))
    else:
        log.error("job failed, later again", job=job, exc_info=error)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def run_until_stopped(settings: Settings, dsn: str) -> None:
    """A worker for these settings until SIGTERM or SIGINT.

    Raises:
        SettingsError: the database cannot be reached or used, or production has no mail server.
    """
    if settings.environment == "production" and settings.smtp_url is None:
        raise SettingsError(message="Zet LEERBUDGET_SMTP_URL: in production gaan mails naar een mailserver.")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    jobs = JOBS + paper_jobs(programme(settings)) + payment_jobs(choosing.gateways(settings, manual=None))
    await open_pool(dsn, size=len(jobs) + 2)
    try:
        await Worker(delivery_for(settings.smtp_url, settings.base_url), settings.base_url, jobs).run(stop)
    finally:
        await close_pool()
