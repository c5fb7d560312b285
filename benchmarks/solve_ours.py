# ruff: noqa: INP001 (a folder of commands, not a package)
"""One run of the engine, from reading the file to the audited outcome, with what was known at every moment.

Usage: python benchmarks/solve_ours.py INSTANCE FACTS.json OUTCOME.json --seconds 60 [--gap 0] [--workers 2] [--seed 1]
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from leerbudget.matcher.audit import audit
from leerbudget.matcher.instance import to_json
from leerbudget.matcher.solving import Limits, solve
from rounds import read_round


class Recorder:
    """Remembers, each time the engine reports, the elapsed and processor seconds with the best score and bound so far."""

    def __init__(self) -> None:
        """The clocks start here."""
        self.began = time.perf_counter()
        self.cpu_began = time.process_time()
        self.moments: list[tuple[float, float, int, int]] = []

    def elapsed(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self.began, 3)

    def __call__(self, phase: str, seconds: float, *best: Any) -> None:  # noqa: ARG002 - the signature of a progress
        """What the engine calls; score and bound come along once there are any."""
        known = best[0] if len(best) == 1 and isinstance(best[0], tuple) else best
        if len(known) == 2 and None not in known:
            self.note(*known)

    def note(self, score: int, bound: int) -> None:
        """A moment."""
        cpu = round(time.process_time() - self.cpu_began, 3)
        self.moments.append((self.elapsed(), cpu, int(score), int(bound)))


def main() -> None:
    """Solve and write the facts."""
    options = _options()
    recorder = Recorder()
    instance = read_round(options.instance)
    read_seconds = recorder.elapsed()
    limits = Limits(seconds=options.seconds, gap=options.gap, seed=options.seed, workers=options.workers)
    outcome = solve(instance, limits, recorder)
    recorder.note(outcome.score, outcome.bound)
    solved_seconds = recorder.elapsed()
    options.outcome.write_bytes(to_json(outcome))
    facts = {
        "score": outcome.score,
        "bound": outcome.bound,
        "phases": {"read": read_seconds} | outcome.seconds,
        "answer_seconds": solved_seconds,
        "sound": not audit(instance, outcome),
        "moments": recorder.moments,
    }
    options.facts.write_text(json.dumps(facts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One measured run of the engine.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("facts", type=Path)
    parser.add_argument("outcome", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--gap", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
