"""Parts of the matcher against plain counterparts: candidates, money, suggestions."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leerbudget.matcher import payable
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import RULES, candidates_of
from leerbudget.matcher.engine import money
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import LearningBudget, instance_from
from leerbudget.matcher.solving import Limits, solve
from leerbudget.matcher.suggest import Catalogue, suggest
from matcher.small import a_seeker, a_session, a_wish, an_instance
from matcher.tiny import a_random_instance


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=True))
def test_the_table_holds_exactly_what_the_rules_allow(dice):
    """In bulk and one by one the same pairs are possible; the funnel accounts for every pair."""
    plain = a_random_instance(dice) | {"fixed": [], "candidates": None}
    instance = instance_from(plain)
    arrays, rules = arrays_of(instance), Rulebook.of(instance)
    table = candidates_of(arrays)
    found = {
        (arrays.seekers.ids[u], arrays.wishes.ids[w], arrays.sessions.ids[s])
        for u, w, s in zip(table.seeker, table.wish, table.session, strict=True)
    }
    free = {s.id: s.seats_max - s.seats_taken for s in instance.sessions}
    allowed = {
        placed
        for seeker in instance.seekers
        for wish in seeker.wishes
        for session in instance.sessions
        if not list(rules.of_placement(placed := Placed(seeker.id, wish.id, session.id)))
        and len(wish.persons) <= free[session.id]
        and rules.missing_cents(seeker, [placed]) == 0
        and not [b for b in rules.of_session(session.id, [placed]) if b.code == "childcare"]
    }
    assert found == allowed
    kept = np.bincount(table.wish, minlength=len(arrays.wishes.ids))
    assert (table.funnel[:, 0] == table.funnel[:, 1:].sum(axis=1) + kept).all()
    assert table.funnel.shape[1] == len(RULES) + 1


bills = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 7)), max_size=4)
purses = st.lists(st.integers(0, 80), min_size=3, max_size=3)


@given(bills, purses)
def test_two_ways_to_know_what_cannot_be_paid(due, held):
    """Hall's condition (the engine) and a flow (the audit) find the same shortage."""
    allowed = [(cents, [purse for purse in range(3) if mask >> purse & 1]) for cents, mask in due]
    assert money.shortage(due, held) == payable.shortage(allowed, held)


@given(bills, purses, st.lists(st.sampled_from((None, ("trauma",))), min_size=3, max_size=3))
def test_the_waterfall_pays_everything_that_can_be_paid(due, held, themes):
    """Each bill exactly, no budget beyond what it holds or may pay, and the least possible own contribution."""
    budgets = [
        LearningBudget(f"b{i}", cents, None if theme is None else list(theme), date(2027, 12 - i, 1))
        for i, (cents, theme) in enumerate(zip(held, themes, strict=True))
    ]
    payments = money.waterfall(budgets, due)
    spent = [0, 0, 0]
    for (cents, mask), payment in zip(due, payments, strict=True):
        assert sum(share for _, share in payment.shares) + payment.own_cents == cents
        for purse, share in payment.shares:
            assert mask >> purse & 1
            spent[purse] += share
    assert all(used <= cents for used, cents in zip(spent, held, strict=True))
    assert sum(payment.own_cents for payment in payments) == money.shortage(due, held)


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


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=True))
def test_every_suggestion_is_possible(dice):
    """After a round, adding a suggested placement breaks no rule but those that company can mend."""
    try:
        instance = instance_from(a_random_instance(dice))
        outcome = solve(instance, Limits(seconds=10))
    except InstanceRefused:
        return
    catalogue = Catalogue.of(instance, outcome)
    for seeker in instance.seekers:
        for suggestion in suggest(catalogue, seeker.id):
            placed = Placed(seeker.id, suggestion.wish, suggestion.session)
            there = [*catalogue.of_session.get(placed.session, []), placed]
            breaches = {
                *(b.code for b in catalogue.rules.of_placement(placed)),
                *(b.code for b in catalogue.rules.of_session(placed.session, there)),
            }
            assert breaches <= {"minimum", "party_min", "party_spread"}
            assert suggestion.runs is catalogue.rules.runs(placed.session, there)
