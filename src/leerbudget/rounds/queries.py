"""Reads about rounds: for the coordinator in numbers, for a family its own proposals and reasons."""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.matcher.outcome import Reason, WouldHaveHelped
from leerbudget.people.rules import SMALLEST_GROUP


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round as the coordinator sees it in the list. `gap` is (bound - score) / score."""

    round: UUID
    name: str
    state: str
    seed: int
    starts_on: date
    ends_on: date
    answer_until: datetime | None
    score: int | None
    bound: int | None
    seconds: Mapping[str, float]
    opened_at: datetime
    published_at: datetime | None
    solving: bool
    violations: tuple[str, ...]
    rules_checked: int
    counts: Mapping[str, int] | None
    result: Mapping[str, int | None] | None

    @property
    def gap(self) -> float | None:
        """How far the score may lie under the best there is, as a share of the score."""
        if self.score is None or self.bound is None:
            return None
        return (self.bound - self.score) / max(1, abs(self.score))


@dataclass(frozen=True, slots=True)
class RoundTotals:
    """Numbers of a round. A share counts families with at least one proposal."""

    families: int
    families_placed: int
    wishes: int
    placed: int
    unplaced: int
    by_state: Mapping[str, int]
    refusals: Mapping[str, int]

    @property
    def share_placed(self) -> float:
        """Families with at least one proposal, as a share of the families with a wish."""
        return self.families_placed / self.families if self.families else 0.0


@dataclass(frozen=True, slots=True)
class FairnessRow:
    """One group of families: how many wished, how many got a proposal."""

    group: str
    families: int
    placed: int

    @property
    def share(self) -> float:
        """Families with a proposal, as a share of the group."""
        return self.placed / self.families if self.families else 0.0


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A reason for not being placed, how often it came first, and one of its sentences."""

    code: str
    wishes: int


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal as the family sees it."""

    proposal: UUID
    round: UUID
    wish: UUID
    theme: str
    session: UUID
    state: str
    booking: UUID | None
    price_cents: int
    persons: tuple[str, ...]
    answer_until: datetime | None
    reasons: tuple[Reason, ...]
    payment: tuple[tuple[UUID, int], ...]


@dataclass(frozen=True, slots=True)
class NonPlacementView:
    """Why a wish got no place in a round, and what would have helped."""

    wish: UUID
    theme: str
    round_name: str
    reasons: tuple[Reason, ...]
    would_have_helped: tuple[WouldHaveHelped, ...]


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """A published proposal that waits for an answer, and who is asked."""

    proposal: UUID
    seeker: UUID
    professional: bool


async def open_offers(round_id: UUID) -> list[OpenOffer]:
    """The proposals of a round that wait for an answer."""
    rows = await fetch_all(
        "SELECT p.id AS proposal, coalesce(w.family, w.stated_by) AS seeker, w.family IS NULL AS professional"
        " FROM proposal p JOIN wish w ON w.id = p.wish WHERE p.round = $1 AND p.state = 'offered' ORDER BY p.id",
        round_id,
    )
    return [OpenOffer(**dict(row)) for row in rows]


_ROUND = """
SELECT id AS round, name, state, seed, starts_on, ends_on, answer_until, score, bound,
       coalesce(seconds, '{}') AS seconds, opened_at, published_at, solve_requested_at IS NOT NULL AS solving,
       coalesce(audit -> 'violations', '[]') AS violations, coalesce((audit ->> 'rules')::int, 0) AS rules_checked,
       coalesce(counts, 'null') AS counts, coalesce(result, 'null') AS result
FROM matching_round
"""


async def rounds() -> list[RoundView]:
    """Every round, the latest first."""
    return [_round(row) for row in await fetch_all(_ROUND + "ORDER BY opened_at DESC, id")]


async def round_view(round_id: UUID) -> RoundView | None:
    """One round, or None."""
    row = await fetch_one(_ROUND + "WHERE id = $1", round_id)
    return None if row is None else _round(row)


def _round(row: Any) -> RoundView:
    values = dict(row)
    values["seconds"] = msgspec.json.decode(values["seconds"])
    values["counts"], values["result"] = (msgspec.json.decode(values[name]) for name in ("counts", "result"))
    values["violations"] = tuple(msgspec.json.decode(values["violations"]))
    return RoundView(**values)


async def files(round_id: UUID) -> tuple[bytes | None, bytes | None]:
    """The gzipped instance and outcome of a round: what `leerbudget round replay` works on."""
    row = await fetch_one("SELECT instance, outcome FROM matching_round WHERE id = $1", round_id)
    return (row["instance"], row["outcome"]) if row else (None, None)


async def instance_for_coordinator(round_id: UUID) -> bytes | None:
    """The gzipped instance without anybody's own professionals and avoid list; None until the round was frozen.

    Those lists are for the solver and the audit only (R65, R66: visible to no role), and so are the pairs that follow
    from them. Without them the outcome breaks no rule that it kept before, and scores the same.
    """
    content = (await files(round_id))[0]
    return None if content is None else await asyncio.to_thread(_without_lists, content)


def _without_lists(content: bytes) -> bytes:
    plain = msgspec.json.decode(gzip.decompress(content))
    for seeker in plain["seekers"]:
        seeker.pop("professionals", None)
        seeker.pop("avoid", None)
    return gzip.compress(msgspec.json.encode(plain | {"forbidden": []}), mtime=0)


async def totals(round_id: UUID) -> RoundTotals:
    """The numbers of one round."""
    row = await fetch_one(_TOTALS, round_id)
    states = await fetch_all("SELECT state, count(*) AS n FROM proposal WHERE round = $1 GROUP BY state", round_id)
    refusals = await fetch_all(
        "SELECT refusal_code AS code, count(*) AS n FROM proposal WHERE round = $1 AND state = 'refused'"
        " GROUP BY refusal_code ORDER BY n DESC, code",
        round_id,
    )
    return RoundTotals(
        **dict(row or {}),
        by_state={r["state"]: r["n"] for r in states},
        refusals={r["code"]: r["n"] for r in refusals},
    )


_DECIDED = """
WITH decided AS (
  SELECT wish, family, true AS placed FROM proposal WHERE round = $1
  UNION ALL SELECT wish, family, false FROM non_placement WHERE round = $1
)
"""
_TOTALS = (
    _DECIDED
    + """
