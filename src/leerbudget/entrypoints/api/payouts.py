"""Paying out: drafted by one login, approved by another, sent to the bank as a file; and money of a top-up back."""

from datetime import date
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody

from leerbudget.entrypoints.api.bank import FILE_BODY_BYTES_MAX, BankFileOrder, own_of
from leerbudget.entrypoints.api.types import Answer, Body, Instant, PositiveCents, ShortText, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.identity.actions import record_audit
from leerbudget.payments import actions, asking, bank_queries, desk, payouts, queries
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.errors import GatewaySilent
from leerbudget.people import queries as people


class ReadyLine(Answer, frozen=True, kw_only=True):
    """What a draft would pay now. `subject`: the trainer, the refund or the bank entry that it is for."""

    purpose: str
    subject: UUID
    payee_name: str
    iban: str
    amount_cents: int


class WithoutAccount(Answer, frozen=True, kw_only=True):
    """A trainer who earned something and has no bank account that counts."""

    trainer: UUID
    name: str
    cents: int


class ReadyToPayTold(Answer, frozen=True, kw_only=True):
    """What can be paid out now, and what waits for a bank account."""

    lines: list[ReadyLine]
    without_account: list[WithoutAccount]


class PayoutDraft(Body, frozen=True, kw_only=True):
    """A payout of everything that can be paid now. `id` is made by the caller: again has no effect."""

    id: UUID


class Payout(Answer, frozen=True, kw_only=True):
    """A payout. `open_cents` is under way: approved, and neither booked nor come back."""

    id: UUID
    state: str
    execution_on: date
    lines: int
    amount_cents: int
    open_cents: int
    rejected: int
    drafted_at: Instant
    drafted_by: UUID
    decided_by: UUID | None


class Payouts(Answer, frozen=True, kw_only=True):
    """Every payout, the latest first."""

    items: list[Payout]


class PayoutLine(Answer, frozen=True, kw_only=True):
    """One payment. `bank_reason` is the bank's code when it was rejected or came back."""

    id: UUID
    purpose: str
    payee_name: str
    iban: str
    amount_cents: int
    state: str
    bank_reason: str | None


class PayoutInFull(Answer, frozen=True, kw_only=True):
    """A payout with its payments."""

    payout: Payout
    payments: list[PayoutLine]


class PayoutFile(Answer, frozen=True, kw_only=True):
    """The file for the bank (pain.001) as text; it is the same each time, and a bank takes it once."""

    name: str
    content: str


class StatusTold(Answer, frozen=True, kw_only=True):
    """What a status report did: payments accepted, rejected, and those of which it told nothing that counts."""

    accepted: int
    rejected: int
    unchanged: int


class RefundOrderBody(Body, frozen=True, kw_only=True):
    """Money to give back. `id` is made by the caller: again has no effect. `dry_run`: only say what it would do."""

    id: UUID
    amount_cents: PositiveCents
    dry_run: bool = False


class RefundTold(Answer, frozen=True, kw_only=True):
    """A refund. `state`: `seen` (a dry run), `asked`, or `owed` while the payment service is silent and is asked again.

    `free_after_cents`: what is free in the organisation's pot then; null when it is done.
    """

    id: UUID
    state: str
    free_after_cents: int | None


class TrustOrder(Body, frozen=True, kw_only=True):
    """Why an organisation's direct debits may count at once. `id` is made by the caller."""

    id: UUID
    reason: ShortText


class TrustTold(Answer, frozen=True, kw_only=True):
    """Whether an organisation's direct debits count at once, and why."""

    organisation: UUID
    reason: str


