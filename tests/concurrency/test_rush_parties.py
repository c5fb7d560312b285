"""The last seats of a party through the coordinator, beside families who book, and the last seats of another date.

All over the website's own sockets, two hundred at once.
"""

import asyncio
from collections import Counter

import pytest

import world
from concurrency.test_rush import SEATS, nothing_is_wrong
from concurrency.test_rush_routes import FEW, taken
from crowd import coordinators, log_in, parents, professionals, sessions
from leerbudget.bookings import actions
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation.database import again, fetch_all
from leerbudget.foundation.ids import new_id
from scale import CLIENTS, RUSHES
from sockets import connections
from without import changed_function

PARENTS, WORKERS = "foster_parents", "foster_care_workers"
PARTIES = {PARENTS: SEATS, WORKERS: SEATS}
TIGHT = 3 * SEATS // 2
"""Seats of a dialogue with fewer seats than its parties have together."""
DESKS = 5
"""Coordinators at work at the same moment."""
MOVERS = CLIENTS // 4
"""Who moves, while all others book: a move is five times the work of a booking, and ten run at the same moment."""


@pytest.fixture
def no_party_guards(admin):
    """Take away what keeps a party within its seats: the condition of the update and the constraint of the row."""

    async def take_away():
        await admin.execute("ALTER TABLE session_party DROP CONSTRAINT party_within_capacity")
        guard = "p.party = _party AND p.seats_taken + _persons <= p.seats_max"
        await admin.execute(changed_function("catalogue", "take_seats", guard, "p.party = _party"))

    return take_away


async def at_once(website, requests):
    """Each of these over a connection of its own at the same moment, and again when it is too busy; what they hear.

    The connections are made for this rush: the website ends those that nobody used for a while.
    """

    async def ask(line, path, body, token):
        status, told = await line.post(path, body, f"leerbudget={token}")
        while status == 503:
            status, told = await line.post(path, body, f"leerbudget={token}")
        return status, told.get("code")

    await website.answers()
    async with connections(website.origin, len(requests)) as lines:
        return Counter(await asyncio.gather(*(ask(line, *each) for line, each in zip(lines, requests, strict=True))))


def gives(session, people, tokens):
    """A coordinator's request for a seat for each of these people."""
    return [
        (f"/api/v1/dialogues/{session}/seats", {"id": str(new_id()), "who": each.email}, tokens[n % len(tokens)])
        for n, each in enumerate(people)
    ]


def books(session, crowd):
    """The request of each of these parents for a seat."""
    return [
        (
            f"/api/v1/families/{each.family}/bookings",
            {"id": str(new_id()), "course_session": str(session), "persons": [str(each.person)]},
            each.token,
        )
        for each in crowd
    ]


def shuffled(*requests):
    """The requests of several kinds, one of each kind in turn."""
    return [each for several in zip(*requests, strict=True) for each in several]


async def by_party(session):
    """The seats of each party that are taken, as the rows say."""
    rows = await fetch_all("SELECT party, seats_taken FROM session_party WHERE session = $1", session)
    return {row["party"]: row["seats_taken"] for row in rows}


# --- the coordinator -----------------------------------------------------------------------------------------


async def test_coordinators_give_exactly_the_seats_of_the_party(world_db, website):
    """Two hundred professionals for the twenty seats of their party: twenty times 201, the others 409, nobody anything else."""
    crowd, tokens = await professionals(CLIENTS), await coordinators(DESKS)
    rooms = await sessions([2 * SEATS] * RUSHES, courses=[await world.a_course(form="dialogue")], parties=PARTIES)
    for session in rooms:
        answers = await at_once(website, gives(session, crowd, tokens))
        assert answers == {(201, None): SEATS, (409, "party_full"): CLIENTS - SEATS}
        assert await by_party(session) == {PARENTS: 0, WORKERS: SEATS}
    await nothing_is_wrong()


