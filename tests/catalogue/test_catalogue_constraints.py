"""Every named constraint of the catalogue refuses under its own name."""

import pytest

import world
from firing import constraints_of, fires, goes_in, insert
from leerbudget.foundation.ids import new_id

TABLES = (
    *("course", "venue", "course_session", "meeting", "cancelled_meeting", "elearning_unit"),
    *("session_party", "childcare_places", "session_person"),
)
AT = "2027-03-01T18:00:00Z"
LATER = "2027-03-01T20:00:00Z"


def a_unit(session):
    """E-learning that is right."""
    unit = {"session": session, "number": 1, "title": "X", "link": "https://leren.example/x", "duration_minutes": 60}
    return unit | {"published_at": AT}


def of_a_unit(unit):
    """What e-learning refuses."""
    return [
        ("one_unit_per_meeting", "elearning_unit", unit, {}),
        ("unit_link_is_safe", "elearning_unit", unit, {"link": "http://leren.example/x"}),
        ("unit_link_is_safe", "elearning_unit", unit, {"link": "https://leren.example/x y"}),
        ("unit_fits_a_day", "elearning_unit", unit, {"duration_minutes": 4}),
        ("unit_fits_a_day", "elearning_unit", unit, {"duration_minutes": 481}),
        ("elearning_unit_session_fkey", "elearning_unit", unit, {"session": new_id()}),
    ]


@pytest.mark.usefixtures("world_db")
async def test_every_constraint_of_the_catalogue_fires():
    """Each CHECK, UNIQUE and foreign key of these tables answers with the error that claims it; none is left out."""
    session = await world.a_session()
    trainer, _ = await world.a_trainer()
    _, person = await world.a_trainer()
    course = {"external_ref": "X", "title": "X", "theme": "trauma", "form": "webinar", "goal": "X", "state": "admitted"}
    course |= {"audience": {}, "cancellation": [], "regular_guidance": False, "created_at": AT}
    venue = {"external_ref": "X", "name": "X", "postcode4": "3511", "place": "X", "wheelchair": False}
    series = {"external_ref": "X", "course": await world.a_course(), "trainer": trainer, "state": "draft"}
    series |= {"price_cents": 0, "seats_min": 1, "seats_max": 2, "seats_taken": 0, "starts_at": AT, "ends_at": LATER}
    series |= {"decide_on": "2027-02-01", "created_at": AT}
    meeting = {"session": session, "number": 9, "starts_at": AT, "ends_at": LATER}
    unit = a_unit(session)
    gone = meeting | {"reason": "X", "cancelled_at": AT}
    party = {"session": session, "party": "parents", "seats_min": 1, "seats_max": 2, "seats_taken": 0}
    places = {"session": session, "age_band": "a4_8", "places_max": 2, "places_taken": 0}
    leader = {"session": session, "person": person, "role": "facilitator"}
    attempts = [
        ("course_ref_once", "course", course, {}),
        ("course_theme_is_known", "course", course, {"theme": "x"}),
        ("course_form_is_known", "course", course, {"form": "x"}),
        ("course_state_is_known", "course", course, {"state": "x"}),
        ("emergencies_are_few", "course", course, {"emergencies_per_year": 13}),
        ("no_show_is_a_share", "course", course, {"no_show_percent": 101}),
        ("guidance_is_never_admitted", "course", course, {"regular_guidance": True}),
        ("course_organisation_fkey", "course", course, {"organisation": new_id()}),
        ("venue_ref_once", "venue", venue, {}),
        ("venue_postcode_has_four_digits", "venue", venue, {"postcode4": "35"}),
        ("session_ref_once", "course_session", series, {}),
        ("session_state_is_known", "course_session", series, {"state": "x"}),
        ("seats_within_capacity", "course_session", series, {"seats_taken": 3}),
        ("seats_within_capacity", "course_session", series, {"seats_taken": -1}),
        ("seats_within_capacity", "course_session", series, {"catch_up_seats": 3}),
        ("seats_within_capacity", "course_session", series, {"catch_up_seats": -1}),
        ("seats_min_fits_max", "course_session", series, {"seats_min": 3}),
        ("seats_min_fits_max", "course_session", series, {"seats_min": 0}),
        ("seats_min_fits_max", "course_session", series, {"seats_max": 1001}),
        ("price_within_bounds", "course_session", series, {"price_cents": -1}),
        ("price_within_bounds", "course_session", series, {"price_cents": 1_000_001}),
        ("session_ends_after_start", "course_session", series, {"ends_at": AT}),
        ("course_session_course_fkey", "course_session", series, {"course": new_id()}),
        ("course_session_venue_fkey", "course_session", series, {"venue": new_id()}),
        ("course_session_tariff_fkey", "course_session", series, {"tariff": new_id()}),
        ("course_session_trainer_fkey", "course_session", series, {"trainer": new_id()}),
        ("meeting_number_once", "meeting", meeting, {}),
        ("meeting_ends_after_start", "meeting", meeting, {"ends_at": AT}),
        ("meeting_ends_after_start", "meeting", meeting, {"ends_at": "2027-03-02T18:00:00Z"}),
        ("meeting_session_fkey", "meeting", meeting, {"session": new_id()}),
        *of_a_unit(unit),
        ("cancelled_meeting_once", "cancelled_meeting", gone, {}),
        ("cancelled_meeting_session_fkey", "cancelled_meeting", gone, {"session": new_id()}),
        ("party_once_per_session", "session_party", party, {}),
        ("session_party_is_known", "session_party", party, {"party": "x"}),
        ("party_within_capacity", "session_party", party, {"seats_taken": 3}),
        ("party_min_fits_max", "session_party", party, {"seats_min": 3}),
        ("session_party_session_fkey", "session_party", party, {"session": new_id()}),
        ("childcare_band_once", "childcare_places", places, {}),
        ("childcare_band_is_known", "childcare_places", places, {"age_band": "x"}),
        ("childcare_within_capacity", "childcare_places", places, {"places_taken": 3}),
        ("childcare_places_session_fkey", "childcare_places", places, {"session": new_id()}),
        ("person_once_per_session", "session_person", leader, {}),
        ("session_role_is_known", "session_person", leader, {"role": "x"}),
        ("session_person_session_fkey", "session_person", leader, {"session": new_id()}),
        ("session_person_person_fkey", "session_person", leader, {"person": new_id()}),
    ]
    for constraint, table, good, bad in attempts:
        await goes_in(table, good)
        await fires(constraint, table, good, **bad)
    assert {attempt[0] for attempt in attempts} == await constraints_of(*TABLES)


