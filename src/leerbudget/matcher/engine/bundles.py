"""The best bundle of every seeker at given prices: exact, one seeker at a time, in machine code.

A bundle is a set of candidates of one seeker: one per wish at most, no more than the seeker may have, no two
that exclude each other (time, travel, course) or that the budgets cannot pay together. Its worth is the sum
of the candidates' worths plus the bonus for being served. Money is tested by pairs; three or more placements
of one seeker that only together cost too much are left to the integer programs, so that a bundle's worth is
never too low.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable
from leerbudget.matcher.kernels import kernel

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bits = NDArray[np.uint8]
"""Eight flags in each; `bit` reads one."""
NODES_MAX = 50_000
"""Steps in the search for one bundle; beyond it the sum of the best of every wish stands in, which is never too low."""
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Units:
    """The seekers of a candidate table.

    `first`: the rows of seeker u are `first[u]` to `first[u + 1]`. `several`: can have more than one placement.
    `corner`: where the square of who excludes whom begins in `excludes`, for those, in bits; else `NOWHERE`.
    """

    first: Whole
    most: Whole
    bonus: Reals
    wish: Whole
    session: Whole
    several: Flags
    corner: Whole
    excludes: Bits

    def columns(self) -> tuple[Whole, Whole, Reals, Whole, Whole, Flags, Whole, Bits]:
        """What the kernels take."""
        return (self.first, self.most, self.bonus, self.wish, self.session, self.several, self.corner, self.excludes)

    def excluding(self, keep: Whole, seeker: Whole) -> tuple[Whole, Whole]:
        """The pairs among the ascending rows `keep` that exclude each other, as numbers in it; `seeker`: of every row."""
        columns = (keep, seeker, self.first, self.corner, self.excludes)
        nothing = np.zeros(0, np.int64)
        one, other = np.zeros((2, excluding(*columns, nothing, nothing)), np.int64)
        excluding(*columns, one, other)
        return one, other


def units_of(arrays: Arrays, table: CandidateTable, pairs: tuple[Whole, Whole]) -> Units:
    """The seekers as the bundles need them; `pairs` are candidates of one seeker that exclude each other."""
    seekers = len(arrays.seekers.ids)
    first = np.searchsorted(table.seeker, np.arange(seekers + 1))
    wishes = np.zeros(seekers, np.int64)
    live = np.unique(table.wish)
    np.add.at(wishes, arrays.wishes.seeker[live], 1)
    several = (wishes >= 2) & (arrays.seekers.placements_max >= 2)
    width = np.diff(first)
    ends = np.cumsum(np.where(several, width * width, 0))
    corner = np.where(several, ends - width * width, NOWHERE)
    excludes = np.zeros(-(-int(ends[-1]) // 8) if seekers else 0, np.uint8)
    square(*pairs, table.seeker, first, corner, excludes)
    return Units(
        first=first,
        most=arrays.seekers.placements_max,
        bonus=arrays.seekers.bonus.astype(np.float64),
        wish=table.wish,
        session=table.session,
        several=several,
        corner=corner,
        excludes=excludes,
    )


@kernel
def square(one: Whole, other: Whole, seeker: Whole, first: Whole, corner: Whole, excludes: Bits) -> None:
    """Set the bits of these pairs of rows, both ways."""
    for pair in range(len(one)):
        i, j, u = one[pair], other[pair], seeker[one[pair]]
        low, width = first[u], first[u + 1] - first[u]
        for k in (corner[u] + (i - low) * width + j - low, corner[u] + (j - low) * width + i - low):
            excludes[k >> 3] |= np.uint8(1 << (k & 7))


@kernel
def bit(bits: Bits, number: int) -> bool:
    """One of many flags."""
    return bool((bits[number >> 3] >> (number & 7)) & 1)


@kernel
def _hopes(first: int, last: int, shut: Flags, worth: Reals, wish: Whole, session: Whole, hope: Reals) -> None:
    """`hope[c - first]`: at most so much can be added by candidates from c on, one per wish."""
    later, here = 0.0, 0.0
    for c in range(last - 1, first - 1, -1):
        if c + 1 < last and wish[c + 1] != wish[c]:
            later += here
            here = 0.0
        if not shut[session[c]]:
            here = max(here, worth[c])
        hope[c - first] = later + here


@kernel
def best_set(
    first: int,
    last: int,
    corner: int,
    room: int,
    must: int,
    shut: Flags,
    worth: Reals,
    wish: Whole,
    session: Whole,
    excludes: Bits,
    best: Whole,
) -> float:
    """The most that candidates of positive worth add up to, beside the candidate `must`, never in a session that is shut.

    At most `room` of them. The rows are left in `best`, ended by `NOWHERE`.
    """
    width, steps, found, depth = last - first, 0, 0.0, 0
    hope = np.empty(width + 1)
    _hopes(first, last, shut, worth, wish, session, hope)
    hope[width] = 0.0
    stack = np.empty(room + 1, np.int64)
    place = np.empty(room + 1, np.int64)
    value = np.zeros(room + 1)
    place[0] = first
    best[0] = -1
    while depth >= 0:
        c = place[depth] if depth < room else last
        free = False
        while c < last and value[depth] + hope[c - first] > found:
            free = worth[c] > 0.0 and not shut[session[c]]
            if free and must >= 0:
                free = wish[must] != wish[c] and not bit(excludes, corner + (must - first) * width + c - first)
            for d in range(depth):
                other = stack[d]
                apart = bit(excludes, corner + (other - first) * width + c - first)
                free = free and wish[other] != wish[c] and not apart
            if free:
                break
            c += 1
        steps += 1
        if steps > NODES_MAX:
            return float(hope[0])
        if not free:
            depth -= 1
            continue
        place[depth], stack[depth] = c + 1, c
        value[depth + 1] = value[depth] + worth[c]
        depth += 1
        if value[depth] > found:
            found = value[depth]
            for d in range(depth):
                best[d] = stack[d]
            best[depth] = -1
        if depth < room:
            place[depth] = c + 1
    return found


@kernel
def best_single(first: int, last: int, shut: Flags, worth: Reals, session: Whole) -> int:
    """The row of the highest worth outside what is shut; `NOWHERE` when there is none."""
    found = -1
    for c in range(first, last):
        if not shut[session[c]] and (found < 0 or worth[c] > worth[found]):
            found = c
    return found


@kernel
def bundle_of(
    u: int,
    shut: Flags,
    worth: Reals,
    first: Whole,
    most: Whole,
    bonus: Reals,
    wish: Whole,
    session: Whole,
    several: Flags,
    corner: Whole,
    excludes: Bits,
    best: Whole,
) -> float:
    """The worth of seeker u's best bundle outside what is shut; its rows are left in `best`, ended by `NOWHERE`."""
    best[0] = -1
    if most[u] == 0:
        return 0.0
    top = best_single(first[u], first[u + 1], shut, worth, session)
    if top < 0:
        return 0.0
    found = max(0.0, float(worth[top] + bonus[u]))
    if several[u] and worth[top] > 0.0:
        many = best_set(first[u], first[u + 1], corner[u], most[u], -1, shut, worth, wish, session, excludes, best)
        if bonus[u] + many > found:
            return float(bonus[u] + many)
    best[0] = top if found > 0.0 else -1
    if best[0] >= 0:
        best[1] = -1
    return found


