"""Booking seats from a learning budget: quote, book, read, cancel."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from leerbudget.bookings import actions
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.actions import BookingReceipt, BookingRequest
from leerbudget.bookings.errors import NotCancellable
from leerbudget.bookings.queries import BookingView
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.entrypoints.api.access import of_own_family
from leerbudget.entrypoints.api.proposals import ShareTold
from leerbudget.entrypoints.api.types import Answer, Body, Cents, Children, Instant, PersonIds, told
from leerbudget.entrypoints.http.guards import logged_in, requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.matcher.vocabulary import ChildAgeBand
from leerbudget.payments import asking, own_shares
from leerbudget.wishes.errors import WishUnknown

ChildrenByBand = Annotated[
    dict[ChildAgeBand, Children], Meta(max_length=6, description="Children who need a childcare place.")
]


class QuoteOrder(Body, frozen=True, kw_only=True):
    """Seats in one course session for persons of the family."""

    course_session: UUID
    persons: PersonIds
    wish: UUID | None = None
    childcare: ChildrenByBand = field(default_factory=dict)


class BookingOrder(QuoteOrder, frozen=True, kw_only=True):
    """A booking. `id` is made by the caller: the same order again has the same effect, once.

    `price_shown_cents`: what the family saw for all together; another price now is refused (`price_changed`).
    `own_shown_cents`: what of it the family saw that it pays itself (`own_cents` of the quote); another share now is
    refused (`own_share_changed`). Without it the budgets must pay everything.
    """

    id: UUID
    price_shown_cents: Cents | None = None
    own_shown_cents: Cents | None = None


class Quote(Answer, frozen=True, kw_only=True):
    """What a booking would come to now. Nothing was kept. `own_cents`: what the family would pay itself."""

    price_cents: int
    own_cents: int
    payment: list[ShareTold]


class Receipt(Answer, frozen=True, kw_only=True):
    """What a booking came to: its state, the price for all persons together, and who holds it.

    `own_cents`: what the family pays itself. Until it did, `state` is `offered` and the seat is kept until `pay_before`;
    it pays at `pay_url` (None: the payment service has not answered; ask again with the same order).
    """

    booking: UUID
    state: str
    price_cents: int
    own_cents: int
    payment: list[ShareTold]
    pay_url: str | None
    pay_before: Instant | None


class Booking(Answer, frozen=True, kw_only=True):
    """A booking as its family sees it.

    `fee_cents`: what cancelling cost, `fee_returned_at`: when
    `fee_returned_cents` of that came back. `moved_to`: the booking that took its place.
    `own_cents`: what the family pays itself, `own_paid_at`: when it did.
    """

    id: UUID
    course_session: UUID
    title: str
    state: str
    end_reason: str | None
    price_cents: int
    persons: list[str]
    starts_at: Instant
    ends_at: Instant
    meetings: int
    place: str | None
    course_session_state: str
    offered_until: Instant | None
    booked_at: Instant
    fee_cents: int
    fee_returned_at: Instant | None
    fee_returned_cents: int
    moved_to: UUID | None
    own_cents: int
    own_paid_at: Instant | None


class OwnPayment(Answer, frozen=True, kw_only=True):
    """How the share that a family pays itself stands. `pay_url`: where it can still be paid."""

    state: str
    amount_cents: int
    refunded_cents: int
    pay_url: str | None


class Bookings(Answer, frozen=True, kw_only=True):
    """Every booking of a family, the nearest course first."""

    items: list[Booking]


class CancellationPreview(Answer, frozen=True, kw_only=True):
    """What cancelling now would cost and give back; together they are the price.

    `free_when_replaced`: the fee comes back when others take the seats. `emergencies_left`: so often may the family
    still cancel for free because something is the matter with a child (`cancelBookingForChild`).
    """

    booking: UUID
    price_cents: int
    fee_cents: int
    refund_cents: int
    free_until: Instant | None
    free_when_replaced: bool
    emergencies_left: int


class CancellationDone(Answer, frozen=True, kw_only=True):
    """What the cancellation cost and gave back, from the books."""

    booking: UUID
    price_cents: int
    fee_cents: int
    refund_cents: int


class FamilyBookingController(Controller):
    """The bookings of a family."""

    path = "/families/{family_id:uuid}"
    tags = ("bookings",)

    @get(
        "/bookings",
        guards=[requires("see_bookings", family="family_id")],
        summary="The family's bookings",
        operation_id="listBookings",
    )
    async def bookings(self, family_id: FromPath[UUID]) -> Bookings:
        """All of them, also what is over or was cancelled."""
        return Bookings(items=[told_booking(each) for each in await bookings.bookings_of(family_id)])

    @post(
        "/booking-quotes",
        guards=[requires("book", family="family_id")],
        status_code=200,
        summary="What a booking would cost",
        operation_id="quoteBooking",
    )
    async def quote(self, request: HouseRequest, family_id: FromPath[UUID], data: JSONBody[QuoteOrder]) -> Quote:
        """The real booking with nothing kept: it refuses exactly what booking would refuse.

        What no budget pays the family may pay itself, where there is a payment service.
        """
        order = _request(family_id, data, new_id())
        service = asking.online_if_any(request.app.state.gateways)
        with named_in_the_body():
            receipt = await again(lambda: own_shares.quote(order, gateway=service, actor=request.actor.login))
        return Quote(price_cents=receipt.price_cents, own_cents=receipt.own_cents, payment=payment_of(receipt))

    @post(
        "/bookings",
        guards=[requires("book", family="family_id")],
        summary="Book seats",
        operation_id="book",
    )
    async def book(self, request: HouseRequest, family_id: FromPath[UUID], data: JSONBody[BookingOrder]) -> Receipt:
        """Take the seats and hold the money: both or neither, without anybody's approval."""
        order = _request(family_id, data, data.id)
        back = f"{request.app.state.settings.base_url}/betaald/{own_shares.payment_of(data.id)}"
        service = asking.online_if_any(request.app.state.gateways)
        with named_in_the_body():
            share = await again(
                lambda: own_shares.book(order, gateway=service, return_url=back, actor=request.actor.login)
            )
        receipt = share.receipt
        return Receipt(
            booking=receipt.booking,
            state=receipt.state,
            price_cents=receipt.price_cents,
            own_cents=receipt.own_cents,
            payment=payment_of(receipt),
            pay_url=share.pay_url,
            pay_before=share.pay_before,
        )


