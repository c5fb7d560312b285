"""Moving to another date of the same course: the family never loses its place in between."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions, moving, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import (
    BookingUnknown,
    FeeChanged,
    KeptForWaiting,
    MeetingsOverlap,
    NotASister,
    NotCancellable,
    PriceChanged,
)
from leerbudget.bookings.moving import MoveRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.errors import BudgetTooSmall
from leerbudget.catalogue.errors import ChildcareFull, SessionFull, SessionUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, fetch_all, fetch_one, fetch_value
from leerbudget.foundation.errors import IdempotencyMismatch, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import WishOrder

PRICE = 4500


async def two_dates(*, days=(30, 40), **more):
    """Two sessions of one course."""
    course = more.pop("course", None) or await world.a_course()
    return [await world.a_session(course=course, meetings=[world.in_days(day)], **more) for day in days]


async def a_booking(session, *, family=None, parents=1, euros=250, **more):
    if family is None:
        family = await world.a_family(parents=parents)
        await world.a_budget(family, euros=euros)
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)), **more)
    await actions.book(request, actor=None)
    return request


async def taken(*sessions):
    return [await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", each) for each in sessions]


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
    assert await budgets.check() == []


async def test_all_of_a_booking_goes_along(world_db):
    """Both parents, their children and the wish go to the other date; the old seats are free; one letter tells it."""
    first, second = await two_dates(childcare={"a4_8": 3})
    family = await world.a_family(parents=2)
    await world.a_budget(family)
    persons = tuple(await world.parents_of(family))
    wish = new_id()
    await wishes.state_wish(WishOrder(wish, family, persons[0], persons, "trauma"), actor=None)
    old = await a_booking(first, family=family, wish=wish, childcare={"a4_8": 2})
    letters = await fetch_value("SELECT count(*) FROM outbox_message")
    done = await moving.move(MoveRequest(new_id(), old.id, second), actor=None)
    assert (done.cancellation.fee_cents, done.receipt.price_cents, done.receipt.state) == (0, 2 * PRICE, "confirmed")
    assert await taken(first, second) == [0, 2]
    places = await fetch_all(
        "SELECT places_taken FROM childcare_places WHERE session = ANY($1) ORDER BY 1", [first, second]
    )
    assert [row["places_taken"] for row in places] == [0, 2]
    gone = await fetch_one("SELECT state, end_reason, moved_to FROM booking WHERE id = $1", old.id)
    assert tuple(gone) == ("cancelled", "moved", done.receipt.booking)
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", wish) == "booked"
    kinds = await fetch_all("SELECT kind FROM outbox_message ORDER BY created_at OFFSET $1", letters)
    assert {row["kind"] for row in kinds} == {"booking_confirmed"}
    (budget,) = await budgets.budgets_of(family)
    assert (budget.held_cents, budget.spent_cents) == (2 * PRICE, 0)
    await nothing_is_wrong()


async def test_a_late_move_costs_what_cancelling_costs(world_db):
    """Ten days before: half of the price. The preview says so, keeps nothing, and the move costs exactly that."""
    first, second = await two_dates()
    old = await a_booking(first)
    request = MoveRequest(new_id(), old.id, second)
    with clock.travelling(clock.now() + timedelta(days=20)):
        told = await moving.preview(request, actor=None)
        assert (told.cancellation.fee_cents, told.receipt.price_cents) == (PRICE // 2, PRICE)
        assert await taken(first, second) == [1, 0]
        with pytest.raises(FeeChanged):
            await moving.move(replace(request, fee_shown_cents=0), actor=None)
        with pytest.raises(PriceChanged):
            await moving.move(replace(request, price_shown_cents=1), actor=None)
        assert await taken(first, second) == [1, 0]
        await moving.move(replace(request, fee_shown_cents=PRICE // 2, price_shown_cents=PRICE), actor=None)
    (budget,) = await budgets.budgets_of(old.family)
    assert (budget.held_cents, budget.spent_cents) == (PRICE, PRICE // 2)
    await nothing_is_wrong()


async def test_a_budget_for_one_seat_is_enough(world_db):
    """The money of the old seat pays the other one: a family does not need the price twice."""
    first, second = await two_dates()
    old = await a_booking(first, euros=45)
    await moving.move(MoveRequest(new_id(), old.id, second), actor=None)
    assert await taken(first, second) == [0, 1]
    await nothing_is_wrong()


async def test_the_same_hour_is_no_hindrance(world_db):
    """Two groups of one course meet at the same hour: one changes groups."""
    first, second = await two_dates(days=(30, 30))
    old = await a_booking(first)
    await moving.move(MoveRequest(new_id(), old.id, second), actor=None)
    assert await taken(first, second) == [0, 1]


async def test_the_same_move_again_has_no_second_effect(world_db):
    """Once or ten times, at once or later: one move, one answer. The id for something else is refused."""
    first, second, third = await two_dates(days=(30, 40, 50))
    old = await a_booking(first)
    request = MoveRequest(new_id(), old.id, second)
    answers = await asyncio.gather(*(again(lambda: moving.move(request, actor=None)) for _ in range(6)))
    assert {each.receipt.booking for each in answers} == {request.id}
    assert {each.cancellation.fee_cents for each in answers} == {0}
    assert await taken(first, second) == [0, 1]
    with pytest.raises(IdempotencyMismatch):
        await moving.move(replace(request, session=third), actor=None)
    other = await a_booking(third)
    with pytest.raises(IdempotencyMismatch):
        await moving.move(replace(request, booking=other.id), actor=None)
    assert await taken(first, second, third) == [0, 1, 1]
    await nothing_is_wrong()


REFUSALS = {
    "full": SessionFull,
    "dear": BudgetTooSmall,
    "kept": KeptForWaiting,
    "overlap": MeetingsOverlap,
    "childcare": ChildcareFull,
    "another course": NotASister,
    "itself": NotASister,
    "unknown": SessionUnknown,
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_who_cannot_move_keeps_the_seat(world_db, kind):
    """Whatever stands in the way on the other date: the old booking is as it was, to the cent."""
    course = await world.a_course()
    first = await world.a_session(course=course, childcare={"a4_8": 1})
    second = await world.a_session(
        course=course, seats=1, meetings=[world.in_days(40)], price_cents=40_000 if kind == "dear" else PRICE
    )
    old = await a_booking(first, childcare={"a4_8": 1} if kind == "childcare" else {})
    to = {"another course": await world.a_session(), "itself": first, "unknown": new_id()}.get(kind, second)
    if kind == "full":
        await a_booking(second)
    elif kind == "kept":
        seat = await a_booking(second)
        patient = await world.a_family()
        await world.a_budget(patient)
        order = WaitingOrder(new_id(), patient, second, tuple(await world.parents_of(patient)))
        await waiting.join(order, actor=None)
        await actions.cancel(seat.id, actor=None)
    elif kind == "overlap":
        await a_booking(await world.a_session(meetings=[world.in_days(40)]), family=old.family)
    before = await budgets.budgets_of(old.family)
    with pytest.raises(REFUSALS[kind]):
        await moving.move(MoveRequest(new_id(), old.id, to), actor=None)
    assert await fetch_value("SELECT state FROM booking WHERE id = $1", old.id) == "confirmed"
    assert await taken(first) == [1]
    assert await budgets.budgets_of(old.family) == before
    await nothing_is_wrong()


async def test_what_is_over_or_no_booking_does_not_move(world_db):
    """Cancelled, begun, only offered, or nobody's: refused."""
    first, second = await two_dates()
    cancelled, begun = await a_booking(first), await a_booking(first)
    await actions.cancel(cancelled.id, actor=None)
    offer = await a_booking(first, offered_until=clock.now() + timedelta(days=1))
    for booking in (cancelled, offer):
        with pytest.raises(NotCancellable):
            await moving.move(MoveRequest(new_id(), booking.id, second), actor=None)
    with clock.travelling(clock.now() + timedelta(days=31)), pytest.raises(NotCancellable):
        await moving.move(MoveRequest(new_id(), begun.id, second), actor=None)
    with pytest.raises(BookingUnknown):
        await moving.move(MoveRequest(new_id(), new_id(), second), actor=None)
    await nothing_is_wrong()


