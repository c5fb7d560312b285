"""States of bookings and waiting, and what a cancellation costs: plain values in, plain values out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from leerbudget.foundation.clock import AMSTERDAM, end_of_day

BOOKING_STATES: Final = ("offered", "confirmed", "attended", "no_show", "declined", "expired", "cancelled")
LIVE_STATES: Final = ("offered", "confirmed", "attended", "no_show")
"""States that keep their seat: what is over still took place."""

ORIGINS: Final = ("direct", "round", "coordinator", "waiting")
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


def due_cents(price_cents: int, held: int, planned: int) -> int:
    """What so many of the planned meetings cost, rounded down to the cent in the family's favour."""
    return price_cents * held // planned


def replaced(fees: Sequence[tuple[UUID, int]], seats_free: int) -> list[UUID]:
    """Whose seats were taken by others after they cancelled, when so many seats are free in the end.

    `fees`: booking and seats of who paid a fee, in the order of cancelling. The empty seats are theirs; of the others
    whoever cancelled first comes first. Seats of one booking count together.
    """
    taken_again = sum(seats for _, seats in fees) - seats_free
    found = []
    for booking, seats in fees:
        if seats <= taken_again:
            taken_again -= seats
            found.append(booking)
    return found


EMERGENCY_YEAR = timedelta(days=365)
"""The year in which cancellations for something with a child are counted."""


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


WAITING_STATES: Final = ("waiting", "offered", "served", "left")
WAITING_LIVE: Final = ("waiting", "offered")

DAY_OPENS, DAY_CLOSES = time(8), time(22)
ANSWER_DAY_HOURS = timedelta(hours=12)
"""Whoever is asked from the waiting list has so many hours to answer; from 22 to 8 o'clock they do not count."""
LATEST_BEFORE_START = timedelta(hours=24)
"""A seat that becomes free later than this before the start goes to whoever books it first."""


REMIND_DAY_HOURS: Final[Mapping[str, timedelta]] = {"waiting": timedelta(hours=4), "round": timedelta(hours=12)}
"""Origin of an offer → how many hours of day before its end a family is reminded: an evening, or the last morning."""


def answer_until(at: datetime) -> datetime:
    """Until when a seat that is offered at `at` is kept; within 24 hours, in UTC."""
    return day_hours_after(at, ANSWER_DAY_HOURS)


def by_day(at: datetime) -> bool:
    """Whether people may be mailed at this moment: from 8 to 22 o'clock in Amsterdam."""
    return DAY_OPENS <= at.astimezone(AMSTERDAM).time() < DAY_CLOSES


def day_hours_after(at: datetime, hours: timedelta) -> datetime:
    """The moment by which so many hours between 8 and 22 o'clock have passed since `at`, in UTC."""
    moment, left = at.astimezone(AMSTERDAM), hours
    while True:
        day = moment.date()
        begins = max(moment, datetime.combine(day, DAY_OPENS, AMSTERDAM))
        closes = datetime.combine(day, DAY_CLOSES, AMSTERDAM)
        if begins + left <= closes:
            return (begins + left).astimezone(UTC)
        left -= max(closes - begins, timedelta())
        moment = datetime.combine(day + timedelta(days=1), time(), AMSTERDAM)
