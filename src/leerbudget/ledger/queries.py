"""Read the books: balances, the check that recomputes them, and the export for an auditor."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leerbudget.foundation.database import fetch_all, fetch_one, own_connection, together
from leerbudget.foundation.money import euros

MESSAGES_MAX = 50
"""Most messages per kind of trouble; a broken book needs a person, not a million lines."""

LONG_WORK_MINUTES = 30
"""How long a check or an export may take: years of transfers do not fit in a web request's limits."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Cents of one account: `posted` in minus out, `pending` reserved to go out, `free` what is left."""

    posted_cents: int
    pending_cents: int
    free_cents: int


@dataclass(frozen=True, slots=True)
class BookSize:
    """How many accounts and transfers there are, and the cents that entered through the bank."""

    accounts: int
    transfers: int
    banked_cents: int


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account as an auditor sees it."""

    id: UUID
    kind: str
    owner: UUID | None


@dataclass(frozen=True, slots=True)
class ExportedTransfer:
    """One transfer with both accounts, as exported. `number` rises with time; it may skip, never repeat."""

    number: int
    id: UUID
    at: datetime
    kind: str
    business_ref: str
    phase: str
    amount_cents: int
    debit: AccountName
    credit: AccountName
    resolves: UUID | None
    expires_at: datetime | None
    reason: str | None
    actor: UUID | None


_COUNTED = """
    SELECT id, credits_posted_cents - debits_posted_cents AS posted, debits_pending_cents AS pending, constrained
    FROM account WHERE id = ANY($1::uuid[])
"""

# What every account should show, from the transfers alone.
_RECOMPUTED = """
    SELECT account, sum(credits)::bigint AS credits, sum(debits)::bigint AS debits, sum(pending)::bigint AS pending
    FROM (
        SELECT t.debit AS account, 0 AS credits,
               CASE WHEN t.phase IN ('posted', 'post') THEN t.amount_cents ELSE 0 END AS debits,
               CASE WHEN t.phase = 'reserve' THEN t.amount_cents
                    WHEN t.resolves IS NOT NULL THEN -r.amount_cents ELSE 0 END AS pending
        FROM transfer t LEFT JOIN transfer r ON r.id = t.resolves
        WHERE $1::uuid[] IS NULL OR t.debit = ANY($1::uuid[])
        UNION ALL
        SELECT t.credit, t.amount_cents, 0, 0
        FROM transfer t WHERE t.phase IN ('posted', 'post') AND ($1::uuid[] IS NULL OR t.credit = ANY($1::uuid[]))
    ) sides GROUP BY account
"""

_WRONG_COUNTERS = f"""
    WITH recomputed AS ({_RECOMPUTED})
    SELECT a.id, a.kind,
           a.credits_posted_cents AS credits, a.debits_posted_cents AS debits, a.debits_pending_cents AS pending,
           coalesce(r.credits, 0) AS true_credits, coalesce(r.debits, 0) AS true_debits,
           coalesce(r.pending, 0) AS true_pending
    FROM account a LEFT JOIN recomputed r ON r.account = a.id
    WHERE a.constrained AND (a.credits_posted_cents, a.debits_posted_cents, a.debits_pending_cents)
          IS DISTINCT FROM (coalesce(r.credits, 0), coalesce(r.debits, 0), coalesce(r.pending, 0))
       OR NOT a.constrained AND (a.credits_posted_cents, a.debits_posted_cents, a.debits_pending_cents) <> (0, 0, 0)
    ORDER BY a.id LIMIT $2
"""

_OVERSPENT = f"""
    WITH recomputed AS ({_RECOMPUTED})
    SELECT a.id, a.kind, r.credits - r.debits - r.pending AS free
    FROM account a JOIN recomputed r ON r.account = a.id
    WHERE a.constrained AND r.credits < r.debits + r.pending ORDER BY a.id LIMIT $2
"""

_ZERO_SUM = f"""
    WITH recomputed AS ({_RECOMPUTED})
    SELECT coalesce(sum(r.credits) - sum(r.debits), 0)::bigint FROM recomputed r JOIN account a ON a.id = r.account
