"""Sessions with seats by party, for the coordinator: who is missing, and seats for people without a family."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import dialogues, seating
from leerbudget.bookings.dialogues import DialogueView
from leerbudget.bookings.errors import BookingUnknown, NotCancellable, NotWaiting, WaitingUnknown
from leerbudget.bookings.seating import SeatOrder
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require

OPEN = ("conditional", "confirmed")
FULL = "Voor deze partij is geen plaats vrij. U kunt deze persoon op de wachtlijst zetten."
WHY = {
    "party_full": FULL,
    "session_full": FULL,
    "kept_for_waiting": "Deze plaats is voor wie al op de wachtlijst staat. Kijk over een paar minuten nog eens.",
    "already_booked": "Deze persoon heeft hier al een plaats.",
    "already_in_course": "Deze persoon heeft hier al een plaats.",
    "already_waiting": "Deze persoon staat al op een wachtlijst voor deze cursus.",
    "meetings_overlap": "Deze persoon heeft op dat moment al een andere bijeenkomst.",
    "not_together": "Deze persoon past niet bij de groep die er al is.",
    "not_bookable": "Voor deze bijeenkomst kan nu niemand een plaats krijgen.",
}
"""A refusal's code → how a coordinator hears it: it is about somebody else."""


class DialoguePages(Controller):
    """For the coordinator: numbers of families, names of others only."""

    path = "/gesprekken"
    include_in_schema = False

    @get("/")
    async def all_dialogues(self, request: HouseRequest) -> Response[str]:
        """What is to come, by party."""
        require(request.user, "see_dialogues")
        return await page(
            request, "gesprekken.html", View(dialogues=[_shown(each) for each in await dialogues.to_come()])
        )

    @get("/{session_id:uuid}")
    async def one(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """One session: its composition, who sits and waits there, and the form for a seat."""
        require(request.user, "see_dialogues")
        return await _dialogue_page(request, session_id, Form(values={"seat_id": str(new_id())}))

    @post("/{session_id:uuid}/plaatsen")
    async def give(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """A seat, or a place in line. The id made with the page makes a second press harmless."""
        require(request.user, "give_seats")
        form = await filled_in(request)
        seat, waits = an_id(form.value("seat_id")), form.value("doe") == "wachtlijst"
        if seat is None or not form.value("who"):
            wrong = "Vul een e-mailadres of kenmerk in." if seat else "Deze pagina was verlopen. Vul haar opnieuw in."
            again_form = Form(
                values={"seat_id": str(seat or new_id()), "who": form.value("who")}, errors={"who": wrong}
            )
            return await _dialogue_page(request, session_id, again_form, status=422)
        verb = seating.wait if waits else seating.give
        try:
            order = SeatOrder(seat, session_id, await seating.guest(form.value("who")))
            await again(lambda: verb(order, actor=request.actor.login))
        except LeerbudgetError as refusal:
            if refusal.status >= 500 or isinstance(refusal, SessionUnknown):
                raise
            wrong = WHY.get(refusal.code, str(refusal))
            return await _dialogue_page(request, session_id, with_errors(form, {"who": wrong}), status=refusal.status)
        return moved(f"/gesprekken/{session_id}", "in-de-rij" if waits else "plaats-gegeven")

    @post("/{session_id:uuid}/terugnemen")
    async def take_back(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[None]:
        """The seat is free again; a second press finds it so."""
        require(request.user, "give_seats")
        booking = an_id((await filled_in(request)).value("booking"))
        if booking is None or await dialogues.seat_state(booking, session_id) is None:
            raise BookingUnknown
        try:
            await again(lambda: seating.take_back(booking, actor=request.actor.login))
        except NotCancellable:
            return moved(f"/gesprekken/{session_id}")
        return moved(f"/gesprekken/{session_id}", "plaats-terug")

    @post("/{session_id:uuid}/van-de-lijst")
    async def leave(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[None]:
        """Off the line; a second press finds it so."""
        require(request.user, "give_seats")
        entry = an_id((await filled_in(request)).value("entry"))
        if entry is None or await dialogues.waiting_state(entry, session_id) is None:
            raise WaitingUnknown
        try:
            await again(lambda: seating.leave(entry, actor=request.actor.login))
        except NotWaiting:
            return moved(f"/gesprekken/{session_id}")
        return moved(f"/gesprekken/{session_id}", "uit-de-rij")


async def _dialogue_page(request: HouseRequest, session_id: UUID, form: Form, *, status: int = 200) -> Response[str]:
    found = await dialogues.dialogue(session_id)
    if found is None:
        raise SessionUnknown
    await record_audit(request.actor.login, "dialogue_seen", "course_session", session_id)
    seated = await dialogues.seated(session_id)
    asked = an_id(request.query_params.get("terug", ""))
    view = _shown(found)
    view.seated = seated
    view.in_line = await dialogues.in_line(session_id)
    view.taking_back = next((each for each in seated if each.booking == asked), None) if view.open else None
    return await page(request, "gesprek.html", view, form=form, status=status)


def _shown(found: DialogueView) -> View:
    return View(
        id=found.session,
        course_title=found.title,
        form=found.form,
        state=found.state,
        open=found.state in OPEN,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        place=found.place,
        seats_taken=found.seats_taken,
        seats_min=found.seats_min,
        seats_max=found.seats_max,
        spread_max=found.spread_max,
        parties=found.parties,
        missing=found.missing,
    )
