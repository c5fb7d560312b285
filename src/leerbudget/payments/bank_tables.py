"""Columns and named constraints of bank statements, payout accounts and payouts."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import cents, content, day, foreign, identifier, key, moment, one_of, text
from leerbudget.foundation.database import DB
from leerbudget.ledger.tables import Account
from leerbudget.payments.bank_rules import ENTRY_DIRECTIONS, ENTRY_STATES, LINE_PURPOSES, LINE_STATES, PAYOUT_STATES
from leerbudget.trainers.tables import Trainer


class BankStatement(Table, db=DB, tablename="bank_statement"):
    """A statement that was imported: it added up. `digest` is of its content, to know it again."""

    id = key()
    iban = text(34)
    number = text(60)
    digest = text(64)
    opening_cents = cents()
    closing_cents = cents()
    closing_on = day()
    imported_at = moment()
    imported_by = identifier(optional=True)

    statement_once = Unique([iban, number])


class BankEntry(Table, db=DB, tablename="bank_entry"):
    """Money that the bank booked, and what it turned out to be for. `bank_ref` names it for good within the account.

    `payment`: which payment was told of it. `suspense_cents`: what nobody asked for; a person says, or said, what of it.
    """

    id = key()
    statement = foreign(BankStatement)
    iban = text(34)
    bank_ref = text(60)
    digest = text(64)
    direction = text(3)
    amount_cents = cents()
    booked_on = day()
    party_name = text(140, optional=True)
    party_iban = text(34, optional=True)
    note = text(600, optional=True)
    reference = text(25, optional=True)
    end_to_end = text(35, optional=True)
    return_reason = text(35, optional=True)
    state = text(20, index=True)
    suspense_cents = cents(default=0)
    payment = identifier(optional=True, index=True)
    line = identifier(optional=True, index=True)
    reason = text(200, optional=True)
    decided_at = moment(optional=True)
    decided_by = identifier(optional=True)

    bank_entry_once = Unique([iban, bank_ref])
    bank_entry_state_is_known = Check(one_of("state", ENTRY_STATES))
    bank_entry_direction_is_known = Check(one_of("direction", ENTRY_DIRECTIONS))
    bank_entry_is_positive = Check("amount_cents > 0")
    matched_entry_names_its_payment = Check("state <> 'matched' OR payment IS NOT NULL")
    entry_in_suspense_has_cents = Check(
        "suspense_cents BETWEEN 0 AND amount_cents"
        " AND (suspense_cents > 0) = (state IN ('suspense', 'sent_back', 'cost', 'known', 'gateway'))"
    )
    payout_entry_names_its_line = Check("(state IN ('payout', 'payout_returned')) = (line IS NOT NULL)")
    explained_entry_has_a_reason = Check("state NOT IN ('sent_back', 'cost', 'known', 'gateway') OR reason IS NOT NULL")


class PayoutAccount(Table, db=DB, tablename="payout_account"):
    """A bank account that a trainer gave; it is used once somebody else confirmed it. The last confirmed one counts."""

    id = key()
    trainer = foreign(Trainer)
    iban = text(34)
    holder_name = text(70)
    proposed_at = moment()
    proposed_by = identifier(optional=True)
    confirmed_at = moment(optional=True)
    confirmed_by = identifier(optional=True)
    ended_at = moment(optional=True)

    payout_account_four_eyes = Check(
        "confirmed_at IS NULL OR (confirmed_by IS NOT NULL AND confirmed_by IS DISTINCT FROM proposed_by)"
    )


class Payout(Table, db=DB, tablename="payout"):
    """Payments that one person drafted and another approved: one pain.001 file."""

    id = key()
    message_id = text(35)
    state = text(20)
    execution_on = day()
    drafted_at = moment()
    drafted_by = identifier()
    decided_at = moment(optional=True)
    decided_by = identifier(optional=True)
    file = content()

    payout_message_once = Unique([message_id])
    payout_state_is_known = Check(one_of("state", PAYOUT_STATES))
    payout_four_eyes = Check("state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> drafted_by)")
    approved_payout_has_its_file = Check("(state = 'approved') = (file IS NOT NULL)")


class PayoutLine(Table, db=DB, tablename="payout_line"):
    """One payment of a payout. What it pays is in one open line at most: `one_open_line_per_subject` (migrations)."""

    id = key()
    payout = foreign(Payout)
    purpose = text(20)
    subject = identifier(index=True)
    source = foreign(Account)
    payee_name = text(70)
    iban = text(34)
    amount_cents = cents()
    note = text(140)
    state = text(20)
    bank_reason = text(35, optional=True)

    payout_line_state_is_known = Check(one_of("state", LINE_STATES))
    payout_line_purpose_is_known = Check(one_of("purpose", LINE_PURPOSES))
    payout_line_is_positive = Check("amount_cents BETWEEN 1 AND 99999999999")
