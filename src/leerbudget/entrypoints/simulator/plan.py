"""What is settled before the year begins: who comes and goes when, when wishes arise, who pays late, what is called off."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from leerbudget.fictional.dice import Dice
from leerbudget.fictional.population import published
from leerbudget.fictional.world import CourseSession, Family, Wish, World

SEASON_DAYS: Final = 126
"""The sessions of a made-up world lie in 18 weeks; a year has three such seasons, each published at its beginning."""
FIRST_MEETINGS_AFTER_DAYS: Final = 28
JOIN_IN_A_YEAR, STOP_IN_A_YEAR = 0.12, 0.14
"""Requirements section 5."""
PAYS_LATE, LATE_DAYS_MAX = 0.25, 60
EARLY_WISHES, EARLY_DAYS = 0.5, 6
"""Wishes that are there before the first round; the others arise on any day."""
CALLED_OFF = 0.03
"""Sessions that their trainer calls off [guess]."""


@dataclass(frozen=True, slots=True)
class Plan:
    """By number of the day, from 0: families that join and stop, wishes, payers (organisations), sessions called off.

    `seasons`: the sessions that are published in each.
    """

    seasons: tuple[tuple[CourseSession, ...], ...]
    joins: dict[int, list[Family]] = field(default_factory=lambda: defaultdict(list))
    stops: dict[int, list[Family]] = field(default_factory=lambda: defaultdict(list))
    wishes: dict[int, list[Wish]] = field(default_factory=lambda: defaultdict(list))
    payers: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    called_off: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def planned(world: World, days: int, seed: int) -> Plan:
    """The plan of this seed for so many days."""
    dice = Dice(seed, "plan of the year")
    plan = Plan(tuple(_seasons(world, -(-days // SEASON_DAYS), dice)))
    joined: dict[str, int] = {}
    for family in world.families:
        day = 7 * dice.between(1, max(1, days // 7)) if dice.chance(JOIN_IN_A_YEAR) else 0
        joined[family.ref] = day
        plan.joins[day].append(family)
        if dice.chance(STOP_IN_A_YEAR):
            plan.stops[dice.between(day + 1, day + 365)].append(family)
    for wish in world.wishes:
        begin = joined.get(wish.seeker_ref, 0)
        early = dice.chance(EARLY_WISHES)
        plan.wishes[begin + dice.between(0, EARLY_DAYS if early else max(EARLY_DAYS, days))].append(wish)
    for top_up in world.top_ups:
        plan.payers[dice.between(1, LATE_DAYS_MAX) if dice.chance(PAYS_LATE) else 0].append(top_up.organisation_ref)
    for number, season in enumerate(plan.seasons):
        for session in season:
            if dice.chance(CALLED_OFF):
                plan.called_off[number * SEASON_DAYS + dice.between(10, FIRST_MEETINGS_AFTER_DAYS)].append(session.ref)
    return plan


def _seasons(world: World, count: int, dice: Dice) -> Iterator[tuple[CourseSession, ...]]:
    """The published sessions divided over the seasons, each moved as a whole: nobody is in two places by that."""
    seasons: list[list[CourseSession]] = [[] for _ in range(count)]
    for session in published(world):
        number = dice.between(0, count - 1)
        seasons[number].append(_later(session, number * SEASON_DAYS))
    return (tuple(season) for season in seasons)


def _later(session: CourseSession, days: int) -> CourseSession:
    """The same at the same hours of the clock, so many days later."""
    later = timedelta(days=days)
    meetings = tuple((start + later, end + later) for start, end in session.meetings)
    return replace(session, meetings=meetings, decide_on=session.decide_on + later)


def with_only(world: World, *, families: Sequence[Family] = (), sessions: Sequence[CourseSession] = ()) -> World:
    """The part of a world that comes in on one day: these families and whom they know, and these sessions."""
    present = {family.ref for family in families}
    professionals = tuple(
        replace(one, since={ref: since for ref, since in one.since.items() if ref in present})
        for one in world.professionals
        if any(ref in present for ref in one.since)
    )
    return replace(world, families=tuple(families), professionals=professionals, sessions=tuple(sessions), wishes=())
