"""Everybody in one session, counted: what the rules about a whole session look at.

A room is built by letting one after the other in. `joined` gives the room with one more, so that a promise
to somebody without a place is checked beside everybody who has one, without counting them all again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from leerbudget.matcher.cards import SeekerCard
from leerbudget.matcher.instance import OfferedSession
from leerbudget.matcher.vocabulary import ChildAgeBand, ChildcareNeed, Party


class Breach(NamedTuple):
    """A hard rule that does not hold."""

    code: str
    message: str


@dataclass(slots=True)
class Room:
    """`seats` and `parties` include who was there before. `names`: the ids each seeker brings, its own included.

    `shunned`: the ids each seeker does not share a room with.
    """

    session: OfferedSession
    seats: int
    parties: dict[Party, int]
    children: dict[ChildAgeBand, int]
    names: dict[str, frozenset[str]]
    shunned: dict[str, frozenset[str]]

    @staticmethod
    def of(session: OfferedSession) -> "Room":
        """The room before anybody new is placed."""
        parties = {party: session.parties_taken.get(party, 0) for party in session.parties or {}}
        return Room(session, session.seats_taken, parties, {}, {}, {})

    def joined(self, card: SeekerCard, wish: str) -> "Room":
        """The same room with the persons of one more wish."""
        counted = dict(self.parties), dict(self.children), dict(self.names), dict(self.shunned)
        room = Room(self.session, self.seats, *counted)
        room.admit(card, wish)
        return room

    def admit(self, card: SeekerCard, wish: str) -> None:
        """Let the persons of a wish in. A family's children count once, also when two of its wishes meet here."""
        seeker, persons = card.seeker, card.goes[wish]
        if seeker.childcare_need is ChildcareNeed.NEEDS_PLACE and seeker.id not in self.names:
            for band, children in seeker.childcare.items():
                self.children[band] = self.children.get(band, 0) + children
        for person in persons:
            if person.party in self.parties:
                self.parties[person.party] += 1
        self.seats += len(persons)
        self.names[seeker.id] = self.names.get(seeker.id, frozenset()).union([p.id for p in persons], (seeker.id,))
        self.shunned[seeker.id] = card.shunned

    def breaches(self) -> Iterator[Breach]:
        """Rules about everybody placed in one session; nothing to say when nobody is."""
        if not self.names:
            return
        session = self.session
        if self.seats > session.seats_max:
            yield Breach("capacity", f"{self.seats} people, {session.seats_max} seats")
        if self.seats < session.seats_min:
            yield Breach("minimum", f"{self.seats} people, the minimum is {session.seats_min}")
        yield from self._party_breaches()
        for band, needed in self.children.items():
            places = session.childcare_places.get(band, 0)
            if needed > places:
                yield Breach("childcare", f"{needed} children of {band}, {places} places")
        yield from self._company()

    def runs(self) -> bool:
        """Whether the session meets its minimum and, for a dialogue, the rules about parties."""
        return self.seats >= self.session.seats_min and next(self._party_breaches(), None) is None

    def _party_breaches(self) -> Iterator[Breach]:
        for party, (least, most) in (self.session.parties or {}).items():
            if self.parties[party] > most:
                yield Breach("party_max", f"{self.parties[party]} of {party}, at most {most}")
            if self.parties[party] < least:
                yield Breach("party_min", f"{self.parties[party]} of {party}, at least {least}")
        if self.parties and self.session.party_spread_max is not None:
            spread = max(self.parties.values()) - min(self.parties.values())
            if spread > self.session.party_spread_max:
                yield Breach("party_spread", f"the parties differ by {spread}, at most {self.session.party_spread_max}")

    def _company(self) -> Iterator[Breach]:
        """The message names nobody: who avoids whom is for no one to read (R66)."""
        here, avoided = set().union(*self.names.values()), set().union(*self.shunned.values())
        if here.isdisjoint(avoided):
            return
        for one, other in combinations(self.names, 2):
            if self.shunned[one] & self.names[other] or self.shunned[other] & self.names[one]:
                yield Breach("not_together", "two seekers in this session may not be together")
