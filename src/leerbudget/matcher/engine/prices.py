"""Prices of seats, and the bound they prove.

Every candidate has a price, which its seeker pays and its session receives. Then the best bundle of every
seeker (points minus prices) and the best group of every session (prices) together are worth at least as much
as any plan, whatever the prices: that sum is the bound. Childcare places and people who may not share a room
have prices as well: a session pays a toll per candidate for them, and gets all places as a grant when it runs.
What is fixed counts `FIXED_POINTS` more, so that a bundle without it does not pay; the bound takes them off.
"""

import math
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import BANDS, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable
from leerbudget.matcher.engine.bundles import Flags, Reals, Units, bundles, losses, units_of
from leerbudget.matcher.engine.groups import Groups, group_worths, groups_of
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.outcome import Certificate

FIXED_POINTS = 20_000
SCALE = 1000
"""Prices are proven with in whole thousandths of a point, so that everybody adds up the same numbers."""


@dataclass(frozen=True, slots=True)
class Market:
    """A problem as the prices see it.

    `score`: points, with `FIXED_POINTS` for what is fixed. `carers`: the candidates of families that need
    childcare; `children`: the places each of them needs by band, shared among the candidates of one family in one session. `open`: no session is shut. `certain`: sessions that are taken
    to run whatever else is decided; at first those whose fixed people reach the minimum.
    """

    problem: Problem
    units: Units
    groups: Groups
    score: Reals
    open: Flags
    carers: Whole
    children: Reals
    certain: Flags

    @staticmethod
    def of(problem: Problem) -> "Market":
        """The market of a problem."""
        arrays, table = problem.arrays, problem.table
        score = table.score.astype(np.float64)
        score[problem.fixed] += FIXED_POINTS
        groups = groups_of(arrays, table)
        carers, children = _children(problem)
        session, persons = table.session[problem.fixed], table.persons[problem.fixed]
        held = np.bincount(session, weights=persons, minlength=len(arrays.sessions.ids))
        return Market(
            problem=problem,
            units=units_of(arrays, table, problem.exclusive),
            groups=groups,
            score=score,
            open=np.zeros(len(arrays.sessions.ids), bool),
            carers=carers,
            children=children,
            certain=(held > 0) & (held >= groups.needed) & ~groups.dialogue,
        )

    def worths(self, price: Reals) -> tuple[float, Flags]:
        """The sum of all best bundles at these prices, and the candidates in them."""
        chosen = np.zeros(len(price), bool)
        total = bundles(self.score - price, *self.units.columns(), self.open, chosen)
        return total, chosen

    def losses(self, price: Reals) -> Reals:
        """Per candidate how much its seeker gives up by having it, at these prices."""
        loss = np.zeros(len(price))
        losses(self.open, self.score - price, *self.units.columns(), loss)
        return loss


def _children(problem: Problem) -> tuple[Whole, Reals]:
    """The candidates that need childcare, and the places; a family's children count once in a session; each of its candidates there carries an equal part."""
    table, childcare = problem.table, problem.arrays.seekers.childcare
    needs = np.any(childcare, axis=1)
    needing = np.flatnonzero(needs[table.seeker])
    code = table.seeker[needing] * len(problem.arrays.sessions.ids) + table.session[needing]
    _, number, together = np.unique(code, return_inverse=True, return_counts=True)
    return needing, childcare[table.seeker[needing]] / together[number][:, None]


