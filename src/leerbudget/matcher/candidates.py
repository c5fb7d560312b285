"""Which wishes could go to which sessions: the candidate table, judged in bulk.

Rules about one placement are decided here; rules about several (seats, money together, overlap, company)
are left to the engine. Every pair that falls away is counted under the first rule it breaks, in the order
of `RULES`: the funnel.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.travel import MODES, pair_minutes
from leerbudget.matcher.arrays import FACET_MASKS, THEMES, Arrays, Whole, whole
from leerbudget.matcher.criteria.criterion import PERMILLE, Facts
from leerbudget.matcher.criteria.weights import score
from leerbudget.matcher.pair_loops import choose_ways, count_overlaps, sift, sum_supplies

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

COLUMNS = ("parties", "audience", "online", "seats", "day_parts", "place")
"""What `sift` looks at, in the order of the first six rules."""

PAIRS_AT_ONCE = 1_000_000
"""So many pairs are judged at a time: this bounds the memory beside the table itself."""

Flags = NDArray[np.bool_]
Small = NDArray[np.int32]
Block = tuple[Small, Small, Small]
"""Wish, session and points of some candidates, sorted by wish and session."""


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

    def part(self, rows: Whole) -> "CandidateTable":
        """Only these rows, in ascending order; the funnel stays that of all."""
        wish, session, seeker = self.wish[rows], self.session[rows], self.seeker[rows]
        return CandidateTable(
            wish, session, seeker, self.score[rows], self.persons[rows], self.cents[rows], self.funnel
        )

    def by_session(self, count: int) -> tuple[Whole, Whole]:
        """Rows by session: those of s, ascending, stand from place s to s + 1 of the first answer in the second."""
        rows = np.argsort(self.session, kind="stable")
        return np.searchsorted(self.session[rows], np.arange(count + 1)), rows


def candidates_of(arrays: Arrays) -> CandidateTable:
    """The candidate table of an instance: generated, or the given ones that break no rule."""
    funnel = np.zeros((len(arrays.wishes.ids), len(RULES) + 1), np.int64)
    blocks = list(_generated(arrays, funnel) if arrays.instance.candidates is None else _given(arrays, funnel))
    wish, session, points = (_joined([block[column] for block in blocks]) for column in range(3))
    persons = arrays.wishes.persons[wish]
    cents = arrays.sessions.price_cents[session] * persons
    return CandidateTable(wish, session, arrays.wishes.seeker[wish], points, persons, cents, funnel)


def _small(numbers: Whole) -> Small:
    return numbers.astype(np.int32)


def _joined(parts: list[Small]) -> Whole:
    return np.concatenate(parts, dtype=np.int64) if parts else np.zeros(0, np.int64)


def _given(arrays: Arrays, funnel: Whole) -> Iterator[Block]:
    """The candidates that the instance names, as far as they break no rule."""
    given = arrays.instance.candidates or []
    wish = whole(arrays.wishes.row[seeker, name] for seeker, name, _, _ in given)
    session = whole(arrays.sessions.row[name] for _, _, name, _ in given)
    points = whole(value for _, _, _, value in given)
    funnel[:, 0] += np.bincount(wish, minlength=len(funnel))
    order = np.lexsort((session, wish))
    for first in range(0, len(order), PAIRS_AT_ONCE):
        some = order[first : first + PAIRS_AT_ONCE]
        facts = pair_facts(arrays, wish[some], session[some])
        broken = facts.breaks.any(axis=0)
        np.add.at(funnel, (facts.wish[broken], 1 + facts.breaks[:, broken].argmax(axis=0)), 1)
        yield _small(facts.wish[~broken]), _small(facts.session[~broken]), _small(points[some][~broken])


def _generated(arrays: Arrays, funnel: Whole) -> Iterator[Block]:
    """All pairs of a wish and a session of its theme that break no rule, with their points."""
    for wish, session in _sifted(arrays, funnel):
        alive = _Alive(funnel, wish, session)
        ways = _ways(arrays, arrays.wishes.seeker[wish], session)
        alive.share = ways[2]
        alive.drop("travel", ~arrays.sessions.online[session] & (ways[0] < 0))
        hit, alive.calm = _calendar(arrays, alive.wish, alive.session)
        alive.drop("blocked", hit)
        for rule, breaks in LAST_RULES.items():
            alive.drop(rule, breaks(arrays, alive.wish, alive.session))
        facts = _facts(arrays, alive.wish, alive.session, alive.share, alive.calm)
        yield _small(alive.wish), _small(alive.session), _small(score(facts, arrays.weights))


@dataclass(slots=True)
class _Alive:
    """Pairs, in order of wish, that broke no rule so far."""

    funnel: Whole
    wish: Whole
    session: Whole
    share: Whole = field(default_factory=lambda: np.zeros(0, np.int64))
    calm: Whole = field(default_factory=lambda: np.zeros(0, np.int64))

    def drop(self, rule: str, breaks: Flags) -> None:
        """Count the pairs that break this rule, and go on with the others."""
        if not breaks.any():
            return
        fallen = self.wish[breaks]
        counts = np.bincount(fallen - fallen[0])
        self.funnel[fallen[0] : fallen[0] + len(counts), 1 + RULES.index(rule)] += counts
        kept = np.flatnonzero(~breaks)
        self.wish, self.session, self.share = self.wish[kept], self.session[kept], self.share[kept]
        self.calm = self.calm[kept] if len(self.calm) else self.calm


def _sifted(arrays: Arrays, funnel: Whole) -> Iterator[tuple[Whole, Whole]]:
    """Pairs of a wish and a session of its theme that pass the rules up to travel, some wishes at a time.

    Without a table of minutes only a seeker who does not travel at all is refused for the way.
    """
    theme, last = arrays.wishes.theme, 0
    listed = np.argsort(arrays.sessions.theme, kind="stable")
    ptr = np.searchsorted(arrays.sessions.theme[listed], np.arange(len(THEMES) + 1))
    tried = np.concatenate([[0], np.cumsum(np.diff(ptr)[theme])])
    wants, offers, minutes = _columns(arrays)
    limits = arrays.seekers.limits.T[arrays.wishes.seeker]
    while last < len(theme):
        first = last
        last = max(first + 1, int(np.searchsorted(tried, tried[first] + PAIRS_AT_ONCE, side="right")) - 1)
        wish, session = np.empty((2, tried[last] - tried[first] + 1), np.int64)
        found = sift(wants, offers, limits, minutes, theme, ptr, listed, first, last, funnel, wish, session)
        yield wish[:found], session[:found]


def _columns(arrays: Arrays) -> tuple[Whole, Whole, NDArray[np.uint16]]:
    """`COLUMNS` per wish and per session, and the minutes between their places; nowhere is farthest."""
    wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
    u, minutes = wishes.seeker, arrays.minutes
    place, venue = seekers.place[u], sessions.venue
    if minutes is None:
        place, venue, minutes = np.zeros_like(place), np.zeros_like(venue), np.zeros((1, 1, len(MODES)), np.int16)
    wants = [wishes.parties, seekers.audience[u], ~seekers.online_ok[u], wishes.persons, ~wishes.free, place]
    free = sessions.seats_max - sessions.seats_taken
    offers = [~sessions.parties, sessions.not_for, sessions.online, free, sessions.day_parts, venue]
    return np.stack(wants, axis=1), np.stack(offers, axis=1), minutes.view(np.uint16)


def pair_facts(arrays: Arrays, wish: Whole, session: Whole) -> PairFacts:
    """Every rule about one placement and every fact for the criteria, for all pairs at once."""
    wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
    seeker = wishes.seeker[wish]
    online = sessions.online[session]
    lacking = sessions.day_parts[session] & ~wishes.free[wish]
    ways = _ways(arrays, seeker, session)
    hit, calm = _calendar(arrays, wish, session)
    short = _short_cents(arrays, wish, session)
    flags = {
        "party_not_invited": (wishes.parties[wish] & ~sessions.parties[session]) != 0,
        "not_for": (seekers.audience[seeker] & sessions.not_for[session]) != 0,
        "online": online & ~seekers.online_ok[seeker],
        "seats": wishes.persons[wish] > (sessions.seats_max - sessions.seats_taken)[session],
        "day_part": lacking != 0,
        "travel": ~online & (ways[0] < 0),
        "blocked": hit,
        "childcare": _lacks_childcare(arrays, wish, session),
        "money": short > 0,
        "forbidden": _is_barred(arrays, wish, session),
        "not_together": _is_apart(arrays, wish, session),
    }
    breaks = np.stack([flags[rule] for rule in RULES])
    mode, minutes, share, nearest_mode, nearest_minutes = ways
    return PairFacts(wish, session, breaks, mode, minutes, share, nearest_mode, nearest_minutes, calm, lacking, short)


def _ways(arrays: Arrays, seeker: Whole, session: Whole) -> Whole:
    """Rows: mode, minutes and share of the best way; mode and minutes of the one that misses its limit by least."""
    seekers, sessions = arrays.seekers, arrays.sessions
    ways = np.empty((5, len(seeker)), np.int64)
    if arrays.minutes is not None:
        row = seekers.place[seeker] * len(sessions.venues) + sessions.venue[session]
        choose_ways(arrays.minutes.reshape(-1, len(MODES)), row, seekers.limits.T, seeker, ways)
    else:
        minutes = np.ascontiguousarray(pair_minutes(seekers.home, seeker, sessions.places, session).T)
        choose_ways(minutes, np.arange(len(seeker)), seekers.limits.T, seeker, ways)
    return ways


def _calendar(arrays: Arrays, wish: Whole, session: Whole) -> tuple[Flags, Whole]:
    """Whether a meeting is blocked, and how many meetings are on calm days."""
    wishes, sessions = arrays.wishes, arrays.sessions
    blocked, busy, meetings, day = wishes.blocked, wishes.busy, sessions.meetings, sessions.meeting_day
    hits, busy_days = np.empty((2, len(wish)), np.int64)
    count_overlaps(
        wish, session, blocked.ptr, blocked.start, blocked.end, meetings.ptr, meetings.start, meetings.end, hits
    )
    count_overlaps(wish, session, busy.ptr, busy.start, busy.end, meetings.ptr, day, day + 1, busy_days)
    return hits > 0, np.diff(meetings.ptr)[session] - busy_days


def _lacks_childcare(arrays: Arrays, wish: Whole, session: Whole) -> Flags:
    """Whether a family's own children are already more than the places of their age."""
    needs = arrays.seekers.childcare
    seeker = arrays.wishes.seeker[wish]
    lacks: Flags = arrays.seekers.needs_places[seeker]
    some = np.flatnonzero(lacks)
    lacks[some] = (needs[seeker[some]] > arrays.sessions.childcare[session[some]]).any(axis=1)
    return lacks


