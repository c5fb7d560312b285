"""Somebody without a family logs in, sees the own seats and nothing else, and says yes, no or not after all."""

import pytest

import world
from leerbudget.bookings import actions, own_seats, queries, seating
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import BookingUnknown, NotCancellable
from leerbudget.bookings.seating import SeatOrder
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions as identity
from leerbudget.identity import queries as logins
from leerbudget.people import actions as people
from leerbudget.people import queries as people_queries
from leerbudget.people.rules import PersonOrder
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries


async def given(person, session=None):
    """A seat that a coordinator gave."""
    order = SeatOrder(new_id(), session or await world.a_dialogue(), person)
    await seating.give(order, actor=None)
    return order.id


async def roles_of(person):
    """The roles of the person's own logins, by name."""
    rows = await fetch_all(
        "SELECT r.role FROM login l JOIN role_grant r ON r.login = l.id AND r.ended_at IS NULL WHERE l.person = $1",
        person,
    )
    return {row["role"] for row in rows}


async def test_whoever_gets_a_seat_can_log_in_by_the_own_address(world_db):
    """A worker as worker, a guardian as guardian, everybody else as guest; a second seat changes nothing."""
    session = await world.a_dialogue()
    worker, guardian = await world.a_professional(), await world.a_professional(party="guardian_workers")
    await given(worker, session)
    await world.a_seat_offered(guardian, session)
    assert (await roles_of(worker), await roles_of(guardian)) == ({"foster_care_worker"}, {"guardian_worker"})
    joint = await world.a_session(
        course=await world.a_course(form="joint_parents"), seats=4, parties={"parents": (1, 2)}, price_cents=0
    )
    mother = new_id()
    await people.register_persons([PersonOrder(mother, "P1", "Ouder (fictief)", "ouder@fictief.example", "parents")])
    await given(mother, joint)
    assert await roles_of(mother) == {"guest"}
    await given(worker, await world.a_dialogue(meetings=(world.in_days(50),)))
    assert await fetch_value("SELECT count(*) FROM role_grant") == 3


async def test_nobody_comes_in_by_anothers_login_and_a_role_that_was_taken_stays_away(world_db):
    """An address that is somebody else's login opens nothing; who lost the role does not get it back by a seat."""
    session, worker, other = await world.a_dialogue(), await world.a_professional(), await world.a_professional()
    email = (await people_queries.person(worker)).email
    await identity.give_login(email, other, [("trainer", new_id())])
    await given(worker, session)
    assert (await roles_of(worker), await roles_of(other)) == (set(), {"trainer"})
    third = await world.a_professional()
    await given(third, session)
    (login,) = await logins.logins(emails=[(await people_queries.person(third)).email])
    await identity.take_role(login.id, "foster_care_worker", None, actor=None)
    await given(third, await world.a_dialogue(meetings=(world.in_days(50),)))
    assert await roles_of(third) == set()


async def test_a_family_that_books_gets_no_login_by_it(world_db):
    """Parents are let in by their organisation, never by a seat."""
    family, session = await world.a_family(), await world.a_session(price_cents=0)
    await actions.book(BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))), actor=None)
    assert await fetch_value("SELECT count(*) FROM login") == 0


async def test_one_sees_the_own_seats_only(world_db):
    """Neither a family's seat, nor another's, nor who else comes; a foster parent has none here."""
    session = await world.a_dialogue()
    worker, colleague, family = await world.a_professional(), await world.a_professional(), await world.a_family()
    mine, theirs = await given(worker, session), await given(colleague, session)
    (mother,) = await world.parents_of(family)
    await actions.book(BookingRequest(new_id(), family, session, (mother,)), actor=None)
    (seen,) = await own_seats.seats_of(worker)
    assert (seen.booking, seen.state, seen.may_give_up) == (mine, "confirmed", True)
    assert await own_seats.seat(theirs, worker) is None
    assert await own_seats.seats_of(mother) == []
    assert not {"persons", "price_cents", "theme", "wish", "family"} & set(own_seats.OwnSeat.__slots__)


async def test_a_seat_is_given_up_by_whoever_has_it_once(world_db):
    """It is free for the party again; another's and a family's seat are not there; twice and too early are refused."""
    session, worker, family = await world.a_dialogue(), await world.a_professional(), await world.a_family()
    seat = await given(worker, session)
    (mother,) = await world.parents_of(family)
    receipt = await actions.book(BookingRequest(new_id(), family, session, (mother,)), actor=None)
    for booking, person in ((seat, await world.a_professional()), (receipt.booking, mother), (new_id(), worker)):
        with pytest.raises(BookingUnknown):
            await seating.give_up(booking, person, actor=None)
    await seating.give_up(seat, worker, actor=None)
    with pytest.raises(NotCancellable):
        await seating.give_up(seat, worker, actor=None)
    offered = await world.a_seat_offered(worker, session)
    with pytest.raises(NotCancellable):  # an offer is answered, so that its proposal knows
        await seating.give_up(offered, worker, actor=None)
    taken = await fetch_all("SELECT party, seats_taken FROM session_party WHERE session = $1 ORDER BY 1", session)
    assert [tuple(row) for row in taken] == [
        ("foster_care_workers", 1),
        ("foster_parents", 1),
        ("guardian_workers", 0),
    ]
    assert await queries.inconsistencies() == []


@pytest.mark.parametrize(("verb", "state"), [("accept", "confirmed"), ("decline", "declined")])
async def test_an_offer_of_a_round_is_answered_by_the_person_it_is_for(world_db, verb, state):
    """Seat and proposal say the same afterwards."""
    session, worker = await world.a_dialogue(), await world.a_professional()
    booking = await world.a_seat_offered(worker, session)
    (proposal,) = await round_queries.proposals_of(worker)
    await getattr(rounds, verb)(proposal.proposal, seeker=worker, actor=None)
    (after,) = await round_queries.proposals_of(worker)
    assert (await own_seats.seat(booking, worker)).state == state
    assert after.state == {"confirmed": "accepted"}.get(state, state)
    assert await queries.inconsistencies() == []
