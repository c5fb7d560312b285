"""The waiting list: seats that become free go to who waits, in order, all together or not at all."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import world
from leerbudget.bookings import actions, line, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import (
    AlreadyInCourse,
    AlreadyWaiting,
    ChildcareMismatch,
    KeptForWaiting,
    NotForThisFamily,
    NotWaiting,
    OfferLapsed,
    PersonsUnknown,
    WaitingUnknown,
)
from leerbudget.bookings.rules import LATEST_BEFORE_START, answer_until
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue.errors import NotBookable, SessionUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value
from leerbudget.foundation.errors import IdempotencyMismatch
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import PreferenceOrder, WeekOrder, WishOrder
from without import changed_function


async def a_family(*, parents=1, euros=250, **more):
    family = await world.a_family(parents=parents, **more)
    if euros:
        await world.a_budget(family, euros=euros)
    return family


async def booked(family, session, **more):
    persons = tuple(await world.parents_of(family))
    request = BookingRequest(id=new_id(), family=family, session=session, persons=persons, **more)
    return (await actions.book(request, actor=None)).booking


async def a_full_session(**more):
    """A session without a free seat, and the bookings in it: one of each seat."""
    session = await world.a_session(seats=more.pop("seats", 1), **more)
    seats = await fetch_value("SELECT seats_max FROM course_session WHERE id = $1", session)
    return session, [await booked(await a_family(), session) for _ in range(seats)]


async def waits(family, session, **more):
    persons = more.pop("persons", None) or tuple(await world.parents_of(family))
    order = WaitingOrder(id=more.pop("id", new_id()), family=family, session=session, persons=persons, **more)
    await waiting.join(order, actor=None)
    return order.id


async def state_of(entry):
    return await fetch_value("SELECT state FROM waiting_entry WHERE id = $1", entry)


async def why_not(entry, session):
    return await fetch_value("SELECT refused FROM waiting_try WHERE entry = $1 AND session = $2", entry, session)


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def test_a_seat_that_becomes_free_is_offered_to_who_waits(world_db):
    """Cancelled, offered, accepted: the seat and the money go to the family that waited, and its waiting is over."""
    session, (taken,) = await a_full_session()
    family = await a_family()
    entry = await waits(family, session)
    assert await waiting.offer_free_seats() == []
    await actions.cancel(taken, actor=None)
    (booking,) = await waiting.offer_free_seats()
    (place,) = await line.waiting_of(family)
    assert (place.state, place.booking, place.position, place.price_cents) == ("offered", booking, None, 4500)
    assert place.offered_until == answer_until(clock.now()) or place.offered_until < clock.now() + timedelta(hours=24)
    await nothing_is_wrong()
    assert await waiting.accept(entry, actor=None) == booking
    assert await fetch_value("SELECT state FROM booking WHERE id = $1", booking) == "confirmed"
    assert (await state_of(entry), await line.waiting_of(family)) == ("served", [])
    await nothing_is_wrong()


async def test_until_who_waits_was_asked_nobody_else_takes_the_seat(world_db, admin):
    """A family that happens to look first is refused; without that rule it takes the seat (negative control)."""
    session, taken = await a_full_session(seats=2)
    await waits(await a_family(), session)
    for booking in taken:
        await actions.cancel(booking, actor=None)
    lucky = await a_family()
    with pytest.raises(KeptForWaiting):
        await booked(lucky, session)
    assert len(await waiting.offer_free_seats()) == 1
    await booked(lucky, session)  # the second seat: everybody who waited was asked
    await admin.execute(
        changed_function("bookings", "book", "_origin IN ('direct', 'coordinator') AND (", "false AND (")
    )
    other, (gone,) = await a_full_session()
    await waits(await a_family(), other)
    await actions.cancel(gone, actor=None)
    await booked(await a_family(), other)
    await nothing_is_wrong()


async def test_a_couple_gets_two_seats_or_none(world_db):
    """One free seat passes a couple by and goes to the next in line; two free seats are theirs (R45)."""
    session, taken = await a_full_session(seats=3)
    couple, single = await a_family(parents=2), await a_family()
    first, second = await waits(couple, session), await waits(single, session)
    await actions.cancel(taken[0], actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    assert (await state_of(first), await state_of(second)) == ("waiting", "offered")
    assert await why_not(first, session) == "session_full"
    await actions.cancel(taken[1], actor=None)
    assert await waiting.offer_free_seats() == []
    await actions.cancel(taken[2], actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    assert await fetch_value("SELECT persons FROM booking WHERE family = $1", couple) == 2
    await nothing_is_wrong()


async def test_children_come_along_or_nobody_comes(world_db):
    """Without enough places in the childcare a family with children is passed over, and told why."""
    session, (taken,) = await a_full_session(childcare={"a4_8": 1})
    two, one = await a_family(), await a_family()
    first = await waits(two, session, childcare={"a4_8": 2})
    second = await waits(one, session, childcare={"a4_8": 1})
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    assert (await state_of(first), await state_of(second)) == ("waiting", "offered")
    (place,) = await line.waiting_of(two)
    assert [each.refused for each in place.passed_over] == ["childcare_full"]
    await nothing_is_wrong()


async def test_the_order_is_rounds_waited_then_time(world_db):
    """Who was left out of more matching rounds goes first; then who asked first. Each sees its own number."""
    session, (taken,) = await a_full_session()
    early, late, patient = [await a_family() for _ in range(3)]
    key = new_id()
    persons = tuple(await world.parents_of(patient))
    await wishes.state_wish(WishOrder(key, patient, persons[0], persons, "trauma"), actor=None)
    await execute("UPDATE wish SET waiting_rounds = 2 WHERE id = $1", key)
    entries = []
    for minutes, family in enumerate((early, late, patient)):
        with clock.travelling(clock.now() + timedelta(minutes=minutes)):
            entries.append(await waits(family, session))
    numbers = [(await line.waiting_of(family))[0].position for family in (early, late, patient)]
    assert numbers == [2, 3, 1]
    with clock.travelling(clock.now() + timedelta(minutes=5)):
        await actions.cancel(taken, actor=None)
        await waiting.offer_free_seats()
    assert [await state_of(entry) for entry in entries] == ["waiting", "waiting", "offered"]
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", key) == "proposed"


async def test_who_cannot_take_it_is_passed_over_and_says_why(world_db):
    """Too little money, another meeting, an avoided person: the next in line gets the seat, the reason is kept."""
    session, (taken,) = await a_full_session()
    poor, busy, able = await a_family(euros=0), await a_family(), await a_family()
    await booked(busy, await world.a_session())  # at the same hour
    entries = [await waits(family, session) for family in (poor, busy, able)]
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    assert [await state_of(entry) for entry in entries] == ["waiting", "waiting", "offered"]
    assert await why_not(entries[0], session) == "budget_too_small"
    assert await why_not(entries[1], session) == "meetings_overlap"
    await nothing_is_wrong()


async def test_passed_over_for_money_is_tried_again_a_day_later(world_db):
    """When seats stay free, who lacked money before is asked once there is some; not at every turn of the clock."""
    session, (taken,) = await a_full_session()
    family = await a_family(euros=0)
    entry = await waits(family, session)
    await actions.cancel(taken, actor=None)
    assert await waiting.offer_free_seats() == []
    await world.a_budget(family)
    assert await waiting.offer_free_seats() == []
    with clock.travelling(clock.now() + timedelta(hours=25)):
        assert len(await waiting.offer_free_seats()) == 1
    assert await state_of(entry) == "offered"


@pytest.mark.parametrize("way", ["declined", "lapsed"])
async def test_a_seat_that_was_not_taken_goes_to_the_next_and_never_comes_back(world_db, way):
    """Said no, or let it lapse: the family waits on, for another session of the course; this one is not offered twice."""
    course = await world.a_course()
    session, (taken,) = await a_full_session(course=course)
    first, second = await a_family(), await a_family()
    mine, other = await waits(first, session), await waits(second, session)
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    later = clock.now() + timedelta(hours=25)
    if way == "declined":
        await waiting.decline(mine, actor=None)
    else:
        with clock.travelling(later):
            assert len(await actions.expire_offers()) == 1
    assert await state_of(mine) == "waiting"
    with clock.travelling(later):
        await waiting.offer_free_seats()
        assert (await state_of(mine), await state_of(other)) == ("waiting", "offered")
        await waiting.decline(other, actor=None)
        assert await waiting.offer_free_seats() == []
        with pytest.raises(OfferLapsed):
            await waiting.accept(mine, actor=None)
        await world.a_session(course=course, meetings=(world.in_days(40),))
        assert len(await waiting.offer_free_seats()) == 2
        assert (await state_of(mine), await state_of(other)) == ("offered", "offered")
        await nothing_is_wrong()


async def test_a_sister_session_will_do_when_it_is_in_reach(world_db):
    """Another session of the course is offered within the family's travel limit and on its days; elsewhere it is not."""
    course = await world.a_course()
    session, _ = await a_full_session(course=course)
    near, far, evenings = [await a_family() for _ in range(3)]
    for family, minutes in ((near, 200), (far, 10), (evenings, 200)):
        await wishes.set_preference(PreferenceOrder(family, None, "3511", {"car": minutes}, online_ok=False))
    (person,) = await world.parents_of(evenings)
    await wishes.set_weeks([WeekOrder(person, "110" * 7)])  # never in the evening
    entries = [await waits(family, session) for family in (far, evenings, near)]
    sister = await world.a_session(course=course, postcode4="9712", meetings=(world.in_days(50, hour=18),))
    online = await world.a_session(course=course, postcode4=None, meetings=(world.in_days(60, hour=18),))
    await waiting.offer_free_seats()
    assert [await state_of(entry) for entry in entries] == ["waiting", "waiting", "offered"]
    assert [await why_not(entry, sister) for entry in entries[:2]] == ["out_of_reach", "not_their_days"]
    assert await why_not(entries[0], online) == "out_of_reach"
    assert await fetch_value("SELECT session FROM booking WHERE family = $1", near) == sister


