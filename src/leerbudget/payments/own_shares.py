"""The part of a price that a family pays itself, through a gateway: asked for with the booking, placed when it came in.

Level-triggered: what stands in the account of a payment is looked at, and goes where it belongs - to the seat that is kept
for it, to the same seat again when it came too late and the seat is still there, or back. Safe at any time, several at
once, and again after it was cut off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import own_shares as seats
from leerbudget.bookings.actions import BookingReceipt, BookingRequest
from leerbudget.bookings.errors import OfferLapsed
from leerbudget.bookings.telling import tell_about
from leerbudget.budgets.errors import BudgetTooSmall, EarmarkExcludes
from leerbudget.budgets.rules import OWN_SHARE_CENTS_MIN
from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.payments.asking import ask_to_start, owe, write_attempt
from leerbudget.payments.errors import (
    GatewayRefused,
    GatewaySilent,
    OwnShareUnavailable,
    TooLateToPay,
    TopUpEnded,
)
from leerbudget.payments.facts import PAYMENT, lock_payment, restate
from leerbudget.payments.gateways import Gateway
from leerbudget.payments.receivables import payer_of
from leerbudget.payments.rules import reference_of

PAY_WITHIN = timedelta(minutes=35)
"""How long a family may take on the gateway's page; gateways want half an hour at least (money.md section 3)."""

KEEP_FOR = timedelta(minutes=45)
"""How long the seat is kept: longer than anybody can pay."""


@dataclass(frozen=True, slots=True)
class OwnShare:
    """A booking of which the family pays a part itself.

    `pay_url`: where; None when it is paid, or the gateway has not answered yet. `pay_before`: until when the seat is kept.
    """

    receipt: BookingReceipt
    pay_url: str | None
    pay_before: datetime | None


async def quote(request: BookingRequest, *, gateway: Gateway | None, actor: UUID | None) -> BookingReceipt:
    """What booking would come to now, with what the family would pay itself; nothing is kept.

    Below 50 cents nobody is asked for it. Without a gateway, or for what it cannot take, the budgets must pay all.

    Raises:
        LeerbudgetError: exactly what booking would raise.
    """
    try:
        return await bookings.quote(request, actor=actor)
    except (BudgetTooSmall, EarmarkExcludes) as refusal:
        own_cents = refusal.data["missing_cents"] if refusal.data["missing_cents"] >= OWN_SHARE_CENTS_MIN else 0
        if own_cents and (gateway is None or not gateway.methods("own_share", own_cents)):
            raise
    return await bookings.quote(_kept(request, own_cents), actor=actor)


def _kept(request: BookingRequest, own_cents: int) -> BookingRequest:
    return replace(request, own_shown_cents=own_cents, offered_until=now() + KEEP_FOR if own_cents else None)


def payment_of(booking: UUID) -> UUID:
    """The id of the payment that a booking is asked with: the same booking again is the same payment."""
    return uuid5(_SHARE_OF, str(booking))


_SHARE_OF = uuid5(UUID(int=0), "own share")

_INSERT = """
    INSERT INTO payment (id, booking, gateway, methods, amount_cents, reference, state, received_cents, refunded_cents,
                         requested_at, requested_by, lapses_at, return_url)
    VALUES ($1, $2, $3, $4::text[], $5, $6, 'created', 0, 0, $7, $8, $9, $10) ON CONFLICT DO NOTHING
"""

_TERMS = """
    SELECT s.starts_at, b.state, b.offered_until FROM booking b JOIN course_session s ON s.id = b.session WHERE b.id = $1
"""


async def book(request: BookingRequest, *, gateway: Gateway | None, return_url: str, actor: UUID | None) -> OwnShare:
    """Book with what the family saw that it pays itself (`own_shown_cents`): the seat is kept while it pays.

    Nothing to pay oneself is an ordinary booking. The same request again has the same answer, and asks the gateway with
    the same key.

    Raises:
        OwnShareUnavailable: this share cannot be paid here.
        AnotherSeatUnpaid: the family has one already that it did not pay yet.
        TooLateToPay: the course begins before the time to pay is over.
        GatewayRefused: the gateway will not have it; the seat is free again.
        LeerbudgetError: what booking refuses (`bookings.actions.book`).
    """
    own_cents = request.own_shown_cents or 0
    if not own_cents:
        return OwnShare(await bookings.book(request, actor=actor), None, None)
    methods = gateway.methods("own_share", own_cents) if gateway is not None else ()
    if gateway is None or not methods:
        raise OwnShareUnavailable
    payment = payment_of(request.id)
    async with together():
        receipt = await bookings.book(_kept(request, own_cents), actor=actor)
        terms: Any = await fetch_one(_TERMS, request.id)
        at, reference = now(), reference_of(payment)
        columns = (payment, request.id, gateway.name, list(methods), own_cents, reference)
        if terms["state"] == "offered" and await execute(_INSERT, *columns, at, actor, at + PAY_WITHIN, return_url):
            if terms["starts_at"] <= at + KEEP_FOR:
                raise TooLateToPay
            await write_attempt(payment, "start", own_cents, actor)
    if terms["state"] != "offered":
        return OwnShare(receipt, None, None)
    return OwnShare(receipt, await _pay_url(gateway, payment, request.id, actor=actor), terms["offered_until"])


