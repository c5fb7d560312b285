"""Roles, and what each may do: plain values in, plain values out."""

ROLES = (
    "foster_parent",
    "foster_care_worker",
    "guardian_worker",
    "trainer",
    "organisation_finance",
    "organisation_admin",
    "municipality_viewer",
    "coordinator",
    "platform_admin",
)
"""Closed list of roles (requirements 4.6, reliability section 4)."""
