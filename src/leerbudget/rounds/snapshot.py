"""Freeze: everything a round decides on, read in one snapshot and written as a matching instance.

Ids, minutes, cents and bands only: no name, no address, no private words leave the database.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, together
from leerbudget.geography.postcodes import all_places
from leerbudget.people.rules import experience_years, separated_since

FORMAT = "leerbudget-instance/1"
ANSWER_TIME_MIN = timedelta(days=2)
"""A session is left out when its decision date, or its start once it is sure to go on, is nearer than this."""

BUDGETS_MAX, EXPERIENCE_YEARS_MAX, WAITING_ROUNDS_MAX = 12, 120.0, 100
"""The most that the format holds: one family beyond it must not hold up everybody's round.

Of more budgets those take part that would pay first (R04); booking looks at all of them again."""


async def take(starts_on: date, ends_on: date, policy: Mapping[str, object]) -> dict[str, Any]:
    """The instance for all open wishes and all bookable sessions that start in the period.

    A session at a postcode that does not exist is left out (nobody can be sent there); a seeker with one is in
    reach of online sessions only.
    """
    async with together(isolation="repeatable_read", readonly=True):
        sessions = await _sessions(starts_on, ends_on)
        seekers = await _seekers(starts_on)
        forbidden = await _forbidden([session["id"] for session in sessions])
    known = {seeker["id"] for seeker in seekers}
    return {
        "format": FORMAT,
        "policy": dict(policy),
        "seekers": seekers,
        "sessions": sessions,
        "fixed": [],
        "forbidden": [pair for pair in forbidden if pair[0] in known],
    }


def _interval(starts_at: datetime, ends_at: datetime) -> list[str]:
    """Whole seconds, as the format asks; what is blocked never becomes shorter by it."""
    last = ends_at if not ends_at.microsecond else ends_at + timedelta(seconds=1)
    return [moment.replace(microsecond=0).astimezone(clock.AMSTERDAM).isoformat() for moment in (starts_at, last)]


# --- sessions ----------------------------------------------------------------------------------------------

_SESSIONS = """
SELECT s.id, s.course, c.theme, c.form, v.postcode4, s.price_cents, s.seats_min,
       s.seats_max - s.catch_up_seats AS seats_max, s.seats_taken,
       s.state, c.audience, s.party_spread_max,
       array(SELECT sp.person FROM session_person sp WHERE sp.session = s.id
             UNION SELECT bp.person FROM booking_person bp JOIN person p ON p.id = bp.person
             WHERE bp.session = s.id AND bp.live AND p.family IS NULL) AS people
FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
WHERE s.state IN ('conditional', 'confirmed') AND c.state = 'admitted'
  AND (s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date BETWEEN $1 AND $2
  AND ((s.state = 'conditional' AND s.decide_on > $3) OR (s.state = 'confirmed' AND s.starts_at > $4))
ORDER BY s.id
"""


async def _sessions(starts_on: date, ends_on: date) -> list[dict[str, Any]]:
    rows = await fetch_all(
        _SESSIONS, starts_on, ends_on, clock.today() + ANSWER_TIME_MIN, clock.now() + ANSWER_TIME_MIN
    )
    ids = [row["id"] for row in rows]
    meetings = await _grouped(
        "SELECT session, starts_at, ends_at FROM meeting WHERE session = ANY($1::uuid[]) ORDER BY session, number", ids
    )
    parties = await _grouped("SELECT * FROM session_party WHERE session = ANY($1::uuid[]) ORDER BY party", ids)
    childcare = await _grouped("SELECT * FROM childcare_places WHERE session = ANY($1::uuid[]) ORDER BY age_band", ids)
    return [
        _session(row, meetings[row["id"]], parties[row["id"]], childcare[row["id"]])
        for row in rows
        if row["postcode4"] is None or row["postcode4"] in all_places()
    ]


async def _grouped(sql: str, ids: list[UUID]) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in await fetch_all(sql, ids):
        groups[row["session"]].append(row)
    return groups


def _session(row: Any, meetings: list[Any], parties: list[Any], childcare: list[Any]) -> dict[str, Any]:
    session = {
        "id": str(row["id"]),
        "course": str(row["course"]),
        "theme": row["theme"],
        "form": row["form"],
        "pc4": row["postcode4"],
        "meetings": [_interval(m["starts_at"], m["ends_at"]) for m in meetings],
        "price_cents": row["price_cents"],
        # A session that is already sure to go on needs no more people to go on.
        "seats_min": row["seats_min"] if row["state"] == "conditional" else 0,
        "seats_max": row["seats_max"],
        "seats_taken": row["seats_taken"],
        "audience": msgspec.json.decode(row["audience"]),
        "people": [str(person) for person in row["people"]],
        "childcare_places": {c["age_band"]: c["places_max"] - c["places_taken"] for c in childcare},
    }
    if parties:
        session["parties"] = {p["party"]: [p["seats_min"], p["seats_max"]] for p in parties}
        session["parties_taken"] = {p["party"]: p["seats_taken"] for p in parties if p["seats_taken"]}
        session["party_spread_max"] = row["party_spread_max"]
    return session


# --- seekers -----------------------------------------------------------------------------------------------

_WISHES = """
SELECT w.id, w.family, w.stated_by, w.theme, w.rank, w.urgent, w.forms, w.waiting_rounds,
       array(SELECT wp.person FROM wish_person wp WHERE wp.wish = w.id ORDER BY wp.person) AS persons
FROM wish w WHERE w.state = 'open' ORDER BY w.rank, w.id
"""

_PERSONS = """
SELECT p.id, p.family, p.party, coalesce(a.week, repeat('0', 21)) AS week,
       array(SELECT e.starts_at FROM availability_exception e WHERE e.person = p.id AND e.ends_at > $2
             UNION ALL SELECT t.starts_at FROM attendance t WHERE t.person = p.id AND t.live AND t.ends_at > $2
             ORDER BY 1) AS blocked_from,
       array(SELECT e.ends_at FROM availability_exception e WHERE e.person = p.id AND e.ends_at > $2
             UNION ALL SELECT t.ends_at FROM attendance t WHERE t.person = p.id AND t.live AND t.ends_at > $2
             ORDER BY 1) AS blocked_to
FROM person p LEFT JOIN week_availability a ON a.person = p.id WHERE p.id = ANY($1::uuid[]) ORDER BY p.id
"""

_FAMILIES = """
SELECT f.id, f.family_type, f.care_forms, f.child_age_bands, f.first_placement_on,
       array(SELECT r.professional FROM professional_relation r
             WHERE r.family = f.id AND (r.ends_on IS NULL OR r.ends_on >= $2::date)) AS professionals,
       array(SELECT e.person FROM avoid_entry e JOIN person p ON p.id = e.person
             WHERE e.family = f.id AND p.family IS DISTINCT FROM f.id) AS avoid
FROM family f WHERE f.id = ANY($1::uuid[]) AND f.active ORDER BY f.id
"""

# The matcher knows money for themes only. Money for a form, a place or a course takes no part (record 21): a booking
# looks at it again, and pays with it first.
_BUDGETS = """
SELECT b.id, b.family, b.themes, b.expires_on,
       least(a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents, 1000000000) AS free_cents
FROM budget b JOIN account a ON a.id = b.account
WHERE b.family = ANY($1::uuid[]) AND b.state = 'active'
  AND num_nonnulls(b.forms, b.municipalities, b.courses) = 0
  AND b.starts_on <= $2::date AND b.expires_on >= $3::date
  AND a.credits_posted_cents > a.debits_posted_cents + a.debits_pending_cents
ORDER BY b.family, b.themes IS NULL, b.expires_on, b.id
"""


async def _seekers(starts_on: date) -> list[dict[str, Any]]:
    wishes: dict[UUID, list[Any]] = defaultdict(list)
    for row in await fetch_all(_WISHES):
        wishes[row["family"] or row["stated_by"]].append(row)
    today = clock.today()
    owners = list(wishes)
    persons = {row["id"]: row for row in await fetch_all(_PERSONS, _everyone(wishes), clock.now())}
    preferences = {
        row["family"] or row["professional"]: row
        for row in await fetch_all(
            "SELECT * FROM learning_preference WHERE family = ANY($1::uuid[]) OR professional = ANY($1::uuid[])", owners
        )
    }
    families = {row["id"]: row for row in await fetch_all(_FAMILIES, owners, separated_since(today))}
    budgets: dict[UUID, list[Any]] = defaultdict(list)
    for row in await fetch_all(_BUDGETS, owners, max(starts_on, today), today):
        budgets[row["family"]].append(row)
    return [
        _seeker(owner, wishes[owner], persons, preferences[owner], family=families.get(owner), budgets=budgets[owner])
        for owner in sorted(owners)
        if owner in preferences and (owner in families or wishes[owner][0]["family"] is None)
    ]


def _everyone(wishes: Mapping[UUID, list[Any]]) -> list[UUID]:
    return sorted({person for rows in wishes.values() for row in rows for person in row["persons"]})


def _seeker(
    owner: UUID,
    wishes: list[Any],
    persons: Mapping[UUID, Any],
    preference: Any,
    *,
    family: Any | None,
    budgets: list[Any],
) -> dict[str, Any]:
    going = sorted({person for wish in wishes for person in wish["persons"]})
    seeker: dict[str, Any] = {
        "id": str(owner),
        "persons": [_person(persons[person]) for person in going],
        "wishes": [_wish(wish) for wish in wishes],
        "pc4": preference["postcode4"] if preference["postcode4"] in all_places() else None,
        "travel_minutes_max": msgspec.json.decode(preference["travel_minutes_max"]),
        "online_ok": preference["online_ok"],
        "max_placements": preference["max_placements"],
        "waiting_rounds": min(max(wish["waiting_rounds"] for wish in wishes), WAITING_ROUNDS_MAX),
        "childcare": msgspec.json.decode(preference["childcare"]),
        "childcare_need": preference["childcare_need"],
    }
    if family is None:
        # A professional takes part in dialogues at the employer's expense: money never limits the seat.
        return seeker | {"own_contribution_cents_max": 1_000_000}
    return seeker | {
        "family_type": family["family_type"],
        "care_forms": list(family["care_forms"]),
        "experience_years": min(experience_years(family["first_placement_on"], clock.today()), EXPERIENCE_YEARS_MAX),
        "child_age_bands": list(family["child_age_bands"]),
        "professionals": [str(person) for person in family["professionals"]],
        "avoid": [str(person) for person in family["avoid"]],
        "budgets": [_budget(budget) for budget in budgets[:BUDGETS_MAX]],
    }


def _person(row: Any) -> dict[str, Any]:
    blocked = zip(row["blocked_from"], row["blocked_to"], strict=True)
    return {
        "id": str(row["id"]),
        "party": row["party"],
        "availability": row["week"],
        "blocked": [_interval(starts_at, ends_at) for starts_at, ends_at in blocked],
    }


def _wish(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "theme": row["theme"],
        "rank": row["rank"],
        "urgent": row["urgent"],
        "forms": row["forms"],
        "persons": [str(person) for person in row["persons"]],
    }


def _budget(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "available_cents": row["free_cents"],
        "themes": row["themes"],
        "expires_on": row["expires_on"].isoformat(),
    }


# --- what is impossible because of what is already booked ----------------------------------------------------

_FORBIDDEN = """
WITH live AS (
  SELECT b.family, bp.person, bp.session, s.course FROM booking_person bp JOIN booking b ON b.id = bp.booking
  JOIN course_session s ON s.id = bp.session WHERE bp.live
), kept_apart AS (
  SELECT family, professional AS person FROM professional_relation WHERE ends_on IS NULL OR ends_on >= $2::date
  UNION SELECT family, person FROM avoid_entry
)
SELECT coalesce(live.family, live.person) AS seeker, s.id AS session
FROM live JOIN course_session s ON s.course = live.course WHERE s.id = ANY($1::uuid[])
UNION
SELECT k.person, live.session FROM live JOIN kept_apart k ON k.family = live.family WHERE live.session = ANY($1::uuid[])
UNION
SELECT k.family, live.session FROM live JOIN kept_apart k ON k.person = live.person WHERE live.session = ANY($1::uuid[])
UNION
SELECT mine.family, live.session FROM live JOIN kept_apart k ON k.family = live.family
JOIN person mine ON mine.id = k.person WHERE live.session = ANY($1::uuid[]) AND mine.family IS NOT NULL
"""


async def _forbidden(sessions: list[str]) -> list[list[str]]:
    """Pairs that bookings made before rule out: the same course again, or somebody to be kept apart from."""
    rows = await fetch_all(_FORBIDDEN, [UUID(session) for session in sessions], separated_since(clock.today()))
    return [[str(row["seeker"]), str(row["session"])] for row in rows]
