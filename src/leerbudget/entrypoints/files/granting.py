"""The import file of grants: what a row says, before anything is looked up."""

from dataclasses import dataclass
from datetime import date

from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.entrypoints.files.layouts import lines_of
from leerbudget.entrypoints.files.reading import Row
from leerbudget.foundation.money import CENTS_MAX
from leerbudget.geography.postcodes import municipalities


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One row of grants."""

    row: int
    ref: str
    family_ref: str
    organisation_ref: str
    amount_cents: int
    starts_on: date
    expires_on: date
    themes: tuple[str, ...] | None
    forms: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None
    course_refs: tuple[str, ...]


def grants(data: bytes) -> list[GrantLine]:
    """A file of grants.

    Raises:
        FileRefused: with every mistake.
    """
    return lines_of("grants", data, _grant)


def _later(row: Row, column: str) -> tuple[str, ...]:
    """The words in a column that may be left out."""
    return row.refs(column, optional=True) if column in row.cells else ()


def _grant(row: Row) -> GrantLine:
    line = GrantLine(
        row=row.number,
        ref=row.ref("grant_ref", 80),
        family_ref=row.ref("family_ref"),
        organisation_ref=row.ref("organisation_ref"),
        amount_cents=row.whole("amount_cents", 1, CENTS_MAX),
        starts_on=row.day("starts_on"),
        expires_on=row.day("expires_on"),
        themes=row.words("themes", THEMES, optional=True) or None,
        forms=row.words("forms", FORMS, optional=True) or None,
        municipalities=_later(row, "municipalities") or None,
        course_refs=_later(row, "course_refs"),
    )
    for name in line.municipalities or ():
        if name not in municipalities():
            row.wrong("municipalities", f"'{name[:40]}' is geen gemeente, zoals Renkum")
    if line.expires_on < line.starts_on:
        row.wrong("expires_on", "ligt voor starts_on")
    return line