async def test_families_and_coordinators_at_once_each_keep_to_their_party(world_db, website):
    """A hundred of each for a dialogue of thirty: thirty seats, of no party more than twenty, and the books are right."""
    half = CLIENTS // 2
    families, crowd, tokens = await parents(half), await professionals(half), await coordinators(DESKS)
    rooms = await sessions([TIGHT] * -(-RUSHES // 3), courses=[await world.a_course(form="dialogue")], parties=PARTIES)
    await log_in(families)
    for session in rooms:
        answers = await at_once(website, shuffled(books(session, families), gives(session, crowd, tokens)))
        assert answers.keys() <= {(201, None), (409, "party_full"), (409, "session_full")}
        seats = await by_party(session)
        assert (answers[201, None], await taken(session), sum(seats.values())) == (TIGHT, TIGHT, TIGHT)
        assert max(seats.values()) <= SEATS
    await nothing_is_wrong()


async def test_without_its_guards_a_partys_seat_is_given_again(world_db, website, no_party_guards):
    """Negative control: the same rush without condition and constraint of the party."""
    await no_party_guards()
    crowd, tokens = await professionals(FEW), await coordinators(1)
    (session,) = await sessions([FEW], courses=[await world.a_course(form="dialogue")], parties=PARTIES)
    assert await at_once(website, gives(session, crowd, tokens)) == {(201, None): FEW}
    assert await by_party(session) == {PARENTS: 0, WORKERS: FEW}


async def test_without_any_guard_families_and_coordinators_take_each_others_seats(
    world_db, website, unguarded, no_party_guards
):
    """Negative control of the two together: everybody comes in."""
    await unguarded()
    families, crowd, tokens = await parents(FEW // 2), await professionals(FEW // 2), await coordinators(1)
    (session,) = await sessions([SEATS], courses=[await world.a_course(form="dialogue")], parties=PARTIES)
    await log_in(families)
    requests = shuffled(books(session, families), gives(session, crowd, tokens))
    assert await at_once(website, requests) == {(201, None): FEW}


# --- another date --------------------------------------------------------------------------------------------


async def placed(crowd, session):
    """Everybody has a seat in this session; the booking of each."""
    requests = [BookingRequest(new_id(), each.family, session, (each.person,)) for each in crowd]
    await asyncio.gather(*(again(lambda order=order: actions.book(order, actor=None)) for order in requests))
    return [order.id for order in requests]


def moves(session, crowd, bookings):
    """The request of each of these parents to go to another date, under the id that the booking there gets."""
    return [
        (f"/api/v1/bookings/{booking}/moves", {"id": str(new_id()), "course_session": str(session)}, each.token)
        for each, booking in zip(crowd, bookings, strict=True)
    ]


async def rush_to(website, crowd, bookings, session, others=()):
    """Everybody moves to this session at once, and others book it; what all hear, and the booking that each mover has."""
    requests, rivals = moves(session, crowd, bookings), books(session, others)
    each_move = len(rivals) // len(requests)
    answers = await at_once(website, shuffled(requests, *(rivals[n::each_move] for n in range(each_move))))
    made = {str(row["id"]) for row in await fetch_all("SELECT id FROM booking WHERE session = $1", session)}
    there = [body["id"] for _, body, _ in requests]
    return answers, [new if new in made else old for new, old in zip(there, bookings, strict=True)]


async def test_who_moves_and_who_books_get_exactly_the_seats_there_are(world_db, website):
    """Fifty move and a hundred and fifty book at once, for twenty seats: twenty get one, nobody loses a seat or a cent."""
    crowd = await parents(CLIENTS)
    movers, others = crowd[:MOVERS], crowd[MOVERS:]
    first, *dates = await sessions([MOVERS, *[SEATS] * RUSHES])
    bookings = await placed(movers, first)
    await log_in(crowd)
    for session in dates:
        answers, bookings = await rush_to(website, movers, bookings, session, others)
        assert answers == {(201, None): SEATS, (409, "session_full"): CLIENTS - SEATS}
        assert await taken(session) == SEATS
    rows = await fetch_all(
        "SELECT family, count(*) FILTER (WHERE state = 'confirmed') AS live, count(moved_to) AS moved FROM booking"
        " GROUP BY family"
    )
    kept = {row["family"]: (row["live"], row["moved"]) for row in rows}
    assert [kept[each.family][0] for each in movers] == [1] * MOVERS
    assert 0 < sum(moved for _, moved in kept.values()) < RUSHES * SEATS
    await nothing_is_wrong()


async def test_without_its_guards_everybody_moves(world_db, website, unguarded):
    """Negative control: the same rush to one date without condition and constraint."""
    await unguarded()
    crowd = await parents(FEW)
    first, session = await sessions([FEW, SEATS])
    bookings = await placed(crowd, first)
    await log_in(crowd)
    answers, _ = await rush_to(website, crowd, bookings, session)
    assert answers == {(201, None): FEW}
    assert await taken(session) == FEW
