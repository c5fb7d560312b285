"""Adding up a certificate again: what its prices prove, without any code of the engine.

Whatever the prices, the best bundle of every seeker (points minus prices) and the best group of every session
(what it is paid, minus its tolls, plus its grant) are together worth at least as much as any plan. So the sum
is a bound, and anybody may add it up. docs/matching.md says it in formulas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import BANDS, PARTIES, Arrays, Whole, arrays_of
from leerbudget.matcher.audit import Violation
from leerbudget.matcher.candidates import CandidateTable, beside_fixed, candidates_of, rows_of
from leerbudget.matcher.collecting import no_collecting
from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import Instance, OfferedSession, Seeker
from leerbudget.matcher.outcome import Certificate, Outcome

SCALE = 1000
COMBINATIONS_MAX = 50_000
STEPS_MAX = 50_000_000
NOBODY = -(10**18)

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reckoning:
    """An instance with prices, in thousandths of a point: per candidate row, and the grant per session."""

    arrays: Arrays
    table: CandidateTable
    rules: Rulebook
    score: Whole
    price: Whole
    pays: Whole
    grant: Whole


def prices_of(arrays: Arrays, table: CandidateTable, certificate: Certificate) -> Whole:
    """The price of every candidate, in thousandths of a point.

    Raises:
        KeyError: the certificate names somebody or something that is not there.
    """
    seat = np.zeros(len(arrays.sessions.ids), np.int64)
    for session, price in certificate.seat_prices.items():
        seat[arrays.sessions.row[session]] = price
    prices: Whole = seat[table.session] * table.persons
    named = [(u, w, s) for u, w, s, _ in certificate.personal_prices]
    prices[rows_of(arrays, table, named)] = [price for *_, price in certificate.personal_prices]
    return prices


@no_collecting()
def proven_bound(instance: Instance, certificate: Certificate) -> int:
    """The bound that the prices prove, in points.

    Raises:
        KeyError: the certificate names somebody or something that is not there.
    """
    reckoning = _reckoning(instance, certificate)
    total = _bundles(reckoning) + sum(_group(reckoning, rows) for rows in _by_session(reckoning))
    return total // SCALE - certificate.fixed_points * len(instance.fixed)


def check_certificate(instance: Instance, outcome: Outcome) -> list[Violation]:
    """What is wrong with an outcome's certificate; an empty list means it proves what it says."""
    certificate = outcome.certificate
    if certificate is None:
        return [Violation("certificate", "$.certificate", "the outcome has no certificate")]
    try:
        bound = proven_bound(instance, certificate)
    except KeyError as error:
        return [Violation("certificate", "$.certificate", f"unknown: {error.args[0]}")]
    if bound > certificate.bound:
        message = f"the prices prove {bound}, not {certificate.bound}"
        return [Violation("certificate", "$.certificate.bound", message)]
    if outcome.bound > certificate.bound:
        return [Violation("certificate", "$.bound", f"{outcome.bound}, the prices prove {certificate.bound}")]
    return []


def _reckoning(instance: Instance, certificate: Certificate) -> Reckoning:
    arrays = arrays_of(instance)
    table = beside_fixed(arrays, candidates_of(arrays))
    price = prices_of(arrays, table, certificate)
    score = table.score * SCALE
    score[rows_of(arrays, table, instance.fixed)] += certificate.fixed_points * SCALE
    toll, grant = _childcare(arrays, table, certificate)
    company = certificate.company_prices
    seekers = {seeker.id: seeker for seeker in instance.seekers}
    for one, other, _, cost in company:
        _refuse_friends(seekers, one, other, cost)
    costs = np.array([cost for *_, cost in company], np.int64)
    ends = [(*one, session) for one, _, session, _ in company], [(*other, session) for _, other, session, _ in company]
    for named in ends:
        np.add.at(toll, rows_of(arrays, table, named), costs)
    np.add.at(grant, np.array([arrays.sessions.row[session] for _, _, session, _ in company], np.int64), costs)
    return Reckoning(arrays, table, Rulebook.of(instance), score, price, price - toll, grant)


def _refuse_friends(seekers: dict[str, Seeker], one: tuple[str, str], other: tuple[str, str], cost: int) -> None:
    """A price for company is only for two who may not share a room, and never below nothing."""
    if cost < 0:
        raise KeyError("a negative price for company")
    people: list[set[str]] = []
    shunned: list[set[str]] = []
    for seeker_id, wish_id in (one, other):
        seeker = seekers[seeker_id]
        going = [person for wish in seeker.wishes if wish.id == wish_id for person in wish.persons]
        people.append({seeker_id, *going})
        shunned.append({*seeker.avoid, *seeker.professionals})
    if not (people[0] & shunned[1] or people[1] & shunned[0]):
        raise KeyError("a price for company between two who may meet")


def _childcare(arrays: Arrays, table: CandidateTable, certificate: Certificate) -> tuple[Whole, Whole]:
    """Tolls per candidate and grants per session; a family's candidates in one session share its children equally."""
    prices = np.zeros((len(arrays.sessions.ids), len(BANDS)), np.int64)
    for session, bands in certificate.childcare_prices.items():
        for band, price in bands.items():
            if price < 0:
                raise KeyError("a negative price for childcare")
            prices[arrays.sessions.row[session], BANDS[band]] = price
    family = table.seeker * max(1, len(arrays.sessions.ids)) + table.session
    _, number, together = np.unique(family, return_inverse=True, return_counts=True)
    cost = (arrays.seekers.childcare[table.seeker] * prices[table.session]).sum(axis=1)
    toll = cost // together[number] if len(family) else cost
    return toll, (prices * arrays.sessions.childcare).sum(axis=1)


