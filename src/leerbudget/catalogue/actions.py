"""The verbs of the catalogue: register courses and venues, publish sessions, decide about them, take seats.

Registering and publishing work on any number of orders with a handful of statements. Seats and childcare places
change only by conditional updates; the row of the session is locked first, always (lock order of the house).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.catalogue import publishing
from leerbudget.catalogue.errors import (
    CatalogueRefTwice,
    CatalogueUnknown,
    ConditionsInUse,
    CourseNotComplete,
    CourseStepNotAllowed,
    NotPublishable,
    SeatsNotTaken,
    SessionNotValid,
    SessionStepNotAllowed,
    SessionUnknown,
    VenuePostcodeNotValid,
)
from leerbudget.catalogue.rules import (
    COURSE_STATES,
    COURSE_STEPS,
    SESSION_STEPS,
    TERMS_MAX,
    CourseOrder,
    SessionOrder,
    VenueOrder,
    course_problems,
    may_step,
    sources_of,
)
from leerbudget.foundation import clock
from leerbudget.foundation.database import call, execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.geography.postcodes import all_places, place_of
from leerbudget.identity.actions import record_audit
from leerbudget.people.rules import Registered, repeated, tally


@dataclass(frozen=True, slots=True)
class SeatQuote:
    """Seats that are taken now, and what they cost. `trainer` is the pool member who is paid."""

    session: UUID
    course: UUID
    title: str
    theme: str
    form: str
    price_cents: int
    starts_at: datetime
    ends_at: datetime
    trainer: UUID
    state: str


_COURSES = """
INSERT INTO course AS c (id, external_ref, title, theme, form, goal, organisation, state, audience, cancellation,
                         regular_guidance, free_when_replaced, emergencies_per_year, no_show_percent, created_at)
SELECT id, external_ref, title, theme, form, goal, organisation, state, audience, cancellation, regular_guidance,
       free_when_replaced, emergencies_per_year, no_show_percent, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, title text, theme text, form text, goal text, organisation uuid, state text,
  audience jsonb, cancellation jsonb, regular_guidance boolean, free_when_replaced boolean, emergencies_per_year int,
  no_show_percent int)
ON CONFLICT (external_ref) DO UPDATE
SET title = excluded.title, theme = excluded.theme, form = excluded.form, goal = excluded.goal,
    organisation = excluded.organisation, state = excluded.state, audience = excluded.audience,
    cancellation = excluded.cancellation, regular_guidance = excluded.regular_guidance,
    free_when_replaced = excluded.free_when_replaced, emergencies_per_year = excluded.emergencies_per_year,
    no_show_percent = excluded.no_show_percent
WHERE (c.title, c.theme, c.form, c.goal, c.organisation, c.state, c.audience, c.cancellation, c.regular_guidance,
       c.free_when_replaced, c.emergencies_per_year, c.no_show_percent)
      IS DISTINCT FROM
      (excluded.title, excluded.theme, excluded.form, excluded.goal, excluded.organisation, excluded.state,
       excluded.audience, excluded.cancellation, excluded.regular_guidance, excluded.free_when_replaced,
       excluded.emergencies_per_year, excluded.no_show_percent)
RETURNING old.id IS NULL AS added
"""

_VENUES = """
INSERT INTO venue AS v (id, external_ref, name, postcode4, place, municipality, wheelchair)
SELECT id, external_ref, name, postcode4, place, $2::jsonb ->> postcode4, wheelchair
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, name text, postcode4 text, place text, wheelchair boolean)
ON CONFLICT (external_ref) DO UPDATE
SET name = excluded.name, postcode4 = excluded.postcode4, place = excluded.place,
    municipality = excluded.municipality, wheelchair = excluded.wheelchair
WHERE (v.name, v.postcode4, v.place, v.municipality, v.wheelchair) IS DISTINCT FROM
      (excluded.name, excluded.postcode4, excluded.place, excluded.municipality, excluded.wheelchair)
