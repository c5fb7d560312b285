"""A reminder before an offer lapses: once, by day, never after the answer."""

import asyncio
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import world
from leerbudget.bookings import actions, reminding, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import OfferLapsed
from leerbudget.bookings.reminding import remind
from leerbudget.bookings.rules import ANSWER_DAY_HOURS, REMIND_DAY_HOURS, by_day, day_hours_after
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.notifications import actions as notifications

PROPOSAL, PLACE = "proposal_expiring", "place_expiring"


def at(text):
    """A moment in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=clock.AMSTERDAM)


def tomorrow(hour, minute=0):
    """A moment of the next day in Amsterdam."""
    day = clock.today() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.AMSTERDAM)


async def a_proposal(*, until=None, booked_at=None, parents=1):
    """A round's offer that may be answered until the end of the day after tomorrow."""
    family, session = await world.a_family(parents=parents), await world.a_session(price_cents=0)
    persons = tuple(await world.parents_of(family))
    until = until or clock.end_of_day(clock.today() + timedelta(days=2))
    with clock.travelling(booked_at or clock.now()):
        request = BookingRequest(new_id(), family, session, persons, origin="round", offered_until=until)
        return (await actions.book(request, actor=None)).booking


async def a_place(offered_at):
    """A seat offered from the waiting list at this moment: the place in line."""
    with clock.travelling(offered_at):
        session, first = await world.a_session(seats=1, price_cents=0), await world.a_family()
        taken = BookingRequest(new_id(), first, session, tuple(await world.parents_of(first)))
        await actions.book(taken, actor=None)
        family, entry = await world.a_family(), new_id()
        await waiting.join(WaitingOrder(entry, family, session, tuple(await world.parents_of(family))), actor=None)
        await actions.cancel(taken.id, actor=None)
        assert len(await waiting.offer_free_seats()) == 1
    return entry


async def letters(kind, *, alive=True):
    """How many reminders of this kind stand in the outbox; `alive`: not given up."""
    return await fetch_value(
        "SELECT count(*) FROM outbox_message WHERE kind = $1 AND (given_up_at IS NULL) = $2", kind, alive
    )


async def reminded_at(moment):
    """The bookings that are reminded of at this moment."""
    with clock.travelling(moment):
        return await remind()


async def test_a_proposal_is_reminded_of_on_its_last_morning_once(world_db):
    """Twelve hours of day before midnight: not a minute after ten before that, then once for each parent with an address."""
    booking = await a_proposal(parents=2)
    last_day = tomorrow(0) + timedelta(days=1)
    assert await reminded_at(last_day + timedelta(hours=9, minutes=59)) == []
    assert await reminded_at(last_day + timedelta(hours=10, minutes=1)) == [booking]
    assert await reminded_at(last_day + timedelta(hours=10, minutes=2)) == []
    assert (await letters(PROPOSAL), await letters(PLACE)) == (2, 0)
    row = await fetch_one("SELECT context, useless_after FROM outbox_message WHERE kind = $1 LIMIT 1", PROPOSAL)
    assert "/mijn" in row["context"]
    assert row["useless_after"] == last_day + timedelta(days=1)


async def test_a_place_from_the_list_is_reminded_of_four_hours_of_day_before(world_db):
    """Offered at nine, to be answered by nine in the evening: reminded of from five."""
    await a_place(tomorrow(9))
    assert await reminded_at(tomorrow(16, 59)) == []
    assert len(await reminded_at(tomorrow(17, 1))) == 1
    assert (await letters(PROPOSAL), await letters(PLACE)) == (0, 1)


async def test_at_night_nobody_is_mailed(world_db):
    """Due at ten in the evening: the reminder waits for the morning, when there is still time."""
    await a_place(tomorrow(14))  # until noon of the day after
    night = tomorrow(22)
    for hours in range(10):
        assert await reminded_at(night + timedelta(hours=hours)) == []
    assert len(await reminded_at(night + timedelta(hours=10))) == 1


@pytest.mark.parametrize("verb", ["accept", "decline"])
async def test_an_answered_offer_is_not_reminded_of(world_db, verb):
    """Yes or no: nothing to remind of."""
    booking = await a_proposal()
    await getattr(actions, verb)(booking, actor=None)
    assert await reminded_at(tomorrow(12) + timedelta(days=1)) == []
    assert await letters(PROPOSAL) == 0