def _bundles(reckoning: Reckoning) -> int:
    """The best bundles of all seekers, in thousandths."""
    table, seekers = reckoning.table, reckoning.arrays.seekers
    net, bonus = reckoning.score - reckoning.price, seekers.bonus * SCALE
    first = np.searchsorted(table.seeker, np.arange(len(seekers.ids) + 1))
    best = np.full(len(seekers.ids), NOBODY, np.int64)
    np.maximum.at(best, table.seeker, net)
    best = np.where((best > NOBODY) & (seekers.placements_max > 0), np.maximum(0, best + bonus), 0)
    hopeful = np.bincount(table.seeker[net > 0], minlength=len(best)) >= 2
    for u in np.flatnonzero(hopeful & (seekers.placements_max >= 2)).tolist():
        rows = sorted((row for row in range(first[u], first[u + 1]) if net[row] > 0), key=lambda row: -int(net[row]))
        best[u] = max(int(best[u]), int(bonus[u]) + _most(reckoning, rows, net, [], int(seekers.placements_max[u])))
    return int(best.sum())


def _most(reckoning: Reckoning, rows: Sequence[int], net: Whole, taken: list[int], room: int) -> int:
    """The most that these candidates, dearest first, add to those taken: one per wish, each pair allowed by the rules."""
    most = 0
    for place, row in enumerate(rows if room else ()):
        if int(net[row]) * room <= most:
            break
        if all(_together(reckoning, row, other) for other in taken):
            most = max(most, int(net[row]) + _most(reckoning, rows[place + 1 :], net, [*taken, row], room - 1))
    return most


def _together(reckoning: Reckoning, one: int, other: int) -> bool:
    """Whether a seeker could have both, by the hard rules about all placements of one seeker."""
    arrays, table = reckoning.arrays, reckoning.table
    if table.wish[one] == table.wish[other]:
        return False
    seeker = arrays.seekers.ids[table.seeker[one]]
    placements = [
        Placed(seeker, arrays.wishes.ids[table.wish[row]], arrays.sessions.ids[table.session[row]])
        for row in (one, other)
    ]
    return not list(reckoning.rules.of_seeker(seeker, placements))


def _by_session(reckoning: Reckoning) -> list[Whole]:
    order = np.argsort(reckoning.table.session, kind="stable")
    cuts = np.flatnonzero(np.diff(reckoning.table.session[order])) + 1
    return np.split(order, cuts) if len(order) else []


def _group(reckoning: Reckoning, rows: Whole) -> int:
    """One session's part: its best group at what it is paid, or nothing."""
    arrays, session = reckoning.arrays, int(reckoning.table.session[rows[0]])
    offered = arrays.instance.sessions[session]
    pays, persons = reckoning.pays[rows].tolist(), reckoning.table.persons[rows].tolist()
    voices = arrays.wishes.party_counts[reckoning.table.wish[rows]]
    free = offered.seats_max - offered.seats_taken
    needed = max(1, offered.seats_min - offered.seats_taken)
    plain = offered.parties is None or bool((voices.max(axis=1) < reckoning.table.persons[rows]).any())
    if plain or prod(most + 1 for _, most in (offered.parties or {}).values()) > COMBINATIONS_MAX:
        if len(rows) * min(free, sum(persons)) > STEPS_MAX:
            found = sum(max(0, pay) for pay in pays)
        else:
            found = max(_filled(pays, persons, min(free, sum(persons)))[needed:].tolist(), default=NOBODY)
    else:
        found = _dialogue(offered, pays, persons, voices.argmax(axis=1).tolist())
    return max(0, int(found) + int(reckoning.grant[session]))


def _filled(pays: Sequence[int], persons: Sequence[int], seats: int) -> Whole:
    """Entry k: the most that candidates with exactly k people pay."""
    value = np.full(seats + 1, NOBODY, np.int64)
    value[0] = 0
    for pay, people in zip(pays, persons, strict=True):
        if people <= seats:
            value[people:] = np.maximum(value[people:], value[: seats + 1 - people] + pay)
    return value


def _dialogue(offered: OfferedSession, pays: Sequence[int], persons: Sequence[int], voice: Sequence[int]) -> int:
    """The best group that keeps seats, minimum, and the parties' numbers."""
    parties = list((offered.parties or {}).items())
    before = [offered.parties_taken.get(party, 0) for party, _ in parties]
    tables = []
    for (party, (_, most)), taken in zip(parties, before, strict=True):
        mine = [row for row, name in enumerate(voice) if name == PARTIES[party]]
        tables.append(_filled([pays[r] for r in mine], [persons[r] for r in mine], max(0, most - taken)).tolist())
    found = NOBODY
    for counts in product(*(range(len(table)) for table in tables)):
        present = [count + taken for count, taken in zip(counts, before, strict=True)]
        seats = offered.seats_taken + sum(counts)
        sound = sum(counts) > 0 and offered.seats_min <= seats <= offered.seats_max
        sound = sound and all(n >= least for n, (_, (least, _)) in zip(present, parties, strict=True))
        spread = offered.party_spread_max
        if sound and (spread is None or max(present) - min(present) <= spread):
            found = max(found, sum(table[count] for table, count in zip(tables, counts, strict=True)))
    return found
