"""Where a plan falls short of what the prices promise, and the plan mended right there.

At the prices every session has a best group and every seeker a best bundle; their sum is the bound. A plan is
below it in few places: a session without its best group, a seeker without its bundle. The sessions around
the worst of these places are planned anew, all else held, then those around the next.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine.blocks import Task, replanned
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.prices import Market, Prices, group_payments

MISSED_SHARE = 1e-6
"""A place that misses less than this share of the score is left alone."""
BLOCK_SESSIONS = 30
TRIES_MAX = 3
"""Every try takes twice as many sessions and goes twice as far; after so many without a gain a place is left alone."""
LINKED, HOPEFUL = 12.0, 20.0
"""Points a candidate may cost its seeker to link two sessions, and to be in a plan made anew."""
PLACE_SECONDS = 2.0
SESSIONS_PER_PLACE = 1_000
"""One place is planned anew per so many sessions in a step, at least one per core: what a step costs beside is shared."""
RECENT = 16
RECENT_GAIN = 2e-5
"""The last `RECENT` steps must have gained this share of the score."""


@dataclass(frozen=True, slots=True)
class Promise:
    """At given prices: what the best group of each session pays, and what the best bundle of each seeker is worth."""

    market: Market
    prices: Prices
    group: Reals
    bundle: Reals

    @staticmethod
    def of(market: Market, prices: Prices) -> "Promise":
        """The promise of these prices."""
        _, wished = market.worths(prices.price)
        return Promise(market, prices, group_payments(market, prices), _worth(market, prices, wished))

    def missed(self, chosen: Flags) -> Reals:
        """Points that a plan is short of it, for every session and then for every seeker."""
        session = self.market.problem.table.session
        paid = np.bincount(session[chosen], weights=self.prices.price[chosen], minlength=len(self.group))
        return np.concatenate([self.group - paid, self.bundle - _worth(self.market, self.prices, chosen)])


def _worth(market: Market, prices: Prices, chosen: Flags) -> Reals:
    """Per seeker the points of its candidates less their prices, and the bonus for being served."""
    seeker, bonus = market.problem.table.seeker[chosen], market.units.bonus
    net = np.bincount(seeker, weights=(market.score - prices.price)[chosen], minlength=len(bonus))
    worth: Reals = net + bonus * (np.bincount(seeker, minlength=len(bonus)) > 0)
    return worth


def repaired(task: Task, market: Market, prices: Prices, chosen: Flags) -> Iterator[Flags]:
    """A plan (all variables) that gets better place after place, as long as the last steps gained something."""
    promise, loss = Promise.of(market, prices), market.losses(prices.price)
    size, objective = len(loss), task.program.objective
    tries = np.zeros(len(promise.group) + len(promise.bundle), np.int64)
    scores: deque[float] = deque([float(objective @ chosen)], RECENT + 1)
    near = [_links(market, loss < LINKED * 2**tried) for tried in range(TRIES_MAX)]
    together = max(task.terms.workers, len(market.open) // SESSIONS_PER_PLACE)
    while not task.terms.over():
        present = _links(market, chosen[:size])
        links = [ones.maximum(present) for ones in near]
        missed = promise.missed(chosen[:size])
        places, blocks = _worst(missed, tries, links, (together, MISSED_SHARE * abs(scores[-1])))
        if not places:
            return
        hopeful = loss < HOPEFUL * 2.0 ** tries[places].max()
        chosen = next(replanned(task, chosen, hopeful, blocks, (together, PLACE_SECONDS)), chosen)
        tries[places] += promise.missed(chosen[:size])[places] >= missed[places]
        scores.append(float(objective @ chosen))
        yield chosen
        if len(scores) > RECENT and scores[-1] - scores[0] < RECENT_GAIN * abs(scores[0]):
            return


def _links(market: Market, near: Flags) -> sparse.csr_matrix:
    """Seekers by sessions: one where a candidate is near the seeker's best."""
    table, rows = market.problem.table, np.flatnonzero(near)
    shape = len(market.units.bonus), len(market.open)
    return sparse.csr_matrix((np.ones(len(rows)), (table.seeker[rows], table.session[rows])), shape=shape)


def _worst(
    missed: Reals, tries: Whole, links: list[sparse.csr_matrix], wanted: tuple[int, float]
) -> tuple[list[int], list[Whole]]:
    """The places that miss most, no more than asked and none below the least; and separate blocks of sessions around them."""
    count, least = wanted
    weight = np.where(tries < TRIES_MAX, missed / (1 + TRIES_MAX * tries), 0.0)
    weight[missed < least] = 0.0
    taken = np.zeros(links[0].shape[1], bool)
    places: list[int] = []
    blocks: list[Whole] = []
    for place in np.argsort(-weight, kind="stable")[: 10 * count].tolist():
        if weight[place] <= 0 or len(places) == count:
            break
        tried = int(tries[place])
        block = _around(links[tried], place, BLOCK_SESSIONS << tried)
        if len(block) and not taken[block].any():
            taken[block] = True
            places.append(place)
            blocks.append(block)
    return places, blocks


def _around(links: sparse.csr_matrix, place: int, size: int) -> Whole:
    """The sessions that share most seekers with a session or a seeker, or with those that do."""
    seekers, sessions = links.shape
    nearest = np.zeros(seekers)
    if place < sessions:
        nearest = np.asarray(links[:, [place]].todense()).ravel()
    else:
        nearest[place - sessions] = 1.0
    direct = links.T @ nearest
    weight = direct * seekers + links.T @ (links @ direct)
    if place < sessions:
        weight[place] = np.inf
    order: Whole = np.argsort(-weight, kind="stable")[:size]
    near: Whole = order[weight[order] > 0]
    return near
