"""Seats and childcare places: never one too many, whoever comes at the same moment."""

import asyncio
from datetime import timedelta

import pytest

import world
from leerbudget.catalogue import actions, queries
from leerbudget.catalogue.errors import (
    ChildcareFull,
    NotBookable,
    PartyFull,
    SeatsNotTaken,
    SessionFull,
    SessionUnknown,
)
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_one, fetch_value, together
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id

pytestmark = pytest.mark.usefixtures("world_db")
PARTY = "foster_parents"


async def taken(session):
    return await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session)


async def take(session, persons=1, party=PARTY, **childcare):
    return await actions.take_seats(session, persons, party=party, childcare=childcare)


async def test_a_seat_comes_with_its_quote():
    """Whoever takes a seat learns the price per person, the course and who is paid."""
    trainer, _ = await world.a_trainer()
    course = await world.a_course(theme="attachment")
    session = await world.a_session(course=course, trainer=trainer, price_cents=1250)
    quote = await take(session, 2)
    assert (quote.session, quote.course, quote.trainer, quote.price_cents) == (session, course, trainer, 1250)
    assert (quote.theme, quote.form, quote.state) == ("attachment", "group_training", "conditional")
    assert await taken(session) == 2


async def test_the_last_seats_go_to_whom_they_fit():
    """Two people do not fit on one seat; one does; then it is full."""
    session = await world.a_session(seats=3)
    await take(session, 2)
    with pytest.raises(SessionFull) as refusal:
        await take(session, 2)
    assert refusal.value.data == {"free": 1, "persons": 2}
    await take(session)
    with pytest.raises(SessionFull):
        await take(session)
    assert await taken(session) == 3


async def test_an_unknown_or_closed_session_has_no_seats():
    """Unknown, cancelled, begun, or a course whose admission ended: each is refused, nothing is taken."""
    with pytest.raises(SessionUnknown):
        await take(new_id())
    cancelled = await world.a_session()
    await actions.decide(cancelled, runs=False, reason="x", actor=None)
    expired_course = await world.a_course()
    expired = await world.a_session(course=expired_course)
    await actions.step_course(expired_course, "expired")
    for session in (cancelled, expired):
        with pytest.raises(NotBookable):
            await take(session)
    begun = await world.a_session()
    starts_at = (await queries.session_detail(begun)).starts_at
    with clock.travelling(starts_at), pytest.raises(NotBookable):
        await take(begun)
    with clock.travelling(starts_at - timedelta(seconds=1)):
        await take(begun)


async def test_a_dialogue_has_seats_per_party():
    """R64: a party that is full refuses while others have seats; a party without seats is refused too."""
    session = await world.a_dialogue(seats=9)
    await take(session, 3)
    with pytest.raises(PartyFull):
        await take(session)
    with pytest.raises(PartyFull):
        await take(session, party="community")
    await take(session, party="guardian_workers")
    assert await taken(session) == 4
    assert (await queries.session_detail(session)).parties[PARTY].seats_taken == 3


async def test_childcare_is_a_second_capacity():
    """R52: all children of all bands or nobody; the refusal says which bands, and takes no seat."""
    session = await world.a_session(childcare={"a0_3": 1, "a4_8": 2})
    await take(session, 1, a0_3=1, a4_8=1)
    with pytest.raises(ChildcareFull) as refusal:
        await take(session, 1, a0_3=1, a4_8=1, a9_11=1)
    assert refusal.value.data["bands"] == ["a0_3", "a9_11"]
    detail = await queries.session_detail(session)
    assert (detail.seats_taken, detail.childcare) == (1, {"a0_3": (1, 1), "a4_8": (2, 1)})


