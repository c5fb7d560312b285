"""An organisation allocates with four eyes: grants above its limit, on which a colleague decides."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.budgets import approvals, requests
from leerbudget.budgets.requests import GrantRequestView
from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Instant, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import NotFound

Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=CLEAN_LINE, description="One line that the asker reads.")
]


class GrantRequest(Answer, frozen=True, kw_only=True):
    """Grants above the organisation's limit. `least_cents` and `most_cents`: the smallest and largest of them."""

    id: UUID
    state: str
    families: int
    total_cents: int
    least_cents: int
    most_cents: int
    starts_on: date
    expires_on: date
    themes: list[str]
    forms: list[str]
    municipalities: list[str]
    courses: list[UUID]
    asked_by: UUID
    asked_at: Instant
    decided_by: UUID | None
    decided_at: Instant | None
    reason: str | None


class GrantRequests(Answer, frozen=True, kw_only=True):
    """At most a hundred requests, what waits first. Null `limit_cents`: grants never need a colleague."""

    limit_cents: int | None
    items: list[GrantRequest]


class GrantRefusalOrder(Body, frozen=True, kw_only=True):
    """Why a request is refused."""

    reason: Reason


class AllocationController(Controller):
    """The second pair of eyes on grants."""

    path = "/organisations/{organisation_id:uuid}/grant-requests"
    tags = ("organisation",)

    @get(
        guards=[requires("decide_grant", organisation="organisation_id")],
        summary="Grants above the organisation's limit",
        operation_id="listGrantRequests",
    )
    async def asked(self, organisation_id: FromPath[UUID]) -> GrantRequests:
        """What waits for a colleague, and what was decided."""
        return GrantRequests(
            limit_cents=await requests.limit_of(organisation_id),
            items=[told(GrantRequest, each) for each in await requests.requests_of(organisation_id)],
        )

    @put(
        "/{request_id:uuid}/approval",
        guards=[requires("decide_grant", organisation="organisation_id")],
        summary="Approve grants that a colleague asked for",
        operation_id="approveGrantRequest",
    )
    async def approve(
        self, request: HouseRequest, organisation_id: FromPath[UUID], request_id: FromPath[UUID]
    ) -> GrantRequest:
        """By somebody else than who asked; every check is made again. Again has no effect."""
        await again(lambda: approvals.approve(request_id, organisation_id, actor=request.actor.login))
        return told(GrantRequest, await _own(organisation_id, request_id))

    @put(
        "/{request_id:uuid}/refusal",
        guards=[requires("decide_grant", organisation="organisation_id")],
        summary="Refuse grants that a colleague asked for",
        operation_id="refuseGrantRequest",
    )
    async def refuse(
        self,
        request: HouseRequest,
        organisation_id: FromPath[UUID],
        request_id: FromPath[UUID],
        data: JSONBody[GrantRefusalOrder],
    ) -> GrantRequest:
        """By somebody else than who asked, with a reason. Nothing moves. Again has no effect."""
        login = request.actor.login
        await again(lambda: approvals.refuse_request(request_id, organisation_id, actor=login, reason=data.reason))
        return told(GrantRequest, await _own(organisation_id, request_id))


async def _own(organisation: UUID, request: UUID) -> GrantRequestView:
    for each in await requests.requests_of(organisation, request):
        return each
    raise NotFound
