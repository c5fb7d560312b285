"""An instance as arrays: one row per session, seeker and wish, so that many pairs are judged at once.

Bits: day-parts (21, Monday morning first), values of the differentiation criteria, parties, forms and
themes, each in the order of its list in `vocabulary`. Moments are seconds since 1970, days are ordinals
(Amsterdam), minutes are whole, money is cents.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import MODES, Point, Points, minutes_table, points
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import weights_of
from leerbudget.matcher.day_parts import day_parts_of, local_days, mask_of
from leerbudget.matcher.instance import (
    Instance,
    Interval,
    LearningBudget,
    LearningWish,
    OfferedSession,
    Seeker,
    SeekerPerson,
)
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
Cell = tuple[int, int, int]
THEMES = {theme: row for row, theme in enumerate(Theme)}
FORMS = {form: row for row, form in enumerate(LearningForm)}
PARTIES = {party: row for row, party in enumerate(Party)}
BANDS = {band: row for row, band in enumerate(ChildAgeBand)}
TRAVEL = {mode: row for row, mode in enumerate(MODES)}
AUDIENCE = {
    (facet, value): bit
    for bit, (facet, value) in enumerate((facet, value) for facet in Facet for value in FACET_VALUES[facet])
}
"""The bit of every value an offer may speak of."""
AUDIENCE_MASK = {facet: {value: 1 << AUDIENCE[facet, value] for value in FACET_VALUES[facet]} for facet in Facet}
FACET_MASKS = [sum(1 << bit for (facet, _), bit in AUDIENCE.items() if facet is wanted) for wanted in Facet]
EVERY_BIT = (1 << 31) - 1
NEVER = date.max.toordinal()
ALWAYS = 0
SPAN = 2**33
"""More than two centuries in seconds; rows of ranges are laid end to end this far apart."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Sorted, separate half-open ranges per row: those of row r are `ptr[r]` to `ptr[r + 1]`."""

    ptr: Whole
    start: Whole
    end: Whole


@dataclass(frozen=True, slots=True)
class SessionArrays:
    """`parties`: bits of who may sit down. `starts_on`: day of the first meeting; 0 without meetings.

    `venue`: row of the place in `venues`, where every place is once. `led`: the rows that a person leads.
    """

    ids: list[str]
    row: dict[str, int]
    theme: Whole
    form: Whole
    course: Whole
    day_parts: Whole
    online: NDArray[np.bool_]
    places: Points
    venue: Whole
    venues: Points
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
    led: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class SeekerArrays:
    """`limits`: minutes by mode, -1 when that mode is not used. `childcare`: zero unless a place is needed.

    `needs_places`: at least one childcare place is needed. `place`: row of the home in `places`, where every place is once.
    """

    ids: list[str]
    row: dict[str, int]
    home: Points
    place: Whole
    places: Points
    limits: Whole
    online_ok: NDArray[np.bool_]
    audience: Whole
    childcare: Whole
    needs_places: NDArray[np.bool_]
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
    """An instance, ready for the candidates. `barred` and `apart` are sorted codes seeker * sessions + session.

    `minutes`: travel minutes (homes, venues, modes) between the places of seekers and of sessions; None when
    there are too many for a table.
    """

    instance: Instance
    sessions: SessionArrays
    seekers: SeekerArrays
    wishes: WishArrays
    barred: Whole
    apart: Whole
    minutes: NDArray[np.int16] | None
    weights: dict[str, int]


def arrays_of(instance: Instance, sessions: SessionArrays | None = None) -> Arrays:
    """The arrays of an instance; pass `sessions` when those of its catalogue were made before."""
    sessions = session_arrays(instance.sessions) if sessions is None else sessions
    weights = weights_of(instance)
    seekers = _seeker_arrays(instance, weights)
    size = len(sessions.ids)
    barred = [seekers.row[seeker] * size + sessions.row[session] for seeker, session in instance.forbidden]
    return Arrays(
        instance,
        sessions,
        seekers,
        _wish_arrays(instance),
        whole(sorted(barred)),
        whole(_apart(instance, size, sessions.led)),
        minutes_table(seekers.places, sessions.venues),
        weights,
    )


def whole(values: Iterable[int]) -> Whole:
    """Integers as an array."""
    return np.fromiter(values, np.int64)


def _filled(shape: tuple[int, int], default: int, cells: Iterable[Cell]) -> Whole:
    """A table with the given cells (row, column, value) and the default elsewhere."""
    table = np.full(shape, default, np.int64)
    row, column, value = whole(chain.from_iterable(cells)).reshape(-1, 3).T
    table[row, column] = value
    return table


