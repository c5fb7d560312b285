"""The verbs of people, each one statement whatever the number of rows.

Registering is an upsert by `external_ref`: a known reference with the same content is left alone, with other
content it is updated (organisations keep their own administration and send it again when a family moves). The
id of a known reference stays; ask `people.queries` for it.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.people.errors import NotAProfessional, RefTaken, RefTwice
from leerbudget.people.rules import (
    PROFESSIONAL_PARTIES,
    FamilyOrder,
    OrganisationOrder,
    PersonOrder,
    Registered,
    RelationOrder,
    repeated,
    tally,
)

_ORGANISATIONS = """
INSERT INTO organisation AS o (id, external_ref, name, kind, region, email, created_at)
SELECT id, external_ref, name, kind, region, lower(email), $2
FROM jsonb_to_recordset($1::jsonb) AS x(id uuid, external_ref text, name text, kind text, region text, email text)
ON CONFLICT (external_ref) DO UPDATE
SET name = excluded.name, kind = excluded.kind, region = excluded.region, email = excluded.email
WHERE (o.name, o.kind, o.region, o.email) IS DISTINCT FROM
      (excluded.name, excluded.kind, excluded.region, excluded.email)
RETURNING old.id IS NULL AS added
"""

_FAMILIES = """
INSERT INTO family AS f (id, external_ref, label, organisation, postcode4, family_type, care_forms,
                         child_age_bands, first_placement_on, active, created_at)
SELECT id, external_ref, label, organisation, postcode4, family_type, care_forms, child_age_bands,
       first_placement_on, active, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, label text, organisation uuid, postcode4 text, family_type text, care_forms text[],
  child_age_bands text[], first_placement_on date, active boolean)
ON CONFLICT (external_ref) DO UPDATE
SET label = excluded.label, organisation = excluded.organisation, postcode4 = excluded.postcode4,
    family_type = excluded.family_type, care_forms = excluded.care_forms,
    child_age_bands = excluded.child_age_bands, first_placement_on = excluded.first_placement_on,
    active = excluded.active
WHERE (f.label, f.organisation, f.postcode4, f.family_type, f.care_forms, f.child_age_bands,
       f.first_placement_on, f.active) IS DISTINCT FROM
      (excluded.label, excluded.organisation, excluded.postcode4, excluded.family_type, excluded.care_forms,
       excluded.child_age_bands, excluded.first_placement_on, excluded.active)
