"""Every wish without a place has the reason that stood in the way, and only true promises."""

import msgspec
import numpy as np
import pytest

from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.audit import audit
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.explain import placement_reasons, review_list, unplaced_wishes
from leerbudget.matcher.outcome import FreeDayParts, MorePlacements, PayMore, TravelFarther
from leerbudget.matcher.reasons import DEPTH, REASON_OF_RULE, WHY_NOT_NL, euros
from leerbudget.matcher.solving import Limits, solve
from matcher.small import MONDAY_EVENING, a_person, a_seeker, a_session, a_wish, an_instance, an_outcome

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


def at_prices(seekers, sessions, plan, prices, **facts):
    """The wishes a plan leaves open, at prices by (seeker, wish, session); the outcome that tells them."""
    instance = an_instance(seekers, sessions, **facts)
    arrays = arrays_of(instance)
    table = candidates_of(arrays)
    triples = [
        (arrays.seekers.ids[u], arrays.wishes.ids[w], arrays.sessions.ids[s])
        for u, w, s in zip(table.seeker, table.wish, table.session, strict=True)
    ]
    rows = [triples.index(triple) for triple in plan]
    points = np.array([prices.get(triple, 0.0) for triple in triples])
    return unplaced_wishes(problem_of(arrays, table), rows, points), dict(
        zip(triples, table.score.tolist(), strict=True)
    )


FIRST = 500
"""The bonus for a first place."""


@pytest.mark.parametrize(("beyond", "priced_out"), [(40, True), (0.0, True), (-0.5, True), (-0.6, False), (-40, False)])
def test_a_full_session_says_what_the_place_cost_and_was_worth(beyond, priced_out):
    """Priced out: no place was worth more than it cost; half a point does not count."""
    seekers, one_seat = [a_seeker("f1"), a_seeker("f2")], a_session(seats_max=1)
    _, scores = at_prices(seekers, [one_seat], [("f1", "w1", "s1")], {})
    worth = FIRST + scores["f2", "w1", "s1"]
    ((unlucky,), _) = at_prices(seekers, [one_seat], [("f1", "w1", "s1")], {("f2", "w1", "s1"): worth + beyond})
    (full,) = unlucky.reasons
    assert (unlucky.priced_out, full.code, full.worth_points) == (priced_out, "full", worth)
    assert abs(full.price_points - (worth + beyond)) <= 0.5
    assert str(full.price_points) in full.sentence
    assert str(worth) in full.sentence
    assert ("zwaarder" in full.sentence) is priced_out
    assert "{" not in full.sentence


def test_one_place_that_was_worth_it_is_enough_to_look_again():
    """A wish is priced out when every session it could have costs too much, not when one does."""
    seekers = [a_seeker("f1"), a_seeker("f2")]
    sessions = [a_session("s1", seats_max=1), a_session("s2", seats_max=1, seats_taken=1), a_session("s3", seats_min=2)]
    plan, dear = [("f1", "w1", "s1")], {("f2", "w1", "s1"): 5_000}
    ((unlucky,), _) = at_prices(seekers, sessions, plan, dear | {("f2", "w1", "s3"): 100})
    assert unlucky.priced_out is False
    ((lost,), _) = at_prices(seekers, sessions, plan, dear | {("f2", "w1", "s3"): 5_000})
    assert lost.priced_out is True
    assert [reason.code for reason in lost.reasons] == ["group_too_small", "full"]
    assert lost.reasons[0].sentence == WHY_NOT_NL["group_too_small"]


def test_who_has_a_place_has_no_first_place_to_win():
    """For a second wish the bonus is not counted again: at 300 points the place was not worth it."""
    tuesday = [["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]]
    seeker = a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2, theme="attachment")])
    sessions = [a_session("s1"), a_session("s2", theme="attachment", meetings=tuesday, seats_max=1)]
    plan = [("f1", "w1", "s1"), ("f2", "w1", "s2")]
    other = a_seeker("f2", wishes=[a_wish("w1", theme="attachment")])
    ((second,), scores) = at_prices([seeker, other], sessions, plan, {("f1", "w2", "s2"): 300.0})
    assert second.priced_out is True
    assert second.reasons[0].worth_points == scores["f1", "w2", "s2"] < 300


