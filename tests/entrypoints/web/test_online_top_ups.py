"""Paying in online, from the form to the pot: the pages, the made-up payment service over real HTTP, and its messages."""

import asyncio

import httpx
import pytest

import world
from entrypoints.web import visiting
from leerbudget.budgets import queries as budgets
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import inbox
from leerbudget.payments import queries as payments
from payments.pretend import PretendGateway
from payments.sandbox_server import gateway_to, listening, sandbox_on_a_port

EVENTS = "/api/v1/payment-events/sandbox"


@pytest.fixture
async def organisation(world_db):
    """A fictional organisation; afterwards payments and books fit."""
    yield await world.an_organisation()
    assert [*await payments.check(), *await ledger.check()] == []


@pytest.fixture
async def pretend(app):
    """An application with a payment service that can be told to be silent."""
    app.state.gateways["stripe"] = PretendGateway()
    yield app.state.gateways["stripe"]
    app.state.gateways.clear()


async def test_from_the_form_to_the_pot_by_the_message_of_the_payment_service(app, organisation):
    """Asked for twice, paid on the other side's page, told by a signed message: in the pot once, and the page says so."""
    async with listening(app, lifespan="off") as pages, sandbox_on_a_port(pages + EVENTS) as sandbox:
        app.state.gateways["sandbox"] = gateway_to(sandbox)
        try:
            async with visiting.finance(app, organisation) as finance:
                form = await finance.form("/organisatie", "/organisatie/stortingen")
                filled = {**form.values, "amount": "1.250", "way": "online"}
                places = {(await finance.post("/organisatie/stortingen", filled)).headers["location"] for _ in range(2)}
                (place,) = places
                (top_up,) = await payments.top_ups_of(organisation)
                assert top_up.pay_url in await finance.page(place)
                async with httpx.AsyncClient() as payer:
                    pressed = await payer.post(top_up.pay_url, data={"knop": "betalen", "methode": "ideal"})
                    assert pressed.headers["location"].endswith(f"/organisatie/stortingen/{top_up.id}?betaald=ja")
                assert "Wacht op betaling" in await finance.page(f"/organisatie/stortingen/{top_up.id}")
                await told(app)
                assert "Het geld staat in de pot." in await finance.page(f"/organisatie/stortingen/{top_up.reference}")
        finally:
            app.state.gateways.clear()
    assert (await budgets.pot(organisation)).free_cents == 125_000


async def told(app):
    """Wait for the message, and look at what it is about."""
    for _ in range(500):
        await inbox.look_at_messages(app.state.gateways)
        if await fetch_value("SELECT count(*) FROM payment WHERE state = 'succeeded'"):
            return
        await asyncio.sleep(0.01)
    pytest.fail("no message came")


async def test_who_comes_back_from_paying_sees_at_once_that_it_counts(app, organisation, pretend):
    """Before any message: the page itself looks. A silent payment service does not break the page."""
    async with visiting.finance(app, organisation) as finance:
        await finance.submit("/organisatie", "/organisatie/stortingen", amount="50", way="online")
        (top_up,) = await payments.top_ups_of(organisation)
        pretend.tell(top_up.gateway_ref, "received", 5_000)
        back = f"/organisatie/stortingen/{top_up.id}?betaald=ja"
        pretend.moods.append("silent")
        assert "Wacht op betaling" in await finance.page(back)
        assert "Het geld staat in de pot." in await finance.page(back)


@pytest.mark.parametrize(("mood", "status"), [("silent", 503), ("refuse", 502)])
async def test_a_payment_service_that_does_not_help_loses_nothing(app, organisation, pretend, mood, status):
    """The form comes back with what was filled in; silent: sent again, it is the same payment."""
    async with visiting.finance(app, organisation) as finance:
        form = await finance.form("/organisatie", "/organisatie/stortingen")
        filled = {**form.values, "amount": "1.250", "purchase_order": "INK-9", "way": "online"}
        pretend.moods.append(mood)
        answer = await finance.post("/organisatie/stortingen", filled)
        assert answer.status_code == status
        assert 'value="1.250"' in answer.text
        assert 'value="INK-9"' in answer.text
        again = await finance.post("/organisatie/stortingen", filled)
        assert again.status_code == (303 if mood == "silent" else status)
    assert len(await payments.top_ups_of(organisation)) == 1


