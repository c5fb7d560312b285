"""How a booking ends: seats, time, childcare and money become free, and what that costs.

Part of the actions of this room; moving to a sister session uses it too. The caller opens the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.bookings import rules
from leerbudget.bookings.errors import BookingUnknown, FeeChanged, NotCancellable
from leerbudget.bookings.telling import forget_reminder, tell_about
from leerbudget.budgets import actions as budgets
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import meetings as calendar
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value
from leerbudget.wishes import actions as wishes


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What a cancellation costs and gives back, in cents; together they are the price.

    `free_when_replaced`: the fee comes back when others take the seats. `emergencies_left`: so often may the family
    still cancel for free because something is the matter with a child. `confirmed`: it was no offer any more.
    """

    booking: UUID
    price_cents: int
    fee_cents: int
    refund_cents: int
    free_until: datetime | None
    free_when_replaced: bool
    emergencies_left: int
    confirmed: bool = True


_TERMS = """
SELECT b.state, b.price_cents, s.starts_at, c.cancellation, c.free_when_replaced,
       EXISTS (SELECT FROM cancelled_meeting m WHERE m.session = s.id AND m.cancelled_at > b.booked_at) AS less_than_booked,
       greatest(c.emergencies_per_year - (
         SELECT count(*)::int FROM booking e
         WHERE e.family = b.family AND e.end_reason = 'emergency' AND e.ended_at > $2), 0) AS emergencies_left
FROM booking b JOIN course_session s ON s.id = b.session JOIN course c ON c.id = s.course
WHERE b.id = $1 FOR NO KEY UPDATE OF s
"""


async def costs(booking: UUID) -> Cancellation:
    """What stopping this booking costs by the ladder of its course. Locks the session's row.

    Nothing, when one of the meetings was called off after they booked: it is not what they chose any more.

    Raises:
        BookingUnknown: there is no such booking.
        NotCancellable: it stopped before, or the first meeting has begun.
    """
    at = clock.now()
    facts = await fetch_one(_TERMS, booking, at - rules.EMERGENCY_YEAR)
    if facts is None:
        raise BookingUnknown
    if facts["state"] not in ("offered", "confirmed") or at >= facts["starts_at"]:
        raise NotCancellable
    ladder = msgspec.json.decode(facts["cancellation"], type=list[dict[str, int]])
    free = facts["state"] == "offered" or facts["less_than_booked"]
    percent = 100 if free else rules.refund_percent(ladder, facts["starts_at"], at)
    price = facts["price_cents"]
    fee = rules.fee_cents(price, percent)
    return Cancellation(
        *(booking, price, fee, price - fee),
        facts["starts_at"] - timedelta(seconds=1) if free else rules.free_until(ladder, facts["starts_at"]),
        *(facts["free_when_replaced"], facts["emergencies_left"], facts["state"] == "confirmed"),
    )


def check_shown(told: Cancellation, fee_shown_cents: int | None) -> None:
    """Refuse a fee that is not the one that was shown.

    Raises:
        FeeChanged: with the fee as it is now.
    """
    if fee_shown_cents not in (None, told.fee_cents):
        raise FeeChanged(fee_cents=told.fee_cents)


async def end_by_family(told: Cancellation, *, reason: str, actor: UUID | None, moved_to: UUID | None = None) -> None:
    """The family's booking ends at these costs; the caller holds the session's row.

    Raises:
        NotCancellable: it stopped meanwhile.
    """
    states = ("offered", "confirmed")
    ended = await end(
        told.booking, states, "cancelled", reason=reason, keep_cents=told.fee_cents, moved_to=moved_to, actor=actor
    )
    if ended is None:
        raise NotCancellable


