"""What a place was worth and what it cost: prices of seats beside the wishes that got none.

The price of a candidate is what its seats are worth to others (the dual prices that prove the bound). A wish
of which every candidate costs at least what it is worth lost to others by the points; one that could have
paid is honestly unlucky, and a person looks again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.candidates import CandidateTable
from leerbudget.matcher.obstacles import NOTHING, RULES, Look, least
from leerbudget.matcher.standing import Flags, Standing

Reals = NDArray[np.float64]
PRICED_RULES = ("capacity", "party_max", "minimum")
PRICED = np.array([rule in PRICED_RULES for rule in RULES] + [True])
"""Whether the price of a seat says something, by the number of the first rule in the way."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What candidates of the open wishes are worth to their seekers, and what their seats cost others.

    `code`: wish * sessions + session, ascending. `price`: whole points, halves up, so that half a point does
    not count. `within_reach`: the seeker could have it beside what it has; no maximum, time or money of its
    own is in the way.
    """

    code: Whole
    wish: Whole
    worth: Whole
    price: Whole
    within_reach: Flags
    sessions: int

    @staticmethod
    def of(standing: Standing, table: CandidateTable, wishes: Whole, prices: Reals) -> "Prices":
        """The candidates of these wishes. Only a seeker without any place still has its bonus to win."""
        arrays = standing.arrays
        is_open = np.zeros(len(arrays.wishes.ids), bool)
        is_open[wishes] = True
        rows = np.flatnonzero(is_open[table.wish])
        wish, session, seeker = table.wish[rows], table.session[rows], table.seeker[rows]
        worth = table.score[rows] + np.where(standing.mine[seeker] == 0, arrays.seekers.bonus[seeker], 0)
        within_reach = ~standing.placements_full()[seeker]
        again = np.flatnonzero(within_reach & (standing.mine[seeker] > 0))
        second = wish[again], session[again]
        busy = standing.overlapping(*second) | (standing.missing_cents(*second, np.zeros_like(again)) > 0)
        within_reach[again[busy]] = False
        return Prices(
            code=wish * len(arrays.sessions.ids) + session,
            wish=wish,
            worth=worth,
            price=np.floor(prices[rows] + 0.5).astype(np.int64),
            within_reach=within_reach,
            sessions=len(arrays.sessions.ids),
        )

    def priced_out(self) -> dict[int, bool]:
        """By wish whether every candidate within reach costs at least what it is worth; not without any."""
        wishes, at = np.unique(self.wish[self.within_reach], return_inverse=True)
        affordable = np.zeros(len(wishes), bool)
        np.logical_or.at(affordable, at, (self.worth > self.price)[self.within_reach])
        return dict(zip(wishes.tolist(), (~affordable).tolist(), strict=True))

    def closest(self, look: Look) -> dict[tuple[int, int], tuple[int, int]]:
        """By wish and number of the first rule in the way: price and worth of the candidate that missed least."""
        first, last = np.searchsorted(self.code, [look.wish[0] * self.sessions, (look.wish[-1] + 1) * self.sessions])
        if first == last:
            return {}
        near = np.flatnonzero(PRICED[look.first])
        code = look.wish[near] * self.sessions + look.session[near]
        at = first + np.minimum(np.searchsorted(self.code[first:last], code), last - first - 1)
        found = self.code[at] == code
        near, at = near[found], at[found]
        group = look.wish[near] * (NOTHING + 1) + look.first[near]
        best = least(group, (self.price[at] - self.worth[at]) * self.sessions + look.session[near])
        where = zip(look.wish[near[best]].tolist(), look.first[near[best]].tolist(), strict=True)
        points = zip(self.price[at[best]].tolist(), self.worth[at[best]].tolist(), strict=True)
        return dict(zip(where, points, strict=True))
