"""What can be asked about people. Reads of one thing raise `NotFound`; sets come in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.errors import NotFound
from leerbudget.people.rules import separated_since


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as shown."""

    id: UUID
    external_ref: str
    name: str
    kind: str
    region: str
    email: str


@dataclass(frozen=True, slots=True)
class FamilyView:
    """A family as its own pages, its organisation and the matcher know it."""

    id: UUID
    external_ref: str
    label: str
    organisation: UUID
    organisation_name: str
    postcode4: str
    family_type: str
    care_forms: tuple[str, ...]
    child_age_bands: tuple[str, ...]
    first_placement_on: date
    active: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person; `number` is the key of the overlap constraint (one meeting at a time)."""

    id: UUID
    number: int
    external_ref: str
    name: str
    email: str | None
    party: str
    family: UUID | None
    organisation: UUID | None


@dataclass(frozen=True, slots=True)
class RelationView:
    """A professional of a family and the period."""

    id: UUID
    family: UUID
    professional: UUID
    professional_name: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Whom a family must not meet: own professionals (R65) and people it rather avoids (R66)."""

    professionals: frozenset[UUID]
    avoided: frozenset[UUID]


_FAMILY = """
SELECT f.id, f.external_ref, f.label, f.organisation, o.name AS organisation_name, f.postcode4, f.family_type,
       f.care_forms, f.child_age_bands, f.first_placement_on, f.active
FROM family f JOIN organisation o ON o.id = f.organisation
"""
_PERSON = "SELECT id, number, external_ref, name, email, party, family, organisation FROM person"
_ORGANISATION = "SELECT id, external_ref, name, kind, region, email FROM organisation"


async def organisation(id: UUID) -> OrganisationView:  # noqa: A002 - the word of the house for a key
    """One organisation.

    Raises:
        NotFound: there is none with that id.
    """
    return OrganisationView(**_found(await fetch_one(f"{_ORGANISATION} WHERE id = $1", id)))


async def organisations() -> list[OrganisationView]:
    """All organisations by name (some hundreds at national size)."""
    return [OrganisationView(**row) for row in await fetch_all(f"{_ORGANISATION} ORDER BY name, id")]


async def family(id: UUID) -> FamilyView:  # noqa: A002 - as above
    """One family.

    Raises:
        NotFound: there is none with that id.
    """
    return _family(_found(await fetch_one(f"{_FAMILY} WHERE f.id = $1", id)))


async def families(ids: Iterable[UUID]) -> dict[UUID, FamilyView]:
    """The families with these ids; unknown ids are absent."""
    rows = await fetch_all(f"{_FAMILY} WHERE f.id = ANY($1::uuid[])", list(ids))
    return {row["id"]: _family(row) for row in rows}


async def families_of(organisation: UUID, *, after: UUID | None = None, limit: int = 50) -> list[FamilyView]:
    """A page of an organisation's families in order of registration; `after` is the last id of the page before."""
    rows = await fetch_all(
        f"""{_FAMILY} WHERE f.organisation = $1 AND ($2::uuid IS NULL OR f.id > $2) ORDER BY f.id LIMIT $3""",
        organisation,
        after,
        limit,
    )
    return [_family(row) for row in rows]


async def all_families() -> list[FamilyView]:
    """Every family, by reference: for exports."""
    return [_family(row) for row in await fetch_all(f"{_FAMILY} ORDER BY f.external_ref")]


async def person(id: UUID) -> PersonView:  # noqa: A002 - as above
    """One person.

    Raises:
        NotFound: there is none with that id.
    """
    return PersonView(**_found(await fetch_one(f"{_PERSON} WHERE id = $1", id)))


