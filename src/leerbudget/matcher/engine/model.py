"""One integer program for the whole round.

Variables: one per candidate; one per seeker with several wishes (served at least once); one per session
with a minimum or parties (it runs). Rules become rows only where they can bite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from leerbudget.matcher.arrays import PARTIES, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable, rows_of
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

    def part(self, rows: Whole) -> "Problem":
        """The same with these candidate rows alone, ascending; every fixed one is among them."""
        number = np.full(len(self.table), -1)
        number[rows] = np.arange(len(rows))
        exclusive, company = _within(number, self.exclusive), _within(number, self.company)
        return Problem(self.arrays, self.table.part(rows), exclusive, company, self.payers[rows], number[self.fixed])


def _within(number: Whole, pairs: tuple[Whole, Whole]) -> tuple[Whole, Whole]:
    """The pairs of which both have a number, by their numbers."""
    one, other = number[pairs[0]], number[pairs[1]]
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


@dataclass(frozen=True, slots=True)
class Program:
    """max objective · v, lower <= matrix · v <= upper, v binary with `least` as lower bound.

    The first variables are the candidates, in the order of the table. Each further variable is one exactly
    when one of its candidates in `triggers` (variable, candidate) is chosen.
    """

    objective: Reals
    least: Reals
    matrix: sparse.csc_matrix
    lower: Reals
    upper: Reals
    triggers: sparse.csc_matrix

    def complete(self, chosen: Flags) -> Flags:
        """Values of all variables for a choice of candidates; a further variable follows from its triggers."""
        return np.concatenate([chosen, self.triggers @ chosen.astype(np.int64) > 0])

    def columns(self, rows: Whole) -> Whole:
        """These candidates, ascending, and every further variable that follows from one of them."""
        size = self.triggers.shape[1]
        return np.concatenate([rows, size + np.unique(self.triggers[:, rows].indices)])


@dataclass(slots=True)
class Rows:
    """A sparse matrix in the making: many rows at once, each entry as row, column and value."""

    candidates: int = 0
    count: int = 0
    extra: int = 0
    rows: list[Whole] = field(default_factory=list)
    columns: list[Whole] = field(default_factory=list)
    values: list[Whole] = field(default_factory=list)
    lower: list[Reals] = field(default_factory=list)
    upper: list[Reals] = field(default_factory=list)
    trigger_rows: list[Whole] = field(default_factory=list)
    trigger_columns: list[Whole] = field(default_factory=list)

    def variables(self, groups: Whole, members: Whole, count: int) -> Whole:
        """So many further variables; `groups` says for which of them each of the `members` (candidates) is a trigger."""
        names = self.candidates + self.extra + np.arange(count)
        self.trigger_rows.append(groups + self.extra)
        self.trigger_columns.append(members)
        self.extra += count
        return names

    def add(self, rows: Whole, columns: Whole, values: Whole | int, lower: Reals, upper: Reals) -> None:
        """As many rows as there are limits; `rows` counts from 0."""
        self.rows.append(rows + self.count)
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, np.int64), len(columns)))
        self.lower.append(lower)
        self.upper.append(upper)
        self.count += len(lower)

    def add_one(
        self, columns: Whole | Sequence[int], values: Whole | Sequence[int] | int, lower: float, upper: float
    ) -> None:
        """One row."""
        columns = np.asarray(columns, np.int64)
        limits = np.array([lower]), np.array([upper])
        self.add(np.zeros(len(columns), np.int64), columns, np.asarray(values, np.int64), *limits)

    def add_pairs(self, one: Whole, other: Whole, sign: int, lower: float, upper: float) -> None:
        """One row one + sign * other per pair."""
        count = len(one)
        numbers, ones = np.arange(count), np.ones(count, np.int64)
        columns, values = np.concatenate([one, other]), np.concatenate([ones, sign * ones])
        self.add(np.concatenate([numbers, numbers]), columns, values, np.full(count, lower), np.full(count, upper))

    def matrix(self) -> sparse.csc_matrix:
        """The rows as one sparse matrix."""
        shape = (self.count, self.candidates + self.extra)
        return _sparse(self.rows, self.columns, self.values, shape).tocsc()

    def triggers(self) -> sparse.csc_matrix:
        """Further variables and the candidates that make them one."""
        ones = [np.ones(len(members), np.int64) for members in self.trigger_columns]
        return _sparse(self.trigger_rows, self.trigger_columns, ones, (self.extra, self.candidates)).tocsc()


def _sparse(rows: list[Whole], columns: list[Whole], values: list[Whole], shape: tuple[int, int]) -> Any:
    if not rows:
        return sparse.coo_matrix(shape, dtype=np.float64)
    entries = np.concatenate(values).astype(np.float64), (np.concatenate(rows), np.concatenate(columns))
    return sparse.coo_matrix(entries, shape=shape)


def problem_of(arrays: Arrays, table: CandidateTable) -> Problem:
    """Everything the model and the plan need to know about a candidate table."""
    fixed = rows_of(arrays, table, arrays.instance.fixed)
    payers = payer_masks(arrays, table)
    return Problem(arrays, table, exclusive_pairs(arrays, table, payers), company_pairs(arrays, table), payers, fixed)


def program_of(problem: Problem) -> Program:
    """The integer program of a problem."""
    rows = Rows(candidates=len(problem.table))
    objective = _served(problem, rows)
    _wishes(problem, rows)
    _money(problem, rows)
    _exclusions(problem, rows)
    _parties(problem, rows, _sessions(problem, rows))
    _childcare(problem, rows)
    size = rows.candidates + rows.extra
    least, values = np.zeros(size), np.zeros(size)
    least[problem.fixed] = 1.0
    values[: len(objective)] = objective
    nothing = np.zeros(0)
    lower, upper = np.concatenate([nothing, *rows.lower]), np.concatenate([nothing, *rows.upper])
    return Program(values, least, rows.matrix(), lower, upper, rows.triggers())


def _groups(keys: Whole) -> list[tuple[int, Whole]]:
    """The rows of each key."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True)) if len(keys) else []


