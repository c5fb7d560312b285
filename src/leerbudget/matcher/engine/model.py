"""One integer program for the whole round.

Variables: one per candidate; one per seeker with several wishes (served at least once); one per session
with a minimum or parties (it runs). Rules become rows only where they can bite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from leerbudget.matcher.arrays import PARTIES, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable, PairFacts
from leerbudget.matcher.engine.conflicts import company_pairs, exclusive_pairs
from leerbudget.matcher.engine.money import cents_in, inside, payer_masks, unions

INFINITY = np.inf
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Problem:
    """A candidate table with what excludes what and who can pay what; `fixed` are candidate rows."""

    arrays: Arrays
    table: CandidateTable
    exclusive: tuple[Whole, Whole]
    company: tuple[Whole, Whole]
    payers: Whole
    fixed: Whole


@dataclass(frozen=True, slots=True)
class Program:
    """max objective · v, lower <= matrix · v <= upper, v binary with `least` as lower bound.

    The first variables are the candidates, in the order of the table. Each further variable is one exactly
    when one of its `triggers` (candidates) is chosen.
    """

    objective: Reals
    least: Reals
    matrix: sparse.csr_matrix
    lower: Reals
    upper: Reals
    triggers: list[Whole]


@dataclass(slots=True)
class Rows:
    """A sparse matrix in the making."""

    rows: list[Whole] = field(default_factory=list)
    columns: list[Whole] = field(default_factory=list)
    values: list[Whole] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    candidates: int = 0
    triggers: list[Whole] = field(default_factory=list)

    def variable(self, triggers: Whole) -> int:
        """A further variable: one of these candidates is chosen."""
        self.triggers.append(triggers)
        return self.candidates + len(self.triggers) - 1

    def add(
        self, columns: Whole | Sequence[int], values: Whole | Sequence[int] | int, lower: float, upper: float
    ) -> None:
        """One row."""
        columns = np.asarray(columns, np.int64)
        self.rows.append(np.full(len(columns), len(self.lower), np.int64))
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, np.int64), len(columns)))
        self.lower.append(lower)
        self.upper.append(upper)

    def add_pairs(self, one: Whole, other: Whole, sign: int, lower: float, upper: float) -> None:
        """One row one + sign * other per pair."""
        count, first = len(one), len(self.lower)
        numbers = np.arange(first, first + count)
        self.rows += [numbers, numbers]
        self.columns += [one, other]
        self.values += [np.ones(count, np.int64), np.full(count, sign, np.int64)]
        self.lower += [lower] * count
        self.upper += [upper] * count

    def matrix(self, variables: int) -> sparse.csr_matrix:
        """The rows as one sparse matrix."""
        shape = (len(self.lower), variables)
        if not self.rows:
            return sparse.csr_matrix(shape, dtype=np.float64)
        values = np.concatenate(self.values).astype(np.float64)
        return sparse.csr_matrix((values, (np.concatenate(self.rows), np.concatenate(self.columns))), shape=shape)


def problem_of(arrays: Arrays, table: CandidateTable) -> Problem:
    """Everything the model and the plan need to know about a candidate table."""
    number = {(int(w), int(s)): row for row, (w, s) in enumerate(zip(table.wish, table.session, strict=True))}
    fixed = [
        number[arrays.wishes.row[seeker, wish], arrays.sessions.row[session]]
        for seeker, wish, session in arrays.instance.fixed
    ]
    return _problem(arrays, table, np.array(fixed, np.int64))


def problem_of_pairs(arrays: Arrays, pairs: PairFacts, fixed: Whole) -> Problem:
    """The problem of pairs that need not be candidates, sorted by wish and session; without points."""
    persons = arrays.wishes.persons[pairs.wish]
    cents = arrays.sessions.price_cents[pairs.session] * persons
    nothing = np.zeros(len(persons), np.int64)
    table = CandidateTable(
        pairs.wish, pairs.session, arrays.wishes.seeker[pairs.wish], nothing, persons, cents, nothing
    )
    return _problem(arrays, table, fixed, least=0)


def _problem(arrays: Arrays, table: CandidateTable, fixed: Whole, least: int = 2) -> Problem:
    exclusive, company = exclusive_pairs(arrays, table, least), company_pairs(arrays, table)
    return Problem(arrays, table, exclusive, company, payer_masks(arrays, table), fixed)


def program_of(problem: Problem) -> Program:
    """The integer program of a problem."""
    rows = Rows(candidates=len(problem.table))
    objective = _served(problem, rows)
    _wishes(problem, rows)
    _money(problem, rows)
    _exclusions(problem, rows)
    _parties(problem, rows, _sessions(problem, rows))
    _childcare(problem, rows)
    size = rows.candidates + len(rows.triggers)
    least, values = np.zeros(size), np.zeros(size)
    least[problem.fixed] = 1.0
    values[: len(objective)] = objective
    return Program(values, least, rows.matrix(size), np.array(rows.lower), np.array(rows.upper), rows.triggers)


def _groups(keys: Whole) -> list[tuple[int, Whole]]:
    """The rows of each key."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True)) if len(keys) else []


