# ruff: noqa: INP001 (a folder of commands, not a package)
"""Figures that follow from measured rows."""

from collections.abc import Iterable, Sequence
from math import log
from statistics import linear_regression
from typing import Any

Row = dict[str, Any]
ROUND = ("families", "sessions", "wishes_mean", "contention", "seed")
"""What makes a generated round."""


def gap_of(row: Row) -> float | None:
    """How far the bound lies above the score, as a share of the score; None when one of them is missing."""
    if row.get("score") is None or row.get("bound") is None:
        return None
    return float((row["bound"] - row["score"]) / max(1, abs(row["score"])))


def steps(row: Row) -> list[tuple[float, float]]:
    """(elapsed seconds, proven gap) at every moment, with the best score and the best bound known by then."""
    found = []
    best, least = 0, None
    for elapsed, _, score, bound in row.get("moments", ()):
        best = max(best, score)
        least = bound if least is None else min(least, bound)
        found.append((elapsed, (least - best) / max(1, best)))
    return found


def known_after(row: Row, gap: float) -> float | None:
    """Elapsed seconds, from the start of reading, until this gap was proven."""
    return next((elapsed for elapsed, proven in steps(row) if proven <= gap), None)


def same_round(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each round together, in their order."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in ROUND), []).append(row)
    return list(groups.values())


def best_bound(rows: Iterable[Row]) -> float | None:
    """The least bound that any solver proved."""
    return min((row["bound"] for row in rows if row.get("bound") is not None), default=None)


def growth(points: Sequence[tuple[float, float]]) -> float | None:
    """The exponent k of value ~ size to the power k; None when all sizes are equal."""
    if len({size for size, _ in points}) < 2:
        return None
    return linear_regression([log(size) for size, _ in points], [log(value) for _, value in points]).slope


def share(part: float) -> str:
    """A share as percents, as short as possible."""
    return f"{100 * part:g} %"
