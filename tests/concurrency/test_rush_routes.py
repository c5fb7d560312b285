"""The last seats by every other way to them: the website's own sockets, the waiting list, a matching round.

Booking by the action alone is in `test_rush`; the coordinator's seats and moving are in `test_rush_parties`.
"""

import asyncio
import gzip
import random
from collections import Counter
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

import world
from concurrency.test_rush import SEATS, asks, nothing_is_wrong, tried
from crowd import log_in, parents, sessions
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import waiting
from leerbudget.bookings.errors import KeptForWaiting, NotWaiting, OfferLapsed
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue.errors import SessionFull
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, execute, fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.rounds import actions as rounds
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import WishOrder
from scale import CLIENTS, RUSHES
from sockets import connections

FEW = 40
"""Clients of a negative control."""
WORKERS = 3


async def taken(session):
    """The seats of a session that are held or booked, as its row says."""
    return await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session)


# --- over HTTP ---------------------------------------------------------------------------------------------


async def rush_by_socket(lines, crowd, session):
    """Everybody sends a request at once over a connection of their own, and again when it is too busy; what they hear."""

    async def ask(line, parent):
        order = {"id": str(new_id()), "course_session": str(session), "persons": [str(parent.person)]}
        path, cookie = f"/api/v1/families/{parent.family}/bookings", f"leerbudget={parent.token}"
        status, told = await line.post(path, order, cookie)
        while status == 503:
            status, told = await line.post(path, order, cookie)
        return status, told.get("code")

    return Counter(await asyncio.gather(*(ask(*pair) for pair in zip(lines, crowd, strict=True))))


@asynccontextmanager
async def everybody(website, crowd):
    """A connection for each of these people, once the website answers."""
    await log_in(crowd)
    await website.answers()
    async with connections(website.origin, len(crowd)) as lines:
        yield lines


async def test_two_hundred_connections_get_exactly_the_seats_there_are(world_db, website):
    """Over real sockets, at once, for the last twenty seats: twenty times 201, the others 409, nobody anything else."""
    crowd, rooms = await parents(CLIENTS), await sessions([SEATS] * RUSHES)
    async with everybody(website, crowd) as lines:
        for session in rooms:
            answers = await rush_by_socket(lines, crowd, session)
            assert answers == {(201, None): SEATS, (409, "session_full"): CLIENTS - SEATS}
            assert await taken(session) == SEATS
    await nothing_is_wrong()


async def test_without_its_guards_the_website_sells_a_seat_again(world_db, website, unguarded):
    """Negative control: the same rush without condition and constraint."""
    await unguarded()
    crowd, (session,) = await parents(FEW), await sessions([SEATS])
    async with everybody(website, crowd) as lines:
        assert await rush_by_socket(lines, crowd, session) == {(201, None): FEW}


# --- the waiting list --------------------------------------------------------------------------------------


async def a_line(people, session):
    """These parents wait for the session; each with the place in line."""
    orders = [WaitingOrder(new_id(), each.family, session, (each.person,)) for each in people]
    await asyncio.gather(*(again(lambda order=order: waiting.join(order, actor=None)) for order in orders))
    return [order.id for order in orders]


async def a_long_line(people, session):
    """The same without the requests of each, as fast as a rush needs it; nobody stands in line twice."""
    orders = [WaitingOrder(new_id(), each.family, session, (each.person,)) for each in people]
    at = clock.now()
    await execute(
        "INSERT INTO waiting_entry (id, family, course, session, state, childcare, content_sha256, asked_at)"
        " SELECT l.id, l.family, s.course, s.id, 'waiting', '{}', l.content, $5::timestamptz + l.n * interval '1 microsecond'"
        " FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) WITH ORDINALITY AS l(id, family, content, n)"
        " JOIN course_session s ON s.id = $4",
        *([o.id for o in orders], [o.family for o in orders], [o.fingerprint() for o in orders], session, at),
    )
    await execute(
        "INSERT INTO waiting_person (id, entry, course, person, live) SELECT uuidv7(), l.id, s.course, l.person, true"
        " FROM unnest($1::uuid[], $2::uuid[]) AS l(id, person) JOIN course_session s ON s.id = $3",
        *([order.id for order in orders], [each.person for each in people], session),
    )


async def nobody_waits_any_more():
    """Who got no seat goes home: every look at the lines would read them again in all rushes to come."""
    await execute("UPDATE waiting_person SET live = false WHERE live")
    await execute("UPDATE waiting_entry SET state = 'left', ended_at = $1 WHERE state = 'waiting'", clock.now())


