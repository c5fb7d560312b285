"""Every named constraint of the money rooms refuses, under its own name, with its own error."""

import asyncpg
import pytest

from ledger import allocation_cases, payment_cases
from ledger.bookkeeping import a_family, an_organisation
from leerbudget.budgets.errors import GrantKnown, HolderUnknown, HoldKnown, UnusableGrant, UnusableHold
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.ledger.errors import (
    AccountKindUnknown,
    AccountKnown,
    AccountUnknown,
    AlreadyResolved,
    CountersBroken,
    NeverOverspent,
    ResolutionDoesNotFit,
    TransferKnown,
    UnusableTransfer,
)

TABLES = ("account", "transfer", "budget", "budget_hold", *payment_cases.TABLES, *allocation_cases.TABLES)

# The stage: pot (100) -> budget (80), of which 30 is reserved for a payee and 10 more was reserved and voided.
STAGE = (
    """
    INSERT INTO account (id, kind, owner, constrained, opened_at) VALUES
        ({bank}, 'bank', NULL, false, now()), ({pot}, 'organisation_pot', {org}, true, now()),
        ({money}, 'family_budget', {money}, true, now()), ({payee}, 'trainer_payable', {payee}, false, now()),
        ({spare}, 'family_budget', {spare}, true, now());
    INSERT INTO transfer (id, kind, business_ref, phase, debit, credit, amount_cents, at) VALUES
        ({t1}, 'top_up', 'in', 'posted', {bank}, {pot}, 100, now()),
        ({t2}, 'grant', 'out', 'posted', {pot}, {money}, 80, now()),
        ({t3}, 'booking', 'hold', 'reserve', {money}, {payee}, 30, now()),
        ({t4}, 'booking', 'gone', 'reserve', {money}, {payee}, 10, now());
    INSERT INTO transfer (id, kind, business_ref, phase, debit, credit, amount_cents, resolves, at)
        VALUES ({t5}, 'booking', 'void', 'void', {money}, {payee}, 10, {t4}, now());
    INSERT INTO budget (id, external_ref, family, organisation, account, granted_cents, starts_on, expires_on, state,
                        granted_at)
        VALUES ({money}, 'B1', {fam}, {org}, {money}, 80, '2027-01-01', '2027-12-31', 'active', now());
    INSERT INTO budget_hold (id, purpose, budget, payer, reservation, amount_cents, held_at)
        VALUES ({h1}, {p1}, {money}, 'budget', {t3}, 30, now());
"""
    + payment_cases.STAGE
)

ACCOUNT = "INSERT INTO account (id, kind, owner, constrained, credits_posted_cents, opened_at) VALUES "
TRANSFER = "INSERT INTO transfer (id, kind, business_ref, phase, debit, credit, amount_cents, resolves, expires_at, at) VALUES "
BUDGET = (
    "INSERT INTO budget (id, external_ref, family, organisation, account, granted_cents, starts_on, expires_on,"
    " themes, forms, state, granted_at) VALUES "
)
HOLD = "INSERT INTO budget_hold (id, purpose, budget, payer, reservation, amount_cents, held_at) VALUES "
PERIOD = "'2027-01-01', '2027-12-31'"
LATER = "'posted', {bank}, {pot}, 1, NULL, NULL, now()"

