"""From day to day: morning, afternoon and evening, after each a turn of the worker, and at night a look at the promises."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Final

from leerbudget.entrypoints.demo import filling
from leerbudget.entrypoints.simulator import lives, offices, promises
from leerbudget.entrypoints.simulator.bank import Bank
from leerbudget.entrypoints.simulator.desk import Desk
from leerbudget.entrypoints.simulator.faults import Faults, Post
from leerbudget.entrypoints.simulator.plan import FIRST_MEETINGS_AFTER_DAYS, planned
from leerbudget.entrypoints.simulator.stage import Stage
from leerbudget.entrypoints.simulator.till import Till
from leerbudget.entrypoints.worker.jobs import JOBS, Job, payment_jobs
from leerbudget.entrypoints.worker.mail import Tally, deliver_due
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.population import make_world
from leerbudget.foundation import clock
from leerbudget.foundation.ids import repeatable
from leerbudget.notifications.delivery import MailboxDelivery
from leerbudget.payments.inbox import receive
from leerbudget.rounds import actions as rounds
from leerbudget.rounds.solving import SolveLimits

FIRST_DAY: Final = date(2027, 1, 4)
"""A Monday; the year has both changes of the clock, and the end of the budgets on its last evening but three."""
MORNING, AFTERNOON, EVENING, NIGHT = clock_time(9), clock_time(14), clock_time(20), clock_time(23, 30)
LIMITS: Final = SolveLimits(seconds=900, workers=1, gap=0.005)
"""One worker and a gap that is reached long before the time is over: the same plan each time."""
TROUBLES_MAX: Final = 50
BASE_URL: Final = "https://leerbudget.example"
WEEK_DAYS: Final = 7
LETTERS_AT_ONCE: Final = 5
"""Every twentieth letter meets a fault: in larger batches worker after worker would die half-way."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is asked: families, course sessions, days, seed, and whether things break."""

    families: int
    sessions: int
    days: int
    seed: int
    faults: bool


@dataclass(slots=True)
class Year:
    """What came of it. `troubles`: promises that were broken, with the day; empty when all is well."""

    script: Script
    desk: Desk
    post: Post
    till: Till
    days: int = 0
    seconds: float = 0.0

    @property
    def troubles(self) -> list[str]:
        """What should not have been."""
        return self.desk.troubles


async def live(script: Script, dsn: str, watch: Callable[[int], object]) -> Year:
    """Live through the days in an empty database; the pool is open as the worker. `watch` hears of every day that ends."""
    began = time.perf_counter()
    faults = Faults(Dice(script.seed, "faults"), dsn, wanted=script.faults)
    desk = Desk(faults)
    year = Year(script, desk, Post(MailboxDelivery(), faults), Till(faults, Dice(script.seed, "the payment service")))
    world = make_world(
        script.families, script.sessions, script.seed, FIRST_DAY + timedelta(days=FIRST_MEETINGS_AFTER_DAYS)
    )
    plan = planned(world, script.days, script.seed)
    nobody = filling.Ids({}, {}, {}, {}, {}, {})
    stage = Stage(
        world,
        plan,
        script.seed,
        desk,
        Dice(script.seed, "the year"),
        nobody,
        year.till,
        Bank(Dice(script.seed, "the bank")),
    )
    with repeatable(script.seed), faults.in_the_pool():
        with clock.travelling(_moment(0, MORNING)):
            await offices.first_files(stage)
        for day in range(script.days):
            await _day(stage, year, day)
            year.days = day + 1
            watch(year.days)
            if len(desk.troubles) >= TROUBLES_MAX:
                break
    year.seconds = time.perf_counter() - began
    return year


def _moment(day: int, hour: clock_time) -> datetime:
    return datetime.combine(FIRST_DAY + timedelta(days=day), hour, clock.AMSTERDAM)


async def _day(stage: Stage, year: Year, day: int) -> None:
    with clock.travelling(_moment(day, MORNING)):
        await offices.morning(stage, day)
        await _work(year)
    with clock.travelling(_moment(day, AFTERNOON)):
        await lives.look_around(stage)
        await lives.stop(stage, stage.plan.stops.get(day, []))
        await offices.trainers_call_off(stage, day)
        await offices.trainers_miss_a_meeting(stage)
        if day % WEEK_DAYS == WEEK_DAYS - 1:
            await lives.make_mistakes(stage)
        await _work(year)
    with clock.travelling(_moment(day, EVENING)):
        lives.pay_at_last(stage)
        await lives.answer(stage)
        await lives.cancel_some(stage)
        await offices.trainers_record(stage)
        await lives.catch_up_some(stage)
        await _work(year)
    with clock.travelling(_moment(day, NIGHT)):
        found = await promises.broken(year.desk, year.post, year.till, stage.known)
        year.desk.troubles += [f"{clock.today()}: {problem}" for problem in found]


async def _work(year: Year) -> None:
    """What the payment service tells, everything the worker does, once; then mail as long as some is due."""
    gateways = {year.till.name: year.till}
    with year.desk.faults.happening():
        sent = year.till.messages()
    for body, headers in sent:
        await year.desk.ask("hears of a payment", receive, gateways, year.till.name, body, headers)
    for job in _jobs():
        await year.desk.ask(f"worker: {job.name}", job.work)
    for job in payment_jobs(gateways):
        await year.desk.ask(f"worker: {job.name}", job.work, refusals=("gateway_silent",))
    while True:
        answer = await year.desk.ask("worker: deliver mail", deliver_due, year.post, BASE_URL, batch=LETTERS_AT_ONCE)
        tally = answer.value if answer.done else Tally()
        if not tally.sent:
            return


def _jobs() -> Iterator[Job]:
    for job in JOBS:
        yield replace(job, work=_solve) if job.work is rounds.solve_requested else job


async def _solve() -> int:
    return await rounds.solve_requested(LIMITS)