async def _pay_url(gateway: Gateway, payment: UUID, booking: UUID, *, actor: UUID | None) -> str | None:
    try:
        return (await ask_to_start(gateway, payment)).url
    except GatewaySilent:  # the seat is kept, and the worker asks again
        return None
    except GatewayRefused:
        await _let_go(booking, actor=actor)
        raise


async def _let_go(booking: UUID, *, actor: UUID | None) -> None:
    try:
        await bookings.decline(booking, actor=actor)
    except OfferLapsed:
        return


_CAME_IN = """
    SELECT p.id, p.reference FROM payment p JOIN account a ON a.kind = 'own_payment' AND a.owner = p.id
    WHERE p.booking IS NOT NULL AND a.credits_posted_cents > a.debits_posted_cents + a.debits_pending_cents
    ORDER BY p.requested_at, p.id LIMIT 500
"""


async def place_all() -> int:
    """Give every cent that families paid themselves its place; how many payments that was."""
    placed = 0
    for row in await fetch_all(_CAME_IN):
        placed += await place(row["id"])
    return placed


async def unplaced() -> list[str]:
    """The references of what families paid themselves and that has no place: no seat, and not on its way back."""
    return [row["reference"] for row in await fetch_all(_CAME_IN)]


async def place(payment: UUID) -> bool:
    """Give what came in for one payment its place: the kept seat, the same seat again, or back to who paid it.

    Raises:
        TopUpUnknown: there is no such payment.
        Busy: try again.
    """
    row = await fetch_one(PAYMENT + "WHERE id = $1 AND booking IS NOT NULL", payment)
    if row is None or row["received_cents"] < row["amount_cents"]:
        return False
    if not row["refunded_cents"]:
        account = await payer_of(row).pot_account()
        if await seats.pay(row["booking"], payer=account, actor=None):
            return True
        if await _seat_again(row, account):
            return True
    return await _give_back(payment)


async def _seat_again(row: Any, account: UUID) -> bool:
    again = uuid5(row["id"], "again")
    async with together():
        await lock_payment(row["id"])
        if not await seats.seat_again(row["booking"], id=again, payer=account, actor=None):
            return False
        await execute("UPDATE payment SET booking = $2 WHERE id = $1", row["id"], again)
    return True


async def _give_back(payment: UUID) -> bool:
    """What stands free in the account goes back; nothing while the payer's bank calls it back."""
    try:
        async with together():
            row = await lock_payment(payment)
            free_cents = await fetch_value(_FREE, await payer_of(row).pot_account())
            if free_cents <= 0 or await fetch_value(_AWAITED, row["booking"]):
                return False
            refund = new_id()
            await owe(row, free_cents, refund, None)
            await tell_about(
                [row["booking"]], "own_money_returned", returned_cents={row["booking"]: free_cents}, event=str(refund)
            )
    except TopUpEnded:
        return False
    return True


_FREE = "SELECT credits_posted_cents - debits_posted_cents - debits_pending_cents FROM account WHERE id = $1"
_AWAITED = "SELECT state = 'offered' AND own_paid_at IS NULL FROM booking WHERE id = $1"

_NOT_NEEDED = """
    SELECT p.id, p.gateway, p.gateway_ref FROM payment p JOIN booking b ON b.id = p.booking
    WHERE p.state = 'open' AND p.cancelled_at IS NULL AND p.lapses_at > $1 AND b.ended_at IS NOT NULL ORDER BY p.id LIMIT 500
"""


async def close_unneeded(gateways: Mapping[str, Gateway]) -> int:
    """Let nobody pay any more for a seat that was given up; how many pages were closed. Paid all the same, it goes back."""
    closed = 0
    for row in await fetch_all(_NOT_NEEDED, now()):
        gateway = gateways.get(row["gateway"])
        if gateway is None:
            continue
        try:
            await gateway.end(row["gateway_ref"])
        except LeerbudgetError:  # it lapses by itself
            continue
        async with together():
            await lock_payment(row["id"])
            await execute(
                "UPDATE payment SET cancelled_at = $2 WHERE id = $1 AND cancelled_at IS NULL", row["id"], now()
            )
            await restate(row["id"])
        closed += 1
    return closed


@dataclass(frozen=True, slots=True)
class OwnPaymentView:
    """How what a family pays itself stands. `state`: of `rules.PAYMENT_STATES`; `pay_url`: where it can still be paid."""

    booking: UUID
    gateway: str
    gateway_ref: str | None
    state: str
    amount_cents: int
    refunded_cents: int
    pay_url: str | None


_VIEW = """
    SELECT booking, gateway, gateway_ref, state, amount_cents, refunded_cents,
           CASE WHEN state = 'open' AND lapses_at > $3 THEN pay_url END AS pay_url
    FROM payment WHERE id = $2 OR booking = $1 OR id = (
        SELECT a.owner FROM budget_hold h JOIN transfer t ON t.id = h.reservation JOIN account a ON a.id = t.debit
        WHERE h.purpose = $1 AND h.payer = 'own')
"""


async def booking_of(payment: UUID) -> UUID | None:
    """The booking that a payment is for now; None when there is none. Callers know whose it is."""
    found: UUID | None = await fetch_value("SELECT booking FROM payment WHERE id = $1", payment)
    return found


async def own_payment(booking: UUID) -> OwnPaymentView | None:
    """How the own share of a booking stands, also after the seat moved; None without one. Callers know whose it is."""
    row = await fetch_one(_VIEW, booking, payment_of(booking), now())
    return None if row is None else OwnPaymentView(**row)
