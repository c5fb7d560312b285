"""Columns and named constraints of learning budgets and their holds."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.budgets.rules import BUDGET_STATES
from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.foundation.columns import cents, day, flag, foreign, identifier, key, moment, one_of, text, words
from leerbudget.foundation.database import DB
from leerbudget.ledger.tables import Account, Transfer
from leerbudget.people.tables import Family, Organisation


def _earmark(column: str, codes: tuple[str, ...]) -> str:
    listed = ", ".join(repr(code) for code in codes)
    return f"{column} IS NULL OR (cardinality({column}) > 0 AND {column}::text[] <@ ARRAY[{listed}]::text[])"


class Budget(Table, db=DB, tablename="budget"):
    """The right of a family to spend, granted by one organisation for one period, perhaps earmarked (R01, R02).

    `themes` and `forms` are earmarks; NULL means everything admitted, an empty list is refused. The account
    carries the budget's own id. Organisations number their grants themselves, so a number is theirs alone.
    """

    id = key()
    external_ref = text(80)
    family = foreign(Family)
    organisation = foreign(Organisation)
    account = foreign(Account)
    granted_cents = cents()
    starts_on = day()
    expires_on = day()
    themes = words(optional=True)
    forms = words(optional=True)
    carry_over = flag(default=False)
    state = text(20)
    granted_at = moment()

    budget_ref_once_per_organisation = Unique([organisation, external_ref])
    budget_account_once = Unique([account])
    budget_state_is_known = Check(one_of("state", BUDGET_STATES))
    budget_period_runs_forward = Check("expires_on >= starts_on")
    grant_is_positive = Check("granted_cents > 0")
    budget_themes_are_known = Check(_earmark("themes", THEMES))
    budget_forms_are_known = Check(_earmark("forms", FORMS))


class BudgetHold(Table, db=DB, tablename="budget_hold"):
    """Cents of one budget set aside for one purpose (a booking, a floor above): one reservation in the ledger."""

    id = key()
    purpose = identifier(index=True)
    budget = foreign(Budget)
    reservation = foreign(Transfer)
    amount_cents = cents()
    held_at = moment()

    reservation_once = Unique([reservation])
    budget_once_per_purpose = Unique([purpose, budget])
    hold_is_positive = Check("amount_cents > 0")
