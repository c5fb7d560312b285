"""Open accounts and record transfers: the only writers of the books."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.errors import AccountKnown, AlreadyResolved, TransferKnown
from leerbudget.ledger.rules import AccountOrder, TransferOrder, refuse, transfer_faults

_OPEN = """
    INSERT INTO account (id, kind, owner, constrained, opened_at)
    SELECT id, kind, owner, constrained, $5
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::boolean[]) AS wanted(id, kind, owner, constrained)
    ORDER BY kind, owner
    ON CONFLICT DO NOTHING
"""

_KNOWN_ACCOUNTS = """
    SELECT id, kind, owner, constrained FROM account
    WHERE kind = $1 AND (owner = ANY($2::uuid[]) OR (owner IS NULL AND $3))
"""

# In one order for everybody: two callers with the same events wait for each other once, never in a circle.
_RECORD = """
    INSERT INTO transfer (id, kind, business_ref, phase, debit, credit, amount_cents, resolves, expires_at, reason,
                          at, actor)
    SELECT wanted.*, $11, $12
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::uuid[],
                $9::timestamptz[], $10::text[])
         AS wanted(id, kind, business_ref, phase, debit, credit, amount_cents, resolves, expires_at, reason)
    ORDER BY kind, business_ref
    ON CONFLICT DO NOTHING
"""

_RECORDED = """
    SELECT t.kind, t.business_ref, t.phase, t.debit, t.credit, t.amount_cents, t.resolves, t.expires_at, t.reason
    FROM transfer t JOIN unnest($1::text[], $2::text[]) AS wanted(kind, business_ref) USING (kind, business_ref)
"""


async def open_accounts(orders: Sequence[AccountOrder]) -> None:
    """Open accounts. The same order again has no effect.

    Raises:
        AccountKnown: the owner has another account of this kind, or the id is another account's.
        AccountKindUnknown: there is no such kind.
    """
    if not orders:
        return
    columns = [[getattr(order, name) for order in orders] for name in ("id", "kind", "owner", "constrained")]
    async with together():
        if await execute(_OPEN, *columns, now()) == len(orders):
            return
        ids = [order.id for order in orders]
        rows = await fetch_all("SELECT id, kind, owner, constrained FROM account WHERE id = ANY($1::uuid[])", ids)
        known = {AccountOrder(*row) for row in rows}
        for order in orders:
            if order not in known:
                raise AccountKnown(kind=order.kind, owner=order.owner)


async def accounts_of(kind: str, owners: Collection[UUID | None], *, constrained: bool) -> dict[UUID | None, UUID]:
    """The account of every owner, opened where there was none; safe when many ask at once.

    Raises:
        AccountKnown: one exists with the other `constrained`.
        AccountKindUnknown: there is no such kind.
    """
    found = await _find(kind, owners, constrained=constrained)
    missing = [owner for owner in owners if owner not in found]
    if missing:
        fresh = [new_id() for _ in missing]
        width = len(missing)
        await execute(_OPEN, fresh, [kind] * width, missing, [constrained] * width, now())
        found = await _find(kind, owners, constrained=constrained)
    return found


async def account_of(kind: str, owner: UUID | None, *, constrained: bool) -> UUID:
    """The account of one owner (None: the house's own), opened when there was none.

    Raises:
        AccountKnown: it exists with the other `constrained`.
        AccountKindUnknown: there is no such kind.
    """
    return (await accounts_of(kind, [owner], constrained=constrained))[owner]


async def _find(kind: str, owners: Collection[UUID | None], *, constrained: bool) -> dict[UUID | None, UUID]:
    named = [owner for owner in owners if owner is not None]
    rows = await fetch_all(_KNOWN_ACCOUNTS, kind, named, None in owners)
    for row in rows:
        if row["constrained"] is not constrained:
            raise AccountKnown(kind=kind, owner=row["owner"])
    return {row["owner"]: row["id"] for row in rows}


async def record(orders: Sequence[TransferOrder], *, actor: UUID | None) -> None:
    """Record transfers: all or none. An event that was recorded before with the same content has no effect.

    One insert statement for all orders; the database counts, and takes the locks of constrained accounts
    in ascending id order.

    Raises:
        InvalidInput: an order is malformed; nothing was asked of the database.
        NeverOverspent: a constrained account cannot pay this.
        TransferKnown: the event, or the id, was recorded with another content.
        AlreadyResolved: a reservation was resolved by another event.
        ResolutionDoesNotFit: no such reservation, other accounts, or more than was reserved.
        AccountUnknown: an account was never opened.
    """
    if not orders:
        return
    refuse([fault for place, order in enumerate(orders) for fault in transfer_faults(order, f"{place}.")])
    names = TransferOrder.__slots__
    columns = [[getattr(order, name) for order in orders] for name in names]
    async with together():
        if await execute(_RECORD, *columns, now(), actor) != len(orders):
            await _only_repeats(orders)


async def _only_repeats(orders: Sequence[TransferOrder]) -> None:
    """Some orders were not inserted: fine when each stands in the books with the same content."""
    rows = await fetch_all(_RECORDED, [order.kind for order in orders], [order.business_ref for order in orders])
    known: dict[tuple[str, str], tuple[Any, ...]] = {(row[0], row[1]): tuple(row)[2:] for row in rows}
    for order in orders:
        content = known.get((order.kind, order.business_ref))
        if content is None and order.resolves is not None and await _is_resolved(order.resolves):
            raise AlreadyResolved(reservation=order.resolves)
        if content != order.content():
            raise TransferKnown(kind=order.kind, business_ref=order.business_ref)


async def _is_resolved(reservation: UUID) -> bool:
    return bool(await fetch_all("SELECT id FROM transfer WHERE resolves = $1", reservation))
