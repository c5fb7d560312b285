"""What a payer owes after a payment was called back: part of the actions of this room.

It is taken from what is free in the organisation's own pot (or is left of what a family paid itself), and from nothing else
by itself: money that families were granted, and their confirmed places, stay theirs. What that cannot cover stays owed.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.errors import NeverOverspent
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.telling import tell_payer

_OWED = """
    SELECT coalesce(sum(CASE WHEN t.debit = $1 THEN t.amount_cents ELSE -t.amount_cents END), 0)::bigint
    FROM transfer t WHERE $1 IN (t.debit, t.credit) AND t.phase = 'posted'
"""

_FREE = """
    SELECT credits_posted_cents - debits_posted_cents - debits_pending_cents FROM account WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: an organisation, or the family of one payment (`owner` is then that payment).

    `pot` and `receivable`: the kinds of its accounts for what came in, and for what it owes.
    """

    owner: UUID
    pot: str
    receivable: str

    async def pot_account(self) -> UUID:
        """The account that its money comes in at."""
        return await account_of(self.pot, self.owner, constrained=True)

    async def receivable_account(self) -> UUID:
        """The account of what it owes."""
        return await account_of(self.receivable, self.owner, constrained=False)


def organisation_payer(organisation: UUID) -> Payer:
    """The payer that an organisation is."""
    return Payer(organisation, "organisation_pot", "organisation_receivable")


def payer_of(row: Any) -> Payer:
    """The payer of a payment's row."""
    if row["organisation"] is None:
        return Payer(row["id"], "own_payment", "own_receivable")
    return organisation_payer(row["organisation"])


async def lock_payer(payer: Payer) -> None:
    """Let nobody else work on this payer's payments until the transaction ends."""
    await fetch_value("SELECT pg_advisory_xact_lock(hashtextextended('payer ' || $1, 0))::text", str(payer.owner))


async def even_out(payer: Payer) -> int:
    """Cover what the payer owes from its pot, or put back what was covered and is not owed after all.

    The cents that moved towards what it owes; less than zero: back into the pot. The caller holds the
    payer's lock.
    """
    found = await fetch_one("SELECT id FROM account WHERE kind = $1 AND owner = $2", payer.receivable, payer.owner)
    if found is None:
        return 0
    owed: int = await fetch_value(_OWED, found["id"])
    pot = await payer.pot_account()
    cents = owed if owed <= 0 else min(owed, await fetch_value(_FREE, pot))
    if cents == 0:
        return 0
    times = await fetch_value(
        "SELECT count(*) FROM transfer WHERE kind = 'recovery' AND $1 IN (debit, credit)", found["id"]
    )
    debit, credit = (pot, found["id"]) if cents > 0 else (found["id"], pot)
    ref = f"recovery:{payer.owner}:{times + 1}"
    try:
        async with together():
            await record([TransferOrder(new_id(), "recovery", ref, "posted", debit, credit, abs(cents))], actor=None)
    except NeverOverspent:  # a grant took it from the pot at this very moment; the job comes back for the rest
        return 0
    return cents


async def even_out_all() -> int:
    """Cover what every payer owes from what came into its pot meanwhile; how many cents moved."""
    owners = await fetch_all("SELECT kind, owner FROM account WHERE kind = ANY($1) ORDER BY owner", list(_POTS))
    moved = 0
    for row in owners:
        payer = Payer(row["owner"], _POTS[row["kind"]], row["kind"])
        async with together():
            await lock_payer(payer)
            moved += abs(await even_out(payer))
    return moved


_POTS = {"organisation_receivable": "organisation_pot", "own_receivable": "own_payment"}


_DUE = """
    SELECT p.id, p.organisation FROM payment p
    WHERE p.held_until <= $1 AND p.released_at IS NULL
      AND NOT EXISTS (SELECT FROM payment_fact o WHERE o.payment = p.id AND o.kind = 'dispute_opened'
                      AND NOT EXISTS (SELECT FROM payment_fact e WHERE e.payment = p.id AND e.money_ref = o.money_ref
                                      AND e.kind IN ('dispute_won', 'dispute_lost')))
    ORDER BY p.held_until, p.id
"""

# What of a payment is still held: what came in, less what was called back and not returned.
_HELD = """
    SELECT coalesce(sum(CASE WHEN t.credit = $2 THEN t.amount_cents ELSE -t.amount_cents END), 0)::bigint
    FROM transfer t
    WHERE $2 IN (t.debit, t.credit) AND (
      (t.kind = 'top_up' AND split_part(t.business_ref, ':', 1) = (SELECT reference FROM payment WHERE id = $1))
      OR (t.kind = 'dispute' AND regexp_replace(t.business_ref, ':(taken|returned)$', '') IN
          (SELECT money_ref FROM payment_fact WHERE payment = $1)))
"""


async def release_held() -> int:
    """Move direct debits that can no longer be called back into the pots; how many payments were released.

    One that is disputed waits for the end of it; one that was lost releases what is left, if anything.
    """
    released = 0
    for row in await fetch_all(_DUE, now()):
        released += await _release(row["id"], row["organisation"])
    return released


async def _release(payment: UUID, organisation: UUID) -> int:
    async with together():
        if not await fetch_all("SELECT id FROM payment WHERE id = $1 FOR NO KEY UPDATE", payment):
            return 0
        await lock_payer(organisation_payer(organisation))
        still_due = {row["id"] for row in await fetch_all(_DUE, now())}
        if payment not in still_due:
            return 0
        held = await account_of("organisation_held", organisation, constrained=True)
        pot = await account_of("organisation_pot", organisation, constrained=True)
        cents = await fetch_value(_HELD, payment, held)
        if cents:
            order = TransferOrder(new_id(), "hold_release", f"release:{payment}", "posted", held, pot, cents)
            await record([order], actor=None)
        await execute("UPDATE payment SET released_at = $2 WHERE id = $1", payment, now())
        await even_out(organisation_payer(organisation))
        await tell_payer(payment)
    return 1