async def test_in_a_dialogue_a_parent_follows_a_parent(world_db):
    """A professional's seat that becomes free stays for professionals: the group keeps its shape (R64)."""
    session = await world.a_dialogue()
    parents = [await booked(await a_family(), session) for _ in range(3)]
    workers = []
    for _ in range(3):
        worker = await world.a_professional()
        request = BookingRequest(id=new_id(), family=None, session=session, persons=(worker,))
        workers.append((await actions.book(request, actor=None)).booking)
    entry = await waits(await a_family(), session)
    await actions.cancel(workers[0], actor=None)
    assert await waiting.offer_free_seats() == []
    assert await why_not(entry, session) == "party_full"
    await actions.cancel(parents[0], actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    await nothing_is_wrong()


async def test_the_last_day_is_for_whoever_books(world_db):
    """Within a day of the start nobody is asked any more, and seats are free for all."""
    session, taken = await a_full_session(seats=2)
    entry = await waits(await a_family(), session)
    starts_at = await fetch_value("SELECT starts_at FROM course_session WHERE id = $1", session)
    with clock.travelling(starts_at - LATEST_BEFORE_START - timedelta(minutes=1)):
        await actions.cancel(taken[0], actor=None)
        with pytest.raises(KeptForWaiting):
            await booked(await a_family(), session)
    with clock.travelling(starts_at - LATEST_BEFORE_START):
        assert await waiting.offer_free_seats() == []
        await booked(await a_family(), session)
    assert await state_of(entry) == "waiting"


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2027-03-01T09:00", "2027-03-01T21:00"),
        ("2027-03-01T20:00", "2027-03-02T18:00"),
        ("2027-03-01T23:30", "2027-03-02T20:00"),
        ("2027-03-02T03:00", "2027-03-02T20:00"),
        ("2027-03-27T21:00", "2027-03-28T19:00"),  # the night in which the clock goes forward
        ("2027-10-30T21:00", "2027-10-31T19:00"),  # and back
    ],
)
def test_the_night_does_not_count(at, until):
    """Twelve hours of day, from eight to ten, wherever the night falls."""
    moment = datetime.fromisoformat(at).replace(tzinfo=clock.AMSTERDAM)
    assert answer_until(moment) == datetime.fromisoformat(until).replace(tzinfo=clock.AMSTERDAM)
    assert answer_until(moment).tzinfo is UTC
    assert answer_until(moment) - moment < LATEST_BEFORE_START + timedelta(hours=1)


