"""A person says what a bank entry in suspense is for: part of the actions of this room."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import REASON_LENGTH, TransferOrder, refuse, text_fault
from leerbudget.payments.bank_errors import (
    EntryDecided,
    EntryUnknown,
    PayerAccountUnknown,
    PaymentTakesNothing,
    RefundNotOwed,
)
from leerbudget.payments.bank_rules import REST, compact_iban, entry_ref
from leerbudget.payments.crediting import credit, payment_of
from leerbudget.payments.errors import SecondPersonNeeded, TopUpUnknown
from leerbudget.payments.facts import lock_payment
from leerbudget.payments.rules import compact
from leerbudget.payments.tasks import close_task
from leerbudget.payments.telling import tell_paid_back

_ENTRY = """
    SELECT id, iban, bank_ref, direction, amount_cents, suspense_cents, booked_on, party_iban, state, payment, reason
    FROM bank_entry WHERE id = $1 FOR NO KEY UPDATE
"""

_DECIDE = """
    UPDATE bank_entry SET state = $2, suspense_cents = $3, payment = $4, reason = $5, decided_at = $6, decided_by = $7
    WHERE id = $1 AND state = 'suspense'
"""

_TASKS = "SELECT id FROM finance_task WHERE subject = ANY($1::text[]) AND closed_at IS NULL"


async def assign(entry: UUID, payment: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say which payment the money was for: it goes there from suspense, as if its reference had been on it.

    What the payment does not take waits on in suspense.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money in suspense, or the rest of money that a payment had its part of.
        TopUpUnknown: no such payment by bank transfer.
        SecondPersonNeeded: who asked for the payment cannot say that its money is here.
        PaymentTakesNothing: the payment has all that was asked.
    """
    async with together():
        row = await _waiting(entry, "in", reason, ("matched", payment))
        if row is None:
            return
        if row["payment"] is not None:
            raise EntryDecided(state=row["state"])
        await _refuse_payment(payment, actor)
        await _out_of_suspense(row, "bank", reason, actor)
        ref = entry_ref(row["iban"], row["bank_ref"])
        rest_cents = await credit(payment, ref, row["amount_cents"], row["booked_on"], actor=actor)
        if rest_cents == row["amount_cents"]:
            raise PaymentTakesNothing(id=payment)
        await _decide(row, "suspense" if rest_cents else "matched", (rest_cents, payment), reason, actor)


async def _refuse_payment(payment: UUID, actor: UUID | None) -> None:
    """Refuse a payment that is not paid by bank transfer, and one that the actor asked for."""
    asked = await fetch_one("SELECT requested_by FROM payment WHERE id = $1 AND gateway = 'manual'", payment)
    if asked is None:
        raise TopUpUnknown(id=payment)
    if actor is not None and asked["requested_by"] == actor:
        raise SecondPersonNeeded


# What a person was told could not go back by itself, and stands in no payout.
_OWED_BACK = """
    SELECT t.id, a.id AS attempt FROM finance_task t
    LEFT JOIN payment_attempt a ON a.payment = t.payment AND t.subject = 'refund:' || a.id
    WHERE t.kind = 'refund_failed' AND t.payment = $1 AND t.amount_cents = $2 AND t.closed_at IS NULL AND NOT EXISTS (
        SELECT FROM payout_line l WHERE l.subject = a.id AND l.state IN ('drafted', 'approved', 'accepted', 'booked'))
    ORDER BY t.opened_at, t.id LIMIT 1
"""

_BY_HAND = "UPDATE payment_attempt SET state = 'done', answer = $2 WHERE id = $1 AND state = 'refused'"


