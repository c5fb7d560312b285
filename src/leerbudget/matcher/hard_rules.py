"""The hard rules, one placement and one session at a time, in plain Python.

This is the definition. The audit, the check of `fixed` and the tests use it; the candidates and the engine
do not (they have their own, in bulk), so that a mistake in one of them shows.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher.day_parts import day_parts_of, local_date, mask_of, names_nl
from leerbudget.matcher.instance import Instance, LearningBudget, LearningWish, OfferedSession, Seeker, SeekerPerson
from leerbudget.matcher.payable import shortage
from leerbudget.matcher.vocabulary import ChildAgeBand, ChildcareNeed, Facet, Fit, Party, TravelMode, experience_band

BETWEEN_MINUTES_MAX = 720
"""Nobody is asked to leave more than half a day between two meetings."""

TRAVEL_PERMILLE = 1000

CODES = {
    "theme": "the session is about the theme of the wish (or the instance names this candidate)",
    "party_not_invited": "in a dialogue only the invited parties sit down",
    "not_for": "an offer that is `not_for` this seeker is never used",
    "online": "online only for who accepts it",
    "travel": "a place within the travel limit in at least one mode",
    "day_part": "every meeting inside day-parts on which everyone who goes is free",
    "blocked": "no meeting at a blocked time",
    "forbidden": "what is forbidden stays out",
    "not_together": "nobody in one room with an own professional or an avoided person",
    "wish_twice": "at most one session per wish",
    "max_placements": "no more placements than the seeker and the policy allow",
    "overlap": "no two meetings of one person overlap, travel between them included",
    "course_twice": "the same course at most once per person",
    "money": "what the budgets can pay, given themes and expiry, plus the own contribution",
    "capacity": "no more people than seats",
    "minimum": "a session runs with its minimum, or nobody new is placed in it",
    "childcare": "a childcare place in every age band for who needs it",
    "party_max": "no more people of a party than its maximum",
    "party_min": "no fewer people of a party than its minimum",
    "party_spread": "the parties in a dialogue are about equally many",
}
"""Every hard rule by its code, in plain words."""

NEEDS_COMPANY = frozenset({"minimum", "party_min", "party_spread"})
"""Rules that more placements can still mend; all others only get worse."""


class Placed(NamedTuple):
    """Ids of a placement."""

    seeker: str
    wish: str
    session: str


class Breach(NamedTuple):
    """A hard rule that does not hold."""

    code: str
    message: str


class Way(NamedTuple):
    """The way to a session in the mode that uses the smallest share of the seeker's limit."""

    mode: TravelMode
    minutes: int
    limit: int
    share: int


