"""Giving money of a top-up back to who paid it, and for whom direct debits count at once."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import cents_of, first, fresh
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form, euros
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import require
from leerbudget.payments import actions, asking, desk, queries
from leerbudget.payments.asking import RefundPreview
from leerbudget.payments.errors import AttemptKnown, GatewaySilent, PayerTrusted, RefundTooLarge, TopUpEnded
from leerbudget.payments.queries import TopUpView
from leerbudget.people import queries as people

AMOUNT = "Vul een bedrag in, zoals 250 of 250,00."


class RefundPages(Controller):
    """For who handles the money of the programme."""

    path = "/stortingen"
    include_in_schema = False

    @get("/{top_up_id:uuid}/terugbetalen")
    async def ask(self, request: HouseRequest, top_up_id: FromPath[UUID]) -> Response[str]:
        """How much can go back, and asking for it."""
        require(request.user, "refund_top_up")
        return await _refund_page(request, await queries.top_up(str(top_up_id)))

    @post("/{top_up_id:uuid}/terugbetalen")
    async def refund(self, request: HouseRequest, top_up_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """First show what it does to the pot; the same amount again is given back, once."""
        login = require(request.user, "refund_top_up").login
        form, found = await filled_in(request), await queries.top_up(str(top_up_id))
        cents, refund = cents_of(form.value("amount")), an_id(form.value("refund_id"))
        if not cents or refund is None:
            return await _refund_page(request, found, with_errors(form, {"amount": AMOUNT}), 422)
        try:
            if form.value("shown") != str(cents):
                seen = await asking.preview_refund(found.id, cents)
                return await _refund_page(request, found, form, preview=(cents, seen))
            gateways = request.app.state.gateways
            await asking.refund_top_up(found.id, cents, id=refund, gateways=gateways, actor=login)
        except GatewaySilent:  # it is decided and owed; the worker asks again
            return moved(f"/organisatie/stortingen/{found.id}", "terugbetaling-volgt")
        except (RefundTooLarge, TopUpEnded, AttemptKnown, InvalidInput) as refusal:
            told = await _too_large(found, cents) if isinstance(refusal, RefundTooLarge) else first(refusal)
            wrong = with_errors(fresh(form, "refund_id"), {"amount": told})
            return await _refund_page(request, found, wrong, refusal.status)
        return moved(f"/organisatie/stortingen/{found.id}", "terugbetaald")

    @get("/vertrouwen/{organisation_id:uuid}")
    async def trust_page(self, request: HouseRequest, organisation_id: FromPath[UUID]) -> Response[str]:
        """Whether an organisation's direct debits count at once."""
        require(request.user, "trust_payer")
        return await _trust_page(request, organisation_id)

    @post("/vertrouwen/{organisation_id:uuid}")
    async def trust(self, request: HouseRequest, organisation_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Let them count at once, for a reason."""
        login = require(request.user, "trust_payer").login
        form = await filled_in(request)
        reason = " ".join(form.value("reason").split())
        try:
            await actions.trust(organisation_id, reason, id=new_id(), actor=login)
        except (InvalidInput, PayerTrusted) as refusal:
            wrong = with_errors(form, {"reason": first(refusal)})
            return await _trust_page(request, organisation_id, wrong, refusal.status)
        return moved(f"/stortingen/vertrouwen/{organisation_id}", "wordt-vertrouwd")

    @post("/vertrouwen/{organisation_id:uuid}/beeindigen")
    async def end_trust(self, request: HouseRequest, organisation_id: FromPath[UUID]) -> Response[None]:
        """Let them wait again."""
        login = require(request.user, "trust_payer").login
        await people.organisation(organisation_id)
        await again(lambda: actions.end_trust(organisation_id, actor=login))
        return moved(f"/stortingen/vertrouwen/{organisation_id}", "niet-vertrouwd")


def refundable_cents(found: TopUpView) -> int:
    """What of a top-up can still go back: nothing as long as its bank can call it back, or did."""
    waits = found.held_until is not None and found.released_at is None
    return 0 if waits or found.state == "disputed" else found.received_cents - found.refunded_cents


async def _too_large(found: TopUpView, cents: int) -> str:
    left = refundable_cents(found)
    if cents > left:
        return f"Van deze storting kan hoogstens {euros(left)} terug."
    return "Zo veel staat er niet meer vrij in de pot. Het is al toegekend."


async def _refund_page(
    request: HouseRequest,
    found: TopUpView,
    form: Form | None = None,
    status: int = 200,
    *,
    preview: tuple[int, RefundPreview] | None = None,
) -> Response[str]:
    cents, seen = preview or (None, None)
    view = View(
        id=found.id,
        organisation=found.organisation_name,
        reference=found.reference,
        online=found.gateway != "manual",
        received_cents=found.received_cents,
        refunded_cents=found.refunded_cents,
        left_cents=refundable_cents(found),
        cents=cents,
        free_before_cents=None if seen is None else seen.free_before_cents,
        free_after_cents=None if seen is None else seen.free_after_cents,
    )
    asked = form or Form(values={"refund_id": str(new_id())})
    return await page(request, "terugbetalen.html", view, form=asked, status=status)


async def _trust_page(
    request: HouseRequest, organisation: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    named = await people.organisation(organisation)
    view = View(id=organisation, name=named.name, reason=await desk.trusted(organisation))
    return await page(request, "vertrouwen.html", view, form=form, status=status)
