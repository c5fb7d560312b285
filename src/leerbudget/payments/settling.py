"""Settle between organisations what trainers earned: part of the actions of this room (R05)."""

from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import today
from leerbudget.foundation.database import fetch_all, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import accounts_of, record
from leerbudget.ledger.rules import TransferOrder, refuse
from leerbudget.payments.errors import MonthNotOver
from leerbudget.payments.rules import last_month_to_settle, month_fault
from leerbudget.payments.settlements import TO_SETTLE


async def settle_months(through: str | None = None, *, actor: UUID | None) -> int:
    """Move what trainers earned to the pots of the organisations that they work for; how many transfers were due.

    One transfer for each trainer and month (`YYYY-MM`), for every month up to `through` that was not settled yet;
    None: all that are over. The amounts come from transfers before the end of the month alone, and those are final
    by then: calling it at any time, several times at once or again after it was killed gives the same transfers.

    Raises:
        InvalidInput: no such month.
        MonthNotOver: the month is not over for a day yet.
    """
    refuse([("month", None if through is None else month_fault(through))])
    last = last_month_to_settle(today())
    if through is not None and through > last:
        raise MonthNotOver(month=through)
    async with together():
        rows = await fetch_all(TO_SETTLE, through or last)
        pots = await accounts_of("organisation_pot", {row["host"] for row in rows}, constrained=True)
        await record([_order(row, pots[row["host"]]) for row in rows], actor=actor)
    return len(rows)


def _order(row: Any, pot: UUID) -> TransferOrder:
    reason = f"Verrekening over {row['month']}"
    return TransferOrder(
        *(new_id(), "settlement", row["business_ref"], "posted", row["account"], pot, row["cents"]), reason=reason
    )
