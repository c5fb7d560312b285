"""The catalogue's closed lists, orders and pure rules (requirements 4.1, 4.2, 4.7; R12, R18, R19, R56, R63, R64).

The lists have one source, `leerbudget.matcher.vocabulary`; here they are plain strings for tables and checks.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from leerbudget.catalogue.errors import ClockChange
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.matcher.vocabulary import FACET_VALUES, ChildAgeBand, Facet, Fit, LearningForm, Party, Theme

THEMES: Final = tuple(value.value for value in Theme)
FORMS: Final = tuple(value.value for value in LearningForm)
COURSE_STATES: Final = ("draft", "submitted", "in_review", "admitted", "supplement", "refused", "expired")
SESSION_STATES: Final = ("draft", "conditional", "confirmed", "running", "done", "cancelled")
BOOKABLE_STATES: Final = ("conditional", "confirmed")
SESSION_ROLES: Final = ("trainer", "facilitator")
TARIFF_SCOPES: Final = ("national", "youth_region", "municipality", "organisation")
"""For whom a tariff holds, the widest first: of those that apply to a session the last one wins (R06)."""

COURSE_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"in_review", "draft"}),
    "in_review": frozenset({"admitted", "supplement", "refused"}),
    "supplement": frozenset({"submitted"}),
    "refused": frozenset({"draft"}),
    "admitted": frozenset({"in_review", "expired"}),
    "expired": frozenset({"submitted"}),
}
SESSION_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset({"conditional", "cancelled"}),
    "conditional": frozenset({"confirmed", "cancelled"}),
    "confirmed": frozenset({"running", "done", "cancelled"}),
    "running": frozenset({"done", "cancelled"}),
    "done": frozenset(),
    "cancelled": frozenset(),
}

OPENING_STATES: Final = ("draft", "conditional", "confirmed")
"""States in which a session can enter the catalogue, in the order in which it goes through them."""

MEETINGS_MAX: Final = 60
SEATS_MAX: Final = 1000
PRICE_CENTS_MAX: Final = 1_000_000
CHILDCARE_PLACES_MAX: Final = 100
LEADERS_OF_A_DIALOGUE: Final = 2
"""So many people lead a dialogue (R63)."""

PARTY_FORMS: Final = ("dialogue", "joint_parents")
"""Forms whose seats may be divided over parties (R44, R64)."""

_WEEKS_AHEAD = ({"days_before": 14, "refund_percent": 100}, {"days_before": 7, "refund_percent": 50})
_DAYS_AHEAD = ({"days_before": 2, "refund_percent": 100},)
LADDERS: Final[Mapping[str, tuple[Mapping[str, int], ...]]] = {
    LearningForm.GROUP_TRAINING: _WEEKS_AHEAD,
    LearningForm.PEER_INTERVISION: _WEEKS_AHEAD,
    LearningForm.JOINT_PARENTS: _WEEKS_AHEAD,
    LearningForm.TRAIN_THE_TRAINER: _WEEKS_AHEAD,
    LearningForm.LOCAL_DEVELOPMENT: _WEEKS_AHEAD,
}
"""What comes back on cancelling, per form, for a course that says nothing; other forms: all of it until two days before.

