"""The round theme by theme: prices from each theme's linear program, and plans made whole theme after theme."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine.blocks import Task, Terms, rounded, threads
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.prices import Market, Prices
from leerbudget.matcher.engine.relaxation import (
    LOWEST_GAIN,
    LOWEST_GAIN_OF_MANY,
    Quote,
    Relaxed,
    draft_of,
    regained,
    relax,
)

SWEEPS_MAX = 2
SETTLED = 3e-3
"""Gains that moved by less than this share of the bound since they were used: another sweep would prove little more."""
ENTWINED = 1.5
"""Themes that a seeker has candidates of, on average, from which one sweep changes what the next one is about."""
FIRST_POINTS = 25.0
"""Points a candidate may cost its seeker at the auction's prices and still be looked at in the first sweep of such a round."""
ROUGH_GAP = 1.5e-3
"""The gap asked from which that is done; two whole sweeps prove up to 0.005 % more."""
NEAR_POINTS = 12.0
"""Points a candidate may cost its seeker at the present prices and still be in a plan that is made whole."""
AHEAD = 2
"""Themes that are relaxed before those in front of them are decided, so that no core waits."""
KEPT = 1e7
"""Points that nobody gives up."""

Answer = Future[tuple[Relaxed, Quote] | None]


def themes_of(market: Market, among: Flags | None = None) -> list[Whole]:
    """The sessions of each theme that has candidates (`among` these sessions), the largest first.

    A theme is never cut: at the prices of a neighbouring part most seekers have something just as good there, and
    the groups of both parts miss them.
    """
    theme, table = market.problem.arrays.sessions.theme, market.problem.table
    wanted = np.bincount(table.session, minlength=len(theme))
    some = wanted > 0 if among is None else (wanted > 0) & among
    parts = [np.flatnonzero((theme == one) & some) for one in np.unique(theme[some])]
    return sorted(parts, key=lambda part: -int(wanted[part].sum()))


def relaxed(
    terms: Terms, market: Market, prices: Prices, bound: int, among: Flags | None = None, *, sweeps: int = SWEEPS_MAX
) -> Iterator[Prices]:
    """Better prices after each sweep over all themes, as long as the sweeps still change what they started from.

    `among`: the sessions whose prices may change; all of them when it is not given. `sweeps`: no more than so many.
    A theme is relaxed at the prices of the others. Later these change, and with them what its own candidates gain.
    Where many seekers wish several themes that is certain: then the first of several sweeps looks only at what is near,
    and its prices prove little. The bound is a little higher by that, so not where a small gap is asked.
    """
    parts, lowest = themes_of(market, among), LOWEST_GAIN if among is None else LOWEST_GAIN_OF_MANY
    roughly = sweeps > 1 and terms.gap >= ROUGH_GAP and _themes_each(market) > ENTWINED
    for number in range(sweeps):
        rough = roughly and number == 0
        found, prices = _sweep(terms, market, prices, parts, (FIRST_POINTS if rough else np.inf, lowest))
        yield prices
        if terms.over() or len(found) < len(parts):
            return
        last = number == sweeps - 1
        if not rough and (last or _moved(market, prices, found) < SETTLED * bound):
            return


def _themes_each(market: Market) -> float:
    """Of how many themes a seeker who has candidates has some, on average."""
    table = market.problem.table
    theme = market.problem.arrays.sessions.theme[table.session]
    themes = np.unique(table.seeker * (theme.max(initial=0) + 1) + theme)
    return len(themes) / max(1, len(np.unique(table.seeker)))


def _sweep(
    terms: Terms, market: Market, prices: Prices, parts: list[Whole], within: tuple[float, float]
) -> tuple[list[Relaxed], Prices]:
    """Every theme relaxed once, as many at once as there are cores; fewer when the time was too short.

    `within`: `near` and `lowest` of `relax`.
    """
    done: list[Relaxed] = []
    prices, (near, lowest) = prices.copy(), within
    with threads(terms, terms.workers) as pool:

        def begin(part: Whole) -> Answer:
            draft = draft_of(market, part, prices.price)
            present = prices.price[draft.rows]
            return pool.submit(relax, market, draft, present, terms.left(), near=near, lowest=lowest)

        waiting = deque(begin(part) for part in parts[: terms.workers])
        for number in range(len(parts)):
            answer = None if terms.over() else waiting.popleft().result()
            if answer is None:
                break
            done.append(answer[0])
            answer[1].put_in(prices)
            waiting.extend(begin(part) for part in parts[number + terms.workers : number + terms.workers + 1])
    return done, prices


def _moved(market: Market, prices: Prices, found: list[Relaxed]) -> float:
    """Points by which the gains of those who got something, what is fixed aside, differ now from what their theme was relaxed with."""
    moved, free = 0.0, np.ones(len(prices.price), bool)
    free[market.problem.fixed] = False
    for relaxed in found:
        present, draft = draft_of(market, relaxed.draft.sessions, prices.price), relaxed.draft
        moved += float(np.abs(present.gain - draft.gain)[(relaxed.level > 0) & free[draft.rows]].sum())
    return moved


def constructed(task: Task, market: Market, prices: Prices, chosen: Flags | None = None) -> tuple[Flags, bool]:
    """A plan theme after theme: relaxed beside what is decided already, then made whole; and whether time was enough.

    `chosen`: a plan to begin with; then each theme is decided again beside all others. While one theme is made
    whole the next ones are relaxed; what these did not know yet is looked at again.
    """
    parts, session = themes_of(market), task.problem.table.session
    done = np.full(len(market.open), chosen is not None)
    chosen = np.zeros(len(session), bool) if chosen is None else chosen
    with threads(task.terms, 1) as pool:

        def beside(number: int) -> tuple[Flags, Reals]:
            others = done.copy()
            others[parts[number]] = False
            held = chosen & others[session]
            return held, _decided(market, prices.price, others[session], held)

        def worth(plan: Flags) -> float:
            return float(task.program.objective @ task.program.complete(plan))

        def begin(number: int) -> Answer:
            draft = draft_of(market, parts[number], beside(number)[1])
            return pool.submit(relax, market, draft, prices.price[draft.rows], task.terms.left(), near=NEAR_POINTS)

        lead = AHEAD if task.terms.workers > 1 else 0
        waiting = deque(begin(number) for number in range(min(lead, len(parts))) if not task.terms.over())
        for number, part in enumerate(parts):
            if task.terms.over():
                break
            if number + lead < len(parts):
                waiting.append(begin(number + lead))
            answer = waiting.popleft().result()
            if answer is None:
                break
            held, now = beside(number)
            found = held | rounded(task, regained(market, answer[0], now), answer[1].price, held)
            if not done[part[0]] or worth(found) > worth(chosen):
                chosen = found
            done[part] = True
    chosen = chosen.copy()
    chosen[task.problem.fixed] = True
    return chosen, bool(done[session].all())


def _decided(market: Market, price: Reals, done: Flags, chosen: Flags) -> Reals:
    """Prices by which nobody can have another of the candidates that are `done` than the chosen ones, and all keep those."""
    decided: Reals = np.where(done, market.score + np.where(chosen, -KEPT, KEPT), price)
    return decided