RETURNING old.id IS NULL AS added
"""


async def add_courses(orders: Sequence[CourseOrder]) -> Registered:
    """Add or update courses by reference. A first registration may have any state; later ones take steps (R19).

    Raises:
        CatalogueRefTwice: a reference occurs twice among the orders.
        CourseNotComplete: differentiation is missing (R18), regular guidance (R12), or words are unknown.
        CourseStepNotAllowed: a known course cannot go to the state of its order.
        ConditionsInUse: other conditions for cancelling while somebody has a seat in a session to come.
        UnknownCatalogueCode: a theme, form or state outside the closed lists.
        CatalogueUnknown: an organisation that does not exist.
    """
    _once([order.external_ref for order in orders])
    problems = publishing.told((order.external_ref, found) for order in orders for found in course_problems(order))
    if problems:
        raise CourseNotComplete(problems=problems)
    async with together():
        await _course_steps_fit(orders)
        await _conditions_stay(orders)
        rows = await fetch_all(_COURSES, msgspec.json.encode(orders).decode(), clock.now())
        return tally([row["added"] for row in rows], len(orders))


async def step_course(course: UUID, to: str, *, actor: UUID | None = None) -> None:
    """Bring a course to another state of admission (R19).

    Raises:
        CatalogueUnknown: there is no such course.
        CourseStepNotAllowed: not from the present state, or no such state.
        CourseNotComplete: it misses what the state asks for (R12, R18).
    """
    async with together():
        row = await fetch_one("SELECT * FROM course WHERE id = $1 FOR NO KEY UPDATE", course)
        if row is None:
            raise CatalogueUnknown
        if to not in COURSE_STATES or not may_step(COURSE_STEPS, row["state"], to):
            raise CourseStepNotAllowed(state=row["state"], to=to)
        problems = publishing.told((row["external_ref"], found) for found in course_problems(_course_order(row, to)))
        if problems:
            raise CourseNotComplete(problems=problems)
        await execute("UPDATE course SET state = $2 WHERE id = $1", course, to)
        await record_audit(actor, f"course_{to}", "course", course)


async def add_venues(orders: Sequence[VenueOrder]) -> Registered:
    """Add or update venues by reference.

    Raises:
        CatalogueRefTwice: a reference occurs twice among the orders.
        VenuePostcodeNotValid: not four digits, or no such postcode.
    """
    _once([order.external_ref for order in orders])
    if any(order.postcode4 not in all_places() for order in orders):
        raise VenuePostcodeNotValid
    lie_in = {order.postcode4: place_of(order.postcode4).municipality for order in orders}
    rows = await fetch_all(_VENUES, msgspec.json.encode(orders).decode(), msgspec.json.encode(lie_in).decode())
    return tally([row["added"] for row in rows], len(orders))


async def publish_sessions(orders: Sequence[SessionOrder]) -> Registered:
    """Enter sessions in the state of their order, usually open for booking.

    `conditional` until it is decided whether they go on, `confirmed` when they go on whatever happens.
    A known reference with the same content is left alone, apart from a step forward (draft, conditional, confirmed).
    With other content it is changed while it is a draft or nobody has ever booked it; otherwise it is fixed.

    Raises:
        CatalogueRefTwice: a reference occurs twice among the orders.
        SessionNotValid: shapes and numbers that cannot be.
        NotPublishable: course or trainer not admitted, or a certificate that does not hold on a date (R19, R55, R56).
        PriceNotTariff: a tariff applies to what is published anew, and the price is another one (R06).
        TariffMissing: neither a price nor a tariff that applies.
        SessionFixed: other content for a session that was booked, was decided about, or is over.
        CatalogueUnknown: a course, venue, trainer or person that does not exist.
    """
    return await _write(orders)


async def draft_sessions(orders: Sequence[SessionOrder]) -> Registered:
    """Keep sessions that nobody can see or book yet; `publish_sessions` with the same reference opens them.

    Raises:
        CatalogueRefTwice: a reference occurs twice among the orders.
        SessionNotValid: shapes and numbers that cannot be.
        TariffMissing: neither a price nor a tariff that applies; a draft may have any price.
        SessionFixed: the session is no draft any more and has other content.
        CatalogueUnknown: a course, venue, trainer or person that does not exist.
    """
    return await _write([replace(order, state="draft") for order in orders])


async def decide(session: UUID, *, runs: bool, reason: str | None, actor: UUID | None) -> None:
    """Say that a conditional session goes on (`confirmed`) or that a session does not (`cancelled`, with a reason).

    Raises:
        SessionUnknown: there is no such session.
        SessionStepNotAllowed: not from its present state.
        NotPublishable: it would go on without an admitted trainer whose certificate holds on every date (R56).
    """
    async with together():
        state = await fetch_value("SELECT state FROM course_session WHERE id = $1 FOR NO KEY UPDATE", session)
        if state is None:
            raise SessionUnknown
        to = "confirmed" if runs else "cancelled"
        if not may_step(SESSION_STEPS, state, to):
            raise SessionStepNotAllowed(state=state, to=to)
        problems = await publishing.problems_of_published([session]) if runs else []
        if problems:
            raise NotPublishable(problems=problems, first=problems[0]["message"])
        await execute(
            "UPDATE course_session SET state = $2, cancel_reason = $3 WHERE id = $1",
            session,
            to,
            None if runs else reason,
        )
        await record_audit(actor, f"session_{to}", "course_session", session, {"reason": reason})


async def start_due() -> int:
    """Confirmed sessions whose first meeting has begun are running now; how many."""
    return await execute(
        "UPDATE course_session SET state = 'running' WHERE state = 'confirmed' AND starts_at <= $1", clock.now()
    )


async def mark_done(session: UUID) -> None:
    """Close a session after its last meeting.

    Raises:
        SessionUnknown: there is no such session.
        SessionStepNotAllowed: it was not going on, or its last meeting has not ended.
    """
    done = await execute(
        "UPDATE course_session SET state = 'done' WHERE id = $1 AND state = ANY($2::text[]) AND ends_at <= $3",
        session,
        sources_of(SESSION_STEPS, "done"),
        clock.now(),
    )
    if not done:
        state = await fetch_value("SELECT state FROM course_session WHERE id = $1", session)
        if state is None:
            raise SessionUnknown
        raise SessionStepNotAllowed(state=state, to="done")


# --- seats -------------------------------------------------------------------------------------------------


async def take_seats(session: UUID, persons: int, *, party: str, childcare: Mapping[str, int]) -> SeatQuote:
    """Take seats for persons of one party, and childcare places per age band: all of it or nothing.

    Locks the session's row until the transaction ends: nobody else comes in before the caller is done.

    Raises:
        SessionUnknown: there is no such session.
        NotBookable: its state, its course's admission, or it has begun.
        SessionFull: fewer free seats.
        PartyFull: fewer free seats for this party, or the party has no seats here.
        ChildcareFull: fewer places for an age band, or none at all.
        SeatsNotTaken: a number of persons or children below one.
    """
    if persons < 1 or any(places < 1 for places in childcare.values()):
        raise SeatsNotTaken(persons=persons)
    row = await call(
        "SELECT s.course, s.title, s.theme, s.form, s.price_cents, s.starts_at, s.ends_at, s.trainer, s.state"
        " FROM rooms.take_seats($1, $2, $3, $4, $5) s",
        session,
        persons,
        party,
        json.dumps(dict(childcare)),
        clock.now(),
    )
    return SeatQuote(session=session, **row)


async def return_seats(session: UUID, persons: int, *, party: str, childcare: Mapping[str, int]) -> None:
    """Give back seats and childcare places that were taken, whatever state the session is in.

    Raises:
        SessionUnknown: there is no such session.
        SeatsNotTaken: more is given back than was taken, or less than one.
    """
    if persons < 1 or any(places < 1 for places in childcare.values()):
        raise SeatsNotTaken(persons=persons)
    async with together():
        row = await fetch_one(
            """UPDATE course_session s SET seats_taken = seats_taken - $2, freed_at = $3
               WHERE id = $1 AND seats_taken >= $2
               RETURNING EXISTS (SELECT FROM session_party p WHERE p.session = s.id) AS by_party""",
            session,
            persons,
            clock.now(),
        )
        if row is None:
            if await fetch_value("SELECT true FROM course_session WHERE id = $1", session) is None:
                raise SessionUnknown
            raise SeatsNotTaken(persons=persons)
        given = not row["by_party"] or await execute(_RETURN_PARTY, session, party, persons)
        if not given or len(await _change_childcare(_RETURN_CHILDCARE, session, childcare)) < len(childcare):
            raise SeatsNotTaken(persons=persons, party=party, bands=sorted(childcare))


_RETURN_PARTY = """
UPDATE session_party SET seats_taken = seats_taken - $3 WHERE session = $1 AND party = $2 AND seats_taken >= $3
"""
_RETURN_CHILDCARE = """
UPDATE childcare_places p SET places_taken = p.places_taken - w.places
FROM unnest($2::text[], $3::int[]) AS w(band, places)
WHERE p.session = $1 AND p.age_band = w.band AND p.places_taken >= w.places
RETURNING p.age_band
"""


async def _change_childcare(sql: str, session: UUID, childcare: Mapping[str, int]) -> set[str]:
    if not childcare:
        return set()
    rows = await fetch_all(sql, session, list(childcare), list(childcare.values()))
    return {row["age_band"] for row in rows}


# --- behind the verbs --------------------------------------------------------------------------------------


async def _write(orders: Sequence[SessionOrder]) -> Registered:
    """Check orders and write those that are not in the catalogue as they are.

    Raises:
        SessionNotValid: shapes and numbers that cannot be.
        NotPublishable: course or trainers do not allow it.
    """
    _once([order.external_ref for order in orders])
    async with together():
        facts = await publishing.facts_of(orders)
        whole = [replace(order, people=facts.people_of(order)) for order in orders]
        wrong = publishing.told((order.external_ref, found) for order in whole for found in facts.shape_problems(order))
        if wrong:
            raise SessionNotValid(problems=wrong)
        seen = [order for order in whole if order.state != "draft"]
        wrong = publishing.told(
            (order.external_ref, found) for order in seen for found in facts.admission_problems(order)
        )
        if wrong:
            raise NotPublishable(problems=wrong, first=wrong[0]["message"])
        return await publishing.write(whole)


async def _course_steps_fit(orders: Sequence[CourseOrder]) -> None:
    """Refuse orders that would take a known course along a step that does not exist.

    Raises:
        CourseStepNotAllowed: with the references.
    """
    wanted = {order.external_ref: order.state for order in orders}
    rows = await fetch_all(
        "SELECT external_ref, state FROM course WHERE external_ref = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE",
        list(wanted),
    )
    refused = [
        row["external_ref"]
        for row in rows
        if row["state"] != wanted[row["external_ref"]]
        and not may_step(COURSE_STEPS, row["state"], wanted[row["external_ref"]])
    ]
    if refused:
        raise CourseStepNotAllowed(courses=refused)


_CONDITIONS = """
SELECT c.external_ref FROM jsonb_to_recordset($1::jsonb) AS x(
  external_ref text, cancellation jsonb, free_when_replaced boolean, emergencies_per_year int, no_show_percent int)
