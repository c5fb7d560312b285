"""The engine against an exact model of its own, on rounds too large to try out: score, bound and certificate."""

from collections import Counter
from random import Random

import pytest

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import instance_from
from matcher.against import a_round, compared
from matcher.brute import optimum as tried_out
from matcher.exact import RULES, optimum
from matcher.tiny import a_random_instance

ROUNDS = 150
"""`make soak` compares thousands (benchmarks/against_exact.py)."""
TOGETHER = 15


@pytest.mark.parametrize("first", range(0, ROUNDS, TOGETHER))
def test_score_and_bound_against_the_exact_optimum(first):
    """The bound is never below the optimum, nor the score above it; a closed gap means the optimum itself."""
    seen = sum((compared(seed) for seed in range(first, first + TOGETHER)), Counter())
    assert seen["solved"] + seen["impossible"] == TOGETHER
    assert seen["closed"] >= 0.8 * seen["solved"], "otherwise the comparison of scores is empty"
    assert seen["several"] >= TOGETHER // 2
    assert seen["bonus"] > 0


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_holds_somebody_back(rule):
    """In at least one of the rounds above the optimum would be higher without this very rule."""
    for seed in range(ROUNDS):
        instance = a_round(seed)
        best, without = optimum(instance), optimum(instance, frozenset({rule}))
        if best is not None:
            assert without.score >= best.score
            if without.score > best.score:
                return
    raise AssertionError(f"no round in which {rule} matters")


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_the_reference_equals_trying_everything(first):
    """Where everything can be tried, the exact model finds the same optimum."""
    placed = 0
    for seed in range(first, first + 30):
        plain = a_random_instance(Random(seed))  # noqa: S311 - made-up data, not secrets
        try:
            instance = instance_from(plain)
        except InstanceRefused:
            instance = instance_from(plain | {"fixed": []})
        found = optimum(instance)
        assert (None if found is None else found.score) == tried_out(instance), seed
        placed += found is not None and bool(found.plan)
    assert placed >= 5
