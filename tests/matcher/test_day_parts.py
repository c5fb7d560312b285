"""Every meeting falls in day-parts, also across midnight and the change of the clock."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.matcher.day_parts import day_parts_of, local_date, local_days, mask_of, name_nl, names_nl


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2027-03-01T09:00+01:00", "2027-03-01T12:30+01:00", ["maandagochtend"]),
        ("2027-03-01T12:30+01:00", "2027-03-01T17:30+01:00", ["maandagmiddag"]),
        ("2027-03-01T17:30+01:00", "2027-03-01T22:00+01:00", ["maandagavond"]),
        ("2027-03-01T10:00+01:00", "2027-03-01T16:00+01:00", ["maandagochtend", "maandagmiddag"]),
        ("2027-03-01T18:00+00:00", "2027-03-01T20:00+00:00", ["maandagavond"]),
        ("2027-03-07T23:00+01:00", "2027-03-08T00:00+01:00", ["zondagavond"]),
        ("2027-03-07T23:00+01:00", "2027-03-08T00:30+01:00", ["maandagochtend", "zondagavond"]),
        ("2027-03-28T10:00+00:00", "2027-03-28T10:45+00:00", ["zondagochtend", "zondagmiddag"]),
        ("2027-03-28T10:30+00:00", "2027-03-28T11:00+00:00", ["zondagmiddag"]),
        ("2027-10-31T02:30+02:00", "2027-10-31T02:15+01:00", ["zondagochtend"]),
    ],
)
def test_a_meeting_needs_every_day_part_it_touches(start, end, expected):
    """Local clock times decide, whatever zone the file was written in."""
    assert names_nl(day_parts_of(datetime.fromisoformat(start), datetime.fromisoformat(end))) == expected


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    st.integers(1, 1440),
)
def test_every_meeting_touches_a_day_part(start, minutes):
    """No clock time falls between the day-parts."""
    assert day_parts_of(start, start + timedelta(minutes=minutes)) != 0


def test_the_mask_starts_on_monday_morning():
    """The third character is Monday evening."""
    assert names_nl(mask_of("001000000000000000001")) == ["maandagavond", "zondagavond"]
    assert name_nl(0) == "maandagochtend"


@given(
    st.lists(st.integers(946_684_800, 7_258_118_400), max_size=20),
    st.integers(2000, 2199),
    st.sampled_from(((3, 31), (10, 31), (1, 1))),
    st.integers(-90_000, 90_000),
)
def test_dates_in_bulk_are_dates_one_by_one(seconds, year, month_day, nearby):
    """In every year that files may speak of, also around the change of the clock."""
    seconds.append(int(datetime(year, *month_day, tzinfo=UTC).timestamp()) + nearby)
    one_by_one = [local_date(datetime.fromtimestamp(moment, UTC)).toordinal() for moment in seconds]
    assert local_days(np.array(seconds, np.int64)).tolist() == one_by_one