def _short_cents(arrays: Arrays, wish: Whole, session: Whole) -> Whole:
    """Cents that are missing when this placement is the only one."""
    seekers, sessions = arrays.seekers, arrays.sessions
    seeker = arrays.wishes.seeker[wish]
    supplies = seekers.own_cents[seeker]
    sum_supplies(
        seeker,
        seekers.budget_cents,
        seekers.budget_themes,
        seekers.budget_expires,
        sessions.theme[session],
        sessions.starts_on[session],
        supplies,
    )
    short: Whole = np.maximum(0, sessions.price_cents[session] * arrays.wishes.persons[wish] - supplies)
    return short


def _is_short(arrays: Arrays, wish: Whole, session: Whole) -> Flags:
    return _short_cents(arrays, wish, session) > 0


def _is_barred(arrays: Arrays, wish: Whole, session: Whole) -> Flags:
    return _listed(arrays.barred, arrays, wish, session)


def _is_apart(arrays: Arrays, wish: Whole, session: Whole) -> Flags:
    return _listed(arrays.apart, arrays, wish, session)


def _listed(codes: Whole, arrays: Arrays, wish: Whole, session: Whole) -> Flags:
    """Whether seeker and session of each pair are among the sorted codes."""
    if len(codes) == 0:
        return np.zeros(len(wish), bool)
    code = arrays.wishes.seeker[wish] * len(arrays.sessions.ids) + session
    found: Flags = codes[np.minimum(np.searchsorted(codes, code), len(codes) - 1)] == code
    return found


