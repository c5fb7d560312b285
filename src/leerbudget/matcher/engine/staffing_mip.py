"""Hands a part of the staffing program to OR-Tools as one sparse matrix: whole numbers to SCIP, prices to GLOP."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.linear_solver.python import model_builder_helper as helper
from scipy.sparse import csr_array

from leerbudget.matcher.engine.inequalities import Reals
from leerbudget.matcher.engine.mip import run

SOLVERS = ("scip", "sat")
WHOLE = True
DETERMINISTIC = "randomization/randomseedshift = {seed}\nlimits/gap = {gap}\n"
QUICK = "limits/nodes = {nodes}\nseparating/maxroundsroot = 5\nseparating/maxrounds = 0\n"
"""For neighbourhoods: few cuts find the same rosters in a third of the time (measured)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Maximise `objective` with `least` <= x <= `most` and `matrix` x <= `upper`; the first `whole` columns are whole."""

    objective: Reals
    least: Reals
    most: Reals
    matrix: csr_array
    upper: Reals
    whole: int


@dataclass(frozen=True, slots=True)
class Level:
    """The best values found (None: none in time) and the proven bound (None: nothing proven)."""

    values: Reals | None
    bound: float | None


@dataclass(frozen=True, slots=True)
class Prices:
    """Without whole numbers: `level` per column, `worth` per column at the row prices, and a bound that they prove."""

    level: Reals
    worth: Reals
    bound: float


def solve(part: Part, seconds: float, *, seed: int, gap: float = 0.0, nodes: int | None = None) -> Level:
    """Solve in whole numbers. With `nodes` the answer does not depend on how fast the machine is.

    Raises:
        KeyboardInterrupt: somebody interrupted; the solver was stopped first.
    """
    name = next(name for name in SOLVERS if helper.ModelSolverHelper(name).solver_is_supported())
    solver = helper.ModelSolverHelper(name)
    if name == "scip":
        limit = "" if nodes is None else QUICK.format(nodes=nodes)
        solver.set_solver_specific_parameters(DETERMINISTIC.format(seed=seed, gap=gap) + limit)
    run(solver, _model(part), seconds)
    values = np.asarray(solver.variable_values()) if solver.has_solution() else None
    bound = solver.best_objective_bound() if solver.has_response() else math.inf
    return Level(values, bound if math.isfinite(bound) else None)


def relax(part: Part, seconds: float) -> Prices | None:
    """Solve without whole numbers; None when the time was too short.

    The bound is worked out again from the row prices, so that it holds whatever the solver's tolerance.

    Raises:
        KeyboardInterrupt: somebody interrupted; the solver was stopped first.
    """
    solver = helper.ModelSolverHelper("glop")
    solver.set_solver_specific_parameters("use_dual_simplex: true")
    run(solver, _model(part), seconds)
    if solver.status() != helper.SolveStatus.OPTIMAL:
        return None
    price = np.maximum(np.asarray(solver.dual_values()), 0.0)
    worth = part.objective - part.matrix.T @ price
    bound = float(price @ part.upper + np.maximum(worth * part.most, worth * part.least).sum())
    return Prices(np.asarray(solver.variable_values()), worth, bound)


def _model(part: Part) -> Any:
    model: Any = helper.ModelBuilderHelper()
    lowest = np.full(len(part.upper), -np.inf)
    model.fill_model_from_sparse_data(part.least, part.most, part.objective, lowest, part.upper, part.matrix)
    for column in range(part.whole):
        model.set_var_integrality(column, WHOLE)
    model.set_maximize(WHOLE)
    return model
