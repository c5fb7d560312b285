"""Seats of people without a family in a dialogue: professionals, own parents, others around a child (R44, R64).

A coordinator gives the seat and takes it back; whoever has it can give it up. It is free of charge and no family's
budget knows of it. Every guard of a booking holds: the seats of the party, who must not meet, one meeting at a time. When the party is full somebody can
wait, and the first seat of that party that becomes free is theirs.
"""

from dataclasses import dataclass
from uuid import UUID

from leerbudget.bookings import actions, own_seats, waiting
from leerbudget.bookings.actions import BookingReceipt, BookingRequest
from leerbudget.bookings.ending import Cancellation
from leerbudget.bookings.errors import (
    BookingUnknown,
    GuestNotClear,
    GuestUnknown,
    NoPartySeats,
    NotCancellable,
    WaitingUnknown,
)
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.foundation.database import execute, fetch_one, fetch_value, together
from leerbudget.identity.actions import record_audit
from leerbudget.people import queries as people


@dataclass(frozen=True, slots=True)
class SeatOrder:
    """One person without a family, for one seat in a session with seats by party. `id` is made by the caller."""

    id: UUID
    session: UUID
    person: UUID


async def guest(who: str) -> UUID:
    """The person without a family with this e-mail address or reference.

    A foster parent's address has the same answer as an unknown one: nobody can ask here who is a foster parent.

    Raises:
        GuestUnknown: there is nobody, or nobody without a family.
        GuestNotClear: several people share the address.
    """
    found = await people.without_family(who)
    if not found:
        raise GuestUnknown
    if len(found) > 1:
        raise GuestNotClear
    return found[0]


async def give(order: SeatOrder, *, actor: UUID | None) -> BookingReceipt:
    """Give a seat. The same order under the same id again has the same answer and no second effect.

    Raises:
        IdempotencyMismatch: the id was used for something else.
        SessionUnknown: there is no such session.
        GuestUnknown: there is no such person, or the person is a foster parent.
        NoPartySeats: the session has no seats for the person's party.
        LeerbudgetError: what booking refuses (`actions.book`), `KeptForWaiting` when others of the party wait.
    """
    request = BookingRequest(order.id, None, order.session, (order.person,), origin="coordinator")
    async with together():
        await execute("SELECT pg_advisory_xact_lock(hashtextextended('booking ' || $1::uuid, 0))", order.id)
        if await fetch_value("SELECT true FROM booking WHERE id = $1", order.id) is None:
            await _check(order)
            await record_audit(actor, "seat_given", "booking", order.id, {"course_session": str(order.session)})
        return await actions.book(request, actor=actor)


async def take_back(booking: UUID, *, actor: UUID | None) -> Cancellation:
    """Take a seat back, at no cost. Who waits of the same party is seated by the worker.

    Raises:
        BookingUnknown: there is no such booking, or it is a family's.
        NotCancellable: it stopped before, or the first meeting has begun.
    """
    async with together():
        if not await fetch_value("SELECT family IS NULL FROM booking WHERE id = $1", booking):
            raise BookingUnknown
        return await actions.cancel(booking, actor=actor)


async def give_up(booking: UUID, person: UUID, *, actor: UUID | None) -> Cancellation:
    """Somebody without a family says that they do not come, at no cost and without a reason.

    Raises:
        BookingUnknown: there is no such booking, or it is not this person's own.
        NotCancellable: it stopped before, it was not accepted yet, or the first meeting has begun.
    """
    async with together():
        found = await own_seats.seat(booking, person)
        if found is None:
            raise BookingUnknown
        if found.state == "offered":
            raise NotCancellable
        return await actions.cancel(booking, actor=actor)


async def wait(order: SeatOrder, *, actor: UUID | None) -> None:
    """Put somebody in line who said yes to this date: the first seat of their party that becomes free is theirs.

    Raises:
        IdempotencyMismatch: the id was used for something else.
        SessionUnknown, GuestUnknown, NoPartySeats: as in `give`.
        NotBookable: nobody can get a seat in the session any more.
        AlreadyInCourse, AlreadyWaiting: the person has a seat in it, or waits for the course already.
    """
    async with together():
        await _check(order)
        await waiting.join(WaitingOrder(order.id, None, order.session, (order.person,)), actor=actor)


async def leave(entry: UUID, *, actor: UUID | None) -> None:
    """Take somebody off the line.

    Raises:
        WaitingUnknown: there is no such place in line, or it is a family's.
        NotWaiting: it ended before.
    """
    async with together():
        if not await fetch_value("SELECT family IS NULL FROM waiting_entry WHERE id = $1", entry):
            raise WaitingUnknown
        await waiting.leave(entry, actor=actor)


_SEATS_FOR = """
SELECT p.id AS person, p.family, coalesce(sp.seats_max, 0) AS seats
FROM course_session s LEFT JOIN person p ON p.id = $2
LEFT JOIN session_party sp ON sp.session = s.id AND sp.party = p.party WHERE s.id = $1
"""


async def _check(order: SeatOrder) -> None:
    found = await fetch_one(_SEATS_FOR, order.session, order.person)
    if found is None:
        raise SessionUnknown
    if found["person"] is None or found["family"] is not None:
        raise GuestUnknown
    if not found["seats"]:
        raise NoPartySeats
