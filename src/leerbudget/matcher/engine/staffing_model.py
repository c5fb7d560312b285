"""Staffing as an integer program: who leads which session.

Columns: one per candidate (0 or 1), then per trainer the points for an even load and for the wished minimum.
The rule about spread looks at who could take over what, so its rows (`spread_rows`) are added only where a
proposal breaks it: every round of rows is a tighter program, and the bound of each holds.
"""

from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.engine.inequalities import Inequalities, Reals
from leerbudget.matcher.staffing_arrays import ROLES, Pairs, StaffArrays, Whole
from leerbudget.matcher.staffing_points import ALL_EVEN, QUARTERS

EVEN_SCALE = 1000.0
"""The rows about even loads are divided by this, so that no row has far larger numbers than the others."""


@dataclass(frozen=True, slots=True)
class StaffProgram:
    """Objective and bounds per column; `trainers`: who has a column for even loads, `hopeful` for the minimum."""

    arrays: StaffArrays
    trainers: Whole
    hopeful: Whole
    objective: Reals
    least: Reals
    most: Reals
    rows: Inequalities
    lazy: slice
    """Rows about clashes: thousands, of which few matter; a relaxation starts without them."""


def program_of(arrays: StaffArrays) -> StaffProgram:
    """The program without the rule about spread."""
    table, weights = arrays.table, arrays.weights
    trainers = np.unique(table.trainer)
    hopeful = trainers[arrays.least[trainers] > 0]
    place = np.array([weights[role] for role in ROLES])[table.role]
    rows = Inequalities()
    _places(rows, arrays)
    _loads(rows, arrays, trainers)
    first = rows.count
    rows.add_groups(cliques(arrays.clashes))
    lazy = slice(first, rows.count)
    i, j = arrays.apart
    rows.add(np.tile(np.arange(len(i)), 2), np.concatenate([i, j]), np.ones(2 * len(i)), np.ones(len(i)))
    _leaders(rows, arrays)
    _evenness(rows, arrays, trainers)
    _minimum(rows, arrays, trainers, hopeful)
    extra = len(trainers) + len(hopeful)
    return StaffProgram(
        arrays,
        trainers,
        hopeful,
        objective=np.concatenate([table.points + place, np.ones(extra)]).astype(float),
        least=np.concatenate([table.fixed, np.zeros(extra)]).astype(float),
        most=np.concatenate(
            [
                np.ones(len(table)),
                np.full(len(trainers), weights["even"]),
                np.full(len(hopeful), weights["wished_load"]),
            ]
        ).astype(float),
        rows=rows,
        lazy=lazy,
    )


def _places(rows: Inequalities, arrays: StaffArrays) -> None:
    table = arrays.table
    code, row = np.unique(table.role * arrays.places.shape[1] + table.session, return_inverse=True)
    rows.add(row, np.arange(len(table)), np.ones(len(table)), arrays.places.ravel()[code].astype(float))


def _loads(rows: Inequalities, arrays: StaffArrays, trainers: Whole) -> None:
    table = arrays.table
    row = np.searchsorted(trainers, table.trainer)
    rows.add(row, np.arange(len(table)), table.load.astype(float), arrays.most[trainers].astype(float))


def _leaders(rows: Inequalities, arrays: StaffArrays) -> None:
    """Co-trainers only where somebody leads; those people confirmed are exempt."""
    table = arrays.table
    asks = (arrays.places[0] > 0) & (arrays.places[1] > 0)
    sessions = np.unique(table.session[asks[table.session] & (table.role == 1) & ~table.fixed])
    picked = np.flatnonzero(np.isin(table.session, sessions) & ~((table.role == 1) & table.fixed))
    row = np.searchsorted(sessions, table.session[picked])
    leads = -arrays.places[1][table.session[picked]]
    value = np.where(table.role[picked] == 1, 1, leads).astype(float)
    rows.add(row, picked, value, np.zeros(len(sessions)))


def _evenness(rows: Inequalities, arrays: StaffArrays, trainers: Whole) -> None:
    """Points of a trainer stay under each of the lines that together bend with the load."""
    table, weight = arrays.table, arrays.weights["even"]
    owner = np.searchsorted(trainers, table.trainer)
    own = np.arange(len(trainers))
    for slope, start in QUARTERS:
        row = np.concatenate([own, owner])
        column = np.concatenate([len(table) + own, np.arange(len(table))])
        value = np.concatenate([np.full(len(own), float(ALL_EVEN)), -float(weight * slope) * table.share])
        rows.add(row, column, value / EVEN_SCALE, np.full(len(own), float(weight * start)) / EVEN_SCALE)


def _minimum(rows: Inequalities, arrays: StaffArrays, trainers: Whole, hopeful: Whole) -> None:
    table, weight = arrays.table, arrays.weights["wished_load"]
    mine = np.flatnonzero(np.isin(table.trainer, hopeful))
    own = np.arange(len(hopeful))
    row = np.concatenate([own, np.searchsorted(hopeful, table.trainer[mine])])
    column = np.concatenate([len(table) + len(trainers) + own, mine])
    value = np.concatenate([arrays.least[hopeful], -weight * table.load[mine]]).astype(float)
    rows.add(row, column, value, np.zeros(len(hopeful)))


def cliques(pairs: Pairs) -> list[list[int]]:
    """Groups of which at most one can be chosen, together covering all pairs: tighter than pair by pair."""
    near: dict[int, set[int]] = {}
    for i, j in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True):
        near.setdefault(i, set()).add(j)
        near.setdefault(j, set()).add(i)
    covered: set[tuple[int, int]] = set()
    groups: list[list[int]] = []
    for i in sorted(near):
        for j in sorted(near[i]):
            if i < j and (i, j) not in covered:
                group = [i, j]
                common = near[i] & near[j]
                while common:
                    one = min(common)
                    group.append(one)
                    common &= near[one]
                group.sort()
                covered.update((a, b) for at, a in enumerate(group) for b in group[at + 1 :])
                groups.append(group)
    return groups
