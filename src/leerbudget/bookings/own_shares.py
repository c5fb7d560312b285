"""The part of a price that a family pays itself: part of the actions of this room.

Until that money is in, the seat is kept as an offer with a time limit; the money is the answer. Nobody here knows how it
is paid: `payer` is the account that it came in at.
"""

from typing import Any
from uuid import UUID

import msgspec

from leerbudget.bookings import actions
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.ending import mark_wishes
from leerbudget.bookings.telling import tell_about
from leerbudget.budgets import actions as budgets
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_one, together
from leerbudget.foundation.errors import Busy, LeerbudgetError
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.actions import account_of

# Paid a moment too late, while the seat is still kept, is in time.
_CONFIRM = """
    UPDATE booking b SET state = 'confirmed', answered_at = $2, own_paid_at = $2, offered_until = NULL
    FROM course_session s
    WHERE b.id = $1 AND s.id = b.session AND b.state = 'offered' AND b.own_cents > 0 AND b.own_paid_at IS NULL
    RETURNING b.own_cents, s.trainer
"""


async def pay(booking: UUID, *, payer: UUID, actor: UUID | None) -> bool:
    """The family's own money is in: it is held, and the seat is theirs. False when no seat is kept for it any more.

    Raises:
        NeverOverspent: the account has less than the family was to pay; nothing changed.
    """
    async with together():
        row = await fetch_one(_CONFIRM, booking, clock.now())
        if row is None:
            return False
        payee = await account_of("trainer_payable", row["trainer"], constrained=False)
        await budgets.hold_own(booking, row["own_cents"], payer=payer, payee_account=payee, actor=actor)
        await mark_wishes([booking], "booked")
        await record_audit(actor, "own_share_paid", "booking", booking)
        await tell_about([booking], "booking_confirmed")
    return True


_LAPSED = """
    SELECT b.family, b.session, b.price_cents, b.own_cents, CASE WHEN w.state = 'open' THEN b.wish END AS wish,
           array(SELECT p.person FROM booking_person p WHERE p.booking = b.id ORDER BY p.person) AS persons,
           (SELECT coalesce(jsonb_object_agg(k.age_band, k.places), '{}') FROM booking_childcare k
            WHERE k.booking = b.id) AS childcare
    FROM booking b LEFT JOIN wish w ON w.id = b.wish
    WHERE b.id = $1 AND b.state = 'expired' AND b.own_cents > 0
"""


async def seat_again(booking: UUID, *, id: UUID, payer: UUID, actor: UUID | None) -> bool:  # noqa: A002 - as everywhere
    """Money that came after its seat was given up: the same seats at the same price and the same share, if they are there.

    With every rule of booking, and only for seats that lapsed unpaid. False when it cannot be; then nothing changed.

    Args:
        booking: whose time to pay was over.
        id: of the booking that takes its place.
        payer: the account that the money came in at.
        actor: who asked; None: nobody.

    Raises:
        Busy: try again.
    """
    row = await fetch_one(_LAPSED, booking)
    if row is None:
        return False
    try:
        async with together():
            await actions.book(_same(row, id), actor=actor)
            return await pay(id, payer=payer, actor=actor)
    except Busy:
        raise
    except LeerbudgetError:
        return False


def _same(row: Any, booking: UUID) -> BookingRequest:
    return BookingRequest(
        id=booking,
        family=row["family"],
        session=row["session"],
        persons=tuple(row["persons"]),
        wish=row["wish"],
        childcare=msgspec.json.decode(row["childcare"], type=dict[str, int]),
        offered_until=clock.now(),
        price_shown_cents=row["price_cents"],
        own_shown_cents=row["own_cents"],
    )
