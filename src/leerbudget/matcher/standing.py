"""A plan as it stands, in arrays: what one more placement would meet, asked for many pairs at once.

Nobody is moved: every question is about adding one pair of a wish and a session to the plan as it is. Rules
and words are those of `hard_rules`; the tests compare the two pair by pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import PARTIES, Arrays, SessionArrays, Whole
from leerbudget.matcher.candidates import expanded, purse_pays
from leerbudget.matcher.engine.conflicts import clash, persons_shared

Flags = NDArray[np.bool_]
PLENTY = 2**40
"""More people, or seconds, than there can be."""


@dataclass(frozen=True, slots=True)
class Dialogues:
    """What the sessions ask of the parties, one row per session and one column per party.

    `present`: people of a party, there before and planned. `spread`: how far two parties may differ.
    """

    invited: Flags
    least: Whole
    most: Whole
    spread: Whole
    present: Whole

    def most_passed(self, session: Whole, brings: Whole) -> Flags:
        """Whether a party that is brought gets more people than its maximum."""
        passed = (brings > 0) & self.invited[session] & (self.present[session] + brings > self.most[session])
        found: Flags = np.any(passed, axis=1)
        return found

    def least_missed(self, session: Whole, brings: Whole) -> Flags:
        """Whether a party stays below its minimum."""
        missed: Flags = np.any(self.invited[session] & (self.present[session] + brings < self.least[session]), axis=1)
        return missed

    def uneven(self, session: Whole, brings: Whole) -> Flags:
        """Whether the parties differ by more than they may."""
        invited, there = self.invited[session], self.present[session] + brings
        highest = np.where(invited, there, -PLENTY).max(axis=1)
        lowest = np.where(invited, there, PLENTY).min(axis=1)
        found: Flags = highest - lowest > self.spread[session]
        return found


@dataclass(frozen=True, slots=True)
class Standing:
    """The placements of a plan, sorted by seeker, and what they make of seats, parties, children and money.

    `mine`: placements by seeker; those of seeker u are `ptr[u]` to `ptr[u + 1]`. `seats` and `children` (by
    age band) by session; `alive`: somebody comes, and minimum and parties are met. `cents` and `payers`: the
    bill of each placement and the budgets that may pay it, as bits.
    """

    arrays: Arrays
    wish: Whole
    session: Whole
    ptr: Whole
    mine: Whole
    cents: Whole
    payers: Whole
    seats: Whole
    children: Whole
    in_room: Whole
    dialogues: Dialogues
    alive: Flags

    @staticmethod
    def of(arrays: Arrays, wish: Whole, session: Whole) -> "Standing":
        """The standing of a plan that keeps every rule, given as wishes and the sessions they have."""
        wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
        order = np.argsort(wishes.seeker[wish], kind="stable")
        wish, session = wish[order], session[order]
        seeker = wishes.seeker[wish]
        mine = np.bincount(seeker, minlength=len(seekers.ids))
        seats = sessions.seats_taken.astype(np.int64)
        np.add.at(seats, session, wishes.persons[wish])
        in_room = np.unique(seeker * len(sessions.ids) + session)
        children = np.zeros_like(sessions.childcare)
        guest, room = np.divmod(in_room, max(1, len(sessions.ids)))
        np.add.at(children, room, seekers.childcare[guest])
        dialogues = _dialogues(arrays, wish, session)
        return Standing(
            arrays=arrays,
            wish=wish,
            session=session,
            ptr=np.concatenate([[0], np.cumsum(mine)]),
            mine=mine,
            cents=sessions.price_cents[session] * wishes.persons[wish],
            payers=payers_of(arrays, seeker, session),
            seats=seats,
            children=children,
            in_room=in_room,
            dialogues=dialogues,
            alive=_alive(sessions, seats, dialogues),
        )

    def placements_full(self) -> Flags:
        """By seeker: no further placement is allowed."""
        full: Flags = self.mine >= self.arrays.seekers.placements_max
        return full

    def crowded(self, wish: Whole, session: Whole) -> Flags:
        """Whether childcare places are too few; children who come already are counted once."""
        seeker = self.arrays.wishes.seeker[wish]
        flags = np.zeros(len(wish), bool)
        rows = np.flatnonzero(np.any(self.arrays.seekers.childcare, axis=1)[seeker])
        who, where = seeker[rows], session[rows]
        needs = self.arrays.seekers.childcare[who]
        over = (needs > 0) & (self.children[where] + needs > self.arrays.sessions.childcare[where])
        flags[rows] = over.any(axis=1) & ~listed(who * len(self.arrays.sessions.ids) + where, self.in_room)
        return flags

    def missing_cents(self, wish: Whole, session: Whole, alone: Whole) -> Whole:
        """Cents the seeker lacks beside what it pays already. `alone`: what it lacks for this placement alone.

        Hall's condition: for every set of budgets the bills that only they may pay are no more than what is
        in them plus the own contribution.
        """
        seeker = self.arrays.wishes.seeker[wish]
        missing = alone.astype(np.int64)
        spent = np.bincount(np.repeat(np.arange(len(self.mine)), self.mine), self.cents, len(self.mine))
        rows = np.flatnonzero(spent[seeker] > 0)
        who = seeker[rows]
        bill = self.arrays.sessions.price_cents[session[rows]] * self.arrays.wishes.persons[wish[rows]]
        missing[rows] = np.maximum(0, self._worst(who, bill, payers_of(self.arrays, who, session[rows])))
        return missing

    def _worst(self, seeker: Whole, bill: Whole, payers: Whole) -> Whole:
        """The largest excess of bills over money, over all sets of the seeker's budgets."""
        seekers, owner = self.arrays.seekers, np.repeat(np.arange(len(self.mine)), self.mine)
        numbers = np.arange(1, seekers.budget_themes.shape[1] + 1)
        purses = np.where(seekers.budget_themes != 0, numbers, 0).max(axis=1, initial=0)[seeker]
        worst = np.full(len(seeker), -PLENTY)
        for held in range(1 << int(purses.max(initial=0))):
            rows = np.flatnonzero(purses >= held.bit_length())
            who = seeker[rows]
            planned = np.bincount(owner, np.where(self.payers & ~held == 0, self.cents, 0), len(self.mine))
            due = planned.astype(np.int64)[who] + np.where(payers[rows] & ~held == 0, bill[rows], 0)
            budgets = [purse for purse in range(held.bit_length()) if held >> purse & 1]
            money = seekers.budget_cents[:, budgets].sum(axis=1) + seekers.own_cents
            worst[rows] = np.maximum(worst[rows], due - money[who])
        return worst

    def overlapping(self, wish: Whole, session: Whole) -> Flags:
        """Whether a person who comes has another placement at that time (travel included) or of that course."""
        seeker = self.arrays.wishes.seeker[wish]
        flags = np.zeros(len(wish), bool)
        pair, place = expanded(self.ptr, seeker)
        shared = persons_shared(self.arrays, wish[pair], self.wish[place])
        pair, other = pair[shared], self.session[place[shared]]
        one, course = session[pair], self.arrays.sessions.course
        apart = (course[one] == course[other]) | clash(self.arrays, seeker[pair], one, other)
        flags[pair[apart]] = True
        return flags

    def company(self) -> Whole:
        """Codes wish * sessions + session, sorted: the room holds somebody who may not be with this seeker."""
        return np.unique(np.array([code for found in self._meetings() for code in found], np.int64))

    def _meetings(self) -> Iterator[list[int]]:
        """For everyone who shuns somebody with a place, or has one: the pairs that would bring the two together."""
        arrays, seekers, size = self.arrays, self.arrays.instance.seekers, len(self.arrays.sessions.ids)
        owner = {person.id: row for row, seeker in enumerate(seekers) for person in seeker.persons}
        owner |= arrays.seekers.row
        first = np.searchsorted(arrays.wishes.seeker, np.arange(len(seekers) + 1)).tolist()
        ptr, rooms, wishes = self.ptr.tolist(), self.session.tolist(), self.wish.tolist()
        for row, seeker in enumerate(seekers):
            for one in (*seeker.avoid, *seeker.professionals):
                other = owner.get(one, row)
                if other == row or (ptr[row] == ptr[row + 1] and ptr[other] == ptr[other + 1]):
                    continue
                there = [rooms[p] for p in range(ptr[other], ptr[other + 1]) if self._brings(wishes[p], one)]
                bringing = [wish for wish in range(first[other], first[other + 1]) if self._brings(wish, one)]
                yield [wish * size + room for room in there for wish in range(first[row], first[row + 1])]
                yield [wish * size + room for room in rooms[ptr[row] : ptr[row + 1]] for wish in bringing]

    def _brings(self, wish: int, one: str) -> bool:
        """Whether the person comes for this wish; a seeker comes with each of its wishes."""
        wishes = self.arrays.wishes
        return one in wishes.person_sets[wish] or one == self.arrays.seekers.ids[wishes.seeker[wish]]


