# ruff: noqa: INP001 (a folder of commands, not a package)
"""Writes the integer program of a round as one sparse matrix, for a solver that cannot live beside OR-Tools.

Usage: python benchmarks/matrix.py INSTANCE FACTS.json MATRIX.npz
"""

import json
import sys
from pathlib import Path

import numpy as np

from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.engine.model import problem_of, program_of
from rounds import read_round


def main() -> None:
    """Write the matrix, or only the sizes when no file is named for it."""
    instance = read_round(Path(sys.argv[1]))
    arrays = arrays_of(instance)
    table = candidates_of(arrays)
    facts = {
        "families": len(instance.seekers),
        "sessions": len(instance.sessions),
        "wishes": sum(len(seeker.wishes) for seeker in instance.seekers),
        "candidates": len(table),
    }
    if len(sys.argv) > 3:
        program = program_of(problem_of(arrays, table))
        rows = program.matrix.tocsr()
        np.savez(
            sys.argv[3],
            objective=program.objective,
            least=program.least,
            lower=program.lower,
            upper=program.upper,
            starts=rows.indptr,
            columns=rows.indices,
            factors=rows.data,
        )
        facts |= {"rows": rows.shape[0], "columns": rows.shape[1], "nonzeros": rows.nnz}
    Path(sys.argv[2]).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
