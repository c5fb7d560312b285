"""A parent's overview, bookings and learning budget."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath

from leerbudget.bookings import line
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.line import WaitingView
from leerbudget.bookings.queries import BookingView
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.earmarks import spendable_cents
from leerbudget.budgets.queries import BudgetView
from leerbudget.budgets.statements import statement
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.queries import SearchQuery
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.earmarks import for_what, kind_of
from leerbudget.entrypoints.web.pages import View, own_family, page, paged
from leerbudget.entrypoints.web.statements import movement, statement_view
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.errors import NotFound
from leerbudget.people import queries as people
from leerbudget.rounds import queries as rounds
from leerbudget.wishes import queries as wishes

TRANSFERS_ON_PAGE = 25
PASSED_OVER_SHOWN = 3
UPCOMING = ("offered", "confirmed")


class ParentPages(Controller):
    """What is a parent's own."""

    include_in_schema = False

    @get("/mijn")
    async def overview(self, request: HouseRequest) -> Response[str]:
        """The next step first: open proposals, the next course, the money, the wishes."""
        family = own_family(request, "see_family")
        traveller = await sessions.traveller_of(family)
        persons = await people.persons_of(family)
        me = next((person.name for person in persons if person.id == request.actor.person), "")
        offers = [each for each in await rounds.proposals_of(family) if each.state == "offered"]
        upcoming = [each for each in await bookings.bookings_of(family) if _coming(each)]
        coming = [each for each in upcoming if each.state == "confirmed"]
        own = await budgets.budgets_of(family)
        weeks = await wishes.weeks_of(person.id for person in persons)
        view = View(
            display_name=me,
            proposals=[await _proposal_line(each, traveller) for each in offers],
            to_pay=[
                View(
                    id=each.booking,
                    course_title=each.title,
                    own_cents=each.own_cents,
                    answer_until=each.offered_until,
                )
                for each in upcoming
                if each.state == "offered" and each.own_cents
            ],
            seats=[
                View(id=each.entry, course_title=each.title, answer_until=each.offered_until)
                for each in await line.waiting_of(family)
                if each.state == "offered"
            ],
            next_booking=await _booking_line(coming[0], traveller) if coming else None,
            balance=balance(own),
            buys_count=await _buys(family, traveller, own),
            wishes=[
                View(id=wish.id, theme=wish.theme, state=wish.state, urgent=wish.urgent)
                for wish in await wishes.wishes_of(family)
                if wish.state != "fulfilled"
            ],
            availability_known=all(person.id in weeks for person in persons),
        )
        return await page(request, "mijn.html", view)

    @get("/inschrijvingen")
    async def mine(self, request: HouseRequest) -> Response[str]:
        """Upcoming and past bookings."""
        family = own_family(request, "see_bookings")
        found = await bookings.bookings_of(family)
        offers = {each.booking: each.proposal for each in await rounds.proposals_of(family)}
        waits = await line.waiting_of(family)
        seats = {each.booking: each.entry for each in waits}
        lines = [(each, _booking_item(each, offers.get(each.booking), seats.get(each.booking))) for each in found]
        view = View(
            waiting=[_waiting_item(each) for each in waits if each.state == "waiting"],
            upcoming=[line for each, line in lines if _coming(each)],
            past=[line for each, line in reversed(lines) if not _coming(each)],
        )
        return await page(request, "inschrijvingen.html", view)

    @get("/budget")
    async def budget(self, request: HouseRequest) -> Response[str]:
        """What there is, where it came from, where it went."""
        family = own_family(request, "see_budget")
        own = await budgets.budgets_of(family)
        names = {each.id: sessions.budget_name(each) for each in own}
        titles = {each.booking: each.title for each in await bookings.bookings_of(family)}
        lines = [movement(each, names, titles) for each in reversed(await budgets.mutations(family))]
        shown, number, last = paged(lines, request.query_params.get("pagina", ""), TRANSFERS_ON_PAGE)
        view = View(
            total=balance(own),
            buys_count=await _buys(family, await sessions.traveller_of(family), own),
            budgets=[_budget_line(each) for each in own],
            transfers=shown,
            page=number,
            last_page=last,
        )
        return await page(request, "budget.html", view)

    @get("/budget/{budget_id:uuid}")
    async def statement(self, request: HouseRequest, budget_id: FromPath[UUID]) -> Response[str]:
        """One budget: every movement with its reason, and sums that tie out."""
        family = own_family(request, "see_budget")
        own = next((each for each in await budgets.budgets_of(family) if each.id == budget_id), None)
        if own is None:
            raise NotFound
        titles = {each.booking: each.title for each in await bookings.bookings_of(family)}
        told = statement(each for each in await budgets.mutations(family) if each.budget == budget_id)
        return await page(request, "budget_afschrift.html", statement_view(_budget_line(own), told, titles))


