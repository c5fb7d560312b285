"""The waiting list: wait for seats in a course, and answer when they are offered."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from leerbudget.bookings import line, waiting
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.errors import NotWaiting, OfferLapsed
from leerbudget.bookings.line import WaitingView
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.entrypoints.api.access import of_own_family
from leerbudget.entrypoints.api.bookings import Booking, ChildrenByBand, told_booking
from leerbudget.entrypoints.api.types import Answer, Body, Instant, PersonIds
from leerbudget.entrypoints.http.guards import logged_in, requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput

Position = Annotated[int | None, Meta(description="1 is first; none while seats are offered.")]
Planned = Annotated[bool, Meta(description="Whether the course has a session to come in which seats can be offered.")]


class WaitingOrderBody(Body, frozen=True, kw_only=True):
    """Persons of the family who wait together. `id` is made by the caller: the same order again has the same effect, once.

    `course_session`: where they would like to go; other sessions of its course within reach will do as well.
    """

    id: UUID
    course_session: UUID
    persons: PersonIds
    childcare: ChildrenByBand = field(default_factory=dict)


class PassedOver(Answer, frozen=True, kw_only=True):
    """Seats that became free and that the family could not take; `reason` is the code of what stood in the way."""

    starts_at: Instant
    place: str | None
    reason: str


class WaitingEntry(Answer, frozen=True, kw_only=True):
    """A place in line. `course_session` is that of the offered seats, otherwise where the family asked."""

    id: UUID
    state: str
    title: str
    course_session: UUID
    persons: list[str]
    asked_at: Instant
    position: Position
    planned: Planned
    booking: UUID | None
    price_cents: int | None
    offered_until: Instant | None
    passed_over: list[PassedOver]


class WaitingEntries(Answer, frozen=True, kw_only=True):
    """The family's places in line; what waits for its answer first."""

    items: list[WaitingEntry]


class FamilyWaitingController(Controller):
    """The places in line of a family."""

    path = "/families/{family_id:uuid}/waiting-entries"
    tags = ("waiting list",)

    @get(
        guards=[requires("see_bookings", family="family_id")],
        summary="Where the family waits",
        operation_id="listWaitingEntries",
    )
    async def entries(self, family_id: FromPath[UUID]) -> WaitingEntries:
        """Places in line that are not over."""
        return WaitingEntries(items=[_entry(each) for each in await line.waiting_of(family_id)])

    @post(guards=[requires("book", family="family_id")], summary="Wait for seats", operation_id="joinWaitingList")
    async def join(
        self, request: HouseRequest, family_id: FromPath[UUID], data: JSONBody[WaitingOrderBody]
    ) -> WaitingEntry:
        """Seats that become free are offered in order: more matching rounds waited first, then who asked first."""
        children = {band.value: number for band, number in data.childcare.items()}
        order = WaitingOrder(data.id, family_id, data.course_session, tuple(data.persons), children)
        try:
            await again(lambda: waiting.join(order, actor=request.actor.login))
        except SessionUnknown:
            message = "Deze bijeenkomst kennen we niet."
            raise InvalidInput(errors=[{"path": "course_session", "message": message}]) from None
        found = await line.waiting(data.id, family_id)
        if found is None:  # the same order again, after it was over
            raise NotWaiting
        return _entry(found)


class WaitingController(Controller):
    """One place in line."""

    path = "/waiting-entries/{entry_id:uuid}"
    tags = ("waiting list",)
    guards = (logged_in,)

    @delete(summary="Leave the waiting list", operation_id="leaveWaitingList")
    async def leave(self, request: HouseRequest, entry_id: FromPath[UUID]) -> None:
        """Wait no longer. Offered seats are free again. Again has no effect."""
        family = await _whose(request, entry_id)
        try:
            await again(lambda: waiting.leave(entry_id, actor=request.actor.login))
        except NotWaiting:
            after = await line.place(entry_id, family)
            if after is None or after.state != "left":
                raise

    @put("/acceptance", summary="Take the offered seats", operation_id="acceptOfferedSeats")
    async def accept(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Booking:
        """Yes, we come: the booking is confirmed and the waiting is over. Again has no effect."""
        family = await _whose(request, entry_id)
        with suppress(OfferLapsed):  # what it came to is read below
            await again(lambda: waiting.accept(entry_id, actor=request.actor.login))
        after = await line.place(entry_id, family)
        found = await bookings.booking(after.booking, family) if after is not None and after.booking else None
        if found is None or found.state != "confirmed":
            raise OfferLapsed
        return told_booking(found)

    @put("/refusal", summary="Leave the offered seats to others", operation_id="refuseOfferedSeats")
    async def refuse(self, request: HouseRequest, entry_id: FromPath[UUID]) -> WaitingEntry:
        """No: seats and money are free again, the family waits on for other sessions. Again has no effect."""
        family = await _whose(request, entry_id)
        with suppress(OfferLapsed):  # refused before
            await again(lambda: waiting.decline(entry_id, actor=request.actor.login))
        found = await line.waiting(entry_id, family)
        if found is None or found.state != "waiting":
            raise OfferLapsed
        return _entry(found)


async def _whose(request: HouseRequest, entry: UUID) -> UUID:
    family, _ = await of_own_family(request, "book", lambda family: line.place(entry, family))
    return family


def _entry(view: WaitingView) -> WaitingEntry:
    return WaitingEntry(
        id=view.entry,
        state=view.state,
        title=view.title,
        course_session=view.session,
        persons=list(view.persons),
        asked_at=view.asked_at,
        position=view.position,
        planned=view.planned,
        booking=view.booking,
        price_cents=view.price_cents,
        offered_until=view.offered_until,
        passed_over=[
            PassedOver(starts_at=each.starts_at, place=each.place, reason=each.refused) for each in view.passed_over
        ],
    )
