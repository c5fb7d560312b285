"""Reads about bookings, as they are shown; and the checks that the booking action makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.bookings import rules
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.people.rules import SEPARATION_MONTHS, separated_since


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as its family sees it.

    `own_cents`: what the family pays itself, `own_paid_at`: when it did. `cancelled_meetings`: when those that were called off would have begun. `missed`: somebody was absent;
    `catches_up_at`: when somebody comes to another group in place of that; `elearning`: somebody does that instead.
    """

    booking: UUID
    session: UUID
    title: str
    state: str
    end_reason: str | None
    price_cents: int
    persons: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    place: str | None
    offered_until: datetime | None
    booked_at: datetime
    session_state: str
    meetings: int
    first_meeting_ends_at: datetime
    fee_cents: int
    fee_returned_at: datetime | None
    fee_returned_cents: int
    moved_to: UUID | None
    own_cents: int
    own_paid_at: datetime | None
    cancelled_meetings: tuple[datetime, ...]
    missed: bool
    catches_up_at: datetime | None
    elearning: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody on a trainer's list: a name and an address to reach them, nothing about the family.

    `attendance`: by meeting, in order; `elsewhere` when they catch it up in another group, `elearning` or
    `elearning_done` when they do so alone, None when they are not expected. `guest`: they are of another group and catch up here.
    """

    booking: UUID
    person: UUID
    name: str
    email: str | None
    state: str
    attendance: tuple[str | None, ...]
    guest: bool


@dataclass(frozen=True, slots=True)
class SessionDecision:
    """Whether a session on its decision date has enough confirmed seats."""

    session: UUID
    confirmed: int
    enough: bool


@dataclass(frozen=True, slots=True)
class BookingTotals:
    """Numbers of bookings by state."""

    by_state: dict[str, int]

    @property
    def live(self) -> int:
        """Bookings that keep their seat."""
        return sum(self.by_state.get(state, 0) for state in rules.LIVE_STATES)


_VIEW = """
SELECT b.id AS booking, b.session, c.title, b.state, b.end_reason, b.price_cents,
       array(SELECT p.name FROM booking_person bp JOIN person p ON p.id = bp.person
             WHERE bp.booking = b.id ORDER BY p.name) AS persons,
       s.starts_at, s.ends_at, v.place, b.offered_until, b.booked_at, s.state AS session_state,
       b.fee_cents, b.fee_returned_at, b.fee_returned_cents, b.moved_to, b.own_cents, b.own_paid_at,
       array(SELECT m.starts_at FROM cancelled_meeting m WHERE m.session = s.id ORDER BY m.number) AS cancelled_meetings,
       EXISTS (SELECT FROM attendance a WHERE a.booking = b.id AND a.state = 'absent') AS missed,
       (SELECT min(a.starts_at) FROM attendance a WHERE a.booking = b.id AND a.live AND a.instead_of IS NOT NULL AND a.unit IS NULL)
         AS catches_up_at,
       EXISTS (SELECT FROM attendance a WHERE a.booking = b.id AND a.live AND a.unit IS NOT NULL) AS elearning,
       (SELECT count(*)::int FROM meeting m WHERE m.session = s.id) AS meetings,
       coalesce((SELECT m.ends_at FROM meeting m WHERE m.session = s.id ORDER BY m.number LIMIT 1), s.ends_at)
         AS first_meeting_ends_at
FROM booking b JOIN course_session s ON s.id = b.session JOIN course c ON c.id = s.course
LEFT JOIN venue v ON v.id = s.venue
"""


async def bookings_of(family: UUID) -> list[BookingView]:
    """Every booking of a family, the nearest course first."""
    return [_view(row) for row in await fetch_all(_VIEW + "WHERE b.family = $1 ORDER BY s.starts_at, b.id", family)]


async def booking(booking_id: UUID, family: UUID) -> BookingView | None:
    """One booking of this family; None when it is another's or unknown."""
    row = await fetch_one(_VIEW + "WHERE b.id = $1 AND b.family = $2", booking_id, family)
    return None if row is None else _view(row)


