"""What happened to the money of a payment becomes transfers: part of the actions of this room.

A fact is noted once, under its key; only a fact that was not noted before moves cents. What it moves follows from the
facts and transfers that are there already, so the same facts end in the same balances in whatever order they come.
Locks: the payment, then its payer (`lock_payer`), then accounts.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from leerbudget.foundation.clock import AMSTERDAM, now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.errors import TopUpUnknown
from leerbudget.payments.gateways import MoneyFact
from leerbudget.payments.receivables import even_out, lock_payer, payer_of
from leerbudget.payments.rules import held_until, receipt_fault, state_of
from leerbudget.payments.tasks import open_task, solve_task
from leerbudget.payments.telling import tell_payer, tell_stuck

PAYMENT = """
    SELECT id, organisation, booking, gateway, gateway_ref, pay_url, return_url, methods, amount_cents, reference, purchase_order, state,
           received_cents, refunded_cents, requested_at, requested_by, lapses_at, cancelled_at, received_on, confirmed_at,
           confirmed_by, held_until, released_at
    FROM payment
"""

_NOTE = """
    INSERT INTO payment_fact (id, payment, gateway, key, kind, money_ref, amount_cents, currency, method, happened_at,
                              noted_at, noted_by)
    SELECT uuidv7(), $1, $2, f.*, $3, $4
    FROM unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::timestamptz[])
         AS f(key, kind, money_ref, amount_cents, currency, method, happened_at)
    ORDER BY f.key
    ON CONFLICT DO NOTHING
    RETURNING key
"""


async def lock_payment(payment: UUID) -> Any:
    """The payment's row, locked until the transaction ends, and its payer with it.

    Raises:
        TopUpUnknown: there is no such payment.
    """
    row = await fetch_one(PAYMENT + "WHERE id = $1 FOR NO KEY UPDATE", payment)
    if row is None:
        raise TopUpUnknown(id=payment)
    await lock_payer(payer_of(row))
    return row


async def apply_facts(payment: UUID, facts: Sequence[MoneyFact], *, actor: UUID | None = None) -> int:
    """Note what happened to a payment's money and move the cents that follow from it; how many facts were fresh.

    A fact whose key this gateway told before has no effect.

    Raises:
        TopUpUnknown: there is no such payment.
    """
    async with together():
        row = await lock_payment(payment)
        fresh = await _note(row, facts, actor)
        for fact in fresh:
            if fact.kind == "received":
                await _received(row, fact)
                row = await lock_payment(payment)
            elif fact.kind == "refunded" and fact.refund is not None:
                await _went_after_all(fact)
        if fresh:
            await _follow(row)
            await restate(payment)
            await tell_payer(payment)
    return len(fresh)


async def _follow(row: Any) -> None:
    """What was called back or given back of money that came in. A fact told before the money waits here for it."""
    told = await fetch_all(_TOLD, row["id"])
    if any(each["came_in"] for each in told):
        for each in told:
            if each["disputed_cents"]:
                await _dispute(row, each)
            if each["refunded_cents"] or each["failed_cents"]:
                await _refund(row, each)


# What happened to each money object of a payment, in one line.
_TOLD = """
    SELECT money_ref, min(key) AS key,
           bool_or(kind = 'received' AND currency = 'EUR') AS came_in,
           coalesce(max(amount_cents) FILTER (WHERE kind IN ('dispute_opened', 'dispute_lost')), 0) AS disputed_cents,
           bool_or(kind = 'dispute_won') AS won, bool_or(kind = 'dispute_lost') AS lost,
           coalesce(max(amount_cents) FILTER (WHERE kind = 'refunded'), 0) AS refunded_cents,
           coalesce(max(amount_cents) FILTER (WHERE kind = 'refund_failed'), 0) AS failed_cents
    FROM payment_fact WHERE payment = $1 GROUP BY money_ref ORDER BY money_ref
