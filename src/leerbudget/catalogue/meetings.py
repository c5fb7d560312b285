"""Single meetings: one is called off while the session goes on, and seats for who comes to one of another group.

Part of the actions of this room; the rooms above call it. Whoever calls it holds the session's row.
"""

from uuid import UUID

from leerbudget.catalogue.errors import LastMeeting, MeetingUnknown, SessionFull, SessionStepNotAllowed, SessionUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_one, fetch_value, together
from leerbudget.foundation.errors import InvalidInput
from leerbudget.identity.actions import record_audit

CANCELLABLE = ("conditional", "confirmed", "running")
"""States of a session in which one of its meetings can be called off."""

REASON_LENGTH = 200

_OF = """
SELECT m.id, m.session, s.state, s.starts_at > $2 AS to_begin,
       (SELECT count(*) FROM meeting o WHERE o.session = s.id) AS meetings
FROM meeting m JOIN course_session s ON s.id = m.session WHERE m.id = $1 FOR NO KEY UPDATE OF s
"""

_CANCEL = """
WITH gone AS (DELETE FROM meeting WHERE id = $1 RETURNING id, session, number, starts_at, ends_at)
INSERT INTO cancelled_meeting (id, session, number, starts_at, ends_at, reason, cancelled_at)
SELECT id, session, number, starts_at, ends_at, $2, $3 FROM gone
"""

_SPAN = """
UPDATE course_session s SET ends_at = m.ends_at, starts_at = CASE WHEN $2 THEN m.starts_at ELSE s.starts_at END
FROM (SELECT min(starts_at) AS starts_at, max(ends_at) AS ends_at FROM meeting WHERE session = $1) m WHERE s.id = $1
"""


async def cancel_meeting(meeting: UUID, *, reason: str, actor: UUID | None) -> None:
    """One meeting does not take place; the session begins and ends with those that are left.

    What began already keeps its beginning.

    Raises:
        InvalidInput: no reason, or one that is too long.
        MeetingUnknown: there is no such meeting (any more).
        SessionStepNotAllowed: the session is over or called off.
        LastMeeting: no other meeting is left.
    """
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise InvalidInput(errors=[{"path": "reason", "message": "Schrijf kort waarom het niet doorgaat."}])
    async with together():
        at = clock.now()
        found = await fetch_one(_OF, meeting, at)
        if found is None:
            raise MeetingUnknown
        if found["state"] not in CANCELLABLE:
            raise SessionStepNotAllowed(state=found["state"], to="meeting_cancelled")
        if found["meetings"] < 2:
            raise LastMeeting
        await execute(_CANCEL, meeting, reason, at)
        await execute(_SPAN, found["session"], found["to_begin"])
        await record_audit(actor, "meeting_cancelled", "course_session", found["session"], {"reason": reason})


async def keep_catch_up_seats(session: UUID, seats: int) -> None:
    """Keep so many seats at every meeting for people of another group; what was kept before is replaced.

    Raises:
        SessionUnknown: there is no such session.
        SessionFull: fewer seats are free.
    """
    kept = await execute(
        "UPDATE course_session SET catch_up_seats = $2 WHERE id = $1 AND seats_taken + $2 <= seats_max", session, seats
    )
    if not kept:
        free = await fetch_value("SELECT seats_max - seats_taken FROM course_session WHERE id = $1", session)
        if free is None:
            raise SessionUnknown
        raise SessionFull(free=free, persons=seats)
