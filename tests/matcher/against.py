"""One random round, solved by the engine and by the exact reference: what must hold between the two."""

from collections import Counter
from random import Random

from leerbudget.matcher.audit import audit
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.solving import Limits, solve
from matcher.exact import optimum
from matcher.middling import a_middling_instance

LIMITS = Limits(seconds=20, gap=0.0, seed=1)


def a_round(seed):
    """The round of a seed, always the same one."""
    return a_middling_instance(Random(seed))  # noqa: S311 - made-up data, not secrets


def compared(seed, limits=LIMITS):
    """What happened, as counts; an assertion fails when the engine is wrong about this round."""
    instance = a_round(seed)
    best = optimum(instance)
    if best is None:
        _refused(instance, limits, seed)
        return Counter(impossible=1)
    outcome = solve(instance, limits)
    assert audit(instance, outcome) == [], seed
    assert outcome.score <= best.score <= outcome.bound, seed
    assert (outcome.gap == 0) == (outcome.score == outcome.bound), seed
    proven = outcome.certificate is not None
    if outcome.certificate is not None:
        assert best.score <= outcome.certificate.bound, seed
    return Counter(
        solved=1,
        closed=outcome.gap == 0,
        optimal=outcome.score == best.score,
        certified=proven,
        several=len(outcome.placements) >= 4,
        bonus=outcome.score > sum(placement.score for placement in outcome.placements),
    )


def _refused(instance, limits, seed):
    try:
        solve(instance, limits)
    except InstanceRefused:
        return
    raise AssertionError(f"round {seed}: what is fixed cannot be completed, and the engine found an outcome")
