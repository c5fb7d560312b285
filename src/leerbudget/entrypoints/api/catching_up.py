"""One meeting of a booking in another group of the course: where it can be, doing it, and not after all."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.bookings import elearning, meetings, own_meetings
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.elearning import ElearningOrder
from leerbudget.bookings.meetings import CatchUpOrder
from leerbudget.entrypoints.api.access import of_own_family
from leerbudget.entrypoints.api.elearning import UnitTold
from leerbudget.entrypoints.api.types import Answer, Body, Instant, told
from leerbudget.entrypoints.http.guards import logged_in
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again


class MeetingElsewhere(Answer, frozen=True, kw_only=True):
    """The same meeting of another group of the course."""

    meeting: UUID
    course_session: UUID
    starts_at: Instant
    ends_at: Instant
    place: str | None


class ExpectedPerson(Answer, frozen=True, kw_only=True):
    """Somebody of the booking.

    `state`: planned, present, absent; elsewhere when they catch it up in another group, elearning or elearning_done when
    they do so alone; called_off when the meeting was.
    """

    person: UUID
    state: str


class OwnMeeting(Answer, frozen=True, kw_only=True):
    """A meeting of the own group. `caught_up`: where somebody comes in its place; `options`: where that could be.

    `elearning`: what could be done alone in its place; a meeting that was called off is listed only when there is some.
    """

    meeting: UUID
    number: int
    starts_at: Instant
    ends_at: Instant
    persons: list[ExpectedPerson]
    caught_up: MeetingElsewhere | None
    options: list[MeetingElsewhere]
    called_off: bool
    elearning: UnitTold | None


class OwnMeetings(Answer, frozen=True, kw_only=True):
    """The meetings of a booking, in order; none when it stopped."""

    items: list[OwnMeeting]


class LearnBody(Body, frozen=True, kw_only=True):
    """Who does the e-learning."""

    persons: Annotated[list[UUID], Meta(min_length=1, max_length=10)]


class CatchUpBody(Body, frozen=True, kw_only=True):
    """Who comes to which meeting of another group."""

    meeting: UUID
    persons: Annotated[list[UUID], Meta(min_length=1, max_length=10)]


class CatchingUpController(Controller):
    """A family that misses a meeting."""

    path = "/bookings/{booking_id:uuid}/meetings"
    tags = ("bookings",)
    guards = (logged_in,)

    @get(summary="The meetings of a booking", operation_id="listOwnMeetings")
    async def meetings(self, request: HouseRequest, booking_id: FromPath[UUID]) -> OwnMeetings:
        """With where each can be caught up; once for a course."""
        return await _told(booking_id, await _whose(request, booking_id, "see_bookings"))

    @put("/{meeting_id:uuid}/catch-up", summary="Catch up a meeting elsewhere", operation_id="catchUpMeeting")
    async def catch_up(
        self,
        request: HouseRequest,
        booking_id: FromPath[UUID],
        meeting_id: FromPath[UUID],
        data: JSONBody[CatchUpBody],
    ) -> OwnMeetings:
        """Come to the same meeting of another group, at no cost. Again has no effect."""
        family = await _whose(request, booking_id, "cancel_booking")
        order = CatchUpOrder(booking_id, meeting_id, data.meeting, tuple(data.persons))
        await again(lambda: meetings.catch_up(order, actor=request.actor.login))
        return await _told(booking_id, family)

    @put("/{meeting_id:uuid}/elearning", summary="Catch up a meeting by e-learning", operation_id="learnMeeting")
    async def learn(
        self, request: HouseRequest, booking_id: FromPath[UUID], meeting_id: FromPath[UUID], data: JSONBody[LearnBody]
    ) -> OwnMeetings:
        """Do the e-learning in place of the meeting, at no cost; the trainer says that it was done. Again has no effect."""
        family = await _whose(request, booking_id, "cancel_booking")
        order = ElearningOrder(booking_id, meeting_id, tuple(data.persons))
        await again(lambda: elearning.learn(order, actor=request.actor.login))
        return await _told(booking_id, family)

    @delete("/{meeting_id:uuid}/catch-up", summary="Not catch up after all", operation_id="dropCatchUp")
    async def drop(self, request: HouseRequest, booking_id: FromPath[UUID], meeting_id: FromPath[UUID]) -> None:
        """A seat there is free again, e-learning is off, and they are expected in the own group when that can still be."""
        await _whose(request, booking_id, "cancel_booking")
        await again(lambda: meetings.drop_catch_up(booking_id, meeting_id, actor=request.actor.login))


async def _whose(request: HouseRequest, booking_id: UUID, verb: str) -> UUID:
    family, _ = await of_own_family(request, verb, lambda family: bookings.booking(booking_id, family))
    return family


async def _told(booking: UUID, family: UUID) -> OwnMeetings:
    return OwnMeetings(
        items=[
            OwnMeeting(
                meeting=each.meeting,
                number=each.number,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                persons=[ExpectedPerson(person=person.person, state=person.state) for person in each.persons],
                caught_up=_elsewhere(each.caught_up) if each.caught_up else None,
                options=[_elsewhere(option) for option in each.options],
                called_off=each.called_off,
                elearning=told(UnitTold, each.unit) if each.unit else None,
            )
            for each in await own_meetings.meetings_of(booking, family)
        ]
    )


def _elsewhere(each: own_meetings.Elsewhere) -> MeetingElsewhere:
    return MeetingElsewhere(
        meeting=each.meeting,
        course_session=each.session,
        starts_at=each.starts_at,
        ends_at=each.ends_at,
        place=each.place,
    )
