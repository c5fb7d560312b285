"""Read the bank side: what a person must look at, the payouts, and what does not fit between bank and books."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.foundation.money import euros
from leerbudget.payments.bank_errors import PayoutEnded, PayoutUnknown


@dataclass(frozen=True, slots=True)
class UnmatchedEntry:
    """A bank entry of which nobody knows what it is for. `direction`: `in` or `out`; `suspense_cents`: how much of it."""

    id: UUID
    bank_ref: str
    direction: str
    amount_cents: int
    suspense_cents: int
    booked_on: date
    party_name: str | None
    party_iban: str | None
    note: str | None
    reference: str | None
    return_reason: str | None


@dataclass(frozen=True, slots=True)
class PayoutView:
    """A payout. `open_cents` is under way: approved, and neither booked nor come back."""

    id: UUID
    state: str
    execution_on: date
    lines: int
    amount_cents: int
    open_cents: int
    rejected: int
    drafted_at: datetime
    drafted_by: UUID
    decided_by: UUID | None


@dataclass(frozen=True, slots=True)
class LineView:
    """One payment of a payout. `bank_reason` is the bank's code when it was rejected or came back."""

    id: UUID
    purpose: str
    payee_name: str
    iban: str
    amount_cents: int
    state: str
    bank_reason: str | None


@dataclass(frozen=True, slots=True)
class PayoutAccountView:
    """A bank account that a trainer gave. It counts when it is confirmed and not ended."""

    id: UUID
    trainer: UUID
    iban: str
    holder_name: str
    proposed_at: datetime
    proposed_by: UUID | None
    confirmed_at: datetime | None


_UNMATCHED = """
    SELECT id, bank_ref, direction, amount_cents, suspense_cents, booked_on, party_name, party_iban, note, reference, return_reason
    FROM bank_entry WHERE state = 'suspense' ORDER BY booked_on, bank_ref
"""

PAYOUTS = """
    SELECT p.id, p.state, p.execution_on, count(l.id) AS lines, coalesce(sum(l.amount_cents), 0)::bigint,
           coalesce(sum(l.amount_cents) FILTER (WHERE l.state IN ('approved', 'accepted')), 0)::bigint,
           count(l.id) FILTER (WHERE l.state IN ('rejected', 'returned')), p.drafted_at, p.drafted_by, p.decided_by
    FROM payout p LEFT JOIN payout_line l ON l.payout = p.id {where}
    GROUP BY p.id ORDER BY p.drafted_at DESC, p.id DESC
"""
"""Payouts as `PayoutView` has them; `where` chooses."""

_ACCOUNTS = """
    SELECT id, trainer, iban, holder_name, proposed_at, proposed_by, confirmed_at FROM payout_account
    WHERE ended_at IS NULL
"""
_ACCOUNTS_OF = f"{_ACCOUNTS} AND trainer = $1 ORDER BY proposed_at DESC, id DESC"
_ACCOUNTS_TO_CONFIRM = f"{_ACCOUNTS} AND confirmed_at IS NULL ORDER BY proposed_at DESC, id DESC"

_LINES = """
    SELECT id, purpose, payee_name, iban, amount_cents, state, bank_reason FROM payout_line
    WHERE payout = $1 ORDER BY payee_name, id
"""

# What every transfer that names a bank entry does to the bank and to suspense, against what the entry's state asks for.
_WRONG_ENTRIES = """
    WITH named AS (
        SELECT CASE WHEN t.kind = 'top_up' THEN substring(t.business_ref FROM position(':bank:' IN t.business_ref) + 1)
                    ELSE regexp_replace(regexp_replace(t.business_ref, '^manual:', ''), ':rest$', '') END AS ref, t.*
        FROM transfer t
        WHERE t.kind IN ('entry_explained', 'payout_booked', 'payout_returned')
           OR t.kind = 'unmatched' AND t.business_ref LIKE ANY (ARRAY['bank:%', 'manual:bank:%'])
           OR t.kind = 'top_up' AND t.business_ref LIKE '%:bank:%'
    ), moved AS (
        SELECT n.ref, sum(CASE WHEN d.kind = 'bank' THEN n.amount_cents WHEN c.kind = 'bank' THEN -n.amount_cents
                               ELSE 0 END)::bigint AS bank,
               sum(CASE WHEN c.kind = 'suspense' THEN n.amount_cents WHEN d.kind = 'suspense' THEN -n.amount_cents
                        ELSE 0 END)::bigint AS suspense
        FROM named n JOIN account d ON d.id = n.debit JOIN account c ON c.id = n.credit GROUP BY n.ref
    ), entry AS (
        SELECT 'bank:' || iban || ':' || bank_ref AS ref, state,
               CASE WHEN direction = 'in' THEN 1 ELSE -1 END * CASE
                   WHEN state = 'read' THEN 0 WHEN state = 'known' THEN amount_cents - suspense_cents
                   ELSE amount_cents END AS bank,
               CASE WHEN direction = 'in' THEN 1 ELSE -1 END
                   * CASE WHEN state IN ('suspense', 'sent_back', 'gateway') THEN suspense_cents ELSE 0 END AS suspense
        FROM bank_entry
    )
    SELECT coalesce(e.ref, m.ref) AS business_ref,
           CASE WHEN e.ref IS NULL THEN 'staat in de boeken, maar op geen afschrift'
                WHEN m.ref IS NULL THEN 'staat op een afschrift, maar niet in de boeken'
                WHEN m.bank <> e.bank THEN 'heeft in de boeken een ander bedrag bij de bank'
                ELSE 'heeft in de boeken een ander bedrag op de tussenrekening' END AS trouble
    FROM entry e FULL JOIN moved m ON m.ref = e.ref
    WHERE e.ref IS NULL OR coalesce(m.bank, 0) <> e.bank OR coalesce(m.suspense, 0) <> e.suspense
       OR (m.ref IS NULL AND e.state <> 'read')
    ORDER BY 1 LIMIT $1
"""

