# ruff: noqa: INP001 (a folder of commands, not a package)
"""One run of a way of placing that does not weigh everybody against everybody (`leerbudget.matcher.baselines`).

Usage: python benchmarks/solve_baseline.py INSTANCE FACTS.json OUTCOME.json --way first_come|deferred [--seed 1]
"""

import argparse
import json
import time
from pathlib import Path

from leerbudget.matcher.audit import audit
from leerbudget.matcher.baselines import WAYS
from leerbudget.matcher.instance import to_json
from rounds import read_round


def main() -> None:
    """Place, audit and write the facts."""
    parser = argparse.ArgumentParser(description="One measured run of a baseline.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("facts", type=Path)
    parser.add_argument("outcome", type=Path)
    parser.add_argument("--way", choices=sorted(WAYS), required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    instance = read_round(options.instance)
    outcome = WAYS[options.way](instance, options.seed)
    answer_seconds = round(time.perf_counter() - began, 3)
    options.outcome.write_bytes(to_json(outcome))
    facts = {"score": outcome.score, "answer_seconds": answer_seconds, "sound": not audit(instance, outcome)}
    options.facts.write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
