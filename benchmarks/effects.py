# ruff: noqa: INP001 (a folder of commands, not a package)
"""What an outcome means for families (`leerbudget.matcher.fairness`).

Usage: python benchmarks/effects.py INSTANCE OUTCOME.json FACTS.json
"""

import json
import sys
from pathlib import Path
from typing import Any

from leerbudget.matcher.fairness import FairnessTable, fairness
from leerbudget.matcher.outcome import read_outcome
from rounds import read_round

SPREADS = {"regions": "region", "family_types": "family_type"}


def effects(table: FairnessTable) -> dict[str, Any]:
    """The line of all families, and how far groups lie apart: (difference, what a lottery would give)."""
    families = table.families
    found: dict[str, Any] = {
        "served": families.served,
        "possible": families.possible,
        "placed": families.placements,
        "mean_rank": families.mean_rank,
        "mean_minutes": families.mean_travel_minutes,
    }
    groups = {group.name: group.spread_of_possible for group in table.groups}
    for name, dimension in SPREADS.items():
        spread = groups[dimension]
        found[name] = None if spread is None else [spread.difference, spread.by_chance]
    return found


def main() -> None:
    """Write the facts."""
    table = fairness(read_round(Path(sys.argv[1])), read_outcome(Path(sys.argv[2]).read_bytes()))
    Path(sys.argv[3]).write_text(json.dumps(effects(table)))


if __name__ == "__main__":
    main()
