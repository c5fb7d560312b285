"""What the tables of limits, requests and policies must refuse: cases for `test_constraints`."""

from leerbudget.budgets.errors import (
    GrantRequestKnown,
    HolderUnknown,
    SecondApproverNeeded,
    UnusableGrantRequest,
    UnusableLimit,
)

TABLES = ("grant_limit", "grant_day", "grant_request")

STAGE = """
    INSERT INTO grant_limit (id, organisation, limit_cents, set_at) VALUES ({h1}, {org}, 1, now());
    INSERT INTO grant_day (id, organisation, login, on_day, granted_cents) VALUES ({h1}, {org}, {clerk}, '2027-01-01', 0);
    INSERT INTO grant_request (id, organisation, orders, families, total_cents, state, asked_by, asked_at)
        VALUES ({h1}, {org}, '[]', 1, 1, 'asked', {clerk}, now());
"""

LIMIT = "INSERT INTO grant_limit (id, organisation, limit_cents, set_at) VALUES "
DAY = "INSERT INTO grant_day (id, organisation, login, on_day, granted_cents) VALUES "
REQUEST = (
    "INSERT INTO grant_request (id, organisation, orders, families, total_cents, state, asked_by, asked_at) VALUES "
)

CASES = [
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
