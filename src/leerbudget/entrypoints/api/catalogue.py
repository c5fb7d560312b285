"""The catalogue for everybody: course sessions, and the closed lists with their Dutch words."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath, QueryParameter

from leerbudget.catalogue import queries
from leerbudget.catalogue.queries import CourseView, SearchQuery, SessionDetail, VenueView
from leerbudget.entrypoints.api.types import (
    CLEAN_LINE,
    Answer,
    CursorText,
    Instant,
    Limit,
    make_cursor,
    read_cursor,
    told,
)
from leerbudget.entrypoints.http.authentication import PUBLIC
from leerbudget.foundation.money import CENTS_MAX
from leerbudget.matcher.vocabulary import (
    FACET_VALUE_NL,
    FORM_NL,
    THEME_NL,
    TRAVEL_NL,
    CareForm,
    ChildAgeBand,
    ExperienceBand,
    FamilyType,
    LearningForm,
    Theme,
)

Listed = TypeVar("Listed", CourseView, VenueView)

Minutes = Annotated[int | None, QueryParameter(ge=1, le=240, description="At most so many minutes one way.")]
Words = Annotated[
    str, QueryParameter(max_length=200, pattern=CLEAN_LINE, description="Words that must all occur in it.")
]
FromPostcode = Annotated[
    str | None,
    QueryParameter(
        min_length=4, max_length=4, pattern=r"^[1-9][0-9]{3}$", description="Four digits: where one travels from."
    ),
]
DayParts = Annotated[
    str | None,
    QueryParameter(
        min_length=21,
        max_length=21,
        pattern=r"^[01]{21}$",
        description="21 day-parts, Monday morning first; every meeting falls in those marked 1.",
    ),
]
MostCents = Annotated[int | None, QueryParameter(gt=-1, le=CENTS_MAX, description="Euro cents per person, at most.")]
Seats = Annotated[int, QueryParameter(ge=0, le=20, description="Free seats that are needed; 0 shows full ones too.")]
Bands = Annotated[
    list[ChildAgeBand] | None,
    QueryParameter(max_items=20, description="Each time the band is named, one childcare place is needed."),
]


class SessionCard(Answer, frozen=True, kw_only=True):
    """A course session in a list. Travel minutes are an estimate, and only known when a postcode was given."""

    id: UUID
    course: UUID
    title: str
    theme: Theme
    form: LearningForm
    state: str
    starts_at: Instant
    ends_at: Instant
    meetings: int
    online: bool
    venue_name: str | None
    place: str | None
    postcode4: str | None
    wheelchair: bool
    price_cents: int
    seats_free: int
    childcare_bands: list[ChildAgeBand]
    travel_minutes: int | None
    travel_mode: str | None


class SessionCards(Answer, frozen=True, kw_only=True):
    """A page of course sessions; `next_cursor` is null on the last."""

    items: list[SessionCard]
    next_cursor: str | None


class Meeting(Answer, frozen=True, kw_only=True):
    """One meeting of a course session."""

    id: UUID
    starts_at: Instant
    ends_at: Instant


class CancelledMeeting(Answer, frozen=True, kw_only=True):
    """A meeting that was planned and does not take place."""

    starts_at: Instant
    ends_at: Instant


class Venue(Answer, frozen=True, kw_only=True):
    """A place to meet."""

    id: UUID
    name: str
    postcode4: str
    place: str
    municipality: str
    wheelchair: bool


class Leader(Answer, frozen=True, kw_only=True):
    """Somebody who leads a session."""

    name: str
    role: str


class RefundLine(Answer, frozen=True, kw_only=True):
    """With at least so many whole days left before the first meeting, this share of the price comes back."""

    days_before: int
    refund_percent: int


class Course(Answer, frozen=True, kw_only=True):
    """What is learnt, for whom (`for`, `suits` or `not_for` per value; unsaid values suit), and the refund rule."""

    id: UUID
    title: str
    theme: Theme
    form: LearningForm
    goal: str
    audience: Mapping[str, Mapping[str, str]]
    cancellation: list[RefundLine]


class PartySeats(Answer, frozen=True, kw_only=True):
    """The seats of one party in a dialogue."""

    seats_min: int
    seats_max: int
    seats_taken: int


class PriceSource(Answer, frozen=True, kw_only=True):
    """The tariff under which a session was published. `name`: of the youth region, municipality or organisation.

    `ends_on` is the tariff's last day, null until further notice; the session keeps its price afterwards.
    """

    id: UUID
    scope: str
    name: str | None
    starts_on: date
    ends_on: date | None


class CourseSessionWhole(Answer, frozen=True, kw_only=True):
    """One course session whole. The price is per person for all meetings. `childcare_free`: {age band: places}.

    `tariff` is where the price comes from; null is a price of its own.
    """

    id: UUID
    course: Course
    venue: Venue | None
    state: str
    price_cents: int
    tariff: PriceSource | None
    seats_min: int
    seats_max: int
    seats_free: int
    starts_at: Instant
    ends_at: Instant
    decide_on: date
    meetings: list[Meeting]
    cancelled_meetings: list[CancelledMeeting]
    leaders: list[Leader]
    parties: Mapping[str, PartySeats]
    childcare_free: Mapping[str, int]
    bookable: bool


class Courses(Answer, frozen=True, kw_only=True):
    """A page of admitted courses by title; `next_cursor` is null on the last."""

    items: list[Course]
    next_cursor: str | None


class Venues(Answer, frozen=True, kw_only=True):
    """A page of places to meet, by place and name; `next_cursor` is null on the last."""

    items: list[Venue]
    next_cursor: str | None


class Word(Answer, frozen=True, kw_only=True):
    """A code and the Dutch words that people read."""

    code: str
    label: str


class ClosedLists(Answer, frozen=True, kw_only=True):
    """Every closed list that callers choose from."""

    themes: list[Word]
    forms: list[Word]
    travel_modes: list[Word]
    family_types: list[Word]
    care_forms: list[Word]
    experience: list[Word]
    child_age_bands: list[Word]


class CatalogueController(Controller):
    """What can be learnt, for everybody."""

    tags = ("catalogue",)
    opt = {PUBLIC: True}  # noqa: RUF012 - Litestar's way to give options to a controller

    @get("/themes", summary="Closed lists with their Dutch words", operation_id="listThemes")
    async def themes(self) -> ClosedLists:
        """Themes, learning forms, travel modes and the criteria by which courses differ."""
        return ClosedLists(
            themes=_words(THEME_NL),
            forms=_words(FORM_NL),
            travel_modes=_words(TRAVEL_NL),
            family_types=_of(FamilyType),
            care_forms=_of(CareForm),
            experience=_of(ExperienceBand),
            child_age_bands=_of(ChildAgeBand),
        )

    @get("/course-sessions", summary="Search bookable course sessions", operation_id="searchCourseSessions")
    async def search(
        self,
        *,
        q: Words = "",
        postcode4: FromPostcode = None,
        car_minutes_max: Minutes = None,
        public_transport_minutes_max: Minutes = None,
        bike_minutes_max: Minutes = None,
        walk_minutes_max: Minutes = None,
        week: DayParts = None,
        theme: Annotated[list[Theme] | None, QueryParameter(max_items=20)] = None,
        form: Annotated[list[LearningForm] | None, QueryParameter(max_items=20)] = None,
        price_cents_max: MostCents = None,
        online: Annotated[bool | None, QueryParameter(description="Only online, or only in a place.")] = None,
        family_type: Annotated[FamilyType | None, QueryParameter(description="A course for this family.")] = None,
        child_age_band: Annotated[list[ChildAgeBand] | None, QueryParameter(max_items=20)] = None,
        childcare: Bands = None,
        persons: Seats = 1,
        starts_on: Annotated[date | None, QueryParameter(description="First meeting on or after.")] = None,
        ends_on: Annotated[date | None, QueryParameter(description="First meeting on or before.")] = None,
        sort: Annotated[Literal["date", "travel", "price"], QueryParameter(description="The order.")] = "date",
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> SessionCards:
        """What can be booked now, a stable page at a time. Without a travel limit everything is within reach."""
        modes = {
            "car": car_minutes_max,
            "public_transport": public_transport_minutes_max,
            "bike": bike_minutes_max,
            "walk": walk_minutes_max,
        }
        page = await queries.search(
            SearchQuery(
                text=q,
                postcode4=postcode4,
                travel_minutes_max={mode: minutes for mode, minutes in modes.items() if minutes is not None},
                week=week,
                themes=tuple(theme or ()),
                forms=tuple(form or ()),
                price_cents_max=price_cents_max,
                online=online,
                family_type=family_type,
                child_age_bands=tuple(child_age_band or ()),
                childcare={band: (childcare or []).count(band) for band in childcare or ()},
                persons=persons,
                starts_on=starts_on,
                ends_on=ends_on,
                sort=sort,
                after=cursor,
                limit=limit,
            )
        )
        return SessionCards(items=[told(SessionCard, card) for card in page.cards], next_cursor=page.next)

    @get("/courses", summary="Admitted courses", operation_id="listCourses")
    async def courses(self, limit: Limit = 20, cursor: CursorText = None) -> Courses:
        """What trainers may give, by title."""
        found = [(each.title, each) for each in await queries.courses(state="admitted")]
        shown, next_cursor = _part(found, cursor, limit)
        return Courses(items=[told(Course, each) for each in shown], next_cursor=next_cursor)

    @get("/venues", summary="Places to meet", operation_id="listVenues")
    async def venues(self, limit: Limit = 20, cursor: CursorText = None) -> Venues:
        """Where course sessions are held, by place and name."""
        found = [(f"{each.place}\n{each.name}", each) for each in await queries.venues()]
        shown, next_cursor = _part(found, cursor, limit)
        return Venues(items=[told(Venue, each) for each in shown], next_cursor=next_cursor)

    @get("/course-sessions/{session_id:uuid}", summary="One course session", operation_id="getCourseSession")
    async def session(self, session_id: FromPath[UUID]) -> CourseSessionWhole:
        """When, where, with whom, for whom, at what price, and what cancelling costs. Drafts are not shown."""
        return whole(await queries.session_detail(session_id))


def whole(session: SessionDetail) -> CourseSessionWhole:
    """A course session as everybody may see it: without ids of persons."""
    return CourseSessionWhole(
        id=session.id,
        course=told(Course, session.course),
        venue=None if session.venue is None else told(Venue, session.venue),
        state=session.state,
        price_cents=session.price_cents,
        tariff=None if session.tariff is None else told(PriceSource, session.tariff),
        seats_min=session.seats_min,
        seats_max=session.seats_max,
        seats_free=session.seats_free,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        decide_on=session.decide_on,
        meetings=[Meeting(id=key, starts_at=start, ends_at=end) for key, start, end in session.meetings],
        cancelled_meetings=[
            CancelledMeeting(starts_at=start, ends_at=end) for start, end in session.cancelled_meetings
        ],
        leaders=[told(Leader, leader) for leader in session.leaders],
        parties={name: told(PartySeats, party) for name, party in session.parties.items()},
        childcare_free={band: places - taken for band, (places, taken) in session.childcare.items()},
        bookable=session.bookable,
    )


def _part(found: Sequence[tuple[str, Listed]], cursor: str | None, limit: int) -> tuple[list[Listed], str | None]:
    """The things after the cursor, at most so many, and the cursor of the next part; whatever order a database has."""
    after = read_cursor(cursor, (str, str))
    keyed = sorted((((key, str(each.id)), each) for key, each in found), key=lambda pair: pair[0])
    rest = [(key, each) for key, each in keyed if after is None or key > after]
    more = len(rest) > limit
    return [each for _, each in rest[:limit]], make_cursor(*rest[limit - 1][0]) if more else None


def _words(labels: Mapping[Any, str]) -> list[Word]:
    return [Word(code=str(code), label=label) for code, label in labels.items()]


def _of(kind: type[FamilyType | CareForm | ExperienceBand | ChildAgeBand]) -> list[Word]:
    return [Word(code=value.value, label=FACET_VALUE_NL[value]) for value in kind]
