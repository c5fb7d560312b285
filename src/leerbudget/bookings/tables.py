"""Columns and named constraints of bookings (a seat and a hold of money, both or neither) and of the waiting list."""

from piccolo.columns import BigInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.bookings.rules import (
    ATTENDANCE_STATES,
    BOOKING_STATES,
    LIVE_STATES,
    ORIGINS,
    WAITING_LIVE,
    WAITING_STATES,
)
from leerbudget.catalogue.tables import Course, CourseSession, ElearningUnit, Meeting
from leerbudget.foundation.columns import (
    cents,
    content,
    document,
    flag,
    foreign,
    identifier,
    key,
    moment,
    one_of,
    text,
    whole,
)
from leerbudget.foundation.database import DB
from leerbudget.people.rules import CHILD_AGE_BANDS
from leerbudget.people.tables import Family, Person
from leerbudget.wishes.tables import Wish


class Booking(Table, db=DB, tablename="booking"):
    """One or more persons of a family (or one professional) in one course session.

    The id is the caller's idempotency key; `content_sha256` tells a repeat from another request (I5).
    `price_cents` is the quote for all persons together and never changes. `own_cents`: what of it the family pays itself;
    until it did (`own_paid_at`) the seat is only kept, one at a time (partial unique index `one_unpaid_seat_per_family`,
    migrations). `fee_cents`: what a cancellation cost;
    `fee_returned_at`: when the family got `fee_returned_cents` of that back, once. `moved_to`: the booking that took its place.
    `reminded_at`: when it was time for the reminder that an offer waits for its answer.
    """

    id = key()
    family = foreign(Family, optional=True)
    session = foreign(CourseSession)
    wish = foreign(Wish, optional=True)
    origin = text(20)
    state = text(20)
    persons = whole()
    price_cents = cents()
    content_sha256 = content(optional=False)
    offered_until = moment(optional=True)
    booked_at = moment()
    answered_at = moment(optional=True)
    ended_at = moment(optional=True)
    end_reason = text(60, optional=True)
    own_cents = cents(default=0)
    own_paid_at = moment(optional=True)
    fee_cents = cents(default=0)
    fee_returned_at = moment(optional=True)
    fee_returned_cents = cents(default=0)
    moved_to = identifier(optional=True)
    reminded_at = moment(optional=True)

    booking_state_is_known = Check(one_of("state", BOOKING_STATES))
    booking_origin_is_known = Check(one_of("origin", ORIGINS))
    booking_has_persons = Check("persons BETWEEN 1 AND 10")
    booking_price_not_negative = Check("price_cents >= 0")
    own_share_within_price = Check("own_cents BETWEEN 0 AND price_cents")
    unpaid_seats_are_only_kept = Check(
        "own_cents = 0 OR own_paid_at IS NOT NULL OR state NOT IN ('confirmed', 'attended', 'no_show')"
    )
    fee_within_price = Check("fee_cents BETWEEN 0 AND price_cents")
    only_cancelling_costs_a_fee = Check("fee_cents = 0 OR state = 'cancelled'")
    only_a_fee_is_returned = Check(
        "(fee_returned_at IS NOT NULL) = (fee_returned_cents > 0) AND fee_returned_cents BETWEEN 0 AND fee_cents"
    )
    only_moved_names_where_to = Check("(moved_to IS NOT NULL) = (coalesce(end_reason, '') = 'moved')")
    offers_have_a_deadline = Check("state <> 'offered' OR offered_until IS NOT NULL")
    only_ended_bookings_have_ended = Check(f"({one_of('state', LIVE_STATES)}) = (ended_at IS NULL)")


class BookingPerson(Table, db=DB, tablename="booking_person"):
    """Who comes. Partial unique index `one_live_booking_per_person` (migrations)."""

    id = key()
    booking = foreign(Booking, index=False)
    session = foreign(CourseSession)
    person = foreign(Person)
    live = flag(default=True)

    booking_person_once = Unique([booking, person])


