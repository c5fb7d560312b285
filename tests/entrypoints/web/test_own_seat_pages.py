"""The pages of who has no family: the own seats, an answer to an offer, and not coming after all."""

from contextlib import asynccontextmanager

import world
from entrypoints.web import visiting
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import own_seats
from leerbudget.foundation import clock
from leerbudget.people import queries as people


@asynccontextmanager
async def invited(app):
    """A professional with an offer of a round, the page of it, and what the seat is."""
    session, worker = await world.a_dialogue(), await world.a_professional()
    booking = await world.a_seat_offered(worker, session)
    email = (await people.person(worker)).email
    async with visiting.somebody(app, email, worker, []) as person:
        yield person, f"/mijn-plekken/{booking}", lambda: own_seats.seat(booking, worker)


async def test_a_professional_says_yes_and_later_not_after_all(app, world_db):
    """From the list to the seat, yes once and twice, then not coming, once and twice."""
    async with invited(app) as (person, page, seat):
        listed = await person.page("/mijn-plekken")
        assert "Wacht op uw antwoord" in listed
        assert page in listed
        assert "Het is dichtbij." in await person.page(page)
        for _ in range(2):
            answer = await person.post(f"{page}/aannemen")
            assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?melding=plaats-aangenomen")
        assert (await seat()).state == "confirmed"
        assert "Wacht op uw antwoord" not in await person.page("/mijn-plekken")
        for _ in range(2):
            answer = await person.post(f"{page}/afzeggen")
            assert (answer.status_code, answer.headers["location"]) == (303, "/mijn-plekken?melding=afgezegd")
        assert (await seat()).state == "cancelled"


async def test_a_professional_says_no_with_or_without_a_reason(app, world_db):
    """A reason that is not on the list is asked again; after the no a yes comes too late and is told so."""
    async with invited(app) as (person, page, seat):
        wrong = await person.submit(page, f"{page}/afwijzen", reason="zomaar")
        assert (wrong.status_code, (await seat()).state) == (422, "offered")
        answer = await person.submit(page, f"{page}/afwijzen", reason="too_far")
        assert (answer.status_code, answer.headers["location"]) == (303, "/mijn-plekken?melding=plaats-afgewezen")
        late = await person.post(f"{page}/aannemen")
        assert (late.status_code, (await seat()).state) == (409, "declined")
        assert "Dit kan nu niet meer" in late.text


async def test_not_coming_is_for_before_the_first_meeting(app, world_db):
    """Once it has begun the page says that it cannot be any more."""
    session, worker = await world.a_dialogue(), await world.a_professional()
    booking = await world.a_seat_offered(worker, session)
    await bookings.accept(booking, actor=None)
    with clock.travelling((await own_seats.seat(booking, worker)).starts_at):
        async with visiting.professional(app, worker) as person:
            late = await person.post(f"/mijn-plekken/{booking}/afzeggen")
            assert (late.status_code, "Dit kan nu niet meer" in late.text) == (409, True)
    assert (await own_seats.seat(booking, worker)).state == "confirmed"


async def test_a_seat_of_another_is_not_there(app, world_db):
    """Another professional finds neither the seat nor its forms."""
    async with invited(app) as (_, page, seat), invited(app) as (other, _, _):
        assert (await other.get(page)).status_code == 404
        for deed in ("aannemen", "afwijzen", "afzeggen"):
            assert (await other.post(f"{page}/{deed}")).status_code == 404
        assert (await seat()).state == "offered"