async def test_too_much_for_the_payment_service_is_told_beside_the_amount(app, organisation, pretend):
    """Above what it takes: a sentence that names the way that is left."""
    async with visiting.finance(app, organisation) as finance:
        answer = await finance.submit("/organisatie", "/organisatie/stortingen", amount="50.001", way="online")
        assert answer.status_code == 422
        assert "Kies voor overboeken." in answer.text
    assert pretend.questions == []


async def test_without_a_payment_service_nothing_offers_one(app, organisation):
    """The form asks only for an amount, and the API says that there is none."""
    async with visiting.finance(app, organisation) as finance:
        form = await finance.form("/organisatie", "/organisatie/stortingen")
        assert "way" not in form.values
        answer = await finance.post("/organisatie/stortingen", {**form.values, "amount": "50", "way": "online"})
        assert answer.status_code == 404
    assert await payments.top_ups_of(organisation) == []


async def test_only_what_the_payment_service_signed_is_noted(app, organisation):
    """Unsigned, forged, too large, for a service that is not here: refused with a code, and nothing is noted."""
    async with sandbox_on_a_port() as sandbox:
        app.state.gateways["sandbox"] = gateway_to(sandbox)
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://leerbudget.test") as post:
                cases = [
                    (EVENTS, b"{}", {}, 422),
                    (EVENTS, b"{}", {"stripe-signature": "t=1,v1=00"}, 422),
                    (EVENTS, b"\xff", {"stripe-signature": "x"}, 422),
                    (EVENTS, b"x" * (inbox.EVENT_BYTES_MAX + 1), {"stripe-signature": "x"}, 422),
                    (EVENTS, b"x" * (3 * inbox.EVENT_BYTES_MAX), {"stripe-signature": "x"}, 413),
                    ("/api/v1/payment-events/stripe", b"{}", {}, 404),
                ]
                for path, body, headers, status in cases:
                    answer = await post.post(path, content=body, headers=headers)
                    assert answer.status_code == status, (path, len(body))
                    assert "application/problem+json" in answer.headers["content-type"]
        finally:
            app.state.gateways.clear()
    assert await fetch_value("SELECT count(*) FROM payment_event") == 0


async def test_a_program_pays_in_online_too(app, organisation, pretend):
    """The API answers with the page to pay on; the same request again is the same payment."""
    made = str(new_id())
    async with visiting.finance(app, organisation) as finance:
        order = {"id": made, "amount_cents": 125_000, "online": True}
        for _ in range(2):
            answer = await finance.send(f"/api/v1/organisations/{organisation}/top-ups", order)
            assert answer.status_code == 201
            told_top_up = answer.json()
            assert (told_top_up["state"], told_top_up["gateway"]) == ("open", "stripe")
            assert told_top_up["pay_url"] == f"https://pay.example/{made}"
    assert len(pretend.payments) == 1


async def test_a_task_about_money_is_closed_with_what_was_done(app, organisation, pretend):
    """The coordinator sees it among the top-ups; without a word it stays open; closed twice is once; finance never sees it."""
    async with visiting.finance(app, organisation) as finance, visiting.coordinator(app) as coordinator:
        await finance.submit("/organisatie", "/organisatie/stortingen", amount="50", way="online")
        (top_up,) = await payments.top_ups_of(organisation)
        pretend.tell(top_up.gateway_ref, "received", 4_999)
        await inbox.look_at(pretend, top_up.gateway_ref)
        (task,) = await payments.open_tasks()
        place = f"/stortingen/taken/{task.id}"
        assert place in await coordinator.page("/stortingen")
        assert (await coordinator.submit(place, place, outcome="")).status_code == 422
        assert (await finance.get(place)).status_code == 404
        for _ in "ab":
            answer = await coordinator.post(place, {"outcome": "Gebeld; stort de rest opnieuw."})
            assert answer.headers["location"] == "/stortingen?melding=taak-afgerond"
        assert "Gebeld; stort de rest opnieuw." in await coordinator.page(place)
        assert (await coordinator.post(place, {"outcome": "Iets anders."})).status_code == 404
        assert await payments.open_tasks() == []