CASES = [
    ("account_pkey", AccountKnown, ACCOUNT + "({pot}, 'suspense', NULL, false, 0, now())"),
    ("one_account_per_owner", AccountKnown, ACCOUNT + "({new}, 'bank', NULL, false, 0, now())"),
    ("account_kind_is_known", AccountKindUnknown, ACCOUNT + "({new}, 'purse', NULL, false, 0, now())"),
    ("never_overspent", NeverOverspent, TRANSFER + "({new}, 'grant', 'x', 'posted', {pot}, {money}, 21, NULL, NULL, now())"),
    ("never_overspent", NeverOverspent, TRANSFER + "({new}, 'booking', 'x', 'reserve', {money}, {payee}, 51, NULL, NULL, now())"),
    ("counters_not_negative", CountersBroken, "UPDATE account SET debits_posted_cents = -1 WHERE id = {spare}"),
    ("only_constrained_counts", CountersBroken, ACCOUNT + "({new}, 'suspense', NULL, false, 1, now())"),
    ("transfer_pkey", TransferKnown, TRANSFER + "({t1}, 'top_up', 'x', " + LATER + ")"),
    ("every_business_event_once", TransferKnown, TRANSFER + "({new}, 'top_up', 'in', " + LATER + ")"),
    ("resolved_once", AlreadyResolved, TRANSFER + "({new}, 'booking', 'x', 'void', {money}, {payee}, 10, {t4}, NULL, now())"),
    ("amount_is_positive", UnusableTransfer, TRANSFER + "({new}, 'top_up', 'x', 'posted', {bank}, {pot}, 0, NULL, NULL, now())"),
    ("two_sides", UnusableTransfer, TRANSFER + "({new}, 'top_up', 'x', 'posted', {bank}, {bank}, 1, NULL, NULL, now())"),
    ("transfer_kind_is_known", UnusableTransfer, TRANSFER + "({new}, 'gift', 'x', " + LATER + ")"),
    ("phase_is_known", UnusableTransfer, TRANSFER + "({new}, 'top_up', 'x', 'maybe', {bank}, {pot}, 1, NULL, NULL, now())"),
    ("resolution_names_its_reservation", UnusableTransfer, TRANSFER + "({new}, 'booking', 'x', 'void', {money}, {payee}, 1, NULL, NULL, now())"),
    ("only_reservations_expire", UnusableTransfer, TRANSFER + "({new}, 'top_up', 'x', 'posted', {bank}, {pot}, 1, NULL, now(), now())"),
    ("corrections_have_a_reason", UnusableTransfer, TRANSFER + "({new}, 'correction', 'x', " + LATER + ")"),
    ("transfer_debit_fkey", AccountUnknown, TRANSFER + "({new}, 'top_up', 'x', 'posted', {none}, {pot}, 1, NULL, NULL, now())"),
    ("transfer_credit_fkey", AccountUnknown, TRANSFER + "({new}, 'top_up', 'x', 'posted', {bank}, {none}, 1, NULL, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'booking', 'x', 'post', {money}, {payee}, 31, {t3}, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'booking', 'x', 'void', {money}, {payee}, 29, {t3}, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'booking', 'x', 'post', {money}, {pot}, 30, {t3}, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'grant', 'x', 'post', {money}, {payee}, 30, {t3}, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'booking', 'x', 'post', {money}, {payee}, 1, {t2}, NULL, now())"),
    ("resolution_fits_reservation", ResolutionDoesNotFit, TRANSFER + "({new}, 'booking', 'x', 'post', {money}, {payee}, 1, {none}, NULL, now())"),
    ("budget_pkey", GrantKnown, BUDGET + "({money}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_ref_once_per_organisation", GrantKnown, BUDGET + "({new}, 'B1', {fam}, {org}, {spare}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_account_once", GrantKnown, BUDGET + "({new}, 'x', {fam}, {org}, {money}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_state_is_known", UnusableGrant, BUDGET + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", NULL, NULL, 'lost', now())"),
    ("budget_period_runs_forward", UnusableGrant, BUDGET + "({new}, 'x', {fam}, {org}, {spare}, 1, '2027-02-01', '2027-01-31', NULL, NULL, 'active', now())"),
    ("grant_is_positive", UnusableGrant, BUDGET + "({new}, 'x', {fam}, {org}, {spare}, 0, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_themes_are_known", UnusableGrant, BUDGET + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", '{{}}', NULL, 'active', now())"),
    ("budget_forms_are_known", UnusableGrant, BUDGET + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", NULL, '{{webinar,ballet}}', 'active', now())"),
    ("budget_municipalities_are_named", UnusableGrant, BUDGET.replace("themes, forms", "municipalities, courses") + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", '{{}}', NULL, 'active', now())"),
    ("budget_municipalities_are_named", UnusableGrant, BUDGET.replace("themes, forms", "municipalities, courses") + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", '{{Renkum,NULL}}', NULL, 'active', now())"),
    ("budget_courses_are_named", UnusableGrant, BUDGET.replace("themes, forms", "municipalities, courses") + "({new}, 'x', {fam}, {org}, {spare}, 1, " + PERIOD + ", NULL, '{{}}', 'active', now())"),
    ("budget_family_fkey", HolderUnknown, BUDGET + "({new}, 'x', {none}, {org}, {spare}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_organisation_fkey", HolderUnknown, BUDGET + "({new}, 'x', {fam}, {none}, {spare}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_account_fkey", HolderUnknown, BUDGET + "({new}, 'x', {fam}, {org}, {none}, 1, " + PERIOD + ", NULL, NULL, 'active', now())"),
    ("budget_hold_pkey", HoldKnown, HOLD + "({h1}, {new}, {money}, 'budget', {t4}, 1, now())"),
    ("reservation_once", HoldKnown, HOLD + "({new}, {new}, {money}, 'budget', {t3}, 1, now())"),
    ("budget_once_per_purpose", HoldKnown, HOLD + "({new}, {p1}, {money}, 'budget', {t4}, 1, now())"),
    ("hold_payer_is_known", UnusableHold, HOLD + "({new}, {new}, NULL, 'nobody', {t4}, 1, now())"),
    ("only_budgets_have_an_id", UnusableHold, HOLD + "({new}, {new}, NULL, 'budget', {t4}, 1, now())"),
    ("only_budgets_have_an_id", UnusableHold, HOLD + "({new}, {new}, {money}, 'own', {t4}, 1, now())"),
    ("hold_is_positive", UnusableHold, HOLD + "({new}, {new}, {money}, 'budget', {t4}, 0, now())"),
    ("budget_hold_budget_fkey", UnusableHold, HOLD + "({new}, {new}, {none}, 'budget', {t4}, 1, now())"),
    ("budget_hold_reservation_fkey", UnusableHold, HOLD + "({new}, {new}, {money}, 'budget', {none}, 1, now())"),
    *payment_cases.CASES,
    *allocation_cases.CASES,
]  # fmt: skip

