"""A trainer calls off one meeting, or the whole course: what follows is shown first."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import actions, meetings
from leerbudget.bookings import queries as bookings
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.meetings import REASON_LENGTH
from leerbudget.catalogue.queries import SessionDetail
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.trainers import finish_if_over
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError, NotFound
from leerbudget.identity.permissions import require


class CallingOffPages(Controller):
    """For the session's own trainer."""

    path = "/trainer/bijeenkomsten/{session_id:uuid}/afgelasten"
    include_in_schema = False

    @get("/")
    async def ask(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """What calling it off does."""
        found = await _own(request, session_id)
        return await _page(request, found, an_id(request.query_params.get("keer", "")), Form())

    @post("/")
    async def call_off(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Call it off; pressed twice it has one effect."""
        found = await _own(request, session_id)
        form = await filled_in(request)
        address = f"/trainer/bijeenkomsten/{found.id}"
        asked, reason = form.value("meeting"), form.value("reason")
        meeting = an_id(asked)
        if (asked and meeting not in _ids(found)) or (not asked and found.state == "cancelled"):  # it was sent twice
            return moved(address)
        if not 1 <= len(reason) <= REASON_LENGTH:
            wrong = with_errors(form, {"reason": "Schrijf kort waarom het niet doorgaat."})
            return await _page(request, found, meeting, wrong, status=422)
        login = request.actor.login
        try:
            if meeting is None:
                await again(lambda: actions.cancel_session(found.id, reason=reason, actor=login))
                return moved(address, "afgelast")
            await again(lambda: meetings.cancel_meeting(meeting, reason=reason, actor=login))
            if found.state != "conditional":
                await finish_if_over(found.id, login)
            return moved(address, "datum-afgelast")
        except LeerbudgetError as refusal:
            if refusal.status >= 500:
                raise
            return await _page(
                request, found, meeting, with_errors(form, {"reason": str(refusal)}), status=refusal.status
            )


def _ids(found: SessionDetail) -> list[UUID]:
    return [meeting for meeting, _, _ in found.meetings]


async def _own(request: HouseRequest, session_id: UUID) -> SessionDetail:
    if not request.actor.scopes("trainer"):
        raise NotFound
    found = await catalogue.session_detail(session_id)
    require(request.user, "cancel_session", trainer=found.trainer)
    return found


async def _page(
    request: HouseRequest, found: SessionDetail, meeting: UUID | None, form: Form, *, status: int = 200
) -> Response[str]:
    chosen = next((each for each in found.meetings if each[0] == meeting), None)
    if meeting is not None and chosen is None:
        raise NotFound
    _, starts_at, ends_at = chosen or found.meetings[0]
    comes = await bookings.roster(found.id)
    if chosen is not None:
        at = found.meetings.index(chosen)
        comes = [each for each in comes if each.attendance[at] in ("planned", "absent")]
    view = View(
        id=found.id,
        course_title=found.course.title,
        starts_at=starts_at,
        ends_at=ends_at,
        meeting_id=meeting,
        participants=len(comes),
        priced=found.price_cents > 0,
    )
    return await page(request, "afgelasten.html", view, form=form, status=status)