"""

_UNSOUND = """
    SELECT t.number, t.business_ref,
           CASE WHEN d.id IS NULL OR c.id IS NULL THEN 'noemt een rekening die niet bestaat'
                WHEN t.debit = t.credit THEN 'heeft twee keer dezelfde rekening'
                ELSE 'heeft geen positief bedrag' END AS trouble
    FROM transfer t LEFT JOIN account d ON d.id = t.debit LEFT JOIN account c ON c.id = t.credit
    WHERE d.id IS NULL OR c.id IS NULL OR t.debit = t.credit OR t.amount_cents <= 0
    ORDER BY t.number LIMIT $1
"""

_MISFITS = """
    SELECT t.number, t.business_ref,
           CASE WHEN t.resolves IS NULL THEN 'noemt geen reservering'
                WHEN r.id IS NULL THEN 'noemt een reservering die niet bestaat'
                WHEN r.phase <> 'reserve' THEN 'noemt een mutatie die geen reservering is'
                WHEN r.kind <> t.kind THEN 'is van een andere soort dan haar reservering'
                WHEN (r.debit, r.credit) <> (t.debit, t.credit) THEN 'noemt andere rekeningen dan haar reservering'
                ELSE 'past niet bij het gereserveerde bedrag' END AS trouble
    FROM transfer t LEFT JOIN transfer r ON r.id = t.resolves
    WHERE (t.phase IN ('post', 'void', 'expire')) <> (t.resolves IS NOT NULL)
       OR t.resolves IS NOT NULL AND (
           r.id IS NULL OR r.phase <> 'reserve' OR r.kind <> t.kind OR (r.debit, r.credit) <> (t.debit, t.credit)
           OR t.amount_cents > r.amount_cents OR (t.phase <> 'post' AND t.amount_cents <> r.amount_cents))
    ORDER BY t.number LIMIT $1
"""

_RESOLVED_TWICE = """
    SELECT r.number, r.business_ref, count(*) AS times FROM transfer t JOIN transfer r ON r.id = t.resolves
    GROUP BY r.number, r.business_ref HAVING count(*) > 1 ORDER BY r.number LIMIT $1
"""

_EXPORT = """
    SELECT t.number, t.id, t.at, t.kind, t.business_ref, t.phase, t.amount_cents, t.resolves, t.expires_at, t.reason,
           t.actor, t.debit, d.kind AS debit_kind, d.owner AS debit_owner,
           t.credit, c.kind AS credit_kind, c.owner AS credit_owner
    FROM transfer t JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit
    ORDER BY t.number
