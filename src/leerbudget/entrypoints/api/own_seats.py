"""The seats of who has no family: what is offered, what is to come, yes, no, and not coming after all."""

from contextlib import suppress
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.params import FromPath, JSONBody

from leerbudget.bookings import own_seats, seating
from leerbudget.bookings.errors import BookingUnknown, NotCancellable, OfferLapsed
from leerbudget.entrypoints.api.access import own_person
from leerbudget.entrypoints.api.proposals import RefusalOrder
from leerbudget.entrypoints.api.types import Answer, Instant, told
from leerbudget.entrypoints.http.guards import logged_in
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.identity.permissions import require
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries


class OwnSeat(Answer, frozen=True, kw_only=True):
    """A seat, without a price. While `state` is `offered` it is kept until `offered_until`."""

    booking: UUID
    session: UUID
    title: str
    form: str
    state: str
    session_state: str
    starts_at: Instant
    ends_at: Instant
    meetings: int
    place: str | None
    offered_until: Instant | None
    may_give_up: bool


class OwnSeats(Answer, frozen=True, kw_only=True):
    """Every seat of the asker, the nearest session first. Nobody else who comes is in it."""

    items: list[OwnSeat]


class OwnSeatController(Controller):
    """What is somebody's own, without a family."""

    path = "/own-seats"
    tags = ("dialogues",)
    guards = (logged_in,)

    @get(summary="The own seats of who has no family", operation_id="listOwnSeats")
    async def mine(self, request: HouseRequest) -> OwnSeats:
        """Offered, to come and past."""
        person = _asker(request, "see_own_seats")
        return OwnSeats(items=[told(OwnSeat, each) for each in await own_seats.seats_of(person)])

    @put("/{booking_id:uuid}/acceptance", summary="Accept an offered seat", operation_id="acceptOwnSeat")
    async def accept(self, request: HouseRequest, booking_id: FromPath[UUID]) -> OwnSeat:
        """Yes, I come. Again has no effect."""
        person = _asker(request, "answer_offered_seat")
        proposal = await _proposal(booking_id, person)
        with suppress(OfferLapsed):  # what it came to is read below
            await again(lambda: rounds.accept(proposal, seeker=person, actor=request.actor.login))
        return await _answered(booking_id, person, "confirmed")

    @put("/{booking_id:uuid}/refusal", summary="Refuse an offered seat", operation_id="refuseOwnSeat")
    async def refuse(self, request: HouseRequest, booking_id: FromPath[UUID], data: JSONBody[RefusalOrder]) -> OwnSeat:
        """No: the seat is free again. Again has no effect."""
        person = _asker(request, "answer_offered_seat")
        proposal = await _proposal(booking_id, person)
        with suppress(OfferLapsed):  # what it came to is read below
            await again(lambda: rounds.decline(proposal, seeker=person, reason=data.reason, actor=request.actor.login))
        return await _answered(booking_id, person, "declined")

    @delete("/{booking_id:uuid}", summary="Not come after all", operation_id="giveUpOwnSeat")
    async def give_up(self, request: HouseRequest, booking_id: FromPath[UUID]) -> None:
        """The seat is free for somebody else; again has no effect."""
        person = _asker(request, "give_up_own_seat")
        try:
            await again(lambda: seating.give_up(booking_id, person, actor=request.actor.login))
        except NotCancellable:
            found = await own_seats.seat(booking_id, person)
            if found is None or found.state != "cancelled":
                raise


def _asker(request: HouseRequest, verb: str) -> UUID:
    person = own_person(request)
    require(request.actor, verb, person=person)
    return person


async def _proposal(booking_id: UUID, person: UUID) -> UUID:
    """The proposal behind an own seat.

    Raises:
        BookingUnknown: the seat is not theirs.
        OfferLapsed: a coordinator gave it, so there is nothing to answer.
    """
    if await own_seats.seat(booking_id, person) is None:
        raise BookingUnknown
    for each in await round_queries.proposals_of(person):
        if each.booking == booking_id:
            return each.proposal
    raise OfferLapsed


async def _answered(booking_id: UUID, person: UUID, state: str) -> OwnSeat:
    """The seat, when it was answered in this way.

    Raises:
        OfferLapsed: it was answered otherwise, or its time is over.
    """
    found = await own_seats.seat(booking_id, person)
    if found is None:
        raise BookingUnknown
    if found.state != state:
        raise OfferLapsed
    return told(OwnSeat, found)
