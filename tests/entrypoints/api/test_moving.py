"""Another date, and something with a child, through the JSON interface."""

from dataclasses import replace

import pytest

import world
from entrypoints.api.stage import log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation.ids import new_id

PRICE, HALF = 4500, 2250


@pytest.fixture
async def booked(app):
    """A family's client, what it booked, and another date of the course."""
    family, course = await world.a_family(), await world.a_course()
    await world.a_budget(family)
    (person,) = await world.parents_of(family)
    first = await world.a_session(course=course)
    second = await world.a_session(course=course, meetings=[world.in_days(40)])
    request = BookingRequest(new_id(), family, first, (person,))
    await actions.book(request, actor=None)
    async with client_for(app, headers=ORIGIN) as browser:
        await log_in(browser, "ouder@fictief.example", person, [("foster_parent", family)])
        yield browser, request, first, second


async def test_a_booking_moves_once(booked):
    """Where to, what it comes to, and doing it: twice the same order is one move with one answer; the old one tells."""
    browser, asked, _, second = booked
    base = f"/api/v1/bookings/{asked.id}"
    (sister,) = (await browser.get(f"{base}/sister-sessions")).json()["items"]
    assert (sister["course_session"], sister["price_cents"]) == (str(second), PRICE)
    quote = (await browser.post(f"{base}/move-quotes", json={"course_session": str(second)})).json()
    assert (quote["price_cents"], quote["fee_cents"]) == (PRICE, 0)
    order = {"id": str(new_id()), "course_session": str(second), "price_shown_cents": PRICE, "fee_shown_cents": 0}
    answers = [await browser.post(f"{base}/moves", json=order) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    old, made = [(await browser.get(f"/api/v1/bookings/{key}")).json() for key in (asked.id, order["id"])]
    assert (old["state"], old["end_reason"], old["moved_to"]) == ("cancelled", "moved", order["id"])
    assert (made["state"], made["course_session"]) == ("confirmed", str(second))
    assert (await browser.get(f"{base}/sister-sessions")).json() == {"items": []}
    assert await queries.inconsistencies() == []


async def test_a_move_that_cannot_be_says_why(booked):
    """A fee or price other than shown, a session that is none or not of the course: a code, and nothing changed."""
    browser, asked, first, second = booked
    base = f"/api/v1/bookings/{asked.id}/moves"
    order = {"id": str(new_id()), "course_session": str(second)}
    for changes, status, code in (
        ({"price_shown_cents": 1}, 409, "price_changed"),
        ({"fee_shown_cents": 1}, 409, "fee_changed"),
        ({"course_session": str(first)}, 409, "not_a_sister"),
        ({"course_session": str(new_id())}, 422, "invalid_input"),
        ({"fee_shown_cents": -1}, 422, "invalid_input"),
        ({"wish": str(new_id())}, 422, "invalid_input"),
    ):
        answer = await browser.post(base, json=order | changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
    assert (await browser.get(f"/api/v1/bookings/{asked.id}")).json()["state"] == "confirmed"


async def test_something_with_a_child_is_free_and_again_has_no_effect(booked):
    """Late, the preview tells fee and what is left; the family pays nothing, and asking again changes nothing."""
    browser, asked, _, _ = booked
    late = replace(asked, id=new_id(), session=await world.a_session(meetings=[world.in_days(10)]))
    await actions.book(late, actor=None)
    base = f"/api/v1/bookings/{late.id}"
    preview = (await browser.get(f"{base}/cancellation")).json()
    assert (preview["fee_cents"], preview["emergencies_left"], preview["free_when_replaced"]) == (HALF, 2, True)
    answers = [await browser.put(f"{base}/child-cancellation") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["fee_cents"] == 0
