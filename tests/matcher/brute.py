"""The optimum of a tiny instance by trying everything, with the audit's rules and none of the engine."""

from itertools import combinations, product

from leerbudget.matcher.audit import facts_of
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import score, weights_of
from leerbudget.matcher.hard_rules import Placed, Rulebook, by_session


def optimum(instance):
    """The highest score any outcome can have, or None when what is fixed cannot be completed."""
    rules, weights = Rulebook.of(instance), weights_of(instance)
    fixed = {Placed(*triple) for triple in instance.fixed}
    choices = [_bundles(rules, seeker, weights, fixed) for seeker in instance.seekers]
    best = None
    for plan in product(*choices):
        placements = [placed for bundle, _ in plan for placed in bundle]
        total = sum(points for _, points in plan)
        if (best is None or total > best) and _sound(rules, placements):
            best = total
    return best


def _sound(rules, placements):
    return not any(list(rules.of_session(s, group)) for s, group in by_session(placements).items())


def _bundles(rules, seeker, weights, fixed):
    """All sets of placements one seeker could have by itself, with their points."""
    single = [
        placed
        for wish in seeker.wishes
        for session in rules.sessions
        if not list(rules.of_placement(placed := Placed(seeker.id, wish.id, session)))
    ]
    points = dict(zip(single, score(facts_of(rules, single), weights).tolist(), strict=True))
    if rules.given is not None:
        points = {placed: rules.given[placed] for placed in single}
    mine = {placed for placed in fixed if placed.seeker == seeker.id}
    bundles = []
    for size in range(len(seeker.wishes) + 1):
        for bundle in combinations(single, size):
            if mine <= set(bundle) and not list(rules.of_seeker(seeker.id, list(bundle))):
                bonus = first_placement.bonus(seeker, weights) if bundle else 0
                bundles.append((bundle, bonus + sum(points[placed] for placed in bundle)))
    return bundles
