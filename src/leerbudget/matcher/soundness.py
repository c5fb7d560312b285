"""What makes a place, an interval and a list of ids sound, in a round and in a staffing alike.

Every refusal names its place in the file. Nothing is repaired or guessed. Empty lists are sound.
"""

from collections.abc import Hashable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Protocol

from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Interval

MEETING_HOURS_MAX = 24


class Located(Protocol):
    """Who or what has a place: a postcode of four digits, or degrees, or neither (online)."""

    @property
    def pc4(self) -> str | None: ...  # noqa: D102 - see the class

    @property
    def lat(self) -> float | None: ...  # noqa: D102 - see the class

    @property
    def lon(self) -> float | None: ...  # noqa: D102 - see the class


def check_once(path: str, values: Sequence[Hashable]) -> None:
    """No value is there twice.

    Args:
        path: the place of one value, with `{}` where its number comes.
        values: in the order of the file.

    Raises:
        InstanceRefused: with the place of the first repetition.
    """
    if len(values) == len(set(values)):
        return
    seen: set[Hashable] = set()
    for i, value in enumerate(values):
        if value in seen:
            raise InstanceRefused(path.format(i), f"{value!r} is there twice")
        seen.add(value)


def check_place(someone: Located, path: str) -> None:
    """A place is a known Dutch postcode or degrees on the globe, never both.

    Raises:
        InstanceRefused: with the field that is wrong.
    """
    if (someone.lat is None) != (someone.lon is None):
        raise InstanceRefused(f"{path}.lat", "give both lat and lon, or neither")
    if someone.lat is not None and someone.lon is not None:
        if someone.pc4 is not None:
            raise InstanceRefused(f"{path}.pc4", "give pc4 or lat and lon, not both")
        if not (abs(someone.lat) <= 90 and abs(someone.lon) <= 180):
            raise InstanceRefused(f"{path}.lat", "these degrees are not on the globe")
    if someone.pc4 is not None and someone.pc4 not in all_places():
        raise InstanceRefused(f"{path}.pc4", f"{someone.pc4[:20]!r} is not a known Dutch postcode of four digits")


def check_interval(interval: Interval, path: str) -> None:
    """Two moments with a zone, in whole seconds, the first before the second.

    Raises:
        InstanceRefused: with the moment that is wrong.
    """
    for side, moment in enumerate(interval):
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise InstanceRefused(f"{path}[{side}]", "a moment needs its zone, such as +01:00")
        if moment.microsecond:
            raise InstanceRefused(f"{path}[{side}]", "a moment is given in whole seconds")
    if not interval[0] < interval[1]:
        raise InstanceRefused(path, "it ends before it starts")


def check_meetings(meetings: Sequence[Interval], path: str) -> None:
    """The meetings of one session are sound intervals of at most a day that do not overlap.

    Raises:
        InstanceRefused: with the meeting that is wrong.
    """
    for i, (start, end) in enumerate(meetings):
        check_interval((start, end), f"{path}[{i}]")
        if end - start > timedelta(hours=MEETING_HOURS_MAX):
            raise InstanceRefused(f"{path}[{i}]", f"a meeting lasts at most {MEETING_HOURS_MAX} hours")
    in_order = sorted(range(len(meetings)), key=lambda i: meetings[i][0])
    for i, j in pairwise(in_order):
        if meetings[j][0] < meetings[i][1]:
            raise InstanceRefused(f"{path}[{j}]", f"it overlaps meeting {i} of the same session")
