"""Messages of gateways, and looking at the payments that they are about. Part of the actions of this room.

A message is judged, noted once and answered; what it is about is looked at afterwards, by asking its gateway. So a lost,
late, double or old message does no harm, and a message that nobody sent does nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.foundation.errors import Busy, LeerbudgetError
from leerbudget.ledger.actions import account_of
from leerbudget.payments.errors import EventRefused, GatewayRefused, GatewaySilent, GatewayUnknown
from leerbudget.payments.facts import PAYMENT, apply_facts, lock_payment, move, restate
from leerbudget.payments.gateways import EventNotice, Gateway, Sighting
from leerbudget.payments.tasks import open_task

EVENT_BYTES_MAX = 512 * 1024

NEVER_HEARD = timedelta(days=14)
"""How far back messages are asked for where none ever came."""

_NOTE = """
    INSERT INTO payment_event (id, gateway, event_id, kind, gateway_ref, received_at, try_after, looked_at)
    SELECT uuidv7(), $1, e.*, $2::timestamptz, $2, CASE WHEN e.gateway_ref IS NULL THEN $2 END
    FROM unnest($3::text[], $4::text[], $5::text[]) AS e(event_id, kind, gateway_ref)
    ON CONFLICT DO NOTHING
"""


async def receive(gateways: Mapping[str, Gateway], name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Judge and note a message; it is looked at later. The same message again has no effect.

    Raises:
        GatewayUnknown: there is no such gateway here.
        EventRefused: it is too large, forged, too old or malformed.
    """
    gateway = gateways.get(name)
    if gateway is None:
        raise GatewayUnknown
    if len(body) > EVENT_BYTES_MAX:
        raise EventRefused("too_large")
    await note(name, [gateway.verify(body, headers, at=now())])


async def note(gateway: str, notices: Sequence[EventNotice]) -> int:
    """Note genuine messages; how many were not known."""
    columns = [[getattr(each, name) for each in notices] for name in ("event_id", "kind", "gateway_ref")]
    return await execute(_NOTE, gateway, now(), *columns)


_DUE = """
    SELECT gateway, gateway_ref, max(tries) AS tries, array_agg(id) AS ids FROM payment_event
    WHERE looked_at IS NULL AND try_after <= $1 GROUP BY gateway, gateway_ref ORDER BY min(received_at), gateway_ref LIMIT $2
"""


async def look_at_messages(gateways: Mapping[str, Gateway], *, at_most: int = 100) -> int:
    """Look at every payment that messages are about; how many were looked at.

    Several messages about one payment are one look. What goes wrong is tried again, each time a little later; what the
    gateway says it does not know is told to a person.
    """
    looked = 0
    for row in await fetch_all(_DUE, now(), at_most):
        gateway = gateways.get(row["gateway"])
        if gateway is None:
            continue
        try:
            await look_at(gateway, row["gateway_ref"])
        except GatewayRefused as refusal:  # asking again gives the same answer: a person looks
            await open_task("discrepancy", f"{row['gateway']}:{row['gateway_ref']}:{refusal.reason}", 0)
        except LeerbudgetError as fault:
            await _later(row, type(fault).code)
            continue
        await execute(
            "UPDATE payment_event SET looked_at = $2, fault = NULL WHERE id = ANY($1::uuid[])", row["ids"], now()
        )
        looked += 1
    return looked


async def _later(row: Any, fault: str) -> None:
    wait = timedelta(seconds=min(3600, 10 * 2 ** min(row["tries"], 10)))
    sql = "UPDATE payment_event SET tries = tries + 1, try_after = $2, fault = $3 WHERE id = ANY($1::uuid[])"
    await execute(sql, row["ids"], now() + wait, fault)


async def look_at(gateway: Gateway, gateway_ref: str) -> int:
    """Ask a gateway what became of a payment and note it; how many facts were fresh.

    Raises:
        GatewayRefused: it does not know the payment.
        GatewaySilent: no answer.
    """
    seen = await gateway.fetch(gateway_ref)
    payment = await _ours(gateway.name, seen)
    if payment is None:
        await _stranger(gateway.name, seen)
        return 0
    return await apply_facts(payment, seen.facts)


async def _ours(gateway: str, seen: Sighting) -> UUID | None:
    """Which payment this is: the one that this gateway knows by this name, or one whose answer got lost."""
    row = await fetch_one(PAYMENT + "WHERE gateway = $1 AND gateway_ref = $2", gateway, seen.gateway_ref)
    if row is not None:
        return row["id"] if seen.payment in (None, row["id"]) else None
    if seen.payment is None:
        return None
    async with together():
        row = await fetch_one(PAYMENT + "WHERE id = $1", seen.payment)
        if row is None or row["gateway"] != gateway or row["gateway_ref"] is not None:
            return None
        await lock_payment(seen.payment)
        sql = "UPDATE payment SET gateway_ref = $2 WHERE id = $1 AND gateway_ref IS NULL"
        await execute(sql, seen.payment, seen.gateway_ref)
        await restate(seen.payment)
    return seen.payment


async def _stranger(gateway: str, seen: Sighting) -> None:
    """Money for something that is not ours: it is set apart, a person looks, and no pot is touched."""
    for fact in seen.facts:
        if fact.kind != "received":
            continue
        async with together():
            await open_task("stranger", f"{gateway}:{fact.key}", fact.amount_cents)
            if fact.currency == "EUR":
                clearing = await account_of("gateway_clearing", None, constrained=False)
                suspense = await account_of("suspense", None, constrained=False)
                await move("unmatched", f"{gateway}:{fact.key}", clearing, suspense, fact.amount_cents)


_UNFINISHED = """
    SELECT id, gateway, gateway_ref FROM payment
    WHERE gateway <> 'manual' AND gateway_ref IS NOT NULL AND state IN ('open', 'processing', 'cancelled')
      AND requested_at BETWEEN $1 AND $2
    ORDER BY requested_at, id
"""


async def look_at_unfinished(gateways: Mapping[str, Gateway]) -> int:
    """Look at every payment of more than a quarter of an hour ago that did not end: its message may be lost.

    How many facts were fresh. A payment is looked at for twenty days; a direct debit takes at most fourteen.
    """
    at, fresh = now(), 0
    for row in await fetch_all(_UNFINISHED, at - timedelta(days=20), at - timedelta(minutes=15)):
        gateway = gateways.get(row["gateway"])
        if gateway is None:
            continue
        try:
            fresh += await look_at(gateway, row["gateway_ref"])
        except GatewaySilent:
            break
        except Busy:  # ours for a moment, and nothing to tell: it is looked at again in ten minutes
            continue
        except LeerbudgetError as fault:
            await open_task(
                "discrepancy", f"{row['gateway']}:{row['gateway_ref']}:{type(fault).code}", 0, payment=row["id"]
            )
    return fresh


_CURSOR = "SELECT max(received_at) AS at FROM payment_event WHERE gateway = $1"


async def catch_up(gateway: Gateway) -> int:
    """Ask for the messages since the last one, and a day before it; how many were not known.

    Raises:
        GatewaySilent: no answer.
    """
    row = await fetch_one(_CURSOR, gateway.name)
    last = row["at"] if row is not None and row["at"] is not None else now() - NEVER_HEARD
    return await note(gateway.name, await gateway.events_since(last - timedelta(days=1)))
