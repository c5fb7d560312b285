"""The round of one theme without whole numbers, and the prices that follow from it.

One linear program over the sessions of a theme: each candidate is worth what it adds to the best its seeker
could have elsewhere at the present prices. No candidate can be more present than its session runs; that row
makes nearly everything come out whole. The row prices are the prices of `prices`, so the bound is tight, and
what did come out whole is nearly a plan.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from leerbudget.matcher.arrays import BANDS, Whole
from leerbudget.matcher.engine.bundles import Flags, Reals, gains
from leerbudget.matcher.engine.inequalities import Inequalities
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.engine.prices import Market, Prices

LOWEST_GAIN = -100.0
"""Candidates that are worth less than this even at no price are left out of the program; they keep their price."""
WHOLE = 1e-6
DOUBTFUL = 0.4
"""The level of somebody who came out whole on a supposition that does not hold any more."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """`rows`: the candidates of the theme. `gain` and `level` per row of the table; zero elsewhere. `running`: by session."""

    rows: Whole
    gain: Reals
    level: Reals
    running: Reals


@dataclass(frozen=True, slots=True)
class Theme:
    """The candidates that take part (`keep`), their sessions' numbers (`at`), and which sessions have a variable (`runs`)."""

    market: Market
    sessions: Whole
    keep: Whole
    at: Whole
    runs: Whole

    def column(self, sessions: Whole) -> Whole:
        """The variables of sessions, by their number here."""
        return len(self.keep) + self.runs[sessions]


def relax(
    market: Market, sessions: Whole, prices: Prices, seconds: float, near: float = np.inf
) -> tuple[Relaxed, Prices] | None:
    """The relaxed round of these sessions and the prices it gives them; None when the time was too short.

    `near`: only candidates that at the present prices cost their seeker at most so many points.
    """
    rows, gain = _gains(market, sessions, prices.price)
    loss = losses_within(market.problem, rows, gain, prices.price)
    keep = rows[(gain[rows] > LOWEST_GAIN) & (loss < near)]
    level, running = np.zeros(len(gain)), np.zeros(len(market.open))
    if not len(keep):
        return Relaxed(rows, gain, level, running), prices
    which, at = np.unique(market.problem.table.session[keep], return_inverse=True)
    either = (market.groups.needed[which] > 1) | (market.groups.most[which] >= 0).any(axis=1)
    theme = Theme(market, which, keep, at, np.where(either, np.cumsum(either) - 1, -1))
    made, places = _inequalities(theme)
    size = len(keep) + int(either.sum())
    matrix, limits = made.matrix(size), np.concatenate(made.limits)
    value = np.concatenate([-gain[keep], np.zeros(size - len(keep))])
    options = {"time_limit": max(0.1, seconds)}
    found = linprog(value, A_ub=matrix, b_ub=limits, bounds=(0, 1), method="highs", options=options)
    if found.status != 0:
        return None
    level[keep] = found.x[: len(keep)]
    running[which] = np.where(either, found.x[theme.column(np.arange(len(which)))] if either.any() else 1.0, 1.0)
    relaxed = Relaxed(rows, gain, level, running)
    return relaxed, _priced(theme, prices, relaxed, -found.ineqlin.marginals, (matrix, places))


def regained(market: Market, relaxed: Relaxed, sessions: Whole, prices: Prices) -> Relaxed:
    """The same with the gains at other prices; whoever came out whole but gains less now is half in it."""
    rows, gain = _gains(market, sessions, prices.price)
    less = np.zeros(len(gain), bool)
    less[rows] = gain[rows] < relaxed.gain[rows] - WHOLE
    level = np.where(less & (relaxed.level > WHOLE), DOUBTFUL, relaxed.level)
    return Relaxed(rows, gain, level, relaxed.running)


def _gains(market: Market, sessions: Whole, price: Reals) -> tuple[Whole, Reals]:
    shut = np.zeros(len(market.open), bool)
    shut[sessions] = True
    rows = np.flatnonzero(shut[market.problem.table.session])
    gain = np.zeros(len(price))
    units = np.unique(market.problem.table.seeker[rows])
    gains(units, shut, market.score, market.score - price, *market.units.columns(), gain)
    return rows, gain


