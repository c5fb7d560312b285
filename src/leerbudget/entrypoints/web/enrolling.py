"""Booking a seat in three steps: who comes, check, done. The id made at step one is the idempotency key."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings.actions import BookingReceipt, BookingRequest
from leerbudget.bookings.errors import AnotherSeatUnpaid, BookingUnknown, ChildcareMismatch, PriceChanged
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.errors import OwnShareChanged
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.errors import ChildcareFull
from leerbudget.catalogue.queries import SessionDetail
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.organisations import fresh
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, many, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form, day, listed, plural
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.matcher.day_parts import day_parts_of, mask_of, names_nl
from leerbudget.payments import asking, own_shares
from leerbudget.payments.errors import GatewayRefused
from leerbudget.people import queries as people
from leerbudget.people.queries import PersonView
from leerbudget.wishes import queries as wishes


class EnrolPages(Controller):
    """Booking by a parent, without anybody's approval (R03)."""

    include_in_schema = False

    @get("/bijeenkomsten/{session_id:uuid}/inschrijven")
    async def choose(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Who comes, and is childcare needed?"""
        family = own_family(request, "book")
        if not (await catalogue.session_detail(session_id)).bookable:
            return moved(f"/bijeenkomsten/{session_id}")  # that page says why
        persons = await people.persons_of(family)
        me = [str(person.id) for person in persons if person.id == request.actor.person]
        form = Form(values={"booking_id": str(new_id()), "persons": me})
        return await self._step(request, session_id, family, form, at=1)

    @post("/bijeenkomsten/{session_id:uuid}/inschrijven")
    async def book(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Check (what would it cost, by the real code), then confirm."""
        family = own_family(request, "book")
        form = await filled_in(request)
        errors, order = asked(form, family, session_id)
        if order is None:
            return await self._step(request, session_id, family, with_errors(form, errors), at=1, status=422)
        if form.value("back"):
            return await self._step(request, session_id, family, form, at=1)
        shown = form.value("price_shown_cents")
        try:
            if form.value("confirm") and shown.isascii() and shown.isdigit() and len(shown) < 10:
                return await _booked(request, replace(order, price_shown_cents=int(shown)), form)
            receipt = await _quoted(request, order)
        except (PriceChanged, OwnShareChanged) as refusal:
            receipt = await _quoted(request, order)
            wrong = with_errors(form, {"confirm": str(refusal)})
            return await self._step(request, session_id, family, wrong, at=2, receipt=receipt, status=refusal.status)
        except LeerbudgetError as refusal:
            if refusal.status >= 500 and not isinstance(refusal, GatewayRefused):
                raise
            wrong = with_errors(fresh(form, "booking_id"), refused(refusal, form))
            unpaid = await _unpaid(family) if isinstance(refusal, AnotherSeatUnpaid) else None
            return await self._step(request, session_id, family, wrong, at=1, status=refusal.status, unpaid=unpaid)
        return await self._step(request, session_id, family, form, at=2, receipt=receipt)

    @get("/inschrijvingen/{booking_id:uuid}")
    async def done(self, request: HouseRequest, booking_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """What now."""
        family = own_family(request, "see_bookings")
        found = await booking_queries.booking(booking_id, family)
        if found is None:
            raise BookingUnknown
        if found.state == "offered" and found.own_cents:
            return moved(f"/inschrijvingen/{booking_id}/betalen")
        if found.state not in ("confirmed", "attended", "no_show"):
            return moved("/inschrijvingen")
        session = await catalogue.session_detail(found.session)
        card = sessions.card(session, await sessions.traveller_of(family))
        view = View(
            booking_id=booking_id,
            course_title=found.title,
            state=found.state,
            starts_at=card.starts_at,
            ends_at=card.ends_at,
            place=card.place,
            venue=card.venue,
            session_state=session.state,
            decide_on=session.decide_on,
            names=list(found.persons),
            price_cents=found.price_cents - found.own_cents,
            own_cents=found.own_cents,
            available_cents=sum(b.free_cents for b in await budgets.budgets_of(family) if b.state == "active"),
            cancel_until=sessions.cancel_until(session),
        )
        return await page(request, "ingeschreven.html", view)

    async def _step(
        self,
        request: HouseRequest,
        session_id: UUID,
        family: UUID,
        form: Form,
        *,
        at: int,
        receipt: BookingReceipt | None = None,
        status: int = 200,
        unpaid: UUID | None = None,
    ) -> Response[str]:
        session = await catalogue.session_detail(session_id)
        persons = await people.persons_of(family)
        view = View(
            action=f"/bijeenkomsten/{session_id}/inschrijven",
            at=at,
            session=sessions.card(session, await sessions.traveller_of(family)),
            persons=await choices(session, persons, request.actor.person),
            childcare_bands=[band for band, (places, taken) in session.childcare.items() if places > taken],
            quote=None,
            unpaid=unpaid,
        )
        if receipt is not None:
            names = [p.name for p in persons if str(p.id) in many(form, "persons")]
            view.quote = await _quote(receipt, session, family, names, form)
        return await page(request, "inschrijven.html", view, form=form, status=status)


async def _unpaid(family: UUID) -> UUID | None:
    """The booking that the family is still to pay its share of; None when it was paid or given up meanwhile."""
    waiting = [each for each in await booking_queries.bookings_of(family) if each.state == "offered" and each.own_cents]
    return waiting[0].booking if waiting else None


async def _quoted(request: HouseRequest, order: BookingRequest) -> BookingReceipt:
    service = asking.online_if_any(request.app.state.gateways)
    return await again(lambda: own_shares.quote(order, gateway=service, actor=request.actor.login))


async def _booked(request: HouseRequest, order: BookingRequest, form: Form) -> Response[None]:
    """Book; where the family pays a part itself, to the page that says how."""
    own, service = form.value("own_shown_cents"), asking.online_if_any(request.app.state.gateways)
    if own.isascii() and own.isdigit() and len(own) < 10:
        order = replace(order, own_shown_cents=int(own))
    back = f"{request.app.state.settings.base_url}/betaald/{own_shares.payment_of(order.id)}"
    share = await again(lambda: own_shares.book(order, gateway=service, return_url=back, actor=request.actor.login))
    if share.receipt.state == "offered":
        return moved(f"/inschrijvingen/{order.id}/betalen")
    return moved(f"/inschrijvingen/{order.id}", "ingeschreven")


async def choices(session: SessionDetail, persons: Sequence[PersonView], me: UUID | None) -> list[View]:
    """The persons of a family, each with why they cannot come as far as we know."""
    why_not = await _why_not(session, [person.id for person in persons])
    return [
        View(id=p.id, name=p.name, is_me=p.id == me, free=p.id not in why_not, why_not=why_not.get(p.id))
        for p in persons
    ]


async def _why_not(session: SessionDetail, persons: Sequence[UUID]) -> dict[UUID, str]:
    """Why a person cannot come as far as we know: a sentence by person. It warns; booking itself decides."""
    moments = [(starts_at, ends_at) for _, starts_at, ends_at in session.meetings]
    found: dict[UUID, str] = {}
    touched = 0
    for starts_at, ends_at in moments:
        touched |= day_parts_of(starts_at, ends_at)
    for person, week in (await wishes.weeks_of(persons)).items():
        if missing := names_nl(touched & ~mask_of(week)):
            found[person] = f"Kan meestal niet op {listed(missing)}."
    for each in await wishes.exceptions_of(persons, after=clock.now()):
        if any(each.starts_at < ends_at and starts_at < each.ends_at for starts_at, ends_at in moments):
            found[each.person] = f"Kan niet op {day(max(each.starts_at, session.starts_at))}."
    for busy in await booking_queries.busy(persons, session.id):
        other = f"Heeft op {day(busy.starts_at)} al een andere bijeenkomst."
        found[busy.person] = "Heeft hier al een plaats." if busy.session == session.id else other
    return found


def refused(refusal: LeerbudgetError, form: Form) -> dict[str, str]:
    """The sentence of a refusal at the field it is about."""
    if isinstance(refusal, ChildcareFull | ChildcareMismatch):
        bands = refusal.data.get("bands") or [n.removeprefix("children-") for n in form.values if n[:9] == "children-"]
        return {f"children-{band}": str(refusal) for band in bands[:1]}
    return {"persons": str(refusal)}


def asked(form: Form, family: UUID, session_id: UUID) -> tuple[dict[str, str], BookingRequest | None]:
    """Who comes and how many children: what is wrong with the answers, by field, or the request."""
    errors: dict[str, str] = {}
    booking_id = an_id(form.value("booking_id"))
    persons = [an_id(text) for text in many(form, "persons")]
    if booking_id is None or None in persons:
        errors["persons"] = "Deze pagina was verlopen. Kies opnieuw."
    elif not persons:
        errors["persons"] = "Kies wie er komt."
    childcare: dict[str, int] = {}
    for name in form.values:
        if not name.startswith("children-") or not form.value(name):
            continue
        text, band = form.value(name), name.removeprefix("children-")
        if band not in LABELS["age_band"] or not (text.isascii() and text.isdigit() and len(text) <= 2):
            errors[name] = "Vul een aantal in, zoals 1."
        elif int(text):
            childcare[band] = int(text)
    if errors or booking_id is None:
        return errors, None
    return errors, BookingRequest(
        id=booking_id, family=family, session=session_id, persons=tuple(p for p in persons if p), childcare=childcare
    )


async def _quote(receipt: BookingReceipt, session: SessionDetail, family: UUID, names: list[str], form: Form) -> View:
    own = {each.id: each for each in await budgets.budgets_of(family)}
    names_of = {key: sessions.budget_name(each) for key, each in own.items()}
    children = {
        name.removeprefix("children-"): int(form.value(name))
        for name in form.values
        if name.startswith("children-") and form.value(name).isdigit() and int(form.value(name))
    }
    return View(
        names=names,
        children=[f"{plural(n, 'kind', 'kinderen')} van {LABELS['age_band'][band]}" for band, n in children.items()],
        price_cents=receipt.price_cents,
        payment=[
            View(
                budget=sessions.payer_name(share, names_of),
                amount_cents=share.amount_cents,
                after_cents=None if share.budget is None else own[share.budget].free_cents - share.amount_cents,
            )
            for share in receipt.shares
        ],
        own_cents=receipt.own_cents,
        pays_all=not receipt.own_cents and all(share.payer == "budget" for share in receipt.shares),
        cancel_until=sessions.cancel_until(session),
    )
