"""The loops over many pairs of a wish and a session, compiled. Rows and bits are those of `arrays`."""

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.kernels import kernel

Whole = NDArray[np.int64]
Minutes = NDArray[np.int16] | NDArray[np.int32]
FAR = 2**31 - 1
PERMILLE = 1000


@kernel
def sift(  # noqa: PLR0917 - a loop over columns
    wants: Whole,
    offers: Whole,
    limits: Whole,
    minutes: NDArray[np.uint16],
    group: Whole,
    ptr: Whole,
    listed: Whole,
    first: int,
    last: int,
    funnel: Whole,
    wish: Whole,
    session: Whole,
) -> int:
    """Pairs that pass the first six rules, in order of wish; how many were written to `wish` and `session`.

    Wish w is tried on the sessions `listed[ptr[g]:ptr[g + 1]]` of its group g. The columns of `wants` and
    `offers` are those of `candidates.COLUMNS`: two masks with a bit in common break a rule, and more seats
    wanted than offered. `minutes` (homes, venues, modes) is compared with `limits` (wishes, modes).
    `funnel` counts all pairs in column 0 and the others in the column of the first rule they break. There
    are hardly any branches, because which rule a pair breaks cannot be foreseen.
    """
    found = 0
    counts = np.zeros(7, np.int64)
    for w in range(first, last):
        parties, audience, online, seats, busy = wants[w, 0], wants[w, 1], wants[w, 2], wants[w, 3], wants[w, 4]
        car, transport, bike, walk = limits[w, 0], limits[w, 1], limits[w, 2], limits[w, 3]
        venues = minutes[wants[w, 5]]
        counts[:] = 0
        for place in range(ptr[group[w]], ptr[group[w] + 1]):
            s = listed[place]
            way = venues[offers[s, 5]]
            near = (way[0] <= car) | (way[1] <= transport) | (way[2] <= bike) | (way[3] <= walk)
            rule = 0 if near | (offers[s, 2] != 0) else 6
            rule = 5 if busy & offers[s, 4] else rule
            rule = 4 if seats > offers[s, 3] else rule
            rule = 3 if online & offers[s, 2] else rule
            rule = 2 if audience & offers[s, 1] else rule
            rule = 1 if parties & offers[s, 0] else rule
            counts[rule] += 1
            wish[found] = w
            session[found] = s
            found += rule == 0
        funnel[w, 0] = ptr[group[w] + 1] - ptr[group[w]]
        for rule in range(1, 7):
            funnel[w, rule] = counts[rule]
    return found


@kernel
def choose_ways(minutes: Minutes, row: Whole, limits: Whole, seeker: Whole, ways: Whole) -> None:
    """Fill `ways` (5, pairs) from the row of every pair in `minutes` (rows, modes), and limits (seekers, modes).

    Rows of `ways`: mode, minutes and permille of the limit of the mode that uses the smallest share of it
    (-1, -1 and 1000 when none is within); mode and minutes of the one that misses its limit by least (-1: none).
    """
    for pair in range(len(seeker)):
        here, u = row[pair], seeker[pair]
        best, share, nearest, excess = -1, FAR, -1, FAR
        for mode in range(minutes.shape[1]):
            taken, limit = np.int64(minutes[here, mode]), limits[u, mode]
            if taken < 0 or limit < 0:
                continue
            if taken - limit < excess:
                nearest, excess = mode, taken - limit
            if taken <= limit and taken * PERMILLE // max(limit, 1) < share:
                best, share = mode, taken * PERMILLE // max(limit, 1)
        ways[0, pair] = best
        ways[1, pair] = minutes[here, best] if best >= 0 else -1
        ways[2, pair] = share if best >= 0 else PERMILLE
        ways[3, pair] = nearest
        ways[4, pair] = minutes[here, nearest] if nearest >= 0 else -1


@kernel
def count_overlaps(  # noqa: PLR0917 - a loop over columns
    row: Whole,
    other: Whole,
    ptr: Whole,
    start: Whole,
    end: Whole,
    other_ptr: Whole,
    other_start: Whole,
    other_end: Whole,
    overlaps: Whole,
) -> None:
    """For every pair of a row and a row of another table: how many ranges of the other overlap one of the row.

    Both tables hold, row by row, sorted and separate half-open ranges.
    """
    for pair in range(len(row)):
        place, last = ptr[row[pair]], ptr[row[pair] + 1]
        count = 0
        if place < last:
            for at in range(other_ptr[other[pair]], other_ptr[other[pair] + 1]):
                while place < last and end[place] <= other_start[at]:
                    place += 1
                if place == last:
                    break
                if start[place] < other_end[at]:
                    count += 1
        overlaps[pair] = count


@kernel
def sum_supplies(  # noqa: PLR0917 - a loop over columns
    seeker: Whole, cents: Whole, themes: Whole, expires: Whole, theme: Whole, starts_on: Whole, supplies: Whole
) -> None:
    """Add to `supplies` the budgets of each seeker that may pay for a theme and a first day."""
    for pair in range(len(seeker)):
        u = seeker[pair]
        for purse in range(cents.shape[1]):
            if themes[u, purse] >> theme[pair] & 1 and expires[u, purse] >= starts_on[pair]:
                supplies[pair] += cents[u, purse]
