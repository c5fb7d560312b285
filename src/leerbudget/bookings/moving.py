"""Moving to a sister session: the same persons, children and wish on another date of the same course.

The old booking ends by the ladder of its course and another begins: both or neither. The fee, the conditions and the
guards are those of cancelling and booking; what is different is that a family never loses its place in between.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.bookings import actions, own_shares
from leerbudget.bookings.actions import BookingReceipt, BookingRequest
from leerbudget.bookings.ending import Cancellation, check_shown, costs, end_by_family
from leerbudget.bookings.errors import BookingUnknown, NotASister, NotCancellable
from leerbudget.budgets.errors import BudgetTooSmall, EarmarkExcludes
from leerbudget.budgets.rules import OWN_SHARE_CENTS_MIN, PaymentShare
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.identity.actions import record_audit


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A booking that goes to another session of its course.

    `id`: of the booking there, made by the caller; the same request again has the same answer and no second effect.
    `price_shown_cents` and `fee_shown_cents`: what the family saw; anything else now is refused. None: nobody saw it.
    """

    id: UUID
    booking: UUID
    session: UUID
    price_shown_cents: int | None = None
    fee_shown_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What a move comes to: what the old booking cost and gave back, and the booking that took its place."""

    cancellation: Cancellation
    receipt: BookingReceipt


@dataclass(frozen=True, slots=True)
class Sister:
    """Another session of the same course with room for the same persons."""

    session: UUID
    starts_at: datetime
    ends_at: datetime
    first_meeting_ends_at: datetime
    meetings: int
    place: str | None
    postcode4: str | None
    price_cents: int
    seats_free: int


async def move(request: MoveRequest, *, actor: UUID | None) -> Move:
    """Give up the seats of a confirmed booking for seats on another date of the course: both or neither.

    Raises:
        IdempotencyMismatch: the id was used for something else.
        BookingUnknown, SessionUnknown: there is no such booking, or no such session.
        NotASister: the session is not another one of the same course.
        NotCancellable: it is not confirmed (any more), or its first meeting has begun.
        FeeChanged: giving up the seats costs something else than was shown.
        LeerbudgetError: what booking there refuses (`actions.book`); then the family keeps its seats.
    """
    async with together():
        await execute("SELECT pg_advisory_xact_lock(hashtextextended('booking ' || $1::uuid, 0))", request.id)
        facts = await _facts(request)
        there = BookingRequest(
            id=request.id,
            family=facts["family"],
            session=request.session,
            persons=tuple(facts["persons"]),
            wish=facts["wish"],
            childcare=msgspec.json.decode(facts["childcare"], type=dict[str, int]),
            price_shown_cents=request.price_shown_cents,
        )
        if facts["moved_to"] == request.id:
            fee, price = facts["fee_cents"], facts["price_cents"]
            told = Cancellation(request.booking, price, fee, price - fee, None, facts["free_when_replaced"], 0)
            return Move(told, await actions.book(there, actor=actor))
        told = await _given_up(request, facts["session"], actor=actor)
        receipt = await _seated(there, request.booking, actor=actor)
        await record_audit(actor, "booking_moved", "booking", request.booking, {"fee_cents": told.fee_cents})
        return Move(told, receipt)


_OWN_MONEY = """
    SELECT t.debit AS account, a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents AS free_cents
    FROM budget_hold h JOIN transfer t ON t.id = h.reservation JOIN account a ON a.id = t.debit
    WHERE h.purpose = $1 AND h.payer = 'own'
