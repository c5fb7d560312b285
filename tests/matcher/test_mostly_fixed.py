"""A round in which nearly everything is fixed: only what is open costs effort, and the proof stays as good."""

import time

import numpy as np
import pytest
from msgspec.structs import replace

from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.audit import audit
from leerbudget.matcher.candidates import beside_fixed, candidates_of
from leerbudget.matcher.certificates import check_certificate
from leerbudget.matcher.engine import relaxation
from leerbudget.matcher.engine.auction import opening
from leerbudget.matcher.engine.blocks import Terms
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.engine.prices import Market, Prices, proven
from leerbudget.matcher.engine.themes import relaxed
from leerbudget.matcher.instance import instance_from
from leerbudget.matcher.solving import Limits, solve


@pytest.fixture(scope="module")
def instance():
    """A round of 900 families, nineteen of twenty placements of its plan fixed."""
    open_round = instance_from(generate_instance(families=900, sessions=110, seed=8, contention=0.6, wishes_mean=2.2))
    placements = solve(open_round, Limits(seconds=30, gap=0.01)).placements
    kept = [p for number, p in enumerate(placements) if number % 20]
    return replace(open_round, fixed=[(p.seeker, p.wish, p.session) for p in kept])


@pytest.fixture(scope="module")
def market(instance):
    """The same as the prices see it."""
    arrays = arrays_of(instance)
    return Market.of(problem_of(arrays, beside_fixed(arrays, candidates_of(arrays))))


def test_fixed_people_keep_their_seats_and_do_not_bid(market):
    """Whoever is fixed is in the auction's plan, and a session full of fixed people has no price."""
    table, fixed = market.problem.table, market.problem.fixed
    opened = opening(market)
    assert set(fixed.tolist()) <= set(opened.rows)
    persons = np.bincount(table.session[fixed], weights=table.persons[fixed], minlength=len(market.open))
    full = persons >= np.maximum(market.groups.free, 1)
    assert full.sum() > 10
    assert (opened.before.seat[full] == 0).all()


def test_leaving_sure_people_out_of_the_programs_proves_as_much(market, monkeypatch):
    """The prices of the smaller programs prove the same bound as those of programs that decide about everybody."""

    def first_bound() -> int:
        prices: Prices = opening(market).before
        terms = Terms(time.perf_counter() + 300, 0.0, 4)
        return proven(market, next(relaxed(terms, market, prices, 1)).whole(market))

    small, solved, left_out = first_bound(), relaxation._solved, []

    def about_everybody(value, matrix, limits, sure, seconds):
        left_out.append(int(sure.sum()))
        return solved(value, matrix, limits, np.zeros_like(sure), seconds)

    monkeypatch.setattr(relaxation, "_solved", about_everybody)
    large = first_bound()
    assert sum(left_out) > 0.5 * len(market.problem.fixed)
    assert small == pytest.approx(large, rel=2e-4)


def test_a_round_that_is_mostly_fixed_is_solved_to_the_optimum(instance):
    """What is fixed stays, and the plan for the rest is proven to be the best there is."""
    outcome = solve(instance, Limits(seconds=60, gap=0.0))
    assert set(instance.fixed) <= {(p.seeker, p.wish, p.session) for p in outcome.placements}
    assert outcome.score == outcome.bound > 0
    assert audit(instance, outcome) == []
    assert check_certificate(instance, outcome) == []
