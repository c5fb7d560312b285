"""Seats of people without a family in a dialogue: given, taken back, waited for, always within their own party (R64)."""

from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions, dialogues, line, meetings, queries, seating, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import (
    AlreadyBooked,
    AlreadyInCourse,
    AlreadyWaiting,
    BookingUnknown,
    GuestNotClear,
    GuestUnknown,
    KeptForWaiting,
    MeetingsOverlap,
    NoPartySeats,
    NotCancellable,
    NotTogether,
    NotWaiting,
    WaitingUnknown,
)
from leerbudget.bookings.rules import LATEST_BEFORE_START
from leerbudget.bookings.seating import SeatOrder
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue.errors import NotBookable, PartyFull, SessionUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import IdempotencyMismatch
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.people import actions as people
from leerbudget.people.rules import PersonOrder
from without import changed_function

WORKERS, GUARDIANS, PARENTS = "foster_care_workers", "guardian_workers", "foster_parents"


async def gives(session, person=None, **more):
    """A seat for somebody; the booking's id."""
    order = SeatOrder(**({"id": new_id(), "session": session, "person": person or await world.a_professional()} | more))
    await seating.give(order, actor=None)
    return order.id


async def puts_in_line(session, person=None, **more):
    """Somebody who waits; the place in line."""
    order = SeatOrder(**({"id": new_id(), "session": session, "person": person or await world.a_professional()} | more))
    await seating.wait(order, actor=None)
    return order.id


async def a_family_in(session):
    """A family with a seat; its booking."""
    family = await world.a_family()
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    return (await actions.book(request, actor=None)).booking


async def a_guest(party):
    """Somebody of a party whom no organisation sends."""
    key = new_id()
    await people.register_persons([PersonOrder(key, str(key), "Gast (fictief)", f"{key}@fictief.example", party)])
    return key


async def full_of_workers():
    """A dialogue without a seat for foster-care workers, and the bookings of the three who have them."""
    session = await world.a_dialogue()
    return session, [await gives(session) for _ in range(3)]


async def state_of(entry):
    return await fetch_value("SELECT state FROM waiting_entry WHERE id = $1", entry)


async def taken_by(session):
    """The seats taken by each party."""
    found = await dialogues.dialogue(session)
    return {share.party: share.taken for share in found.parties}


async def letters(kind):
    """How many notices of this kind there are."""
    return await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = $1", kind)


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def test_a_given_seat_is_of_the_own_party_and_costs_nobody_anything(world_db):
    """The seat counts for the party, no money moves, the letter is for somebody without a family, and again is once."""
    session, worker = await world.a_dialogue(), await world.a_professional()
    booking = await gives(session, worker)
    assert await gives(session, worker, id=booking) == booking
    assert await taken_by(session) == {PARENTS: 0, WORKERS: 1, GUARDIANS: 0}
    row = (await fetch_all("SELECT family, origin, state, price_cents FROM booking WHERE id = $1", booking))[0]
    assert dict(row) == {"family": None, "origin": "coordinator", "state": "confirmed", "price_cents": 0}
    assert await fetch_value("SELECT count(*) FROM budget_hold") == 0
    assert await fetch_value("SELECT count(*) FROM audit_entry WHERE verb = 'seat_given'") == 1
    (letter,) = await fetch_all("SELECT kind, context FROM outbox_message")
    assert letter["kind"] == "seat_given"
    assert '"/mijn-plekken"' in letter["context"]
    await nothing_is_wrong()


async def test_an_own_parent_is_seated_without_the_familys_budget(world_db):
    """R44: in a joint session the parent's seat is free; the foster family pays for its own seat only."""
    course = await world.a_course(form="joint_parents")
    session = await world.a_session(course=course, seats=4, parties={PARENTS: (1, 2), "parents": (1, 2)})
    family = await world.a_family()
    await world.a_budget(family)
    await gives(session, await a_guest("parents"))
    with pytest.raises(NoPartySeats):
        await gives(session)
    receipt = await actions.book(
        BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))), actor=None
    )
    assert (receipt.price_cents, await fetch_value("SELECT sum(amount_cents)::int FROM budget_hold")) == (4500, 4500)
    assert await taken_by(session) == {PARENTS: 1, "parents": 1}


