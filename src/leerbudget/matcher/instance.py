"""The format `leerbudget-instance/1`: who wishes what, what is offered, and with which money.

Ids, minutes, cents and bands only; never a name. Read with `read_instance` (bytes of a file) or
`instance_from` (a dict); both refuse unsound input with the place in the file. Structs made in code are
checked by `contradictions.check`.
"""

import hashlib
import re
from abc import ABC
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from leerbudget.matcher.collecting import no_collecting
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.vocabulary import (
    CareForm,
    ChildAgeBand,
    ChildcareNeed,
    Facet,
    FamilyType,
    Fit,
    LearningForm,
    Party,
    Theme,
    TravelMode,
)

FORMAT: Literal["leerbudget-instance/1"] = "leerbudget-instance/1"

Id = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f]+\Z", max_length=200)]
Cents = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Points = Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
if TYPE_CHECKING:
    Moment = datetime
else:

    class Moment(ABC):  # noqa: B024 - nothing is ever made of it
        """A `datetime` whose text msgspec hands to `_moment_from`: its own reader asks for seconds, people do not."""

    Moment.register(datetime)

Interval = tuple[Moment, Moment]
YEARS = (2000, 2200)
JSON_NAMES = {type(None): "null", list: "array", tuple: "array", dict: "object"}
PATH = re.compile(r"\$[^`]*")
S = TypeVar("S", bound=msgspec.Struct)


class Policy(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Rules of the whole round. `weights` replaces the defaults of `criteria.weights` by name."""

    max_placements: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100
    weights: dict[str, Annotated[int, msgspec.Meta(ge=0, le=100_000)]] = {}


class SeekerPerson(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Somebody who comes. `availability`: 21 bits, Monday morning first; `blocked`: intervals (start, end)."""

    id: Id
    party: Party = Party.FOSTER_PARENTS
    availability: Annotated[str, msgspec.Meta(pattern=r"\A[01]{21}\Z")] = "1" * 21
    blocked: list[Interval] = []


class LearningBudget(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Money for one seeker. `themes`: what it is earmarked for (null: anything).

    It pays for sessions whose first meeting is on or before `expires_on` (Amsterdam; null: never expires).
    """

    id: Id
    available_cents: Cents
    themes: list[Theme] | None = None
    expires_on: date | None = None


class LearningWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody wants to learn; all `persons` together or not at all.

    `forms`: the forms they like best (null: any); liking, not a limit.
    """

    id: Id
    theme: Theme
    persons: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=20)]
    rank: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1
    forms: list[LearningForm] | None = None
    urgent: bool = False


