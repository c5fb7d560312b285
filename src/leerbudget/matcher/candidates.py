"""Which wishes could go to which sessions: the candidate table, judged in bulk.

Rules about one placement are decided here; rules about several (seats, money together, overlap, company)
are left to the engine. Every pair that falls away is counted under the first rule it breaks, in the order
of `RULES`: the funnel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.travel import pair_minutes
from leerbudget.matcher.arrays import FACET_MASKS, Arrays, Ranges, Whole, whole
from leerbudget.matcher.criteria.criterion import PERMILLE, Facts
from leerbudget.matcher.criteria.weights import score

RULES = (
    "party_not_invited",
    "not_for",
    "online",
    "seats",
    "day_part",
    "travel",
    "blocked",
    "childcare",
    "money",
    "forbidden",
    "not_together",
)
"""Rules about one placement, in the order in which the funnel tests them."""

PAIRS_AT_ONCE = 2_000_000
FAR = 2**31 - 1
SPAN = 2**33
"""More than two centuries in seconds; rows of ranges are laid end to end this far apart."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What is known of pairs of a wish and a session, one row each.

    `breaks`: a row of flags per rule of `RULES`. `mode` and `minutes`: the best way within the limits, or
    -1. `nearest_mode` and `nearest_minutes`: the mode that misses its limit by least (-1: no mode).
    `lacking`: day-parts that are not free. `short_cents`: money that is missing for this placement alone.
    """

    wish: Whole
    session: Whole
    breaks: Flags
    mode: Whole
    minutes: Whole
    share: Whole
    nearest_mode: Whole
    nearest_minutes: Whole
    calm: Whole
    lacking: Whole
    short_cents: Whole

    def select(self, chosen: Whole) -> "PairFacts":
        """Only the chosen rows."""
        rows = {name: getattr(self, name)[..., chosen] for name in self.__slots__}
        return PairFacts(**rows)


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """All candidates, sorted by wish and session. `cents`: price times persons.

    `funnel`: per wish how many sessions of its theme there are (column 0) and how many each rule of
    `RULES` took away.
    """

    wish: Whole
    session: Whole
    seeker: Whole
    score: Whole
    persons: Whole
    cents: Whole
    funnel: Whole

    def __len__(self) -> int:
        """How many candidates."""
        return len(self.seeker)


def candidates_of(arrays: Arrays) -> CandidateTable:
    """The candidate table of an instance: generated, or the given ones that break no rule."""
    wishes = arrays.wishes
    given = arrays.instance.candidates
    funnel = np.zeros((len(wishes.ids), len(RULES) + 1), np.int64)
    points: Whole | None = None
    if given is None:
        blocks = [_survivors(arrays, w, s, funnel) for w, s in _theme_blocks(arrays)]
        wish, session = _joined([w for w, _ in blocks]), _joined([s for _, s in blocks])
    else:
        wish = whole(wishes.row[seeker, name] for seeker, name, _, _ in given)
        session = whole(arrays.sessions.row[name] for _, _, name, _ in given)
        points = whole(value for _, _, _, value in given)
        np.add.at(funnel[:, 0], wish, 1)
    order = np.lexsort((session, wish))
    facts = pair_facts(arrays, wish[order], session[order])
    _count(funnel, facts)
    sound = np.flatnonzero(~facts.breaks.any(axis=0))
    kept = facts.select(sound)
    values = score(criteria_facts(arrays, kept), arrays.weights) if points is None else points[order][sound]
    return _table(arrays, kept, values, funnel)


def _table(arrays: Arrays, kept: PairFacts, values: Whole, funnel: Whole) -> CandidateTable:
    persons = arrays.wishes.persons[kept.wish]
    cents = arrays.sessions.price_cents[kept.session] * persons
    return CandidateTable(kept.wish, kept.session, arrays.wishes.seeker[kept.wish], values, persons, cents, funnel)


def _joined(parts: list[Whole]) -> Whole:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _theme_blocks(arrays: Arrays) -> Iterator[tuple[Whole, Whole]]:
    """Wishes and sessions of one theme, in blocks of bounded size."""
    wish_theme, session_theme = arrays.wishes.theme, arrays.sessions.theme
    for theme in np.unique(session_theme):
        wishes, sessions = np.flatnonzero(wish_theme == theme), np.flatnonzero(session_theme == theme)
        step = max(1, PAIRS_AT_ONCE // len(sessions))
        for first in range(0, len(wishes), step):
            yield wishes[first : first + step], sessions


def _survivors(arrays: Arrays, w: Whole, s: Whole, funnel: Whole) -> tuple[Whole, Whole]:
    """Pairs that pass the tests of bits; cheap enough to try on every pair of a theme."""
    alive = np.ones((len(w), len(s)), bool)
    funnel[w, 0] += len(s)
    for rule, breaks in _bit_tests(arrays, w, s):
        fallen = alive & breaks
        funnel[w, 1 + RULES.index(rule)] += fallen.sum(axis=1)
        alive &= ~breaks
    i, j = np.nonzero(alive)
    return w[i], s[j]


def _bit_tests(arrays: Arrays, w: Whole, s: Whole) -> Iterator[tuple[str, Flags]]:
    wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
    u = wishes.seeker[w]
    yield "party_not_invited", (wishes.parties[w][:, None] & ~sessions.parties[s][None, :]) != 0
    yield "not_for", (seekers.audience[u][:, None] & sessions.not_for[s][None, :]) != 0
    yield "online", sessions.online[s][None, :] & ~seekers.online_ok[u][:, None]
    free = sessions.seats_max[s] - sessions.seats_taken[s]
    yield "seats", wishes.persons[w][:, None] > free[None, :]
    yield "day_part", (sessions.day_parts[s][None, :] & ~wishes.free[w][:, None]) != 0


def _count(funnel: Whole, facts: PairFacts) -> None:
    """Add the pairs that break a rule, under the first one they break."""
    broken = facts.breaks.any(axis=0)
    first = facts.breaks[:, broken].argmax(axis=0)
    np.add.at(funnel, (facts.wish[broken], 1 + first), 1)


def pair_facts(arrays: Arrays, wish: Whole, session: Whole) -> PairFacts:
    """Every rule about one placement and every fact for the criteria, for all pairs at once."""
    wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
    seeker = wishes.seeker[wish]
    breaks = np.zeros((len(RULES), len(wish)), bool)
    flag = dict(zip(RULES, breaks, strict=True))
    flag["party_not_invited"][:] = (wishes.parties[wish] & ~sessions.parties[session]) != 0
    flag["not_for"][:] = (seekers.audience[seeker] & sessions.not_for[session]) != 0
    online = sessions.online[session]
    flag["online"][:] = online & ~seekers.online_ok[seeker]
    flag["seats"][:] = wishes.persons[wish] > (sessions.seats_max - sessions.seats_taken)[session]
    lacking = sessions.day_parts[session] & ~wishes.free[wish]
    flag["day_part"][:] = lacking != 0
    mode, minutes, share, nearest_mode, nearest_minutes = _ways(arrays, seeker, session)
    flag["travel"][:] = ~online & (mode < 0)
    hit, calm = _calendar(arrays, wish, session)
    flag["blocked"][:] = hit
    flag["childcare"][:] = (seekers.childcare[seeker] > sessions.childcare[session]).any(axis=1)
    short = _short_cents(arrays, wish, seeker, session)
    flag["money"][:] = short > 0
    code = seeker * len(sessions.ids) + session
    flag["forbidden"][:] = np.isin(code, arrays.barred)
    flag["not_together"][:] = np.isin(code, arrays.apart)
    return PairFacts(wish, session, breaks, mode, minutes, share, nearest_mode, nearest_minutes, calm, lacking, short)


def _ways(arrays: Arrays, seeker: Whole, session: Whole) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """Mode, minutes and share of the best way; and mode and minutes of the way that misses its limit by least."""
    minutes = pair_minutes(arrays.seekers.home, seeker, arrays.sessions.places, session).astype(np.int64)
    limits = arrays.seekers.limits[:, seeker]
    possible = (minutes >= 0) & (limits >= 0)
    within = possible & (minutes <= limits)
    share = np.where(within, minutes * PERMILLE // np.maximum(limits, 1), FAR)
    best = share.argmin(axis=0)
    excess = np.where(possible, minutes - limits, FAR)
    nearest = excess.argmin(axis=0)
    rows = np.arange(len(seeker))
    found, any_way = within.any(axis=0), possible.any(axis=0)
    return (
        np.where(found, best, -1),
        np.where(found, minutes[best, rows], -1),
        np.where(found, share[best, rows], PERMILLE),
        np.where(any_way, nearest, -1),
        np.where(any_way, minutes[nearest, rows], -1),
    )


def _calendar(arrays: Arrays, wish: Whole, session: Whole) -> tuple[Flags, Whole]:
    """Whether a meeting is blocked, and how many meetings are on calm days."""
    meetings = arrays.sessions.meetings
    pair, meeting = expanded(meetings.ptr, session)
    blocked = touches(arrays.wishes.blocked, wish[pair], meetings.start[meeting], meetings.end[meeting])
    day = arrays.sessions.meeting_day[meeting]
    busy = touches(arrays.wishes.busy, wish[pair], day, day + 1)
    hit = np.bincount(pair[blocked], minlength=len(wish)) > 0
    return hit, np.bincount(pair[~busy], minlength=len(wish)).astype(np.int64)


def expanded(ptr: Whole, rows: Whole) -> tuple[Whole, Whole]:
    """For rows of a ragged table: the position in `rows` and the place of every element they hold."""
    lengths = ptr[rows + 1] - ptr[rows]
    position = np.repeat(np.arange(len(rows)), lengths)
    offset = np.arange(len(position)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return position, ptr[rows][position] + offset


def touches(ranges: Ranges, row: Whole, start: Whole, end: Whole) -> Flags:
    """Whether any range of a row overlaps [start, end), for many at once."""
    if len(ranges.start) == 0:
        return np.zeros(len(row), bool)
    owner = np.repeat(np.arange(len(ranges.ptr) - 1), np.diff(ranges.ptr))
    after = np.searchsorted(owner * SPAN + ranges.end, row * SPAN + start, side="right")
    inside = after < ranges.ptr[row + 1]
    first = ranges.start[np.minimum(after, len(ranges.start) - 1)]
    return inside & (first < end)


def _short_cents(arrays: Arrays, wish: Whole, seeker: Whole, session: Whole) -> Whole:
    """Cents that are missing when this placement is the only one."""
    seekers, sessions = arrays.seekers, arrays.sessions
    supply = seekers.own_cents[seeker].copy()
    for purse in range(seekers.budget_cents.shape[1]):
        supply += np.where(purse_pays(arrays, purse, seeker, session), seekers.budget_cents[seeker, purse], 0)
    short: Whole = np.maximum(0, sessions.price_cents[session] * arrays.wishes.persons[wish] - supply)
    return short


def purse_pays(arrays: Arrays, purse: int, seeker: Whole, session: Whole) -> Flags:
    """Whether the earmark and the expiry of the seeker's n-th budget allow the session."""
    themes = arrays.seekers.budget_themes[seeker, purse] >> arrays.sessions.theme[session] & 1
    lasts = arrays.seekers.budget_expires[seeker, purse] >= arrays.sessions.starts_on[session]
    pays: Flags = (themes == 1) & lasts
    return pays


def criteria_facts(arrays: Arrays, pairs: PairFacts) -> Facts:
    """What the criteria look at, for many pairs."""
    wishes, sessions = arrays.wishes, arrays.sessions
    meetings = np.diff(sessions.meetings.ptr)[pairs.session]
    suits = arrays.seekers.audience[wishes.seeker[pairs.wish]] & sessions.made_for[pairs.session]
    return Facts(
        rank=wishes.rank[pairs.wish],
        urgent=wishes.urgent[pairs.wish],
        online=sessions.online[pairs.session].astype(np.int64),
        travel_share=pairs.share,
        calm_share=np.where(meetings > 0, pairs.calm * PERMILLE // np.maximum(meetings, 1), PERMILLE),
        made_for=np.stack([(suits & mask) != 0 for mask in FACET_MASKS]).astype(np.int64),
        form_liked=wishes.forms[pairs.wish] >> sessions.form[pairs.session] & 1,
    )