def _view(row: dict[str, object]) -> BookingView:
    values = dict(row)
    for name in ("persons", "cancelled_meetings"):
        values[name] = tuple(values[name])  # type: ignore[arg-type] # an array column
    return BookingView(**values)  # type: ignore[arg-type] # columns are named after the fields


_ROSTER = """
WITH comes AS (
  SELECT bp.booking, bp.person, false AS guest FROM booking_person bp WHERE bp.session = $1 AND bp.live
  UNION
  SELECT a.booking, a.person, true FROM attendance a JOIN meeting m ON m.id = a.meeting
  WHERE m.session = $1 AND a.live AND a.instead_of IS NOT NULL
)
SELECT c.booking, c.person, p.name, p.email, b.state, c.guest,
       array(SELECT CASE WHEN e.unit IS NOT NULL THEN CASE e.state WHEN 'present' THEN 'elearning_done' ELSE 'elearning' END
                         WHEN a.live OR a.state = 'absent' THEN a.state WHEN e.id IS NOT NULL THEN 'elsewhere' END
             FROM meeting m
             LEFT JOIN attendance a ON a.booking = c.booking AND a.person = c.person AND a.meeting = m.id
             LEFT JOIN attendance e ON e.booking = c.booking AND e.person = c.person AND e.instead_of = m.id AND e.live
             WHERE m.session = $1 ORDER BY m.number) AS attendance
FROM comes c JOIN booking b ON b.id = c.booking JOIN person p ON p.id = c.person ORDER BY c.guest, p.name, p.id
"""


async def roster(session: UUID) -> list[Participant]:
    """Who comes to a session, guests for one meeting last: for its trainer."""
    return [
        Participant(**{**dict(row), "attendance": tuple(row["attendance"])})
        for row in await fetch_all(_ROSTER, session)
    ]


@dataclass(frozen=True, slots=True)
class Busy:
    """A person's live meeting that overlaps one of a session's."""

    person: UUID
    session: UUID
    starts_at: datetime


async def busy(persons: Sequence[UUID], session: UUID) -> list[Busy]:
    """For each of these persons the first meeting they have at the time of one of the session's; free ones are absent."""
    rows = await fetch_all(
        "SELECT DISTINCT ON (a.person) a.person, o.session, a.starts_at FROM meeting m"
        " JOIN attendance a ON a.person = ANY($1::uuid[]) AND a.live"
        "  AND tstzrange(a.starts_at, a.ends_at) && tstzrange(m.starts_at, m.ends_at)"
        " JOIN meeting o ON o.id = a.meeting WHERE m.session = $2 ORDER BY a.person, a.starts_at",
        list(persons),
        session,
    )
    return [Busy(**dict(row)) for row in rows]


async def totals() -> BookingTotals:
    """Numbers of bookings by state."""
    rows = await fetch_all("SELECT state, count(*) AS n FROM booking GROUP BY state")
    return BookingTotals({row["state"]: row["n"] for row in rows})


async def states() -> dict[UUID, str]:
    """The state of every booking that was ever made: for who compares all of them."""
    return {row["id"]: row["state"] for row in await fetch_all("SELECT id, state FROM booking")}


async def attendance_missing(session: UUID) -> int:
    """Places in this session for which nobody said yet whether the person was there."""
    missing: int = await fetch_value(
        "SELECT count(*) FROM meeting m JOIN attendance a ON a.meeting = m.id AND a.live AND a.state = 'planned'"
        " JOIN booking b ON b.id = a.booking AND (b.state = 'confirmed' OR a.instead_of IS NOT NULL)"
        " WHERE m.session = $1",
        session,
    )
    return missing


async def sessions_to_decide(on: date, session: UUID | None = None) -> list[SessionDecision]:
    """Conditional sessions (or this one) whose decision date has come, and whether their confirmed seats suffice."""
    rows = await fetch_all(_DECISIONS, on, session)
    return [SessionDecision(row["session"], row["confirmed"], row["enough"]) for row in rows]


