"""The round theme by theme: prices from each theme's linear program, and plans made whole theme after theme."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine.blocks import Task, rounded, threads
from leerbudget.matcher.engine.bundles import Flags
from leerbudget.matcher.engine.prices import Market, Prices
from leerbudget.matcher.engine.relaxation import Relaxed, regained, relax

PART_MAX = 80_000
"""Candidates of a theme that are relaxed at once: one linear program takes seconds up to here and minutes beyond."""
SWEEPS_MAX = 4
SETTLED = 2e-3
"""Gains that moved by less than this share of the bound since they were used: another sweep would prove little more."""
NEAR_POINTS = 30.0
"""Points a candidate may cost its seeker at the present prices and still be in a plan that is made whole."""
AHEAD = 2
"""Themes that are relaxed before those in front of them are decided, so that no core waits."""
KEPT = 1e7
"""Points that nobody gives up."""


def themes_of(task: Task) -> list[Whole]:
    """The sessions of each theme that has candidates, the largest first; a very large theme in parts from west to east."""
    sessions, table = task.problem.arrays.sessions, task.problem.table
    wanted = np.bincount(table.session, minlength=len(sessions.ids))
    east = np.nan_to_num(sessions.places.xyz[:, 1])
    parts: list[Whole] = []
    for theme in np.unique(sessions.theme[wanted > 0]):
        mine = np.flatnonzero((sessions.theme == theme) & (wanted > 0))
        mine = mine[np.argsort(east[mine], kind="stable")]
        share = np.cumsum(wanted[mine]) - wanted[mine]
        parts += np.split(mine, np.flatnonzero(np.diff(share // PART_MAX)) + 1)
    return sorted(parts, key=lambda part: -int(wanted[part].sum()))


def relaxed(task: Task, market: Market, prices: Prices, bound: int) -> Iterator[Prices]:
    """Better prices after each sweep over all themes, as long as the sweeps still change what they started from.

    A theme is relaxed at the prices of the others. Later these change, and with them what its own candidates gain.
    """
    parts = themes_of(task)
    for _ in range(SWEEPS_MAX):
        found, prices = _sweep(task, market, prices, parts)
        yield prices
        if task.over() or len(found) < len(parts) or _moved(market, prices, parts, found) < SETTLED * bound:
            return


def _sweep(task: Task, market: Market, prices: Prices, parts: list[Whole]) -> tuple[list[Relaxed], Prices]:
    """Every theme relaxed once, as many at once as there are cores; fewer when the time was too short."""
    done: list[Relaxed] = []
    with threads(task, task.workers) as pool:
        for first in range(0, len(parts), task.workers):
            together = parts[first : first + task.workers]
            answers = list(pool.map(lambda part, now=prices: relax(market, part, now, task.left()), together))
            found = [answer for answer in answers if answer is not None]
            prices = _joined(market, prices, found)
            done += [relaxed for relaxed, _ in found]
            if task.over() or len(found) < len(together):
                break
    return done, prices


def _joined(market: Market, prices: Prices, found: list[tuple[Relaxed, Prices]]) -> Prices:
    """The prices of several themes that were relaxed at the same time."""
    seat, price = prices.seat.copy(), prices.price.copy()
    childcare, company = prices.childcare.copy(), prices.company.copy()
    session = market.problem.table.session
    for relaxed, priced in found:
        inside = np.zeros(len(seat), bool)
        inside[session[relaxed.rows]] = True
        seat[inside], childcare[inside] = priced.seat[inside], priced.childcare[inside]
        price[relaxed.rows] = priced.price[relaxed.rows]
        met = inside[session[market.problem.company[0]]]
        company[met] = priced.company[met]
    return Prices(seat, price, childcare, company)


def _moved(market: Market, prices: Prices, parts: list[Whole], found: list[Relaxed]) -> float:
    """Points by which the gains of those who got something differ now from what their theme was relaxed with."""
    moved = 0.0
    for part, relaxed in zip(parts, found, strict=True):
        present = regained(market, relaxed, part, prices).gain
        moved += float(np.abs(present - relaxed.gain)[relaxed.level > 0].sum())
    return moved


def constructed(task: Task, market: Market, prices: Prices, chosen: Flags | None = None) -> tuple[Flags, bool]:
    """A plan theme after theme: relaxed beside what is decided already, then made whole; and whether time was enough.

    `chosen`: a plan to begin with; then each theme is decided again beside all others. While one theme is made
    whole the next ones are relaxed; what these did not know yet is looked at again.
    """
    parts, session = themes_of(task), task.problem.table.session
    done = np.full(len(market.open), chosen is not None)
    chosen = np.zeros(len(session), bool) if chosen is None else chosen
    with threads(task, 1) as pool:

        def beside(number: int) -> tuple[Flags, Flags]:
            others = done.copy()
            others[parts[number]] = False
            return others[session], chosen & others[session]

        def worth(plan: Flags) -> float:
            return float(task.program.objective @ task.program.complete(plan))

        def begin(number: int) -> Future[tuple[Relaxed, Prices] | None]:
            now = _decided(market, prices, *beside(number))
            return pool.submit(relax, market, parts[number], now, task.left(), NEAR_POINTS)

        lead = AHEAD if task.workers > 1 else 0
        waiting = deque(begin(number) for number in range(min(lead, len(parts))) if not task.over())
        for number, part in enumerate(parts):
            if task.over():
                break
            if number + lead < len(parts):
                waiting.append(begin(number + lead))
            answer = waiting.popleft().result()
            if answer is None:
                break
            others, held = beside(number)
            now = _decided(market, prices, others, held)
            found = held | rounded(task, regained(market, answer[0], part, now), answer[1].price, held)
            if not done[part[0]] or worth(found) > worth(chosen):
                chosen = found
            done[part] = True
    chosen = chosen.copy()
    chosen[task.problem.fixed] = True
    return chosen, bool(done[session].all())


def _decided(market: Market, prices: Prices, done: Flags, chosen: Flags) -> Prices:
    """Prices by which nobody can have another of the candidates that are `done` than the chosen ones, and all keep those."""
    price = np.where(done, market.score + np.where(chosen, -KEPT, KEPT), prices.price)
    return Prices(prices.seat, price, prices.childcare, prices.company)
