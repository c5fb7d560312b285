"""Pairs of candidates that cannot both be chosen: time and travel, the same course, and company."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.travel import pair_minutes
from leerbudget.matcher.arrays import Arrays, SessionArrays, Whole, whole
from leerbudget.matcher.candidates import CandidateTable, expanded

BETWEEN_MINUTES_MAX = 720
"""Nobody is asked to leave more than half a day between two meetings."""
OVERLAPPING = -1
FAR = 2**31 - 1

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between the meetings of two sessions that come nearest; only where it is under half a day.

    `code` is sorted: lower session row * sessions + higher session row.
    """

    code: Whole
    seconds: Whole

    def between(self, code: Whole) -> Whole:
        """The pause of each pair: negative when meetings overlap, `FAR` when there is plenty."""
        if len(self.code) == 0:
            return np.full(len(code), FAR, np.int64)
        at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        found: Whole = np.where(self.code[at] == code, self.seconds[at], FAR)
        return found


def pauses_of(sessions: SessionArrays) -> Pauses:
    """The pauses between all sessions that come near each other in time."""
    owner = np.repeat(np.arange(len(sessions.ids)), np.diff(sessions.meetings.ptr))
    order = np.argsort(sessions.meetings.start, kind="stable")
    start, end, owner = sessions.meetings.start[order], sessions.meetings.end[order], owner[order]
    last = np.searchsorted(start, end + BETWEEN_MINUTES_MAX * 60, side="left")
    ptr = np.concatenate([[0], np.cumsum(np.maximum(0, last - np.arange(len(start)) - 1))])
    first = np.repeat(np.arange(len(start)), np.diff(ptr))
    second = first + 1 + np.arange(ptr[-1]) - ptr[first]
    one, other = owner[first], owner[second]
    code = np.minimum(one, other) * len(sessions.ids) + np.maximum(one, other)
    pause = np.maximum(OVERLAPPING, start[second] - end[first])
    differ = one != other
    code, pause = code[differ], pause[differ]
    by_code = np.lexsort((pause, code))
    unique, at = np.unique(code[by_code], return_index=True)
    return Pauses(unique, pause[by_code][at])


def exclusive_pairs(arrays: Arrays, table: CandidateTable, least: int = 2) -> tuple[Whole, Whole]:
    """Candidates of one seeker, for different wishes of the same person, that exclude each other.

    Only for seekers who may have at least so many placements.
    """
    i, j = _pairs_of_one_seeker(arrays, table, least)
    shared = _persons_shared(arrays, table.wish[i], table.wish[j])
    i, j = i[shared], j[shared]
    one, other = table.session[i], table.session[j]
    same_course = arrays.sessions.course[one] == arrays.sessions.course[other]
    clash = same_course | _clash(arrays, table.seeker[i], one, other)
    return i[clash], j[clash]


def unaffordable_pairs(arrays: Arrays, table: CandidateTable, payers: Whole, least: int = 2) -> tuple[Whole, Whole]:
    """Candidates of one seeker, for different wishes, that budgets and own contribution cannot pay together.

    Each alone can be paid. By Hall's theorem it is enough to look at the bills inside each union of payers.
    """
    i, j = _pairs_of_one_seeker(arrays, table, least)
    i, j = _all_of(i, j, (table.cents[i] > 0) & (table.cents[j] > 0))
    seekers = arrays.seekers
    owner, one, other = table.seeker[i], payers[i], payers[j]
    own, both = seekers.own_cents[owner], table.cents[i] + table.cents[j]
    short = both > own + _money_in(arrays, owner, one | other)
    short |= ((other & ~one) == 0) & (both > own + _money_in(arrays, owner, one))
    short |= ((one & ~other) == 0) & (both > own + _money_in(arrays, owner, other))
    return _all_of(i, j, short)


def _all_of(i: Whole, j: Whole, wanted: Flags) -> tuple[Whole, Whole]:
    return i[wanted], j[wanted]


def _money_in(arrays: Arrays, seeker: Whole, mask: Whole) -> Whole:
    """Cents in the seeker's budgets of a mask."""
    cents = np.zeros(len(seeker), np.int64)
    for purse in range(arrays.seekers.budget_cents.shape[1]):
        cents += np.where(mask >> purse & 1, arrays.seekers.budget_cents[seeker, purse], 0)
    return cents


def _pairs_of_one_seeker(arrays: Arrays, table: CandidateTable, least: int) -> tuple[Whole, Whole]:
    """All pairs of candidates of one seeker for two wishes."""
    rows = np.arange(len(table))
    wish_end = np.searchsorted(table.wish, table.wish, side="right")
    seeker_end = np.searchsorted(table.seeker, table.seeker, side="right")
    several = arrays.seekers.placements_max[table.seeker] >= least
    length = np.where(several, seeker_end - wish_end, 0)
    ptr = np.concatenate([[0], np.cumsum(length)])
    i, place = expanded(ptr, rows)
    return i, place - ptr[i] + wish_end[i]


def _persons_shared(arrays: Arrays, wish: Whole, other: Whole) -> Flags:
    """Whether two wishes are of the same person, worked out once per pair of wishes."""
    sets = arrays.wishes.person_sets
    code = wish * len(sets) + other
    unique, at = np.unique(code, return_inverse=True)
    answers = [bool(sets[one] & sets[two]) for one, two in zip(*divmod(unique, max(1, len(sets))), strict=True)]
    return np.array(answers, bool)[at] if len(unique) else np.zeros(0, bool)


def _clash(arrays: Arrays, seeker: Whole, one: Whole, other: Whole) -> Flags:
    """Whether meetings of two sessions overlap for a seeker, travel between them included."""
    size = len(arrays.sessions.ids)
    pause = pauses_of(arrays.sessions).between(np.minimum(one, other) * size + np.maximum(one, other))
    clash: Flags = pause < 0
    unsure = np.flatnonzero((pause >= 0) & (pause < BETWEEN_MINUTES_MAX * 60))
    if len(unsure):
        minutes = minutes_between(arrays, seeker[unsure], one[unsure], other[unsure])
        clash[unsure] = pause[unsure] < minutes * 60
    return clash


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


def neighbours(count: int, *pairs: tuple[Whole, Whole]) -> list[list[int]]:
    """Per candidate the candidates it excludes."""
    lists: list[list[int]] = [[] for _ in range(count)]
    for i, j in pairs:
        for one, other in zip(i.tolist(), j.tolist(), strict=True):
            lists[one].append(other)
            lists[other].append(one)
    return lists