def balance(own: Sequence[BudgetView]) -> View:
    """All running budgets of a family together."""
    active = [each for each in own if each.state == "active"]
    first = min((each for each in active if each.free_cents), key=lambda each: each.expires_on, default=None)
    return View(
        granted_cents=sum(each.granted_cents + each.carried_in_cents - each.returned_cents for each in active),
        spent_cents=sum(each.spent_cents for each in active),
        held_cents=sum(each.held_cents for each in active),
        available_cents=sum(each.free_cents for each in active),
        expires_on=first.expires_on if first else None,
        expires_cents=first.free_cents if first else 0,
    )


async def _buys(family: UUID, traveller: sessions.Traveller, own: Sequence[BudgetView]) -> int:
    """Course sessions within reach that one person could pay from the free budgets, earmarks and periods included."""
    free = sum(each.free_cents for each in own if each.state == "active")
    query = SearchQuery(
        family=family,
        postcode4=traveller.postcode4,
        travel_minutes_max=traveller.modes or {},
        price_cents_max=free,
        limit=2_000,
    )
    cards = (await catalogue.search(query)).cards
    return sum(each.price_cents <= spendable_cents(own, sessions.spending(each)) for each in cards)


def _coming(booking: BookingView) -> bool:
    return booking.state in UPCOMING and booking.ends_at > clock.now()


async def _proposal_line(offer: rounds.ProposalView, traveller: sessions.Traveller) -> View:
    line = sessions.card(await catalogue.session_detail(offer.session), traveller)
    line.id, line.answer_until = offer.proposal, offer.answer_until
    return line


async def _booking_line(booking: BookingView, traveller: sessions.Traveller) -> View:
    line = sessions.card(await catalogue.session_detail(booking.session), traveller)
    line.id, line.session_id = booking.booking, booking.session
    return line


def _waiting_item(place: WaitingView) -> View:
    told = LABELS["passed_over"]
    return View(
        id=place.entry,
        session_id=place.session,
        course_title=place.title,
        names=list(place.persons),
        position=place.position,
        planned=place.planned,
        passed_over=[
            View(starts_at=each.starts_at, place=each.place, why=told.get(each.refused, "dat ging toen niet"))
            for each in place.passed_over[:PASSED_OVER_SHOWN]
        ],
    )


def _booking_item(booking: BookingView, proposal: UUID | None, waiting: UUID | None) -> View:
    return View(
        id=booking.booking,
        session_id=booking.session,
        course_title=booking.title,
        state=booking.state,
        session_state=booking.session_state,
        starts_at=booking.starts_at,
        ends_at=booking.first_meeting_ends_at,
        meetings_count=booking.meetings,
        place=booking.place,
        names=list(booking.persons),
        price_cents=booking.price_cents,
        may_cancel=booking.state == "confirmed" and booking.starts_at > clock.now(),
        may_catch_up=_may_catch_up(booking),
        catches_up_at=booking.catches_up_at,
        elearning=booking.elearning,
        cancelled_meetings=list(booking.cancelled_meetings) if booking.state in (*UPCOMING, "attended") else [],
        moved=booking.moved_to is not None,
        fee_cents=booking.fee_cents,
        fee_returned_cents=booking.fee_returned_cents,
        proposal_id=proposal if booking.state == "offered" else None,
        waiting_id=waiting if booking.state == "offered" else None,
        answer_until=booking.offered_until,
        to_pay_cents=booking.own_cents if booking.state == "offered" else 0,
    )


def _may_catch_up(booking: BookingView) -> bool:
    """Whether there can be something to catch up: a course of several meetings that goes on, or one that was missed."""
    going = booking.state == "confirmed" and booking.session_state in ("confirmed", "running")
    return booking.elearning or (
        booking.meetings + len(booking.cancelled_meetings) > 1
        and (going or (booking.state == "attended" and (booking.missed or bool(booking.cancelled_meetings))))
    )


def _budget_line(budget: BudgetView) -> View:
    return View(
        id=budget.id,
        name=kind_of(budget).capitalize(),
        organisation=budget.organisation_name,
        state=budget.state,
        granted_cents=budget.granted_cents + budget.carried_in_cents,
        spent_cents=budget.spent_cents,
        held_cents=budget.held_cents,
        available_cents=budget.free_cents,
        starts_on=budget.starts_on,
        expires_on=budget.expires_on,
        for_what=for_what(budget),
        for_all_what=for_what(budget, most=len(budget.municipalities or ())),
    )
