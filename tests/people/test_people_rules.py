"""Rules about people: experience, and how long a professional stays a family's own."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.people.rules import (
    SEPARATION_MONTHS,
    experience_band,
    experience_years,
    repeated,
    separated_since,
    separates,
)

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("years", "band"),
    [(0, "lt1"), (0.9, "lt1"), (1, "y1_3"), (2.9, "y1_3"), (3, "y3_10"), (10, "y3_10"), (10.1, "gt10")],
)
def test_each_experience_has_its_band(years, band):
    """Requirements 4.3: under 1, under 3, up to and including 10, over 10 years."""
    assert experience_band(years) == band


@given(first=days, on=days)
def test_experience_is_never_negative_and_never_shrinks(first, on):
    """Before the first placement there are 0 years; a day later there are not fewer."""
    assert experience_years(first, on) >= 0
    assert experience_years(first, on + timedelta(days=1)) >= experience_years(first, on)


@pytest.mark.parametrize(
    ("on", "since"),
    [
        (date(2027, 3, 15), date(2026, 3, 15)),
        (date(2028, 2, 29), date(2027, 2, 28)),
        (date(2027, 1, 1), date(2026, 1, 1)),
    ],
)
def test_separation_counts_whole_months_back(on, since):
    """Twelve months before a day is the same day a year before; 29 February becomes 28 February."""
    assert SEPARATION_MONTHS == 12
    assert separated_since(on) == since


@given(on=days, months=st.integers(0, 240))
def test_separation_reaches_back_so_many_months(on, months):
    """Every day and every number of months has an answer, in that month and no later in it."""
    since = separated_since(on, months)
    assert (on.year * 12 + on.month) - (since.year * 12 + since.month) == months
    assert since.day <= on.day


@given(on=days, past=st.integers(0, 2000))
def test_a_relation_separates_until_a_year_after_its_end(on, past):
    """A running relation separates; an ended one does until its last day is more than a year ago."""
    ends_on = on - timedelta(days=past)
    assert separates(None, on)
    assert separates(ends_on, on) == (ends_on >= separated_since(on))


@given(st.lists(st.sampled_from("abcde")))
def test_repeated_names_exactly_what_stands_there_twice(refs):
    """Whatever occurs more than once is named, once."""
    twice = repeated(refs)
    assert sorted(twice) == sorted({ref for ref in refs if refs.count(ref) > 1})
