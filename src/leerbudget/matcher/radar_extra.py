"""What a funder or a municipality could add to a round: money, seats, childcare places (requirement R09).

The published rule for extra money (`Rule.SHORTAGE`), in two rounds of handing out, each with the smallest
amount first and among equals who waited longest, then a lot drawn from the id:

1. families without a place for whom a seat is free now and only money is missing: exactly what is missing;
2. families without a place that cannot pay any session, where money is all that is missing: the least that
   opens one session to them, for which they then stand in line like everybody.

Nobody gets more than is missing, whoever has a place gets nothing, and money that is not enough for the next
family stays with the funder. So the same euros reach as many families as they can, and nothing but the
shortage decides. `Rule.EQUAL` gives every family without a place the same; it is there to be compared.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

import msgspec
import numpy as np

from leerbudget.matcher.arrays import Arrays, Whole, arrays_of
from leerbudget.matcher.candidates import RULES, PairFacts, pair_facts
from leerbudget.matcher.groups import is_family
from leerbudget.matcher.hard_rules import Placed, Rulebook, by_session
from leerbudget.matcher.instance import Instance, LearningBudget, OfferedSession, Seeker
from leerbudget.matcher.outcome import Outcome
from leerbudget.matcher.vocabulary import ChildAgeBand, Theme

BUDGETS_MAX = 12
"""A seeker in a file has no more budgets (`instance.Seeker`)."""
MONEY = RULES.index("money")
PAIRS_AT_ONCE = 1_000_000
Region = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{0,4}\Z")]


class Rule(StrEnum):
    """How extra money is handed out."""

    SHORTAGE = "shortage"
    EQUAL = "equal"


class ExtraMoney(msgspec.Struct, tag_field="kind", tag="money", frozen=True, forbid_unknown_fields=True):
    """So much extra for families whose postcode begins with `region`; earmarked for `themes` (None: free)."""

    cents: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
    region: Region = ""
    themes: list[Theme] | None = None
    rule: Rule = Rule.SHORTAGE


class ExtraSeats(msgspec.Struct, tag_field="kind", tag="seats", frozen=True, forbid_unknown_fields=True):
    """A larger room: so many seats more in every session at a place in the region. Dialogues stay as they are."""

    seats: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    region: Region = ""
    themes: list[Theme] | None = None


class ExtraChildcare(msgspec.Struct, tag_field="kind", tag="childcare", frozen=True, forbid_unknown_fields=True):
    """Childcare: so many places more in every age band, in every session at a place in the region."""

    places: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    region: Region = ""
    themes: list[Theme] | None = None


Extra = ExtraMoney | ExtraSeats | ExtraChildcare


@dataclass(frozen=True, slots=True)
class Grant:
    """What one family gets. `sure`: a seat is free for it, beside everybody who has one."""

    seeker: str
    cents: int
    sure: bool


def with_extra(instance: Instance, outcome: Outcome, extra: Extra) -> Instance:
    """The instance as it would be with the extra."""
    match extra:
        case ExtraMoney():
            return with_money(instance, outcome, extra)
        case ExtraSeats():
            return with_seats(instance, extra)
        case ExtraChildcare():
            return with_childcare(instance, extra)


def with_money(instance: Instance, outcome: Outcome, extra: ExtraMoney) -> Instance:
    """The instance in which the families that get something have a budget more, without an end date."""
    given = {grant.seeker: grant.cents for grant in grants(instance, outcome, extra)}
    seekers = [
        _with_budget(seeker, given[seeker.id], extra.themes) if given.get(seeker.id) else seeker
        for seeker in instance.seekers
    ]
    return msgspec.structs.replace(instance, seekers=seekers)


def _with_budget(seeker: Seeker, cents: int, themes: list[Theme] | None) -> Seeker:
    budget = LearningBudget(id=extra_id(seeker), available_cents=cents, themes=themes)
    return msgspec.structs.replace(seeker, budgets=[*seeker.budgets, budget])


def extra_id(seeker: Seeker) -> str:
    """The id of the extra budget: one the seeker has not used."""
    used = {budget.id for budget in seeker.budgets}
    return next(name for n in range(len(used) + 1) if (name := f"extra-{n + 1}") not in used)


def with_seats(instance: Instance, extra: ExtraSeats) -> Instance:
    """The instance with larger rooms."""

    def larger(session: OfferedSession) -> OfferedSession:
        return msgspec.structs.replace(session, seats_max=session.seats_max + extra.seats)

    sessions = [
        larger(s) if s.parties is None and _concerns(s, extra.region, extra.themes) else s for s in instance.sessions
    ]
    return msgspec.structs.replace(instance, sessions=sessions)


def with_childcare(instance: Instance, extra: ExtraChildcare) -> Instance:
    """The instance with more childcare places."""

    def cared_for(session: OfferedSession) -> OfferedSession:
        places = {band: session.childcare_places.get(band, 0) + extra.places for band in ChildAgeBand}
        return msgspec.structs.replace(session, childcare_places=places)

    sessions = [cared_for(s) if _concerns(s, extra.region, extra.themes) else s for s in instance.sessions]
    return msgspec.structs.replace(instance, sessions=sessions)


def _concerns(session: OfferedSession, region: str, themes: Collection[Theme] | None) -> bool:
    """Whether the session is at a place in the region (any place, when no region is asked) and about a theme."""
    there = session.pc4 is not None and session.pc4.startswith(region)
    somewhere = there or (not region and session.lat is not None)
    return somewhere and (themes is None or session.theme in themes)


def grants(instance: Instance, outcome: Outcome, extra: ExtraMoney) -> list[Grant]:
    """Who gets what of the extra money, in the order of handing out; together never more than there is."""
    poor = _without_place(instance, outcome, extra)
    if not poor.seekers:
        return []
    if extra.rule is Rule.EQUAL:
        share = extra.cents // len(poor.seekers)
        return [Grant(seeker.id, share, sure=False) for seeker in poor.seekers] if share else []
    return list(_by_shortage(instance, outcome, poor, extra.cents))


def _without_place(instance: Instance, outcome: Outcome, extra: ExtraMoney) -> Instance:
    """The families that the money is for, with the wishes it is for, beside all sessions."""
    served = {placement.seeker for placement in outcome.placements}
    most = instance.policy.max_placements
    seekers = [
        msgspec.structs.replace(seeker, wishes=wishes)
        for seeker in instance.seekers
        if seeker.id not in served
        and is_family(seeker)
        and (seeker.pc4 or "").startswith(extra.region)
        and min(seeker.max_placements, most) > 0
        and len(seeker.budgets) < BUDGETS_MAX
        and (wishes := [w for w in seeker.wishes if extra.themes is None or w.theme in extra.themes])
    ]
    wished = {(seeker.id, wish.id) for seeker in seekers for wish in seeker.wishes}
    known = {seeker.id for seeker in seekers}
    return msgspec.structs.replace(
        instance,
        seekers=seekers,
        fixed=[],
        forbidden=[pair for pair in instance.forbidden if pair[0] in known],
        candidates=None if instance.candidates is None else [c for c in instance.candidates if c[:2] in wished],
    )


@dataclass(frozen=True, slots=True)
class Shortages:
    """Pairs of a wish and a session where money is all that is missing; `order` is the order of handing out."""

    arrays: Arrays
    pairs: PairFacts
    order: list[int]
    can_pay: frozenset[int]

    def seeker(self, row: int) -> int:
        """The number of the family of a pair."""
        return int(self.arrays.wishes.seeker[self.pairs.wish[row]])

    def cents(self, row: int) -> int:
        """What is missing."""
        return int(self.pairs.short_cents[row])


def _by_shortage(instance: Instance, outcome: Outcome, poor: Instance, cents: int) -> Iterator[Grant]:
    found = _shortages(poor)
    given: set[int] = set()
    for row in _seated(instance, outcome, found):
        if found.cents(row) <= cents and found.seeker(row) not in given:
            given.add(found.seeker(row))
            cents -= found.cents(row)
            yield Grant(found.arrays.seekers.ids[found.seeker(row)], found.cents(row), sure=True)
    for row in found.order:
        family = found.seeker(row)
        if found.cents(row) <= cents and family not in given | found.can_pay:
            given.add(family)
            cents -= found.cents(row)
            yield Grant(found.arrays.seekers.ids[family], found.cents(row), sure=False)


def _seated(instance: Instance, outcome: Outcome, found: Shortages) -> Iterator[int]:
    """The pairs for which a seat is free beside everybody who has one, those that were taken before included.

    The caller takes every pair it is offered, or has no money left for it nor for any later one.
    """
    rules = Rulebook.of(instance)
    groups = by_session(Placed(p.seeker, p.wish, p.session) for p in outcome.placements)
    ids, taken = found.arrays.sessions.ids, set[int]()
    free = _free_seats(found.arrays, rules, groups)
    persons = found.arrays.wishes.persons[found.pairs.wish]
    for row in found.order:
        session = int(found.pairs.session[row])
        if found.seeker(row) in taken or persons[row] > free[session]:
            continue
        seeker = found.arrays.seekers.ids[found.seeker(row)]
        placed = Placed(seeker, found.arrays.wishes.ids[found.pairs.wish[row]], ids[session])
        group = [*groups.get(placed.session, []), placed]
        if not any(rules.of_session(placed.session, group)):
            groups[placed.session] = group
            free[session] -= int(persons[row])
            taken.add(found.seeker(row))
            yield row


def _free_seats(arrays: Arrays, rules: Rulebook, groups: dict[str, list[Placed]]) -> list[int]:
    taken = [sum(len(rules.persons(p)) for p in groups.get(name, ())) for name in arrays.sessions.ids]
    free = arrays.sessions.seats_max - arrays.sessions.seats_taken - np.array(taken, np.int64)
    seats: list[int] = free.tolist()
    return seats


def _shortages(poor: Instance) -> Shortages:
    arrays = arrays_of(poor)
    blocks = [_judged(arrays, *block) for block in _blocks(arrays)]
    can_pay = frozenset(seeker for _, able in blocks for seeker in able)
    names = PairFacts.__slots__
    columns = {name: np.concatenate([getattr(pairs, name) for pairs, _ in blocks], axis=-1) for name in names}
    pairs = PairFacts(**columns)
    seekers = arrays.wishes.seeker[pairs.wish]
    waited = np.array([-seeker.waiting_rounds for seeker in poor.seekers], np.int64)
    lots = np.array([int.from_bytes(sha256(name.encode()).digest()[:7]) for name in arrays.seekers.ids], np.int64)
    keys = np.stack([pairs.session, pairs.wish, lots[seekers], waited[seekers], pairs.short_cents])
    return Shortages(arrays, pairs, np.lexsort(keys).tolist(), can_pay)


def _judged(arrays: Arrays, wish: Whole, session: Whole) -> tuple[PairFacts, set[int]]:
    """The pairs where only money is missing, and the families that lack nothing for some session."""
    pairs = pair_facts(arrays, wish, session)
    broken = pairs.breaks.sum(axis=0)
    able = arrays.wishes.seeker[wish[broken == 0]].tolist()
    return pairs.select(np.flatnonzero((broken == 1) & pairs.breaks[MONEY])), set(able)


def _blocks(arrays: Arrays) -> Iterator[tuple[Whole, Whole]]:
    """All pairs of a wish and a session of its theme on days it is free, or the given ones; at least one block."""
    none = np.zeros(0, np.int64)
    yield none, none
    wishes, sessions = arrays.wishes, arrays.sessions
    if arrays.instance.candidates is not None:
        given = arrays.instance.candidates
        yield _rows([wishes.row[c[0], c[1]] for c in given]), _rows([sessions.row[c[2]] for c in given])
        return
    for theme in np.unique(sessions.theme):
        mine, there = np.flatnonzero(wishes.theme == theme), np.flatnonzero(sessions.theme == theme)
        step = max(1, PAIRS_AT_ONCE // len(there))
        for first in range(0, len(mine), step):
            some = mine[first : first + step]
            i, j = np.nonzero((sessions.day_parts[there][None, :] & ~wishes.free[some][:, None]) == 0)
            yield some[i], there[j]


def _rows(values: Sequence[int]) -> Whole:
    return np.array(values, np.int64)
