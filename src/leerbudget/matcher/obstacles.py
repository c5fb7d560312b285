"""What is in the way of the pairs a plan leaves out: every rule about one placement, and the plan as it is.

Cheap rules are tried on every pair. The others are asked only where they can matter: where the first rule
in the way is not known yet, or where one single rule may be all there is, so that a change could help.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.travel import MODES, pair_minutes
from leerbudget.matcher import candidates
from leerbudget.matcher.arrays import Arrays, Whole, whole
from leerbudget.matcher.candidates import PairFacts, expanded, pair_facts
from leerbudget.matcher.obstacle_loops import Bits, mark_broken
from leerbudget.matcher.standing import Flags, Standing

RULES = (
    "party_not_invited",
    "not_for",
    "forbidden",
    "not_together",
    "online",
    "travel",
    "day_part",
    "blocked",
    "childcare",
    "money",
    "max_placements",
    "overlap",
    "capacity",
    "party_max",
    "minimum",
)
"""Rules that can be in the way of a pair, from the one farthest off to the one that comes closest."""

NOTHING = len(RULES)
"""The number of "no rule is in the way"."""
PAIRS_AT_ONCE = 1_000_000
KNOWN_BY = RULES.index("blocked")
"""A pair that breaks a rule before this one needs no others to know its first rule."""

QUICK = whole(
    map(
        RULES.index,
        ("party_not_invited", "not_for", "online", "travel", "day_part", "max_placements", "capacity", "minimum"),
    )
)
"""The rules of `obstacle_loops`, by their numbers."""

FIRST = np.array([NOTHING] + [(bits & -bits).bit_length() - 1 for bits in range(1, 1 << NOTHING)])
"""The number of the first rule, by the bits of the rules."""


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs of which every rule was asked. `breaks`: a row of flags per rule of `RULES`.

    `rows`: their places among the pairs that were looked at. `cents`: money that is missing beside what the
    seeker pays already.
    """

    rows: Whole
    wish: Whole
    session: Whole
    breaks: Flags
    cents: Whole
    facts: PairFacts


