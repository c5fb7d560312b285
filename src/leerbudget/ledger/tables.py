"""Columns and named constraints of accounts and transfers.

One transfer is one debit and one credit, so the books are zero-sum by construction. Counters are
kept only on constrained accounts, by the trigger `transfer_counts` (migrations); a counter on a
shared account would be a hot row. Transfers are never changed: trigger `transfer_is_final`.
"""

from piccolo.columns import BigInt, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import cents, flag, foreign, identifier, key, moment, one_of, text
from leerbudget.foundation.database import DB
from leerbudget.ledger.rules import ACCOUNT_KINDS, PHASES, TRANSFER_KINDS


class Account(Table, db=DB, tablename="account"):
    """Where cents are. A constrained account can never pay out more than came in, reservations included (I2)."""

    id = key()
    kind = text(40)
    owner = identifier(optional=True, index=True)
    constrained = flag(default=False)
    credits_posted_cents = cents(default=0)
    debits_posted_cents = cents(default=0)
    debits_pending_cents = cents(default=0)
    opened_at = moment()

    one_account_per_owner = Unique([kind, owner], nulls_distinct=False)
    account_kind_is_known = Check(one_of("kind", ACCOUNT_KINDS))
    never_overspent = Check("NOT constrained OR credits_posted_cents >= debits_posted_cents + debits_pending_cents")
    counters_not_negative = Check(
        "credits_posted_cents >= 0 AND debits_posted_cents >= 0 AND debits_pending_cents >= 0"
    )
    only_constrained_counts = Check(
        "constrained OR (credits_posted_cents = 0 AND debits_posted_cents = 0 AND debits_pending_cents = 0)"
    )


class Transfer(Table, db=DB, tablename="transfer"):
    """Cents that move from `debit` to `credit`: at once, or reserved first and resolved exactly once later."""

    id = key()
    number = BigSerial()
    kind = text(40)
    business_ref = text(120)
    phase = text(10)
    debit = foreign(Account)
    credit = foreign(Account)
    amount_cents = BigInt(default=None, null=False)
    resolves = identifier(optional=True)
    expires_at = moment(optional=True)
    at = moment(index=True)
    actor = identifier(optional=True)
    reason = text(200, optional=True)

    every_business_event_once = Unique([kind, business_ref])
    resolved_once = Unique([resolves])
    amount_is_positive = Check("amount_cents > 0")
    two_sides = Check("debit <> credit")
    transfer_kind_is_known = Check(one_of("kind", TRANSFER_KINDS))
    phase_is_known = Check(one_of("phase", PHASES))
    resolution_names_its_reservation = Check("(phase IN ('post', 'void', 'expire')) = (resolves IS NOT NULL)")
    only_reservations_expire = Check("expires_at IS NULL OR phase = 'reserve'")
    corrections_have_a_reason = Check("kind <> 'correction' OR reason IS NOT NULL")
