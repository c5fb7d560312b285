"""An organisation's policies: what it gives every family of a cohort, and how the cohorts compare (R02)."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings.queries import made_by_policy
from leerbudget.budgets import cohorts, policies
from leerbudget.budgets.cohorts import CohortFigures, CohortView
from leerbudget.budgets.errors import (
    FamilyInCohort,
    GrantKnown,
    GrantRequestKnown,
    PolicyFollowed,
    PolicyKnown,
    PolicyOver,
    PotTooSmall,
)
from leerbudget.budgets.rules import PolicyOrder
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.earmarks import choices, earmarks_in, for_what
from leerbudget.entrypoints.web.organisations import cents_of, day_in, granted_or_asked, own_organisation
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form, euros
from leerbudget.foundation import clock
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import may

FIELDS = {"amount_cents": "each", "carry_cents_max": "carry_euros", "carry_percent_max": "carry_percent"}
"""Place in a policy → field of the form, where they are called differently."""

FAMILIES_MAX = 100_000


class PolicyPages(Controller):
    """For an organisation's finance officers; a municipality may look at the comparison."""

    include_in_schema = False

    @get("/organisatie/beleid")
    async def overview(self, request: HouseRequest) -> Response[str]:
        """Every policy, and how the cohorts compare."""
        return await _overview(request, own_organisation(request, "see_organisation"))

    @post("/organisatie/beleid")
    async def add(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Add a policy; nobody has a budget by it yet."""
        organisation = own_organisation(request, "grant")
        form = await filled_in(request)
        order, errors = _policy(form, organisation)
        if order is not None:
            try:
                await policies.add_policy(order, actor=request.actor.login)
                return moved(f"/organisatie/beleid/{order.id}", "beleid-toegevoegd")
            except InvalidInput as refusal:
                errors = {FIELDS.get(e["path"], e["path"]): e["message"] for e in refusal.data.get("errors", [])}
            except PolicyKnown as refusal:
                errors = {"name": str(refusal)}
            except PolicyFollowed as refusal:
                errors = {"follows": str(refusal)}
        fresh = Form(values={**form.values, "policy_id": str(new_id())}, errors=errors)
        return await _overview(request, organisation, fresh, 422)

    @get("/organisatie/beleid/{policy_id:uuid}")
    async def one(self, request: HouseRequest, policy_id: FromPath[UUID]) -> Response[str]:
        """One policy: who is in its cohort by number, drawing families, granting."""
        return await _policy_page(request, own_organisation(request, "grant"), policy_id)

    @post("/organisatie/beleid/{policy_id:uuid}/gezinnen")
    async def draw(self, request: HouseRequest, policy_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Draw families by lot into the cohort."""
        organisation = own_organisation(request, "grant")
        await policies.policy_of(policy_id, organisation)
        form = await filled_in(request)
        wanted = form.value("number")
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and 0 < len(wanted) < 7 else None
        told = "Vul een aantal gezinnen in, of laat dit leeg." if wanted and not number else ""
        if not told:
            families = await cohorts.families_to_draw(policy_id, number)
            told = "" if families else "Er zijn geen gezinnen die nog geen groep hebben."
            try:
                await policies.join_cohort(policy_id, organisation, families, actor=request.actor.login)
            except (FamilyInCohort, PolicyOver) as refusal:
                told = str(refusal)
        if told:
            return await _policy_page(request, organisation, policy_id, with_errors(form, {"number": told}), 422)
        return moved(f"/organisatie/beleid/{policy_id}", "groep-gevuld")

    @post("/organisatie/beleid/{policy_id:uuid}/toekennen")
    async def grant(self, request: HouseRequest, policy_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Grant every family of the cohort its budget."""
        organisation = own_organisation(request, "grant")
        form = await filled_in(request)
        press = an_id(form.value("grant_id"))
        try:
            if press is not None:
                login = request.actor.login
                answer = await policies.grant_by_policy(press, policy_id, organisation, actor=login)
                return granted_or_asked(answer, f"/organisatie/beleid/{policy_id}")
            told = "Probeer het nog een keer."
        except PotTooSmall as refusal:
            told = f"{refusal} Er staat {euros(refusal.data['free_cents'])} in de pot."
        except (PolicyOver, GrantKnown, GrantRequestKnown) as refusal:
            told = str(refusal)
        return await _policy_page(request, organisation, policy_id, Form(errors={"grant": told}), 422)


def _policy(form: Form, organisation: UUID) -> tuple[PolicyOrder | None, dict[str, str]]:
    """What the form says as a policy, or what is not right with it."""
    policy_id, starts, ends = (
        an_id(form.value("policy_id")),
        day_in(form.value("starts_on")),
        day_in(form.value("ends_on")),
    )
    each, carry = cents_of(form.value("each")), form.value("carry_euros")
    percent, follows = form.value("carry_percent"), form.value("follows")
    errors = {
        "each": "" if each and policy_id else "Vul een bedrag in, zoals 250.",
        "starts_on": "" if starts else "Kies de eerste dag.",
        "ends_on": "" if ends else "Kies de laatste dag.",
        "carry_euros": "" if not carry or cents_of(carry) else "Vul een bedrag in, of laat dit leeg.",
        "carry_percent": "" if not percent or _whole(percent) else "Vul een percentage van 1 tot en met 100 in.",
        "follows": "" if not follows or an_id(follows) else "Kies een beleid uit de lijst.",
    }
    earmarks, unknown = earmarks_in(form)
    errors = {name: told for name, told in errors.items() if told} | unknown
    if errors or policy_id is None or each is None or starts is None or ends is None:
        return None, errors
    order = PolicyOrder(
        id=policy_id,
        organisation=organisation,
        name=" ".join(form.value("name").split()),
        amount_cents=each,
        per=form.value("per"),
        starts_on=starts,
        ends_on=ends,
        **earmarks,
        carry_cents_max=cents_of(carry) if carry else None,
        carry_percent_max=_whole(percent) if percent else None,
        follows=an_id(follows) if follows else None,
    )
    return order, {}


def _whole(text: str) -> int | None:
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return found if 1 <= found <= 100 else None


async def _overview(
    request: HouseRequest, organisation: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = await cohorts.cohorts_of(organisation)
    figures = cohorts.figures(found, await made_by_policy([each.policy for each in found]))
    may_grant = may(request.user, "grant", organisation=organisation)
    view = View(
        policies=[_line(each, figures[each.policy], link=may_grant) for each in found],
        may_add=may_grant,
        choices=await choices(),
        earlier=[(str(each.policy), each.name) for each in found],
    )
    year = clock.today().year
    empty = {
        "policy_id": str(new_id()),
        "per": "family",
        "starts_on": f"{year + 1}-01-01",
        "ends_on": f"{year + 1}-12-31",
    }
    return await page(request, "beleid.html", view, form=form or Form(values=empty), status=status)


def _line(each: CohortView, figures: CohortFigures, *, link: bool) -> View:
    return View(
        id=each.policy if link else None,
        name=each.name,
        each=_each(each),
        starts_on=each.starts_on,
        ends_on=each.ends_on,
        families=figures.families,
        granted_cents=figures.granted_cents,
        held_cents=figures.held_cents,
        spent_cents=figures.spent_cents,
        using_percent=figures.using_percent,
        own_choice_percent=figures.own_choice_percent,
    )


async def _policy_page(
    request: HouseRequest, organisation: UUID, policy: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = await cohorts.cohorts_of(organisation)
    names = {each.policy: each.name for each in found}
    one = next((each for each in found if each.policy == policy), None)
    if one is None:
        raise NotFound
    view = View(
        id=one.policy,
        name=one.name,
        each=_each(one),
        for_what=for_what(one),
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        carry=_carry(one),
        follows=names.get(one.follows) if one.follows else None,
        families=one.families,
        families_waiting=one.families - one.families_granted,
        families_free=len(await cohorts.families_to_draw(policy, FAMILIES_MAX)),
        over=one.ends_on < clock.today(),
        grant_id=new_id(),
    )
    return await page(request, "beleid_groep.html", view, form=form, status=status)


def _each(one: CohortView) -> str:
    return f"{euros(one.amount_cents)} {'per gezin' if one.per == 'family' else 'per pleegouder'}"


def _carry(one: CohortView) -> str:
    bounds: list[Any] = []
    if one.carry_cents_max is not None:
        bounds.append(euros(one.carry_cents_max))
    if one.carry_percent_max is not None:
        bounds.append(f"{one.carry_percent_max} procent")
    return f"Hooguit {' en '.join(bounds)} gaat mee naar de volgende periode." if bounds else "Niets gaat mee."
