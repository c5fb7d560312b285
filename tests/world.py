"""Builders with good defaults: each makes one thing through the rooms' own actions and answers its id.

Everything they make is fictional.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import GrantOrder
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue.rules import CourseOrder, SessionOrder, VenueOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import actions as ledger
from leerbudget.ledger.rules import TransferOrder
from leerbudget.people import actions as people
from leerbudget.people.rules import FamilyOrder, OrganisationOrder, PersonOrder, RelationOrder
from leerbudget.trainers import actions as trainers
from leerbudget.trainers.employers import work_for
from leerbudget.trainers.rules import TrainerOrder
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import WishOrder

_numbers = itertools.count(1)
FOR_ALL: Mapping[str, Mapping[str, str]] = {
    "family_type": {"recruited": "for", "kinship": "for"},
    "experience": {"lt1": "suits"},
    "child_age_bands": {"a4_8": "suits"},
}
FREE_UNTIL_TWO_WEEKS = (
    {"days_before": 14, "refund_percent": 100},
    {"days_before": 7, "refund_percent": 50},
)


def _number() -> int:
    return next(_numbers)


async def an_organisation(*, region: str = "Regio Fictief", kind: str = "provider") -> UUID:
    n, key = _number(), new_id()
    await people.register_organisations(
        [OrganisationOrder(key, f"O{n}", f"Pleegzorg {n} (fictief)", kind, region, f"o{n}@fictief.example")]
    )
    return key


async def a_family(
    *,
    organisation: UUID | None = None,
    parents: int = 1,
    postcode4: str = "3511",
    family_type: str = "recruited",
    care_forms: tuple[str, ...] = ("full_time_long",),
    child_ages: tuple[str, ...] = ("a4_8",),
    since: date = date(2020, 1, 15),
) -> UUID:
    n, key = _number(), new_id()
    owner = organisation or await an_organisation()
    await people.register_families(
        [
            FamilyOrder(
                key, f"F{n}", f"Gezin {n} (fictief)", owner, postcode4, family_type, care_forms, child_ages, since
            )
        ]
    )
    await people.register_persons(
        [
            PersonOrder(
                new_id(),
                f"F{n}{letter}",
                f"Ouder {n}{letter} (fictief)",
                f"f{n}{letter}@fictief.example",
                "foster_parents",
                key,
            )
            for letter in "abcdef"[:parents]
        ]
    )
    return key


async def parents_of(family: UUID) -> list[UUID]:
    from leerbudget.people import queries

    return [person.id for person in await queries.persons_of(family)]


async def a_professional(*, families: Sequence[UUID] = (), party: str = "foster_care_workers") -> UUID:
    n, key = _number(), new_id()
    organisation = await an_organisation()
    await people.register_professionals(
        [PersonOrder(key, f"W{n}", f"Werker {n} (fictief)", f"w{n}@fictief.example", party, None, organisation)]
    )
    await people.relate_many([RelationOrder(new_id(), family, key, date(2020, 1, 1)) for family in families])
    return key


async def a_trainer(*, certificate_until: date | None = None) -> tuple[UUID, UUID]:
    """An admitted trainer: (pool member, person)."""
    n, key, person = _number(), new_id(), new_id()
    await people.register_persons(
        [PersonOrder(person, f"T{n}", f"Trainer {n} (fictief)", f"t{n}@fictief.example", "trainers")]
    )
    until = certificate_until or clock.today() + timedelta(days=700)
    await trainers.register_trainers([TrainerOrder(key, f"T{n}", person, ("trauma",), "Regio", "admitted", until)])
    return key, person


async def an_employee(organisation: UUID) -> UUID:
    """An admitted trainer who works for an organisation from this month on: the pool member."""
    trainer, _ = await a_trainer(certificate_until=clock.today() + timedelta(days=1500))
    await work_for({trainer: organisation}, actor=None)
    return trainer


async def a_course(
    *,
    theme: str = "trauma",
    form: str = "group_training",
    audience: Mapping[str, Mapping[str, str]] = FOR_ALL,
    cancellation: tuple[Mapping[str, int], ...] = FREE_UNTIL_TWO_WEEKS,
    state: str = "admitted",
) -> UUID:
    n, key = _number(), new_id()
    await catalogue.add_courses(
        [
            CourseOrder(
                key, f"C{n}", f"Cursus {n} (fictief)", theme, form, "U leert iets.", None, state, audience, cancellation
            )
        ]
    )
    return key


def in_days(days: int, hour: int = 18, hours: float = 2) -> tuple[datetime, datetime]:
    """A meeting so many days from now, in UTC."""
    start = datetime.combine(clock.today() + timedelta(days=days), datetime.min.time(), UTC).replace(hour=hour)
    return start, start + timedelta(hours=hours)


async def a_session(
    *,
    course: UUID | None = None,
    trainer: UUID | None = None,
    seats: int = 12,
    seats_min: int = 1,
    price_cents: int | None = 4500,
    meetings: Sequence[tuple[datetime, datetime]] | None = None,
    postcode4: str | None = "3511",
    childcare: Mapping[str, int] | None = None,
    parties: Mapping[str, tuple[int, int]] | None = None,
    people_there: tuple[tuple[UUID, str], ...] = (),
    decide_days_before: int = 7,
) -> UUID:
    n, key, venue = _number(), new_id(), None
    if postcode4 is not None:
        venue = new_id()
        await catalogue.add_venues([VenueOrder(venue, f"V{n}", f"Zaal {n} (fictief)", postcode4, "Utrecht")])
    when = tuple(meetings or (in_days(30),))
    await catalogue.publish_sessions(
        [
            SessionOrder(
                id=key,
                external_ref=f"S{n}",
                course=course or await a_course(),
                venue=venue,
                trainer=trainer or (await a_trainer())[0],
                price_cents=price_cents,
                seats_min=seats_min,
                seats_max=seats,
                meetings=when,
                decide_on=(when[0][0] - timedelta(days=decide_days_before)).date(),
                parties=parties or {},
                party_spread_max=1 if parties else None,
                childcare=childcare or {},
                people=people_there,
            )
        ]
    )
    return key


async def a_dialogue(
    *, seats: int = 9, people_there: tuple[tuple[UUID, str], ...] | None = None, **more: object
) -> UUID:
    """A dialogue of three parties with two facilitators, free of charge."""
    facilitators = people_there
    if facilitators is None:
        facilitators = tuple([((await a_trainer())[1], "facilitator") for _ in range(2)])
    parties = {"foster_parents": (1, 3), "foster_care_workers": (1, 3), "guardian_workers": (0, 3)}
    return await a_session(
        course=await a_course(theme="collaboration_assertiveness", form="dialogue"),
        seats=seats, price_cents=0, parties=parties, people_there=facilitators, **more,
    )  # fmt: skip


async def a_seat_offered(person: UUID, session: UUID) -> UUID:
    """A seat that a round offers to somebody without a family; its booking. The solver has tests of its own."""
    wish, proposal, booking, round_id = (new_id() for _ in range(4))
    theme, forms = "collaboration_assertiveness", ("dialogue",)
    await wishes.state_wish(WishOrder(wish, None, person, (person,), theme=theme, forms=forms), actor=None)
    until = clock.now() + timedelta(days=5)
    order = BookingRequest(booking, None, session, (person,), wish=wish, origin="round", offered_until=until)
    await bookings.book(order, actor=None)
    await execute(
        "INSERT INTO matching_round (id, name, state, seed, policy, starts_on, ends_on, opened_at)"
        " VALUES ($1, 'Proefronde', 'open', 1, '{}', $2, $2, $3)",
        *(round_id, clock.today(), clock.now()),
    )
    await execute(
        "INSERT INTO proposal (id, round, wish, session, persons, score, reasons, payment, state, booking)"
        " VALUES ($1, $2, $3, $4, $5, 1, $6, '[]', 'offered', $7)",
        *(proposal, round_id, wish, session, [person]),
        *('[{"code": "near", "sentence": "Het is dichtbij.", "points": 5}]', booking),
    )
    return booking


async def fill_pot(organisation: UUID, euros: int) -> None:
    pot = await ledger.account_of("organisation_pot", organisation, constrained=True)
    bank = await ledger.account_of("bank", None, constrained=False)
    await ledger.record(
        [TransferOrder(new_id(), "top_up", f"test-{_number()}", "posted", bank, pot, euros * 100)], actor=None
    )


async def a_budget(
    family: UUID,
    *,
    euros: int = 250,
    organisation: UUID | None = None,
    themes: tuple[str, ...] | None = None,
    municipalities: tuple[str, ...] | None = None,
    courses: tuple[UUID, ...] | None = None,
    expires_in_days: int = 300,
) -> UUID:
    n, key = _number(), new_id()
    funder = organisation or await an_organisation()
    await fill_pot(funder, euros)
    today = clock.today()
    await budgets.grant(
        GrantOrder(
            id=key,
            external_ref=f"G{n}",
            family=family,
            organisation=funder,
            amount_cents=euros * 100,
            starts_on=today - timedelta(days=1),
            expires_on=today + timedelta(days=expires_in_days),
            themes=themes,
            forms=None,
            municipalities=municipalities,
            courses=courses,
            carry_over=False,
        ),
        actor=None,
    )
    return key
