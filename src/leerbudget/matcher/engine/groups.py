"""The best group a session can have at given prices: exact within seats, minimum and parties, in machine code.

It is one session's part of the bound. Childcare places and who may not sit together come in as tolls (see
`prices`); leaving a rule out never makes the best group's worth too low.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import PARTIES, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable
from leerbudget.matcher.kernels import kernel

Reals = NDArray[np.float64]
STEPS_MAX = 50_000_000
"""Candidates times seats beyond which everybody who pays is counted in; that is never too low."""
COMBINATIONS_MAX = 50_000
MINUS = -1e18


@dataclass(frozen=True, slots=True)
class Groups:
    """The sessions of a candidate table.

    `rows`: candidate rows by session, those of session s from `first[s]` to `first[s + 1]`. `free` and `needed`:
    seats. `voice`: per candidate its party in a dialogue, -1 elsewhere. `least` and `most` (session, party):
    people a dialogue still needs and still can have; `most` is -1 for a party that is not invited.
    `before` (session, party): people who are there already. `spread`: -1 without a limit. `dialogue`: parties count.
    """

    first: Whole
    rows: Whole
    persons: Whole
    free: Whole
    needed: Whole
    voice: Whole
    dialogue: NDArray[np.bool_]
    least: Whole
    most: Whole
    before: Whole
    spread: Whole

    def columns(self) -> tuple[Any, ...]:
        """What the kernels take."""
        return (
            *(self.first, self.rows, self.persons, self.free, self.needed, self.voice, self.dialogue),
            *(self.least, self.most, self.before, self.spread),
        )


def groups_of(arrays: Arrays, table: CandidateTable) -> Groups:
    """The sessions as the groups need them."""
    sessions = arrays.sessions
    count = len(sessions.ids)
    first, rows = table.by_session(count)
    voices = arrays.wishes.party_counts[table.wish]
    voice = voices.argmax(axis=1) if len(voices) else np.zeros(0, np.int64)
    mixed = voices.max(axis=1, initial=0) < table.persons
    least, most, before = (np.full((count, len(PARTIES)), fill, np.int64) for fill in (0, -1, 0))
    spread = np.full(count, -1, np.int64)
    dialogue = np.zeros(count, bool)
    for s, offered in enumerate(arrays.instance.sessions):
        if offered.parties is None:
            continue
        for party, (low, high) in offered.parties.items():
            taken = offered.parties_taken.get(party, 0)
            before[s, PARTIES[party]] = taken
            least[s, PARTIES[party]] = max(0, low - taken)
            most[s, PARTIES[party]] = max(0, high - taken)
        spread[s] = -1 if offered.party_spread_max is None else offered.party_spread_max
        sizes = [most[s, PARTIES[p]] + 1 for p in offered.parties]
        dialogue[s] = not mixed[rows[first[s] : first[s + 1]]].any() and np.prod(sizes, dtype=float) <= COMBINATIONS_MAX
    return Groups(
        first=first,
        rows=rows,
        persons=table.persons,
        free=sessions.seats_max - sessions.seats_taken,
        needed=np.maximum(0, sessions.seats_min - sessions.seats_taken),
        voice=voice,
        dialogue=dialogue,
        least=least,
        most=most,
        before=before,
        spread=spread,
    )


@kernel
def fill_seats(rows: Whole, pays: Reals, persons: Whole, voice: Whole, party: int, value: Reals) -> None:
    """`value[k]`: the most that candidates with exactly k people pay together; of one party, or of all (-1)."""
    value[:] = MINUS
    value[0] = 0.0
    top, size = 0, len(value) - 1
    for c in rows:
        if party >= 0 and voice[c] != party:
            continue
        q, paid = persons[c], pays[c]
        top = min(size, top + q)
        for k in range(top, q - 1, -1):
            value[k] = max(value[k], value[k - q] + paid)


@kernel
def best_group(s: int, first: Whole, rows: Whole, persons: Whole, free: Whole, needed: Whole, pays: Reals) -> float:
    """The most that a group of session s pays: between the needed and the free seats, and at least one person."""
    mine = rows[first[s] : first[s + 1]]
    wanted, paid = 0, 0.0
    for c in mine:
        wanted += persons[c]
        paid += max(0.0, pays[c])
    size = min(free[s], wanted)
    if len(mine) * size > STEPS_MAX:
        return paid
    value = np.empty(size + 1)
    fill_seats(mine, pays, persons, persons, -1, value)
    found = MINUS
    for k in range(max(1, needed[s]), size + 1):
        found = max(found, value[k])
    return found


@kernel
def best_dialogue(
    s: int,
    first: Whole,
    rows: Whole,
    persons: Whole,
    seats: tuple[int, int],
    voice: Whole,
    least: Whole,
    most: Whole,
    before: Whole,
    spread: int,
    pays: Reals,
) -> float:
    """The most that a group of a dialogue pays: one that keeps the parties' numbers. Rows of one session."""
    mine = rows[first[s] : first[s + 1]]
    parties = np.flatnonzero(most >= 0)
    size = most.max() + 1
    value = np.empty((len(parties), size))
    for i, party in enumerate(parties):
        fill_seats(mine, pays, persons, voice, int(party), value[i, : most[party] + 1])
    free, needed = seats
    found = MINUS
    count = np.zeros(len(parties), np.int64)
    while True:
        total, paid, lowest, highest, sound = 0, 0.0, 1 << 30, -1, True
        for i, party in enumerate(parties):
            total += count[i]
            paid += value[i, count[i]]
            present = count[i] + before[party]
            lowest, highest = min(lowest, present), max(highest, present)
            sound = sound and count[i] >= least[party]
        if sound and 0 < total <= free and total >= needed and (spread < 0 or highest - lowest <= spread):
            found = max(found, paid)
        i = 0
        while i < len(parties) and count[i] == most[parties[i]]:
            count[i] = 0
            i += 1
        if i == len(parties):
            return found
        count[i] += 1


@kernel
def group_worths(
    first: Whole,
    rows: Whole,
    persons: Whole,
    free: Whole,
    needed: Whole,
    voice: Whole,
    dialogue: NDArray[np.bool_],
    least: Whole,
    most: Whole,
    before: Whole,
    spread: Whole,
    pays: Reals,
    grant: Reals,
    worth: Reals,
) -> None:
    """Fill `worth`, by session: what the best group pays, plus the session's grant when it runs; never below nothing."""
    for s in range(len(free)):
        if dialogue[s]:
            seats = (free[s], needed[s])
            paid = best_dialogue(s, first, rows, persons, seats, voice, least[s], most[s], before[s], spread[s], pays)
        else:
            paid = best_group(s, first, rows, persons, free, needed, pays)
        worth[s] = max(0.0, paid + grant[s])
