"""Read what is settled between organisations (R05): what is due, who was guest of whom, and what does not fit.

The host is the organisation that a trainer works for in a month, the guest the organisation whose budget paid for
the seat. Months are `YYYY-MM`, in Amsterdam; amounts are cents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.money import euros
from leerbudget.ledger.queries import one_long_look

# Every cent that a trainer's account gained or lost. What was settled does not count, nor will what is paid out to
# trainers who work for themselves.
_SIDE = """
    side AS (
        SELECT credit AS account, debit AS other, amount_cents AS cents, at FROM transfer
        WHERE kind IN ('booking', 'correction') AND phase IN ('posted', 'post')
        UNION ALL
        SELECT debit, credit, -amount_cents, at FROM transfer
        WHERE kind IN ('fee_return', 'correction') AND phase IN ('posted', 'post')
    )
"""

# The same, as far as it touches one organisation: the accounts of its trainers, or its own budgets and pot.
_SIDE_OF_ONE = """
    mine AS (
        SELECT account AS id FROM budget WHERE organisation = $1
        UNION ALL SELECT id FROM account WHERE kind = 'organisation_pot' AND owner = $1
    ), taught AS (
        SELECT DISTINCT a.id FROM trainer_employer e JOIN account a ON a.kind = 'trainer_payable' AND a.owner = e.trainer
        WHERE e.organisation = $1
    ), side AS (
        SELECT credit AS account, debit AS other, amount_cents AS cents, at FROM transfer
        WHERE kind IN ('booking', 'correction') AND phase IN ('posted', 'post')
          AND (credit IN (SELECT id FROM taught) OR debit IN (SELECT id FROM mine))
        UNION ALL
        SELECT debit, credit, -amount_cents, at FROM transfer
        WHERE kind IN ('fee_return', 'correction') AND phase IN ('posted', 'post')
          AND (debit IN (SELECT id FROM taught) OR credit IN (SELECT id FROM mine))
    )
"""

# In which month, and for whom the trainer worked then.
_MOVED = """
    period AS (
        SELECT a.id AS account, e.organisation AS host, e.from_month AS since,
               lead(e.from_month) OVER (PARTITION BY e.trainer ORDER BY e.from_month) AS until
        FROM trainer_employer e JOIN account a ON a.kind = 'trainer_payable' AND a.owner = e.trainer
    ), moved AS (
        SELECT s.account, p.host, s.month, s.cents, s.other
        FROM (SELECT *, date_trunc('month', at AT TIME ZONE 'Europe/Amsterdam')::date AS month FROM side) s
        JOIN period p ON p.account = s.account AND p.host IS NOT NULL AND s.month >= p.since
                     AND (p.until IS NULL OR s.month < p.until)
    )
"""

# What stands to a trainer's credit at the end of a month is settled when it is more than ever before; what came back
# makes it less, and waits until there is enough again.
_DUE = """
    due AS (
        SELECT account, host, month, 'settle:' || to_char(month, 'YYYY-MM') || ':' || account AS business_ref,
               (risen - lag(risen, 1, 0) OVER line)::bigint AS cents
        FROM (SELECT account, host, month, greatest(0, max(balance) OVER line) AS risen
              FROM (SELECT account, host, month, sum(sum(cents)) OVER line AS balance
                    FROM moved GROUP BY account, host, month
                    WINDOW line AS (PARTITION BY account, host ORDER BY month)) months
              WINDOW line AS (PARTITION BY account, host ORDER BY month)) months
        WINDOW line AS (PARTITION BY account, host ORDER BY month)
    )
"""

_SETTLED = r"""
    settled AS (
        SELECT t.number, t.business_ref, t.debit AS account, c.owner AS host, c.kind AS into, t.phase,
               t.amount_cents AS cents,
               to_date(substring(t.business_ref FROM '^settle:(2\d{3}-(?:0[1-9]|1[0-2])):'), 'YYYY-MM') AS month
        FROM transfer t JOIN account c ON c.id = t.credit WHERE t.kind = 'settlement'
    )
