"""What options may hold: values that fit in the database, or one line that says what is expected."""

import math
import unicodedata
from datetime import date, datetime
from typing import Any

import click

from leerbudget.foundation.clock import aware

FIRST_YEAR, LAST_YEAR = 2000, 2099


class Line(click.ParamType[str]):
    """One line of text in Unicode form NFC, without control characters or broken bytes.

    Args:
        length: at most so many characters.
    """

    name = "text"

    def __init__(self, length: int) -> None:
        self.length = length

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, or a complaint."""
        text = unicodedata.normalize("NFC", value).strip()
        if not 1 <= len(text) <= self.length or any(unicodedata.category(letter)[0] == "C" for letter in text):
            self.fail(f"expected one line of 1 to {self.length} characters", param, ctx)
        return text


class FiniteRange(click.FloatRange):
    """A range of real numbers; `nan` is in no range, though no comparison refuses it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a complaint."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number in the range.", param, ctx)
        return number


class Day(click.ParamType[date]):
    """A calendar day as 2027-03-01, in this century."""

    name = "date"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a complaint."""
        if isinstance(value, date):
            return value
        try:
            day = datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2027-03-01", param, ctx)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail(f"{value!r} is not between {FIRST_YEAR} and {LAST_YEAR}", param, ctx)
        return day


class Instant(click.ParamType[datetime]):
    """A moment with its zone as 2027-03-01T14:03:00+01:00, in this century."""

    name = "moment"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, or a complaint."""
        if isinstance(value, datetime):
            return value
        try:
            moment = aware(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a moment with its zone, such as 2027-03-01T14:03:00+01:00", param, ctx)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.fail(f"{value!r} is not between {FIRST_YEAR} and {LAST_YEAR}", param, ctx)
        return moment
