"""Who got a place, by group: the fairness table of an outcome.

Shares are of the families with a wish. `possible` are those for whom at least one session was possible by
itself (theme, reach, time, money, seats before the round): what is lost before that is not in the hands of
the round. Averages are over placements. Groups of fewer than 5 families are not shown, nor averages over
fewer than 5 families that were placed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from leerbudget.matcher.arrays import Arrays, Whole, arrays_of, whole
from leerbudget.matcher.candidates import candidates_of, pair_facts
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.groups import SHOWN_FROM, Dimension, dimensions, hidden, is_family, members
from leerbudget.matcher.instance import Instance, fingerprint
from leerbudget.matcher.outcome import Outcome

COMPARED_FROM = 30
"""Groups with fewer families with a wish are left out of the spread: one family more or less would show."""
DRAWS = 400
"""Lotteries by which the spread of chance is worked out."""


class FairnessLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One group. Null is not shown, or nothing to take an average of. Minutes are one way, online left out."""

    value: str
    label_nl: str
    families: int | None = None
    with_wishes: int | None = None
    possible: int | None = None
    served: int | None = None
    placements: int | None = None
    share_served: float | None = None
    share_of_possible: float | None = None
    mean_rank: float | None = None
    mean_travel_minutes: float | None = None
    mean_score: float | None = None
    hidden: bool = False


