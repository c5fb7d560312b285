"""The search for a roster with OR-Tools: small questions exactly, national ones by neighbourhoods.

A small program goes to SCIP whole, again with rows about spread where its answer breaks that rule. A large one
is relaxed by GLOP (clashes added as they are broken), which gives the bound and the worth of every candidate;
then neighbourhoods of a dozen trainers who could do each other's sessions are solved by SCIP, over and over.
Both keep the best roster at every moment. Sub-searches stop by nodes, so that a seed means one answer.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from leerbudget.matcher.engine.inequalities import Inequalities, Reals
from leerbudget.matcher.engine.mip import ROUNDING
from leerbudget.matcher.engine.staffing_mip import Part, relax, solve
from leerbudget.matcher.engine.staffing_model import StaffProgram, program_of
from leerbudget.matcher.engine.staffing_roster import Roster
from leerbudget.matcher.staffing_arrays import StaffArrays, Whole
from leerbudget.matcher.staffing_points import ALL_EVEN, QUARTERS, WHOLE_LOAD

EXACT_COLUMNS_MAX = 1_200
"""Up to here SCIP closes most programs within seconds."""
RELAX_ROUNDS = 5
RELAX_GAIN = 1.5e-4
"""A round of clash rows that tightens the bound by a smaller share is the last."""
BROKEN = 1e-3
GROUP = 12
"""Trainers in a neighbourhood."""
DEPTH = 200.0
"""Candidates worth so many points less than their places cost stay out of neighbourhoods."""
NODES = 1
"""The root alone finds the same rosters as a whole tree in a fifth of the time (measured)."""
HOOD_SECONDS = 10.0
HOOD_GAP = 1e-6
OPEN_FIRST = 0.7
"""Share of neighbourhoods around a place that is still open."""
KEEP_EVERY = 100
"""Gains after which the spread is evened out and the roster kept."""
STALE_ROUNDS = 300
"""So many neighbourhoods without any gain end the search."""

Lap = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StaffFound:
    """The chosen candidates, their score, and what no roster can exceed."""

    rows: list[int]
    score: int
    bound: int


def search(arrays: StaffArrays, seconds: float, gap: float, seed: int, *, spread: int, lap: Lap) -> StaffFound:
    """The best roster within the limits; `spread`: how far behind nobody may stay, hundredths of a percent.

    An interrupt ends the search with the best roster so far.
    """
    ends = time.perf_counter() + seconds
    if len(arrays.table) == 0:
        return StaffFound([], 0, 0)
    hunt = Hunt(arrays, ends, gap, seed, spread)
    lap("program")
    try:
        if hunt.size <= EXACT_COLUMNS_MAX:
            hunt.exact()
        else:
            hunt.by_neighbourhoods(lap)
    except KeyboardInterrupt:
        pass
    hunt.keep(sorted(hunt.working))
    lap("search")
    return StaffFound(hunt.best, hunt.score, hunt.bound)


class Hunt:
    """One search: the program as matrices, the best roster and bound so far, and the roster being worked on.

    The working roster does not look at the spread; `keep` evens it out.
    """

    def __init__(self, arrays: StaffArrays, ends: float, gap: float, seed: int, spread: int) -> None:
        """Begins with what is fixed, and the bound of filling every place in the best way."""
        self.program: StaffProgram = program_of(arrays)
        self.roster = Roster.of(arrays)
        self.ends, self.gap, self.seed, self.spread = ends, gap, seed, spread
        self.size = len(arrays.table)
        self.upper: Reals = np.concatenate(self.program.rows.limits)
        self.matrix: csr_array = self.program.rows.matrix(len(self.program.objective))
        self.bound = _bound_of_places(self.program)
        self.best: list[int] = []
        self.score = -1
        self.working: set[int] = set()
        self.keep([])

    def left(self) -> float:
        """Seconds left."""
        return self.ends - time.perf_counter()

    def keep(self, rows: list[int]) -> None:
        """Fill and even out what these rows give, and keep the roster when it is the best so far."""
        self.roster.refill(rows)
        self.working = set(self.roster.chosen)
        self.roster.complete(self.spread)
        score = self.roster.score()
        if score > self.score:
            self.best, self.score = sorted(self.roster.chosen), score

    def lower(self, bound: float | None) -> None:
        """Take over a bound when it is tighter."""
        if bound is not None:
            self.bound = min(self.bound, math.floor(bound + ROUNDING))

    def part(self, rows: Whole) -> Part:
        """The program with some of its rows."""
        p = self.program
        return Part(p.objective, p.least, p.most, self.matrix[rows], self.upper[rows], len(p.objective))

    # --- small: the whole program, with rows about spread as they are needed

    def exact(self) -> None:
        """Solve the whole program until its answer keeps the spread too; then it is proven optimal."""
        p, added = self.program, Inequalities()
        matrix, upper = self.matrix, self.upper
        while self.left() > 0:
            whole = len(p.objective)
            level = solve(Part(p.objective, p.least, p.most, matrix, upper, whole), self.left(), seed=self.seed)
            self.lower(level.bound)
            if level.values is None:
                return
            rows = np.flatnonzero(level.values[: self.size] > 0.5).tolist()
            self.roster.refill(rows)
            broken = list(self.roster.takeovers(self.spread))
            self.keep(rows)
            if not broken or self.bound <= self.score:
                return
            for takeover in broken:
                self._forbid(added, takeover.of, takeover.to)
            matrix = csr_array(vstack([self.matrix, added.matrix(whole)]))
            upper = np.concatenate([self.upper, *added.limits])

    def _forbid(self, rows: Inequalities, of: int, to: int) -> None:
        """With `of` chosen and nothing in the way of `to`, its trainer may not stay too far behind."""
        table = self.program.arrays.table
        bearable = self.spread + int(table.share[to])
        room = max(0, WHOLE_LOAD - bearable)
        value = np.where(table.trainer == table.trainer[of], table.share, 0)
        value -= np.where(table.trainer == table.trainer[to], table.share, 0)
        value[of] += room
        value[self.roster.blockers(to, of)] -= room
        used = np.flatnonzero(value)
        rows.add(np.zeros(len(used), np.int64), used, value[used].astype(float), np.array([float(bearable + room)]))

    # --- large: a relaxation for the bound, neighbourhoods for the roster

    def by_neighbourhoods(self, lap: Lap) -> None:
        """Bound and start by relaxation, then improve until the gap is reached, nothing helps or time is up."""
        level, worth = self._relaxed()
        lap("bound")
        self.keep(np.lexsort((-worth, -np.round(level, 6))).tolist())
        lap("start")
        hoods = Neighbourhoods(self, worth)
        stale = 0
        while stale < STALE_ROUNDS and self.left() > 0 and not self._close():
            stale = 0 if hoods.improve() else stale + 1

    def _close(self) -> bool:
        return self.bound - self.score <= self.gap * max(1, abs(self.score))

    def _relaxed(self) -> tuple[Reals, Reals]:
        """Level and worth of every candidate without whole numbers; rows about clashes join as they are broken."""
        used = np.ones(len(self.upper), bool)
        used[self.program.lazy] = False
        level, worth = np.zeros(self.size), self.program.objective[: self.size]
        for _ in range(RELAX_ROUNDS):
            before, prices = self.bound, relax(self.part(np.flatnonzero(used)), self.left())
            if prices is None:
                break
            self.lower(prices.bound)
            level, worth = prices.level[: self.size], prices.worth[: self.size]
            broken = (self.matrix @ prices.level > self.upper + BROKEN) & ~used
            if not broken.any() or before - self.bound < RELAX_GAIN * abs(self.bound):
                break
            used |= broken
        return level, worth


class Neighbourhoods:
    """Parts of the roster that are solved again: a dozen trainers who could do each other's sessions."""

    def __init__(self, hunt: Hunt, worth: Reals) -> None:
        """`worth` decides which candidates are worth another look."""
        self.hunt, self.program = hunt, hunt.program
        self.table = hunt.program.arrays.table
        self.dice = Random(hunt.seed)  # noqa: S311 - repeatable on purpose, no secret
        self.columns = csc_array(hunt.matrix)
        self.promising = worth > -DEPTH
        self.could = self._could()
        self.values = np.zeros(len(self.program.objective))
        self.values[sorted(hunt.working)] = 1.0
        self._fill_extras()
        self.gains = 0

    def _could(self) -> csr_array:
        """Which trainers (rows) could take which places (columns), the promising candidates only."""
        table, place = self.table, self.hunt.roster.place
        rows = np.flatnonzero(self.promising)
        shape = (int(table.trainer.max()) + 1, self.program.arrays.places.size)
        return csr_array((np.ones(len(rows)), (table.trainer[rows], place[rows])), shape=shape)

    def improve(self) -> bool:
        """Solve one neighbourhood again; whether the roster got better."""
        part, columns = self._part(self._group())
        seconds = min(HOOD_SECONDS, self.hunt.left())
        level = solve(part, seconds, seed=self.hunt.seed, gap=HOOD_GAP, nodes=NODES)
        if level.values is None:
            return False
        values = level.values.copy()
        values[: part.whole] = np.round(values[: part.whole])
        if part.objective @ values <= part.objective @ self.values[columns] + 0.5:
            return False
        self.values[columns] = values
        self.gains += 1
        self.hunt.working = set(np.flatnonzero(self.values[: self.hunt.size] > 0.5).tolist())
        if self.gains % KEEP_EVERY == 0:
            self.hunt.keep(sorted(self.hunt.working))
        return True

    def _group(self) -> Whole:
        """Trainers around a place that is still open, or any place, and who could take over what those have."""
        table, size = self.table, self.hunt.size
        chosen = self.values[:size] > 0.5
        place = self.hunt.roster.place
        taken = np.bincount(place[chosen], minlength=self.program.arrays.places.size)
        still = np.flatnonzero((taken < self.program.arrays.places.ravel())[place] & self.promising)
        around_open = len(still) > 0 and self.dice.random() < OPEN_FIRST
        middle = int(still[self.dice.randrange(len(still))]) if around_open else self.dice.randrange(size)
        asked = np.unique(table.trainer[(place == place[middle]) & self.promising]).tolist()
        group = list(dict.fromkeys([int(table.trainer[middle]), *self.dice.sample(asked, min(len(asked), GROUP - 1))]))
        while len(group) < GROUP:
            held = np.bincount(place[chosen & np.isin(table.trainer, group)], minlength=self.could.shape[1])
            near = self.could @ held.astype(float)
            near[group] = 0.0
            near *= np.array([0.5 + self.dice.random() for _ in range(len(near))])
            others = np.argsort(-near, kind="stable")[: max(1, min(GROUP // 4, GROUP - len(group)))]
            if near[others[0]] <= 0:
                break
            group += others[near[others] > 0].tolist()
        return np.unique(group)

    def _part(self, group: Whole) -> tuple[Part, Whole]:
        """The program of these trainers with everybody else as they are."""
        p, size = self.program, self.hunt.size
        chosen = self.values[:size] > 0.5
        mine = np.isin(self.table.trainer, group)
        place = self.hunt.roster.place
        held = np.bincount(place[chosen & ~mine], minlength=p.arrays.places.size)
        within = mine & (chosen | (self.promising & (held < p.arrays.places.ravel())[place]))
        extras = np.concatenate([np.isin(p.trainers, group), np.isin(p.hopeful, group)])
        columns = np.flatnonzero(np.concatenate([within, extras]))
        others = self.values.copy()
        others[columns] = 0.0
        rest = self.hunt.upper - self.hunt.matrix @ others
        matrix = csr_array(self.columns[:, columns])
        most = matrix.copy()
        most.data = np.maximum(most.data, 0.0)
        binding = np.flatnonzero(most @ p.most[columns] > rest + 1e-9)
        whole = int(within.sum())
        return Part(
            p.objective[columns], p.least[columns], p.most[columns], matrix[binding], rest[binding], whole
        ), columns

    def _fill_extras(self) -> None:
        """The points per trainer that the start gives."""
        p, table, size = self.program, self.table, self.hunt.size
        chosen = self.values[:size]
        relative = np.bincount(table.trainer, table.share * chosen)
        load = np.bincount(table.trainer, table.load * chosen)
        even = np.min([(slope * relative + start) / ALL_EVEN for slope, start in QUARTERS], axis=0)
        weights, least = p.arrays.weights, p.arrays.least[p.hopeful]
        self.values[size : size + len(p.trainers)] = weights["even"] * np.minimum(even, 1.0)[p.trainers]
        self.values[size + len(p.trainers) :] = weights["wished_load"] * np.minimum(load[p.hopeful] / least, 1.0)


def _bound_of_places(program: StaffProgram) -> int:
    """Every place filled by its best candidates, every trainer with all points: never below any roster."""
    arrays, size = program.arrays, len(program.arrays.table)
    code = arrays.table.role * arrays.places.shape[1] + arrays.table.session
    order = np.lexsort((-program.objective[:size], code))
    first = np.searchsorted(code[order], code[order])
    counted = np.arange(size) - first < arrays.places.ravel()[code[order]]
    return int(program.objective[order][counted].sum() + program.most[size:].sum())
