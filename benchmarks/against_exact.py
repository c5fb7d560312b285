# ruff: noqa: INP001, T201 (a folder of commands that print, not a package)
"""Thousands of random rounds, each solved by the engine and by the exact reference of the tests.

Stops with a traceback and the seed at the first round in which the score is not the optimum though the gap is
closed, or a bound or certificate lies below the optimum. Part of `make soak`.

Usage: python benchmarks/against_exact.py [--rounds 2000] [--first 1000]
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from matcher.against import compared

REPORT_EVERY = 100


def main() -> None:
    """Compare the rounds and print what occurred."""
    parser = argparse.ArgumentParser(description="The engine against an exact model, one random round after another.")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first round; the tests use 0 to 149")
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    for number, seed in enumerate(range(options.first, options.first + options.rounds), start=1):
        try:
            seen += compared(seed)
        except Exception:
            print(f"round {seed} is wrong", file=sys.stderr)
            raise
        if number % REPORT_EVERY == 0 or number == options.rounds:
            print(
                f"{number} rounds: " + ", ".join(f"{count} {what}" for what, count in sorted(seen.items())), flush=True
            )


if __name__ == "__main__":
    main()
