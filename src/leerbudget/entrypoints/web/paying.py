"""The part of a price that a family pays itself: where, until when, and how it stands."""

from contextlib import suppress
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import actions
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.errors import BookingUnknown, OfferLapsed
from leerbudget.bookings.queries import BookingView
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, moved, own_family, page
from leerbudget.entrypoints.web.top_ups import look
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import Busy
from leerbudget.payments import own_shares
from leerbudget.payments.own_shares import OwnPaymentView

LIST = "/inschrijvingen"


class PayingPages(Controller):
    """A family's own share of one booking."""

    include_in_schema = False

    @get("/betaald/{payment_id:uuid}")
    async def back(self, request: HouseRequest, payment_id: FromPath[UUID]) -> Response[None]:
        """Where the payment service sends people back: it knows the payment, and nothing of what it is for."""
        family = own_family(request, "book")
        booking_id = await own_shares.booking_of(payment_id)
        if booking_id is None or await bookings.booking(booking_id, family) is None:
            raise BookingUnknown
        return moved(f"/inschrijvingen/{booking_id}/betalen?betaald=ja")

    @get("/inschrijvingen/{booking_id:uuid}/betalen")
    async def pay(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """What to do next. Who comes back from paying sees at once whether the seat is theirs."""
        family = own_family(request, "book")
        found, payment = await _own(booking_id, family)
        if "betaald" in request.query_params and found.state != "confirmed":
            await look(request, payment.gateway, payment.gateway_ref)
            with suppress(Busy):  # the worker does it in a moment
                await again(lambda: own_shares.place(own_shares.payment_of(booking_id)))
            found, payment = await _own(booking_id, family)
        if found.state == "confirmed":
            return moved(f"/inschrijvingen/{found.booking}", "ingeschreven")
        view = View(
            booking_id=found.booking,
            course_title=found.title,
            starts_at=found.starts_at,
            ends_at=found.first_meeting_ends_at,
            names=list(found.persons),
            price_cents=found.price_cents,
            own_cents=found.own_cents,
            kept=found.state == "offered",
            keep_until=found.offered_until,
            state=payment.state,
            refunded_cents=payment.refunded_cents,
            pay_url=payment.pay_url if found.state == "offered" else None,
            made_up=payment.gateway == "sandbox",
        )
        return await page(request, "betalen.html", view)

    @post("/inschrijvingen/{booking_id:uuid}/betalen/niet")
    async def stop(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[None]:
        """The family does not pay after all: the seat is free again, and nothing else follows."""
        found, _ = await _own(booking_id, own_family(request, "book"))
        try:
            await again(lambda: actions.decline(found.booking, actor=request.actor.login))
        except OfferLapsed:
            return moved(f"/inschrijvingen/{booking_id}/betalen")
        return moved(LIST, "niet-betaald")


async def _own(booking_id: UUID, family: UUID) -> tuple[BookingView, OwnPaymentView]:
    """The booking and its payment. After money that came too late: the booking that got the seat after all."""
    found, payment = await bookings.booking(booking_id, family), await own_shares.own_payment(booking_id)
    if found is None or payment is None:
        raise BookingUnknown
    if found.state == "expired" and payment.booking != booking_id:
        found = await bookings.booking(payment.booking, family) or found
    return found, payment
