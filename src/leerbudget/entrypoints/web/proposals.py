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
from leerbudget.entrypoints.web.wording import LABELS
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
    async def accept(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """Yes, we go. A second press finds it accepted and leads to the same page."""
        family = own_family(request, "answer_proposal")
        found = await _own_proposal(proposal_id, family)
        if found.state != "accepted":
            try:
                await actions.accept(proposal_id, seeker=family, actor=request.actor.login)
            except OfferLapsed as refusal:
                return await _told(request, proposal_id, family, str(refusal), status=refusal.status)
        return moved(f"/inschrijvingen/{found.booking}", "aangenomen")

    @post("/{proposal_id:uuid}/afwijzen")
    async def decline(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Response[None] | Response[str]:
        """No; the reason may be left out."""
        family = own_family(request, "answer_proposal")
        found = await _own_proposal(proposal_id, family)
        form = await filled_in(request)
        reason = form.value("reason") or None
        if reason is not None and reason not in DECLINE_REASONS:
            return await _told(request, proposal_id, family, "Kies een van de redenen, of geen.", form=form, status=422)
        if found.state != "declined":
            try:
                await actions.decline(proposal_id, seeker=family, reason=reason, actor=request.actor.login)
            except OfferLapsed as refusal:
                return await _told(request, proposal_id, family, str(refusal), status=refusal.status)
        return moved("/mijn", "afgewezen")


async def _own_proposal(proposal_id: UUID, family: UUID) -> rounds.ProposalView:
    found = await rounds.proposal(proposal_id, family)
    if found is None or (found.booking is None and found.state != "refused"):
        raise ProposalUnknown
    return found


async def _told(
    request: HouseRequest, proposal_id: UUID, family: UUID, sentence: str, *, form: Form | None = None, status: int
) -> Response[str]:
    """The proposal again, with what is not right."""
    wrong = with_errors(form or Form(), {"reason": sentence})
    return await page(request, "voorstel.html", await _view(proposal_id, family), form=wrong, status=status)


async def _view(proposal_id: UUID, family: UUID) -> View:
    found = await _own_proposal(proposal_id, family)
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
        decline_reasons=[(code, LABELS["decline_reason"][code]) for code in DECLINE_REASONS],
    )
