"""The bank account that a trainer is paid on: given here, used once somebody else confirmed it."""

from uuid import UUID

from litestar import Controller, Response, get, post

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import first
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import require
from leerbudget.payments import bank_queries, payees
from leerbudget.payments.bank_errors import PayoutAccountKnown
from leerbudget.payments.bank_queries import PayoutAccountView
from leerbudget.payments.bank_rules import masked

ADDRESS = "/mijn-rekening"


class PayoutAccountPages(Controller):
    """For trainers."""

    path = ADDRESS
    include_in_schema = False

    @get("/")
    async def accounts(self, request: HouseRequest) -> Response[str]:
        """Which account counts, which waits, and giving another one."""
        return await _account_page(request, _trainer(request, "see_payout_account"))

    @post("/")
    async def give(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Give an account; until somebody else confirmed it, the one before counts."""
        trainer = _trainer(request, "propose_payout_account")
        form, login = await filled_in(request), request.actor.login
        made = an_id(form.value("account_id")) or new_id()
        written, holder = form.value("iban"), " ".join(form.value("holder_name").split())
        try:
            await again(lambda: payees.propose_account(made, trainer, written, holder, actor=login))
        except InvalidInput as refusal:
            errors = {str(place["path"]): str(place["message"]) for place in refusal.data.get("errors", ())}
            return await _account_page(request, trainer, with_errors(form, errors), refusal.status)
        except PayoutAccountKnown as refusal:  # an older copy of this page: what it says goes under an id of its own
            values = {**form.values, "account_id": str(new_id())}
            return await _account_page(
                request, trainer, Form(values=values, errors={"iban": first(refusal)}), refusal.status
            )
        return moved(ADDRESS, "rekening-gegeven")


def _trainer(request: HouseRequest, verb: str) -> UUID:
    """The trainer who asks, for this verb.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: it is no trainer.
    """
    found = sorted(request.actor.scopes("trainer"), key=str)
    if not found:
        raise NotFound
    require(request.user, verb, trainer=found[0])
    return found[0]


async def _account_page(
    request: HouseRequest, trainer: UUID, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = await bank_queries.payout_accounts(trainer)
    confirmed = [each for each in found if each.confirmed_at is not None]
    counting = max(confirmed, key=lambda each: (each.confirmed_at, str(each.id)), default=None)
    view = View(
        counting=None if counting is None else _line(counting),
        waiting=[_line(each) for each in found if each.confirmed_at is None],
    )
    return await page(
        request, "mijn_rekening.html", view, form=form or Form(values={"account_id": str(new_id())}), status=status
    )


def _line(each: PayoutAccountView) -> View:
    return View(iban=masked(each.iban), holder=each.holder_name, on=each.proposed_at.astimezone(AMSTERDAM).date())
