"""An organisation's money: pot, regions, top-ups with four eyes, grants. Never wishes, courses or learners."""

import re
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid5

from litestar import Controller, Response, get, post

from leerbudget.budgets import approvals
from leerbudget.budgets import queries as budget_queries
from leerbudget.budgets import requests as grant_requests
from leerbudget.budgets.errors import GrantKnown, GrantRequestKnown, PotTooSmall
from leerbudget.budgets.rules import EARMARKS, GrantOrder
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.earmarks import choices, earmarks_in, for_what
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form, euros
from leerbudget.foundation import clock
from leerbudget.foundation.errors import InvalidInput, LeerbudgetError, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import may
from leerbudget.payments import queries as payment_queries
from leerbudget.payments.queries import TopUpView
from leerbudget.people import queries as people
from leerbudget.people.rules import SMALLEST_GROUP

LAST_MONTH_FOR_THIS_YEAR = 8
"""Later in the year the form suggests the end of the next year."""

_AMOUNT = re.compile(r"(?:€\s*)?(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:,(\d{2}|-))?", re.ASCII)


class OrganisationPages(Controller):
    """For an organisation's finance officers, and for who confirms what came in at the bank."""

    include_in_schema = False

    @get("/organisatie")
    async def start(self, request: HouseRequest) -> Response[str]:
        """The pot and what became of the grants."""
        return await overview(request, own_organisation(request, "see_pot"))

    @post("/organisatie/toekenningen")
    async def grant(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Grant a budget to every family that the organisation guides, or to those without one; perhaps ask first."""
        organisation = own_organisation(request, "grant")
        form = await filled_in(request)
        orders, errors = await _grants(form, organisation)
        if not errors:
            try:
                grant_id = UUID(form.value("grant_id"))
                answer = await approvals.grant_or_ask(grant_id, orders, actor=request.actor.login)
                return granted_or_asked(answer, "/organisatie")
            except PotTooSmall as refusal:
                errors = {"each": f"{refusal} Er staat {euros(refusal.data['free_cents'])} in de pot."}
            except InvalidInput as refusal:
                errors = {_field(refusal): first(refusal)}
            except (GrantKnown, GrantRequestKnown) as refusal:
                errors = {"each": first(refusal)}
        wrong = with_errors(fresh(form, "grant_id"), errors)
        return await overview(request, organisation, grant_form=wrong, status=422)


def cents_of(text: str) -> int | None:
    """A Dutch amount in euros as cents: `25.000`, `25.000,00`, `1250,5` is none."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    whole, part = found[1].replace(".", ""), found[2]
    return int(whole) * 100 + (int(part) if part and part != "-" else 0)


def own_organisation(request: HouseRequest, verb: str) -> UUID:
    """The organisation of who asks, for this verb.

    Raises:
        NotFound: the verb is not theirs.
    """
    roles = ("organisation_finance", "organisation_admin", "municipality_viewer")
    scopes = sorted((scope for role in roles for scope in request.actor.scopes(role)), key=str)
    allowed = next((scope for scope in scopes if may(request.user, verb, organisation=scope)), None)
    if allowed is None:
        raise NotFound
    return allowed


def granted_or_asked(answer: approvals.GrantAnswer, address: str) -> Response[None]:
    """Where to go after granting: to the request when a colleague must decide."""
    if answer.request is None or answer.state == "granted":
        return moved(address, "toegekend")
    return moved(f"/organisatie/aanvragen/{answer.request}", "toekenning-gevraagd")


def fresh(form: Form, name: str) -> Form:
    """The form with another id: what was refused is not what comes next."""
    return Form(values={**form.values, name: str(new_id())}, errors=form.errors)


async def overview(
    request: HouseRequest,
    organisation: UUID,
    *,
    top_up_form: Form | None = None,
    grant_form: Form | None = None,
    status: int = 200,
) -> Response[str]:
    """The organisation's own page, with forms as they were filled in."""
    named = await people.organisation(organisation)
    told = await budget_queries.organisation_overview(organisation)
    view = View(
        name=named.name,
        kind=named.kind,
        pot_cents=told.pot.free_cents,
        topped_up_cents=told.pot.topped_up_cents,
        settled_cents=told.pot.settled_cents,
        granted_cents=told.total.granted_cents,
        spent_cents=told.total.spent_cents,
        held_cents=told.total.held_cents,
        available_cents=told.total.free_cents,
        returned_cents=told.total.returned_cents,
        regions=_regions(told.regions),
        top_ups=[top_up_line(each) for each in await payment_queries.top_ups_of(organisation)],
        grants=[
            View(
                on=each.on,
                families=each.families,
                amount_cents=each.amount_cents,
                total_cents=each.families * each.amount_cents,
                expires_on=each.expires_on,
                for_what=for_what(each),
            )
            for each in await budget_queries.grants_of(organisation)
        ],
        requests=await _requests(organisation) if may(request.user, "decide_grant", organisation=organisation) else [],
        limit_cents=await grant_requests.limit_of(organisation),
        may_grant=may(request.user, "grant", organisation=organisation),
        choices=await choices(),
        may_top_up=may(request.user, "request_top_up", organisation=organisation),
        may_pay_online=any(name != "manual" for name in request.app.state.gateways),
        may_see_settlements=may(request.user, "see_settlements", organisation=organisation),
    )
    today = clock.today()
    year_end = f"{today.year if today.month <= LAST_MONTH_FOR_THIS_YEAR else today.year + 1}-12-31"
    forms = {
        "top_up_form": top_up_form or Form(values={"top_up_id": str(new_id()), "way": "transfer"}),
        "grant_form": grant_form or Form(values={"grant_id": str(new_id()), "families": "new", "expires_on": year_end}),
    }
    return await page(request, "organisatie.html", view, status=status, **forms)


def _regions(found: Sequence[budget_queries.RegionTotals]) -> list[View]:
    """Small regions are hidden; together with the next smallest when the totals would still give them away."""
    by_size = sorted(found, key=lambda each: (each.families, each.region))
    hidden: list[str] = []
    together = 0
    for each in by_size:
        if each.families >= SMALLEST_GROUP and (not hidden or together >= SMALLEST_GROUP):
            break
        hidden.append(each.region)
        together += each.families
    return [_region(each, hidden=each.region in hidden) for each in found]


def _region(each: budget_queries.RegionTotals, *, hidden: bool) -> View:
    return View(
        region=each.region,
        families=None if hidden else each.families,
        granted_cents=None if hidden else each.granted_cents,
        spent_cents=None if hidden else each.spent_cents,
        held_cents=None if hidden else each.held_cents,
        available_cents=None if hidden else each.free_cents,
    )


def top_up_line(each: TopUpView) -> View:
    """One top-up in a list."""
    return View(
        reference=each.reference,
        organisation=each.organisation_name,
        amount_cents=each.amount_cents,
        state=each.state,
        requested_on=each.requested_at.astimezone(clock.AMSTERDAM).date(),
        purchase_order=each.purchase_order,
        received_on=each.received_on,
    )


async def _requests(organisation: UUID) -> list[View]:
    return [
        View(
            id=each.id,
            state=each.state,
            families=each.families,
            total_cents=each.total_cents,
            asked_on=each.asked_at.astimezone(clock.AMSTERDAM).date(),
            expires_on=each.expires_on,
        )
        for each in await grant_requests.requests_of(organisation)
    ]


async def _grants(form: Form, organisation: UUID) -> tuple[list[GrantOrder], dict[str, str]]:
    errors = {}
    amount_cents, expires_on = cents_of(form.value("each")), day_in(form.value("expires_on"))
    grant_id = an_id(form.value("grant_id"))
    if not amount_cents or grant_id is None:
        errors["each"] = "Vul een bedrag per gezin in, zoals 250."
    if expires_on is None or expires_on <= clock.today():
        errors["expires_on"] = "Kies een dag na vandaag."
    if form.value("families") not in ("all", "new"):
        errors["families"] = "Kies welke gezinnen het krijgen."
    earmarks, unknown = earmarks_in(form)
    errors |= unknown
    if errors or not amount_cents or expires_on is None or grant_id is None:
        return [], errors
    families = await budget_queries.families_to_grant(organisation, only_without=form.value("families") == "new")
    if not families:
        return [], {"families": "Er zijn geen gezinnen die dit kunnen krijgen."}
    return [
        GrantOrder(
            id=uuid5(grant_id, str(family)),
            external_ref=f"{grant_id}:{family}",
            family=family,
            organisation=organisation,
            amount_cents=amount_cents,
            starts_on=clock.today(),
            expires_on=expires_on,
            **earmarks,
            carry_over=False,
        )
        for family in families
    ], {}


def day_in(text: str) -> date | None:
    """The day in a date field, between 2000 and 2100."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


def _field(refusal: InvalidInput) -> str:
    """Where in the form of grants a refusal is told: at its earmark, or at the amount."""
    path = next((str(place["path"]).rpartition(".")[2] for place in refusal.data.get("errors", ())), "")
    return path if path in EARMARKS else "each"


def first(refusal: LeerbudgetError) -> str:
    """The sentence about the first place that is wrong, or about the whole."""
    places = refusal.data.get("errors") or []
    return str(places[0]["message"]) if places else str(refusal)