_DECISIONS = """
WITH due AS (
  SELECT id, seats_min, party_spread_max FROM course_session
  WHERE state = 'conditional' AND decide_on <= $1 AND ($2::uuid IS NULL OR id = $2)
), seats AS (
  SELECT bp.session, p.party, count(*) AS confirmed
  FROM booking_person bp JOIN booking b ON b.id = bp.booking JOIN person p ON p.id = bp.person
  WHERE bp.live AND b.state = 'confirmed' AND bp.session IN (SELECT id FROM due)
  GROUP BY bp.session, p.party
), parties AS (
  SELECT sp.session, bool_and(coalesce(seats.confirmed, 0) >= sp.seats_min) AS each_has_enough,
         max(coalesce(seats.confirmed, 0)) - min(coalesce(seats.confirmed, 0)) AS spread
  FROM session_party sp LEFT JOIN seats ON seats.session = sp.session AND seats.party = sp.party
  WHERE sp.session IN (SELECT id FROM due) GROUP BY sp.session
)
SELECT due.id AS session, coalesce(sum(seats.confirmed), 0)::int AS confirmed,
       coalesce(sum(seats.confirmed), 0) >= due.seats_min
       AND coalesce(bool_and(parties.each_has_enough), true)
       AND (due.party_spread_max IS NULL OR coalesce(max(parties.spread), 0) <= due.party_spread_max) AS enough
FROM due LEFT JOIN seats ON seats.session = due.id LEFT JOIN parties ON parties.session = due.id
GROUP BY due.id, due.seats_min, due.party_spread_max ORDER BY due.id
"""


async def sessions_to_finish(before: datetime) -> list[UUID]:
    """Confirmed sessions whose last meeting ended before the given instant."""
    rows = await fetch_all(
        "SELECT id FROM course_session WHERE state IN ('confirmed', 'running') AND ends_at < $1 ORDER BY ends_at, id",
        before,
    )
    return [row["id"] for row in rows]


async def full_sessions() -> list[UUID]:
    """Bookable sessions without a free seat."""
    rows = await fetch_all(
        "SELECT id FROM course_session WHERE seats_taken + catch_up_seats = seats_max AND state IN ('conditional', 'confirmed')"
        " AND starts_at > $1 ORDER BY id",
        clock.now(),
    )
    return [row["id"] for row in rows]


async def kept_apart_now() -> list[tuple[UUID, UUID]]:
    """(family, session): dialogues with free seats for foster parents in which the family's professional sits."""
    rows = await fetch_all(
        "SELECT DISTINCT r.family, bp.session FROM booking_person bp"
        " JOIN professional_relation r ON r.professional = bp.person AND (r.ends_on IS NULL OR r.ends_on >= $2::date)"
        " JOIN course_session s ON s.id = bp.session AND s.state IN ('conditional', 'confirmed') AND s.starts_at > $1"
        " JOIN session_party sp ON sp.session = s.id AND sp.party = 'foster_parents' AND sp.seats_taken < sp.seats_max"
        " WHERE bp.live AND s.seats_taken + s.catch_up_seats < s.seats_max ORDER BY bp.session, r.family",
        clock.now(),
        separated_since(clock.today()),
    )
    return [(row["family"], row["session"]) for row in rows]


async def cancellable() -> list[tuple[UUID, UUID]]:
    """(booking, family): confirmed, and the first meeting has not begun."""
    rows = await fetch_all(
        "SELECT b.id, b.family FROM booking b JOIN course_session s ON s.id = b.session"
        " WHERE b.state = 'confirmed' AND b.family IS NOT NULL AND s.starts_at > $1 ORDER BY b.id",
        clock.now(),
    )
    return [(row["id"], row["family"]) for row in rows]


