"""All criteria with their weights, and the score they give together.

| name | default | gives |
|---|---|---|
| wish_rank | 100 | 100, 75, 55, 40, 30, 20, 10 percent by rank |
| urgency | 60 | urgent wishes |
| travel | 30 | the unused share of the travel limit; half online |
| schedule | 10 | the share of meetings on calm days |
| family_type, care_form, child_age | 15 each | the offer is `for` this seeker |
| experience | 10 | the offer is `for` this seeker |
| form | 15 | a wished form, or no preference |
| first_placement | 500 | once per seeker who gets at least one place |
| waiting_round | 100 | added to first_placement for every round waited |

One placement has at most 270 points, so a first place (500 and more) dominates. A policy replaces any of
them by name. When the instance brings its own candidates and scores, the criteria are silent and the
bonus counts only as far as the policy sets it.
"""

import numpy as np

from leerbudget.matcher.criteria import (
    care_form,
    child_age,
    experience,
    family_type,
    first_placement,
    form,
    schedule,
    travel,
    urgency,
    wish_rank,
)
from leerbudget.matcher.criteria.criterion import Criterion, Facts, Whole
from leerbudget.matcher.instance import Instance

CRITERIA: tuple[Criterion, ...] = tuple(
    module.CRITERION
    for module in (wish_rank, urgency, travel, schedule, family_type, care_form, experience, child_age, form)
)
BONUS_DEFAULTS = {
    first_placement.NAME: first_placement.WEIGHT,
    first_placement.WAITING: first_placement.WEIGHT_PER_WAITING_ROUND,
}
DEFAULTS: dict[str, int] = {c.name: c.weight for c in CRITERIA} | BONUS_DEFAULTS


def weights_of(instance: Instance) -> dict[str, int]:
    """The weights that count in this instance: the defaults, replaced by the policy.

    Raises:
        KeyError: the policy names a weight that does not exist (`contradictions.check` refuses it earlier).
    """
    for name in instance.policy.weights:
        DEFAULTS[name]
    silent = dict.fromkeys(DEFAULTS, 0) if instance.candidates is not None else {}
    return DEFAULTS | silent | instance.policy.weights


def score(facts: Facts, weights: dict[str, int]) -> Whole:
    """The points of every row, without the bonus for a first placement."""
    total: Whole = np.zeros(len(facts.rank), np.int64)
    for criterion in CRITERIA:
        total = total + criterion.points(facts, weights[criterion.name])
    return total