"""


async def _note(row: Any, facts: Sequence[MoneyFact], actor: UUID | None) -> list[MoneyFact]:
    names = ("key", "kind", "money_ref", "amount_cents", "currency", "method", "happened_at")
    columns = [[getattr(fact, name) for fact in facts] for name in names]
    noted = {each["key"] for each in await fetch_all(_NOTE, row["id"], row["gateway"], now(), actor, *columns)}
    by_key = {fact.key: fact for fact in facts if fact.key in noted}
    return sorted(by_key.values(), key=lambda fact: (fact.happened_at, fact.key))


async def restate(payment: UUID) -> None:
    """Compute a payment's state anew from what happened."""
    row = await fetch_one(PAYMENT + "WHERE id = $1", payment)
    assert row is not None  # noqa: S101 - the caller holds its lock
    kinds = await fetch_all("SELECT kind, money_ref FROM payment_fact WHERE payment = $1", payment)
    state = state_of(
        amount_cents=row["amount_cents"],
        received_cents=row["received_cents"],
        refunded_cents=row["refunded_cents"],
        known=row["gateway_ref"] is not None,
        cancelled=row["cancelled_at"] is not None,
        facts=[(each["kind"], each["money_ref"]) for each in kinds],
    )
    await execute("UPDATE payment SET state = $2 WHERE id = $1 AND state <> $2", payment, state)


async def move(kind: str, ref: str, debit: UUID, credit: UUID, cents: int) -> None:
    """Record one transfer of a payment, by nobody: it follows from what happened."""
    await record([TransferOrder(new_id(), kind, ref, "posted", debit, credit, cents)], actor=None)


async def source_of(row: Any) -> UUID:
    """Where the payment's money is with us: the bank, or what the gateway holds for us."""
    return await account_of("bank" if row["gateway"] == "manual" else "gateway_clearing", None, constrained=False)


async def _received(row: Any, fact: MoneyFact) -> None:
    fault = receipt_fault(
        manual=row["gateway"] == "manual",
        methods=row["methods"],
        amount_cents=row["amount_cents"],
        received_cents=row["received_cents"],
        fact=fact,
    )
    if fault is not None:
        await open_task(fault, f"{row['gateway']}:{fact.key}", fact.amount_cents, payment=row["id"])
    if fact.currency != "EUR":
        return  # the books are in euros; what it is worth is for a person to say
    credit_cents = 0 if fault else min(fact.amount_cents, row["amount_cents"] - row["received_cents"])
    source = await source_of(row)
    if credit_cents:
        await _credit(row, fact, source, credit_cents)
    rest_cents = fact.amount_cents - credit_cents
    if rest_cents:
        if fault is None:
            await open_task("not_as_asked", f"{row['gateway']}:{fact.key}", rest_cents, payment=row["id"])
        suspense = await account_of("suspense", None, constrained=False)
        await move("unmatched", f"{row['gateway']}:{fact.key}", source, suspense, rest_cents)


async def _credit(row: Any, fact: MoneyFact, source: UUID, cents: int) -> None:
    payer = payer_of(row)
    waits = fact.method == "sepa_debit" and not await _trusted(row["organisation"])
    kind = "organisation_held" if waits else payer.pot
    own = await account_of(kind, payer.owner, constrained=True)
    by_hand = fact.key.startswith("hand:")
    ref = row["reference"] if by_hand else f"{row['reference']}:{fact.money_ref}"
    await move("top_up" if row["booking"] is None else "own_payment", ref, source, own, cents)
    await execute(
        "UPDATE payment SET received_cents = received_cents + $2, received_on = coalesce(received_on, $3),"
        " held_until = $4 WHERE id = $1",
        row["id"],
        cents,
        fact.happened_at.astimezone(AMSTERDAM).date(),
        held_until(max(fact.happened_at, now())) if waits else row["held_until"],
    )
    await even_out(payer)


async def _trusted(organisation: UUID) -> bool:
    sql = "SELECT count(*) FROM payer_trust WHERE organisation = $1"
    return bool(await fetch_value(sql, organisation))


