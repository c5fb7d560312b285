"""Where a new session could be held: the venues at hand, and the middle of where waiting families live.

A centre is the postcode nearest to the middle of a cluster of at least five families, looked up among all
Dutch postcodes: it is no family's own address.
"""

from functools import cache

import numpy as np

from leerbudget.geography.postcodes import all_places
from leerbudget.geography.travel import Kilometres, Point, Points, points
from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.instance import Instance
from leerbudget.matcher.radar_cells import SMALLEST_CELL

CENTRES_MAX = 40
FAMILIES_PER_CENTRE = 25
ROUNDS = 8


def places_of(instance: Instance, homes: Points, region: str) -> list[str | None]:
    """Postcodes of venues and centres that begin with `region`, sorted; None is online, when no region is asked."""
    venues = {session.pc4 for session in instance.sessions if session.pc4 is not None}
    found = sorted(pc4 for pc4 in venues | centres(homes) if pc4.startswith(region))
    return [*found] if region else [None, *found]


def centres(homes: Points) -> set[str]:
    """The postcodes nearest to the middles of clusters of homes (k-means from evenly spread homes)."""
    known = homes.xyz[~np.isnan(homes.xyz[:, 0])]
    count = min(CENTRES_MAX, len(known) // FAMILIES_PER_CENTRE)
    if count == 0:
        return set()
    order = np.lexsort(known.T)
    middles = known[order[(np.arange(count) * 2 + 1) * len(known) // (2 * count)]]
    for _ in range(ROUNDS):
        sizes, middles = _moved(known, middles)
    names, vectors = _postcodes()
    return {names[row] for row in _nearest(middles[sizes >= SMALLEST_CELL], vectors)}


def _moved(homes: Kilometres, middles: Kilometres) -> tuple[Whole, Kilometres]:
    """Sizes of the clusters around the middles, and the middle of each; an empty cluster stays where it was."""
    nearest = _nearest(homes, middles)
    sizes = np.bincount(nearest, minlength=len(middles)).astype(np.int64)
    sums = np.stack([np.bincount(nearest, homes[:, axis], len(middles)) for axis in range(3)], axis=1)
    return sizes, np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], middles)


def _nearest(here: Kilometres, there: Kilometres) -> Whole:
    """For each point the row of the nearest other point. Clusters lie inside the globe, by metres only."""
    away = (there**2).sum(axis=1)[None, :] - 2.0 * here @ there.T
    nearest: Whole = away.argmin(axis=1).astype(np.int64)
    return nearest


@cache
def _postcodes() -> tuple[list[str], Kilometres]:
    places = all_places()
    return list(places), points([Point(place.lat, place.lon) for place in places.values()]).xyz
