"""States of a booking, what a cancellation costs, and for whom a course is: plain values in, plain values out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from leerbudget.foundation.clock import AMSTERDAM, end_of_day

BOOKING_STATES: Final = ("offered", "confirmed", "attended", "no_show", "declined", "expired", "cancelled")
LIVE_STATES: Final = ("offered", "confirmed", "attended", "no_show")
"""States that keep their seat: what is over still took place."""

ORIGINS: Final = ("direct", "round", "coordinator")
ATTENDANCE_STATES: Final = ("planned", "present", "absent")

STEPS: Final[Mapping[str, frozenset[str]]] = {
    "offered": frozenset({"confirmed", "declined", "expired", "cancelled"}),
    "confirmed": frozenset({"attended", "no_show", "cancelled"}),
    "attended": frozenset(),
    "no_show": frozenset(),
    "declined": frozenset(),
    "expired": frozenset(),
    "cancelled": frozenset(),
}


def may_step(state: str, to: str) -> bool:
    """Whether a booking in `state` may go to state `to`."""
    return to in STEPS[state]


def refund_percent(ladder: Sequence[Mapping[str, int]], starts_at: datetime, at: datetime) -> int:
    """The share of the price that comes back on cancelling at `at`, in percent (the course's own rule).

    A line `{"days_before": n, "refund_percent": p}` fits on the n-th day before the day of the first meeting
    and earlier, until midnight in Amsterdam: people are told a day, so the whole day counts. The fitting line
    with the most days counts; without one nothing comes back.
    """
    remaining = (_day(starts_at) - _day(at)).days
    fitting = [line for line in ladder if remaining >= line["days_before"]]
    if not fitting:
        return 0
    return max(fitting, key=lambda line: line["days_before"])["refund_percent"]


def fee_cents(price_cents: int, percent_refunded: int) -> int:
    """What the family still pays, rounded down to the cent in the family's favour."""
    return price_cents * (100 - percent_refunded) // 100


def free_until(ladder: Sequence[Mapping[str, int]], starts_at: datetime) -> datetime | None:
    """The last second in which cancelling is free; None when it never is."""
    free = [line["days_before"] for line in ladder if line["refund_percent"] == 100]
    if not free:
        return None
    return min(end_of_day(_day(starts_at) - timedelta(days=min(free))), starts_at) - timedelta(seconds=1)


def _day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()


def attendance_outcome(states: Iterable[str]) -> str:
    """`attended` when somebody was at one meeting or more, otherwise `no_show`."""
    return "attended" if "present" in set(states) else "no_show"
