"""Every named constraint of people refuses under its own name."""

import pytest

import world
from firing import constraints_of, fires, goes_in
from leerbudget.foundation.ids import new_id

TABLES = ("organisation", "family", "person", "professional_relation", "avoid_entry")


@pytest.mark.usefixtures("world_db")
async def test_every_constraint_of_people_fires():
    """Each CHECK, UNIQUE and foreign key of these tables answers with the error that claims it; none is left out."""
    organisation, family = await world.an_organisation(), await world.a_family()
    person, worker = (await world.parents_of(family))[0], await world.a_professional()
    at = "2026-11-21T12:00:00Z"
    org = {
        "external_ref": "X",
        "name": "X",
        "kind": "provider",
        "region": "X",
        "email": "x@x.example",
        "created_at": at,
    }
    home = {"external_ref": "X", "label": "X", "organisation": organisation, "postcode4": "3511", "created_at": at}
    home |= {"family_type": "kinship", "care_forms": ["crisis"], "child_age_bands": [], "active": True}
    home |= {"first_placement_on": "2020-01-01"}
    somebody = {"number": 900, "external_ref": "X", "name": "X", "party": "community", "created_at": at}
    relation = {"family": family, "professional": worker, "starts_on": "2026-01-01"}
    entry = {"family": family, "person": worker, "created_at": at}
    attempts = [
        ("organisation_ref_once", "organisation", org, {}),
        ("organisation_kind_is_known", "organisation", org, {"kind": "x"}),
        ("family_ref_once", "family", home, {}),
        ("family_type_is_known", "family", home, {"family_type": "x"}),
        ("care_forms_are_known", "family", home, {"care_forms": ["x"]}),
        ("child_age_bands_are_known", "family", home, {"child_age_bands": ["x"]}),
        ("postcode_has_four_digits", "family", home, {"postcode4": "051"}),
        ("family_organisation_fkey", "family", home, {"organisation": new_id()}),
        (
            "person_ref_once",
            "person",
            {**somebody, "number": 901},
            {"external_ref": await a_ref(person), "number": 902},
        ),
        ("person_number_once", "person", somebody, {"number": await a_number(person)}),
        ("party_is_known", "person", somebody, {"party": "x"}),
        ("parents_have_a_family", "person", somebody, {"party": "foster_parents"}),
        ("person_family_fkey", "person", somebody, {"party": "foster_parents", "family": new_id()}),
        ("person_organisation_fkey", "person", somebody, {"organisation": new_id()}),
        ("relation_once", "professional_relation", relation, {}),
        ("relation_ends_after_start", "professional_relation", relation, {"ends_on": "2025-12-31"}),
        ("professional_relation_family_fkey", "professional_relation", relation, {"family": new_id()}),
        ("professional_relation_professional_fkey", "professional_relation", relation, {"professional": new_id()}),
        ("avoid_once", "avoid_entry", entry, {}),
        ("avoid_entry_family_fkey", "avoid_entry", entry, {"family": new_id()}),
        ("avoid_entry_person_fkey", "avoid_entry", entry, {"person": new_id()}),
    ]
    for constraint, table, good, bad in attempts:
        await goes_in(table, good)
        await fires(constraint, table, good, **bad)
    assert {attempt[0] for attempt in attempts} == await constraints_of(*TABLES)


async def a_ref(person):
    from leerbudget.people import queries

    return (await queries.person(person)).external_ref


async def a_number(person):
    from leerbudget.people import queries

    return (await queries.person(person)).number
