"""A staffing in bulk: which trainer could take which session, with points and loads, and what excludes what.

The hard rules of `staffing_rules` and the formulas of `staffing_points` once more, for all pairs at once.
Moments are seconds since 1970, days are ordinals (Amsterdam), roles are 0 (lead) and 1 (co).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import MODES, Minutes, Point, Points, pair_minutes, points, travel_matrix
from leerbudget.matcher.day_parts import day_parts_of, local_date, mask_of
from leerbudget.matcher.staffing import LoadUnit, Role, Staffing, StaffSession, StaffTrainer
from leerbudget.matcher.staffing_points import (
    PERMILLE,
    UNIT,
    WHOLE_LOAD,
    group_percent,
    load_figures,
    minutes_of,
    weights_of,
)
from leerbudget.matcher.vocabulary import LearningForm, Theme, TravelMode

BETWEEN_SECONDS_MAX = 720 * 60
"""Nobody is asked to leave more than half a day between two meetings."""
FAR = 2**30
ROLES = (Role.LEAD, Role.CO)
THEMES = {theme: row for row, theme in enumerate(Theme)}
FORMS = {form: row for row, form in enumerate(LearningForm)}

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Pairs = tuple[Whole, Whole]


@dataclass(frozen=True, slots=True)
class Places:
    """Homes and venues, minutes between them and the trainers' limits (modes, trainers; -1: not used)."""

    homes: Points
    venues: Points
    limits: Whole
    online: Flags
    to_venue: Minutes


@dataclass(frozen=True, slots=True)
class StaffCandidates:
    """One row per assignment that is possible by itself, by trainer, then session, then role.

    `points` without those for the place; `load` in hundredths of the unit, `share` in hundredths of a percent
    of the wished load.
    """

    trainer: Whole
    session: Whole
    role: Whole
    points: Whole
    load: Whole
    share: Whole
    fixed: Flags

    def __len__(self) -> int:
        """How many."""
        return len(self.trainer)


@dataclass(frozen=True, slots=True)
class StaffArrays:
    """A staffing, ready for the engine. `most`, `least`: wished load in hundredths of the unit.

    `clashes`: pairs of candidates of one trainer that exclude each other; `apart`: pairs of candidates in one
    session whose trainers avoid each other. `places`: (roles, sessions).
    """

    staffing: Staffing
    table: StaffCandidates
    most: Whole
    least: Whole
    places: Whole
    clashes: Pairs
    apart: Pairs
    weights: dict[str, int]


def staff_arrays(staffing: Staffing) -> StaffArrays:
    """The arrays of a staffing that `staffing_contradictions.check` accepted."""
    trainers, sessions = staffing.trainers, staffing.sessions
    places = _places(trainers, sessions)
    table = _candidates(staffing, places)
    return StaffArrays(
        staffing=staffing,
        table=table,
        most=_whole([t.wished_load.most * UNIT for t in trainers]),
        least=_whole([t.wished_load.least * UNIT for t in trainers]),
        places=np.array([[s.lead for s in sessions], [s.co for s in sessions]], np.int64).reshape(2, len(sessions)),
        clashes=_clashes(sessions, places, table),
        apart=_apart(trainers, table),
        weights=weights_of(staffing.policy),
    )


def _whole(values: Sequence[int]) -> Whole:
    return np.array(values, np.int64)


def _where(someone: StaffTrainer | StaffSession) -> Point | None:
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    if someone.pc4 is None:
        return None
    place = place_of(someone.pc4)
    return Point(place.lat, place.lon)


def _places(trainers: Sequence[StaffTrainer], sessions: Sequence[StaffSession]) -> Places:
    homes, venues = points([_where(t) for t in trainers]), points([_where(s) for s in sessions])
    limits = [[t.travel_minutes_max.get(TravelMode(mode), -1) for t in trainers] for mode in MODES]
    online = np.array([_where(s) is None for s in sessions], bool)
    matrix = np.array(limits, np.int64).reshape(len(MODES), len(trainers))
    return Places(homes, venues, matrix, online, travel_matrix(homes, venues))


