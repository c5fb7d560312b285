"""A plan in the making that keeps every rule at each step.

It mends what a solver's answer may lack, and fills what is left: after `completed` no
single candidate can be added any more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import PARTIES, Whole
from leerbudget.matcher.candidates import roomy_beside
from leerbudget.matcher.engine.conflicts import Neighbours
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.engine.money import shortage
from leerbudget.matcher.instance import OfferedSession


@dataclass(frozen=True, slots=True)
class Board:
    """A problem as plain lists, for decisions one at a time."""

    problem: Problem
    seeker: list[int]
    wish: list[int]
    session: list[int]
    persons: list[int]
    cents: list[int]
    payers: list[int]
    score: list[int]
    bonus: list[int]
    purses: list[list[int]]
    own: list[int]
    most: list[int]
    excluded: Neighbours
    voices: list[list[int]]
    children: list[list[int]]
    offered: Sequence[OfferedSession]
    places: list[list[int]]
    session_rows: tuple[Whole, Whole]

    @staticmethod
    def of(problem: Problem) -> "Board":
        """The board of a problem."""
        arrays, table = problem.arrays, problem.table
        seekers = arrays.seekers
        return Board(
            problem=problem,
            seeker=table.seeker.tolist(),
            wish=table.wish.tolist(),
            session=table.session.tolist(),
            persons=table.persons.tolist(),
            cents=table.cents.tolist(),
            payers=problem.payers.tolist(),
            score=table.score.tolist(),
            bonus=seekers.bonus.tolist(),
            purses=seekers.budget_cents.tolist(),
            own=seekers.own_cents.tolist(),
            most=seekers.placements_max.tolist(),
            excluded=Neighbours.of(len(table), problem.exclusive, problem.company),
            voices=arrays.wishes.party_counts.tolist(),
            children=seekers.childcare.tolist(),
            offered=arrays.instance.sessions,
            places=arrays.sessions.childcare.tolist(),
            session_rows=table.by_session(len(arrays.sessions.ids)),
        )


class Plan:
    """Chosen candidates. `closed` sessions take nobody; fixed candidates are never taken out."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.chosen: set[int] = set()
        self.closed: set[int] = set()
        self.fixed = set(board.problem.fixed.tolist())
        self.of_seeker: dict[int, list[int]] = {}
        self.of_session: dict[int, list[int]] = {}
        for row in sorted(self.fixed):
            self.add(row)

    def add(self, row: int) -> None:
        """Choose a candidate; the caller asked `obstacle` first, or it is fixed."""
        self.chosen.add(row)
        self.of_seeker.setdefault(self.board.seeker[row], []).append(row)
        self.of_session.setdefault(self.board.session[row], []).append(row)

    def remove(self, row: int) -> None:
        """Take a candidate out again."""
        self.chosen.remove(row)
        self.of_seeker[self.board.seeker[row]].remove(row)
        self.of_session[self.board.session[row]].remove(row)

    def obstacle(self, row: int) -> str | None:
        """The first rule that adding this candidate would break; None when it fits."""
        return next(self.obstacles(row), None)

    def obstacles(self, row: int) -> Iterator[str]:
        """Every rule that adding this candidate would break.

        Rules that more people can still mend (minimum, a party's minimum, spread) are asked by `complete`.
        """
        board, session = self.board, self.board.session[row]
        if session in self.closed:
            yield "closed"
        mine = self.of_seeker.get(board.seeker[row], [])
        if any(board.wish[other] == board.wish[row] for other in mine):
            yield "wish_placed"
        if len(mine) >= board.most[board.seeker[row]]:
            yield "max_placements"
        if self.seats(session) + board.persons[row] > board.offered[session].seats_max:
            yield "capacity"
        if not self.chosen.isdisjoint(board.excluded[row]):
            yield self._exclusion(row)
        yield from self._crowded(row)
        if self.missing_cents(row):
            yield "money"

    def _exclusion(self, row: int) -> str:
        """Whether it is the seeker's own week that clashes, or the company."""
        board = self.board
        met = self.chosen.intersection(board.excluded[row])
        return "overlap" if any(board.seeker[other] == board.seeker[row] for other in met) else "not_together"

    def seats(self, session: int) -> int:
        """Seats in use: taken before and planned."""
        planned = sum(self.board.persons[row] for row in self.of_session.get(session, ()))
        return self.board.offered[session].seats_taken + planned

    def _crowded(self, row: int) -> Iterator[str]:
        board, session = self.board, self.board.session[row]
        offered, present = board.offered[session], self.of_session.get(session, [])
        for party, (_, most) in (offered.parties or {}).items():
            brings = board.voices[board.wish[row]][PARTIES[party]]
            if brings and self.voices(session, party) + brings > most:
                yield "party_max"
        children = board.children[board.seeker[row]]
        if any(children) and all(board.seeker[other] != board.seeker[row] for other in present):
            families = {board.seeker[other] for other in present}
            for band, needed in enumerate(children):
                if needed and sum(board.children[f][band] for f in families) + needed > board.places[session][band]:
                    yield "childcare"

    def voices(self, session: int, party: str) -> int:
        """People of a party: there before and planned."""
        offered = self.board.offered[session]
        column = next(place for name, place in PARTIES.items() if name == party)
        planned = sum(self.board.voices[self.board.wish[row]][column] for row in self.of_session.get(session, ()))
        return sum(count for name, count in offered.parties_taken.items() if name == party) + planned

    def missing_cents(self, row: int) -> int:
        """Cents the seeker lacks to pay this candidate beside what is already planned."""
        board, seeker = self.board, self.board.seeker[row]
        bills = [
            (board.cents[other], board.payers[other])
            for other in (*self.of_seeker.get(seeker, ()), row)
            if board.cents[other] > 0
        ]
        return max(0, shortage(bills, board.purses[seeker]) - board.own[seeker])

    def complete(self, session: int) -> bool:
        """Whether nobody is planned here, or the minimum and the rules about parties are met."""
        return not self.of_session.get(session) or self.runs(session)

    def runs(self, session: int) -> bool:
        """Whether the minimum and the rules about parties are met, by who was there before and who is planned."""
        offered = self.board.offered[session]
        if self.seats(session) < offered.seats_min:
            return False
        counts = {party: self.voices(session, party) for party in offered.parties or {}}
        if any(counts[party] < least for party, (least, _) in (offered.parties or {}).items()):
            return False
        spread = max(counts.values()) - min(counts.values()) if counts else 0
        return offered.party_spread_max is None or spread <= offered.party_spread_max

    def fill(self, order: Iterable[int]) -> None:
        """Add whatever fits, in this order."""
        for row in order:
            if row not in self.chosen and self.obstacle(row) is None:
                self.add(row)

    def close_incomplete(self) -> set[int]:
        """Empty and close the sessions that do not come about; the newly closed ones.

        A closed session that stays incomplete holds fixed people.
        """
        incomplete = {session for session in self.of_session if not self.complete(session)} - self.closed
        for session in incomplete:
            self.closed.add(session)
            for row in [row for row in self.of_session[session] if row not in self.fixed]:
                self.remove(row)
        return incomplete

    def possible(self) -> bool:
        """Whether every session is complete; only fixed people can prevent that."""
        return all(self.complete(session) for session in self.of_session)

    def score(self) -> int:
        """The total, bonuses included."""
        served = {self.board.seeker[row] for row in self.chosen}
        return sum(self.board.score[row] for row in self.chosen) + sum(self.board.bonus[seeker] for seeker in served)

    def extend(self, order: Sequence[int]) -> None:
        """Add whatever fits and leaves its session complete, until nothing more does."""
        self.closed.clear()
        changed = True
        while changed:
            changed = False
            for row in order:
                if row not in self.chosen and self.obstacle(row) is None:
                    self.add(row)
                    if self.complete(self.board.session[row]):
                        changed = True
                    else:
                        self.remove(row)


def mended(board: Board, *choices: Sequence[int]) -> Plan:
    """A solver's answer as a plan: what rounding let through is taken out, what still fits is added.

    Of several answers the earlier ones go first.
    """
    plan = Plan(board)
    for chosen in choices:
        plan.fill(sorted(chosen))
    plan.close_incomplete()
    return completed(plan)


def completed(plan: Plan) -> Plan:
    """The plan, filled until no candidate of positive worth can be added."""
    plan.extend(roomy(plan))
    return plan


def roomy(plan: Plan) -> list[int]:
    """Candidates whose wish is open, whose seeker may have more and whose session has the seats, best first."""
    problem = plan.board.problem
    table, arrays = problem.table, problem.arrays
    chosen = np.fromiter(plan.chosen, np.int64, len(plan.chosen))
    has = np.bincount(table.seeker[chosen], minlength=len(arrays.seekers.ids))
    rows = np.flatnonzero(roomy_beside(arrays, table, chosen) & (table.score >= 0))
    worth = table.score[rows] + np.where(has[table.seeker[rows]] == 0, arrays.seekers.bonus[table.seeker[rows]], 0)
    best_first: list[int] = rows[np.argsort(-worth, kind="stable")].tolist()
    return best_first
