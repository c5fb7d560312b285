"""A family's own: counts, when and how it can come, its budgets and what moved on them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.api.types import (
    Answer,
    Body,
    Children,
    CursorText,
    Instant,
    Limit,
    Moment,
    PostCode4,
    Week,
    make_cursor,
    read_cursor,
    told,
)
from leerbudget.entrypoints.http.guards import requires
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, together
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.vocabulary import ChildAgeBand, ChildcareNeed, TravelMode
from leerbudget.people import queries as people
from leerbudget.rounds import queries as rounds
from leerbudget.wishes import actions
from leerbudget.wishes import queries as wishes
from leerbudget.wishes.rules import ExceptionOrder, PreferenceOrder, WeekOrder

ModeMinutes = Annotated[int, Meta(ge=0, le=240, description="Minutes one way.")]


class Parent(Answer, frozen=True, kw_only=True):
    """A foster parent of the family."""

    id: UUID
    name: str


class Overview(Answer, frozen=True, kw_only=True):
    """The family at a glance. `wishes`: {state: number}; amounts are of all running budgets together."""

    family: UUID
    parents: list[Parent]
    open_proposals: int
    upcoming_bookings: int
    wishes: Mapping[str, int]
    free_cents: int
    held_cents: int
    spent_cents: int
    availability_known: bool
    preferences_known: bool


class BlockedOrder(Body, frozen=True, kw_only=True):
    """A time on which somebody cannot come after all. There is no reason to give."""

    starts_at: Moment
    ends_at: Moment


class PersonAvailabilityOrder(Body, frozen=True, kw_only=True):
    """When one parent can come: a usual week, and every time from now on that is an exception."""

    person: UUID
    week: Week
    exceptions: Annotated[list[BlockedOrder], Meta(max_length=100)] = field(default_factory=list)


class AvailabilityOrder(Body, frozen=True, kw_only=True):
    """Replaces the week and the coming exceptions of the parents that are named."""

    persons: Annotated[list[PersonAvailabilityOrder], Meta(min_length=1, max_length=10)]


class Blocked(Answer, frozen=True, kw_only=True):
    """A time on which somebody cannot come."""

    starts_at: Instant
    ends_at: Instant


class PersonAvailability(Answer, frozen=True, kw_only=True):
    """When one parent can come; `week` is null when they never said."""

    person: UUID
    name: str
    week: str | None
    exceptions: list[Blocked]


class Availability(Answer, frozen=True, kw_only=True):
    """When the parents of a family can come."""

    persons: list[PersonAvailability]


class PreferencesOrder(Body, frozen=True, kw_only=True):
    """How far, how often and how a family wants to learn. `childcare`: {age band: children}."""

    postcode4: PostCode4
    travel_minutes_max: dict[TravelMode, ModeMinutes]
    online_ok: bool
    max_placements: Annotated[int, Meta(ge=1, le=10)] = 2
    childcare_need: ChildcareNeed = ChildcareNeed.NONE
    childcare: dict[ChildAgeBand, Children] = field(default_factory=dict)


class Preferences(Answer, frozen=True, kw_only=True):
    """How far, how often and how a family wants to learn."""

    postcode4: str
    travel_minutes_max: Mapping[str, int]
    online_ok: bool
    max_placements: int
    childcare_need: ChildcareNeed
    childcare: Mapping[str, int]


class Budget(Answer, frozen=True, kw_only=True):
    """One learning budget: granted + carried in = free + held + spent + returned + carried out to the next period.

    Null `themes`, `forms`, `municipalities` or `courses` allow all. With `municipalities` it pays only for sessions
    in a venue that lies in one of them, and so for nothing online.
    """

    id: UUID
    organisation_name: str
    granted_cents: int
    free_cents: int
    held_cents: int
    spent_cents: int
    returned_cents: int
    carried_in_cents: int
    carried_out_cents: int
    starts_on: date
    expires_on: date
    themes: list[str] | None
    forms: list[str] | None
    municipalities: list[str] | None
    courses: list[UUID] | None
    state: str


class Budgets(Answer, frozen=True, kw_only=True):
    """Every budget that a family ever got, the earliest to end first."""

    items: list[Budget]


class Transfer(Answer, frozen=True, kw_only=True):
    """One movement on a budget: what the family has more or less to spend. `purpose` is the booking, if any.

    Per budget the changes add up to what is free, held and paid. What is carried over is two items with one number.
    """

    number: int
    at: Instant
    budget: UUID
    organisation_name: str
    kind: str
    phase: str
    amount_cents: int
    free_change_cents: int
    held_change_cents: int
    paid_cents: int
    free_after_cents: int
    purpose: UUID | None
    reason: str | None


class Transfers(Answer, frozen=True, kw_only=True):
    """A page of a family's statement; `next_cursor` is null on the last."""

    items: list[Transfer]
    next_cursor: str | None


