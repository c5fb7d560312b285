"""Closed lists and pure rules about families and people (requirements 4.3, 4.6).

The lists have one source, `leerbudget.matcher.vocabulary`; here they are plain strings for tables and checks.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from leerbudget.matcher.vocabulary import CareForm, ChildAgeBand, FamilyType, Party
from leerbudget.matcher.vocabulary import experience_band as band_of

ORGANISATION_KINDS = ("provider", "municipality", "certified_institution", "programme")
FAMILY_TYPES = tuple(value.value for value in FamilyType)
CARE_FORMS = tuple(value.value for value in CareForm)
CHILD_AGE_BANDS = tuple(value.value for value in ChildAgeBand)
PARTIES = tuple(value.value for value in Party)
PROFESSIONAL_PARTIES = ("foster_care_workers", "guardian_workers")
"""Parties whose members can be a family's own professional (R65)."""

SMALLEST_GROUP = 5
"""Counts and amounts of fewer families are not shown (R35, reliability section 4)."""

SEPARATION_MONTHS = 12
"""So long after the relation ended a professional still counts as the family's own (R65; the number is our choice)."""


@dataclass(frozen=True, slots=True)
class OrganisationOrder:
    """An organisation to register; `external_ref` is its key in the files of whoever sends it."""

    id: UUID
    external_ref: str
    name: str
    kind: str
    region: str
    email: str


@dataclass(frozen=True, slots=True)
class FamilyOrder:
    """A family to register: no child's name or birth date, only age bands (reliability section 4)."""

    id: UUID
    external_ref: str
    label: str
    organisation: UUID
    postcode4: str
    family_type: str
    care_forms: tuple[str, ...]
    child_age_bands: tuple[str, ...]
    first_placement_on: date
    active: bool = True


@dataclass(frozen=True, slots=True)
class PersonOrder:
    """Somebody to register: a parent (with a family) or somebody who works around families (without)."""

    id: UUID
    external_ref: str
    name: str
    email: str | None
    party: str
    family: UUID | None = None
    organisation: UUID | None = None


@dataclass(frozen=True, slots=True)
class RelationOrder:
    """This professional works with this family from `starts_on` until and including `ends_on` (None: still)."""

    id: UUID
    family: UUID
    professional: UUID
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What a set of orders did: rows that came, that changed, and that were already so."""

    added: int
    changed: int
    unchanged: int


def experience_years(first_placement_on: date, on: date) -> float:
    """Years of experience on a day, in tenths; 0 before the first placement (requirements 4.3)."""
    return max(0.0, round((on - first_placement_on).days / 365.25, 1))


def experience_band(years: float) -> str:
    """The band of requirements 4.3 that holds so many years."""
    return band_of(years).value


def separated_since(on: date, months: int = SEPARATION_MONTHS) -> date:
    """The day so many months before `on`: a relation that ended on it or later still separates (R65).

    The last day of the month stands in where the day does not exist (31 March minus one month: 28 February).
    """
    year, month = divmod(on.year * 12 + on.month - 1 - months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def separates(ends_on: date | None, on: date) -> bool:
    """Whether a relation with that end keeps family and professional apart on a day (R65).

    A relation that is known to start later separates already: they are about to work together.
    """
    return ends_on is None or ends_on >= separated_since(on)


def repeated(refs: Iterable[str]) -> list[str]:
    """The references that occur more than once, in order of first repetition."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for ref in refs:
        if ref in seen:
            twice[ref] = None
        seen.add(ref)
    return list(twice)


def tally(added: Sequence[bool], asked: int) -> Registered:
    """What an upsert did, from one flag per row that was touched (True: it is new) out of `asked` rows."""
    return Registered(added=sum(added), changed=len(added) - sum(added), unchanged=asked - len(added))