@dataclass(frozen=True, slots=True)
class Prices:
    """`seat`: by session. `price`: by candidate. `childcare`: by session and band. `company`: by pair of the problem."""

    seat: Reals
    price: Reals
    childcare: Reals
    company: Reals

    def copy(self) -> "Prices":
        """The same prices, to be written over."""
        return Prices(self.seat.copy(), self.price.copy(), self.childcare.copy(), self.company.copy())

    def part(self, market: Market, rows: Whole) -> "Prices":
        """The prices of these candidate rows alone."""
        i, j = market.problem.company
        both = np.isin(i, rows) & np.isin(j, rows)
        return Prices(self.seat, self.price[rows], self.childcare, self.company[both])

    def whole(self, market: Market) -> "Prices":
        """The prices in whole thousandths; what is the seat price anyway stays exactly the seat price."""
        table = market.problem.table
        seat = np.rint(self.seat * SCALE)
        usual, price = seat[table.session] * table.persons, np.rint(self.price * SCALE)
        price = np.where(np.abs(price - usual) <= table.persons, usual, price)
        childcare, company = np.rint(self.childcare * SCALE), np.rint(self.company * SCALE)
        return Prices(seat, price, np.maximum(0, childcare), np.maximum(0, company))


def tolls(market: Market, prices: Prices) -> tuple[Reals, Reals]:
    """What each candidate costs its session in childcare and company, and what each session gets when it runs."""
    table, (i, j) = market.problem.table, market.problem.company
    toll, carers = np.zeros(len(table)), market.carers
    toll[carers] = np.floor((market.children * prices.childcare[table.session[carers]]).sum(axis=1))
    np.add.at(toll, i, prices.company)
    np.add.at(toll, j, prices.company)
    grant = (prices.childcare * market.problem.arrays.sessions.childcare).sum(axis=1)
    np.add.at(grant, table.session[i], prices.company)
    return toll, grant


def group_payments(market: Market, prices: Prices) -> Reals:
    """By session what its best group pays at these prices, tolls taken off and the grant for running put on."""
    toll, grant = tolls(market, prices)
    worth = np.zeros(len(grant))
    group_worths(*market.groups.columns(), prices.price - toll, grant, worth)  # type: ignore[call-arg]
    return worth


def proven(market: Market, prices: Prices) -> int:
    """The bound that prices in whole thousandths prove, in points."""
    units, chosen = market.units, np.zeros(len(prices.price), bool)
    columns = units.columns()
    dear = (*columns[:2], units.bonus * SCALE, *columns[3:])
    paid = bundles(market.score * SCALE - prices.price, *dear, market.open, chosen)
    total = paid + float(group_payments(market, prices).sum())
    return math.floor((total + 1e-6 * abs(total) / SCALE) / SCALE) - FIXED_POINTS * len(market.problem.fixed)


def certificate(market: Market, prices: Prices, bound: int) -> Certificate:
    """Prices in whole thousandths, as they are published."""
    arrays, table, (i, j) = market.problem.arrays, market.problem.table, market.problem.company
    sessions, band_names = arrays.sessions.ids, list(BANDS)
    apart = np.flatnonzero(prices.price != prices.seat[table.session] * table.persons)
    met = np.flatnonzero(prices.company)
    one, other = (_named(arrays, table, rows[met]) for rows in (i, j))
    return Certificate(
        seat_prices={sessions[s]: int(prices.seat[s]) for s in np.flatnonzero(prices.seat).tolist()},
        personal_prices=[
            (seeker, wish, sessions[s], int(price))
            for (seeker, wish), s, price in zip(
                _named(arrays, table, apart), table.session[apart].tolist(), prices.price[apart].tolist(), strict=True
            )
        ],
        childcare_prices={
            sessions[s]: {
                band_names[b]: int(prices.childcare[s, b]) for b in np.flatnonzero(prices.childcare[s]).tolist()
            }
            for s in np.flatnonzero(prices.childcare.any(axis=1)).tolist()
        },
        company_prices=[
            (first, second, sessions[s], int(price))
            for first, second, s, price in zip(
                one, other, table.session[i[met]].tolist(), prices.company[met].tolist(), strict=True
            )
        ],
        fixed_points=FIXED_POINTS,
        bound=bound,
    )


def _named(arrays: Arrays, table: CandidateTable, rows: Whole) -> list[tuple[str, str]]:
    """Seeker and wish of candidate rows."""
    ids, wishes = arrays.seekers.ids, arrays.wishes.ids
    return [(ids[u], wishes[w]) for u, w in zip(table.seeker[rows].tolist(), table.wish[rows].tolist(), strict=True)]
