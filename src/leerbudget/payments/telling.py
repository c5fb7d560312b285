"""Notices about money to whom it belongs: part of the actions of this room.

What happened to a payment is told to the organisation's finance officers, what became of a payout to the trainer. Each
thing is told once: a notice names the money, so computing it again posts nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from leerbudget.bookings.telling import tell_about
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.identity.queries import emails_with_role
from leerbudget.notifications.actions import Notice, post_many

_PAYMENT = "SELECT id, organisation, reference, received_cents, held_until, released_at FROM payment "

_HAPPENED = """
    SELECT money_ref, coalesce(max(amount_cents) FILTER (WHERE kind IN ('dispute_opened', 'dispute_lost')), 0) AS disputed_cents,
           bool_or(kind = 'dispute_won') AS won, bool_or(kind = 'dispute_lost') AS lost,
           coalesce(max(amount_cents) FILTER (WHERE kind = 'refunded'), 0) AS refunded_cents
    FROM payment_fact WHERE payment = $1 GROUP BY money_ref ORDER BY money_ref
"""

News = tuple[str, str, dict[str, Any]]
"""Kind of notice, what it is about, and what its words need."""


async def tell_payer(payment: UUID) -> None:
    """Tell an organisation what happened to its money by now: received, waiting, called back, given back.

    What a family pays itself is told with its booking.
    """
    row = await fetch_one(_PAYMENT + "WHERE id = $1", payment)
    if row is not None and row["organisation"] is not None and row["received_cents"]:
        news = list(_news(row, await fetch_all(_HAPPENED, payment)))
        await _post(await _officers(row["organisation"]), news)


async def tell_payee(line: Any, state: str) -> None:
    """Tell who a payout line is for that it was paid, or could not be; another state is no news."""
    if line["purpose"] == "trainer" and state in _TO_TRAINERS:
        context = {"link": "/mijn-rekening", "amount_cents": line["amount_cents"]}
        found = await emails_with_role("trainer", scopes=[line["subject"]])
        await _post(found.get(line["subject"], []), [(_TO_TRAINERS[state], str(line["id"]), context)])
    elif (line["purpose"], state) == ("refund", "booked"):
        row = await fetch_one(
            _PAYMENT + "WHERE id = (SELECT payment FROM payment_attempt WHERE id = $1)", line["subject"]
        )
        if row is not None and row["organisation"] is not None:
            news = [("refund_paid", str(line["id"]), _about(row, line["amount_cents"]))]
            await _post(await _officers(row["organisation"]), news)


async def tell_stuck(payment: Any, cents: int, refund: str) -> None:
    """Tell a family that its own money could not go back by itself; what an organisation is owed stands on its page."""
    if payment["booking"] is not None:
        back = {payment["booking"]: cents}
        await tell_about([payment["booking"]], "own_money_stuck", returned_cents=back, event=refund)


async def tell_paid_back(payment: Any, cents: int, entry: UUID) -> None:
    """Tell who paid that one of us transferred what could not go back by itself."""
    if payment["booking"] is not None:
        back = {payment["booking"]: cents}
        await tell_about([payment["booking"]], "own_money_paid", returned_cents=back, event=str(entry))
    elif payment["organisation"] is not None:
        news = [("refund_paid", str(entry), _about(payment, cents))]
        await _post(await _officers(payment["organisation"]), news)


_TO_TRAINERS = {"booked": "payout_paid", "rejected": "payout_rejected", "returned": "payout_rejected"}


def _news(row: Any, happened: Sequence[Any]) -> Iterator[News]:
    called_back = False
    for each in happened:
        if each["disputed_cents"]:
            called_back = called_back or not each["won"]
            kind = "call_back_won" if each["won"] else "call_back_lost" if each["lost"] else "call_back_opened"
            yield kind, each["money_ref"], _about(row, each["disputed_cents"])
        if each["refunded_cents"]:
            yield "refund_paid", each["money_ref"], _about(row, each["refunded_cents"])
    if called_back:
        return
    if row["held_until"] is not None and row["released_at"] is None:
        counts_on = row["held_until"].astimezone(AMSTERDAM).date()
        yield "top_up_held", row["reference"], {**_about(row, row["received_cents"]), "counts_on": str(counts_on)}
    else:
        yield "top_up_received", f"{row['reference']}:{row['received_cents']}", _about(row, row["received_cents"])


def _about(row: Any, cents: int) -> dict[str, Any]:
    return {"link": f"/organisatie/stortingen/{row['id']}", "amount_cents": cents, "reference": row["reference"]}


async def _officers(organisation: UUID) -> list[str]:
    """The organisation's finance officers; where there is none, its administrators."""
    for role in ("organisation_finance", "organisation_admin"):
        found = await emails_with_role(role, scopes=[organisation])
        if found:
            return found[organisation]
    return []


async def _post(addresses: Sequence[str], news: Sequence[News]) -> None:
    await post_many(
        [
            Notice(kind=kind, business_ref=ref, address=address, context=context)
            for address in addresses
            for kind, ref, context in news
        ]
    )