async def test_what_cannot_be_given_is_refused(world_db):
    """A full party, a foster parent, an ordinary session, no session, twice, two places at once, another order under the id."""
    session, bookings = await full_of_workers()
    (there,) = [row["person"] for row in await fetch_all("SELECT person FROM booking_person LIMIT 1")]
    (mother,) = await world.parents_of(await world.a_family())
    with pytest.raises(PartyFull):
        await gives(session)
    for stranger in (mother, new_id()):
        with pytest.raises(GuestUnknown):
            await gives(session, stranger)
        with pytest.raises(GuestUnknown):
            await puts_in_line(session, stranger)
    with pytest.raises(NoPartySeats):
        await gives(await world.a_session())
    with pytest.raises(NoPartySeats):
        await puts_in_line(session, await a_guest("community"))
    with pytest.raises(SessionUnknown):
        await gives(new_id())
    with pytest.raises(IdempotencyMismatch):
        await gives(session, id=bookings[0])
    with pytest.raises(MeetingsOverlap):
        await gives(await world.a_dialogue(), there)
    await seating.take_back(bookings[0], actor=None)
    again = (await fetch_all("SELECT person FROM booking_person WHERE live LIMIT 1"))[0]["person"]
    with pytest.raises(AlreadyBooked):
        await gives(session, again)
    with clock.travelling(clock.now() + timedelta(days=31)), pytest.raises(NotBookable):
        await gives(session)
    await nothing_is_wrong()


async def test_own_professionals_and_families_never_sit_together(world_db):
    """R65 by this way in too, whoever comes first; the refusal names nobody."""
    session, family = await world.a_dialogue(), await world.a_family()
    worker = await world.a_professional(families=[family])
    await actions.book(BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))), actor=None)
    with pytest.raises(NotTogether) as refusal:
        await gives(session, worker)
    assert refusal.value.data == {}
    entry = await puts_in_line(session, worker)
    assert await waiting.offer_free_seats() == []
    assert await state_of(entry) == "waiting"
    await nothing_is_wrong()


async def test_a_seat_is_taken_back_and_only_a_guests_seat(world_db):
    """The party has its seat back, the person hears it, and a family's booking is not there for this verb."""
    session = await world.a_dialogue()
    booking, family = await gives(session), await a_family_in(session)
    await seating.take_back(booking, actor=None)
    assert await taken_by(session) == {PARENTS: 1, WORKERS: 0, GUARDIANS: 0}
    assert (await letters("seat_ended"), await letters("booking_cancelled")) == (1, 0)
    with pytest.raises(NotCancellable):
        await seating.take_back(booking, actor=None)
    for other in (family, new_id()):
        with pytest.raises(BookingUnknown):
            await seating.take_back(other, actor=None)
    await nothing_is_wrong()


