"""Registering in sets, and keeping apart who must not meet."""

from datetime import date, timedelta

import pytest

import world
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_value
from leerbudget.foundation.errors import NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.people import actions, queries
from leerbudget.people.errors import (
    NotAProfessional,
    ParentsHaveAFamily,
    PeopleUnknown,
    PostcodeNotValid,
    RefTaken,
    RefTwice,
    UnknownCode,
)
from leerbudget.people.rules import FamilyOrder, OrganisationOrder, PersonOrder, Registered, RelationOrder

pytestmark = pytest.mark.usefixtures("world_db")


def an_order(owner, **changes):
    values = {
        "id": new_id(),
        "external_ref": "F1",
        "label": "Gezin 1 (fictief)",
        "organisation": owner,
        "postcode4": "3511",
        "family_type": "kinship",
        "care_forms": ("crisis", "part_time"),
        "child_age_bands": ("a0_3",),
        "first_placement_on": date(2020, 5, 1),
    }
    return FamilyOrder(**(values | changes))


async def test_the_same_family_twice_changes_nothing_and_other_content_updates_it():
    """A known reference keeps its id: the same content is left alone, other content replaces the old."""
    organisation = await world.an_organisation()
    first = an_order(organisation)
    assert await actions.register_families([first]) == Registered(1, 0, 0)
    assert await actions.register_families([an_order(organisation)]) == Registered(0, 0, 1)
    assert await actions.register_families([an_order(organisation, postcode4="1011")]) == Registered(0, 1, 0)
    stored = await queries.family(first.id)
    assert (stored.postcode4, stored.care_forms, stored.child_age_bands) == ("1011", ("crisis", "part_time"), ("a0_3",))


async def test_families_come_in_sets():
    """5,000 families are one statement; who is known is told apart from who is new."""
    organisation = await world.an_organisation()
    orders = [an_order(organisation, id=new_id(), external_ref=f"F{n}") for n in range(5_000)]
    assert await actions.register_families(orders[:10]) == Registered(10, 0, 0)
    assert await actions.register_families(orders) == Registered(4_990, 0, 10)
    assert len(await queries.family_ids(order.external_ref for order in orders)) == 5_000
    page = await queries.families_of(organisation, limit=20)
    following = await queries.families_of(organisation, after=page[-1].id, limit=20)
    assert len({family.id for family in [*page, *following]}) == 40


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"family_type": "neighbours"}, UnknownCode),
        ({"care_forms": ("weekend",)}, UnknownCode),
        ({"child_age_bands": ("a5",)}, UnknownCode),
        ({"postcode4": "0511"}, PostcodeNotValid),
        ({"organisation": new_id()}, PeopleUnknown),
    ],
)
async def test_one_impossible_family_keeps_all_families_out(changes, error):
    """A value outside a closed list refuses the whole set."""
    organisation = await world.an_organisation()
    orders = [an_order(organisation, external_ref="F8"), an_order(organisation, external_ref="F9", **changes)]
    with pytest.raises(error):
        await actions.register_families(orders)
    assert await queries.family_ids(["F8", "F9"]) == {}


async def test_a_reference_stands_once_in_a_set():
    """The same reference twice in one set is refused, whatever the content."""
    organisation = await world.an_organisation()
    with pytest.raises(RefTwice, match="F1"):
        await actions.register_families([an_order(organisation), an_order(organisation)])


async def test_nobody_changes_side_by_a_file():
    """A reference of a parent cannot become a professional's, nor move to another family."""
    family, other = await world.a_family(), await world.a_family()
    parent = (await queries.persons_of(family))[0]
    for party, whose in (("guardian_workers", None), ("foster_parents", other)):
        order = PersonOrder(new_id(), parent.external_ref, "Iemand (fictief)", None, party, whose)
        with pytest.raises(RefTaken):
            await actions.register_persons([order])
    assert await queries.person(parent.id) == parent


async def test_a_foster_parent_has_a_family():
    """A parent without a family is refused, and so is anybody else with one."""
    family = await world.a_family()
    for party, whose in (("foster_parents", None), ("trainers", family)):
        with pytest.raises(ParentsHaveAFamily):
            await actions.register_persons([PersonOrder(new_id(), "P1", "Iemand (fictief)", None, party, whose)])


async def test_only_professionals_are_registered_as_such():
    """Somebody of another party is no professional, and is nobody's professional."""
    trainer = await world.a_trainer()
    family = await world.a_family()
    with pytest.raises(NotAProfessional):
        await actions.register_professionals([PersonOrder(new_id(), "P1", "Iemand (fictief)", None, "trainers")])
    with pytest.raises(NotAProfessional):
        await actions.relate(family, trainer[1], date(2026, 1, 1))