SELECT count(DISTINCT family)::int AS families,
       (count(DISTINCT family) FILTER (WHERE placed))::int AS families_placed,
       count(*)::int AS wishes, (count(*) FILTER (WHERE placed))::int AS placed,
       (count(*) FILTER (WHERE NOT placed))::int AS unplaced
FROM decided
"""
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a round opened now would find."""

    families: int
    wishes: int
    sessions: int
    seats: int


async def waiting() -> Waiting:
    """Open wishes and the sessions with free seats."""
    row = await fetch_one(
        "SELECT (SELECT count(DISTINCT family) FROM wish WHERE state = 'open')::int AS families,"
        " (SELECT count(*) FROM wish WHERE state = 'open')::int AS wishes,"
        " (SELECT count(*) FROM course_session WHERE state IN ('conditional', 'confirmed') AND starts_at > $1"
        "  AND seats_taken + catch_up_seats < seats_max)::int AS sessions,"
        " (SELECT coalesce(sum(seats_max - seats_taken - catch_up_seats), 0) FROM course_session"
        "  WHERE state IN ('conditional', 'confirmed') AND starts_at > $1)::int AS seats",
        clock.now(),
    )
    return Waiting(**dict(row or {}))


async def unplaced_reasons(round_id: UUID, *, at_most: int = 10) -> list[ReasonCount]:
    """The first reasons of all non-placements, the commonest first."""
    rows = await fetch_all(
        "SELECT coalesce(reasons -> 0 ->> 'code', 'unknown') AS code, count(*)::int AS wishes FROM non_placement"
        " WHERE round = $1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2",
        round_id,
        at_most,
    )
    return [ReasonCount(**dict(row)) for row in rows]


async def fairness(round_id: UUID) -> dict[str, list[FairnessRow]]:
    """Families with a proposal by region, family type, care form and experience; groups under five are left out.

    When the groups that are left out count fewer than five families together, the smallest group that is left goes
    too: the round's total minus what is shown must tell nothing about a few families.
    """
    groups: dict[str, list[FairnessRow]] = {}
    for row in await fetch_all(_FAIRNESS, round_id):
        groups.setdefault(row["dimension"], []).append(FairnessRow(row["label"], row["families"], row["placed"]))
    return {dimension: shown for dimension, rows in groups.items() if (shown := _showable(rows))}


def _showable(rows: list[FairnessRow]) -> list[FairnessRow]:
    """The rows, the largest group first, that may be shown."""
    shown = [row for row in rows if row.families >= SMALLEST_GROUP]
    hidden = sum(row.families for row in rows if row.families < SMALLEST_GROUP)
    while shown and 0 < hidden < SMALLEST_GROUP:
        hidden += shown.pop().families
    return shown


_FAIRNESS = (
    _DECIDED
    + """,
families AS (SELECT family, bool_or(placed) AS placed FROM decided WHERE family IS NOT NULL GROUP BY family),
facts AS (
  SELECT x.placed, d.dimension, d.label FROM families x JOIN family f ON f.id = x.family
  JOIN organisation o ON o.id = f.organisation
  JOIN matching_round r ON r.id = $1
  CROSS JOIN LATERAL (
    VALUES ('region', o.region), ('family_type', f.family_type),
           ('experience', CASE WHEN f.first_placement_on > r.opened_at::date - 365 THEN 'lt1'
                               WHEN f.first_placement_on > r.opened_at::date - 1096 THEN 'y1_3'
                               WHEN f.first_placement_on >= r.opened_at::date - 3653 THEN 'y3_10' ELSE 'gt10' END)
    UNION ALL SELECT 'care_form', unnest(f.care_forms)
  ) d(dimension, label)
)
SELECT dimension, label, count(*)::int AS families, (count(*) FILTER (WHERE placed))::int AS placed
FROM facts GROUP BY dimension, label ORDER BY dimension, families DESC, label
"""
)