async def test_who_leaves_is_replaced_from_the_same_party(world_db):
    """R64: a worker's seat goes to the worker who waits, a family's seat to the family that waits, never across."""
    session, workers = await full_of_workers()
    families = [await a_family_in(session) for _ in range(3)]
    waits, family = await puts_in_line(session), await world.a_family()
    line_of_family = new_id()
    mothers = tuple(await world.parents_of(family))
    await waiting.join(WaitingOrder(line_of_family, family, session, mothers), actor=None)
    assert await waiting.offer_free_seats() == []
    await seating.take_back(workers[0], actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    assert (await state_of(waits), await state_of(line_of_family)) == ("served", "waiting")
    assert await fetch_value("SELECT state FROM booking WHERE origin = 'waiting'") == "confirmed"
    await actions.cancel(families[0], actor=None)
    next_worker = await puts_in_line(session)
    assert len(await waiting.offer_free_seats()) == 1
    assert (await state_of(next_worker), await state_of(line_of_family)) == ("waiting", "offered")
    assert await taken_by(session) == {PARENTS: 3, WORKERS: 3, GUARDIANS: 0}
    assert await letters("seat_given") == 4
    await nothing_is_wrong()


async def test_the_first_in_line_comes_first_and_nobody_passes_the_line(world_db):
    """A freed seat of the party is kept for who waits; another party's free seats are not, and families book on."""
    session, workers = await full_of_workers()
    first, second = await puts_in_line(session), await puts_in_line(session)
    await seating.take_back(workers[0], actor=None)
    with pytest.raises(KeptForWaiting):
        await gives(session)
    await gives(session, await world.a_professional(party=GUARDIANS))
    await a_family_in(session)
    await waiting.offer_free_seats()
    assert (await state_of(first), await state_of(second)) == ("served", "waiting")
    await nothing_is_wrong()


async def test_without_the_guard_another_passes_the_line(world_db, admin):
    """Negative control: without the look at the line the freed seat goes to whoever is named first."""
    session, workers = await full_of_workers()
    await puts_in_line(session)
    await seating.take_back(workers[0], actor=None)
    guard = "_family IS NULL AND rooms.guests_wait(_session, _persons[1], _at)"
    await admin.execute(changed_function("bookings", "book", guard, "false"))
    await gives(session)
    assert await waiting.offer_free_seats() == []


@pytest.mark.parametrize(
    "guard", ["other.party = (SELECT p.party FROM person p WHERE p.id = _person)", "other.id <> _person"]
)
async def test_without_the_guards_of_the_line_the_wrong_ones_are_kept_out(world_db, admin, guard):
    """Negative control: a line that is not of the party stops other parties; one that counts oneself stops who waits."""
    session, workers = await full_of_workers()
    waits = await world.a_professional()
    await puts_in_line(session, waits)
    await seating.take_back(workers[0], actor=None)
    await admin.execute(changed_function("bookings", "guests_wait", guard, "true"))
    comes = waits if guard.startswith("other.id") else await world.a_professional(party=GUARDIANS)
    with pytest.raises(KeptForWaiting):
        await gives(session, comes)


async def test_without_party_seats_a_parent_follows_a_professional(world_db, admin):
    """Negative control: where the condition on the party's seats is gone, a family gets the worker's seat."""
    session, workers = await full_of_workers()
    for _ in range(3):
        await a_family_in(session)
    family = await world.a_family()
    await waiting.join(WaitingOrder(new_id(), family, session, tuple(await world.parents_of(family))), actor=None)
    await seating.take_back(workers[0], actor=None)
    assert await waiting.offer_free_seats() == []
    await admin.execute("ALTER TABLE session_party DROP CONSTRAINT party_within_capacity")
    guard = "p.party = _party AND p.seats_taken + _persons <= p.seats_max"
    await admin.execute(changed_function("catalogue", "take_seats", guard, "p.party = _party"))
    with clock.travelling(clock.now() + timedelta(days=2)):
        assert len(await waiting.offer_free_seats()) == 1
    assert (await taken_by(session))[PARENTS] == 4


async def test_somebody_who_waits_may_be_given_the_seat(world_db):
    """Who waits is not in the own way; the place in line is over then."""
    session, workers = await full_of_workers()
    worker = await world.a_professional()
    entry = await puts_in_line(session, worker)
    await seating.take_back(workers[0], actor=None)
    await gives(session, worker)
    assert await waiting.offer_free_seats() == []
    assert await state_of(entry) == "served"
    await nothing_is_wrong()


async def test_a_guest_waits_for_this_very_session(world_db):
    """Another date of the dialogue is not offered to somebody who said yes to this one."""
    session, _ = await full_of_workers()
    course = await fetch_value("SELECT course FROM course_session WHERE id = $1", session)
    entry = await puts_in_line(session)
    facilitators = tuple([((await world.a_trainer())[1], "facilitator") for _ in range(2)])
    other = await world.a_session(
        course=course,
        seats=6,
        price_cents=0,
        meetings=(world.in_days(50),),
        parties={PARENTS: (1, 3), WORKERS: (1, 3)},
        people_there=facilitators,
    )
    assert await waiting.offer_free_seats() == []
    worker = await world.a_professional()
    await gives(other, worker)
    await puts_in_line(session, worker)  # a seat on another date is no reason not to wait for this one
    await waiting.offer_free_seats()
    assert await state_of(entry) == "waiting"


async def test_in_line_once_and_not_with_a_seat(world_db):
    """Who has a seat does not wait for it; nobody waits twice; what is over or unknown is refused; off the list is off."""
    session, _ = await full_of_workers()
    worker = await world.a_professional()
    entry = await puts_in_line(session, worker)
    assert await puts_in_line(session, worker, id=entry) == entry
    with pytest.raises(AlreadyWaiting):
        await puts_in_line(session, worker)
    (there,) = await fetch_all("SELECT person FROM booking_person LIMIT 1")
    with pytest.raises(AlreadyInCourse):
        await puts_in_line(session, there["person"])
    await seating.leave(entry, actor=None)
    with pytest.raises(NotWaiting):
        await seating.leave(entry, actor=None)
    family = await world.a_family()
    theirs = new_id()
    await waiting.join(WaitingOrder(theirs, family, session, tuple(await world.parents_of(family))), actor=None)
    for other in (theirs, new_id()):
        with pytest.raises(WaitingUnknown):
            await seating.leave(other, actor=None)
    await nothing_is_wrong()


async def test_a_family_counts_families_only_in_its_line(world_db):
    """Professionals who wait for the same dialogue do not push a family back."""
    session, _ = await full_of_workers()
    for _ in range(2):
        await puts_in_line(session)
    family = await world.a_family()
    await waiting.join(WaitingOrder(new_id(), family, session, tuple(await world.parents_of(family))), actor=None)
    (mine,) = await line.waiting_of(family)
    assert mine.position == 1


async def test_the_last_day_is_for_the_coordinator(world_db):
    """Within a day of the start nobody is seated from the line by itself; a seat can be given to anybody."""
    session, workers = await full_of_workers()
    entry = await puts_in_line(session)
    starts_at = await fetch_value("SELECT starts_at FROM course_session WHERE id = $1", session)
    with clock.travelling(starts_at - LATEST_BEFORE_START):
        await seating.take_back(workers[0], actor=None)
        assert await waiting.offer_free_seats() == []
        await gives(session)
    assert await state_of(entry) == "waiting"


async def test_the_composition_is_told_by_party_in_numbers(world_db):
    """Taken, least and most of each party, who is behind, who waits; of families only how many."""
    session = await world.a_dialogue()
    for _ in range(3):
        await a_family_in(session)
    booking, entry = await gives(session), await puts_in_line(session)
    found = await dialogues.dialogue(session)
    assert {(s.party, s.taken, s.seats_min, s.seats_max, s.waiting) for s in found.parties} == {
        (PARENTS, 3, 1, 3, 0),
        (WORKERS, 1, 1, 3, 1),
        (GUARDIANS, 0, 0, 3, 0),
    }
    assert set(found.missing) == {WORKERS, GUARDIANS}  # more than one behind the parents
    assert [each.booking for each in await dialogues.seated(session)] == [booking]
    assert [each.entry for each in await dialogues.in_line(session)] == [entry]
    assert [each.session for each in await dialogues.to_come()] == [session]
    assert await dialogues.dialogue(await world.a_session()) is None


async def test_somebody_is_found_by_address_or_reference_and_foster_parents_are_not(world_db):
    """In any case of letters; an address of two people asks for the reference; a foster parent looks like nobody."""
    worker, family = await world.a_professional(), await world.a_family()
    (row,) = await fetch_all("SELECT email, external_ref FROM person WHERE id = $1", worker)
    assert await seating.guest(row["email"].upper()) == worker
    assert await seating.guest(row["external_ref"]) == worker
    mother = (await fetch_all("SELECT email, external_ref FROM person WHERE family = $1", family))[0]
    for who in (mother["email"], mother["external_ref"], "niemand@fictief.example", ""):
        with pytest.raises(GuestUnknown):
            await seating.guest(who)
    twin = PersonOrder(new_id(), "TWEE", "Nog iemand (fictief)", row["email"], WORKERS)
    await people.register_persons([twin])
    with pytest.raises(GuestNotClear):
        await seating.guest(row["email"])
    assert await seating.guest("TWEE") == twin.id


async def test_guests_hear_their_own_words_when_it_goes_on_or_is_called_off(world_db):
    """Nothing about a budget or a wish to who has none."""
    session = await world.a_dialogue(meetings=(world.in_days(30), world.in_days(37)))
    await a_family_in(session)
    await gives(session)
    second = await fetch_value("SELECT id FROM meeting WHERE session = $1 AND number = 2", session)
    await meetings.cancel_meeting(second, reason="ziek", actor=None)
    assert (await letters("seat_date_off"), await letters("meeting_cancelled")) == (1, 1)
    with clock.travelling(clock.now() + timedelta(days=24)):
        await actions.decide_sessions()
        assert (await letters("seat_goes_on"), await letters("session_confirmed")) == (1, 1)
        await actions.cancel_session(session, reason="ziek", actor=None)
    assert (await letters("seat_called_off"), await letters("session_cancelled")) == (1, 1)
    await nothing_is_wrong()
