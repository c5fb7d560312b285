"""What can be asked about the trainer pool."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.trainers.errors import TrainerUnknown
from leerbudget.trainers.rules import WARNING_DAYS


@dataclass(frozen=True, slots=True)
class TrainerView:
    """A pool member with the name and address of the person."""

    id: UUID
    external_ref: str
    person: UUID
    name: str
    email: str | None
    themes: tuple[str, ...]
    region: str
    state: str
    certificate_valid_until: date | None


_TRAINER = """
SELECT t.id, t.external_ref, t.person, p.name, p.email, t.themes, t.region, t.state, t.certificate_valid_until
FROM trainer t JOIN person p ON p.id = t.person
"""


async def trainer(id: UUID) -> TrainerView:  # noqa: A002 - the word of the house for a key
    """One pool member.

    Raises:
        TrainerUnknown: there is none with that id.
    """
    row = await fetch_one(f"{_TRAINER} WHERE t.id = $1", id)
    if row is None:
        raise TrainerUnknown
    return _view(row)


async def trainer_of(person: UUID) -> TrainerView | None:
    """The pool member that this person is, or None."""
    row = await fetch_one(f"{_TRAINER} WHERE t.person = $1", person)
    return None if row is None else _view(row)


async def trainers(*, state: str | None = None) -> list[TrainerView]:
    """The pool by name, all of it or the members in one state (some thousands at national size)."""
    rows = await fetch_all(f"{_TRAINER} WHERE $1::text IS NULL OR t.state = $1 ORDER BY p.name, t.id", state)
    return [_view(row) for row in rows]


async def trainer_ids(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of pool members by external reference; unknown references are absent."""
    rows = await fetch_all("SELECT external_ref, id FROM trainer WHERE external_ref = ANY($1::text[])", list(refs))
    return {row["external_ref"]: row["id"] for row in rows}


async def trainer_persons(refs: Iterable[str]) -> dict[str, UUID]:
    """Ids of the persons behind pool members by the pool's external reference; unknown references are absent."""
    rows = await fetch_all("SELECT external_ref, person FROM trainer WHERE external_ref = ANY($1::text[])", list(refs))
    return {row["external_ref"]: row["person"] for row in rows}


async def certificates_ending(within_days: int = WARNING_DAYS) -> list[TrainerView]:
    """Admitted pool members whose certificate ends within so many days or has ended, the first to end first (R56)."""
    rows = await fetch_all(
        f"""{_TRAINER} WHERE t.state = 'admitted' AND t.certificate_valid_until <= $1
            ORDER BY t.certificate_valid_until, t.id""",
        clock.today() + timedelta(days=within_days),
    )
    return [_view(row) for row in rows]


def _view(row: Any) -> TrainerView:
    return TrainerView(**{**row, "themes": tuple(row["themes"])})
