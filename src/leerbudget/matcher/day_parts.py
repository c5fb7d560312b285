"""The 21 day-parts of a week, and which of them a meeting touches (requirements 4.5).

A day in Europe/Amsterdam is cut in three without gaps: morning until 12:30, afternoon until 17:30, evening
until midnight. So the usual day-parts (09-12, 13-17 and 19-22) fall inside, and every meeting touches at
least one. Who comes must be free in **every** day-part the meeting touches: a meeting of 10:00-16:00 needs
the morning and the afternoon. Bit 0 is Monday morning, bit 20 Sunday evening.
"""

from calendar import timegm
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
AFTERNOON_FROM = time(12, 30)
EVENING_FROM = time(17, 30)
DAYS_NL = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
PARTS_NL = ("ochtend", "middag", "avond")
HOUR, DAY = 3600, 86_400
FIRST_DAY = date(1970, 1, 1).toordinal()

Whole = NDArray[np.int64]


def day_parts_of(start: datetime, end: datetime) -> int:
    """The day-parts a meeting touches, as a bit mask. The end itself is not part of the meeting."""
    first, last = start.astimezone(AMSTERDAM), end.astimezone(AMSTERDAM)
    mask, day = _part_of(first) << 3 * first.weekday(), first.date()
    while day <= last.date():
        begins = first.time() if day == first.date() else time.min
        ends = last.time() if day == last.date() else time.max
        mask |= _touched(begins, ends) << 3 * day.weekday()
        day += timedelta(days=1)
    return mask


def _part_of(moment: datetime) -> int:
    """The one part that holds the start: in the hour that is lived twice in autumn, clock times can run backwards."""
    clock = moment.time()
    return 1 if clock < AFTERNOON_FROM else 2 if clock < EVENING_FROM else 4


def _touched(begins: time, ends: time) -> int:
    morning = begins < min(ends, AFTERNOON_FROM)
    afternoon = max(begins, AFTERNOON_FROM) < min(ends, EVENING_FROM)
    evening = max(begins, EVENING_FROM) < ends
    return morning | afternoon << 1 | evening << 2


def local_date(moment: datetime) -> date:
    """The date in Amsterdam, where budgets and days live."""
    return moment.astimezone(AMSTERDAM).date()


def local_days(seconds: Whole) -> Whole:
    """The ordinals of the dates in Amsterdam of many moments in seconds since 1970.

    The clock only ever shifts on the hour there, so every hour is asked once.
    """
    hours, place = np.unique(seconds // HOUR, return_inverse=True)
    local = [timegm(datetime.fromtimestamp(hour * HOUR, AMSTERDAM).timetuple()) for hour in hours.tolist()]
    days: Whole = (np.array(local, np.int64)[place] + seconds % HOUR) // DAY + FIRST_DAY
    return days


def mask_of(availability: str) -> int:
    """The bit mask of 21 characters, Monday morning first."""
    return int(availability[::-1], 2)


def name_nl(day_part: int) -> str:
    """The Dutch name of a day-part: 0 is `maandagochtend`."""
    return DAYS_NL[day_part // 3] + PARTS_NL[day_part % 3]


def names_nl(mask: int) -> list[str]:
    """The Dutch names of all day-parts in a mask, Monday first."""
    return [name_nl(place) for place in range(21) if mask >> place & 1]
