"""Sessions with seats by party as a coordinator sees them: numbers of families, names of others only (R64)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all


@dataclass(frozen=True, slots=True)
class PartyShare:
    """The seats of one party: taken (offers that wait for an answer too), and its least and most. `waiting`: places in line."""

    party: str
    taken: int
    seats_min: int
    seats_max: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody without a family who has a seat. `state`: offered (by a round) or confirmed."""

    booking: UUID
    name: str
    party: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class InLine:
    """Somebody without a family who waits for a seat of the party; the first is first in line."""

    entry: UUID
    name: str
    party: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class DialogueView:
    """A session with seats by party. `spread_max`: how much the parties' numbers may differ; None: as much as they like."""

    session: UUID
    title: str
    form: str
    state: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    seats_min: int
    seats_max: int
    seats_taken: int
    spread_max: int | None
    parties: tuple[PartyShare, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have too few people by now: below their least, or too far behind the largest."""
        most = max((share.taken for share in self.parties), default=0)
        floor = 0 if self.spread_max is None else most - self.spread_max
        return tuple(share.party for share in self.parties if share.taken < max(share.seats_min, floor))


_DIALOGUES = """
SELECT s.id AS session, c.title, c.form, s.state, s.starts_at,
       coalesce((SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number LIMIT 1), s.ends_at) AS ends_at,
       v.place, s.seats_min, s.seats_max, s.seats_taken, s.party_spread_max AS spread_max,
       (SELECT jsonb_agg(jsonb_build_object(
          'party', sp.party, 'taken', sp.seats_taken, 'seats_min', sp.seats_min, 'seats_max', sp.seats_max,
          'waiting', (SELECT count(DISTINCT e.id) FROM waiting_entry e JOIN waiting_person w ON w.entry = e.id
                      JOIN person p ON p.id = w.person
                      WHERE e.session = s.id AND e.state = 'waiting' AND p.party = sp.party)) ORDER BY sp.party)
        FROM session_party sp WHERE sp.session = s.id) AS parties
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
WHERE EXISTS (SELECT FROM session_party sp WHERE sp.session = s.id) AND s.state <> 'draft'
"""


async def to_come() -> list[DialogueView]:
    """Every session with seats by party in which people can still get a seat, the nearest first."""
    rows = await fetch_all(
        _DIALOGUES + "AND s.state IN ('conditional', 'confirmed') AND s.starts_at > $1 ORDER BY s.starts_at, s.id",
        clock.now(),
    )
    return [_view(row) for row in rows]


async def dialogue(session: UUID) -> DialogueView | None:
    """One session with seats by party, over or not; None when it is unknown, a draft, or has none."""
    rows = await fetch_all(_DIALOGUES + "AND s.id = $1", session)
    return _view(rows[0]) if rows else None


async def seated(session: UUID) -> list[Seated]:
    """Who has a seat and no family, by party and name. Families are not in it."""
    rows = await fetch_all(
        "SELECT b.id AS booking, p.name, p.party, b.state, b.booked_at AS since"
        " FROM booking b JOIN booking_person bp ON bp.booking = b.id AND bp.live JOIN person p ON p.id = bp.person"
        " WHERE b.session = $1 AND b.family IS NULL ORDER BY p.party, p.name, p.id",
        session,
    )
    return [Seated(**row) for row in rows]


async def in_line(session: UUID) -> list[InLine]:
    """Who waits for a seat in this session and has no family, in the order in which seats are given."""
    rows = await fetch_all(
        "SELECT e.id AS entry, p.name, p.party, e.asked_at"
        " FROM waiting_entry e JOIN waiting_person w ON w.entry = e.id AND w.live JOIN person p ON p.id = w.person"
        " WHERE e.session = $1 AND e.family IS NULL AND e.state = 'waiting' ORDER BY p.party, e.asked_at, e.id",
        session,
    )
    return [InLine(**row) for row in rows]


async def seat_state(booking: UUID, session: UUID) -> str | None:
    """The state of the booking of somebody without a family in this session; None when there is no such booking."""
    return await _state("SELECT state FROM booking WHERE id = $1 AND session = $2 AND family IS NULL", booking, session)


async def waiting_state(entry: UUID, session: UUID) -> str | None:
    """The state of the place in line of somebody without a family for this session; None when there is no such place."""
    return await _state(
        "SELECT state FROM waiting_entry WHERE id = $1 AND session = $2 AND family IS NULL", entry, session
    )


async def _state(sql: str, *ids: UUID) -> str | None:
    rows: Sequence[Any] = await fetch_all(sql, *ids)
    return rows[0]["state"] if rows else None


def _view(row: Any) -> DialogueView:
    parties = msgspec.json.decode(row["parties"], type=tuple[PartyShare, ...])
    return DialogueView(**{**row, "parties": parties})