async def test_joining_is_checked_and_happens_once(world_db):
    """Strangers, impossible children, what is over or for others is refused; the same order again changes nothing."""
    session, _ = await a_full_session()
    family = await a_family()
    (person,) = await world.parents_of(family)
    stranger = (await world.parents_of(await a_family()))[0]
    refused = [
        (PersonsUnknown, {"persons": (stranger,)}),
        (PersonsUnknown, {"persons": (person, stranger)}),
        (ChildcareMismatch, {"childcare": {"a4_8": 21}}),
        (ChildcareMismatch, {"childcare": {"a4_8": 0}}),
    ]
    for error, more in refused:
        with pytest.raises(error):
            await waits(family, session, **more)
    with pytest.raises(SessionUnknown):
        await waits(family, new_id())
    with clock.travelling(clock.now() + timedelta(days=31)), pytest.raises(NotBookable):
        await waits(family, session)
    kin = world.FOR_ALL | {"family_type": {"recruited": "not_for", "kinship": "for"}}
    with pytest.raises(NotForThisFamily):
        await waits(family, await world.a_session(course=await world.a_course(audience=kin)))
    assert await fetch_value("SELECT count(*) FROM waiting_entry") == 0
    key = await waits(family, session)
    assert await waits(family, session, id=key) == key
    with pytest.raises(IdempotencyMismatch):
        await waits(family, session, id=key, childcare={"a4_8": 1})
    with pytest.raises(AlreadyWaiting):
        await waits(family, session)
    (course,) = [row["course"] for row in await fetch_all("SELECT course FROM course_session WHERE id = $1", session)]
    there = await a_family()
    await booked(there, await world.a_session(course=course, meetings=(world.in_days(50),)))
    with pytest.raises(AlreadyInCourse):
        await waits(there, session)
    assert await fetch_value("SELECT count(*) FROM waiting_entry") == 1


