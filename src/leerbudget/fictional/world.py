"""What the made-up Netherlands consists of: frozen values, linked by reference (`ref`).

References are the `external_ref` of the rooms: F families (F00001a, F00001b their parents), W professionals,
T trainers, O organisations, V venues, C courses, S course sessions, D wishes (desires), G grants,
P tariffs (prices).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

Interval = tuple[datetime, datetime]
"""Start and end, both zone-aware in Europe/Amsterdam; the end is not included."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """A foster-care provider, municipality or certified institution (kinds as in the room `people`)."""

    ref: str
    name: str
    kind: str
    region: str
    email: str


@dataclass(frozen=True, slots=True)
class Parent:
    """One foster parent. `week` is 21 bits: Monday morning, afternoon, evening … Sunday evening."""

    ref: str
    name: str
    email: str
    week: str
    blocked: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A foster family with what its parents would enter themselves. `children` has one age band per foster child."""

    ref: str
    label: str
    region: str
    pc4: str
    organisation_ref: str
    family_type: str
    care_forms: tuple[str, ...]
    first_placement_on: date
    children: tuple[str, ...]
    parents: tuple[Parent, ...]
    travel_minutes_max: Mapping[str, int]
    online_ok: bool
    places_max: int
    own_contribution_cents_max: int
    childcare_need: str
    avoid_refs: tuple[str, ...]
    professional_refs: tuple[str, ...]

    @property
    def child_age_bands(self) -> tuple[str, ...]:
        """The age bands of the foster children, each once, youngest first."""
        return tuple(sorted(set(self.children), key=lambda band: int(band[1:].split("_")[0])))


@dataclass(frozen=True, slots=True)
class Professional:
    """A foster-care worker or guardian worker; `since` has the families and the first day of the relation (R65)."""

    ref: str
    name: str
    email: str
    role: str
    organisation_ref: str
    region: str
    pc4: str
    week: str
    travel_minutes_max: Mapping[str, int]
    since: Mapping[str, date]

    @property
    def party(self) -> str:
        """The side on which this person sits in a dialogue (R64)."""
        return f"{self.role}s"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a family wants to learn, or a professional's wish to join a dialogue. `forms` None: any form."""

    ref: str
    seeker_ref: str
    person_refs: tuple[str, ...]
    theme: str
    rank: int
    urgent: bool
    forms: tuple[str, ...] | None
    situation: str
    wants_to_learn: str


@dataclass(frozen=True, slots=True)
class Trainer:
    """A member of the trainer pool; only the admitted ones give sessions, and never after their certificate ends.

    `organisation_ref`: for whom they work; None is for themselves.
    """

    ref: str
    name: str
    email: str
    themes: tuple[str, ...]
    region: str
    state: str
    certificate_valid_until: date | None
    organisation_ref: str | None


@dataclass(frozen=True, slots=True)
class Venue:
    """Where people meet."""

    ref: str
    name: str
    region: str
    pc4: str
    place: str
    rooms: int
    wheelchair: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught, for whom, and the rule for cancelling ({days before the first meeting: refund in percent})."""

    ref: str
    title: str
    theme: str
    form: str
    goal: str
    organisation_ref: str
    state: str
    audience: Mapping[str, Mapping[str, str]]
    cancellation: Mapping[int, int]
    meetings: int
    price_cents: int


@dataclass(frozen=True, slots=True)
class CourseSession:
    """A course given at set moments; without a venue it is online. The price is per person for all meetings.

    `parties` ({party: (least, most)}) is set for dialogues only. The first trainer is responsible;
    facilitators (trainers or professionals) are the others who lead.
    """

    ref: str
    course_ref: str
    venue_ref: str | None
    region: str
    state: str
    meetings: tuple[Interval, ...]
    price_cents: int
    seats_min: int
    seats_max: int
    childcare_places: Mapping[str, int]
    trainer_refs: tuple[str, ...]
    facilitator_refs: tuple[str, ...]
    parties: Mapping[str, tuple[int, int]] | None
    party_spread_max: int | None
    decide_on: date

    @property
    def people_refs(self) -> tuple[str, ...]:
        """Everybody who leads the session."""
        return self.trainer_refs + self.facilitator_refs


@dataclass(frozen=True, slots=True)
class Grant:
    """Cents that one organisation grants to one family. `themes` and `municipalities` None: for anything admitted."""

    ref: str
    family_ref: str
    organisation_ref: str
    amount_cents: int
    starts_on: date
    expires_on: date
    themes: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a course costs: everywhere, in a youth region, in a municipality, or given by an organisation (R06)."""

    ref: str
    course_ref: str
    scope: str
    region: str
    municipalities: tuple[str, ...]
    organisation_ref: str
    price_cents: int
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money that an organisation pays in before it grants."""

    organisation_ref: str
    amount_cents: int
    reference: str


@dataclass(frozen=True, slots=True)
class Case:
    """A situation that every world of 200 families or more contains, for demonstration and tests.

    Kinds: `too_little_money`, `couple_together`, `own_professional`, `avoided_trainer`, `childcare_place`.
    """

    kind: str
    family_ref: str
    wish_ref: str
    session_ref: str


@dataclass(frozen=True, slots=True)
class World:
    """One made-up Netherlands. The same seed, sizes, first day and contention give the same world."""

    seed: int
    start_on: date
    organisations: tuple[Organisation, ...]
    families: tuple[Family, ...]
    professionals: tuple[Professional, ...]
    wishes: tuple[Wish, ...]
    trainers: tuple[Trainer, ...]
    venues: tuple[Venue, ...]
    courses: tuple[Course, ...]
    sessions: tuple[CourseSession, ...]
    grants: tuple[Grant, ...]
    top_ups: tuple[TopUp, ...]
    cases: tuple[Case, ...]
    tariffs: tuple[Tariff, ...] = ()
