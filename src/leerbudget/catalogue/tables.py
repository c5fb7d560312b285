"""Columns and named constraints of courses, venues, course sessions and meetings."""

from piccolo.columns import Text, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.catalogue.rules import COURSE_STATES, FORMS, SESSION_ROLES, SESSION_STATES, TARIFF_SCOPES, THEMES
from leerbudget.foundation.columns import cents, day, document, flag, foreign, key, moment, one_of, text, whole, words
from leerbudget.foundation.database import DB
from leerbudget.people.rules import CHILD_AGE_BANDS, PARTIES
from leerbudget.people.tables import Organisation, Person
from leerbudget.trainers.tables import Trainer


class Course(Table, db=DB, tablename="course"):
    """What is taught and for whom. `audience`: {criterion: {value: for|suits|not_for}} (R17, R18).

    `cancellation`: [{"days_before": n, "refund_percent": p}], the first line that fits counts. These and the
    conditions beside them stay as they are while somebody has a seat in a session to come.
    """

    id = key()
    external_ref = text(60)
    title = text(200)
    theme = text(40)
    form = text(40)
    goal = Text(default=None, null=False)
    organisation = foreign(Organisation, optional=True)
    state = text(20)
    audience = document()
    cancellation = document()
    regular_guidance = flag(default=False)
    free_when_replaced = flag(default=True)
    emergencies_per_year = whole(default=2)
    no_show_percent = whole(default=100)
    created_at = moment()

    course_ref_once = Unique([external_ref])
    course_theme_is_known = Check(one_of("theme", THEMES))
    course_form_is_known = Check(one_of("form", FORMS))
    course_state_is_known = Check(one_of("state", COURSE_STATES))
    emergencies_are_few = Check("emergencies_per_year BETWEEN 0 AND 12")
    no_show_is_a_share = Check("no_show_percent BETWEEN 0 AND 100")
    guidance_is_never_admitted = Check("NOT (regular_guidance AND state = 'admitted')")


class Venue(Table, db=DB, tablename="venue"):
    """Where people meet. `municipality` follows from the postcode."""

    id = key()
    external_ref = text(60)
    name = text(200)
    postcode4 = text(4)
    place = text(100)
    municipality = Varchar(length=100, default="", null=False)
    wheelchair = flag(default=False)

    venue_ref_once = Unique([external_ref])
    venue_postcode_has_four_digits = Check("postcode4 ~ '^[1-9][0-9]{3}$'")


class Tariff(Table, db=DB, tablename="tariff"):
    """What one course costs a person, for one scope and one period (R06). Never changed, only ended early.

    `municipalities`: one for a municipality, all of them for a youth region, whose name is `region`. `ends_on` is the
    last day, NULL until further notice; the day before `starts_on` when it was withdrawn before it began.
    `ended_at`: when it was ended early. No two of one course hold for the same place or organisation on one day
    (`one_tariff_at_a_time`).
    """

    id = key()
    external_ref = text(60)
    course = foreign(Course)
    scope = text(20)
    region = text(80, optional=True)
    municipalities = words(optional=True)
    organisation = foreign(Organisation, optional=True)
    price_cents = cents()
    starts_on = day()
    ends_on = day(optional=True)
    added_at = moment()
    ended_at = moment(optional=True)

    tariff_ref_once = Unique([external_ref])
    tariff_scope_is_known = Check(one_of("scope", TARIFF_SCOPES))
    tariff_names_its_scope = Check(
        "(scope = 'youth_region') = (region IS NOT NULL) AND (scope = 'organisation') = (organisation IS NOT NULL)"
        " AND CASE scope WHEN 'municipality' THEN cardinality(municipalities) = 1"
        " WHEN 'youth_region' THEN cardinality(municipalities) > 0 ELSE municipalities IS NULL END IS TRUE"
    )
    tariff_within_bounds = Check("price_cents >= 0 AND price_cents <= 1000000")
    tariff_period_runs_forward = Check("ends_on >= starts_on OR (ended_at IS NOT NULL AND ends_on = starts_on - 1)")


