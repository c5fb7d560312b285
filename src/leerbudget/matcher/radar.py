"""Demand radar: which new sessions would serve most waiting families per euro (requirements R07, idea 9).

A proposal is a typical published session of a theme, held at another place and on another day-part. Every
theme, form, place (venues at hand and centres of where waiting families live) and day-part is counted in
bulk; the best are looked at family by family with the hard rules, and the best of those is taken. Its
families then count no more, and so on: each family is counted once, so all proposals hold together.

Taking the best again and again is the usual way to cover much with little. Its (1 - 1/e) guarantee is **not**
claimed here: sessions have a least number of people, some families take two seats, families are not moved
between proposals, and the order may be per euro. Instead `families_at_most` is worked out in each run: no
choice of so many proposals from the same list serves more.

Nothing in an answer points at a family: counts under five are left out, and there are no ids of seekers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import place_of
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import Rulebook
from leerbudget.matcher.instance import Instance, Interval, OfferedSession
from leerbudget.matcher.outcome import Outcome
from leerbudget.matcher.radar_cells import SMALLEST_CELL, told, told_part
from leerbudget.matcher.radar_demand import Demand, Waiting, demand_of, refuse_other, waiting
from leerbudget.matcher.radar_group import Group, best_group
from leerbudget.matcher.radar_places import places_of
from leerbudget.matcher.radar_typical import mondays, typical
from leerbudget.matcher.vocabulary import ChildAgeBand, Facet, Fit, LearningForm, Theme

FORMAT: Literal["leerbudget-radar/1"] = "leerbudget-radar/1"
EURO_CENTS = 100
BETWEEN_EQUALS = 1e-9
NOBODY = np.zeros(0, np.int64)
Reals = NDArray[np.float64]
LOOKS_MAX = 600
"""How many proposals are looked at family by family in one run; then it stops with what it has."""


class Order(StrEnum):
    """What is best: families per euro (ties: most families), or most families (ties: least cost)."""

    PER_EURO = "per_euro"
    FAMILIES = "families"


@dataclass(frozen=True, slots=True)
class Options:
    """What to look for. `least_families`: no smaller group. `region`: first digits of the postcode of the place.

    `themes`: only these (None: all). `first_places`: count only families that have no place yet.
    """

    most: int = 10
    least_families: int = SMALLEST_CELL
    region: str = ""
    themes: frozenset[Theme] | None = None
    order: Order = Order.PER_EURO
    first_places: bool = False


class Proposal(msgspec.Struct, frozen=True):
    """A session that could be held. No `pc4` is online; `day_part` 0 is Monday morning.

    `course`, price, seats, audience and childcare places are those of the typical published session.
    `price_cents` is for one person, all meetings; `cost_cents` for all seats. `families` could come without
    anybody losing a place, `families_without_place` of them have none yet; None: fewer than five, or what is
    left of the group is. `average_travel_minutes`: one way, about; None online.
    """

    theme: Theme
    form: LearningForm
    course: str
    pc4: str | None
    place: str | None
    day_part: int
    meetings: list[Interval]
    price_cents: int
    seats_min: int
    seats_max: int
    audience: dict[Facet, dict[str, Fit]]
    childcare_places: dict[ChildAgeBand, int]
    cost_cents: int
    families: int | None
    families_without_place: int | None
    families_per_1000_euro: float | None
    average_travel_minutes: int | None


class ThemeDemand(msgspec.Struct, frozen=True):
    """Families that wait for a theme (None: fewer than five), and whether a published session shows what it costs."""

    theme: Theme
    families: int | None
    has_example: bool


class Radar(msgspec.Struct, frozen=True):
    """The proposals, best first, and the demand they come from.

    `families`: all families the proposals serve together. `families_at_most`: no so many proposals from the
    same list could serve more.
    """

    format: Literal["leerbudget-radar/1"]
    order: Order
    proposals: list[Proposal]
    demand: list[ThemeDemand]
    families_waiting: int | None
    families: int | None
    families_at_most: int
    cost_cents: int


def radar(instance: Instance, outcome: Outcome, options: Options | None = None) -> Radar:
    """The best new sessions for who waits after an outcome of this instance.

    Raises:
        InstanceRefused: the outcome is of another instance; or the instance gives its candidates: then only who
            gave them knows who fits a new session.
    """
    options = Options() if options is None else options
    if instance.candidates is not None:
        raise InstanceRefused("$.candidates", "with given candidates nobody can say who fits a new session")
    refuse_other(instance, outcome)
    weeks = mondays(instance.sessions)
    templates = [t for t in typical(instance.sessions) if options.themes is None or t.like.theme in options.themes]
    found = waiting(instance, outcome, templates, min(weeks, default=None), first_places=options.first_places)
    places = places_of(instance, found.arrays.seekers.home, options.region)
    demand = demand_of(found, templates, places)
    search = Search(demand, Rulebook.of(instance), weeks, options)
    groups = list(search.groups())
    return _answer(options, found, groups, {t.like.theme for t in templates}, search.at_most)


class Search:
    """The greedy choice: proposals with the best ceiling are looked at until the best one is real."""

    def __init__(self, demand: Demand, rules: Rulebook, weeks: Sequence[date], options: Options) -> None:
        self.demand, self.rules, self.weeks, self.options = demand, rules, weeks, options
        likes = [kind.template.like for kind in demand.kinds]
        column = (len(likes), 1, 1)
        self.cost = np.array([kind.template.cost_cents for kind in demand.kinds], np.float64).reshape(column)
        self.seats_min = np.array([like.seats_min for like in likes]).reshape(column)
        self.seats_max = np.array([like.seats_max for like in likes]).reshape(column)
        self.looks = 0
        self.at_most = 0

    def groups(self) -> Iterator[Group]:
        """The groups of the proposals, best first."""
        known: dict[int, int] = {}
        served = 0
        ceilings: list[int] = []
        for _ in range(self.options.most):
            group, ceiling = self._next(known)
            ceilings.append(served + self.options.most * ceiling)
            self.at_most = min(ceilings)
            if group is None:
                break
            self.demand.drop(group.families)
            served += len(group.families)
            yield group

    def _next(self, known: dict[int, int]) -> tuple[Group | None, int]:
        """The best group left, and the most families any one proposal could still serve.

        `known`: what was found for a proposal when it was looked at; afterwards it can only serve fewer.
        """
        families = self._ceilings()
        ceiling = int(families.max(initial=0))
        for at, count in known.items():
            families.flat[at] = min(int(families.flat[at]), count)
        families[families < self.options.least_families] = 0
        worth = self._worth(families, self.cost)
        fresh: dict[int, Group] = {}
        while self.looks < LOOKS_MAX:
            best = self._best(worth)
            if best is None:
                return None, ceiling
            if best in fresh:
                return fresh[best], ceiling
            self.looks += 1
            kind, place, part = (int(axis) for axis in np.unravel_index(best, worth.shape))
            group = best_group(self.demand, self.rules, (kind, place, part), self.weeks, f"radar/{self.looks}")
            count = 0 if group is None else len(group.families)
            known[best] = count if count >= self.options.least_families else 0
            worth.flat[best] = self._worth(np.array(known[best]), self.cost[kind, 0, 0])
            if group is not None and known[best]:
                fresh[best] = group
        real = max(fresh, key=lambda at: float(worth.flat[at]), default=None)
        return (None if real is None else fresh[real]), ceiling

    def _ceilings(self) -> NDArray[np.int64]:
        """The most families each proposal could serve, by the counts in bulk; 0 when it would not run."""
        counts, persons = self.demand.counts, self.demand.persons
        return np.where(persons >= self.seats_min, np.minimum(counts, self.seats_max), 0).astype(np.int64)

    def _best(self, worth: Reals) -> int | None:
        """The proposal that is worth most; among equals the one with most demand."""
        highest = worth.max(initial=0.0)
        if highest == 0.0:
            return None
        rows = np.flatnonzero(worth == highest)
        return int(rows[self.demand.counts.flat[rows].argmax()])

    def _worth(self, families: NDArray[np.int64], cost_cents: Reals) -> Reals:
        """What proposals are worth in the order that was asked; the other order decides between equals."""
        per_euro = families / np.maximum(cost_cents, 1.0)
        first, second = (per_euro, families) if self.options.order is Order.PER_EURO else (families, per_euro)
        return np.asarray(first + second * BETWEEN_EQUALS, np.float64)


def _answer(options: Options, found: Waiting, groups: Sequence[Group], examples: set[Theme], at_most: int) -> Radar:
    wanted = [theme for theme in Theme if options.themes is None or theme in options.themes]
    demand = [ThemeDemand(t, told(found.families(found.theme(t))), t in examples) for t in wanted]
    proposals = [_proposal(group) for group in groups]
    hidden = any(proposal.families is None for proposal in proposals)
    return Radar(
        format=FORMAT,
        order=options.order,
        proposals=proposals,
        demand=[one for one in demand if one.families != 0],
        families_waiting=told(found.families(np.concatenate([NOBODY, *(found.theme(theme) for theme in wanted)]))),
        families=None if hidden else sum(len(group.families) for group in groups),
        families_at_most=at_most,
        cost_cents=sum(proposal.cost_cents for proposal in proposals),
    )


def _proposal(group: Group) -> Proposal:
    session, families = group.session, told(len(group.families))
    cost_cents = session.price_cents * session.seats_max
    return Proposal(
        theme=session.theme,
        form=session.form,
        course=session.course,
        pc4=session.pc4,
        place=None if session.pc4 is None else place_of(session.pc4).place,
        day_part=_day_part(session),
        meetings=session.meetings,
        price_cents=session.price_cents,
        seats_min=session.seats_min,
        seats_max=session.seats_max,
        audience=session.audience,
        childcare_places=session.childcare_places,
        cost_cents=cost_cents,
        families=families,
        families_without_place=told_part(group.without_place, len(group.families)),
        families_per_1000_euro=None if families is None else _per_1000_euro(families, cost_cents),
        average_travel_minutes=None if families is None or group.minutes is None else round(group.minutes),
    )


def _per_1000_euro(families: int, cost_cents: int) -> float | None:
    return round(families * 1000 * EURO_CENTS / cost_cents, 1) if cost_cents else None


def _day_part(session: OfferedSession) -> int:
    start = session.meetings[0][0]
    return 3 * start.weekday() + (0 if start.hour < 12 else 1 if start.hour < 17 else 2)


def with_session(instance: Instance, proposal: Proposal) -> Instance:
    """The instance with the proposed session in it, under an id of its own (`radar-1`, `radar-2`, …).

    Raises:
        InstanceRefused: the instance gives its candidates.
    """
    if instance.candidates is not None:
        raise InstanceRefused("$.candidates", "with given candidates nobody can say who fits a new session")
    used = {session.id for session in instance.sessions}
    number = next(n for n in range(1, len(used) + 2) if f"radar-{n}" not in used)
    session = OfferedSession(
        id=f"radar-{number}",
        course=proposal.course,
        theme=proposal.theme,
        form=proposal.form,
        meetings=proposal.meetings,
        price_cents=proposal.price_cents,
        seats_min=proposal.seats_min,
        seats_max=proposal.seats_max,
        pc4=proposal.pc4,
        audience=proposal.audience,
        childcare_places=proposal.childcare_places,
    )
    return msgspec.structs.replace(instance, sessions=[*instance.sessions, session])