@pytest.mark.usefixtures("world_db")
async def test_every_constraint_of_tariffs_fires():
    """The same for tariffs, and the one that keeps two tariffs of one course apart."""
    good = {"external_ref": "X", "course": await world.a_course(), "scope": "national", "price_cents": 0}
    good |= {"starts_on": "2027-01-01", "ends_on": "2027-12-31", "added_at": AT}
    town = good | {"scope": "municipality", "municipalities": ["Utrecht"]}
    region = good | {"scope": "youth_region", "region": "X", "municipalities": ["Utrecht", "Zeist"]}
    staff = good | {"scope": "organisation", "organisation": await world.an_organisation()}
    attempts = [
        ("tariff_ref_once", good, {}),
        ("tariff_scope_is_known", good, {"scope": "x"}),
        ("tariff_names_its_scope", good, {"scope": "municipality"}),
        ("tariff_names_its_scope", good, {"municipalities": ["Utrecht"]}),
        ("tariff_names_its_scope", town, {"municipalities": ["Utrecht", "Zeist"]}),
        ("tariff_names_its_scope", town, {"municipalities": None}),
        ("tariff_names_its_scope", town, {"region": "X"}),
        ("tariff_names_its_scope", region, {"region": None}),
        ("tariff_names_its_scope", region, {"municipalities": []}),
        ("tariff_names_its_scope", staff, {"organisation": None}),
        ("tariff_names_its_scope", staff, {"municipalities": ["Utrecht"]}),
        ("tariff_within_bounds", good, {"price_cents": -1}),
        ("tariff_within_bounds", good, {"price_cents": 1_000_001}),
        ("tariff_period_runs_forward", good, {"ends_on": "2026-12-31"}),
        ("tariff_period_runs_forward", good, {"ends_on": "2026-12-30", "ended_at": AT}),
        ("tariff_course_fkey", good, {"course": new_id()}),
        ("tariff_organisation_fkey", staff, {"organisation": new_id()}),
    ]
    for constraint, row, bad in attempts:
        await goes_in("tariff", row)
        await fires(constraint, "tariff", row, **bad)
    assert {constraint for constraint, *_ in attempts} == await constraints_of("tariff")
    for row in (good, town, region, staff):
        await insert("tariff", row | {"id": new_id(), "external_ref": str(new_id())})
        await fires("one_tariff_at_a_time", "tariff", row, external_ref=str(new_id()))
        await goes_in("tariff", row | {"starts_on": "2028-01-01", "ends_on": None})
