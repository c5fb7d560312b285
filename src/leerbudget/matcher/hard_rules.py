"""The hard rules, one placement and one session at a time, in plain Python.

This is the definition. The audit, the check of `fixed` and the tests use it; the candidates and the engine
do not (they have their own, in bulk), so that a mistake in one of them shows.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import NamedTuple

from leerbudget.matcher.cards import FACETS, ChangedCards, Roads, SeekerCard, SeekerCards, SessionCard, SessionCards
from leerbudget.matcher.day_parts import name_nl
from leerbudget.matcher.instance import Instance, LearningBudget, LearningWish, OfferedSession, Seeker, SeekerPerson
from leerbudget.matcher.payable import shortage
from leerbudget.matcher.vocabulary import ChildAgeBand, ChildcareNeed, Facet, Party

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
        seekers = ChainMap({changed.id: changed}, self.seekers)
        return replace(self, seekers=seekers, cards=ChangedCards(changed, self.cards))

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
            minutes[mode] * TRAVEL_PERMILLE // max(1, limit)
            for mode, limit in card.seeker.travel_minutes_max.items()
            if minutes[mode] <= limit
        ]
        return min(shares, default=None)

    def of_placement(self, placed: Placed) -> Iterator[Breach]:
        """Rules about one placement, whatever the others are."""
        card, offer = self.cards[placed.seeker], self.offers[placed.session]
        session, wish, persons = offer.session, card.wishes[placed.wish], card.goes[placed.wish]
        if self.given is not None:
            if placed not in self.given:
                yield Breach("theme", "the instance does not name this candidate")
        elif wish.theme != session.theme:
            yield Breach("theme", f"the wish is about {wish.theme}, the session about {session.theme}")
        if session.parties is not None:
            for party in sorted({p.party for p in persons} - set(session.parties)):
                yield Breach("party_not_invited", f"{party} is not a party in this session")
        for facet, value in not_for(card, offer):
            yield Breach("not_for", f"the session is not for {facet} {value}")
        yield from self._reach(card, offer)
        yield from _time(persons, offer)
        if (placed.seeker, placed.session) in self.forbidden:
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
        card = self.cards[seeker_id]
        seeker = card.seeker
        most = min(seeker.max_placements, self.placements_max)
        if len(placements) > most:
            yield Breach("max_placements", f"{len(placements)} placements, at most {most}")
        wishes = [p.wish for p in placements]
        for wish in sorted({w for w in wishes if wishes.count(w) > 1}):
            yield Breach("wish_twice", f"wish {wish} has {wishes.count(wish)} sessions")
        for one, other in combinations(placements, 2):
            both = {p.id for p in self.persons(one)} & {p.id for p in self.persons(other)}
            if both and one != other:
                yield from self._of_two(card, self.offers[one.session], self.offers[other.session])
        missing = self.missing_cents(seeker, placements)
        if missing:
            yield Breach("money", f"{missing} cents short")

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
        return min(BETWEEN_MINUTES_MAX, *(minutes[mode] for mode in limits))

    def missing_cents(self, seeker: Seeker, placements: list[Placed]) -> int:
        """Cents that neither budgets nor own contribution can pay; 0 when the money fits."""
        demands = []
        for placed in placements:
            offer = self.offers[placed.session]
            purses = [i for i, budget in enumerate(seeker.budgets) if covers(budget, offer)]
            demands.append((offer.session.price_cents * len(self.persons(placed)), purses))
        supplies = [budget.available_cents for budget in seeker.budgets]
        return max(0, shortage(demands, supplies) - seeker.own_contribution_cents_max)

    def of_session(self, session_id: str, placements: list[Placed]) -> Iterator[Breach]:
        """Rules about everybody placed in one session; nothing to say when nobody is."""
        if not placements:
            return
        session = self.sessions[session_id]
        cards = {placed.seeker: self.cards[placed.seeker] for placed in placements}
        goes = [cards[placed.seeker].goes[placed.wish] for placed in placements]
        seats = session.seats_taken + sum(map(len, goes))
        if seats > session.seats_max:
            yield Breach("capacity", f"{seats} people, {session.seats_max} seats")
        if seats < session.seats_min:
            yield Breach("minimum", f"{seats} people, the minimum is {session.seats_min}")
        yield from _parties(session, goes)
        yield from _childcare(session, cards)
        yield from _company(cards, placements, goes)

    def runs(self, session_id: str, placements: list[Placed]) -> bool:
        """Whether the session meets its minimum and, for a dialogue, the rules about parties."""
        session = self.sessions[session_id]
        goes = [self.persons(placed) for placed in placements]
        enough = session.seats_taken + sum(map(len, goes)) >= session.seats_min
        return enough and next(_parties(session, goes), None) is None


def _parties(session: OfferedSession, goes: Iterable[list[SeekerPerson]]) -> Iterator[Breach]:
    if session.parties is None:
        return
    present = party_counts(session, goes)
    for party, (least, most) in session.parties.items():
        if present[party] > most:
            yield Breach("party_max", f"{present[party]} of {party}, at most {most}")
        if present[party] < least:
            yield Breach("party_min", f"{present[party]} of {party}, at least {least}")
    if present and session.party_spread_max is not None:
        spread = max(present.values()) - min(present.values())
        if spread > session.party_spread_max:
            yield Breach("party_spread", f"the parties differ by {spread}, at most {session.party_spread_max}")


def party_counts(session: OfferedSession, goes: Iterable[list[SeekerPerson]]) -> dict[Party, int]:
    """People per invited party, who was there before included."""
    counts = {party: session.parties_taken.get(party, 0) for party in session.parties or {}}
    for person in chain.from_iterable(goes):
        if person.party in counts:
            counts[person.party] += 1
    return counts


def _childcare(session: OfferedSession, cards: dict[str, SeekerCard]) -> Iterator[Breach]:
    """A family's children are counted once, also when two wishes of the family meet in one session."""
    for band, needed in childcare_counts(cards).items():
        places = session.childcare_places.get(band, 0)
        if needed > places:
            yield Breach("childcare", f"{needed} children of {band}, {places} places")


