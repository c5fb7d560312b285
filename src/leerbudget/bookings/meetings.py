"""Single meetings: one is called off while the course goes on, or somebody catches up a missed one in another group.

Catching up is free: the price was paid once. The guards are those of booking: a free seat at that meeting, nobody who
waits, nobody who must not meet, one meeting at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.bookings.ending import keep_seats
from leerbudget.bookings.errors import (
    BookingUnknown,
    CatchUpOver,
    CatchUpUnknown,
    KeptForWaiting,
    MeetingTookPlace,
    NothingMissed,
    NotTheSameMeeting,
    NotTogether,
    PersonsUnknown,
)
from leerbudget.bookings.telling import tell_of
from leerbudget.catalogue import meetings as catalogue
from leerbudget.catalogue.errors import MeetingUnknown, NotBookable
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.identity.actions import record_audit
from leerbudget.people.rules import separated_since

OPEN_STATES = ("confirmed", "running")
"""States of a session whose meetings people of another group can come to: it is sure to go on."""

# --- a meeting does not take place ---------------------------------------------------------------------------

_EXPECTED = """
SELECT a.booking, a.person, a.state, a.instead_of FROM attendance a JOIN booking b ON b.id = a.booking
WHERE a.meeting = $1 AND a.live
"""


async def cancel_meeting(meeting: UUID, *, reason: str, actor: UUID | None) -> None:
    """One meeting does not take place: its time is free again, and everyone who would come hears of it.

    When the course is over its families pay for the meetings that took place. Whoever would have caught up here is
    expected at the own group's meeting again, when that can still be.

    Raises:
        InvalidInput, MeetingUnknown, SessionStepNotAllowed, LastMeeting: from the catalogue.
        MeetingTookPlace: somebody was there.
    """
    async with together():
        session = await fetch_value(_SESSION_OF, meeting)
        if session is None:
            raise MeetingUnknown
        starts_at = await fetch_value("SELECT starts_at FROM meeting WHERE id = $1", meeting)
        expected = await fetch_all(_EXPECTED, meeting)
        if any(row["state"] == "present" for row in expected):
            raise MeetingTookPlace
        await _expect_at_home(
            [(row["booking"], row["instead_of"], row["person"]) for row in expected if row["instead_of"] is not None]
        )
        await execute("DELETE FROM attendance WHERE meeting = $1", meeting)
        await keep_seats([{"session": session}])
        await catalogue.cancel_meeting(meeting, reason=reason, actor=actor)
        await tell_of("meeting_cancelled", meeting, starts_at, [row["person"] for row in expected])


_SESSION_OF = """
SELECT s.id FROM course_session s WHERE s.id = (SELECT session FROM meeting WHERE id = $1) FOR NO KEY UPDATE
"""

_AT_HOME = """
UPDATE attendance a SET live = free.yes, state = CASE WHEN free.yes THEN a.state ELSE 'absent' END
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS x(booking, meeting, person)
JOIN attendance h ON h.booking = x.booking AND h.meeting = x.meeting AND h.person = x.person AND NOT h.live
CROSS JOIN LATERAL (SELECT NOT EXISTS (
  SELECT FROM attendance o WHERE o.person = h.person AND o.live
  AND tstzrange(o.starts_at, o.ends_at) && tstzrange(h.starts_at, h.ends_at)) AS yes) free
