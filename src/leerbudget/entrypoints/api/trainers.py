"""What trainers do: publish course sessions, see who comes, say who was there, close or call off."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import meetings
from leerbudget.bookings import queries as booking_queries
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import queries
from leerbudget.catalogue.queries import SessionDetail
from leerbudget.catalogue.rules import SessionOrder
from leerbudget.entrypoints.api.catalogue import CourseSessionWhole, whole
from leerbudget.entrypoints.api.types import Answer, Body, Day, Instant, Moment, ShortText, told
from leerbudget.entrypoints.http.guards import logged_in, requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again, together
from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, NotFound
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require
from leerbudget.matcher.vocabulary import ChildAgeBand, Party
from leerbudget.people import queries as people
from leerbudget.trainers import queries as trainers

SeatNumber = Annotated[int, Meta(ge=1, le=1000)]
PriceCents = Annotated[int, Meta(ge=0, le=1_000_000, description="Euro cents per person for all meetings, incl. VAT.")]
Places = Annotated[int, Meta(ge=0, le=100)]


class MeetingOrder(Body, frozen=True, kw_only=True):
    """One meeting."""

    starts_at: Moment
    ends_at: Moment


class PartyOrder(Body, frozen=True, kw_only=True):
    """The least and most seats of one party in a dialogue."""

    seats_min: Annotated[int, Meta(ge=0, le=1000)]
    seats_max: Annotated[int, Meta(ge=0, le=1000)]


class LeaderOrder(Body, frozen=True, kw_only=True):
    """Somebody else who leads it."""

    person: UUID
    role: Literal["trainer", "facilitator"]


class CourseSessionOrder(Body, frozen=True, kw_only=True):
    """A course session to publish. `id` is made by the caller: the same order again has no effect.

    Without a price it costs what the tariff says that applies to it; where one applies, no other price is possible.

    Without `venue` it is online. `conditional`: whether it goes on is decided on `decide_on`; `confirmed`: it
    goes on whatever happens.
    """

    id: UUID
    course: UUID
    trainer: UUID
    venue: UUID | None = None
    state: Literal["conditional", "confirmed"] = "conditional"
    price_cents: PriceCents | None = None
    seats_min: SeatNumber
    seats_max: SeatNumber
    meetings: Annotated[list[MeetingOrder], Meta(min_length=1, max_length=60)]
    decide_on: Day
    parties: dict[Party, PartyOrder] = field(default_factory=dict)
    party_spread_max: Annotated[int, Meta(ge=0, le=1000)] | None = None
    childcare: dict[ChildAgeBand, Places] = field(default_factory=dict)
    people: Annotated[list[LeaderOrder], Meta(max_length=20)] = field(default_factory=list)


class CourseSessionLine(Answer, frozen=True, kw_only=True):
    """A course session in its trainer's list; drafts are in it too."""

    id: UUID
    external_ref: str
    course: UUID
    title: str
    state: str
    starts_at: Instant
    ends_at: Instant
    place: str | None
    seats_min: int
    seats_max: int
    seats_taken: int
    decide_on: date


class CourseSessionLines(Answer, frozen=True, kw_only=True):
    """Every course session of a trainer, the nearest first."""

    items: list[CourseSessionLine]


class Participant(Answer, frozen=True, kw_only=True):
    """Somebody who comes: a name and an address, nothing about the family.

    `attendance`: by meeting, in order; `elsewhere` when they catch it up in another group, `elearning` or
    `elearning_done` when they do so alone, null when they are not expected. `guest`: they are of another group and catch up here.
    """

    booking: UUID
    person: UUID
    name: str
    email: str | None
    state: str
    attendance: list[str | None]
    guest: bool


class Participants(Answer, frozen=True, kw_only=True):
    """Who comes to a course session."""

    items: list[Participant]


class AttendanceOrder(Body, frozen=True, kw_only=True):
    """Who was not there; everybody else was."""

    absent: Annotated[list[UUID], Meta(max_length=1000)]


class AttendanceTold(Answer, frozen=True, kw_only=True):
    """How many were there."""

    present: int


class CompletionTold(Answer, frozen=True, kw_only=True):
    """A closed course session."""

    course_session: UUID
    state: str


class CallingOffOrder(Body, frozen=True, kw_only=True):
    """Why a course session, or one meeting of it, does not go on; no names and nothing private."""

    reason: ShortText


class TrainerController(Controller):
    """A trainer's own list."""

    path = "/trainers/{trainer_id:uuid}"
    tags = ("trainer",)

    @get(
        "/course-sessions",
        guards=[requires("see_own_sessions", trainer="trainer_id")],
        summary="The trainer's course sessions",
        operation_id="listTrainerSessions",
    )
    async def sessions(self, trainer_id: FromPath[UUID]) -> CourseSessionLines:
        """Every course session of this trainer, drafts included."""
        lines = await queries.sessions_of_trainer(trainer_id)
        return CourseSessionLines(items=[told(CourseSessionLine, line) for line in lines])


