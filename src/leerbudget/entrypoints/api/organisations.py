"""What organisations do: see their pot and what became of it, top it up, grant learning budgets."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.budgets import approvals
from leerbudget.budgets import queries as budget_queries
from leerbudget.budgets.queries import RegionTotals
from leerbudget.budgets.rules import GrantOrder
from leerbudget.entrypoints.api.types import (
    CLEAN_LINE,
    Answer,
    Body,
    CourseIds,
    Day,
    Instant,
    Municipalities,
    PositiveCents,
    Reference,
    told,
)
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.matcher.vocabulary import LearningForm, Theme
from leerbudget.payments import actions as payments
from leerbudget.payments import asking
from leerbudget.payments import queries as top_ups
from leerbudget.payments.queries import TopUpView
from leerbudget.people.rules import SMALLEST_GROUP

PurchaseOrder = Annotated[str, Meta(min_length=1, max_length=60, pattern=CLEAN_LINE)]


class Pot(Answer, frozen=True, kw_only=True):
    """An organisation's pot: free = topped up + settled + returned + corrected - granted - taken back.

    `settled_cents`: what trainers who work for it earned, in the months that were settled. `taken_back_cents`: what
    went back to the payer, or was called back by its bank.
    """

    organisation: UUID
    topped_up_cents: int
    settled_cents: int
    granted_cents: int
    returned_cents: int
    taken_back_cents: int
    corrected_cents: int
    free_cents: int


class Region(Answer, frozen=True, kw_only=True):
    """What was granted to families guided from one region: granted = free + held + spent + returned."""

    region: str
    budgets: int
    families: int
    granted_cents: int
    free_cents: int
    held_cents: int
    spent_cents: int
    returned_cents: int


class OrganisationOverview(Answer, frozen=True, kw_only=True):
    """What became of an organisation's grants. Never what anything was spent on.

    Regions with fewer than five families are left out, and enough others that nothing can be worked out by
    subtraction; `regions_left_out` says how many. `total` is null below five families.
    """

    pot: Pot
    total: Region | None
    regions: list[Region]
    regions_left_out: int


class TopUpOrder(Body, frozen=True, kw_only=True):
    """Money to pay in. `id` is made by the caller: again gives the same reference and page.

    `online`: on the page of a payment service (`pay_url`), instead of by bank transfer.
    """

    id: UUID
    amount_cents: PositiveCents
    purchase_order: PurchaseOrder | None = None
    online: bool = False


class TopUp(Answer, frozen=True, kw_only=True):
    """A top-up; `reference` (ISO 11649) must be on the bank transfer."""

    id: UUID
    organisation: UUID
    organisation_name: str
    amount_cents: int
    reference: str
    purchase_order: str | None
    state: str
    gateway: str
    methods: list[str]
    received_cents: int
    refunded_cents: int
    requested_at: Instant
    received_on: date | None
    held_until: Instant | None
    pay_url: str | None
    lapses_at: Instant | None


class TopUps(Answer, frozen=True, kw_only=True):
    """A list of top-ups."""

    items: list[TopUp]


class ConfirmationOrder(Body, frozen=True, kw_only=True):
    """The day on which the money came in."""

    received_on: Day


class ConfirmationTold(Answer, frozen=True, kw_only=True):
    """A top-up whose money is in the pot."""

    id: UUID
    state: str
    received_on: date


class GrantOrderBody(Body, frozen=True, kw_only=True):
    """A learning budget for a family. `external_ref` is the organisation's own number for it.

    `id` is made by the caller: the same order again has no effect. Null earmarks allow all.
    `municipalities`: only in a venue in one of them, and so nothing online.
    """

    id: UUID
    external_ref: Reference
    family: UUID
    amount_cents: PositiveCents
    starts_on: Day
    expires_on: Day
    themes: Annotated[list[Theme], Meta(min_length=1, max_length=17)] | None = None
    forms: Annotated[list[LearningForm], Meta(min_length=1, max_length=11)] | None = None
    municipalities: Municipalities | None = None
    courses: CourseIds | None = None
    carry_over: bool = False


class Granted(Answer, frozen=True, kw_only=True):
    """The budget that a grant made, or had made before. Null when it is above the organisation's limit.

    Then `request` waits for a colleague (`state` is asked), or was refused. Ask again to hear what became of it.
    """

    budget: UUID | None
    request: UUID | None
    state: Literal["granted", "asked", "refused"]


class OrganisationController(Controller):
    """An organisation's own."""

    path = "/organisations/{organisation_id:uuid}"
    tags = ("organisation",)

    @get(
        "/pot",
        guards=[requires("see_pot", organisation="organisation_id")],
        summary="The organisation's pot",
        operation_id="getPot",
    )
    async def pot(self, organisation_id: FromPath[UUID]) -> Pot:
        """What came in, what was granted, what is free."""
        return told(Pot, await budget_queries.pot(organisation_id))

    @get(
        "/overview",
        guards=[requires("see_organisation", organisation="organisation_id")],
        summary="What became of the organisation's grants",
        operation_id="getOrganisationOverview",
    )
    async def overview(self, organisation_id: FromPath[UUID]) -> OrganisationOverview:
        """Amounts and counts by region; small groups are left out."""
        found = await budget_queries.organisation_overview(organisation_id)
        shown = showable(found.regions)
        return OrganisationOverview(
            pot=told(Pot, found.pot),
            total=told(Region, found.total) if found.total.families >= SMALLEST_GROUP else None,
            regions=[told(Region, region) for region in shown],
            regions_left_out=len(found.regions) - len(shown),
        )

    @get(
        "/top-ups",
        guards=[requires("see_pot", organisation="organisation_id")],
        summary="The organisation's top-ups",
        operation_id="listTopUps",
    )
    async def top_ups(self, organisation_id: FromPath[UUID]) -> TopUps:
        """Announced, confirmed and cancelled, the latest first."""
        return TopUps(items=[told(TopUp, each) for each in await top_ups.top_ups_of(organisation_id)])

    @post(
        "/top-ups",
        guards=[requires("request_top_up", organisation="organisation_id")],
        summary="Pay in by bank transfer or online",
        operation_id="requestTopUp",
    )
    async def request_top_up(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[TopUpOrder]
    ) -> TopUp:
        """Ask for a payment reference or a page to pay on. The money counts once it came in and that is certain."""
        login = request.actor.login
        asked = (data.id, organisation_id, data.amount_cents, data.purchase_order)
        if data.online:
            back = f"{request.app.state.settings.base_url}/organisatie/stortingen/{data.id}?betaald=ja"
            gateway = asking.online(request.app.state.gateways)
            await asking.start_top_up(*asked, gateway=gateway, return_url=back, actor=login)
        else:
            await again(lambda: payments.request_top_up(*asked, actor=login))
        return told(TopUp, await _own(organisation_id, data.id))

    @put(
        "/top-ups/{top_up_id:uuid}/cancellation",
        guards=[requires("cancel_top_up", organisation="organisation_id")],
        summary="Withdraw an announced bank transfer",
        operation_id="cancelTopUp",
    )
    async def cancel_top_up(
        self, request: HouseRequest, organisation_id: FromPath[UUID], top_up_id: FromPath[UUID]
    ) -> TopUp:
        """As long as the money was not confirmed. Again has no effect."""
        await _own(organisation_id, top_up_id)
        await again(lambda: payments.cancel_top_up(top_up_id, actor=request.actor.login))
        return told(TopUp, await _own(organisation_id, top_up_id))

    @post(
        "/grants",
        guards=[requires("grant", organisation="organisation_id")],
        summary="Grant a learning budget",
        operation_id="grantBudget",
    )
    async def grant(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[GrantOrderBody]
    ) -> Granted:
        """From the organisation's pot to a family, for one period, perhaps earmarked.

        Above the organisation's limit, counted over the login's whole day, no money moves: a colleague decides.
        """
        order = GrantOrder(
            id=data.id,
            external_ref=data.external_ref,
            family=data.family,
            organisation=organisation_id,
            amount_cents=data.amount_cents,
            starts_on=data.starts_on,
            expires_on=data.expires_on,
            themes=None if data.themes is None else tuple(theme.value for theme in data.themes),
            forms=None if data.forms is None else tuple(form.value for form in data.forms),
            municipalities=None if data.municipalities is None else tuple(data.municipalities),
            courses=None if data.courses is None else tuple(data.courses),
            carry_over=data.carry_over,
        )
        try:
            answer = await again(lambda: approvals.grant_or_ask(data.id, [order], actor=request.actor.login))
        except InvalidInput as refusal:  # the one order of this body is no list
            for place in refusal.data.get("errors", ()):
                place["path"] = place["path"].removeprefix("0.")
            raise
        return Granted(budget=next(iter(answer.budgets), None), request=answer.request, state=answer.state)


