"""Where people live: the real postcodes, weighted by the size of their town, in 42 made-up youth regions.

The Netherlands have 42 youth-care regions (requirements 2.3). Their true borders are not used: a
region here is everything nearest to one of 42 large towns that lie well apart.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import cos, hypot, radians

from leerbudget.fictional.dice import Chances
from leerbudget.geography.postcodes import Place, all_places

REGIONS_MAX = 42
CENTRES_APART_KM = 19.0
"""Largest whole distance at which 42 towns still fit (tried on the table)."""

PILOT_KM = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A made-up youth region around its largest town. `homes` draws where a family lives."""

    name: str
    centre: Place
    homes: Chances[Place]
    weight: float


def crow_km(a: Place, b: Place) -> float:
    """Kilometres as the crow flies; exact to 0.1 % within the Netherlands."""
    middle = radians((a.lat + b.lat) / 2)
    return 111.2 * hypot(a.lat - b.lat, (a.lon - b.lon) * cos(middle))


@cache
def _people() -> dict[Place, float]:
    """How many people live in each postcode, in no unit.

    A postcode of a big town houses more people than one of a village: here by the number of postcodes
    in the town to the power 0.35 (guess; it puts 5 % of all families in Amsterdam, as in reality).
    """
    sizes = Counter(place.place for place in all_places().values())
    return {place: sizes[place.place] ** 0.35 for place in all_places().values()}


def _middle(members: Sequence[Place]) -> Place:
    """The member nearest to the middle of all."""
    middle = replace(
        members[0],
        lat=sum(place.lat for place in members) / len(members),
        lon=sum(place.lon for place in members) / len(members),
    )
    return min(members, key=lambda place: crow_km(place, middle))


def _centres() -> list[Place]:
    towns: dict[str, list[Place]] = defaultdict(list)
    for place in all_places().values():
        towns[place.place].append(place)
    chosen: list[Place] = []
    for town in sorted(towns.values(), key=lambda members: (-len(members), members[0].postcode4)):
        middle = _middle(town)
        if all(crow_km(middle, centre) >= CENTRES_APART_KM for centre in chosen):
            chosen.append(middle)
        if len(chosen) == REGIONS_MAX:
            break
    return chosen


@cache
def regions() -> tuple[Region, ...]:
    """The 42 regions, the most people first. A municipality is never split."""
    centres = _centres()
    municipalities: dict[str, list[Place]] = defaultdict(list)
    for place in all_places().values():
        municipalities[place.municipality].append(place)
    parts: dict[Place, list[Place]] = {centre: [] for centre in centres}
    for members in municipalities.values():
        seat = _middle(members)
        parts[min(centres, key=lambda centre: crow_km(centre, seat))].extend(members)
    found = [_region(centre, members) for centre, members in parts.items()]
    return tuple(sorted(found, key=lambda region: (-region.weight, region.name)))


def around_centre(region: Region) -> Region:
    """The part of a region within 16 km of its centre: where a world of few families lives."""
    return _region(region.centre, [p for p in region.homes.values if crow_km(p, region.centre) <= PILOT_KM])


def _region(centre: Place, members: Sequence[Place]) -> Region:
    people = {place: _people()[place] for place in members}
    return Region(
        name=f"Jeugdregio rond {centre.place} (fictief)",
        centre=centre,
        homes=Chances(people),
        weight=sum(people.values()),
    )