async def test_what_was_taken_is_given_back_and_no_more():
    """Seats, party seats and places return, also after a cancellation; giving back more is refused whole."""
    session = await world.a_dialogue()
    await take(session, 2)
    await actions.decide(session, runs=False, reason="x", actor=None)
    with pytest.raises(SeatsNotTaken):
        await actions.return_seats(session, 1, party="guardian_workers", childcare={})
    with pytest.raises(SeatsNotTaken):
        await actions.return_seats(session, 2, party=PARTY, childcare={"a4_8": 1})
    await actions.return_seats(session, 2, party=PARTY, childcare={})
    with pytest.raises(SeatsNotTaken):
        await actions.return_seats(session, 1, party=PARTY, childcare={})
    with pytest.raises(SessionUnknown):
        await actions.return_seats(new_id(), 1, party=PARTY, childcare={})
    assert await taken(session) == 0


@pytest.mark.parametrize(("persons", "children"), [(0, 1), (-1, 1), (1, 0), (1, -2)])
async def test_less_than_one_is_no_number_of_seats(persons, children):
    """Nobody takes or returns zero or a negative number of seats or places."""
    session = await world.a_session(childcare={"a4_8": 2})
    for verb in (actions.take_seats, actions.return_seats):
        with pytest.raises(SeatsNotTaken):
            await verb(session, persons, party=PARTY, childcare={"a4_8": children})
    assert await taken(session) == 0


# --- races ---------------------------------------------------------------------------------------------------

CLIENTS = 50
SEATS = 7


async def sold(tries):
    """How many of the tries succeeded; a refusal is one of ours, anything else is a defect."""
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    for outcome in outcomes:
        assert not isinstance(outcome, BaseException) or isinstance(outcome, LeerbudgetError), outcome
    return sum(not isinstance(outcome, BaseException) for outcome in outcomes)


async def read_then_update(session):
    """The mistake that `take_seats` does not make: look first, write what was seen plus one."""
    async with together():
        row = await fetch_one("SELECT seats_taken, seats_max FROM course_session WHERE id = $1", session)
        if row["seats_taken"] >= row["seats_max"]:
            raise SessionFull
        await asyncio.sleep(0.01)
        await execute("UPDATE course_session SET seats_taken = $2 WHERE id = $1", session, row["seats_taken"] + 1)


async def test_fifty_clients_for_the_last_seats():
    """I3: of 50 at the same moment exactly as many get a seat as there are."""
    session = await world.a_session(seats=SEATS)
    assert await sold(take(session) for _ in range(CLIENTS)) == SEATS
    assert await taken(session) == SEATS


async def test_the_race_is_real():
    """The negative control: reading first and writing later sells more seats than there are."""
    session = await world.a_session(seats=SEATS)
    assert await sold(read_then_update(session) for _ in range(CLIENTS)) > SEATS


async def test_fifty_clients_for_seats_of_a_party_and_childcare():
    """The smaller capacity decides, for a party and for the children, and nothing is left half taken."""
    dialogue = await world.a_dialogue(seats=9)
    assert await sold(take(dialogue) for _ in range(CLIENTS)) == 3
    assert await taken(dialogue) == 3
    session = await world.a_session(seats=40, childcare={"a0_3": 5, "a4_8": 9})
    assert await sold(take(session, 1, a4_8=1, a0_3=1) for _ in range(CLIENTS)) == 5
    detail = await queries.session_detail(session)
    assert (detail.seats_taken, detail.childcare) == (5, {"a0_3": (5, 5), "a4_8": (9, 5)})


async def test_taking_and_returning_at_once_loses_nothing():
    """Each client takes a seat and gives it back: in the end all are free, whatever the order."""
    session = await world.a_session(seats=3, childcare={"a4_8": 3})

    async def come_and_go():
        await take(session, 1, a4_8=1)
        await actions.return_seats(session, 1, party=PARTY, childcare={"a4_8": 1})

    assert await sold(come_and_go() for _ in range(CLIENTS)) >= 3
    assert await taken(session) == 0
    assert (await queries.session_detail(session)).childcare == {"a4_8": (3, 0)}
