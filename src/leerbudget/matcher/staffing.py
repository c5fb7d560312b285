"""The formats `leerbudget-staffing/1` and `leerbudget-staffing-outcome/1`: sessions that still need a trainer.

Who could lead what, what they would like and how much (R60, R61), and what the system proposes. Ids, minutes
and bands only; never a name. A proposal is never more than that: `status` is always `proposal`, and only
`staffing_confirming.confirmed` makes assignments firm, from what people decided.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import YEARS, Count, Id, Interval, convert, decode_json, to_json
from leerbudget.matcher.outcome import Text, Whole
from leerbudget.matcher.vocabulary import LearningForm, Theme, TravelMode

FORMAT: Literal["leerbudget-staffing/1"] = "leerbudget-staffing/1"
OUTCOME_FORMAT: Literal["leerbudget-staffing-outcome/1"] = "leerbudget-staffing-outcome/1"

Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]
Region = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Role(StrEnum):
    """What somebody does in a session: lead it, or assist who leads."""

    LEAD = "lead"
    CO = "co"


class LoadUnit(StrEnum):
    """In what a trainer says how much: hours with the group, or whole sessions. Both are weighted by the group."""

    HOURS = "hours"
    SESSIONS = "sessions"


class StaffingPolicy(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Rules of the whole proposal. `weights` and `load` replace the defaults of `staffing_points` by name.

    `spread_max_percent`: who could take a session over from somebody busier is, with that session, at most so
    many points of a percent of the wished load behind (null: no such rule).
    """

    weights: dict[str, Annotated[int, msgspec.Meta(ge=0, le=10_000)]] = {}
    load: dict[str, Annotated[int, msgspec.Meta(ge=0, le=1000)]] = {}
    heavy_themes: list[Theme] = msgspec.field(default_factory=lambda: [Theme.TRAUMA, Theme.GRIEF_LOSS])
    spread_max_percent: Percent | None = 30