class TrainerSessionController(Controller):
    """What a trainer does with a course session."""

    path = "/course-sessions"
    tags = ("trainer",)
    guards = (logged_in,)

    @post(summary="Publish a course session", operation_id="publishCourseSession")
    async def publish(self, request: HouseRequest, data: JSONBody[CourseSessionOrder]) -> CourseSessionWhole:
        """Publish a course session of an admitted course by an admitted trainer: families can book it at once."""
        require(request.actor, "publish_session", trainer=data.trainer)
        await _leaders_are_no_parents(data)
        order = _order(data)

        async def once() -> None:
            async with together():
                if (await catalogue.publish_sessions([order])).changed:
                    raise IdempotencyMismatch

        await again(once)
        return whole(await queries.session_detail(data.id))

    @get("/{session_id:uuid}/participants", summary="Who comes", operation_id="listParticipants")
    async def participants(self, request: HouseRequest, session_id: FromPath[UUID]) -> Participants:
        """Names and addresses of everybody with a seat; only for the session's own trainer."""
        await _own(request, session_id, "see_roster")
        roster = await booking_queries.roster(session_id)
        await record_audit(request.actor.login, "roster_seen", "course_session", session_id)
        return Participants(items=[told(Participant, somebody) for somebody in roster])

    @put(
        "/{session_id:uuid}/meetings/{meeting_id:uuid}/attendance",
        summary="Say who was there",
        operation_id="recordAttendance",
    )
    async def attendance(
        self,
        request: HouseRequest,
        session_id: FromPath[UUID],
        meeting_id: FromPath[UUID],
        data: JSONBody[AttendanceOrder],
    ) -> AttendanceTold:
        """After a meeting; who is not named absent was there. Can be corrected until the session is closed."""
        session = await _own(request, session_id, "mark_attendance")
        if meeting_id not in {meeting for meeting, _, _ in session.meetings}:
            raise NotFound
        login = request.actor.login
        present = await again(lambda: bookings.record_attendance(meeting_id, data.absent, actor=login))
        return AttendanceTold(present=present)

    @put("/{session_id:uuid}/completion", summary="Close a course session", operation_id="completeCourseSession")
    async def complete(self, request: HouseRequest, session_id: FromPath[UUID]) -> CompletionTold:
        """After the last meeting: what was held is paid. Again has no effect."""
        if (await _own(request, session_id, "finish_session")).state != "done":
            await again(lambda: bookings.finish_session(session_id, actor=request.actor.login))
        return CompletionTold(course_session=session_id, state="done")

    @put("/{session_id:uuid}/calling-off", summary="Call a course session off", operation_id="callOffCourseSession")
    async def call_off(
        self, request: HouseRequest, session_id: FromPath[UUID], data: JSONBody[CallingOffOrder]
    ) -> CourseSessionWhole:
        """It does not go on: everybody gets everything back and hears of it. Again has no effect."""
        if (await _own(request, session_id, "cancel_session")).state != "cancelled":
            await again(lambda: bookings.cancel_session(session_id, reason=data.reason, actor=request.actor.login))
        return whole(await queries.session_detail(session_id))

    @put(
        "/{session_id:uuid}/meetings/{meeting_id:uuid}/calling-off",
        summary="Call one meeting off",
        operation_id="callOffMeeting",
    )
    async def call_off_meeting(
        self,
        request: HouseRequest,
        session_id: FromPath[UUID],
        meeting_id: FromPath[UUID],
        data: JSONBody[CallingOffOrder],
    ) -> CourseSessionWhole:
        """It does not take place, the others do: families pay for those, and hear of it. Again has no effect."""
        session = await _own(request, session_id, "cancel_session")
        if await queries.is_cancelled_meeting(session_id, meeting_id):
            return whole(session)
        if meeting_id not in {meeting for meeting, _, _ in session.meetings}:
            raise NotFound
        login = request.actor.login
        await again(lambda: meetings.cancel_meeting(meeting_id, reason=data.reason, actor=login))
        return whole(await queries.session_detail(session_id))


async def _own(request: HouseRequest, session_id: UUID, verb: str) -> SessionDetail:
    found = await queries.session_detail(session_id)
    require(request.actor, verb, trainer=found.trainer)
    return found


async def _leaders_are_no_parents(data: CourseSessionOrder) -> None:
    """A foster parent leads only as a member of the pool; a name from a list of participants is never published.

    Raises:
        InvalidInput: somebody with a family who is not in the pool.
    """
    named = await people.persons([leader.person for leader in data.people])
    for at, leader in enumerate(data.people):
        person = named.get(leader.person)
        if person is not None and person.family is not None and await trainers.trainer_of(person.id) is None:
            message = "Deze persoon kan deze bijeenkomst niet leiden."
            raise InvalidInput(errors=[{"path": f"people[{at}].person", "message": message}])


def _order(data: CourseSessionOrder) -> SessionOrder:
    parties: Mapping[str, tuple[int, int]] = {
        party.value: (bounds.seats_min, bounds.seats_max) for party, bounds in data.parties.items()
    }
    return SessionOrder(
        id=data.id,
        external_ref=_reference(data),
        course=data.course,
        venue=data.venue,
        trainer=data.trainer,
        price_cents=data.price_cents,
        seats_min=data.seats_min,
        seats_max=data.seats_max,
        meetings=tuple((meeting.starts_at, meeting.ends_at) for meeting in data.meetings),
        decide_on=data.decide_on,
        parties=parties,
        party_spread_max=data.party_spread_max,
        childcare={band.value: places for band, places in data.childcare.items()},
        people=tuple((leader.person, leader.role) for leader in data.people),
        state=data.state,
    )


def _reference(data: CourseSessionOrder) -> str:
    """The reference of a session that came in here: of its trainer and id, so nobody can take over another's."""
    return f"api-{hashlib.sha256(data.trainer.bytes + data.id.bytes).hexdigest()[:40]}"