def _numbered(keys: Whole) -> tuple[Whole, Whole]:
    """The keys that occur, and for each entry the number of its key among them."""
    values, number = np.unique(keys, return_inverse=True)
    return values, number


def _served(problem: Problem, rows: Rows) -> Reals:
    """The objective. The bonus is in the candidate itself when a seeker can have only one, else in a variable."""
    table, seekers = problem.table, problem.arrays.seekers
    points = table.score.astype(np.float64)
    wishes = np.zeros(len(seekers.ids), np.int64)
    np.add.at(wishes, problem.arrays.wishes.seeker[np.unique(table.wish)], 1)
    several = (wishes >= 2) & (seekers.placements_max >= 2) & (seekers.bonus > 0)
    points += np.where(several[table.seeker], 0, seekers.bonus[table.seeker])
    members = np.flatnonzero((wishes > seekers.placements_max)[table.seeker])
    who, number = _numbered(table.seeker[members])
    limits = seekers.placements_max[who].astype(np.float64)
    rows.add(number, members, 1, np.full(len(who), -INFINITY), limits)
    members = np.flatnonzero(several[table.seeker])
    who, number = _numbered(table.seeker[members])
    served = rows.variables(number, members, len(who))
    count = np.arange(len(who))
    columns, values = np.concatenate([members, served]), np.repeat([1, -1], [len(members), len(who)])
    rows.add(np.concatenate([number, count]), columns, values, np.zeros(len(who)), np.full(len(who), INFINITY))
    return np.concatenate([points, seekers.bonus[who].astype(np.float64)])


def _wishes(problem: Problem, rows: Rows) -> None:
    wishes = problem.table.wish
    members = np.flatnonzero(np.bincount(wishes, minlength=1)[wishes] > 1)
    which, number = _numbered(wishes[members])
    rows.add(number, members, 1, np.full(len(which), -INFINITY), np.ones(len(which)))


