"""Rows of a linear program in the making, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from leerbudget.matcher.arrays import Whole

Reals = NDArray[np.float64]


@dataclass(slots=True)
class Inequalities:
    """Sums of value times variable, each at most its limit."""

    rows: list[Whole] = field(default_factory=list)
    columns: list[Whole] = field(default_factory=list)
    values: list[Reals] = field(default_factory=list)
    limits: list[Reals] = field(default_factory=list)
    count: int = 0

    def add(self, rows: Whole, columns: Whole, values: Whole | Reals, limits: Whole | Reals) -> slice:
        """As many rows as limits, numbered from 0 here; where they stand."""
        self.rows.append(rows + self.count)
        self.columns.append(columns)
        self.values.append(values.astype(np.float64))
        self.limits.append(limits.astype(np.float64))
        self.count += len(limits)
        return slice(self.count - len(limits), self.count)

    def add_groups(self, groups: Sequence[Sequence[int]]) -> None:
        """At most one of each group."""
        row = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        column = np.array([one for group in groups for one in group], np.int64)
        self.add(row, column, np.ones(len(column)), np.ones(len(groups)))

    def matrix(self, variables: int) -> csr_array:
        """All rows as one sparse matrix."""
        where = np.concatenate(self.rows), np.concatenate(self.columns)
        return csr_array((np.concatenate(self.values), where), shape=(self.count, variables))