# The fact by which a payment knows of an entry.
_WRONG_MATCHES = """
    SELECT coalesce(f.key, e.key) AS business_ref
    FROM (SELECT 'bank:' || iban || ':' || bank_ref AS key, payment, amount_cents FROM bank_entry
          WHERE payment IS NOT NULL AND direction = 'in') e
    FULL JOIN (SELECT key, payment, amount_cents FROM payment_fact WHERE gateway = 'manual' AND key LIKE 'bank:%') f
      USING (key)
    WHERE (e.payment, e.amount_cents) IS DISTINCT FROM (f.payment, f.amount_cents) ORDER BY 1 LIMIT $1
"""

_WRONG_LINES = """
    WITH moved AS (
        SELECT t.business_ref, array_agg(t.kind::text ORDER BY t.kind) AS kinds, min(t.amount_cents) AS least,
               max(t.amount_cents) AS most
        FROM transfer t WHERE t.kind IN ('payout', 'payout_undone') GROUP BY t.business_ref
    ), line AS (
        SELECT 'payout:' || id AS business_ref, amount_cents,
               CASE WHEN state IN ('drafted', 'cancelled') THEN ARRAY[]::text[]
                    WHEN state IN ('rejected', 'returned') THEN ARRAY['payout', 'payout_undone']
                    ELSE ARRAY['payout'] END AS kinds
        FROM payout_line
    )
    SELECT coalesce(l.business_ref, m.business_ref) AS business_ref
    FROM line l FULL JOIN moved m ON m.business_ref = l.business_ref
    WHERE l.business_ref IS NULL OR coalesce(m.kinds, ARRAY[]::text[]) <> l.kinds
       OR (m.kinds IS NOT NULL AND (m.least <> l.amount_cents OR m.most <> l.amount_cents))
    ORDER BY 1 LIMIT $1
"""

_UNDER_WAY = """
    SELECT (SELECT coalesce(sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END), 0)
            FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) WHERE a.kind = 'payout_clearing')::bigint,
           (SELECT coalesce(sum(amount_cents), 0) FROM payout_line WHERE state IN ('approved', 'accepted'))::bigint
"""


async def unmatched() -> list[UnmatchedEntry]:
    """The bank entries that a person must look at, oldest first."""
    return [UnmatchedEntry(*row) for row in await fetch_all(_UNMATCHED)]


async def payouts() -> list[PayoutView]:
    """Every payout, latest first."""
    return [PayoutView(*row) for row in await fetch_all(PAYOUTS.format(where=""))]


async def lines_of(payout: UUID) -> list[LineView]:
    """The payments of a payout.

    Raises:
        PayoutUnknown: no such payout.
    """
    found = [LineView(*row) for row in await fetch_all(_LINES, payout)]
    if not found:
        raise PayoutUnknown(id=payout)
    return found


async def file_of(payout: UUID) -> bytes:
    """The file for the bank, the same each time: a bank refuses one that it had.

    Raises:
        PayoutUnknown: no such payout.
        PayoutEnded: it is not approved. `state` says how it stands.
    """
    row = await fetch_one("SELECT state, file FROM payout WHERE id = $1", payout)
    if row is None:
        raise PayoutUnknown(id=payout)
    if row["file"] is None:
        raise PayoutEnded(state=row["state"])
    file: bytes = row["file"]
    return file


async def payout_accounts(trainer: UUID) -> list[PayoutAccountView]:
    """The bank accounts that a trainer gave and that were not ended, latest first."""
    return [PayoutAccountView(*row) for row in await fetch_all(_ACCOUNTS_OF, trainer)]


async def unconfirmed_accounts() -> list[PayoutAccountView]:
    """The bank accounts that somebody must confirm, latest first."""
    return [PayoutAccountView(*row) for row in await fetch_all(_ACCOUNTS_TO_CONFIRM)]


async def bank_troubles(limit: int) -> list[str]:
    """What does not fit between bank entries, payouts and the books, in plain Dutch; at most `limit` of a kind.

    Inside one look of the auditor (`ledger.queries.one_long_look`).
    """
    found = [f"Bankregel {row['business_ref']} {row['trouble']}." for row in await fetch_all(_WRONG_ENTRIES, limit)]
    found += [
        f"Bankregel {row['business_ref']} en haar betaling zeggen niet hetzelfde."
        for row in await fetch_all(_WRONG_MATCHES, limit)
    ]
    found += [
        f"Uitbetaling {row['business_ref']} heeft niet de mutaties die erbij horen."
        for row in await fetch_all(_WRONG_LINES, limit)
    ]
    row = await fetch_one(_UNDER_WAY)
    if row is not None and row[0] != row[1]:
        found.append(f"Onderweg naar trainers is {euros(row[0])} in de boeken, maar {euros(row[1])} in uitbetalingen.")
    return found
