"""What matching rounds propose to a family, and why a wish got no place."""

from contextlib import suppress
from typing import Literal
from uuid import UUID

from litestar import Controller, get, put
from litestar.params import FromPath, JSONBody

from leerbudget.bookings.errors import OfferLapsed
from leerbudget.entrypoints.api.access import of_own_family
from leerbudget.entrypoints.api.types import Answer, Body, Instant, told
from leerbudget.entrypoints.http.guards import logged_in, requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import NotFound
from leerbudget.matcher.outcome import Change
from leerbudget.rounds import actions
from leerbudget.rounds import queries as rounds
from leerbudget.rounds.queries import ProposalView


class ReasonTold(Answer, frozen=True, kw_only=True):
    """A reason: a code for programs, a Dutch sentence for people."""

    code: str
    sentence: str


class ShareTold(Answer, frozen=True, kw_only=True):
    """What one payer pays: a budget, the family itself (`own`), or nobody (`rounding`: too little to ask for)."""

    budget: UUID | None
    amount_cents: int
    payer: str = "budget"


class Proposal(Answer, frozen=True, kw_only=True):
    """A place that a round found for a wish. While `state` is `offered`, seat and money are held until `answer_until`."""

    id: UUID
    round: UUID
    wish: UUID
    theme: str
    course_session: UUID
    state: str
    booking: UUID | None
    price_cents: int
    persons: list[str]
    answer_until: Instant | None
    reasons: list[ReasonTold]
    payment: list[ShareTold]


class Proposals(Answer, frozen=True, kw_only=True):
    """A family's proposals, those that wait for an answer first."""

    items: list[Proposal]


class WouldHelp(Answer, frozen=True, kw_only=True):
    """One change after which this very course session becomes possible without taking anyone's place."""

    change: Change
    course_session: UUID
    sentence: str


class NonPlacement(Answer, frozen=True, kw_only=True):
    """Why an open wish got no place in the latest round, and what would have helped."""

    wish: UUID
    theme: str
    round_name: str
    reasons: list[ReasonTold]
    would_have_helped: list[WouldHelp]


class NonPlacements(Answer, frozen=True, kw_only=True):
    """The open wishes of a family that got no place."""

    items: list[NonPlacement]


class RefusalOrder(Body, frozen=True, kw_only=True):
    """A reason is welcome and never needed."""

    reason: Literal["no_time", "too_far", "other_wish", "rather_not_say"] | None = None


class FamilyProposalController(Controller):
    """What rounds decided for a family."""

    path = "/families/{family_id:uuid}"
    tags = ("proposals",)
    guards = (requires("see_proposals", family="family_id"),)

    @get("/proposals", summary="The family's proposals", operation_id="listProposals")
    async def proposals(self, family_id: FromPath[UUID]) -> Proposals:
        """Every published proposal with its reasons."""
        return Proposals(items=[_proposal(each) for each in await rounds.proposals_of(family_id)])

    @get("/non-placements", summary="Why wishes got no place", operation_id="listNonPlacements")
    async def non_placements(self, family_id: FromPath[UUID]) -> NonPlacements:
        """The wishes that are still open after their latest round, each with reasons that are true."""
        return NonPlacements(
            items=[
                NonPlacement(
                    wish=each.wish,
                    theme=each.theme,
                    round_name=each.round_name,
                    reasons=[told(ReasonTold, reason) for reason in each.reasons],
                    would_have_helped=[
                        WouldHelp(change=help_.change, course_session=UUID(help_.session), sentence=help_.sentence)
                        for help_ in each.would_have_helped
                    ],
                )
                for each in await rounds.non_placements_of(family_id)
            ]
        )


class ProposalController(Controller):
    """Answering a proposal."""

    path = "/proposals/{proposal_id:uuid}"
    tags = ("proposals",)
    guards = (logged_in,)

    @put("/acceptance", summary="Accept a proposal", operation_id="acceptProposal")
    async def accept(self, request: HouseRequest, proposal_id: FromPath[UUID]) -> Proposal:
        """Yes, we go: the booking is confirmed. Again has no effect."""
        family = await _whose(request, proposal_id)
        with suppress(OfferLapsed):  # what it came to is read below
            await again(lambda: actions.accept(proposal_id, seeker=family, actor=request.actor.login))
        return await _answered(proposal_id, family, "accepted")

    @put("/refusal", summary="Refuse a proposal", operation_id="refuseProposal")
    async def refuse(
        self, request: HouseRequest, proposal_id: FromPath[UUID], data: JSONBody[RefusalOrder]
    ) -> Proposal:
        """No: seat and money are free again, the wish waits for the next round. Again has no effect."""
        family = await _whose(request, proposal_id)
        with suppress(OfferLapsed):  # what it came to is read below
            await again(
                lambda: actions.decline(proposal_id, seeker=family, reason=data.reason, actor=request.actor.login)
            )
        return await _answered(proposal_id, family, "declined")


async def _whose(request: HouseRequest, proposal_id: UUID) -> UUID:
    family, found = await of_own_family(request, "answer_proposal", lambda family: rounds.proposal(proposal_id, family))
    if found.booking is None:  # the booking action refused it at publication: there is nothing to answer
        raise OfferLapsed
    return family


async def _answered(proposal_id: UUID, family: UUID, state: str) -> Proposal:
    """The proposal, when it was answered in this way, by whomever of the family came first.

    Raises:
        OfferLapsed: it was answered otherwise, or its time is over.
    """
    found = await rounds.proposal(proposal_id, family)
    if found is None:
        raise NotFound
    if found.state != state:
        raise OfferLapsed
    return _proposal(found)


def _proposal(view: ProposalView) -> Proposal:
    return Proposal(
        id=view.proposal,
        round=view.round,
        wish=view.wish,
        theme=view.theme,
        course_session=view.session,
        state=view.state,
        booking=view.booking,
        price_cents=view.price_cents,
        persons=list(view.persons),
        answer_until=view.answer_until,
        reasons=[told(ReasonTold, reason) for reason in view.reasons],
        payment=[ShareTold(budget=budget, amount_cents=cents) for budget, cents in view.payment],
    )
