"""An organisation allocates: grants above its limit, on which a colleague decides. Never wishes, courses or learners."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.budgets import approvals, requests
from leerbudget.budgets.errors import (
    GrantKnown,
    GrantRequestEnded,
    HolderUnknown,
    PotTooSmall,
    SecondApproverNeeded,
)
from leerbudget.budgets.requests import GrantRequestView
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.earmarks import for_what
from leerbudget.entrypoints.web.organisations import own_organisation
from leerbudget.entrypoints.web.pages import View, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form, euros
from leerbudget.foundation import clock
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.identity.permissions import may
from leerbudget.identity.queries import logins


class AllocationPages(Controller):
    """For an organisation's finance officers, two of them."""

    include_in_schema = False

    @get("/organisatie/aanvragen/{request_id:uuid}")
    async def one_request(self, request: HouseRequest, request_id: FromPath[UUID]) -> Response[str]:
        """What is asked, and by whom."""
        return await _request_page(request, own_organisation(request, "decide_grant"), request_id)

    @post("/organisatie/aanvragen/{request_id:uuid}/goedkeuren")
    async def approve(self, request: HouseRequest, request_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Grant what a colleague asked for."""
        organisation = own_organisation(request, "decide_grant")
        try:
            await approvals.approve(request_id, organisation, actor=request.actor.login)
        except PotTooSmall as refusal:
            told = f"{refusal} Er staat {euros(refusal.data['free_cents'])} in de pot."
            return await _request_page(request, organisation, request_id, Form(errors={"approve": told}), 409)
        except (SecondApproverNeeded, GrantRequestEnded, GrantKnown, HolderUnknown) as refusal:
            wrong = Form(errors={"approve": str(refusal)})
            return await _request_page(request, organisation, request_id, wrong, refusal.status)
        return moved("/organisatie", "toegekend")

    @post("/organisatie/aanvragen/{request_id:uuid}/afwijzen")
    async def refuse(self, request: HouseRequest, request_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Say no, and why."""
        organisation = own_organisation(request, "decide_grant")
        form = await filled_in(request)
        reason = " ".join(form.value("reason").split())
        try:
            await approvals.refuse_request(request_id, organisation, actor=request.actor.login, reason=reason)
        except InvalidInput as refusal:
            wrong = with_errors(form, {"reason": str(refusal.data["errors"][0]["message"])})
            return await _request_page(request, organisation, request_id, wrong, refusal.status)
        except (SecondApproverNeeded, GrantRequestEnded) as refusal:
            wrong = with_errors(form, {"reason": str(refusal)})
            return await _request_page(request, organisation, request_id, wrong, refusal.status)
        return moved(f"/organisatie/aanvragen/{request_id}", "toekenning-afgewezen")


async def _request_page(
    request: HouseRequest, organisation: UUID, request_id: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = next(iter(await requests.requests_of(organisation, request_id)), None)
    if found is None:
        raise NotFound
    who = {login.id: login.email for login in await logins(ids=[found.asked_by, found.decided_by or found.asked_by])}
    own = found.asked_by == request.actor.login
    view = View(
        id=found.id,
        state=found.state,
        total_cents=found.total_cents,
        families=found.families,
        each=_each(found),
        for_what=for_what(found, most=len(found.municipalities)),
        starts_on=found.starts_on,
        expires_on=found.expires_on,
        asked_by=who.get(found.asked_by),
        decided_by=who.get(found.decided_by) if found.decided_by else None,
        asked_on=found.asked_at.astimezone(clock.AMSTERDAM).date(),
        decided_on=found.decided_at.astimezone(clock.AMSTERDAM).date() if found.decided_at else None,
        reason=found.reason,
        limit_cents=await requests.limit_of(organisation),
        may_decide=may(request.user, "decide_grant", organisation=organisation) and not own,
        own=own,
    )
    return await page(request, "aanvraag.html", view, form=form, status=status)


def _each(found: GrantRequestView) -> str:
    if found.least_cents == found.most_cents:
        return f"{euros(found.most_cents)} per gezin"
    return f"van {euros(found.least_cents)} tot {euros(found.most_cents)} per gezin"
