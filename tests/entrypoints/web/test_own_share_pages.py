"""A parent pays a part of the price: from the form, over the payment service's own page, to the seat or the money back."""

import asyncio
from datetime import timedelta

import httpx
import pytest

import world
from entrypoints.http.browsing import ORIGIN
from entrypoints.web import visiting
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import queries as booking_queries
from leerbudget.foundation import clock
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import asking, inbox, own_shares
from payments.pretend import PretendGateway
from payments.sandbox_server import gateway_to, listening, sandbox_on_a_port

EVENTS = "/api/v1/payment-events/sandbox"
PRICE, OWN = 18_000, 3_000


@pytest.fixture
async def family(world_db):
    """A family with EUR 150 of budget; afterwards bookings and books fit."""
    made = await world.a_family()
    await world.a_budget(made, euros=150)
    yield made
    assert [*await booking_queries.inconsistencies(), *await ledger.check()] == []


@pytest.fixture
async def pretend(app):
    """An application with a payment service that can be told to be silent."""
    app.state.gateways["stripe"] = PretendGateway()
    yield app.state.gateways["stripe"]
    app.state.gateways.clear()


async def checked(parent, session):
    """The second step of booking: the answer, and the form that it holds."""
    path = f"/bijeenkomsten/{session}/inschrijven"
    answer = await parent.post(path, (await parent.form(path, path)).values)
    (form,) = [each for each in visiting.forms_in(answer.text) if each.action == path]
    return answer, form.values | {"confirm": "ja"}


async def test_from_the_form_to_the_seat_over_the_page_of_the_payment_service(app, family):
    """The check shows who pays what; pressed twice there is one payment; paid and told, the seat is theirs, and a mail says so."""
    session = await world.a_session(price_cents=PRICE)
    path = f"/bijeenkomsten/{session}/inschrijven"
    async with listening(app, lifespan="off") as pages, sandbox_on_a_port(pages + EVENTS) as sandbox:
        app.state.gateways["sandbox"] = gateway_to(sandbox)
        try:
            async with visiting.parent(app, family) as parent:
                answer, values = await checked(parent, session)
                assert "U betaalt €\xa030,00 zelf, met iDEAL of kaart." in answer.text
                places = {(await parent.post(path, values)).headers["location"] for _ in range(2)}
                (place,) = places
                booking = await fetch_one("SELECT id, state FROM booking")
                assert (place, booking["state"]) == (f"/inschrijvingen/{booking['id']}/betalen", "offered")
                shown = await parent.page(place)
                pay_url = await fetch_value("SELECT pay_url FROM payment")
                assert f'href="{pay_url}"' in shown
                assert "Nog te betalen" in await parent.page("/mijn")
                assert f'href="{place}"' in await parent.page("/inschrijvingen")
                async with httpx.AsyncClient() as payer:
                    pressed = await payer.post(pay_url, data={"knop": "betalen", "methode": "ideal"})
                    home = pressed.headers["location"]
                assert str(booking["id"]) not in home
                assert (await parent.get(httpx.URL(home).path)).headers["location"] == f"{place}?betaald=ja"
                back = await parent.get(f"{place}?betaald=ja")
                assert back.headers["location"].startswith(f"/inschrijvingen/{booking['id']}?")
                done = await parent.page(f"/inschrijvingen/{booking['id']}")
                assert "Zelf betaald" in done
                assert "€\xa030,00" in done
                cancelling = await parent.page(f"/inschrijvingen/{booking['id']}/annuleren")
                assert "naar uw eigen rekening" in cancelling
        finally:
            app.state.gateways.clear()
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'booking_confirmed'") == 1
    assert await fetch_value("SELECT count(*) FROM payment") == 1


async def test_another_seat_waits_until_the_one_before_is_paid_or_given_up(app, family, pretend):
    """The check says so, leads to that seat and keeps what was filled in; once the seat before is given up, the same form goes on."""
    first = await world.a_session(price_cents=PRICE)
    second = await world.a_session(price_cents=PRICE, meetings=[world.in_days(60)])
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, first)
        place = (await parent.post(f"/bijeenkomsten/{first}/inschrijven", values)).headers["location"]
        refused, _ = await checked(parent, second)
        assert refused.status_code == 409
        assert "U moet nog een andere plaats betalen." in refused.text
        assert f'href="{place}"' in refused.text
        await parent.submit(place, f"{place}/niet")
        answer, values = await checked(parent, second)
        assert answer.status_code == 200
        await parent.post(f"/bijeenkomsten/{second}/inschrijven", values)
    rows = await fetch_all("SELECT state FROM booking ORDER BY booked_at, id")
    assert [row["state"] for row in rows] == ["declined", "offered"]


async def test_whoever_thinks_better_of_it_pays_nothing(app, family, pretend):
    """Not after all: that frees the seat and the budget; the page says that nothing was paid, and pressing again changes nothing."""
    session = await world.a_session(price_cents=PRICE)
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, session)
        place = (await parent.post(f"/bijeenkomsten/{session}/inschrijven", values)).headers["location"]
        for _ in "ab":
            assert (
                await parent.submit(place, f"{place}/niet") if _ == "a" else await parent.post(f"{place}/niet")
            ).status_code == 303
        assert "U hebt niets betaald" in await parent.page(place)
    assert await fetch_value("SELECT state FROM booking") == "declined"
    assert await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session) == 0


