"""What `doctor` finds: it misses no broken promise about bookings, and cries no wolf."""

from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import actions as budgets
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import actions as ledger
from leerbudget.people import actions as people


async def a_booking(session, **more):
    family = await world.a_family()
    await world.a_budget(family)
    request = BookingRequest(
        id=new_id(), family=family, session=session, persons=tuple(await world.parents_of(family)), **more
    )
    await actions.book(request, actor=None)
    return request


async def test_money_held_for_no_booking_is_found(world_db):
    """A hold whose booking does not exist keeps a family's money for ever: the doctor says so (I4)."""
    family = await world.a_family()
    await world.a_budget(family)
    payee = await ledger.account_of("trainer_payable", new_id(), constrained=False)
    on = clock.today() + timedelta(days=30)
    more = {"theme": "trauma", "form": "group_training", "on": on, "payee_account": payee, "actor": None}
    await budgets.hold(new_id(), family, 4500, **more)
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I4"]


@pytest.mark.parametrize(
    "change",
    ["state = 'declined', fee_cents = 0", "state = 'expired', fee_cents = 0", "end_reason = 'session_cancelled'"],
)
async def test_money_kept_for_what_was_never_wanted_is_found(world_db, admin, change):
    """Declined, lapsed or called off: nothing may be paid for it (I4)."""
    request = await a_booking(await world.a_session())
    with clock.travelling(clock.now() + timedelta(days=20)):
        assert (await actions.cancel(request.id, actor=None)).fee_cents > 0
    assert await queries.inconsistencies() == []
    await admin.execute(f"UPDATE booking SET {change} WHERE id = $1", request.id)
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I4"]


async def test_a_professional_of_last_year_is_found(world_db):
    """Somebody stays the family's own professional for a year after the relation ended (R65, I7)."""
    _, person = trainer = await world.a_trainer()
    request = await a_booking(await world.a_session(trainer=trainer[0]))
    worker = await world.a_professional()
    await a_meeting_of(request, worker)
    today = clock.today()
    await people.relate(request.family, worker, today - timedelta(days=900), today - timedelta(days=400))
    assert await queries.inconsistencies() == []
    await people.relate(request.family, worker, today - timedelta(days=300), today - timedelta(days=100))
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I7"]
    assert person != worker


async def a_meeting_of(request, worker):
    from leerbudget.foundation.database import execute

    await execute(
        "INSERT INTO session_person (id, session, person, role) VALUES ($1, $2, $3, 'facilitator')",
        *(new_id(), request.session, worker),
    )


async def test_who_is_avoided_after_booking_breaks_no_promise(world_db):
    """A list filled in an hour after booking is about what comes, not about what was booked (R66)."""
    _, person = trainer = await world.a_trainer()
    request = await a_booking(await world.a_session(trainer=trainer[0]))
    await people.avoid(request.family, person)
    assert await queries.inconsistencies() == []


async def test_who_was_avoided_before_booking_is_found(world_db, admin):
    """The same list, filled in before: the doctor sees that the promise was broken (I7)."""
    _, person = trainer = await world.a_trainer()
    request = await a_booking(await world.a_session(trainer=trainer[0]))
    await people.avoid(request.family, person)
    await admin.execute("UPDATE avoid_entry SET created_at = created_at - interval '1 minute'")
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I7"]


async def a_place_in_line():
    """A family with seats that are offered to it from the waiting list: the entry."""
    session = await world.a_session(seats=1)
    request = await a_booking(session)
    family, entry = await world.a_family(), new_id()
    await world.a_budget(family)
    order = waiting.WaitingOrder(entry, family, session, tuple(await world.parents_of(family)))
    await waiting.join(order, actor=None)
    await actions.cancel(request.id, actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    assert await queries.inconsistencies() == []
    return entry


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE waiting_entry SET state = 'waiting' WHERE id = $1",
        "UPDATE waiting_entry SET state = 'waiting', booking = NULL WHERE id = $1",
        "UPDATE waiting_person SET live = false WHERE entry = $1",
        "DELETE FROM waiting_person WHERE entry = $1",
    ],
)
async def test_a_waiting_list_that_tells_something_else_is_found(world_db, admin, change):
    """An offer that nobody in line answers to, or a place in line without its people (I3)."""
    await admin.execute(change, await a_place_in_line())
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I3"]
