"""The bank accounts that trainers are paid on: given by the trainer, confirmed by somebody else."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Instant, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.payments import bank_queries, payees
from leerbudget.payments.bank_rules import HOLDER_LENGTH, masked

Iban = Annotated[
    str, Meta(min_length=5, max_length=42, pattern=r"^[A-Za-z0-9 ]*$(?!\n)", description="An IBAN of SEPA.")
]
Holder = Annotated[
    str, Meta(min_length=1, max_length=HOLDER_LENGTH, pattern=CLEAN_LINE, description="As the bank knows the holder.")
]


class PayoutAccountOrder(Body, frozen=True, kw_only=True):
    """A bank account. `id` is made by the caller: the same order again has no effect."""

    id: UUID
    iban: Iban
    holder_name: Holder


class PayoutAccount(Answer, frozen=True, kw_only=True):
    """A bank account that a trainer gave; the last confirmed one is used. Only its last signs are shown."""

    id: UUID
    iban: str
    holder_name: str
    proposed_at: Instant
    confirmed_at: Instant | None


class PayoutAccounts(Answer, frozen=True, kw_only=True):
    """The accounts of a trainer, latest first."""

    items: list[PayoutAccount]


class AccountToConfirm(Answer, frozen=True, kw_only=True):
    """A bank account in full, for who asks the trainer by another way whether it is right."""

    id: UUID
    trainer: UUID
    iban: str
    holder_name: str
    proposed_at: Instant


class AccountsToConfirm(Answer, frozen=True, kw_only=True):
    """The accounts that wait for somebody, latest first."""

    items: list[AccountToConfirm]


class AccountTold(Answer, frozen=True, kw_only=True):
    """An account, and what happened to it now."""

    id: UUID
    state: str


class TrainerAccountController(Controller):
    """What a trainer says about being paid."""

    path = "/trainers/{trainer_id:uuid}/payout-accounts"
    tags = ("trainer",)

    @get(
        guards=[requires("see_payout_account", trainer="trainer_id")],
        summary="The trainer's bank accounts",
        operation_id="listPayoutAccounts",
    )
    async def listed(self, trainer_id: FromPath[UUID]) -> PayoutAccounts:
        """Those in use and those that wait for a second person."""
        found = await bank_queries.payout_accounts(trainer_id)
        return PayoutAccounts(items=[_shown(each) for each in found])

    @post(
        guards=[requires("propose_payout_account", trainer="trainer_id")],
        summary="Give a bank account to be paid on",
        operation_id="givePayoutAccount",
    )
    async def give(
        self, request: HouseRequest, trainer_id: FromPath[UUID], data: JSONBody[PayoutAccountOrder]
    ) -> AccountTold:
        """It is used once somebody else confirmed it; until then the one before is."""
        login = request.actor.login
        await again(lambda: payees.propose_account(data.id, trainer_id, data.iban, data.holder_name, actor=login))
        return AccountTold(id=data.id, state="waiting")


class PayoutAccountController(Controller):
    """What a second person says about it."""

    path = "/payout-accounts"
    tags = ("trainer",)
    guards = (requires("confirm_payout_account"),)

    @get(summary="Bank accounts of trainers that wait for a second person", operation_id="listAccountsToConfirm")
    async def waiting(self) -> AccountsToConfirm:
        """Ask the trainer by another way, such as a telephone number that was known before."""
        found = await bank_queries.unconfirmed_accounts()
        return AccountsToConfirm(items=[told(AccountToConfirm, each) for each in found])

    @put("/{account_id:uuid}/confirmation", summary="Confirm a bank account", operation_id="confirmPayoutAccount")
    async def confirm(self, request: HouseRequest, account_id: FromPath[UUID]) -> AccountTold:
        """By somebody else than who gave it. Again has no effect."""
        login = request.actor.login
        await again(lambda: payees.confirm_account(account_id, actor=login))
        return AccountTold(id=account_id, state="confirmed")

    @put("/{account_id:uuid}/refusal", summary="Use a bank account no more", operation_id="refusePayoutAccount")
    async def refuse(self, request: HouseRequest, account_id: FromPath[UUID]) -> AccountTold:
        """The one that was confirmed before it counts. Again has no effect."""
        login = request.actor.login
        await again(lambda: payees.end_account(account_id, actor=login))
        return AccountTold(id=account_id, state="refused")


def _shown(account: bank_queries.PayoutAccountView) -> PayoutAccount:
    return PayoutAccount(
        id=account.id,
        iban=masked(account.iban),
        holder_name=account.holder_name,
        proposed_at=account.proposed_at,
        confirmed_at=account.confirmed_at,
    )