WHERE a.id = h.id
"""


async def _expect_at_home(rows: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """(booking, meeting, person) who were to catch up elsewhere come to their own meeting; absent when they cannot."""
    await execute(_AT_HOME, *([row[at] for row in rows] for at in range(3)))


async def send_home(session: UUID) -> None:
    """A session is called off: whoever would catch up there hears of it and is expected in the own group again."""
    rows = await fetch_all(
        "SELECT a.booking, a.person, a.instead_of, a.meeting, a.starts_at FROM attendance a JOIN meeting m ON m.id = a.meeting"
        " WHERE m.session = $1 AND a.live AND a.instead_of IS NOT NULL",
        session,
    )
    await execute(
        "UPDATE attendance a SET live = false FROM meeting m"
        " WHERE m.id = a.meeting AND m.session = $1 AND a.instead_of IS NOT NULL",
        session,
    )
    await _expect_at_home([(row["booking"], row["instead_of"], row["person"]) for row in rows])
    await keep_seats([{"session": session}])
    for row in rows:
        await tell_of("meeting_cancelled", row["meeting"], row["starts_at"], [row["person"]])


# --- catching up --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CatchUpOrder:
    """Persons of a booking who come to the `meeting` of a sister group in place of `missed` in their own."""

    booking: UUID
    missed: UUID
    meeting: UUID
    persons: tuple[UUID, ...]


_FACTS = """
SELECT b.family, b.session, b.state, m.number, t.id AS there, t.starts_at, t.session AS elsewhere,
       t.number = m.number AND ts.course = s.course AND ts.id <> s.id AS the_same, ts.state AS state_there,
       EXISTS (SELECT FROM session_party p WHERE p.session = ts.id) AS by_party,
       (SELECT count(*)::int FROM booking_person bp
        WHERE bp.booking = b.id AND bp.live AND bp.person = ANY ($4::uuid[])) AS own,
       (SELECT count(*)::int FROM attendance a WHERE a.booking = b.id AND a.meeting = m.id AND a.state = 'present'
        AND a.person = ANY ($4::uuid[])) AS present,
       (SELECT count(*)::int FROM attendance a WHERE a.booking = b.id AND a.meeting = t.id AND a.instead_of = m.id
        AND a.live AND a.person = ANY ($4::uuid[])) AS done
FROM booking b JOIN course_session s ON s.id = b.session
LEFT JOIN meeting m ON m.id = $2 AND m.session = s.id
LEFT JOIN meeting t ON t.id = $3 LEFT JOIN course_session ts ON ts.id = t.session
WHERE b.id = $1
"""

_BOTH = """
SELECT id FROM course_session WHERE id IN (SELECT session FROM booking WHERE id = $1
  UNION SELECT session FROM meeting WHERE id = ANY ($2::uuid[])) ORDER BY id FOR NO KEY UPDATE
