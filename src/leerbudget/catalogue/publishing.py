"""What stands behind publishing a session: the facts it is checked against, and writing many at once.

Part of the actions of this room (`actions.publish_sessions`); nobody else calls it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.catalogue.errors import CatalogueUnknown, SessionFixed
from leerbudget.catalogue.pricing import priced
from leerbudget.catalogue.queries import PLANNED_ENDS, PLANNED_STARTS
from leerbudget.catalogue.rules import (
    Problem,
    SessionOrder,
    differentiation_problems,
    meeting_days,
    opens,
    session_problems,
)
from leerbudget.foundation import clock
from leerbudget.foundation.database import copy_in, execute, fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.people.rules import Registered
from leerbudget.trainers.rules import days_without_certificate


@dataclass(frozen=True, slots=True)
class Facts:
    """The courses and pool members that orders name, locked against change until the transaction ends."""

    courses: dict[UUID, Any]
    trainers: dict[UUID, Any]
    trainers_by_person: dict[UUID, Any]

    def people_of(self, order: SessionOrder) -> tuple[tuple[UUID, str], ...]:
        """Everybody in the room with a role: the trainer first."""
        trainer = self.trainers.get(order.trainer)
        if trainer is None:
            raise CatalogueUnknown(ref=order.external_ref, trainer=str(order.trainer))
        others = sorted({(person, role) for person, role in order.people if person != trainer["person"]})
        return ((trainer["person"], "trainer"), *others)

    def shape_problems(self, order: SessionOrder) -> list[Problem]:
        """What is wrong with an order itself."""
        course = self.courses.get(order.course)
        if course is None:
            raise CatalogueUnknown(ref=order.external_ref, course=str(order.course))
        return session_problems(order, course["form"])

    def admission_problems(self, order: SessionOrder) -> list[Problem]:
        """Why course or pool members do not allow it (R18, R19, R55, R56)."""
        course = self.courses[order.course]
        problems = []
        if course["state"] != "admitted":
            problems.append(Problem("course", "course_not_admitted", "De cursus is niet toegelaten."))
        problems += differentiation_problems(msgspec.json.decode(course["audience"]))
        for person, role in order.people:
            if person in self.trainers_by_person:
                problems += _pool_problems(self.trainers_by_person[person], order)
            elif role == "trainer":
                message = "Wie training geeft, is lid van de trainerspoule."
                problems.append(Problem("people", "trainer_not_admitted", message))
        return problems


def _pool_problems(trainer: Any, order: SessionOrder) -> list[Problem]:
    if trainer["state"] != "admitted":
        message = f"Trainer {trainer['external_ref']} is niet toegelaten tot de poule."
        return [Problem("trainer", "trainer_not_admitted", message)]
    late = days_without_certificate(trainer["certificate_valid_until"], meeting_days(order.meetings))
    if late:
        message = f"De VOG van trainer {trainer['external_ref']} is niet geldig op {late[0]:%d-%m-%Y}."
        return [Problem("trainer", "certificate_ended", message)]
    return []


def told(found: Iterable[tuple[str, Problem]]) -> list[dict[str, str]]:
    """Problems with the reference of what they are about, as errors carry them."""
    return [
        {"ref": ref, "path": problem.path, "code": problem.code, "message": problem.message} for ref, problem in found
    ]


async def facts_of(orders: Sequence[SessionOrder]) -> Facts:
    """The facts that orders are checked against."""
    courses = await fetch_all(
        "SELECT id, state, form, audience FROM course WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE",
        list({order.course for order in orders}),
    )
    trainers = await fetch_all(
        """SELECT id, person, external_ref, state, certificate_valid_until FROM trainer
           WHERE id = ANY($1::uuid[]) OR person = ANY($2::uuid[]) ORDER BY id FOR SHARE""",
        list({order.trainer for order in orders}),
        list({person for order in orders for person, _ in order.people}),
    )
    return Facts(
        {row["id"]: row for row in courses},
        {row["id"]: row for row in trainers},
        {row["person"]: row for row in trainers},
    )


async def problems_of_published(sessions: Sequence[UUID]) -> list[dict[str, str]]:
    """Why sessions in the catalogue could not be published today; empty when they could."""
    orders = [stored.order for stored in (await _stored("s.id = ANY($1::uuid[])", list(sessions))).values()]
    facts = await facts_of(orders)
    return told((order.external_ref, found) for order in orders for found in facts.admission_problems(order))


async def write(orders: Sequence[SessionOrder]) -> Registered:
    """Insert what is not there, replace what may still change, leave alone what is the same.

    Raises:
        PriceNotTariff: a tariff applies, and the price is another one.
        TariffMissing: there is neither a price nor a tariff.
        SessionFixed: other content for a session that may not change any more.
    """
    refs = [order.external_ref for order in orders]
    await fetch_all(
        "SELECT id FROM course_session WHERE external_ref = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE", refs
    )
    stored = await _stored("s.external_ref = ANY($1::text[])", refs)
    fresh, changed, stepped = [], [], []
    for order in await priced(orders, {ref: found.order for ref, found in stored.items()}):
        before = stored.get(order.external_ref)
        if before is None:
            fresh.append(order)
        elif not before.order.same_as(order):
            changed.append(replace(order, id=before.order.id))
        elif opens(before.order.state, order.state):
            stepped.append(replace(order, id=before.order.id))
    fixed = [order.external_ref for order in changed if not stored[order.external_ref].may_become(order)]
    if fixed:
        raise SessionFixed(refs=fixed)
    await _remove_parts([order.id for order in changed])
    await _insert([*fresh, *changed])
    await _step(stepped)
    touched = len(changed) + len(stepped)
    return Registered(added=len(fresh), changed=touched, unchanged=len(orders) - len(fresh) - touched)


@dataclass(frozen=True, slots=True)
class _Stored:
    order: SessionOrder
    seats_taken: int
    less_than_planned: bool

    def may_become(self, order: SessionOrder) -> bool:
        """Whether its content may change into that of the order; once open it never becomes a draft again."""
        state = self.order.state
        unseen = self.seats_taken == 0 and not self.less_than_planned
        return state == "draft" or (state == "conditional" and order.state != "draft" and unseen)


async def _step(orders: Sequence[SessionOrder]) -> None:
    await execute(
        """UPDATE course_session s SET state = x.state, tariff = x.tariff
           FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS x(id, state, tariff) WHERE s.id = x.id""",
        [order.id for order in orders],
        [order.state for order in orders],
        [order.tariff for order in orders],
    )


_STORED = f"""
SELECT s.id, s.external_ref, s.course, s.venue, s.trainer, s.price_cents, s.seats_min, s.seats_max, s.decide_on,
       s.party_spread_max, s.state, s.tariff, s.seats_taken,
       EXISTS (SELECT FROM cancelled_meeting m WHERE m.session = s.id) AS less_than_planned,
       {PLANNED_STARTS} AS starts, {PLANNED_ENDS} AS ends,
       (SELECT coalesce(jsonb_object_agg(p.party, jsonb_build_array(p.seats_min, p.seats_max)), '{{}}')
        FROM session_party p WHERE p.session = s.id) AS parties,
       (SELECT coalesce(jsonb_object_agg(c.age_band, c.places_max), '{{}}')
        FROM childcare_places c WHERE c.session = s.id) AS childcare,
       array(SELECT x.person FROM session_person x WHERE x.session = s.id ORDER BY x.id) AS persons,
       array(SELECT x.role FROM session_person x WHERE x.session = s.id ORDER BY x.id) AS roles
