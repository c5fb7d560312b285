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
    group: Whole,
    ptr: Whole,
    listed: Whole,
    first: int,
    last: int,
    funnel: Whole,
    wish: Whole,
    session: Whole,
) -> int:
    """Pairs that pass the tests of bits and seats, in order of wish; how many were written to `wish` and `session`.

    Wish w is tried on the sessions `listed[ptr[g]:ptr[g + 1]]` of its group g. `wants` and `offers` have the
    columns of `candidates.BIT_RULES`: two masks of one column with a bit in common break its rule; in the
    column of seats the larger number wanted does. `funnel` counts all pairs in column 0, and those that fall
    under the first rule they break.
    """
    found = 0
    for w in range(first, last):
        parties, audience, online, seats, busy = wants[w, 0], wants[w, 1], wants[w, 2], wants[w, 3], wants[w, 4]
        for place in range(ptr[group[w]], ptr[group[w] + 1]):
            s = listed[place]
            funnel[w, 0] += 1
            if parties & offers[s, 0]:
                funnel[w, 1] += 1
            elif audience & offers[s, 1]:
                funnel[w, 2] += 1
            elif online & offers[s, 2]:
                funnel[w, 3] += 1
            elif seats > offers[s, 3]:
                funnel[w, 4] += 1
            elif busy & offers[s, 4]:
                funnel[w, 5] += 1
            else:
                wish[found] = w
                session[found] = s
                found += 1
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