async def persons(ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """The persons with these ids; unknown ids are absent."""
    rows = await fetch_all(f"{_PERSON} WHERE id = ANY($1::uuid[])", list(ids))
    return {row["id"]: PersonView(**row) for row in rows}


async def persons_of(family: UUID) -> list[PersonView]:
    """The foster parents of a family, in order of registration."""
    return [PersonView(**row) for row in await fetch_all(f"{_PERSON} WHERE family = $1 ORDER BY number", family)]


async def persons_by_party(parties: Sequence[str]) -> list[PersonView]:
    """Everybody of these parties, by reference: for exports and for giving logins."""
    rows = await fetch_all(f"{_PERSON} WHERE party = ANY($1::text[]) ORDER BY external_ref", list(parties))
    return [PersonView(**row) for row in rows]


async def without_family(who: str) -> list[UUID]:
    """Everybody without a family with this e-mail address (in any case) or this external reference."""
    rows = await fetch_all(
        "SELECT id FROM person WHERE family IS NULL AND (email = lower($1) OR external_ref = $1) ORDER BY number", who
    )
    return [row["id"] for row in rows]


async def organisation_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of organisations by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM organisation WHERE external_ref = ANY($1::text[])", refs)


async def family_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of families by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM family WHERE external_ref = ANY($1::text[])", refs)


async def person_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of persons by external reference; unknown references are absent."""
    return await _ids("SELECT external_ref, id FROM person WHERE external_ref = ANY($1::text[])", refs)


async def refs_by_email(emails: Iterable[str]) -> dict[str, set[str]]:
    """External references of the persons with these addresses (lower case); unknown addresses are absent."""
    rows = await fetch_all(
        "SELECT email, external_ref FROM person WHERE email = ANY($1::text[]) ORDER BY external_ref", list(emails)
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["email"], set()).add(row["external_ref"])
    return found


async def relations_of(family: UUID) -> list[RelationView]:
    """A family's professionals, for the family itself (families hold the relation, R65)."""
    rows = await fetch_all(
        """SELECT r.id, r.family, r.professional, p.name AS professional_name, r.starts_on, r.ends_on
           FROM professional_relation r JOIN person p ON p.id = r.professional
           WHERE r.family = $1 ORDER BY r.starts_on, p.name, r.id""",
        family,
    )
    return [RelationView(**row) for row in rows]


async def avoided_by(family: UUID) -> list[PersonView]:
    """Whom a family rather does not meet: for the family's own page and its own data export, nobody else (R66)."""
    rows = await fetch_all(
        f"{_PERSON} WHERE id IN (SELECT person FROM avoid_entry WHERE family = $1) ORDER BY name, id", family
    )
    return [PersonView(**row) for row in rows]


async def professionals_and_avoided(family_ids: Iterable[UUID], *, on: date | None = None) -> dict[UUID, Apart]:
    """Whom each family must not meet on a day (today): only for the matcher and booking checks (R65, R66).

    Own professionals include those of the last `SEPARATION_MONTHS` months. Families without anybody are absent.
    """
    rows = await fetch_all(
        """SELECT family, professional AS person, true AS own FROM professional_relation
           WHERE family = ANY($1::uuid[]) AND (ends_on IS NULL OR ends_on >= $2)
           UNION SELECT family, person, false FROM avoid_entry WHERE family = ANY($1::uuid[])""",
        list(family_ids),
        separated_since(on or clock.today()),
    )
    own: dict[UUID, set[UUID]] = {}
    avoided: dict[UUID, set[UUID]] = {}
    for row in rows:
        (own if row["own"] else avoided).setdefault(row["family"], set()).add(row["person"])
    return {
        family: Apart(frozenset(own.get(family, ())), frozenset(avoided.get(family, ())))
        for family in own.keys() | avoided.keys()
    }


async def must_not_meet(family: UUID, session_people: Iterable[UUID], *, on: date | None = None) -> bool:
    """Whether anybody among these people is the family's own professional or on its avoid list (I7).

    Says yes or no, never who or why: the refusal must not reveal a relation (R65).
    """
    return await any_must_not_meet([family], session_people, on=on)


async def any_must_not_meet(
    families: Iterable[UUID], session_people: Iterable[UUID], *, on: date | None = None
) -> bool:
    """Whether any of these families must not meet any of these people: for a professional who joins (I7)."""
    found: bool = await fetch_value(
        """SELECT EXISTS (SELECT FROM professional_relation
                          WHERE family = ANY($1::uuid[]) AND professional = ANY($2::uuid[])
                            AND (ends_on IS NULL OR ends_on >= $3))
               OR EXISTS (SELECT FROM avoid_entry WHERE family = ANY($1::uuid[]) AND person = ANY($2::uuid[]))""",
        list(families),
        list(session_people),
        separated_since(on or clock.today()),
    )
    return found


async def _ids(sql: str, refs: Iterable[str]) -> dict[str, UUID]:
    return {row["external_ref"]: row["id"] for row in await fetch_all(sql, list(refs))}


def _found(row: Any | None) -> Any:
    if row is None:
        raise NotFound
    return row


def _family(row: Any) -> FamilyView:
    bands = tuple(row["child_age_bands"])
    return FamilyView(**{**row, "care_forms": tuple(row["care_forms"]), "child_age_bands": bands})
