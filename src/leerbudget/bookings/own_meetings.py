"""Reads: the meetings of a family's own booking, and where a missed one can be caught up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from leerbudget.bookings.elearning import GOING, Unit
from leerbudget.bookings.meetings import OPEN_STATES
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same meeting of another group of the course."""

    meeting: UUID
    session: UUID
    starts_at: datetime
    ends_at: datetime
    place: str | None
    postcode4: str | None


class Expected(msgspec.Struct, frozen=True):
    """Somebody of the booking at one of its meetings.

    `state`: planned, present, absent; elsewhere when they catch it up in another group; elearning or elearning_done when
    they do so alone; called_off when the meeting was.
    """

    person: UUID
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class OwnMeeting:
    """A meeting of the own group. `caught_up`: where somebody comes in its place; `options`: where that could be.

    `unit`: e-learning in its place; `may_learn`: it could be chosen.
    """

    meeting: UUID
    number: int
    starts_at: datetime
    ends_at: datetime
    persons: tuple[Expected, ...]
    caught_up: Elsewhere | None
    caught_up_over: bool
    options: tuple[Elsewhere, ...]
    called_off: bool
    unit: Unit | None
    may_learn: bool

    @property
    def may_miss(self) -> tuple[Expected, ...]:
        """Who could catch this meeting up."""
        return tuple(each for each in self.persons if each.state in ("planned", "absent", "called_off"))


_OWN = """
SELECT m.id AS meeting, m.number, m.starts_at, m.ends_at, m.called_off, u.title, u.link, u.duration_minutes,
       s.state = ANY ($3::text[]) AS going,
       (SELECT jsonb_agg(jsonb_build_object('person', p.id, 'name', p.name, 'state',
                 CASE WHEN e.unit IS NOT NULL AND e.state = 'present' THEN 'elearning_done'
                      WHEN e.unit IS NOT NULL THEN 'elearning' WHEN e.id IS NOT NULL THEN 'elsewhere'
                      WHEN m.called_off THEN 'called_off' ELSE a.state END) ORDER BY p.name, p.id)
        FROM booking_person bp JOIN person p ON p.id = bp.person
        LEFT JOIN attendance a ON a.booking = bp.booking AND a.person = bp.person AND a.meeting = m.id
        LEFT JOIN attendance e ON e.booking = bp.booking AND e.person = bp.person AND e.instead_of = m.id AND e.live
        WHERE bp.booking = b.id AND bp.live AND (a.id IS NOT NULL OR m.called_off)) AS persons
FROM booking b JOIN course_session s ON s.id = b.session
JOIN (SELECT id, session, number, starts_at, ends_at, false AS called_off FROM meeting
      UNION ALL SELECT id, session, number, starts_at, ends_at, true FROM cancelled_meeting) m ON m.session = b.session
LEFT JOIN elearning_unit u ON u.session = m.session AND u.number = m.number
WHERE b.id = $1 AND b.family = $2 AND b.state IN ('confirmed', 'attended') AND (NOT m.called_off OR u.id IS NOT NULL)
ORDER BY m.number
"""

_THERE = """
SELECT a.instead_of AS missed, t.id AS meeting, t.session, t.starts_at, t.ends_at, v.place, v.postcode4
FROM attendance a JOIN meeting t ON t.id = a.meeting JOIN course_session s ON s.id = t.session
LEFT JOIN venue v ON v.id = s.venue
WHERE a.booking = $1 AND a.live AND a.instead_of IS NOT NULL ORDER BY t.starts_at DESC
"""

_OPTIONS = """
SELECT m.id AS missed, t.id AS meeting, t.session, t.starts_at, t.ends_at, v.place, v.postcode4
FROM booking b JOIN meeting m ON m.session = b.session JOIN course_session o ON o.id = b.session
JOIN course_session s ON s.course = o.course AND s.id <> o.id AND s.state = ANY ($4::text[])
JOIN meeting t ON t.session = s.id AND t.number = m.number AND t.starts_at > $3
LEFT JOIN venue v ON v.id = s.venue
WHERE b.id = $1 AND b.family = $2 AND b.state IN ('confirmed', 'attended')
  AND s.seats_taken + (SELECT count(*) FROM attendance a WHERE a.meeting = t.id AND a.live AND a.instead_of IS NOT NULL)
      < s.seats_max
  AND NOT EXISTS (SELECT FROM session_party p WHERE p.session = s.id) AND NOT rooms.others_wait(s.id, b.family, $3)
ORDER BY t.starts_at, t.id
"""


async def meetings_of(booking: UUID, family: UUID) -> list[OwnMeeting]:
    """Every meeting of this booking of the family; none when it is another's, or stopped."""
    at = clock.now()
    own = await fetch_all(_OWN, booking, family, list(GOING))
    there = {row["missed"]: _elsewhere(row) for row in await fetch_all(_THERE, booking)} if own else {}
    options: dict[UUID, list[Elsewhere]] = {}
    for row in await fetch_all(_OPTIONS, booking, family, at, list(OPEN_STATES)):
        options.setdefault(row["missed"], []).append(_elsewhere(row))
    persons = [tuple(msgspec.json.decode(row["persons"] or "[]", type=list[Expected])) for row in own]
    used = bool(there) or any(each.state.startswith("elearning") for some in persons for each in some)
    return [
        OwnMeeting(
            *(row["meeting"], row["number"], row["starts_at"], row["ends_at"]),
            persons=expected,
            caught_up=there.get(row["meeting"]),
            caught_up_over=row["meeting"] in there and there[row["meeting"]].starts_at <= at,
            options=() if used else tuple(options.get(row["meeting"], ())),
            called_off=row["called_off"],
            unit=Unit(row["number"], row["title"], row["link"], row["duration_minutes"]) if row["title"] else None,
            may_learn=row["title"] is not None and row["going"] and not used,
        )
        for row, expected in zip(own, persons, strict=True)
    ]


def _elsewhere(row: dict[str, object]) -> Elsewhere:
    return Elsewhere(**{name: value for name, value in row.items() if name != "missed"})  # type: ignore[arg-type] # columns are named after the fields


@dataclass(frozen=True, slots=True)
class Missed:
    """Persons of a booking who were absent at a meeting of their own group and do not catch it up."""

    booking: UUID
    family: UUID
    meeting: UUID
    persons: tuple[UUID, ...]


_MISSED = """
SELECT a.booking, b.family, a.meeting, array_agg(a.person ORDER BY a.person) AS persons
FROM attendance a JOIN booking b ON b.id = a.booking AND b.family IS NOT NULL AND b.state IN ('confirmed', 'attended')
WHERE a.live AND a.state = 'absent' AND a.instead_of IS NULL AND a.ends_at BETWEEN $1 AND $2
  AND NOT EXISTS (SELECT FROM attendance c WHERE c.booking = a.booking AND c.instead_of IS NOT NULL)
GROUP BY a.booking, b.family, a.meeting ORDER BY a.booking, a.meeting
"""


async def missed_between(after: datetime, before: datetime) -> list[Missed]:
    """Who missed a meeting that ended in this time and never caught one up, in order of the bookings."""
    rows = await fetch_all(_MISSED, after, before)
    return [Missed(row["booking"], row["family"], row["meeting"], tuple(row["persons"])) for row in rows]
