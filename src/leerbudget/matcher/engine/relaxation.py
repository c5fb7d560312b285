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
from leerbudget.matcher.candidates import expanded
from leerbudget.matcher.engine.bundles import Flags, Reals, gains
from leerbudget.matcher.engine.inequalities import Inequalities
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.engine.prices import Market, Prices

LOWEST_GAIN = -100.0
"""Candidates that are worth less than this even at no price are left out of the program; they keep their price."""
LOWEST_GAIN_OF_MANY = -50.0
"""The same where only some sessions are relaxed, because there are too many: less memory, a little less proof."""
ROWS_MAX = 200_000
"""Candidates that a theme may have when only the near ones are looked at: those nearest to their seeker's best."""
WHOLE = 1e-6
DOUBTFUL = 0.4
"""The level of somebody who came out whole on a supposition that does not hold any more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Sessions that are relaxed, their candidates (`rows`, ascending), and what each adds to its seeker's best elsewhere."""

    sessions: Whole
    rows: Whole
    gain: Reals


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A relaxed `draft`: how present each of its candidates is (`level`), and how far sessions run (`running`, by session)."""

    draft: Draft
    level: Reals
    running: Reals


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of some sessions (`seat`, `childcare`), of their candidates (`rows`, `price`) and of their `pairs` of company."""

    sessions: Whole
    seat: Reals
    childcare: Reals
    rows: Whole
    price: Reals
    pairs: Whole
    company: Reals

    def put_in(self, prices: Prices) -> None:
        """Write these prices over the present ones."""
        prices.seat[self.sessions], prices.childcare[self.sessions] = self.seat, self.childcare
        prices.price[self.rows], prices.company[self.pairs] = self.price, self.company


@dataclass(frozen=True, slots=True)
class Theme:
    """The candidates that take part (`keep`), their sessions' numbers (`at`), and which sessions have a variable (`runs`).

    `sure`: which variables are one whatever else: fixed candidates in sessions that are certain to run.
    """

    market: Market
    sessions: Whole
    keep: Whole
    at: Whole
    runs: Whole
    sure: Flags

    @staticmethod
    def of(market: Market, keep: Whole) -> "Theme":
        """The theme of these candidates."""
        sessions, at = np.unique(market.problem.table.session[keep], return_inverse=True)
        groups = market.groups
        certain = market.certain[sessions]
        either = ((groups.needed[sessions] > 1) | (groups.most[sessions] >= 0).any(axis=1)) & ~certain
        sure = np.concatenate([np.isin(keep, market.problem.fixed) & certain[at], np.zeros(int(either.sum()), bool)])
        return Theme(market, sessions, keep, at, np.where(either, np.cumsum(either) - 1, -1), sure)

    def column(self, sessions: Whole) -> Whole:
        """The variables of sessions, by their number here."""
        return len(self.keep) + self.runs[sessions]


def draft_of(market: Market, sessions: Whole, price: Reals) -> Draft:
    """What the candidates of these sessions add at the present prices of all others."""
    _, places = expanded(market.groups.first, sessions)
    rows = np.sort(market.groups.rows[places])
    seekers = np.unique(market.problem.table.seeker[rows])
    _, touched = expanded(market.units.first, seekers)
    worth, gain = np.empty(len(price)), np.zeros(len(price))
    worth[touched] = market.score[touched] - price[touched]
    shut = np.zeros(len(market.open), bool)
    shut[sessions] = True
    gains(seekers, shut, market.score, worth, *market.units.columns(), gain)
    return Draft(sessions, rows, gain[rows])