BY_TRIGGER = {"resolution_fits_reservation"}


def places(**real):
    """Ids to fill in, as SQL literals."""
    names = [
        "bank",
        "pot",
        "money",
        "payee",
        "spare",
        "t1",
        "t2",
        "t3",
        "t4",
        "t5",
        "h1",
        "p1",
        "u1",
        "clerk",
        "new",
        "none",
    ]
    made = {name: f"00000000-0000-7000-8000-{number:012d}" for number, name in enumerate(names)}
    return {name: f"'{value}'" for name, value in (made | real).items()}


@pytest.fixture
async def stage(world_db, admin):
    """A small healthy book and a superuser who may try anything on it."""
    organisation = await an_organisation()
    filled = places(org=organisation, fam=await a_family(organisation))
    await admin.execute((STAGE + allocation_cases.STAGE).format(**filled))
    return admin, filled


async def test_every_constraint_refuses_with_its_own_error(stage):
    """Each case fires exactly the constraint it names, and callers hear that constraint's error class."""
    admin, filled = stage
    for constraint, error, sql in CASES:
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with admin.transaction():
                await admin.execute(sql.format(**filled))
        fired = refused.value.constraint_name
        assert (fired, LeerbudgetError.for_constraint(fired)) == (constraint, error), sql


async def test_no_constraint_is_left_out(stage):
    """The cases above cover every check, unique, primary and foreign key that the database has on these tables."""
    admin, _ = stage
    rows = await admin.fetch(
        "SELECT conname FROM pg_constraint WHERE contype IN ('c', 'u', 'p', 'f', 'x') AND conrelid = ANY($1::regclass[])",
        list(TABLES),
    )
    assert {row["conname"] for row in rows} | BY_TRIGGER == {constraint for constraint, _, _ in CASES}


def test_every_claimed_constraint_is_fired():
    """No error of these rooms claims a constraint that does not exist; the bank side has a test of its own."""
    rooms = ("leerbudget.ledger", "leerbudget.budgets", "leerbudget.payments")
    claimed = {
        name
        for name in LeerbudgetError.claimed_constraints()
        if (home := LeerbudgetError.for_constraint(name).__module__).startswith(rooms)
        and not home.endswith("bank_errors")
    }
    assert claimed == {constraint for constraint, _, _ in CASES}
