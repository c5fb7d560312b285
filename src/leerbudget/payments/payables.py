"""Read what is to be paid out: to trainers who work for themselves, refunds, and back to who paid for nothing.

A trainer's month is over for a whole day before it is paid out, exactly as with settling between organisations: until
then it can still turn out that the trainer worked for one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.payments.bank_rules import CENTS_MAX, LineOrder

# What a trainer earned in months of working for nobody else. What came back later makes it less at once.
_PAYABLE = """
    WITH payee AS (
        SELECT id AS account, owner AS trainer FROM account
        WHERE kind = 'trainer_payable' AND ($2::uuid[] IS NULL OR owner = ANY($2::uuid[]))
    ), side AS (
        SELECT p.account, p.trainer, t.kind, t.at, t.amount_cents AS cents
        FROM payee p JOIN transfer t ON t.credit = p.account WHERE t.phase IN ('posted', 'post')
        UNION ALL
        SELECT p.account, p.trainer, t.kind, t.at, -t.amount_cents
        FROM payee p JOIN transfer t ON t.debit = p.account WHERE t.phase IN ('posted', 'post')
    ), earned AS (
        SELECT s.account, sum(s.cents) FILTER (WHERE s.at < $1) AS before, sum(s.cents) AS ever
        FROM side s LEFT JOIN LATERAL (
            SELECT organisation FROM trainer_employer e
            WHERE e.trainer = s.trainer
              AND e.from_month <= date_trunc('month', s.at AT TIME ZONE 'Europe/Amsterdam')::date
            ORDER BY e.from_month DESC LIMIT 1
        ) e ON true
        WHERE s.kind NOT IN ('settlement', 'payout', 'payout_undone') AND e.organisation IS NULL
        GROUP BY s.account
    ), paid AS (
        SELECT account, -sum(cents) AS cents FROM side WHERE kind IN ('payout', 'payout_undone') GROUP BY account
    )
    SELECT p.trainer, p.account,
           (least(coalesce(e.before, 0), coalesce(e.ever, 0)) - coalesce(d.cents, 0))::bigint AS cents
    FROM payee p LEFT JOIN earned e ON e.account = p.account LEFT JOIN paid d ON d.account = p.account
"""

_ACCOUNTS = """
    SELECT DISTINCT ON (trainer) trainer, iban, holder_name FROM payout_account
    WHERE confirmed_at IS NOT NULL AND ended_at IS NULL AND trainer = ANY($1::uuid[])
    ORDER BY trainer, confirmed_at DESC, id DESC
"""

_TO_SEND_BACK = """
    SELECT e.id, e.party_name, e.party_iban, e.suspense_cents AS amount_cents, a.id AS suspense, e.bank_ref
    FROM bank_entry e JOIN account a ON a.kind = 'suspense' AND a.owner IS NULL
    WHERE e.state = 'sent_back' AND NOT EXISTS (
        SELECT FROM payout_line l WHERE l.subject = e.id AND l.state IN ('drafted', 'approved', 'accepted', 'booked'))
    ORDER BY e.booked_on, e.id
"""

# A refund that goes by bank goes to the one account from which the payment came. From several, or from none that the
# bank named, nobody can know which: a person pays it.
_REFUNDS = """
    SELECT a.id, a.amount_cents, o.id AS owed, p.reference, payer.name, payer.iban
    FROM payment_attempt a JOIN payment p ON p.id = a.payment AND p.gateway = 'manual'
    JOIN account o ON o.kind = 'refunds_owed' AND o.owner IS NULL
    JOIN LATERAL (SELECT max(e.party_name) AS name, max(e.party_iban) AS iban FROM bank_entry e
                  WHERE e.payment = p.id AND e.direction = 'in'
                  HAVING count(DISTINCT e.party_iban) = 1 AND count(*) = count(e.party_iban)) payer ON true
    WHERE a.kind = 'refund' AND a.state = 'refused' AND NOT EXISTS (
        SELECT FROM payout_line l WHERE l.subject = a.id AND l.state IN ('drafted', 'approved', 'accepted', 'booked'))
    ORDER BY a.asked_at, a.id
"""


@dataclass(frozen=True, slots=True)
class Payable:
    """What a trainer can be paid now: cents, and the account; None when no confirmed one is known."""

    trainer: UUID
    account: UUID
    cents: int
    iban: str | None
    holder_name: str | None


async def payables(before: date, trainers: Collection[UUID] | None = None) -> list[Payable]:
    """What trainers who work for themselves earned before a month began and were not paid; the least of all first.

    `before` is the first day of the month that does not count yet; None as trainers: all of them.
    """
    wanted = None if trainers is None else list(trainers)
    rows = await fetch_all(f"SELECT * FROM ({_PAYABLE}) found WHERE cents > 0 ORDER BY cents, trainer", before, wanted)
    accounts = {row["trainer"]: row for row in await fetch_all(_ACCOUNTS, [row["trainer"] for row in rows])}
    found = []
    for row in rows:
        account = accounts.get(row["trainer"])
        where = (None, None) if account is None else (account["iban"], account["holder_name"])
        found.append(Payable(row["trainer"], row["account"], row["cents"], *where))
    return found


async def lines_to_trainers(before: date) -> list[LineOrder]:
    """A line for every trainer with something to be paid and an account to pay it on."""
    return [
        LineOrder(
            id=new_id(),
            purpose="trainer",
            subject=each.trainer,
            source=each.account,
            payee_name=each.holder_name or "",
            iban=each.iban,
            amount_cents=min(each.cents, CENTS_MAX),
            note="Uitbetaling cursussen leerbudget",
        )
        for each in await payables(before)
        if each.iban is not None
    ]


async def lines_back() -> list[LineOrder]:
    """A line for every receipt that a person wants to return."""
    return [
        LineOrder(
            id=new_id(),
            purpose="send_back",
            subject=row["id"],
            source=row["suspense"],
            payee_name=(row["party_name"] or "Rekeninghouder")[:70],
            iban=row["party_iban"],
            amount_cents=row["amount_cents"],
            note=f"Terugbetaling van uw overboeking {row['bank_ref']}",
        )
        for row in await fetch_all(_TO_SEND_BACK)
    ]


async def lines_of_refunds() -> list[LineOrder]:
    """A line for every refund that is owed for a payment by bank transfer, to the account that it came from."""
    return [
        LineOrder(
            id=new_id(),
            purpose="refund",
            subject=row["id"],
            source=row["owed"],
            payee_name=(row["name"] or "Rekeninghouder")[:70],
            iban=row["iban"],
            amount_cents=row["amount_cents"],
            note=f"Terugbetaling {row['reference']}",
        )
        for row in await fetch_all(_REFUNDS)
    ]