class CourseSession(Table, db=DB, tablename="course_session"):
    """A course that is given at set moments; without a venue it is online. Price per person, incl. VAT.

    `tariff`: where the price comes from (R06); NULL is a price of its own. Both stay when tariffs change.
    `freed_at`: when a seat that was taken last became free again. `catch_up_seats`: the most seats that are kept at
    one meeting for people of another group who catch up there.
    """

    id = key()
    external_ref = text(60)
    course = foreign(Course)
    venue = foreign(Venue, optional=True)
    trainer = foreign(Trainer)
    state = text(20)
    price_cents = cents()
    seats_min = whole()
    seats_max = whole()
    seats_taken = whole(default=0)
    catch_up_seats = whole(default=0)
    starts_at = moment(index=True)
    ends_at = moment()
    decide_on = day()
    party_spread_max = whole(optional=True)
    cancel_reason = text(200, optional=True)
    created_at = moment()
    freed_at = moment(optional=True)
    tariff = foreign(Tariff, optional=True)

    session_ref_once = Unique([external_ref])
    session_state_is_known = Check(one_of("state", SESSION_STATES))
    seats_within_capacity = Check(
        "seats_taken >= 0 AND catch_up_seats >= 0 AND seats_taken + catch_up_seats <= seats_max"
    )
    seats_min_fits_max = Check("seats_min >= 1 AND seats_min <= seats_max AND seats_max <= 1000")
    price_within_bounds = Check("price_cents >= 0 AND price_cents <= 1000000")
    session_ends_after_start = Check("ends_at > starts_at")


class Meeting(Table, db=DB, tablename="meeting"):
    """One moment of a course session."""

    id = key()
    session = foreign(CourseSession, index=False)
    number = whole()
    starts_at = moment()
    ends_at = moment()

    meeting_number_once = Unique([session, number])
    meeting_ends_after_start = Check("ends_at > starts_at AND ends_at < starts_at + interval '1 day'")


class CancelledMeeting(Table, db=DB, tablename="cancelled_meeting"):
    """A meeting that does not take place while its session goes on; the id is that of the meeting it was."""

    id = key()
    session = foreign(CourseSession, index=False)
    number = whole()
    starts_at = moment()
    ends_at = moment()
    reason = text(200)
    cancelled_at = moment()

    cancelled_meeting_once = Unique([session, number])


class ElearningUnit(Table, db=DB, tablename="elearning_unit"):
    """What somebody can learn alone, at any hour, in place of the meeting with this number (R41).

    Of one session: its trainer publishes it and says who did it. Also for a meeting that was called off.
    """

    id = key()
    session = foreign(CourseSession, index=False)
    number = whole()
    title = text(200)
    link = text(500)
    duration_minutes = whole()
    published_at = moment()

    one_unit_per_meeting = Unique([session, number])
    unit_link_is_safe = Check("link ~ '^https://[^[:space:]/]+[.][^[:space:]]+$'")
    unit_fits_a_day = Check("duration_minutes BETWEEN 5 AND 480")


class SessionParty(Table, db=DB, tablename="session_party"):
    """Seats of one party in a dialogue (R64)."""

    id = key()
    session = foreign(CourseSession, index=False)
    party = text(30)
    seats_min = whole()
    seats_max = whole()
    seats_taken = whole(default=0)

    party_once_per_session = Unique([session, party])
    session_party_is_known = Check(one_of("party", PARTIES))
    party_within_capacity = Check("seats_taken >= 0 AND seats_taken <= seats_max")
    party_min_fits_max = Check("seats_min >= 0 AND seats_min <= seats_max")


class ChildcarePlaces(Table, db=DB, tablename="childcare_places"):
    """Places for children of one age band during a session: the second capacity (R52)."""

    id = key()
    session = foreign(CourseSession, index=False)
    age_band = text(10)
    places_max = whole()
    places_taken = whole(default=0)

    childcare_band_once = Unique([session, age_band])
    childcare_band_is_known = Check(one_of("age_band", CHILD_AGE_BANDS))
    childcare_within_capacity = Check("places_taken >= 0 AND places_taken <= places_max")


class SessionPerson(Table, db=DB, tablename="session_person"):
    """A trainer or facilitator in the room."""

    id = key()
    session = foreign(CourseSession, index=False)
    person = foreign(Person)
    role = text(20)

    person_once_per_session = Unique([session, person])
    session_role_is_known = Check(one_of("role", SESSION_ROLES))
