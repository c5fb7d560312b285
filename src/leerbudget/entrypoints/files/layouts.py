"""What a row of each import file says: plain values with references, before anything is looked up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from leerbudget.catalogue.rules import (
    COURSE_STATES,
    FORMS,
    OPENING_STATES,
    PRICE_CENTS_MAX,
    SEATS_MAX,
    TERMS_MAX,
    THEMES,
)
from leerbudget.entrypoints.files.columns import COLUMNS, LATER
from leerbudget.entrypoints.files.reading import CellError, FileRefused, Row, day, one_of, rows_of, whole
from leerbudget.matcher.vocabulary import FACET_VALUES, Facet, Fit
from leerbudget.people.rules import CARE_FORMS, CHILD_AGE_BANDS, FAMILY_TYPES, ORGANISATION_KINDS, PARTIES
from leerbudget.trainers.rules import TRAINER_STATES

ROLE_PARTY = {"foster_care_worker": "foster_care_workers", "guardian_worker": "guardian_workers"}


class Line(Protocol):
    """What every row has: its number and its key."""

    @property
    def row(self) -> int:
        """The number of the row; 1 is the header."""

    @property
    def ref(self) -> str:
        """The key in the files of whoever sends them."""


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One row of organisations."""

    row: int
    ref: str
    name: str
    kind: str
    region: str
    email: str


@dataclass(frozen=True, slots=True)
class ParentLine:
    """One foster parent in a row of families; `column` is where the reference stands."""

    column: str
    ref: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """One row of families."""

    row: int
    ref: str
    label: str
    organisation_ref: str
    postcode4: str
    family_type: str
    care_forms: tuple[str, ...]
    child_age_bands: tuple[str, ...]
    first_placement_on: date
    parents: tuple[ParentLine, ...]


@dataclass(frozen=True, slots=True)
class ProfessionalLine:
    """One row of professionals. `families`: {family reference: first day together} (R65)."""

    row: int
    ref: str
    name: str
    email: str
    party: str
    organisation_ref: str
    families: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class TrainerLine:
    """One row of trainers. `organisation_ref`: empty, for oneself; None, the file does not say."""

    row: int
    ref: str
    name: str
    email: str
    themes: tuple[str, ...]
    region: str
    state: str
    certificate_valid_until: date | None
    organisation_ref: str | None