def losses_within(problem: Problem, rows: Whole, gain: Reals, price: Reals) -> Reals:
    """How much less each of these candidates gives its seeker than the best of them, or than none."""
    seeker = problem.table.seeker[rows]
    net = gain[rows] - price[rows]
    best = np.zeros(len(problem.arrays.seekers.ids))
    np.maximum.at(best, seeker, net)
    loss: Reals = best[seeker] - net
    return loss


def _inequalities(theme: Theme) -> tuple[Inequalities, dict[str, slice]]:
    """The rows of a theme, and where the kinds stand that have prices of their own."""
    made, places = Inequalities(), {}
    table, keep = theme.market.problem.table, theme.keep
    wishes, number = np.unique(table.wish[keep], return_inverse=True)
    made.add(number, np.arange(len(keep)), np.ones(len(keep)), np.ones(len(wishes)))
    _own(theme, made)
    places["seats"] = _seats(theme, made)
    places["least"] = _least(theme, made)
    bound = np.flatnonzero(theme.runs[theme.at] >= 0)
    count = np.arange(len(bound))
    columns = np.concatenate([bound, theme.column(theme.at[bound])])
    made.add(np.concatenate([count, count]), columns, np.repeat([1.0, -1.0], len(bound)), np.zeros(len(bound)))
    for number_here in np.flatnonzero(theme.market.groups.dialogue[theme.sessions]).tolist():
        _parties(theme, made, number_here)
    places["childcare"] = _childcare(theme, made)
    places["company"] = _company(theme, made)
    return made, places


def _own(theme: Theme, made: Inequalities) -> None:
    """What a seeker cannot have together within the theme: more than its maximum, or two that exclude each other."""
    problem, keep = theme.market.problem, theme.keep
    who, number = np.unique(problem.table.seeker[keep], return_inverse=True)
    made.add(
        number, np.arange(len(keep)), np.ones(len(keep)), problem.arrays.seekers.placements_max[who].astype(np.float64)
    )
    i, j = problem.exclusive
    here = np.full(len(problem.table), -1)
    here[keep] = np.arange(len(keep))
    both = (here[i] >= 0) & (here[j] >= 0)
    one, other = here[i[both]], here[j[both]]
    count = np.arange(len(one))
    columns, rows = np.concatenate([one, other]), np.concatenate([count, count])
    made.add(rows, columns, np.ones(len(columns)), np.ones(len(one)))


def _seats(theme: Theme, made: Inequalities) -> slice:
    free = theme.market.groups.free[theme.sessions].astype(np.float64)
    either = np.flatnonzero(theme.runs >= 0)
    persons = theme.market.problem.table.persons[theme.keep]
    rows = np.concatenate([theme.at, either])
    columns = np.concatenate([np.arange(len(theme.keep)), theme.column(either)])
    return made.add(rows, columns, np.concatenate([persons, -free[either]]), np.where(theme.runs >= 0, 0.0, free))


def _least(theme: Theme, made: Inequalities) -> slice:
    either = np.flatnonzero(theme.runs >= 0)
    members = np.flatnonzero(theme.runs[theme.at] >= 0)
    needed = theme.market.groups.needed[theme.sessions[either]]
    persons = theme.market.problem.table.persons[theme.keep[members]]
    rows = np.concatenate([theme.runs[theme.at[members]], theme.runs[either]])
    columns = np.concatenate([members, theme.column(either)])
    return made.add(rows, columns, np.concatenate([-persons, needed]), np.zeros(len(either)))


