"""The hard rules, one placement and one session at a time, in plain Python.

This is the definition. The audit, the check of `fixed` and the tests use it; the candidates and the engine
do not (they have their own, in bulk), so that a mistake in one of them shows.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from leerbudget.matcher.cards import (
    MODE_NUMBER,
    ChangedCards,
    Roads,
    SeekerCard,
    SeekerCards,
    SessionCard,
    SessionCards,
)
from leerbudget.matcher.day_parts import name_nl
from leerbudget.matcher.instance import Instance, LearningBudget, LearningWish, OfferedSession, Seeker, SeekerPerson
from leerbudget.matcher.payable import shortage
from leerbudget.matcher.rooms import Breach, Room
from leerbudget.matcher.vocabulary import Facet

BETWEEN_MINUTES_MAX = 720
"""Nobody is asked to leave more than half a day between two meetings."""

TRAVEL_PERMILLE = 1000
FACETS = tuple(Facet)

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


@dataclass(frozen=True)
class Rulebook:
    """An instance by its ids, with the hard rules as questions.

    `cards`, `offers` and `roads` hold what was worked out before of seekers, sessions and the ways between.
    """

    seekers: MutableMapping[str, Seeker]
    sessions: dict[str, OfferedSession]
    forbidden: frozenset[tuple[str, str]]
    given: dict[tuple[str, str, str], int] | None
    placements_max: int
    cards: dict[str, SeekerCard]
    offers: dict[str, SessionCard]
    roads: Roads = field(default_factory=Roads)

    @staticmethod
    def of(instance: Instance) -> "Rulebook":
        """The rulebook of an instance."""
        given = instance.candidates
        seekers = {seeker.id: seeker for seeker in instance.seekers}
        sessions = {session.id: session for session in instance.sessions}
        return Rulebook(
            seekers,
            sessions,
            frozenset(instance.forbidden),
            None if given is None else {(seeker, wish, session): score for seeker, wish, session, score in given},
            instance.policy.max_placements,
            SeekerCards(seekers),
            SessionCards(sessions),
        )

    def with_seeker(self, changed: Seeker) -> "Rulebook":
        """The same round, had this seeker stated something else."""
        return Rulebook(
            ChainMap({changed.id: changed}, self.seekers),
            self.sessions,
            self.forbidden,
            self.given,
            self.placements_max,
            ChangedCards(changed, self.cards),
            self.offers,
            self.roads,
        )

    def wish(self, placed: Placed) -> LearningWish:
        """The wish a placement fulfils."""
        return self.cards[placed.seeker].wishes[placed.wish]

    def persons(self, placed: Placed) -> list[SeekerPerson]:
        """Who goes."""
        return self.cards[placed.seeker].goes[placed.wish]

    def learn_ways(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Look up the travel minutes of many seekers and sessions at once; asked one by one they take longer."""
        ends = ((self.cards[seeker].home, self.offers[session].venue) for seeker, session in pairs)
        self.roads.learn([(home, venue) for home, venue in ends if home is not None and venue is not None])

    def travel_share(self, card: SeekerCard, offer: SessionCard) -> int | None:
        """Permille of the travel limit that the way takes, in the mode that uses least of it.

        None when every mode takes longer than its limit, or when there is no way to go.
        """
        if card.home is None or offer.venue is None:
            return None
        minutes = self.roads.minutes(card.home, offer.venue)
        shares = [
            one_way * TRAVEL_PERMILLE // max(1, limit)
            for mode, limit in card.seeker.travel_minutes_max.items()
            if (one_way := minutes[MODE_NUMBER[mode]]) <= limit
        ]
        return min(shares, default=None)

    def of_placement(self, placed: Placed) -> Iterator[Breach]:
        """Rules about one placement, whatever the others are."""
        return self.of_one(self.cards[placed.seeker], self.offers[placed.session], placed.wish)

    def of_one(self, card: SeekerCard, offer: SessionCard, wish_id: str) -> Iterator[Breach]:
        """The same for who has the cards."""
        session, wish, persons = offer.session, card.wishes[wish_id], card.goes[wish_id]
        if self.given is not None:
            if (card.seeker.id, wish_id, session.id) not in self.given:
                yield Breach("theme", "the instance does not name this candidate")
        elif wish.theme != session.theme:
            yield Breach("theme", f"the wish is about {wish.theme}, the session about {session.theme}")
        if session.parties is not None:
            for party in sorted({p.party for p in persons} - set(session.parties)):
                yield Breach("party_not_invited", f"{party} is not a party in this session")
        for facet, value in sorted(card.facets & offer.not_for):
            yield Breach("not_for", f"the session is not for {facet} {value}")
        yield from self._reach(card, offer)
        yield from _time(persons, offer)
        if (card.seeker.id, session.id) in self.forbidden:
            yield Breach("forbidden", "the instance forbids this seeker in this session")
        if not card.shunned.isdisjoint(offer.people):
            yield Breach("not_together", "somebody who leads this session may not be with this seeker")

    def _reach(self, card: SeekerCard, offer: SessionCard) -> Iterator[Breach]:
        if offer.venue is None:
            if not card.seeker.online_ok:
                yield Breach("online", "the session is online and this seeker does not want that")
        elif self.travel_share(card, offer) is None:
            yield Breach("travel", "no mode of travel gets there within its limit")

    def of_seeker(self, seeker_id: str, placements: list[Placed]) -> Iterator[Breach]:
        """Rules about all placements of one seeker together."""
        return self.of_all(self.cards[seeker_id], placements)

    def of_all(self, card: SeekerCard, placements: list[Placed]) -> Iterator[Breach]:
        """The same for who has the card."""
        most = min(card.seeker.max_placements, self.placements_max)
        if len(placements) > most:
            yield Breach("max_placements", f"{len(placements)} placements, at most {most}")
        if len(placements) > 1:
            yield from self._of_several(card, placements)
        missing = self._missing_cents(card, placements)
        if missing:
            yield Breach("money", f"{missing} cents short")

    def _of_several(self, card: SeekerCard, placements: list[Placed]) -> Iterator[Breach]:
        wishes = [p.wish for p in placements]
        for wish in sorted({w for w in wishes if wishes.count(w) > 1}):
            yield Breach("wish_twice", f"wish {wish} has {wishes.count(wish)} sessions")
        for one, other in combinations(placements, 2):
            both = {p.id for p in card.goes[one.wish]} & {p.id for p in card.goes[other.wish]}
            if both and one != other:
                yield from self._of_two(card, self.offers[one.session], self.offers[other.session])

    def _of_two(self, card: SeekerCard, one: SessionCard, other: SessionCard) -> Iterator[Breach]:
        names = f"sessions {one.session.id} and {other.session.id}"
        if one.session.course == other.session.course:
            yield Breach("course_twice", f"{names} are the same course")
        if one.session.id != other.session.id and self._overlap(card, one, other):
            yield Breach("overlap", f"{names} overlap or leave no time to travel")

    def _overlap(self, card: SeekerCard, one: SessionCard, other: SessionCard) -> bool:
        """Whether one person cannot go to both: the way between them takes longer than the pause, if there is one."""
        between: int | None = None
        for start, end in one.session.meetings:
            for start2, end2 in other.session.meetings:
                pause = max(start2 - end, start - end2).total_seconds()
                if pause < 0:
                    return True
                if pause < BETWEEN_MINUTES_MAX * 60:
                    between = self._minutes_between(card, one, other) if between is None else between
                    if pause < between * 60:
                        return True
        return False

    def _minutes_between(self, card: SeekerCard, one: SessionCard, other: SessionCard) -> int:
        """Minutes from one to the other in the seeker's fastest mode; from and to home when one is online."""
        limits = card.seeker.travel_minutes_max
        if one.venue == other.venue or not limits:
            return 0
        here, there = one.venue or card.home, other.venue or card.home
        if here is None or there is None:
            return 0
        minutes = self.roads.minutes(here, there)
        return min(BETWEEN_MINUTES_MAX, *(minutes[MODE_NUMBER[mode]] for mode in limits))

    def missing_cents(self, seeker: Seeker, placements: list[Placed]) -> int:
        """Cents that neither budgets nor own contribution can pay; 0 when the money fits."""
        return self._missing_cents(self.cards[seeker.id].restated(seeker), placements)

    def _missing_cents(self, card: SeekerCard, placements: list[Placed]) -> int:
        seeker, demands = card.seeker, []
        for placed in placements:
            offer = self.offers[placed.session]
            purses = [i for i, budget in enumerate(seeker.budgets) if covers(budget, offer)]
            demands.append((offer.session.price_cents * len(card.goes[placed.wish]), purses))
        supplies = [budget.available_cents for budget in seeker.budgets]
        return max(0, shortage(demands, supplies) - seeker.own_contribution_cents_max)

    def of_session(self, session_id: str, placements: Iterable[Placed]) -> Iterator[Breach]:
        """Rules about everybody placed in one session; nothing to say when nobody is."""
        return self.room(session_id, placements).breaches()

    def runs(self, session_id: str, placements: Iterable[Placed]) -> bool:
        """Whether the session meets its minimum and, for a dialogue, the rules about parties."""
        return self.room(session_id, placements).runs()

    def room(self, session_id: str, placements: Iterable[Placed]) -> Room:
        """Everybody in a session, counted."""
        room = Room.of(self.sessions[session_id])
        for placed in placements:
            room.admit(self.cards[placed.seeker], placed.wish)
        return room


