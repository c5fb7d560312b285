"""The seeker's own order of wishes: the first wish counts most."""

import numpy as np

from leerbudget.matcher.criteria.criterion import Case, Criterion, Facts, Whole

PERCENT_BY_RANK = np.array([0, 100, 75, 55, 40, 30, 20, 10])
ORDINALS_NL = {1: "eerste", 2: "tweede", 3: "derde"}


def points(facts: Facts, weight: int) -> Whole:
    """The whole weight for the first wish, then 75, 55, 40, 30, 20 and 10 percent."""
    percent = PERCENT_BY_RANK[np.minimum(facts.rank, len(PERCENT_BY_RANK) - 1)]
    shared: Whole = percent * weight // 100
    return shared


def sentence(case: Case) -> str:
    """Which wish it fulfils."""
    if case.rank in ORDINALS_NL:
        return f"Dit is uw {ORDINALS_NL[case.rank]} wens."
    return f"Dit is wens nummer {case.rank} op uw lijst."


CRITERION = Criterion("wish_rank", "Uw volgorde van wensen", 100, points, sentence)