async def test_only_dates_with_room_are_shown(world_db):
    """Other dates of the course with seats for all of them, the nearest first; none for who cannot give up the booking."""
    course = await world.a_course()
    first, second, third = await two_dates(course=course, days=(30, 50, 40))
    (narrow,) = await two_dates(course=course, days=(45,), seats=1)
    await world.a_session()
    couple = await a_booking(first, parents=2)
    alone = await a_booking(first)
    assert [each.session for each in await moving.sisters_of(couple.id, couple.family)] == [third, second]
    assert [each.session for each in await moving.sisters_of(alone.id, alone.family)] == [third, narrow, second]
    assert await moving.sisters_of(alone.id, couple.family) == []
    await actions.cancel(alone.id, actor=None)
    assert await moving.sisters_of(alone.id, alone.family) == []


async def swap(pairs):
    async def one(booking, session):
        try:
            await again(lambda: moving.move(MoveRequest(new_id(), booking, session), actor=None))
        except LeerbudgetError as refusal:
            return refusal.code
        return "moved"

    return Counter(await asyncio.gather(*(one(*pair) for pair in pairs)))


async def test_families_that_cross_do_not_wait_for_each_other(world_db):
    """Many go from one date to the other and as many come back, at once: nobody gets stuck and no seat is lost."""
    first, second = await two_dates(seats=20)
    there = [await a_booking(first) for _ in range(8)]
    back = [await a_booking(second) for _ in range(8)]
    outcomes = await swap([(each.id, second) for each in there] + [(each.id, first) for each in back])
    assert outcomes == {"moved": 16}
    assert await taken(first, second) == [8, 8]
    await nothing_is_wrong()


async def test_without_one_order_of_locks_they_do(world_db, monkeypatch):
    """The control: without locking both sessions in one order first, crossing families stop each other."""
    first, second = await two_dates(seats=20)
    monkeypatch.setattr(moving, "_BOTH", "SELECT id FROM course_session WHERE id = ANY($1::uuid[]) ORDER BY id")
    stopped = Counter()
    for _ in range(5):
        there = [await a_booking(first) for _ in range(3)]
        back = [await a_booking(second) for _ in range(3)]
        pairs = [(each.id, second) for each in there] + [(each.id, first) for each in back]
        found = await asyncio.gather(
            *(moving.move(MoveRequest(new_id(), *pair), actor=None) for pair in pairs), return_exceptions=True
        )
        stopped.update(type(each).__name__ for each in found if isinstance(each, Exception))
        if stopped:
            break
    assert stopped
    await nothing_is_wrong()


async def test_the_last_seat_there_goes_to_one(world_db):
    """Ten families want to change to a date with three seats: three move, seven keep what they had."""
    first, second = await two_dates(seats=12)
    for _ in range(9):
        await a_booking(second)
    bookings = [await a_booking(first) for _ in range(10)]
    assert await swap([(each.id, second) for each in bookings]) == {"moved": 3, "session_full": 7}
    assert await taken(first, second) == [7, 12]
    await nothing_is_wrong()