def made_for(card: SeekerCard, offer: SessionCard) -> list[bool]:
    """Whether the session is especially for this seeker, in the order of `Facet`."""
    facets = {facet for facet, _ in card.facets & offer.made_for}
    return [facet in facets for facet in FACETS]


def _time(persons: list[SeekerPerson], offer: SessionCard) -> Iterator[Breach]:
    meetings = offer.session.meetings
    for person in persons:
        lacking = [part for part in offer.day_parts if person.availability[part] != "1"]
        if lacking:
            yield Breach("day_part", f"{person.id} is not free on {', '.join(map(name_nl, lacking))}")
        if person.blocked and any(
            start < until and since < end for since, until in person.blocked for start, end in meetings
        ):
            yield Breach("blocked", f"{person.id} is blocked during a meeting")


def can_pay(budget: LearningBudget, session: OfferedSession) -> bool:
    """Whether the earmark and the expiry of a budget allow this session (expiry counts on its first day)."""
    return covers(budget, SessionCard.of(session))


def covers(budget: LearningBudget, offer: SessionCard) -> bool:
    """The same for who has the session's card."""
    if budget.themes is not None and offer.session.theme not in budget.themes:
        return False
    return budget.expires_on is None or offer.first_on is None or offer.first_on <= budget.expires_on


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
