"""A family that misses a meeting comes to the same one of another group."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import elearning, meetings
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.elearning import ElearningOrder
from leerbudget.bookings.errors import BookingUnknown, CatchUpUnknown
from leerbudget.bookings.meetings import CatchUpOrder
from leerbudget.bookings.own_meetings import Elsewhere, OwnMeeting, meetings_of
from leerbudget.bookings.queries import BookingView
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, many, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError

ALONE = "elearning"
"""What the form says instead of another group's meeting."""


class CatchingUpPages(Controller):
    """A family's own booking, one meeting of it in another group."""

    path = "/inschrijvingen/{booking_id:uuid}/inhalen"
    include_in_schema = False

    @get("/")
    async def choose(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str]:
        """The meetings of the own group; with one chosen, where it can be caught up, the nearest first."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        return await _page(request, found, family, an_id(request.query_params.get("keer", "")), Form())

    @post("/")
    async def catch_up(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Come to the other group once; pressed twice it has one effect."""
        family = own_family(request, "cancel_booking")
        found = await _own(booking_id, family)
        form = await filled_in(request)
        missed, there = an_id(form.value("missed")), an_id(form.value("meeting"))
        alone = form.value("meeting") == ALONE
        persons = [an_id(value) for value in many(form, "persons")]
        errors = {}
        if there is None and not alone:
            errors["meeting"] = "Kies een datum."
        if not persons or None in persons:
            errors["persons"] = "Kies wie er komt."
        if missed is not None and not errors:
            who = tuple(person for person in persons if person is not None)
            try:
                if there is None:
                    alone_order = ElearningOrder(booking_id, missed, who)
                    await again(lambda: elearning.learn(alone_order, actor=request.actor.login))
                    return moved(f"/inschrijvingen/{booking_id}/inhalen", "leert-zelf")
                order = CatchUpOrder(booking_id, missed, there, who)
                await again(lambda: meetings.catch_up(order, actor=request.actor.login))
                return moved("/inschrijvingen", "haalt-in")
            except LeerbudgetError as refusal:
                if refusal.status >= 500:
                    raise
                errors["meeting"] = str(refusal)
        return await _page(request, found, family, missed, with_errors(form, errors), status=422)

    @post("/niet")
    async def drop(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[None]:
        """Not catch up after all."""
        await _own(booking_id, own_family(request, "cancel_booking"))
        missed = an_id((await filled_in(request)).value("missed"))
        if missed is None:
            raise CatchUpUnknown
        await again(lambda: meetings.drop_catch_up(booking_id, missed, actor=request.actor.login))
        return moved("/inschrijvingen", "haalt-niet-in")


async def _own(booking_id: UUID, family: UUID) -> BookingView:
    found = await bookings.booking(booking_id, family)
    if found is None:
        raise BookingUnknown
    return found


async def _page(
    request: HouseRequest, found: BookingView, family: UUID, missed: UUID | None, form: Form, *, status: int = 200
) -> Response[str]:
    traveller = await sessions.traveller_of(family)
    own = await meetings_of(found.booking, family)
    chosen = next(
        (each for each in own if each.meeting == missed and (each.options or each.may_learn) and each.may_miss), None
    )
    if chosen is not None and not form.values:
        form = Form(values={"persons": [str(each.person) for each in chosen.may_miss]})
    view = View(
        booking_id=found.booking,
        course_title=found.title,
        meetings=[_meeting(each, traveller) for each in own],
        chosen=_meeting(chosen, traveller) if chosen else None,
    )
    return await page(request, "inhalen.html", view, form=form, status=status)


def _meeting(each: OwnMeeting, traveller: sessions.Traveller) -> View:
    states = {person.state for person in each.persons}
    options = sorted((_there(option, traveller) for option in each.options), key=lambda o: o.travel_minutes or 0)
    return View(
        id=each.meeting,
        number=each.number,
        starts_at=each.starts_at,
        ends_at=each.ends_at,
        persons=[View(id=person.person, name=person.name, state=person.state) for person in each.persons],
        may_miss=[(str(person.person), person.name) for person in each.may_miss],
        there=_there(each.caught_up, traveller) if each.caught_up else None,
        may_drop=(each.caught_up is not None and not each.caught_up_over) or "elearning" in states,
        called_off=each.called_off,
        unit=each.unit,
        learns=any(state.startswith("elearning") for state in states),
        learnt="elearning" not in states,
        may_learn=each.may_learn and bool(each.may_miss),
        options=options if each.may_miss else [],
    )


def _there(each: Elsewhere, traveller: sessions.Traveller) -> View:
    minutes, mode = traveller.to(each.postcode4)
    return View(
        id=each.meeting,
        starts_at=each.starts_at,
        ends_at=each.ends_at,
        place=each.place,
        travel_minutes=minutes,
        travel_mode=mode,
    )
