"""A proposal with its reasons: accept, or decline without having to say why."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.bookings.errors import OfferLapsed
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.pages import View, filled_in, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.rounds import actions
from leerbudget.rounds import queries as rounds
from leerbudget.rounds.actions import DECLINE_REASONS
from leerbudget.rounds.errors import ProposalUnknown


class ProposalPages(Controller):
    """Proposals of the matching rounds."""

    path = "/voorstellen"
    include_in_schema = False

    @get("/{proposal_id:uuid}")
    async def show(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Response[str]:
        """What, why, where, when, what it costs and who pays."""
        family = own_family(request, "see_proposals")
        return await page(request, "voorstel.html", await _view(proposal_id, family))

    @post("/{proposal_id:uuid}/aannemen")
    async def accept(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Response[None]:
        """Yes, we go."""
        family = own_family(request, "answer_proposal")
        await actions.accept(proposal_id, seeker=family, actor=request.actor.login)
        found = await rounds.proposal(proposal_id, family)
        if found is None or found.booking is None:  # pragma: no cover - an accepted proposal has its booking
            raise ProposalUnknown
        return moved(f"/inschrijvingen/{found.booking}", "aangenomen")

    @post("/{proposal_id:uuid}/afwijzen")
    async def decline(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """No; the reason may be left out."""
        family = own_family(request, "answer_proposal")
        form = await filled_in(request)
        reason = form.value("reason") or None
        if reason is not None and reason not in DECLINE_REASONS:
            view = await _view(proposal_id, family)
            wrong = with_errors(form, {"reason": "Kies een van de redenen, of geen."})
            return await page(request, "voorstel.html", view, form=wrong, status=422)
        try:
            await actions.decline(proposal_id, seeker=family, reason=reason, actor=request.actor.login)
        except OfferLapsed as refusal:
            view = await _view(proposal_id, family)
            return await page(
                request, "voorstel.html", view, form=Form(errors={"reason": str(refusal)}), status=refusal.status
            )
        return moved("/mijn", "afgewezen")


async def _view(proposal_id: UUID, family: UUID) -> View:
    found = await rounds.proposal(proposal_id, family)
    if found is None:
        raise ProposalUnknown
    session = await catalogue.session_detail(found.session)
    own = {each.id: each for each in await budgets.budgets_of(family)}
    return View(
        id=found.proposal,
        state=found.state,
        answer_until=found.answer_until,
        theme=found.theme,
        persons=list(found.persons),
        session=sessions.card(session, await sessions.traveller_of(family)),
        meetings=sessions.meetings(session),
        reasons=[reason.sentence for reason in found.reasons],
        price_cents=found.price_cents,
        payment=[
            View(budget=sessions.budget_name(own[budget]), amount_cents=cents, after_cents=own[budget].free_cents)
            for budget, cents in found.payment
            if budget in own
        ],
        own_cents=0,
        cancel_until=sessions.cancel_until(session),
        alternatives=[],
    )
