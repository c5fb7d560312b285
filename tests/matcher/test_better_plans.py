"""Plans above the size that one integer program takes: where they fall short, and how they get better."""

import time
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.audit import audit
from leerbudget.matcher.candidates import beside_fixed, candidates_of, rows_of
from leerbudget.matcher.certificates import check_certificate
from leerbudget.matcher.engine import search, themes
from leerbudget.matcher.engine.auction import opening
from leerbudget.matcher.engine.blocks import Task, Terms
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.engine.plan import Board, mended
from leerbudget.matcher.engine.prices import SCALE, Market, Prices, proven
from leerbudget.matcher.engine.shortfalls import Promise, repaired
from leerbudget.matcher.engine.themes import constructed, relaxed
from leerbudget.matcher.instance import instance_from
from leerbudget.matcher.solving import Limits, solve


@pytest.fixture(scope="module")
def round_of():
    """A round of 700 families, its prices, and a first plan: (task, market, prices, values of all variables)."""
    arrays = arrays_of(instance_from(generate_instance(families=700, sessions=90, seed=4, wishes_mean=2.0)))
    problem = problem_of(arrays, beside_fixed(arrays, candidates_of(arrays)))
    market = Market.of(problem)
    task = Task.of(problem, Terms(time.perf_counter() + 300, 0.0, 4, workers=2))
    first = opening(market).before
    *_, prices = relaxed(task.terms, market, first, proven(market, first.whole(market)))
    chosen, all_done = constructed(task, market, prices)
    assert all_done
    return task, market, prices, task.program.complete(possible(problem, chosen))


def possible(problem, chosen):
    """What of a choice keeps every rule, and what still fits beside it."""
    plan = mended(Board.of(problem), np.flatnonzero(chosen[: len(problem.table)]).tolist())
    flags = np.zeros(len(problem.table), bool)
    flags[list(plan.chosen)] = True
    return flags


def score(task, chosen):
    """Points of a plan."""
    return float(task.program.objective @ chosen)


def test_what_all_places_miss_is_the_gap_to_the_point(round_of):
    """What sessions and seekers miss of what the prices promise adds up to bound less score."""
    task, market, prices, chosen = round_of
    whole = prices.whole(market)
    points = Prices(
        whole.seat / SCALE, whole.price / SCALE, np.zeros_like(whole.childcare), np.zeros_like(whole.company)
    )
    bound = proven(market, points.whole(market))
    missed = Promise.of(market, points).missed(chosen[: len(prices.price)])
    assert missed.min() > -1e-6
    assert bound - score(task, chosen) == pytest.approx(missed.sum(), abs=1.0)
    assert missed.sum() > 0


def test_mending_where_a_plan_falls_short_only_gains(round_of):
    """Every step of the repair keeps every rule and scores no less; a plan that was spoilt gets back more than half of it."""
    task, market, prices, chosen = round_of
    size = len(prices.price)
    spoilt = chosen[:size].copy()
    spoilt[np.flatnonzero(spoilt)[::3]] = False
    spoilt = task.program.complete(possible(task.problem, spoilt))
    last = score(task, spoilt)
    for better in repaired(task, market, prices, spoilt):
        assert score(task, better) >= last
        last = score(task, better)
        assert possible(task.problem, better)[better[:size]].all()  # nothing had to be taken out
    assert last - score(task, spoilt) > 0.5 * (score(task, chosen) - score(task, spoilt)) > 0


def test_a_plan_made_of_the_nearest_candidates_is_still_full(monkeypatch):
    """With one candidate in six looked at and only sessions that are not sold out relaxed for the bound: every rule kept, nobody could be added, the proof holds."""
    monkeypatch.setattr(search, "WHOLE_MAX", 0)
    monkeypatch.setattr(search, "FEW", 0)
    monkeypatch.setattr(search, "SWEPT_MAX", 0)
    instance = instance_from(generate_instance(families=700, sessions=90, seed=4, wishes_mean=2.0))
    arrays = arrays_of(instance)
    table = beside_fixed(arrays, candidates_of(arrays))
    monkeypatch.setattr(search, "NEAREST", 1)
    monkeypatch.setattr(search, "LOOKED_AT_MAX", len(table) // 6)
    outcome = solve(instance, Limits(seconds=300, gap=0.01))
    assert audit(instance, outcome) == []
    assert check_certificate(instance, outcome) == []
    placed = rows_of(arrays, table, [(p.seeker, p.wish, p.session) for p in outcome.placements])
    board = Board.of(problem_of(arrays, table))
    assert set(mended(board, placed.tolist()).chosen) == set(placed.tolist())


def test_deciding_the_themes_again_never_loses(round_of):
    """A plan whose themes are each decided once more beside all others scores no less than before."""
    task, market, prices, chosen = round_of
    size = len(prices.price)
    again, _ = constructed(task, market, prices, chosen[:size])
    assert score(task, task.program.complete(again)) >= score(task, chosen)


def test_a_stop_halfway_keeps_the_themes_that_are_decided(monkeypatch, round_of):
    """Stopped after five themes of the first plan: these stand, the others are as the auction left them; neither alone is as good."""
    task, market, prices, _ = round_of
    stop, made_whole = Event(), themes.rounded
    decided = iter([False] * 4 + [True])

    def rounded(*words):
        found = made_whole(*words)
        if next(decided, False):
            stop.set()
        return found

    monkeypatch.setattr(themes, "rounded", rounded)
    stopped = replace(task, terms=replace(task.terms, stop=stop))
    plan, all_done = constructed(stopped, market, prices)
    board, rows, auctioned = Board.of(task.problem), np.flatnonzero(plan).tolist(), opening(market).rows
    assert not all_done
    alone = max(mended(board, rows).score(), mended(board, auctioned).score())
    assert mended(board, rows, auctioned).score() > alone

    decided, stop = iter([False] * 4 + [True]), Event()
    monkeypatch.setattr(search, "WHOLE_MAX", 0)
    monkeypatch.setattr(search, "FEW", 0)
    instance = task.problem.arrays.instance
    outcome = solve(instance, Limits(seconds=300, gap=0.0), stop=stop)
    assert audit(instance, outcome) == []
    assert outcome.score > alone


@pytest.mark.parametrize("whole_max", [0, search.WHOLE_MAX])
def test_a_search_that_is_stopped_at_once_still_answers(monkeypatch, whole_max):
    """Stopped before it began: an outcome that keeps every rule, with a bound that its certificate proves."""
    monkeypatch.setattr(search, "WHOLE_MAX", whole_max)
    monkeypatch.setattr(search, "FEW", min(whole_max, search.FEW))
    instance = instance_from(generate_instance(families=250, sessions=40, seed=6))
    stop = Event()
    stop.set()
    outcome = solve(instance, Limits(seconds=300, gap=0.0), stop=stop)
    assert audit(instance, outcome) == []
    assert check_certificate(instance, outcome) == []
    assert len(outcome.placements) > 50
    assert sum(outcome.seconds.values()) < 60
