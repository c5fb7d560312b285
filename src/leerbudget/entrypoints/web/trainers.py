"""A trainer's own sessions: how full, who comes, who was there."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings.errors import AttendanceMissing, CountsOnce, MeetingNotOver
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.meetings import CANCELLABLE
from leerbudget.catalogue.queries import SessionDetail
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.session_views import venue_name
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation import clock
from leerbudget.foundation.errors import NotFound
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require
from leerbudget.trainers import queries as trainers

PAST = ("done", "cancelled")
EXPECTED = ("planned", "present", "absent")
"""Attendance of who is expected at a meeting; others catch it up elsewhere, or come to another one only."""


class TrainerPages(Controller):
    """What a trainer sees: names of participants, no wishes, budgets or family details."""

    path = "/trainer"
    include_in_schema = False

    @get("/")
    async def overview(self, request: HouseRequest) -> Response[str]:
        """Own sessions, the nearest first."""
        trainer = _trainer(request)
        named = await trainers.trainer(trainer)
        open_for = await booking_queries.sessions_with_attendance_to_fill(trainer, clock.now())
        lines = [
            View(
                id=each.id,
                course_title=each.title,
                form=each.form,
                state=each.state,
                starts_at=each.starts_at,
                ends_at=each.first_meeting_ends_at,
                meetings_count=each.meetings,
                place=each.place,
                seats_taken=each.seats_taken,
                seats_min=each.seats_min,
                seats_max=each.seats_max,
                decide_on=each.decide_on,
                attendance_open=each.id in open_for,
            )
            for each in await catalogue.sessions_of_trainer(trainer)
            if each.state != "draft"
        ]
        view = View(
            name=named.name,
            admitted=named.state == "admitted",
            upcoming=[line for line in lines if line.state not in PAST],
            past=[line for line in reversed(lines) if line.state in PAST],
        )
        return await page(request, "trainer.html", view)

    @get("/bijeenkomsten/{session_id:uuid}")
    async def session(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """Who comes, and who was there."""
        found = await _own_session(request, session_id, "see_roster")
        asked = an_id(request.query_params.get("bijeenkomst", ""))
        return await _session_page(request, found, asked, Form())

    @get("/bijeenkomsten/{session_id:uuid}/aanwezigheid/{meeting_id:uuid}")
    async def ask_attendance(
        self, request: HouseRequest, session_id: FromPath[UUID], meeting_id: FromPath[UUID]
    ) -> Response[None]:
        """The form's own address, opened again: back to where it is filled in."""
        found = await _own_session(request, session_id, "mark_attendance")
        return moved(f"/trainer/bijeenkomsten/{found.id}?bijeenkomst={meeting_id}")

    @post("/bijeenkomsten/{session_id:uuid}/aanwezigheid/{meeting_id:uuid}")
    async def attendance(
        self, request: HouseRequest, session_id: FromPath[UUID], meeting_id: FromPath[UUID]
    ) -> Response[str] | Response[None]:
        """Record who was there; after the last meeting the session is finished and paid."""
        found = await _own_session(request, session_id, "mark_attendance")
        at = _place_of(found, meeting_id)
        form = await filled_in(request)
        roster = [each for each in await booking_queries.roster(session_id) if each.attendance[at] in EXPECTED]
        errors = {
            f"was_there-{each.person}": f"Vul in of {each.name} er was."
            for each in roster
            if form.value(f"was_there-{each.person}") not in ("present", "absent")
        }
        if not errors:
            absent = [each.person for each in roster if form.value(f"was_there-{each.person}") == "absent"]
            try:
                await bookings.record_attendance(meeting_id, absent, actor=request.actor.login)
                return await _after_attendance(request, found)
            except (MeetingNotOver, CountsOnce) as refusal:
                errors = {f"was_there-{each.person}": str(refusal) for each in roster[:1]}
        return await _session_page(request, found, meeting_id, with_errors(form, errors), status=422)


async def _after_attendance(request: HouseRequest, found: SessionDetail) -> Response[None]:
    address = f"/trainer/bijeenkomsten/{found.id}"
    if found.state == "done":  # the form was sent twice
        return moved(address, "afgerond")
    over = await finish_if_over(found.id, request.actor.login)
    return moved(address, "afgerond" if over else "aanwezigheid")


async def finish_if_over(session: UUID, login: UUID) -> bool:
    """Close and pay a session when its last meeting is over and everybody's attendance is known; whether it was."""
    try:
        await bookings.finish_session(session, actor=login)
    except (MeetingNotOver, AttendanceMissing):
        return False
    return True


def _place_of(found: SessionDetail, meeting_id: UUID) -> int:
    """Which of its meetings that is, from 0.

    Raises:
        NotFound: none of them.
    """
    for at, (meeting, _, _) in enumerate(found.meetings):
        if meeting == meeting_id:
            return at
    raise NotFound


def _trainer(request: HouseRequest) -> UUID:
    own = sorted(request.actor.scopes("trainer"), key=str)
    if not own:
        raise NotFound
    require(request.user, "see_own_sessions", trainer=own[0])
    return own[0]


async def _own_session(request: HouseRequest, session_id: UUID, verb: str) -> SessionDetail:
    _trainer(request)
    found = await catalogue.session_detail(session_id)
    require(request.user, verb, trainer=found.trainer)
    return found


async def _session_page(
    request: HouseRequest, found: SessionDetail, asked: UUID | None, form: Form, *, status: int = 200
) -> Response[str]:
    roster = await booking_queries.roster(found.id)
    await record_audit(request.actor.login, "roster_seen", "course_session", found.id)
    rows = [
        View(
            id=meeting,
            number=number,
            starts_at=starts_at,
            ends_at=ends_at,
            open=ends_at < clock.now()
            and found.state in ("confirmed", "running")
            and any(each.attendance[number - 1] in EXPECTED for each in roster),
            may_cancel=len(found.meetings) > 1
            and found.state in CANCELLABLE
            and all(each.attendance[number - 1] != "present" for each in roster),
            attendance={each.person: each.attendance[number - 1] for each in roster},
        )
        for number, (meeting, starts_at, ends_at) in enumerate(found.meetings, 1)
    ]
    chosen = next((row for row in rows if row.id == asked and row.open), None)
    if chosen is not None and not form.values:
        form = Form(values={f"was_there-{p}": s for p, s in chosen.attendance.items() if s in ("present", "absent")})
    view = View(
        id=found.id,
        course_title=found.course.title,
        state=found.state,
        starts_at=found.starts_at,
        ends_at=rows[0].ends_at if rows else found.ends_at,
        place=found.venue.place if found.venue else None,
        venue=venue_name(found.venue.name, found.venue.place) if found.venue else None,
        seats_taken=found.seats_taken,
        seats_min=found.seats_min,
        seats_max=found.seats_max,
        participants=_participants(roster),
        cancelled_meetings=[View(starts_at=start, ends_at=end) for start, end in found.cancelled_meetings],
        may_cancel=found.state in ("conditional", "confirmed"),
        expected=EXPECTED,
        childcare=[View(age_band=band, children=taken) for band, (_, taken) in found.childcare.items() if taken],
        meetings=rows,
        meeting=chosen,
    )
    return await page(request, "trainer_bijeenkomst.html", view, form=form, status=status)


def _participants(roster: Sequence[booking_queries.Participant]) -> list[View]:
    return [View(person_id=each.person, name=each.name, email=each.email, guest=each.guest) for each in roster]