FROM course_session s WHERE
"""


async def _stored(condition: str, *arguments: Any) -> dict[str, _Stored]:
    rows = await fetch_all(f"{_STORED} {condition} ORDER BY s.id", *arguments)
    return {row["external_ref"]: _Stored(_order(row), row["seats_taken"], row["less_than_planned"]) for row in rows}


_PLAIN = (
    "id",
    "external_ref",
    "course",
    "venue",
    "trainer",
    "price_cents",
    "seats_min",
    "seats_max",
    "decide_on",
    "party_spread_max",
    "state",
    "tariff",
)


def _order(row: Any) -> SessionOrder:
    return SessionOrder(
        **{name: row[name] for name in _PLAIN},
        meetings=tuple(zip(row["starts"], row["ends"], strict=True)),
        parties=msgspec.json.decode(row["parties"], type=dict[str, tuple[int, int]]),
        childcare=msgspec.json.decode(row["childcare"], type=dict[str, int]),
        people=tuple(zip(row["persons"], row["roles"], strict=True)),
    )


async def _remove_parts(sessions: Sequence[UUID]) -> None:
    for table in ("meeting", "session_party", "childcare_places", "session_person"):
        await execute(f"DELETE FROM {table} WHERE session = ANY($1::uuid[])", list(sessions))


_SESSIONS = """
INSERT INTO course_session (id, external_ref, course, venue, trainer, state, price_cents, seats_min, seats_max,
                            seats_taken, starts_at, ends_at, decide_on, party_spread_max, tariff, created_at)
