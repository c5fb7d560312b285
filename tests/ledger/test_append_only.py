"""Nobody edits the books: not the application, not their owner."""

import asyncpg
import pytest

from ledger.bookkeeping import a_shared_budget, hold_once
from leerbudget.foundation.database import execute, fetch_value

EDITS = (
    "UPDATE transfer SET amount_cents = amount_cents + 1",
    "DELETE FROM transfer",
    "TRUNCATE transfer, budget_hold",
)

FORGERY = (
    "INSERT INTO account (id, kind, constrained, credits_posted_cents, opened_at)"
    " VALUES (gen_random_uuid(), 'organisation_pot', true, 1000000, now())"
)


@pytest.mark.parametrize("edit", EDITS)
async def test_the_application_has_no_right_to_edit_transfers(world_db, edit):
    """As `leerbudget_app` an edit fails for lack of privilege."""
    await a_shared_budget(10_000)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(edit)


@pytest.mark.parametrize("edit", EDITS)
async def test_the_owner_is_stopped_by_the_trigger(world_db, admin, edit):
    """As `leerbudget_owner`, who has every right on the table, the trigger refuses."""
    await a_shared_budget(10_000)
    await admin.execute("SET ROLE leerbudget_owner")
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
        await admin.execute(edit)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE account SET credits_posted_cents = 1000000",
        "DELETE FROM account",
        FORGERY,
        "UPDATE budget SET granted_cents = 1000000",
        "UPDATE budget SET family = (SELECT id FROM family LIMIT 1)",
        "DELETE FROM budget_hold",
        "UPDATE budget_hold SET amount_cents = 1",
        "UPDATE payment SET amount_cents = 1000000",
    ],
)
async def test_the_application_cannot_make_money_up(world_db, edit):
    """Counters, granted amounts, holds and announced amounts are out of the application's reach."""
    family, _, payee = await a_shared_budget(10_000)
    await hold_once(family, payee, 4_000)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(edit)


async def test_the_counters_follow_by_themselves(world_db):
    """The trigger counts with its owner's rights, where the application has none."""
    family, (budget,), payee = await a_shared_budget(10_000)
    await hold_once(family, payee, 4_000)
    assert await fetch_value("SELECT debits_pending_cents FROM account WHERE id = $1", budget) == 4_000
