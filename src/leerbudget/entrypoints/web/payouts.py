"""Paying out: drafted by one person, approved by another, sent to the bank as a file; and trainers' accounts."""

from collections.abc import Awaitable
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from stdnum import iban

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.bank import NOTHING_DONE, UPLOAD_BYTES_MAX
from leerbudget.entrypoints.web.organisations import first
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, uploaded, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.identity.permissions import require
from leerbudget.identity.queries import logins
from leerbudget.payments import bank_queries, desk, payees, payouts
from leerbudget.payments.bank_errors import (
    AlreadyInPayout,
    AnotherPersonConfirms,
    NoOwnAccount,
    NothingToPay,
    PayableChanged,
    PayoutEnded,
    PayoutKnown,
)
from leerbudget.payments.bank_queries import LineView, PayoutView
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.choosing import own_account
from leerbudget.payments.desk import AccountView

PAYOUTS_SHOWN = 50


class PayoutPages(Controller):
    """For who may draft and approve payouts: two of them for each."""

    path = "/uitbetalingen"
    include_in_schema = False

    @get("/")
    async def overview(self, request: HouseRequest) -> Response[str]:
        """What can be paid now, the payouts, and accounts that wait for a second person."""
        require(request.user, "see_bank")
        return await _overview_page(request)

    @post("/")
    async def draft(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Draft payments of everything that can be paid now."""
        login = require(request.user, "draft_payout").login
        form = await filled_in(request)
        made = an_id(form.value("payout_id")) or new_id()
        try:
            await again(lambda: payouts.draft_payout(made, actor=login))
        except (NothingToPay, PayoutKnown, AlreadyInPayout) as refusal:
            return await _overview_page(request, Form(errors={"draft": str(refusal)}), refusal.status)
        return moved(f"/uitbetalingen/{made}", "uitbetaling-voorgesteld")

    @post("/antwoord", request_max_body_size=UPLOAD_BYTES_MAX)
    async def take_in_answer(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Take in what the bank says of a payout (pain.002)."""
        login = require(request.user, "import_bank_file").login
        file = await uploaded(request, "file")
        if not file:
            return await _overview_page(request, Form(errors={"file": "Kies het bestand van de bank."}), 422)
        try:
            done = await again(lambda: payouts.import_status(file, actor=login))
        except InvalidInput as refusal:
            wrong = Form(errors={"file": f"{first(refusal)} {NOTHING_DONE}"})
            return await _overview_page(request, wrong, refusal.status)
        return moved(f"/uitbetalingen?aangenomen={done.accepted}&geweigerd={done.rejected}&gelijk={done.unchanged}")

    @get("/{payout_id:uuid}")
    async def one(self, request: HouseRequest, payout_id: FromPath[UUID]) -> Response[str]:
        """Its lines, and the next step: approving, or the file for the bank."""
        require(request.user, "see_bank")
        return await _payout_page(request, payout_id)

    @post("/{payout_id:uuid}/goedkeuren")
    async def approve(self, request: HouseRequest, payout_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Let a colleague's draft be paid."""
        login = require(request.user, "approve_payout").login
        form = await filled_in(request)
        own = own_account(request.app.state.settings)
        await desk.payout(payout_id)
        if own is None or form.value("checked") != "ja":
            told = NoOwnAccount.message_nl if own is None else "Kijk de lijst na en zet hier een vinkje."
            return await _payout_page(request, payout_id, with_errors(form, {"checked": told}), 422)
        try:
            await again(lambda: payouts.approve_payout(payout_id, own, actor=login))
        except AnotherPersonConfirms as refusal:
            told = "U stelde deze uitbetaling zelf voor. Een collega keurt haar goed."
            return await _payout_page(request, payout_id, with_errors(form, {"checked": told}), refusal.status)
        except (PayoutEnded, PayableChanged) as refusal:
            return await _payout_page(request, payout_id, with_errors(form, {"checked": str(refusal)}), refusal.status)
        return moved(f"/uitbetalingen/{payout_id}", "uitbetaling-goedgekeurd")

    @post("/{payout_id:uuid}/intrekken")
    async def cancel(self, request: HouseRequest, payout_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Drop a draft."""
        login = require(request.user, "draft_payout").login
        try:
            await again(lambda: payouts.cancel_payout(payout_id, actor=login))
        except PayoutEnded as refusal:
            told = "Deze uitbetaling is goedgekeurd. Alleen de bank kan haar nog weigeren."
            return await _payout_page(request, payout_id, Form(errors={"cancel": told}), refusal.status)
        return moved(f"/uitbetalingen/{payout_id}", "uitbetaling-ingetrokken")

    @get("/{payout_id:uuid}/bestand")
    async def file(self, request: HouseRequest, payout_id: FromPath[UUID]) -> Response[bytes] | Response[str]:
        """The file for the bank (pain.001); it is the same each time, and a bank takes it once."""
        login = require(request.user, "see_bank").login
        try:
            content = await bank_queries.file_of(payout_id)
        except PayoutEnded:
            told = "Er is nog geen bestand. Dat komt er als een collega dit goedkeurt."
            return await _payout_page(request, payout_id, Form(errors={"cancel": told}), 409)
        await record_audit(login, "read_payout_file", "payout", payout_id)
        headers = {"Content-Disposition": f'attachment; filename="{message_id_of(payout_id)}.xml"'}
        return Response(content, media_type="application/xml", headers=headers)

    @get("/rekeningen/{account_id:uuid}")
    async def one_account(self, request: HouseRequest, account_id: FromPath[UUID]) -> Response[str]:
        """A trainer's account in full, for who asks by another way whether it is right."""
        require(request.user, "confirm_payout_account")
        return await _account_page(request, account_id)

    @post("/rekeningen/{account_id:uuid}/bevestigen")
    async def confirm(self, request: HouseRequest, account_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Let a trainer's account count, after asking."""
        login = require(request.user, "confirm_payout_account").login
        form = await filled_in(request)
        await desk.account(account_id)
        if form.value("asked") != "ja":
            told = "Vraag het eerst na en zet hier een vinkje."
            return await _account_page(request, account_id, with_errors(form, {"asked": told}), 422)
        return await _decided(
            request, account_id, form, payees.confirm_account(account_id, actor=login), "rekening-bevestigd"
        )

    @post("/rekeningen/{account_id:uuid}/afwijzen")
    async def refuse(self, request: HouseRequest, account_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Do not use it; the one before goes on counting."""
        login = require(request.user, "confirm_payout_account").login
        form = await filled_in(request)
        return await _decided(
            request, account_id, form, payees.end_account(account_id, actor=login), "rekening-afgewezen"
        )


async def _decided(
    request: HouseRequest, account: UUID, form: Form, work: Awaitable[None], notice: str
) -> Response[str] | Response[None]:
    """Back to the list, or the account's page with why not."""
    try:
        await work
    except AnotherPersonConfirms as refusal:
        told = "U gaf deze rekening zelf op. Een collega bevestigt haar."
        return await _account_page(request, account, with_errors(form, {"asked": told}), refusal.status)
    except LeerbudgetError as refusal:
        if refusal.status == 404:
            raise
        return await _account_page(request, account, with_errors(form, {"asked": str(refusal)}), refusal.status)
    return moved("/uitbetalingen", notice)


# --- the list ---------------------------------------------------------------------------------------------------


async def _overview_page(request: HouseRequest, form: Form | None = None, status: int = 200) -> Response[str]:
    ready = await desk.ready_to_pay()
    view = View(
        answer=_answer(request) if form is None else None,
        ready=[
            View(purpose=each.purpose, payee=each.payee_name, iban=iban.format(each.iban), cents=each.amount_cents)
            for each in ready.lines
        ],
        ready_cents=sum(each.amount_cents for each in ready.lines),
        without_account=[View(name=each.name, cents=each.cents) for each in ready.without_account],
        payout_id=str(new_id()),
        payouts=[_payout_line(each) for each in (await bank_queries.payouts())[:PAYOUTS_SHOWN]],
        accounts=[
            View(id=each.id, trainer=each.trainer_name, proposed_on=each.proposed_at.astimezone(AMSTERDAM).date())
            for each in await desk.accounts_to_confirm()
        ],
    )
    return await page(request, "uitbetalingen.html", view, form=form, status=status)


def _answer(request: HouseRequest) -> View | None:
    asked = [request.query_params.get(name, "") for name in ("aangenomen", "geweigerd", "gelijk")]
    if not all(text.isascii() and text.isdigit() and len(text) < 8 for text in asked):
        return None
    accepted, rejected, unchanged = map(int, asked)
    return View(accepted=accepted, rejected=rejected, unchanged=unchanged)


def _payout_line(each: PayoutView) -> View:
    return View(
        id=each.id,
        state=each.state,
        drafted_on=each.drafted_at.astimezone(AMSTERDAM).date(),
        lines=each.lines,
        cents=each.amount_cents,
        open_cents=each.open_cents,
        rejected=each.rejected,
    )


# --- one of them ------------------------------------------------------------------------------------------------


async def _payout_page(
    request: HouseRequest, payout: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found, lines = await desk.payout(payout), await bank_queries.lines_of(payout)
    people = [found.drafted_by, *([found.decided_by] if found.decided_by else [])]
    who = {login.id: login.email for login in await logins(ids=people)}
    view = View(
        **vars(_payout_line(found)),
        message_id=message_id_of(found.id),
        execution_on=found.execution_on,
        drafted_by=who.get(found.drafted_by),
        decided_by=who.get(found.decided_by) if found.decided_by else None,
        own=found.drafted_by == request.actor.login,
        payments=[_line(each) for each in lines],
    )
    return await page(request, "uitbetaling.html", view, form=form, status=status)


def _line(each: LineView) -> View:
    return View(
        purpose=each.purpose,
        payee=each.payee_name,
        iban=iban.format(each.iban),
        cents=each.amount_cents,
        state=each.state,
        bank_reason=each.bank_reason,
    )


async def _account_page(
    request: HouseRequest, account: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = await desk.account(account)
    view = View(
        id=found.id,
        trainer=found.trainer_name,
        iban=iban.format(found.iban),
        holder=found.holder_name,
        proposed_on=found.proposed_at.astimezone(AMSTERDAM).date(),
        counting_iban=iban.format(found.counting_iban) if found.counting_iban else None,
        state=_state(found),
        own=found.proposed_by == request.actor.login,
    )
    return await page(request, "uitbetaalrekening.html", view, form=form, status=status)


def _state(found: AccountView) -> str:
    if found.ended_at is not None:
        return "ended"
    return "waiting" if found.confirmed_at is None else "confirmed"
