"""The seats of who has no family: what is offered, what is to come, and saying yes, no or that they cannot come.

Nothing of families is on these pages, and nobody else who comes (R66, R79).
"""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import own_seats, seating
from leerbudget.bookings.errors import BookingUnknown, NotCancellable, OfferLapsed
from leerbudget.bookings.own_seats import OwnSeat
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.pages import View, filled_in, moved, own_person, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.database import again
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries
from leerbudget.rounds.actions import DECLINE_REASONS
from leerbudget.rounds.queries import ProposalView


class OwnSeatPages(Controller):
    """What is somebody's own, without a family."""

    path = "/mijn-plekken"
    include_in_schema = False

    @get("/")
    async def mine(self, request: HouseRequest) -> Response[str]:
        """Offers that wait for an answer, what is to come, and what was."""
        person = own_person(request, "see_own_seats")
        found = await own_seats.seats_of(person)
        offers = [each for each in found if each.state == "offered"]
        coming = [each for each in found if each.state == "confirmed" and each.ends_at > clock.now()]
        view = View(
            offers=offers, coming=coming, past=[each for each in reversed(found) if each not in (*offers, *coming)]
        )
        return await page(request, "mijn_plekken.html", view)

    @get("/{booking_id:uuid}")
    async def one(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str]:
        """What, where and when; the answer, or not coming after all."""
        return await _seat_page(request, booking_id, own_person(request, "see_own_seats"), Form())

    @post("/{booking_id:uuid}/aannemen")
    async def accept(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """Yes, I come. A second press finds it accepted."""
        person = own_person(request, "answer_offered_seat")
        found, proposal = await _own(booking_id, person)
        if found.state != "confirmed":
            try:
                await again(lambda: rounds.accept(_asked(proposal), seeker=person, actor=request.actor.login))
            except OfferLapsed as refusal:
                wrong = Form(errors={"reason": str(refusal)})
                return await _seat_page(request, booking_id, person, wrong, status=refusal.status)
        return moved(f"/mijn-plekken/{booking_id}", "plaats-aangenomen")

    @post("/{booking_id:uuid}/afwijzen")
    async def decline(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """No; the reason may be left out."""
        person = own_person(request, "answer_offered_seat")
        found, proposal = await _own(booking_id, person)
        form = await filled_in(request)
        reason = form.value("reason") or None
        if reason is not None and reason not in DECLINE_REASONS:
            wrong = with_errors(form, {"reason": "Kies een van de redenen, of geen."})
            return await _seat_page(request, booking_id, person, wrong, status=422)
        if found.state != "declined":
            try:
                await again(
                    lambda: rounds.decline(_asked(proposal), seeker=person, reason=reason, actor=request.actor.login)
                )
            except OfferLapsed as refusal:
                wrong = with_errors(form, {"reason": str(refusal)})
                return await _seat_page(request, booking_id, person, wrong, status=refusal.status)
        return moved("/mijn-plekken", "plaats-afgewezen")

    @post("/{booking_id:uuid}/afzeggen")
    async def give_up(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """I cannot come after all; a second press finds it so."""
        person = own_person(request, "give_up_own_seat")
        found, _ = await _own(booking_id, person)
        if found.state != "cancelled":
            try:
                await again(lambda: seating.give_up(booking_id, person, actor=request.actor.login))
            except NotCancellable as refusal:
                wrong = Form(errors={"afzeggen": str(refusal)})
                return await _seat_page(request, booking_id, person, wrong, status=refusal.status)
        return moved("/mijn-plekken", "afgezegd")


def _asked(proposal: ProposalView | None) -> UUID:
    if proposal is None:  # a coordinator gave the seat: there was nothing to answer
        raise OfferLapsed
    return proposal.proposal


async def _own(booking_id: UUID, person: UUID) -> tuple[OwnSeat, ProposalView | None]:
    found = await own_seats.seat(booking_id, person)
    if found is None:
        raise BookingUnknown
    proposals = await round_queries.proposals_of(person)
    return found, next((each for each in proposals if each.booking == booking_id), None)


async def _seat_page(
    request: HouseRequest, booking_id: UUID, person: UUID, form: Form, *, status: int = 200
) -> Response[str]:
    found, proposal = await _own(booking_id, person)
    session = await catalogue.session_detail(found.session)
    view = View(
        id=found.booking,
        state=found.state,
        session_state=found.session_state,
        answer_until=found.offered_until,
        may_give_up=found.may_give_up,
        session=sessions.card(session, sessions.Traveller()),
        meetings=sessions.meetings(session),
        reasons=[reason.sentence for reason in proposal.reasons] if proposal else [],
        decline_reasons=[(code, LABELS["decline_reason"][code]) for code in DECLINE_REASONS],
    )
    return await page(request, "mijn_plek.html", view, form=form, status=status)
