"""Where a plan falls short of what the prices promise, and the plan mended right there.

At the prices every session has a best group and every seeker a best bundle; their sum is the bound. A plan is
below it in few places: a session without its best group, a seeker without its bundle. The sessions around
the worst of these places are planned anew, all else held, then those around the next.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.candidates import expanded
from leerbudget.matcher.engine.blocks import Task, replanned
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.prices import Market, Prices, group_payments

MISSED_SHARE = 1e-6
"""A place that misses less than this share of the score is left alone."""
BLOCK_SESSIONS = 20
TRIES_MAX = 3
"""Every try takes twice as many sessions and goes twice as far; after so many without a gain a place is left alone."""
LINKED, HOPEFUL = 12.0, 20.0
"""Points a candidate may cost its seeker to link two sessions, and to be in a plan made anew."""
PLACE_SECONDS = 2.0
SESSIONS_PER_PLACE = 500
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


@dataclass(frozen=True, slots=True)
class Links:
    """Which sessions each seeker could well be in: `sessions` of seeker u from `of_seeker[u]`, `seekers` of session s likewise."""

    of_seeker: Whole
    sessions: Whole
    of_session: Whole
    seekers: Whole

    @staticmethod
    def of(task: Task, near: Flags) -> "Links":
        """The links that these candidates make."""
        table, (first, rows) = task.problem.table, task.by_session
        mine, theirs = np.flatnonzero(near), near[rows]
        return Links(
            of_seeker=np.searchsorted(table.seeker[mine], np.arange(len(task.problem.arrays.seekers.ids) + 1)),
            sessions=table.session[mine],
            of_session=np.concatenate([[0], np.cumsum(theirs)])[first],
            seekers=table.seeker[rows[theirs]],
        )

    def around(self, place: int, size: int) -> Whole:
        """The sessions that share most seekers with a session or, after the last of these, a seeker; or with those that do."""
        count = len(self.of_session) - 1
        mine = slice(self.of_session[place], self.of_session[place + 1]) if place < count else slice(0)
        seekers = self.seekers[mine] if place < count else np.array([place - count])
        direct = np.bincount(self.sessions[expanded(self.of_seeker, seekers)[1]], minlength=count).astype(np.float64)
        weight = direct.copy()
        if place >= count or np.count_nonzero(direct) < size:
            weight += self._beyond(direct) / len(self.seekers)
        if place < count:
            weight[place] = np.inf
        order: Whole = np.argsort(-weight, kind="stable")[:size]
        near: Whole = order[weight[order] > 0]
        return near

    def _beyond(self, direct: Reals) -> Reals:
        """By session the links over one more seeker."""
        sessions = np.flatnonzero(direct)
        number, places = expanded(self.of_session, sessions)
        further, more = expanded(self.of_seeker, self.seekers[places])
        weights = direct[sessions[number[further]]]
        beyond: Reals = np.bincount(self.sessions[more], weights, len(direct)).astype(np.float64)
        return beyond


def repaired(task: Task, market: Market, prices: Prices, chosen: Flags) -> Iterator[Flags]:
    """A plan (all variables) that gets better place after place, as long as the last steps gained something."""
    promise, loss = Promise.of(market, prices), market.losses(prices.price)
    size, objective = len(loss), task.program.objective
    tries = np.zeros(len(promise.group) + len(promise.bundle), np.int64)
    scores: deque[float] = deque([float(objective @ chosen)], RECENT + 1)
    together = max(task.terms.workers, len(market.open) // SESSIONS_PER_PLACE)
    while not task.terms.over():
        missed, present = promise.missed(chosen[:size]), chosen[:size]
        links = [
            Links.of(task, present | (loss < LINKED * 2**tried))
            for tried in range(min(int(tries.max()) + 1, TRIES_MAX))
        ]
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


def _worst(
    missed: Reals, tries: Whole, links: Sequence[Links], wanted: tuple[int, float]
) -> tuple[list[int], list[Whole]]:
    """The places that miss most, no more than asked and none below the least; and separate blocks of sessions around them."""
    count, least = wanted
    weight = np.where(tries < TRIES_MAX, missed / (1 + TRIES_MAX * tries), 0.0)
    weight[missed < least] = 0.0
    taken = np.zeros(len(links[0].of_session) - 1, bool)
    places: list[int] = []
    blocks: list[Whole] = []
    for place in np.argsort(-weight, kind="stable")[: 10 * count].tolist():
        if weight[place] <= 0 or len(places) == count:
            break
        tried = int(tries[place])
        block = links[tried].around(place, BLOCK_SESSIONS << tried)
        if len(block) and not taken[block].any():
            taken[block] = True
            places.append(place)
            blocks.append(block)
    return places, blocks
