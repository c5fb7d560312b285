"""Questions to gateways: written down and committed before they are asked. Part of the actions of this room.

A gateway is called outside every transaction. Whatever happens between asking and writing the answer down, the same
question is asked again with the same key (`payment_attempt.id`), so nothing is asked for or given back twice.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.errors import NeverOverspent
from leerbudget.ledger.queries import balances
from leerbudget.ledger.rules import TransferOrder, cents_fault, refuse
from leerbudget.payments.errors import (
    AttemptKnown,
    GatewayRefused,
    GatewaySilent,
    GatewayUnknown,
    MethodUnavailable,
    RefundTooLarge,
    TopUpEnded,
    TopUpKnown,
    TopUpUnknown,
)
from leerbudget.payments.facts import PAYMENT, lock_payment, restate
from leerbudget.payments.gateways import Gateway, PaymentOrder, RefundOrder, Started
from leerbudget.payments.receivables import payer_of
from leerbudget.payments.rules import check_order, reference_of
from leerbudget.payments.tasks import open_task
from leerbudget.payments.telling import tell_stuck

PAY_WITHIN = timedelta(hours=12)
"""How long a payer may take on the gateway's page."""

ASK_FOR = timedelta(hours=24)
"""How long a refund is asked for again; a gateway forgets its key after that (money.md section 3)."""

_INSERT = """
    INSERT INTO payment (id, organisation, gateway, methods, amount_cents, reference, purchase_order, state,
                         received_cents, refunded_cents, requested_at, requested_by, lapses_at, return_url)
    VALUES ($1, $2, $3, $4::text[], $5, $6, $7, 'created', 0, 0, $8, $9, $10, $11) ON CONFLICT DO NOTHING
"""

_ATTEMPT = """
    INSERT INTO payment_attempt (id, payment, kind, amount_cents, state, asked_at, asked_by, tried_at)
    VALUES ($1, $2, $3, $4, 'asked', $5, $6, $5)
"""

_ASKED = "SELECT id, payment, kind, amount_cents, state, answer, asked_at FROM payment_attempt "


def online(gateways: Mapping[str, Gateway]) -> Gateway:
    """The payment service of this installation.

    Raises:
        GatewayUnknown: there is none; a bank transfer is always possible.
    """
    found = online_if_any(gateways)
    if found is None:
        raise GatewayUnknown
    return found


def online_if_any(gateways: Mapping[str, Gateway]) -> Gateway | None:
    """The payment service of this installation; None when there is none."""
    return next((gateway for gateway in gateways.values() if gateway.name != "manual"), None)


async def start_top_up(
    id: UUID,  # noqa: A002 - the name every action uses for what the caller made
    organisation: UUID,
    amount_cents: int,
    purchase_order: str | None,
    *,
    gateway: Gateway,
    return_url: str,
    actor: UUID | None,
) -> Started:
    """Ask a gateway for money for an organisation's pot; where the payer pays it. No money moves yet.

    The same request again asks the gateway with the same key, and gives the same answer.

    Args:
        id: the payment's id, made by the caller.
        organisation: who pays, and whose pot it is for.
        amount_cents: how much.
        purchase_order: the payer's own number, if any; it does not go to the gateway.
        gateway: through which.
        return_url: where the payer comes back, paid or not.
        actor: who asked.

    Raises:
        InvalidInput: the amount or the purchase order is malformed.
        TopUpOutOfBounds: less than EUR 50 or more than EUR 250 million.
        MethodUnavailable: not through this gateway; a bank transfer is always possible.
        TopUpKnown: the id stands for another top-up.
        PayerUnknown: no such organisation.
        GatewayRefused: the gateway will not have it; the payment failed.
        GatewaySilent: no answer; ask again.
    """
    check_order(amount_cents, purchase_order)
    methods = gateway.methods("top_up", amount_cents)
    if not methods:
        raise MethodUnavailable
    asked = (organisation, gateway.name, amount_cents, purchase_order)
    async with together():
        at, reference = now(), reference_of(id)
        columns = (id, organisation, gateway.name, list(methods), amount_cents, reference, purchase_order)
        if await execute(_INSERT, *columns, at, actor, at + PAY_WITHIN, return_url):
            await write_attempt(id, "start", amount_cents, actor)
        row = await fetch_one(PAYMENT + "WHERE id = $1", id)
        names = ("organisation", "gateway", "amount_cents", "purchase_order")
        if row is None or asked != tuple(row[name] for name in names):
            raise TopUpKnown
    return await ask_to_start(gateway, id)


async def write_attempt(payment: UUID, kind: str, amount_cents: int, actor: UUID | None) -> None:
    """Write down what is about to be asked; the caller's transaction holds the payment with it."""
    await execute(_ATTEMPT, new_id(), payment, kind, amount_cents, now(), actor)


