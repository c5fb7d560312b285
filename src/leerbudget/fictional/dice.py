"""Repeatable chance: the same seed throws the same, on every machine and Python version."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Chances(Generic[T]):
    """Values with their weights, ready to be drawn from."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        """Weights need not add up to 1; a weight of 0 is never drawn."""
        self.values = [value for value, weight in weights.items() if weight > 0]
        self.bounds = list(accumulate(weight for weight in weights.values() if weight > 0))
        if not self.values:
            raise ValueError("nothing to draw from: every weight is 0")


def tilted(chances: Chances[int], mean: float) -> Chances[int]:
    """The same numbers with weights multiplied by a factor per unit such that `mean` is their mean.

    Of all distributions over these numbers with that mean it is the one nearest to the given one (least
    relative entropy; Csiszár, I-divergence geometry of probability distributions, 1975).

    Raises:
        ValueError: the mean does not lie between the lowest and the highest number.
    """
    if not min(chances.values) < mean < max(chances.values):
        raise ValueError(f"a mean between {min(chances.values)} and {max(chances.values)}, both excluded")
    bounds = [0.0, *chances.bounds]
    shares = {number: bounds[place + 1] - bounds[place] for place, number in enumerate(chances.values)}
    low, high = 1e-6, 1e6
    for _ in range(100):
        factor = (low * high) ** 0.5
        weights = {number: share * factor**number for number, share in shares.items()}
        reached = sum(number * weight for number, weight in weights.items()) / sum(weights.values())
        low, high = (factor, high) if reached < mean else (low, factor)
    return Chances(weights)


class Dice:
    """One stream of chance. Streams with other names do not disturb each other.

    Only `random()` is used: Python promises that method, and no other, the same numbers for a seed in every version.
    """

    def __init__(self, seed: int, stream: str) -> None:
        """`stream` names what is thrown for, such as "families"."""
        self._random = Random(f"leerbudget-fictional/{seed}/{stream}").random  # noqa: S311 - repeatable on purpose, no secret

    def share(self) -> float:
        """A number from 0 up to but not including 1."""
        return self._random()

    def chance(self, share: float) -> bool:
        """True in `share` (0 to 1) of the throws."""
        return self._random() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def real(self, low: float, high: float) -> float:
        """A number from `low` up to but not including `high`."""
        return low + self._random() * (high - low)

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, all equally likely."""
        return values[int(self._random() * len(values))]

    def draw(self, chances: Chances[T]) -> T:
        """One of the values, by weight."""
        position = bisect_right(chances.bounds, self._random() * chances.bounds[-1])
        return chances.values[min(position, len(chances.values) - 1)]

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """At most `count` different values, in random order."""
        return self.shuffled(values)[:count]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """All values in random order."""
        keys = [self._random() for _ in values]
        return [values[i] for i in sorted(range(len(values)), key=keys.__getitem__)]