Estimates: a series cannot fill a seat within days, a single evening can.
"""
TERMS_MAX: Final[Mapping[str, int]] = {
    "free_when_replaced": 1,
    "emergencies_per_year": 12,
    "no_show_percent": 100,
}
"""The conditions of a course beside its ladder, each with its largest value."""

CRITERIA: Final[Mapping[str, tuple[str, ...]]] = {
    "soort pleeggezin": ("family_type", "care_forms"),
    "ervaringsjaren": ("experience",),
    "leeftijd pleegkind": ("child_age_bands",),
}
"""The three official criteria (R18) and the facets that answer each: one of them suffices."""

Interval = tuple[datetime, datetime]
Audience = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class CourseOrder:
    """A course to register. `audience`: {facet: {value: for|suits|not_for}}, unsaid values suit (R17, R18).

    `cancellation`: lines {"days_before": whole days before the first meeting, "refund_percent": 0-100}.
    `free_when_replaced`: who cancelled late gets the fee back when others take the seats. `emergencies_per_year`: so
    often may a family cancel for free when something is the matter with a child, over all courses, without saying
    what. `no_show_percent`: what a family pays that does not come.
    """

    id: UUID
    external_ref: str
    title: str
    theme: str
    form: str
    goal: str
    organisation: UUID | None
    state: str
    audience: Audience
    cancellation: tuple[Mapping[str, int], ...] = ()
    regular_guidance: bool = False
    free_when_replaced: bool = True
    emergencies_per_year: int = 2
    no_show_percent: int = 100


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """A place to meet."""

    id: UUID
    external_ref: str
    name: str
    postcode4: str
    place: str
    wheelchair: bool = False


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A course given at set moments; `venue` None is online. The price is per person for all meetings, incl. VAT.

    `price_cents` None asks for the price of the tariff that applies (R06); the catalogue fills in `tariff`.
    `parties`: {party: (least, most seats)} for dialogues. `people`: who else leads it, with their role; the
    catalogue adds the trainer. `childcare`: {age band: places}. `state`: `draft`, `conditional` or `confirmed`.
    """

    id: UUID
    external_ref: str
    course: UUID
    venue: UUID | None
    trainer: UUID
    price_cents: int | None
    seats_min: int
    seats_max: int
    meetings: tuple[Interval, ...]
    decide_on: date
    parties: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    party_spread_max: int | None = None
    childcare: Mapping[str, int] = field(default_factory=dict)
    people: tuple[tuple[UUID, str], ...] = ()
    state: str = "conditional"
    tariff: UUID | None = None

    @property
    def starts_at(self) -> datetime:
        """The start of the first meeting."""
        return self.meetings[0][0]

    @property
    def ends_at(self) -> datetime:
        """The end of the last meeting."""
        return self.meetings[-1][1]

    @property
    def first_day(self) -> date:
        """The day in Amsterdam of the first meeting: its tariff is the price."""
        return self.starts_at.astimezone(AMSTERDAM).date()

    def priced_like(self, other: "SessionOrder") -> bool:
        """Whether a tariff cannot tell both apart: the same course, place, trainer and first day."""
        mine, its = ((each.course, each.venue, each.trainer, each.first_day) for each in (self, other))
        return mine == its

    def same_as(self, other: "SessionOrder") -> bool:
        """Whether both ask for the same session, whatever their ids, states and the zones their times are written in."""
        return self.content() == other.content()

    def content(self) -> tuple[object, ...]:
        """Everything but ids and state, in one order and with times in UTC."""
        meetings = [(start.astimezone(UTC), end.astimezone(UTC)) for start, end in self.meetings]
        plain = (self.course, self.venue, self.trainer, self.price_cents, self.seats_min, self.seats_max)
        parties = sorted((party, *bounds) for party, bounds in self.parties.items())
        childcare = sorted(item for item in self.childcare.items() if item[1] > 0)
        return (*plain, meetings, self.decide_on, parties, self.party_spread_max, childcare, sorted(self.people))


