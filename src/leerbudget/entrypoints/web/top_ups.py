"""Money that organisations pay in: by bank transfer with four eyes, or on the page of a payment service."""

from uuid import UUID

import structlog
from litestar import Controller, Response, get, post
from litestar.params import FromPath
from stdnum import iban

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import (
    cents_of,
    day_in,
    first,
    fresh,
    overview,
    own_organisation,
    top_up_line,
)
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.papers import papers_of
from leerbudget.entrypoints.web.refunds import refundable_cents
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.errors import InvalidInput, LeerbudgetError, NotFound
from leerbudget.identity.permissions import may, require
from leerbudget.payments import actions as payments
from leerbudget.payments import asking, inbox, queries, tasks
from leerbudget.payments.choosing import own_account
from leerbudget.payments.errors import (
    GatewayRefused,
    GatewaySilent,
    SecondPersonNeeded,
    TopUpEnded,
    TopUpKnown,
    TopUpUnknown,
)
from leerbudget.payments.queries import TaskView, TopUpView

log = structlog.get_logger(__name__)


class TopUpPages(Controller):
    """For an organisation's finance officers, and for who confirms what came in at the bank."""

    include_in_schema = False

    @post("/organisatie/stortingen")
    async def top_up(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Announce a transfer, or ask for a page to pay on; both show the next step on the top-up's own page."""
        organisation = own_organisation(request, "request_top_up")
        form = await filled_in(request)
        amount_cents, top_up_id = cents_of(form.value("amount")), an_id(form.value("top_up_id"))
        if amount_cents is None or top_up_id is None:
            wrong = with_errors(form, {"amount": "Vul een bedrag in, zoals 25.000 of 25.000,00."})
            return await overview(request, organisation, top_up_form=wrong, status=422)
        order = form.value("purchase_order")[:60] or None
        try:
            if form.value("way") == "online":
                await start_online(request, top_up_id, organisation, amount_cents, order)
                return moved(f"/organisatie/stortingen/{top_up_id}", "storting-online")
            login = request.actor.login
            reference = await payments.request_top_up(top_up_id, organisation, amount_cents, order, actor=login)
        except GatewaySilent as refusal:  # the same id asks the same question again
            wrong = with_errors(form, {"way": first(refusal)})
            return await overview(request, organisation, top_up_form=wrong, status=refusal.status)
        except (InvalidInput, TopUpKnown, GatewayRefused) as refusal:
            wrong = with_errors(fresh(form, "top_up_id"), {"amount": first(refusal)})
            return await overview(request, organisation, top_up_form=wrong, status=refusal.status)
        return moved(f"/organisatie/stortingen/{reference}", "storting-gevraagd")

    @get("/organisatie/stortingen/{reference:str}")
    async def one_top_up(self, request: HouseRequest, reference: FromPath[str]) -> Response[str]:
        """What to do next, and how it stands. Who comes back from paying sees at once whether it counts."""
        found = await _visible(request, reference)
        if "betaald" in request.query_params and found.gateway != "manual" and found.state in {"open", "processing"}:
            await look(request, found.gateway, found.gateway_ref)
            found = await _visible(request, reference)
        return await page(request, "storting.html", _shown(request, found))

    @post("/organisatie/stortingen/{top_up_id:uuid}/bevestigen")
    async def confirm(self, request: HouseRequest, top_up_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Somebody else than who asked confirms that the money came in."""
        require(request.user, "confirm_top_up")
        form = await filled_in(request)
        received_on = day_in(form.value("received_on"))
        sentence, status = "Kies de dag waarop het geld binnenkwam.", 422
        if received_on is not None:
            try:  # confirming twice with the same day has one effect
                await payments.confirm_top_up(top_up_id, received_on, actor=request.actor.login)
                return moved("/stortingen", "storting-ontvangen")
            except (InvalidInput, SecondPersonNeeded, TopUpEnded) as refusal:
                sentence, status = first(refusal), refusal.status
        found = next((each for each in await queries.open_top_ups() if each.id == top_up_id), None)
        if found is None:
            raise TopUpUnknown
        wrong = with_errors(form, {"received_on": sentence})
        return await page(request, "storting.html", _shown(request, found), form=wrong, status=status)

    @get("/stortingen")
    async def open_top_ups(self, request: HouseRequest) -> Response[str]:
        """Announced transfers that wait for their money."""
        require(request.user, "confirm_top_up")
        view = View(
            top_ups=[top_up_line(each) for each in await queries.open_top_ups()],
            tasks=[_task(each) for each in await queries.open_tasks()],
            received=[top_up_line(each) for each in await queries.received_top_ups()],
        )
        return await page(request, "stortingen.html", view)

    @get("/stortingen/taken/{task_id:uuid}")
    async def one_task(self, request: HouseRequest, task_id: FromPath[UUID]) -> Response[str]:
        """Something about money that a person must look at."""
        require(request.user, "handle_finance_tasks")
        return await page(request, "storting_taak.html", _task(await queries.task(task_id)))

    @post("/stortingen/taken/{task_id:uuid}")
    async def close_task(self, request: HouseRequest, task_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Say what became of it; that moves no money."""
        require(request.user, "handle_finance_tasks")
        form = await filled_in(request)
        try:
            await tasks.close_task(task_id, form.value("outcome"), actor=request.actor.login)
        except InvalidInput as refusal:
            wrong = with_errors(form, {"outcome": first(refusal)})
            view = _task(await queries.task(task_id))
            return await page(request, "storting_taak.html", view, form=wrong, status=refusal.status)
        return moved("/stortingen", "taak-afgerond")


async def start_online(
    request: HouseRequest, top_up: UUID, organisation: UUID, amount_cents: int, purchase_order: str | None
) -> None:
    """Ask the first payment service of this installation for a page to pay on.

    Raises:
        GatewayUnknown: there is none.
        LeerbudgetError: as `asking.start_top_up`.
    """
    back = f"{request.app.state.settings.base_url}/organisatie/stortingen/{top_up}?betaald=ja"
    await asking.start_top_up(
        *(top_up, organisation, amount_cents, purchase_order),
        gateway=asking.online(request.app.state.gateways),
        return_url=back,
        actor=request.actor.login,
    )


async def look(request: HouseRequest, gateway_name: str, gateway_ref: str | None) -> None:
    """Ask the payment service how a payment stands, for who comes back from paying. A silent one breaks no page."""
    gateway = request.app.state.gateways.get(gateway_name)
    if gateway is None or gateway_ref is None:
        return
    try:
        await inbox.look_at(gateway, gateway_ref)
    except LeerbudgetError as fault:  # its message, or the worker, will tell; the page shows how it stands
        log.warning("payment not looked at", code=fault.code)


async def _visible(request: HouseRequest, reference: str) -> TopUpView:
    if may(request.user, "confirm_top_up"):
        return await queries.top_up(reference)
    for each in await queries.top_ups_of(own_organisation(request, "see_pot")):
        if reference in (each.reference, str(each.id)):
            return each
    raise NotFound


def _task(each: TaskView) -> View:
    return View(
        id=each.id,
        kind=each.kind,
        subject=each.subject,
        amount_cents=each.amount_cents,
        opened_on=each.opened_at.astimezone(AMSTERDAM).date(),
        reference=each.reference,
        organisation=each.organisation_name,
        outcome=each.outcome,
        contacts="; ".join(each.contacts) or None,
    )


def _shown(request: HouseRequest, found: TopUpView) -> View:
    own = own_account(request.app.state.settings)
    return View(
        id=found.id,
        reference=found.reference,
        reference_spaced=" ".join(found.reference[at : at + 4] for at in range(0, len(found.reference), 4)),
        amount_cents=found.amount_cents,
        received_cents=found.received_cents,
        state=found.state,
        online=found.gateway != "manual",
        made_up=found.gateway == "sandbox",
        pay_url=found.pay_url if found.state == "open" else None,
        held_until=found.held_until if found.released_at is None else None,
        account_holder=own.holder_name if own else None,
        iban=iban.format(own.iban) if own else None,
        purchase_order=found.purchase_order,
        papers=papers_of(found.reference, by_bank=found.gateway == "manual", received=found.received_cents > 0),
        refunded_cents=found.refunded_cents,
        may_refund=may(request.user, "refund_top_up") and refundable_cents(found) > 0,
        trust_of=found.organisation if may(request.user, "trust_payer") else None,
        may_confirm=may(request.user, "confirm_top_up") and request.actor.login != found.requested_by,
        back="/stortingen" if may(request.user, "confirm_top_up") else "/organisatie",
    )