_PROPOSAL = """
SELECT p.id AS proposal, p.round, p.wish, w.theme, p.session, p.state, p.booking,
       coalesce(b.price_cents, 0) AS price_cents, b.offered_until AS answer_until, p.reasons,
       array(SELECT x.name FROM person x WHERE x.id = ANY(p.persons) ORDER BY x.name) AS persons,
       coalesce((SELECT json_agg(json_build_array(h.budget, h.amount_cents) ORDER BY h.reservation)
                 FROM budget_hold h WHERE h.purpose = p.booking), '[]') AS payment
FROM proposal p JOIN wish w ON w.id = p.wish LEFT JOIN booking b ON b.id = p.booking
WHERE (w.family = $1 OR w.family IS NULL AND w.stated_by = $1) AND p.state <> 'proposed'
"""


async def proposals_of(seeker: UUID) -> list[ProposalView]:
    """The published proposals of a family or professional; open offers first."""
    rows = await fetch_all(_PROPOSAL + " ORDER BY (p.state = 'offered') DESC, b.offered_until, p.id", seeker)
    return [_proposal(row) for row in rows]


async def proposal(proposal_id: UUID, seeker: UUID) -> ProposalView | None:
    """One proposal of this seeker; None when it is another's, unknown or not published."""
    row = await fetch_one(_PROPOSAL + " AND p.id = $2", seeker, proposal_id)
    return None if row is None else _proposal(row)


def _proposal(row: Any) -> ProposalView:
    values = dict(row)
    values["persons"] = tuple(values["persons"])
    values["reasons"] = msgspec.json.decode(values["reasons"], type=tuple[Reason, ...])
    values["payment"] = msgspec.json.decode(values["payment"], type=tuple[tuple[UUID, int], ...])
    return ProposalView(**values)


@dataclass(frozen=True, slots=True)
class Visitors:
    """E-mail addresses of people who have something to do or to see; None when there is nobody like that."""

    parent: str | None
    trainer: str | None
    professional: str | None
    organisation: str | None


async def visitors() -> Visitors:
    """Whom to be for a look around: a parent with an open proposal, a trainer with participants, a professional with a seat, the largest funder."""
    row = await fetch_one(_VISITORS)
    return Visitors(**dict(row or {}))


_VISITORS = """
SELECT
  (SELECT p.email FROM proposal o JOIN wish w ON w.id = o.wish JOIN person p ON p.id = w.stated_by
   JOIN booking b ON b.id = o.booking
   WHERE o.state = 'offered' AND w.family IS NOT NULL
   ORDER BY (SELECT count(*) FROM booking x WHERE x.family = w.family AND x.state = 'attended') DESC,
            b.price_cents DESC, p.email LIMIT 1) AS parent,
  (SELECT p.email FROM course_session s JOIN trainer t ON t.id = s.trainer JOIN person p ON p.id = t.person
   WHERE s.state IN ('confirmed', 'running') GROUP BY p.email
   ORDER BY sum(s.seats_taken) DESC, p.email LIMIT 1) AS trainer,
  (SELECT p.email FROM booking b JOIN booking_person bp ON bp.booking = b.id AND bp.live
   JOIN person p ON p.id = bp.person JOIN login l ON l.person = p.id JOIN course_session s ON s.id = b.session
   WHERE b.family IS NULL AND b.state IN ('offered', 'confirmed')
   ORDER BY (b.state = 'offered') DESC, s.starts_at DESC, p.email LIMIT 1) AS professional,
  (SELECT o.email FROM organisation o JOIN budget b ON b.organisation = o.id
   GROUP BY o.id, o.email ORDER BY count(*) DESC, o.email LIMIT 1) AS organisation
"""


async def non_placements_of(seeker: UUID) -> list[NonPlacementView]:
    """The reasons why wishes that are still open got no place in their latest published round."""
    rows = await fetch_all(
        "SELECT DISTINCT ON (n.wish) n.wish, w.theme, r.name AS round_name, n.reasons, n.would_have_helped"
        " FROM non_placement n JOIN wish w ON w.id = n.wish JOIN matching_round r ON r.id = n.round"
        " WHERE (w.family = $1 OR w.family IS NULL AND w.stated_by = $1) AND w.state = 'open'"
        " AND r.state IN ('published', 'answered')"
        " ORDER BY n.wish, r.published_at DESC",
        seeker,
    )
    return [
        NonPlacementView(
            row["wish"],
            row["theme"],
            row["round_name"],
            msgspec.json.decode(row["reasons"], type=tuple[Reason, ...]),
            msgspec.json.decode(row["would_have_helped"], type=tuple[WouldHaveHelped, ...]),
        )
        for row in rows
    ]