async def _refund(row: Any, told: Any) -> None:
    """Went back to the payer, or could not: then it is owed, and goes back in another way."""
    task = f"{row['gateway']}:{told['money_ref']}"
    went = await fetch_one(_WENT, f"{told['money_ref']}:refunded")
    if told["failed_cents"]:
        await open_task("refund_failed", task, told["failed_cents"], payment=row["id"])
        await tell_stuck(row, told["failed_cents"], told["money_ref"])
        if went is not None:
            owed = await account_of("refunds_owed", None, constrained=False)
            await move("refund", f"{told['money_ref']}:failed", went["credit"], owed, went["amount_cents"])
    elif went is None:
        cents = told["refunded_cents"]
        asked = cents <= await fetch_value(_ASKED_BACK, row["id"])
        if not asked:
            await open_task("refund_unasked", task, cents, payment=row["id"])
            await execute(_COUNT_REFUND, row["id"], cents)
        payer = payer_of(row)
        owed = await (account_of("refunds_owed", None, constrained=False) if asked else payer.receivable_account())
        await move("refund", f"{told['money_ref']}:refunded", owed, await source_of(row), cents)
        await even_out(payer)


async def _went_after_all(fact: MoneyFact) -> None:
    """A refund to which nobody heard an answer did go: nobody has to pay it by bank any more."""
    if await execute(_ANSWERED, fact.refund, fact.money_ref, now()):
        await solve_task("refund_failed", f"refund:{fact.refund}", "De betaaldienst gaf het toch zelf terug.")


# Refused with a reason, or paid by a person, it was never done: then this is another one.
_ANSWERED = """
    UPDATE payment_attempt SET state = 'done', answer = $2, ended_at = $3
    WHERE id = $1 AND kind = 'refund' AND (state = 'asked' OR (state = 'refused' AND answer = 'no_answer'))
"""

_WENT = "SELECT credit, amount_cents FROM transfer WHERE kind = 'refund' AND business_ref = $1"

_COUNT_REFUND = "UPDATE payment SET refunded_cents = least(received_cents, refunded_cents + $2) WHERE id = $1"

# What we asked to go back, that no person paid at the bank, and that did not go back yet.
_ASKED_BACK = """
    SELECT ((SELECT coalesce(sum(a.amount_cents), 0) FROM payment_attempt a WHERE a.payment = $1 AND a.kind = 'refund'
             AND coalesce(a.answer, '') NOT LIKE 'bank:%')
          - (SELECT coalesce(sum(t.amount_cents), 0) FROM payment_fact f JOIN transfer t
             ON t.kind = 'refund' AND t.business_ref = f.money_ref || ':refunded'
             JOIN account a ON a.id = t.debit AND a.kind = 'refunds_owed'
             WHERE f.payment = $1 AND f.kind = 'refunded'))::bigint
"""


async def _dispute(row: Any, told: Any) -> None:
    """Called back by the payer's bank: gone from the moment it is disputed until it is won."""
    task = f"{row['gateway']}:{told['money_ref']}"
    if told["lost"]:
        await open_task("dispute_lost", task, told["disputed_cents"], payment=row["id"])
    if told["won"]:
        await solve_task("disputed", task, "Gewonnen: het geld is terug.")
    taken = await fetch_one(_TAKEN, f"{told['money_ref']}:taken")
    if told["won"] and taken is not None:
        await _give_back(row, told, taken)
    elif not told["won"] and taken is None:
        await open_task("disputed", task, told["disputed_cents"], payment=row["id"])
        debit = await _where_it_is(row)
        await move("dispute", f"{told['money_ref']}:taken", debit, await source_of(row), told["disputed_cents"])
        await even_out(payer_of(row))


_TAKEN = """
    SELECT t.debit, t.credit, t.amount_cents, a.kind FROM transfer t JOIN account a ON a.id = t.debit
    WHERE t.kind = 'dispute' AND t.business_ref = $1
"""


async def _where_it_is(row: Any) -> UUID:
    """The account that a payment's money is in as far as the payer's bank can take it; spent: the payer owes it."""
    if not row["received_cents"]:
        return await account_of("suspense", None, constrained=False)
    if row["held_until"] is not None and row["released_at"] is None:
        return await account_of("organisation_held", row["organisation"], constrained=True)
    return await payer_of(row).receivable_account()


async def _give_back(row: Any, told: Any, taken: Any) -> None:
    target = taken["debit"]
    if taken["kind"] == "organisation_held" and row["released_at"] is not None:
        target = await account_of("organisation_pot", row["organisation"], constrained=True)
    await move("dispute", f"{told['money_ref']}:returned", taken["credit"], target, taken["amount_cents"])
    await even_out(payer_of(row))
