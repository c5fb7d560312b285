"""Hands an integer program to OR-Tools and brings back the best plan and the proven bound.

SCIP by default, the HiGHS that OR-Tools ships when SCIP is missing. The model goes over as one sparse
matrix; building it variable by variable would cost a hundred times as much.
"""

import math
import threading
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper as helper

from leerbudget.matcher.engine.model import Program

SOLVERS = ("scip", "highs")
POLL_SECONDS = 0.2
SECONDS_LEAST = 0.05
ROUNDING = 1e-3
"""Scores are whole; a bound this close above a whole number is that number with rounding noise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`chosen`: per variable, or None when no plan was found. `bound`: None when nothing was proven."""

    chosen: NDArray[np.bool_] | None
    bound: int | None
    impossible: bool


def solve(program: Program, seconds: float, gap: float, seed: int, stop: Event | None = None) -> Answer:
    """Solve until the gap is reached, the time is over, or `stop` is set.

    Raises:
        KeyboardInterrupt: somebody interrupted; the solver was stopped first.
    """
    if program.matrix.shape[1] == 0:
        return Answer(np.zeros(0, bool), 0, impossible=False)
    name = next(name for name in SOLVERS if helper.ModelSolverHelper(name).solver_is_supported())
    solver = helper.ModelSolverHelper(name)
    if name == "scip":
        solver.set_solver_specific_parameters(f"limits/gap = {gap}\nrandomization/randomseedshift = {seed % 2**31}\n")
    run(solver, _model(program), seconds, stop)
    if solver.status() == helper.SolveStatus.INFEASIBLE:
        return Answer(None, None, impossible=True)
    chosen = np.asarray(solver.variable_values()) > 0.5 if solver.has_solution() else None
    return Answer(chosen, _bound(solver), impossible=False)


def _model(program: Program) -> Any:
    model: Any = helper.ModelBuilderHelper()
    size = program.matrix.shape[1]
    model.fill_model_from_sparse_data(
        program.least, np.ones(size), program.objective, program.lower, program.upper, program.matrix.tocsr()
    )
    for variable in range(size):
        model.set_var_integrality(variable, True)  # noqa: FBT003 - a compiled function without names
    model.set_maximize(True)
    return model


def run(solver: helper.ModelSolverHelper, model: Any, seconds: float, stop: Event | None = None) -> None:
    """Solve in a thread, so that an interrupt reaches Python; the solver is asked to stop before it passes on.

    Raises:
        KeyboardInterrupt: somebody interrupted.
    """
    solver.set_time_limit_in_seconds(max(SECONDS_LEAST, seconds))
    thread = threading.Thread(target=solver.solve, args=(model,), daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            if stop is not None and stop.is_set():
                solver.interrupt_solve()
    except BaseException:
        solver.interrupt_solve()
        thread.join()
        raise


def _bound(solver: helper.ModelSolverHelper) -> int | None:
    if not solver.has_response():
        return None
    bound = solver.best_objective_bound()
    return math.floor(bound + ROUNDING) if math.isfinite(bound) and abs(bound) < 1e18 else None
