"""What a row of courses or tariffs says, as `layouts` has it for the other files."""

from dataclasses import dataclass
from datetime import date

from leerbudget.catalogue.rules import PRICE_CENTS_MAX, TARIFF_SCOPES
from leerbudget.entrypoints.files.layouts import CourseLine, course_of, lines_of
from leerbudget.entrypoints.files.reading import Row


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One row of courses."""

    row: int
    course: CourseLine

    @property
    def ref(self) -> str:
        """The key of the course."""
        return self.course.ref


@dataclass(frozen=True, slots=True)
class TariffLine:
    """One row of tariffs."""

    row: int
    ref: str
    course_ref: str
    scope: str
    region: str
    municipalities: tuple[str, ...]
    organisation_ref: str
    price_cents: int
    starts_on: date
    ends_on: date | None


def courses(data: bytes) -> list[CourseRow]:
    """A file of courses.

    Raises:
        FileRefused: with every mistake.
    """
    return lines_of("courses", data, lambda row: CourseRow(row.number, course_of(row)))


def tariffs(data: bytes) -> list[TariffLine]:
    """A file of tariffs.

    Raises:
        FileRefused: with every mistake.
    """
    return lines_of("tariffs", data, _tariff)


def _tariff(row: Row) -> TariffLine:
    return TariffLine(
        row=row.number,
        ref=row.ref("tariff_ref"),
        course_ref=row.ref("course_ref"),
        scope=row.one_of("scope", TARIFF_SCOPES),
        region=row.text("region", 80, optional=True),
        municipalities=row.words("municipalities", None, optional=True),
        organisation_ref=row.ref("organisation_ref", optional=True),
        price_cents=row.whole("price_cents", 0, PRICE_CENTS_MAX),
        starts_on=row.day("starts_on"),
        ends_on=row.maybe_day("ends_on"),
    )