def session_arrays(sessions: Sequence[OfferedSession]) -> SessionArrays:
    """The arrays of a catalogue."""
    courses: dict[str, int] = {}
    venues, venue = _places(sessions)
    online = np.isnan(venues.xyz[:, 0])[venue]
    meetings, meeting_day = _meetings(sessions)
    return SessionArrays(
        ids=[s.id for s in sessions],
        row={s.id: i for i, s in enumerate(sessions)},
        theme=whole([THEMES[s.theme] for s in sessions]),
        form=whole([FORMS[s.form] for s in sessions]),
        course=whole([courses.setdefault(s.course, len(courses)) for s in sessions]),
        day_parts=whole([_day_parts(s.meetings) for s in sessions]),
        online=online,
        places=venues.take(venue),
        venue=venue,
        venues=venues,
        price_cents=whole([s.price_cents for s in sessions]),
        seats_min=whole([s.seats_min for s in sessions]),
        seats_max=whole([s.seats_max for s in sessions]),
        seats_taken=whole([s.seats_taken for s in sessions]),
        not_for=whole([_audience(s, Fit.NOT_FOR) for s in sessions]),
        made_for=whole([_audience(s, Fit.FOR) for s in sessions]),
        parties=whole([EVERY_BIT if s.parties is None else _bits(PARTIES[p] for p in s.parties) for s in sessions]),
        childcare=_filled((len(sessions), len(BANDS)), 0, _childcare_places(sessions)),
        starts_on=_starts_on(meetings, meeting_day),
        meetings=meetings,
        meeting_day=meeting_day,
        led=_led(sessions),
    )


def _places(everybody: Sequence[Seeker] | Sequence[OfferedSession]) -> tuple[Points, Whole]:
    """Every place once, and the row of everybody's place; None is nowhere."""
    numbers: dict[str | Point | None, int] = {}
    rows = whole([numbers.setdefault(_where(one), len(numbers)) for one in everybody])
    return points([_point(place) for place in numbers]), rows


def _where(someone: Seeker | OfferedSession) -> str | Point | None:
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    return someone.pc4


def _point(place: str | Point | None) -> Point | None:
    if not isinstance(place, str):
        return place
    area = place_of(place)
    return Point(area.lat, area.lon)


def _seconds(moments: Iterable[datetime]) -> Whole:
    return np.fromiter((moment.timestamp() for moment in moments), np.float64).astype(np.int64)


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


def _childcare_places(sessions: Sequence[OfferedSession]) -> Iterator[Cell]:
    for row, session in enumerate(sessions):
        for band, places in session.childcare_places.items():
            yield row, BANDS[band], places


def _meetings(sessions: Sequence[OfferedSession]) -> tuple[Ranges, Whole]:
    """The meetings of every session in order of time, and the day on which each begins."""
    rows = [sorted(s.meetings) for s in sessions]
    start = _seconds(start for row in rows for start, _ in row)
    end = _seconds(end for row in rows for _, end in row)
    return Ranges(_ptr(whole([len(row) for row in rows])), start, end), local_days(start)


def _ptr(lengths: Whole) -> Whole:
    ptr = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ptr[1:])
    return ptr


def _starts_on(meetings: Ranges, meeting_day: Whole) -> Whole:
    starts = np.full(len(meetings.ptr) - 1, ALWAYS, np.int64)
    some = meetings.ptr[1:] > meetings.ptr[:-1]
    starts[some] = meeting_day[meetings.ptr[:-1][some]]
    return starts


def _led(sessions: Sequence[OfferedSession]) -> dict[str, list[int]]:
    led: dict[str, list[int]] = {}
    for row, session in enumerate(sessions):
        for person in session.people:
            led.setdefault(person, []).append(row)
    return led


def _seeker_arrays(instance: Instance, weights: dict[str, int]) -> SeekerArrays:
    seekers = instance.seekers
    places, place = _places(seekers)
    childcare = _filled((len(seekers), len(BANDS)), 0, _children(seekers))
    shape = len(seekers), max((len(s.budgets) for s in seekers), default=0)
    budgets = [(i, j, budget) for i, seeker in enumerate(seekers) for j, budget in enumerate(seeker.budgets)]
    return SeekerArrays(
        ids=[s.id for s in seekers],
        row={s.id: i for i, s in enumerate(seekers)},
        home=places.take(place),
        place=place,
        places=places,
        limits=_filled((len(seekers), len(MODES)), -1, _limits(seekers)).T,
        online_ok=np.array([s.online_ok for s in seekers], bool),
        audience=whole([_facets(s) for s in seekers]),
        childcare=childcare,
        needs_places=childcare.max(axis=1, initial=0) > 0,
        placements_max=np.minimum(whole([s.max_placements for s in seekers]), instance.policy.max_placements),
        own_cents=whole([s.own_contribution_cents_max for s in seekers]),
        bonus=whole([first_placement.bonus(s, weights) for s in seekers]),
        budget_cents=_filled(shape, 0, ((i, j, b.available_cents) for i, j, b in budgets)),
        budget_themes=_filled(shape, 0, ((i, j, _earmark(b)) for i, j, b in budgets)),
        budget_expires=_filled(shape, ALWAYS, ((i, j, _expiry(b)) for i, j, b in budgets)),
    )


