"""An organisation's policies: what it gives every family of a cohort, and how the cohorts compare (R02)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.bookings.queries import made_by_policy
from leerbudget.budgets import cohorts, policies
from leerbudget.budgets.rules import PolicyOrder
from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, CourseIds, Day, Municipalities, PositiveCents
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.matcher.vocabulary import LearningForm, Theme

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=CLEAN_LINE)]
Percent = Annotated[int, Meta(ge=1, le=100)]


class PolicyOrderBody(Body, frozen=True, kw_only=True):
    """A policy. `id` is made by the caller: the same order again has no effect. Null earmarks allow all.

    `municipalities`: only in a venue in one of them, and so nothing online. Of what is left at the end at most the smaller of both carry-over bounds goes on to the policy that follows;
    nothing when both are null.
    """

    id: UUID
    name: Name
    amount_cents: PositiveCents
    per: Literal["family", "adult"]
    starts_on: Day
    ends_on: Day
    themes: Annotated[list[Theme], Meta(min_length=1, max_length=17)] | None = None
    forms: Annotated[list[LearningForm], Meta(min_length=1, max_length=11)] | None = None
    municipalities: Municipalities | None = None
    courses: CourseIds | None = None
    carry_cents_max: PositiveCents | None = None
    carry_percent_max: Percent | None = None
    follows: UUID | None = None


class Policy(Answer, frozen=True, kw_only=True):
    """A policy and how its cohort fares. Figures of fewer than five families, or bookings, are null.

    `using_percent`: families that held or spent anything, of those with a budget. `own_choice_percent`: bookings
    that nobody else made or approved.
    """

    id: UUID
    name: str
    amount_cents: int
    per: str
    starts_on: date
    ends_on: date
    themes: list[str] | None
    forms: list[str] | None
    municipalities: list[str] | None
    courses: list[UUID] | None
    carry_cents_max: int | None
    carry_percent_max: int | None
    follows: UUID | None
    families: int | None
    granted_cents: int | None
    held_cents: int | None
    spent_cents: int | None
    using_percent: int | None
    own_choice_percent: int | None


class Policies(Answer, frozen=True, kw_only=True):
    """The organisation's policies, the latest period first."""

    items: list[Policy]


class PolicyAdded(Answer, frozen=True, kw_only=True):
    """A policy that stands."""

    id: UUID


class CohortOrder(Body, frozen=True, kw_only=True):
    """Families that join a cohort, all or none."""

    families: Annotated[list[UUID], Meta(min_length=1, max_length=5000)]


class CohortTold(Answer, frozen=True, kw_only=True):
    """How many families a cohort counts now."""

    policy: UUID
    families: int


class PolicyGrantOrder(Body, frozen=True, kw_only=True):
    """`id` is made by the caller, and becomes the request's when a colleague must decide."""

    id: UUID


class PolicyGranted(Answer, frozen=True, kw_only=True):
    """How many families of the cohort have their budget now; or the request that waits, or was refused."""

    families_granted: int
    request: UUID | None
    state: Literal["granted", "asked", "refused"]


class PolicyController(Controller):
    """Policies are data: cohorts may differ, and nobody moves between them within a period."""

    path = "/organisations/{organisation_id:uuid}/policies"
    tags = ("organisation",)

    @get(
        guards=[requires("see_organisation", organisation="organisation_id")],
        summary="The organisation's policies, and how their cohorts compare",
        operation_id="listPolicies",
    )
    async def listed(self, organisation_id: FromPath[UUID]) -> Policies:
        """Amounts and shares by cohort; small cells are left out, also where they would follow by subtraction."""
        found = await cohorts.cohorts_of(organisation_id)
        figures = cohorts.figures(found, await made_by_policy([each.policy for each in found]))
        return Policies(items=[_policy(each, figures[each.policy]) for each in found])

    @post(
        guards=[requires("grant", organisation="organisation_id")],
        summary="Add a policy",
        operation_id="addPolicy",
    )
    async def add(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[PolicyOrderBody]
    ) -> PolicyAdded:
        """It is never changed afterwards: a cohort must be able to rely on it."""
        order = PolicyOrder(
            id=data.id,
            organisation=organisation_id,
            name=data.name,
            amount_cents=data.amount_cents,
            per=data.per,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            themes=None if data.themes is None else tuple(theme.value for theme in data.themes),
            forms=None if data.forms is None else tuple(form.value for form in data.forms),
            municipalities=None if data.municipalities is None else tuple(data.municipalities),
            courses=None if data.courses is None else tuple(data.courses),
            carry_cents_max=data.carry_cents_max,
            carry_percent_max=data.carry_percent_max,
            follows=data.follows,
        )
        await again(lambda: policies.add_policy(order, actor=request.actor.login))
        return PolicyAdded(id=data.id)

    @post(
        "/{policy_id:uuid}/families",
        guards=[requires("grant", organisation="organisation_id")],
        summary="Put families in the cohort of a policy",
        operation_id="joinCohort",
    )
    async def join(
        self,
        request: HouseRequest,
        organisation_id: FromPath[UUID],
        policy_id: FromPath[UUID],
        data: JSONBody[CohortOrder],
    ) -> CohortTold:
        """For the whole period: nobody is in two cohorts of the organisation at a time, or leaves one."""
        login = request.actor.login
        await again(lambda: policies.join_cohort(policy_id, organisation_id, data.families, actor=login))
        return CohortTold(policy=policy_id, families=(await _cohort(organisation_id, policy_id)).families)

    @post(
        "/{policy_id:uuid}/grants",
        guards=[requires("grant", organisation="organisation_id")],
        summary="Grant every family of the cohort its budget",
        operation_id="grantByPolicy",
    )
    async def grant(
        self,
        request: HouseRequest,
        organisation_id: FromPath[UUID],
        policy_id: FromPath[UUID],
        data: JSONBody[PolicyGrantOrder],
    ) -> PolicyGranted:
        """All or none; who has it already is left alone. Above the organisation's limit a colleague decides."""
        login = request.actor.login
        answer = await again(lambda: policies.grant_by_policy(data.id, policy_id, organisation_id, actor=login))
        granted = (await _cohort(organisation_id, policy_id)).families_granted
        return PolicyGranted(families_granted=granted, request=answer.request, state=answer.state)


async def _cohort(organisation: UUID, policy: UUID) -> cohorts.CohortView:
    return next(each for each in await cohorts.cohorts_of(organisation) if each.policy == policy)


def _policy(each: cohorts.CohortView, told: cohorts.CohortFigures) -> Policy:
    return Policy(
        id=each.policy,
        name=each.name,
        amount_cents=each.amount_cents,
        per=each.per,
        starts_on=each.starts_on,
        ends_on=each.ends_on,
        themes=None if each.themes is None else list(each.themes),
        forms=None if each.forms is None else list(each.forms),
        municipalities=None if each.municipalities is None else list(each.municipalities),
        courses=None if each.courses is None else list(each.courses),
        carry_cents_max=each.carry_cents_max,
        carry_percent_max=each.carry_percent_max,
        follows=each.follows,
        families=told.families,
        granted_cents=told.granted_cents,
        held_cents=told.held_cents,
        spent_cents=told.spent_cents,
        using_percent=told.using_percent,
        own_choice_percent=told.own_choice_percent,
    )
