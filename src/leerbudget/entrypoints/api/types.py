"""Strict types that every endpoint shares: what does not fit is refused before anything is asked.

Request bodies are subclasses of `Body`: unknown fields are refused. Amounts are cents. Text is bounded and
free of control and bidirectional-override characters. Moments carry a zone and lie between 2000 and 2100.
"""

import base64
import binascii
import json
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.money import CENTS_MAX
from leerbudget.identity.rules import EMAIL_LENGTH_MAX, EMAIL_PATTERN

Item = TypeVar("Item")

# Control characters (without tab and line ends), bidirectional overrides and isolates, lone surrogates,
# byte-order mark and the two noncharacters at the end of the plane.
CLEAN_LINE = (
    r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]*$(?!\n)"
)
CLEAN_TEXT = CLEAN_LINE.replace(r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f")

Cents = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="Euro cents.")]
PositiveCents = Annotated[int, Meta(ge=1, le=CENTS_MAX, description="Euro cents, at least one.")]
ShortText = Annotated[str, Meta(min_length=1, max_length=200, pattern=CLEAN_LINE, description="One line of text.")]
LongText = Annotated[str, Meta(min_length=1, max_length=2000, pattern=CLEAN_TEXT, description="Plain text.")]
Email = Annotated[
    str,
    Meta(min_length=3, max_length=EMAIL_LENGTH_MAX, pattern=EMAIL_PATTERN, description="An ordinary e-mail address."),
]
PostCode4 = Annotated[
    str, Meta(max_length=4, pattern=r"^[1-9][0-9]{3}$", description="The four digits of a Dutch postcode.")
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a zone, between 2000 and 2100.")]
Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in an answer."""

Persons = Annotated[int, Meta(ge=1, le=20, description="Number of people.")]
PersonIds = Annotated[list[UUID], Meta(min_length=1, max_length=10, description="People who go together.")]
Children = Annotated[int, Meta(ge=1, le=20, description="Number of children.")]
Day = Annotated[date, Meta(description="A whole day in Amsterdam, between 2000 and 2100.")]
Week = Annotated[
    str,
    Meta(
        max_length=21,
        pattern=r"^[01]{21}$(?!\n)",
        description="21 day-parts, Monday morning, afternoon, evening first; 1 is available.",
    ),
]
PrivateText = Annotated[
    str,
    Meta(max_length=2000, pattern=CLEAN_TEXT, description="Private words; may be empty. Only their writer reads them."),
]
Reference = Annotated[
    str, Meta(min_length=1, max_length=60, pattern=CLEAN_LINE, description="A number or name of the sender's own.")
]
Municipalities = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=60, pattern=CLEAN_LINE)]],
    Meta(min_length=1, max_length=400, description="Names of municipalities, as `municipality` of a venue."),
]
CourseIds = Annotated[list[UUID], Meta(min_length=1, max_length=200, description="Ids of courses.")]
Id = UUID

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="At most so many items.")]
"""Query parameter `limit: Limit = 20`."""

CursorText = Annotated[
    str | None,
    QueryParameter(max_length=500, pattern=r"^[A-Za-z0-9_-]*$", description="`next_cursor` of the page before."),
]
"""Query parameter `cursor: CursorText = None`; `read_cursor` makes sense of it."""

_MOMENT_MIN = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT_MAX = datetime(2100, 1, 1, tzinfo=UTC)
_DAY_MIN, _DAY_MAX = date(2000, 1, 1), date(2100, 1, 1)


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent. Text is brought to Unicode form NFC, moments and days outside 2000-2100 are refused."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and not unicodedata.is_normalized("NFC", value):
                msgspec.structs.force_setattr(self, name, unicodedata.normalize("NFC", value))
            elif isinstance(value, datetime):
                _check_moment(name, value)
            elif isinstance(value, date) and not _DAY_MIN <= value < _DAY_MAX:
                raise ValueError(f"Expected a day between 2000 and 2100 - at `$.{name}`")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered. Fields may be added to it, so clients must skip what they do not know."""


Told = TypeVar("Told", bound=Answer)


def told(kind: type[Told], view: object) -> Told:
    """What a room's query gave, as an answer: the fields of the same names."""
    return msgspec.convert(view, kind, from_attributes=True)


class Page(Answer, Generic[Item], frozen=True, kw_only=True):
    """A part of a list; `next_cursor` is absent on the last part."""

    items: list[Item]
    next_cursor: str | None = None


def _check_moment(name: str, value: datetime) -> None:
    try:
        fits = _MOMENT_MIN <= value < _MOMENT_MAX
    except OverflowError:  # year 1 or 9999 with an offset
        fits = False
    if not fits:
        raise ValueError(f"Expected a moment between 2000 and 2100 - at `$.{name}`")


def make_cursor(*keys: str | int) -> str:
    """The opaque place in a list after the item with these keys."""
    return base64.urlsafe_b64encode(json.dumps(keys, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str | None, kinds: tuple[type, ...]) -> tuple[str | int, ...] | None:
    """The keys in a cursor, of these types; None for the start of the list.

    Raises:
        InvalidInput: it is not one of ours.
    """
    if text is None:
        return None
    try:
        keys = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        keys = None
    fits = isinstance(keys, list) and len(keys) == len(kinds)
    if not fits or any(type(key) is not kind for key, kind in zip(keys, kinds, strict=True)):
        raise InvalidInput(errors=[{"path": "cursor", "message": "Deze plaats in de lijst bestaat niet."}])
    return tuple(keys)
