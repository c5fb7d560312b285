"""What prices prove: a bound that holds whatever the prices, added up without the engine."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import beside_fixed, candidates_of
from leerbudget.matcher.certificates import check_certificate, proven_bound
from leerbudget.matcher.engine.lottery import drawn
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.engine.plan import Board, Plan
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.outcome import Certificate
from leerbudget.matcher.solving import Limits, solve
from matcher.brute import optimum
from matcher.small import a_seeker, a_session, an_instance
from matcher.test_engine import readable
from matcher.tiny import a_random_instance

EXACT = Limits(seconds=20, gap=0.0, seed=1)


def any_prices(dice, instance):
    """Prices drawn by chance: for seats, for some placements, for childcare places; negative ones among them."""
    arrays = arrays_of(instance)
    table = beside_fixed(arrays, candidates_of(arrays))
    rows = [row for row in range(len(table)) if dice.random() < 0.5]
    named = [
        (arrays.seekers.ids[table.seeker[r]], arrays.wishes.ids[table.wish[r]], arrays.sessions.ids[table.session[r]])
        for r in rows
    ]
    return Certificate(
        seat_prices={session.id: dice.randint(-200_000, 700_000) for session in instance.sessions},
        personal_prices=[(*triple, dice.randint(-300_000, 900_000)) for triple in named],
        childcare_prices={s.id: {"a0_3": dice.randint(0, 300_000)} for s in instance.sessions if dice.random() < 0.5},
        company_prices=[],
        fixed_points=dice.choice((0, 1_000, 20_000)),
        bound=0,
    )


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=True))
def test_whatever_the_prices_they_prove_a_bound_that_holds(dice):
    """No prices prove less than the optimum that trying everything finds."""
    instance = readable(a_random_instance(dice))
    best = optimum(instance)
    if best is not None:
        assert proven_bound(instance, any_prices(dice, instance)) >= best


def test_the_engines_certificates_prove_what_they_say():
    """Added up again without the engine: exactly the bound of the certificate, often the optimum itself, never below it."""
    tight = seen = 0
    for seed in range(60):
        instance = readable(a_random_instance(Random(seed)))  # noqa: S311 - made-up data, not secrets
        try:
            outcome = solve(instance, EXACT)
        except InstanceRefused:
            continue
        assert check_certificate(instance, outcome) == []
        assert proven_bound(instance, outcome.certificate) == outcome.certificate.bound
        assert outcome.certificate.bound >= outcome.bound == outcome.score
        seen += 1
        tight += outcome.certificate.bound == outcome.score
    assert seen >= 50
    assert tight >= 40


@pytest.fixture(scope="module")
def contested():
    """Three seekers and one seat: the seat has a price."""
    instance = an_instance([a_seeker(name) for name in ("f1", "f2", "f3")], [a_session(seats_max=1)])
    return instance, solve(instance, EXACT)


def test_a_certificate_that_claims_too_much_is_found_out(contested):
    """A lower bound, forgotten prices, a bound below the certificate's, unknown names, or no certificate at all."""
    instance, outcome = contested
    told = outcome.certificate
    assert told.seat_prices
    for wrong in (
        replace(outcome, certificate=replace(told, bound=told.bound - 1)),
        replace(outcome, certificate=replace(told, seat_prices={}, personal_prices=[])),
        replace(outcome, bound=told.bound + 1),
        replace(outcome, certificate=replace(told, seat_prices={"elsewhere": 1})),
        replace(outcome, certificate=replace(told, personal_prices=[("f1", "w1", "elsewhere", 1)])),
        replace(outcome, certificate=replace(told, childcare_prices={"s1": {"a0_3": -1}})),
        replace(outcome, certificate=replace(told, company_prices=[(("f1", "w1"), ("f2", "w1"), "s1", 5)])),
        replace(outcome, certificate=None),
    ):
        assert [v.code for v in check_certificate(instance, wrong)] == ["certificate"]


def test_equals_are_drawn_by_lot(contested):
    """Over many seeds each of three equal families gets the one seat; one seed always draws the same, at the same score."""
    instance, outcome = contested
    arrays = arrays_of(instance)
    problem = problem_of(arrays, candidates_of(arrays))
    drawn_by = []
    for seed in range(30):
        plan = Plan(Board.of(problem))
        plan.add(0)
        rows = drawn(plan, seed)
        again = Plan(Board.of(problem))
        again.add(2)
        assert drawn(again, seed) == rows
        assert plan.score() == outcome.score
        drawn_by.append(rows[0])
    assert set(drawn_by) == {0, 1, 2}


def test_no_lot_takes_a_place_from_who_counts_more():
    """A family that waited longer keeps its place whatever the lot."""
    instance = an_instance([a_seeker("f1"), a_seeker("f2", waiting_rounds=1)], [a_session(seats_max=1)])
    for seed in range(10):
        outcome = solve(instance, Limits(seconds=20, gap=0.0, seed=seed))
        assert [p.seeker for p in outcome.placements] == ["f2"]
