"""The engine against trying everything: the same optimum, a bound that holds, and nothing the audit rejects."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leerbudget.matcher.audit import audit
from leerbudget.matcher.certificates import check_certificate
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import instance_from, read_instance, to_json
from leerbudget.matcher.outcome import read_outcome
from leerbudget.matcher.solving import Limits, explained, solve
from matcher.brute import optimum
from matcher.small import a_person, a_seeker, a_session, a_wish, an_instance, an_outcome
from matcher.tiny import a_random_instance, readable

TUESDAY_EVENING = ["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]
EXACT = Limits(seconds=20, gap=0.0, seed=1)


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=True))
def test_the_engine_finds_the_optimum_of_tiny_instances(dice):
    """Score and bound are exactly the best there is, and the audit accepts the outcome with all its promises."""
    plain = a_random_instance(dice)
    instance = readable(plain)
    best = optimum(instance)
    if best is None:
        with pytest.raises(InstanceRefused, match="fixed"):
            solve(instance, EXACT)
        return
    outcome = solve(instance, EXACT)
    assert audit(instance, outcome) == []
    assert (outcome.score, outcome.bound) == (best, best)


def test_the_random_instances_have_something_in_them():
    """Without this the test above might compare nothing with nothing: placements, refusals and promises occur."""
    seen = Counter()
    for seed in range(60):
        try:
            outcome = solve(readable(a_random_instance(Random(seed))), EXACT)  # noqa: S311 - made-up data, not secrets
        except InstanceRefused:
            seen["impossible"] += 1
            continue
        seen["placed"] += bool(outcome.placements)
        seen["several"] += len(outcome.placements) >= 2
        seen["promises"] += any(u.would_have_helped for u in outcome.unplaced)
        seen.update({reason.code for u in outcome.unplaced for reason in u.reasons})
    assert seen["placed"] >= 20
    assert seen["several"] >= 5
    assert seen["promises"] >= 10
    assert len(seen) >= 15


def test_the_same_seed_gives_the_same_outcome():
    """Nothing but elapsed seconds differs between two runs."""
    from leerbudget.fictional.instances import generate_instance

    instance = instance_from(generate_instance(families=120, sessions=20, seed=5))
    one, two = (solve(instance, Limits(seconds=60, seed=3)) for _ in range(2))
    assert (one.placements, one.unplaced, one.score, one.bound) == (two.placements, two.unplaced, two.score, two.bound)
    assert one.gap <= 1e-4


def test_large_rounds_go_group_by_group(monkeypatch):
    """The way of large instances gives sound outcomes, bounds that can be added up, and no worse than 1 % here."""
    from leerbudget.fictional.instances import generate_instance
    from leerbudget.matcher.engine import search

    instance = instance_from(generate_instance(families=250, sessions=40, seed=6))
    whole = solve(instance, Limits(seconds=60))
    monkeypatch.setattr(search, "WHOLE_MAX", 0)
    monkeypatch.setattr(search, "FEW", 0)
    grouped = [solve(instance, Limits(seconds=15, workers=workers)) for workers in (1, 2)]
    for outcome in grouped:
        assert audit(instance, outcome) == []
        assert check_certificate(instance, outcome) == []
        assert outcome.score <= whole.bound <= outcome.bound
        assert outcome.score >= 0.99 * whole.score


def test_without_time_there_is_still_a_sound_outcome(monkeypatch):
    """When the solver finds nothing in time, the greedy plan stands with a bound that holds."""
    from leerbudget.fictional.instances import generate_instance
    from leerbudget.matcher.engine import mip

    instance = instance_from(generate_instance(families=250, sessions=40, seed=6))
    best = solve(instance, Limits(seconds=60))
    monkeypatch.setattr(mip, "solve", lambda *_: mip.Answer(None, None, impossible=False))
    outcome = solve(instance, Limits(seconds=1))
    assert audit(instance, outcome) == []
    assert 0 < outcome.score <= best.score <= best.bound <= outcome.bound


def test_an_interrupt_gives_the_best_so_far(monkeypatch):
    """Ctrl-C during the search loses nothing that was found."""
    from leerbudget.matcher.engine import mip

    def interrupted(*_):
        raise KeyboardInterrupt

    instance = an_instance([a_seeker()], [a_session()])
    monkeypatch.setattr(mip, "solve", interrupted)
    assert len(solve(instance, EXACT).placements) == 1


def test_nothing_in_nothing_out():
    """No seekers, no sessions, no candidates: an empty outcome that passes the audit."""
    for seekers, sessions, facts in (
        ([], [], {}),
        ([a_seeker()], [], {}),
        ([], [a_session()], {}),
        ([a_seeker()], [a_session()], {"candidates": []}),
    ):
        instance = an_instance(seekers, sessions, **facts)
        outcome = solve(instance, EXACT)
        assert audit(instance, outcome) == []
        assert (outcome.placements, outcome.score, outcome.bound, outcome.gap) == ([], 0, 0, 0.0)


def test_a_fixed_placement_that_never_fills_is_refused():
    """One fixed person in a group of five that nobody else wants: the answer says so, instead of an empty plan."""
    instance = an_instance([a_seeker()], [a_session(seats_min=5, seats_max=9)], fixed=[["f1", "w1", "s1"]])
    with pytest.raises(InstanceRefused, match="minimum"):
        solve(instance, EXACT)


def test_given_candidates_and_scores_replace_the_generated():
    """Only the named pair is possible, at its given score, across themes; the bonus counts when the policy sets it."""
    facts = {"candidates": [["f1", "w1", "s1", 12]]}
    sessions = [a_session(theme="attachment"), a_session("s2")]
    outcome = solve(an_instance([a_seeker()], sessions, **facts), EXACT)
    assert ([p.session for p in outcome.placements], outcome.score) == (["s1"], 12)
    facts["policy"] = {"weights": {"first_placement": 100}}
    assert solve(an_instance([a_seeker()], sessions, **facts), EXACT).score == 112


def test_budgets_pay_in_order_and_step_back_for_each_other():
    """Earmarked first, then earliest expiry; but the only money for the second course is kept for it."""
    budgets = [
        {"id": "general", "available_cents": 4_500, "themes": None, "expires_on": "2027-06-30"},
        {"id": "both", "available_cents": 4_500, "themes": ["trauma", "attachment"], "expires_on": "2027-12-31"},
        {"id": "trauma", "available_cents": 2_000, "themes": ["trauma"], "expires_on": "2027-12-31"},
    ]
    seeker = a_seeker(wishes=[a_wish("w1"), a_wish("w2", theme="attachment")], budgets=budgets)
    sessions = [a_session(), a_session("s2", theme="attachment", meetings=[TUESDAY_EVENING])]
    outcome = solve(an_instance([seeker], sessions), EXACT)
    paid = {p.session: p.payment for p in outcome.placements}
    assert paid == {"s1": [("both", 4_500)], "s2": [("general", 4_500)]}
    tight = [budgets[0] | {"themes": ["trauma"]}, *budgets[1:]]
    outcome = solve(an_instance([seeker | {"budgets": tight}], sessions), EXACT)
    assert {p.session: p.payment for p in outcome.placements} == {"s1": [("general", 4_500)], "s2": [("both", 4_500)]}


def test_the_own_contribution_comes_last():
    """Budgets pay what they can; the family pays only the rest it agreed to."""
    budgets = [{"id": "b1", "available_cents": 4_000, "themes": None, "expires_on": None}]
    instance = an_instance([a_seeker(budgets=budgets, own_contribution_cents_max=500)], [a_session()])
    (placement,) = solve(instance, EXACT).placements
    assert (placement.payment, placement.own_contribution_cents) == ([("b1", 4_000)], 500)


def test_a_couple_goes_together():
    """One free seat is not enough for two; the seat then goes to one person with a lesser wish."""
    couple = a_seeker(persons=[a_person("f1a"), a_person("f1b")])
    alone = a_seeker("f2", wishes=[a_wish(rank=5)])
    outcome = solve(an_instance([couple, alone], [a_session(seats_max=1)]), EXACT)
    assert [p.seeker for p in outcome.placements] == ["f2"]
    assert [r.code for r in outcome.unplaced[0].reasons] == ["full"]


def test_who_waited_goes_first():
    """One seat, two equal families: the one that waited a round gets it."""
    instance = an_instance([a_seeker(), a_seeker("f2", waiting_rounds=1)], [a_session(seats_max=1)])
    assert [p.seeker for p in solve(instance, EXACT).placements] == ["f2"]


def test_a_first_place_goes_before_a_second():
    """One seat left: it goes to a family without a place, though another wants it more."""
    eager = a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=1, urgent=True)])
    humble = a_seeker("f2", wishes=[a_wish(rank=7)])
    sessions = [a_session(seats_max=1), a_session("s2", seats_max=1, meetings=[TUESDAY_EVENING])]
    outcome = solve(an_instance([eager, humble], sessions), EXACT)
    assert {p.seeker for p in outcome.placements} == {"f1", "f2"}


def test_outcomes_and_instances_survive_a_file():
    """What is written reads back as the same."""
    instance = an_instance([a_seeker()], [a_session()])
    outcome = solve(instance, EXACT)
    assert read_instance(to_json(instance)) == instance
    assert read_outcome(to_json(outcome)) == outcome


def test_reasons_can_be_worked_out_again():
    """An outcome that came without reasons gets the ones the engine would give."""
    instance = an_instance([a_seeker(), a_seeker("f2")], [a_session(seats_max=1)])
    outcome = solve(instance, EXACT)
    bare = an_outcome(instance, [(p.seeker, p.wish, p.session) for p in outcome.placements])
    bare = replace(bare, certificate=outcome.certificate)
    again = explained(instance, bare)
    assert again.placements == outcome.placements
    assert again.unplaced == outcome.unplaced


def test_an_earlier_outcome_is_kept_unless_something_is_better():
    """When a few families leave, far fewer proposals move than in a fresh search, and hardly a point is lost."""
    from leerbudget.fictional.instances import generate_instance
    from leerbudget.matcher.compare import compare

    instance = instance_from(generate_instance(families=400, sessions=50, seed=6))
    before = solve(instance, Limits(seconds=60))
    pinned = {seeker for seeker, _, _ in instance.fixed}
    stay = [s for n, s in enumerate(instance.seekers) if n % 25 or s.id in pinned]
    known = {s.id for s in stay}
    after = replace(instance, seekers=stay, forbidden=[pair for pair in instance.forbidden if pair[0] in known])
    fresh, kept = solve(after, Limits(seconds=60)), solve(after, Limits(seconds=60, keep=before))
    assert audit(after, kept) == []
    assert kept.score >= 0.995 * fresh.score
    assert compare(after, before, kept).open_moves.moved <= compare(after, before, fresh).open_moves.moved


def test_what_is_fixed_leaves_only_what_is_still_open():
    """With everything fixed but one family's placements, the same optimum comes back, and it can be proven again."""
    from leerbudget.fictional.instances import generate_instance

    instance = instance_from(generate_instance(families=250, sessions=40, seed=6))
    first = solve(instance, Limits(seconds=60, gap=0.0))
    one = first.placements[0].seeker
    rest = [(p.seeker, p.wish, p.session) for p in first.placements if p.seeker != one]
    again = solve(replace(instance, fixed=rest), Limits(seconds=60, gap=0.0))
    assert again.score == first.score
    assert check_certificate(replace(instance, fixed=rest), again) == []
