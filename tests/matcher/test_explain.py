"""Every wish without a place has the reason that stood in the way, and only true promises."""

import pytest

from leerbudget.matcher.audit import audit
from leerbudget.matcher.outcome import FreeDayParts, MorePlacements, PayMore, TravelFarther
from leerbudget.matcher.reasons import DEPTH, REASON_OF_RULE, WHY_NOT_NL, euros
from leerbudget.matcher.solving import Limits, solve
from matcher.small import MONDAY_EVENING, a_person, a_seeker, a_session, a_wish, an_instance

EXACT = Limits(seconds=10, gap=0.0)
MORNINGS = "100" * 7


def the_unplaced(seekers, sessions, **facts):
    """The only wish without a place."""
    instance = an_instance(seekers, sessions, **facts)
    outcome = solve(instance, EXACT)
    assert audit(instance, outcome) == []
    (unplaced,) = outcome.unplaced
    return unplaced


@pytest.mark.parametrize(
    ("code", "seeker", "session", "facts", "kind"),
    [
        ("no_session_of_theme", {}, {"theme": "attachment"}, {}, None),
        ("party_not_invited", {}, {"parties": {"parents": [0, 2]}}, {}, None),
        ("not_for_you", {"family_type": "kinship"}, {"audience": {"family_type": {"kinship": "not_for"}}}, {}, None),
        ("forbidden", {}, {}, {"forbidden": [["f1", "s1"]]}, None),
        ("not_together", {"avoid": ["t1"]}, {"people": ["t1"]}, {}, None),
        ("online_not_wanted", {"online_ok": False}, {"pc4": None}, {}, "AcceptOnline"),
        ("none_in_reach", {}, {"pc4": "1012"}, {}, "TravelFarther"),
        ("no_day_part", {"persons": [a_person("f1a", availability=MORNINGS)]}, {}, {}, "FreeDayParts"),
        ("blocked", {"persons": [a_person("f1a", blocked=[MONDAY_EVENING])]}, {}, {}, "FreeBlocked"),
        ("childcare_full", {"childcare": {"a0_3": 1}, "childcare_need": "needs_place"}, {}, {}, "ArrangeSitter"),
        ("money_short", {"budgets": []}, {}, {}, "PayMore"),
        ("already_max", {"max_placements": 0}, {}, {}, "MorePlacements"),
        ("full", {}, {"seats_taken": 2}, {}, None),
        ("group_too_small", {}, {"seats_min": 2}, {}, None),
    ],
)
def test_the_reason_is_the_rule_that_stood_in_the_way(code, seeker, session, facts, kind):
    """One family, one session, one obstacle: it is named, and when one change helps it is told."""
    unplaced = the_unplaced([a_seeker(**seeker)], [a_session(**session)], **facts)
    assert [reason.code for reason in unplaced.reasons] == [code]
    assert [type(helped.change).__name__ for helped in unplaced.would_have_helped] == ([] if kind is None else [kind])


def test_a_family_hears_how_much_was_missing():
    """The cents that are short stand in the reason, the sentence and the promise."""
    budgets = [{"id": "b1", "available_cents": 4_000, "themes": None, "expires_on": None}]
    unplaced = the_unplaced([a_seeker(budgets=budgets)], [a_session()])
    assert unplaced.reasons[0].cents == 500
    assert "€ 5,00" in unplaced.reasons[0].sentence
    assert unplaced.would_have_helped[0].change == PayMore(500)


def test_the_smallest_change_of_a_kind_is_told():
    """Of two sessions too far away the nearer one is promised, with its minutes."""
    seeker = a_seeker(travel_minutes_max={"car": 10})
    sessions = [a_session("far", pc4="1012", course="a"), a_session("nearer", pc4="3811", course="b")]
    (helped,) = the_unplaced([seeker], sessions).would_have_helped
    assert helped.session == "nearer"
    assert isinstance(helped.change, TravelFarther)
    assert 10 < helped.change.minutes < 60


def test_what_came_closest_comes_first():
    """A full session near by says more than one at the other end of the country."""
    unplaced = the_unplaced([a_seeker()], [a_session("far", pc4="9711"), a_session(seats_taken=2)])
    assert [reason.code for reason in unplaced.reasons] == ["full", "none_in_reach"]


def test_two_obstacles_promise_nothing():
    """When one change alone is not enough, none is promised."""
    persons = [a_person("f1a", availability=MORNINGS)]
    assert the_unplaced([a_seeker(persons=persons, budgets=[])], [a_session()]).would_have_helped == []


def test_the_own_week_and_company_count():
    """A second wish at the same time says so; a larger number of places helps when the week has room."""
    clash = the_unplaced([a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2)])], [a_session(), a_session("s2")])
    assert clash.reasons[0].code == "overlaps_other"
    tuesday = [["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]]
    seeker = a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2)], max_placements=1)
    more = the_unplaced([seeker], [a_session(), a_session("s2", meetings=tuesday)])
    assert more.would_have_helped[0].change == MorePlacements(2)


def test_nobody_reads_who_is_avoided():
    """The refusal of a family and its own worker is the same neutral sentence for both, without any name."""
    worker = a_seeker("v1", persons=[a_person("v1a", party="guardian_workers")])
    parties = {"foster_parents": [0, 2], "guardian_workers": [0, 2]}
    told = []
    for waited in (0, 1):
        family = a_seeker(professionals=["v1"], waiting_rounds=2 * waited)
        instance = an_instance([family, worker | {"waiting_rounds": 1}], [a_session(parties=parties)])
        (unplaced,) = solve(instance, EXACT).unplaced
        told.append((unplaced.seeker, unplaced.reasons[0].sentence))
    assert {seeker for seeker, _ in told} == {"f1", "v1"}
    assert {sentence for _, sentence in told} == {WHY_NOT_NL["not_together"]}
    assert not any(word in WHY_NOT_NL["not_together"] for word in ("uw ", "begeleider", "mijd"))


def test_day_parts_are_named():
    """The promise says on which day-part everybody would have to be free."""
    persons = [a_person("f1a", availability=MORNINGS)]
    (helped,) = the_unplaced([a_seeker(persons=persons)], [a_session()]).would_have_helped
    assert helped.change == FreeDayParts([2])
    assert "maandagavond" in helped.sentence


def test_every_rule_has_a_reason_with_a_sentence():
    """No rule can stand in the way without words."""
    assert set(REASON_OF_RULE.values()) <= set(WHY_NOT_NL)
    assert set(DEPTH) == set(WHY_NOT_NL)
    assert euros(123_450) == "€ 1.234,50"