class WishedLoad(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much in this period: never more than `most`, rather at least `least`."""

    unit: LoadUnit
    most: Annotated[int, msgspec.Meta(ge=1, le=2000)]
    least: Annotated[int, msgspec.Meta(ge=0, le=2000)] = 0


class StaffTrainer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An admitted member of the trainer pool.

    `themes`: what they can lead and assist with; `co_themes`: what they only assist with. `forms`: what they
    can do (null: every form). `certificate_until`: last day of the certificate of conduct (R56); null: there
    is none, so nothing is proposed. `avoid`: ids they never share a room with.
    """

    id: Id
    wished_load: WishedLoad
    certificate_until: date | None
    themes: list[Theme] = []
    co_themes: list[Theme] = []
    forms: list[LearningForm] | None = None
    availability: Annotated[str, msgspec.Meta(pattern=r"\A[01]{21}\Z")] = "1" * 21
    blocked: list[Interval] = []
    pc4: str | None = None
    lat: float | None = None
    lon: float | None = None
    travel_minutes_max: dict[TravelMode, Annotated[int, msgspec.Meta(ge=0, le=1440)]] = {}
    online_ok: bool = False
    wished_themes: list[Theme] = []
    wished_regions: list[Region] = []
    avoid: list[Id] = []


class StaffSession(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A course session and the places for trainers it still has; without a place it is online.

    `lead` and `co`: places asked for in this file, those in `fixed` included. A session whose leader is no
    part of this file has `lead` 0. `people`: who else is there. `apart_from`: whom somebody taking part never
    shares a room with (avoid lists and own professionals); nobody reads here who said so (R65, R66).
    """

    id: Id
    theme: Theme
    form: LearningForm
    meetings: Annotated[list[Interval], msgspec.Meta(max_length=400)]
    participants: Count
    lead: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    co: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    region: Region | None = None
    pc4: str | None = None
    lat: float | None = None
    lon: float | None = None
    people: list[Id] = []
    apart_from: list[Id] = []


class Staffing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One question. `fixed`: confirmed by people. `declined` by the trainer, without a reason; `forbidden` by the team."""

    format: Literal["leerbudget-staffing/1"]
    trainers: list[StaffTrainer]
    sessions: list[StaffSession]
    policy: StaffingPolicy = StaffingPolicy()
    fixed: list[tuple[Id, Id, Role]] = []
    forbidden: list[tuple[Id, Id]] = []
    declined: list[tuple[Id, Id]] = []


class Told(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One reason: a code for programs, a Dutch sentence for people.

    `points`: what it added to the score. `trainers`: for how many trainers this was in the way.
    """

    code: Annotated[str, msgspec.Meta(max_length=60)]
    sentence: Text
    points: Whole | None = None
    trainers: Whole | None = None


class Assignment(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """This trainer for this session. `fixed`: people confirmed it before. `points`: without those for filling a place.

    `load`: what it adds to the trainer's load, in hundredths of the trainer's unit. `travel_minutes`: one way.
    """

    trainer: Id
    session: Id
    role: Role
    points: Whole
    load: Whole
    fixed: bool = False
    mode: TravelMode | None = None
    travel_minutes: Whole = 0
    reasons: list[Told] = []


class Helped(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One change of one trainer after which this place can be filled without taking anything from anybody.

    `rule`: the hard rule that is in the way. `mode` and `minutes`: the travel limit that would do; `most`:
    the wished load that would do.
    """

    trainer: Id
    rule: Annotated[str, msgspec.Meta(max_length=60)]
    sentence: Text
    mode: TravelMode | None = None
    minutes: Whole | None = None
    most: Whole | None = None


class Unstaffed(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Places of one session that nobody is proposed for, with what was in the way."""

    session: Id
    role: Role
    places: Whole
    reasons: list[Told] = []
    would_have_helped: list[Helped] = []


class TrainerLoad(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the proposal asks of one trainer, confirmed assignments included.

    `load`, `least` and `most` are hundredths of the unit; `relative` is the load in hundredths of a percent of
    `most`, every assignment rounded down. `wished_themes` and `wished_regions`: in how many assignments.
    """

    trainer: Id
    sessions: Whole
    minutes: Whole
    unit: LoadUnit
    load: Whole
    least: Whole
    most: Whole
    relative: Whole
    travel_minutes: Whole
    wished_themes: Whole
    wished_regions: Whole
    points: Whole


class Spread(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How even the relative loads are, in hundredths of a percent.

    `avoidable`: the largest difference that stays behind after moving one session to somebody less busy who
    could take it; the policy bounds this one. `lowest`, `middle` (the upper median) and `highest`: of all trainers.
    """

    avoidable: Whole
    lowest: Whole
    middle: Whole
    highest: Whole


class Satisfaction(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which wishes of trainers come true (R61): pairs of how many, and out of how many.

    `themes` and `regions`: assignments of trainers who wished any. `least`: trainers who reach what they want
    at least, of those who said so.
    """

    themes: tuple[Whole, Whole]
    regions: tuple[Whole, Whole]
    least: tuple[Whole, Whole]


class StaffingOutcome(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A proposal for people to confirm, change or drop.

    `filled`: places with a trainer, of all `places`. `bound`: no proposal can score higher. `gap`: of the whole
    score; `wish_gap`: the same difference as a share of the score without the points for filling places.
    """

    format: Literal["leerbudget-staffing-outcome/1"]
    assignments: list[Assignment]
    unstaffed: list[Unstaffed]
    loads: list[TrainerLoad]
    spread: Spread
    satisfaction: Satisfaction
    places: Whole
    filled: Whole
    score: Whole
    bound: Whole
    gap: float
    wish_gap: float
    status: Literal["proposal"] = "proposal"
    seconds: dict[str, float] = {}
    seed: Whole = 0
    version: Annotated[str, msgspec.Meta(max_length=100)] = ""
    staffing: Annotated[str, msgspec.Meta(max_length=64)] | None = None


def read_staffing(data: bytes) -> Staffing:
    """The staffing in the bytes of a JSON file (unpacked).

    Raises:
        InstanceRefused: not JSON, another format, or unsound; the first place found.
    """
    plain = decode_json(data, "staffing")
    if not isinstance(plain, dict):
        raise InstanceRefused("$", "a staffing is one JSON object")
    return staffing_from(plain)


def staffing_from(data: Mapping[str, Any]) -> Staffing:
    """The staffing in plain values as JSON would give them.

    Raises:
        InstanceRefused: another format, or unsound; the first place found.
    """
    from leerbudget.matcher.staffing_contradictions import check  # noqa: PLC0415 - it needs the structs above

    staffing = convert(_with_moments(data), Staffing, FORMAT)
    check(staffing)
    return staffing


def read_staffing_outcome(data: bytes) -> StaffingOutcome:
    """The proposal in the bytes of a JSON file (unpacked).

    Raises:
        InstanceRefused: not JSON, another format, or a wrong value; the first place found.
    """
    plain = decode_json(data, "staffing outcome")
    if not isinstance(plain, dict):
        raise InstanceRefused("$", "a staffing outcome is one JSON object")
    return convert(plain, StaffingOutcome, OUTCOME_FORMAT)


def staffing_fingerprint(staffing: Staffing) -> str:
    """A digest of the content; the same for the same question, however its file was laid out."""
    return hashlib.sha256(to_json(staffing)).hexdigest()


def _with_moments(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same plain values with moments read; RFC 3339 asks for seconds, people leave them out."""
    whole = dict(data)
    for rows, key in (("trainers", "blocked"), ("sessions", "meetings")):
        if isinstance(whole.get(rows), list):
            whole[rows] = [
                _read_intervals(row, key, f"$.{rows}[{i}].{key}") if isinstance(row, dict) else row
                for i, row in enumerate(whole[rows])
            ]
    return whole


def _read_intervals(row: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    """The row with its intervals read; what is no list of pairs is left for `convert` to refuse."""
    if not isinstance(row.get(key), list):
        return row
    pairs = [
        [_moment(value, f"{path}[{i}][{side}]") for side, value in enumerate(pair)] if isinstance(pair, list) else pair
        for i, pair in enumerate(row[key])
    ]
    return row | {key: pairs}


def _moment(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InstanceRefused(path, f"not a moment: {value[:60]!r}; write 2027-03-01T19:00+01:00") from None
    if moment.tzinfo is None:
        raise InstanceRefused(path, f"a moment needs its zone, such as +01:00: {value}")
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise InstanceRefused(path, f"a year between {YEARS[0]} and {YEARS[1]} was expected: {moment.year}")
    return moment