class FamilyController(Controller):
    """A family's own; only for its foster parents."""

    path = "/families/{family_id:uuid}"
    tags = ("family",)

    @get(
        "/overview",
        guards=[requires("see_family", family="family_id")],
        summary="The family at a glance",
        operation_id="getFamilyOverview",
    )
    async def overview(self, family_id: FromPath[UUID]) -> Overview:
        """Parents, open proposals, upcoming bookings, wishes by state and the money."""
        persons = await people.persons_of(family_id)
        weeks = await wishes.weeks_of(person.id for person in persons)
        running = [each for each in await budgets.budgets_of(family_id) if each.state == "active"]
        states = [wish.state for wish in await wishes.wishes_of(family_id)]
        coming = [each for each in await bookings.bookings_of(family_id) if each.ends_at > clock.now()]
        return Overview(
            family=family_id,
            parents=[told(Parent, person) for person in persons],
            open_proposals=sum(each.state == "offered" for each in await rounds.proposals_of(family_id)),
            upcoming_bookings=sum(each.state == "confirmed" for each in coming),
            wishes={state: states.count(state) for state in sorted(set(states))},
            free_cents=sum(each.free_cents for each in running),
            held_cents=sum(each.held_cents for each in running),
            spent_cents=sum(each.spent_cents for each in running),
            availability_known=all(person.id in weeks for person in persons),
            preferences_known=await wishes.preference_of(family_id) is not None,
        )

    @get(
        "/availability",
        guards=[requires("see_availability", family="family_id")],
        summary="When the parents can come",
        operation_id="getAvailability",
    )
    async def availability(self, family_id: FromPath[UUID]) -> Availability:
        """The usual week of each parent, and the coming times on which they cannot."""
        return await _availability(family_id)

    @put(
        "/availability",
        guards=[requires("change_availability", family="family_id")],
        summary="Say when the parents can come",
        operation_id="putAvailability",
    )
    async def put_availability(self, family_id: FromPath[UUID], data: JSONBody[AvailabilityOrder]) -> Availability:
        """Replace week and coming exceptions of the parents that are named; of others nothing changes."""
        own = {person.id for person in await people.persons_of(family_id)}
        strangers = [place for place, each in enumerate(data.persons) if each.person not in own]
        if strangers:
            message = "Deze persoon hoort niet bij dit pleeggezin."
            raise InvalidInput(errors=[{"path": f"persons[{n}].person", "message": message} for n in strangers])

        async def keep() -> None:
            async with together():
                await actions.set_weeks([WeekOrder(each.person, each.week) for each in data.persons])
                await actions.replace_exceptions([each.person for each in data.persons], _exceptions(data))

        await again(keep)
        return await _availability(family_id)

    @get(
        "/preferences",
        guards=[requires("see_availability", family="family_id")],
        summary="How the family wants to learn",
        operation_id="getPreferences",
    )
    async def preferences(self, family_id: FromPath[UUID]) -> Preferences:
        """Travel, online, how many placements in one round, childcare. 404 until the family said so once."""
        return await _preferences(family_id)

    @put(
        "/preferences",
        guards=[requires("change_availability", family="family_id")],
        summary="Say how the family wants to learn",
        operation_id="putPreferences",
    )
    async def put_preferences(self, family_id: FromPath[UUID], data: JSONBody[PreferencesOrder]) -> Preferences:
        """Replace the family's preferences; one unknown postcode would hold up a whole matching round."""
        if data.postcode4 not in all_places():
            raise InvalidInput(errors=[{"path": "postcode4", "message": "Deze postcode kennen we niet."}])
        order = PreferenceOrder(
            family=family_id,
            professional=None,
            postcode4=data.postcode4,
            travel_minutes_max={mode.value: minutes for mode, minutes in data.travel_minutes_max.items()},
            online_ok=data.online_ok,
            max_placements=data.max_placements,
            childcare_need=data.childcare_need.value,
            childcare={band.value: children for band, children in data.childcare.items()},
        )
        await again(lambda: actions.set_preference(order))
        return await _preferences(family_id)

    @get(
        "/budgets",
        guards=[requires("see_budget", family="family_id")],
        summary="The family's learning budgets",
        operation_id="listBudgets",
    )
    async def budgets(self, family_id: FromPath[UUID]) -> Budgets:
        """What there is, from whom, until when, and what is held and spent."""
        return Budgets(items=[told(Budget, each) for each in await budgets.budgets_of(family_id)])

    @get(
        "/transfers",
        guards=[requires("see_budget", family="family_id")],
        summary="Everything that moved on the family's budgets",
        operation_id="listTransfers",
    )
    async def transfers(self, family_id: FromPath[UUID], limit: Limit = 50, cursor: CursorText = None) -> Transfers:
        """The family's statement, oldest first; the changes add up to what is free, per budget."""
        after = read_cursor(cursor, (int, str))
        lines = [each for each in await budgets.mutations(family_id) if after is None or _place(each) > after]
        more = len(lines) > limit
        return Transfers(
            items=[told(Transfer, each) for each in lines[:limit]],
            next_cursor=make_cursor(*_place(lines[limit - 1])) if more else None,
        )


def _place(line: budgets.Mutation) -> tuple[str | int, ...]:
    """Where a line stands in the statement: one transfer is two lines when it goes from budget to budget."""
    return line.number, str(line.budget)


def _exceptions(data: AvailabilityOrder) -> list[ExceptionOrder]:
    return [
        ExceptionOrder(new_id(), each.person, blocked.starts_at, blocked.ends_at)
        for each in data.persons
        for blocked in each.exceptions
    ]


async def _availability(family: UUID) -> Availability:
    persons = await people.persons_of(family)
    ids = [person.id for person in persons]
    weeks = await wishes.weeks_of(ids)
    blocked = await wishes.exceptions_of(ids, after=clock.now())
    return Availability(
        persons=[
            PersonAvailability(
                person=person.id,
                name=person.name,
                week=weeks.get(person.id),
                exceptions=[told(Blocked, each) for each in blocked if each.person == person.id],
            )
            for person in persons
        ]
    )


async def _preferences(family: UUID) -> Preferences:
    found = await wishes.preference_of(family)
    if found is None:
        raise NotFound
    return told(Preferences, found)
