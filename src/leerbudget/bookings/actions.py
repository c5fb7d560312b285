"""The verbs of bookings: book, answer, cancel, attend, finish.

Lock order everywhere: the course session (seat), then the booking, then accounts by ascending id.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.bookings import queries, rules
from leerbudget.bookings.ending import (
    FEES,
    Cancellation,
    check_shown,
    costs,
    end,
    end_by_family,
    mark_wishes,
    return_fees,
)
from leerbudget.bookings.errors import (
    AttendanceMissing,
    BookingUnknown,
    EmergenciesUsed,
    MeetingNotOver,
    OfferLapsed,
)
from leerbudget.bookings.guests import let_in
from leerbudget.bookings.meetings import send_home
from leerbudget.bookings.telling import forget_reminder, link_of, notice_of, tell_about
from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import PaymentShare, shares_in
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue.errors import NotPublishable
from leerbudget.foundation import clock
from leerbudget.foundation.database import call, execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.errors import Busy
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.errors import NeverOverspent
from leerbudget.people.rules import separated_since
from leerbudget.wishes.rules import sources_of


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """Persons of one family, or one professional (`family` None), who want seats in one course session.

    `childcare`: children per age band. `offered_until` makes it an offer that must be answered first.
    `price_shown_cents`: what the family saw for all together; another price now is refused. None: nobody saw one.
    `own_shown_cents`: what of it the family saw that it pays itself, on top of its budgets; another share now is refused.
    None: it pays nothing itself. A seat that waits for own money is an offer until it is paid (`own_shares.pay`).
    """

    id: UUID
    family: UUID | None
    session: UUID
    persons: tuple[UUID, ...]
    wish: UUID | None = None
    childcare: Mapping[str, int] = field(default_factory=dict)
    origin: str = "direct"
    offered_until: datetime | None = None
    price_shown_cents: int | None = None
    own_shown_cents: int | None = None

    def fingerprint(self) -> bytes:
        """SHA-256 of what was asked, to tell a repeat from another request under the same id (I5)."""
        asked = (self.family, self.session, sorted(self.persons), self.wish, sorted(self.childcare.items()))
        return hashlib.sha256(msgspec.json.encode(asked)).digest()


@dataclass(frozen=True, slots=True)
class BookingReceipt:
    """What a booking came to: its state, the price for all persons together, and who holds it.

    `own_cents`: what of the price the family is still to pay itself, or paid itself.
    """

    booking: UUID
    state: str
    price_cents: int
    shares: tuple[PaymentShare, ...]
    own_cents: int = 0


async def book(request: BookingRequest, *, actor: UUID | None) -> BookingReceipt:
    """Take the seats and hold the money: both or neither.

    The same request under the same id again answers with the same receipt and changes nothing.

    Raises:
        IdempotencyMismatch: the id was used for another request.
        PersonsUnknown: persons that do not belong to the family, or none.
        WishUnknown: the wish is another family's.
        ChildcareMismatch: an impossible number of children.
        NotForThisFamily: the course is not for this kind of family.
        NotTogether: an own professional or an avoided person is in the room.
        AlreadyBooked: one of the persons is in this session already.
        MeetingsOverlap: one of the persons has another meeting at that time.
        SessionFull, PartyFull, ChildcareFull, NotBookable: from the catalogue.
        KeptForWaiting: the seats became free and others wait for them.
        PriceChanged, BudgetTooSmall: not the price that was shown, or the family's budgets cannot pay it.
        OwnShareChanged: the family would pay another share itself than was shown.
        EarmarkExcludes: they could, but too much of it is meant for something else.
        WishStepNotAllowed: the wish is not open any more.
        Busy: a correction took money away at this very moment; try again.
    """
    offered = request.offered_until is not None
    notice = (
        None if request.own_shown_cents else notice_of(request.origin, offered=offered, guest=request.family is None)
    )
    wish_to = "proposed" if offered else "booked"
    at = clock.now()
    today = at.astimezone(clock.AMSTERDAM).date()  # one reading of the clock: it may be midnight
    if request.family is None:
        await let_in(request.persons)
    try:
        row = await call(
            _BOOK,
            *(request.id, request.fingerprint(), request.family, request.session, list(request.persons), request.wish),
            *(json.dumps(dict(request.childcare)), request.origin, request.offered_until, request.price_shown_cents),
            *(request.own_shown_cents, notice, link_of(notice or ""), wish_to, sources_of(wish_to)),
            *(separated_since(today), today, at, actor),
        )
    except NeverOverspent as refusal:  # a correction took the money between reading and writing
        raise Busy(reason="money_moved") from refusal
    shares = shares_in(row["shares"])
    return BookingReceipt(request.id, row["state"], row["price_cents"], shares, row["own_cents"])


_BOOK = """
SELECT b.state, b.price_cents, b.own_cents, b.shares
FROM rooms.book($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) b
"""


class _Undo(Exception):
    def __init__(self, receipt: BookingReceipt) -> None:
        super().__init__()
        self.receipt = receipt


async def quote(request: BookingRequest, *, actor: UUID | None) -> BookingReceipt:
    """What `book` would come to now, by the real code, with nothing kept (`_Undo` ends its transaction).

    Raises:
        LeerbudgetError: exactly what `book` would raise.
    """
    try:
        async with together():
            raise _Undo(await book(request, actor=actor))  # noqa: TRY301 - leaving is what undoes it
    except _Undo as undone:
        return undone.receipt


async def accept(booking: UUID, *, actor: UUID | None) -> None:
    """The family says yes to an offer.

    Raises:
        BookingUnknown: there is no such booking.
        OfferLapsed: it was answered before or its time is over.
    """
    async with together():
        accepted = await fetch_one(
            "UPDATE booking SET state = 'confirmed', answered_at = $2, offered_until = NULL"
            " WHERE id = $1 AND state = 'offered' AND offered_until >= $2 RETURNING reminded_at",
            booking,
            clock.now(),
        )
        if accepted is None:
            known = await fetch_value("SELECT true FROM booking WHERE id = $1", booking)
            raise OfferLapsed if known else BookingUnknown
        await served([booking])
        if accepted["reminded_at"] is not None:
            await forget_reminder(booking)
        await mark_wishes([booking], "booked")
        await record_audit(actor, "offer_accepted", "booking", booking)
        await tell_about([booking], "booking_confirmed")


async def decline(booking: UUID, *, actor: UUID | None) -> None:
    """The family says no to an offer: seat and money are free again, nothing else follows (R73).

    Raises:
        BookingUnknown: there is no such booking.
        OfferLapsed: it was answered before or its time is over.
    """
    async with together():
        ended = await end(booking, ("offered",), "declined", reason="declined", keep_cents=0, actor=actor)
        if ended is None:
            raise OfferLapsed
        await record_audit(actor, "offer_declined", "booking", booking)


async def expire_offers(*, actor: UUID | None = None, limit: int = 500) -> list[UUID]:
    """Offers whose time is over free their seat and money, each in its own transaction; the booking ids."""
    due = await fetch_all(
        "SELECT id FROM booking WHERE state = 'offered' AND offered_until < $1 ORDER BY offered_until, id LIMIT $2",
        clock.now(),
        limit,
    )
    expired = []
    for row in due:
        async with together():
            if await end(row["id"], ("offered",), "expired", reason="expired", keep_cents=0, actor=actor) is not None:
                expired.append(row["id"])
    return expired


async def cancel(
    booking: UUID,
    *,
    actor: UUID | None,
    emergency: bool = False,
    fee_shown_cents: int | None = None,
    dry_run: bool = False,
) -> Cancellation:
    """Stop a booking by the course's own rule; with `dry_run` only say what it would cost.

    `fee_shown_cents`: what the family saw; another fee now is refused. None: nobody saw one.

    With `emergency` it is free: something is the matter with a child, and nobody asks what. That is only counted
    where cancelling would have cost something.

    Raises:
        BookingUnknown: there is no such booking.
        NotCancellable: it stopped before, or the first meeting has begun.
        EmergenciesUsed: the family did that as often this year as the course allows.
        FeeChanged: it costs something else than was shown.
    """
    async with together():
        if emergency:  # two at once would both count the same ones
            await fetch_value(_ONE_EMERGENCY_AT_A_TIME, booking)
        told, reason = await costs(booking), "cancelled"
        if emergency and told.fee_cents:
            if told.emergencies_left < 1:
                raise EmergenciesUsed
            told, reason = replace(told, fee_cents=0, refund_cents=told.price_cents), "emergency"
        check_shown(told, fee_shown_cents)
        if not dry_run:
            await end_by_family(told, reason=reason, actor=actor)
            await record_audit(actor, "booking_cancelled", "booking", booking, {"fee_cents": told.fee_cents})
            await tell_about([booking], "booking_cancelled", returned_cents={booking: told.refund_cents})
        return told


_ONE_EMERGENCY_AT_A_TIME = """
SELECT pg_advisory_xact_lock(hashtextextended('emergency ' || family, 0)) FROM booking WHERE id = $1
"""


async def cancel_session(session: UUID, *, reason: str, actor: UUID | None) -> list[UUID]:
    """A course session does not go on: everyone gets everything back, fees too (the ended bookings' ids).

    Raises:
        SessionStepNotAllowed, SessionUnknown: from the catalogue, when it cannot be cancelled any more.
    """
    async with together():
        await catalogue.decide(session, runs=False, reason=reason, actor=actor)
        live = await fetch_all(
            "SELECT id FROM booking WHERE session = $1 AND state IN ('offered', 'confirmed') ORDER BY id", session
        )
        for row in live:
            await end(
                row["id"], ("offered", "confirmed"), "cancelled", reason="session_cancelled", keep_cents=0, actor=actor
            )
        await send_home(session)
        await tell_about([row["id"] for row in live], "session_cancelled")
        fees = await fetch_all(FEES, session)
        await return_fees({row["id"]: row["fee_cents"] for row in fees}, reason="session_cancelled", actor=actor)
        return [row["id"] for row in live]


async def decide_sessions(*, actor: UUID | None = None) -> tuple[list[UUID], list[UUID]]:
    """On their decision date sessions go on or not: (going on, cancelled). Each in its own transaction.

    A session goes on when the confirmed seats reach its minimum, per party too, and its trainers are admitted
    on every date (R56). Offers that are still open do not count.
    """
    going: list[UUID] = []
    cancelled: list[UUID] = []
    for due in await queries.sessions_to_decide(clock.today()):
        goes_on = await _decide(due.session, actor=actor)
        if goes_on is not None:
            (going if goes_on else cancelled).append(due.session)
    return going, cancelled


async def _decide(session: UUID, *, actor: UUID | None) -> bool | None:
    """Whether it goes on, by the seats that are there once its row is locked; None when another was first."""
    async with together():
        await fetch_value("SELECT id FROM course_session WHERE id = $1 FOR NO KEY UPDATE", session)
        due = await queries.sessions_to_decide(clock.today(), session)
        if not due:
            return None
        reason = "" if due[0].enough else "group_too_small"
        if not reason:
            try:
                await _go_on(session, actor=actor)
            except NotPublishable:
                reason = "no_admitted_trainer"
        if reason:
            await cancel_session(session, reason=reason, actor=actor)
        return not reason


async def _go_on(session: UUID, *, actor: UUID | None) -> None:
    async with together():
        await catalogue.decide(session, runs=True, reason=None, actor=actor)
        confirmed = await fetch_all("SELECT id FROM booking WHERE session = $1 AND state = 'confirmed'", session)
        await tell_about([booking["id"] for booking in confirmed], "session_confirmed")


async def record_attendance(meeting: UUID, absent: Collection[UUID], *, actor: UUID | None) -> int:  # noqa: ARG001
    """Say who was there; everyone live who is not named absent was present. Answers the number present.

    Raises:
        MeetingNotOver: the meeting has not ended.
        CountsOnce: somebody who is said to have been there catches this meeting up.
    """
    async with together():
        ends_at = await fetch_value("SELECT ends_at FROM meeting WHERE id = $1", meeting)
        if ends_at is None or ends_at > clock.now():
            raise MeetingNotOver
        await execute(
            "UPDATE attendance SET state = CASE WHEN person = ANY($2::uuid[]) THEN 'absent' ELSE 'present' END"
            " FROM booking b, meeting m JOIN course_session s ON s.id = m.session"
            " WHERE b.id = attendance.booking AND m.id = attendance.meeting"
            " AND (b.state = 'confirmed' OR attendance.instead_of IS NOT NULL AND s.state IN ('confirmed', 'running'))"
            " AND attendance.meeting = $1 AND attendance.live",
            meeting,
            list(absent),
        )
        present: int = await fetch_value(
            "SELECT count(*) FROM attendance WHERE meeting = $1 AND live AND state = 'present'", meeting
        )
        return present


async def finish_session(session: UUID, *, actor: UUID | None) -> int:
    """After the last meeting: bookings become attended or no-show and their holds are paid out.

    The trainer gets the share of the meetings that took place. Who did not come pays what the course asks for that.
    Who cancelled late and whose seats others took gets the fee back, and others the share of what did not take place:
    only now is it known. Answers the number of bookings finished.

    Raises:
        MeetingNotOver: the last meeting has not ended.
        AttendanceMissing: somebody's attendance is not recorded.
    """
    async with together():
        facts = await fetch_one(_TO_FINISH, session)
        if facts is None or facts["ends_at"] > clock.now():
            raise MeetingNotOver
        missing = await queries.attendance_missing(session)
        if missing:
            raise AttendanceMissing(missing=missing)
        finished = await fetch_all(_FINISH, session)
        share = {"attended": 100, "no_show": facts["no_show_percent"]}
        held = facts["held"], facts["held"] + facts["not_held"]
        for state, percent in share.items():
            keep = {
                row["id"]: rules.fee_cents(rules.due_cents(row["price_cents"], *held), 100 - percent)
                for row in finished
                if row["state"] == state and row["price_cents"] > 0
            }
            await budgets.settle_many(keep, actor=actor, reason=state)
        await _return_what_is_not_due(session, facts, held, actor=actor)
        await mark_wishes([row["id"] for row in finished if row["state"] == "attended"], "fulfilled")
        await mark_wishes([row["id"] for row in finished if row["state"] == "no_show"], "open")
        await catalogue.mark_done(session)
        return len(finished)


async def _return_what_is_not_due(
    session: UUID, facts: Mapping[str, Any], held: tuple[int, int], *, actor: UUID | None
) -> None:
    """Fees of late cancellations that are not due after all, wholly or for the meetings that were called off."""
    fees = {row["id"]: row for row in await fetch_all(FEES, session)}
    taken = [(row["id"], row["persons"]) for row in fees.values()] if facts["free_when_replaced"] else []
    again = rules.replaced(taken, facts["seats_free"]) if taken else []
    await return_fees({each: fees[each]["fee_cents"] for each in again}, reason="replaced", actor=actor)
    rest = {
        each: row["fee_cents"] - rules.due_cents(row["fee_cents"], *held)
        for each, row in fees.items()
        if each not in again and facts["not_held"]
    }
    await return_fees(rest, reason="meeting_cancelled", actor=actor)


_TO_FINISH = """
SELECT s.ends_at, s.seats_max - s.seats_taken AS seats_free, c.no_show_percent, c.free_when_replaced,
       (SELECT count(*)::int FROM meeting m WHERE m.session = s.id) AS held,
       (SELECT count(*)::int FROM cancelled_meeting m WHERE m.session = s.id) AS not_held
FROM course_session s JOIN course c ON c.id = s.course WHERE s.id = $1 FOR NO KEY UPDATE OF s
"""

_FINISH = """
UPDATE booking b
SET state = CASE WHEN EXISTS (SELECT FROM attendance a WHERE a.booking = b.id AND a.live
                              AND (a.state = 'present' OR a.instead_of IS NOT NULL AND a.unit IS NULL AND a.state = 'planned'))
                 THEN 'attended' ELSE 'no_show' END
WHERE b.session = $1 AND b.state = 'confirmed'
RETURNING b.id, b.price_cents, b.state
"""


async def served(ids: Sequence[UUID]) -> None:
    """Who waited and was offered these bookings waits no longer."""
    await execute(_WAITED_ENOUGH, list(ids), clock.now())


_WAITED_ENOUGH = """
WITH served AS (
  UPDATE waiting_entry SET state = 'served', ended_at = $2 WHERE booking = ANY($1::uuid[]) AND state = 'offered' RETURNING id
)
UPDATE waiting_person p SET live = false FROM served WHERE p.entry = served.id
"""