@kernel
def longest(first: Whole) -> int:
    """Room for the rows of any seeker's bundle and their end."""
    most = 0
    for u in range(len(first) - 1):
        most = max(most, first[u + 1] - first[u])
    return int(most + 2)


@kernel
def bundles(
    worth: Reals,
    first: Whole,
    most: Whole,
    bonus: Reals,
    wish: Whole,
    session: Whole,
    several: Flags,
    corner: Whole,
    excludes: Bits,
    shut: Flags,
    chosen: Flags,
) -> float:
    """The sum of all best bundles; which candidates are in them is left in `chosen`."""
    total = 0.0
    best = np.empty(longest(first), np.int64)
    chosen[:] = False
    for u in range(len(most)):
        total += bundle_of(u, shut, worth, first, most, bonus, wish, session, several, corner, excludes, best)
        k = 0
        while best[k] >= 0:
            chosen[best[k]] = True
            k += 1
    return total


@kernel
def gains(
    units: Whole,
    shut: Flags,
    score: Reals,
    worth: Reals,
    first: Whole,
    most: Whole,
    bonus: Reals,
    wish: Whole,
    session: Whole,
    several: Flags,
    corner: Whole,
    excludes: Bits,
    gain: Reals,
) -> None:
    """What each candidate in a shut session adds, at no price, to the best its seeker could have outside them."""
    best = np.empty(longest(first), np.int64)
    for u in units:
        without = bundle_of(u, shut, worth, first, most, bonus, wish, session, several, corner, excludes, best)
        for c in range(first[u], first[u + 1]):
            if shut[session[c]] and most[u] > 0:
                gain[c] = bonus[u] + score[c] - without
                if several[u]:
                    gain[c] += best_set(
                        first[u], first[u + 1], corner[u], most[u] - 1, c, shut, worth, wish, session, excludes, best
                    )


@kernel
def losses(
    shut: Flags,
    worth: Reals,
    first: Whole,
    most: Whole,
    bonus: Reals,
    wish: Whole,
    session: Whole,
    several: Flags,
    corner: Whole,
    excludes: Bits,
    loss: Reals,
) -> None:
    """How much a seeker's best bundle with each candidate is worth less than its best bundle."""
    best = np.empty(longest(first), np.int64)
    for u in range(len(most)):
        top = bundle_of(u, shut, worth, first, most, bonus, wish, session, several, corner, excludes, best)
        for c in range(first[u], first[u + 1]):
            loss[c] = top - bonus[u] - worth[c]
            if several[u]:
                loss[c] -= best_set(
                    first[u], first[u + 1], corner[u], most[u] - 1, c, shut, worth, wish, session, excludes, best
                )


@kernel
def excluding(keep: Whole, seeker: Whole, first: Whole, corner: Whole, excludes: Bits, one: Whole, other: Whole) -> int:
    """The pairs among the ascending rows `keep` that exclude each other; how many there are.

    As many as there is room for are written to `one` and `other`, as numbers in `keep`, the lower one first.
    """
    found, ends = 0, 0
    for i in range(len(keep)):
        u = seeker[keep[i]]
        if ends <= i:
            while ends < len(keep) and seeker[keep[ends]] == u:
                ends += 1
        if corner[u] == NOWHERE:
            continue
        row = corner[u] + (keep[i] - first[u]) * (first[u + 1] - first[u]) - first[u]
        for j in range(i + 1, ends):
            if bit(excludes, row + keep[j]):
                if found < len(one):
                    one[found], other[found] = i, j
                found += 1
    return found
