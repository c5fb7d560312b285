"""E-learning in place of a meeting: the trainer publishes it, sees who does it and says that it was done."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.bookings import elearning
from leerbudget.catalogue import elearning as units
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.elearning import UnitOrder
from leerbudget.entrypoints.api.types import Answer, Body, ShortText, told
from leerbudget.entrypoints.http.guards import logged_in
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require

Link = Annotated[
    str, Meta(min_length=12, max_length=500, pattern=r"^https://[^\s/]+\.\S+$", description="An https address.")
]
Number = Annotated[int, Meta(ge=1, le=60, description="Which meeting of the session, from 1.")]


class UnitBody(Body, frozen=True, kw_only=True):
    """What stands in for a meeting, called off or not. Published again it takes the place of what was there."""

    number: Number
    title: ShortText
    link: Link
    duration_minutes: Annotated[int, Meta(ge=5, le=480)]


class UnitTold(Answer, frozen=True, kw_only=True):
    """E-learning in place of the meeting with this number."""

    number: int
    title: str
    link: str
    duration_minutes: int


class LearnerTold(Answer, frozen=True, kw_only=True):
    """Somebody who does it. `done`: the trainer said so."""

    booking: UUID
    person: UUID
    name: str
    number: int
    done: bool


class ElearningTold(Answer, frozen=True, kw_only=True):
    """The e-learning of a session and who does it."""

    units: list[UnitTold]
    learners: list[LearnerTold]


class ElearningController(Controller):
    """What a trainer does with the e-learning of a session."""

    path = "/course-sessions/{session_id:uuid}"
    tags = ("trainer",)
    guards = (logged_in,)

    @get("/elearning", summary="E-learning of a session, and who does it", operation_id="listElearning")
    async def listed(self, request: HouseRequest, session_id: FromPath[UUID]) -> ElearningTold:
        """Names only; for the session's own trainer."""
        await _own(request, session_id, "see_roster")
        await record_audit(request.actor.login, "roster_seen", "course_session", session_id)
        return await _told(session_id)

    @put("/elearning", summary="Publish e-learning in place of a meeting", operation_id="publishElearning")
    async def publish(
        self, request: HouseRequest, session_id: FromPath[UUID], data: JSONBody[UnitBody]
    ) -> ElearningTold:
        """Families who miss that meeting can choose it at once. Again has no effect."""
        await _own(request, session_id, "change_session")
        order = UnitOrder(session_id, data.number, data.title, data.link, data.duration_minutes)
        await again(lambda: units.publish_unit(order, actor=request.actor.login))
        return await _told(session_id)

    @put(
        "/learners/{booking_id:uuid}/{person_id:uuid}/completion",
        summary="Say that somebody did the e-learning",
        operation_id="completeElearning",
    )
    async def done(
        self, request: HouseRequest, session_id: FromPath[UUID], booking_id: FromPath[UUID], person_id: FromPath[UUID]
    ) -> ElearningTold:
        """It counts as having been at that meeting. Again has no effect."""
        await _own(request, session_id, "mark_attendance")
        login = request.actor.login
        await again(lambda: elearning.say_done(session_id, booking_id, person_id, actor=login))
        return await _told(session_id)


async def _own(request: HouseRequest, session_id: UUID, verb: str) -> None:
    found = await catalogue.session_detail(session_id)
    require(request.actor, verb, trainer=found.trainer)


async def _told(session_id: UUID) -> ElearningTold:
    return ElearningTold(
        units=[told(UnitTold, each) for each in await elearning.units_of(session_id)],
        learners=[told(LearnerTold, each) for each in await elearning.learners(session_id)],
    )