def childcare_counts(cards: dict[str, SeekerCard]) -> dict[ChildAgeBand, int]:
    """Children who need a place, by age band; `cards`: everybody in the session by id."""
    counts: dict[ChildAgeBand, int] = {}
    in_need = [name for name, card in cards.items() if card.seeker.childcare_need is ChildcareNeed.NEEDS_PLACE]
    for name in sorted(in_need):
        for band, children in cards[name].seeker.childcare.items():
            counts[band] = counts.get(band, 0) + children
    return counts


def _company(
    cards: dict[str, SeekerCard], placements: list[Placed], goes: list[list[SeekerPerson]]
) -> Iterator[Breach]:
    """The message names nobody: who avoids whom is for no one to read (R66)."""
    rooms: dict[str, set[str]] = {name: {name} for name in cards}
    for placed, persons in zip(placements, goes, strict=True):
        rooms[placed.seeker].update([person.id for person in persons])
    everybody = set().union(*rooms.values())
    if all(card.shunned.isdisjoint(everybody) for card in cards.values()):
        return
    for one, other in combinations(rooms, 2):
        if cards[one].shunned & rooms[other] or cards[other].shunned & rooms[one]:
            yield Breach("not_together", "two seekers in this session may not be together")


def not_for(card: SeekerCard, offer: SessionCard) -> Iterator[tuple[Facet, str]]:
    """The values of this seeker the session is not for; one of several is enough."""
    for facet, values, unwanted in zip(FACETS, card.facets, offer.not_for, strict=True):
        if not unwanted.isdisjoint(values):
            yield from ((facet, value) for value in values if value in unwanted)


def made_for(card: SeekerCard, offer: SessionCard) -> list[bool]:
    """Whether the session is especially for this seeker, in the order of `Facet`."""
    return [not wanted.isdisjoint(values) for values, wanted in zip(card.facets, offer.made_for, strict=True)]


def _time(persons: list[SeekerPerson], offer: SessionCard) -> Iterator[Breach]:
    meetings = offer.session.meetings
    for person in persons:
        lacking = [part for part in offer.day_parts if person.availability[part] != "1"]
        if lacking:
            yield Breach("day_part", f"{person.id} is not free on {', '.join(map(name_nl, lacking))}")
        if any(start < until and since < end for since, until in person.blocked for start, end in meetings):
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