"""

# A settlement is about everything since the one before it. What families paid themselves has no guest.
_CELL = """
    cell AS (
        SELECT s.month, s.host, coalesce(b.organisation, p.owner) AS guest, sum(m.cents)::bigint AS cents,
               coalesce(array_agg(DISTINCT coalesce(b.family, k.family))
                        FILTER (WHERE b.family IS NOT NULL OR k.family IS NOT NULL), '{}') AS families
        FROM (SELECT *, lag(month) OVER (PARTITION BY account, host ORDER BY month) AS before FROM settled) s
        JOIN moved m ON m.account = s.account AND m.host = s.host AND m.month <= s.month
                    AND (s.before IS NULL OR m.month > s.before)
        LEFT JOIN budget b ON b.account = m.other
        LEFT JOIN account p ON p.id = m.other AND p.kind = 'organisation_pot'
        LEFT JOIN account o ON o.id = m.other AND o.kind = 'own_payment'
        LEFT JOIN payment y ON y.id = o.owner LEFT JOIN booking k ON k.id = y.booking
        GROUP BY 1, 2, 3
    )
"""

TO_SETTLE = f"""
    WITH {_SETTLED}, {_SIDE}, {_MOVED}, {_DUE}
    SELECT account, host, to_char(month, 'YYYY-MM') AS month, cents, business_ref
    FROM due d
    WHERE cents > 0 AND month <= to_date($1, 'YYYY-MM')
      AND NOT EXISTS (SELECT FROM settled s WHERE s.business_ref = d.business_ref)
    ORDER BY d.month, account
"""

_MATRIX = f"""
    WITH {_SETTLED}, {_SIDE}, {_MOVED}, {_CELL}
    SELECT to_char(c.month, 'YYYY-MM') AS month, c.guest, g.name AS guest_name, c.host, h.name AS host_name, c.cents, c.families
    FROM cell c JOIN organisation h ON h.id = c.host LEFT JOIN organisation g ON g.id = c.guest
    ORDER BY c.month DESC, h.name, c.host, g.name NULLS LAST, c.guest
"""

_MATRIX_OF_ONE = f"""
    WITH {_SETTLED}, {_SIDE_OF_ONE}, {_MOVED}, {_CELL}
    SELECT to_char(c.month, 'YYYY-MM') AS month, c.guest, g.name AS guest_name, c.host, h.name AS host_name, c.cents, c.families
    FROM cell c JOIN organisation h ON h.id = c.host LEFT JOIN organisation g ON g.id = c.guest
    WHERE $1 IN (c.host, c.guest)
    ORDER BY c.month DESC, h.name, c.host, g.name NULLS LAST, c.guest
"""

_WRONG = f"""
    WITH {_SETTLED}, {_SIDE}, {_MOVED}, {_DUE}
    SELECT coalesce(s.business_ref, d.business_ref) AS business_ref,
           CASE WHEN s.number IS NULL THEN 'ontbreekt in de boeken'
                WHEN d.account IS NULL THEN 'staat in de boeken, maar er was niets te verrekenen'
                WHEN s.account <> d.account OR s.host IS DISTINCT FROM d.host OR s.into <> 'organisation_pot'
                     OR s.phase <> 'posted' THEN 'ging niet van de trainer naar de pot van zijn organisatie'
                ELSE 'heeft een ander bedrag dan er te verrekenen was' END AS trouble
    FROM (SELECT * FROM due WHERE cents > 0 AND month <= (SELECT max(month) FROM settled)) d
    FULL JOIN settled s ON s.business_ref = d.business_ref
    WHERE s.number IS NULL OR d.account IS NULL OR s.cents <> d.cents OR s.account <> d.account
       OR s.host IS DISTINCT FROM d.host OR s.into <> 'organisation_pot' OR s.phase <> 'posted'
    ORDER BY 1 LIMIT $1
