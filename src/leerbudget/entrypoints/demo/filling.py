"""Fills an empty database with the fictional Netherlands: files through the importers, the rest through actions.

What an organisation would import comes from CSV files. What people enter themselves - when they can come,
how far they travel, what they want to learn, whom they would rather not meet - goes through the same
actions as the pages use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.files.importing import import_bytes, read_file
from leerbudget.fictional.families import childcare
from leerbudget.fictional.world import Family, Professional, Wish, World
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions as identity
from leerbudget.identity.actions import LoginOrder
from leerbudget.payments import actions as payments
from leerbudget.people import actions as people
from leerbudget.people import queries as people_queries
from leerbudget.trainers import queries as trainers
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import ExceptionOrder, PreferenceOrder, WeekOrder, WishOrder

COORDINATOR = "coordinator@leerbudget.example"
CASHIER = "kas@leerbudget.example"
"""The coordinator of the programme, and the second pair of eyes that confirms what came in at the bank."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids behind the references of the world."""

    organisations: dict[str, UUID]
    families: dict[str, UUID]
    persons: dict[str, UUID]
    trainers: dict[str, UUID]
    sessions: dict[str, UUID]
    wishes: dict[str, UUID]


async def know(world: World) -> Ids:
    """Look up what the importers made, and choose an id for every wish."""
    return Ids(
        organisations=await people_queries.organisation_ids(o.ref for o in world.organisations),
        families=await people_queries.family_ids(f.ref for f in world.families),
        persons=await people_queries.person_ids(
            [p.ref for f in world.families for p in f.parents]
            + [p.ref for p in world.professionals]
            + [t.ref for t in world.trainers]
        ),
        trainers=await trainers.trainer_ids(t.ref for t in world.trainers),
        sessions=await catalogue.session_ids(s.ref for s in world.sessions),
        wishes={wish.ref: new_id() for wish in world.wishes},
    )


async def import_files(files: Sequence[Path], world: World) -> dict[str, UUID]:
    """Import what organisations import; before the grants the money comes in. Logins of organisations by e-mail."""
    paths = {path.stem: path for path in files}
    logins: dict[str, UUID] = {}
    for kind in ("organisations", "families", "professionals", "trainers", "courses", "tariffs", "sessions", "grants"):
        if kind == "grants":
            organisations = await people_queries.organisation_ids(o.ref for o in world.organisations)
            logins = await give_organisations_logins(world, organisations)
            await top_up(world, organisations, logins)
        await import_bytes(kind, read_file(paths[kind]))
    return logins


async def give_organisations_logins(world: World, organisations: dict[str, UUID]) -> dict[str, UUID]:
    """Give the organisations' finance officers, the coordinator and the cashier their logins: login by e-mail."""
    orders = [
        LoginOrder(new_id(), o.email, None, (("organisation_finance", organisations[o.ref]),))
        for o in world.organisations
    ]
    orders.append(LoginOrder(new_id(), COORDINATOR, None, (("coordinator", None),)))
    orders.append(LoginOrder(new_id(), CASHIER, None, (("coordinator", None), ("platform_admin", None))))
    return await identity.give_logins(orders)


async def top_up(world: World, organisations: dict[str, UUID], logins: dict[str, UUID]) -> int:
    """Every organisation asks for a bank reference and pays; the cashier confirms. The cents that came in."""
    emails = {o.ref: o.email for o in world.organisations}
    for order in world.top_ups:
        top_up_id = new_id()
        await payments.request_top_up(
            top_up_id,
            organisations[order.organisation_ref],
            order.amount_cents,
            order.reference[:60],
            actor=logins[emails[order.organisation_ref]],
        )
        await payments.confirm_top_up(top_up_id, clock.today(), actor=logins[CASHIER])
    return sum(order.amount_cents for order in world.top_ups)


async def give_people_logins(world: World, ids: Ids) -> None:
    """Parents, professionals and admitted trainers can log in."""
    parents = [
        LoginOrder(new_id(), p.email, ids.persons[p.ref], (("foster_parent", ids.families[f.ref]),))
        for f in world.families
        for p in f.parents
    ]
    workers = [
        LoginOrder(new_id(), p.email, ids.persons[p.ref], ((p.role, ids.organisations[p.organisation_ref]),))
        for p in world.professionals
    ]
    pool = [
        LoginOrder(new_id(), t.email, ids.persons[t.ref], (("trainer", ids.trainers[t.ref]),))
        for t in world.trainers
        if t.state == "admitted"
    ]
    await identity.give_logins(parents + workers + pool)


async def state_wishes(world: World, ids: Ids) -> int:
    """Parents and professionals enter when they can come, how far they travel, and what they want. The wishes."""
    parents = [parent for family in world.families for parent in family.parents]
    await wishes.set_weeks(
        [WeekOrder(ids.persons[p.ref], p.week) for p in parents]
        + [WeekOrder(ids.persons[p.ref], p.week) for p in world.professionals]
    )
    await wishes.add_exceptions(
        [ExceptionOrder(new_id(), ids.persons[p.ref], start, end) for p in parents for start, end in p.blocked]
    )
    await wishes.set_preferences(
        [_family_preference(family, ids) for family in world.families]
        + [_professional_preference(professional, ids) for professional in world.professionals]
    )
    await people.avoid_many(
        [(ids.families[family.ref], ids.persons[ref]) for family in world.families for ref in family.avoid_refs]
    )
    return await wishes.state_many([wish_order(wish, ids) for wish in world.wishes], actor=None)


def _family_preference(family: Family, ids: Ids) -> PreferenceOrder:
    return PreferenceOrder(
        family=ids.families[family.ref],
        professional=None,
        postcode4=family.pc4,
        travel_minutes_max=family.travel_minutes_max,
        online_ok=family.online_ok,
        max_placements=family.places_max,
        childcare_need=family.childcare_need,
        childcare=childcare(family) if family.childcare_need == "needs_place" else {},
    )


def _professional_preference(professional: Professional, ids: Ids) -> PreferenceOrder:
    return PreferenceOrder(
        family=None,
        professional=ids.persons[professional.ref],
        postcode4=professional.pc4,
        travel_minutes_max=professional.travel_minutes_max,
        online_ok=False,
    )


def wish_order(wish: Wish, ids: Ids) -> WishOrder:
    """A made-up wish as its writer enters it."""
    persons = tuple(ids.persons[ref] for ref in wish.person_refs)
    return WishOrder(
        id=ids.wishes[wish.ref],
        family=ids.families.get(wish.seeker_ref),
        stated_by=persons[0],
        persons=persons,
        theme=wish.theme,
        forms=wish.forms,
        rank=wish.rank,
        urgent=wish.urgent,
        situation=wish.situation,
        wants_to_learn=wish.wants_to_learn,
    )