@dataclass(frozen=True, slots=True)
class Look:
    """Pairs, sorted by wish and session; `first`: the number in `RULES` of the first rule in the way."""

    wish: Whole
    session: Whole
    first: Whole
    near: Near


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the quick rules look at: the columns of `obstacle_loops`, by wish and by session."""

    wants: Whole
    offers: Whole
    limits: Whole
    minutes: NDArray[np.int16]

    @staticmethod
    def of(standing: Standing) -> "_Columns":
        """The columns of all wishes and sessions; without a table of minutes everybody who travels is near."""
        arrays = standing.arrays
        wishes, sessions, seekers, minutes = arrays.wishes, arrays.sessions, arrays.seekers, arrays.minutes
        seeker = wishes.seeker
        full, refuses = standing.placements_full()[seeker], ~seekers.online_ok[seeker]
        home, venue = seekers.place[seeker], sessions.venue
        if minutes is None:
            home, venue, minutes = np.zeros_like(home), np.zeros_like(venue), np.zeros((1, 1, len(MODES)), np.int16)
        left, needed = sessions.seats_max - standing.seats, sessions.seats_min - standing.seats
        wants = wishes.parties, seekers.audience[seeker], refuses, wishes.persons, ~wishes.free, home, full
        offers = ~sessions.parties, sessions.not_for, sessions.online, left, needed, sessions.day_parts, venue
        return _Columns(
            np.stack(wants, axis=1, dtype=np.int64),
            np.stack(offers, axis=1, dtype=np.int64),
            np.ascontiguousarray(seekers.limits.T[seeker]),
            minutes,
        )


def least(group: Whole, value: Whole) -> Whole:
    """The rows with the least value of their group, in the order of the groups; no two values of a group are equal."""
    if len(group) == 0:
        return group
    lowest = int(group.min())
    floor = np.full(int(group.max()) - lowest + 1, np.iinfo(np.int64).max)
    np.minimum.at(floor, group - lowest, value)
    rows = np.flatnonzero(floor[group - lowest] == value)
    found: Whole = rows[np.argsort(group[rows])]
    return found


def looks(standing: Standing, wishes: Whole) -> Iterator[Look]:
    """All that is in the way of these wishes (ascending), some wishes at a time to spare memory.

    Each wish is in one look with all its pairs; a wish without any is in none.
    """
    columns, closed = _Columns.of(standing), _closed_codes(standing)
    listed, ptr, key = _sessions_of(standing.arrays, wishes)
    pairs = np.cumsum(ptr[key + 1] - ptr[key])
    for some in np.split(np.arange(len(wishes)), np.flatnonzero(np.diff(pairs // PAIRS_AT_ONCE)) + 1):
        place, at = expanded(ptr, key[some])
        if len(place):
            yield _look(standing, columns, closed, wishes[some][place], listed[at])


def _sessions_of(arrays: Arrays, wishes: Whole) -> tuple[Whole, Whole, Whole]:
    """The sessions to look at: wish n has those of `listed` from `ptr[key[n]]` to `ptr[key[n] + 1]`.

    All sessions of its theme, or those the instance names for it.
    """
    if arrays.instance.candidates is None:
        counts = np.bincount(arrays.sessions.theme, minlength=int(arrays.wishes.theme.max(initial=0)) + 1)
        listed, key = np.argsort(arrays.sessions.theme, kind="stable"), arrays.wishes.theme[wishes]
    else:
        size = max(1, len(arrays.sessions.ids))
        named = ((arrays.wishes.row[u, w], arrays.sessions.row[s]) for u, w, s, _ in arrays.instance.candidates)
        wish, listed = np.divmod(np.unique(whole(w * size + s for w, s in named)), size)
        counts, key = np.bincount(wish, minlength=len(arrays.wishes.ids)), wishes
    return listed, np.concatenate([[0], np.cumsum(counts)]), key


def _closed_codes(standing: Standing) -> dict[str, Whole]:
    """The few pairs that are named one by one, as sorted codes wish * sessions + session."""
    arrays = standing.arrays
    apart = _of_wishes(arrays, arrays.apart)
    return {"forbidden": _of_wishes(arrays, arrays.barred), "not_together": np.union1d(apart, standing.company())}


def _of_wishes(arrays: Arrays, codes: Whole) -> Whole:
    """Codes of seekers and sessions as codes of all wishes of those seekers."""
    size = len(arrays.sessions.ids)
    seeker, session = np.divmod(codes, max(1, size))
    ptr = np.searchsorted(arrays.wishes.seeker, np.arange(len(arrays.seekers.ids) + 1))
    place, wish = expanded(ptr, seeker)
    return np.unique(wish * size + session[place])


def _look(standing: Standing, columns: _Columns, closed: dict[str, Whole], wish: Whole, session: Whole) -> Look:
    broken = _quickly(standing, columns, wish, session)
    code = wish * len(standing.arrays.sessions.ids) + session
    for rule, codes in closed.items():
        broken[_places(code, codes)] |= 1 << RULES.index(rule)
    first = FIRST[broken]
    rows = np.flatnonzero((first >= KNOWN_BY) | (np.bitwise_count(broken) == 1))
    breaks = (broken[rows] >> np.arange(NOTHING, dtype=np.uint16)[:, None] & 1).astype(bool)
    near = _near(standing, rows, wish[rows], session[rows], breaks)
    first[rows] = np.where(near.breaks.any(axis=0), near.breaks.argmax(axis=0), NOTHING)
    return Look(wish, session, first, near)


def _quickly(standing: Standing, columns: _Columns, wish: Whole, session: Whole) -> Bits:
    """The rules that cost little to try on every pair, as bits. Parties are left out of the minimum."""
    arrays = standing.arrays
    broken = np.zeros(len(wish), np.uint16)
    mark_broken(columns.wants, columns.offers, columns.limits, columns.minutes, wish, session, QUICK, broken)
    if arrays.minutes is None:
        away = np.flatnonzero(~arrays.sessions.online[session])
        far = _too_far(arrays, arrays.wishes.seeker[wish[away]], session[away])
        broken[away] |= far.astype(np.uint16) << RULES.index("travel")
    return broken


def _places(codes: Whole, wanted: Whole) -> Whole:
    """Where the wanted codes stand; both sorted."""
    if len(codes) == 0:
        return codes
    at = np.searchsorted(codes, wanted)
    at = at[at < len(codes)]
    found: Whole = at[codes[at] == wanted[: len(at)]]
    return found


def _too_far(arrays: Arrays, seeker: Whole, session: Whole) -> Flags:
    minutes = pair_minutes(arrays.seekers.home, seeker, arrays.sessions.places, session)
    limits = arrays.seekers.limits[:, seeker]
    far: Flags = ~np.any((minutes >= 0) & (minutes <= limits), axis=0)
    return far


def _near(standing: Standing, rows: Whole, wish: Whole, session: Whole, breaks: Flags) -> Near:
    """The same pairs with the remaining rules asked as well."""
    facts = pair_facts(standing.arrays, wish, session)
    cents = standing.missing_cents(wish, session, facts.short_cents)
    flag = dict(zip(RULES, breaks, strict=True))
    flag["blocked"] |= facts.breaks[candidates.RULES.index("blocked")]
    flag["childcare"] |= standing.crowded(wish, session)
    flag["money"] |= cents > 0
    flag["overlap"] |= standing.overlapping(wish, session)
    dialogues = standing.dialogues
    talks = np.flatnonzero(np.any(dialogues.invited, axis=1)[session])
    brings, room = standing.arrays.wishes.party_counts[wish[talks]], session[talks]
    uneven, alive = dialogues.uneven(room, brings), standing.alive[room]
    flag["party_max"][talks] |= dialogues.most_passed(room, brings) | (uneven & alive)
    flag["minimum"][talks] |= dialogues.least_missed(room, brings) | (uneven & ~alive)
    return Near(rows, wish, session, breaks, cents, facts)