class Spread(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The largest difference in share served between groups of 30 families or more.

    `least` and `most`: the values of the groups. `by_chance`: the difference there would be on average, had
    the same number of places been drawn by lot among the families of these groups.
    """

    least: str
    most: str
    difference: float
    by_chance: float


class FairnessGroups(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The groups of one dimension. `once`: every family is in exactly one. No spread: fewer than two groups."""

    name: str
    label_nl: str
    once: bool
    lines: list[FairnessLine]
    spread: Spread | None = None
    spread_of_possible: Spread | None = None


class FairnessTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All families, who is no family (professionals in a dialogue), and the families by group."""

    families: FairnessLine
    others: FairnessLine
    groups: list[FairnessGroups]


@dataclass(frozen=True, slots=True)
class Figures:
    """Per seeker: has wishes, has a possibility, and its placements summed. `by_road`: not online."""

    wishing: Whole
    possible: Whole
    placements: Whole
    rank: Whole
    minutes: Whole
    by_road: Whole
    score: Whole


def fairness(instance: Instance, outcome: Outcome) -> FairnessTable:
    """The fairness table of an outcome of this instance.

    Raises:
        InstanceRefused: the outcome answers another instance, or names what is not in it.
    """
    if outcome.instance is not None and outcome.instance != fingerprint(instance):
        raise InstanceRefused("$.instance", "the outcome answers another instance")
    arrays = arrays_of(instance)
    for i, p in enumerate(outcome.placements):
        if (p.seeker, p.wish) not in arrays.wishes.row or p.session not in arrays.sessions.row:
            raise InstanceRefused(f"$.placements[{i}]", "seeker, wish or session is not in the instance")
    return table_of(arrays, outcome, possible_of(arrays))


def possible_of(arrays: Arrays) -> Whole:
    """Per seeker whether at least one session is possible by itself."""
    possible = np.zeros(len(arrays.seekers.ids), np.int64)
    possible[candidates_of(arrays).seeker] = 1
    return possible


def table_of(arrays: Arrays, outcome: Outcome, possible: Whole) -> FairnessTable:
    """The fairness table; placements that are not in the instance are left out."""
    figures = _figures(arrays, outcome, possible)
    seekers = arrays.instance.seekers
    families = [row for row, seeker in enumerate(seekers) if is_family(seeker)]
    others = [row for row, seeker in enumerate(seekers) if not is_family(seeker)]
    return FairnessTable(
        families=_line("families", "Alle pleeggezinnen", families, figures),
        others=_line("others", "Anderen in een dialoog", others, figures),
        groups=[_groups(arrays.instance, dimension, figures) for dimension in dimensions()],
    )


def _figures(arrays: Arrays, outcome: Outcome, possible: Whole) -> Figures:
    wishes, sessions = arrays.wishes, arrays.sessions
    known = [p for p in outcome.placements if (p.seeker, p.wish) in wishes.row and p.session in sessions.row]
    wish = whole(wishes.row[p.seeker, p.wish] for p in known)
    session = whole(sessions.row[p.session] for p in known)
    minutes = pair_facts(arrays, wish, session).minutes
    road = (minutes >= 0) & ~sessions.online[session]
    seeker, size = wishes.seeker[wish], len(arrays.seekers.ids)

    def summed(values: Whole) -> Whole:
        total = np.zeros(size, np.int64)
        np.add.at(total, seeker, values)
        return total

    return Figures(
        wishing=np.minimum(1, np.bincount(wishes.seeker, minlength=size)),
        possible=possible,
        placements=np.bincount(seeker, minlength=size),
        rank=summed(wishes.rank[wish]),
        minutes=summed(np.where(road, minutes, 0)),
        by_road=summed(road.astype(np.int64)),
        score=summed(whole(p.score for p in known)),
    )


def _line(value: str, label_nl: str, rows: Sequence[int], figures: Figures, *, hide: bool = False) -> FairnessLine:
    if hide or 0 < len(rows) < SHOWN_FROM:
        return FairnessLine(value, label_nl, hidden=True)
    mine = np.array(rows, np.int64)
    wishing, possible = int(figures.wishing[mine].sum()), int(figures.possible[mine].sum())
    served = int((figures.placements[mine] > 0).sum())
    placements = int(figures.placements[mine].sum())
    averaged = placements if served >= SHOWN_FROM else 0
    travelled = int(((figures.by_road[mine]) > 0).sum())
    by_road = int(figures.by_road[mine].sum()) if travelled >= SHOWN_FROM else 0
    return FairnessLine(
        value=value,
        label_nl=label_nl,
        families=len(rows),
        with_wishes=wishing,
        possible=possible,
        served=served,
        placements=placements,
        share_served=_ratio(served, wishing, 4),
        share_of_possible=_ratio(served, possible, 4),
        mean_rank=_ratio(int(figures.rank[mine].sum()), averaged, 2),
        mean_travel_minutes=_ratio(int(figures.minutes[mine].sum()), by_road, 1),
        mean_score=_ratio(int(figures.score[mine].sum()), averaged, 1),
    )


def _ratio(amount: int, count: int, decimals: int) -> float | None:
    return round(amount / count, decimals) if count else None


def _groups(instance: Instance, dimension: Dimension, figures: Figures) -> FairnessGroups:
    groups = members(instance, dimension)
    unseen = hidden({value: len(rows) for value, rows in groups.items()}, once=dimension.once)
    lines = [
        _line(value, dimension.label(value), rows, figures, hide=value in unseen) for value, rows in groups.items()
    ]
    return FairnessGroups(
        name=dimension.name,
        label_nl=dimension.label_nl,
        once=dimension.once,
        lines=lines,
        spread=_spread((line.value, line.with_wishes, line.served) for line in lines),
        spread_of_possible=_spread((line.value, line.possible, line.served) for line in lines),
    )


def _spread(groups: Iterable[tuple[str, int | None, int | None]]) -> Spread | None:
    """The spread between (value, families, served) of groups that are shown and large enough."""
    large = [(value, size, served or 0) for value, size, served in groups if size is not None and size >= COMPARED_FROM]
    if len(large) < 2:
        return None
    ordered = sorted(large, key=lambda group: group[2] / group[1])
    (least, size, served), (most, size_most, served_most) = ordered[0], ordered[-1]
    difference = served_most / size_most - served / size
    sizes = np.array([size for _, size, _ in large], np.int64)
    total = sum(served for _, _, served in large)
    drawn = np.random.default_rng(0).multivariate_hypergeometric(sizes, min(total, int(sizes.sum())), DRAWS) / sizes
    chance = float((drawn.max(axis=1) - drawn.min(axis=1)).mean())
    return Spread(least, most, round(difference, 4), round(chance, 4))
