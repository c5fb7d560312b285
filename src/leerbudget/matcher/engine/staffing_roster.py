"""A roster that keeps every hard rule at each step, and the moves that bring its spread within bounds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from leerbudget.matcher.staffing_arrays import ROLES, StaffArrays, Whole
from leerbudget.matcher.staffing_points import ALL_EVEN, QUARTERS


class Takeover(NamedTuple):
    """Candidate `to` could replace the chosen `of` and its trainer would still be `behind` the other."""

    of: int
    to: int
    behind: int


@dataclass(slots=True)
class Roster:
    """Chosen candidates; counts per place, load and relative load per trainer. Make one with `of`."""

    arrays: StaffArrays
    near: list[list[int]]
    place: Whole
    at_place: dict[int, list[int]]
    chosen: set[int] = field(default_factory=set)
    taken: dict[int, int] = field(default_factory=dict)
    load: dict[int, int] = field(default_factory=dict)
    relative: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(arrays: StaffArrays) -> "Roster":
        """A roster with only what is fixed."""
        table = arrays.table
        near: list[list[int]] = [[] for _ in range(len(table))]
        for i, j in (arrays.clashes, arrays.apart):
            for one, other in zip(i.tolist(), j.tolist(), strict=True):
                near[one].append(other)
                near[other].append(one)
        place = table.role * arrays.places.shape[1] + table.session
        at_place: dict[int, list[int]] = {}
        for row, code in enumerate(place.tolist()):
            at_place.setdefault(code, []).append(row)
        roster = Roster(arrays, near, place, at_place)
        roster.refill([])
        return roster

    def refill(self, rows: Iterable[int]) -> None:
        """What is fixed, then these rows in their order as far as the rules allow, leaders first."""
        self.hold(np.flatnonzero(self.arrays.table.fixed).tolist())
        wanted = list(rows)
        role = self.arrays.table.role
        for row in [*(r for r in wanted if role[r] == 0), *(r for r in wanted if role[r] != 0)]:
            if self.fits(row):
                self._add(row)

    def hold(self, rows: Iterable[int]) -> None:
        """Exactly these rows, which are known to keep the rules."""
        self.chosen, self.taken, self.load, self.relative = set(), {}, {}, {}
        for row in rows:
            self._add(row)

    def _add(self, row: int, sign: int = 1) -> None:
        table = self.arrays.table
        place, trainer = int(self.place[row]), int(table.trainer[row])
        self.taken[place] = self.taken.get(place, 0) + sign
        self.load[trainer] = self.load.get(trainer, 0) + sign * int(table.load[row])
        self.relative[trainer] = self.relative.get(trainer, 0) + sign * int(table.share[row])
        if sign > 0:
            self.chosen.add(row)
        else:
            self.chosen.remove(row)

    def fits(self, row: int) -> bool:
        """Whether this candidate can be added without taking anything from anybody."""
        table, place = self.arrays.table, int(self.place[row])
        session = int(table.session[row])
        if row in self.chosen or self.taken.get(place, 0) >= self.arrays.places.ravel()[place]:
            return False
        if table.role[row] == 1 and self.taken.get(session, 0) < self.arrays.places[0, session]:
            return False
        return self._free(row) and not any(other in self.chosen for other in self.near[row])

    def _free(self, row: int) -> bool:
        table = self.arrays.table
        trainer = int(table.trainer[row])
        return self.load.get(trainer, 0) + int(table.load[row]) <= int(self.arrays.most[trainer])

    def score(self) -> int:
        """The score of the roster, as `staffing_points` defines it."""
        table, weights = self.arrays.table, self.arrays.weights
        rows = np.array(sorted(self.chosen), np.int64)
        place = np.array([weights[role] for role in ROLES])[table.role[rows]]
        return int((table.points[rows] + place).sum()) + sum(self.trainer_points(t) for t in self.load)

    def trainer_points(self, trainer: int) -> int:
        """Points of one trainer for the wished minimum and an even load."""
        weights, least = self.arrays.weights, int(self.arrays.least[trainer])
        load, relative = self.load.get(trainer, 0), self.relative.get(trainer, 0)
        reached = weights["wished_load"] * min(load, least) // least if least else 0
        even = min(slope * relative + start for slope, start in QUARTERS)
        return reached + weights["even"] * min(even, ALL_EVEN) // ALL_EVEN

    def takeovers(self, above: int) -> Iterator[Takeover]:
        """Every takeover that would leave its trainer more than `above` behind; nothing of what is fixed."""
        table = self.arrays.table
        trainer, share = table.trainer.tolist(), table.share.tolist()
        for row in sorted(self.chosen):
            if table.fixed[row]:
                continue
            busy = self.relative[trainer[row]]
            for other in self.at_place[int(self.place[row])]:
                behind = busy - self.relative.get(trainer[other], 0) - share[other]
                if behind > above and trainer[other] != trainer[row] and self._could_take(other, row):
                    yield Takeover(row, other, behind)

    def blockers(self, to: int, of: int) -> list[int]:
        """Candidates that would each stand in the way of `to` in place of `of`."""
        table = self.arrays.table
        replaced = table.trainer[of], table.session[of]
        return [row for row in self.near[to] if (table.trainer[row], table.session[row]) != replaced]

    def _could_take(self, to: int, of: int) -> bool:
        return self._free(to) and not any(row in self.chosen for row in self.blockers(to, of))

    def complete(self, above: int) -> None:
        """Fill what can still be filled and even out, in turns: every turn but the last fills a place."""
        self.even_out(above)
        while self._fill():
            self.even_out(above)

    def _fill(self) -> bool:
        points, filled = self.arrays.table.points, False
        for place, rows in sorted(self.at_place.items()):
            for row in sorted(rows, key=lambda row: (-points[row], row)):
                if self.taken.get(place, 0) >= self.arrays.places.ravel()[place]:
                    break
                if self.fits(row):
                    self._add(row)
                    filled = True
        return filled

    def even_out(self, above: int) -> None:
        """Move sessions to less busy trainers until nobody is too far behind; no place is given up.

        Every move makes the busiest of two less busy than before and the other not as busy as that, so
        it ends; the move that costs fewest points goes first.
        """
        points, trainer = self.arrays.table.points, self.arrays.table.trainer
        while True:
            found = sorted(self.takeovers(above), key=lambda t: (points[t.of] - points[t.to], -t.behind, t.of, t.to))
            if not found:
                return
            moved: set[int] = set()
            for takeover in found:
                pair = {int(trainer[takeover.of]), int(trainer[takeover.to])}
                if not pair & moved and takeover.of in self.chosen and self._could_take(takeover.to, takeover.of):
                    self._add(takeover.of, -1)
                    self._add(takeover.to)
                    moved |= pair
