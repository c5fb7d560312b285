"""One late-comer gets exactly what the rules leave free, with the points and the reasons of a round."""

from random import Random

import pytest

from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook, by_seeker, by_session
from leerbudget.matcher.instance import instance_from
from leerbudget.matcher.solving import Limits, solve
from leerbudget.matcher.suggest import Catalogue, suggest
from matcher.small import a_seeker, a_session, a_wish, an_instance, an_outcome
from matcher.tiny import a_random_instance


def test_a_late_comer_gets_what_a_round_would_give():
    """The best suggestion in an empty catalogue is the round's own choice, with the same points and reasons."""
    instance = an_instance(
        [a_seeker(wishes=[a_wish("w1", urgent=True)])], [a_session(), a_session("s2", pc4="3811", course="c")]
    )
    (placement,) = solve(instance, Limits(seconds=10)).placements
    best = suggest(Catalogue.of(instance), "f1")[0]
    assert (best.wish, best.session, best.score) == (placement.wish, placement.session, placement.score)
    assert [r for r in placement.reasons if r.code != "first_placement"] == best.reasons


def test_suggestions_take_nobodys_seat():
    """Seats of a published outcome are taken: the late-comer hears of the other session, and of groups that wait."""
    sessions = [a_session(seats_max=1), a_session("s2", pc4="3811", course="c", seats_min=3, seats_max=3)]
    instance = an_instance([a_seeker(), a_seeker("f2", waiting_rounds=9)], sessions)
    outcome = solve(instance, Limits(seconds=10))
    assert [(p.seeker, p.session) for p in outcome.placements] == [("f2", "s1")]
    assert [(s.session, s.runs) for s in suggest(Catalogue.of(instance), "f1")] == [("s1", True), ("s2", False)]
    assert [(s.session, s.runs) for s in suggest(Catalogue.of(instance, outcome), "f1")] == [("s2", False)]
    assert suggest(Catalogue.of(instance, outcome), "f2") == []


def test_the_best_come_first_and_no_more_than_asked():
    """Of four sessions the two with most points are told, and those that run before those that wait."""
    sessions = [
        a_session("far", pc4="3811"),
        a_session("near", pc4="3511"),
        a_session("next", pc4="3512"),
        a_session("waits", pc4="3511", seats_min=2),
    ]
    catalogue = Catalogue.of(an_instance([a_seeker(travel_minutes_max={"car": 45})], sessions))
    assert [s.session for s in suggest(catalogue, "f1")] == ["near", "next", "far", "waits"]
    assert [s.session for s in suggest(catalogue, "f1", most=2)] == ["near", "next"]
    with pytest.raises(KeyError):
        suggest(catalogue, "nobody")


def what_the_rules_leave(rules, placements, seeker):
    """Every further placement of a seeker that breaks no rule beside the others, asked one by one."""
    mine = by_seeker(placements).get(seeker.id, [])
    there = by_session(placements)
    for wish in seeker.wishes:
        for session in rules.sessions.values():
            placed = Placed(seeker.id, wish.id, session.id)
            room = [*there.get(session.id, []), placed]
            breaches = [
                *rules.of_placement(placed),
                *rules.of_seeker(seeker.id, [*mine, placed]),
                *rules.of_session(session.id, room),
            ]
            if {breach.code for breach in breaches} <= NEEDS_COMPANY:
                runs = rules.runs(session.id, room)
                left = session.seats_max - session.seats_taken - sum(len(rules.persons(p)) for p in room)
                yield wish.id, session.id, runs, left


def a_roomy_instance(dice):
    """Seats for more people and one theme, so that strangers meet; all other rules bite as before."""
    plain = a_random_instance(dice)
    for session in plain["sessions"]:
        session["seats_max"] += 3
    for about in [*plain["sessions"], *(wish for seeker in plain["seekers"] for wish in seeker["wishes"])]:
        about["theme"] = "trauma"
    return instance_from(plain)


def a_random_plan(dice, rules, fixed):
    """Fixed placements and some more that break no rule but those that company can mend."""
    plan = [Placed(*triple) for triple in fixed]
    pairs = [Placed(u.id, w.id, s) for u in rules.seekers.values() for w in u.wishes for s in rules.sessions]
    for placed in dice.sample(pairs, len(pairs) // 4):
        left = what_the_rules_leave(rules, plan, rules.seekers[placed.seeker])
        if any((wish, session) == placed[1:] for wish, session, _, _ in left):
            plan.append(placed)
    return plan


def test_suggestions_are_what_the_rules_leave_and_score_as_in_a_round():
    """Beside 250 random plans: exactly the sessions that break no rule, with the points they have in a round."""
    found = in_company = 0
    for seed in range(250):
        dice = Random(seed)  # noqa: S311 - a seed, not a secret
        try:
            instance = a_roomy_instance(dice)
        except InstanceRefused:
            continue
        rules = Rulebook.of(instance)
        plan = a_random_plan(dice, rules, instance.fixed)
        catalogue, points = Catalogue.of(instance, an_outcome(instance, plan)), points_of_a_round(instance)
        for seeker in instance.seekers:
            told = suggest(catalogue, seeker.id, most=1000)
            expected = what_the_rules_leave(rules, plan, seeker)
            assert sorted((s.wish, s.session, s.runs, s.seats_left) for s in told) == sorted(expected), seed
            assert all(s.score == points[seeker.id, s.wish, s.session] for s in told), seed
            found += len(told)
            in_company += sum(any(p.session == s.session for p in plan) for s in told)
    assert found > 150
    assert in_company > 30


def points_of_a_round(instance):
    """The points of every candidate of the whole instance."""
    arrays = arrays_of(instance)
    table = candidates_of(arrays)
    rows = zip(table.seeker.tolist(), table.wish.tolist(), table.session.tolist(), table.score.tolist(), strict=True)
    return {(arrays.seekers.ids[u], arrays.wishes.ids[w], arrays.sessions.ids[s]): points for u, w, s, points in rows}
