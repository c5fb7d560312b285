"""The hard rules of staffing, one pair, one trainer and one session at a time, in plain Python.

This is the definition: the audit, the check of `fixed` and the tests use it. The candidates and the engine
have their own, in bulk, so that a mistake in one of them shows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import combinations
from operator import or_
from typing import NamedTuple

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher.day_parts import day_parts_of, local_date, mask_of, names_nl
from leerbudget.matcher.staffing import LoadUnit, Role, Staffing, StaffSession, StaffTrainer
from leerbudget.matcher.staffing_points import PERMILLE, UNIT, WHOLE_LOAD, load_of, share_of
from leerbudget.matcher.vocabulary import TravelMode

BETWEEN_MINUTES_MAX = 720
"""Nobody is asked to leave more than half a day between two meetings."""

STAFFING_RULES = {
    "theme": "the trainer can lead (or assist with) the theme",
    "form": "the trainer can do the form",
    "certificate": "the certificate of conduct holds on the day of every meeting",
    "online": "online only for who accepts it",
    "travel": "a place within the travel limit from home in at least one mode",
    "day_part": "every meeting inside day-parts on which the trainer is free",
    "blocked": "no meeting at a blocked time",
    "load": "no more than the wished load at most",
    "overlap": "no two meetings of one trainer overlap, travel between them included",
    "not_together": "nobody in one room with a person they avoid, in either direction",
    "declined": "what a trainer declined is not proposed again",
    "forbidden": "what the team ruled out stays out",
    "twice": "nobody has two roles in one session",
    "places": "no more trainers than places",
    "co_needs_lead": "a co-trainer is proposed only where somebody leads",
    "spread": "nobody is far busier than somebody who could take over one of the sessions",
}
"""Every hard rule by its code, in plain words."""


class Assigned(NamedTuple):
    """Ids of an assignment."""

    trainer: str
    session: str
    role: Role


class StaffingBreach(NamedTuple):
    """A hard rule that does not hold."""

    code: str
    message: str


class TrainerWay(NamedTuple):
    """The way to a session in the mode that uses the smallest share (permille) of the trainer's limit."""

    mode: TravelMode
    minutes: int
    share: int


class Avoidable(NamedTuple):
    """`behind`: how far `by` would still be behind with this session, in hundredths of a percent."""

    assigned: Assigned
    by: str
    behind: int