async def test_leaving_frees_what_was_offered(world_db):
    """Off the list: the offered seat and the money are free again, the next is asked; leaving twice is refused."""
    session, (taken,) = await a_full_session()
    first, second = await a_family(), await a_family()
    mine, other = await waits(first, session), await waits(second, session)
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    await waiting.leave(mine, actor=None)
    assert await state_of(mine) == "left"
    await waiting.offer_free_seats()
    assert await state_of(other) == "offered"
    with pytest.raises(NotWaiting):
        await waiting.leave(mine, actor=None)
    for verb in (waiting.leave, waiting.accept, waiting.decline):
        with pytest.raises(WaitingUnknown):
            await verb(new_id(), actor=None)
    assert await waits(first, session)  # and back at the end of the line
    await nothing_is_wrong()


async def test_who_got_in_otherwise_waits_no_longer(world_db):
    """A place in another session of the course ends the waiting."""
    course = await world.a_course()
    session, _ = await a_full_session(course=course)
    family = await a_family()
    entry = await waits(family, session)
    other = await world.a_session(course=course, meetings=(world.in_days(50),))
    await booked(family, other)
    await waiting.offer_free_seats()
    assert await state_of(entry) == "served"
    await nothing_is_wrong()


async def test_two_workers_offer_each_seat_once(world_db):
    """Eight workers at once on ten lists: as many offers as seats, to who was first, and no two of one family."""
    lists = []
    for _ in range(5):
        session, taken = await a_full_session(seats=2)
        lists.append((session, taken, [await waits(await a_family(), session) for _ in range(3)]))
    for _, taken, _ in lists:
        for booking in taken:
            await actions.cancel(booking, actor=None)
    offered = await asyncio.gather(*(waiting.offer_free_seats() for _ in range(8)))
    assert sum(map(len, offered)) == 10
    for _, _, entries in lists:
        assert [await state_of(entry) for entry in entries] == ["offered", "offered", "waiting"]
    assert await fetch_value("SELECT count(*) FROM booking WHERE origin = 'waiting'") == 10
    await nothing_is_wrong()


async def test_answers_lapses_and_offers_at_once_lose_no_seat(world_db):
    """Accepting, refusing, leaving, lapsing and offering at the same moment: every promise holds, nobody waits for ever."""
    session, taken = await a_full_session(seats=6)
    entries = [await waits(await a_family(), session) for _ in range(12)]
    for booking in taken:
        await actions.cancel(booking, actor=None)
    await waiting.offer_free_seats()

    async def quietly(work):
        try:
            await work
        except (OfferLapsed, NotWaiting):
            return

    verbs = (waiting.accept, waiting.decline, waiting.leave)
    with clock.travelling(clock.now() + timedelta(hours=25)):
        await asyncio.gather(
            *(quietly(verbs[at % 3](entry, actor=None)) for at, entry in enumerate(entries)),
            actions.expire_offers(),
            actions.expire_offers(),
            waiting.offer_free_seats(),
            waiting.offer_free_seats(),
        )
        await waiting.offer_free_seats()
        await nothing_is_wrong()
    rows = await fetch_all("SELECT state, ended_at IS NULL AS live FROM waiting_entry")
    assert all(row["live"] == (row["state"] in ("waiting", "offered")) for row in rows)