@dataclass(frozen=True, slots=True)
class CourseLine:
    """The course in a row of sessions; the same in every row with the same reference."""

    ref: str
    title: str
    theme: str
    form: str
    goal: str
    organisation_ref: str
    state: str
    audience: tuple[tuple[str, str, str], ...]
    cancellation: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class VenueLine:
    """The venue in a row of sessions; the same in every row with the same reference."""

    ref: str
    name: str
    postcode4: str
    wheelchair: bool


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One row of sessions."""

    row: int
    ref: str
    state: str
    course: CourseLine
    venue: VenueLine | None
    meetings: tuple[tuple[datetime, datetime], ...]
    price_cents: int | None
    seats_min: int
    seats_max: int
    decide_on: date
    trainer_refs: tuple[str, ...]
    facilitator_refs: tuple[str, ...]
    parties: Mapping[str, tuple[int, int]]
    party_spread_max: int | None
    childcare: Mapping[str, int]


Parsed = TypeVar("Parsed", bound=Line)
Worker = TypeVar("Worker", ProfessionalLine, TrainerLine)


def lines_of(kind: str, data: bytes, parse: Callable[[Row], Parsed]) -> list[Parsed]:
    """Every row of a file with these columns, checked; the first column is the key.

    Raises:
        FileRefused: with every mistake in every row, references that occur twice included.
    """
    lines, errors = [], []
    first: dict[str, int] = {}
    for row in rows_of(data, COLUMNS[kind], LATER.get(kind, ())):
        line = parse(row)
        earlier = first.setdefault(line.ref, row.number)
        if line.ref and earlier != row.number:
            row.wrong(COLUMNS[kind][0], f"'{line.ref}' staat ook in rij {earlier}")
        errors += row.errors
        lines.append(line)
    if errors:
        raise FileRefused(errors)
    return lines


def organisations(data: bytes) -> list[OrganisationLine]:
    """A file of organisations.

    Raises:
        FileRefused: with every mistake.
    """
    return lines_of("organisations", data, _organisation)


def _organisation(row: Row) -> OrganisationLine:
    return OrganisationLine(
        row=row.number,
        ref=row.ref("organisation_ref"),
        name=row.text("name"),
        kind=row.one_of("kind", ORGANISATION_KINDS),
        region=row.text("region", 80),
        email=row.email("email"),
    )


def families(data: bytes) -> list[FamilyLine]:
    """A file of families.

    Raises:
        FileRefused: with every mistake; also a parent or an address that stands in two places.
    """
    lines = lines_of("families", data, _family)
    parents = [(line.row, parent) for line in lines for parent in line.parents]
    errors = _twice((row, parent.column, parent.ref) for row, parent in parents)
    errors += _twice((row, parent.column.replace("_ref", "_email"), parent.email) for row, parent in parents)
    if errors:
        raise FileRefused(errors)
    return lines


def _twice(values: Iterable[tuple[int, str, str]]) -> list[CellError]:
    """Values (row, column, value) that stand somewhere before."""
    first: dict[str, int] = {}
    errors = []
    for row, column, value in values:
        if value in first:
            errors.append(CellError(row, column, f"'{value}' staat ook in rij {first[value]}"))
        first.setdefault(value, row)
    return errors


def _family(row: Row) -> FamilyLine:
    return FamilyLine(
        row=row.number,
        ref=row.ref("family_ref"),
        label=row.text("label", 120),
        organisation_ref=row.ref("organisation_ref"),
        postcode4=row.postcode4("postcode4"),
        family_type=row.one_of("family_type", FAMILY_TYPES),
        care_forms=row.words("care_forms", CARE_FORMS),
        child_age_bands=row.words("child_age_bands", CHILD_AGE_BANDS, optional=True),
        first_placement_on=row.day("first_placement_on"),
        parents=tuple(_parents(row)),
    )


def _parents(row: Row) -> list[ParentLine]:
    found = []
    for number in (1, 2):
        names = tuple(f"parent{number}_{part}" for part in ("ref", "name", "email"))
        if number == 1 or any(row.cells[name].strip() for name in names):
            ref, name = row.ref(names[0]), row.text(names[1], 120)
            found.append(ParentLine(names[0], ref, name, row.email(names[2])))
    return found


def professionals(data: bytes) -> list[ProfessionalLine]:
    """A file of foster-care workers and guardian workers.

    Raises:
        FileRefused: with every mistake.
    """
    return _own_addresses(lines_of("professionals", data, _professional))


def _professional(row: Row) -> ProfessionalLine:
    return ProfessionalLine(
        row=row.number,
        ref=row.ref("professional_ref"),
        name=row.text("name", 120),
        email=row.email("email"),
        party=ROLE_PARTY[row.one_of("role", tuple(ROLE_PARTY))],
        organisation_ref=row.ref("organisation_ref"),
        families=row.pairs("families", lambda ref, since: (ref, day(since))),
    )


def trainers(data: bytes) -> list[TrainerLine]:
    """A file of trainers.

    Raises:
        FileRefused: with every mistake.
    """
    return _own_addresses(lines_of("trainers", data, _trainer))


def _own_addresses(lines: list[Worker]) -> list[Worker]:
    errors = _twice((line.row, "email", line.email) for line in lines)
    if errors:
        raise FileRefused(errors)
    return lines


def _trainer(row: Row) -> TrainerLine:
    line = TrainerLine(
        row=row.number,
        ref=row.ref("trainer_ref"),
        name=row.text("name", 120),
        email=row.email("email"),
        themes=row.words("themes", THEMES),
        region=row.text("region", 80),
        state=row.one_of("state", TRAINER_STATES),
        certificate_valid_until=row.maybe_day("certificate_valid_until"),
        organisation_ref=row.ref("organisation_ref", optional=True) if "organisation_ref" in row.cells else None,
    )
    if line.state == "admitted" and line.certificate_valid_until is None:
        row.wrong("certificate_valid_until", "is leeg; zonder VOG kan een trainer niet worden toegelaten")
    return line


def sessions(data: bytes) -> list[SessionLine]:
    """A file of sessions with their courses and venues.

    Raises:
        FileRefused: with every mistake; also a course or venue that differs from row to row.
    """
    lines = lines_of("sessions", data, _session)
    errors = _differing(lines, "course_ref", lambda line: line.course)
    errors += _differing(lines, "venue_ref", lambda line: line.venue)
    if errors:
        raise FileRefused(errors)
    return lines


def _differing(
    lines: Sequence[SessionLine], column: str, part: Callable[[SessionLine], CourseLine | VenueLine | None]
) -> list[CellError]:
    first: dict[str, tuple[int, CourseLine | VenueLine]] = {}
    errors = []
    for line in lines:
        value = part(line)
        if value is not None:
            row, earlier = first.setdefault(value.ref, (line.row, value))
            if earlier != value:
                errors.append(CellError(line.row, column, f"'{value.ref}' is hier anders dan in rij {row}"))
    return errors


def _session(row: Row) -> SessionLine:
    return SessionLine(
        row=row.number,
        ref=row.ref("session_ref"),
        state=row.one_of("state", OPENING_STATES),
        course=course_of(row),
        venue=_venue(row),
        meetings=row.intervals("meetings"),
        price_cents=row.maybe_whole("price_cents", 0, PRICE_CENTS_MAX),
        seats_min=row.whole("seats_min", 1, SEATS_MAX),
        seats_max=row.whole("seats_max", 1, SEATS_MAX),
        decide_on=row.day("decide_on"),
        trainer_refs=row.refs("trainer_refs"),
        facilitator_refs=row.refs("facilitator_refs", optional=True),
        parties=row.pairs("parties", _party),
        party_spread_max=row.maybe_whole("party_spread_max", 0, SEATS_MAX),
        childcare=row.pairs("childcare_places", _places),
    )


def course_of(row: Row) -> CourseLine:
    """The course in a row."""
    return CourseLine(
        ref=row.ref("course_ref"),
        title=row.text("course_title"),
        theme=row.one_of("theme", THEMES),
        form=row.one_of("form", FORMS),
        goal=row.text("goal", 2000, lines=True),
        organisation_ref=row.ref("organisation_ref", optional=True),
        state=row.one_of("course_state", COURSE_STATES),
        audience=tuple(row.pairs("audience", _fit).values()),
        cancellation=tuple(row.pairs("cancellation", _refund).values()),
    )


def _venue(row: Row) -> VenueLine | None:
    columns = ("venue_ref", "venue_name", "venue_postcode4", "venue_wheelchair")
    if not any(row.cells[column].strip() for column in columns):
        return None
    return VenueLine(
        ref=row.ref("venue_ref"),
        name=row.text("venue_name"),
        postcode4=row.postcode4("venue_postcode4"),
        wheelchair=row.flag("venue_wheelchair"),
    )


def _fit(key: str, fit: str) -> tuple[str, tuple[str, str, str]]:
    facet, colon, value = key.partition(":")
    if not colon:
        raise ValueError(f"'{key}' is geen criterium:waarde, zoals family_type:kinship")
    one_of(facet, tuple(Facet))
    one_of(value, FACET_VALUES[Facet(facet)])
    return key, (facet, value, one_of(fit, tuple(Fit)))


def _refund(key: str, value: str) -> tuple[str, tuple[str, int]]:
    if key in TERMS_MAX:
        return key, (key, whole(value, 0, TERMS_MAX[key]))
    return key, (str(whole(key, 0, 365)), whole(value, 0, 100))


def _party(party: str, bounds: str) -> tuple[str, tuple[int, int]]:
    least, dash, most = bounds.partition("-")
    if not dash:
        raise ValueError(f"'{bounds[:40]}' is geen minimum-maximum, zoals 3-5")
    return one_of(party, PARTIES), (whole(least, 0, SEATS_MAX), whole(most, 0, SEATS_MAX))


def _places(band: str, places: str) -> tuple[str, int]:
    return one_of(band, CHILD_AGE_BANDS), whole(places, 0, 100)
