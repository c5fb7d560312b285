"""What can be asked about the catalogue: sessions for the matcher, one session whole, work lists. Search: `search`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.catalogue.errors import CatalogueUnknown, SessionUnknown
from leerbudget.catalogue.search import Cursor, SearchPage, SearchQuery, SessionCard, search
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.geography.postcodes import place_of

__all__ = [
    "CourseView",
    "Cursor",
    "LeaderView",
    "PartySeats",
    "SearchPage",
    "SearchQuery",
    "SessionCard",
    "SessionDetail",
    "SessionForMatching",
    "SessionLine",
    "SessionSheet",
    "SessionTariff",
    "VenueView",
    "course",
    "course_ids",
    "courses",
    "due_for_decision",
    "finished_sessions",
    "search",
    "session_detail",
    "session_ids",
    "session_sheets",
    "sessions",
    "sessions_for_matching",
    "sessions_of_trainer",
    "venue_ids",
    "venues",
]

Interval = tuple[datetime, datetime]
Audience = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PartySeats:
    """Seats of one party in a dialogue."""

    seats_min: int
    seats_max: int
    seats_taken: int


@dataclass(frozen=True, slots=True)
class SessionForMatching:
    """A session as the matcher needs it: ids, moments, cents and bands, no names.

    `people`: ids of the persons who lead it. `childcare_free`: places that are still free, by age band.
    """

    id: UUID
    course: UUID
    theme: str
    form: str
    postcode4: str | None
    meetings: tuple[Interval, ...]
    price_cents: int
    seats_min: int
    seats_max: int
    seats_taken: int
    audience: Audience
    parties: Mapping[str, PartySeats]
    party_spread_max: int | None
    people: tuple[UUID, ...]
    childcare_free: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LeaderView:
    """Somebody who leads a session."""

    person: UUID
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class VenueView:
    """A place to meet."""

    id: UUID
    external_ref: str
    name: str
    postcode4: str
    place: str
    wheelchair: bool

    @property
    def municipality(self) -> str:
        """In which municipality it lies."""
        return place_of(self.postcode4).municipality


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course with its sheet."""

    id: UUID
    external_ref: str
    title: str
    theme: str
    form: str
    goal: str
    organisation: UUID | None
    state: str
    audience: Audience
    cancellation: tuple[Mapping[str, int], ...]
    regular_guidance: bool
    free_when_replaced: bool
    emergencies_per_year: int
    no_show_percent: int


