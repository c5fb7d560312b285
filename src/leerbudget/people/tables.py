"""Columns and named constraints of organisations, families, persons and their relations.

Never a child's name or birth date, only age bands; four digits of the postcode (reliability section 4).
"""

from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import day, flag, foreign, key, moment, one_of, text, words
from leerbudget.foundation.database import DB
from leerbudget.people.rules import CARE_FORMS, CHILD_AGE_BANDS, FAMILY_TYPES, ORGANISATION_KINDS, PARTIES


def _subset(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(repr(v) for v in values)
    return f"{column}::text[] <@ ARRAY[{listed}]::text[]"


class Organisation(Table, db=DB, tablename="organisation"):
    """A foster-care provider, municipality, certified institution or programme."""

    id = key()
    external_ref = text(60)
    name = text(200)
    kind = text(30)
    region = text(80)
    email = text(254)
    created_at = moment()

    organisation_ref_once = Unique([external_ref])
    organisation_kind_is_known = Check(one_of("kind", ORGANISATION_KINDS))


class Family(Table, db=DB, tablename="family"):
    """A foster family, guided by one provider."""

    id = key()
    external_ref = text(60)
    label = text(120)
    organisation = foreign(Organisation)
    postcode4 = text(4)
    family_type = text(30)
    care_forms = words()
    child_age_bands = words()
    first_placement_on = day()
    active = flag(default=True)
    created_at = moment()

    family_ref_once = Unique([external_ref])
    family_type_is_known = Check(one_of("family_type", FAMILY_TYPES))
    care_forms_are_known = Check(_subset("care_forms", CARE_FORMS))
    child_age_bands_are_known = Check(_subset("child_age_bands", CHILD_AGE_BANDS))
    postcode_has_four_digits = Check("postcode4 ~ '^[1-9][0-9]{3}$'")


class Person(Table, db=DB, tablename="person"):
    """Somebody who learns, teaches or works around a family. `number` is the key for overlap constraints."""

    id = key()
    number = BigSerial()
    external_ref = text(60)
    name = text(120)
    email = text(254, optional=True)
    party = text(30)
    family = foreign(Family, optional=True)
    organisation = foreign(Organisation, optional=True)
    created_at = moment()

    person_ref_once = Unique([external_ref])
    person_number_once = Unique([number])
    party_is_known = Check(one_of("party", PARTIES))
    parents_have_a_family = Check("(party = 'foster_parents') = (family IS NOT NULL)")


class ProfessionalRelation(Table, db=DB, tablename="professional_relation"):
    """Who is whose professional, and when (R65). Families hold the relation."""

    id = key()
    family = foreign(Family, index=False)
    professional = foreign(Person)
    starts_on = day()
    ends_on = day(optional=True)

    relation_once = Unique([family, professional, starts_on])
    relation_ends_after_start = Check("ends_on IS NULL OR ends_on >= starts_on")


class AvoidEntry(Table, db=DB, tablename="avoid_entry"):
    """A wish not to be together with somebody, without a reason, read only by matcher and booking checks (R66)."""

    id = key()
    family = foreign(Family, index=False)
    person = foreign(Person)
    created_at = moment()

    avoid_once = Unique([family, person])