async def holding(holders, session):
    """Every seat of the session is booked; how they are given up again, all at once."""
    requests = [asks(each, session) for each in holders]
    for request in requests:
        await bookings.book(request, actor=None)

    async def give_up():
        await asyncio.gather(*(again(lambda key=each.id: bookings.cancel(key, actor=None)) for each in requests))

    return give_up


async def answered(entry, chance):
    """Two carers answer one offer at the same moment, each as they like; whether the family comes."""
    verbs = [chance.choice([waiting.accept, waiting.accept, waiting.decline, waiting.leave]) for _ in "ab"]

    async def answer(verb):
        try:
            await again(lambda: verb(entry, actor=None))
        except (OfferLapsed, NotWaiting):
            return False
        return verb is waiting.accept

    return any(await asyncio.gather(*(answer(verb) for verb in verbs)))


async def offering(chance, given_up):
    """A worker that offers seats until there are none; what it offers is answered at once."""
    while True:
        last = given_up.is_set()
        offered = await again(waiting.offer_free_seats)
        rows = await fetch_all("SELECT id FROM waiting_entry WHERE booking = ANY($1::uuid[])", offered)
        await asyncio.gather(*(answered(row["id"], chance) for row in rows))
        if last and not offered:
            return


async def rush_by_line(crowd, session, chance):
    """Twenty give their seats up while the others wait, answer or try to book directly; what the last of these heard."""
    holders, outsiders, line = crowd[:SEATS], crowd[SEATS : len(crowd) // 2], crowd[len(crowd) // 2 :]
    give_up, done = await holding(holders, session), asyncio.Event()
    await a_long_line(line, session)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WORKERS):
            tasks.create_task(offering(chance, done))
        direct = [tasks.create_task(tried(asks(each, session))) for each in outsiders]
        await give_up()
        done.set()
    return {task.result() for task in direct}


async def nobody_was_asked_twice(session):
    """Who waits is offered seats in one session once, and hears of each offer once."""
    rows = await fetch_all(
        "SELECT count(DISTINCT b.id) AS offers, count(n.id) AS letters FROM booking b"
        " JOIN outbox_message n ON n.kind = 'place_offered' AND n.business_ref LIKE b.id || ':%'"
        " WHERE b.session = $1 AND b.origin = 'waiting' GROUP BY b.family",
        session,
    )
    assert {(row["offers"], row["letters"]) for row in rows} == {(1, 1)}


async def test_the_waiting_list_gives_exactly_the_seats_there_are(world_db):
    """Seats that are given up all at once, three workers, answers two at a time, direct bookers between: none too many.

    In the end every seat is taken: by who waited, or by who books once nobody waits.
    """
    crowd, chance = await parents(CLIENTS + SEATS), random.Random(11)  # noqa: S311 - answers, no secret
    for session in await sessions([SEATS] * RUSHES, courses=[await world.a_course() for _ in range(RUSHES)]):
        assert await rush_by_line(crowd[:CLIENTS], session, chance) <= {"booked", SessionFull, KeptForWaiting}
        late = await asyncio.gather(*(tried(asks(each, session)) for each in crowd[CLIENTS:]))
        assert set(late) <= {"booked", SessionFull}
        assert await taken(session) == SEATS
        await nobody_was_asked_twice(session)
        await nobody_waits_any_more()
    await nothing_is_wrong()


async def test_a_worker_that_is_late_does_not_offer_again_what_was_refused(world_db):
    """It read the line before another worker made the offer, and the family said no: the answer stands."""
    crowd, (session,) = await parents(2), await sessions([1])
    give_up = await holding(crowd[:1], session)
    (entry,) = await a_line(crowd[1:], session)
    await give_up()
    (place,) = await fetch_all(waiting._WITH_SEATS, *waiting._moments(), 10)
    (late,) = await fetch_all(waiting._LINE, place["course"], session, place["since"])
    await waiting.offer_free_seats()
    await waiting.decline(entry, actor=None)
    with pytest.raises(NotWaiting):
        await waiting._offer(late, place, actor=None)
    await nothing_is_wrong()


async def test_without_its_guards_the_waiting_list_offers_a_seat_again(world_db, unguarded):
    """Negative control: without condition and constraint everybody in line is offered the one seat that is free."""
    crowd, (session,) = await parents(FEW), await sessions([1])
    give_up = await holding(crowd[:1], session)
    await a_line(crowd[1:], session)
    await give_up()
    await unguarded()
    assert len(await waiting.offer_free_seats()) == FEW - 1
    assert await taken(session) == FEW - 1


# --- a matching round --------------------------------------------------------------------------------------


