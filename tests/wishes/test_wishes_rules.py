"""Rules of wishes: states, who may wish what together, and ways of learning."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.foundation.ids import new_id
from leerbudget.wishes import rules
from leerbudget.wishes.rules import STEPS, WISH_STATES, Learner, PreferenceOrder, WishOrder

FAMILY, OTHER = new_id(), new_id()
ANNE, BEN, STRANGER, WORKER = (new_id() for _ in range(4))
LEARNERS = {
    ANNE: Learner(ANNE, FAMILY, "foster_parents"),
    BEN: Learner(BEN, FAMILY, "foster_parents"),
    STRANGER: Learner(STRANGER, OTHER, "foster_parents"),
    WORKER: Learner(WORKER, None, "guardian_workers"),
}
WISH = WishOrder(new_id(), FAMILY, ANNE, (ANNE, BEN), "trauma")
DIALOGUE = WishOrder(new_id(), None, WORKER, (WORKER,), "collaboration_assertiveness", ("dialogue",))


def test_the_states_of_a_wish_are_whole():
    """Every state has its steps; what is fulfilled or withdrawn is over; a proposal is answered before anything else."""
    assert set(STEPS) == set(WISH_STATES)
    assert STEPS["fulfilled"] == STEPS["withdrawn"] == frozenset()
    assert STEPS["proposed"] == {"booked", "open"}
    for state in WISH_STATES:
        assert rules.sources_of(state) == [s for s in STEPS if rules.may_step(s, state)]


@given(st.lists(st.sampled_from(WISH_STATES), max_size=30))
def test_a_wish_that_is_over_stays_over(wanted):
    """Whatever is asked in whatever order, nothing leaves a final state."""
    state = "draft"
    for to in wanted:
        before = state
        state = to if rules.may_step(state, to) else state
        assert before not in ("fulfilled", "withdrawn") or state == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"theme": "magic"}, "unknown_theme"),
        ({"forms": ("magic",)}, "unknown_form"),
        ({"forms": ()}, "unknown_form"),
        ({"forms": ("webinar", "webinar")}, "form_twice"),
        ({"rank": 0}, "rank"),
        ({"rank": 100}, "rank"),
        ({"situation": "x" * 2001}, "too_long"),
        ({"state": "booked"}, "state"),
        ({"persons": ()}, "persons_number"),
        ({"persons": (ANNE, ANNE)}, "persons_number"),
        ({"persons": (ANNE, STRANGER)}, "not_one_family"),
        ({"persons": (ANNE, WORKER)}, "not_one_family"),
        ({"persons": (new_id(),)}, "not_one_family"),
        ({"stated_by": STRANGER}, "not_one_family"),
        ({"family": OTHER}, "not_one_family"),
    ],
)
def test_one_mistake_in_a_wish_is_one_problem(changes, code):
    """A couple's wish is fine; each mistake has its own code. People who go together are of one family."""
    assert rules.wish_problems(WISH, LEARNERS) == []
    assert [p.code for p in rules.wish_problems(replace(WISH, **changes), LEARNERS)] == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"forms": None}, "dialogue_only"),
        ({"forms": ("dialogue", "webinar")}, "dialogue_only"),
        ({"persons": (WORKER, ANNE)}, "not_alone"),
        ({"stated_by": ANNE, "persons": (ANNE,)}, "not_alone"),
        ({"persons": (ANNE,)}, "not_alone"),
    ],
)
def test_a_professional_asks_for_a_dialogue_alone(changes, code):
    """R64: without a family there is one person, without a family, and only a dialogue."""
    assert rules.wish_problems(DIALOGUE, LEARNERS) == []
    assert [p.code for p in rules.wish_problems(replace(DIALOGUE, **changes), LEARNERS)] == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"family": None}, "one_owner"),
        ({"professional": WORKER}, "one_owner"),
        ({"travel_minutes_max": {"rocket": 5}}, "travel"),
        ({"travel_minutes_max": {"car": 241}}, "travel"),
        ({"travel_minutes_max": {"car": -1}}, "travel"),
        ({"travel_minutes_max": {}}, "cannot_come"),
        ({"childcare": {"a4_8": 0}}, "children"),
        ({"childcare": {"babies": 1}}, "children"),
        ({"childcare_need": "needs_place"}, "children_missing"),
    ],
)
def test_one_mistake_in_a_preference_is_one_problem(changes, code):
    """A good preference has no problem; each mistake has its own code."""
    good = PreferenceOrder(FAMILY, None, "3511", {"car": 45}, online_ok=False)
    assert rules.preference_problems(good) == []
    assert rules.preference_problems(replace(good, travel_minutes_max={}, online_ok=True)) == []
    assert [p.code for p in rules.preference_problems(replace(good, **changes))] == [code]