async def ask_to_start(gateway: Gateway, payment: UUID) -> Started:
    """Ask the gateway for what was written down; the answer that it gave before when it did.

    Raises:
        GatewayRefused: the gateway will not have it; the payment failed.
        GatewaySilent: no answer; ask again.
    """
    row = await fetch_one(PAYMENT + "WHERE id = $1", payment)
    attempt = await fetch_one(_ASKED + "WHERE payment = $1 AND kind = 'start'", payment)
    assert row is not None  # noqa: S101 - the caller wrote both down
    if row["gateway_ref"] is not None:
        return Started(row["gateway_ref"], row["pay_url"])
    return await _start(gateway, row, attempt)


async def _start(gateway: Gateway, row: Any, attempt: Any) -> Started:
    if attempt["state"] == "refused":
        raise GatewayRefused(attempt["answer"] or "refused")
    order = PaymentOrder(
        row["id"],
        "top_up" if row["booking"] is None else "own_share",
        tuple(row["methods"]),
        row["amount_cents"],
        row["reference"],
        row["return_url"],
        row["lapses_at"],
    )
    try:
        started = await gateway.start(order, key=str(attempt["id"]))
    except GatewayRefused as refusal:
        async with together():
            await _close(attempt["id"], "refused", refusal.reason)
            await execute("UPDATE payment SET cancelled_at = $2 WHERE id = $1", row["id"], now())
            await restate(row["id"])
        raise
    except GatewaySilent:
        await execute("UPDATE payment_attempt SET tried_at = $2 WHERE id = $1", attempt["id"], now())
        raise
    await _known(row["id"], attempt["id"], started)
    return started


async def _known(payment: UUID, attempt: UUID, started: Started) -> None:
    async with together():
        await lock_payment(payment)
        await _close(attempt, "done", started.gateway_ref)
        sql = "UPDATE payment SET gateway_ref = $2, pay_url = $3 WHERE id = $1 AND gateway_ref IS NULL"
        await execute(sql, payment, started.gateway_ref, started.url)
        await restate(payment)


async def _close(attempt: UUID, state: str, answer: str) -> bool:
    sql = "UPDATE payment_attempt SET state = $2, answer = $3, tried_at = $4, ended_at = $4 WHERE id = $1 AND state = 'asked'"
    return bool(await execute(sql, attempt, state, answer[:255], now()))


async def refund_top_up(
    payment: UUID,
    amount_cents: int,
    *,
    id: UUID,  # noqa: A002 - as above
    gateways: Mapping[str, Gateway],
    actor: UUID | None,
) -> None:
    """Give money of a top-up back to its payer: out of the pot at once, and then through its gateway.

    What a gateway cannot give back, and what came by bank transfer, is owed and goes by bank (`finance_task`). The
    same refund again has no effect.

    Args:
        payment: which payment.
        amount_cents: how much of it.
        id: of this refund, made by the caller; the gateway's idempotency key.
        gateways: by name.
        actor: who asked.

    Raises:
        InvalidInput: the amount is malformed.
        TopUpUnknown: there is no such payment.
        RefundTooLarge: more than came in and did not go back, or more than is free in the pot.
        TopUpEnded: it is called back by the payer's bank, or still waits until it cannot be called back.
        AttemptKnown: the id stands for another refund.
        GatewaySilent: it is decided and owed; the gateway has not answered and is asked again.
    """
    refuse([("amount_cents", cents_fault(amount_cents))])
    async with together():
        row = await lock_payment(payment)
        known = await fetch_one(_ASKED + "WHERE id = $1", id)
        if known is not None and (known["payment"], known["kind"], known["amount_cents"]) != (
            payment,
            "refund",
            amount_cents,
        ):
            raise AttemptKnown
        if known is None:
            await owe(row, amount_cents, id, actor)
        attempt = await fetch_one(_ASKED + "WHERE id = $1", id)
    if attempt is not None and attempt["state"] == "asked":
        await _refund(gateways.get(row["gateway"]), row, attempt)


async def owe(row: Any, amount_cents: int, refund: UUID, actor: UUID | None) -> None:
    """Take cents of a payment out of its pot to give them back; the gateway is asked afterwards. `row` is locked.

    Raises:
        RefundTooLarge: more than came in and did not go back, or more than is free.
        TopUpEnded: it is called back by the payer's bank, or still waits until it cannot be called back.
    """
    waits = row["held_until"] is not None and row["released_at"] is None
    if waits or row["state"] == "disputed":
        raise TopUpEnded(state=row["state"])
    sql = "UPDATE payment SET refunded_cents = refunded_cents + $2 WHERE id = $1"
    await execute(sql, row["id"], amount_cents)
    pot = await payer_of(row).pot_account()
    owed = await account_of("refunds_owed", None, constrained=False)
    order = TransferOrder(new_id(), "refund", f"refund:{refund}", "posted", pot, owed, amount_cents)
    try:
        await record([order], actor=actor)
    except NeverOverspent as refusal:
        raise RefundTooLarge from refusal
    await execute(_ATTEMPT, refund, row["id"], "refund", amount_cents, now(), actor)
    await restate(row["id"])
    await record_audit(actor, "refund_asked", "payment", row["id"])


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What a refund would do: what is free in the organisation's pot before and after, in cents."""

    free_before_cents: int
    free_after_cents: int


