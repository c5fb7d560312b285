"""Who waits for what, and how many of them a new session could reach: every place and day-part at once.

The counts here are ceilings: they leave out blocked moments, other places a family already has, and who may
not be together. `radar_group` looks at those, family by family, before anything is proposed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

import msgspec
import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, Points, pair_minutes, points
from leerbudget.matcher.arrays import FORMS, THEMES, Arrays, Whole, arrays_of
from leerbudget.matcher.candidates import RULES, Flags, pair_facts
from leerbudget.matcher.day_parts import day_parts_of
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.groups import is_family
from leerbudget.matcher.hard_rules import Placed, by_seeker
from leerbudget.matcher.instance import Instance, Seeker, fingerprint
from leerbudget.matcher.outcome import Outcome
from leerbudget.matcher.radar_typical import DAY_PARTS, Template
from leerbudget.matcher.vocabulary import Theme

Counts = NDArray[np.int32]
Minutes = NDArray[np.int16]
OF_ITSELF = [RULES.index(rule) for rule in ("party_not_invited", "not_for", "seats", "childcare", "money")]
"""Rules that hold or fail wherever and whenever the session is."""
OUT_OF_REACH = -1
PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Foster families with wishes without a place, and room for a further place. `mine`: what each already has."""

    instance: Instance
    arrays: Arrays
    mine: dict[str, list[Placed]]

    def theme(self, theme: Theme) -> Whole:
        """The wishes of a theme."""
        return np.flatnonzero(self.arrays.wishes.theme == THEMES[theme])

    def families(self, wishes: Whole) -> int:
        """How many families these wishes are of."""
        return len(np.unique(self.arrays.wishes.seeker[wishes]))

    def placed(self, wish: int, session: str) -> Placed:
        """The ids of a placement of this wish."""
        seeker = self.arrays.seekers.ids[self.arrays.wishes.seeker[wish]]
        return Placed(seeker, self.arrays.wishes.ids[wish], session)


def waiting(
    instance: Instance,
    outcome: Outcome,
    templates: Sequence[Template] = (),
    first: date | None = None,
    *,
    first_places: bool = False,
) -> Waiting:
    """Who waits after an outcome. Professionals who seek a dialogue are no families and are left out.

    The sessions of the arrays are the templates, each in the week of `first`, Monday morning, online.
    `first_places`: only families without any place.
    """
    mine = by_seeker(Placed(p.seeker, p.wish, p.session) for p in outcome.placements)
    most = instance.policy.max_placements
    asked = [seeker for seeker in instance.seekers if not (first_places and seeker.id in mine)]
    seekers = [_with_open_wishes(seeker, mine, most) for seeker in asked]
    alone = msgspec.structs.replace(
        instance,
        seekers=[seeker for seeker in seekers if seeker.wishes and is_family(seeker)],
        sessions=[] if first is None else [t.session(str(row), None, 0, first) for row, t in enumerate(templates)],
        fixed=[],
        forbidden=[],
        candidates=None,
    )
    return Waiting(alone, arrays_of(alone), mine)


def _with_open_wishes(seeker: Seeker, mine: dict[str, list[Placed]], most: int) -> Seeker:
    """The seeker with its wishes without a place; none when it can have no further place."""
    had = {placed.wish for placed in mine.get(seeker.id, ())}
    full = len(had) >= min(seeker.max_placements, most)
    wishes = [] if full else [wish for wish in seeker.wishes if wish.id not in had]
    return msgspec.structs.replace(seeker, wishes=wishes)


def refuse_other(instance: Instance, outcome: Outcome) -> None:
    """Refuse an outcome that answers another instance.

    Raises:
        InstanceRefused: by its fingerprint, or because a placement names what is not there.
    """
    if outcome.instance is not None and outcome.instance != fingerprint(instance):
        raise InstanceRefused("$.instance", "the outcome answers another instance")
    wishes = {(seeker.id, wish.id) for seeker in instance.seekers for wish in seeker.wishes}
    sessions = {session.id for session in instance.sessions}
    for row, placed in enumerate(outcome.placements):
        if (placed.seeker, placed.wish) not in wishes or placed.session not in sessions:
            raise InstanceRefused(f"$.placements[{row}]", "seeker, wish or session is not in the instance")


@dataclass(frozen=True, slots=True)
class Kind:
    """A template and the wishes of its theme.

    `held`: places where it may be held; `fits`: whom it suits, by itself; `free`: who could come, by day-part.
    """

    template: Template
    held: Flags
    wishes: Whole
    fits: Flags
    free: Flags