def _money(problem: Problem, rows: Rows) -> None:
    """Hall's condition for every union of budgets that could be overspent."""
    table, seekers = problem.table, problem.arrays.seekers
    dearest = np.zeros(len(problem.arrays.wishes.ids), np.int64)
    np.maximum.at(dearest, table.wish, table.cents)
    total = np.bincount(problem.arrays.wishes.seeker, weights=dearest, minlength=len(seekers.ids))
    least = seekers.own_cents + np.min(seekers.budget_cents, axis=1, initial=2**40, where=seekers.budget_cents > 0)
    bites = (seekers.placements_max >= 2) & (total > np.where(least >= 2**40, seekers.own_cents, least))
    priced = np.flatnonzero(bites[table.seeker] & (table.cents > 0))
    for seeker, places in _groups(table.seeker[priced]):
        members, purses = priced[places], seekers.budget_cents[seeker].tolist()
        bills = (table.wish[members].tolist(), table.cents[members].tolist(), problem.payers[members].tolist())
        for union in unions(bills[2]):
            money = cents_in(union, purses) + int(seekers.own_cents[seeker])
            if _most_cents(union, *bills) > money:
                held = members[[inside(mask, union) for mask in bills[2]]]
                scale = int(np.gcd.reduce(table.cents[held]))
                rows.add_one(held, table.cents[held] // scale, -INFINITY, money // scale)


def _most_cents(union: int, wishes: list[int], cents: list[int], masks: list[int]) -> int:
    """The dearest choice of one candidate per wish, of those that only budgets of the union may pay."""
    dearest: dict[int, int] = {}
    for wish, due, mask in zip(wishes, cents, masks, strict=True):
        if inside(mask, union) and due > dearest.get(wish, 0):
            dearest[wish] = due
    return sum(dearest.values())


def _exclusions(problem: Problem, rows: Rows) -> None:
    """A candidate with all candidates of one other wish that it excludes: at most one of them."""
    i, j = problem.exclusive
    codes, number = _numbered(i * (len(problem.arrays.wishes.ids) + 1) + problem.table.wish[j])
    one = np.zeros(len(codes), np.int64)
    one[number] = i
    columns, values = np.concatenate([j, one]), np.ones(len(j) + len(one), np.int64)
    limits = np.full(len(codes), -INFINITY), np.ones(len(codes))
    rows.add(np.concatenate([number, np.arange(len(codes))]), columns, values, *limits)
    rows.add_pairs(*problem.company, 1, -INFINITY, 1)


def _sessions(problem: Problem, rows: Rows) -> dict[int, int]:
    """Seats, and a variable for running where a session may also not run: one for those that can be too small."""
    table, sessions = problem.table, problem.arrays.sessions
    free = sessions.seats_max - sessions.seats_taken
    needed = sessions.seats_min - sessions.seats_taken
    parties = np.array([offered.parties is not None for offered in problem.arrays.instance.sessions], bool)
    either = (needed > 1) | parties
    wanted = np.bincount(table.session, weights=table.persons, minlength=len(free))
    members = np.flatnonzero((~either & (wanted > free))[table.session])
    which, number = _numbered(table.session[members])
    rows.add(number, members, table.persons[members], np.full(len(which), -INFINITY), free[which].astype(np.float64))
    members = np.flatnonzero(either[table.session])
    which, number = _numbered(table.session[members])
    runs = rows.variables(number, members, len(which))
    numbers, columns = np.concatenate([number, np.arange(len(which))]), np.concatenate([members, runs])
    limits = np.full(len(which), -INFINITY), np.zeros(len(which))
    rows.add(numbers, columns, np.concatenate([table.persons[members], -free[which]]), *limits)
    rows.add(numbers, columns, np.concatenate([table.persons[members], -needed[which]]), limits[1], -limits[0])
    return dict(zip(which.tolist(), runs.tolist(), strict=True))


def _parties(problem: Problem, rows: Rows, runs: dict[int, int]) -> None:
    """Least and most of every party, and how far two parties may differ, in a dialogue that runs."""
    table = problem.table
    invited = np.array([offered.parties is not None for offered in problem.arrays.instance.sessions], bool)
    rows_of = np.flatnonzero(invited[table.session])
    for session, places in _groups(table.session[rows_of]):
        members, offered = rows_of[places], problem.arrays.instance.sessions[session]
        assert offered.parties is not None  # noqa: S101 - chosen above
        counts = problem.arrays.wishes.party_counts[table.wish[members]]
        voices = {party: counts[:, PARTIES[party]] for party in offered.parties}
        taken = {party: offered.parties_taken.get(party, 0) for party in offered.parties}
        columns = [*members, runs[session]]
        for party, (least, most) in offered.parties.items():
            rows.add_one(columns, [*voices[party], taken[party] - most], -INFINITY, 0)
            rows.add_one(columns, [*voices[party], taken[party] - least], 0, INFINITY)
        if offered.party_spread_max is not None:
            for one in offered.parties:
                for other in offered.parties:
                    slack = offered.party_spread_max + taken[other] - taken[one]
                    if one != other:
                        rows.add_one(columns, [*(voices[one] - voices[other]), -slack], -INFINITY, 0)


def _childcare(problem: Problem, rows: Rows) -> None:
    """Places per age band. A family's children count once, also when two of its wishes meet in one session."""
    table, sessions = problem.table, problem.arrays.sessions
    needs = problem.arrays.seekers.childcare[table.seeker]
    needing = np.flatnonzero(needs.any(axis=1))
    for session, places in _groups(table.session[needing]):
        members = needing[places]
        columns, children = [], []
        for _, same in _groups(table.seeker[members]):
            family = members[same]
            column = int(family[0])
            if len(family) > 1:
                column = int(rows.variables(np.zeros(len(family), np.int64), family, 1)[0])
                rows.add_pairs(family, np.full(len(family), column), -1, -INFINITY, 0)
            columns.append(column)
            children.append(needs[family[0]])
        for band, total in enumerate(np.sum(children, axis=0).tolist()):
            room = int(sessions.childcare[session, band])
            if total > room:
                rows.add_one(columns, np.array(children)[:, band], -INFINITY, room)