@dataclass(frozen=True)
class Rulebook:
    """An instance by its ids, with the hard rules as questions."""

    seekers: MutableMapping[str, Seeker]
    sessions: dict[str, OfferedSession]
    forbidden: frozenset[tuple[str, str]]
    given: dict[tuple[str, str, str], int] | None
    placements_max: int

    @staticmethod
    def of(instance: Instance) -> "Rulebook":
        """The rulebook of an instance."""
        given = instance.candidates
        return Rulebook(
            {seeker.id: seeker for seeker in instance.seekers},
            {session.id: session for session in instance.sessions},
            frozenset(instance.forbidden),
            None if given is None else {(seeker, wish, session): score for seeker, wish, session, score in given},
            instance.policy.max_placements,
        )

    def with_seeker(self, changed: Seeker) -> "Rulebook":
        """The same round, had this seeker stated something else."""
        return replace(self, seekers=ChainMap({changed.id: changed}, self.seekers))

    def wish(self, placed: Placed) -> LearningWish:
        """The wish a placement fulfils."""
        return next(w for w in self.seekers[placed.seeker].wishes if w.id == placed.wish)

    def persons(self, placed: Placed) -> list[SeekerPerson]:
        """Who goes."""
        goes = set(self.wish(placed).persons)
        return [person for person in self.seekers[placed.seeker].persons if person.id in goes]

    def of_placement(self, placed: Placed) -> Iterator[Breach]:
        """Rules about one placement, whatever the others are."""
        seeker, session = self.seekers[placed.seeker], self.sessions[placed.session]
        wish, persons = self.wish(placed), self.persons(placed)
        if self.given is not None:
            if placed not in self.given:
                yield Breach("theme", "the instance does not name this candidate")
        elif wish.theme != session.theme:
            yield Breach("theme", f"the wish is about {wish.theme}, the session about {session.theme}")
        if session.parties is not None:
            for party in sorted({p.party for p in persons} - set(session.parties)):
                yield Breach("party_not_invited", f"{party} is not a party in this session")
        for facet, value in not_for(seeker, session):
            yield Breach("not_for", f"the session is not for {facet} {value}")
        yield from _reach(seeker, session)
        yield from _time(persons, session)
        if (seeker.id, session.id) in self.forbidden:
            yield Breach("forbidden", "the instance forbids this seeker in this session")
        if shunned(seeker) & set(session.people):
            yield Breach("not_together", "somebody who leads this session may not be with this seeker")

    def of_seeker(self, seeker_id: str, placements: list[Placed]) -> Iterator[Breach]:
        """Rules about all placements of one seeker together."""
        seeker = self.seekers[seeker_id]
        most = min(seeker.max_placements, self.placements_max)
        if len(placements) > most:
            yield Breach("max_placements", f"{len(placements)} placements, at most {most}")
        wishes = [p.wish for p in placements]
        for wish in sorted({w for w in wishes if wishes.count(w) > 1}):
            yield Breach("wish_twice", f"wish {wish} has {wishes.count(wish)} sessions")
        for one, other in combinations(placements, 2):
            both = {p.id for p in self.persons(one)} & {p.id for p in self.persons(other)}
            if both and one != other:
                yield from self._of_two(seeker, self.sessions[one.session], self.sessions[other.session])
        missing = self.missing_cents(seeker, placements)
        if missing:
            yield Breach("money", f"{missing} cents short")

    def _of_two(self, seeker: Seeker, one: OfferedSession, other: OfferedSession) -> Iterator[Breach]:
        if one.course == other.course:
            yield Breach("course_twice", f"sessions {one.id} and {other.id} are the same course")
        if one.id != other.id and overlaps(seeker, one, other):
            yield Breach("overlap", f"sessions {one.id} and {other.id} overlap or leave no time to travel")

    def missing_cents(self, seeker: Seeker, placements: list[Placed]) -> int:
        """Cents that neither budgets nor own contribution can pay; 0 when the money fits."""
        demands = []
        for placed in placements:
            session = self.sessions[placed.session]
            purses = [i for i, budget in enumerate(seeker.budgets) if can_pay(budget, session)]
            demands.append((session.price_cents * len(self.persons(placed)), purses))
        supplies = [budget.available_cents for budget in seeker.budgets]
        return max(0, shortage(demands, supplies) - seeker.own_contribution_cents_max)

    def of_session(self, session_id: str, placements: list[Placed]) -> Iterator[Breach]:
        """Rules about everybody placed in one session; nothing to say when nobody is."""
        if not placements:
            return
        session = self.sessions[session_id]
        seats = session.seats_taken + sum(len(self.persons(p)) for p in placements)
        if seats > session.seats_max:
            yield Breach("capacity", f"{seats} people, {session.seats_max} seats")
        if seats < session.seats_min:
            yield Breach("minimum", f"{seats} people, the minimum is {session.seats_min}")
        yield from self._parties(session, placements)
        yield from self._childcare(session, placements)
        yield from self._company(placements)

    def _parties(self, session: OfferedSession, placements: list[Placed]) -> Iterator[Breach]:
        if session.parties is None:
            return
        present = self.party_counts(session, placements)
        for party, (least, most) in session.parties.items():
            if present[party] > most:
                yield Breach("party_max", f"{present[party]} of {party}, at most {most}")
            if present[party] < least:
                yield Breach("party_min", f"{present[party]} of {party}, at least {least}")
        if present and session.party_spread_max is not None:
            spread = max(present.values()) - min(present.values())
            if spread > session.party_spread_max:
                yield Breach("party_spread", f"the parties differ by {spread}, at most {session.party_spread_max}")

    def party_counts(self, session: OfferedSession, placements: list[Placed]) -> dict[Party, int]:
        """People per invited party, who was there before included."""
        counts = {party: session.parties_taken.get(party, 0) for party in session.parties or {}}
        for placed in placements:
            for person in self.persons(placed):
                if person.party in counts:
                    counts[person.party] += 1
        return counts

    def _childcare(self, session: OfferedSession, placements: list[Placed]) -> Iterator[Breach]:
        """A family's children are counted once, also when two wishes of the family meet in one session."""
        for band, needed in self.childcare_counts(placements).items():
            places = session.childcare_places.get(band, 0)
            if needed > places:
                yield Breach("childcare", f"{needed} children of {band}, {places} places")

    def childcare_counts(self, placements: list[Placed]) -> dict[ChildAgeBand, int]:
        """Children who need a place, by age band."""
        counts: dict[ChildAgeBand, int] = {}
        for seeker_id in sorted({p.seeker for p in placements}):
            seeker = self.seekers[seeker_id]
            if seeker.childcare_need is ChildcareNeed.NEEDS_PLACE:
                for band, children in seeker.childcare.items():
                    counts[band] = counts.get(band, 0) + children
        return counts

    def _company(self, placements: list[Placed]) -> Iterator[Breach]:
        """The message names nobody: who avoids whom is for no one to read (R66)."""
        rooms: dict[str, set[str]] = {}
        for placed in placements:
            rooms.setdefault(placed.seeker, {placed.seeker}).update(p.id for p in self.persons(placed))
        for one, other in combinations(rooms, 2):
            if shunned(self.seekers[one]) & rooms[other] or shunned(self.seekers[other]) & rooms[one]:
                yield Breach("not_together", "two seekers in this session may not be together")

    def runs(self, session_id: str, placements: list[Placed]) -> bool:
        """Whether the session meets its minimum and, for a dialogue, the rules about parties."""
        session = self.sessions[session_id]
        seats = session.seats_taken + sum(len(self.persons(p)) for p in placements)
        parties = {breach.code for breach in self._parties(session, placements)}
        return seats >= session.seats_min and not parties


