"""Ask for, confirm and cancel top-ups: the only writer of these tables."""

from datetime import date
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now, today
from leerbudget.foundation.database import execute, fetch_one, together
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder, cents_fault, refuse
from leerbudget.payments.errors import (
    AmountDiffers,
    SecondPersonNeeded,
    TopUpEnded,
    TopUpKnown,
    TopUpOutOfBounds,
    TopUpUnknown,
)
from leerbudget.payments.rules import (
    arrival_fault,
    arrived_before_asked,
    compact,
    reference_of,
    top_up_faults,
    within_bounds,
)

_REQUEST = """
    INSERT INTO top_up (id, organisation, amount_cents, reference, purchase_order, state, requested_at, requested_by)
    VALUES ($1, $2, $3, $4, $5, 'requested', $6, $7) ON CONFLICT DO NOTHING
"""

_TOP_UP = """
    SELECT id, organisation, amount_cents, reference, purchase_order, state, requested_at, requested_by, received_on
    FROM top_up
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
    refuse(list(top_up_faults(amount_cents, purchase_order)))
    if not within_bounds(amount_cents):
        raise TopUpOutOfBounds(errors=[{"path": "amount_cents", "message": TopUpOutOfBounds.message_nl}])
    reference = reference_of(id)
    if not await execute(_REQUEST, id, organisation, amount_cents, reference, purchase_order, now(), actor):
        row = await fetch_one(_TOP_UP + "WHERE id = $1", id)
        asked = (organisation, amount_cents, purchase_order)
        if row is None or asked != (row["organisation"], row["amount_cents"], row["purchase_order"]):
            raise TopUpKnown
    return reference


async def confirm_top_up(
    id: UUID,  # noqa: A002 - as above
    received_on: date,
    *,
    actor: UUID | None,
) -> None:
    """Confirm that the money arrived: it moves from the bank to the organisation's pot, once.

    Somebody else than who asked for it confirms (four eyes); None is the system itself, for a bank import.
    The same confirmation again has no effect.

    Raises:
        InvalidInput: the day is malformed, still to come, or before the top-up was asked for.
        TopUpUnknown: there is no such top-up.
        SecondPersonNeeded: who asked for it cannot confirm it.
        TopUpEnded: it was cancelled, or confirmed with another day.
    """
    refuse([("received_on", arrival_fault(received_on, today()))])
    async with together():
        row = await _locked(id)
        if row["state"] != "requested":
            if row["state"] == "confirmed" and row["received_on"] == received_on:
                return
            raise TopUpEnded(state=row["state"])
        if actor is not None and actor == row["requested_by"]:
            raise SecondPersonNeeded
        if arrived_before_asked(received_on, row["requested_at"]):
            message = "Op deze dag was de storting nog niet aangevraagd."
            raise InvalidInput(errors=[{"path": "received_on", "message": message}])
        await execute(
            "UPDATE top_up SET state = 'confirmed', received_on = $2, confirmed_at = $3, confirmed_by = $4"
            " WHERE id = $1 AND state = 'requested'",
            id,
            received_on,
            now(),
            actor,
        )
        bank = await account_of("bank", None, constrained=False)
        pot = await account_of("organisation_pot", row["organisation"], constrained=True)
        order = TransferOrder(new_id(), "top_up", row["reference"], "posted", bank, pot, row["amount_cents"])
        await record([order], actor=actor)


async def _locked(id: UUID) -> Any:  # noqa: A002 - as above
    row = await fetch_one(_TOP_UP + "WHERE id = $1 FOR NO KEY UPDATE", id)
    if row is None:
        raise TopUpUnknown(id=id)
    return row


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
    row = await fetch_one(_TOP_UP + "WHERE reference = $1", compact(reference))
    if row is None:
        raise TopUpUnknown(reference=reference)
    if row["amount_cents"] != amount_cents:
        raise AmountDiffers(expected_cents=row["amount_cents"], received_cents=amount_cents)
    top_up: UUID = row["id"]
    await confirm_top_up(top_up, received_on, actor=actor)
    return top_up


async def cancel_top_up(id: UUID, *, actor: UUID | None) -> None:  # noqa: A002 - as above
    """Withdraw a top-up that was not confirmed. Again has no effect.

    Raises:
        TopUpUnknown: there is no such top-up.
        TopUpEnded: its money arrived; that is returned by a correction, not by cancelling.
    """
    async with together():
        row = await _locked(id)
        if row["state"] == "confirmed":
            raise TopUpEnded(state="confirmed")
        if await execute("UPDATE top_up SET state = 'cancelled' WHERE id = $1 AND state = 'requested'", id):
            await record_audit(actor, "top_up_cancelled", "top_up", id)
