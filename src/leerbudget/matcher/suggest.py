"""The answer for one late-comer: which sessions fit now, by the same rules and the same points as a round.

`Catalogue` is made once; a question then takes milliseconds. Seats, childcare places and parties are as the
sessions say (`seats_taken`), plus an outcome's placements when there is one. The table of candidates finds
what is possible, the rulebook has the last word on every one of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from leerbudget.matcher.arrays import Arrays, SessionArrays, arrays_of, session_arrays
from leerbudget.matcher.candidates import CandidateTable, candidates_of
from leerbudget.matcher.explain import placement_reasons
from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook, by_seeker, by_session
from leerbudget.matcher.instance import Instance, Seeker
from leerbudget.matcher.outcome import Outcome, Reason
from leerbudget.matcher.rooms import Room

Given = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An instance with its sessions ready for many questions, and who already has a place.

    `rooms`: the sessions in which somebody is placed. `forbidden` and `given`: by seeker.
    """

    instance: Instance
    sessions: SessionArrays
    rules: Rulebook
    of_seeker: dict[str, list[Placed]]
    rooms: dict[str, Room]
    forbidden: dict[str, list[tuple[str, str]]]
    given: dict[str, list[Given]]

    @staticmethod
    def of(instance: Instance, outcome: Outcome | None = None) -> "Catalogue":
        """The catalogue of an instance; with an outcome (one that the audit accepts) its placements hold their seats."""
        placed = [] if outcome is None else [Placed(p.seeker, p.wish, p.session) for p in outcome.placements]
        rules = Rulebook.of(instance)
        forbidden: dict[str, list[tuple[str, str]]] = {}
        for pair in instance.forbidden:
            forbidden.setdefault(pair[0], []).append(pair)
        given: dict[str, list[Given]] = {}
        for candidate in instance.candidates or ():
            given.setdefault(candidate[0], []).append(candidate)
        return Catalogue(
            instance,
            session_arrays(instance.sessions),
            rules,
            by_seeker(placed),
            {session: rules.room(session, group) for session, group in by_session(placed).items()},
            forbidden,
            given,
        )

    def alone(self, seeker: Seeker) -> Instance:
        """The same round, had it been for this seeker only."""
        return msgspec.structs.replace(
            self.instance,
            seekers=[seeker],
            fixed=[],
            forbidden=self.forbidden.get(seeker.id, []),
            candidates=None if self.instance.candidates is None else self._given_to(seeker),
        )

    def _given_to(self, seeker: Seeker) -> list[Given]:
        wishes = {wish.id for wish in seeker.wishes}
        return [candidate for candidate in self.given.get(seeker.id, ()) if candidate[1] in wishes]

    def with_one_more(self, placed: Placed) -> Room | None:
        """The room with this placement beside everybody who has one; None when a rule forbids it.

        A group that is still too small is fine.
        """
        mine = self.of_seeker.get(placed.seeker, [])
        if next(self.rules.of_seeker(placed.seeker, [*mine, placed]), None) is not None:
            return None
        there = self.rooms.get(placed.session) or Room.of(self.rules.sessions[placed.session])
        room = there.joined(self.rules.cards[placed.seeker], placed.wish)
        return room if all(breach.code in NEEDS_COMPANY for breach in room.breaches()) else None


class Suggestion(msgspec.Struct, frozen=True):
    """A session that one wish could have now. `runs`: with this seeker it reaches its minimum."""

    wish: str
    session: str
    score: int
    runs: bool
    seats_left: int
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class _Option:
    """A candidate for which there is room, by its row in the table."""

    row: int
    placed: Placed
    score: int
    runs: bool
    seats_left: int


def suggest(catalogue: Catalogue, seeker: str, most: int = 10) -> list[Suggestion]:
    """The best sessions for a seeker's wishes that have no place yet, best first; at most so many per wish.

    A session that still waits for its minimum is suggested as well, after those that run.

    Raises:
        KeyError: there is no such seeker.
    """
    stated = catalogue.rules.seekers[seeker]
    mine = catalogue.of_seeker.get(seeker, [])
    served = {placed.wish for placed in mine}
    wishes = [wish for wish in stated.wishes if wish.id not in served]
    if not wishes or len(mine) >= min(stated.max_placements, catalogue.instance.policy.max_placements):
        return []
    arrays = arrays_of(catalogue.alone(msgspec.structs.replace(stated, wishes=wishes)), catalogue.sessions)
    table = candidates_of(arrays)
    options = _best(_options(catalogue, arrays, table), most)
    reasons = placement_reasons(arrays, table, [option.row for option in options], first=False)
    return [
        Suggestion(o.placed.wish, o.placed.session, o.score, o.runs, o.seats_left, told)
        for o, told in zip(options, reasons, strict=True)
    ]


def _options(catalogue: Catalogue, arrays: Arrays, table: CandidateTable) -> list[_Option]:
    found = []
    columns = zip(table.wish.tolist(), table.session.tolist(), table.score.tolist(), strict=True)
    for row, (wish, session, score) in enumerate(columns):
        placed = Placed(arrays.seekers.ids[0], arrays.wishes.ids[wish], arrays.sessions.ids[session])
        room = catalogue.with_one_more(placed)
        if room is not None:
            found.append(_Option(row, placed, score, room.runs(), room.session.seats_max - room.seats))
    return found


def _best(options: Iterable[_Option], most: int) -> Sequence[_Option]:
    """The first so many per wish: those that run before those that wait, then the best score."""
    per_wish: dict[str, int] = {}
    kept = []
    for option in sorted(options, key=lambda o: (not o.runs, -o.score, o.placed.wish, o.placed.session)):
        per_wish[option.placed.wish] = per_wish.get(option.placed.wish, 0) + 1
        if per_wish[option.placed.wish] <= most:
            kept.append(option)
    return kept
