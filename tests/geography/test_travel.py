"""Travel minutes: monotone, symmetric, the same one by one and in bulk."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.geography.postcodes import all_places, place_of
from leerbudget.geography.travel import (
    MODES,
    Point,
    car_minutes,
    island_of,
    minutes_table,
    pair_minutes,
    points,
    road_km,
    travel_matrix,
    travel_minutes,
)

ISLANDS = {"Texel": 1, "Vlieland": 2, "Terschelling": 3, "Ameland": 4, "Schiermonnikoog": 5}
degrees = st.builds(Point, st.floats(50.7, 53.6), st.floats(3.3, 7.3))


def at(postcode4):
    place = place_of(postcode4)
    return Point(place.lat, place.lon)


def haversine_road_km(a, b):
    """The textbook formula, as an independent witness."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 1.27 * 2 * 6371.0088 * math.asin(math.sqrt(h))


def test_only_the_islands_are_islands():
    """The boxes hold every postcode of the five islands and no other."""
    for place in all_places().values():
        assert island_of(Point(place.lat, place.lon)) == ISLANDS.get(place.municipality, 0), place


@given(degrees, degrees)
def test_kilometres_agree_with_the_haversine_formula(a, b):
    """The quick distance is the great-circle distance to a few metres."""
    zero = np.zeros(1, np.int64)
    assert abs(road_km(points([a]), zero, points([b]), zero)[0] - haversine_road_km(a, b)) < 0.01


@given(degrees, degrees)
def test_the_way_back_is_as_long(a, b):
    """There and back take the same minutes in every mode."""
    assert travel_minutes(a, b) == travel_minutes(b, a)


def test_farther_never_takes_less():
    """Car minutes do not fall with distance, not even at the edges of the brackets."""
    minutes = car_minutes(np.arange(0, 400, 0.1))
    assert (np.diff(minutes) >= -1e-12).all()


def test_one_pair_and_a_matrix_give_the_same_minute():
    """What the candidates use in bulk is what the audit uses one by one."""
    places = [Point(p.lat, p.lon) for p in list(all_places().values())[::150]]
    matrix = travel_matrix(points(places), points(places))
    for i in range(0, len(places), 5):
        for j in range(len(places)):
            assert travel_minutes(places[i], places[j]) == dict(zip(MODES, matrix[:, i, j].tolist(), strict=True))


def test_the_table_is_the_matrix():
    """The small numbers side by side are the same; too far or too many for a table is told, not cut off."""
    places = points([None, *(Point(p.lat, p.lon) for p in list(all_places().values())[::40])])
    table = minutes_table(places, places)
    assert (table.transpose(2, 0, 1) == travel_matrix(places, places)).all()
    assert minutes_table(points([Point(52, 5)]), points([Point(-30, 150)])) is None
    crowd = places.take(np.zeros(3000, np.int64))
    assert minutes_table(crowd, crowd) is None


def test_known_ways():
    """Utrecht-Amsterdam by car takes about three quarters of an hour to an hour, and a walk an afternoon."""
    way = travel_minutes(at("3511"), at("1012"))
    assert 40 <= way["car"] <= 60
    assert way["public_transport"] == 2 * way["car"] or abs(way["public_transport"] - 2 * way["car"]) <= 1
    assert way["walk"] == 3 * way["bike"] or abs(way["walk"] - 3 * way["bike"]) <= 1
    assert travel_minutes(at("3511"), at("3511")) == {"car": 8, "public_transport": 16, "bike": 0, "walk": 0}


def test_the_sea_takes_time():
    """Den Helder is near Texel as the crow flies, not by ferry; on the island there is no ferry."""
    assert travel_minutes(at("1781"), at("1797"))["car"] > 70
    assert travel_minutes(at("1791"), at("1797"))["car"] < 40
    assert travel_minutes(at("1791"), at("9163"))["car"] > travel_minutes(at("1781"), at("9163"))["car"]


def test_nowhere_has_no_minutes():
    """An online session has no place, so no travel minutes are made up."""
    zero = np.zeros(1, np.int64)
    assert (pair_minutes(points([at("3511")]), zero, points([None]), zero) == -1).all()
