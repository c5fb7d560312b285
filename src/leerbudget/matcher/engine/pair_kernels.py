"""The loop over all pairs of candidates of one seeker, compiled."""

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.kernels import kernel

EXCLUDED = -1
FAR = 2**31 - 1


@kernel
def pause_between(  # noqa: PLR0917 - one step of a loop over columns
    one: int, other: int, ptr: Whole, start: Whole, end: Whole, far: int
) -> int:
    """Seconds between the two meetings of two sessions that come nearest; negative when any overlap, `FAR` from `far` on."""
    if ptr[one] == ptr[one + 1] or ptr[other] == ptr[other + 1]:
        return FAR
    if start[ptr[other]] - end[ptr[one + 1] - 1] >= far or start[ptr[one]] - end[ptr[other + 1] - 1] >= far:
        return FAR
    least = FAR
    for a in range(ptr[one], ptr[one + 1]):
        for b in range(ptr[other], ptr[other + 1]):
            pause = max(start[b] - end[a], start[a] - end[b])
            if pause < 0:
                return EXCLUDED
            least = min(least, pause)
    return least if least < far else FAR


@kernel
def money_in(purses: Whole, mask: int) -> int:
    """Cents in the budgets of a mask."""
    money = 0
    for purse in range(len(purses)):
        if mask >> purse & 1:
            money += purses[purse]
    return money


@kernel
def suspects(  # noqa: PLR0917 - a loop over columns
    pairs: Whole,
    shared: NDArray[np.bool_],
    ptr: Whole,
    session: Whole,
    course: Whole,
    meeting_ptr: Whole,
    start: Whole,
    end: Whole,
    cents: Whole,
    payers: Whole,
    own: Whole,
    purses: Whole,
    far: int,
    i: Whole,
    j: Whole,
    pause: Whole,
) -> int:
    """Pairs of candidates that exclude each other, or do when the way between them is long; how many there are.

    `pairs` (pairs, 3): two wishes and their seeker; `shared`: whether somebody is in both. `ptr`: the candidates of
    each wish. As many as there is room for are written to `i`, `j` and `pause`, which is `EXCLUDED`, or the
    seconds between meetings that are less than `far` apart.
    """
    found = 0
    for pair in range(len(pairs)):
        seeker = pairs[pair, 2]
        for a in range(ptr[pairs[pair, 0]], ptr[pairs[pair, 0] + 1]):
            for b in range(ptr[pairs[pair, 1]], ptr[pairs[pair, 1] + 1]):
                near, one, other = FAR, session[a], session[b]
                dear = cents[a] > 0 and cents[b] > 0
                if dear:
                    dear = cents[a] + cents[b] > own[seeker] + money_in(purses[seeker], payers[a] | payers[b])
                if dear or (shared[pair] and course[one] == course[other]):
                    near = EXCLUDED
                elif shared[pair]:
                    near = pause_between(one, other, meeting_ptr, start, end, far)
                if near < FAR:
                    if found < len(i):
                        i[found], j[found], pause[found] = a, b, near
                    found += 1
    return found


@kernel
def pauses(  # noqa: PLR0917 - a loop over columns
    one: Whole, other: Whole, ptr: Whole, start: Whole, end: Whole, far: int, pause: Whole
) -> None:
    """Fill `pause` with `pause_between` of each pair of sessions."""
    for pair in range(len(one)):
        pause[pair] = pause_between(one[pair], other[pair], ptr, start, end, far)