"""

_COME = """
INSERT INTO attendance (id, booking, meeting, person, person_number, starts_at, ends_at, live, state, instead_of)
SELECT uuidv7(), $1, m.id, p.id, p.number, m.starts_at, m.ends_at, true, 'planned', $3
FROM meeting m CROSS JOIN person p WHERE m.id = $2 AND p.id = ANY ($4::uuid[])
ON CONFLICT ON CONSTRAINT attendance_once DO UPDATE SET live = true, state = 'planned', instead_of = excluded.instead_of
"""

_STAY_AWAY = """
UPDATE attendance SET live = false
WHERE booking = $1 AND meeting = $2 AND person = ANY ($3::uuid[]) AND live AND state = 'planned'
"""


async def stay_away(booking: UUID, missed: UUID, persons: Sequence[UUID]) -> None:
    """They are not expected at this meeting of their own group: the hour is free."""
    await execute(_STAY_AWAY, booking, missed, list(persons))


async def catch_up(order: CatchUpOrder, *, actor: UUID | None) -> None:
    """Come to the same meeting of another group of the course, once per booking and person, at no cost.

    The same order again has no effect.

    Raises:
        BookingUnknown, MeetingUnknown: there is no such booking, or no such meeting of its session.
        CatchUpOver: the booking stopped, or nobody came at all.
        PersonsUnknown: nobody, or somebody who is not in the booking.
        NothingMissed: one of them was there.
        NotTheSameMeeting: it is not the same meeting of another group of this course.
        NotBookable: the group does not go on, or its meeting has begun.
        SessionFull: fewer seats are free at that meeting.
        KeptForWaiting: others wait for a seat in that group.
        NotTogether: an own professional or an avoided person is in the room.
        CatchUpUsed, MeetingsOverlap: they catch up a meeting already, or have another at that time.
    """
    persons = list(dict.fromkeys(order.persons))
    async with together():
        await fetch_all(_BOTH, order.booking, [order.meeting])
        at = clock.now()
        facts = await fetch_one(_FACTS, order.booking, order.missed, order.meeting, persons)
        if facts is None:
            raise BookingUnknown
        if persons and facts["done"] == len(persons):
            return
        _check(facts, len(persons), at)
        if await fetch_value("SELECT rooms.others_wait($1, $2, $3)", facts["elsewhere"], facts["family"], at):
            raise KeptForWaiting
        await stay_away(order.booking, order.missed, persons)
        await execute(_COME, order.booking, order.meeting, order.missed, persons)
        apart = separated_since(at.astimezone(clock.AMSTERDAM).date())
        if await fetch_value(
            "SELECT rooms.must_not_meet($1, $2, $3, $4)", facts["elsewhere"], facts["family"], persons, apart
        ):
            raise NotTogether
        await keep_seats([{"session": facts["elsewhere"]}])
        await record_audit(actor, "catch_up_planned", "booking", order.booking)
        await tell_of("catch_up_planned", order.meeting, facts["starts_at"], persons)


def check_missed(facts: Any, persons: int) -> None:
    """Refuse what is nothing to catch up: whose booking it is, how it stands, and that nobody was there.

    Raises:
        MeetingUnknown: no such meeting of the booking's own group.
        CatchUpOver: the booking is not confirmed, or ended.
        PersonsUnknown: nobody, or somebody who is not in the booking.
        NothingMissed: one of them was there.
    """
    if facts["number"] is None:
        raise MeetingUnknown
    if facts["state"] not in ("confirmed", "attended"):
        raise CatchUpOver
    if not persons or facts["own"] != persons:
        raise PersonsUnknown
    if facts["present"]:
        raise NothingMissed


def _check(facts: Any, persons: int, at: datetime) -> None:
    check_missed(facts, persons)
    if facts["there"] is None or not facts["the_same"] or facts["by_party"]:
        raise NotTheSameMeeting
    if facts["state_there"] not in OPEN_STATES or facts["starts_at"] <= at:
        raise NotBookable(state=facts["state_there"])


_PLANNED = """
SELECT a.id, a.person, a.meeting, a.live, m.session,
       CASE WHEN a.unit IS NULL THEN a.starts_at > $3 ELSE a.state = 'planned' END AS to_come
FROM attendance a LEFT JOIN meeting m ON m.id = a.meeting WHERE a.booking = $1 AND a.instead_of = $2
"""


async def drop_catch_up(booking: UUID, missed: UUID, *, actor: UUID | None) -> None:
    """Not catch up after all, there or by e-learning: the seats are free, and they are expected in the own group when that can still be.

    Again has no effect.

    Raises:
        CatchUpUnknown: nobody of this booking ever was to catch up that meeting.
        CatchUpOver: that meeting has begun, or the e-learning was done.
    """
    async with together():
        at = clock.now()
        there = [row["meeting"] for row in await fetch_all(_PLANNED, booking, missed, at) if row["meeting"]]
        await fetch_all(_BOTH, booking, there)
        planned = await fetch_all(_PLANNED, booking, missed, at)
        if not planned:
            raise CatchUpUnknown
        rows = [row for row in planned if row["live"] and row["to_come"]]
        if not rows:
            if any(row["live"] for row in planned):
                raise CatchUpOver
            return
        await execute("UPDATE attendance SET live = false WHERE id = ANY($1::uuid[])", [row["id"] for row in rows])
        await _expect_at_home([(booking, missed, row["person"]) for row in rows])
        await keep_seats({row["session"]: row for row in rows if row["session"]}.values())
        await record_audit(actor, "catch_up_dropped", "booking", booking)