JOIN course c USING (external_ref)
WHERE (c.cancellation, c.free_when_replaced, c.emergencies_per_year, c.no_show_percent)
      <> (x.cancellation, x.free_when_replaced, x.emergencies_per_year, x.no_show_percent)
  AND EXISTS (SELECT FROM course_session s WHERE s.course = c.id AND s.seats_taken > 0
              AND s.state IN ('conditional', 'confirmed', 'running'))
ORDER BY c.external_ref
"""


async def _conditions_stay(orders: Sequence[CourseOrder]) -> None:
    """Refuse other conditions for cancelling than those under which people booked.

    Raises:
        ConditionsInUse: with the references.
    """
    refused = [row["external_ref"] for row in await fetch_all(_CONDITIONS, msgspec.json.encode(orders).decode())]
    if refused:
        raise ConditionsInUse(courses=refused)


def _course_order(row: Any, state: str) -> CourseOrder:
    names = ("id", "external_ref", "title", "theme", "form", "goal", "organisation", "regular_guidance", *TERMS_MAX)
    audience = msgspec.json.decode(row["audience"])
    cancellation = tuple(msgspec.json.decode(row["cancellation"]))
    return CourseOrder(**{name: row[name] for name in names}, state=state, audience=audience, cancellation=cancellation)


def _once(refs: Sequence[str]) -> None:
    twice = repeated(refs)
    if twice:
        raise CatalogueRefTwice(refs=", ".join(twice[:20]))
