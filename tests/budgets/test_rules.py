"""What comes back, for any budgets; which grants are refused. Who pays is tested in test_holding.py."""

from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.budgets.errors import KeepsTooMuch
from leerbudget.budgets.rules import GrantOrder, PaymentShare, grant_faults, kept
from leerbudget.foundation.money import CENTS_MAX

held = st.lists(st.builds(PaymentShare, st.uuids(), st.integers(1, 50_000)), max_size=5, unique_by=lambda s: s.budget)


@given(held, st.integers(0, 300_000))
def test_what_is_kept_mirrors_what_was_held(shares, keep_cents):
    """Kept parts add up to the cent, differ less than a cent from their proportion and never exceed what was held."""
    total = sum(share.amount_cents for share in shares)
    if keep_cents > total:
        with pytest.raises(KeepsTooMuch):
            kept(shares, keep_cents)
        return
    parts = {part.budget: part.amount_cents for part in kept(shares, keep_cents)}
    assert sum(parts.values()) == keep_cents
    for share in shares:
        assert 0 <= parts[share.budget] <= share.amount_cents
        assert abs(parts[share.budget] * total - keep_cents * share.amount_cents) < max(total, 1)


@given(held, st.data())
def test_keeping_all_or_nothing_has_no_rounding(shares, data):
    """All is all of each budget, nothing is nothing of each."""
    total = sum(share.amount_cents for share in shares)
    assert set(kept(shares, total)) == set(shares)
    assert all(part.amount_cents == 0 for part in kept(shares, 0))


def a_grant(**changes):
    fields = {
        "id": UUID(int=1),
        "external_ref": "LB-1",
        "family": UUID(int=2),
        "organisation": UUID(int=3),
        "amount_cents": 25_000,
        "starts_on": date(2027, 1, 1),
        "expires_on": date(2027, 12, 31),
    }
    return GrantOrder(**(fields | changes))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("amount_cents", True),
        ("amount_cents", 250.0),
        ("amount_cents", -1),
        ("amount_cents", 0),
        ("amount_cents", CENTS_MAX + 1),
        ("amount_cents", "25000"),
        ("external_ref", ""),
        ("external_ref", " "),
        ("external_ref", "a\x00b"),
        ("external_ref", "a\u202eb"),
        ("external_ref", "x" * 81),
        ("external_ref", None),
        ("starts_on", datetime(2027, 1, 1)),  # noqa: DTZ001 - a moment where a day belongs
        ("starts_on", date(1999, 12, 31)),
        ("expires_on", date(2026, 12, 31)),
        ("expires_on", "2027-12-31"),
        ("themes", ()),
        ("themes", "trauma"),
        ("themes", ("trauma", "ballet")),
        ("forms", ("webinar\x00",)),
        ("municipalities", ()),
        ("municipalities", "Renkum"),
        ("municipalities", ("Renkum", "Atlantis")),
        ("municipalities", ("renkum",)),
        ("courses", ()),
        ("courses", ("C1",)),
    ],
)
def test_a_malformed_grant_says_where(path, value):
    """Every malformed field of a grant is named, and a good grant names none."""
    assert [where for where, fault in grant_faults(a_grant()) if fault] == []
    assert [where for where, fault in grant_faults(a_grant(**{path: value})) if fault] == [path]
