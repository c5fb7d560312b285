"""What organisations, trainers and the programme do in the year."""

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import meetings
from leerbudget.bookings import queries as booking_queries
from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import GrantOrder
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.demo import filling
from leerbudget.entrypoints.files.importing import import_bytes, read_file
from leerbudget.entrypoints.simulator import treasury
from leerbudget.entrypoints.simulator.plan import SEASON_DAYS, with_only
from leerbudget.entrypoints.simulator.stage import Stage
from leerbudget.fictional.csv_files import write_world
from leerbudget.fictional.world import CourseSession, Family, Grant, World
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries
from leerbudget.trainers import actions as trainers
from leerbudget.wishes import actions as wishes

ROUND_AFTER_DAYS: Final = 7
ANSWER_DAYS: Final = 7
NO_SHOW: Final = 0.10
"""Requirements section 5."""
CERTIFICATE_DAYS: Final = 700
NOT_TONIGHT: Final = 0.03
"""Chance that one meeting of a course is called off [guess]."""


async def first_files(stage: Stage) -> None:
    """Before the year begins: organisations and trainers, and the logins of who works in offices."""
    await _import(stage, stage.world, ("organisations", "trainers"))
    stage.ids = await filling.know(stage.world)
    stage.logins = await filling.give_organisations_logins(stage.world, stage.ids.organisations)


