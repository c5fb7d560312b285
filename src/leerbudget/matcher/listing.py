"""The candidate table as columns to write: ids, points and facts, one row per candidate."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leerbudget.geography.travel import MODES
from leerbudget.matcher.arrays import Arrays
from leerbudget.matcher.candidates import CandidateTable, pair_facts

COLUMNS = ("seeker", "wish", "session", "score", "persons", "cents", "travel_mode", "travel_minutes")


def listing(arrays: Arrays, table: CandidateTable) -> Mapping[str, Sequence[Any] | np.ndarray[Any, Any]]:
    """The columns of `COLUMNS`. Online: mode `online`, 0 minutes. `cents`: price times persons."""
    pairs = pair_facts(arrays, table.wish, table.session)
    modes = np.array([*MODES, "online"])
    return {
        "seeker": np.array(arrays.seekers.ids, str)[table.seeker],
        "wish": np.array(arrays.wishes.ids, str)[pairs.wish],
        "session": np.array(arrays.sessions.ids, str)[pairs.session],
        "score": table.score,
        "persons": table.persons,
        "cents": table.cents,
        "travel_mode": modes[pairs.mode],
        "travel_minutes": np.maximum(0, pairs.minutes),
    }