@dataclass(frozen=True, slots=True)
class TariffOrder:
    """What one course costs a person: for a scope, from `starts_on` to `ends_on` (last day; None: until further notice).

    `municipalities`: names as in `geography.postcodes`; one for a municipality, all of them for a youth region, whose
    name is `region`. `organisation`: who gives the sessions. Each is left out where its scope has none.
    """

    id: UUID
    external_ref: str
    course: UUID
    scope: str
    price_cents: int
    starts_on: date
    ends_on: date | None = None
    region: str | None = None
    municipalities: tuple[str, ...] | None = None
    organisation: UUID | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps something out of the catalogue: where, a stable code and a Dutch sentence."""

    path: str
    code: str
    message: str


def may_step(steps: Mapping[str, frozenset[str]], state: str, to: str) -> bool:
    """Whether something in `state` may go to state `to`."""
    return to in steps.get(state, frozenset())


def sources_of(steps: Mapping[str, frozenset[str]], to: str) -> list[str]:
    """The states from which something may go to state `to`."""
    return [state for state, targets in steps.items() if to in targets]


def opens(state: str, to: str) -> bool:
    """Whether going from `state` to `to` is a step forward among the opening states."""
    return state in OPENING_STATES and OPENING_STATES.index(state) < OPENING_STATES.index(to)


def wall_time(local: datetime) -> datetime:
    """The instant in UTC of a time on the clocks of Amsterdam.

    Raises:
        ClockChange: that time does not exist or exists twice, because the clock is changed; say the offset then.
        ValueError: the time has a zone already.
    """
    if local.tzinfo is not None:
        raise ValueError("a wall time has no zone")
    first, second = (local.replace(tzinfo=AMSTERDAM, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise ClockChange(local=local.isoformat(sep=" ", timespec="minutes"))
    return first.astimezone(UTC)


def meeting_days(meetings: Iterable[Interval]) -> list[date]:
    """The dates in Amsterdam on which there is a meeting, of the last day included, each once, in order."""
    return sorted({moment.astimezone(AMSTERDAM).date() for meeting in meetings for moment in meeting})


def audience_problems(audience: Audience) -> list[Problem]:
    """What is wrong with an audience: unknown facets, values or words."""
    problems = []
    for facet, marks in audience.items():
        if facet not in tuple(Facet):
            problems.append(Problem(f"audience.{facet}", "unknown_facet", "Dit criterium kennen we niet."))
            continue
        for value, fit in marks.items():
            if value not in FACET_VALUES[Facet(facet)] or fit not in tuple(Fit):
                message = "Deze waarde kennen we niet. Kies for, suits of not_for."
                problems.append(Problem(f"audience.{facet}.{value}", "unknown_value", message))
    return problems


def differentiation_problems(audience: Audience) -> list[Problem]:
    """What an audience must still say before the offer can be admitted (R18): every criterion, for somebody."""
    problems = []
    for criterion, facets in CRITERIA.items():
        if not any(audience.get(facet) for facet in facets):
            message = f"Zeg voor wie de cursus is: {criterion}."
            problems.append(Problem(f"audience.{facets[0]}", "differentiation_missing", message))
    for facet, marks in audience.items():
        values = FACET_VALUES.get(Facet(facet), ()) if facet in tuple(Facet) else ()
        if values and all(marks.get(value) == Fit.NOT_FOR for value in values):
            problems.append(Problem(f"audience.{facet}", "for_nobody", "Zo is de cursus voor niemand."))
    return problems


def course_problems(order: CourseOrder) -> list[Problem]:
    """What keeps a course out of its state: unknown words, no differentiation (R18), regular guidance (R12)."""
    problems = audience_problems(order.audience)
    if order.state not in ("draft", "refused", "supplement"):
        problems += differentiation_problems(order.audience)
    if order.regular_guidance and order.state == "admitted":
        message = "Reguliere begeleiding wordt niet toegelaten: die betaalt u niet uit een leerbudget."
        problems.append(Problem("regular_guidance", "regular_guidance", message))
    return problems + _cancellation_problems(order.cancellation)


def ladder_of(form: str) -> tuple[Mapping[str, int], ...]:
    """What comes back on cancelling a course of this form that says nothing itself."""
    return LADDERS.get(form, _DAYS_AHEAD)


def _cancellation_problems(lines: Sequence[Mapping[str, int]]) -> list[Problem]:
    problems = []
    for number, line in enumerate(lines):
        known = set(line) == {"days_before", "refund_percent"}
        if not known or not 0 <= line["days_before"] <= 365 or not 0 <= line["refund_percent"] <= 100:
            message = "Een regel heeft een aantal dagen (0 tot en met 365) en een percentage (0 tot en met 100)."
            problems.append(Problem(f"cancellation.{number}", "cancellation_line", message))
    days = [line.get("days_before") for line in lines]
    if len(days) != len(set(days)):
        problems.append(Problem("cancellation", "cancellation_twice", "Hetzelfde aantal dagen staat er twee keer."))
    return problems


def session_problems(order: SessionOrder, form: str) -> list[Problem]:
    """What is wrong with a session of a course of that form, before anybody looks at course and trainer."""
    problems = meeting_problems(order.meetings)
    if order.state not in OPENING_STATES:
        problems.append(Problem("state", "state", "Een bijeenkomst begint als draft, conditional of confirmed."))
    if not problems and order.decide_on > order.starts_at.astimezone(AMSTERDAM).date():
        message = "Beslis uiterlijk op de dag van de eerste bijeenkomst."
        problems.append(Problem("decide_on", "decide_too_late", message))
    if not 1 <= order.seats_min <= order.seats_max <= SEATS_MAX:
        message = f"Het minimum is 1 of meer en niet hoger dan het maximum; het maximum is hoogstens {SEATS_MAX}."
        problems.append(Problem("seats_min", "seats", message))
    if order.price_cents is not None and not 0 <= order.price_cents <= PRICE_CENTS_MAX:
        problems.append(Problem("price_cents", "price", "De prijs is tussen € 0 en € 10.000 per persoon."))
    return problems + _party_problems(order, form) + _childcare_problems(order)


def meeting_problems(meetings: Sequence[Interval]) -> list[Problem]:
    """What is wrong with a series of meetings: they have zones, run forward, and follow each other."""
    if not 1 <= len(meetings) <= MEETINGS_MAX:
        message = f"Er zijn 1 tot en met {MEETINGS_MAX} bijeenkomsten."
        return [Problem("meetings", "meetings_number", message)]
    problems = []
    for number, (start, end) in enumerate(meetings):
        path = f"meetings.{number}"
        if start.utcoffset() is None or end.utcoffset() is None:
            message = "Een tijd heeft een zone, zoals 2027-03-01T19:00+01:00."
            problems.append(Problem(path, "naive_time", message))
        elif not start < end < start + timedelta(days=1):
            message = "Een bijeenkomst eindigt na het begin en duurt korter dan een dag."
            problems.append(Problem(path, "meeting_length", message))
        elif start.microsecond or end.microsecond:
            problems.append(Problem(path, "parts_of_a_second", "Een tijd heeft geen delen van een seconde."))
    if not problems and any(later[0] < earlier[1] for earlier, later in pairwise(meetings)):
        message = "De bijeenkomsten staan op volgorde en vallen niet over elkaar heen."
        problems.append(Problem("meetings", "meetings_overlap", message))
    return problems


def _party_problems(order: SessionOrder, form: str) -> list[Problem]:
    problems = []
    if form == "dialogue":
        if len(order.parties) < 2:
            problems.append(Problem("parties", "parties_missing", "Een dialoog heeft twee of meer partijen."))
        leaders = {person for person, _ in order.people}
        if len(leaders) < LEADERS_OF_A_DIALOGUE:
            problems.append(Problem("people", "leaders_missing", "Een dialoog heeft twee gespreksleiders."))
    if order.parties and form not in PARTY_FORMS:
        problems.append(Problem("parties", "parties_not_here", "Alleen bij een dialoog zijn er plaatsen per partij."))
    for party, (least, most) in order.parties.items():
        if party not in tuple(Party) or not 0 <= least <= most:
            problems.append(Problem(f"parties.{party}", "party", "Deze partij of haar aantal plaatsen klopt niet."))
    if order.parties and not _fits(order):
        message = "De plaatsen per partij passen niet bij het minimum en maximum."
        problems.append(Problem("parties", "parties_do_not_add_up", message))
    if order.party_spread_max is not None and order.party_spread_max < 0:
        problems.append(Problem("party_spread_max", "spread", "Het verschil tussen partijen is 0 of meer."))
    return problems


def _fits(order: SessionOrder) -> bool:
    least = sum(bounds[0] for bounds in order.parties.values())
    most = sum(bounds[1] for bounds in order.parties.values())
    return least <= order.seats_max and most >= order.seats_min


def _childcare_problems(order: SessionOrder) -> list[Problem]:
    problems = []
    for band, places in order.childcare.items():
        if band not in tuple(ChildAgeBand) or not 0 <= places <= CHILDCARE_PLACES_MAX:
            message = "Deze leeftijdsgroep of het aantal opvangplaatsen klopt niet."
            problems.append(Problem(f"childcare.{band}", "childcare", message))
    if order.venue is None and any(order.childcare.values()):
        problems.append(Problem("childcare", "childcare_online", "Bij een online bijeenkomst is geen opvang."))
    return problems


def tariff_problems(order: TariffOrder, municipalities: Container[str]) -> list[Problem]:
    """What is wrong with a tariff; `municipalities`: the names that exist."""
    problems = []
    if order.scope not in TARIFF_SCOPES:
        return [Problem("scope", "scope", "Deze soort tarief kennen we niet.")]
    if (order.region is not None) != (order.scope == "youth_region") or order.region == "":
        problems.append(Problem("region", "region", "Een jeugdregio heeft een naam; een ander tarief niet."))
    if (order.organisation is not None) != (order.scope == "organisation"):
        message = "Een tarief van een organisatie noemt die organisatie; een ander tarief niet."
        problems.append(Problem("organisation", "organisation", message))
    named = order.municipalities or ()
    fits = {"municipality": len(named) == 1, "youth_region": len(named) > 0}
    if not fits.get(order.scope, order.municipalities is None) or len(set(named)) < len(named):
        message = "Noem één gemeente, bij een jeugdregio al haar gemeenten, en anders geen."
        problems.append(Problem("municipalities", "municipalities", message))
    problems += [
        Problem("municipalities", "unknown_municipality", f"De gemeente {name} kennen we niet.")
        for name in named
        if name not in municipalities
    ]
    if not 0 <= order.price_cents <= PRICE_CENTS_MAX:
        problems.append(Problem("price_cents", "price", "De prijs is tussen € 0 en € 10.000 per persoon."))
    if order.ends_on is not None and order.ends_on < order.starts_on:
        problems.append(Problem("ends_on", "period", "De laatste dag ligt voor de eerste."))
    return problems
