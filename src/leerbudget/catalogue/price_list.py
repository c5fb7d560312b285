"""Read tariffs: what a course costs where, and when (R06). Amounts are cents per person for all meetings."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from leerbudget.catalogue.errors import TariffUnknown
from leerbudget.foundation.database import fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class TariffView:
    """A tariff. `ends_on` None: until further notice; before `starts_on`: withdrawn before it began."""

    id: UUID
    external_ref: str
    course: UUID
    course_title: str
    scope: str
    region: str | None
    municipalities: tuple[str, ...]
    organisation: UUID | None
    organisation_name: str | None
    price_cents: int
    starts_on: date
    ends_on: date | None

    @property
    def withdrawn(self) -> bool:
        """Whether it never holds."""
        return self.ends_on is not None and self.ends_on < self.starts_on


_TARIFF = """
SELECT t.id, t.external_ref, t.course, c.title AS course_title, t.scope, t.region, t.municipalities, t.organisation,
       g.name AS organisation_name, t.price_cents, t.starts_on, t.ends_on
FROM tariff t JOIN course c ON c.id = t.course LEFT JOIN organisation g ON g.id = t.organisation
"""


async def tariff(id: UUID) -> TariffView:  # noqa: A002 - the word of the house for a key
    """One tariff.

    Raises:
        TariffUnknown: there is none with that id.
    """
    row = await fetch_one(f"{_TARIFF} WHERE t.id = $1", id)
    if row is None:
        raise TariffUnknown
    return _view(row)


async def tariffs(*, course: UUID | None = None, after: UUID | None = None, limit: int = 50) -> list[TariffView]:
    """A page of all tariffs, or of one course, in order of id; `after` is the last id of the page before."""
    rows = await fetch_all(
        f"{_TARIFF} WHERE ($1::uuid IS NULL OR t.course = $1) AND ($2::uuid IS NULL OR t.id > $2) ORDER BY t.id LIMIT $3",
        course,
        after,
        limit,
    )
    return [_view(row) for row in rows]


async def tariffs_from(
    day: date, *, course: UUID | None = None, organisation: UUID | None = None, limit: int = 200
) -> list[TariffView]:
    """Tariffs that hold on a day or later, by course, the widest scope first: all, of a course or of an organisation."""
    rows = await fetch_all(
        f"""{_TARIFF}
        WHERE (t.ends_on IS NULL OR t.ends_on >= greatest($1, t.starts_on))
          AND ($2::uuid IS NULL OR t.course = $2) AND ($3::uuid IS NULL OR t.organisation = $3)
        ORDER BY c.title, c.id, array_position(ARRAY['national', 'youth_region', 'municipality', 'organisation'], t.scope),
                 t.region, t.municipalities, g.name, t.starts_on, t.id LIMIT $4""",
        day,
        course,
        organisation,
        limit,
    )
    return [_view(row) for row in rows]


def _view(row: Any) -> TariffView:
    values = dict(row)
    values["municipalities"] = tuple(values["municipalities"] or ())
    return TariffView(**values)
