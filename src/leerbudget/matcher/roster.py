"""Who sits where, one candidate at a time, with every rule about several placements.

For the baselines: plain Python on lists. Rules about one placement alone are already in the candidate table,
and which two candidates exclude each other is asked once, in bulk. Fixed placements stand from the start and
are never taken out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import PARTIES, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable
from leerbudget.matcher.engine.conflicts import company_pairs, exclusive_pairs
from leerbudget.matcher.engine.money import payer_masks, shortage
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import OfferedSession

NONE: frozenset[int] = frozenset()
Parties = list[tuple[int, int, int, int]]
"""Of a dialogue: row of the party, least, most, and how many were there before."""


@dataclass(frozen=True, slots=True)
class Book:
    """A candidate table and its instance as plain lists, for decisions one at a time.

    `payers`: per candidate the budgets that may pay, as bits. `clashes`: per candidate those of the same seeker
    that it cannot have as well; `apart`: those of others that may not be in the same room.
    """

    arrays: Arrays
    table: CandidateTable
    seeker: list[int]
    wish: list[int]
    session: list[int]
    persons: list[int]
    cents: list[int]
    payers: list[int]
    score: list[int]
    most: list[int]
    purses: list[list[int]]
    own: list[int]
    voices: list[list[int]]
    children: list[list[int]]
    places: list[list[int]]
    parties: list[Parties]
    clashes: dict[int, set[int]]
    apart: dict[int, set[int]]
    fixed: list[int]

    @staticmethod
    def of(arrays: Arrays, table: CandidateTable) -> "Book":
        """The book of a candidate table."""
        seekers, wishes, sessions = arrays.seekers, arrays.wishes, arrays.sessions
        return Book(
            arrays=arrays,
            table=table,
            seeker=table.seeker.tolist(),
            wish=table.wish.tolist(),
            session=table.session.tolist(),
            persons=table.persons.tolist(),
            cents=table.cents.tolist(),
            payers=payer_masks(arrays, table).tolist(),
            score=table.score.tolist(),
            most=_most(arrays, table),
            purses=seekers.budget_cents.tolist(),
            own=seekers.own_cents.tolist(),
            voices=wishes.party_counts.tolist(),
            children=seekers.childcare.tolist(),
            places=sessions.childcare.tolist(),
            parties=[_parties(offered) for offered in arrays.instance.sessions],
            clashes=_both_ways(exclusive_pairs(arrays, table)),
            apart=_both_ways(company_pairs(arrays, table)),
            fixed=_fixed(arrays, table),
        )

    def by_seeker(self) -> dict[int, list[int]]:
        """Candidates that are worth something, per seeker, best first; the first in the table at equal points."""
        groups: dict[int, list[int]] = {}
        for row, seeker in enumerate(self.seeker):
            if self.score[row] >= 0:
                groups.setdefault(seeker, []).append(row)
        for rows in groups.values():
            rows.sort(key=lambda row: -self.score[row])
        return groups


def _most(arrays: Arrays, table: CandidateTable) -> list[int]:
    """Per seeker its maximum, or the number of its wishes that have a candidate."""
    wishes = np.bincount(arrays.wishes.seeker[np.unique(table.wish)], minlength=len(arrays.seekers.ids))
    most: list[int] = np.minimum(arrays.seekers.placements_max, wishes).tolist()
    return most


def _parties(offered: OfferedSession) -> Parties:
    return [
        (PARTIES[party], least, most, offered.parties_taken.get(party, 0))
        for party, (least, most) in (offered.parties or {}).items()
    ]


def _both_ways(pairs: tuple[Whole, Whole]) -> dict[int, set[int]]:
    partners: dict[int, set[int]] = {}
    for one, other in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True):
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    return partners


def _fixed(arrays: Arrays, table: CandidateTable) -> list[int]:
    wanted = {
        (arrays.wishes.row[seeker, wish], arrays.sessions.row[session])
        for seeker, wish, session in arrays.instance.fixed
    }
    if not wanted:
        return []
    pairs = zip(table.wish.tolist(), table.session.tolist(), strict=True)
    return [row for row, pair in enumerate(pairs) if pair in wanted]


class Roster:
    """Chosen candidates. `kept` ones stay whatever happens: the fixed ones, and who completes their groups."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.kept: set[int] = set()
        self.closed: set[int] = set()
        self.of_seeker: dict[int, list[int]] = {}
        self.of_session: dict[int, list[int]] = {}
        self.seats: list[int] = book.arrays.sessions.seats_taken.tolist()
        self._least: list[int] = book.arrays.sessions.seats_min.tolist()
        self._most: list[int] = book.arrays.sessions.seats_max.tolist()
        for row in book.fixed:
            self.add(row)
            self.kept.add(row)

    def add(self, row: int) -> None:
        """Choose a candidate; the caller asked `suits` and `admits` first, or it is fixed."""
        book = self.book
        self.of_seeker.setdefault(book.seeker[row], []).append(row)
        self.of_session.setdefault(book.session[row], []).append(row)
        self.seats[book.session[row]] += book.persons[row]

    def remove(self, row: int) -> None:
        """Take a candidate out again."""
        book = self.book
        self.of_seeker[book.seeker[row]].remove(row)
        self.of_session[book.session[row]].remove(row)
        self.seats[book.session[row]] -= book.persons[row]

    def rows(self) -> list[int]:
        """The chosen candidates in the order of the table."""
        return sorted(row for rows in self.of_session.values() for row in rows)

    def suits(self, row: int, mine: Sequence[int]) -> bool:
        """Whether the seeker can have this beside what it has: its maximum, its week, its courses, its money."""
        book = self.book
        if len(mine) >= book.most[book.seeker[row]]:
            return False
        if not mine:
            return True
        book, clashes = self.book, self.book.clashes.get(row, NONE)
        if any(book.wish[row] == book.wish[other] or other in clashes for other in mine):
            return False
        return self._payable([*mine, row])

    def _payable(self, rows: Sequence[int]) -> bool:
        book, seeker = self.book, self.book.seeker[rows[0]]
        bills = [(book.cents[row], book.payers[row]) for row in rows if book.cents[row]]
        return shortage(bills, book.purses[seeker]) <= book.own[seeker]

    def admits(self, row: int) -> bool:
        """Whether the session has room: seats, the party's maximum, places for the children, and the company."""
        book, session = self.book, self.book.session[row]
        if session in self.closed or self.seats[session] + book.persons[row] > self._most[session]:
            return False
        return self._party_has_room(row) and self._children_have_room(row) and self._company_is_fine(row)

    def _party_has_room(self, row: int) -> bool:
        session = self.book.session[row]
        if not self.book.parties[session]:
            return True
        brings = self.book.voices[self.book.wish[row]]
        return all(
            not brings[party] or self._present(session, party) + taken + brings[party] <= most
            for party, _, most, taken in self.book.parties[session]
        )

    def _present(self, session: int, party: int) -> int:
        book = self.book
        return sum(book.voices[book.wish[row]][party] for row in self.of_session.get(session, ()))

    def _children_have_room(self, row: int) -> bool:
        """A family's children are counted once in a session."""
        book, session = self.book, self.book.session[row]
        if not any(book.children[book.seeker[row]]):
            return True
        families = {book.seeker[other] for other in self.of_session.get(session, ())} | {book.seeker[row]}
        needed = [sum(counts) for counts in zip(*(book.children[family] for family in families), strict=True)]
        return all(count <= places for count, places in zip(needed, book.places[session], strict=True))

    def _company_is_fine(self, row: int) -> bool:
        apart = self.book.apart.get(row, NONE)
        return apart.isdisjoint(self.of_session.get(self.book.session[row], ()))

    def lacks(self, session: int) -> int:
        """How many people this session is away from running: its minimum, the parties' minimums and their spread."""
        short = max(0, self._least[session] - self.seats[session])
        parties = self.book.parties[session]
        if not parties:
            return short
        counts = [taken + self._present(session, party) for party, _, _, taken in parties]
        short += sum(max(0, least - count) for (_, least, _, _), count in zip(parties, counts, strict=True))
        allowed = self.book.arrays.instance.sessions[session].party_spread_max
        return short if allowed is None else short + max(0, max(counts) - min(counts) - allowed)

    def incomplete(self) -> list[int]:
        """Sessions with people in them that do not run."""
        return sorted(session for session, rows in self.of_session.items() if rows and self.lacks(session))

    def complete_fixed(self, order: Iterable[int]) -> None:
        """Let groups with fixed people run: whoever comes first in this order and brings the group nearer to it.

        Raises:
            InstanceRefused: a group with fixed people still does not run.
        """
        waiting = set(self.incomplete())
        hopeful = [row for row in order if self.book.session[row] in waiting] if waiting else []
        while any(self._brings_nearer(row) for row in hopeful if row not in self.kept):
            pass
        if self.incomplete():
            raise InstanceRefused("$.fixed", "this way of placing cannot complete the groups of what is fixed")

    def _brings_nearer(self, row: int) -> bool:
        """Add and keep the candidate if it fits and its group then lacks less."""
        session = self.book.session[row]
        before = self.lacks(session)
        if not before or not self.suits(row, self.of_seeker.get(self.book.seeker[row], [])) or not self.admits(row):
            return False
        self.add(row)
        if self.lacks(session) < before:
            self.kept.add(row)
            return True
        self.remove(row)
        return False

    def cancel(self, session: int) -> None:
        """Send home everybody; of a group with fixed people only the last who came, until it runs."""
        keeps = any(row in self.kept for row in self.of_session[session])
        for row in [row for row in reversed(self.of_session[session]) if row not in self.kept]:
            if keeps and not self.lacks(session):
                return
            self.remove(row)


def best_by_itself(book: Book) -> int:
    """A bound anybody can check: every seeker its best sessions, as if it were alone in the world."""
    best: dict[int, dict[int, int]] = {}
    for seeker, wish, score in zip(book.seeker, book.wish, book.score, strict=True):
        mine = best.setdefault(seeker, {})
        mine[wish] = max(mine.get(wish, score), score)
    bonus = book.arrays.seekers.bonus.tolist()
    return sum(max(0, _bundle(list(mine.values()), book.most[u], bonus[u])) for u, mine in best.items())


def _bundle(scores: list[int], most: int, bonus: int) -> int:
    """The best first placement with its bonus, and what further ones add."""
    if most == 0:
        return 0
    first, *others = sorted(scores, reverse=True)
    return bonus + first + sum(max(0, score) for score in others[: most - 1])