def relax(
    market: Market, draft: Draft, prices: Reals, seconds: float, *, near: float = np.inf, lowest: float = LOWEST_GAIN
) -> tuple[Relaxed, Quote] | None:
    """The relaxed round of a draft and the prices it gives; None when the time was too short.

    `near`: only candidates that at the present `prices` (of the draft's candidates) cost their seeker at most so many
    points, and no more than `ROWS_MAX` of them. `lowest`: only those that add more.
    """
    loss = losses_within(market.problem, draft, prices)
    part = np.flatnonzero((draft.gain > lowest) & (loss < near))
    if near < np.inf and len(part) > ROWS_MAX:
        part = part[loss[part] <= np.partition(loss[part], ROWS_MAX)[ROWS_MAX]]
    keep, gain = draft.rows[part], draft.gain[part]
    theme = Theme.of(market, keep)
    level, running = np.zeros(len(draft.rows)), np.zeros(len(market.open))
    matrix, limits, places = _inequalities(theme)
    value = np.concatenate([-gain, np.zeros(len(theme.sure) - len(keep))])
    solved = _solved(value, matrix, limits, theme.sure, seconds)
    if solved is None:
        return None
    found, duals = solved
    level[part] = found[: len(keep)]
    either = theme.runs >= 0
    running[theme.sessions] = 1.0
    running[theme.sessions[either]] = found[len(keep) :]
    return Relaxed(draft, level, running), _quoted(theme, draft, part, duals, (matrix, places))


def _solved(value: Reals, matrix: csr_array, limits: Reals, sure: Flags, seconds: float) -> tuple[Reals, Reals] | None:
    """Least value of variables from 0 to 1, the sure ones being 1, and what each row costs; None when the time was too short."""
    found, duals = sure.astype(np.float64), np.zeros(len(limits))
    rest = matrix[:, np.flatnonzero(~sure)]
    rows = np.flatnonzero(np.diff(rest.indptr))
    if len(rows):
        rest, left = rest[rows], (limits - matrix @ found)[rows]
        options = {"time_limit": max(0.1, seconds)}
        answer = linprog(value[~sure], A_ub=rest, b_ub=left, bounds=(0, 1), method="highs", options=options)
        if answer.status != 0:
            return None
        found[~sure], duals[rows] = answer.x, np.maximum(0.0, -answer.ineqlin.marginals)
    return found, duals


def regained(market: Market, relaxed: Relaxed, price: Reals) -> Relaxed:
    """The same with the gains at other prices; whoever came out whole but gains less now is half in it."""
    draft = draft_of(market, relaxed.draft.sessions, price)
    less = draft.gain < relaxed.draft.gain - WHOLE
    level = np.where(less & (relaxed.level > WHOLE), DOUBTFUL, relaxed.level)
    return Relaxed(draft, level, relaxed.running)


def losses_within(problem: Problem, draft: Draft, price: Reals) -> Reals:
    """How much less each candidate of a draft gives its seeker, at these prices of them, than the best of them, or than none."""
    seeker, net = problem.table.seeker[draft.rows], draft.gain - price
    best = np.zeros(len(problem.arrays.seekers.ids))
    np.maximum.at(best, seeker, net)
    loss: Reals = best[seeker] - net
    return loss


def _inequalities(theme: Theme) -> tuple[csr_array, Reals, dict[str, slice]]:
    """The rows of a theme, their limits, and where the kinds stand that have prices of their own."""
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
    return made.matrix(len(theme.sure)), np.concatenate(made.limits), places


def _own(theme: Theme, made: Inequalities) -> None:
    """What a seeker cannot have together within the theme: more than its maximum, or two that exclude each other."""
    problem, keep = theme.market.problem, theme.keep
    who, number = np.unique(problem.table.seeker[keep], return_inverse=True)
    made.add(
        number, np.arange(len(keep)), np.ones(len(keep)), problem.arrays.seekers.placements_max[who].astype(np.float64)
    )
    one, other = theme.market.units.excluding(keep, problem.table.seeker)
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
        bring = np.flatnonzero(counts)
        columns = np.concatenate([members[bring], column])
        made.add(np.zeros(len(columns), np.int64), columns, np.append(counts[bring], limit), np.zeros(1))


