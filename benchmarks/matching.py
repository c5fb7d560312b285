# ruff: noqa: INP001, T201 (a folder of commands that print, not a package)
"""The matcher measured: time, memory, score, bound and gap, beside other solvers and what families do today.

Every run has a process of its own. The results go to benchmarks/results/, the tables of docs/benchmarks.md and its
plot are written from there.

Usage: python benchmarks/matching.py [--full] [--sizes 500x60,5000x600] [--seeds 1,2] [--contention 0.2,0.6]
                                     [--wishes 2.2] [--solvers ours,highs_lp] [--limit-seconds 60] [--keep] [--no-report]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import machine
import report
from plan import CONTENTION, GAP_ASKED, OURS, SIZES, SOLVERS, WISHES_MEAN, Task, everything, tasks
from process import Spent, measured

HERE = Path(__file__).resolve().parent
GRACE_SECONDS = 240.0
"""Reading, explaining and auditing come on top of a solver's own limit."""
WARM = Task(*SIZES[1], seed=99, contention=CONTENTION, wishes_mean=WISHES_MEAN, solver="ours", seconds=8.0)
"""One run that is not measured, so that no measured run compiles loops (they are kept afterwards)."""


class Workshop:
    """The folder with the generated rounds, their matrices and the outcomes."""

    def __init__(self, folder: Path) -> None:
        """An empty folder."""
        self.folder = folder
        self.known: dict[str, dict[str, Any]] = {}

    def instance(self, task: Task) -> Path:
        """The round of a task, generated when it is first needed."""
        file = self.folder / f"{task.name}.json.gz"
        if not file.exists():
            words = [sys.executable, "-m", "leerbudget", "match", "generate", *task.words, "--out", str(file)]
            subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - our own command line
        return file

    def sizes(self, task: Task) -> dict[str, Any]:
        """Seekers, wishes and candidates of a round; rows and nonzeros once the matrix was needed."""
        wanted = task.solver.startswith("highs")
        if task.name not in self.known or (wanted and not self.matrix(task).exists()):
            words = [str(self.instance(task)), str(self.folder / "sizes.json")]
            words += [str(self.matrix(task))] if wanted else []
            needed(measured(HERE / "matrix.py", *words, seconds=900))
            self.known[task.name] = json.loads((self.folder / "sizes.json").read_text())
        return self.known[task.name]

    def matrix(self, task: Task) -> Path:
        """Where the integer program of a round is written."""
        return self.folder / f"{task.name}.npz"

    def run(self, task: Task) -> dict[str, Any]:
        """Run a solver on a round: what it cost and what it found."""
        sizes = self.sizes(task)
        facts, outcome = self.folder / "facts.json", self.folder / "outcome.json"
        for file in (facts, outcome):
            file.unlink(missing_ok=True)
        spent = self._spent(task, facts, outcome)
        row = asdict(task) | sizes | {"families": task.families} | asdict(spent)
        if facts.exists():
            row |= json.loads(facts.read_text())
        if outcome.exists():
            effects = self.folder / "effects.json"
            needed(measured(HERE / "effects.py", str(self.instance(task)), str(outcome), str(effects), seconds=900))
            row["effects"] = json.loads(effects.read_text())
        return row

    def _spent(self, task: Task, facts: Path, outcome: Path) -> Spent:
        instance, limit = str(self.instance(task)), ["--seconds", str(task.seconds)]
        scripts = {
            "first_come": ("solve_baseline.py", [instance, str(facts), str(outcome), "--way", "first_come"]),
            "deferred": ("solve_baseline.py", [instance, str(facts), str(outcome), "--way", "deferred"]),
            "cp_sat": ("solve_cp_sat.py", [instance, str(facts), *limit]),
            "highs_lp": ("solve_highs.py", [str(self.matrix(task)), str(facts), *limit]),
            "highs_mip": ("solve_highs.py", [str(self.matrix(task)), str(facts), *limit, "--whole"]),
            "ours": ("solve_ours.py", [instance, str(facts), str(outcome), *limit]),
        } | {
            name: ("solve_ours.py", [instance, str(facts), str(outcome), *limit, "--gap", str(gap)])
            for name, gap in GAP_ASKED.items()
        }
        script, words = scripts[task.solver]
        return measured(HERE / script, *words, seconds=task.seconds + GRACE_SECONDS)


def needed(spent: Spent) -> None:
    """Without this step there is nothing to measure.

    Raises:
        SystemExit: it did not end well; carries what it said.
    """
    if spent.status != "done":
        raise SystemExit(f"{spent.status}: {spent.told}")


def main() -> None:
    """Measure, keep the results, and write the tables."""
    options = _options()
    planned = everything() if options.full else _asked(options)
    rows: list[dict[str, Any]] = []
    run = machine.description()
    with tempfile.TemporaryDirectory(prefix="leerbudget-bench-") as folder:
        workshop = Workshop(Path(folder))
        if any(task.solver in OURS for task in planned):
            workshop.run(WARM)
        for task in planned:
            rows.append({"run": run} | workshop.run(task))
            print(report.line(rows[-1]), flush=True)
            report.keep(rows, keep_others=options.keep)
    if not options.no_report:
        report.write()


def _asked(options: argparse.Namespace) -> list[Task]:
    return tasks(
        *(options.sizes, options.seeds, options.contention, options.solvers),
        wishes_mean=options.wishes,
        limit_seconds=options.limit_seconds,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The matcher beside other solvers.")
    parser.add_argument("--full", action="store_true", help="every size, seed and solver of plan.py (about two hours)")
    parser.add_argument("--sizes", type=_sizes, default=SIZES[:2])
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[1])
    parser.add_argument("--contention", type=lambda text: [float(w) for w in text.split(",")], default=[CONTENTION])
    parser.add_argument("--wishes", type=float, default=WISHES_MEAN, help="mean number per family")
    parser.add_argument("--solvers", type=_solvers, default=SOLVERS)
    parser.add_argument("--limit-seconds", type=float, help="for every solver; otherwise by size (plan.py)")
    parser.add_argument("--keep", action="store_true", help="keep earlier results of other rounds and solvers")
    parser.add_argument("--no-report", action="store_true", help="leave docs/benchmarks.md as it is")
    return parser.parse_args()


def _sizes(text: str) -> list[tuple[int, int]]:
    return [(int(families), int(sessions)) for families, sessions in (word.split("x") for word in text.split(","))]


def _solvers(text: str) -> Sequence[str]:
    named = text.split(",")
    if unknown := set(named) - set(SOLVERS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SOLVERS)}")
    return named


if __name__ == "__main__":
    main()
