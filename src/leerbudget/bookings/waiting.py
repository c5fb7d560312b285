"""The waiting list: families wait for a course, and seats that become free are offered to them first.

The order is published: who waited for more matching rounds goes first, then who asked first. A family is asked
for all its persons and children together or not at all. Who cannot take a seat now is passed over and told
why; nobody is asked twice for the same session.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import rules
from leerbudget.bookings.actions import BookingRequest, served
from leerbudget.bookings.errors import (
    AlreadyInCourse,
    ChildcareMismatch,
    NotForThisFamily,
    NotWaiting,
    OfferLapsed,
    WaitingUnknown,
)
from leerbudget.catalogue.errors import NotBookable, SessionFull, SessionUnknown
from leerbudget.catalogue.search import reachable
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.errors import IdempotencyMismatch, LeerbudgetError
from leerbudget.identity.actions import record_audit
from leerbudget.matcher.day_parts import day_parts_of, mask_of
from leerbudget.wishes import queries as wishes

TRY_AGAIN_AFTER = timedelta(days=1)
"""Who was passed over is tried again after this time, when seats are still free: money or plans may have changed."""
SEATS_UNKNOWN = 1_000_000
"""Free seats of a session before the first refusal told how many there are: more than a session can have."""
OUT_OF_REACH, NOT_THEIR_DAYS = "out_of_reach", "not_their_days"
"""Why seats are not even offered, beside what booking itself would refuse."""


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """Persons of a family who want to wait for seats. `childcare`: children per age band.

    Without a family: one person, for a seat of their party in this very session (`seating.wait`).
    """

    id: UUID
    family: UUID | None
    session: UUID
    persons: tuple[UUID, ...]
    childcare: Mapping[str, int] = field(default_factory=dict)

    def fingerprint(self) -> bytes:
        """SHA-256 of what was asked, to tell a repeat from another request under the same id (I5)."""
        asked = (self.family, self.session, sorted(self.persons), sorted(self.childcare.items()))
        return hashlib.sha256(msgspec.json.encode(asked)).digest()


async def join(order: WaitingOrder, *, actor: UUID | None) -> None:
    """Wait for seats in the course of this session. The same order under the same id again changes nothing.

    Raises:
        IdempotencyMismatch: the id was used for another order.
        PersonsUnknown: persons that do not belong to the family, or none.
        ChildcareMismatch: an impossible number of children.
        SessionUnknown, NotBookable: there is no such session, or nobody can get a seat in it any more.
        NotForThisFamily: the course is not for this kind of family.
        AlreadyInCourse, AlreadyWaiting: one of the persons has a place in this course, or waits for it already.
    """
    async with together():
        await execute("SELECT pg_advisory_xact_lock(hashtextextended('waiting ' || $1::uuid, 0))", order.id)
        earlier = await fetch_value("SELECT content_sha256 FROM waiting_entry WHERE id = $1", order.id)
        if earlier is not None:
            if earlier != order.fingerprint():
                raise IdempotencyMismatch(id=str(order.id))
            return
        await fetch_value("SELECT rooms.party_of($1, $2)", list(order.persons), order.family)
        if any(not 1 <= children <= 20 for children in order.childcare.values()):
            raise ChildcareMismatch
        course, wish = await _course_of(order)
        await _insert(order, course, wish)
        await record_audit(actor, "waiting_joined", "waiting_entry", order.id)


async def _course_of(order: WaitingOrder) -> tuple[UUID, UUID | None]:
    """The course that is waited for, and the first open wish of these very persons that it would fulfil."""
    facts = await fetch_one(
        _COURSE, order.session, order.family, clock.now(), clock.today(), sorted(order.persons, key=str)
    )
    if facts is None:
        raise SessionUnknown
    if not facts["open"]:
        raise NotBookable(state=facts["state"])
    if not facts["suits"]:
        raise NotForThisFamily
    if facts["there"]:
        raise AlreadyInCourse
    return facts["course"], facts["wish"]


_COURSE = """
SELECT s.course, s.state, rooms.course_suits(c.audience, $2, $4) AS suits,
       c.state = 'admitted' AND s.state IN ('conditional', 'confirmed') AND s.starts_at > $3 AS open,
       (SELECT w.id FROM wish w WHERE w.family = $2 AND w.theme = c.theme AND w.state = 'open'
        AND (w.forms IS NULL OR c.form = ANY (w.forms))
        AND array(SELECT p.person FROM wish_person p WHERE p.wish = w.id ORDER BY p.person) = $5::uuid[]
        ORDER BY w.rank, w.stated_at, w.id LIMIT 1) AS wish,
       EXISTS (SELECT FROM booking_person bp JOIN booking b ON b.id = bp.booking AND b.state = 'confirmed'
               JOIN course_session o ON o.id = bp.session
               WHERE bp.person = ANY ($5::uuid[]) AND bp.live AND o.course = s.course
               AND ($2::uuid IS NOT NULL OR o.id = s.id)) AS there
