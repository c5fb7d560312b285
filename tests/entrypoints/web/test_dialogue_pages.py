"""A coordinator's pages about dialogues: who is missing, seats for people without a family, and the line for them."""

from contextlib import asynccontextmanager

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation.ids import new_id
from leerbudget.people import queries as people


@asynccontextmanager
async def at_the_desk(app):
    """A dialogue with one family in it, its page, and the coordinator."""
    session, family = await world.a_dialogue(), await world.a_family()
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    await bookings.book(request, actor=None)
    async with visiting.coordinator(app) as person:
        yield session, f"/gesprekken/{session}", person


async def a_worker(**more):
    """A professional as people know one: name and address."""
    found = await people.person(await world.a_professional(**more))
    return found.name, found.email


async def gives(person, page, who, doe="plaats"):
    """The form, filled in."""
    return await person.submit(page, f"{page}/plaatsen", who=who, doe=doe)


async def test_a_coordinator_fills_a_dialogue_by_party(app, world_db):
    """The list says who is missing; a seat given by address is there, counted for its party, with the name."""
    async with at_the_desk(app) as (_, page, person):
        assert "Pleegzorgbegeleiders: 0 van 3" in await person.page("/gesprekken")
        name, address = await a_worker()
        answer = await gives(person, page, address)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?melding=plaats-gegeven")
        shown = await person.page(page)
        assert name in shown
        assert "Pleegzorgbegeleiders: 1 van 3" in await person.page("/gesprekken")


async def test_families_stay_numbers(app, world_db):
    """No page of the coordinator names a foster parent, and asking for one's address says nothing."""
    async with at_the_desk(app) as (_, page, person):
        family = await world.a_family()
        (mother,) = await people.persons_of(family)
        shown = await person.page(page) + await person.page("/gesprekken")
        assert "Ouder " not in shown
        answers = [await gives(person, page, who) for who in (mother.email, "niemand@fictief.example")]
        sentences = ["Wij kennen niemand met dit adres of kenmerk" in answer.text for answer in answers]
        assert ([answer.status_code for answer in answers], sentences) == ([422, 422], [True, True])
        assert await count("SELECT count(*) FROM booking WHERE family IS NULL") == 0


async def test_pressing_twice_gives_one_seat(app, world_db):
    """The page's own number makes the second press harmless."""
    async with at_the_desk(app) as (_, page, person):
        _, address = await a_worker()
        form = (await person.form(page, f"{page}/plaatsen")).values | {"who": [address], "doe": ["plaats"]}
        values = {name: each[0] for name, each in form.items()}
        for _ in range(2):
            assert (await person.post(f"{page}/plaatsen", values)).status_code == 303
        assert await count("SELECT count(*) FROM booking WHERE family IS NULL") == 1


async def test_who_does_not_fit_is_told_about_in_words_about_somebody_else(app, world_db):
    """A full party offers the line; an own professional of a family there is refused without a name; empty asks again."""
    async with at_the_desk(app) as (session, page, person):
        for _ in range(3):
            await gives(person, page, (await a_worker())[1])
        _, address = await a_worker()
        full = await gives(person, page, address)
        assert (full.status_code, "op de wachtlijst zetten" in full.text, address in full.text) == (409, True, True)
        answer = await gives(person, page, address, "wachtlijst")
        assert answer.headers["location"] == f"{page}?melding=in-de-rij"
        assert "al op een wachtlijst" in (await gives(person, page, address, "wachtlijst")).text
        assert "Vul een e-mailadres of kenmerk in." in (await gives(person, page, "")).text
        family = await world.a_family()
        theirs = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
        await bookings.book(theirs, actor=None)
        _, own = await a_worker(families=[family], party="guardian_workers")
        refused = await gives(person, page, own)
        assert (refused.status_code, "past niet bij de groep" in refused.text) == (409, True)


async def test_a_seat_that_is_taken_back_goes_to_the_first_in_line(app, world_db):
    """Asked once more before it happens; the worker then seats who waits, and the page says so."""
    async with at_the_desk(app) as (_, page, person):
        workers = [await a_worker() for _ in range(4)]
        for _, address in workers[:3]:
            await gives(person, page, address)
        await gives(person, page, workers[3][1], "wachtlijst")
        booking = await visiting.count("SELECT id FROM booking WHERE family IS NULL ORDER BY booked_at LIMIT 1")
        asking = await person.page(f"{page}?terug={booking}")
        assert f"Neemt u de plaats van {workers[0][0]} terug?" in asking
        answer = await person.submit(f"{page}?terug={booking}", f"{page}/terugnemen")
        assert answer.headers["location"] == f"{page}?melding=plaats-terug"
        assert (await person.post(f"{page}/terugnemen", {"booking": str(booking)})).headers["location"] == page
        assert (await person.post(f"{page}/terugnemen", {"booking": str(new_id())})).status_code == 404
        await waiting.offer_free_seats()
        shown = await person.page(page)
        assert workers[0][0] not in shown
        assert workers[3][0] in shown
        assert "Er wacht niemand." in shown


async def test_somebody_is_taken_off_the_line(app, world_db):
    """Once; a second press finds it so."""
    async with at_the_desk(app) as (_, page, person):
        name, address = await a_worker()
        await gives(person, page, address, "wachtlijst")
        entry = await visiting.count("SELECT id FROM waiting_entry")
        answer = await person.submit(page, f"{page}/van-de-lijst")
        assert answer.headers["location"] == f"{page}?melding=uit-de-rij"
        assert (await person.post(f"{page}/van-de-lijst", {"entry": str(entry)})).headers["location"] == page
        assert (await person.post(f"{page}/van-de-lijst", {"entry": "x"})).status_code == 404
        assert name not in await person.page(page)