@dataclass(frozen=True)
class StaffingRules:
    """A staffing by its ids, with the hard rules as questions."""

    staffing: Staffing

    @cached_property
    def trainers(self) -> dict[str, StaffTrainer]:
        """Trainers by id."""
        return {trainer.id: trainer for trainer in self.staffing.trainers}

    @cached_property
    def sessions(self) -> dict[str, StaffSession]:
        """Sessions by id."""
        return {session.id: session for session in self.staffing.sessions}

    @cached_property
    def fixed(self) -> set[Assigned]:
        """What people confirmed."""
        return {Assigned(*row) for row in self.staffing.fixed}

    @cached_property
    def _day_parts(self) -> dict[str, int]:
        return {
            session.id: reduce(or_, (day_parts_of(start, end) for start, end in session.meetings), 0)
            for session in self.staffing.sessions
        }

    @cached_property
    def _forbidden(self) -> set[tuple[str, str]]:
        return set(self.staffing.forbidden)

    @cached_property
    def _declined(self) -> set[tuple[str, str]]:
        return set(self.staffing.declined)

    @cached_property
    def _loads(self) -> dict[tuple[str, Role, LoadUnit], int]:
        policy = self.staffing.policy
        return {
            (session.id, role, unit): load_of(policy, session, role, unit)
            for session in self.staffing.sessions
            for role in Role
            for unit in LoadUnit
        }

    @cached_property
    def _moments(self) -> dict[str, list[tuple[int, int]]]:
        """Start and end of every meeting in seconds since 1970, by session."""
        return {
            session.id: sorted((int(start.timestamp()), int(end.timestamp())) for start, end in session.meetings)
            for session in self.staffing.sessions
        }

    def load(self, assigned: Assigned) -> int:
        """What an assignment asks, in hundredths of the trainer's unit."""
        unit = self.trainers[assigned.trainer].wished_load.unit
        return self._loads[assigned.session, assigned.role, unit]

    def share(self, assigned: Assigned) -> int:
        """What an assignment asks, in hundredths of a percent of the trainer's wished load."""
        return share_of(self.load(assigned), self.trainers[assigned.trainer])

    def of_pair(self, assigned: Assigned) -> Iterator[StaffingBreach]:
        """Rules about one assignment, whatever the others are."""
        trainer, session = self.trainers[assigned.trainer], self.sessions[assigned.session]
        if not knows(trainer, session, assigned.role):
            yield StaffingBreach("theme", f"{session.theme} is not among the themes for this role")
        if trainer.forms is not None and session.form not in trainer.forms:
            yield StaffingBreach("form", f"{session.form} is not among the forms")
        yield from _certificate(trainer, session)
        yield from self._time(trainer, session)
        yield from _reach(trainer, session)
        if self.load(assigned) > trainer.wished_load.most * UNIT:
            yield StaffingBreach("load", "this session alone is more than the wished load")
        if set(trainer.avoid) & set(session.people) or trainer.id in session.apart_from:
            yield StaffingBreach("not_together", "two people in this room are kept apart")
        if (trainer.id, session.id) in self._declined:
            yield StaffingBreach("declined", "the trainer declined this session")
        if (trainer.id, session.id) in self._forbidden:
            yield StaffingBreach("forbidden", "the team ruled out this trainer for this session")

    def _time(self, trainer: StaffTrainer, session: StaffSession) -> Iterator[StaffingBreach]:
        lacking = self._day_parts[session.id] & ~mask_of(trainer.availability)
        if lacking:
            yield StaffingBreach("day_part", f"not free on {', '.join(names_nl(lacking))}")
        if any(start < until and since < end for start, end in session.meetings for since, until in trainer.blocked):
            yield StaffingBreach("blocked", "blocked during a meeting")

    def of_trainer(self, trainer_id: str, assigned: list[Assigned]) -> Iterator[StaffingBreach]:
        """Rules about all assignments of one trainer together."""
        trainer = self.trainers[trainer_id]
        load = sum(self.load(one) for one in assigned)
        if load > trainer.wished_load.most * UNIT:
            yield StaffingBreach("load", f"load {load / UNIT:.2f}, at most {trainer.wished_load.most}")
        for one, other in combinations(assigned, 2):
            yield from self._of_two(one, other)

    def of_addition(self, wanted: Assigned, mine: list[Assigned]) -> Iterator[StaffingBreach]:
        """What one more assignment breaks, next to those a trainer has."""
        load = self.load(wanted) + sum(self.load(one) for one in mine)
        if load > self.trainers[wanted.trainer].wished_load.most * UNIT:
            yield StaffingBreach("load", f"load {load / UNIT:.2f} is more than the wished load")
        for one in mine:
            yield from self._of_two(one, wanted)

    def _of_two(self, one: Assigned, other: Assigned) -> Iterator[StaffingBreach]:
        if one.session == other.session:
            yield StaffingBreach("twice", f"two places in session {one.session}")
        elif self.overlaps(one.trainer, one.session, other.session):
            message = f"sessions {one.session} and {other.session} overlap or leave no time to travel"
            yield StaffingBreach("overlap", message)

    def overlaps(self, trainer: str, one: str, other: str) -> bool:
        """Whether one trainer cannot do both: meetings overlap, or the way between takes longer than the pause."""
        here, there = self._moments[one], self._moments[other]
        far = BETWEEN_MINUTES_MAX * 60
        if not here or not there or here[0][0] - there[-1][1] >= far or there[0][0] - here[-1][1] >= far:
            return False
        pause = min(max(start2 - end, start - end2) for start, end in here for start2, end2 in there)
        if pause < 0 or pause >= far:
            return pause < 0
        return pause < 60 * minutes_between(self.trainers[trainer], self.sessions[one], self.sessions[other])

    def of_session(self, session_id: str, assigned: list[Assigned]) -> Iterator[StaffingBreach]:
        """Rules about everybody assigned to one session."""
        session = self.sessions[session_id]
        leads = sum(one.role is Role.LEAD for one in assigned)
        if leads > session.lead or len(assigned) - leads > session.co:
            yield StaffingBreach("places", f"{leads} lead and {len(assigned) - leads} assist")
        if leads < session.lead and any(one.role is Role.CO and one not in self.fixed for one in assigned):
            yield StaffingBreach("co_needs_lead", "somebody assists and nobody leads")
        for one, other in combinations(assigned, 2):
            if self.apart(one.trainer, other.trainer):
                yield StaffingBreach("not_together", "two trainers in this session are kept apart")

    def apart(self, one: str, other: str) -> bool:
        """Whether two trainers never share a room."""
        return other in self.trainers[one].avoid or one in self.trainers[other].avoid

    def relative_loads(self, assigned: Iterable[Assigned]) -> dict[str, int]:
        """Per trainer the load in hundredths of a percent of the wished load, every assignment rounded down."""
        relative = dict.fromkeys(self.trainers, 0)
        for one in assigned:
            relative[one.trainer] += self.share(one)
        return relative

    def largest_avoidable(self, assigned: list[Assigned]) -> int:
        """How far behind anybody stays who could take over a session; 0 when nobody does."""
        return max((found.behind for found in self.avoidable(assigned, rising=True)), default=0)

    def avoidable(self, assigned: list[Assigned], above: int = 0, *, rising: bool = False) -> Iterator[Avoidable]:
        """Assignments that somebody less busy could take over and still be more than `above` behind.

        `rising`: after each one only those that are further behind.
        Only what is not fixed can be taken over. A trainer who is that far behind always has the load left.
        """
        relative = self.relative_loads(assigned)
        mine, present = by_trainer(assigned), by_session(assigned)
        order = sorted(relative, key=lambda trainer: (relative[trainer], trainer))
        for one in assigned:
            if one in self.fixed:
                continue
            for other in order:
                if relative[one.trainer] - relative[other] <= above:
                    break
                behind = relative[one.trainer] - relative[other] - self.share(one._replace(trainer=other))
                if behind > above and self._could_take(one._replace(trainer=other), one, mine, present):
                    yield Avoidable(one, other, behind)
                    above = behind if rising else above

    def _could_take(
        self,
        wanted: Assigned,
        instead_of: Assigned,
        mine: dict[str, list[Assigned]],
        present: dict[str, list[Assigned]],
    ) -> bool:
        """Whether this assignment is possible in place of the other, everything else as it is."""
        if any(self.of_pair(wanted)):
            return False
        rest = [one for one in present[wanted.session] if one != instead_of]
        if any(self.of_addition(wanted, mine.get(wanted.trainer, []))):
            return False
        return not any(self.of_session(wanted.session, [*rest, wanted]))


