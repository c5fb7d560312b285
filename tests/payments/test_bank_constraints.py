"""Every named constraint of the bank side refuses, under its own name, with its own error."""

import pytest

import world
from firing import constraints_of, fires, goes_in, insert
from ledger.bookkeeping import CLERK, COLLEAGUE
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of

WHEN, DAY = "2027-01-15T12:00:00+00:00", "2027-01-15"
TABLES = ("bank_statement", "bank_entry", "payout_account", "payout", "payout_line")


@pytest.fixture
async def rows(world_db):
    """One right row of each table; what the others lean on is in the database."""
    suspense = await account_of("suspense", None, constrained=False)
    trainer, _ = await world.a_trainer()
    sums = {"opening_cents": 0, "closing_cents": 0, "closing_on": DAY}
    said = {"direction": "in", "amount_cents": 1, "booked_on": DAY, "state": "read", "suspense_cents": 0}
    held = {"holder_name": "T.", "proposed_at": WHEN, "proposed_by": CLERK}
    line = {
        "purpose": "trainer",
        "subject": new_id(),
        "payee_name": "T.",
        "iban": "NL1",
        "note": "x",
        "state": "drafted",
    }
    good = {
        "bank_statement": {"iban": "NL1", "number": "1", "digest": "x", **sums, "imported_at": WHEN},
        "bank_entry": {"iban": "NL1", "bank_ref": "A", "digest": "x", **said},
        "payout_account": {"trainer": trainer, "iban": "NL1", **held},
        "payout": {"message_id": "M", "state": "drafted", "execution_on": DAY, "drafted_at": WHEN, "drafted_by": CLERK},
        "payout_line": {**line, "source": suspense, "amount_cents": 1},
    }
    base = {table: new_id() for table in ("bank_statement", "payout")}
    await insert("bank_statement", {**good["bank_statement"], "id": base["bank_statement"], "number": "0"})
    await insert("payout", {**good["payout"], "id": base["payout"], "message_id": "0"})
    good["bank_entry"]["statement"], good["payout_line"]["payout"] = base["bank_statement"], base["payout"]
    return good


APPROVED = {"state": "approved", "decided_at": WHEN, "decided_by": COLLEAGUE, "file": "\\x00"}
CASES = [
    ("statement_once", "bank_statement", {}),
    ("bank_entry_once", "bank_entry", {}),
    ("bank_entry_statement_fkey", "bank_entry", {"statement": new_id()}),
    ("bank_entry_state_is_known", "bank_entry", {"state": "lost"}),
    ("bank_entry_direction_is_known", "bank_entry", {"direction": "up"}),
    ("bank_entry_is_positive", "bank_entry", {"amount_cents": 0}),
    ("matched_entry_names_its_payment", "bank_entry", {"state": "matched"}),
    ("entry_in_suspense_has_cents", "bank_entry", {"state": "suspense"}),
    ("entry_in_suspense_has_cents", "bank_entry", {"suspense_cents": 1}),
    ("entry_in_suspense_has_cents", "bank_entry", {"state": "suspense", "suspense_cents": 2}),
    ("payout_entry_names_its_line", "bank_entry", {"state": "payout"}),
    ("payout_entry_names_its_line", "bank_entry", {"line": new_id()}),
    ("explained_entry_has_a_reason", "bank_entry", {"state": "cost", "suspense_cents": 1}),
    ("payout_account_trainer_fkey", "payout_account", {"trainer": new_id()}),
    ("payout_account_four_eyes", "payout_account", {"confirmed_at": WHEN, "confirmed_by": CLERK}),
    ("payout_account_four_eyes", "payout_account", {"confirmed_at": WHEN}),
    ("payout_message_once", "payout", {}),
    ("payout_state_is_known", "payout", {"state": "lost"}),
    ("payout_four_eyes", "payout", {**APPROVED, "decided_by": CLERK}),
    ("payout_four_eyes", "payout", {**APPROVED, "decided_by": None}),
    ("approved_payout_has_its_file", "payout", {**APPROVED, "file": None}),
    ("payout_line_payout_fkey", "payout_line", {"payout": new_id()}),
    ("payout_line_source_fkey", "payout_line", {"source": new_id()}),
    ("payout_line_state_is_known", "payout_line", {"state": "lost"}),
    ("payout_line_purpose_is_known", "payout_line", {"purpose": "gift"}),
    ("payout_line_is_positive", "payout_line", {"amount_cents": 0}),
    ("payout_line_is_positive", "payout_line", {"amount_cents": 100_000_000_000}),
    ("one_open_line_per_subject", "payout_line", {}),
    *(
        (f"{table}_pkey", table, None)
        for table in ("bank_statement", "bank_entry", "payout_account", "payout", "payout_line")
    ),
]


async def test_each_constraint_answers_under_its_name(rows):
    """The right row goes in; with one thing wrong it is refused by the error that claims the constraint."""
    for table in TABLES:
        await goes_in(table, rows[table])
    for constraint, table, bad in CASES:
        if bad is None:
            twice = new_id()
            await insert(table, {**rows[table], "id": twice})
            await fires(constraint, table, rows[table], id=twice)
        else:
            await fires(constraint, table, rows[table], **bad)


async def test_what_is_owed_once_is_paid_once(rows):
    """A trainer's line that was booked leaves room for the next; a refund's does not."""
    booked = rows["payout_line"] | {"state": "booked"}
    await insert("payout_line", {**booked, "id": new_id()})
    await goes_in("payout_line", rows["payout_line"])
    refund = booked | {"purpose": "refund", "subject": new_id()}
    await fires("one_open_line_per_subject", "payout_line", refund)


async def test_no_constraint_is_forgotten(world_db):
    """Every constraint of these tables is fired here, and no error claims one that does not exist."""
    claimed = LeerbudgetError.claimed_constraints()
    mine = {each for each in claimed if LeerbudgetError.for_constraint(each).__module__.endswith("bank_errors")}
    assert mine == {constraint for constraint, _, _ in CASES}
    assert await constraints_of(*TABLES) <= {constraint for constraint, _, _ in CASES}
