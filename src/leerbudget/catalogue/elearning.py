"""E-learning in place of a meeting: the trainer of a session publishes it per meeting, by number.

Part of the actions of this room.
"""

from dataclasses import dataclass
from uuid import UUID

from leerbudget.catalogue.errors import MeetingUnknown, SessionStepNotAllowed
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_one, together
from leerbudget.identity.actions import record_audit

OPEN = ("conditional", "confirmed", "running", "done")
"""States of a session for which e-learning can be published; a missed last meeting can be caught up afterwards."""


@dataclass(frozen=True, slots=True)
class UnitOrder:
    """What stands in for the meeting with this number, called off or not: about so many minutes, behind an https link."""

    session: UUID
    number: int
    title: str
    link: str
    duration_minutes: int


_PLANNED = """
SELECT s.state FROM course_session s
WHERE s.id = $1 AND (EXISTS (SELECT FROM meeting m WHERE m.session = s.id AND m.number = $2)
                     OR EXISTS (SELECT FROM cancelled_meeting m WHERE m.session = s.id AND m.number = $2))
  AND NOT EXISTS (SELECT FROM session_party p WHERE p.session = s.id)
"""

_PUBLISH = """
INSERT INTO elearning_unit (id, session, number, title, link, duration_minutes, published_at)
VALUES (uuidv7(), $1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT one_unit_per_meeting
DO UPDATE SET title = excluded.title, link = excluded.link, duration_minutes = excluded.duration_minutes
"""


async def publish_unit(order: UnitOrder, *, actor: UUID | None) -> None:
    """Publish e-learning in place of a meeting; for a meeting that has some already, it takes its place.

    Raises:
        MeetingUnknown: the session never planned such a meeting, or is a dialogue, which is about who is there.
        SessionStepNotAllowed: the session was called off, or is a draft.
        UnitNotValid: no https link, or shorter than five minutes or longer than a working day.
    """
    async with together():
        found = await fetch_one(_PLANNED, order.session, order.number)
        if found is None:
            raise MeetingUnknown
        if found["state"] not in OPEN:
            raise SessionStepNotAllowed(state=found["state"], to="elearning_published")
        values = (order.title, order.link, order.duration_minutes)
        await execute(_PUBLISH, order.session, order.number, *values, clock.now())
        await record_audit(actor, "elearning_published", "course_session", order.session, {"number": order.number})
