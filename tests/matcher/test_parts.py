"""Parts of the matcher against plain counterparts: candidates and money."""

from datetime import date
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leerbudget.geography import travel
from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import MODES
from leerbudget.matcher import candidates, payable
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.audit import facts_of
from leerbudget.matcher.candidates import RULES, candidates_of, pair_facts
from leerbudget.matcher.criteria.weights import score
from leerbudget.matcher.engine import money
from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import LearningBudget, instance_from
from matcher.small import a_person, a_seeker, a_session, an_instance
from matcher.tiny import a_random_instance


def broken_rules(rules, placed):
    """Every rule that a pair breaks by itself, one question at a time."""
    seeker, session = rules.seekers[placed.seeker], rules.sessions[placed.session]
    found = {breach.code for breach in rules.of_placement(placed)} - {"theme"}
    if len(rules.persons(placed)) > session.seats_max - session.seats_taken:
        found.add("seats")
    if rules.missing_cents(seeker, [placed]):
        found.add("money")
    return found | {breach.code for breach in rules.of_session(session.id, [placed]) if breach.code == "childcare"}


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=True))
def test_the_table_holds_exactly_what_the_rules_allow(dice):
    """In bulk and one by one the same pairs are possible, and every other pair falls under the first rule it breaks."""
    instance = instance_from(a_random_instance(dice) | {"fixed": [], "candidates": None})
    arrays, rules = arrays_of(instance), Rulebook.of(instance)
    table = candidates_of(arrays)
    allowed, points, funnel = [], [], np.zeros_like(table.funnel)
    for w, placed in enumerate(Placed(u.id, wish.id, "") for u in instance.seekers for wish in u.wishes):
        for s, session in enumerate(instance.sessions):
            pair = placed._replace(session=session.id)
            if rules.wish(pair).theme != session.theme:
                continue
            broken = [RULES.index(code) for code in broken_rules(rules, pair)]
            funnel[w, 0] += 1
            if broken:
                funnel[w, 1 + min(broken)] += 1
            else:
                allowed.append((w, s))
                points.append(int(score(facts_of(rules, [pair]), arrays.weights)[0]))
    assert list(zip(table.wish.tolist(), table.session.tolist(), strict=True)) == allowed
    assert table.score.tolist() == points
    assert (table.funnel == funnel).all()


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=True))
def test_every_rule_is_known_of_every_pair(dice):
    """Facts about any pairs, also of another theme, tell all rules they break; given candidates are judged alike."""
    instance = instance_from(a_random_instance(dice) | {"fixed": []})
    arrays, rules = arrays_of(instance), Rulebook.of(instance)
    wish, session = (grid.ravel() for grid in np.indices((len(arrays.wishes.ids), len(arrays.sessions.ids))))
    facts = pair_facts(arrays, wish, session)
    free = {}
    for row, (w, s) in enumerate(zip(wish.tolist(), session.tolist(), strict=True)):
        seeker = arrays.seekers.ids[arrays.wishes.seeker[w]]
        placed = Placed(seeker, arrays.wishes.ids[w], arrays.sessions.ids[s])
        broken = {rule for rule, breaks in zip(RULES, facts.breaks[:, row], strict=True) if breaks}
        assert broken == broken_rules(rules, placed)
        free[placed] = not broken
    if rules.given is not None:
        table = candidates_of(arrays)
        assert sorted(rules.given[p] for p in rules.given if free[p]) == sorted(table.score.tolist())
        assert (
            table.funnel[:, 0] == table.funnel[:, 1:].sum(axis=1) + np.bincount(table.wish, minlength=len(table.funnel))
        ).all()


@pytest.mark.parametrize(("pairs_at_once", "cells"), [(1, 10**9), (7, 0), (10**6, 0)])
def test_however_the_work_is_cut_the_table_is_the_same(monkeypatch, pairs_at_once, cells):
    """Neither the size of a block nor a table of minutes that does not fit changes a candidate, a point or the funnel."""
    dice = Random(5)  # noqa: S311 - a seed, not a secret
    instances = [instance_from(a_random_instance(dice) | {"fixed": []}) for _ in range(40)]
    whole = [candidates_of(arrays_of(instance)) for instance in instances]
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", pairs_at_once)
    monkeypatch.setattr(travel, "TABLE_CELLS_MAX", cells)
    for instance, expected in zip(instances, whole, strict=True):
        arrays = arrays_of(instance)
        assert (arrays.minutes is None) is (cells == 0)
        table = candidates_of(arrays)
        assert all((getattr(table, column) == getattr(expected, column)).all() for column in table.__slots__)
    assert sum(len(table) for table in whole) > 100


@pytest.mark.parametrize(
    ("blocked", "fits"),
    [
        (["2027-03-01T17:00+01:00", "2027-03-01T19:00+01:00"], True),
        (["2027-03-01T17:00+01:00", "2027-03-01T19:01+01:00"], False),
        (["2027-03-01T21:29+01:00", "2027-03-01T23:00+01:00"], False),
        (["2027-03-01T21:30+01:00", "2027-03-01T23:00+01:00"], True),
    ],
)
def test_what_touches_is_not_blocked(blocked, fits):
    """A meeting may begin when something else ends, and the other way round; a minute of overlap is too much."""
    instance = an_instance([a_seeker(persons=[a_person("f1a", blocked=[blocked])])], [a_session()])
    table = candidates_of(arrays_of(instance))
    assert len(table) == fits
    assert table.funnel[0, 1 + RULES.index("blocked")] == (not fits)


@pytest.mark.parametrize("mode", MODES)
def test_every_way_of_travelling_has_its_own_limit(mode):
    """A seeker who travels in one mode only comes as far as its limit, to the minute."""
    home, venue = place_of("3511"), place_of("3584")
    minutes = travel.travel_minutes(travel.Point(home.lat, home.lon), travel.Point(venue.lat, venue.lon))[mode]
    for limit in (minutes - 1, minutes):
        seeker = a_seeker(pc4="3511", travel_minutes_max={mode: limit})
        table = candidates_of(arrays_of(an_instance([seeker], [a_session(pc4="3584")])))
        assert len(table) == (limit == minutes)
        assert table.funnel[0, 1 + RULES.index("travel")] == (limit < minutes)


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
