"""What cancelling and not coming cost, and how a fee comes back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import world
from leerbudget.bookings import actions, ending, meetings, queries, rules, sheets
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import EmergenciesUsed, FeeChanged
from leerbudget.budgets import actions as budget_actions
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue.errors import ConditionsInUse
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger

PRICE = 4500
HALF = PRICE // 2
LATE = timedelta(days=20)
"""Ten days before the first meeting: half of the price comes back."""


async def a_family(*, parents=1, euros=250):
    family = await world.a_family(parents=parents)
    await world.a_budget(family, euros=euros)
    return family


async def booked(family, session):
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    return (await actions.book(request, actor=None)).booking


async def free_cents(family):
    return sum(each.free_cents for each in await budgets.budgets_of(family))


async def finished(session, *, absent=()):
    """After its last meeting, with everybody there but `absent`."""
    with clock.travelling(clock.now() + timedelta(days=31)):
        for meeting in await fetch_all("SELECT id FROM meeting WHERE session = $1", session):
            await actions.record_attendance(meeting["id"], absent, actor=None)
        await catalogue.decide(session, runs=True, reason=None, actor=None)
        await actions.finish_session(session, actor=None)


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
    assert await budgets.check() == []


async def test_something_with_a_child_makes_a_late_cancellation_free(world_db):
    """Everything comes back, and no file, letter or mutation tells that it was about a child."""
    family = await a_family()
    booking = await booked(family, await world.a_session())
    with clock.travelling(clock.now() + LATE):
        preview = await actions.cancel(booking, actor=None, dry_run=True)
        assert (preview.fee_cents, preview.emergencies_left) == (HALF, 2)
        told = await actions.cancel(booking, actor=None, emergency=True)
    assert (told.fee_cents, told.refund_cents) == (0, PRICE)
    assert await free_cents(family) == 25_000
    (sheet,) = await sheets.booking_sheets()
    assert sheet.end_reason == "cancelled"
    assert await fetch_value("SELECT count(*) FROM transfer WHERE reason LIKE '%emergency%'") == 0
    assert (
        await fetch_value("SELECT count(*) FROM audit_entry WHERE to_jsonb(audit_entry)::text LIKE '%emergency%'") == 0
    )
    await nothing_is_wrong()


async def test_it_is_free_so_often_a_year(world_db):
    """Two times, over all courses; then the ladder holds again, until a year has passed. Others are not touched."""
    family, other = await a_family(euros=500), await a_family()
    bookings = [await booked(family, await world.a_session(meetings=[world.in_days(30 + n)])) for n in range(4)]
    theirs = await booked(other, await world.a_session())
    with clock.travelling(clock.now() + LATE):
        for booking in bookings[:2]:
            await actions.cancel(booking, actor=None, emergency=True)
        with pytest.raises(EmergenciesUsed):
            await actions.cancel(bookings[2], actor=None, emergency=True)
        assert (await actions.cancel(bookings[2], actor=None)).fee_cents == HALF
        assert (await actions.cancel(theirs, actor=None, dry_run=True)).emergencies_left == 2
    await nothing_is_wrong()


async def test_where_cancelling_is_free_nothing_is_counted(world_db):
    """In good time there is nothing to spare: the family keeps its free cancellations."""
    family = await a_family()
    booking = await booked(family, await world.a_session())
    assert (await actions.cancel(booking, actor=None, emergency=True)).emergencies_left == 2
    assert await fetch_value("SELECT end_reason FROM booking WHERE id = $1", booking) == "cancelled"


@pytest.mark.parametrize("guarded", [True, False])
async def test_two_at_once_are_counted_one_by_one(world_db, monkeypatch, guarded):
    """Of two at the same moment, with one left, one is free; without waiting for each other both are (control)."""
    if not guarded:
        monkeypatch.setattr(actions, "_ONE_EMERGENCY_AT_A_TIME", "SELECT pg_sleep(0.05) FROM booking WHERE id = $1")
    course = await a_course(emergencies_per_year=1)
    tries = []
    for n in range(6):
        family = await a_family(euros=500)
        where = [await world.a_session(course=course, meetings=[world.in_days(25 + n, hour)]) for hour in (9, 19)]
        tries.append([await booked(family, session) for session in where])
    with clock.travelling(clock.now() + LATE):
        outcomes = [
            await asyncio.gather(
                *(actions.cancel(booking, actor=None, emergency=True) for booking in pair), return_exceptions=True
            )
            for pair in tries
        ]
    refused = [sum(isinstance(each, EmergenciesUsed) for each in pair) for pair in outcomes]
    assert (refused == [1] * 6) == guarded
    await nothing_is_wrong()


async def a_course(**changes):
    """A course with other conditions."""
    made = await world.a_course()
    row = await fetch_one("SELECT * FROM course WHERE id = $1", made)
    order = replace(catalogue._course_order(row, "admitted"), **changes)
    await catalogue.add_courses([order])
    return made


async def test_a_fee_comes_back_when_others_take_the_seat(world_db):
    """Cancelled late, and another family took the seat: once the course is over, the fee is back where it came from."""
    session = await world.a_session(seats=2)
    late, stays, after = await a_family(), await a_family(), await a_family()
    booking = await booked(late, session)
    await booked(stays, session)
    with clock.travelling(clock.now() + LATE):
        told = await actions.cancel(booking, actor=None)
        assert (told.fee_cents, told.free_when_replaced) == (HALF, True)
        await booked(after, session)
    await finished(session)
    assert await free_cents(late) == 25_000
    (budget,) = await budgets.budgets_of(late)
    assert budget.spent_cents == 0
    back = [each for each in await budgets.mutations(late) if each.kind == "fee_return"]
    assert [(each.purpose, each.free_change_cents, each.free_after_cents) for each in back] == [(booking, HALF, 25_000)]
    letters = await fetch_all("SELECT context FROM outbox_message WHERE kind = 'fee_returned'")
    assert len(letters) == 1
    assert (await budgets.totals()).posted_cents == 2 * PRICE
    await nothing_is_wrong()


async def test_what_does_not_take_place_comes_back_of_a_fee_too(world_db):
    """Half the price was kept; of three meetings one is called off later: a third of the fee comes back, once, to the cent."""
    session = await world.a_session(
        seats=3, price_cents=PRICE, meetings=[world.in_days(30, hour, 2) for hour in (9, 13, 18)]
    )
    late, other = await a_family(), await a_family()
    booking = await booked(late, session)
    await booked(other, session)
    third = await fetch_value("SELECT id FROM meeting WHERE session = $1 AND number = 3", session)
    with clock.travelling(clock.now() + LATE):
        assert (await actions.cancel(booking, actor=None)).fee_cents == HALF
        await meetings.cancel_meeting(third, reason="Ziek.", actor=None)
    await finished(session)
    back = HALF - HALF * 2 // 3
    assert await free_cents(late) == 25_000 - HALF + back
    row = await fetch_one("SELECT fee_cents, fee_returned_cents FROM booking WHERE id = $1", booking)
    assert tuple(row) == (HALF, back)
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'fee_returned'") == 1
    assert (await budgets.totals()).posted_cents == HALF - back + PRICE * 2 // 3
    await nothing_is_wrong()


async def test_a_fee_stays_when_the_seat_stays_empty(world_db):
    """Others came too, but one seat was empty all the time: nobody took the one that became free."""
    session = await world.a_session(seats=3)
    late = await a_family()
    booking = await booked(late, session)
    with clock.travelling(clock.now() + LATE):
        await actions.cancel(booking, actor=None)
        for _ in range(2):
            await booked(await a_family(), session)
    await finished(session)
    assert await free_cents(late) == 25_000 - HALF
    assert await fetch_value("SELECT fee_returned_at FROM booking WHERE id = $1", booking) is None
    await nothing_is_wrong()


async def test_a_course_may_keep_the_fee(world_db):
    """Where the course says so, a fee stays paid whoever takes the seat."""
    session = await world.a_session(course=await a_course(free_when_replaced=False), seats=1)
    late = await a_family()
    booking = await booked(late, session)
    with clock.travelling(clock.now() + LATE):
        assert not (await actions.cancel(booking, actor=None)).free_when_replaced
        await booked(await a_family(), session)
    await finished(session)
    assert await free_cents(late) == 25_000 - HALF
    await nothing_is_wrong()


async def test_a_fee_on_a_budget_that_is_over_goes_on_to_its_organisation(world_db):
    """The period ended between cancelling and the end of the course: the fee falls back to the pot, once."""
    session = await world.a_session(seats=1)
    late = await a_family()
    booking = await booked(late, session)
    with clock.travelling(clock.now() + LATE):
        await actions.cancel(booking, actor=None)
        await booked(await a_family(), session)
    await finished(session)
    (budget,) = await budgets.budgets_of(late)
    with clock.travelling(clock.now() + timedelta(days=2000)):
        for _ in range(2):
            await budget_actions.expire_due(actor=None)
        pot = await budgets.pot(budget.organisation)
        assert pot.returned_cents >= 25_000
        assert await free_cents(late) == 0
    await nothing_is_wrong()


async def test_who_paid_for_cancelling_what_was_called_off_gets_it_back(world_db):
    """Late, with a fee; then the whole session is cancelled: nobody pays for what never was."""
    session = await world.a_session()
    late = await a_family()
    booking = await booked(late, session)
    with clock.travelling(clock.now() + LATE):
        await actions.cancel(booking, actor=None)
        await actions.cancel_session(session, reason="ziek", actor=None)
    assert await free_cents(late) == 25_000
    await nothing_is_wrong()


@pytest.mark.parametrize(("percent", "paid"), [(0, 0), (30, 1350), (100, PRICE)])
async def test_who_does_not_come_pays_what_the_course_asks(world_db, percent, paid):
    """A no-show costs nothing, a part or everything; who came pays the price."""
    session = await world.a_session(course=await a_course(no_show_percent=percent))
    there, away = await a_family(), await a_family()
    await booked(there, session)
    await booked(away, session)
    await finished(session, absent=await world.parents_of(away))
    assert (await free_cents(there), await free_cents(away)) == (25_000 - PRICE, 25_000 - paid)
    await nothing_is_wrong()


async def test_conditions_stay_while_somebody_has_a_seat(world_db):
    """A course that people booked keeps its ladder and conditions; without seats, or with the same ones, it may change."""
    course = await world.a_course()
    row = await fetch_one("SELECT * FROM course WHERE id = $1", course)
    order = catalogue._course_order(row, "admitted")
    booking = await booked(await a_family(), await world.a_session(course=course))
    stricter = [
        replace(order, cancellation=()),
        replace(order, free_when_replaced=False),
        replace(order, emergencies_per_year=0),
        replace(order, no_show_percent=0),
    ]
    for changed in stricter:
        with pytest.raises(ConditionsInUse):
            await catalogue.add_courses([changed])
    await catalogue.add_courses([replace(order, title="Andere titel (fictief)")])
    await actions.cancel(booking, actor=None)
    await catalogue.add_courses(stricter[:1])


async def test_another_fee_than_was_shown_is_refused(world_db):
    """Midnight passed between the page and the press: nothing happens, and the fee of now is told."""
    family = await a_family()
    booking = await booked(family, await world.a_session())
    with clock.travelling(clock.now() + LATE):
        with pytest.raises(FeeChanged) as refused:
            await actions.cancel(booking, actor=None, fee_shown_cents=0)
        assert refused.value.data["fee_cents"] == HALF
        assert await fetch_value("SELECT state FROM booking WHERE id = $1", booking) == "confirmed"
        assert (await actions.cancel(booking, actor=None, fee_shown_cents=HALF)).fee_cents == HALF


async def test_a_fee_comes_back_once(world_db):
    """Asked again, nothing moves."""
    session = await world.a_session()
    late = await a_family()
    booking = await booked(late, session)
    with clock.travelling(clock.now() + LATE):
        await actions.cancel(booking, actor=None)
    for _ in range(2):
        await ending.return_fees({booking: HALF}, reason="replaced", actor=None)
    assert await free_cents(late) == 25_000
    await nothing_is_wrong()


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(0, 20))
def test_no_seat_is_counted_as_taken_twice(seats, free):
    """Seats of fees that come back never exceed those taken again, nobody who fits is left out, and order counts."""
    fees = [(new_id(), each) for each in seats]
    size = dict(fees)
    back = rules.replaced(fees, free)
    taken_again = max(0, sum(seats) - free)
    used = sum(size[each] for each in back)
    assert used <= taken_again
    assert back == [each for each, _ in fees if each in set(back)]
    assert all(size[each] > taken_again - used for each, _ in fees if each not in set(back))