async def test_what_is_not_there_is_not_found():
    """Unknown ids look the same everywhere: not found."""
    for read in (queries.family, queries.person, queries.organisation):
        with pytest.raises(NotFound):
            await read(new_id())


async def test_own_professionals_and_avoided_people_are_kept_apart():
    """R65 and R66: a running relation, one that ended within a year, and the avoid list count; nothing else does."""
    today = clock.today()
    family, stranger = await world.a_family(), await world.a_family()
    running, recent, old, later = [await world.a_professional() for _ in range(4)]
    trainer = (await world.a_trainer())[1]
    await actions.relate(family, running, today - timedelta(days=900))
    await actions.relate(family, recent, today - timedelta(days=900), today - timedelta(days=300))
    await actions.relate(family, old, today - timedelta(days=900), today - timedelta(days=400))
    await actions.relate(family, later, today + timedelta(days=30))
    await actions.avoid(family, trainer)
    apart = await queries.professionals_and_avoided([family, stranger])
    assert apart == {family: queries.Apart(frozenset({running, recent, later}), frozenset({trainer}))}
    for person, kept in ((running, True), (recent, True), (later, True), (trainer, True), (old, False)):
        assert await queries.must_not_meet(family, [person]) is kept
        assert await queries.must_not_meet(stranger, [person]) is False
        assert await queries.any_must_not_meet([stranger, family], [person]) is kept
    assert await queries.must_not_meet(family, []) is False


async def test_an_ended_relation_keeps_its_family_apart_for_a_year():
    """Ending a relation does not open the door at once (R65)."""
    family = await world.a_family()
    worker = await world.a_professional(families=[family])
    today = clock.today()
    assert await actions.end_relations(family, worker, today) == 1
    assert await actions.end_relations(family, worker, today) == 0
    assert await queries.must_not_meet(family, [worker])
    assert not await queries.must_not_meet(family, [worker], on=today + timedelta(days=400))
    assert [relation.ends_on for relation in await queries.relations_of(family)] == [today]


async def test_the_same_relation_again_updates_its_end():
    """Family, professional and first day are the key of a relation."""
    family, worker = await world.a_family(), await world.a_professional()
    order = RelationOrder(new_id(), family, worker, date(2025, 1, 1))
    ended = RelationOrder(new_id(), family, worker, date(2025, 1, 1), date(2025, 6, 1))
    assert await actions.relate_many([order]) == Registered(1, 0, 0)
    assert await actions.relate_many([order]) == Registered(0, 0, 1)
    assert await actions.relate_many([ended]) == Registered(0, 1, 0)


async def test_avoiding_twice_is_avoiding_once_and_can_be_taken_back():
    """The avoid list holds a person once, asks no reason, and is emptied without a trace (R66)."""
    family, person = await world.a_family(), (await world.a_trainer())[1]
    await actions.avoid(family, person)
    await actions.avoid(family, person)
    assert [p.id for p in await queries.avoided_by(family)] == [person]
    await actions.stop_avoiding(family, person)
    await actions.stop_avoiding(family, person)
    assert not await queries.must_not_meet(family, [person])
    assert await fetch_value("SELECT count(*) FROM avoid_entry") == 0
    columns = await fetch_value(
        "SELECT array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns"
        " WHERE table_name = 'avoid_entry'"
    )
    assert columns == ["created_at", "family", "id", "person"]


async def test_addresses_are_kept_in_lower_case():
    """One address, one way of writing it."""
    await actions.register_organisations(
        [OrganisationOrder(new_id(), "O1", "Pleegzorg (fictief)", "provider", "Regio", "Kas@Fictief.Example")]
    )
    assert [o.email for o in await queries.organisations()] == ["kas@fictief.example"]
    worker = await world.a_professional()
    address = (await queries.person(worker)).email
    assert await queries.refs_by_email([address, "niemand@fictief.example"]) == {
        address: {(await queries.person(worker)).external_ref}
    }


async def test_a_nul_byte_never_reaches_the_database():
    """What PostgreSQL cannot keep is invalid input, not a crash."""
    from leerbudget.foundation.errors import InvalidInput

    organisation = await world.an_organisation()
    with pytest.raises(InvalidInput):
        await actions.register_families([an_order(organisation, label="Gezin\x00")])
    assert await execute("DELETE FROM family") == 0