async def test_a_session_that_is_called_off_leaves_the_line_standing(world_db):
    """The trainer cancels: offered seats are void, everybody waits on for another session of the course."""
    session, (taken,) = await a_full_session()
    family = await a_family()
    entry = await waits(family, session)
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    await actions.cancel_session(session, reason="ziek", actor=None)
    assert await state_of(entry) == "waiting"
    assert await waiting.offer_free_seats() == []
    await nothing_is_wrong()


async def test_a_mail_says_until_when_and_nothing_more(world_db):
    """Who is offered a seat gets one mail, without the course's name, with the deadline."""
    session, (taken,) = await a_full_session()
    family = await a_family()
    await waits(family, session)
    await actions.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    (row,) = await fetch_all("SELECT context FROM outbox_message WHERE kind = 'place_offered'")
    assert "answer_before_at" in row["context"]
    assert (await fetch_one("SELECT count(*) AS n FROM outbox_message WHERE kind = 'proposal_offered'"))["n"] == 0


async def test_a_returned_seat_remembers_when(world_db):
    """`freed_at` is set by whatever gives a seat back, and by nothing else."""
    session = await world.a_session()
    await catalogue.take_seats(session, 1, party="foster_parents", childcare={})
    assert await fetch_value("SELECT freed_at FROM course_session WHERE id = $1", session) is None
    await catalogue.return_seats(session, 1, party="foster_parents", childcare={})
    assert await fetch_value("SELECT freed_at FROM course_session WHERE id = $1", session) is not None


async def test_a_seat_freed_while_others_are_asked_is_not_missed(world_db, monkeypatch):
    """A couple that was passed over for one seat gets its turn when a second one becomes free at that very moment."""
    session, taken = await a_full_session(seats=2)
    couple = await a_family(parents=2)
    entry = await waits(couple, session)
    await actions.cancel(taken[0], actor=None)
    remember = waiting._remember

    async def meanwhile(*told):
        await actions.cancel(taken[1], actor=None)
        await remember(*told)

    monkeypatch.setattr(waiting, "_remember", meanwhile)
    assert await waiting.offer_free_seats() == []
    monkeypatch.setattr(waiting, "_remember", remember)
    assert len(await waiting.offer_free_seats()) == 1
    assert await state_of(entry) == "offered"


@pytest.mark.parametrize(("wishing", "forms"), [(2, None), (1, ("webinar",))])
async def test_only_the_wish_of_these_persons_is_fulfilled(world_db, wishing, forms):
    """A wish of both parents, or for another form, stays open when one of them waits for a group."""
    session, (taken,) = await a_full_session(seats=1)
    family = await a_family(parents=2)
    both = tuple(await world.parents_of(family))
    key = new_id()
    await wishes.state_wish(WishOrder(key, family, both[0], both[:wishing], "trauma", forms), actor=None)
    await waits(family, session, persons=both[:1])
    await actions.cancel(taken, actor=None)
    assert len(await waiting.offer_free_seats()) == 1
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", key) == "open"


async def test_one_free_seat_asks_the_database_once_about_couples(world_db, monkeypatch):
    """Thirty couples are in line before a parent alone: one of them is tried, all are told why, and the parent gets the seat."""
    session, (taken,) = await a_full_session()
    couples = [await waits(await a_family(parents=2), session) for _ in range(30)]
    alone = await waits(await a_family(), session)
    await actions.cancel(taken, actor=None)
    whole, tried = actions.book, []

    async def counted(request, *, actor):
        tried.append(request.family)
        return await whole(request, actor=actor)

    monkeypatch.setattr(actions, "book", counted)
    await waiting.offer_free_seats()
    assert len(tried) == 2
    assert await state_of(alone) == "offered"
    assert {await why_not(couple, session) for couple in couples} == {"session_full"}