class _Seen(Exception):
    """No error: how a dry run is rolled back."""


async def preview_refund(payment: UUID, amount_cents: int) -> RefundPreview:
    """What `refund_top_up` would do now, by its own code; nothing of it stays.

    Raises:
        InvalidInput, TopUpUnknown, RefundTooLarge, TopUpEnded: as `refund_top_up`.
    """
    refuse([("amount_cents", cents_fault(amount_cents))])
    told: list[int] = []
    with suppress(_Seen):
        async with together():
            row = await lock_payment(payment)
            told.append(await _free_cents(row))
            await owe(row, amount_cents, new_id(), None)
            told.append(await _free_cents(row))
            raise _Seen
    return RefundPreview(*told)


async def _free_cents(row: Any) -> int:
    pot = await payer_of(row).pot_account()
    return (await balances([pot]))[pot].free_cents


async def _refund(gateway: Gateway | None, row: Any, attempt: Any) -> None:
    """Ask the gateway. What it cannot do stays owed, and a person pays it by bank."""
    if gateway is None:
        await _refused(row, attempt, "by_bank")
        return
    order = RefundOrder(row["id"], row["gateway_ref"], attempt["id"], attempt["amount_cents"])
    try:
        answer = await gateway.refund(order, key=str(attempt["id"]))
    except GatewayRefused as refusal:
        await _refused(row, attempt, refusal.reason)
        return
    except GatewaySilent:
        await execute("UPDATE payment_attempt SET tried_at = $2 WHERE id = $1", attempt["id"], now())
        raise
    await _close(attempt["id"], "done", answer)


async def _refused(row: Any, attempt: Any, reason: str) -> None:
    async with together():
        if await _close(attempt["id"], "refused", reason):
            await tell_stuck(row, attempt["amount_cents"], str(attempt["id"]))
            await open_task("refund_failed", f"refund:{attempt['id']}", attempt["amount_cents"], payment=row["id"])


_UNANSWERED = _ASKED + "WHERE state = 'asked' AND tried_at <= $1 ORDER BY tried_at, id LIMIT 100"


async def ask_again(gateways: Mapping[str, Gateway]) -> int:
    """Ask what was not answered, with the same key; how many questions got their answer.

    A page is asked for as long as somebody could still pay on it; nobody was sent there, so that is the end of it. A
    refund is asked for during a day; then a person is told. Whatever came of it shows when the payment is looked at.
    """
    answered = 0
    for attempt in await fetch_all(_UNANSWERED, now() - timedelta(minutes=1)):
        row = await fetch_one(PAYMENT + "WHERE id = $1", attempt["payment"])
        assert row is not None  # noqa: S101 - an attempt has its payment
        try:
            answered += await _again(gateways.get(row["gateway"]), row, attempt)
        except (GatewayRefused, GatewaySilent):
            continue
    return answered


async def _again(gateway: Gateway | None, row: Any, attempt: Any) -> int:
    if now() >= (row["lapses_at"] if attempt["kind"] == "start" else attempt["asked_at"] + ASK_FOR):
        await _give_up(row, attempt)
        return 0
    if attempt["kind"] == "refund":
        await _refund(gateway, row, attempt)
        return 1
    if gateway is None:
        return 0
    await _start(gateway, row, attempt)
    return 1


async def _give_up(row: Any, attempt: Any) -> None:
    async with together():
        if not await _close(attempt["id"], "refused", "no_answer"):
            return
        if attempt["kind"] == "refund":
            await open_task("refund_failed", f"refund:{attempt['id']}", attempt["amount_cents"], payment=row["id"])
        else:
            await execute("UPDATE payment SET cancelled_at = $2 WHERE id = $1", row["id"], now())
            await restate(row["id"])


async def end_top_up(payment: UUID, *, gateways: Mapping[str, Gateway], actor: UUID | None) -> None:
    """Let a payment through a gateway not be paid any more; paid at that very moment, it counts all the same.

    Raises:
        TopUpUnknown: there is no such payment through a gateway.
        TopUpEnded: it was paid, or ended before.
        GatewayRefused: the gateway does not know it.
        GatewaySilent: no answer; ask again.
    """
    row = await fetch_one(PAYMENT + "WHERE id = $1", payment)
    if row is None or row["gateway"] not in gateways or row["gateway_ref"] is None:
        raise TopUpUnknown(id=payment)
    if row["state"] not in {"open", "cancelled"}:
        raise TopUpEnded(state=row["state"])
    await gateways[row["gateway"]].end(row["gateway_ref"])
    async with together():
        await lock_payment(payment)
        if await execute("UPDATE payment SET cancelled_at = $2 WHERE id = $1 AND cancelled_at IS NULL", payment, now()):
            await restate(payment)
            await record_audit(actor, "top_up_cancelled", "top_up", payment)
