"""The demonstration from beginning to end, on a clock that travels from nine weeks ago to this morning.

The same seed tells the same story all day: every moment is a morning, and ids follow from the seed.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from leerbudget.entrypoints.demo import answers, filling, paying
from leerbudget.entrypoints.demo.events import Events
from leerbudget.entrypoints.worker.mail import deliver_due
from leerbudget.fictional.csv_files import write_world
from leerbudget.fictional.population import make_world
from leerbudget.fictional.tariffs import with_tariffs
from leerbudget.fictional.world import World
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id, repeatable
from leerbudget.notifications import actions as notifications
from leerbudget.notifications.delivery import MailboxDelivery
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as rounds_queries
from leerbudget.rounds.solving import SolveLimits

BEGAN_DAYS_AGO: Final = 63
FIRST_SESSIONS_AFTER_DAYS: Final = 21
ANSWER_DAYS: Final = 7
PERIOD_DAYS: Final = 18 * 7
"""The story begins nine weeks ago; sessions lie in the eighteen weeks that begin three weeks later."""

SOMEBODY_CANCELS_ON_DAY: Final = 14
"""In a small world chance alone may let nobody cancel."""

MORNING: Final = time(6, tzinfo=clock.AMSTERDAM)


@dataclass(frozen=True, slots=True)
class Script:
    """What the demonstration is asked for: sizes, seed, how long the solver may take, and where it will be served.

    `sandbox_file`: where the made-up payment service keeps what was paid; None where another one is set.
    """

    families: int
    sessions: int
    seed: int
    solve: SolveLimits
    base_url: str
    sandbox_file: Path | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the story; the last one is today, or yesterday when it is not six in the morning yet."""

    first: date

    @classmethod
    def until(cls, now: datetime) -> "Calendar":
        """The story that ends on the last morning before the instant."""
        local = now.astimezone(clock.AMSTERDAM)
        last = local.date() if local >= datetime.combine(local.date(), MORNING) else local.date() - timedelta(days=1)
        return cls(last - timedelta(days=BEGAN_DAYS_AGO))

    def morning(self, number: int) -> datetime:
        """The moment of day `number`; day 0 is the first."""
        return datetime.combine(self.first + timedelta(days=number), MORNING)


async def tell(script: Script) -> Events:
    """Live through it all in an empty database; the pool is open as the worker."""
    events = Events()
    days = Calendar.until(clock.now())
    with repeatable(script.seed):
        await _live(script, days, events)
    with events.phase("deliver the mail that still matters"):
        await notifications.drop_useless()
        while (tally := await deliver_due(MailboxDelivery(), script.base_url)).sent:
            events.counts["mails delivered"] += tally.sent
    return events


async def _live(script: Script, days: Calendar, events: Events) -> None:
    chance = random.Random(script.seed)  # noqa: S311 - behaviour by seed, not a secret
    with events.phase("make the fictional Netherlands"):
        first_session = days.first + timedelta(days=FIRST_SESSIONS_AFTER_DAYS)
        world = with_tariffs(make_world(script.families, script.sessions, script.seed, first_session))
    with clock.travelling(days.morning(0)):
        ids = await _fill(world, events)
    families = [ids.families[family.ref] for family in world.families]
    with clock.travelling(days.morning(1)):
        await _first_round(world, script, events)
    with clock.travelling(days.morning(3)):
        await _families_answer(world, ids, chance, events)
    await _weeks_pass(families, days, chance, events)
    with clock.travelling(days.morning(BEGAN_DAYS_AGO)):
        await _next_round(script, events)
        await _pay_in(script, events)


async def _pay_in(script: Script, events: Events) -> None:
    """The organisation that a visitor can be pays in once more, in both ways."""
    email = (await rounds_queries.visitors()).organisation
    assert email is not None  # noqa: S101 - a round with proposals has who granted
    with events.phase("pay in: a bank statement, and a payment page"):
        who = await paying.payer(email)
        await paying.by_transfer(who, events)
        if script.sandbox_file is not None:
            await paying.online(who, script.sandbox_file, script.base_url, events)


