"""Pairs of candidates that cannot both be chosen: time and travel, the same course, money, and company."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.travel import pair_minutes
from leerbudget.matcher.arrays import Arrays, Whole, whole
from leerbudget.matcher.candidates import CandidateTable, expanded
from leerbudget.matcher.engine.pair_kernels import EXCLUDED, FAR, pauses, suspects

BETWEEN_MINUTES_MAX = 720
"""Nobody is asked to leave more than half a day between two meetings."""

Flags = NDArray[np.bool_]


def exclusive_pairs(arrays: Arrays, table: CandidateTable, payers: Whole | None = None) -> tuple[Whole, Whole]:
    """Candidates of one seeker, for different wishes, that exclude each other; sorted, lower row first.

    In time and travel when somebody is in both wishes, and as the same course. With `payers` (budgets per candidate,
    as bits) also in money: each can be paid alone, not both. By Hall's theorem the budgets of both together decide.
    Only for seekers who may have several placements.
    """
    pairs, sessions, seekers = _pairs_of_wishes(arrays), arrays.sessions, arrays.seekers
    bills = np.zeros_like(table.cents) if payers is None else table.cents
    columns = (
        *(pairs, persons_shared(arrays, pairs[:, 0], pairs[:, 1])),
        *(np.searchsorted(table.wish, np.arange(len(arrays.wishes.ids) + 1)), table.session, sessions.course),
        *(sessions.meetings.ptr, sessions.meetings.start, sessions.meetings.end),
        *(
            bills,
            bills if payers is None else payers,
            seekers.own_cents,
            seekers.budget_cents,
            BETWEEN_MINUTES_MAX * 60,
        ),
    )
    nothing = np.zeros(0, np.int64)
    count = suspects(*columns, nothing, nothing, nothing)
    i, j, pause = (np.zeros(count, np.int64) for _ in range(3))
    suspects(*columns, i, j, pause)
    sure = _too_near(arrays, pause, table.seeker[i], table.session[i], table.session[j])
    found = np.lexsort((j[sure], i[sure]))
    return i[sure][found], j[sure][found]


def _pairs_of_wishes(arrays: Arrays) -> Whole:
    """Two wishes of a seeker who may have several placements, and the seeker; shape (pairs, 3)."""
    seeker = arrays.wishes.seeker
    rows = np.arange(len(seeker))
    several = arrays.seekers.placements_max[seeker] >= 2
    later = np.where(several, np.searchsorted(seeker, seeker, side="right") - rows - 1, 0)
    one, place = expanded(np.concatenate([[0], np.cumsum(later)]), rows)
    first = np.repeat(np.cumsum(later) - later, later)
    return np.stack([one, one + 1 + place - first, seeker[one]], axis=1)


def persons_shared(arrays: Arrays, wish: Whole, other: Whole) -> Flags:
    """Whether two wishes are of the same person, worked out once per pair of wishes."""
    sets = arrays.wishes.person_sets
    unique, at = np.unique(wish * len(sets) + other, return_inverse=True)
    ones, others = np.divmod(unique, max(1, len(sets)))
    shared = whole(not sets[one].isdisjoint(sets[two]) for one, two in zip(ones.tolist(), others.tolist(), strict=True))
    found: Flags = shared[at] == 1
    return found


def clash(arrays: Arrays, seeker: Whole, one: Whole, other: Whole) -> Flags:
    """Whether meetings of two sessions overlap for a seeker, travel between them included."""
    meetings, pause = arrays.sessions.meetings, np.zeros(len(one), np.int64)
    pauses(one, other, meetings.ptr, meetings.start, meetings.end, BETWEEN_MINUTES_MAX * 60, pause)
    return _too_near(arrays, pause, seeker, one, other)


def _too_near(arrays: Arrays, pause: Whole, seeker: Whole, one: Whole, other: Whole) -> Flags:
    """Whether the pause is too short for the way."""
    near: Flags = pause == EXCLUDED
    unsure = np.flatnonzero(~near & (pause < FAR))
    if len(unsure):
        near[unsure] = pause[unsure] < minutes_between(arrays, seeker[unsure], one[unsure], other[unsure]) * 60
    return near


def minutes_between(arrays: Arrays, seeker: Whole, one: Whole, other: Whole) -> Whole:
    """Minutes from one session to another in the seeker's fastest mode; by way of home when one is online."""
    places, home, online = arrays.sessions.places, arrays.seekers.home, arrays.sessions.online
    direct = pair_minutes(places, one, places, other)
    from_home = np.where(
        online[one], pair_minutes(home, seeker, places, other), pair_minutes(home, seeker, places, one)
    )
    minutes = np.where(online[one] | online[other], from_home, direct).astype(np.int64)
    usable = (arrays.seekers.limits[:, seeker] >= 0) & (minutes >= 0)
    fastest = np.where(usable, minutes, FAR).min(axis=0)
    same = (places.xyz[one] == places.xyz[other]).all(axis=1)
    nothing = same | (fastest == FAR) | (online[one] & online[other])
    between: Whole = np.where(nothing, 0, np.minimum(fastest, BETWEEN_MINUTES_MAX))
    return between