async def test_what_lapsed_is_not_reminded_of(world_db):
    """Neither before the worker saw it nor after."""
    await a_proposal()
    late = tomorrow(8) + timedelta(days=2)
    assert await reminded_at(late) == []
    with clock.travelling(late):
        await actions.expire_offers()
    assert await reminded_at(late) == []


async def test_who_was_asked_only_just_is_not_asked_again(world_db):
    """An offer that had twelve hours of day or fewer from the start gets one letter; a little more time gets two."""
    until = clock.end_of_day(clock.today() + timedelta(days=2))
    short = await a_proposal(until=until, booked_at=tomorrow(11) + timedelta(days=1))
    longer = await a_proposal(until=until, booked_at=tomorrow(9) + timedelta(days=1))
    found = await reminded_at(tomorrow(13) + timedelta(days=1))
    assert (short in found, longer in found) == (False, True)
    assert await reminded_at(tomorrow(14) + timedelta(days=1)) == []


async def test_a_professional_is_reminded_in_own_words_and_an_answer_takes_it_back(world_db):
    """No family and no wish in it; it leads to the own seats, and is given up when the answer comes first."""
    worker, session = await world.a_professional(), await world.a_dialogue()
    until = clock.end_of_day(clock.today() + timedelta(days=2))
    request = BookingRequest(new_id(), None, session, (worker,), origin="round", offered_until=until)
    await actions.book(request, actor=None)
    noon = tomorrow(12) + timedelta(days=1)
    assert await reminded_at(noon) == [request.id]
    assert (await letters("seat_offered"), await letters("seat_expiring"), await letters(PROPOSAL)) == (1, 1, 0)
    contexts = [row["context"] for row in await fetch_all("SELECT context FROM outbox_message")]
    assert all('"/mijn-plekken"' in context for context in contexts)
    with clock.travelling(noon):
        await actions.accept(request.id, actor=None)
    assert await letters("seat_expiring", alive=False) == 1


@pytest.mark.parametrize("verb", ["accept", "decline", "cancel"])
async def test_an_answer_takes_back_what_was_not_mailed_yet(world_db, verb):
    """The reminder that still lies in the outbox is given up; one that a worker is delivering goes out."""
    waits, claimed = await a_proposal(), await a_proposal()
    noon = tomorrow(12) + timedelta(days=1)
    assert set(await reminded_at(noon)) == {waits, claimed}
    with clock.travelling(noon):
        await execute(
            "UPDATE outbox_message SET claimed_until = $2 WHERE business_ref LIKE $1 || ':%'",
            *(str(claimed), noon + timedelta(minutes=5)),
        )
        for booking in (waits, claimed):
            await getattr(actions, verb)(booking, actor=None)
    assert (await letters(PROPOSAL), await letters(PROPOSAL, alive=False)) == (1, 1)
    assert await notifications.withdraw([PROPOSAL], [str(waits)]) == 0


# --- the answer and the reminder at the same moment ---------------------------------------------------------


async def answers_while_reminding(booking, noon):
    """The answer is given, not yet committed, and the worker reminds meanwhile; what it reminded of."""
    answered, commit = asyncio.Event(), asyncio.Event()

    async def answer():
        with clock.travelling(noon):
            async with together():
                await actions.accept(booking, actor=None)
                answered.set()
                await commit.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        await answered.wait()
        reminding_now = tasks.create_task(reminded_at(noon))
        await asyncio.wait([reminding_now], timeout=1)
        commit.set()
    return reminding_now.result()


async def test_an_answer_that_is_being_written_is_not_reminded_of(world_db):
    """Whoever looks at the offer while it is answered passes it over, and finds it answered the next time."""
    booking, noon = await a_proposal(), tomorrow(12) + timedelta(days=1)
    assert await answers_while_reminding(booking, noon) == []
    assert await reminded_at(noon) == []
    assert await letters(PROPOSAL) == 0


