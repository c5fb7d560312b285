# ruff: noqa: INP001, T201 (a folder of commands that print, not a package)
"""How long making, solving and auditing a made-up instance takes, as a multiple of a fixed piece of work in the same run.

Runs the public commands, each in a process of its own, so start-up counts as it does for a user.

Usage: python benchmarks/matching.py [--families 2000] [--sessions 250] [--seed 7]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YARDSTICK_STEPS = 3_000_000


def yardstick() -> float:
    """Seconds that this machine, as busy as it is now, needs for a fixed loop."""
    began = time.perf_counter()
    total = 0
    for step in range(YARDSTICK_STEPS):
        total += step % 7
    return time.perf_counter() - began


def timed(*words: str) -> float:
    """Seconds that `leerbudget match …` takes.

    Raises:
        SystemExit: the command failed; carries what it said.
    """
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "leerbudget", "match", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"leerbudget match {words[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return time.perf_counter() - began


def main() -> None:
    """Measure the three steps and print one line each, then what the solver reached."""
    parser = argparse.ArgumentParser(description="Seconds per step of the matcher, as multiples of a fixed loop.")
    parser.add_argument("--families", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=250)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leerbudget-bench-") as folder:
        instance, outcome = Path(folder) / "instance.json.gz", Path(folder) / "outcome.json"
        size = ["--families", str(options.families), "--sessions", str(options.sessions), "--seed", str(options.seed)]
        steps = {
            "generate": [*size, "--out", str(instance)],
            "solve": [str(instance), "--out", str(outcome), "--seed", str(options.seed)],
            "audit": [str(instance), str(outcome)],
        }
        for step, words in steps.items():
            unit, seconds = yardstick(), timed(step, *words)
            print(f"match {step:9} {seconds:7.2f} s  {seconds / unit:7.1f} x the fixed loop")
        found = json.loads(outcome.read_text())
        print(
            f"{len(found['placements'])} placements, score {found['score']}, bound {found['bound']}, gap {found['gap']:.4%}"
        )


if __name__ == "__main__":
    main()