def shunned(seeker: Seeker) -> set[str]:
    """Ids this seeker never shares a room with."""
    return {*seeker.avoid, *seeker.professionals}


def not_for(seeker: Seeker, session: OfferedSession) -> Iterator[tuple[Facet, str]]:
    """The values of this seeker the session is not for; one of several is enough."""
    for facet, values in facet_values(seeker).items():
        for value in values:
            if session.audience.get(facet, {}).get(value) is Fit.NOT_FOR:
                yield facet, value


def made_for(seeker: Seeker, session: OfferedSession) -> dict[Facet, list[str]]:
    """The values of this seeker the session is especially for."""
    return {
        facet: [value for value in values if session.audience.get(facet, {}).get(value) is Fit.FOR]
        for facet, values in facet_values(seeker).items()
    }


def facet_values(seeker: Seeker) -> dict[Facet, list[str]]:
    """What is known of a seeker by criterion; unknown is empty."""
    years = seeker.experience_years
    return {
        Facet.FAMILY_TYPE: [] if seeker.family_type is None else [seeker.family_type],
        Facet.CARE_FORMS: list(seeker.care_forms),
        Facet.EXPERIENCE: [] if years is None else [experience_band(years)],
        Facet.CHILD_AGE_BANDS: list(seeker.child_age_bands),
    }


def where(someone: Seeker | OfferedSession) -> Point | None:
    """The place of a seeker or session; None is nowhere (online)."""
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    if someone.pc4 is None:
        return None
    place = place_of(someone.pc4)
    return Point(place.lat, place.lon)


def way_to(seeker: Seeker, session: OfferedSession) -> Way | None:
    """The best way within a limit of the seeker; None when there is none. Not for online sessions."""
    home, venue = where(seeker), where(session)
    if home is None or venue is None:
        return None
    minutes = travel_minutes(home, venue)
    ways = [
        Way(mode, minutes[mode], limit, minutes[mode] * TRAVEL_PERMILLE // max(1, limit))
        for mode in TravelMode
        if (limit := seeker.travel_minutes_max.get(mode)) is not None and minutes[mode] <= limit
    ]
    return min(ways, key=lambda way: way.share, default=None)


def _reach(seeker: Seeker, session: OfferedSession) -> Iterator[Breach]:
    if where(session) is None:
        if not seeker.online_ok:
            yield Breach("online", "the session is online and this seeker does not want that")
    elif way_to(seeker, session) is None:
        yield Breach("travel", "no mode of travel gets there within its limit")


def _time(persons: list[SeekerPerson], session: OfferedSession) -> Iterator[Breach]:
    needed = 0
    for start, end in session.meetings:
        needed |= day_parts_of(start, end)
    for person in persons:
        lacking = needed & ~mask_of(person.availability)
        if lacking:
            yield Breach("day_part", f"{person.id} is not free on {', '.join(names_nl(lacking))}")
        if any(start < until and since < end for start, end in session.meetings for since, until in person.blocked):
            yield Breach("blocked", f"{person.id} is blocked during a meeting")


def overlaps(seeker: Seeker, one: OfferedSession, other: OfferedSession) -> bool:
    """Whether one person cannot go to both: meetings overlap, or the way between them takes longer than the pause."""
    between: int | None = None
    for start, end in one.meetings:
        for start2, end2 in other.meetings:
            pause = max(start2 - end, start - end2).total_seconds()
            if pause < 0:
                return True
            if pause < BETWEEN_MINUTES_MAX * 60:
                between = minutes_between(seeker, one, other) if between is None else between
                if pause < between * 60:
                    return True
    return False


def minutes_between(seeker: Seeker, one: OfferedSession, other: OfferedSession) -> int:
    """Minutes from one session to another in the seeker's fastest mode; from and to home when one is online."""
    here, there = where(one), where(other)
    if here == there or not seeker.travel_minutes_max:
        return 0
    here, there = here or where(seeker), there or where(seeker)
    if here is None or there is None:
        return 0
    minutes = travel_minutes(here, there)
    return min(BETWEEN_MINUTES_MAX, *(minutes[mode] for mode in seeker.travel_minutes_max))


def can_pay(budget: LearningBudget, session: OfferedSession) -> bool:
    """Whether the earmark and the expiry of a budget allow this session (expiry counts on its first day)."""
    if budget.themes is not None and session.theme not in budget.themes:
        return False
    if budget.expires_on is None or not session.meetings:
        return True
    return local_date(min(start for start, _ in session.meetings)) <= budget.expires_on


def by_seeker(placements: Iterable[Placed]) -> dict[str, list[Placed]]:
    """Placements per seeker."""
    groups: dict[str, list[Placed]] = {}
    for placed in placements:
        groups.setdefault(placed.seeker, []).append(placed)
    return groups


def by_session(placements: Iterable[Placed]) -> dict[str, list[Placed]]:
    """Placements per session."""
    groups: dict[str, list[Placed]] = {}
    for placed in placements:
        groups.setdefault(placed.session, []).append(placed)
    return groups
