"""Each criterion with two people who differ in that alone: the better one has more points, and a sentence says why."""

import pytest

from leerbudget.matcher.audit import placement_scores
from leerbudget.matcher.criteria.weights import CRITERIA, DEFAULTS, weights_of
from leerbudget.matcher.hard_rules import Rulebook
from leerbudget.matcher.solving import Limits, solve
from matcher.small import MONDAY_EVENING, a_person, a_seeker, a_session, a_wish, an_instance

MORNING_BLOCK = ["2027-03-01T08:00+01:00", "2027-03-01T09:00+01:00"]

# criterion: what the better one has, what the other has, the session, and a word of the sentence
PAIRS = {
    "wish_rank": ({"wishes": [a_wish(rank=1)]}, {"wishes": [a_wish(rank=2)]}, {}, "eerste wens"),
    "urgency": ({"wishes": [a_wish(urgent=True)]}, {}, {}, "haast"),
    "travel": ({}, {"pc4": "3811"}, {}, "minuten reizen met de auto"),
    "schedule": ({}, {"blocked": [MORNING_BLOCK]}, {}, "De tijden passen"),
    "family_type": (
        {"family_type": "kinship"},
        {"family_type": "recruited"},
        {"audience": {"family_type": {"kinship": "for"}}},
        "netwerkpleeggezinnen",
    ),
    "care_form": (
        {"care_forms": ["crisis", "part_time"]},
        {"care_forms": ["part_time"]},
        {"audience": {"care_forms": {"crisis": "for"}}},
        "crisispleegzorg",
    ),
    "experience": (
        {"experience_years": 0.5},
        {"experience_years": 1},
        {"audience": {"experience": {"lt1": "for", "y1_3": "suits"}}},
        "net beginnen",
    ),
    "child_age": (
        {"child_age_bands": ["a4_8"]},
        {"child_age_bands": ["a9_11"]},
        {"audience": {"child_age_bands": {"a4_8": "for"}}},
        "4 tot en met 8",
    ),
    "form": (
        {"wishes": [a_wish(forms=["group_training"])]},
        {"wishes": [a_wish(forms=["webinar"])]},
        {},
        "groepstraining",
    ),
}


def a_family(name, blocked=(), **facts):
    return a_seeker(name, persons=[a_person(f"{name}a", blocked=list(blocked))], **facts)


@pytest.mark.parametrize("name", PAIRS)
def test_the_better_one_has_more_points(name):
    """Two families for one seat differ in one criterion: it decides, it alone gives the difference, and it is told."""
    better, other, session, words = PAIRS[name]
    instance = an_instance([a_family("f1", **other), a_family("f2", **better)], [a_session(seats_max=2, **session)])
    placements = solve(instance, Limits(seconds=10)).placements
    points = {p.seeker: {r.code: r.points for r in p.reasons} for p in placements}
    rules = {p.seeker: p.score for p in placements}
    assert rules["f2"] > rules["f1"]
    assert points["f2"][name] - points["f1"].get(name, 0) == rules["f2"] - rules["f1"]
    told = next(r.sentence for p in placements if p.seeker == "f2" for r in p.reasons if r.code == name)
    assert words in told

    one_seat = an_instance([a_family("f1", **other), a_family("f2", **better)], [a_session(seats_max=1, **session)])
    assert [p.seeker for p in solve(one_seat, Limits(seconds=10)).placements] == ["f2"]


def test_every_criterion_has_its_pair():
    """A criterion that is added needs its two people here."""
    assert set(PAIRS) == {c.name for c in CRITERIA}


def test_one_placement_never_outweighs_a_first_place():
    """All criteria at their fullest are worth less than the bonus for a first placement."""
    assert sum(c.weight for c in CRITERIA) < DEFAULTS["first_placement"]


def test_a_policy_replaces_weights_by_name():
    """With travel at nothing the far family and the near one have the same points."""
    for weight, equal in ((30, False), (0, True)):
        policy = {"max_placements": 2, "weights": {"travel": weight}}
        instance = an_instance([a_family("f1", pc4="3811"), a_family("f2")], [a_session()], policy=policy)
        placements = solve(instance, Limits(seconds=10)).placements
        assert (placements[0].score == placements[1].score) is equal
        assert placement_scores(Rulebook.of(instance), placements, weights_of(instance)) == [
            p.score for p in placements
        ]


def test_online_is_accepted_not_preferred():
    """Near by has more points than online, and online more than far away: no silent substitute (R42)."""
    sessions = [
        a_session("near", meetings=[]),
        a_session("online", pc4=None, meetings=[]),
        a_session("far", pc4="3811", meetings=[MONDAY_EVENING]),
    ]
    scores = {}
    for session in sessions:
        instance = an_instance([a_family("f1", travel_minutes_max={"car": 45})], [session])
        scores[session["id"]] = solve(instance, Limits(seconds=10)).placements[0].score
    assert scores["near"] > scores["online"] > scores["far"]
