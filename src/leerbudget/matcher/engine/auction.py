"""A first plan and the first seat prices by auction.

Every seeker bids for the session that gives most beyond its price, as much more as the next best gives less, and
a little more still. Who is outbid bids again, until nobody wants to. Then no seeker wants to change by more than
that little (Bertsekas 1988, "The auction algorithm"), so the prices are nearly the best there are. Sessions that
stay too small are closed, the emptiest first, and whoever had a seat there bids elsewhere.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leerbudget.matcher.arrays import BANDS, Whole
from leerbudget.matcher.engine.bundles import Bits, Flags, Reals, bit
from leerbudget.matcher.engine.groups import Groups
from leerbudget.matcher.engine.prices import Market, Prices
from leerbudget.matcher.engine.relaxation import draft_of
from leerbudget.matcher.kernels import kernel

RAISE_SHARE = 5e-4
"""The least raise, as a share of what a bidder's best candidate and being served are worth on average."""
FILLED_SHARES = (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Sessions with a smaller share of their minimum are closed, step by step; then all that are too small."""
BIDS_PER_CANDIDATE = 10
NOBODY = -1


class Bidders(NamedTuple):
    """Bidder b is for one of the candidates from `first[b]` to `last[b]` of `seeker[b]`; those of a seeker stand together.

    A seeker who may have several placements has a bidder per wish, any other seeker has one.
    """

    first: Whole
    last: Whole
    seeker: Whole
    of_seeker: Whole


class Family(NamedTuple):
    """Of the seekers: how many placements each may have, its bonus, and who excludes whom, as in `Units`."""

    first: Whole
    most: Whole
    bonus: Reals
    corner: Whole
    excludes: Bits


class Offer(NamedTuple):
    """Candidates: what each is worth, in which lot its seats are and how many; and the least raise of a bid."""

    worth: Reals
    lot: Whole
    persons: Whole
    raise_points: float


class Sale(NamedTuple):
    """The seats of a lot stand from `first[lot]` to `first[lot + 1]`: who holds each, at which bid.

    `price`: what a seat costs, by lot. `has`: the row that a bidder has. `queue`: bidders who are to bid,
    `queued` says who they are, `length[0]` how many.
    """

    first: Whole
    holder: Whole
    bid: Reals
    price: Reals
    closed: Flags
    has: Whole
    queue: Whole
    queued: Flags
    length: Whole


@kernel
def ask(b: int, sale: Sale) -> None:
    """Let a bidder bid once more."""
    if not sale.queued[b] and sale.has[b] < 0:
        sale.queue[sale.length[0]] = b
        sale.queued[b] = True
        sale.length[0] += 1


@kernel
def evict(b: int, lot: int, bidders: Bidders, sale: Sale) -> None:
    """Take a bidder out of a lot; it bids again, and so may the seeker's other wishes."""
    for seat in range(sale.first[lot], sale.first[lot + 1]):
        if sale.holder[seat] == b:
            sale.holder[seat] = NOBODY
    sale.has[b] = NOBODY
    u = bidders.seeker[b]
    for other in range(bidders.of_seeker[u], bidders.of_seeker[u + 1]):
        ask(other, sale)


@kernel
def fits(c: int, u: int, bidders: Bidders, family: Family, sale: Sale) -> bool:
    """Whether a candidate goes with what the seeker has."""
    low = family.first[u]
    width = family.first[u + 1] - low
    for other in range(bidders.of_seeker[u], bidders.of_seeker[u + 1]):
        row = sale.has[other]
        if row >= 0 and bit(family.excludes, family.corner[u] + (row - low) * width + c - low):
            return False
    return True


@kernel
def choice(b: int, bidders: Bidders, family: Family, offer: Offer, sale: Sale) -> tuple[int, float]:
    """The candidate that gives a bidder most beyond its price, and how much more than the next best or nothing."""
    u, had, found, best, second = bidders.seeker[b], 0, NOBODY, 0.0, 0.0
    for other in range(bidders.of_seeker[u], bidders.of_seeker[u + 1]):
        had += sale.has[other] >= 0
    if had >= family.most[u]:
        return NOBODY, 0.0
    for c in range(bidders.first[b], bidders.last[b]):
        lot = offer.lot[c]
        if sale.closed[lot] or sale.first[lot + 1] - sale.first[lot] < offer.persons[c]:
            continue
        if had > 0 and not fits(c, u, bidders, family, sale):
            continue
        gives = offer.worth[c] - sale.price[lot] * offer.persons[c] + (family.bonus[u] if had == 0 else 0.0)
        if gives > best:
            second, best, found = best, gives, c
        elif gives > second:
            second = gives
    return found, best - second


@kernel
def lowest(b: int, lot: int, sale: Sale) -> int:
    """The seat of a lot that is free or goes for least, not one that the bidder holds already."""
    found = NOBODY
    for seat in range(sale.first[lot], sale.first[lot + 1]):
        if sale.holder[seat] == b:
            continue
        if sale.holder[seat] < 0:
            return seat
        if found < 0 or sale.bid[seat] < sale.bid[found]:
            found = seat
    return found


@kernel
def sell(bidders: Bidders, family: Family, offer: Offer, sale: Sale, most: int) -> int:
    """Bid until nobody in the queue wants to, or so many bids were made; how many."""
    bids = 0
    while sale.length[0] > 0 and bids < most:
        sale.length[0] -= 1
        b = sale.queue[sale.length[0]]
        sale.queued[b] = False
        if sale.has[b] >= 0:
            continue
        c, more = choice(b, bidders, family, offer, sale)
        if c < 0:
            continue
        bids += 1
        lot = offer.lot[c]
        amount = sale.price[lot] + (more + offer.raise_points) / offer.persons[c]
        sale.has[b] = c
        for _ in range(offer.persons[c]):
            seat = lowest(b, lot, sale)
            if sale.holder[seat] >= 0:
                sale.price[lot] = max(sale.price[lot], sale.bid[seat])
                evict(sale.holder[seat], lot, bidders, sale)
            sale.holder[seat], sale.bid[seat] = b, amount
        low = amount
        for seat in range(sale.first[lot], sale.first[lot + 1]):
            low = 0.0 if sale.holder[seat] < 0 else min(low, sale.bid[seat])
        sale.price[lot] = max(sale.price[lot], low)
    return bids


@kernel
def shut(lots: Whole, bidders: Bidders, sale: Sale) -> None:
    """Close lots; whoever had a seat there bids elsewhere."""
    for lot in lots:
        sale.closed[lot] = True
        for seat in range(sale.first[lot], sale.first[lot + 1]):
            if sale.holder[seat] >= 0:
                evict(sale.holder[seat], lot, bidders, sale)


@dataclass(frozen=True, slots=True)
class Lots:
    """The seats of a session that are sold together: all of them, in a dialogue those of one party.

    Nobody bids for the seats of fixed people. `of`: by candidate. `session`, `seats` (that are sold) and `needed`
    (people without whom the session does not run, beside the fixed ones): by lot.
    """

    of: Whole
    session: Whole
    seats: Whole
    needed: Whole

    @staticmethod
    def of_market(market: Market) -> "Lots":
        """First one lot per session, which has no seats in a dialogue, then one per party of each dialogue."""
        groups, session = market.groups, market.problem.table.session
        talks = np.flatnonzero(groups.dialogue)
        parties = groups.most.shape[1]
        number = np.zeros(len(market.open), np.int64)
        number[talks] = len(market.open) + parties * np.arange(len(talks))
        apart = groups.dialogue[session]
        shares = np.array([_seats_by_party(groups, int(talk)) for talk in talks], np.int64).reshape(-1)
        of, fixed = np.where(apart, number[session] + groups.voice, session), market.problem.fixed
        seats = np.concatenate([np.where(groups.dialogue, 0, groups.free), shares])
        sold = np.bincount(of[fixed], weights=market.problem.table.persons[fixed], minlength=len(seats)).astype(
            np.int64
        )
        return Lots(
            of=of,
            session=np.concatenate([np.arange(len(market.open)), np.repeat(talks, parties)]),
            seats=np.maximum(0, seats - sold),
            needed=np.concatenate([np.where(groups.dialogue, 0, groups.needed), groups.least[talks].ravel()]) - sold,
        )


def _seats_by_party(groups: Groups, talk: int) -> list[int]:
    """The free seats of a dialogue shared as evenly as its parties' limits allow, whoever was there before counted in."""
    most, before = groups.most[talk].tolist(), groups.before[talk].tolist()
    seats = [0] * len(most)
    for _ in range(int(groups.free[talk])):
        open_to = [party for party, limit in enumerate(most) if seats[party] < limit]
        if not open_to:
            break
        seats[min(open_to, key=lambda party: before[party] + seats[party])] += 1
    return seats


@dataclass(frozen=True, slots=True)
class Opening:
    """What an auction leaves: prices `before` any session was closed, which prove more, and `after`.

    `rows`: a plan that keeps all rules but those about childcare, company, spread and three bills of one seeker.
    After the closing, a candidate of a closed session costs what it would add for its seeker. `full`: sessions that
    could run on fewer and have sold every seat.
    """

    before: Prices
    after: Prices
    rows: list[int]
    full: Flags


@dataclass(frozen=True, slots=True)
class Auction:
    """An auction under way."""

    market: Market
    lots: Lots
    bidders: Bidders
    family: Family
    offer: Offer
    sale: Sale

    @staticmethod
    def of(market: Market) -> "Auction":
        """The auction of a market: nobody has anything but what is fixed, and everybody else is to bid."""
        units, lots, bidders = market.units, Lots.of_market(market), _bidders(market)
        family = Family(units.first, units.most, units.bonus, units.corner, units.excludes)
        offer = Offer(market.score, lots.of, market.problem.table.persons, _raise_points(market, bidders))
        seats, has = np.concatenate([[0], np.cumsum(lots.seats)]), np.full(len(bidders.first), NOBODY)
        has[np.searchsorted(bidders.first, market.problem.fixed, side="right") - 1] = market.problem.fixed
        asked = np.flatnonzero(has < 0)
        sale = Sale(
            first=seats,
            holder=np.full(seats[-1], NOBODY),
            bid=np.zeros(seats[-1]),
            price=np.zeros(len(lots.seats)),
            closed=np.zeros(len(lots.seats), bool),
            has=has,
            queue=np.concatenate([asked[::-1], np.flatnonzero(has >= 0)]),
            queued=has < 0,
            length=np.array([len(asked)]),
        )
        return Auction(market, lots, bidders, family, offer, sale)

    def bid(self) -> None:
        """Until nobody wants to bid any more, or so many bids were made that it cannot be worth while."""
        sell(self.bidders, self.family, self.offer, self.sale, BIDS_PER_CANDIDATE * len(self.offer.worth))

    def close_small(self) -> None:
        """Close the sessions that stay below their minimum, the emptiest first, and let who was there bid elsewhere."""
        lots, sale = self.lots, self.sale
        lot_of, count = np.repeat(np.arange(len(lots.seats)), lots.seats), len(lots.seats)
        fixed = np.isin(lots.session, self.market.problem.table.session[self.market.problem.fixed])
        for share in itertools.chain(FILLED_SHARES, itertools.repeat(1.0)):
            used = np.bincount(lot_of[sale.holder >= 0], minlength=count)
            small = lots.session[(used < share * lots.needed) & ~sale.closed & ~fixed]
            if share == 1.0 and not len(small):
                return
            shut(np.flatnonzero(np.isin(lots.session, small)), self.bidders, sale)
            self.bid()

    def sold(self) -> Whole:
        """By session the seats that were sold."""
        lots = self.lots
        session = np.repeat(lots.session, lots.seats)[self.sale.holder >= 0]
        return np.bincount(session, minlength=len(self.market.open))

    def rows(self) -> list[int]:
        """The candidates that were sold a place."""
        rows: list[int] = np.sort(self.sale.has[self.sale.has >= 0]).tolist()
        return rows


def _raise_points(market: Market, bidders: Bidders) -> float:
    """The least raise, measured by the points themselves: what is fixed counts no more than anything else here."""
    if not len(bidders.first):
        return 0.0
    best = np.maximum.reduceat(market.problem.table.score, bidders.first) + market.units.bonus[bidders.seeker]
    return RAISE_SHARE * float(np.abs(best).mean())


def _bidders(market: Market) -> Bidders:
    table, units = market.problem.table, market.units
    apart = np.where(units.several[table.seeker], table.wish, NOBODY)
    change = np.flatnonzero((np.diff(table.seeker) > 0) | (np.diff(apart) > 0)) + 1
    first = np.concatenate([np.zeros(min(1, len(table)), np.int64), change])
    last = np.concatenate([change, np.full(min(1, len(table)), len(table))])
    seeker = table.seeker[first]
    return Bidders(first, last, seeker, np.searchsorted(seeker, np.arange(len(units.bonus) + 1)))


def opening(market: Market) -> Opening:
    """The auction of all seats, then what is left when the sessions that stay too small are closed."""
    auction = Auction.of(market)
    auction.bid()
    before = _prices(auction)
    auction.close_small()
    after = _prices(auction)
    closed = draft_of(market, np.unique(auction.lots.session[auction.sale.closed]), after.price)
    after.price[closed.rows] = np.maximum(0.0, closed.gain)
    groups, sold = market.groups, auction.sold()
    return Opening(
        *(before, after, auction.rows()),
        full=(sold == auction.lots.seats[: len(sold)]) & (groups.free > groups.needed) & ~groups.dialogue,
    )


def _prices(auction: Auction) -> Prices:
    market, price = auction.market, auction.sale.price
    sessions, persons = len(market.open), market.problem.table.persons
    nothing, company = np.zeros((sessions, len(BANDS))), np.zeros(len(market.problem.company[0]))
    return Prices(price[:sessions].copy(), price[auction.lots.of] * persons, nothing, company)
