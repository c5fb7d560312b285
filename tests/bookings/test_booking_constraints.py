"""Every named constraint of bookings and the waiting list refuses under its own name."""

import pytest

import world
from firing import constraints_of, fires, goes_in
from leerbudget.bookings import actions, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue.elearning import UnitOrder, publish_unit
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id

TABLES = (
    *("booking", "booking_person", "attendance", "booking_childcare"),
    *("waiting_entry", "waiting_person", "waiting_try"),
)
AT = "2027-03-01T18:00:00Z"
LATER = "2027-03-01T20:00:00Z"


def of_a_booking(booking):
    """What a booking itself refuses."""
    cancelled = booking | {"state": "cancelled", "ended_at": AT}
    return [
        ("booking_state_is_known", "booking", booking, {"state": "x", "ended_at": AT}),
        ("booking_origin_is_known", "booking", booking, {"origin": "x"}),
        ("booking_has_persons", "booking", booking, {"persons": 0}),
        ("booking_has_persons", "booking", booking, {"persons": 11}),
        ("booking_price_not_negative", "booking", booking, {"price_cents": -1}),
        ("fee_within_price", "booking", booking, {"fee_cents": 4501, "state": "cancelled", "ended_at": AT}),
        ("fee_within_price", "booking", booking, {"fee_cents": -1}),
        ("own_share_within_price", "booking", cancelled, {"own_cents": 1}),
        ("own_share_within_price", "booking", cancelled, {"own_cents": -1}),
        ("unpaid_seats_are_only_kept", "booking", booking, {"own_cents": 1, "price_cents": 1}),
        ("only_cancelling_costs_a_fee", "booking", booking, {"fee_cents": 1, "price_cents": 1}),
        ("only_a_fee_is_returned", "booking", booking, {"fee_returned_at": AT}),
        ("only_a_fee_is_returned", "booking", booking, {"fee_returned_at": AT, "fee_returned_cents": 1}),
        ("only_a_fee_is_returned", "booking", booking, {"fee_returned_cents": 1}),
        ("only_moved_names_where_to", "booking", booking, {"moved_to": new_id()}),
        ("only_moved_names_where_to", "booking", cancelled, {"end_reason": "moved"}),
        ("offers_have_a_deadline", "booking", booking, {"state": "offered"}),
        ("only_ended_bookings_have_ended", "booking", booking, {"ended_at": AT}),
        ("only_ended_bookings_have_ended", "booking", booking, {"state": "cancelled"}),
        ("booking_family_fkey", "booking", booking, {"family": new_id()}),
        ("booking_session_fkey", "booking", booking, {"session": new_id()}),
        ("booking_wish_fkey", "booking", booking, {"wish": new_id()}),
    ]