async def end(
    booking: UUID,
    states: Sequence[str],
    to: str,
    *,
    reason: str,
    keep_cents: int,
    actor: UUID | None,
    moved_to: UUID | None = None,
) -> UUID | None:
    """Free seat, time, childcare and money of a booking that is still in one of the states; None when it is not."""
    facts = await fetch_one(
        "SELECT b.session, b.persons, b.price_cents, p.party FROM booking b"
        " JOIN LATERAL (SELECT person FROM booking_person WHERE booking = b.id LIMIT 1) bp ON true"
        " JOIN person p ON p.id = bp.person JOIN course_session s ON s.id = b.session"
        " WHERE b.id = $1 FOR NO KEY UPDATE OF s",
        booking,
    )
    if facts is None:
        raise BookingUnknown
    ended = await fetch_one(
        "UPDATE booking SET state = $2, ended_at = $3, end_reason = $4, fee_cents = $6, moved_to = $7,"
        " offered_until = NULL,"
        " answered_at = coalesce(answered_at, $3) WHERE id = $1 AND state = ANY($5::text[])"
        " RETURNING reminded_at",
        booking,
        to,
        clock.now(),
        reason,
        list(states),
        keep_cents,
        moved_to,
    )
    if ended is None:
        return None
    if ended["reminded_at"] is not None:
        await forget_reminder(booking)
    await execute("UPDATE booking_person SET live = false WHERE booking = $1", booking)
    await execute("UPDATE attendance SET live = false WHERE booking = $1", booking)
    await keep_seats(await fetch_all(_CAUGHT_UP_AT, booking))
    await execute("UPDATE waiting_entry SET state = 'waiting' WHERE booking = $1 AND state = 'offered'", booking)
    childcare = await fetch_all("SELECT age_band, places FROM booking_childcare WHERE booking = $1", booking)
    await catalogue.return_seats(
        facts["session"],
        facts["persons"],
        party=facts["party"],
        childcare={row["age_band"]: row["places"] for row in childcare},
    )
    if facts["price_cents"] > 0:
        why = "cancelled" if reason == "emergency" else reason  # the books tell nobody about a child
        await budgets.settle(booking, keep_cents, actor=actor, reason=why)
    await mark_wishes([booking], "open")
    return booking


_CAUGHT_UP_AT = """
SELECT DISTINCT m.session FROM attendance a JOIN meeting m ON m.id = a.meeting
WHERE a.booking = $1 AND a.instead_of IS NOT NULL
"""

_CATCHING_UP = """
SELECT coalesce(max(n), 0) FROM (
  SELECT count(*)::int AS n FROM attendance a JOIN meeting m ON m.id = a.meeting
  WHERE m.session = $1 AND a.live AND a.instead_of IS NOT NULL GROUP BY m.id) per_meeting
"""


async def keep_seats(sessions: Iterable[Mapping[str, Any]]) -> None:
    """Count anew how many seats each `session` keeps for who catches up there.

    Raises:
        SessionFull: fewer seats are free.
    """
    for row in sessions:
        await calendar.keep_catch_up_seats(row["session"], await fetch_value(_CATCHING_UP, row["session"]))


_WISHES_BEFORE = {"booked": ["proposed"], "open": ["proposed", "booked"], "fulfilled": ["booked"]}


async def mark_wishes(booking_ids: Sequence[UUID], state: str) -> None:
    """The wishes behind these bookings follow: a place that falls away leaves the wish waiting again.

    A wish that its writer withdrew meanwhile stays withdrawn.
    """
    rows = await fetch_all(
        "SELECT w.id FROM booking b JOIN wish w ON w.id = b.wish WHERE b.id = ANY($1::uuid[]) AND w.state = ANY($2)",
        list(booking_ids),
        _WISHES_BEFORE[state],
    )
    if rows:
        await wishes.mark([row["id"] for row in rows], state)


FEES = """
SELECT id, persons, fee_cents FROM booking
WHERE session = $1 AND fee_cents > 0 AND fee_returned_at IS NULL ORDER BY ended_at, id
"""

_RETURN = """
UPDATE booking b SET fee_returned_at = $3, fee_returned_cents = x.cents
FROM unnest($1::uuid[], $2::bigint[]) AS x (id, cents)
WHERE b.id = x.id AND b.fee_returned_at IS NULL RETURNING b.id, b.fee_returned_cents
"""


async def return_fees(cents: Mapping[UUID, int], *, reason: str, actor: UUID | None) -> None:
    """So much of what these families paid for cancelling comes back, once."""
    rows = await fetch_all(_RETURN, list(cents), list(cents.values()), clock.now())
    returned = {row["id"]: row["fee_returned_cents"] for row in rows}
    await budgets.give_back(returned, actor=actor, reason=reason)
    await tell_about(list(returned), "fee_returned", returned_cents=returned)