FROM course_session s JOIN course c ON c.id = s.course WHERE s.id = $1
"""


async def _insert(order: WaitingOrder, course: UUID, wish: UUID | None) -> None:
    await execute(
        "INSERT INTO waiting_entry (id, family, course, session, wish, state, childcare, content_sha256, asked_at)"
        " VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8)",
        *(order.id, order.family, course, order.session, wish),
        *(json.dumps(dict(order.childcare)), order.fingerprint(), clock.now()),
    )
    await execute(
        "INSERT INTO waiting_person (id, entry, course, person, live)"
        " SELECT uuidv7(), $1, $2, p.person, true FROM unnest($3::uuid[]) AS p(person)",
        order.id,
        course,
        list(order.persons),
    )


async def leave(entry: UUID, *, actor: UUID | None) -> None:
    """Wait no longer; seats that were offered and not answered are free again.

    Raises:
        WaitingUnknown: there is no such place in line.
        NotWaiting: it ended before.
    """
    async with together():
        found = await fetch_one("SELECT state, booking FROM waiting_entry WHERE id = $1", entry)
        if found is None:
            raise WaitingUnknown
        if found["state"] == "offered":
            await bookings.decline(found["booking"], actor=actor)
        left = await execute(
            "UPDATE waiting_entry SET state = 'left', ended_at = $2 WHERE id = $1 AND state = 'waiting'",
            entry,
            clock.now(),
        )
        if not left:
            raise NotWaiting
        await execute("UPDATE waiting_person SET live = false WHERE entry = $1", entry)
        await record_audit(actor, "waiting_left", "waiting_entry", entry)


async def accept(entry: UUID, *, actor: UUID | None) -> UUID:
    """The family takes the seats that it was offered; the booking.

    Raises:
        WaitingUnknown: there is no such place in line.
        OfferLapsed: nothing is offered, or its time is over.
    """
    booking = await _offered(entry)
    await bookings.accept(booking, actor=actor)
    return booking


async def decline(entry: UUID, *, actor: UUID | None) -> None:
    """The family does not take these seats and waits on, for other sessions of the course.

    Raises:
        WaitingUnknown: there is no such place in line.
        OfferLapsed: nothing is offered, or its time is over.
    """
    await bookings.decline(await _offered(entry), actor=actor)


async def _offered(entry: UUID) -> UUID:
    found = await fetch_one("SELECT state, booking FROM waiting_entry WHERE id = $1", entry)
    if found is None:
        raise WaitingUnknown
    if found["state"] != "offered":
        raise OfferLapsed
    booking: UUID = found["booking"]
    return booking


async def offer_free_seats(*, actor: UUID | None = None, limit: int = 200) -> list[UUID]:
    """Offer the free seats of sessions to who waits for their course, in order; the bookings that were made.

    Who has no family is seated at once: they said yes to this date when they were put in line.
    Every offer is a transaction of its own. Sessions that start within a day are left to whoever books.
    """
    await execute(_GOT_IT_OTHERWISE, clock.now())
    offered = []
    for session in await fetch_all(_WITH_SEATS, *_moments(), limit):
        offered += await _offer_in(session, actor=actor)
    return offered


def _moments() -> tuple[Any, Any]:
    """After which a session must start for its seats to be offered, and since when a try counts."""
    now = clock.now()
    return now + rules.LATEST_BEFORE_START, now - TRY_AGAIN_AFTER


_GOT_IT_OTHERWISE = """
WITH served AS (
  UPDATE waiting_entry e SET state = 'served', ended_at = $1
  WHERE e.state = 'waiting' AND EXISTS (
    SELECT FROM waiting_person wp JOIN booking_person bp ON bp.person = wp.person AND bp.live
    JOIN course_session s ON s.id = bp.session JOIN booking b ON b.id = bp.booking
    WHERE wp.entry = e.id AND s.course = e.course AND (e.family IS NOT NULL OR s.id = e.session)
      AND b.state = 'confirmed')
  RETURNING e.id
)
UPDATE waiting_person p SET live = false FROM served WHERE p.entry = served.id
"""

_WITH_SEATS = """
SELECT s.id, s.course, s.starts_at, greatest(s.freed_at, $2) AS since, v.postcode4,
       array(SELECT m.starts_at FROM meeting m WHERE m.session = s.id ORDER BY m.number) AS starts,
       array(SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number) AS ends
FROM course_session s JOIN course c ON c.id = s.course AND c.state = 'admitted' LEFT JOIN venue v ON v.id = s.venue
WHERE s.state IN ('conditional', 'confirmed') AND s.starts_at > $1 AND s.seats_taken + s.catch_up_seats < s.seats_max
  AND EXISTS (SELECT FROM waiting_entry e WHERE e.course = s.course AND e.state = 'waiting'
              AND (e.family IS NOT NULL OR e.session = s.id) AND NOT EXISTS (
                SELECT FROM waiting_try t WHERE t.entry = e.id AND t.session = s.id
                AND (t.refused IS NULL OR t.tried_at >= greatest(s.freed_at, $2))))
ORDER BY s.starts_at, s.id LIMIT $3
"""

_LINE = """
SELECT e.id, e.family, e.session, e.childcare, CASE WHEN w.state = 'open' THEN e.wish END AS wish,
       array(SELECT p.person FROM waiting_person p WHERE p.entry = e.id ORDER BY p.person) AS persons
