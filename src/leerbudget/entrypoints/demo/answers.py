"""How the families of the demonstration answer, try, cancel and attend: by seeded chance, through the actions."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings import waiting
from leerbudget.budgets import actions as budgets
from leerbudget.budgets import queries as budget_queries
from leerbudget.catalogue import queries as catalogue_queries
from leerbudget.entrypoints.demo.events import Events
from leerbudget.foundation import clock
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.payments.settling import settle_months
from leerbudget.people import queries as people
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries

ACCEPT: Final = 0.86
DECLINE: Final = 0.08
"""The rest lets the time pass [guess; requirements section 5 has none for answers]."""

LATE_CANCEL: Final = 0.08
NO_SHOW: Final = 0.10
"""Requirements section 5: late cancel 8 %, no-show 10 % [guess there too]."""

WAITED_FOR_MAX: Final = 20
WAIT_FOR_EACH: Final = 3
"""Full sessions that families get in line for, and how many for each [guess]."""

STOP_IN_A_YEAR: Final = 0.14
ATTEMPTS_MAX: Final = 200


async def answer_offers(round_id: UUID, chance: random.Random, events: Events) -> None:
    """Families and professionals accept, decline or let an offer pass; the first family that is asked declines."""
    for offer in await round_queries.open_offers(round_id):
        draw = chance.random()
        if offer.professional or (draw < ACCEPT and events.counts["declined"]):
            await rounds.accept(offer.proposal, seeker=offer.seeker, actor=None)
            events.counts["accepted"] += 1
        elif draw < ACCEPT + DECLINE:
            reason = chance.choice((None, *rounds.DECLINE_REASONS))
            await rounds.decline(offer.proposal, seeker=offer.seeker, reason=reason, actor=None)
            events.counts["declined"] += 1


async def try_to_book(kind: str, family: UUID, session: UUID, events: Events) -> str | None:
    """One parent tries to book directly; the refusal's code, or None when it succeeded."""
    parent = (await people.persons_of(family))[0]
    request = bookings.BookingRequest(id=new_id(), family=family, session=session, persons=(parent.id,))
    try:
        await bookings.book(request, actor=None)
    except LeerbudgetError as refusal:
        if refusal.code == kind:
            events.refusals[kind] += 1
        return refusal.code
    events.counts["booked directly"] += 1
    return None


async def try_a_full_session(families: Sequence[UUID], events: Events) -> None:
    """Somebody wants a seat in a session that is full."""
    for session in (await booking_queries.full_sessions())[:ATTEMPTS_MAX]:
        for family in families[:5]:
            if await try_to_book("session_full", family, session, events) == "session_full":
                return


async def take_the_last_seats(families: Sequence[UUID], events: Events) -> None:
    """In a small world no session is full by itself: families book the last seats of one, until somebody is too late."""
    today = clock.today()
    bookable = await catalogue_queries.sessions_for_matching(today, today + timedelta(days=365))
    open_to_all = [session for session in bookable if not session.parties]
    for session in sorted(open_to_all, key=lambda each: (each.seats_max - each.seats_taken, each.id)):
        for family in families[:ATTEMPTS_MAX]:
            if await try_to_book("session_full", family, session.id, events) == "session_full":
                return


async def wait_for_full_sessions(families: Sequence[UUID], chance: random.Random, events: Events) -> None:
    """Some families get in line for a session that is full."""
    for session in (await booking_queries.full_sessions())[:WAITED_FOR_MAX]:
        for family in chance.sample(families, min(WAIT_FOR_EACH, len(families))):
            parent = (await people.persons_of(family))[0]
            try:
                await waiting.join(waiting.WaitingOrder(new_id(), family, session, (parent.id,)), actor=None)
            except LeerbudgetError:  # the course is not for them
                continue
            events.counts["on a waiting list"] += 1


async def take_free_seats(events: Events) -> None:
    """Seats that became free are offered to who waits, and taken."""
    for booking in await waiting.offer_free_seats():
        await bookings.accept(booking, actor=None)
        events.counts["seats from the waiting list"] += 1


async def try_own_professional(events: Events) -> None:
    """A family wants to join a dialogue in which its own professional takes part; the refusal stays neutral."""
    for family, session in (await booking_queries.kept_apart_now())[:ATTEMPTS_MAX]:
        if await try_to_book("not_together", family, session, events) == "not_together":
            return


async def cancel_some(chance: random.Random, events: Events, *, days: int) -> None:
    """On a day, a few families cancel; over all the days together about `LATE_CANCEL` of the bookings."""
    for booking, _ in await booking_queries.cancellable():
        if chance.random() < LATE_CANCEL / days:
            await _cancel(booking, events)


async def somebody_cancels(events: Events) -> None:
    """One family cancels when nobody has yet."""
    if not events.counts["cancelled by the family"]:
        for booking, _ in (await booking_queries.cancellable())[:1]:
            await _cancel(booking, events)


async def _cancel(booking: UUID, events: Events) -> None:
    cancellation = await bookings.cancel(booking, actor=None)
    events.counts["cancelled by the family"] += 1
    events.counts["cancellation fee cents"] += cancellation.fee_cents


async def attend(chance: random.Random, events: Events) -> None:
    """Trainers record who was there at meetings that are over, and finish sessions that are done."""
    for meeting, expected in await booking_queries.meetings_to_record(clock.now()):
        absent = {person for person in expected if chance.random() < NO_SHOW}
        await bookings.record_attendance(meeting, absent, actor=None)
        events.counts["meetings held"] += 1
    for session in await booking_queries.sessions_to_finish(clock.now()):
        await bookings.finish_session(session, actor=None)
        events.counts["sessions finished"] += 1


async def stop_some(families: Sequence[UUID], chance: random.Random, events: Events, *, days: int) -> None:
    """On a day, a few families stop; their organisation takes back what is free. 14 % stop in a year (requirements 2.1)."""
    for family in families:
        if chance.random() < STOP_IN_A_YEAR * days / 365:
            for budget in await budget_queries.budgets_of(family):
                if budget.free_cents > 0:
                    await budgets.lower(
                        budget.id, budget.free_cents, lowering=new_id(), actor=None, reason="pleegzorg gestopt"
                    )
            events.counts["families that stopped"] += 1


async def one_day(chance: random.Random, events: Events, *, days: int) -> None:
    """What happens on one day: offers lapse, families cancel, sessions are decided, held and finished, months settled."""
    if not events.refusals["not_together"]:
        await try_own_professional(events)
    events.counts["expired"] += await rounds.expire_answers()
    await cancel_some(chance, events, days=days)
    await take_free_seats(events)
    going, cancelled = await bookings.decide_sessions()
    events.counts["sessions going on"] += len(going)
    events.counts["sessions cancelled"] += len(cancelled)
    await attend(chance, events)
    await settle_months(actor=None)
