"""What the tables of limits, requests and policies must refuse: cases for `test_constraints`."""

from leerbudget.budgets.errors import (
    FamilyInCohort,
    GrantRequestKnown,
    HolderUnknown,
    PolicyFollowed,
    PolicyKnown,
    PolicyUnknown,
    SecondApproverNeeded,
    UnusableGrantRequest,
    UnusableLimit,
    UnusablePolicy,
)

TABLES = ("grant_limit", "grant_day", "grant_request", "grant_policy", "cohort_family")

STAGE = """
    INSERT INTO grant_limit (id, organisation, limit_cents, set_at) VALUES ({h1}, {org}, 1, now());
    INSERT INTO grant_day (id, organisation, login, on_day, granted_cents) VALUES ({h1}, {org}, {clerk}, '2027-01-01', 0);
    INSERT INTO grant_request (id, organisation, orders, families, total_cents, state, asked_by, asked_at)
        VALUES ({h1}, {org}, '[]', 1, 1, 'asked', {clerk}, now());
    INSERT INTO grant_policy (id, organisation, name, amount_cents, per, starts_on, ends_on, added_at) VALUES
        ({h1}, {org}, 'A', 1, 'family', '2027-01-01', '2027-12-31', now()),
        ({p1}, {org}, 'B', 1, 'family', '2027-12-31', '2028-12-31', now());
    UPDATE grant_policy SET follows = {h1} WHERE id = {p1};
    INSERT INTO cohort_family (id, policy, organisation, family, starts_on, ends_on, joined_at)
        VALUES ({h1}, {h1}, {org}, {fam}, '2027-01-01', '2027-12-31', now());
"""

LIMIT = "INSERT INTO grant_limit (id, organisation, limit_cents, set_at) VALUES "
DAY = "INSERT INTO grant_day (id, organisation, login, on_day, granted_cents) VALUES "
REQUEST = (
    "INSERT INTO grant_request (id, organisation, orders, families, total_cents, state, asked_by, asked_at) VALUES "
)

POLICY = (
    "INSERT INTO grant_policy (id, organisation, name, amount_cents, per, starts_on, ends_on, themes, forms,"
    " carry_cents_max, carry_percent_max, follows, added_at) VALUES "
)
COHORT = "INSERT INTO cohort_family (id, policy, organisation, family, starts_on, ends_on, joined_at) VALUES "
YEAR = "'2027-01-01', '2027-12-31'"

