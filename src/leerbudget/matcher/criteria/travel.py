"""The less of the seeker's own travel limit is used, the better."""

import numpy as np

from leerbudget.matcher.criteria.criterion import PERMILLE, Case, Criterion, Facts, Whole
from leerbudget.matcher.vocabulary import TRAVEL_NL

ONLINE_PERMILLE = 500
"""Online costs no travel, but it is accepted rather than wished: half the weight (R42: no silent substitute)."""


def points(facts: Facts, weight: int) -> Whole:
    """The unused share of the travel limit; half the weight online."""
    unused: Whole = np.where(facts.online == 1, ONLINE_PERMILLE, PERMILLE - facts.travel_share)
    return unused * weight // PERMILLE


def sentence(case: Case) -> str:
    """About how long the way is, and the limit that was set."""
    if case.online or case.mode is None:
        return "Het is online: u hoeft niet te reizen."
    return f"Ongeveer {case.minutes} minuten reizen {TRAVEL_NL[case.mode]}; uw grens is {case.limit} minuten."


CRITERION = Criterion("travel", "Reistijd", 30, points, sentence)
