"""The group of one proposed session, family by family, by the hard rules themselves (`hard_rules`).

Whoever is in the group could be placed in the new session beside everything the outcome gave everybody: no
one loses a place, and each family is counted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook
from leerbudget.matcher.instance import OfferedSession
from leerbudget.matcher.radar_demand import Demand, Waiting


@dataclass(frozen=True, slots=True)
class Group:
    """A session and who would come: numbers of the families. `minutes`: one way, on average; None online."""

    session: OfferedSession
    families: list[int]
    without_place: int
    minutes: float | None


def best_group(
    demand: Demand, rules: Rulebook, at: tuple[int, int, int], weeks: Sequence[date], name: str
) -> Group | None:
    """The largest group for a kind, place and day-part over the weeks; None when it reaches no minimum.

    `rules`: the rulebook of the round, for this search alone: the sessions that are looked at are put in it.
    `name` begins their ids; no two calls may share it.
    """
    kind, place, day_part = at
    template, wishes = demand.kinds[kind].template, _in_order(demand, at)
    best: Group | None = None
    for week in weeks:
        session = template.session(f"{name}/{week}", demand.places[place], day_part, week)
        chosen = _chosen(demand.waiting, rules, session, wishes)
        if chosen and (best is None or len(chosen) > len(best.families)):
            best = _group(demand, session, chosen, place)
        if len(chosen) == min(len(wishes), session.seats_max):
            break
    return best


def _in_order(demand: Demand, at: tuple[int, int, int]) -> list[int]:
    """Who needs fewest seats first, then who has no place yet, waited longest, lives nearest."""
    found, wish = demand.waiting, demand.at(*at)
    seeker = found.arrays.wishes.seeker[wish]
    placed = [len(found.mine.get(found.arrays.seekers.ids[row], ())) for row in seeker.tolist()]
    waited = [-found.instance.seekers[row].waiting_rounds for row in seeker.tolist()]
    keys = np.stack([wish, demand.share[seeker, at[1]], waited, placed, found.arrays.wishes.persons[wish]])
    order: list[int] = wish[np.lexsort(keys)].tolist()
    return order


def _chosen(found: Waiting, rules: Rulebook, session: OfferedSession, wishes: Sequence[int]) -> list[int]:
    """The wishes that come, in their order as far as the rules allow; none when that is no group that runs."""
    rules.sessions[session.id] = session
    group: list[Placed] = []
    chosen: list[int] = []
    families: set[str] = set()
    for wish in wishes:
        placed = found.placed(wish, session.id)
        if placed.seeker not in families and _fits(rules, found, [*group, placed]):
            families.add(placed.seeker)
            group.append(placed)
            chosen.append(wish)
            if len(group) == session.seats_max:
                break
    return chosen if group and rules.runs(session.id, group) else []


def _fits(rules: Rulebook, found: Waiting, group: list[Placed]) -> bool:
    """Whether the last of the group can come too, by every hard rule but those that more company mends."""
    last = group[-1]
    had = found.mine.get(last.seeker, [])
    return not any(
        breach.code not in NEEDS_COMPANY
        for breaches in (
            rules.of_placement(last),
            rules.of_seeker(last.seeker, [*had, last]),
            rules.of_session(last.session, group),
        )
        for breach in breaches
    )


def _group(demand: Demand, session: OfferedSession, chosen: Sequence[int], place: int) -> Group:
    found = demand.waiting
    families: Whole = found.arrays.wishes.seeker[np.array(chosen, np.int64)]
    return Group(
        session=session,
        families=families.tolist(),
        without_place=sum(not found.mine.get(found.arrays.seekers.ids[family]) for family in families.tolist()),
        minutes=None if session.pc4 is None else float(demand.minutes[families, place].mean()),
    )