@dataclass(slots=True)
class Demand:
    """Ceilings per kind, place and day-part: families (`counts`) and their persons (`persons`).

    `minutes` and `share`: per seeker and place the way in the mode that uses least of its limit, and that share
    in thousandths; `OUT_OF_REACH` when there is none. `alive`: wishes that no proposal serves yet.
    """

    waiting: Waiting
    places: list[str | None]
    kinds: list[Kind]
    minutes: Minutes
    share: Minutes
    counts: Counts
    persons: Counts
    alive: Flags

    def at(self, kind: int, place: int, day_part: int) -> Whole:
        """The wishes counted there."""
        k = self.kinds[kind]
        seeker = self.waiting.arrays.wishes.seeker[k.wishes]
        here = self.alive[k.wishes] & k.fits & k.free[:, day_part] & (self.share[seeker, place] >= 0)
        wishes: Whole = k.wishes[here]
        return wishes

    def drop(self, families: Sequence[int]) -> None:
        """Families that have a proposal count no more."""
        wishes = self.waiting.arrays.wishes
        gone = np.isin(wishes.seeker, np.array(families, np.int64)) & self.alive
        for row, kind in enumerate(self.kinds):
            here = np.flatnonzero(gone[kind.wishes] & kind.fits)
            if len(here):
                counts, persons = self.counted(kind, here)
                self.counts[row] -= counts
                self.persons[row] -= persons
        self.alive &= ~gone

    def counted(self, kind: Kind, here: Whole) -> tuple[Counts, Counts]:
        """Wishes and their persons for every place and day-part, of these wishes of a kind (by their number in it)."""
        wishes = self.waiting.arrays.wishes
        rows = kind.wishes[here]
        near = ((self.share[wishes.seeker[rows]] >= 0) & kind.held[None, :]).astype(np.float32)
        free = kind.free[here].astype(np.float32)
        weighed = free * wishes.persons[rows].astype(np.float32)[:, None]
        return np.rint(near.T @ free).astype(np.int32), np.rint(near.T @ weighed).astype(np.int32)


def demand_of(found: Waiting, templates: Sequence[Template], places: list[str | None]) -> Demand:
    """The demand for sessions like the templates, which are the sessions of the arrays of `found`."""
    shape = (len(templates), len(places), DAY_PARTS)
    counts, persons = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    kinds = [_kind(found, row, template, places) for row, template in enumerate(templates)]
    alive = np.ones(len(found.arrays.wishes.ids), bool)
    demand = Demand(found, places, kinds, *_ways(found, places), counts, persons, alive)
    for row, kind in enumerate(kinds):
        counts[row], persons[row] = demand.counted(kind, np.flatnonzero(kind.fits))
    return demand


def _ways(found: Waiting, places: list[str | None]) -> tuple[Minutes, Minutes]:
    """Minutes and share of the best way from every seeker to every place; nought for who accepts online."""
    seekers = found.arrays.seekers
    everyone = np.arange(len(seekers.ids))
    limits = seekers.limits
    minutes = np.full((len(everyone), len(places)), OUT_OF_REACH, np.int16)
    share = minutes.copy()
    venues = _points(places)
    for column, pc4 in enumerate(places):
        if pc4 is None:
            minutes[:, column] = share[:, column] = np.where(seekers.online_ok, 0, OUT_OF_REACH)
            continue
        each = pair_minutes(seekers.home, everyone, venues, np.full(len(everyone), column)).astype(np.int64)
        used = np.where((each >= 0) & (each <= limits), each * PERMILLE // np.maximum(limits, 1), PERMILLE + 1)
        mode = used.argmin(axis=0)
        near = used[mode, everyone] <= PERMILLE
        share[near, column] = used[mode, everyone][near]
        minutes[near, column] = each[mode, everyone][near]
    return minutes, share


def _points(places: list[str | None]) -> Points:
    found = [None if pc4 is None else place_of(pc4) for pc4 in places]
    return points([None if place is None else Point(place.lat, place.lon) for place in found])


def _kind(found: Waiting, row: int, template: Template, places: list[str | None]) -> Kind:
    wishes = found.theme(template.like.theme)
    pairs = pair_facts(found.arrays, wishes, np.full(len(wishes), row, np.int64))
    liked = found.arrays.wishes.forms[wishes] >> FORMS[template.like.form] & 1 == 1
    held = np.array([(pc4 is None) == template.online for pc4 in places], bool)
    free = np.zeros((len(wishes), DAY_PARTS), bool)
    for part in template.day_parts():
        free[:, part] = (_touched(template, part) & ~found.arrays.wishes.free[wishes]) == 0
    return Kind(template, held, wishes, liked & ~pairs.breaks[OF_ITSELF].any(axis=0), free)


def _touched(template: Template, day_part: int) -> int:
    """The day-parts of all its meetings, as bits; the same in every week."""
    return reduce(or_, (day_parts_of(*meeting) for meeting in template.meetings(day_part, date(2027, 1, 4))))
