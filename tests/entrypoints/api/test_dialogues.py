"""Seats by party through the JSON interface: given once, taken back once, refused with a code."""

import pytest

import world
from entrypoints.api.stage import log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.bookings import queries, waiting
from leerbudget.foundation.ids import new_id
from leerbudget.people import queries as people

BASE = "/api/v1/dialogues"


@pytest.fixture
async def desk(app):
    """The coordinator's client, and a dialogue."""
    dialogue = await world.a_dialogue()
    async with client_for(app, headers=ORIGIN) as browser:
        await log_in(browser, "coordinator@fictief.example", None, [("coordinator", None)])
        yield browser, dialogue


async def an_order(**more):
    """A professional by address, under an id of the caller's."""
    person = await people.person(await world.a_professional(**more))
    return {"id": str(new_id()), "who": person.email}


async def test_a_seat_is_given_and_taken_back_once(desk):
    """Twice the same order is one seat with one answer; taking it back twice is once; the numbers follow."""
    browser, dialogue = desk
    order = await an_order()
    answers = [await browser.post(f"{BASE}/{dialogue}/seats", json=order) for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(201, "confirmed")] * 2
    whole = (await browser.get(f"{BASE}/{dialogue}")).json()
    assert [(each["booking"], each["party"]) for each in whole["seated"]] == [(order["id"], "foster_care_workers")]
    shares = {each["party"]: (each["taken"], each["seats_max"]) for each in whole["dialogue"]["parties"]}
    assert shares == {"foster_parents": (0, 3), "foster_care_workers": (1, 3), "guardian_workers": (0, 3)}
    seat = f"{BASE}/{dialogue}/seats/{order['id']}"
    assert [(await browser.delete(seat)).status_code for _ in range(2)] == [204, 204]
    (item,) = (await browser.get(BASE)).json()["items"]
    assert (item["course_session"], item["seats_taken"]) == (str(dialogue), 0)
    assert item["missing"] == ["foster_care_workers", "foster_parents"]
    assert (await browser.delete(f"{BASE}/{new_id()}/seats/{order['id']}")).status_code == 404
    assert await queries.inconsistencies() == []


async def test_who_waits_is_seated_and_can_be_taken_off_the_line(desk):
    """A full party: the first in line gets the freed seat; the second leaves, twice is once."""
    browser, dialogue = desk
    orders = [await an_order() for _ in range(5)]
    for order in orders[:3]:
        await browser.post(f"{BASE}/{dialogue}/seats", json=order)
    for order in orders[3:]:
        answer = await browser.post(f"{BASE}/{dialogue}/waiting-entries", json=order)
        assert (answer.status_code, answer.json()["state"]) == (201, "waiting")
    await browser.delete(f"{BASE}/{dialogue}/seats/{orders[0]['id']}")
    assert len(await waiting.offer_free_seats()) == 1
    whole = (await browser.get(f"{BASE}/{dialogue}")).json()
    assert ([each["entry"] for each in whole["in_line"]], len(whole["seated"])) == ([orders[4]["id"]], 3)
    entry = f"{BASE}/{dialogue}/waiting-entries/{orders[4]['id']}"
    assert [(await browser.delete(entry)).status_code for _ in range(2)] == [204, 204]
    served = await browser.post(f"{BASE}/{dialogue}/waiting-entries", json=orders[3])
    assert (served.status_code, served.json()["state"]) == (201, "served")
    gone = await browser.delete(f"{BASE}/{dialogue}/waiting-entries/{orders[3]['id']}")
    assert (gone.status_code, gone.json()["code"]) == (409, "not_waiting")


async def test_a_seat_that_cannot_be_says_why(desk):
    """A code for each reason, and nothing changed."""
    browser, dialogue = desk
    family = await world.a_family()
    (mother,) = await people.persons_of(family)
    for _ in range(3):
        await browser.post(f"{BASE}/{dialogue}/seats", json=await an_order())
    order = await an_order()
    guest = await an_order(party="guardian_workers")
    first = await browser.post(f"{BASE}/{dialogue}/seats", json=guest)
    assert first.status_code == 201
    for changes, status, code in (
        ({}, 409, "party_full"),
        ({"who": mother.email}, 422, "guest_unknown"),
        ({"who": "niemand"}, 422, "guest_unknown"),
        ({"who": ""}, 422, "invalid_input"),
        ({"who": guest["who"]}, 409, "already_booked"),
        ({"id": guest["id"]}, 422, "idempotency_mismatch"),
        ({"family": str(family)}, 422, "invalid_input"),
    ):
        answer = await browser.post(f"{BASE}/{dialogue}/seats", json=order | changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
    other = await browser.post(f"{BASE}/{await world.a_session()}/seats", json=order)
    assert other.status_code == 404
    assert (await browser.get(f"{BASE}/{dialogue}")).json()["dialogue"]["seats_taken"] == 4
