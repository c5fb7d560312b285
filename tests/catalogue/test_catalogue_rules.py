"""Rules of the catalogue: states, clock changes, for whom, and what a session must be."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.catalogue import rules
from leerbudget.catalogue.errors import ClockChange
from leerbudget.catalogue.rules import COURSE_STATES, COURSE_STEPS, SESSION_STATES, SESSION_STEPS, SessionOrder
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.ids import new_id

FOR_ALL = {"family_type": {"kinship": "for"}, "experience": {"lt1": "suits"}, "child_age_bands": {"a4_8": "suits"}}


def an_order(**changes):
    start = datetime(2027, 3, 1, 18, tzinfo=UTC)
    values = {
        "id": new_id(),
        "external_ref": "S1",
        "course": new_id(),
        "venue": new_id(),
        "trainer": new_id(),
        "price_cents": 4500,
        "seats_min": 6,
        "seats_max": 12,
        "meetings": ((start, start + timedelta(hours=2)),),
        "decide_on": date(2027, 2, 22),
        "people": ((new_id(), "trainer"),),
    }
    return SessionOrder(**(values | changes))


@pytest.mark.parametrize(("states", "steps"), [(COURSE_STATES, COURSE_STEPS), (SESSION_STATES, SESSION_STEPS)])
def test_state_machines_are_whole(states, steps):
    """Every state has its steps, every step leads to a known state, and `sources_of` is the same table backwards."""
    assert set(steps) == set(states)
    for state in states:
        assert steps[state] <= set(states) - {state}
        assert rules.sources_of(steps, state) == [s for s in steps if rules.may_step(steps, s, state)]


def test_only_the_panel_admits_and_what_is_over_is_over():
    """A course is admitted from review only (R19); a session that is done or cancelled stays so."""
    assert rules.sources_of(COURSE_STEPS, "admitted") == ["in_review"]
    assert SESSION_STEPS["done"] == SESSION_STEPS["cancelled"] == frozenset()
    assert not rules.may_step(SESSION_STEPS, "nowhere", "done")


@pytest.mark.parametrize("night", [datetime(2027, 3, 28, 2, 30), datetime(2027, 10, 31, 2, 30)])  # noqa: DTZ001
def test_a_time_that_the_clock_skips_or_repeats_is_refused(night):
    """On the nights of the clock change 02:30 does not exist or exists twice: somebody must say which is meant."""
    with pytest.raises(ClockChange, match="02:30"):
        rules.wall_time(night)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)))  # noqa: DTZ001
def test_any_other_wall_time_is_one_instant(local):
    """What is not refused reads back as the same time on the clocks of Amsterdam."""
    try:
        instant = rules.wall_time(local)
    except ClockChange:
        assert local.hour == 2
        return
    assert instant.astimezone(AMSTERDAM).replace(tzinfo=None) == local


def test_a_wall_time_with_a_zone_is_no_wall_time():
    """A zone that is given is never dropped."""
    with pytest.raises(ValueError, match="zone"):
        rules.wall_time(datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("criterion", ["family_type", "experience", "child_age_bands"])
def test_an_offer_says_for_whom_it_is(criterion):
    """R18: without one of the three official criteria an offer is not complete; care form answers for family type."""
    without = {facet: marks for facet, marks in FOR_ALL.items() if facet != criterion}
    assert rules.differentiation_problems(FOR_ALL) == []
    assert [p.code for p in rules.differentiation_problems(without)] == ["differentiation_missing"]
    if criterion == "family_type":
        assert rules.differentiation_problems(without | {"care_forms": {"crisis": "for"}}) == []


def test_an_offer_for_nobody_is_refused():
    """A criterion whose every value is `not_for` leaves nobody."""
    nobody = FOR_ALL | {"family_type": dict.fromkeys(("recruited", "kinship", "kinship_grandparent"), "not_for")}
    assert [p.code for p in rules.differentiation_problems(nobody)] == ["for_nobody"]


@pytest.mark.parametrize(
    "audience", [{"colour": {"red": "for"}}, {"experience": {"lots": "for"}}, {"experience": {"lt1": "perhaps"}}]
)
def test_an_audience_keeps_to_the_closed_lists(audience):
    """Unknown criteria, values and words are told apart from what is known."""
    assert len(rules.audience_problems(audience)) == 1
    assert rules.audience_problems(FOR_ALL) == []


def test_regular_guidance_is_never_admitted():
    """R12: what is regular guidance can be described, never admitted."""
    order = rules.CourseOrder(new_id(), "C1", "T", "trauma", "webinar", "G", None, "admitted", FOR_ALL)
    assert rules.course_problems(order) == []
    guidance = replace(order, regular_guidance=True)
    assert [p.code for p in rules.course_problems(guidance)] == ["regular_guidance"]
    assert rules.course_problems(replace(guidance, state="in_review")) == []


@pytest.mark.parametrize(
    "lines",
    [({"days_before": 14},), ({"days_before": -1, "refund_percent": 5},), ({"days_before": 1, "refund_percent": 101},),
     ({"days_before": 1, "refund_percent": 5}, {"days_before": 1, "refund_percent": 6})],
)  # fmt: skip
def test_a_cancellation_rule_is_days_and_a_percentage(lines):
    """A rule that cannot be is refused before anybody agrees to it."""
    order = rules.CourseOrder(new_id(), "C1", "T", "trauma", "webinar", "G", None, "draft", {}, lines)
    assert len(rules.course_problems(order)) == 1


START = datetime(2027, 3, 1, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
SESSION_MISTAKES = [
    ({"meetings": ()}, "meetings_number"),
    ({"meetings": tuple((START + n * HOUR * 24, START + n * HOUR * 24 + HOUR) for n in range(61))}, "meetings_number"),
    ({"meetings": ((START.replace(tzinfo=None), START + HOUR),)}, "naive_time"),
    ({"meetings": ((START, START),)}, "meeting_length"),
    ({"meetings": ((START, START + 24 * HOUR),)}, "meeting_length"),
    ({"meetings": ((START, START + 2 * HOUR), (START + HOUR, START + 3 * HOUR))}, "meetings_overlap"),
    ({"decide_on": date(2027, 3, 2)}, "decide_too_late"),
    ({"state": "running"}, "state"),
    ({"seats_min": 0}, "seats"),
    ({"seats_min": 13}, "seats"),
    ({"seats_max": 1001}, "seats"),
    ({"price_cents": -1}, "price"),
    ({"price_cents": 1_000_001}, "price"),
    ({"parties": {"foster_parents": (1, 12)}}, "parties_not_here"),
    ({"party_spread_max": -1}, "spread"),
    ({"childcare": {"a4_8": 101}}, "childcare"),
    ({"childcare": {"babies": 1}}, "childcare"),
    ({"venue": None, "childcare": {"a4_8": 1}}, "childcare_online"),
]


@pytest.mark.parametrize(("changes", "code"), SESSION_MISTAKES, ids=[code for _, code in SESSION_MISTAKES])
def test_one_mistake_in_a_session_is_one_problem(changes, code):
    """A good session has no problem; each mistake has its own code."""
    assert rules.session_problems(an_order(), "group_training") == []
    assert [p.code for p in rules.session_problems(an_order(**changes), "group_training")] == [code]


PARTIES = {"foster_parents": (2, 4), "foster_care_workers": (2, 4), "guardian_workers": (2, 4)}
LEADERS = ((new_id(), "trainer"), (new_id(), "facilitator"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"people": LEADERS[:1]}, "leaders_missing"),
        ({"parties": {"foster_parents": (2, 12)}}, "parties_missing"),
        ({"parties": PARTIES | {"neighbours": (1, 2)}}, "party"),
        ({"parties": PARTIES | {"parents": (3, 2)}}, "party"),
        ({"seats_min": 13, "seats_max": 20}, "parties_do_not_add_up"),
        ({"seats_max": 5, "seats_min": 5}, "parties_do_not_add_up"),
    ],
)
def test_a_dialogue_has_parties_and_two_who_lead(changes, code):
    """R63 and R64: two leaders, two or more parties, and seats that add up."""
    good = an_order(parties=PARTIES, people=LEADERS, party_spread_max=1)
    assert rules.session_problems(good, "dialogue") == []
    assert [p.code for p in rules.session_problems(replace(good, **changes), "dialogue")] == [code]


def test_a_session_is_the_same_in_whatever_zone_it_is_written():
    """Ids, states, zones and the order of people make no difference; a minute does."""
    order = an_order(people=LEADERS, childcare={"a4_8": 2, "a0_3": 0})
    local = tuple((start.astimezone(AMSTERDAM), end.astimezone(AMSTERDAM)) for start, end in order.meetings)
    again = replace(order, id=new_id(), state="confirmed", meetings=local, people=LEADERS[::-1], childcare={"a4_8": 2})
    assert order.same_as(again)
    later = tuple((start, end + timedelta(minutes=1)) for start, end in local)
    assert not order.same_as(replace(again, meetings=later))


def test_a_meeting_past_midnight_is_on_two_days():
    """R56 looks at every date on which there is a meeting, in Amsterdam."""
    evening = datetime(2027, 6, 1, 21, tzinfo=UTC)
    assert rules.meeting_days([(evening, evening + 2 * HOUR)]) == [date(2027, 6, 1), date(2027, 6, 2)]


def test_sessions_open_forwards_only():
    """Draft, conditional, confirmed: a file may move a session forward and never back."""
    order = ("draft", "conditional", "confirmed")
    for i, state in enumerate(order):
        assert [rules.opens(state, to) for to in order] == [j > i for j in range(3)]
    assert not any(rules.opens(state, "confirmed") for state in ("running", "done", "cancelled"))
