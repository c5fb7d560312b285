"""A reminder before an offer lapses: once, by day, and only while nobody has answered.

Part of the worker's jobs. Marking an offer as reminded and writing the notice are one transaction, and the mark is
only set on an offer that is still open: an answer that comes first leaves nothing to remind of. An answer that comes
later takes back what was not mailed yet (`telling.forget_reminder`).
"""

from typing import Any
from uuid import UUID

from leerbudget.bookings import rules
from leerbudget.bookings.telling import REMINDERS, tell_about
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, together


async def remind(*, limit: int = 500) -> list[UUID]:
    """Tell people about offers that lapse soon and wait for their answer; the bookings.

    Soon is counted in hours of day (`rules.REMIND_DAY_HOURS`), and nobody is mailed at night. An offer that had no
    more time than that from the start is marked and not mailed about: its first mail is still fresh. An offer
    that is being answered at this very moment is passed over and looked at again next time.
    """
    now = clock.now()
    if not rules.by_day(now):
        return []
    reminded: list[UUID] = []
    for origin, kind in REMINDERS.items():
        hours = rules.REMIND_DAY_HOURS[origin]
        async with together():
            marked = await fetch_all(_MARK, origin, now, rules.day_hours_after(now, hours), limit)
            due = [offer["id"] for offer in marked if _had_longer(offer, origin)]
            await tell_about(due, kind)
        reminded += due
    return reminded


def _had_longer(offer: Any, origin: str) -> bool:
    longer: bool = rules.day_hours_after(offer["booked_at"], rules.REMIND_DAY_HOURS[origin]) < offer["offered_until"]
    return longer


_MARK = """
UPDATE booking SET reminded_at = $2 WHERE id IN (
  SELECT b.id FROM booking b
  WHERE b.state = 'offered' AND b.origin = $1 AND b.reminded_at IS NULL
    AND b.offered_until > $2 AND b.offered_until <= $3
  ORDER BY b.offered_until, b.id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
) RETURNING id, booked_at, offered_until
"""
