"""In which orders the events of a story are told: every one when there are few, or as many by a fixed seed as the scale asks."""

import itertools
import math
import random

import scale


def some_orders(events, seed=7):
    """Orders of the events, each another one: all when there are at most `scale.PERMUTATIONS`, else so many by chance."""
    events = list(events)
    if math.factorial(len(events)) <= scale.PERMUTATIONS:
        return [list(order) for order in itertools.permutations(events)]
    chance, places, found = random.Random(seed), list(range(len(events))), {}  # noqa: S311 - an order, not a secret
    while len(found) < scale.PERMUTATIONS:
        chance.shuffle(places)
        found.setdefault(tuple(places), [events[place] for place in places])
    return list(found.values())


def with_duplicates(order, chance, doubles=2):
    """The events in this order, some of them (by chance, perhaps the same) told once more at a later moment."""
    told = list(order)
    for event in chance.choices(order, k=doubles) if order else []:
        told.insert(chance.randint(told.index(event) + 1, len(told)), event)
    return told