async def test_paid_too_late_the_page_says_what_happens_with_the_money(app, family, pretend):
    """The seat went to others: the payer reads that it comes back, and it does; another family cannot look at the page."""
    session = await world.a_session(price_cents=PRICE, seats=1)
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, session)
        place = (await parent.post(f"/bijeenkomsten/{session}/inschrijven", values)).headers["location"]
        other = await world.a_family()
        await world.a_budget(other, euros=200)
        with travelling(clock.now() + timedelta(hours=1)):
            await bookings.expire_offers()
            persons = tuple(await world.parents_of(other))[:1]
            await bookings.book(bookings.BookingRequest(new_id(), other, session, persons), actor=None)
            ref = await fetch_value("SELECT gateway_ref FROM payment")
            pretend.tell(ref, "received", OWN)
        assert "Uw betaling kwam te laat" in await parent.page(f"{place}?betaald=ja")
        async with visiting.parent(app, other) as stranger:
            assert (await stranger.get(place)).status_code == 404
            payment = await fetch_value("SELECT id FROM payment")
            assert (await stranger.get(f"/betaald/{payment}")).status_code == 404
        with travelling(clock.now() + timedelta(hours=2)):
            await asking.ask_again({"stripe": pretend})
    assert [fact.amount_cents for fact in pretend.facts[ref] if fact.kind == "refunded"] == [OWN]


@pytest.mark.parametrize(("mood", "status"), [("silent", 303), ("refuse", 502)])
async def test_a_payment_service_that_does_not_help_loses_nothing(app, family, pretend, mood, status):
    """Silent: the seat is kept and the page says to wait. Refusing: the form comes back, and a next try is another one."""
    session = await world.a_session(price_cents=PRICE)
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, session)
        pretend.moods.append(mood)
        answer = await parent.post(f"/bijeenkomsten/{session}/inschrijven", values)
        assert answer.status_code == status
        if mood == "silent":
            pretend.moods.append("silent")
            assert "nog niet geantwoord" in await parent.page(answer.headers["location"])
        else:
            assert "nam de opdracht niet aan" in answer.text
            (form,) = [each for each in visiting.forms_in(answer.text) if "booking_id" in each.values]
            assert form.values["booking_id"] != values["booking_id"]


async def test_what_changed_since_the_check_is_shown_again(app, family, pretend):
    """Another share than was shown is refused with the share as it is now; without a service the budgets must pay it all."""
    session = await world.a_session(price_cents=PRICE)
    path = f"/bijeenkomsten/{session}/inschrijven"
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, session)
        await world.a_budget(family, euros=10)
        answer = await parent.post(path, values)
        assert answer.status_code == 409
        assert "U betaalt €\xa020,00 zelf" in answer.text
        pretend_gone = app.state.gateways.pop("stripe")
        assert (await parent.post(path, values | {"confirm": ""})).status_code == 409
        app.state.gateways["stripe"] = pretend_gone
    assert await fetch_value("SELECT count(*) FROM booking") == 0


async def test_by_the_api_the_same(app, family, pretend):
    """The quote names the own share, the order repeats it, the answer says where to pay, and it can be given up."""
    session = await world.a_session(price_cents=PRICE)
    person = str((await world.parents_of(family))[0])
    order = {"course_session": str(session), "persons": [person]}
    async with visiting.parent(app, family) as parent:
        quoted = (await parent.send(f"/api/v1/families/{family}/booking-quotes", order)).json()
        assert (quoted["own_cents"], quoted["payment"][0]["payer"]) == (OWN, "budget")
        made = order | {"id": str(new_id()), "own_shown_cents": OWN, "price_shown_cents": PRICE}
        receipt = (await parent.send(f"/api/v1/families/{family}/bookings", made)).json()
        assert (receipt["state"], receipt["own_cents"], receipt["pay_url"] is not None) == ("offered", OWN, True)
        payment = (await parent.get(f"/api/v1/bookings/{made['id']}/own-payment")).json()
        assert (payment["state"], payment["pay_url"]) == ("open", receipt["pay_url"])
        refused = await parent.client.put(f"/api/v1/bookings/{made['id']}/cancellation", headers=ORIGIN)
        assert refused.json()["code"] == "not_cancellable"
        for _ in "ab":
            given_up = await parent.client.put(f"/api/v1/bookings/{made['id']}/own-payment/refusal", headers=ORIGIN)
            assert (given_up.status_code, given_up.json()["state"]) == (200, "declined")
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind LIKE 'booking%'") == 0
    assert await own_shares.close_unneeded({"stripe": pretend}) == 1
    await inbox.look_at(pretend, f"cs_{own_shares.payment_of(made['id'])}")
    assert await fetch_value("SELECT state FROM payment") == "expired"


async def test_two_presses_at_once_are_one_seat(app, family, pretend):
    """Ten at the same moment with the same form: one booking, one payment, one question to the payment service."""
    session = await world.a_session(price_cents=PRICE)
    async with visiting.parent(app, family) as parent:
        _, values = await checked(parent, session)
        path = f"/bijeenkomsten/{session}/inschrijven"
        answers = await asyncio.gather(*(parent.post(path, values) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert await fetch_value("SELECT count(*) FROM booking") == await fetch_value("SELECT count(*) FROM payment") == 1
    assert len({key for what, key in pretend.questions if what == "start"}) == 1
