"""Catching up a missed meeting by e-learning: chosen by the family, said to be done by the trainer.

It is the same once-per-person catching up as in another group (`meetings.catch_up`): attendance with `instead_of`. It
asks for no seat and no hour, and moves no money.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leerbudget.bookings.errors import (
    BookingUnknown,
    CatchUpUnknown,
    CatchUpUsed,
    NoElearning,
)
from leerbudget.bookings.meetings import check_missed, stay_away
from leerbudget.catalogue.errors import NotBookable
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.identity.actions import record_audit

GOING = ("confirmed", "running", "done")
"""States of a session that is sure to go on: there is something to miss."""


@dataclass(frozen=True, slots=True)
class ElearningOrder:
    """Persons of a booking who do e-learning in place of a meeting of their group, called off or not."""

    booking: UUID
    missed: UUID
    persons: tuple[UUID, ...]


_FACTS = """
SELECT b.state, s.state AS session_state, m.number, u.id AS unit,
       (SELECT count(*)::int FROM booking_person bp
        WHERE bp.booking = b.id AND bp.live AND bp.person = ANY ($3::uuid[])) AS own,
       (SELECT count(*)::int FROM attendance a WHERE a.booking = b.id AND a.meeting = m.id AND a.state = 'present'
        AND a.live AND a.person = ANY ($3::uuid[])) AS present,
       (SELECT count(*)::int FROM attendance a WHERE a.booking = b.id AND a.unit = u.id AND a.instead_of = m.id
        AND a.live AND a.person = ANY ($3::uuid[])) AS done
FROM booking b JOIN course_session s ON s.id = b.session
LEFT JOIN (SELECT id, session, number FROM meeting UNION ALL SELECT id, session, number FROM cancelled_meeting) m
  ON m.id = $2 AND m.session = s.id
LEFT JOIN elearning_unit u ON u.session = s.id AND u.number = m.number
WHERE b.id = $1 FOR NO KEY UPDATE OF s
"""

_LEARN = """
INSERT INTO attendance (id, booking, unit, person, person_number, starts_at, ends_at, live, state, instead_of)
SELECT uuidv7(), $1, $2, p.id, p.number, $5, $5, true, 'planned', $3 FROM person p WHERE p.id = ANY ($4::uuid[])
ON CONFLICT ON CONSTRAINT attendance_once DO UPDATE
SET unit = excluded.unit, instead_of = excluded.instead_of, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    live = true
WHERE NOT attendance.live
"""


async def learn(order: ElearningOrder, *, actor: UUID | None) -> None:
    """Do e-learning in place of one meeting, once per booking and person, at no cost. Again has no effect.

    It may be chosen before the meeting: they are not expected there then, and the hour is free.

    Raises:
        BookingUnknown, MeetingUnknown: there is no such booking, or its session never planned such a meeting.
        CatchUpOver: the booking stopped, or nobody came at all.
        PersonsUnknown: nobody, or somebody who is not in the booking.
        NothingMissed: one of them was there.
        NoElearning: the trainer published none for this meeting.
        NotBookable: it is not sure yet that the session goes on.
        CatchUpUsed: they catch up a meeting already.
    """
    persons = list(dict.fromkeys(order.persons))
    async with together():
        facts = await fetch_one(_FACTS, order.booking, order.missed, persons)
        if facts is None:
            raise BookingUnknown
        if persons and facts["done"] == len(persons):
            return
        _check(facts, len(persons))
        await stay_away(order.booking, order.missed, persons)
        chosen = await execute(_LEARN, order.booking, facts["unit"], order.missed, persons, clock.now())
        if chosen != len(persons):
            raise CatchUpUsed
        await record_audit(actor, "catch_up_planned", "booking", order.booking)


def _check(facts: Any, persons: int) -> None:
    check_missed(facts, persons)
    if facts["unit"] is None:
        raise NoElearning
    if facts["session_state"] not in GOING:
        raise NotBookable(state=facts["session_state"])


_DONE = """
UPDATE attendance a SET state = 'present' FROM elearning_unit u, booking b
WHERE u.id = a.unit AND u.session = $1 AND b.id = a.booking AND b.ended_at IS NULL
  AND a.booking = $2 AND a.person = $3 AND a.live
"""


async def say_done(session: UUID, booking: UUID, person: UUID, *, actor: UUID | None) -> None:
    """The trainer of the session says that somebody did the e-learning: it counts as having been there. Again is harmless.

    Money that was settled stays settled, and no meeting counts twice.

    Raises:
        CatchUpUnknown: this person does no e-learning in place of a meeting of this session.
    """
    async with together():
        if not await execute(_DONE, session, booking, person):
            raise CatchUpUnknown
        await record_audit(actor, "elearning_done", "booking", booking)


@dataclass(frozen=True, slots=True)
class Unit:
    """E-learning that stands in for a meeting of a session."""

    number: int
    title: str
    link: str
    duration_minutes: int


@dataclass(frozen=True, slots=True)
class Learner:
    """Somebody who does e-learning in place of the meeting with this number. `done`: the trainer said so."""

    booking: UUID
    person: UUID
    name: str
    number: int
    done: bool


async def units_of(session: UUID) -> list[Unit]:
    """The e-learning of a session, by meeting."""
    rows = await fetch_all(
        "SELECT number, title, link, duration_minutes FROM elearning_unit WHERE session = $1 ORDER BY number", session
    )
    return [Unit(**row) for row in rows]


async def learners(session: UUID) -> list[Learner]:
    """Who does e-learning in place of a meeting of this session: for its trainer, names only."""
    rows = await fetch_all(
        "SELECT a.booking, a.person, p.name, u.number, a.state = 'present' AS done FROM attendance a"
        " JOIN elearning_unit u ON u.id = a.unit JOIN person p ON p.id = a.person"
        " WHERE u.session = $1 AND a.live ORDER BY u.number, p.name, p.id",
        session,
    )
    return [Learner(**row) for row in rows]