@dataclass(frozen=True, slots=True)
class SessionTariff:
    """Where a session's price comes from (R06). `name`: of the youth region, municipality or organisation."""

    id: UUID
    scope: str
    name: str | None
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """One session whole, as its page shows it. `childcare`: {age band: (places, taken)}.

    `cancelled_meetings`: what was planned and does not take place. No `tariff`: a price of its own.
    """

    id: UUID
    external_ref: str
    course: CourseView
    venue: VenueView | None
    state: str
    cancel_reason: str | None
    price_cents: int
    seats_min: int
    seats_max: int
    seats_taken: int
    catch_up_seats: int
    starts_at: datetime
    ends_at: datetime
    decide_on: date
    meetings: tuple[tuple[UUID, datetime, datetime], ...]
    cancelled_meetings: tuple[Interval, ...]
    leaders: tuple[LeaderView, ...]
    trainer: UUID
    parties: Mapping[str, PartySeats]
    party_spread_max: int | None
    childcare: Mapping[str, tuple[int, int]]
    tariff: SessionTariff | None

    @property
    def seats_free(self) -> int:
        """Seats that nobody has, at any meeting."""
        return self.seats_max - self.seats_taken - self.catch_up_seats

    @property
    def to_come(self) -> bool:
        """Whether people can still get a seat, now or later."""
        offered = self.state in ("conditional", "confirmed") and self.course.state == "admitted"
        return offered and self.starts_at > clock.now()

    @property
    def bookable(self) -> bool:
        """Whether a seat could be booked now, as far as the catalogue knows."""
        return self.to_come and self.seats_free > 0


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in a list for whoever runs it."""

    id: UUID
    external_ref: str
    course: UUID
    title: str
    state: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    seats_min: int
    seats_max: int
    seats_taken: int
    decide_on: date
    form: str
    meetings: int
    first_meeting_ends_at: datetime


_MEETINGS = "array(SELECT m.{what} FROM meeting m WHERE m.session = s.id ORDER BY m.number)"
_PARTIES = """(SELECT coalesce(jsonb_object_agg(p.party, jsonb_build_object(
  'seats_min', p.seats_min, 'seats_max', p.seats_max, 'seats_taken', p.seats_taken)), '{}')
 FROM session_party p WHERE p.session = s.id)"""
_STARTS, _ENDS, _IDS = (_MEETINGS.replace("{what}", what) for what in ("starts_at", "ends_at", "id"))

_PLANNED = """array(SELECT m.{what} FROM (
  SELECT session, number, starts_at, ends_at FROM meeting
  UNION ALL SELECT session, number, starts_at, ends_at FROM cancelled_meeting) m
 WHERE m.session = s.id ORDER BY m.number)"""
PLANNED_STARTS, PLANNED_ENDS = (_PLANNED.replace("{what}", what) for what in ("starts_at", "ends_at"))
"""The meetings of session `s` as they were published, for SQL: those that were called off too."""

_FOR_MATCHING = f"""
SELECT s.id, s.course, c.theme, c.form, v.postcode4, s.price_cents, s.seats_min,
       s.seats_max - s.catch_up_seats AS seats_max, s.seats_taken, c.audience,
       s.party_spread_max, {_STARTS} AS starts, {_ENDS} AS ends, {_PARTIES} AS parties,
       array(SELECT x.person FROM session_person x WHERE x.session = s.id ORDER BY x.person) AS people,
       (SELECT coalesce(jsonb_object_agg(k.age_band, k.places_max - k.places_taken), '{{}}')
        FROM childcare_places k WHERE k.session = s.id) AS childcare_free
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
WHERE s.state IN ('conditional', 'confirmed') AND c.state = 'admitted' AND s.starts_at > $1
  AND (s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date BETWEEN $2 AND $3
ORDER BY s.id
"""


async def sessions_for_matching(starts_on: date, ends_on: date) -> list[SessionForMatching]:
    """Every session that can be booked and whose first meeting is in the period (last day included), by id.

    A confirmed session runs whatever happens; the matcher counts its seats as taken already.
    """
    rows = await fetch_all(_FOR_MATCHING, clock.now(), starts_on, ends_on)
    return [_for_matching(row) for row in rows]


def _for_matching(row: Any) -> SessionForMatching:
    values = dict(row)
    meetings = tuple(zip(values.pop("starts"), values.pop("ends"), strict=True))
    values["audience"] = _json(values["audience"], dict[str, dict[str, str]])
    values["parties"] = _json(values["parties"], dict[str, PartySeats])
    values["childcare_free"] = _json(values["childcare_free"], dict[str, int])
    values["people"] = tuple(values["people"])
    return SessionForMatching(**values, meetings=meetings)


_DETAIL = f"""
SELECT s.id, s.external_ref, s.course, s.venue, s.state, s.cancel_reason, s.price_cents, s.seats_min, s.seats_max,
       s.seats_taken, s.catch_up_seats, s.starts_at, s.ends_at, s.decide_on, s.party_spread_max, s.trainer,
       array(SELECT m.starts_at FROM cancelled_meeting m WHERE m.session = s.id ORDER BY m.number) AS cancelled_starts,
       array(SELECT m.ends_at FROM cancelled_meeting m WHERE m.session = s.id ORDER BY m.number) AS cancelled_ends,
       {_IDS} AS meeting_ids, {_STARTS} AS starts, {_ENDS} AS ends, {_PARTIES} AS parties,
       (SELECT coalesce(jsonb_object_agg(k.age_band, jsonb_build_array(k.places_max, k.places_taken)), '{{}}')
        FROM childcare_places k WHERE k.session = s.id) AS childcare,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('person', p.id, 'name', p.name, 'role', x.role)
                                  ORDER BY x.role DESC, p.name, p.id), '[]')
        FROM session_person x JOIN person p ON p.id = x.person WHERE x.session = s.id) AS leaders,
       to_jsonb(c) - 'created_at' AS course_sheet, to_jsonb(v) AS venue_sheet,
       (SELECT jsonb_build_object('id', t.id, 'scope', t.scope, 'starts_on', t.starts_on, 'ends_on', t.ends_on,
                                  'name', coalesce(t.region, t.municipalities[1], g.name))
        FROM tariff t LEFT JOIN organisation g ON g.id = t.organisation WHERE t.id = s.tariff) AS tariff
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
WHERE s.id = $1 AND s.state <> 'draft'
"""


async def session_detail(id: UUID) -> SessionDetail:  # noqa: A002 - the word of the house for a key
    """One published session whole.

    Raises:
        SessionUnknown: there is none with that id, or it is still a draft.
    """
    row = await fetch_one(_DETAIL, id)
    if row is None:
        raise SessionUnknown
    values = dict(row)
    meetings = zip(values.pop("meeting_ids"), values.pop("starts"), values.pop("ends"), strict=True)
    cancelled = zip(values.pop("cancelled_starts"), values.pop("cancelled_ends"), strict=True)
    values["cancelled_meetings"] = tuple(cancelled)
    values["course"] = _json(values.pop("course_sheet"), CourseView)
    values["venue"] = _json(values.pop("venue_sheet"), VenueView | None)
    values["parties"] = _json(values["parties"], dict[str, PartySeats])
    values["childcare"] = _json(values["childcare"], dict[str, tuple[int, int]])
    values["leaders"] = _json(values["leaders"], tuple[LeaderView, ...])
    values["tariff"] = _json(values["tariff"], SessionTariff | None)
    return SessionDetail(**values, meetings=tuple(meetings))


@dataclass(frozen=True, slots=True)
class SessionSheet:
    """A session with external references instead of ids, as files have it. The first trainer is responsible."""

    external_ref: str
    state: str
    course: CourseView
    organisation_ref: str | None
    venue: VenueView | None
    meetings: tuple[Interval, ...]
    price_cents: int
    seats_min: int
    seats_max: int
    decide_on: date
    trainer_refs: tuple[str, ...]
    facilitator_refs: tuple[str, ...]
    parties: Mapping[str, PartySeats]
    party_spread_max: int | None
    childcare: Mapping[str, int]


_SHEETS = f"""
SELECT s.external_ref, s.state, s.price_cents, s.seats_min, s.seats_max, s.decide_on, s.party_spread_max,
       {PLANNED_STARTS} AS starts, {PLANNED_ENDS} AS ends, {_PARTIES} AS parties, o.external_ref AS organisation_ref,
       (SELECT coalesce(jsonb_object_agg(k.age_band, k.places_max), '{{}}')
        FROM childcare_places k WHERE k.session = s.id) AS childcare,
       array(SELECT t.external_ref FROM session_person x JOIN trainer t ON t.person = x.person
             WHERE x.session = s.id AND x.role = 'trainer'
             ORDER BY t.id <> s.trainer, t.external_ref) AS trainer_refs,
       array(SELECT p.external_ref FROM session_person x JOIN person p ON p.id = x.person
             WHERE x.session = s.id AND x.role = 'facilitator' ORDER BY p.external_ref) AS facilitator_refs,
       to_jsonb(c) - 'created_at' AS course_sheet, to_jsonb(v) AS venue_sheet
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
LEFT JOIN organisation o ON o.id = c.organisation
ORDER BY s.external_ref
"""


async def session_sheets() -> list[SessionSheet]:
    """Every session by reference, drafts included: for exports."""
    return [_sheet(row) for row in await fetch_all(_SHEETS)]


def _sheet(row: Any) -> SessionSheet:
    values = dict(row)
    meetings = tuple(zip(values.pop("starts"), values.pop("ends"), strict=True))
    values["course"] = _json(values.pop("course_sheet"), CourseView)
    values["venue"] = _json(values.pop("venue_sheet"), VenueView | None)
    values["parties"] = _json(values["parties"], dict[str, PartySeats])
    values["childcare"] = _json(values["childcare"], dict[str, int])
    for name in ("trainer_refs", "facilitator_refs"):
        values[name] = tuple(values[name])
    return SessionSheet(**values, meetings=meetings)


_LINE = """
SELECT s.id, s.external_ref, s.course, c.title, s.state, s.starts_at, s.ends_at, v.place, s.seats_min, s.seats_max,
       s.seats_taken, s.decide_on, c.form,
       (SELECT count(*)::int FROM meeting m WHERE m.session = s.id) AS meetings,
       coalesce((SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number LIMIT 1), s.ends_at)
         AS first_meeting_ends_at
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
"""


async def sessions_of_trainer(trainer: UUID) -> list[SessionLine]:
    """Every session of a pool member, drafts included, the nearest first."""
    rows = await fetch_all(f"{_LINE} WHERE s.trainer = $1 ORDER BY s.starts_at, s.id", trainer)
    return [SessionLine(**row) for row in rows]


async def due_for_decision(on: date) -> list[SessionLine]:
    """Conditional sessions whose decision date has come, the nearest first (R35)."""
    rows = await fetch_all(
        f"{_LINE} WHERE s.state = 'conditional' AND s.decide_on <= $1 ORDER BY s.starts_at, s.id", on
    )
    return [SessionLine(**row) for row in rows]


async def finished_sessions(before: datetime) -> list[SessionLine]:
    """Sessions that went on and whose last meeting ended before an instant, but that are not closed yet."""
    rows = await fetch_all(
        f"{_LINE} WHERE s.state IN ('confirmed', 'running') AND s.ends_at < $1 ORDER BY s.ends_at, s.id", before
    )
    return [SessionLine(**row) for row in rows]


async def sessions(*, after: UUID | None = None, limit: int = 50) -> list[SessionLine]:
    """A page of all sessions in order of id; `after` is the last id of the page before."""
    rows = await fetch_all(f"{_LINE} WHERE $1::uuid IS NULL OR s.id > $1 ORDER BY s.id LIMIT $2", after, limit)
    return [SessionLine(**row) for row in rows]


_COURSE = "SELECT to_jsonb(c) - 'created_at' AS sheet FROM course c"


async def course(id: UUID) -> CourseView:  # noqa: A002 - as above
    """One course.

    Raises:
        CatalogueUnknown: there is none with that id.
    """
    row = await fetch_one(f"{_COURSE} WHERE id = $1", id)
    if row is None:
        raise CatalogueUnknown
    found: CourseView = _json(row["sheet"], CourseView)
    return found


async def meetings_between(after: datetime, before: datetime) -> list[UUID]:
    """Meetings that begin in this time, of sessions that go on and have others, in order."""
    rows = await fetch_all(
        "SELECT m.id FROM meeting m JOIN course_session s ON s.id = m.session AND s.state IN ('confirmed', 'running')"
        " WHERE m.starts_at BETWEEN $1 AND $2 AND EXISTS (SELECT FROM meeting o WHERE o.session = s.id AND o.id <> m.id)"
        " ORDER BY m.starts_at, s.external_ref, m.number",
        after,
        before,
    )
    return [row["id"] for row in rows]


async def is_cancelled_meeting(session: UUID, meeting: UUID) -> bool:
    """Whether this was a meeting of the session and was called off."""
    found: bool = await fetch_value(
        "SELECT EXISTS (SELECT FROM cancelled_meeting WHERE id = $2 AND session = $1)", session, meeting
    )
    return found


async def suits(course: UUID, family: UUID) -> bool:
    """Whether the course is open to the family: nothing about it is marked `not_for` (R17)."""
    found: bool = await fetch_value(
        "SELECT rooms.course_suits(c.audience, $2, $3) FROM course c WHERE c.id = $1", course, family, clock.today()
    )
    return found


async def courses(*, state: str | None = None) -> list[CourseView]:
    """All courses by title, or those in one state of admission."""
    rows = await fetch_all(f"{_COURSE} WHERE $1::text IS NULL OR state = $1 ORDER BY title, id", state)
    return [_json(row["sheet"], CourseView) for row in rows]


async def venues() -> list[VenueView]:
    """All venues by place and name."""
    rows = await fetch_all(
        "SELECT id, external_ref, name, postcode4, place, wheelchair FROM venue ORDER BY place, name, id"
    )
    return [VenueView(**row) for row in rows]


async def course_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of courses by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM course WHERE external_ref = ANY($1::text[])", refs)


async def known_courses(ids: Iterable[UUID]) -> set[UUID]:
    """Those of these ids that are courses, whatever their state."""
    return {row["id"] for row in await fetch_all("SELECT id FROM course WHERE id = ANY($1::uuid[])", list(ids))}


async def venue_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of venues by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM venue WHERE external_ref = ANY($1::text[])", refs)


async def session_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of sessions by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM course_session WHERE external_ref = ANY($1::text[])", refs)


async def _ids(sql: str, refs: Iterable[str]) -> dict[str, UUID]:
    return {row["external_ref"]: row["id"] for row in await fetch_all(sql, list(refs))}


def _json(text: str | None, shape: Any) -> Any:
    return None if text is None else msgspec.json.decode(text, type=shape)


async def numbers_by_state() -> dict[str, int]:
    """How many course sessions are in each state."""
    rows = await fetch_all("SELECT state, count(*)::int AS n FROM course_session GROUP BY state ORDER BY state")
    return {row["state"]: row["n"] for row in rows}
