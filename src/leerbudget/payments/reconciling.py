"""A gateway's own books beside ours: what it keeps, what it pays out, and where the two differ.

Part of the actions of this room. Differences are told to a person and never repaired by themselves.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import fetch_all, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.errors import GatewayRefused
from leerbudget.payments.gateways import BalanceLine, Gateway
from leerbudget.payments.inbox import catch_up, look_at, look_at_messages, look_at_unfinished
from leerbudget.payments.tasks import open_task

LOOK_BACK = timedelta(days=14)
"""How far back the gateway's books are read every night; a line is noted once, so reading it again does nothing."""

SETTLED_AFTER = timedelta(days=1)
"""Younger than this, money may be known before the gateway's books show it."""

_FACT_OF = {
    "payment": ("received", "processing"),
    "refund": ("refunded",),
    "dispute": ("dispute_opened", "dispute_lost"),
    "dispute_won": ("dispute_won",),
}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What looking at everything gave.

    `messages`: that were lost and are known after all; `facts`: fresh ones; `lines`: of the gateways' books that were
    read; `differences`: in a sentence each.
    """

    messages: int
    facts: int
    lines: int
    differences: tuple[str, ...]


async def reconcile(gateways: Mapping[str, Gateway]) -> Reconciliation:
    """Look up what messages may have been lost, look at every unfinished payment, and compare the books.

    Raises:
        GatewaySilent: a gateway does not answer; what was done stays done.
    """
    messages = facts = read = 0
    differences: list[str] = []
    for gateway in gateways.values():
        if gateway.name == "manual":
            continue
        messages += await catch_up(gateway)
    await look_at_messages(gateways, at_most=10_000)
    facts += await look_at_unfinished(gateways)
    for gateway in gateways.values():
        if gateway.name == "manual":
            continue
        since = now() - LOOK_BACK
        lines = await gateway.balance_lines(since)
        read += len(lines)
        await _note_costs(gateway.name, lines)
        differences += await _compare(gateway, lines, since)
    return Reconciliation(messages, facts, read, tuple(differences))


async def _note_costs(gateway: str, lines: Sequence[BalanceLine]) -> None:
    """What the gateway keeps is its fee. What it pays out is under way until the bank shows it: in the suspense account."""
    lines = [line for line in lines if line.currency == "EUR" and (line.fee_cents or line.kind in {"fee", "payout"})]
    if not lines:
        return  # a service that nobody used leaves nothing behind, not even an account
    async with together():
        clearing = await account_of("gateway_clearing", None, constrained=False)
        fees = await account_of("gateway_fees", None, constrained=False)
        suspense = await account_of("suspense", None, constrained=False)
        orders = []
        for line in lines:
            fee_cents = -line.amount_cents if line.kind == "fee" else line.fee_cents
            orders += _moved("gateway_fee", f"{gateway}:{line.ref}", fees, clearing, fee_cents)
            if line.kind == "payout":
                orders += _moved("gateway_payout", f"{gateway}:{line.ref}", suspense, clearing, -line.amount_cents)
        await record(orders, actor=None)


def _moved(kind: str, ref: str, debit: UUID, credit: UUID, cents: int) -> list[TransferOrder]:
    """The transfer, the other way round below zero (a fee or a payout that came back); none of nothing."""
    if cents == 0:
        return []
    sides = (debit, credit) if cents > 0 else (credit, debit)
    return [TransferOrder(new_id(), kind, ref, "posted", *sides, abs(cents))]


_FACTS = """
    SELECT f.money_ref, f.kind, f.amount_cents, f.happened_at, f.payment FROM payment_fact f
    WHERE f.gateway = $1 AND (f.money_ref = ANY($2::text[])
                              OR (f.kind = 'received' AND f.happened_at BETWEEN $3 AND $4))
"""


async def _told(gateway: str, about: Sequence[BalanceLine], since: datetime) -> dict[tuple[str, str], Any]:
    """What we know of the money of these lines, and what came in so long ago that it must have one."""
    refs = [line.money_ref for line in about]
    rows = await fetch_all(_FACTS, gateway, refs, since + SETTLED_AFTER, now() - SETTLED_AFTER)
    return {(row["money_ref"], row["kind"]): row for row in rows}


async def _look_at_unknown(gateway: Gateway, about: Sequence[BalanceLine], since: datetime) -> None:
    """Money that we never heard of is looked at before anybody is told: its message is lost, or was not looked at yet."""
    told = await _told(gateway.name, about, since)
    for line in about:
        if not any((line.money_ref, kind) in told for kind in _FACT_OF[line.kind]):
            with suppress(GatewayRefused):
                await look_at(gateway, str(line.money_ref))


_SET_APART = "SELECT subject FROM finance_task WHERE kind = 'stranger' AND subject = ANY($1::text[])"


async def _strangers(gateway: str, about: Sequence[BalanceLine]) -> set[str]:
    """Which of this money is a stranger's: that was told, and it waits in suspense."""
    subjects = {f"{gateway}:{line.money_ref}:received": str(line.money_ref) for line in about}
    return {subjects[row["subject"]] for row in await fetch_all(_SET_APART, list(subjects))}


def _differs(line: BalanceLine, told: Mapping[tuple[str, str], Any]) -> str | None:
    """How a line of the gateway's books differs from what we know; None when it does not."""
    kinds = _FACT_OF[line.kind]
    known = next((told[str(line.money_ref), kind] for kind in kinds if (line.money_ref, kind) in told), None)
    if known is None:
        return f"{line.kind} {line.money_ref} is not in our books"
    if known["kind"] == "processing" or known["amount_cents"] == abs(line.amount_cents):
        return None
    return f"{line.kind} {line.money_ref}: {known['amount_cents']} cents here, {abs(line.amount_cents)} there"


async def _compare(one: Gateway, lines: Sequence[BalanceLine], since: datetime) -> list[str]:
    gateway = one.name
    about = [line for line in lines if line.kind in _FACT_OF and line.money_ref is not None]
    await _look_at_unknown(one, about, since)
    told, strangers = await _told(gateway, about, since), await _strangers(gateway, about)
    found = [
        (f"{gateway}:{line.ref}", abs(line.amount_cents), words)
        for line in about
        if (words := _differs(line, told)) and not (line.kind == "payment" and line.money_ref in strangers)
    ]
    there = {line.money_ref for line in about if line.kind == "payment"}
    found += [
        (
            f"{gateway}:{row['money_ref']}",
            row["amount_cents"],
            f"payment {row['money_ref']} is not in the gateway's books",
        )
        for row in told.values()
        if row["kind"] == "received" and row["money_ref"] not in there and row["happened_at"] <= now() - SETTLED_AFTER
    ]
    for subject, cents, _ in found:
        await open_task("discrepancy", subject, cents)
    return [f"{gateway}: {words}" for _, _, words in found]
