"""The format `leerbudget-outcome/1`: who goes where, paid from what, and why or why not."""

from typing import Annotated, Any, Literal

import msgspec

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Id, convert, decode_json
from leerbudget.matcher.vocabulary import ChildAgeBand, TravelMode

FORMAT: Literal["leerbudget-outcome/1"] = "leerbudget-outcome/1"

Whole = Annotated[int, msgspec.Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]


class Reason(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One reason: a code for programs, a Dutch sentence for people.

    `points`: what it added to the score (placements). `sessions`: how many sessions fell away on it
    (non-placements). `cents`: money that was short. `price_points`: what the seats would have cost others;
    `worth_points`: what the placement would have added.
    """

    code: Annotated[str, msgspec.Meta(max_length=60)]
    sentence: Text
    points: Whole | None = None
    sessions: Whole | None = None
    cents: Whole | None = None
    price_points: Whole | None = None
    worth_points: Whole | None = None


class Placement(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A proposal: these persons go to this session for this wish.

    `payment`: (budget, cents) in the order in which the budgets pay; what they do not pay is
    `own_contribution_cents`. Together exactly price times persons. `score` is without the bonus for a
    first placement.
    """

    seeker: Id
    wish: Id
    session: Id
    persons: list[Id]
    score: Whole
    payment: list[tuple[Id, Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]]] = []
    own_contribution_cents: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] = 0
    reasons: list[Reason] = []


class TravelFarther(msgspec.Struct, tag_field="kind", tag="travel", forbid_unknown_fields=True, frozen=True):
    """Allow so many minutes one way in this mode."""

    mode: TravelMode
    minutes: Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class AcceptOnline(msgspec.Struct, tag_field="kind", tag="online", forbid_unknown_fields=True, frozen=True):
    """Take part online."""


class FreeDayParts(msgspec.Struct, tag_field="kind", tag="day_parts", forbid_unknown_fields=True, frozen=True):
    """Be free in these day-parts (0 is Monday morning), everyone who goes."""

    day_parts: list[Annotated[int, msgspec.Meta(ge=0, le=20)]]


class FreeBlocked(msgspec.Struct, tag_field="kind", tag="unblock", forbid_unknown_fields=True, frozen=True):
    """Be free after all at the times of the session's meetings."""


class PayMore(msgspec.Struct, tag_field="kind", tag="money", forbid_unknown_fields=True, frozen=True):
    """Have so many cents more: as own contribution, or as budget without earmark."""

    cents: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class MorePlacements(msgspec.Struct, tag_field="kind", tag="max_placements", forbid_unknown_fields=True, frozen=True):
    """Want so many placements in one round; the policy's maximum stays."""

    max_placements: Annotated[int, msgspec.Meta(ge=1, le=100)]


class ArrangeSitter(msgspec.Struct, tag_field="kind", tag="own_sitter", forbid_unknown_fields=True, frozen=True):
    """Arrange somebody for the children, so that no childcare place is needed."""


Change = TravelFarther | AcceptOnline | FreeDayParts | FreeBlocked | PayMore | MorePlacements | ArrangeSitter


class WouldHaveHelped(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One change after which this very session becomes possible without taking anyone's place."""

    change: Change
    session: Id
    sentence: Text = ""


class Unplaced(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """A wish without a session; the reason that came closest first.

    `priced_out`: every session it could have had costs others more points than the placement is worth, at
    the prices of the certificate. False: at these prices a place would have been worth it, so a person
    looks again. None: there was no such session, or there are no prices.
    """

    seeker: Id
    wish: Id
    reasons: list[Reason] = []
    would_have_helped: list[WouldHaveHelped] = []
    priced_out: bool | None = None


class SessionReport(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`seats`: taken before plus placed now. `runs`: the minimum (and the parties' rules) are met."""

    id: Id
    runs: bool
    seats: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Certificate(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Prices that prove a bound: anybody can add them up again (docs/matching.md, "The bound").

    All prices are whole thousandths of a point. `seat_prices`: what one seat costs, by session; a session
    that is not named costs nothing. `personal_prices`: (seeker, wish, session, price of the whole placement)
    where it differs from seat price times persons. `childcare_prices`: what one childcare place costs, by
    session and age band. `company_prices`: two (seeker, wish) who may not share a room, the session, and
    what either pays for keeping the other out. `fixed_points`: what a fixed placement counts more while the
    bound is added up. `bound`: what the prices prove, in points.
    """

    seat_prices: dict[Id, Whole]
    personal_prices: list[tuple[Id, Id, Id, Whole]]
    childcare_prices: dict[Id, dict[ChildAgeBand, Whole]]
    company_prices: list[tuple[tuple[Id, Id], tuple[Id, Id], Id, Whole]]
    fixed_points: Whole
    bound: Whole


class Outcome(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The answer to one instance.

    `bound`: no outcome of this instance can score higher. `gap` = (bound - score) / max(1, |score|).
    `certificate`: prices with which a bound can be proven again; `bound` is at most theirs.
    `seconds`: elapsed time by phase. `instance`: fingerprint of the instance it answers.
    """

    format: Literal["leerbudget-outcome/1"]
    placements: list[Placement]
    unplaced: list[Unplaced]
    sessions: list[SessionReport]
    score: Whole
    bound: Whole
    gap: float
    seconds: dict[str, float] = {}
    seed: Whole = 0
    version: Annotated[str, msgspec.Meta(max_length=100)] = ""
    instance: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    certificate: Certificate | None = None


def gap_of(score: int, bound: int) -> float:
    """How far the bound lies above the score, as a share of the score; six decimals."""
    return round((bound - score) / max(1, abs(score)), 6)


def read_outcome(data: bytes) -> Outcome:
    """The outcome in the bytes of a JSON file (unpacked).

    Raises:
        InstanceRefused: not JSON, another format, or a wrong value; the first place found.
    """
    plain = decode_json(data, "outcome")
    if not isinstance(plain, dict):
        raise InstanceRefused("$", "an outcome is one JSON object")
    return outcome_from(plain)


def outcome_from(data: dict[str, Any]) -> Outcome:
    """The outcome in plain values as JSON would give them.

    Raises:
        InstanceRefused: another format, or a wrong value; the first place found.
    """
    return convert(data, Outcome, FORMAT)