class PayoutController(Controller):
    """Orders to the bank: two logins for each."""

    path = "/payouts"
    tags = ("finance",)

    @get("/ready", guards=[requires("see_bank")], summary="What can be paid out now", operation_id="listReadyToPay")
    async def ready(self) -> ReadyToPayTold:
        """What a draft of this moment would pay, and whom it could not."""
        return told(ReadyToPayTold, await desk.ready_to_pay())

    @get(guards=[requires("see_bank")], summary="Payouts", operation_id="listPayouts")
    async def listed(self) -> Payouts:
        """Drafted, under way, paid, come back or dropped."""
        return Payouts(items=[told(Payout, each) for each in await bank_queries.payouts()])

    @post(guards=[requires("draft_payout")], summary="Draft a payout", operation_id="draftPayout")
    async def draft(self, request: HouseRequest, data: JSONBody[PayoutDraft]) -> PayoutInFull:
        """Of everything that can be paid now. Nothing moves before another login approves it."""
        login = request.actor.login
        await again(lambda: payouts.draft_payout(data.id, actor=login))
        return await _in_full(data.id)

    @get("/{payout_id:uuid}", guards=[requires("see_bank")], summary="One payout", operation_id="getPayout")
    async def one(self, payout_id: FromPath[UUID]) -> PayoutInFull:
        """With each of its payments."""
        return await _in_full(payout_id)

    @put(
        "/{payout_id:uuid}/approval",
        guards=[requires("approve_payout")],
        summary="Approve a payout",
        operation_id="approvePayout",
    )
    async def approve(self, request: HouseRequest, payout_id: FromPath[UUID]) -> PayoutInFull:
        """By another login than drafted it. From then on the money is under way. Again has no effect."""
        await desk.payout(payout_id)
        own, login = own_of(request), request.actor.login
        await again(lambda: payouts.approve_payout(payout_id, own, actor=login))
        return await _in_full(payout_id)

    @put(
        "/{payout_id:uuid}/cancellation",
        guards=[requires("draft_payout")],
        summary="Drop a draft",
        operation_id="cancelPayout",
    )
    async def cancel(self, request: HouseRequest, payout_id: FromPath[UUID]) -> PayoutInFull:
        """What it would pay can go in another. What was approved may be at the bank and cannot be dropped."""
        login = request.actor.login
        await again(lambda: payouts.cancel_payout(payout_id, actor=login))
        return await _in_full(payout_id)

    @get(
        "/{payout_id:uuid}/file",
        guards=[requires("see_bank")],
        summary="The file of a payout for the bank",
        operation_id="getPayoutFile",
    )
    async def file(self, request: HouseRequest, payout_id: FromPath[UUID]) -> PayoutFile:
        """pain.001.001.09, once it is approved. Who takes it is written down."""
        content = await bank_queries.file_of(payout_id)
        await record_audit(request.actor.login, "read_payout_file", "payout", payout_id)
        return PayoutFile(name=f"{message_id_of(payout_id)}.xml", content=content.decode())

    @post(
        "/status-reports",
        guards=[requires("import_bank_file")],
        request_max_body_size=FILE_BODY_BYTES_MAX,
        summary="Import what the bank says of a payout (pain.002)",
        operation_id="importStatusReport",
    )
    async def take_in_status(self, request: HouseRequest, data: JSONBody[BankFileOrder]) -> StatusTold:
        """What it rejects goes back to what paid it, once."""
        file, login = data.file.encode(), request.actor.login
        return told(StatusTold, await again(lambda: payouts.import_status(file, actor=login)))


class RefundController(Controller):
    """Money of a top-up back to its payer, and whose direct debits count at once."""

    tags = ("finance",)

    @post(
        "/top-ups/{top_up_id:uuid}/refunds",
        guards=[requires("refund_top_up")],
        summary="Give money of a top-up back",
        operation_id="refundTopUp",
    )
    async def refund(
        self, request: HouseRequest, top_up_id: FromPath[UUID], data: JSONBody[RefundOrderBody]
    ) -> RefundTold:
        """Out of the organisation's pot at once, and then to who paid it."""
        await queries.top_up(str(top_up_id))
        if data.dry_run:
            seen = await asking.preview_refund(top_up_id, data.amount_cents)
            return RefundTold(id=data.id, state="seen", free_after_cents=seen.free_after_cents)
        gateways, login = request.app.state.gateways, request.actor.login
        try:
            await asking.refund_top_up(top_up_id, data.amount_cents, id=data.id, gateways=gateways, actor=login)
        except GatewaySilent:  # it is decided; the worker asks again
            return RefundTold(id=data.id, state="owed", free_after_cents=None)
        return RefundTold(id=data.id, state="asked", free_after_cents=None)

    @put(
        "/organisations/{organisation_id:uuid}/trust",
        guards=[requires("trust_payer")],
        summary="Let an organisation's direct debits count at once",
        operation_id="trustPayer",
    )
    async def trust(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[TrustOrder]
    ) -> TrustTold:
        """For a reason that an auditor can read. The same reason again has no effect."""
        await people.organisation(organisation_id)
        if await desk.trusted(organisation_id) != data.reason:
            await actions.trust(organisation_id, data.reason, id=data.id, actor=request.actor.login)
        return TrustTold(organisation=organisation_id, reason=data.reason)

    @delete(
        "/organisations/{organisation_id:uuid}/trust",
        guards=[requires("trust_payer")],
        summary="Let an organisation's direct debits wait again",
        operation_id="endTrust",
    )
    async def end_trust(self, request: HouseRequest, organisation_id: FromPath[UUID]) -> None:
        """What counted stays counted. Again has no effect."""
        await people.organisation(organisation_id)
        await actions.end_trust(organisation_id, actor=request.actor.login)


async def _in_full(payout: UUID) -> PayoutInFull:
    lines = await bank_queries.lines_of(payout)
    return PayoutInFull(
        payout=told(Payout, await desk.payout(payout)), payments=[told(PayoutLine, each) for each in lines]
    )
