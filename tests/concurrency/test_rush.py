"""Many people for few seats, two carers on one budget: nothing is sold twice (reliability section 3).

Every race has its negative control: without the guard the same race goes wrong.
"""

import asyncio
from collections import Counter

import pytest

import world
from crowd import PRICE_CENTS, parents, sessions
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import NotTogether
from leerbudget.budgets.errors import BudgetTooSmall
from leerbudget.catalogue.errors import SessionFull
from leerbudget.foundation.database import again, fetch_all, fetch_value
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from scale import CLIENTS, RUSHES, SHARED_RACES
from without import changed_function

SEATS = 20
FEW = 50
"""Clients of a negative control."""
COUPLES = 100
"""How many of them race at the same moment."""


async def tried(request):
    """What became of one request: booked, or the refusal's kind; anything else is a defect and fails the test."""
    try:
        await again(lambda: actions.book(request, actor=None))
    except LeerbudgetError as refusal:
        return type(refusal)
    return "booked"


def asks(parent, session):
    """One parent's request for one seat."""
    return BookingRequest(new_id(), parent.family, session, (parent.person,))


async def rush(crowd, session):
    """Everybody at once for one session: how many of each outcome."""
    return Counter(await asyncio.gather(*(tried(asks(parent, session)) for parent in crowd)))


async def nothing_is_wrong():
    """Every promise about seats, money and time holds."""
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def test_two_hundred_clients_get_exactly_the_seats_there_are(world_db):
    """Twenty times two hundred families for the last twenty seats: twenty are booked, the others hear that it is full."""
    crowd, rooms = await parents(CLIENTS), await sessions([SEATS] * RUSHES)
    for session in rooms:
        assert await rush(crowd, session) == {"booked": SEATS, SessionFull: CLIENTS - SEATS}
    assert await fetch_value("SELECT sum(seats_taken) FROM course_session") == RUSHES * SEATS
    await nothing_is_wrong()


async def test_without_its_guards_a_seat_is_sold_again(world_db, admin):
    """Negative control: without condition and constraint the same rush sells more seats than there are."""
    await admin.execute("ALTER TABLE course_session DROP CONSTRAINT seats_within_capacity")
    guard = "AND s.starts_at > _at AND s.seats_taken + s.catch_up_seats + _persons <= s.seats_max"
    await admin.execute(changed_function("catalogue", "take_seats", guard, "AND s.starts_at > _at"))
    (session,) = await sessions([SEATS])
    assert (await rush(await parents(FEW), session))["booked"] == FEW
    assert await queries.inconsistencies() != []


@pytest.mark.parametrize("guard", ["condition", "constraint"])
async def test_each_of_the_two_guards_is_enough(world_db, admin, guard):
    """The condition of the update and the constraint of the row each keep the seats within what there is."""
    if guard == "constraint":
        text = "AND s.starts_at > _at AND s.seats_taken + s.catch_up_seats + _persons <= s.seats_max"
        await admin.execute(changed_function("catalogue", "take_seats", text, "AND s.starts_at > _at"))
    else:
        await admin.execute("ALTER TABLE course_session DROP CONSTRAINT seats_within_capacity")
    (session,) = await sessions([SEATS])
    assert (await rush(await parents(FEW), session))["booked"] == SEATS


async def couples_race():
    """A hundred couples, each parent books another session at the same moment with money for one; what each heard."""
    crowd = await parents(2 * COUPLES, each_family=2, budget_cents=PRICE_CENTS + PRICE_CENTS // 2)
    rooms = await sessions([2 * COUPLES] * 2)
    outcomes = await asyncio.gather(*(tried(asks(parent, rooms[n % 2])) for n, parent in enumerate(crowd)))
    return zip(outcomes[::2], outcomes[1::2], strict=True)


async def test_two_carers_cannot_spend_one_budget_twice(world_db):
    """A hundred races of two carers for one budget: one of them books, and the other hears what is missing."""
    for _ in range(-(-SHARED_RACES // COUPLES)):
        for couple in await couples_race():
            assert set(couple) == {"booked", BudgetTooSmall}
    await nothing_is_wrong()


async def test_without_its_guards_a_budget_is_spent_twice(world_db, admin):
    """Negative control: without the lock and the constraint some couples spend more than they have."""
    await admin.execute("ALTER TABLE account DROP CONSTRAINT never_overspent")
    lock = "ORDER BY b.id FOR NO KEY UPDATE"
    slow = changed_function("budgets", "hold_money", lock, "")
    # a pause between reading and writing: on two cores the gap is otherwise too short to be met
    slow = slow.replace("  PERFORM rooms.reserve(", "  PERFORM pg_sleep(0.02);\n  PERFORM rooms.reserve(")
    assert "pg_sleep" in slow
    await admin.execute(slow)
    crowd = await parents(40, each_family=2, budget_cents=PRICE_CENTS + PRICE_CENTS // 2)
    rooms = await sessions([40] * 2)
    outcomes = Counter(await asyncio.gather(*(tried(asks(parent, rooms[n % 2])) for n, parent in enumerate(crowd))))
    assert outcomes["booked"] > 20
    assert await ledger.check() != []


async def test_parents_together_get_all_seats_or_none(world_db):
    """Couples for an odd number of seats: every couple sits together or stays out, and one seat is left."""
    crowd = await parents(60, each_family=2)
    (session,) = await sessions([SEATS - 1])
    couples = [
        BookingRequest(new_id(), one.family, session, (one.person, other.person))
        for one, other in zip(crowd[::2], crowd[1::2], strict=True)
    ]
    outcomes = Counter(await asyncio.gather(*(tried(request) for request in couples)))
    assert outcomes == {"booked": SEATS // 2 - 1, SessionFull: len(couples) - SEATS // 2 + 1}
    rows = await fetch_all("SELECT count(*) AS n FROM booking_person WHERE live GROUP BY booking")
    assert {row["n"] for row in rows} == {2}
    await nothing_is_wrong()


async def test_one_person_books_one_of_many_sessions_at_the_same_hour(world_db):
    """Fifty sessions at one hour, one family for all of them at once: exactly one is booked (I7)."""
    crowd, rooms = await parents(1), [(await sessions([SEATS]))[0] for _ in range(50)]
    outcomes = await asyncio.gather(*(tried(asks(crowd[0], session)) for session in rooms))
    assert Counter(outcomes)["booked"] == 1
    await nothing_is_wrong()


async def meetings_of_strangers(times):
    """So often a worker and the family that is theirs book the same dialogue at once: how often both got in."""
    both = 0
    for _ in range(times):
        (parent,) = await parents(1)
        worker = await world.a_professional(families=[parent.family])
        dialogue = await world.a_dialogue()
        outcomes = await asyncio.gather(
            tried(asks(parent, dialogue)), tried(BookingRequest(new_id(), None, dialogue, (worker,)))
        )
        assert set(outcomes) <= {"booked", NotTogether}
        both += outcomes.count("booked") == 2
        assert "booked" in outcomes
    return both


async def test_a_worker_and_their_own_family_never_both_get_in(world_db):
    """Thirty times both book the same dialogue at the same moment: one of them gets in, never both (R65, I7)."""
    assert await meetings_of_strangers(30) == 0
    await nothing_is_wrong()


async def test_without_the_look_into_the_room_they_both_get_in(world_db, admin):
    """Negative control: when nobody looks who is in the room, worker and family meet, and the doctor says so."""
    await admin.execute(
        changed_function("bookings", "book", "IF rooms.must_not_meet(", "IF false AND rooms.must_not_meet(")
    )
    assert await meetings_of_strangers(5) == 5
    assert await queries.inconsistencies() != []
