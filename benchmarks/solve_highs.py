# ruff: noqa: INP001 (a folder of commands, not a package)
"""HiGHS alone on the matrix of a round: its linear program, or the whole numbers too. Never beside OR-Tools.

Usage: python benchmarks/solve_highs.py MATRIX.npz FACTS.json --seconds 300 [--whole]
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import highspy
import numpy as np

GAP = 1e-4


def main() -> None:
    """Solve with HiGHS as it comes, but for the time limit and the gap, and write the facts."""
    parser = argparse.ArgumentParser(description="One measured run of HiGHS.")
    parser.add_argument("matrix", type=Path)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the signature of HiGHS
    solver.setOptionValue("time_limit", options.seconds)
    solver.setOptionValue("mip_rel_gap", GAP)
    solver.passModel(_model(options.matrix, whole=options.whole))
    began = time.perf_counter()
    solver.run()
    facts = {"answer_seconds": round(time.perf_counter() - began, 3)} | _found(solver, whole=options.whole)
    options.facts.write_text(json.dumps(facts))


def _model(file: Path, *, whole: bool) -> Any:
    with np.load(file) as held:
        given = dict(held)
    size = len(given["objective"])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = size, len(given["lower"])
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = given["objective"]
    model.col_lower_, model.col_upper_ = given["least"], np.ones(size)
    model.row_lower_ = np.nan_to_num(given["lower"], neginf=-highspy.kHighsInf)
    model.row_upper_ = np.nan_to_num(given["upper"], posinf=highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = given["starts"]
    model.a_matrix_.index_ = given["columns"]
    model.a_matrix_.value_ = given["factors"].astype(float)
    if whole:
        model.integrality_ = [highspy.HighsVarType.kInteger] * size
    return model


def _found(solver: Any, *, whole: bool) -> dict[str, Any]:
    """Score and bound, as far as there are any; the value of the linear program is a bound."""
    info = solver.getInfo()
    finished = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    found: dict[str, Any] = {"finished": finished}
    if not whole:
        return found | ({"bound": round(info.objective_function_value, 3)} if finished else {})
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        found["score"] = round(info.objective_function_value)
    if math.isfinite(info.mip_dual_bound):
        found["bound"] = round(info.mip_dual_bound, 3)
    return found


if __name__ == "__main__":
    main()