def _candidates(staffing: Staffing, places: Places) -> StaffCandidates:
    possible = _possible(staffing, places)
    loads = _loads(staffing)
    most = _whole([t.wished_load.most * UNIT for t in staffing.trainers])
    role, trainer, session = np.nonzero(possible & (loads <= most[None, :, None]))
    order = np.lexsort((role, session, trainer))
    trainer, session, role = trainer[order], session[order], role[order]
    load = loads[role, trainer, session]
    return StaffCandidates(
        trainer=trainer,
        session=session,
        role=role,
        points=_points(staffing, places, trainer, session),
        load=load,
        share=load * WHOLE_LOAD // most[trainer] if len(load) else load,
        fixed=_is_fixed(staffing, trainer, session, role),
    )


def _possible(staffing: Staffing, places: Places) -> Flags:
    """Per role, trainer and session whether the assignment is possible by itself, the load aside."""
    trainers, sessions = staffing.trainers, staffing.sessions
    theme = _whole([THEMES[s.theme] for s in sessions])
    form = _whole([FORMS[s.form] for s in sessions])
    leads = _known([[THEMES[t] for t in trainer.themes] for trainer in trainers], len(THEMES))[:, theme]
    assists = leads | _known([[THEMES[t] for t in trainer.co_themes] for trainer in trainers], len(THEMES))[:, theme]
    forms = [list(FORMS.values()) if t.forms is None else [FORMS[f] for f in t.forms] for t in trainers]
    open_to = _known(forms, len(FORMS))[:, form] & _certified(trainers, sessions) & _free(trainers, sessions)
    open_to &= (_travel_share(places) <= PERMILLE) & ~_ruled_out(staffing)
    asked = np.array([[s.lead for s in sessions], [s.co for s in sessions]]).reshape(2, len(sessions)) > 0
    return np.stack([leads & open_to & asked[0], assists & open_to & asked[1]])


def _known(rows: Sequence[Sequence[int]], size: int) -> Flags:
    known = np.zeros((len(rows), size), bool)
    for row, values in enumerate(rows):
        known[row, values] = True
    return known


def _certified(trainers: Sequence[StaffTrainer], sessions: Sequence[StaffSession]) -> Flags:
    until = _whole([0 if t.certificate_until is None else t.certificate_until.toordinal() for t in trainers])
    last = _whole([max((local_date(start).toordinal() for start, _ in s.meetings), default=1) for s in sessions])
    certified: Flags = until[:, None] >= last[None, :]
    return certified


def _free(trainers: Sequence[StaffTrainer], sessions: Sequence[StaffSession]) -> Flags:
    """Free in every day-part of every meeting, and not blocked during one."""
    free = _whole([mask_of(t.availability) for t in trainers])
    need = np.zeros(len(sessions), np.int64)
    for row, session in enumerate(sessions):
        for start, end in session.meetings:
            need[row] |= day_parts_of(start, end)
    begins, ends, owner = _meetings(sessions)
    available: Flags = (need[None, :] & ~free[:, None]) == 0
    for row, trainer in enumerate(trainers):
        for since, until in trainer.blocked:
            available[row, owner[(begins < _seconds(until)) & (ends > _seconds(since))]] = False
    return available


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _meetings(sessions: Sequence[StaffSession]) -> tuple[Whole, Whole, Whole]:
    """Start, end and session of all meetings, in the order in which they start."""
    rows = [(_seconds(a), _seconds(b), row) for row, s in enumerate(sessions) for a, b in s.meetings]
    found = np.array(sorted(rows), np.int64).reshape(len(rows), 3)
    return found[:, 0], found[:, 1], found[:, 2]


