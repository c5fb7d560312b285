"""A trainer's e-learning in place of a meeting: publishing it, and saying that somebody did it."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import elearning
from leerbudget.catalogue import elearning as units
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.elearning import UnitOrder
from leerbudget.catalogue.queries import SessionDetail
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError, NotFound
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require


class ElearningPages(Controller):
    """The e-learning of one session, for its trainer: names only."""

    path = "/trainer/bijeenkomsten/{session_id:uuid}/elearning"
    include_in_schema = False

    @get("/")
    async def show(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """What stands in for which meeting, who does it, and the form for more."""
        found = await _own(request, session_id, "see_roster")
        return await _page(request, found, Form())

    @post("/")
    async def publish(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Publish; for a meeting that has e-learning already it takes its place."""
        found = await _own(request, session_id, "change_session")
        form = await filled_in(request)
        errors = _mistakes(form, {str(number) for number, *_ in _planned(found)})
        if not errors:
            number, minutes = int(form.value("number")), int(form.value("minutes"))
            order = UnitOrder(session_id, number, form.value("title"), form.value("link"), minutes)
            try:
                await again(lambda: units.publish_unit(order, actor=request.actor.login))
                return moved(f"/trainer/bijeenkomsten/{session_id}/elearning", "elearning")
            except LeerbudgetError as refusal:
                if refusal.status >= 500:
                    raise
                errors = {"link": str(refusal)}
        return await _page(request, found, with_errors(form, errors), status=422)

    @post("/gedaan")
    async def done(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[None]:
        """Somebody did it; a second press finds it so."""
        await _own(request, session_id, "mark_attendance")
        form = await filled_in(request)
        booking, person = an_id(form.value("booking")), an_id(form.value("person"))
        if booking is None or person is None:
            raise NotFound
        await again(lambda: elearning.say_done(session_id, booking, person, actor=request.actor.login))
        return moved(f"/trainer/bijeenkomsten/{session_id}/elearning", "elearning-gedaan")

    @get("/gedaan")
    async def back(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[None]:
        """The form's own address, opened again."""
        await _own(request, session_id, "see_roster")
        return moved(f"/trainer/bijeenkomsten/{session_id}/elearning")


def _mistakes(form: Form, numbers: set[str]) -> dict[str, str]:
    minutes = form.value("minutes")
    right = {
        "number": (form.value("number") in numbers, "Kies een keer."),
        "title": (0 < len(form.value("title")) <= 200, "Vul in hoe de e-learning heet."),
        "link": (form.value("link").startswith("https://"), "Vul een link in die begint met https://."),
        "minutes": (
            minutes.isascii() and minutes.isdigit() and 5 <= int(minutes[:4]) <= 480,
            "Kies 5 tot 480 minuten.",
        ),
    }
    return {name: sentence for name, (fits, sentence) in right.items() if not fits}


def _planned(found: SessionDetail) -> list[tuple[int, object, object, bool]]:
    """Number, begin, end and whether it was called off, of every meeting that was planned."""
    moments = [(start, end, False) for _, start, end in found.meetings]
    moments += [(start, end, True) for start, end in found.cancelled_meetings]
    return [(number, *moment) for number, moment in enumerate(sorted(moments), 1)]


async def _own(request: HouseRequest, session_id: UUID, verb: str) -> SessionDetail:
    found = await catalogue.session_detail(session_id)
    require(request.user, verb, trainer=found.trainer)
    return found


async def _page(request: HouseRequest, found: SessionDetail, form: Form, *, status: int = 200) -> Response[str]:
    await record_audit(request.actor.login, "roster_seen", "course_session", found.id)
    own = {each.number: each for each in await elearning.units_of(found.id)}
    learners = await elearning.learners(found.id)
    rows = [
        View(
            number=number,
            starts_at=starts_at,
            ends_at=ends_at,
            called_off=called_off,
            unit=own.get(number),
            learners=[each for each in learners if each.number == number],
        )
        for number, starts_at, ends_at, called_off in _planned(found)
    ]
    view = View(id=found.id, course_title=found.course.title, meetings=rows, open=found.state in units.OPEN)
    return await page(request, "elearning.html", view, form=form, status=status)