@pytest.mark.usefixtures("world_db")
async def test_every_constraint_of_bookings_fires():
    """Each CHECK, UNIQUE and foreign key of these tables answers with the error that claims it; none is left out."""
    course = await world.a_course()
    session, family, other = await world.a_session(course=course), await world.a_family(), await world.a_family()
    await world.a_budget(family)
    (person,), (stranger,) = await world.parents_of(family), await world.parents_of(other)
    request = BookingRequest(new_id(), family, session, (person,))
    await actions.book(request, actor=None)
    entry = new_id()
    await waiting.join(WaitingOrder(entry, other, session, (stranger,)), actor=None)
    meeting = await fetch_value("SELECT id FROM meeting WHERE session = $1", session)
    booking = {"family": family, "session": session, "origin": "direct", "state": "confirmed", "persons": 1}
    booking |= {"price_cents": 0, "content_sha256": "x", "booked_at": AT}
    comes = {"booking": request.id, "session": session, "person": stranger, "live": False}
    there = {"booking": request.id, "meeting": meeting, "person": stranger, "person_number": 9, "starts_at": AT}
    there |= {"ends_at": LATER, "live": False, "state": "planned"}
    await publish_unit(UnitOrder(session, 1, "X", "https://leren.example/x", 60), actor=None)
    unit = await fetch_value("SELECT id FROM elearning_unit WHERE session = $1", session)
    alone = {"booking": request.id, "unit": unit, "person": stranger, "person_number": 9, "starts_at": AT}
    alone |= {"ends_at": AT, "live": True, "state": "planned", "instead_of": meeting}
    children = {"booking": request.id, "age_band": "a4_8", "places": 1}
    place = {"family": family, "course": course, "session": session, "state": "waiting", "childcare": {}}
    place |= {"content_sha256": "x", "asked_at": AT}
    waits = {"entry": entry, "course": course, "person": person, "live": False}
    tried = {"entry": entry, "session": session, "tried_at": AT}
    attempts = [
        *of_a_booking(booking),
        ("booking_person_once", "booking_person", comes, {}),
        ("booking_person_booking_fkey", "booking_person", comes, {"booking": new_id()}),
        ("booking_person_session_fkey", "booking_person", comes, {"session": new_id()}),
        ("booking_person_person_fkey", "booking_person", comes, {"person": new_id()}),
        ("attendance_once", "attendance", there, {}),
        ("attendance_state_is_known", "attendance", there, {"state": "x"}),
        ("attendance_is_somewhere", "attendance", there, {"unit": unit}),
        ("attendance_is_somewhere", "attendance", alone, {"unit": None}),
        ("attendance_once", "attendance", alone | {"live": False}, {}),
        ("elearning_replaces_a_meeting", "attendance", alone, {"instead_of": None}),
        ("elearning_takes_no_hour", "attendance", alone, {"ends_at": LATER}),
        ("elearning_is_done_or_not", "attendance", alone, {"state": "absent"}),
        ("attendance_unit_fkey", "attendance", alone, {"unit": new_id()}),
        ("attendance_booking_fkey", "attendance", there, {"booking": new_id()}),
        ("attendance_meeting_fkey", "attendance", there, {"meeting": new_id()}),
        ("attendance_person_fkey", "attendance", there, {"person": new_id()}),
        ("booking_childcare_once", "booking_childcare", children, {}),
        ("booking_childcare_band_is_known", "booking_childcare", children, {"age_band": "x"}),
        ("booking_childcare_is_positive", "booking_childcare", children, {"places": 0}),
        ("booking_childcare_is_positive", "booking_childcare", children, {"places": 21}),
        ("booking_childcare_booking_fkey", "booking_childcare", children, {"booking": new_id()}),
        ("waiting_state_is_known", "waiting_entry", place, {"state": "x", "ended_at": AT}),
        ("only_ended_waiting_has_ended", "waiting_entry", place, {"ended_at": AT}),
        ("only_ended_waiting_has_ended", "waiting_entry", place, {"state": "left"}),
        ("who_is_offered_has_a_booking", "waiting_entry", place, {"state": "offered"}),
        ("waiting_entry_family_fkey", "waiting_entry", place, {"family": new_id()}),
        ("waiting_entry_course_fkey", "waiting_entry", place, {"course": new_id()}),
        ("waiting_entry_session_fkey", "waiting_entry", place, {"session": new_id()}),
        ("waiting_entry_wish_fkey", "waiting_entry", place, {"wish": new_id()}),
        ("waiting_entry_booking_fkey", "waiting_entry", place, {"booking": new_id()}),
        ("waiting_person_once", "waiting_person", waits, {}),
        ("waiting_person_entry_fkey", "waiting_person", waits, {"entry": new_id()}),
        ("waiting_person_course_fkey", "waiting_person", waits, {"course": new_id()}),
        ("waiting_person_person_fkey", "waiting_person", waits, {"person": new_id()}),
        ("one_try_per_session", "waiting_try", tried, {}),
        ("waiting_try_entry_fkey", "waiting_try", tried, {"entry": new_id()}),
        ("waiting_try_session_fkey", "waiting_try", tried, {"session": new_id()}),
    ]
    for constraint, table, good, bad in attempts:
        await goes_in(table, good)
        await fires(constraint, table, good, **bad)
    assert {attempt[0] for attempt in attempts} == await constraints_of(*TABLES)