async def a_decided_round(people, session):
    """A round that proposes the session to every one of these families, which no solver would, and is announced."""
    orders = [WishOrder(new_id(), each.family, each.person, (each.person,), "trauma") for each in people]
    await wishes.state_many(orders, actor=None)
    key, today = new_id(), clock.today()
    await rounds.open_round(key, name="Ronde", starts_on=today, ends_on=today + timedelta(days=90), seed=1, actor=None)
    await execute(
        "INSERT INTO proposal (id, round, wish, family, session, persons, score, reasons, payment, state)"
        " SELECT uuidv7(), $1, w.id, w.family, $2, ARRAY[w.stated_by], 1, '[]', '[]', 'proposed'"
        " FROM wish w WHERE w.id = ANY($3::uuid[])",
        key,
        session,
        [order.id for order in orders],
    )
    await execute(
        "UPDATE matching_round SET state = 'audited', audited_at = $2, instance = $3 WHERE id = $1",
        *(key, clock.now(), gzip.compress(b'{"seekers": []}')),
    )
    await rounds.announce(key, answer_until=clock.now() + timedelta(days=4), actor=None)
    return key


async def answering(round_id, chance, begun, published):
    """Families answer their proposals as soon as they see them, two carers at the same moment."""
    seen = set()
    while True:
        last = published.is_set()
        rows = await fetch_all("SELECT id, family FROM proposal WHERE round = $1 AND state = 'offered'", round_id)
        unseen = [row for row in rows if row["id"] not in seen]
        seen |= {row["id"] for row in unseen}
        if seen:
            begun.set()
        await asyncio.gather(*(answered_proposal(row["id"], row["family"], chance) for row in unseen for _ in "ab"))
        if last and not unseen:
            return
        await asyncio.sleep(0.005)


async def answered_proposal(proposal, family, chance):
    """One carer's answer, which may come second."""
    verb = chance.choice([rounds.accept, rounds.accept, rounds.decline])
    with suppress(OfferLapsed):
        await again(lambda: verb(proposal, seeker=family, actor=None))


async def rush_by_round(crowd, session, chance):
    """Half of them have a proposal; three workers make the offers, families answer at once, and the others book then."""
    round_id, begun, published = await a_decided_round(crowd[::2], session), asyncio.Event(), asyncio.Event()

    async def book_meanwhile(parent):
        await begun.wait()
        await asyncio.sleep(chance.uniform(0, 0.5))
        return await tried(asks(parent, session))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answering(round_id, chance, begun, published))
        publishing = [tasks.create_task(again(rounds.offer_announced)) for _ in range(WORKERS)]
        direct = [tasks.create_task(book_meanwhile(each)) for each in crowd[1::2]]
        await asyncio.gather(*publishing)
        published.set()
    assert {task.result() for task in direct} <= {"booked", SessionFull}
    return round_id


async def test_a_published_round_gives_exactly_the_seats_there_are(world_db):
    """A hundred proposals and a hundred direct bookers for twenty seats: none too many, and who got none hears why."""
    crowd, chance = await parents(CLIENTS + SEATS), random.Random(12)  # noqa: S311 - answers, no secret
    answers: Counter[str] = Counter()
    for session in await sessions([SEATS] * RUSHES):
        round_id = await rush_by_round(crowd[:CLIENTS], session, chance)
        await asyncio.gather(*(tried(asks(late, session)) for late in crowd[CLIENTS:]))
        assert await taken(session) == SEATS
        rows = await fetch_all("SELECT state, refusal_code, booking FROM proposal WHERE round = $1", round_id)
        assert {row["state"] for row in rows} <= {"accepted", "declined", "refused"}
        assert {row["refusal_code"] for row in rows if row["state"] == "refused"} == {"session_full"}
        answers.update(row["state"] for row in rows)
    assert answers["accepted"]  # over all turns: in one of them the direct bookers may be quicker
    await nothing_is_wrong()


async def test_without_its_guards_a_round_gives_a_seat_again(world_db, unguarded):
    """Negative control: without condition and constraint every proposal is offered, and every direct booking made."""
    await unguarded()
    crowd, (session,) = await parents(FEW), await sessions([1])
    round_id = await a_decided_round(crowd[::2], session)
    direct, _ = await asyncio.gather(
        asyncio.gather(*(tried(asks(each, session)) for each in crowd[1::2])), rounds.offer_announced()
    )
    assert set(direct) == {"booked"}
    states = Counter(row["state"] for row in await fetch_all("SELECT state FROM proposal WHERE round = $1", round_id))
    assert states == {"offered": FEW // 2}
    assert await taken(session) == FEW