def _childcare(theme: Theme, made: Inequalities) -> slice:
    """One row per session and band, also where no row is needed: an empty row has no price."""
    taking, carers = _met(theme.keep, theme.market.carers)
    shares = theme.market.children[carers]
    places = theme.market.problem.arrays.sessions.childcare[theme.sessions].astype(np.float64)
    needing, band = np.nonzero(shares)
    member = taking[needing]
    either = np.flatnonzero(theme.runs >= 0)
    bands = len(BANDS)
    rows = np.concatenate([theme.at[member] * bands + band, (either[:, None] * bands + np.arange(bands)).ravel()])
    columns = np.concatenate([member, np.repeat(theme.column(either), bands)])
    values = np.concatenate([shares[needing, band], -places[either].ravel()])
    return made.add(rows, columns, values, np.where(theme.runs[:, None] >= 0, 0.0, places).ravel())


def _met(keep: Whole, rows: Whole) -> tuple[Whole, Whole]:
    """Of two ascending lists the places of what stands in both."""
    at = np.minimum(np.searchsorted(rows, keep), len(rows) - 1)
    both = np.flatnonzero(rows[at] == keep) if len(rows) else at[:0]
    return both, at[both]


def _both(keep: Whole, pairs: tuple[Whole, Whole]) -> tuple[Whole, Whole, Whole]:
    """The pairs whose candidates both take part: the numbers of the two among those that do, and of the pair."""
    at = [np.minimum(np.searchsorted(keep, rows), len(keep) - 1) for rows in pairs]
    both = np.flatnonzero((keep[at[0]] == pairs[0]) & (keep[at[1]] == pairs[1])) if len(keep) else at[0][:0]
    return at[0][both], at[1][both], both


def _company(theme: Theme, made: Inequalities) -> slice:
    """Two who may not share a room: a row for every pair of which both take part."""
    one, other, _ = _both(theme.keep, theme.market.problem.company)
    count, runs = np.arange(len(one)), theme.runs[theme.at[one]] >= 0
    rows = np.concatenate([count, count, count[runs]])
    columns = np.concatenate([one, other, theme.column(theme.at[one[runs]])])
    values = np.concatenate([np.ones(2 * len(one)), -np.ones(int(runs.sum()))])
    return made.add(rows, columns, values, np.where(runs, 0.0, 1.0))


def _quoted(
    theme: Theme, draft: Draft, part: Whole, duals: Reals, program: tuple[csr_array, dict[str, slice]]
) -> Quote:
    """The prices of a draft by the row prices.

    Who did not take part pays the price of the seat, or more: so much that nothing is better for its seeker than
    what took part.
    """
    market, table, (matrix, places) = theme.market, theme.market.problem.table, program
    of_sessions = duals.copy()
    of_sessions[: places["seats"].start] = 0.0
    shape = len(market.open), len(BANDS)
    seat, childcare = np.zeros(shape[0]), np.zeros(shape)
    seat[theme.sessions] = duals[places["seats"]]
    either = theme.runs >= 0
    seat[theme.sessions[either]] -= duals[places["least"]]
    childcare[theme.sessions] = duals[places["childcare"]].reshape(len(theme.sessions), len(BANDS))
    kept = (matrix.T @ of_sessions)[: len(part)]
    best = np.zeros(len(market.units.bonus))
    np.maximum.at(best, table.seeker[theme.keep], draft.gain[part] - kept)
    usual = seat[table.session[draft.rows]] * table.persons[draft.rows]
    price = np.maximum(usual, draft.gain - best[table.seeker[draft.rows]])
    price[part] = kept
    pairs = np.flatnonzero(np.isin(table.session[market.problem.company[0]], draft.sessions))
    company = np.zeros(len(market.problem.company[0]))
    company[_both(theme.keep, market.problem.company)[2]] = duals[places["company"]]
    return Quote(
        draft.sessions, seat[draft.sessions], childcare[draft.sessions], draft.rows, price, pairs, company[pairs]
    )


def whole_part(relaxed: Relaxed) -> tuple[Whole, Whole]:
    """Candidates that came out whole, and those that did so only in part."""
    one = relaxed.level > 1.0 - WHOLE
    rows = relaxed.draft.rows
    return rows[one], rows[(relaxed.level > WHOLE) & ~one]