async def _fill(world: World, events: Events) -> filling.Ids:
    with tempfile.TemporaryDirectory(prefix="leerbudget-demo-") as folder:
        with events.phase("import what organisations bring"):
            logins = await filling.import_files(write_world(world, Path(folder)), world)
        ids = await filling.know(world)
    with events.phase("logins, availability and wishes"):
        await filling.give_people_logins(world, ids)
        events.counts["wishes stated"] = await filling.state_wishes(world, ids)
    events.counts["organisation logins"] = len(logins)
    return ids


async def _first_round(world: World, script: Script, events: Events) -> None:
    events.round = new_id()
    await rounds.open_round(
        events.round,
        name="Koppelronde najaar (fictief)",
        starts_on=world.start_on,
        ends_on=world.start_on + timedelta(days=PERIOD_DAYS),
        seed=script.seed,
        actor=None,
    )
    await _decide(events.round, script, events)
    with events.phase("publish: book every proposal"):
        until = clock.end_of_day(clock.today() + timedelta(days=ANSWER_DAYS))
        offered, refused = await rounds.publish(events.round, answer_until=until, actor=None)
    events.counts["offered"], events.counts["refused at publication"] = offered, refused


async def _decide(round_id: UUID, script: Script, events: Events) -> None:
    with events.phase("freeze"):
        await rounds.freeze(round_id, actor=None)
    with events.phase("solve"):
        await rounds.solve(round_id, script.solve, actor=None)
    with events.phase("audit"):
        violations = await rounds.check(round_id, actor=None)
    if violations:
        raise RuntimeError(f"the audit rejected the outcome: {violations[:3]}")


async def _families_answer(world: World, ids: filling.Ids, chance: random.Random, events: Events) -> None:
    assert events.round is not None  # noqa: S101 - the first round came before
    with events.phase("families answer"):
        await answers.answer_offers(events.round, chance, events)
        await _attempts(world, ids, events)
        await answers.wait_for_full_sessions([ids.families[family.ref] for family in world.families], chance, events)


async def _weeks_pass(families: Sequence[UUID], days: Calendar, chance: random.Random, events: Events) -> None:
    with events.phase("nine weeks: cancel, decide, attend, pay"):
        for number in range(4, BEGAN_DAYS_AGO + 1):
            with clock.travelling(days.morning(number)):
                await answers.one_day(chance, events, days=BEGAN_DAYS_AGO)
                if number == SOMEBODY_CANCELS_ON_DAY:
                    await answers.somebody_cancels(events)
        with clock.travelling(days.morning(BEGAN_DAYS_AGO)):
            await answers.stop_some(families, chance, events, days=BEGAN_DAYS_AGO)
            await rounds.close()


async def _attempts(world: World, ids: filling.Ids, events: Events) -> None:
    """Families that try for themselves what the round could not give; the booking action says why not."""
    refusals = {"too_little_money": "budget_too_small", "own_professional": "not_together"}
    for case in world.cases:
        if case.kind in refusals:
            family, session = ids.families[case.family_ref], ids.sessions[case.session_ref]
            await answers.try_to_book(refusals[case.kind], family, session, events)
    families = [ids.families[family.ref] for family in world.families]
    await answers.try_a_full_session(families, events)
    if not events.refusals["session_full"]:
        await answers.take_the_last_seats(families, events)


async def _next_round(script: Script, events: Events) -> None:
    """Today's round, for wishes that still wait: its proposals are open, for whoever logs in."""
    round_id = new_id()
    today = clock.today()
    await rounds.open_round(
        round_id,
        name="Koppelronde winter (fictief)",
        starts_on=today,
        ends_on=today + timedelta(days=PERIOD_DAYS),
        seed=script.seed + 1,
        actor=None,
    )
    with events.phase("a second round for who still waits"):
        quiet = Events(watched=False)
        await _decide(round_id, script, quiet)
        until = clock.end_of_day(today + timedelta(days=ANSWER_DAYS))
        offered, _ = await rounds.publish(round_id, answer_until=until, actor=None)
    events.counts["offered in the second round"] = offered
