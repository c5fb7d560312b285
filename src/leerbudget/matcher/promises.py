"""What would have helped: changes of a seeker's own, each of which alone makes one named session possible.

Only pairs with one single rule in the way count. The seat is free now, so nobody else loses anything; the
audit applies every promise and looks again.
"""

from collections.abc import Callable

import numpy as np

from leerbudget.matcher.arrays import Arrays, Whole
from leerbudget.matcher.obstacles import NOTHING, RULES, Near, least
from leerbudget.matcher.outcome import (
    AcceptOnline,
    ArrangeSitter,
    Change,
    FreeBlocked,
    FreeDayParts,
    MorePlacements,
    PayMore,
    TravelFarther,
    WouldHaveHelped,
)
from leerbudget.matcher.reasons import would_have_helped
from leerbudget.matcher.vocabulary import TravelMode

HELPED_MAX = 3
MODES = tuple(TravelMode)
KINDS = ("blocked", "day_part", "travel", "online", "childcare", "max_placements", "money")
"""Rules a seeker can lift by one kind of change each; first what costs a family least."""

KIND_OF_RULE = np.array([KINDS.index(rule) if rule in KINDS else len(KINDS) for rule in RULES])
Promise = Callable[[Arrays, Near, int], WouldHaveHelped]


def promises(arrays: Arrays, near: Near) -> dict[int, list[WouldHaveHelped]]:
    """By wish at most three changes of different kinds; of each kind the smallest.

    `near` holds all pairs of its wishes that break at most one rule. Changes of one size go by the order of
    the sessions.
    """
    rows = np.flatnonzero(np.count_nonzero(near.breaks, axis=0) == 1)
    kind = KIND_OF_RULE[near.breaks[:, rows].argmax(axis=0)] if len(rows) else rows
    possible = _possible(arrays, near, rows, kind)
    rows, kind = rows[possible], kind[possible]
    group = near.wish[rows] * NOTHING + kind
    chosen = least(group, _size(arrays, near, rows, kind) * len(arrays.sessions.ids) + near.session[rows])
    rows, kind = rows[chosen], kind[chosen]
    helped: dict[int, list[WouldHaveHelped]] = {}
    for row, number, wish in zip(rows.tolist(), kind.tolist(), near.wish[rows].tolist(), strict=True):
        told = helped.setdefault(wish, [])
        if len(told) < HELPED_MAX:
            told.append(PROMISE_OF[KINDS[number]](arrays, near, row))
    return helped


def _possible(arrays: Arrays, near: Near, rows: Whole, kind: Whole) -> Whole:
    """Those that a change can lift: there is a way to travel, and the policy leaves room for more placements."""
    hopeless = (kind == KINDS.index("travel")) & (near.facts.nearest_mode[rows] < 0)
    more = np.flatnonzero(kind == KINDS.index("max_placements"))
    seekers, most = arrays.instance.seekers, arrays.instance.policy.max_placements
    hopeless[more] = [seekers[u].max_placements >= most for u in arrays.wishes.seeker[near.wish[rows[more]]].tolist()]
    return np.flatnonzero((kind < len(KINDS)) & ~hopeless)


def _size(arrays: Arrays, near: Near, rows: Whole, kind: Whole) -> Whole:
    """How large a change is: minutes more than now, day-parts, or cents."""
    facts = near.facts
    limit = arrays.seekers.limits[facts.nearest_mode[rows], arrays.wishes.seeker[near.wish[rows]]]
    sizes = {
        "travel": facts.nearest_minutes[rows] - limit,
        "day_part": np.bitwise_count(facts.lacking[rows]),
        "money": near.cents[rows],
    }
    size = np.zeros(len(rows), np.int64)
    for rule, values in sizes.items():
        size = np.where(kind == KINDS.index(rule), values, size)
    return size


def _told(arrays: Arrays, near: Near, row: int, change: Change, limit: int | None = None) -> WouldHaveHelped:
    return WouldHaveHelped(change, arrays.sessions.ids[near.session[row]], would_have_helped(change, limit))


def _seeker(arrays: Arrays, near: Near, row: int) -> int:
    return int(arrays.wishes.seeker[near.wish[row]])


def _travel(arrays: Arrays, near: Near, row: int) -> WouldHaveHelped:
    mode = int(near.facts.nearest_mode[row])
    limit = int(arrays.seekers.limits[mode, _seeker(arrays, near, row)])
    return _told(arrays, near, row, TravelFarther(MODES[mode], int(near.facts.nearest_minutes[row])), limit)


def _day_parts(arrays: Arrays, near: Near, row: int) -> WouldHaveHelped:
    lacking = int(near.facts.lacking[row])
    return _told(arrays, near, row, FreeDayParts([part for part in range(21) if lacking >> part & 1]))


def _more_placements(arrays: Arrays, near: Near, row: int) -> WouldHaveHelped:
    stated = arrays.instance.seekers[_seeker(arrays, near, row)].max_placements
    return _told(arrays, near, row, MorePlacements(stated + 1))


PROMISE_OF: dict[str, Promise] = {
    "blocked": lambda arrays, near, row: _told(arrays, near, row, FreeBlocked()),
    "day_part": _day_parts,
    "travel": _travel,
    "online": lambda arrays, near, row: _told(arrays, near, row, AcceptOnline()),
    "childcare": lambda arrays, near, row: _told(arrays, near, row, ArrangeSitter()),
    "max_placements": _more_placements,
    "money": lambda arrays, near, row: _told(arrays, near, row, PayMore(int(near.cents[row]))),
}
"""How the change that lifts a rule is told."""