def by_trainer(assigned: Iterable[Assigned]) -> dict[str, list[Assigned]]:
    """Assignments per trainer."""
    groups: dict[str, list[Assigned]] = {}
    for one in assigned:
        groups.setdefault(one.trainer, []).append(one)
    return groups


def by_session(assigned: Iterable[Assigned]) -> dict[str, list[Assigned]]:
    """Assignments per session."""
    groups: dict[str, list[Assigned]] = {}
    for one in assigned:
        groups.setdefault(one.session, []).append(one)
    return groups


def spread_above(staffing: Staffing) -> int:
    """What `avoidable` may not exceed, in hundredths of a percent; the whole load when there is no such rule."""
    most = staffing.policy.spread_max_percent
    return WHOLE_LOAD if most is None else most * 100


def knows(trainer: StaffTrainer, session: StaffSession, role: Role) -> bool:
    """Whether the theme is one the trainer can lead, or at least assist with."""
    return session.theme in trainer.themes or (role is Role.CO and session.theme in trainer.co_themes)


def where(someone: StaffTrainer | StaffSession) -> Point | None:
    """The place of a trainer or session; None is nowhere (online)."""
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    if someone.pc4 is None:
        return None
    place = place_of(someone.pc4)
    return Point(place.lat, place.lon)


@lru_cache(maxsize=400_000)
def _minutes(here: Point, there: Point) -> dict[str, int]:
    return travel_minutes(here, there)


def way_to(trainer: StaffTrainer, session: StaffSession) -> TrainerWay | None:
    """The best way within a limit of the trainer; None when there is none. Not for online sessions."""
    home, venue = where(trainer), where(session)
    if home is None or venue is None:
        return None
    minutes = _minutes(home, venue)
    ways = [
        TrainerWay(mode, minutes[mode], minutes[mode] * PERMILLE // max(1, limit))
        for mode in TravelMode
        if (limit := trainer.travel_minutes_max.get(mode)) is not None and minutes[mode] <= limit
    ]
    return min(ways, key=lambda way: way.share, default=None)


def _certificate(trainer: StaffTrainer, session: StaffSession) -> Iterator[StaffingBreach]:
    until = trainer.certificate_until
    if until is None or any(local_date(start) > until for start, _ in session.meetings):
        yield StaffingBreach("certificate", "there is no certificate of conduct on every day")


def _reach(trainer: StaffTrainer, session: StaffSession) -> Iterator[StaffingBreach]:
    if where(session) is None:
        if not trainer.online_ok:
            yield StaffingBreach("online", "the session is online and this trainer does not do that")
    elif way_to(trainer, session) is None:
        yield StaffingBreach("travel", "no mode of travel gets there within its limit")


def minutes_between(trainer: StaffTrainer, one: StaffSession, other: StaffSession) -> int:
    """Minutes from one session to another in the fastest mode; from and to home when one is online."""
    here, there = where(one), where(other)
    if here == there or not trainer.travel_minutes_max:
        return 0
    here, there = here or where(trainer), there or where(trainer)
    if here is None or there is None:
        return 0
    minutes = _minutes(here, there)
    return min(BETWEEN_MINUTES_MAX, *(minutes[mode] for mode in trainer.travel_minutes_max))