def company_pairs(arrays: Arrays, table: CandidateTable) -> tuple[Whole, Whole]:
    """Candidates of two seekers in one session who may not be together (own professionals, avoided people)."""
    seekers, rows = arrays.instance.seekers, arrays.seekers.row
    shunned = {one for seeker in seekers for one in (*seeker.avoid, *seeker.professionals)}
    owner = {person.id: row for row, seeker in enumerate(seekers) for person in seeker.persons if person.id in shunned}
    owner |= {one: rows[one] for one in shunned if one in rows}
    pairs = [
        (row, owner[one], one)
        for row, seeker in enumerate(seekers)
        if seeker.avoid or seeker.professionals
        for one in {*seeker.avoid, *seeker.professionals}
        if one in owner
    ]
    me, other = whole(row for row, _, _ in pairs), whole(row for _, row, _ in pairs)
    ptr = np.searchsorted(table.seeker, np.arange(len(seekers) + 1))
    pair, mine = expanded(ptr, me)
    size = len(arrays.sessions.ids)
    codes = table.seeker * size + table.session
    order = np.argsort(codes, kind="stable")
    wanted = other[pair] * size + table.session[mine]
    low, high = (np.searchsorted(codes[order], wanted, side=side) for side in ("left", "right"))
    met, place = _between(low, high)
    theirs, mine, pair = order[place], mine[met], pair[met]
    named = [pairs[p][2] for p in pair.tolist()]
    sets, ids = arrays.wishes.person_sets, arrays.seekers.ids
    comes = [
        one == ids[u] or one in sets[w]
        for one, u, w in zip(named, table.seeker[theirs].tolist(), table.wish[theirs].tolist(), strict=True)
    ]
    ordered = np.stack([np.minimum(mine, theirs), np.maximum(mine, theirs)], axis=1)
    found = np.unique(ordered[np.array(comes, bool)], axis=0)
    return found[:, 0], found[:, 1]


def _between(low: Whole, high: Whole) -> tuple[Whole, Whole]:
    """For ranges from low to high: the number of the range and every place in it."""
    lengths = high - low
    position = np.repeat(np.arange(len(low)), lengths)
    return position, low[position] + np.arange(len(position)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Per candidate the candidates it excludes: of row r those from `first[r]` to `first[r + 1]`."""

    first: Whole
    rows: Whole

    @staticmethod
    def of(count: int, *pairs: tuple[Whole, Whole]) -> "Neighbours":
        """Both ways round, of so many candidates."""
        one = np.concatenate([rows for i, j in pairs for rows in (i, j)])
        other = np.concatenate([rows for i, j in pairs for rows in (j, i)])
        order = np.argsort(one, kind="stable")
        return Neighbours(np.searchsorted(one[order], np.arange(count + 1)), other[order])

    def __getitem__(self, row: int) -> list[int]:
        """What this candidate excludes."""
        found: list[int] = self.rows[self.first[row] : self.first[row + 1]].tolist()
        return found
