"""Who pays and what comes back, for any budgets."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.budgets.errors import BudgetTooSmall, KeepsTooMuch
from leerbudget.budgets.rules import GrantOrder, Payer, PaymentShare, grant_faults, kept, may_pay, waterfall
from leerbudget.foundation.money import CENTS_MAX

DAY = date(2027, 6, 1)
days = st.integers(-400, 400).map(lambda n: DAY + timedelta(days=n))
earmarks = st.none() | st.frozensets(st.sampled_from(["trauma", "endings", "other"]), min_size=1)
payers = st.builds(
    Payer,
    budget=st.uuids(),
    account=st.uuids(),
    free_cents=st.integers(0, 50_000),
    starts_on=days,
    expires_on=days,
    themes=earmarks,
    forms=earmarks,
    state=st.sampled_from(["active", "active", "expired"]),
)
several = st.lists(payers, max_size=6, unique_by=lambda p: p.budget)
held = st.lists(st.builds(PaymentShare, st.uuids(), st.integers(1, 50_000)), max_size=5, unique_by=lambda s: s.budget)


def a_payer(number, cents, ends=0, **earmark):
    return Payer(UUID(int=number), UUID(int=number), cents, DAY, DAY + timedelta(days=ends), **earmark)


@given(several, st.integers(1, 300_000))
def test_the_waterfall_pays_exactly_or_refuses_with_the_difference(payers, total_cents):
    """Shares add up to the total, none above what is free, no budget twice; else the missing cents are told."""
    free = {payer.budget: payer.free_cents for payer in payers}
    if sum(free.values()) < total_cents:
        with pytest.raises(BudgetTooSmall) as refused:
            waterfall(payers, total_cents)
        free_cents = sum(free.values())
        assert refused.value.data == {"missing_cents": total_cents - free_cents, "free_cents": free_cents}
        return
    parts = waterfall(payers, total_cents)
    assert sum(part.amount_cents for part in parts) == total_cents
    assert all(0 < part.amount_cents <= free[part.budget] for part in parts)
    assert len({part.budget for part in parts}) == len(parts)


@given(several, st.integers(1, 300_000), st.randoms(use_true_random=False))
def test_the_order_of_asking_does_not_matter(payers, total_cents, chance):
    """The same budgets in any order pay the same shares."""
    shuffled = chance.sample(payers, len(payers))
    if sum(p.free_cents for p in payers) >= total_cents:
        assert waterfall(shuffled, total_cents) == waterfall(payers, total_cents)


@given(several, st.integers(1, 300_000))
def test_a_budget_pays_only_when_those_before_it_are_empty(payers, total_cents):
    """Earmarked budgets go first, then the earliest end: all payers but the last give everything they have."""
    if sum(p.free_cents for p in payers) < total_cents:
        return
    parts = waterfall(payers, total_cents)
    by_id = {p.budget: p for p in payers}
    assert all(part.amount_cents == by_id[part.budget].free_cents for part in parts[:-1])
    order = [(not by_id[part.budget].earmarked, by_id[part.budget].expires_on, part.budget) for part in parts]
    assert order == sorted(order)


def test_earmarked_then_earliest_end_then_smallest_id():
    """The order of R04, with one budget for each reason."""
    wide_late, wide_soon = a_payer(1, 10, 90), a_payer(2, 10, 30)
    twin, marked = a_payer(3, 10, 30), a_payer(4, 10, 365, themes=frozenset({"trauma"}))
    parts = waterfall([wide_late, twin, wide_soon, marked], 35)
    assert [(part.budget.int, part.amount_cents) for part in parts] == [(4, 10), (2, 10), (3, 10), (1, 5)]


@given(payers, st.sampled_from(["trauma", "endings", "other"]), st.sampled_from(["trauma", "endings"]), days, days)
def test_a_budget_may_pay_when_everything_fits(payer, theme, form, on, today):
    """Active, first meeting within the period, today not after its end, and both earmarks fit: all of these."""
    reasons = [
        payer.state == "active",
        on >= payer.starts_on,
        on <= payer.expires_on,
        today <= payer.expires_on,
        payer.themes is None or theme in payer.themes,
        payer.forms is None or form in payer.forms,
    ]
    assert may_pay(payer, theme=theme, form=form, on=on, today=today) == all(reasons)


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
    ],
)
def test_a_malformed_grant_says_where(path, value):
    """Every malformed field of a grant is named, and a good grant names none."""
    assert [where for where, fault in grant_faults(a_grant()) if fault] == []
    assert [where for where, fault in grant_faults(a_grant(**{path: value})) if fault] == [path]