def listed(codes: Whole, those: Whole) -> Flags:
    """Whether each code is one of those, which are sorted."""
    if len(those) == 0:
        return np.zeros(len(codes), bool)
    found: Flags = those[np.minimum(np.searchsorted(those, codes), len(those) - 1)] == codes
    return found


def payers_of(arrays: Arrays, seeker: Whole, session: Whole) -> Whole:
    """The budgets that may pay each pair, as bits in the order of the seeker's list."""
    masks = np.zeros(len(seeker), np.int64)
    for purse in range(arrays.seekers.budget_cents.shape[1]):
        masks |= purse_pays(arrays, purse, seeker, session).astype(np.int64) << purse
    return masks


def _dialogues(arrays: Arrays, wish: Whole, session: Whole) -> Dialogues:
    shape = len(arrays.sessions.ids), len(PARTIES)
    invited, least, most = np.zeros(shape, bool), np.zeros(shape, np.int64), np.full(shape, PLENTY)
    spread, present = np.full(shape[0], PLENTY), np.zeros(shape, np.int64)
    for row, offered in enumerate(arrays.instance.sessions):
        for party, (fewest, highest) in (offered.parties or {}).items():
            column = PARTIES[party]
            invited[row, column], least[row, column], most[row, column] = True, fewest, highest
            present[row, column] = offered.parties_taken.get(party, 0)
        if offered.party_spread_max is not None:
            spread[row] = offered.party_spread_max
    np.add.at(present, session, arrays.wishes.party_counts[wish])
    return Dialogues(invited, least, most, spread, present)


def _alive(sessions: SessionArrays, seats: Whole, dialogues: Dialogues) -> Flags:
    every, nobody = np.arange(len(sessions.ids)), np.zeros_like(dialogues.present)
    apart = dialogues.least_missed(every, nobody) | dialogues.uneven(every, nobody)
    alive: Flags = (seats > 0) & (seats >= sessions.seats_min) & ~apart
    return alive
