"""Who makes out invoices, for whom, and on which day. Everybody here is fictional (fictief)."""

import world
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import queries as catalogue_queries
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.ids import new_id
from leerbudget.papers.actions import TreatmentOrder, agree_self_billing, issue_invoices, set_treatment
from leerbudget.papers.rules import EXAMPLE, Party
from payments.settling_world import on

SUPPLIER = Party(
    "Atelier Trainer (fictief)", "Dorpsstraat 1", "1234 AB", "Voorbeeldstad", "kvk", "12345678", "NL123456782B90"
)
PAYER = Party("Gemeente Voorbeeld (fictief)", "Plein 1", "1234 AB", "Voorbeeldstad", "oin", "0" * 19 + "1")
BASIS = "artikel 11, lid 1, onderdeel o, Wet OB 1968"


async def agrees(trainer, day, supplier=SUPPLIER):
    """On a day a trainer agrees to self-billing."""
    with travelling(on(day)):
        await agree_self_billing(new_id(), trainer, supplier, actor=None)


async def issued(day, buyer=EXAMPLE):
    """Issue on a day what is due."""
    with travelling(on(day)):
        return await issue_invoices(buyer, actor=None)


async def is_exempt(course, trainer, day, *, basis=BASIS):
    """From a day on what the trainer earns with the course is exempt."""
    order = TreatmentOrder(
        new_id(), course, trainer, "exempt", "Inschrijving in het CRKBO gezien (fictief)", day, basis
    )
    await set_treatment(order, actor=None)


async def a_lesson(trainer, course, starts, *, family, late=None):
    """A session that is booked, given and paid for; `late` books too, and cancels just before. Its id."""
    with travelling(starts[0][0].replace(day=1)):
        session = await world.a_session(trainer=trainer, course=course, meetings=starts)
        await book(session, family)
        other = None if late is None else await book(session, late)
        await catalogue.decide(session, runs=True, reason=None, actor=None)
        if other is not None:
            with travelling(starts[0][0].replace(hour=1)):
                await bookings.cancel(other, actor=None)
    with travelling(starts[-1][1].replace(hour=23)):
        for meeting in (await catalogue_queries.session_detail(session)).meetings:
            await bookings.record_attendance(meeting[0], [], actor=None)
        await bookings.finish_session(session, actor=None)
    return session


async def book(session, family):
    """One parent of the family has a seat."""
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))[:1])
    return (await bookings.book(request, actor=None)).booking
