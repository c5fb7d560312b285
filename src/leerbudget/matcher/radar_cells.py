"""Counts that may be told: a number of families under five could point at somebody, so it is left out.

Funders and planners see euros and counts of at least five (requirements R79, idea 14). Nought may be told:
it says something of nobody. What could be worked out by subtraction is left out as well.
"""

from collections.abc import Mapping

SMALLEST_CELL = 5
REST = "overig"


def told(count: int) -> int | None:
    """The count, or None when it is between one and four; a difference may be below nought."""
    return count if count == 0 or abs(count) >= SMALLEST_CELL else None


def told_part(part: int, whole: int) -> int | None:
    """A part of a whole that is told itself; None when the part or what is left of the whole is small."""
    return part if None not in (told(part), told(whole - part), told(whole)) else None


def told_spread(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by group without the small ones, which go together under `REST`.

    When those together are still small, the smallest group that is left goes with them, so that nobody finds
    them by subtracting from the total.
    """
    shown = {group: count for group, count in sorted(counts.items()) if abs(count) >= SMALLEST_CELL}
    hidden = [count for count in counts.values() if 0 < abs(count) < SMALLEST_CELL]
    while shown and hidden and abs(sum(hidden)) < SMALLEST_CELL:
        group = min(shown, key=lambda one: (abs(shown[one]), one))
        hidden.append(shown.pop(group))
    rest = sum(hidden)
    return shown | ({REST: rest} if abs(rest) >= SMALLEST_CELL else {})