def _limits(seekers: Sequence[Seeker]) -> Iterator[Cell]:
    for row, seeker in enumerate(seekers):
        for mode, minutes in seeker.travel_minutes_max.items():
            yield row, TRAVEL[mode], minutes


def _earmark(budget: LearningBudget) -> int:
    return EVERY_BIT if budget.themes is None else _bits(THEMES[theme] for theme in budget.themes)


def _expiry(budget: LearningBudget) -> int:
    return NEVER if budget.expires_on is None else budget.expires_on.toordinal()


def _facets(seeker: Seeker) -> int:
    mask = 0
    for form in seeker.care_forms:
        mask |= AUDIENCE_MASK[Facet.CARE_FORMS][form]
    for band in seeker.child_age_bands:
        mask |= AUDIENCE_MASK[Facet.CHILD_AGE_BANDS][band]
    if seeker.family_type is not None:
        mask |= AUDIENCE_MASK[Facet.FAMILY_TYPE][seeker.family_type]
    if seeker.experience_years is not None:
        mask |= AUDIENCE_MASK[Facet.EXPERIENCE][experience_band(seeker.experience_years)]
    return mask


def _children(seekers: Sequence[Seeker]) -> Iterator[Cell]:
    for row, seeker in enumerate(seekers):
        if seeker.childcare_need is ChildcareNeed.NEEDS_PLACE:
            for band, children in seeker.childcare.items():
                yield row, BANDS[band], children


def _wish_arrays(instance: Instance) -> WishArrays:
    wishes = [(i, seeker, wish) for i, seeker in enumerate(instance.seekers) for wish in seeker.wishes]
    goes = [[p for p in seeker.persons if p.id in wish.persons] for _, seeker, wish in wishes]
    persons = whole([len(group) for group in goes])
    counts = _party_counts(goes, persons)
    blocked, busy = _blocked(goes)
    return WishArrays(
        ids=[wish.id for _, _, wish in wishes],
        row={(seeker.id, wish.id): w for w, (_, seeker, wish) in enumerate(wishes)},
        seeker=whole([i for i, _, _ in wishes]),
        theme=whole([THEMES[wish.theme] for _, _, wish in wishes]),
        rank=whole([wish.rank for _, _, wish in wishes]),
        urgent=whole([wish.urgent for _, _, wish in wishes]),
        persons=persons,
        person_sets=[frozenset(wish.persons) for _, _, wish in wishes],
        free=whole([_free(group) for group in goes]),
        parties=(counts > 0) @ (1 << np.arange(len(PARTIES))),
        party_counts=counts,
        forms=whole([_forms(wish) for _, _, wish in wishes]),
        blocked=blocked,
        busy=busy,
    )


def _party_counts(goes: Sequence[Sequence[SeekerPerson]], persons: Whole) -> Whole:
    wish = np.repeat(np.arange(len(goes)), persons)
    party = whole([PARTIES[person.party] for group in goes for person in group])
    counts = np.bincount(wish * len(PARTIES) + party, minlength=len(goes) * len(PARTIES))
    return counts.astype(np.int64).reshape(len(goes), len(PARTIES))


def _free(group: Sequence[SeekerPerson]) -> int:
    mask = EVERY_BIT
    for person in group:
        mask &= mask_of(person.availability)
    return mask


def _forms(wish: LearningWish) -> int:
    return EVERY_BIT if wish.forms is None else _bits(FORMS[form] for form in wish.forms)


def _blocked(goes: Sequence[Sequence[SeekerPerson]]) -> tuple[Ranges, Ranges]:
    """Per wish when somebody who goes is blocked: seconds, and whole days with something blocked."""
    some = [
        (w, start, end)
        for w, group in enumerate(goes)
        for person in group
        if person.blocked
        for start, end in person.blocked
    ]
    wish = whole([w for w, _, _ in some])
    start, end = _seconds(start for _, start, _ in some), _seconds(end for _, _, end in some)
    days = _merged(len(goes), wish, local_days(start), local_days(end - 1) + 1)
    return _merged(len(goes), wish, start, end), days


def _merged(rows: int, row: Whole, start: Whole, end: Whole) -> Ranges:
    """Ranges of rows, sorted, and joined where they touch."""
    order = np.lexsort((start, row))
    row, start, end = row[order], start[order], end[order]
    until = np.maximum.accumulate(row * SPAN + end)
    opens = np.ones(len(row), bool)
    opens[1:] = row[1:] * SPAN + start[1:] > until[:-1]
    closes = np.roll(opens, -1)
    ptr = _ptr(np.bincount(row[opens], minlength=rows))
    return Ranges(ptr, start[opens], until[closes] - row[closes] * SPAN)


def _apart(instance: Instance, sessions: int, led: dict[str, list[int]]) -> list[int]:
    """Seekers and sessions led by somebody the seeker never shares a room with."""
    codes = {
        i * sessions + row
        for i, seeker in enumerate(instance.seekers)
        if seeker.avoid or seeker.professionals
        for person in (*seeker.avoid, *seeker.professionals)
        for row in led.get(person, ())
    }
    return sorted(codes)