"""

_TWICE = f"""
    WITH {_SETTLED}
    SELECT account, to_char(month, 'YYYY-MM') AS month, count(*) AS times FROM settled GROUP BY account, settled.month HAVING count(*) > 1
    ORDER BY settled.month, account LIMIT $1
"""

_TOO_MUCH = f"""
    WITH {_SETTLED}, {_SIDE}, {_MOVED}, {_DUE}
    SELECT s.account, (s.cents - coalesce(d.cents, 0))::bigint AS over_cents
    FROM (SELECT account, host, sum(cents) AS cents FROM settled GROUP BY account, host) s
    LEFT JOIN (SELECT account, host, sum(cents) AS cents FROM due GROUP BY account, host) d USING (account, host)
    WHERE s.cents > coalesce(d.cents, 0) ORDER BY s.account LIMIT $1
"""

# What hosts got against what guests paid: each from its own transfers.
_NOT_ZERO = f"""
    WITH {_SETTLED}, {_SIDE}, {_MOVED}, {_CELL}
    SELECT to_char(month, 'YYYY-MM') AS month, sum(cents)::bigint AS cents
    FROM (SELECT month, cents FROM settled UNION ALL SELECT month, -cents FROM cell) sides
    GROUP BY sides.month HAVING sum(cents) <> 0 ORDER BY sides.month LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """What budgets of `guest` paid in a month for seats at trainers of `host`; `families` is who they were of.

    A guest of None: corrections by the programme itself. Cents are less than zero when more came back than was paid.
    """

    month: str
    guest: UUID | None
    guest_name: str | None
    host: UUID
    host_name: str
    cents: int
    families: frozenset[UUID]


async def matrix() -> list[MatrixCell]:
    """Who was guest of whom in every month that was settled, latest first. Reads everything: outside a transaction.

    For who keeps the books: it has not been made safe to show (`netting.told`).
    """
    async with one_long_look():
        return [_cell(row) for row in await fetch_all(_MATRIX)]


async def matrix_of(organisation: UUID) -> list[MatrixCell]:
    """The cells of `matrix` in which this organisation is host or guest; not safe to show either."""
    return [_cell(row) for row in await fetch_all(_MATRIX_OF_ONE, organisation)]


def _cell(row: Any) -> MatrixCell:
    return MatrixCell(**dict(row) | {"families": frozenset(row["families"])})


def net_positions(cells: Sequence[MatrixCell]) -> dict[UUID | None, int]:
    """What each party earned as host of others less what it paid as guest of others; together always zero."""
    found: dict[UUID | None, int] = {}
    for cell in cells:
        if cell.guest != cell.host:
            found[cell.host] = found.get(cell.host, 0) + cell.cents
            found[cell.guest] = found.get(cell.guest, 0) - cell.cents
    return found


async def troubles(limit: int) -> list[str]:
    """What does not fit between settlements and what trainers earned, in plain Dutch; at most `limit` of a kind.

    Inside one look of the auditor (`ledger.queries.one_long_look`). A month that nobody settled yet is no trouble.
    """
    messages = [f"Verrekening {row['business_ref']} {row['trouble']}." for row in await fetch_all(_WRONG, limit)]
    messages += [
        f"Rekening {row['account']} is over {row['month'] or 'een onbekende maand'} {row['times']} keer verrekend."
        for row in await fetch_all(_TWICE, limit)
    ]
    messages += [
        f"Van rekening {row['account']} is {euros(row['over_cents'])} meer verrekend dan er te verrekenen was."
        for row in await fetch_all(_TOO_MUCH, limit)
    ]
    messages += [
        f"De verrekening over {row['month'] or 'een onbekende maand'} komt niet op nul uit, maar op {euros(row['cents'])}."
        for row in await fetch_all(_NOT_ZERO, limit)
    ]
    return messages
