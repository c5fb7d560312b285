"""Columns and named constraints of learning budgets, their holds, and what a second person must approve."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.budgets.rules import BUDGET_STATES, GRANT_REQUEST_STATES, PAYERS, POLICY_UNITS
from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.foundation.columns import (
    cents,
    day,
    document,
    flag,
    foreign,
    identifier,
    identifiers,
    key,
    moment,
    one_of,
    text,
    whole,
    words,
)
from leerbudget.foundation.database import DB
from leerbudget.ledger.tables import Account, Transfer
from leerbudget.people.tables import Family, Organisation


def _earmark(column: str, codes: tuple[str, ...]) -> str:
    listed = ", ".join(repr(code) for code in codes)
    return f"{column} IS NULL OR (cardinality({column}) > 0 AND {column}::text[] <@ ARRAY[{listed}]::text[])"


def _named(column: str) -> str:
    return f"cardinality({column}) > 0 AND array_position({column}, NULL) IS NULL"


class GrantPolicy(Table, db=DB, tablename="grant_policy"):
    """What an organisation gives every family of one cohort in one period, and what may be kept after it (R02).

    `follows` is the policy of the period before: what is left there is carried over to here. At most the smaller
    of `carry_cents_max` and `carry_percent_max` of what was granted; nothing when both are NULL. Never changed.
    """

    id = key()
    organisation = foreign(Organisation, index=False)
    name = text(80)
    amount_cents = cents()
    per = text(10)
    starts_on = day()
    ends_on = day()
    themes = words(optional=True)
    forms = words(optional=True)
    municipalities = words(optional=True)
    courses = identifiers(optional=True)
    carry_cents_max = cents(optional=True)
    carry_percent_max = whole(optional=True)
    follows = identifier(optional=True)
    added_at = moment()

    policy_name_once = Unique([organisation, name])
    policy_followed_once = Unique([follows])
    policy_unit_is_known = Check(one_of("per", POLICY_UNITS))
    policy_amount_is_positive = Check("amount_cents > 0")
    policy_period_runs_forward = Check("ends_on >= starts_on")
    policy_themes_are_known = Check(_earmark("themes", THEMES))
    policy_forms_are_known = Check(_earmark("forms", FORMS))
    policy_municipalities_are_named = Check(_named("municipalities"))
    policy_courses_are_named = Check(_named("courses"))
    policy_carries_a_part = Check("carry_cents_max > 0 AND carry_percent_max BETWEEN 1 AND 100")


class CohortFamily(Table, db=DB, tablename="cohort_family"):
    """A family in the cohort of a policy, for its whole period: nobody moves in between (`one_cohort_at_a_time`)."""

    id = key()
    policy = foreign(GrantPolicy, index=False)
    organisation = foreign(Organisation)
    family = foreign(Family)
    starts_on = day()
    ends_on = day()
    joined_at = moment()

    once_in_a_cohort = Unique([policy, family])


class Budget(Table, db=DB, tablename="budget"):
    """The right of a family to spend, granted by one organisation for one period, perhaps earmarked (R01, R02).

    `themes`, `forms`, `municipalities` (of the venue, by name) and `courses` are earmarks: a session must fit
    each of them. NULL means everything admitted, an empty list is refused. The account carries the budget's own
    id. Organisations number their grants themselves, so a number is theirs alone.
    """

    id = key()
    external_ref = text(80)
    family = foreign(Family)
    organisation = foreign(Organisation, index=False)
    account = foreign(Account, index=False)
    granted_cents = cents()
    starts_on = day()
    expires_on = day()
    themes = words(optional=True)
    forms = words(optional=True)
    municipalities = words(optional=True)
    courses = identifiers(optional=True)
    carry_over = flag(default=False)
    policy = foreign(GrantPolicy, optional=True)
    state = text(20)
    granted_at = moment()

    budget_ref_once_per_organisation = Unique([organisation, external_ref])
    budget_account_once = Unique([account])
    budget_state_is_known = Check(one_of("state", BUDGET_STATES))
    budget_period_runs_forward = Check("expires_on >= starts_on")
    grant_is_positive = Check("granted_cents > 0")
    budget_themes_are_known = Check(_earmark("themes", THEMES))
    budget_forms_are_known = Check(_earmark("forms", FORMS))
    budget_municipalities_are_named = Check(_named("municipalities"))
    budget_courses_are_named = Check(_named("courses"))


class BudgetHold(Table, db=DB, tablename="budget_hold"):
    """Cents set aside for one purpose (a booking, a floor above): one reservation in the ledger.

    `payer`: a budget, the family itself, or nobody for what is too little to ask for (`rules.PAYERS`).
    """

    id = key()
    purpose = identifier()
    budget = foreign(Budget, optional=True)
    payer = text(10)
    reservation = foreign(Transfer, index=False)
    amount_cents = cents()
    held_at = moment()

    reservation_once = Unique([reservation])
    budget_once_per_purpose = Unique([purpose, budget], nulls_distinct=False)
    hold_is_positive = Check("amount_cents > 0")
    hold_payer_is_known = Check(one_of("payer", PAYERS))
    only_budgets_have_an_id = Check("(payer = 'budget') = (budget IS NOT NULL)")


class GrantLimit(Table, db=DB, tablename="grant_limit"):
    """Above how many cents a login of this organisation needs a colleague to grant; NULL or no row: never."""

    id = key()
    organisation = foreign(Organisation, index=False)
    limit_cents = cents(optional=True)
    set_at = moment()

    one_limit_per_organisation = Unique([organisation])
    limit_is_not_negative = Check("limit_cents >= 0")


class GrantDay(Table, db=DB, tablename="grant_day"):
    """What one login granted on one Amsterdam day without a colleague: small grants add up to a large one."""

    id = key()
    organisation = foreign(Organisation, index=False)
    login = identifier()
    on_day = day()
    granted_cents = cents(default=0)

    one_sum_per_login_and_day = Unique([organisation, login, on_day])
    day_sum_is_not_negative = Check("granted_cents >= 0")


class GrantRequest(Table, db=DB, tablename="grant_request"):
    """Grants that wait for a colleague of who asked. `orders` are as `budgets.rules.GrantOrder`; no money moved yet."""

    id = key()
    organisation = foreign(Organisation)
    orders = document()
    families = whole()
    total_cents = cents()
    state = text(20)
    asked_by = identifier()
    asked_at = moment(index=True)
    decided_by = identifier(optional=True)
    decided_at = moment(optional=True)
    reason = text(200, optional=True)

    grant_request_state_is_known = Check(one_of("state", GRANT_REQUEST_STATES))
    grant_request_has_cents = Check("total_cents > 0 AND families > 0")
    four_eyes_on_grants = Check("decided_by <> asked_by")
    decision_names_who_and_when = Check(
        "(state = 'asked') = (decided_by IS NULL) AND (state = 'asked') = (decided_at IS NULL)"
    )
    refusal_has_a_reason = Check("state <> 'refused' OR reason IS NOT NULL")