class Seeker(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A family, or one professional in a dialogue. Without a place only online sessions are in reach."""

    id: Id
    persons: Annotated[list[SeekerPerson], msgspec.Meta(min_length=1, max_length=20)]
    wishes: list[LearningWish]
    pc4: str | None = None
    lat: float | None = None
    lon: float | None = None
    travel_minutes_max: dict[TravelMode, Annotated[int, msgspec.Meta(ge=0, le=1440)]] = {}
    online_ok: bool = False
    family_type: FamilyType | None = None
    care_forms: list[CareForm] = []
    experience_years: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None
    child_age_bands: list[ChildAgeBand] = []
    budgets: Annotated[list[LearningBudget], msgspec.Meta(max_length=12)] = []
    own_contribution_cents_max: Cents = 0
    max_placements: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100
    waiting_rounds: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    childcare: dict[ChildAgeBand, Annotated[int, msgspec.Meta(ge=0, le=20)]] = {}
    childcare_need: ChildcareNeed = ChildcareNeed.NONE
    avoid: list[Id] = []
    professionals: list[Id] = []


class OfferedSession(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A course at set moments. No place means online. `price_cents` is for one person, all meetings.

    `parties`: {party: [least, most]} seats in a dialogue; `parties_taken`: whose voices already sit there.
    """

    id: Id
    course: Id
    theme: Theme
    form: LearningForm
    meetings: Annotated[list[Interval], msgspec.Meta(max_length=400)]
    price_cents: Cents
    seats_min: Count
    seats_max: Count
    seats_taken: Count = 0
    pc4: str | None = None
    lat: float | None = None
    lon: float | None = None
    audience: dict[Facet, dict[str, Fit]] = {}
    parties: dict[Party, tuple[Count, Count]] | None = None
    party_spread_max: Count | None = None
    parties_taken: dict[Party, Count] = {}
    people: list[Id] = []
    childcare_places: dict[ChildAgeBand, Count] = {}


class Instance(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One round's question. Fixed placements are not yet in `seats_taken` nor taken from the budgets."""

    format: Literal["leerbudget-instance/1"]
    seekers: list[Seeker]
    sessions: list[OfferedSession]
    policy: Policy = Policy()
    fixed: list[tuple[Id, Id, Id]] = []
    forbidden: list[tuple[Id, Id]] = []
    candidates: list[tuple[Id, Id, Id, Points]] | None = None


@no_collecting()
def read_instance(data: bytes) -> Instance:
    """The instance in the bytes of a JSON file (unpacked).

    Raises:
        InstanceRefused: not JSON, another format, or unsound; the first place found.
    """
    instance = _read_directly(data)
    if instance is not None:
        _check(instance)
        return instance
    plain = decode_json(data, "instance")
    if not isinstance(plain, dict):
        raise InstanceRefused("$", "an instance is one JSON object")
    return instance_from(plain)


def _read_directly(data: bytes) -> Instance | None:
    """Straight from bytes to structs; None when something is amiss, so that the way with the places tells what."""
    try:
        return msgspec.json.decode(data, type=Instance, dec_hook=_moment_from)
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError, InstanceRefused):
        return None


def instance_from(data: Mapping[str, Any]) -> Instance:
    """The instance in plain values as JSON would give them.

    Raises:
        InstanceRefused: another format, or unsound; the first place found.
    """
    instance = convert(_with_moments(data), Instance, FORMAT)
    _check(instance)
    return instance


def _check(instance: Instance) -> None:
    from leerbudget.matcher.contradictions import check  # noqa: PLC0415 - it needs the structs above

    check(instance)


def to_json(document: msgspec.Struct) -> bytes:
    """An instance or outcome as the bytes of a JSON file, keys in the order of the format."""
    return msgspec.json.encode(document)


def fingerprint(instance: Instance) -> str:
    """A digest of the content; the same for the same question, however its file was laid out."""
    return hashlib.sha256(to_json(instance)).hexdigest()


def decode_json(data: bytes, what: str) -> Any:
    """Plain values out of the bytes of a JSON file.

    Raises:
        InstanceRefused: not JSON, or not UTF-8.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InstanceRefused("$", f"this {what} is not sound JSON: {error}") from None


def convert(data: Any, kind: type[S], format_name: str) -> S:
    """Plain values as the struct of a format.

    Raises:
        InstanceRefused: another format, an unknown or missing field, or a wrong value.
    """
    found = data.get("format") if isinstance(data, dict) else None
    if found != format_name:
        raise InstanceRefused("$.format", f"expected {format_name!r}, found {str(found)[:100]!r}")
    try:
        return msgspec.convert(data, kind, dec_hook=_moment_from)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        found_at = PATH.search(place)
        raise InstanceRefused(found_at.group() if found_at else "$", message) from None
    except (OverflowError, RecursionError) as error:
        raise InstanceRefused("$", f"a value is out of range: {error}") from None


def _with_moments(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same plain values with moments read; RFC 3339 asks for seconds, people leave them out."""
    whole = dict(data)
    for i, session in enumerate(_rows(whole, "sessions")):
        _read_intervals(session, "meetings", f"$.sessions[{i}].meetings")
    for i, seeker in enumerate(_rows(whole, "seekers")):
        for j, person in enumerate(_rows(seeker, "persons")):
            _read_intervals(person, "blocked", f"$.seekers[{i}].persons[{j}].blocked")
    return whole


def _rows(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Copies of the objects under a key, put back in place; anything else is left for `convert` to refuse."""
    rows = holder.get(key)
    if not isinstance(rows, list):
        return []
    holder[key] = [dict(row) if isinstance(row, dict) else row for row in rows]
    return [row if isinstance(row, dict) else {} for row in holder[key]]


def _read_intervals(holder: dict[str, Any], key: str, path: str) -> None:
    intervals = holder.get(key)
    if isinstance(intervals, list):
        holder[key] = [
            [_moment(end, f"{path}[{i}][{side}]") for side, end in enumerate(pair)]
            if isinstance(pair, list | tuple)
            else pair
            for i, pair in enumerate(intervals)
        ]


def _moment(value: Any, path: str) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InstanceRefused(path, f"not a moment: {value[:60]!r}; write 2027-03-01T19:00+01:00") from None
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise InstanceRefused(path, f"a moment needs its zone, such as +01:00: {value.isoformat()}")
        if not YEARS[0] <= value.year <= YEARS[1]:
            raise InstanceRefused(path, f"a year between {YEARS[0]} and {YEARS[1]} was expected: {value.year}")
    return value


def _moment_from(kind: type, value: object) -> datetime:  # noqa: ARG001 - there is one kind
    """What msgspec asks for a `Moment`; a `TypeError` becomes a refusal with its place."""
    if isinstance(value, str | datetime):
        moment: datetime = _moment(value, "$")
        return moment
    raise TypeError(f"Expected `datetime`, got `{JSON_NAMES.get(type(value), type(value).__name__)}`")