CASES = [
    ("grant_policy_pkey", PolicyKnown, POLICY + "({h1}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, NULL, NULL, NULL, NULL, now())"),
    ("policy_name_once", PolicyKnown, POLICY + "({new}, {org}, 'A', 1, 'adult', " + YEAR + ", NULL, NULL, NULL, NULL, NULL, now())"),
    ("policy_followed_once", PolicyFollowed, POLICY + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, NULL, NULL, NULL, {h1}, now())"),
    ("policy_unit_is_known", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'child', " + YEAR + ", NULL, NULL, NULL, NULL, NULL, now())"),
    ("policy_amount_is_positive", UnusablePolicy, POLICY + "({new}, {org}, 'C', 0, 'adult', " + YEAR + ", NULL, NULL, NULL, NULL, NULL, now())"),
    ("policy_period_runs_forward", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'adult', '2027-02-01', '2027-01-31', NULL, NULL, NULL, NULL, NULL, now())"),
    ("policy_themes_are_known", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", '{{}}', NULL, NULL, NULL, NULL, now())"),
    ("policy_forms_are_known", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, '{{ballet}}', NULL, NULL, NULL, now())"),
    ("policy_municipalities_are_named", UnusablePolicy, POLICY.replace("themes, forms", "municipalities, courses") + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", '{{}}', NULL, NULL, NULL, NULL, now())"),
    ("policy_courses_are_named", UnusablePolicy, POLICY.replace("themes, forms", "municipalities, courses") + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, '{{NULL}}', NULL, NULL, NULL, now())"),
    ("policy_carries_a_part", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, NULL, 0, NULL, NULL, now())"),
    ("policy_carries_a_part", UnusablePolicy, POLICY + "({new}, {org}, 'C', 1, 'adult', " + YEAR + ", NULL, NULL, NULL, 101, NULL, now())"),
    ("grant_policy_organisation_fkey", HolderUnknown, POLICY + "({new}, {none}, 'C', 1, 'adult', " + YEAR + ", NULL, NULL, NULL, NULL, NULL, now())"),
    ("cohort_family_pkey", FamilyInCohort, COHORT + "({h1}, {p1}, {org}, {fam}, '2028-01-01', '2028-12-31', now())"),
    ("once_in_a_cohort", FamilyInCohort, COHORT + "({new}, {h1}, {org}, {fam}, '2028-01-01', '2028-12-31', now())"),
    ("one_cohort_at_a_time", FamilyInCohort, COHORT + "({new}, {p1}, {org}, {fam}, '2027-12-31', '2028-12-31', now())"),
    ("cohort_family_policy_fkey", PolicyUnknown, COHORT + "({new}, {none}, {org}, {fam}, '2028-01-01', '2028-12-31', now())"),
    ("cohort_family_organisation_fkey", HolderUnknown, COHORT + "({new}, {p1}, {none}, {fam}, '2028-01-01', '2028-12-31', now())"),
    ("cohort_family_family_fkey", HolderUnknown, COHORT + "({new}, {p1}, {org}, {none}, '2028-01-01', '2028-12-31', now())"),
    ("budget_policy_fkey", PolicyUnknown, "UPDATE budget SET policy = {none}"),
    ("grant_limit_pkey", UnusableLimit, LIMIT + "({h1}, {org}, 1, now())"),
    ("one_limit_per_organisation", UnusableLimit, LIMIT + "({new}, {org}, 1, now())"),
    ("limit_is_not_negative", UnusableLimit, "UPDATE grant_limit SET limit_cents = -1"),
    ("grant_limit_organisation_fkey", HolderUnknown, LIMIT + "({new}, {none}, 1, now())"),
    ("grant_day_pkey", UnusableLimit, DAY + "({h1}, {org}, {clerk}, '2027-01-02', 0)"),
    ("one_sum_per_login_and_day", UnusableLimit, DAY + "({new}, {org}, {clerk}, '2027-01-01', 0)"),
    ("day_sum_is_not_negative", UnusableLimit, "UPDATE grant_day SET granted_cents = -1"),
    ("grant_day_organisation_fkey", HolderUnknown, DAY + "({new}, {none}, {clerk}, '2027-01-01', 0)"),
    ("grant_request_pkey", GrantRequestKnown, REQUEST + "({h1}, {org}, '[]', 1, 1, 'asked', {clerk}, now())"),
    ("grant_request_organisation_fkey", HolderUnknown, REQUEST + "({new}, {none}, '[]', 1, 1, 'asked', {clerk}, now())"),
    ("grant_request_has_cents", UnusableGrantRequest, REQUEST + "({new}, {org}, '[]', 1, 0, 'asked', {clerk}, now())"),
    ("grant_request_has_cents", UnusableGrantRequest, REQUEST + "({new}, {org}, '[]', 0, 1, 'asked', {clerk}, now())"),
    ("grant_request_state_is_known", UnusableGrantRequest, "UPDATE grant_request SET state = 'lost', decided_by = {new}, decided_at = now()"),
    ("four_eyes_on_grants", SecondApproverNeeded, "UPDATE grant_request SET state = 'approved', decided_by = asked_by, decided_at = now()"),
    ("decision_names_who_and_when", UnusableGrantRequest, "UPDATE grant_request SET state = 'approved'"),
    ("decision_names_who_and_when", UnusableGrantRequest, "UPDATE grant_request SET decided_at = now()"),
    ("refusal_has_a_reason", UnusableGrantRequest, "UPDATE grant_request SET state = 'refused', decided_by = {new}, decided_at = now()"),
]  # fmt: skip