class BookingController(Controller):
    """One booking."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("bookings",)
    guards = (logged_in,)

    @get(summary="One booking", operation_id="getBooking")
    async def booking(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Booking:
        """A booking of the own family."""
        return told_booking((await _own(request, booking_id, "see_bookings"))[1])

    @get("/own-payment", summary="How the family's own share stands", operation_id="getOwnPayment")
    async def own_payment(self, request: HouseRequest, booking_id: FromPath[UUID]) -> OwnPayment:
        """Of a booking of the own family of which it pays, or paid, a part itself."""
        await _own(request, booking_id, "see_bookings")
        found = await own_shares.own_payment(booking_id)
        if found is None:
            raise NotFound
        return told(OwnPayment, found)

    @put("/own-payment/refusal", summary="Do not pay one's own share after all", operation_id="refuseOwnPayment")
    async def refuse_own_payment(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Booking:
        """The seat is free again, and nothing else follows. Again has no effect; a seat that was paid is cancelled instead."""
        family, found = await _own(request, booking_id, "book")
        if not found.own_cents:
            raise NotFound
        if found.state != "declined":
            await again(lambda: actions.decline(booking_id, actor=request.actor.login))
        after = await bookings.booking(booking_id, family)
        return told_booking(after or found)

    @get("/cancellation", summary="What cancelling now would cost", operation_id="previewCancellation")
    async def preview(self, request: HouseRequest, booking_id: FromPath[UUID]) -> CancellationPreview:
        """By the very code that cancels; nothing changes. A proposal is refused instead (`refuseProposal`)."""
        await _cancellable(request, booking_id)
        found = await again(lambda: actions.cancel(booking_id, actor=request.actor.login, dry_run=True))
        return told(CancellationPreview, found)

    @put("/cancellation", summary="Cancel a booking", operation_id="cancelBooking")
    async def cancel(self, request: HouseRequest, booking_id: FromPath[UUID]) -> CancellationDone:
        """Cancel by the course's own rule; again has no effect. A proposal is refused instead (`refuseProposal`)."""
        return await _cancel(request, booking_id, emergency=False)

    @put(
        "/child-cancellation",
        summary="Cancel for free: something is the matter with a child",
        operation_id="cancelBookingForChild",
    )
    async def cancel_for_child(self, request: HouseRequest, booking_id: FromPath[UUID]) -> CancellationDone:
        """Free, so often a year as the course allows; nobody asks what it is, and nobody else can see it."""
        return await _cancel(request, booking_id, emergency=True)


