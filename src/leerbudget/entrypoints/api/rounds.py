"""Matching rounds for the coordinator: pseudonymous, with numbers, reasons and fairness."""

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Day, Instant, Moment, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import Conflict, IdempotencyMismatch, NotFound
from leerbudget.identity.actions import record_audit
from leerbudget.rounds import actions
from leerbudget.rounds import queries as rounds
from leerbudget.rounds.queries import RoundView

RoundName = Annotated[str, Meta(min_length=1, max_length=120, pattern=CLEAN_LINE)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Published with the outcome: the same seed, the same draw.")]
FILE = {200: ResponseSpec(dict[str, Any], generate_examples=False, description="The file, as JSON.")}


class RoundOrder(Body, frozen=True, kw_only=True):
    """A round for the course sessions whose first meeting is in the period. `id` is made by the caller."""

    id: UUID
    name: RoundName
    starts_on: Day
    ends_on: Day
    seed: Seed


class Round(Answer, frozen=True, kw_only=True):
    """A round. `bound` is a proven upper bound of `score`; `gap` their distance as a share of the score."""

    id: UUID
    name: str
    state: str
    seed: int
    starts_on: date
    ends_on: date
    answer_until: Instant | None
    score: int | None
    bound: int | None
    gap: float | None
    solving: bool
    opened_at: Instant
    published_at: Instant | None


class Rounds(Answer, frozen=True, kw_only=True):
    """Every round, the latest first."""

    items: list[Round]


class RoundTotals(Answer, frozen=True, kw_only=True):
    """Numbers of a round. `by_state`: {proposal state: number}; `refusals`: {code: proposals refused at publication}."""

    families: int
    families_placed: int
    share_placed: float
    wishes: int
    placed: int
    unplaced: int
    by_state: Mapping[str, int]
    refusals: Mapping[str, int]


class ReasonCount(Answer, frozen=True, kw_only=True):
    """How many wishes were not placed for this first reason."""

    code: str
    wishes: int


class FairnessRow(Answer, frozen=True, kw_only=True):
    """One group of at least five families: how many wished, how many got a proposal."""

    group: str
    families: int
    placed: int
    share: float


class RoundWhole(Answer, frozen=True, kw_only=True):
    """A round with its numbers. `seconds`: {phase: seconds}; `violations`: what the independent audit found."""

    round: Round
    totals: RoundTotals
    unplaced_reasons: list[ReasonCount]
    fairness: Mapping[str, list[FairnessRow]]
    seconds: Mapping[str, float]
    violations: list[str]


class PublicationOrder(Body, frozen=True, kw_only=True):
    """Until when families may answer; at least a day."""

    answer_until: Moment


class PublicationTold(Answer, frozen=True, kw_only=True):
    """How many proposals became offers, how many the booking checks refused, and how many still wait for the worker."""

    offered: int
    refused: int
    waiting: int


class RoundController(Controller):
    """Matching rounds, for the coordinator."""

    path = "/matching-rounds"
    tags = ("rounds",)

    @get(guards=[requires("see_rounds")], summary="Every matching round", operation_id="listRounds")
    async def rounds(self) -> Rounds:
        """The latest first."""
        return Rounds(items=[_round(view) for view in await rounds.rounds()])

    @post(guards=[requires("run_rounds")], summary="Open a matching round", operation_id="openRound")
    async def open(self, request: HouseRequest, data: JSONBody[RoundOrder]) -> Round:
        """Open a round; the same order again has no effect."""
        with suppress(Conflict):  # the id is there already: below it is seen whether for the same round
            await again(
                lambda: actions.open_round(
                    data.id,
                    name=data.name,
                    starts_on=data.starts_on,
                    ends_on=data.ends_on,
                    seed=data.seed,
                    actor=request.actor.login,
                )
            )
        view = await _found(data.id)
        if (view.name, view.starts_on, view.ends_on, view.seed) != (
            data.name,
            data.starts_on,
            data.ends_on,
            data.seed,
        ):
            raise IdempotencyMismatch
        return _round(view)

    @get(
        "/{round_id:uuid}",
        guards=[requires("see_rounds")],
        summary="One matching round with its numbers",
        operation_id="getRound",
    )
    async def round(self, round_id: FromPath[UUID]) -> RoundWhole:
        """Totals, the reasons for not placing, fairness by group, the bound, and what the audit found."""
        view = await _found(round_id)
        groups = await rounds.fairness(round_id)
        return RoundWhole(
            round=_round(view),
            totals=told(RoundTotals, await rounds.totals(round_id)),
            unplaced_reasons=[told(ReasonCount, each) for each in await rounds.unplaced_reasons(round_id)],
            fairness={name: [told(FairnessRow, row) for row in rows] for name, rows in groups.items()},
            seconds=view.seconds,
            violations=list(view.violations),
        )

    @put(
        "/{round_id:uuid}/solution",
        guards=[requires("run_rounds")],
        status_code=202,
        summary="Ask for a round to be solved",
        operation_id="solveRound",
    )
    async def solve(self, request: HouseRequest, round_id: FromPath[UUID]) -> Round:
        """A worker freezes, solves and audits it; `solving` is true until then. Until publication it may be redone."""
        await _found(round_id)
        await again(lambda: actions.request_solve(round_id, actor=request.actor.login))
        return _round(await _found(round_id))

    @put(
        "/{round_id:uuid}/publication",
        guards=[requires("publish_round")],
        summary="Publish a round",
        operation_id="publishRound",
    )
    async def publish(
        self, request: HouseRequest, round_id: FromPath[UUID], data: JSONBody[PublicationOrder]
    ) -> PublicationTold:
        """Publish the round. The worker then makes the offers; asking again tells how far it is."""
        await _found(round_id)
        login = request.actor.login
        await again(lambda: actions.announce(round_id, answer_until=data.answer_until, actor=login))
        states = (await rounds.totals(round_id)).by_state
        refused, waiting = states.get("refused", 0), states.get("proposed", 0)
        return PublicationTold(offered=sum(states.values()) - refused - waiting, refused=refused, waiting=waiting)

    @get(
        "/{round_id:uuid}/instance",
        guards=[requires("see_rounds")],
        summary="The frozen question of a round",
        operation_id="getRoundInstance",
        responses=FILE,
    )
    async def instance(self, request: HouseRequest, round_id: FromPath[UUID]) -> Response[bytes]:
        """`leerbudget-instance/1` without names, avoid lists and own professionals (R65, R66). 404 until it was frozen."""
        return await _file(request, round_id, await rounds.instance_for_coordinator(round_id), "instance")

    @get(
        "/{round_id:uuid}/outcome",
        guards=[requires("see_rounds")],
        summary="The outcome of a round",
        operation_id="getRoundOutcome",
        responses=FILE,
    )
    async def outcome(self, request: HouseRequest, round_id: FromPath[UUID]) -> Response[bytes]:
        """`leerbudget-outcome/1`: placements, non-placements, score and bound. 404 until it was solved.

        Its fingerprint is of the whole instance, so an audit against the file above says `other_instance`.
        """
        return await _file(request, round_id, (await rounds.files(round_id))[1], "outcome")


async def _found(round_id: UUID) -> RoundView:
    view = await rounds.round_view(round_id)
    if view is None:
        raise NotFound
    return view


async def _file(request: HouseRequest, round_id: UUID, packed: bytes | None, name: str) -> Response[bytes]:
    """The file as it is stored when the client takes gzip, unpacked otherwise. Who took it is written down."""
    if packed is None:
        raise NotFound
    await record_audit(request.actor.login, f"read_round_{name}", "matching_round", round_id)
    headers = {
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{name}-{round_id}.json"',
    }
    accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").lower().split(",")}
    if "gzip" in accepted:
        return Response(packed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    return Response(await asyncio.to_thread(gzip.decompress, packed), media_type="application/json", headers=headers)


def _round(view: RoundView) -> Round:
    return Round(
        id=view.round,
        name=view.name,
        state=view.state,
        seed=view.seed,
        starts_on=view.starts_on,
        ends_on=view.ends_on,
        answer_until=view.answer_until,
        score=view.score,
        bound=view.bound,
        gap=view.gap,
        solving=view.solving,
        opened_at=view.opened_at,
        published_at=view.published_at,
    )