async def test_without_the_lock_an_answered_offer_is_reminded_of(world_db, monkeypatch):
    """Negative control: where the offer is only read, the reminder is written after the answer."""

    async def told(*_):
        """No words."""

    lock = " FOR NO KEY UPDATE SKIP LOCKED"
    assert reminding._MARK.count(lock) == 1
    monkeypatch.setattr(reminding, "_MARK", reminding._MARK.replace(lock, ""))
    monkeypatch.setattr(reminding, "_had_longer", lambda *_: True)  # the answer took the deadline away, and with it
    monkeypatch.setattr(reminding, "tell_about", told)  # the words: those two would stop it only now
    booking, noon = await a_proposal(), tomorrow(12) + timedelta(days=1)
    assert await answers_while_reminding(booking, noon) == [booking]
    row = await fetch_one("SELECT state, answered_at <= reminded_at AS before FROM booking WHERE id = $1", booking)
    assert (row["state"], row["before"]) == ("confirmed", True)


async def test_a_hundred_answers_and_four_workers_leave_no_reminder_of_what_is_answered(world_db):
    """At the same moment, in any order: each offer at most once, and nothing left to send about an answered one."""
    chance = random.Random(5)  # noqa: S311 - answers, no secret
    noon = tomorrow(12) + timedelta(days=1)
    session = await world.a_session(seats=100, price_cents=0)
    offers = []
    for _ in range(100):
        family = await world.a_family()
        persons = tuple(await world.parents_of(family))
        until = clock.end_of_day(noon.date())
        request = BookingRequest(new_id(), family, session, persons, origin="round", offered_until=until)
        offers.append((await actions.book(request, actor=None)).booking)

    async def answer(booking):
        await asyncio.sleep(chance.uniform(0, 0.5))
        with clock.travelling(noon):
            await chance.choice([actions.accept, actions.decline])(booking, actor=None)

    async def worker():
        found = []
        for _ in range(20):
            with clock.travelling(noon):
                found += await remind(limit=5)
        return found

    results = await asyncio.gather(*(worker() for _ in range(4)), *(answer(each) for each in offers[::2]))
    reminded = [booking for found in results[:4] for booking in found]
    assert len(reminded) == len(set(reminded))
    assert set(offers[1::2]) <= set(reminded) | set(await reminded_at(noon))
    rows = await fetch_all(
        "SELECT b.state FROM outbox_message n JOIN booking b ON n.business_ref LIKE b.id || ':%'"
        " WHERE n.kind = $1 AND n.given_up_at IS NULL",
        PROPOSAL,
    )
    assert {row["state"] for row in rows} == {"offered"}
    assert len(rows) == 50


async def test_two_answers_race_and_the_loser_is_told(world_db):
    """A reminder changes nothing about who may answer: the second answer is refused as ever."""
    booking, noon = await a_proposal(), tomorrow(12) + timedelta(days=1)
    await reminded_at(noon)
    with clock.travelling(noon):
        await actions.accept(booking, actor=None)
        with pytest.raises(OfferLapsed):
            await actions.decline(booking, actor=None)


# --- the hours -----------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.astimezone())  # noqa: DTZ001
spans = st.sampled_from([*REMIND_DAY_HOURS.values(), ANSWER_DAY_HOURS, timedelta(minutes=1)])


@given(moments, spans)
def test_hours_of_day_are_counted_minute_by_minute(moment, hours):
    """Against counting: so many minutes between eight and ten lie between the moment and what comes out."""
    until = day_hours_after(moment, hours)
    start = moment.replace(second=0, microsecond=0)
    begin = day_hours_after(start, hours)
    minutes = int((begin - start).total_seconds() // 60)
    counted = sum(by_day(start + timedelta(minutes=each)) for each in range(minutes))
    assert counted == hours.total_seconds() / 60
    assert until >= begin


@given(moments, spans, st.timedeltas(timedelta(), timedelta(days=2)))
def test_later_stays_later(moment, hours, more):
    """What is offered later is never due earlier."""
    assert day_hours_after(moment, hours) <= day_hours_after(moment + more, hours)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2027-03-01T07:59", False),
        ("2027-03-01T08:00", True),
        ("2027-03-01T21:59", True),
        ("2027-03-01T22:00", False),
        ("2027-03-28T08:00", True),  # the clock went forward this night
        ("2027-10-31T07:59", False),  # and back
    ],
)
def test_the_day_is_from_eight_to_ten_in_amsterdam(moment, day):
    """Whatever the clock did at night."""
    assert by_day(at(moment)) is day