LAST_RULES: dict[str, Callable[[Arrays, Whole, Whole], Flags]] = {
    "childcare": _lacks_childcare,
    "money": _is_short,
    "forbidden": _is_barred,
    "not_together": _is_apart,
}
"""The rules after travel and calendar, in the order of `RULES`."""


def expanded(ptr: Whole, rows: Whole) -> tuple[Whole, Whole]:
    """For rows of a ragged table: the position in `rows` and the place of every element they hold."""
    lengths = ptr[rows + 1] - ptr[rows]
    position = np.repeat(np.arange(len(rows)), lengths)
    offset = np.arange(len(position)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return position, ptr[rows][position] + offset


def purse_pays(arrays: Arrays, purse: int, seeker: Whole, session: Whole) -> Flags:
    """Whether the earmark and the expiry of the seeker's n-th budget allow the session."""
    themes = arrays.seekers.budget_themes[seeker, purse] >> arrays.sessions.theme[session] & 1
    lasts = arrays.seekers.budget_expires[seeker, purse] >= arrays.sessions.starts_on[session]
    pays: Flags = (themes == 1) & lasts
    return pays


def criteria_facts(arrays: Arrays, pairs: PairFacts) -> Facts:
    """What the criteria look at, for many pairs."""
    return _facts(arrays, pairs.wish, pairs.session, pairs.share, pairs.calm)


def _facts(arrays: Arrays, wish: Whole, session: Whole, share: Whole, calm: Whole) -> Facts:
    wishes, sessions = arrays.wishes, arrays.sessions
    meetings = np.diff(sessions.meetings.ptr)[session]
    suits = arrays.seekers.audience[wishes.seeker[wish]] & sessions.made_for[session]
    return Facts(
        rank=wishes.rank[wish],
        urgent=wishes.urgent[wish],
        online=sessions.online[session].astype(np.int64),
        travel_share=share,
        calm_share=np.where(meetings > 0, calm * PERMILLE // np.maximum(meetings, 1), PERMILLE),
        made_for=np.stack([(suits & mask) != 0 for mask in FACET_MASKS]).astype(np.int64),
        form_liked=wishes.forms[wish] >> sessions.form[session] & 1,
    )


def rows_of(arrays: Arrays, table: CandidateTable, placements: Iterable[tuple[str, str, str]]) -> Whole:
    """The candidate rows of (seeker, wish, session).

    Raises:
        KeyError: one of them is not a candidate.
    """
    size = len(arrays.sessions.ids)
    wanted = whole(arrays.wishes.row[u, w] * size + arrays.sessions.row[s] for u, w, s in placements)
    codes = table.wish * size + table.session
    at = np.searchsorted(codes, wanted)
    if len(wanted) and (not len(codes) or (codes[np.minimum(at, len(codes) - 1)] != wanted).any()):
        raise KeyError("a placement is not a candidate")
    return at


def roomy_beside(arrays: Arrays, table: CandidateTable, chosen: Whole) -> Flags:
    """Candidates whose wish is open, whose seeker may have more and whose session has the seats, beside the chosen rows."""
    placed = np.zeros(len(arrays.wishes.ids), bool)
    placed[table.wish[chosen]] = True
    has = np.bincount(table.seeker[chosen], minlength=len(arrays.seekers.ids))
    used = np.bincount(table.session[chosen], weights=table.persons[chosen], minlength=len(arrays.sessions.ids))
    left = arrays.sessions.seats_max - arrays.sessions.seats_taken - used
    fits: Flags = ~placed[table.wish] & (has < arrays.seekers.placements_max)[table.seeker]
    fits &= table.persons <= left[table.session]
    return fits


def beside_fixed(arrays: Arrays, table: CandidateTable) -> CandidateTable:
    """The candidates that can still be chosen beside what is fixed.

    Another session for a fixed wish falls away, and so does everything of a seeker who has its maximum, or in a
    session whose seats are all fixed.

    Raises:
        KeyError: what is fixed is not a candidate.
    """
    fixed = rows_of(arrays, table, arrays.instance.fixed)
    if not len(fixed):
        return table
    pinned = np.zeros(len(table), bool)
    pinned[fixed] = True
    return table.part(np.flatnonzero(pinned | roomy_beside(arrays, table, fixed)))
