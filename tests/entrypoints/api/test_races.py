"""Requests that come at the same moment: one effect, and everybody hears the truth (I3, I5)."""

import asyncio
from collections import Counter
from uuid import UUID

import world
from entrypoints.api.stage import log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.bookings import queries as bookings
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id

AT_ONCE = 6


async def book(browser, family: UUID, session: UUID, key: UUID):
    """One request for a seat; status and code or booking."""
    (person,) = await world.parents_of(family)
    order = {"id": str(key), "course_session": str(session), "persons": [str(person)]}
    answer = await browser.post(f"/api/v1/families/{family}/bookings", json=order)
    return answer.status_code, answer.json().get("code") or answer.json()["booking"]


async def test_one_request_sent_many_times_is_one_booking(app):
    """The id decides: six times the same id is one booking and one answer; six ids are one booking and five no's.

    The second half is the control: the requests do compete.
    """
    family = await world.a_family()
    await world.a_budget(family)
    (person,) = await world.parents_of(family)
    async with client_for(app, headers=ORIGIN) as browser:
        await log_in(browser, "ouder@fictief.example", person, [("foster_parent", family)])
        key, first, second = new_id(), await world.a_session(), await world.a_session(meetings=[world.in_days(50)])
        same = await asyncio.gather(*(book(browser, family, first, key) for _ in range(AT_ONCE)))
        others = await asyncio.gather(*(book(browser, family, second, new_id()) for _ in range(AT_ONCE)))
    assert set(same) == {(201, str(key))}
    assert Counter(status for status, _ in others) == {201: 1, 409: AT_ONCE - 1}
    assert {code for status, code in others if status == 409} <= {"already_booked", "meetings_overlap"}
    assert await fetch_value("SELECT count(*) FROM booking") == 2
    assert await bookings.inconsistencies() == []


async def test_the_last_seat_is_sold_once(app):
    """Six families, one seat: one booking, five times `session_full`. Two seats: two bookings (the control)."""
    families = [await world.a_family() for _ in range(AT_ONCE)]
    browsers = []
    for family in families:
        await world.a_budget(family)
        browser = client_for(app, headers=ORIGIN)
        (person,) = await world.parents_of(family)
        await log_in(browser, f"{family}@fictief.example", person, [("foster_parent", family)])
        browsers.append(browser)
    for seats, day in ((1, 30), (2, 50)):
        session = await world.a_session(seats=seats, meetings=[world.in_days(day)])
        calls = [book(browser, family, session, new_id()) for browser, family in zip(browsers, families, strict=True)]
        answers = await asyncio.gather(*calls)
        assert Counter(status for status, _ in answers) == {201: seats, 409: AT_ONCE - seats}
        assert {code for status, code in answers if status == 409} == {"session_full"}
        assert await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session) == seats
    for browser in browsers:
        await browser.aclose()
    assert await bookings.inconsistencies() == []
