"""Reads: the seats and offers of somebody without a family, for that person. Nobody else who comes is in it (R66, R79)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all


@dataclass(frozen=True, slots=True)
class OwnSeat:
    """A seat without a price. `may_give_up`: it was accepted or given, and the first meeting has not begun."""

    booking: UUID
    session: UUID
    title: str
    form: str
    state: str
    session_state: str
    starts_at: datetime
    ends_at: datetime
    first_meeting_ends_at: datetime
    meetings: int
    place: str | None
    offered_until: datetime | None
    may_give_up: bool


_SEATS = """
SELECT b.id AS booking, b.session, c.title, c.form, b.state, s.state AS session_state, s.starts_at, s.ends_at,
       coalesce((SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number LIMIT 1), s.ends_at)
         AS first_meeting_ends_at,
       (SELECT count(*)::int FROM meeting m WHERE m.session = s.id) AS meetings, v.place, b.offered_until,
       b.state = 'confirmed' AND s.starts_at > $2 AS may_give_up
FROM booking b JOIN booking_person bp ON bp.booking = b.id AND bp.person = $1
JOIN course_session s ON s.id = b.session JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
WHERE b.family IS NULL
"""


async def seats_of(person: UUID) -> list[OwnSeat]:
    """Every seat somebody without a family was ever given or offered, the nearest session first."""
    return [_seat(row) for row in await fetch_all(_SEATS + "ORDER BY s.starts_at, b.id", person, clock.now())]


async def seat(booking: UUID, person: UUID) -> OwnSeat | None:
    """One seat of this person; None when it is another's, a family's or unknown."""
    rows = await fetch_all(_SEATS + "AND b.id = $3", person, clock.now(), booking)
    return _seat(rows[0]) if rows else None


def _seat(row: Mapping[str, Any]) -> OwnSeat:
    return OwnSeat(**row)
