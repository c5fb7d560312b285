"""What can be asked about wishes. Private words are in one query only, and only for their writer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.wishes.errors import WishUnknown

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class WishView:
    """A wish without its private words."""

    id: UUID
    family: UUID | None
    stated_by: UUID
    theme: str
    forms: tuple[str, ...] | None
    rank: int
    urgent: bool
    state: str
    waiting_rounds: int
    persons: tuple[UUID, ...]
    stated_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WishWords:
    """The private words behind a wish."""

    situation: str
    wants_to_learn: str


@dataclass(frozen=True, slots=True)
class PreferenceView:
    """How far, how often and how a family or professional wants to learn."""

    family: UUID | None
    professional: UUID | None
    postcode4: str
    travel_minutes_max: Mapping[str, int]
    online_ok: bool
    max_placements: int
    childcare_need: str
    childcare: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """A time on which a person cannot come."""

    id: UUID
    person: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class WishesForMatching:
    """Everything the matcher needs from this room, keyed by id.

    `preferences` by family or professional. `weeks` and `blocked` by person; a person without a week is absent.
    """

    wishes: tuple[WishView, ...]
    preferences: Mapping[UUID, PreferenceView]
    weeks: Mapping[UUID, str]
    blocked: Mapping[UUID, tuple[Interval, ...]]


_WISH = """
SELECT w.id, w.family, w.stated_by, w.theme, w.forms, w.rank, w.urgent, w.state, w.waiting_rounds, w.stated_at,
       w.changed_at, array(SELECT p.person FROM wish_person p WHERE p.wish = w.id ORDER BY p.person) AS persons
FROM wish w
"""


async def wish(id: UUID) -> WishView:  # noqa: A002 - the word of the house for a key
    """One wish without its private words.

    Raises:
        WishUnknown: there is none with that id.
    """
    row = await fetch_one(f"{_WISH} WHERE w.id = $1", id)
    if row is None:
        raise WishUnknown
    return _wish(row)


async def wishes_of(family: UUID) -> list[WishView]:
    """A family's wishes that are not withdrawn, in its own order."""
    rows = await fetch_all(
        f"{_WISH} WHERE w.family = $1 AND w.state <> 'withdrawn' ORDER BY w.rank, w.stated_at, w.id", family
    )
    return [_wish(row) for row in rows]


async def wishes_stated_by(person: UUID) -> list[WishView]:
    """A professional's own wishes that are not withdrawn."""
    rows = await fetch_all(
        f"""{_WISH} WHERE w.stated_by = $1 AND w.family IS NULL AND w.state <> 'withdrawn'
            ORDER BY w.rank, w.stated_at, w.id""",
        person,
    )
    return [_wish(row) for row in rows]


async def wish_text(wish: UUID, person: UUID) -> WishWords:
    """The private words of a wish, for the person who wrote them and for nobody else (R31, R79).

    Raises:
        WishUnknown: there is no such wish, or somebody else wrote it: both look the same.
    """
    row = await fetch_one(
        """SELECT coalesce(t.situation, '') AS situation, coalesce(t.wants_to_learn, '') AS wants_to_learn
           FROM wish w LEFT JOIN wish_text t ON t.wish = w.id WHERE w.id = $1 AND w.stated_by = $2""",
        wish,
        person,
    )
    if row is None:
        raise WishUnknown
    return WishWords(**row)


async def week_of(person: UUID) -> str | None:
    """The day-parts on which a person can usually come; None when never said."""
    return (await weeks_of([person])).get(person)


async def weeks_of(persons: Iterable[UUID]) -> dict[UUID, str]:
    """The weeks of these persons; who never said is absent."""
    rows = await fetch_all("SELECT person, week FROM week_availability WHERE person = ANY($1::uuid[])", list(persons))
    return {row["person"]: row["week"] for row in rows}


async def exceptions_of(persons: Collection[UUID], *, after: datetime) -> list[ExceptionView]:
    """The times that end after an instant on which these persons cannot come, in order of time."""
    rows = await fetch_all(
        """SELECT id, person, starts_at, ends_at FROM availability_exception
           WHERE person = ANY($1::uuid[]) AND ends_at > $2 ORDER BY starts_at, id""",
        list(persons),
        after,
    )
    return [ExceptionView(**row) for row in rows]


_PREFERENCE = """
SELECT family, professional, postcode4, travel_minutes_max, online_ok, max_placements, childcare_need, childcare
FROM learning_preference
"""


async def preference_of(owner: UUID) -> PreferenceView | None:
    """The preferences of a family or a professional; None when never said."""
    row = await fetch_one(f"{_PREFERENCE} WHERE family = $1 OR professional = $1", owner)
    return None if row is None else _preference(row)


async def preferences_of(families: Collection[UUID]) -> dict[UUID, PreferenceView]:
    """The preferences of these families; who never said them is absent."""
    rows = await fetch_all(f"{_PREFERENCE} WHERE family = ANY($1::uuid[])", list(families))
    return {row["family"]: _preference(row) for row in rows}


async def for_matching(
    *, starts_at: datetime, ends_at: datetime, wishes: Collection[UUID] | None = None
) -> WishesForMatching:
    """Every open wish (or these wishes, if open), with when and how its people can come.

    Times on which they cannot come are those that touch the period. Four reads, whatever the number of wishes:
    put them in one repeatable-read transaction to get one moment.
    """
    rows = await fetch_all(
        f"{_WISH} WHERE w.state = 'open' AND ($1::uuid[] IS NULL OR w.id = ANY($1)) ORDER BY w.id",
        None if wishes is None else list(wishes),
    )
    found = tuple(_wish(row) for row in rows)
    persons = list({person for each in found for person in each.persons})
    owners = list({each.family or each.stated_by for each in found})
    preferences = await fetch_all(
        f"{_PREFERENCE} WHERE family = ANY($1::uuid[]) OR professional = ANY($1::uuid[])", owners
    )
    blocked = await fetch_all(
        """SELECT person, starts_at, ends_at FROM availability_exception
           WHERE person = ANY($1::uuid[]) AND ends_at > $2 AND starts_at < $3 ORDER BY person, starts_at, ends_at""",
        persons,
        starts_at,
        ends_at,
    )
    return WishesForMatching(
        wishes=found,
        preferences={row["family"] or row["professional"]: _preference(row) for row in preferences},
        weeks=await weeks_of(persons),
        blocked=_by_person(blocked),
    )


def _by_person(rows: Iterable[Any]) -> dict[UUID, tuple[Interval, ...]]:
    grouped: dict[UUID, list[Interval]] = {}
    for row in rows:
        grouped.setdefault(row["person"], []).append((row["starts_at"], row["ends_at"]))
    return {person: tuple(intervals) for person, intervals in grouped.items()}


async def numbers_by_state() -> dict[str, int]:
    """How many wishes there are in each state."""
    rows = await fetch_all("SELECT state, count(*) AS wishes FROM wish GROUP BY state ORDER BY state")
    return {row["state"]: row["wishes"] for row in rows}


def _wish(row: Any) -> WishView:
    forms = None if row["forms"] is None else tuple(row["forms"])
    return WishView(**{**row, "forms": forms, "persons": tuple(row["persons"])})


def _preference(row: Any) -> PreferenceView:
    travel = msgspec.json.decode(row["travel_minutes_max"], type=dict[str, int])
    childcare = msgspec.json.decode(row["childcare"], type=dict[str, int])
    return PreferenceView(**{**row, "travel_minutes_max": travel, "childcare": childcare})
