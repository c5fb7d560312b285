"""Ask for, confirm and cancel top-ups by bank transfer. Payments through a gateway are asked for in `asking`."""

from datetime import date, datetime, time
from uuid import UUID

from leerbudget.foundation.clock import AMSTERDAM, now, today
from leerbudget.foundation.database import execute, fetch_one, together
from leerbudget.foundation.errors import InvalidInput
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.rules import REASON_LENGTH, cents_fault, refuse, text_fault
from leerbudget.payments.errors import (
    AmountDiffers,
    SecondPersonNeeded,
    TopUpEnded,
    TopUpKnown,
    TopUpUnknown,
)
from leerbudget.payments.facts import PAYMENT, apply_facts, lock_payment, restate
from leerbudget.payments.gateways import MoneyFact
from leerbudget.payments.rules import (
    arrival_fault,
    arrived_before_asked,
    check_order,
    compact,
    reference_of,
)

_REQUEST = """
    INSERT INTO payment (id, organisation, gateway, gateway_ref, methods, amount_cents, reference, purchase_order, state,
                         received_cents, refunded_cents, requested_at, requested_by)
    VALUES ($1, $2, 'manual', $4, ARRAY['transfer'], $3, $4, $5, 'open', 0, 0, $6, $7) ON CONFLICT DO NOTHING
"""


async def request_top_up(
    id: UUID,  # noqa: A002 - the name every action uses for what the caller made
    organisation: UUID,
    amount_cents: int,
    purchase_order: str | None,
    *,
    actor: UUID | None,
) -> str:
    """Announce a bank transfer; the reference (ISO 11649, without spaces) to put on it. No money moves yet.

    The same request again gives the same reference.

    Raises:
        InvalidInput: the amount or the purchase order is malformed.
        TopUpOutOfBounds: less than EUR 50 or more than EUR 250 million.
        TopUpKnown: the id stands for another top-up.
        PayerUnknown: no such organisation.
    """
    check_order(amount_cents, purchase_order)
    reference = reference_of(id)
    if not await execute(_REQUEST, id, organisation, amount_cents, reference, purchase_order, now(), actor):
        row = await fetch_one(PAYMENT + "WHERE id = $1", id)
        asked = (organisation, amount_cents, purchase_order, "manual")
        names = ("organisation", "amount_cents", "purchase_order", "gateway")
        if row is None or asked != tuple(row[name] for name in names):
            raise TopUpKnown
    return reference


async def confirm_top_up(
    id: UUID,  # noqa: A002 - as above
    received_on: date,
    *,
    actor: UUID | None,
) -> None:
    """Confirm by hand that the whole amount arrived: it moves from the bank to the organisation's pot, once.

    Somebody else than who asked for it confirms (four eyes); None is an operator at the command line.
    The same confirmation again has no effect.

    Raises:
        InvalidInput: the day is malformed, still to come, or before the top-up was asked for.
        TopUpUnknown: there is no such top-up, or it is not paid by bank transfer.
        SecondPersonNeeded: who asked for it cannot confirm it.
        TopUpEnded: it was cancelled, or (partly) confirmed in another way or with another day.
    """
    refuse([("received_on", arrival_fault(received_on, today()))])
    async with together():
        row = await lock_payment(id)
        if row["gateway"] != "manual":
            raise TopUpUnknown(id=id)
        if row["state"] == "succeeded" and row["received_on"] == received_on:
            return
        if row["state"] != "open" or row["received_cents"]:
            raise TopUpEnded(state=row["state"])
        if actor is not None and actor == row["requested_by"]:
            raise SecondPersonNeeded
        if arrived_before_asked(received_on, row["requested_at"]):
            message = "Op deze dag was de storting nog niet aangevraagd."
            raise InvalidInput(errors=[{"path": "received_on", "message": message}])
        arrived = datetime.combine(received_on, time(), AMSTERDAM)
        reference, cents = row["reference"], row["amount_cents"]
        fact = MoneyFact(f"hand:{reference}", "received", reference, cents, "EUR", "transfer", arrived)
        await apply_facts(id, [fact], actor=actor)
        await execute("UPDATE payment SET confirmed_at = $2, confirmed_by = $3 WHERE id = $1", id, now(), actor)


async def confirm_by_reference(reference: str, received_on: date, *, amount_cents: int, actor: UUID | None) -> UUID:
    """Confirm the top-up that carries this reference, when exactly its amount arrived; the top-up's id.

    Raises:
        InvalidInput: the reference, the amount or the day is malformed.
        TopUpUnknown: no top-up carries the reference.
        AmountDiffers: another amount arrived; nothing is credited.
        SecondPersonNeeded: who asked for it cannot confirm it.
        TopUpEnded: it was cancelled, or confirmed with another day.
    """
    refuse([("amount_cents", cents_fault(amount_cents))])
    row = await fetch_one(PAYMENT + "WHERE reference = $1", compact(reference))
    if row is None:
        raise TopUpUnknown(reference=reference)
    if row["amount_cents"] != amount_cents:
        raise AmountDiffers(expected_cents=row["amount_cents"], received_cents=amount_cents)
    top_up: UUID = row["id"]
    await confirm_top_up(top_up, received_on, actor=actor)
    return top_up


async def cancel_top_up(id: UUID, *, actor: UUID | None) -> None:  # noqa: A002 - as above
    """Withdraw a top-up by bank transfer of which nothing arrived. Again has no effect.

    Money that arrives under its reference all the same is credited: it is the organisation's.

    Raises:
        TopUpUnknown: there is no such top-up.
        TopUpEnded: its money arrived, or it is paid through a gateway; that ends in other ways.
    """
    async with together():
        row = await lock_payment(id)
        if row["state"] == "cancelled":
            return
        if row["state"] != "open" or row["received_cents"] or row["gateway"] != "manual":
            raise TopUpEnded(state=row["state"])
        await execute("UPDATE payment SET cancelled_at = $2 WHERE id = $1", id, now())
        await restate(id)
        await record_audit(actor, "top_up_cancelled", "top_up", id)


async def trust(organisation: UUID, reason: str, *, id: UUID, actor: UUID | None) -> None:  # noqa: A002 - as above
    """Let this organisation's direct debits count at once, for a reason that an auditor can read.

    Raises:
        InvalidInput: the reason is malformed.
        PayerTrusted: it is trusted already.
        PayerUnknown: no such organisation.
    """
    refuse([("reason", text_fault(reason, REASON_LENGTH))])
    sql = "INSERT INTO payer_trust (id, organisation, reason, trusted_at, trusted_by) VALUES ($1, $2, $3, $4, $5)"
    async with together():
        await execute(sql, id, organisation, reason, now(), actor)
        await record_audit(actor, "payer_trusted", "organisation", organisation)


async def end_trust(organisation: UUID, *, actor: UUID | None) -> None:
    """Let this organisation's direct debits wait again. What counted stays counted. Again has no effect."""
    async with together():
        if await execute("DELETE FROM payer_trust WHERE organisation = $1", organisation):
            await record_audit(actor, "payer_trust_ended", "organisation", organisation)