async def meetings_to_record(before: datetime) -> list[tuple[UUID, list[UUID]]]:
    """Meetings that ended before the instant and whose attendance is not recorded, with who was expected."""
    rows = await fetch_all(
        "SELECT a.meeting, array_agg(a.person ORDER BY a.person) AS expected"
        " FROM attendance a JOIN booking b ON b.id = a.booking"
        " JOIN meeting m ON m.id = a.meeting JOIN course_session s ON s.id = m.session"
        " WHERE a.live AND a.state = 'planned' AND a.ends_at < $1"
        " AND (b.state = 'confirmed' OR a.instead_of IS NOT NULL) AND s.state IN ('confirmed', 'running') GROUP BY a.meeting ORDER BY a.meeting",
        before,
    )
    return [(row["meeting"], list(row["expected"])) for row in rows]


async def sessions_with_attendance_to_fill(trainer: UUID, before: datetime) -> set[UUID]:
    """A trainer's sessions with a meeting that is over and for which somebody's attendance is not recorded."""
    rows = await fetch_all(
        "SELECT DISTINCT m.session FROM course_session s JOIN meeting m ON m.session = s.id AND m.ends_at < $2"
        " JOIN attendance a ON a.meeting = m.id AND a.live AND a.state = 'planned'"
        " JOIN booking b ON b.id = a.booking AND (b.state = 'confirmed' OR a.instead_of IS NOT NULL)"
        " WHERE s.trainer = $1 AND s.state IN ('confirmed', 'running')",
        trainer,
        before,
    )
    return {row["session"] for row in rows}


async def inconsistencies() -> list[str]:
    """Plain messages about broken promises I3, I4 and I7, for `leerbudget doctor`; empty when all is well."""
    problems = []
    for sentence, sql in _PROMISES.items():
        count = await fetch_value(sql)
        if count:
            problems.append(sentence.format(n=count))
    return problems


