"""What a cancellation costs and for whom a course is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.bookings import rules

START = datetime(2027, 3, 1, 18, tzinfo=UTC)
LADDER = [{"days_before": 14, "refund_percent": 100}, {"days_before": 7, "refund_percent": 50}]


@pytest.mark.parametrize(("days", "percent"), [(30, 100), (14, 100), (13.99, 50), (7, 50), (6.99, 0), (0, 0)])
def test_the_ladder_counts_whole_days_to_the_first_meeting(days, percent):
    """Fourteen days before everything comes back, seven days before half, later nothing."""
    assert rules.refund_percent(LADDER, START, START - timedelta(days=days)) == percent


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


@pytest.mark.parametrize(
    ("bands", "open_to"), [(["a0_3"], False), (["a12_15"], True), (["a0_3", "a12_15"], False), ([], True)]
)
def test_not_for_refuses_every_family_with_such_a_value(bands, open_to):
    """What a course is not for is never assigned, whatever else the family has (R17)."""
    audience = {"child_age_bands": {"a0_3": "not_for", "a12_15": "for"}}
    assert rules.suits(audience, {"child_age_bands": bands}) is open_to


def test_every_state_has_its_steps():
    """No booking state is left out of the state machine, and ended states lead nowhere."""
    assert set(rules.STEPS) == set(rules.BOOKING_STATES)
    assert all(not rules.STEPS[state] for state in set(rules.BOOKING_STATES) - {"offered", "confirmed"})
