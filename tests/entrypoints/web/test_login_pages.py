"""Logging in and out through the pages, and the mailbox of the demonstration."""

import re

import pytest

import world
from entrypoints.http.browsing import ORIGIN, client_for, running, settings_for
from entrypoints.web import visiting
from entrypoints.web.visiting import Person, count
from leerbudget.app import create_app
from leerbudget.entrypoints.worker.mail import deliver_due
from leerbudget.identity import actions as identity
from leerbudget.notifications.delivery import delivery_for
from leerbudget.people import queries as people

BASE = "http://leerbudget.test"


@pytest.fixture
async def demo(world_db):
    async with running(create_app(settings_for(environment="demo"))) as made:
        yield made


async def test_from_link_to_page_and_out_again(demo):
    """Ask for a link, find it in the mailbox, press the button once, work, log out: the cookie is worthless after."""
    family = await world.a_family()
    (me,) = await people.persons_of(family)
    await identity.give_login(me.email, me.id, [("foster_parent", family)])
    async with client_for(demo) as client:
        person = Person(client)
        answer = await person.submit("/inloggen", "/inloggen", email=me.email.upper())
        assert answer.status_code == 200
        assert "Kijk in uw mail" in answer.text
        await deliver_due(delivery_for(None, BASE), BASE)
        box = await person.page(f"/postbus?aan={me.email}")
        (letter,) = set(re.findall(r"/postbus/[0-9a-f-]{36}", box))
        mail = await person.page(letter)
        link = re.search(r'href="(/inloggen/bevestigen\?sleutel=[A-Za-z0-9_-]+)"', mail)[1]
        assert mail.count("sleutel=") == 1
        assert await count("SELECT count(*) FROM web_session") == 0  # opening the link is not logging in
        answer = await person.submit(link, link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/welkom")
        assert (await person.get("/welkom")).headers["location"] == "/mijn"
        assert (await person.get("/inloggen")).headers["location"] == "/mijn"
        page = await person.page("/mijn")
        assert me.name in page
        old = client.cookies["leerbudget"]
        answer = await person.submit("/mijn", "/uitloggen")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?melding=uitgelogd")
        client.cookies.set("leerbudget", old, domain="leerbudget.test")
        assert (await person.get("/mijn")).headers["location"] == "/inloggen"
        again = await client.post(link, headers=ORIGIN)
        assert again.status_code == 422
        assert "nieuwe link" in again.text


async def test_known_and_unknown_addresses_get_the_same_answer(app, client):
    """Nobody learns from the page who has a login."""
    family = await world.a_family()
    (me,) = await people.persons_of(family)
    await identity.give_login(me.email, me.id, [("foster_parent", family)])
    person = Person(client)
    texts = set()
    for email in (me.email, "niemand@fictief.example"):
        answer = await person.post("/inloggen", {"email": email})
        assert answer.status_code == 200
        texts.add(answer.text.replace(email, "…"))
    assert len(texts) == 1


async def test_what_is_no_address_comes_back(app, client):
    """A wrong address answers 422 with the value kept; too many tries answer 429 with a sentence."""
    person = Person(client)
    for wrong in ("", "sanne", "a@b", "x\x00@y", "a" * 300 + "@voorbeeld.nl", "<b>@voorbeeld.nl"):
        answer = await person.post("/inloggen", {"email": wrong})
        assert answer.status_code == 422, wrong
        assert 'id="email-fout"' in answer.text
        assert "<b>@" not in answer.text
    answers = [await person.post("/inloggen", {"email": "vaak@fictief.example"}) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert 'id="email-fout"' in answers[-1].text


async def test_a_form_from_elsewhere_is_refused(app, client):
    """Without the word of the browser that it is our own page, logging in is refused: login forgery."""
    for headers in ({}, {"Origin": "https://elders.example"}, {"Sec-Fetch-Site": "cross-site", **ORIGIN}):
        answer = await client.post("/inloggen", data={"email": "a@voorbeeld.nl"}, headers=headers)
        assert answer.status_code == 403
    answer = await client.post("/inloggen", content=b'{"email": 1}', headers={**ORIGIN, "Content-Type": "text/plain"})
    assert answer.status_code == 422


async def test_the_mailbox_is_only_there_in_the_demonstration(app, client):
    """Outside the demonstration nobody reads mail on the site, and no logins are listed."""
    assert (await client.get("/postbus")).status_code == 404
    assert (await client.get(f"/postbus/{world.new_id()}")).status_code == 404
    page = (await client.get("/inloggen")).text
    assert "demonstratie" not in page


async def test_one_click_asks_for_the_link_of_a_demonstration_login(demo):
    """The login page of the demonstration lists who to be; its buttons ask for the link."""
    family = await world.a_family()
    await world.a_budget(family)
    await visiting.a_wish(family)
    member, person = await world.a_trainer()
    await world.a_session(trainer=member, people_there=((person, "trainer"),))
    await visiting.offers(family)
    await identity.give_login("coordinator@fictief.example", None, [("coordinator", None)])
    (me,) = await people.persons_of(family)
    await identity.give_login(me.email, me.id, [("foster_parent", family)])
    async with visiting.stranger(demo) as stranger:
        page = await stranger.page("/inloggen")
        listed = [f.values["email"][0] for f in visiting.forms_in(page) if f.action == "/inloggen"][1:]
        assert me.email in listed
        assert "coordinator@fictief.example" in listed
        answer = await stranger.post("/inloggen", {"email": me.email})
        assert f"/postbus?aan={me.email.replace('@', '%40')}" in answer.text


@pytest.mark.parametrize("key", ["", "x", "%00", "a" * 200, "../../mijn", "é"])
async def test_a_strange_link_logs_nobody_in(app, client, key):
    """Any rubbish in the link's address shows a page and is refused by its button."""
    page = await client.get(f"/inloggen/bevestigen?sleutel={key}")
    assert page.status_code == 200
    answer = await client.post(f"/inloggen/bevestigen?sleutel={key}", headers=ORIGIN)
    assert answer.status_code == 422
    assert "leerbudget" not in answer.cookies