_PROMISES = {
    "I3: bij {n} bijeenkomsten klopt het aantal bezette plaatsen niet": """
        SELECT count(*) FROM course_session s
        WHERE s.seats_taken NOT BETWEEN 0 AND s.seats_max - s.catch_up_seats OR s.seats_taken <>
          (SELECT count(*) FROM booking_person bp WHERE bp.session = s.id AND bp.live)""",
    "I3: bij {n} partijen klopt het aantal bezette plaatsen niet": """
        SELECT count(*) FROM session_party sp WHERE sp.seats_taken NOT BETWEEN 0 AND sp.seats_max OR sp.seats_taken <>
          (SELECT count(*) FROM booking_person bp JOIN person p ON p.id = bp.person
           WHERE bp.session = sp.session AND bp.live AND p.party = sp.party)""",
    "I3: bij {n} bijeenkomsten klopt niet hoeveel plaatsen er zijn voor wie inhaalt": """
        SELECT count(*) FROM course_session s LEFT JOIN (
          SELECT session, max(n) AS most FROM (
            SELECT m.session, m.id, count(*) AS n FROM attendance a JOIN meeting m ON m.id = a.meeting
            WHERE a.live AND a.instead_of IS NOT NULL GROUP BY m.session, m.id) per_meeting GROUP BY session
        ) c ON c.session = s.id WHERE s.catch_up_seats <> coalesce(c.most, 0)""",
    "I3: bij {n} leeftijdsgroepen klopt het aantal opvangplaatsen niet": """
        SELECT count(*) FROM childcare_places cp
        WHERE cp.places_taken NOT BETWEEN 0 AND cp.places_max OR cp.places_taken <>
          (SELECT coalesce(sum(bc.places), 0) FROM booking_childcare bc JOIN booking b ON b.id = bc.booking
           WHERE b.session = cp.session AND bc.age_band = cp.age_band AND b.ended_at IS NULL)""",
    "I3: bij {n} inschrijvingen horen niet precies de personen die komen": """
        SELECT count(*) FROM booking b LEFT JOIN (
          SELECT booking, count(*) AS persons, count(*) FILTER (WHERE live) AS live, count(DISTINCT session) AS sessions,
                 min(session::text) AS session FROM booking_person GROUP BY booking
        ) bp ON bp.booking = b.id
        WHERE bp.booking IS NULL OR bp.persons <> b.persons OR bp.sessions <> 1 OR bp.session <> b.session::text
           OR bp.live <> CASE WHEN b.ended_at IS NULL THEN b.persons ELSE 0 END""",
    "I3: {n} aanbiedingen van de wachtlijst horen niet bij precies één gezin dat erop antwoordt": """
        SELECT count(*) FROM waiting_entry e FULL JOIN (SELECT * FROM booking WHERE origin = 'waiting') b ON b.id = e.booking
        WHERE (coalesce(e.state, '') = 'offered') <> (coalesce(b.state, '') = 'offered')
           OR (e.id IS NOT NULL AND b.id IS NOT NULL AND e.family IS DISTINCT FROM b.family)""",
    "I3: {n} plekken op de wachtlijst horen niet bij precies wie er wacht": """
        SELECT count(*) FROM waiting_entry e
        WHERE NOT EXISTS (SELECT FROM waiting_person p WHERE p.entry = e.id)
           OR EXISTS (SELECT FROM waiting_person p WHERE p.entry = e.id AND p.live <> (e.ended_at IS NULL))""",
    "I4: {n} inschrijvingen hebben niet precies hun prijs vastgehouden of betaald": """
        SELECT count(*) FROM booking b LEFT JOIN (
          SELECT h.purpose, sum(h.amount_cents) AS held, bool_or(h.payer = 'own') AS own, count(r.id) AS resolved, count(*) AS holds,
                 bool_or(r.phase = 'post') AS paid,
                 coalesce(sum(r.amount_cents) FILTER (WHERE r.phase = 'post'), 0) AS kept
          FROM budget_hold h LEFT JOIN transfer r ON r.resolves = h.reservation GROUP BY h.purpose
        ) h ON h.purpose = b.id
        LEFT JOIN (SELECT session, count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE NOT held) AS not_held
                   FROM (SELECT session, true AS held FROM meeting UNION ALL SELECT session, false FROM cancelled_meeting) m
                   GROUP BY session) d ON d.session = b.session
        WHERE (b.state IN ('offered', 'confirmed')
               AND NOT (coalesce(h.held, 0) = b.price_cents - CASE WHEN b.own_paid_at IS NULL THEN b.own_cents ELSE 0 END
                        AND coalesce(h.resolved, 0) = 0))
           OR coalesce(h.own, false) <> (b.own_paid_at IS NOT NULL)
           OR (b.state IN ('attended', 'no_show') AND b.price_cents > 0
               AND NOT (coalesce(h.held, 0) = b.price_cents AND h.resolved = h.holds
                        AND (b.state = 'no_show' OR h.kept = b.price_cents * d.held / (d.held + d.not_held))))
           OR (b.ended_at IS NOT NULL AND NOT (coalesce(h.resolved, 0) = coalesce(h.holds, 0)
                                               AND coalesce(h.kept, 0) = b.fee_cents))
           OR ((b.state IN ('declined', 'expired') OR b.end_reason = 'session_cancelled') AND h.paid)""",
    "I4: {n} keer kwam na een annulering niet precies terug wat wij opschreven": """
        SELECT count(*) FROM (
          SELECT h.purpose, sum(t.amount_cents) AS cents FROM transfer t
          JOIN budget_hold h ON t.business_ref = 'fee:' || h.purpose || ':' || coalesce(h.budget::text, h.payer)
          WHERE t.kind = 'fee_return' GROUP BY h.purpose
        ) back FULL JOIN (SELECT id, fee_returned_cents FROM booking WHERE fee_returned_at IS NOT NULL) b ON b.id = back.purpose
        WHERE back.cents IS DISTINCT FROM b.fee_returned_cents""",
    "I4: {n} keer staat geld vast voor een inschrijving die er niet is": """
        SELECT count(DISTINCT h.purpose) FROM budget_hold h LEFT JOIN booking b ON b.id = h.purpose
        WHERE b.id IS NULL""",
    "I7: {n} keer zou iemand op twee plaatsen tegelijk zijn": """
        WITH expected AS (
          SELECT bp.person, m.id AS meeting, tstzrange(m.starts_at, m.ends_at) AS during
          FROM booking_person bp JOIN meeting m ON m.session = bp.session
          WHERE bp.live AND NOT EXISTS (SELECT FROM attendance a WHERE a.booking = bp.booking AND a.person = bp.person
                                        AND a.meeting = m.id AND NOT a.live)
          UNION ALL
          SELECT a.person, m.id, tstzrange(m.starts_at, m.ends_at) FROM attendance a JOIN meeting m ON m.id = a.meeting
          WHERE a.live AND a.instead_of IS NOT NULL
        )
        SELECT count(*) FROM expected a JOIN expected o ON o.person = a.person AND o.meeting > a.meeting
          AND o.during && a.during""",
    "I7: {n} keer staat iemand niet op de lijst van een datum, of op een ander uur": """
        SELECT count(*) FROM booking_person bp JOIN meeting m ON m.session = bp.session
        LEFT JOIN attendance a ON a.booking = bp.booking AND a.meeting = m.id AND a.person = bp.person
        WHERE bp.live AND (
          a.id IS NULL OR (a.starts_at, a.ends_at) <> (m.starts_at, m.ends_at)
          OR NOT a.live AND a.state <> 'absent' AND NOT EXISTS (
            SELECT FROM attendance c WHERE c.booking = a.booking AND c.person = a.person AND c.instead_of = a.meeting
            AND c.live))""",
    "I7: {n} gezinnen zitten bij hun eigen professional of iemand van hun lijst": f"""
        WITH there AS (
          SELECT session, person, booking FROM booking_person WHERE live
          UNION ALL SELECT m.session, a.person, a.booking FROM attendance a JOIN meeting m ON m.id = a.meeting
          WHERE a.live AND a.instead_of IS NOT NULL
        )
        SELECT count(*) FROM there bp JOIN booking b ON b.id = bp.booking
        JOIN (SELECT family, professional AS person, starts_on, ends_on, NULL::timestamptz AS since
              FROM professional_relation
              UNION ALL SELECT family, person, NULL, NULL, created_at FROM avoid_entry) k ON k.family = b.family
        JOIN (SELECT session, person, NULL::timestamptz AS booked_at FROM session_person
              UNION ALL SELECT op.session, op.person, ob.booked_at FROM there op
              JOIN booking ob ON ob.id = op.booking) o ON o.session = bp.session AND o.person = k.person
        CROSS JOIN LATERAL (SELECT greatest(b.booked_at, o.booked_at) AS at,
                            (greatest(b.booked_at, o.booked_at) AT TIME ZONE 'Europe/Amsterdam')::date AS day) met
        WHERE CASE WHEN k.since IS NOT NULL THEN met.at > k.since
          ELSE met.day >= k.starts_on
               AND (k.ends_on IS NULL OR k.ends_on >= met.day - interval '{SEPARATION_MONTHS} months') END""",
}


async def last_booked_at() -> datetime | None:
    """When the last booking was made; None when there is none."""
    moment: datetime | None = await fetch_value("SELECT max(booked_at) FROM booking")
    return moment


async def made_by_policy(policies: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Per policy: how many bookings its budgets paid for, and how many of those a coordinator made (R03)."""
    rows = await fetch_all(
        """
        SELECT b.policy, count(DISTINCT k.id) AS made,
               count(DISTINCT k.id) FILTER (WHERE k.origin = 'coordinator') AS approved
        FROM budget b JOIN budget_hold h ON h.budget = b.id JOIN booking k ON k.id = h.purpose
        WHERE b.policy = ANY($1::uuid[]) AND k.state IN ('confirmed', 'attended', 'no_show')
        GROUP BY b.policy
        """,
        list(policies),
    )
    return {row["policy"]: (row["made"], row["approved"]) for row in rows}
