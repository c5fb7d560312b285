"""Travel minutes from one point to another, by mode: estimates, always said with "ongeveer".

Road kilometres are 1.27 times the crow-fly distance. Car minutes are 8 (to the car, parking) plus
kilometres at 0.55 km a minute below 15 km, 0.9 below 40 km and 1.35 beyond; public transport takes twice
the car; a bike does 15 km/h and a walker 5 km/h. The Wadden islands add a crossing with its waiting time.
The figures are the project's own working figures (design notes, "place and distance"); the ferry minutes
are rough estimates of the crossing plus half an hour.

Distances use only additions, multiplications, divisions and square roots, which every processor rounds
the same way. So one pair and a matrix of pairs give the same minute, and a limit is never passed on one
machine and failed on another.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MODES = ("car", "public_transport", "bike", "walk")
"""The order of the first axis of every answer here."""

EARTH_RADIUS_KM = 6371.0088
ROAD_FACTOR = 1.27
CAR_START_MINUTES = 8.0
CAR_BRACKETS_KM = (15.0, 40.0)
CAR_KM_PER_MINUTE = (0.55, 0.9, 1.35)
PUBLIC_TRANSPORT_FACTOR = 2.0
BIKE_MINUTES_PER_KM = 60.0 / 15.0
WALK_MINUTES_PER_KM = 60.0 / 5.0

FERRY_MINUTES = (0, 50, 125, 150, 80, 75)
"""Crossing and waiting by island: mainland, Texel, Vlieland, Terschelling, Ameland, Schiermonnikoog."""

ISLAND_BOXES = (
    (52.99, 53.2, 4.68, 4.93),
    (53.2, 53.33, 4.8, 5.15),
    (53.33, 53.47, 5.12, 5.6),
    (53.42, 53.48, 5.58, 5.98),
    (53.46, 53.52, 6.08, 6.35),
)
"""South, north, west and east degree of islands 1-5; checked against every postcode in the tests."""

TABLE_CELLS_MAX = 24_000_000
"""48 MB: every Dutch postcode to 1,500 venues."""
CELLS_AT_ONCE = 32_768
"""So many at once stay in the processor's own memory."""

Minutes = NDArray[np.int32]
Kilometres = NDArray[np.float64]
Indexes = NDArray[np.int64]


class Point(NamedTuple):
    """A place in degrees (WGS 84)."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Points:
    """Many places: unit vectors and island numbers. A place that is nowhere (online) is NaN."""

    xyz: Kilometres
    island: NDArray[np.int8]

    def __len__(self) -> int:
        """How many places."""
        return len(self.island)

    def take(self, rows: Indexes) -> "Points":
        """The places of these rows, in this order."""
        return Points(self.xyz[rows], self.island[rows])


def island_of(point: Point) -> int:
    """0 for the mainland, 1-5 for the Wadden islands in the order of `FERRY_MINUTES`."""
    for number, (south, north, west, east) in enumerate(ISLAND_BOXES, start=1):
        if south <= point.lat <= north and west <= point.lon <= east:
            return number
    return 0


def points(places: Sequence[Point | None]) -> Points:
    """Places made ready for distances in bulk; None is nowhere."""
    xyz = np.full((len(places), 3), np.nan)
    island = np.zeros(len(places), np.int8)
    vectors: dict[Point, tuple[tuple[float, float, float], int]] = {}
    for row, place in enumerate(places):
        if place is not None:
            if place not in vectors:
                vectors[place] = (_unit_vector(place), island_of(place))
            xyz[row], island[row] = vectors[place]
    return Points(xyz, island)


def _unit_vector(place: Point) -> tuple[float, float, float]:
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


def road_km(here: Points, i: Indexes, there: Points, j: Indexes) -> Kilometres:
    """Road kilometres from `here[i]` to `there[j]`, pairwise; NaN where one of them is nowhere.

    The arc is the chord with two terms of its series: exact to a metre within Europe.
    """
    return _road_km(here.xyz[i], there.xyz[j])


def _road_km(a: Kilometres, b: Kilometres) -> Kilometres:
    """Road kilometres between unit vectors along the last axis."""
    dx, dy, dz = a[..., 0] - b[..., 0], a[..., 1] - b[..., 1], a[..., 2] - b[..., 2]
    squared: Kilometres = dx * dx + dy * dy + dz * dz
    arc = np.sqrt(squared) * (1.0 + squared * (1.0 / 24.0 + squared * (3.0 / 640.0)))
    return arc * (EARTH_RADIUS_KM * ROAD_FACTOR)


def pair_minutes(here: Points, i: Indexes, there: Points, j: Indexes) -> Minutes:
    """Whole minutes one way, shape (modes, pairs); -1 where one of the places is nowhere."""
    return _minutes(road_km(here, i, there, j), _crossing(here.island[i], there.island[j]))


def _crossing(one: NDArray[np.int8], other: NDArray[np.int8]) -> Kilometres:
    """Minutes on ferries and waiting for them."""
    ferry = np.asarray(FERRY_MINUTES, np.float64)
    return np.where(one == other, 0.0, ferry[one] + ferry[other])


def _minutes(km: Kilometres, crossing: Kilometres) -> Minutes:
    car = car_minutes(km)
    by_mode = np.stack([car, car * PUBLIC_TRANSPORT_FACTOR, km * BIKE_MINUTES_PER_KM, km * WALK_MINUTES_PER_KM])
    whole = np.floor(by_mode + crossing + 0.5)
    return np.where(np.isnan(whole), -1.0, whole).astype(np.int32)


def car_minutes(km: Kilometres) -> Kilometres:
    """Car minutes for road kilometres.

    Read bracket by bracket the figures would let 16 km take less time than 14 km; so no distance takes
    less than the longest one of the bracket before it.
    """
    near, middle = CAR_BRACKETS_KM
    slow, medium, fast = CAR_KM_PER_MINUTE
    until_middle = np.maximum(km / medium, near / slow)
    beyond = np.maximum(km / fast, middle / medium)
    driving: Kilometres = np.where(km < near, km / slow, np.where(km < middle, until_middle, beyond))
    return driving + CAR_START_MINUTES


def travel_matrix(here: Points, there: Points) -> Minutes:
    """Whole minutes one way from every place to every other, shape (modes, here, there); -1 for nowhere."""
    crossing = _crossing(here.island[:, None], there.island[None, :])
    return _minutes(_road_km(here.xyz[:, None], there.xyz[None, :]), crossing)


def minutes_table(here: Points, there: Points) -> NDArray[np.int16] | None:
    """The matrix with the modes of a pair side by side, shape (here, there, modes), in small whole numbers.

    None when it would be larger than `TABLE_CELLS_MAX`, or when a walk takes more than three weeks.
    """
    if len(here) * len(there) * len(MODES) > TABLE_CELLS_MAX:
        return None
    table = np.empty((len(here), len(there), len(MODES)), np.int16)
    step = max(1, CELLS_AT_ONCE // max(1, len(there)))
    for first in range(0, len(here), step):
        some = slice(first, first + step)
        minutes = travel_matrix(Points(here.xyz[some], here.island[some]), there)
        if minutes.max(initial=0) > np.iinfo(np.int16).max:
            return None
        table[some] = minutes.transpose(1, 2, 0)
    return table


def travel_minutes(here: Point, there: Point) -> dict[str, int]:
    """Whole minutes one way by mode between two places; the same figures as the matrix."""
    zero = np.zeros(1, np.int64)
    minutes = pair_minutes(points([here]), zero, points([there]), zero)[:, 0]
    return dict(zip(MODES, (int(m) for m in minutes), strict=True))
