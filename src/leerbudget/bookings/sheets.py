"""Every booking with external references instead of ids, as files have it: for exports, one read."""

from dataclasses import dataclass
from datetime import datetime

from leerbudget.foundation.database import fetch_all


@dataclass(frozen=True, slots=True)
class BookingSheet:
    """One booking for whoever keeps the administration: no names, no theme, no wish (R31), nothing about a child."""

    booking: str
    session_ref: str
    family_ref: str | None
    organisation_ref: str | None
    origin: str
    state: str
    persons: int
    price_cents: int
    booked_at: datetime
    ended_at: datetime | None
    end_reason: str | None


_SHEETS = """
SELECT b.id::text AS booking, s.external_ref AS session_ref, f.external_ref AS family_ref,
       o.external_ref AS organisation_ref, b.origin, b.state, b.persons, b.price_cents, b.booked_at, b.ended_at,
       CASE b.end_reason WHEN 'emergency' THEN 'cancelled' ELSE b.end_reason END AS end_reason
FROM booking b JOIN course_session s ON s.id = b.session
LEFT JOIN family f ON f.id = b.family LEFT JOIN organisation o ON o.id = f.organisation
ORDER BY b.booked_at, b.id
"""


async def booking_sheets() -> list[BookingSheet]:
    """Every booking in the order in which it was made."""
    return [BookingSheet(**row) for row in await fetch_all(_SHEETS)]