def _travel_share(places: Places) -> Whole:
    """Permille of the travel limit in the best mode (trainers, sessions); 0 online, `FAR` out of reach."""
    limits, minutes = places.limits[:, :, None], places.to_venue.astype(np.int64)
    usable = (limits >= 0) & (minutes >= 0) & (minutes <= limits)
    shares = np.where(usable, minutes * PERMILLE // np.maximum(1, limits), FAR)
    share: Whole = np.where(places.online[None, :], 0, shares.min(axis=0))
    return share


def _ruled_out(staffing: Staffing) -> Flags:
    """Declined, forbidden, kept apart from somebody in the room, or online for who does not do that."""
    trainers, sessions = staffing.trainers, staffing.sessions
    row = {t.id: i for i, t in enumerate(trainers)}
    column = {s.id: i for i, s in enumerate(sessions)}
    out = np.zeros((len(trainers), len(sessions)), bool)
    for one, other in (*staffing.declined, *staffing.forbidden):
        out[row[one], column[other]] = True
    met: dict[str, list[int]] = {}
    for i, session in enumerate(sessions):
        out[[row[person] for person in session.apart_from if person in row], i] = True
        for person in session.people:
            met.setdefault(person, []).append(i)
    for i, trainer in enumerate(trainers):
        for person in trainer.avoid:
            out[i, met.get(person, [])] = True
    online = np.array([_where(s) is None for s in sessions], bool)
    accepts = np.array([t.online_ok for t in trainers], bool)
    ruled_out: Flags = out | (online[None, :] & ~accepts[:, None])
    return ruled_out


def _loads(staffing: Staffing) -> Whole:
    """Load in hundredths of the trainer's unit (roles, trainers, sessions)."""
    percent = _whole([group_percent(staffing.policy, s) for s in staffing.sessions])
    minutes = _whole([minutes_of(s) for s in staffing.sessions])
    weighed = percent[None, :] * _whole([100, load_figures(staffing.policy)["co"]])[:, None]
    hours = np.array([t.wished_load.unit is LoadUnit.HOURS for t in staffing.trainers], bool)
    loads: Whole = np.where(hours[None, :, None], (minutes * weighed // 6000)[:, None, :], (weighed // 100)[:, None, :])
    return loads


def _points(staffing: Staffing, places: Places, trainer: Whole, session: Whole) -> Whole:
    """Points for wished theme, wished region and travel."""
    weights = weights_of(staffing.policy)
    sessions = staffing.sessions
    themes = _known([[THEMES[t] for t in one.wished_themes] for one in staffing.trainers], len(THEMES))
    names: dict[str, int] = {}
    wished = [[names.setdefault(region, len(names)) for region in one.wished_regions] for one in staffing.trainers]
    regions = _known(wished, len(names) + 1)
    theme = _whole([THEMES[s.theme] for s in sessions])
    region = _whole([len(names) if s.region is None else names.get(s.region, len(names)) for s in sessions])
    share = _travel_share(places)[trainer, session]
    total: Whole = weights["wished_theme"] * themes[trainer, theme[session]].astype(np.int64)
    total += weights["wished_region"] * regions[trainer, region[session]]
    return total + weights["travel"] * (PERMILLE - share) // PERMILLE


def _is_fixed(staffing: Staffing, trainer: Whole, session: Whole, role: Whole) -> Flags:
    row = {t.id: i for i, t in enumerate(staffing.trainers)}
    column = {s.id: i for i, s in enumerate(staffing.sessions)}
    size = 2 * len(column)
    codes = [row[t] * size + column[s] * 2 + ROLES.index(r) for t, s, r in staffing.fixed]
    flags: Flags = np.isin(trainer * size + session * 2 + role, _whole(codes))
    return flags


def _clashes(sessions: Sequence[StaffSession], places: Places, table: StaffCandidates) -> Pairs:
    """Pairs of sessions of one trainer that exclude each other, as pairs of candidates (roles expanded)."""
    one, other, pause = _near(sessions)
    between = pair_minutes(places.venues, one, places.venues, other).astype(np.int64)
    same = (places.venues.xyz[one] == places.venues.xyz[other]).all(axis=1)
    found = [
        pairs
        for trainer, (first, last) in _spans(table)
        if first < last
        for pairs in _clashes_of(places, trainer, table.session[first:last], first, (one, other, pause, between, same))
    ]
    return _joined(found)


def _spans(table: StaffCandidates) -> Iterator[tuple[int, tuple[int, int]]]:
    """Every trainer with the first and last candidate."""
    owners, first, count = np.unique(table.trainer, return_index=True, return_counts=True)
    last = first + count
    return ((int(owner), (int(a), int(b))) for owner, a, b in zip(owners, first, last, strict=True))


def _near(sessions: Sequence[StaffSession]) -> tuple[Whole, Whole, Whole]:
    """Pairs of sessions with meetings less than half a day apart, and the shortest pause in seconds (-1: overlap)."""
    start, end, owner = _meetings(sessions)
    last = np.searchsorted(start, end + BETWEEN_SECONDS_MAX, side="left")
    count = np.maximum(0, last - np.arange(len(start)) - 1)
    first = np.repeat(np.arange(len(start)), count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    one, other = owner[first], owner[second]
    pause = np.maximum(-1, start[second] - end[first])
    code = np.minimum(one, other) * max(1, len(sessions)) + np.maximum(one, other)
    keep = one != other
    order = np.lexsort((pause[keep], code[keep]))
    unique, at = np.unique(code[keep][order], return_index=True)
    low, high = np.divmod(unique, max(1, len(sessions)))
    return low, high, pause[keep][order][at]


def _clashes_of(
    places: Places, trainer: int, session: Whole, first: int, near: tuple[Whole, Whole, Whole, Whole, Flags]
) -> Iterator[Pairs]:
    """The clashes of one trainer, whose candidates for these sessions start at row `first`."""
    one, other, pause, between, same = near
    mine = np.zeros(places.online.size, bool)
    mine[session] = True
    pick = np.flatnonzero(mine[one] & mine[other])
    one, other, pause = one[pick], other[pick], pause[pick]
    usable = places.limits[:, trainer] >= 0
    if usable.any():
        home = places.to_venue[:, trainer].astype(np.int64)
        there = places.online[one] | places.online[other]
        way = np.where(there, np.where(places.online[one], home[:, other], home[:, one]), between[:, pick])
        minutes = np.where(way[usable] >= 0, way[usable], 0).min(axis=0)
        seconds = np.where(same[pick], 0, np.minimum(minutes * 60, BETWEEN_SECONDS_MAX))
    else:
        seconds = np.zeros(len(pick), np.int64)
    clash = (pause < 0) | (pause < seconds)
    low, high = np.searchsorted(session, one[clash]), np.searchsorted(session, other[clash])
    upper_low, upper_high = session.searchsorted(one[clash], "right"), session.searchsorted(other[clash], "right")
    for a in range(len(ROLES)):
        for b in range(len(ROLES)):
            there = (low + a < upper_low) & (high + b < upper_high)
            yield first + low[there] + a, first + high[there] + b
    twice = np.flatnonzero(session[1:] == session[:-1])
    yield first + twice, first + twice + 1


def _apart(trainers: Sequence[StaffTrainer], table: StaffCandidates) -> Pairs:
    """Candidates of two trainers in one session who never share a room."""
    row = {t.id: i for i, t in enumerate(trainers)}
    avoiding = {
        (min(i, row[person]), max(i, row[person]))
        for i, t in enumerate(trainers)
        for person in t.avoid
        if person in row
    }
    spans = dict(_spans(table))
    found = []
    for one, other in sorted(avoiding):
        if one in spans and other in spans:
            (a, b), (c, d) = spans[one], spans[other]
            i, j = np.nonzero(table.session[a:b, None] == table.session[None, c:d])
            found.append((a + i, c + j))
    return _joined(found)


def _joined(found: Sequence[Pairs]) -> Pairs:
    nobody = np.zeros(0, np.int64)
    return np.concatenate([nobody, *(i for i, _ in found)]), np.concatenate([nobody, *(j for _, j in found)])
