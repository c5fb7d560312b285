"""Days and hours on which people meet in the Netherlands, and the day-parts of a week."""

from datetime import date, datetime, time, timedelta
from functools import cache

from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.world import Interval
from leerbudget.foundation.clock import AMSTERDAM

WEEKS = 18
"""Weeks after the first day in which the sessions of one world are held."""
HORIZON = timedelta(weeks=WEEKS)
FIRST_MEETING_AFTER_DAYS = 14
"""Families need time to answer a proposal before the first meeting."""

MORNING, AFTERNOON, EVENING = 0, 1, 2
SATURDAY = 5
HOURS = ((9, 12), (13, 17), (19, 22))
"""First and last hour of the day-parts (requirements 4.5)."""

_WEEKDAYS = Chances({0: 3.0, 1: 4.0, 2: 2.5, 3: 4.0, 4: 1.0})
_EVENINGS = Chances({0: 3.0, 1: 4.0, 2: 3.0, 3: 4.0, 4: 0.3})
_STARTS: dict[tuple[bool, int], tuple[time, ...]] = {
    (False, MORNING): (time(9, 0), time(9, 15), time(9, 30)),
    (False, AFTERNOON): (time(13, 0), time(13, 30), time(14, 30)),
    (False, EVENING): (time(19, 0), time(19, 30)),
    (True, MORNING): (time(9, 30),),
    (True, AFTERNOON): (time(13, 0), time(13, 30)),
}
"""Starting times by (Saturday, day-part) at which two and a half hours still fit."""


def slot(kind: str, dice: Dice) -> tuple[int, int]:
    """A weekday (Monday 0) and day-part for a kind of slot: evening, school_hours, saturday or afternoon."""
    if kind == "evening":
        return dice.draw(_EVENINGS), EVENING
    if kind == "saturday":
        return SATURDAY, MORNING if dice.chance(0.7) else AFTERNOON
    if kind == "school_hours":
        return dice.draw(_WEEKDAYS), MORNING if dice.chance(0.8) else AFTERNOON
    return dice.draw(_WEEKDAYS), AFTERNOON


def hours(weekday: int, daypart: int, dice: Dice) -> tuple[time, timedelta]:
    """A starting time and 2 or 2.5 hours, inside the day-part."""
    start = dice.pick(_STARTS[weekday == SATURDAY, daypart])
    return start, timedelta(minutes=120 if dice.chance(0.55) else 150)


def interval(day: date, start: time, length: timedelta) -> Interval:
    """A meeting by the clock on the wall in Amsterdam, so 19:00 stays 19:00 when summer time begins."""
    begin = datetime.combine(day, start, AMSTERDAM)
    return begin, begin + length


def bit(weekday: int, daypart: int) -> int:
    """The place of a day-part in the 21 bits of a week."""
    return weekday * 3 + daypart


SLOT_BITS: dict[str, tuple[int, ...]] = {
    "evening": tuple(bit(weekday, EVENING) for weekday in range(4)),
    "school_hours": tuple(bit(weekday, MORNING) for weekday in range(5)),
    "saturday": (bit(SATURDAY, MORNING), bit(SATURDAY, AFTERNOON)),
}
"""The day-parts that make up each kind of slot families like."""


def daypart_of(moment: datetime) -> int:
    """The day-part in which a moment between 9:00 and 22:00 lies, by the clock in Amsterdam."""
    hour = moment.astimezone(AMSTERDAM).hour
    return MORNING if hour < 13 else AFTERNOON if hour < 18 else EVENING


@cache
def holidays(year: int) -> frozenset[date]:
    """Dutch public holidays, on which nobody plans a course."""
    easter = easter_sunday(year)
    kings_day = date(year, 4, 27)
    return frozenset(
        {
            date(year, 1, 1),
            easter + timedelta(days=1),
            kings_day if kings_day.weekday() != 6 else date(year, 4, 26),
            easter + timedelta(days=39),
            easter + timedelta(days=50),
            date(year, 12, 5),
            date(year, 12, 24),
            date(year, 12, 25),
            date(year, 12, 26),
            date(year, 12, 31),
        }
    )


def easter_sunday(year: int) -> date:
    """Easter in the Gregorian calendar (the anonymous algorithm in Meeus, Astronomical Algorithms, chapter 8)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon + 15) % 30
    leaps, rest = divmod(of_century, 4)
    to_sunday = (32 + 2 * century_rest + 2 * leaps - epact - rest) % 7
    correction = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def weekly(first: date, count: int, every_weeks: int) -> tuple[date, ...]:
    """The days of a series; a holiday is skipped and made up at the end."""
    days: list[date] = []
    day = first
    while len(days) < count:
        if day not in holidays(day.year):
            days.append(day)
        day += timedelta(weeks=every_weeks)
    return tuple(days)