def _served(problem: Problem, rows: Rows) -> Reals:
    """The objective. The bonus is in the candidate itself when a seeker can have only one, else in a variable."""
    table, seekers = problem.table, problem.arrays.seekers
    points = table.score.astype(np.float64)
    bonuses: list[float] = []
    for seeker, members in _groups(table.seeker):
        bonus = float(seekers.bonus[seeker])
        wishes = len(np.unique(table.wish[members]))
        most = int(seekers.placements_max[seeker])
        if wishes > most:
            rows.add(members, 1, -INFINITY, most)
        if bonus == 0:
            continue
        if wishes == 1 or most <= 1:
            points[members] += bonus
        else:
            rows.add([*members, rows.variable(members)], [1] * len(members) + [-1], 0, INFINITY)
            bonuses.append(bonus)
    return np.concatenate([points, bonuses])


def _wishes(problem: Problem, rows: Rows) -> None:
    for _, members in _groups(problem.table.wish):
        if len(members) > 1:
            rows.add(members, 1, -INFINITY, 1)


def _money(problem: Problem, rows: Rows) -> None:
    """Hall's condition for every union of budgets that could be overspent."""
    table, seekers = problem.table, problem.arrays.seekers
    several = seekers.placements_max[table.seeker] >= 2
    priced = np.flatnonzero(several & (table.cents > 0))
    for seeker, places in _groups(table.seeker[priced]):
        members = priced[places]
        purses, own = seekers.budget_cents[seeker].tolist(), int(seekers.own_cents[seeker])
        masks = problem.payers[members]
        for union in unions(masks.tolist()):
            held = members[[inside(mask, union) for mask in masks.tolist()]]
            money = cents_in(union, purses) + own
            if _most_cents(problem, held) > money:
                scale = int(np.gcd.reduce(table.cents[held]))
                rows.add(held, table.cents[held] // scale, -INFINITY, money // scale)


def _most_cents(problem: Problem, members: Whole) -> int:
    """The dearest choice of one candidate per wish."""
    table = problem.table
    return sum(int(table.cents[members[places]].max()) for _, places in _groups(table.wish[members]))


def _exclusions(problem: Problem, rows: Rows) -> None:
    """A candidate with all candidates of one other wish that it excludes: at most one of them."""
    i, j = problem.exclusive
    wish = problem.table.wish
    for _, places in _groups(i * (len(problem.arrays.wishes.ids) + 1) + (wish[j] if len(j) else j)):
        rows.add([int(i[places[0]]), *j[places].tolist()], 1, -INFINITY, 1)
    rows.add_pairs(*problem.company, 1, -INFINITY, 1)


def _sessions(problem: Problem, rows: Rows) -> dict[int, int]:
    """Seats, and a variable for running where a session may also not run."""
    table, sessions = problem.table, problem.arrays.sessions
    runs: dict[int, int] = {}
    for session, members in _groups(table.session):
        persons = table.persons[members]
        free = int(sessions.seats_max[session] - sessions.seats_taken[session])
        needed = int(sessions.seats_min[session] - sessions.seats_taken[session])
        parties = problem.arrays.instance.sessions[session].parties
        if needed > 1 or parties is not None:
            runs[session] = rows.variable(members)
            rows.add([*members, runs[session]], [*persons, -free], -INFINITY, 0)
            rows.add([*members, runs[session]], [*persons, -needed], 0, INFINITY)
        elif int(persons.sum()) > free:
            rows.add(members, persons, -INFINITY, free)
    return runs


def _parties(problem: Problem, rows: Rows, runs: dict[int, int]) -> None:
    """Least and most of every party, and how far two parties may differ, in a dialogue that runs."""
    table = problem.table
    for session, members in _groups(table.session):
        offered = problem.arrays.instance.sessions[session]
        if offered.parties is None:
            continue
        counts = problem.arrays.wishes.party_counts[table.wish[members]]
        voices = {party: counts[:, PARTIES[party]] for party in offered.parties}
        taken = {party: offered.parties_taken.get(party, 0) for party in offered.parties}
        columns = [*members, runs[session]]
        for party, (least, most) in offered.parties.items():
            rows.add(columns, [*voices[party], taken[party] - most], -INFINITY, 0)
            rows.add(columns, [*voices[party], taken[party] - least], 0, INFINITY)
        if offered.party_spread_max is not None:
            for one in offered.parties:
                for other in offered.parties:
                    slack = offered.party_spread_max + taken[other] - taken[one]
                    if one != other:
                        rows.add(columns, [*(voices[one] - voices[other]), -slack], -INFINITY, 0)


def _childcare(problem: Problem, rows: Rows) -> None:
    """Places per age band. A family's children count once, also when two of its wishes meet in one session."""
    table, sessions = problem.table, problem.arrays.sessions
    needs = problem.arrays.seekers.childcare[table.seeker]
    for session, places in _groups(table.session[needs.any(axis=1)]):
        members = np.flatnonzero(needs.any(axis=1))[places]
        columns, children = [], []
        for _, same in _groups(table.seeker[members]):
            family = members[same]
            column = int(family[0])
            if len(family) > 1:
                column = rows.variable(family)
                rows.add_pairs(family, np.full(len(family), column), -1, -INFINITY, 0)
            columns.append(column)
            children.append(needs[family[0]])
        for band, total in enumerate(np.sum(children, axis=0).tolist()):
            room = int(sessions.childcare[session, band])
            if total > room:
                rows.add(columns, np.array(children)[:, band], -INFINITY, room)
