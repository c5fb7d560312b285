"""Moving a booking to another session of the same course: where to, what it comes to, and doing it."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from leerbudget.bookings import moving
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.moving import MoveRequest
from leerbudget.entrypoints.api.access import of_own_family
from leerbudget.entrypoints.api.bookings import named_in_the_body, payment_of
from leerbudget.entrypoints.api.proposals import ShareTold
from leerbudget.entrypoints.api.types import Answer, Body, Cents, Instant
from leerbudget.entrypoints.http.guards import logged_in
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.ids import new_id


class SisterSession(Answer, frozen=True, kw_only=True):
    """Another session of the same course with room for the same persons. The price is per person."""

    course_session: UUID
    starts_at: Instant
    ends_at: Instant
    meetings: int
    place: str | None
    price_cents: int
    seats_free: int


class SisterSessions(Answer, frozen=True, kw_only=True):
    """Where a booking could move to, the nearest date first."""

    items: list[SisterSession]


class MoveQuoteOrder(Body, frozen=True, kw_only=True):
    """Another session of the same course."""

    course_session: UUID


class MoveOrder(MoveQuoteOrder, frozen=True, kw_only=True):
    """A move. `id`, made by the caller, becomes that of the booking there: the same order again has the same effect, once.

    `price_shown_cents`, `fee_shown_cents`: what the family saw; anything else now is refused (`price_changed`,
    `fee_changed`).
    """

    id: UUID
    price_shown_cents: Cents | None = None
    fee_shown_cents: Cents | None = None


class MoveQuote(Answer, frozen=True, kw_only=True):
    """What a move would come to now. `fee_cents`: what giving up the old seats costs. Nothing was kept."""

    price_cents: int
    fee_cents: int
    payment: list[ShareTold]


class Moved(Answer, frozen=True, kw_only=True):
    """What a move came to: the booking there, its price, and what giving up the old seats cost."""

    booking: UUID
    state: str
    price_cents: int
    fee_cents: int
    payment: list[ShareTold]


class MovingController(Controller):
    """A booking that goes to another date."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("bookings",)
    guards = (logged_in,)

    @get("/sister-sessions", summary="Where a booking could move to", operation_id="listSisterSessions")
    async def sisters(self, request: HouseRequest, booking_id: FromPath[UUID]) -> SisterSessions:
        """Sessions of the same course with room for all; none when the booking cannot be given up any more."""
        family = await _whose(request, booking_id, "see_bookings")
        found = await moving.sisters_of(booking_id, family)
        return SisterSessions(
            items=[
                SisterSession(
                    course_session=each.session,
                    starts_at=each.starts_at,
                    ends_at=each.ends_at,
                    meetings=each.meetings,
                    place=each.place,
                    price_cents=each.price_cents,
                    seats_free=each.seats_free,
                )
                for each in found
            ]
        )

    @post("/move-quotes", status_code=200, summary="What moving would cost", operation_id="quoteMove")
    async def quote(
        self, request: HouseRequest, booking_id: FromPath[UUID], data: JSONBody[MoveQuoteOrder]
    ) -> MoveQuote:
        """The real move with nothing kept: it refuses exactly what moving would refuse."""
        await _whose(request, booking_id, "cancel_booking")
        order = MoveRequest(new_id(), booking_id, data.course_session)
        with named_in_the_body():
            come_to = await again(lambda: moving.preview(order, actor=request.actor.login))
        return MoveQuote(
            price_cents=come_to.receipt.price_cents,
            fee_cents=come_to.cancellation.fee_cents,
            payment=payment_of(come_to.receipt),
        )

    @post("/moves", summary="Move a booking to another date", operation_id="moveBooking")
    async def move(self, request: HouseRequest, booking_id: FromPath[UUID], data: JSONBody[MoveOrder]) -> Moved:
        """Give up the seats for seats in another session of the course: both or neither."""
        await _whose(request, booking_id, "cancel_booking")
        order = MoveRequest(data.id, booking_id, data.course_session, data.price_shown_cents, data.fee_shown_cents)
        with named_in_the_body():
            done = await again(lambda: moving.move(order, actor=request.actor.login))
        return Moved(
            booking=done.receipt.booking,
            state=done.receipt.state,
            price_cents=done.receipt.price_cents,
            fee_cents=done.cancellation.fee_cents,
            payment=payment_of(done.receipt),
        )


async def _whose(request: HouseRequest, booking_id: UUID, verb: str) -> UUID:
    family, _ = await of_own_family(request, verb, lambda family: bookings.booking(booking_id, family))
    return family