"""


async def _seated(there: BookingRequest, old: UUID, *, actor: UUID | None) -> BookingReceipt:
    """The seats there. What the family paid itself for the old ones pays for these where its budgets fall short."""
    own = await fetch_one(_OWN_MONEY, old)
    try:
        async with together():
            return await actions.book(there, actor=actor)
    except (BudgetTooSmall, EarmarkExcludes) as refusal:
        cents = refusal.data["missing_cents"]
        if own is None or cents > own["free_cents"]:
            raise
    own_cents = cents if cents >= OWN_SHARE_CENTS_MIN else 0
    kept = replace(there, own_shown_cents=own_cents, offered_until=clock.now() if own_cents else None)
    receipt = await actions.book(kept, actor=actor)
    if not own_cents:
        return receipt
    await own_shares.pay(there.id, payer=own["account"], actor=actor)
    paid = PaymentShare(None, own_cents, "own")
    return replace(receipt, state="confirmed", shares=(*receipt.shares, paid))


class _Undo(Exception):
    def __init__(self, come_to: Move) -> None:
        super().__init__()
        self.come_to = come_to


async def preview(request: MoveRequest, *, actor: UUID | None) -> Move:
    """What `move` would come to now, by the real code, with nothing kept (`_Undo` ends its transaction).

    Raises:
        LeerbudgetError: exactly what `move` would raise.
    """
    try:
        async with together():
            raise _Undo(await move(request, actor=actor))  # noqa: TRY301 - leaving is what undoes it
    except _Undo as undone:
        return undone.come_to


_FACTS = """
SELECT b.family, b.session, b.price_cents, b.fee_cents, b.moved_to, c.free_when_replaced,
       s.id AS there, s.course = o.course AND s.id <> o.id AS sister,
       CASE WHEN w.state = 'booked' OR b.moved_to IS NOT NULL THEN b.wish END AS wish,
       array(SELECT p.person FROM booking_person p WHERE p.booking = b.id ORDER BY p.person) AS persons,
       (SELECT coalesce(jsonb_object_agg(k.age_band, k.places), '{}') FROM booking_childcare k
        WHERE k.booking = b.id) AS childcare
FROM booking b JOIN course_session o ON o.id = b.session JOIN course c ON c.id = o.course
LEFT JOIN course_session s ON s.id = $2 LEFT JOIN wish w ON w.id = b.wish WHERE b.id = $1
"""


async def _facts(request: MoveRequest) -> Any:
    facts = await fetch_one(_FACTS, request.booking, request.session)
    if facts is None:
        raise BookingUnknown
    if facts["there"] is None:
        raise SessionUnknown
    if not facts["sister"]:
        raise NotASister
    return facts


_BOTH = "SELECT id FROM course_session WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"


async def _given_up(request: MoveRequest, session: UUID, *, actor: UUID | None) -> Cancellation:
    """The old booking, ended. Both sessions are locked in one order: two families may cross."""
    await fetch_all(_BOTH, [session, request.session])
    told = await costs(request.booking)
    if not told.confirmed:
        raise NotCancellable
    check_shown(told, request.fee_shown_cents)
    await end_by_family(told, reason="moved", actor=actor, moved_to=request.id)
    return told


_SISTERS = """
SELECT s.id AS session, s.starts_at, s.ends_at, v.place, v.postcode4, s.price_cents,
       s.seats_max - s.seats_taken - s.catch_up_seats AS seats_free,
       (SELECT count(*)::int FROM meeting m WHERE m.session = s.id) AS meetings,
       coalesce((SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number LIMIT 1), s.ends_at)
         AS first_meeting_ends_at
FROM booking b JOIN course_session o ON o.id = b.session
JOIN course c ON c.id = o.course AND c.state = 'admitted'
JOIN course_session s ON s.course = o.course AND s.id <> o.id AND s.state IN ('conditional', 'confirmed')
  AND s.starts_at > $3 AND s.seats_taken + s.catch_up_seats + b.persons <= s.seats_max AND NOT rooms.others_wait(s.id, b.family, $3)
LEFT JOIN venue v ON v.id = s.venue
WHERE b.id = $1 AND b.family = $2 AND b.state = 'confirmed' AND o.starts_at > $3 ORDER BY s.starts_at, s.id
"""


async def sisters_of(booking: UUID, family: UUID) -> list[Sister]:
    """Where this booking of the family could move to, the nearest date first; none when it cannot be given up."""
    return [Sister(**row) for row in await fetch_all(_SISTERS, booking, family, clock.now())]
