"""Changing one's mind about a booking: cancel it, or go to another date. Both are shown first, by the real code."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import actions, moving
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.ending import Cancellation
from leerbudget.bookings.errors import BookingUnknown, EmergenciesUsed, FeeChanged, PriceChanged
from leerbudget.bookings.moving import Move, MoveRequest, Sister
from leerbudget.bookings.queries import BookingView
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id

LIST = "/inschrijvingen"


class ChangingPages(Controller):
    """A family's own booking, given up or moved, without anybody's approval."""

    path = "/inschrijvingen/{booking_id:uuid}"
    include_in_schema = False

    @get("/annuleren")
    async def ask_cancel(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """What cancelling now would give back, by the very code that cancels."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        if found.state in ("cancelled", "offered"):  # an offer is answered at its proposal
            return moved(LIST)
        return await _cancelling(request, found, family, Form())

    @post("/annuleren")
    async def cancel(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Cancel by the course's own rule, at the costs that were shown; free when something is the matter with a child."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        form = await filled_in(request)
        if found.state in ("cancelled", "offered"):
            return moved(LIST, "geannuleerd" if found.state == "cancelled" else None)
        shown, child = _cents(form.value("fee_shown_cents")), bool(form.value("child"))
        try:
            await again(
                lambda: actions.cancel(booking_id, actor=request.actor.login, emergency=child, fee_shown_cents=shown)
            )
        except (FeeChanged, EmergenciesUsed) as refusal:
            wrong = with_errors(form, {"confirm": str(refusal)})
            return await _cancelling(request, found, family, wrong, status=refusal.status)
        return moved(LIST, "geannuleerd")

    @get("/andere-datum")
    async def choose(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Other dates of the course; with one chosen, what moving there comes to."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        if found.state != "confirmed":
            return moved(LIST)
        to = an_id(request.query_params.get("naar", ""))
        if to is None:
            return await _dates(request, found, family, Form())
        return await _check(request, found, family, Form(values={"booking_id": str(new_id())}), to)

    @post("/andere-datum")
    async def move(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Move at the price and the costs that were shown. The id made with the page makes a second press harmless."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        form = await filled_in(request)
        key, to = an_id(form.value("booking_id")), an_id(form.value("session_id"))
        shown = [_cents(form.value(name)) for name in ("price_shown_cents", "fee_shown_cents")]
        if key is None or to is None or None in shown:
            wrong = with_errors(form, {"confirm": "Deze pagina was verlopen. Kies opnieuw."})
            return await _dates(request, found, family, wrong, status=422)
        order = MoveRequest(key, booking_id, to, *shown)
        try:
            done = await again(lambda: moving.move(order, actor=request.actor.login))
        except (FeeChanged, PriceChanged) as refusal:
            return await _check(
                request, found, family, with_errors(form, {"confirm": str(refusal)}), to, status=refusal.status
            )
        except LeerbudgetError as refusal:
            if refusal.status >= 500:
                raise
            wrong = with_errors(form, {"confirm": str(refusal)})
            return await _dates(request, found, family, wrong, status=refusal.status)
        return moved(f"{LIST}/{done.receipt.booking}", "overgestapt")


async def _own(booking_id: UUID, family: UUID) -> BookingView:
    found = await bookings.booking(booking_id, family)
    if found is None:
        raise BookingUnknown
    return found


def _cents(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _as_it_is(found: BookingView) -> dict[str, Any]:
    return {
        "booking_id": found.booking,
        "course_title": found.title,
        "starts_at": found.starts_at,
        "ends_at": found.first_meeting_ends_at,
        "names": list(found.persons),
    }


async def _cancelling(
    request: HouseRequest, found: BookingView, family: UUID, form: Form, *, status: int = 200
) -> Response[str]:
    told = await actions.cancel(found.booking, actor=request.actor.login, dry_run=True)
    names = {each.id: sessions.budget_name(each) for each in await budgets.budgets_of(family)}
    back = await budgets.refund_preview(found.booking, told.fee_cents)
    view = View(
        **_as_it_is(found),
        price_cents=told.price_cents,
        refund_cents=told.refund_cents,
        fee_cents=told.fee_cents,
        refund=[
            View(budget=sessions.payer_name(each, names), amount_cents=each.amount_cents)
            for each in back
            if each.amount_cents
        ],
        rule=_rule(told),
        when_replaced=told.free_when_replaced,
        emergencies_left=told.emergencies_left if told.fee_cents else 0,
        dates=len(await moving.sisters_of(found.booking, family)),
    )
    return await page(request, "annuleren.html", view, form=form, status=status)


def _rule(told: Cancellation) -> str:
    if told.fee_cents == 0:
        return "U annuleert op tijd: u krijgt alles terug."
    if told.refund_cents == 0:
        return "De eerste keer is dichtbij. Er komt niets meer terug."
    return "De eerste keer is dichtbij. Een deel van de prijs komt terug."


def _date(each: Sister, seats: int, traveller: sessions.Traveller) -> View:
    minutes, mode = traveller.to(each.postcode4)
    return View(
        session_id=each.session,
        starts_at=each.starts_at,
        ends_at=each.first_meeting_ends_at,
        meetings_count=each.meetings,
        place=each.place,
        travel_minutes=minutes,
        travel_mode=mode,
        price_cents=each.price_cents * seats,
        seats_free=each.seats_free,
    )


async def _dates(
    request: HouseRequest, found: BookingView, family: UUID, form: Form, *, status: int = 200
) -> Response[str]:
    traveller = await sessions.traveller_of(family)
    dates = [_date(each, len(found.persons), traveller) for each in await moving.sisters_of(found.booking, family)]
    view = View(**_as_it_is(found), at=1, dates=dates, quote=None)
    return await page(request, "andere_datum.html", view, form=form, status=status)


async def _check(
    request: HouseRequest, found: BookingView, family: UUID, form: Form, to: UUID, *, status: int = 200
) -> Response[str]:
    """What moving comes to; back to the dates with a sentence when it cannot be."""
    sister = next((each for each in await moving.sisters_of(found.booking, family) if each.session == to), None)
    try:
        come_to = await again(
            lambda: moving.preview(MoveRequest(new_id(), found.booking, to), actor=request.actor.login)
        )
    except LeerbudgetError as refusal:
        if refusal.status >= 500:
            raise
        wrong = with_errors(form, {"confirm": str(refusal)})
        return await _dates(request, found, family, wrong, status=refusal.status)
    if sister is None:  # the seats went between the two looks
        return await _dates(request, found, family, form)
    quote = await _quote(come_to, sister, family, len(found.persons))
    view = View(**_as_it_is(found), at=2, dates=[], quote=quote)
    return await page(request, "andere_datum.html", view, form=form, status=status)


async def _quote(come_to: Move, sister: Sister, family: UUID, seats: int) -> View:
    names = {each.id: sessions.budget_name(each) for each in await budgets.budgets_of(family)}
    view = _date(sister, seats, await sessions.traveller_of(family))
    view.price_cents = come_to.receipt.price_cents
    view.fee_cents = come_to.cancellation.fee_cents
    view.when_replaced = come_to.cancellation.free_when_replaced
    view.for_a_child = come_to.cancellation.emergencies_left > 0
    view.payment = [
        View(budget=sessions.payer_name(share, names), amount_cents=share.amount_cents)
        for share in come_to.receipt.shares
    ]
    return view