@pytest.mark.parametrize("code", ["already_max", "overlaps_other"])
def test_no_price_is_blamed_for_what_the_family_has_already(code):
    """Its own maximum or week is in the way, not what a seat costs others: no price, nothing to review."""
    most = 1 if code == "already_max" else 2
    seeker = a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2)], max_placements=most)
    ((second,), _) = at_prices([seeker], [a_session("s1"), a_session("s2")], [("f1", "w1", "s1")], {})
    assert second.reasons[0].code == code
    assert second.priced_out is None
    assert all(reason.price_points is None for reason in second.reasons)


def test_money_that_went_to_the_first_place_counts_as_spent():
    """A second session that the budget could pay alone is money short, and no price is blamed."""
    tuesday = [["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]]
    budgets = [{"id": "b1", "available_cents": 6_000, "themes": None, "expires_on": None}]
    seeker = a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2)], budgets=budgets)
    ((second,), _) = at_prices([seeker], [a_session("s1"), a_session("s2", meetings=tuesday)], [("f1", "w1", "s1")], {})
    money = next(reason for reason in second.reasons if reason.code == "money_short")
    assert (money.cents, second.priced_out) == (3_000, None)


def test_without_prices_or_candidates_nothing_is_said_of_them():
    """No prices: no certificate. No session it could have: none either."""
    assert the_unplaced([a_seeker()], [a_session(seats_taken=2)]).priced_out is None
    ((far,), _) = at_prices([a_seeker()], [a_session(pc4="9711")], [], {})
    assert far.priced_out is None


def test_a_person_looks_again_at_who_missed_most():
    """The list for review holds the wishes that could have paid, who missed most first."""
    seekers = [a_seeker(name) for name in ("f1", "f2", "f3", "f4")]
    plan = [("f1", "w1", "s1")]
    prices = {("f2", "w1", "s1"): 600.0, ("f3", "w1", "s1"): 400.0, ("f4", "w1", "s1"): 9_000.0}
    unplaced, scores = at_prices(seekers, [a_session(seats_max=1)], plan, prices)
    outcome = an_outcome(an_instance(seekers, [a_session(seats_max=1)]), plan, unplaced=to_plain(unplaced))
    listed = review_list(outcome)
    worth = FIRST + scores["f2", "w1", "s1"]
    assert [(one.seeker, one.missed_points) for one in listed] == [("f3", worth - 400), ("f2", worth - 600)]


def to_plain(unplaced):
    """As the file of an outcome holds them."""
    return msgspec.to_builtins(unplaced)


def test_a_place_says_its_criteria_with_their_points():
    """The points of the reasons add up to the score and the bonus of a first place."""
    seeker = a_seeker(wishes=[a_wish(urgent=True, forms=["group_training"])], waiting_rounds=1, family_type="kinship")
    instance = an_instance([seeker], [a_session(audience={"family_type": {"kinship": "for"}})])
    arrays = arrays_of(instance)
    table = candidates_of(arrays)
    (told,) = placement_reasons(arrays, table, [0], first=True)
    assert sum(reason.points for reason in told) == table.score[0] + FIRST + 100
    assert {"urgency", "form", "family_type", "travel", "first_placement"} <= {reason.code for reason in told}
    assert placement_reasons(arrays, table, [], first=True) == []


def test_a_dialogue_that_runs_is_not_called_too_small():
    """When one more of a party would make it uneven, the places of that party are taken."""
    parties = {"foster_parents": [0, 3], "guardian_workers": [0, 3]}
    session = a_session(parties=parties, party_spread_max=0, seats_max=6)
    worker = a_seeker("v1", persons=[a_person("v1a", party="guardian_workers")])
    plan = [("f1", "w1", "s1"), ("v1", "w1", "s1")]
    ((left,), _) = at_prices([a_seeker("f1"), a_seeker("f2"), worker], [session], plan, {})
    assert [reason.code for reason in left.reasons] == ["party_full"]
