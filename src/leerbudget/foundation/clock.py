"""The one clock. Nothing else in the code reads the time of day.

The real clock answers unless a test clock file is configured (`LEERBUDGET_TEST_CLOCK`, test only)
or the caller lives inside `travelling()` (the demonstration and the simulator, never production).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

_instant: ContextVar[datetime | None] = ContextVar("leerbudget_instant", default=None)
_test_clock_file: list[Path] = []


def now() -> datetime:
    """The present instant, zone-aware in UTC."""
    travelled = _instant.get()
    if travelled is not None:
        return travelled
    if _test_clock_file:
        return aware(datetime.fromisoformat(_test_clock_file[0].read_text().strip()))
    return datetime.now(UTC)


def today() -> date:
    """The present date in Amsterdam, where budgets and deadlines live."""
    return now().astimezone(AMSTERDAM).date()


def aware(moment: datetime) -> datetime:
    """The moment in UTC.

    Raises:
        ValueError: the moment has no zone.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a moment needs a zone, such as 2027-03-01T19:00+01:00")
    return moment.astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The midnight in Amsterdam that ends the day, in UTC (R10: a period ends with its last day)."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), AMSTERDAM).astimezone(UTC)


def use_test_clock(file: Path | None) -> None:
    """Read the time from a file that holds an instant; None returns to the real clock."""
    _test_clock_file[:] = [] if file is None else [file]


@contextmanager
def travelling(moment: datetime) -> Iterator[None]:
    """Within the block it is `moment`. For the demonstration, the simulator and tests.

    Raises:
        ValueError: the moment has no zone.
    """
    token = _instant.set(aware(moment))
    try:
        yield
    finally:
        _instant.reset(token)
