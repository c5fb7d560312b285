"""The waiting list: ask for a place in line, see it, and answer when there are seats."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import line, waiting
from leerbudget.bookings.errors import NotWaiting, OfferLapsed, WaitingUnknown
from leerbudget.bookings.line import WaitingView
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.enrolling import asked, choices, refused
from leerbudget.entrypoints.web.pages import View, filled_in, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.people import queries as people


class WaitingPages(Controller):
    """Waiting for seats, without anybody's approval."""

    include_in_schema = False

    @get("/bijeenkomsten/{session_id:uuid}/wachtlijst")
    async def ask(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """Who waits, and is childcare needed?"""
        family = own_family(request, "book")
        me = [str(person.id) for person in await people.persons_of(family) if person.id == request.actor.person]
        return await _asking(request, session_id, family, Form(values={"booking_id": str(new_id()), "persons": me}))

    @post("/bijeenkomsten/{session_id:uuid}/wachtlijst")
    async def join(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """A place in line. The id made with the page makes a second press harmless."""
        family = own_family(request, "book")
        form = await filled_in(request)
        errors, order = asked(form, family, session_id)
        if order is None:
            return await _asking(request, session_id, family, with_errors(form, errors), status=422)
        wanted = WaitingOrder(order.id, family, session_id, order.persons, order.childcare)
        try:
            await again(lambda: waiting.join(wanted, actor=request.actor.login))
        except LeerbudgetError as refusal:
            if refusal.status >= 500:
                raise
            wrong = with_errors(form, refused(refusal, form))
            return await _asking(request, session_id, family, wrong, status=refusal.status)
        return moved("/inschrijvingen", "wachtlijst")

    @get("/wachtlijst/{entry_id:uuid}")
    async def show(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """The seats that are offered, with the two answers; who still waits is led to the list."""
        family = own_family(request, "see_bookings")
        found = await line.waiting(entry_id, family)
        if found is None:
            raise WaitingUnknown
        if found.state != "offered":
            return moved("/inschrijvingen")
        return await _offered(request, found, family)

    @post("/wachtlijst/{entry_id:uuid}/aannemen")
    async def accept(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[None]:
        """Yes, we come. A second press finds it accepted."""
        await self._own(request, entry_id)
        try:
            booking = await again(lambda: waiting.accept(entry_id, actor=request.actor.login))
        except OfferLapsed:
            return moved("/inschrijvingen", "te-laat")
        return moved(f"/inschrijvingen/{booking}", "ingeschreven")

    @post("/wachtlijst/{entry_id:uuid}/afwijzen")
    async def decline(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[None]:
        """No; the family waits on for another date."""
        await self._own(request, entry_id)
        try:
            await again(lambda: waiting.decline(entry_id, actor=request.actor.login))
        except OfferLapsed:
            return moved("/inschrijvingen", "te-laat")
        return moved("/inschrijvingen", "wacht-verder")

    @post("/wachtlijst/{entry_id:uuid}/verlaten")
    async def leave(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[None]:
        """Wait no longer."""
        await self._own(request, entry_id)
        try:
            await again(lambda: waiting.leave(entry_id, actor=request.actor.login))
        except NotWaiting:
            return moved("/inschrijvingen")
        return moved("/inschrijvingen", "wachtlijst-af")

    async def _own(self, request: HouseRequest, entry_id: UUID) -> None:
        """The place is the family's own; one that is over leads to the same pages as before."""
        family = own_family(request, "book")
        if await line.place(entry_id, family) is None:
            raise WaitingUnknown


async def _asking(
    request: HouseRequest, session_id: UUID, family: UUID, form: Form, *, status: int = 200
) -> Response[str]:
    session = await catalogue.session_detail(session_id)
    view = View(
        action=f"/bijeenkomsten/{session_id}/wachtlijst",
        session=sessions.card(session, await sessions.traveller_of(family)),
        persons=await choices(session, await people.persons_of(family), request.actor.person),
        childcare_bands=list(session.childcare),
    )
    return await page(request, "wachtlijst.html", view, form=form, status=status)


async def _offered(request: HouseRequest, found: WaitingView, family: UUID) -> Response[str]:
    session = await catalogue.session_detail(found.session)
    view = View(
        id=found.entry,
        persons=list(found.persons),
        price_cents=found.price_cents,
        answer_until=found.offered_until,
        session=sessions.card(session, await sessions.traveller_of(family)),
        meetings=sessions.meetings(session),
        cancel_until=sessions.cancel_until(session),
    )
    return await page(request, "wachtplek.html", view)
