"""What a cancellation costs and for whom a course is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.bookings import rules
from leerbudget.foundation.clock import AMSTERDAM

START = datetime(2027, 3, 1, 18, tzinfo=UTC)
LADDER = [{"days_before": 14, "refund_percent": 100}, {"days_before": 7, "refund_percent": 50}]


@pytest.mark.parametrize(
    ("at", "percent"),
    [
        ("2027-01-30T12:00", 100),
        ("2027-02-15T23:59:59", 100),  # the fourteenth day before, to its last second
        ("2027-02-16T00:00", 50),
        ("2027-02-22T23:59", 50),
        ("2027-02-23T00:00", 0),
        ("2027-03-01T18:00", 0),
    ],
)
def test_the_ladder_counts_days_in_amsterdam_to_the_first_meeting(at, percent):
    """Until and including the fourteenth day before everything comes back, until the seventh half, later nothing."""
    moment = datetime.fromisoformat(at).replace(tzinfo=AMSTERDAM)
    assert rules.refund_percent(LADDER, START, moment) == percent


def test_the_day_that_people_are_told_is_free_to_its_end():
    """A page says 'free until and including 15 February': that holds late on that evening, summer time or not."""
    for start in (START, datetime(2027, 4, 2, 7, tzinfo=UTC)):
        told = rules.free_until(LADDER, start).astimezone(AMSTERDAM)
        evening = told.replace(hour=23, minute=30)
        assert rules.refund_percent(LADDER, start, evening) == 100
        assert rules.refund_percent(LADDER, start, evening + timedelta(hours=1)) == 50


def test_a_course_that_is_free_to_the_last_is_free_until_it_begins():
    """Zero days before: free until the second before the first meeting, and never after."""
    assert rules.free_until([{"days_before": 0, "refund_percent": 100}], START) == START - timedelta(seconds=1)


def test_without_a_ladder_nothing_comes_back():
    """A course that promises nothing gives nothing back."""
    assert rules.refund_percent([], START, START - timedelta(days=100)) == 0


@given(price=st.integers(0, 10**9), percent=st.integers(0, 100))
def test_fee_and_refund_are_the_price(price, percent):
    """The fee is never negative, never above the price, and rounds in the family's favour."""
    fee = rules.fee_cents(price, percent)
    assert 0 <= fee <= price
    assert fee * 100 <= price * (100 - percent) < (fee + 1) * 100


def test_free_until_is_the_last_free_instant():
    """Cancelling is free up to that instant and costs something right after it."""
    last = rules.free_until(LADDER, START)
    assert rules.refund_percent(LADDER, START, last) == 100
    assert rules.refund_percent(LADDER, START, last + timedelta(seconds=1)) == 50


def test_every_state_has_its_steps():
    """No booking state is left out of the state machine, and ended states lead nowhere."""
    assert set(rules.STEPS) == set(rules.BOOKING_STATES)
    assert all(not rules.STEPS[state] for state in set(rules.BOOKING_STATES) - {"offered", "confirmed"})
