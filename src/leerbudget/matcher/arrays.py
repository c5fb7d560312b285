"""An instance as arrays: one row per session, seeker and wish, so that many pairs are judged at once.

Bits: day-parts (21, Monday morning first), values of the differentiation criteria, parties, forms and
themes, each in the order of its list in `vocabulary`. Moments are seconds since 1970, days are ordinals
(Amsterdam), minutes are whole, money is cents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import MODES, Point, Points, points
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import weights_of
from leerbudget.matcher.day_parts import day_parts_of, local_date, mask_of
from leerbudget.matcher.instance import Instance, Interval, LearningWish, OfferedSession, Seeker
from leerbudget.matcher.vocabulary import (
    FACET_VALUES,
    ChildAgeBand,
    ChildcareNeed,
    Facet,
    Fit,
    LearningForm,
    Party,
    Theme,
    experience_band,
)

Whole = NDArray[np.int64]
THEMES = {theme: row for row, theme in enumerate(Theme)}
FORMS = {form: row for row, form in enumerate(LearningForm)}
PARTIES = {party: row for row, party in enumerate(Party)}
BANDS = {band: row for row, band in enumerate(ChildAgeBand)}
AUDIENCE = {
    (facet, value): bit
    for bit, (facet, value) in enumerate((facet, value) for facet in Facet for value in FACET_VALUES[facet])
}
"""The bit of every value an offer may speak of."""
FACET_MASKS = [sum(1 << bit for (facet, _), bit in AUDIENCE.items() if facet is wanted) for wanted in Facet]
EVERY_BIT = (1 << 31) - 1
NEVER = date.max.toordinal()
ALWAYS = 0
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ranges:
    """Sorted, separate half-open ranges per row: those of row r are `ptr[r]` to `ptr[r + 1]`."""

    ptr: Whole
    start: Whole
    end: Whole


@dataclass(frozen=True, slots=True)
class SessionArrays:
    """`parties`: bits of who may sit down. `starts_on`: day of the first meeting; 0 without meetings."""

    ids: list[str]
    row: dict[str, int]
    theme: Whole
    form: Whole
    course: Whole
    day_parts: Whole
    online: NDArray[np.bool_]
    places: Points
    price_cents: Whole
    seats_min: Whole
    seats_max: Whole
    seats_taken: Whole
    not_for: Whole
    made_for: Whole
    parties: Whole
    childcare: Whole
    starts_on: Whole
    meetings: Ranges
    meeting_day: Whole


@dataclass(frozen=True, slots=True)
class SeekerArrays:
    """`limits`: minutes by mode, -1 when that mode is not used. `childcare`: zero unless a place is needed."""

    ids: list[str]
    row: dict[str, int]
    home: Points
    limits: Whole
    online_ok: NDArray[np.bool_]
    audience: Whole
    childcare: Whole
    placements_max: Whole
    own_cents: Whole
    bonus: Whole
    budget_cents: Whole
    budget_themes: Whole
    budget_expires: Whole


@dataclass(frozen=True, slots=True)
class WishArrays:
    """`free`: day-parts on which everyone who goes is free. `blocked`: seconds; `busy`: days with something blocked."""

    ids: list[str]
    row: dict[tuple[str, str], int]
    seeker: Whole
    theme: Whole
    rank: Whole
    urgent: Whole
    persons: Whole
    person_sets: list[frozenset[str]]
    free: Whole
    parties: Whole
    party_counts: Whole
    forms: Whole
    blocked: Ranges
    busy: Ranges


@dataclass(frozen=True, slots=True)
class Arrays:
    """An instance, ready for the candidates. `barred` and `apart` are sorted codes seeker * sessions + session."""

    instance: Instance
    sessions: SessionArrays
    seekers: SeekerArrays
    wishes: WishArrays
    barred: Whole
    apart: Whole
    weights: dict[str, int]


def arrays_of(instance: Instance, sessions: SessionArrays | None = None) -> Arrays:
    """The arrays of an instance; pass `sessions` when those of its catalogue were made before."""
    sessions = session_arrays(instance.sessions) if sessions is None else sessions
    weights = weights_of(instance)
    seekers = _seeker_arrays(instance, weights)
    size = len(sessions.ids)
    barred = [seekers.row[seeker] * size + sessions.row[session] for seeker, session in instance.forbidden]
    apart = _apart(instance, seekers, sessions)
    return Arrays(instance, sessions, seekers, _wish_arrays(instance), whole(sorted(barred)), apart, weights)


def whole(values: Iterable[int]) -> Whole:
    """Integers as an array."""
    return np.fromiter(values, np.int64)


def _table(rows: Sequence[Sequence[int]], columns: int) -> Whole:
    return np.array(rows, np.int64).reshape(len(rows), columns)


def session_arrays(sessions: Sequence[OfferedSession]) -> SessionArrays:
    """The arrays of a catalogue."""
    meetings = [sorted(s.meetings) for s in sessions]
    courses: dict[str, int] = {}
    return SessionArrays(
        ids=[s.id for s in sessions],
        row={s.id: i for i, s in enumerate(sessions)},
        theme=whole(THEMES[s.theme] for s in sessions),
        form=whole(FORMS[s.form] for s in sessions),
        course=whole(courses.setdefault(s.course, len(courses)) for s in sessions),
        day_parts=whole(_day_parts(s.meetings) for s in sessions),
        online=np.array([_where(s) is None for s in sessions], bool),
        places=points([_where(s) for s in sessions]),
        price_cents=whole(s.price_cents for s in sessions),
        seats_min=whole(s.seats_min for s in sessions),
        seats_max=whole(s.seats_max for s in sessions),
        seats_taken=whole(s.seats_taken for s in sessions),
        not_for=whole(_audience(s, Fit.NOT_FOR) for s in sessions),
        made_for=whole(_audience(s, Fit.FOR) for s in sessions),
        parties=whole(EVERY_BIT if s.parties is None else _bits(PARTIES[p] for p in s.parties) for s in sessions),
        childcare=_table([[s.childcare_places.get(band, 0) for band in BANDS] for s in sessions], len(BANDS)),
        starts_on=whole(local_date(m[0][0]).toordinal() if m else ALWAYS for m in meetings),
        meetings=_ranges([[(_seconds(a), _seconds(b)) for a, b in m] for m in meetings]),
        meeting_day=whole(local_date(start).toordinal() for m in meetings for start, _ in m),
    )


def _where(someone: Seeker | OfferedSession) -> Point | None:
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    if someone.pc4 is None:
        return None
    place = place_of(someone.pc4)
    return Point(place.lat, place.lon)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _bits(rows: Iterable[int]) -> int:
    mask = 0
    for row in rows:
        mask |= 1 << row
    return mask


def _day_parts(meetings: Sequence[Interval]) -> int:
    mask = 0
    for start, end in meetings:
        mask |= day_parts_of(start, end)
    return mask


def _audience(session: OfferedSession, wanted: Fit) -> int:
    return _bits(
        AUDIENCE[facet, value]
        for facet, fits in session.audience.items()
        for value, fit in fits.items()
        if fit is wanted
    )


def _ranges(rows: Sequence[Sequence[tuple[int, int]]]) -> Ranges:
    ptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=ptr[1:])
    return Ranges(ptr, whole(a for row in rows for a, _ in row), whole(b for row in rows for _, b in row))


def _seeker_arrays(instance: Instance, weights: dict[str, int]) -> SeekerArrays:
    seekers = instance.seekers
    most = instance.policy.max_placements
    purses = max((len(s.budgets) for s in seekers), default=0)
    empty: tuple[int, int, int] = (0, 0, ALWAYS)
    padded = [[_budget(b) for b in s.budgets] + [empty] * (purses - len(s.budgets)) for s in seekers]
    budgets = np.array(padded, np.int64).reshape(len(seekers), purses, 3)
    return SeekerArrays(
        ids=[s.id for s in seekers],
        row={s.id: i for i, s in enumerate(seekers)},
        home=points([_where(s) for s in seekers]),
        limits=_table([[_limit(s, mode) for mode in MODES] for s in seekers], len(MODES)).T,
        online_ok=np.array([s.online_ok for s in seekers], bool),
        audience=whole(_bits(_facets(s)) for s in seekers),
        childcare=_table([_children(s) for s in seekers], len(BANDS)),
        placements_max=whole(min(s.max_placements, most) for s in seekers),
        own_cents=whole(s.own_contribution_cents_max for s in seekers),
        bonus=whole(first_placement.bonus(s, weights) for s in seekers),
        budget_cents=budgets[:, :, 0],
        budget_themes=budgets[:, :, 1],
        budget_expires=budgets[:, :, 2],
    )


def _limit(seeker: Seeker, mode: str) -> int:
    limits: dict[Any, int] = dict(seeker.travel_minutes_max)
    return limits.get(mode, -1)


def _budget(budget: Any) -> tuple[int, int, int]:
    themes = EVERY_BIT if budget.themes is None else _bits(THEMES[t] for t in budget.themes)
    return budget.available_cents, themes, NEVER if budget.expires_on is None else budget.expires_on.toordinal()


def _facets(seeker: Seeker) -> list[int]:
    bits = [AUDIENCE[Facet.CARE_FORMS, form] for form in seeker.care_forms]
    bits += [AUDIENCE[Facet.CHILD_AGE_BANDS, band] for band in seeker.child_age_bands]
    if seeker.family_type is not None:
        bits.append(AUDIENCE[Facet.FAMILY_TYPE, seeker.family_type])
    if seeker.experience_years is not None:
        bits.append(AUDIENCE[Facet.EXPERIENCE, experience_band(seeker.experience_years)])
    return bits


def _children(seeker: Seeker) -> list[int]:
    needed = seeker.childcare_need is ChildcareNeed.NEEDS_PLACE
    return [seeker.childcare.get(band, 0) if needed else 0 for band in BANDS]


def _wish_arrays(instance: Instance) -> WishArrays:
    wishes = [(i, seeker, wish) for i, seeker in enumerate(instance.seekers) for wish in seeker.wishes]
    goes = [[p for p in seeker.persons if p.id in set(wish.persons)] for _, seeker, wish in wishes]
    blocked = [[interval for p in persons for interval in p.blocked] for persons in goes]
    return WishArrays(
        ids=[wish.id for _, _, wish in wishes],
        row={(seeker.id, wish.id): w for w, (_, seeker, wish) in enumerate(wishes)},
        seeker=whole(i for i, _, _ in wishes),
        theme=whole(THEMES[wish.theme] for _, _, wish in wishes),
        rank=whole(wish.rank for _, _, wish in wishes),
        urgent=whole(wish.urgent for _, _, wish in wishes),
        persons=whole(len(persons) for persons in goes),
        person_sets=[frozenset(wish.persons) for _, _, wish in wishes],
        free=whole(_free(p.availability for p in persons) for persons in goes),
        parties=whole(_bits(PARTIES[p.party] for p in persons) for persons in goes),
        party_counts=_table([[sum(p.party is x for p in persons) for x in PARTIES] for persons in goes], len(PARTIES)),
        forms=whole(_forms(wish) for _, _, wish in wishes),
        blocked=_ranges([_merged((_seconds(a), _seconds(b)) for a, b in row) for row in blocked]),
        busy=_ranges([_merged(_days(a, b) for a, b in row) for row in blocked]),
    )


def _free(availabilities: Iterable[str]) -> int:
    mask = EVERY_BIT
    for availability in availabilities:
        mask &= mask_of(availability)
    return mask


def _forms(wish: LearningWish) -> int:
    return EVERY_BIT if wish.forms is None else _bits(FORMS[form] for form in wish.forms)


def _days(start: datetime, end: datetime) -> tuple[int, int]:
    return local_date(start).toordinal(), local_date(end - MICROSECOND).toordinal() + 1


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _apart(instance: Instance, seekers: SeekerArrays, sessions: SessionArrays) -> Whole:
    """Seekers and sessions led by somebody the seeker never shares a room with."""
    led: dict[str, list[int]] = {}
    for row, session in enumerate(instance.sessions):
        for person in session.people:
            led.setdefault(person, []).append(row)
    size = len(sessions.ids)
    codes = {
        seekers.row[seeker.id] * size + row
        for seeker in instance.seekers
        for person in (*seeker.avoid, *seeker.professionals)
        for row in led.get(person, ())
    }
    return whole(sorted(codes))