FROM waiting_entry e LEFT JOIN wish w ON w.id = e.wish
WHERE e.course = $1 AND e.state = 'waiting' AND (e.family IS NOT NULL OR e.session = $2) AND NOT EXISTS (
  SELECT FROM waiting_try t WHERE t.entry = e.id AND t.session = $2 AND (t.refused IS NULL OR t.tried_at >= $3))
ORDER BY coalesce(w.waiting_rounds, 0) DESC, e.asked_at, e.id
"""


async def _offer_in(session: Any, *, actor: UUID | None) -> list[UUID]:
    """Who waits, in order, until the seats are gone. Once it is known how many are left, larger households are not tried."""
    offered: list[UUID] = []
    free = SEATS_UNKNOWN
    passed_over: dict[UUID, str | None] = {}
    at = clock.now()  # before the first look: a seat that becomes free meanwhile is tried on everybody again
    line = await fetch_all(_LINE, session["course"], session["id"], session["since"])
    preferences = await wishes.preferences_of([entry["family"] for entry in line if entry["family"] is not None])
    weeks = await wishes.weeks_of([person for entry in line for person in entry["persons"]])
    for entry in line:
        try:
            refused = _unsuited(entry, session, preferences.get(entry["family"]), weeks)
            if refused is None and len(entry["persons"]) > free:
                refused = SessionFull.code
            if refused is None:
                offered.append(await _offer(entry, session, actor=actor))
                free -= len(entry["persons"])
        except NotWaiting:
            continue
        except LeerbudgetError as refusal:
            if isinstance(refusal, SessionFull):
                free = refusal.data.get("free", 0)
                if free <= 0:
                    break  # who comes after keeps the right to be asked for the next seat
            if refusal.status >= 500:
                raise
            refused = refusal.code
        if refused is not None:
            passed_over[entry["id"]] = refused
    await _remember(passed_over, session["id"], at)
    return offered


async def _offer(entry: Any, session: Any, *, actor: UUID | None) -> UUID:
    """Seats and money are held for the family until it answers; somebody without a family has the seat.

    Raises:
        NotWaiting: it left the line, or another worker was first.
        LeerbudgetError: what booking refuses.
    """
    request = BookingRequest(
        id=uuid5(entry["id"], str(session["id"])),
        family=entry["family"],
        session=session["id"],
        persons=tuple(entry["persons"]),
        wish=entry["wish"],
        childcare=msgspec.json.decode(entry["childcare"], type=dict[str, int]),
        origin="waiting",
        offered_until=None if entry["family"] is None else rules.answer_until(clock.now()),
    )
    async with together():
        await bookings.book(request, actor=actor)
        # another worker may have offered these seats, and the family may have said no to them: the answer stands
        state = await fetch_value("SELECT state FROM booking WHERE id = $1 FOR NO KEY UPDATE", request.id)
        if state != ("confirmed" if request.offered_until is None else "offered"):
            raise NotWaiting
        taken = await execute(
            "UPDATE waiting_entry SET state = 'offered', booking = $2 WHERE id = $1 AND state = 'waiting'",
            entry["id"],
            request.id,
        )
        if taken and request.offered_until is None:
            await served([request.id])
        if not taken:
            raise NotWaiting
        await _remember({entry["id"]: None}, session["id"], clock.now())
    return request.id


async def _remember(refused: Mapping[UUID, str | None], session: UUID, at: datetime) -> None:
    """The latest try of entries, with what stood in the way; that seats were offered is never forgotten."""
    if refused:
        await execute(_TRIED, list(refused), list(refused.values()), session, at)


_TRIED = """
INSERT INTO waiting_try (id, entry, session, refused, tried_at)
SELECT uuidv7(), t.entry, $3, t.refused, $4 FROM unnest($1::uuid[], $2::text[]) AS t(entry, refused) ORDER BY t.entry
ON CONFLICT ON CONSTRAINT one_try_per_session DO UPDATE SET refused = excluded.refused, tried_at = excluded.tried_at
WHERE waiting_try.refused IS NOT NULL
"""


def _unsuited(
    entry: Any, session: Any, preference: wishes.PreferenceView | None, weeks: Mapping[UUID, str]
) -> str | None:
    """Why a family would not want these seats: too far, or not on its days. Where it asked to wait it wants them."""
    if entry["session"] == session["id"]:
        return None
    if preference is not None and not _within(preference, session["postcode4"]):
        return OUT_OF_REACH
    touched = 0
    for starts_at, ends_at in zip(session["starts"], session["ends"], strict=True):
        touched |= day_parts_of(starts_at, ends_at)
    own = [mask_of(weeks[person]) for person in entry["persons"] if person in weeks]
    return NOT_THEIR_DAYS if any(touched & ~free for free in own) else None


def _within(preference: wishes.PreferenceView, postcode4: str | None) -> bool:
    """Whether a place (none: online) is within a family's limits."""
    if postcode4 is None:
        return preference.online_ok
    return postcode4 in reachable(preference.postcode4, tuple(sorted(preference.travel_minutes_max.items())))[0]
