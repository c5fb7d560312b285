"""The waiting list as a family sees it: its own places in line, and nothing about anybody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.bookings.rules import LATEST_BEFORE_START
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Seats that became free and that the family could not take: of a session at that moment and place, and why (a code)."""

    starts_at: datetime
    place: str | None
    refused: str


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A place in line. `position` counts from 1; None while seats are offered, until `offered_until`.

    `session` is that of the offered seats, otherwise where the family asked. `price_cents`: for all persons together.
    `planned`: whether the course has a session to come in which seats can still be offered.
    """

    entry: UUID
    state: str
    course: UUID
    title: str
    session: UUID
    persons: tuple[str, ...]
    asked_at: datetime
    position: int | None
    planned: bool
    booking: UUID | None
    price_cents: int | None
    offered_until: datetime | None
    passed_over: tuple[PassedOver, ...]


_LINE = """
WITH mine AS (SELECT * FROM waiting_entry WHERE family = $1 AND ended_at IS NULL), line AS (
  SELECT e.id, row_number() OVER (PARTITION BY e.course
                                  ORDER BY coalesce(w.waiting_rounds, 0) DESC, e.asked_at, e.id)::int AS position
  FROM waiting_entry e LEFT JOIN wish w ON w.id = e.wish
  WHERE e.state = 'waiting' AND e.family IS NOT NULL AND e.course IN (SELECT course FROM mine)
)
SELECT m.id AS entry, m.state, m.course, c.title, coalesce(b.session, m.session) AS session, m.asked_at, line.position,
       b.id AS booking, b.price_cents, b.offered_until,
       array(SELECT p.name FROM waiting_person wp JOIN person p ON p.id = wp.person WHERE wp.entry = m.id
             ORDER BY p.name) AS persons,
       c.state = 'admitted' AND EXISTS (
         SELECT FROM course_session s WHERE s.course = m.course AND s.state IN ('conditional', 'confirmed')
         AND s.starts_at > $2) AS planned
FROM mine m JOIN course c ON c.id = m.course LEFT JOIN line ON line.id = m.id
LEFT JOIN booking b ON b.id = m.booking AND b.state = 'offered'
ORDER BY (m.state = 'offered') DESC, m.asked_at, m.id
"""

_PASSED_OVER = """
SELECT t.entry, t.refused, s.starts_at, v.place FROM waiting_try t JOIN course_session s ON s.id = t.session
LEFT JOIN venue v ON v.id = s.venue
WHERE t.entry = ANY($1::uuid[]) AND t.refused IS NOT NULL ORDER BY t.tried_at DESC, t.id
"""


async def waiting_of(family: UUID) -> list[WaitingView]:
    """The family's places in line; what waits for its answer first."""
    rows = await fetch_all(_LINE, family, clock.now() + LATEST_BEFORE_START)
    passed: dict[UUID, list[PassedOver]] = {}
    for row in await fetch_all(_PASSED_OVER, [row["entry"] for row in rows]):
        passed.setdefault(row["entry"], []).append(PassedOver(row["starts_at"], row["place"], row["refused"]))
    return [_view(row, passed.get(row["entry"], [])) for row in rows]


def _view(row: Any, passed: list[PassedOver]) -> WaitingView:
    return WaitingView(**{**row, "persons": tuple(row["persons"])}, passed_over=tuple(passed))


async def waiting(entry: UUID, family: UUID) -> WaitingView | None:
    """One place in line of this family; None when it is another's, unknown or over."""
    return next((each for each in await waiting_of(family) if each.entry == entry), None)


async def others_wait(session: UUID, family: UUID, at: datetime) -> bool:
    """Whether free seats of a session are first for other families."""
    kept: bool = await fetch_value("SELECT rooms.others_wait($1, $2, $3)", session, family, at)
    return kept


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line, over or not: its state and the latest booking that was offered."""

    entry: UUID
    state: str
    booking: UUID | None


async def offered() -> list[Place]:
    """Every place in line whose seats wait for an answer."""
    rows = await fetch_all("SELECT id AS entry, state, booking FROM waiting_entry WHERE state = 'offered' ORDER BY id")
    return [Place(**row) for row in rows]


async def place(entry: UUID, family: UUID) -> Place | None:
    """One place in line of this family; None when it is another's or unknown."""
    row = await fetch_one(
        "SELECT id AS entry, state, booking FROM waiting_entry WHERE id = $1 AND family = $2", entry, family
    )
    return None if row is None else Place(**row)