RETURNING old.id IS NULL AS added
"""

_PERSONS = """
INSERT INTO person AS p (id, external_ref, name, email, party, family, organisation, created_at)
SELECT id, external_ref, name, lower(email), party, family, organisation, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, name text, email text, party text, family uuid, organisation uuid)
ON CONFLICT (external_ref) DO UPDATE
SET name = excluded.name, email = excluded.email, organisation = excluded.organisation
WHERE (p.name, p.email, p.organisation) IS DISTINCT FROM (excluded.name, excluded.email, excluded.organisation)
RETURNING old.id IS NULL AS added
"""

_OTHERS = """
SELECT array_agg(p.external_ref ORDER BY p.external_ref)
FROM jsonb_to_recordset($1::jsonb) AS x(external_ref text, party text, family uuid)
JOIN person p ON p.external_ref = x.external_ref
WHERE p.party <> x.party OR p.family IS DISTINCT FROM x.family
"""

_RELATIONS = """
INSERT INTO professional_relation AS r (id, family, professional, starts_on, ends_on)
SELECT id, family, professional, starts_on, ends_on
FROM jsonb_to_recordset($1::jsonb) AS x(id uuid, family uuid, professional uuid, starts_on date, ends_on date)
ON CONFLICT (family, professional, starts_on) DO UPDATE SET ends_on = excluded.ends_on
WHERE r.ends_on IS DISTINCT FROM excluded.ends_on
RETURNING old.id IS NULL AS added
"""


async def register_organisations(orders: Sequence[OrganisationOrder]) -> Registered:
    """Add or update organisations by reference.

    Raises:
        RefTwice: a reference occurs twice among the orders.
        UnknownCode: a kind outside the closed list.
    """
    _once([order.external_ref for order in orders])
    return await _upsert(_ORGANISATIONS, orders, clock.now())


async def register_families(orders: Sequence[FamilyOrder]) -> Registered:
    """Add or update families by reference.

    Raises:
        RefTwice: a reference occurs twice among the orders.
        UnknownCode: a family type, care form or age band outside the closed lists.
        PostcodeNotValid: not four digits.
        PeopleUnknown: an organisation that does not exist.
    """
    _once([order.external_ref for order in orders])
    return await _upsert(_FAMILIES, orders, clock.now())


async def register_persons(orders: Sequence[PersonOrder]) -> Registered:
    """Add or update persons by reference: parents, professionals, trainers and others around a family.

    Raises:
        RefTwice: a reference occurs twice among the orders.
        RefTaken: a reference stands for somebody of another party or family; nobody changes side by a file.
        UnknownCode: a party outside the closed list.
        ParentsHaveAFamily: a parent without a family, or a family on somebody else.
        PeopleUnknown: a family or organisation that does not exist.
    """
    _once([order.external_ref for order in orders])
    async with together():
        taken = await fetch_value(_OTHERS, msgspec.json.encode(orders).decode())
        if taken:
            raise RefTaken(refs=taken)
        return await _upsert(_PERSONS, orders, clock.now())


async def register_professionals(orders: Sequence[PersonOrder]) -> Registered:
    """Add or update foster-care workers and guardian workers by reference.

    Raises:
        NotAProfessional: an order with another party.
        RefTwice: a reference occurs twice among the orders.
        PeopleUnknown: an organisation that does not exist.
    """
    others = [order.external_ref for order in orders if order.party not in PROFESSIONAL_PARTIES]
    if others:
        raise NotAProfessional(refs=others)
    return await register_persons(orders)


async def relate_many(orders: Sequence[RelationOrder]) -> Registered:
    """Note who works with which family, and until when (R65). The same relation again updates its end.

    Raises:
        NotAProfessional: somebody who is neither foster-care worker nor guardian worker.
        RelationNotValid: an end before the start.
        PeopleUnknown: a family or person that does not exist.
    """
    async with together():
        wrong = await fetch_value(
            "SELECT array_agg(id) FROM person WHERE id = ANY($1::uuid[]) AND party <> ALL($2::text[])",
            list({order.professional for order in orders}),
            list(PROFESSIONAL_PARTIES),
        )
        if wrong:
            raise NotAProfessional(persons=wrong)
        return await _upsert(_RELATIONS, orders)


async def relate(family: UUID, professional: UUID, starts_on: date, ends_on: date | None = None) -> None:
    """Note that this professional works with this family (R65).

    Raises:
        NotAProfessional: somebody who is neither foster-care worker nor guardian worker.
        RelationNotValid: an end before the start.
        PeopleUnknown: a family or person that does not exist.
    """
    await relate_many([RelationOrder(new_id(), family, professional, starts_on, ends_on)])


async def end_relations(family: UUID, professional: UUID, ends_on: date) -> int:
    """End every running relation of the two on a day; the number that ended. They stay apart a year longer (R65).

    Raises:
        RelationNotValid: a relation starts after that day.
    """
    return await execute(
        "UPDATE professional_relation SET ends_on = $3 WHERE family = $1 AND professional = $2 AND ends_on IS NULL",
        family,
        professional,
        ends_on,
    )


async def avoid(family: UUID, person: UUID) -> None:
    """Keep this family and this person out of one room, without a reason (R66). Asking twice is asking once.

    Raises:
        PeopleUnknown: a family or person that does not exist.
    """
    await avoid_many([(family, person)])


async def avoid_many(pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Keep families and persons apart (R66): pairs of family and person.

    Raises:
        PeopleUnknown: a family or person that does not exist.
    """
    await execute(
        """INSERT INTO avoid_entry (id, family, person, created_at)
           SELECT id, family, person, $4 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS x(id, family, person)
           ON CONFLICT (family, person) DO NOTHING""",
        [new_id() for _ in pairs],
        [family for family, _ in pairs],
        [person for _, person in pairs],
        clock.now(),
    )


async def stop_avoiding(family: UUID, person: UUID) -> None:
    """Take back the wish not to meet somebody; nothing happens when there was none."""
    await execute("DELETE FROM avoid_entry WHERE family = $1 AND person = $2", family, person)


async def _upsert(sql: str, orders: Sequence[object], *arguments: object) -> Registered:
    rows = await fetch_all(sql, msgspec.json.encode(orders).decode(), *arguments)
    return tally([row["added"] for row in rows], len(orders))


def _once(refs: Sequence[str]) -> None:
    twice = repeated(refs)
    if twice:
        raise RefTwice(refs=", ".join(twice[:20]))
