"""The auction of seats: what it sells keeps the rules, and at its prices nobody wants to be elsewhere."""

import numpy as np
import pytest

from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import beside_fixed, candidates_of
from leerbudget.matcher.engine.auction import Auction, opening
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.engine.plan import Board, mended
from leerbudget.matcher.engine.prices import Market, proven
from leerbudget.matcher.instance import instance_from


@pytest.fixture(scope="module", params=[1.2, 2.2])
def market(request):
    """A round of 900 families; with more than two wishes each, seats are scarcer and families may have several."""
    arrays = arrays_of(
        instance_from(generate_instance(families=900, sessions=110, seed=8, contention=0.6, wishes_mean=request.param))
    )
    return Market.of(problem_of(arrays, beside_fixed(arrays, candidates_of(arrays))))


def test_nobody_would_rather_have_another_seat(market):
    """Whoever may have one placement and comes alone has the best there is at the prices, or misses less than one raise."""
    auction = Auction.of(market)
    auction.bid()
    offer, sale, bidders = auction.offer, auction.sale, auction.bidders
    seats = np.diff(sale.first)[offer.lot]
    net = offer.worth + market.units.bonus[market.problem.table.seeker] - sale.price[offer.lot] * offer.persons
    net[seats < offer.persons] = -np.inf
    looked = 0
    for b, has in enumerate(sale.has.tolist()):
        mine = slice(bidders.first[b], bidders.last[b])
        if market.units.several[bidders.seeker[b]] or offer.persons[mine].max() > 1:
            continue
        looked += 1
        got = net[has] if has >= 0 else 0.0
        assert max(0.0, net[mine].max()) <= got + offer.raise_points + 1e-6
    assert looked > 300


def test_a_seat_has_a_price_only_where_all_are_sold(market):
    """Among people who come alone: a lot with a free seat is free of charge."""
    auction = Auction.of(market)
    auction.bid()
    sale, lots = auction.sale, auction.lots
    lot = np.repeat(np.arange(len(lots.seats)), lots.seats)
    sold = np.bincount(lot[sale.holder >= 0], minlength=len(lots.seats))
    pairs = np.unique(lots.of[auction.offer.persons > 1])
    single = np.setdiff1d(np.flatnonzero(sold < lots.seats), pairs)
    assert len(single)
    assert (sale.price[single] == 0).all()
    assert (sale.price > 0).any()


def test_what_is_sold_keeps_seats_minima_and_everyones_own_limits(market):
    """No session is over its seats or under its minimum, no wish is met twice, nobody has more than allowed or two that exclude."""
    rows = np.array(opening(market).rows)
    table, groups = market.problem.table, market.groups
    used = np.bincount(table.session[rows], weights=table.persons[rows], minlength=len(groups.free))
    held = np.isin(np.arange(len(groups.free)), table.session[market.problem.fixed])
    assert (used <= np.maximum(groups.free, 0)).all()
    assert (used >= groups.needed)[(used > 0) & ~held].all()
    assert len(np.unique(table.wish[rows])) == len(rows) > 300
    assert (np.bincount(table.seeker[rows], minlength=len(market.units.most)) <= market.units.most).all()
    i, j = market.problem.exclusive
    assert len(i)
    assert not (np.isin(i, rows) & np.isin(j, rows)).any()


def test_nearly_all_of_it_can_stay_and_its_prices_prove_a_bound(market):
    """What breaks a rule the auction does not know is little, and no plan scores more than the prices prove."""
    opened = opening(market)
    plan = mended(Board.of(market.problem), opened.rows)
    assert len(plan.chosen.intersection(opened.rows)) > 0.9 * len(opened.rows)
    for prices in (opened.before, opened.after):
        assert plan.score() <= proven(market, prices.whole(market))