class TopUpController(Controller):
    """The second pair of eyes on top-ups."""

    path = "/top-ups"
    tags = ("organisation",)
    guards = (requires("confirm_top_up"),)

    @get(summary="Top-ups that wait for their money", operation_id="listOpenTopUps")
    async def waiting(self) -> TopUps:
        """Announced and neither confirmed nor cancelled, the oldest first."""
        return TopUps(items=[told(TopUp, each) for each in await top_ups.open_top_ups()])

    @put(
        "/{top_up_id:uuid}/confirmation",
        summary="Confirm that the money of a top-up came in",
        operation_id="confirmTopUp",
    )
    async def confirm(
        self, request: HouseRequest, top_up_id: FromPath[UUID], data: JSONBody[ConfirmationOrder]
    ) -> ConfirmationTold:
        """By somebody else than who announced it. Again, with the same day, has no effect."""
        login = request.actor.login
        await again(lambda: payments.confirm_top_up(top_up_id, data.received_on, actor=login))
        return ConfirmationTold(id=top_up_id, state="confirmed", received_on=data.received_on)


async def _own(organisation: UUID, top_up: UUID) -> TopUpView:
    for each in await top_ups.top_ups_of(organisation):
        if each.id == top_up:
            return each
    raise NotFound


def showable(regions: Sequence[RegionTotals]) -> list[RegionTotals]:
    """The regions that may be shown: none under `SMALLEST_GROUP` families, nor all others left out together.

    When what is left out counts fewer families than that, the smallest region left is left out too, so that
    the total minus what is shown tells nothing about a few families.
    """
    shown = sorted((r for r in regions if r.families >= SMALLEST_GROUP), key=lambda r: (r.families, r.region))
    hidden = sum(r.families for r in regions if r.families < SMALLEST_GROUP)
    while shown and 0 < hidden < SMALLEST_GROUP:
        hidden += shown.pop(0).families
    return sorted(shown, key=lambda r: r.region)