"""


async def balances(accounts: Collection[UUID]) -> dict[UUID, Balance]:
    """The balance of every account that exists.

    A constrained account is read from its counters; any other is added up from its transfers (the bank
    is negative: it paid the cents in).
    """
    counted = await fetch_all(_COUNTED, list(accounts))
    found = {row["id"]: _balance(row["posted"], row["pending"]) for row in counted}
    derived = [row["id"] for row in counted if not row["constrained"]]
    if derived:
        for row in await fetch_all(_RECOMPUTED, derived):
            if row["account"] in found:
                found[row["account"]] = _balance(row["credits"] - row["debits"], row["pending"])
    return found


async def find_accounts(kind: str, owners: Collection[UUID]) -> dict[UUID, UUID]:
    """The account of every owner that has one of this kind, by owner."""
    rows = await fetch_all(
        "SELECT owner, id FROM account WHERE kind = $1 AND owner = ANY($2::uuid[])", kind, list(owners)
    )
    return {row["owner"]: row["id"] for row in rows}


async def own_balance(kind: str) -> Balance:
    """The balance of an account that is nobody's but the programme's; zeros where there is none yet."""
    row = await fetch_one("SELECT id FROM account WHERE kind = $1 AND owner IS NULL", kind)
    return _balance(0, 0) if row is None else (await balances([row["id"]]))[row["id"]]


def _balance(posted: int, pending: int) -> Balance:
    return Balance(posted, pending, posted - pending)


async def book_size() -> BookSize:
    """The size of the books, for a person who asks whether the check looked at anything."""
    row = await fetch_one("""
        SELECT (SELECT count(*) FROM account) AS accounts, (SELECT count(*) FROM transfer) AS transfers,
               (SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'top_up') AS banked
    """)
    assert row is not None  # noqa: S101 - a select of aggregates always gives one row
    return BookSize(row["accounts"], row["transfers"], row["banked"])


@asynccontextmanager
async def one_long_look() -> AsyncIterator[None]:
    """One snapshot for a check of everything: it only reads, may take long and is planned for whole tables.

    Not inside another transaction. The transaction's own limit can only be switched off once it has begun
    (PostgreSQL keeps the running timer when the limit is raised); each statement keeps one.
    """
    async with together("repeatable_read", readonly=True) as connection:
        await connection.execute("SET LOCAL transaction_timeout = 0")
        await connection.execute(f"SET LOCAL statement_timeout = '{LONG_WORK_MINUTES}min'")
        # tables that were filled a moment ago have no statistics, and loops over them take for ever
        await connection.execute("SET LOCAL enable_nestloop = off")
        yield


async def check() -> list[str]:
    """What is wrong with the books, in plain Dutch; nothing when they balance. Reads only.

    Every balance is computed again from the transfers and compared with every counter (I1, I2), in one
    snapshot. Call it outside a transaction.
    """
    limit = MESSAGES_MAX
    async with one_long_look():
        unsound = await fetch_all(_UNSOUND, limit)
        misfits = await fetch_all(_MISFITS, limit)
        messages = [f"Mutatie {row['number']} ({row['business_ref']}) {row['trouble']}." for row in unsound + misfits]
        messages += [
            f"Reservering {row['number']} ({row['business_ref']}) is {row['times']} keer afgerond."
            for row in await fetch_all(_RESOLVED_TWICE, limit)
        ]
        messages += await _counter_troubles(limit)
    return messages


async def _counter_troubles(limit: int) -> list[str]:
    messages = []
    for row in await fetch_all(_WRONG_COUNTERS, None, limit):
        shown, true = _three(row, ""), _three(row, "true_")
        messages.append(f"Rekening {row['id']} ({row['kind']}): de tellers zeggen {shown}, de mutaties zeggen {true}.")
    messages += [
        f"Rekening {row['id']} ({row['kind']}) staat {euros(-row['free'])} te laag."
        for row in await fetch_all(_OVERSPENT, None, limit)
    ]
    total = (await fetch_all(_ZERO_SUM, None))[0][0]
    if total:
        messages.append(f"Alles bij elkaar opgeteld is niet nul, maar {euros(total)}.")
    return messages


def _three(row: dict[str, int], which: str) -> str:
    came, went, held = (euros(row[f"{which}{name}"]) for name in ("credits", "debits", "pending"))
    return f"{came} erbij, {went} eraf, {held} vast"


async def export() -> AsyncGenerator[ExportedTransfer, None]:
    """Every transfer in the order of its number, from one snapshot, on a connection of its own.

    Leave it early only through `contextlib.aclosing`, or the connection stays open.
    """
    async with own_connection() as connection:
        await connection.execute(f"SET statement_timeout = '{LONG_WORK_MINUTES}min'")
        await connection.execute(f"SET transaction_timeout = '{LONG_WORK_MINUTES}min'")
        await connection.execute("SET idle_in_transaction_session_timeout = '5min'")  # a slow reader of the pipe
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for row in connection.cursor(_EXPORT, prefetch=1000):
                yield ExportedTransfer(
                    number=row["number"],
                    id=row["id"],
                    at=row["at"],
                    kind=row["kind"],
                    business_ref=row["business_ref"],
                    phase=row["phase"],
                    amount_cents=row["amount_cents"],
                    debit=AccountName(row["debit"], row["debit_kind"], row["debit_owner"]),
                    credit=AccountName(row["credit"], row["credit_kind"], row["credit_owner"]),
                    resolves=row["resolves"],
                    expires_at=row["expires_at"],
                    reason=row["reason"],
                    actor=row["actor"],
                )


async def last_transfer_at() -> datetime | None:
    """The moment of the last transfer; None when there is none."""
    row = await fetch_one("SELECT max(at) AS at FROM transfer")
    moment: datetime | None = row["at"] if row else None
    return moment