def _parties(theme: Theme, made: Inequalities, number: int) -> None:
    """Least, most and spread of the parties in one dialogue that runs."""
    groups, session = theme.market.groups, theme.sessions[number]
    members = np.flatnonzero(theme.at == number)
    column = theme.column(np.array([number]))
    invited = np.flatnonzero(groups.most[session] >= 0)
    persons, voice = groups.persons[theme.keep[members]], groups.voice[theme.keep[members]]
    brings = {int(party): np.where(voice == party, persons, 0) for party in invited}
    lines = [(brings[int(p)], -groups.most[session, p]) for p in invited]
    lines += [(-brings[int(p)], groups.least[session, p]) for p in invited]
    if groups.spread[session] >= 0:
        before = groups.before[session]
        lines += [
            (brings[int(p)] - brings[int(r)], -(groups.spread[session] + before[r] - before[p]))
            for p in invited
            for r in invited
            if p != r
        ]
    for counts, limit in lines:
        columns = np.concatenate([members, column])
        made.add(np.zeros(len(columns), np.int64), columns, np.append(counts, limit), np.zeros(1))


def _childcare(theme: Theme, made: Inequalities) -> slice:
    """One row per session and band, also where no row is needed: an empty row has no price."""
    shares = theme.market.children[theme.keep]
    places = theme.market.problem.arrays.sessions.childcare[theme.sessions].astype(np.float64)
    member, band = np.nonzero(shares)
    either = np.flatnonzero(theme.runs >= 0)
    bands = len(BANDS)
    rows = np.concatenate([theme.at[member] * bands + band, (either[:, None] * bands + np.arange(bands)).ravel()])
    columns = np.concatenate([member, np.repeat(theme.column(either), bands)])
    values = np.concatenate([shares[member, band], -places[either].ravel()])
    return made.add(rows, columns, values, np.where(theme.runs[:, None] >= 0, 0.0, places).ravel())


def _company(theme: Theme, made: Inequalities) -> slice:
    """Two who may not share a room; one row for every such pair of the whole problem, empty outside this theme."""
    i, j = theme.market.problem.company
    here = np.full(len(theme.market.problem.table), -1)
    here[theme.keep] = np.arange(len(theme.keep))
    both = np.flatnonzero((here[i] >= 0) & (here[j] >= 0))
    one, other = here[i[both]], here[j[both]]
    runs = theme.runs[theme.at[one]] >= 0
    rows = np.concatenate([both, both, both[runs]])
    columns = np.concatenate([one, other, theme.column(theme.at[one[runs]])])
    values = np.concatenate([np.ones(2 * len(both)), -np.ones(int(runs.sum()))])
    limits = np.ones(len(i))
    limits[both[runs]] = 0.0
    return made.add(rows, columns, values, limits)


def _priced(
    theme: Theme, prices: Prices, relaxed: Relaxed, duals: Reals, program: tuple[csr_array, dict[str, slice]]
) -> Prices:
    """The prices of a theme by its row prices; other themes keep theirs."""
    market, table = theme.market, theme.market.problem.table
    rows, (matrix, places) = relaxed.rows, program
    duals = np.maximum(0.0, duals)
    seat = prices.seat.copy()
    seat[theme.sessions] = duals[places["seats"]]
    either = theme.runs >= 0
    seat[theme.sessions[either]] -= duals[places["least"]]
    price = prices.price.copy()
    usual = seat[table.session[rows]] * table.persons[rows]
    price[rows] = np.maximum(usual, relaxed.gain[rows])
    of_sessions = duals.copy()
    of_sessions[: places["seats"].start] = 0.0
    price[theme.keep] = (matrix.T @ of_sessions)[: len(theme.keep)]
    childcare, company = prices.childcare.copy(), prices.company.copy()
    childcare[theme.sessions] = duals[places["childcare"]].reshape(len(theme.sessions), len(BANDS))
    i, _ = market.problem.company
    mine = np.zeros(len(market.open), bool)
    mine[theme.sessions] = True
    company[mine[table.session[i]]] = duals[places["company"]][mine[table.session[i]]]
    return Prices(seat, price, childcare, company)


def whole_part(relaxed: Relaxed) -> tuple[Flags, Flags]:
    """Candidates that came out whole, and those that did so only in part."""
    one = relaxed.level > 1.0 - WHOLE
    return one, (relaxed.level > WHOLE) & ~one
