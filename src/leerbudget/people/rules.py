"""Closed lists and pure rules about families and people (requirements 4.3, 4.6)."""

from datetime import date

ORGANISATION_KINDS = ("provider", "municipality", "certified_institution", "programme")
FAMILY_TYPES = ("recruited", "kinship", "kinship_grandparent")
CARE_FORMS = ("full_time_long", "full_time_temporary", "part_time", "crisis")
CHILD_AGE_BANDS = ("a0_3", "a4_8", "a9_11", "a12_15", "a16_17", "a18_20")
EXPERIENCE_BANDS = ("lt1", "y1_3", "y3_10", "gt10")
PARTIES = ("foster_parents", "parents", "foster_care_workers", "guardian_workers", "trainers", "community")


def experience_years(first_placement_on: date, on: date) -> float:
    """Years of experience on a day, in tenths; 0 before the first placement (requirements 4.3)."""
    return max(0.0, round((on - first_placement_on).days / 365.25, 1))


def experience_band(years: float) -> str:
    """The band of requirements 4.3 that holds so many years."""
    if years < 1:
        return "lt1"
    if years < 3:
        return "y1_3"
    return "y3_10" if years <= 10 else "gt10"