@contextmanager
def named_in_the_body() -> Iterator[None]:
    """A session or wish that is not there was named in the body: the fault is in that field, not in the address."""
    try:
        yield
    except SessionUnknown:
        message = "Deze bijeenkomst kennen we niet."
        raise InvalidInput(errors=[{"path": "course_session", "message": message}]) from None
    except WishUnknown:
        message = "Deze wens hoort niet bij dit pleeggezin."
        raise InvalidInput(errors=[{"path": "wish", "message": message}]) from None


def _request(family: UUID, data: QuoteOrder, booking_id: UUID) -> BookingRequest:
    return BookingRequest(
        id=booking_id,
        family=family,
        session=data.course_session,
        persons=tuple(data.persons),
        wish=data.wish,
        childcare={band.value: children for band, children in data.childcare.items()},
        price_shown_cents=data.price_shown_cents if isinstance(data, BookingOrder) else None,
        own_shown_cents=data.own_shown_cents if isinstance(data, BookingOrder) else None,
    )


async def _own(request: HouseRequest, booking_id: UUID, verb: str) -> tuple[UUID, BookingView]:
    return await of_own_family(request, verb, lambda family: bookings.booking(booking_id, family))


async def _cancellable(request: HouseRequest, booking_id: UUID) -> UUID:
    """The family of the booking; an offer is answered, not cancelled, so that its proposal knows."""
    family, found = await _own(request, booking_id, "cancel_booking")
    if found.state == "offered":
        raise NotCancellable
    return family


async def _cancel(request: HouseRequest, booking_id: UUID, *, emergency: bool) -> CancellationDone:
    family = await _cancellable(request, booking_id)
    try:
        await again(lambda: actions.cancel(booking_id, actor=request.actor.login, emergency=emergency))
    except NotCancellable:
        after = await bookings.booking(booking_id, family)
        if after is None or after.state != "cancelled":
            raise
    return await _cancelled(booking_id, family)


async def _cancelled(booking_id: UUID, family: UUID) -> CancellationDone:
    found = await bookings.booking(booking_id, family)
    if found is None:
        raise NotFound
    return CancellationDone(
        booking=booking_id,
        price_cents=found.price_cents,
        fee_cents=found.fee_cents,
        refund_cents=found.price_cents - found.fee_cents,
    )


def payment_of(receipt: BookingReceipt) -> list[ShareTold]:
    """Who pays how much."""
    return [told(ShareTold, share) for share in receipt.shares]


def told_booking(view: BookingView) -> Booking:
    """A booking in the words of this API."""
    return Booking(
        id=view.booking,
        course_session=view.session,
        title=view.title,
        state=view.state,
        end_reason=view.end_reason,
        price_cents=view.price_cents,
        persons=list(view.persons),
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        meetings=view.meetings,
        place=view.place,
        course_session_state=view.session_state,
        offered_until=view.offered_until,
        booked_at=view.booked_at,
        fee_cents=view.fee_cents,
        fee_returned_at=view.fee_returned_at,
        fee_returned_cents=view.fee_returned_cents,
        moved_to=view.moved_to,
        own_cents=view.own_cents,
        own_paid_at=view.own_paid_at,
    )
