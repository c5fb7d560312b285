"""Groups of families, for figures that show no single family (R35, R77: from 5 families on).

A group is a value of a dimension: the province of the home, the type of family, and so on. A family without
a value is in the group `unknown`; with several forms of care or ages of children it is in several groups.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from leerbudget.geography.postcodes import all_places, place_of
from leerbudget.matcher.instance import Instance, Seeker
from leerbudget.matcher.vocabulary import (
    FACET_VALUE_NL,
    CareForm,
    ChildAgeBand,
    ExperienceBand,
    FamilyType,
    Party,
    experience_band,
)

SHOWN_FROM = 5
"""Fewer families than this are not shown."""
UNKNOWN = "unknown"
UNKNOWN_NL = "niet opgegeven"
WAITED_MOST = 3
PERSONS_MOST = 3
LON_PER_LAT = 0.616
"""A degree of longitude against one of latitude at 52 degrees north."""

Members = dict[str, list[int]]
"""Rows of families by value."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group. `once`: a family is in exactly one group. `values`: all but `unknown`, in order."""

    name: str
    label_nl: str
    values: Sequence[str]
    values_nl: Mapping[str, str]
    of: Callable[[Seeker], Sequence[str]]
    once: bool = True

    def label(self, value: str) -> str:
        """The Dutch word for a value."""
        return UNKNOWN_NL if value == UNKNOWN else self.values_nl[value]


def is_family(seeker: Seeker) -> bool:
    """Whether somebody comes as a foster parent; others are professionals and parents in a dialogue."""
    return any(person.party is Party.FOSTER_PARENTS for person in seeker.persons)


@cache
def _provinces() -> list[str]:
    return sorted({place.province for place in all_places().values()})


@cache
def _centres() -> tuple[NDArray[np.float64], list[str]]:
    places = list(all_places().values())
    return np.array([(place.lat, place.lon * LON_PER_LAT) for place in places]), [place.province for place in places]


def province(seeker: Seeker) -> str:
    """The province of the home's postcode, or of the nearest postcode when only degrees are known."""
    if seeker.pc4 is not None:
        return place_of(seeker.pc4).province
    if seeker.lat is None or seeker.lon is None:
        return UNKNOWN
    centres, names = _centres()
    away = centres - np.array([seeker.lat, seeker.lon * LON_PER_LAT])
    return names[int((away * away).sum(axis=1).argmin())]


def _experience(seeker: Seeker) -> Sequence[str]:
    return [UNKNOWN if seeker.experience_years is None else experience_band(seeker.experience_years)]


def _care_forms(seeker: Seeker) -> Sequence[str]:
    return seeker.care_forms or [UNKNOWN]


def _child_ages(seeker: Seeker) -> Sequence[str]:
    return seeker.child_age_bands or [UNKNOWN]


def _waited(seeker: Seeker) -> Sequence[str]:
    return [str(min(seeker.waiting_rounds, WAITED_MOST))]


def _persons(seeker: Seeker) -> Sequence[str]:
    return [str(min(len(seeker.persons), PERSONS_MOST))]


def _facet(values: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    names = [str(value) for value in values]
    return names, {name: FACET_VALUE_NL[name] for name in names}


def _numbers(first: int, last: int, one: str, many: str) -> tuple[list[str], dict[str, str]]:
    values = [str(number) for number in range(first, last + 1)]
    names = {value: f"{value} {one if value == '1' else many}" for value in values}
    return values, names | {str(last): f"{last} of meer {many}"}


@cache
def dimensions() -> tuple[Dimension, ...]:
    """Every way to group, in the order in which they are shown."""
    provinces = _provinces()
    return (
        Dimension("region", "Provincie", provinces, {name: name for name in provinces}, lambda s: [province(s)]),
        Dimension("family_type", "Soort pleeggezin", *_facet(FamilyType), lambda s: [s.family_type or UNKNOWN]),
        Dimension("care_form", "Vorm van pleegzorg", *_facet(CareForm), _care_forms, once=False),
        Dimension("experience", "Ervaring", *_facet(ExperienceBand), _experience),
        Dimension("child_age", "Leeftijd van de kinderen", *_facet(ChildAgeBand), _child_ages, once=False),
        Dimension("waiting", "Eerder gewacht", *_numbers(0, WAITED_MOST, "ronde", "rondes"), _waited),
        Dimension("persons", "Pleegouders", *_numbers(1, PERSONS_MOST, "persoon", "personen"), _persons),
    )


def members(instance: Instance, dimension: Dimension) -> Members:
    """The families of every group that has any, in the order of the dimension, `unknown` last."""
    found: Members = {value: [] for value in (*dimension.values, UNKNOWN)}
    for row, seeker in enumerate(instance.seekers):
        if is_family(seeker):
            for value in dict.fromkeys(dimension.of(seeker)):
                found[value].append(row)
    return {value: rows for value, rows in found.items() if rows}


def hidden(sizes: Mapping[str, int], *, once: bool) -> frozenset[str]:
    """The groups that are not shown: the small ones, and as many more as keep them from being worked out.

    When the groups together are all families, one hidden group is the total less the others; so there are
    two or none, of five families or more together.
    """
    small = {value for value, size in sizes.items() if size < SHOWN_FROM}
    larger = sorted((value for value in sizes if value not in small), key=lambda value: sizes[value])
    while once and small and larger and (len(small) < 2 or sum(sizes[value] for value in small) < SHOWN_FROM):
        small.add(larger.pop(0))
    return frozenset(small)