async def _import(stage: Stage, part: World, kinds: Iterable[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="leerbudget-simulate-") as folder:
        paths = {path.stem: path for path in write_world(part, Path(folder))}
        for kind in kinds:
            data = read_file(paths[kind])
            await stage.desk.ask(f"imports {kind}", import_bytes, kind, data)


async def morning(stage: Stage, day: int) -> None:
    """Files come in, money comes in, wishes are stated, and in the first weeks of a season there is a round."""
    await _families_join(stage, stage.plan.joins.get(day, []))
    for payer in stage.plan.payers.get(day, []):
        await _not_before_paying(stage, payer)
        await treasury.pay_in(stage, day, payer)
    await treasury.money_moves(stage, day)
    await treasury.read_statement(stage, day)
    await treasury.work_off(stage, day)
    await treasury.pay_trainers(stage, day)
    await _grant(stage)
    season, day_of_season = divmod(day, SEASON_DAYS)
    if day_of_season == 0:
        await _publish(stage, stage.plan.seasons[season])
    new = [wish for wish in stage.plan.wishes.get(day, []) if _may_wish(stage, wish.seeker_ref)]
    if new:
        orders = [filling.wish_order(wish, stage.ids) for wish in new]
        await stage.desk.ask("states wishes", wishes.state_many, orders, actor=None)
    if day_of_season == ROUND_AFTER_DAYS:
        await _open_round(stage, season)
    if day_of_season == ROUND_AFTER_DAYS + 1 and stage.round is not None:
        await _announce(stage, stage.round)


def _may_wish(stage: Stage, seeker: str) -> bool:
    return seeker in stage.families or seeker not in stage.ids.families


async def _families_join(stage: Stage, families: list[Family]) -> None:
    if not families:
        return
    part = with_only(stage.world, families=families)
    await _import(stage, part, ("families", "professionals"))
    known = await filling.know(part)
    stage.ids.families.update(known.families)
    stage.ids.persons.update(known.persons)
    await stage.desk.ask("says when they can come", filling.state_wishes, part, stage.ids)
    stage.families |= {family.ref: family for family in families}


async def _not_before_paying(stage: Stage, payer: str) -> None:
    """Who did not pay cannot grant."""
    waiting = [grant for grant in _due(stage) if grant.organisation_ref == payer]
    if waiting:
        email = next(each.email for each in stage.world.organisations if each.ref == payer)
        order, actor = _order(stage, waiting[0], new_id()), stage.logins[email]
        await stage.desk.must_refuse("grants before paying", "pot_too_small", budgets.grant, order, actor=actor)


def _due(stage: Stage) -> list[Grant]:
    return [each for each in stage.world.grants if each.family_ref in stage.families and each.ref not in stage.granted]


async def _grant(stage: Stage) -> None:
    """Who paid gives every family that joined its budget."""
    due = [grant for grant in _due(stage) if grant.organisation_ref in stage.payers]
    if due:
        orders = [_order(stage, grant, new_id()) for grant in due]
        await stage.desk.ask("grants budgets", budgets.grant_many, orders, actor=None)
        stage.granted |= {grant.ref for grant in due}


def _order(stage: Stage, grant: Grant, key: UUID) -> GrantOrder:
    return GrantOrder(
        *(key, grant.ref, stage.ids.families[grant.family_ref], stage.ids.organisations[grant.organisation_ref]),
        *(grant.amount_cents, grant.starts_on, grant.expires_on, grant.themes),
        municipalities=grant.municipalities,
    )


async def _publish(stage: Stage, sessions: tuple[CourseSession, ...]) -> None:
    valid = clock.today() + timedelta(days=CERTIFICATE_DAYS)
    for ref in sorted({ref for session in sessions for ref in session.trainer_refs}):
        trainer = stage.ids.trainers[ref]
        await stage.desk.ask("renews a certificate", trainers.renew_certificate, trainer, valid)
    await _import(stage, with_only(stage.world, sessions=sessions), ("sessions",))
    stage.ids.sessions.update(await catalogue.session_ids(session.ref for session in sessions))


async def _open_round(stage: Stage, season: int) -> None:
    key, today = new_id(), clock.today()
    await rounds.open_round(
        key,
        name=f"Koppelronde {season + 1} (fictief)",
        starts_on=today,
        ends_on=today + timedelta(days=SEASON_DAYS),
        seed=stage.seed + season,
        actor=None,
    )
    await stage.desk.ask("asks to solve a round", rounds.request_solve, key, actor=None)
    stage.round = key


async def _announce(stage: Stage, key: UUID) -> None:
    view = await round_queries.round_view(key)
    if view is None or view.state != "audited":
        stage.desk.troubles.append(f"the round is {None if view is None else view.state} a day after it was asked for")
        return
    until = clock.end_of_day(clock.today() + timedelta(days=ANSWER_DAYS))
    await stage.desk.ask("announces a round", rounds.announce, key, answer_until=until, actor=None)


async def trainers_call_off(stage: Stage, day: int) -> None:
    """A trainer cannot come: everybody gets everything back."""
    for ref in stage.plan.called_off.get(day, []):
        session = stage.ids.sessions[ref]
        answer = await stage.desk.ask(
            "a trainer calls off",
            bookings.cancel_session,
            session,
            reason="trainer_ill",
            actor=None,
            refusals=("session_step_not_allowed",),
        )
        for booking in answer.value or ():
            stage.desk.bookings[booking] = frozenset(("cancelled",))


async def trainers_miss_a_meeting(stage: Stage) -> None:
    """Of the meetings of tonight and tomorrow morning a few do not take place; the rest of the course does."""
    now = clock.now()
    for meeting in await catalogue.meetings_between(now, now + timedelta(days=1)):
        if stage.dice.chance(NOT_TONIGHT):
            await stage.desk.ask(
                "calls one meeting off",
                meetings.cancel_meeting,
                meeting,
                reason="trainer_ill",
                actor=None,
                refusals=("last_meeting",),
            )


async def trainers_record(stage: Stage) -> None:
    """Who was there, for every meeting that is over; sessions that are over are closed and paid."""
    for meeting, expected in await booking_queries.meetings_to_record(clock.now()):
        absent = {person for person in expected if stage.dice.chance(NO_SHOW)}
        await stage.desk.ask(
            "records attendance",
            bookings.record_attendance,
            meeting,
            absent,
            actor=None,
        )
    for session in await booking_queries.sessions_to_finish(clock.now()):
        await stage.desk.ask("closes a session", bookings.finish_session, session, actor=None)