async def paid_back(entry: UUID, payment: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say that a debit was a refund that was owed and that we paid by hand at the bank: it is owed no more.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money that left and waits in suspense.
        TopUpUnknown: no such payment.
        RefundNotOwed: no refund of just this amount waits for a person, or a payout pays it.
    """
    async with together():
        row = await _waiting(entry, "out", reason, ("matched", payment))
        if row is None:
            return
        paid = await lock_payment(payment)
        owed = await fetch_one(_OWED_BACK, payment, row["suspense_cents"])
        if owed is None:
            raise RefundNotOwed
        await _out_of_suspense(row, "refunds_owed", reason, actor)
        await close_task(owed["id"], reason, actor=actor)
        await _decide(row, "matched", (0, payment), reason, actor)
        if owed["attempt"] is not None:
            await execute(_BY_HAND, owed["attempt"], entry_ref(row["iban"], row["bank_ref"]))
        await tell_paid_back(paid, row["suspense_cents"], entry)


async def known_by_hand(entry: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say that a person had confirmed this very money before, by hand: then it is in the books once already.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money in suspense.
    """
    async with together():
        row = await _waiting(entry, "in", reason, ("known", None))
        if row is not None:
            await _out_of_suspense(row, "bank", reason, actor)
            await _decide(row, "known", (row["suspense_cents"], row["payment"]), reason, actor)


async def bank_costs(entry: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say that an entry is what the bank itself takes or gives: costs and interest.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money in suspense.
    """
    async with together():
        row = await _waiting(entry, None, reason, ("cost", None))
        if row is not None:
            await _out_of_suspense(row, "bank_costs", reason, actor)
            await _decide(row, "cost", (row["suspense_cents"], row["payment"]), reason, actor)


async def send_back(entry: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say that money is for nothing here: the next payout returns it to the account that it came from.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money in suspense.
        PayerAccountUnknown: the bank did not say from where it came.
    """
    async with together():
        row = await _waiting(entry, "in", reason, ("sent_back", None))
        if row is not None:
            if compact_iban(row["party_iban"]) is None:
                raise PayerAccountUnknown
            await _decide(row, "sent_back", (row["suspense_cents"], row["payment"]), reason, actor)


async def from_gateway(entry: UUID, reason: str, *, actor: UUID | None) -> None:
    """Say that an entry is what a payment company paid us, or took: its payout in the books evens suspense out.

    Raises:
        InvalidInput: no reason.
        EntryUnknown: no such entry.
        EntryDecided: it is not money in suspense.
    """
    async with together():
        row = await _waiting(entry, None, reason, ("gateway", None))
        if row is not None:
            await _decide(row, "gateway", (row["suspense_cents"], row["payment"]), reason, actor)


EXPLANATIONS: Mapping[str, Callable[..., Awaitable[None]]] = {
    "send-back": send_back,
    "cost": bank_costs,
    "known": known_by_hand,
    "gateway": from_gateway,
}
"""What can be said of an entry beside which payment it is for: word → the action, called with entry, reason and actor."""

FOR_OUTGOING = ("cost", "gateway")
"""Of those, what can be said of money that went out."""


async def assign_by_reference(entry: UUID, reference: str, reason: str, *, actor: UUID | None) -> None:
    """Say by its reference which payment the money was for: what came in is paid with it, what went out was paid back.

    Raises:
        InvalidInput: the reference is malformed.
        LeerbudgetError: as `assign`, or `paid_back`.
    """
    number = compact(reference)
    left = await fetch_value("SELECT direction FROM bank_entry WHERE id = $1", entry) == "out"
    payment: UUID | None = await (fetch_value(_OF_ANY, number) if left else payment_of(number))
    if payment is None:
        raise TopUpUnknown(reference=reference)
    await (paid_back if left else assign)(entry, payment, reason, actor=actor)


_OF_ANY = "SELECT id FROM payment WHERE reference = $1"


async def _waiting(entry: UUID, direction: str | None, reason: str, wanted: tuple[str, UUID | None]) -> Any | None:
    """The entry, locked, when it waits in suspense; None when just this was decided about it before."""
    refuse([("reason", text_fault(reason, REASON_LENGTH))])
    row = await fetch_one(_ENTRY, entry)
    if row is None:
        raise EntryUnknown(id=entry)
    state, payment = wanted
    if (row["state"], row["reason"]) == (state, reason) and payment in {None, row["payment"]}:
        return None
    if row["state"] != "suspense" or direction not in {None, row["direction"]}:
        raise EntryDecided(state=row["state"])
    return row


async def _out_of_suspense(row: Any, other: str, reason: str, actor: UUID | None) -> None:
    """The opposite of how the entry came into suspense, against the bank or another account of the programme."""
    suspense = await account_of("suspense", None, constrained=False)
    there = await account_of(other, None, constrained=False)
    debit, to = (suspense, there) if row["direction"] == "in" else (there, suspense)
    ref = entry_ref(row["iban"], row["bank_ref"]) + ("" if row["payment"] is None else REST)
    cents = row["suspense_cents"]
    await record(
        [TransferOrder(new_id(), "entry_explained", ref, "posted", debit, to, cents, reason=reason)], actor=actor
    )


async def _decide(row: Any, state: str, holds: tuple[int, UUID | None], reason: str, actor: UUID | None) -> None:
    """Keep what was decided; what a person had to look at is closed with it."""
    await execute(_DECIDE, row["id"], state, *holds, reason, now(), actor)
    await record_audit(actor, f"bank_entry_{state}", "bank_entry", row["id"])
    if state != "suspense":
        ref = entry_ref(row["iban"], row["bank_ref"])
        for task in await fetch_all(_TASKS, [ref, f"manual:{ref}"]):
            await close_task(task["id"], reason, actor=actor)