class Attendance(Table, db=DB, tablename="attendance"):
    """One person at one meeting. Exclusion constraint `one_meeting_at_a_time` (migrations) guards I7.

    `instead_of`: the meeting of the own group that is caught up here, once per booking and person (partial unique index
    `one_catch_up_per_person`, migrations). Who catches up a meeting to come is not live at it. Caught up by e-learning
    there is a `unit` and no `meeting`, and no hour: it begins and ends when it was chosen, and `present` is that it was
    done. Nobody was at a meeting and caught it up as well (partial unique index `one_presence_per_meeting`).
    """

    id = key()
    booking = foreign(Booking, index=False)
    meeting = foreign(Meeting, optional=True)
    unit = foreign(ElearningUnit, optional=True)
    person = foreign(Person)
    person_number = BigInt(default=None, null=False)
    starts_at = moment()
    ends_at = moment()
    live = flag(default=True)
    state = text(10)
    instead_of = identifier(optional=True)

    attendance_once = Unique([booking, meeting, person], nulls_distinct=False)
    attendance_state_is_known = Check(one_of("state", ATTENDANCE_STATES))
    attendance_is_somewhere = Check("(meeting IS NULL) = (unit IS NOT NULL)")
    elearning_replaces_a_meeting = Check("unit IS NULL OR instead_of IS NOT NULL")
    elearning_takes_no_hour = Check("unit IS NULL OR starts_at = ends_at")
    elearning_is_done_or_not = Check("unit IS NULL OR state <> 'absent'")


class BookingChildcare(Table, db=DB, tablename="booking_childcare"):
    """Children of one age band who come along to the childcare."""

    id = key()
    booking = foreign(Booking, index=False)
    age_band = text(10)
    places = whole()

    booking_childcare_once = Unique([booking, age_band])
    booking_childcare_band_is_known = Check(one_of("age_band", CHILD_AGE_BANDS))
    booking_childcare_is_positive = Check("places BETWEEN 1 AND 20")


class WaitingEntry(Table, db=DB, tablename="waiting_entry"):
    """Persons of a family who wait for seats in a course: all of them or none.

    They asked at `session`; any session of the course that they can reach will do. The id is the caller's
    idempotency key. `booking`: the latest seats they were offered. `childcare`: children per age band.
    Without a family one person waits for a seat of their party in that very session (R64).
    """

    id = key()
    family = foreign(Family, optional=True)
    course = foreign(Course)
    session = foreign(CourseSession)
    wish = foreign(Wish, optional=True)
    booking = foreign(Booking, optional=True)
    state = text(20)
    childcare = document()
    content_sha256 = content(optional=False)
    asked_at = moment()
    ended_at = moment(optional=True)

    waiting_state_is_known = Check(one_of("state", WAITING_STATES))
    only_ended_waiting_has_ended = Check(f"({one_of('state', WAITING_LIVE)}) = (ended_at IS NULL)")
    who_is_offered_has_a_booking = Check("state <> 'offered' OR booking IS NOT NULL")


class WaitingPerson(Table, db=DB, tablename="waiting_person"):
    """Who waits. Partial unique index `one_place_in_line_per_person` (migrations)."""

    id = key()
    entry = foreign(WaitingEntry, index=False)
    course = foreign(Course)
    person = foreign(Person)
    live = flag(default=True)

    waiting_person_once = Unique([entry, person])


class WaitingTry(Table, db=DB, tablename="waiting_try"):
    """The latest time that free seats of a session were tried on an entry, and the code of what stood in the way.

    Without a code they were offered. The same session is offered once.
    """

    id = key()
    entry = foreign(WaitingEntry, index=False)
    session = foreign(CourseSession)
    refused = text(60, optional=True)
    tried_at = moment()

    one_try_per_session = Unique([entry, session])
