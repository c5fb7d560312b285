"""Many made-up families with money and a login, and sessions for them, in a handful of statements."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import world
from leerbudget.budgets.actions import grant_many
from leerbudget.budgets.rules import GrantOrder
from leerbudget.catalogue.actions import publish_sessions
from leerbudget.catalogue.rules import SessionOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.identity.rules import token_sha256
from leerbudget.payments import actions as payments
from leerbudget.payments.rules import TOP_UP_CENTS_MIN
from leerbudget.people.actions import register_families, register_persons
from leerbudget.people.rules import FamilyOrder, PersonOrder

PRICE_CENTS = 1_000
SLOTS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent of a family of one or two, and what logs the parent in."""

    family: UUID
    person: UUID
    token: str
    email: str


@dataclass(frozen=True, slots=True)
class Professional:
    """Somebody without a family."""

    person: UUID
    email: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One booking to make."""

    parent: Parent
    session: UUID


async def parents(count: int, *, each_family: int = 1, budget_cents: int = 500_000) -> list[Parent]:
    """So many parents, `each_family` to a family; every family has one budget."""
    organisation = await world.an_organisation()
    families = [new_id() for _ in range(-(-count // each_family))]
    await paid_top_up(organisation, max(TOP_UP_CENTS_MIN, len(families) * budget_cents))
    since, mark = clock.today() - timedelta(days=900), new_id().hex[-8:]
    traits = ("3511", "recruited", ("full_time_long",), ("a4_8",), since)
    await register_families(
        [FamilyOrder(f, f"{mark}-{n}", f"Gezin {n} (fictief)", organisation, *traits) for n, f in enumerate(families)]
    )
    made = [
        Parent(families[n // each_family], new_id(), secrets.token_urlsafe(32), f"{mark}-{n}@fictief.example")
        for n in range(count)
    ]
    await register_persons(
        [
            PersonOrder(p.person, f"{mark}-{n}", f"Ouder {n} (fictief)", p.email, "foster_parents", p.family, None)
            for n, p in enumerate(made)
        ]
    )
    starts, ends = clock.today() - timedelta(days=1), clock.today() + timedelta(days=360)
    await grant_many(
        [
            GrantOrder(new_id(), f"{mark}-{n}", family, organisation, budget_cents, starts, ends)
            for n, family in enumerate(families)
        ],
        actor=None,
    )
    return made


async def professionals(count: int, party: str = "foster_care_workers") -> list[Professional]:
    """So many people of a party, without logins."""
    mark = new_id().hex[-8:]
    made = [Professional(new_id(), f"{mark}-w{n}@fictief.example") for n in range(count)]
    await register_persons(
        [PersonOrder(p.person, f"{mark}-w{n}", f"Werker {n} (fictief)", p.email, party) for n, p in enumerate(made)]
    )
    return made


async def coordinators(count: int) -> list[str]:
    """So many coordinators; the token that logs each in."""
    tokens, at = [secrets.token_urlsafe(32) for _ in range(count)], clock.now()
    for n, token in enumerate(tokens):
        login = await give_login(f"{new_id().hex[-8:]}-c{n}@fictief.example", None, [("coordinator", None)])
        await execute(
            "INSERT INTO web_session (id, token_sha256, login, created_at, last_seen_at, expires_at)"
            " VALUES (uuidv7(), $1, $2, $3, $4, $4)",
            *(token_sha256(token), login, at, at + timedelta(days=1)),
        )
    return tokens


async def paid_top_up(organisation: UUID, amount_cents: int) -> None:
    """Money of an organisation, asked for by one person and seen to arrive by another."""
    mark, top_up = new_id().hex[-8:], new_id()
    asks, confirms = [await give_login(f"{mark}-{word}@fictief.example", None, []) for word in ("vraagt", "ontvangt")]
    await payments.request_top_up(top_up, organisation, amount_cents, "PO 1", actor=asks)
    await payments.confirm_top_up(top_up, clock.today(), actor=confirms)


async def log_in(made: list[Parent]) -> None:
    """Give every parent a login and a web session; requests within a day write no sign of life."""
    logins, at = [new_id() for _ in made], clock.now()
    await execute(
        "INSERT INTO login (id, email, person, locked, created_at)"
        " SELECT l.id, l.email, l.person, false, $4 FROM unnest($1::uuid[], $2::text[], $3::uuid[]) l(id, email, person)",
        *(logins, [p.email for p in made], [p.person for p in made], at),
    )
    await execute(
        "INSERT INTO role_grant (id, login, role, scope, granted_at)"
        " SELECT uuidv7(), l.id, 'foster_parent', l.family, $3 FROM unnest($1::uuid[], $2::uuid[]) l(id, family)",
        *(logins, [p.family for p in made], at),
    )
    await execute(
        "INSERT INTO web_session (id, token_sha256, login, created_at, last_seen_at, expires_at)"
        " SELECT uuidv7(), l.token, l.id, $3, $4, $4 FROM unnest($1::bytea[], $2::uuid[]) l(token, id)",
        *([token_sha256(p.token) for p in made], logins, at, at + timedelta(days=1)),
    )


async def sessions(
    seats: list[int],
    *,
    price_cents: int = PRICE_CENTS,
    courses: Sequence[UUID] = (),
    parties: Mapping[str, int] | None = None,
) -> list[UUID]:
    """A session for each number of seats, all at different hours: of the courses in turn, or all of one course.

    `parties`: so many seats for each party.
    """
    led = [((await world.a_trainer())[1], "facilitator") for _ in range(2)] if parties else []
    chosen, (trainer, _), mark = courses or [await world.a_course()], await world.a_trainer(), new_id().hex[-8:]
    orders = [
        SessionOrder(
            id=new_id(),
            external_ref=f"{mark}-{n}",
            course=chosen[n % len(chosen)],
            venue=None,
            trainer=trainer,
            price_cents=price_cents,
            seats_min=1,
            seats_max=most,
            meetings=(world.in_days(20 + n // SLOTS_A_DAY, hour=n % SLOTS_A_DAY, hours=0.9),),
            decide_on=clock.today() + timedelta(days=15),
            parties={party: (0, most) for party, most in (parties or {}).items()},
            people=tuple(led),
        )
        for n, most in enumerate(seats)
    ]
    await publish_sessions(orders)
    return [order.id for order in orders]


def spread(crowd: list[Parent], rooms: list[UUID], turns: int) -> Iterator[Wanted]:
    """Every session so many times, each time with another parent; neighbours in time have nothing in common."""
    for turn in range(turns):
        for place, room in enumerate(rooms):
            yield Wanted(crowd[(place + turn) % len(crowd)], room)