SELECT id, external_ref, course, venue, trainer, state, price_cents, seats_min, seats_max, 0, starts_at, ends_at,
       decide_on, party_spread_max, tariff, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, course uuid, venue uuid, trainer uuid, price_cents bigint, seats_min int, seats_max int,
  starts_at timestamptz, ends_at timestamptz, decide_on date, party_spread_max int, state text,
  tariff uuid)
ON CONFLICT (external_ref) DO UPDATE
SET course = excluded.course, venue = excluded.venue, trainer = excluded.trainer, state = excluded.state,
    price_cents = excluded.price_cents, seats_min = excluded.seats_min, seats_max = excluded.seats_max,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at, decide_on = excluded.decide_on,
    party_spread_max = excluded.party_spread_max, tariff = excluded.tariff
"""


async def _insert(orders: Sequence[SessionOrder]) -> None:
    rows = [
        {**{name: getattr(order, name) for name in _PLAIN}, "starts_at": order.starts_at, "ends_at": order.ends_at}
        for order in orders
    ]
    await execute(_SESSIONS, msgspec.json.encode(rows).decode(), clock.now())
    await _insert_meetings(orders)
    await _insert_parties(orders)
    await _insert_childcare(orders)
    await _insert_people(orders)


async def _insert_meetings(orders: Sequence[SessionOrder]) -> None:
    rows = [
        (new_id(), order.id, number, start, end)
        for order in orders
        for number, (start, end) in enumerate(order.meetings, start=1)
    ]
    await copy_in("meeting", ("id", "session", "number", "starts_at", "ends_at"), rows)


async def _insert_parties(orders: Sequence[SessionOrder]) -> None:
    rows = [
        (new_id(), order.id, party, least, most, 0)
        for order in orders
        for party, (least, most) in order.parties.items()
    ]
    await copy_in("session_party", ("id", "session", "party", "seats_min", "seats_max", "seats_taken"), rows)


async def _insert_childcare(orders: Sequence[SessionOrder]) -> None:
    rows = [
        (new_id(), order.id, band, places, 0)
        for order in orders
        for band, places in order.childcare.items()
        if places > 0
    ]
    await copy_in("childcare_places", ("id", "session", "age_band", "places_max", "places_taken"), rows)


async def _insert_people(orders: Sequence[SessionOrder]) -> None:
    rows = [(new_id(), order.id, person, role) for order in orders for person, role in order.people]
    await copy_in("session_person", ("id", "session", "person", "role"), rows)
