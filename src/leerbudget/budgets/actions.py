"""Grant budgets, hold and settle money, and let what is left go on or fall back: the only writer of budgets and holds.

Locks: a family's budgets in ascending id order (`FOR NO KEY UPDATE`), then accounts in ascending id order
(the ledger). Whoever lowers what is free - a hold, a lowering, an expiry - holds the budget's lock first,
so what it read stays true until it commits. Settling only ever raises what is free and needs no lock.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from leerbudget.budgets.earmarks import refuse_unknown_courses
from leerbudget.budgets.errors import (
    AlreadySettled,
    BudgetUnknown,
    GrantKnown,
    KeepsTooMuch,
    LoweringTooLarge,
    PotTooSmall,
)
from leerbudget.budgets.rules import (
    EARMARKS,
    CarryBounds,
    GrantOrder,
    PaymentShare,
    batch_faults,
    carried_cents,
    day_fault,
    kept,
    shares_in,
    sorted_earmark,
)
from leerbudget.foundation.clock import now, today
from leerbudget.foundation.database import call, execute, fetch_all, together
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, accounts_of, open_accounts, record
from leerbudget.ledger.errors import AlreadyResolved, NeverOverspent, TransferKnown
from leerbudget.ledger.queries import Balance, balances, find_accounts
from leerbudget.ledger.rules import REASON_LENGTH, AccountOrder, TransferOrder, cents_fault, refuse, text_fault

_KNOWN_GRANTS = """
    SELECT b.id, b.external_ref, b.family, b.organisation, b.granted_cents, b.starts_on, b.expires_on, b.themes,
           b.forms, b.municipalities, b.courses, b.carry_over, b.policy
    FROM budget b
    WHERE b.id = ANY($1::uuid[])
       OR (b.organisation, b.external_ref) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
"""

# Earmarks travel as one text each: PostgreSQL cannot unnest lists of lists of different lengths. One name a line,
# because a municipality may have a comma in its name.
_INSERT_BUDGETS = """
    INSERT INTO budget (id, external_ref, family, organisation, account, granted_cents, starts_on, expires_on,
                        themes, forms, municipalities, courses, carry_over, policy, state, granted_at)
    SELECT id, external_ref, family, organisation, id, granted_cents, starts_on, expires_on,
           string_to_array(themes, E'\n'), string_to_array(forms, E'\n'), string_to_array(municipalities, E'\n'),
           string_to_array(courses, E'\n')::uuid[], carry_over, policy, 'active', $14
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::date[], $7::date[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::boolean[], $13::uuid[])
         AS wanted(id, external_ref, family, organisation, granted_cents, starts_on, expires_on, themes, forms,
                   municipalities, courses, carry_over, policy)
    ORDER BY organisation, external_ref
    ON CONFLICT DO NOTHING
"""

_HOLDS = """
    SELECT h.purpose, h.budget, h.payer, h.amount_cents, h.reservation, t.debit, t.credit, r.phase,
           CASE WHEN r.phase = 'post' THEN r.amount_cents ELSE 0 END AS kept_cents
    FROM budget_hold h JOIN transfer t ON t.id = h.reservation LEFT JOIN transfer r ON r.resolves = t.id
    WHERE h.purpose = ANY($1::uuid[]) ORDER BY h.purpose, h.budget
"""

_LOCK_ENDED = """
    SELECT b.id, b.account, b.organisation FROM budget b JOIN account a ON a.id = b.account
    WHERE b.expires_on < $1
      AND (b.state = 'active' OR a.credits_posted_cents > a.debits_posted_cents + a.debits_pending_cents)
    ORDER BY b.id FOR NO KEY UPDATE OF b
"""

# Where what is left of a budget goes on to: the same family's running budget by the policy that follows.
_NEXT_PERIODS = """
    SELECT b.id, b.granted_cents, p.carry_cents_max, p.carry_percent_max, n.account AS next_account,
           coalesce(c.cents, 0)::bigint AS carried_cents, c.times
    FROM budget b JOIN grant_policy p ON p.id = b.policy JOIN grant_policy q ON q.follows = p.id
    JOIN budget n ON n.policy = q.id AND n.family = b.family AND n.state = 'active' AND n.expires_on >= $2
    CROSS JOIN LATERAL (SELECT sum(t.amount_cents) AS cents, count(*) AS times FROM transfer t
                        WHERE t.debit = b.account AND t.kind = 'carry_over') c
    WHERE b.id = ANY($1::uuid[]) AND (p.carry_cents_max IS NOT NULL OR p.carry_percent_max IS NOT NULL)
"""

_RETURNS_SO_FAR = """
    SELECT debit, count(*) AS times FROM transfer
    WHERE debit = ANY($1::uuid[]) AND kind = 'grant_return' GROUP BY debit
"""


async def grant(order: GrantOrder, *, actor: UUID | None) -> UUID:
    """Grant one budget; its id. See `grant_many`.

    Raises:
        InvalidInput: the order is malformed.
        PotTooSmall: the organisation's pot holds too little.
        GrantKnown: the id or the organisation's number stands for another grant.
        HolderUnknown: no such family or organisation.
    """
    return (await grant_many([order], actor=actor))[0]


async def grant_many(orders: Sequence[GrantOrder], *, actor: UUID | None) -> list[UUID]:
    """Grant budgets, all or none: cents move from the organisation's pot to each budget's own account.

    A grant whose organisation and number are known with the same content has no effect. The ids of the
    budgets, in the order of the orders; for a known grant the id under which it stands.

    Raises:
        InvalidInput: an order is malformed or names an unknown course, or two orders share an id or a number.
        PotTooSmall: an organisation's pot holds too little for all of its grants together.
        GrantKnown: an id or an organisation's number stands for another grant.
        HolderUnknown: no such family or organisation.
    """
    refuse(list(batch_faults(orders)))
    await refuse_unknown_courses({f"{place}.courses": order.courses for place, order in enumerate(orders)})
    known = await known_grants(orders)
    fresh = [order for order in orders if (order.organisation, order.external_ref) not in known]
    if fresh:
        try:
            await _grant_fresh(fresh, actor)
        except NeverOverspent as refusal:
            raise await _pot_too_small(fresh) from refusal
    return [known.get((order.organisation, order.external_ref), order.id) for order in orders]


async def known_grants(orders: Sequence[GrantOrder]) -> dict[tuple[UUID, str], UUID]:
    """The ids of grants that stand in the books with the same content.

    Raises:
        GrantKnown: one stands there with another content.
    """
    by_id = {order.id: order for order in orders}
    by_ref = {(order.organisation, order.external_ref): order for order in orders}
    organisations, refs = [key[0] for key in by_ref], [key[1] for key in by_ref]
    known: dict[tuple[UUID, str], UUID] = {}
    for row in await fetch_all(_KNOWN_GRANTS, list(by_id), organisations, refs):
        ref = (row["organisation"], row["external_ref"])
        order = by_ref.get(ref)
        if order is None or by_id.get(row["id"], order) is not order or _content(order) != tuple(row)[2:]:
            raise GrantKnown(external_ref=row["external_ref"])
        known[ref] = row["id"]
    return known


def _content(order: GrantOrder) -> tuple[Any, ...]:
    return (
        *(order.family, order.organisation, order.amount_cents, order.starts_on, order.expires_on),
        *(sorted_earmark(getattr(order, name)) for name in EARMARKS),
        *(order.carry_over, order.policy),
    )


async def _grant_fresh(orders: Sequence[GrantOrder], actor: UUID | None) -> None:
    columns: list[tuple[Any, ...]] = list(zip(*(_columns(order) for order in orders), strict=True))
    async with together():
        await open_accounts([AccountOrder(order.id, "family_budget", order.id, constrained=True) for order in orders])
        if await execute(_INSERT_BUDGETS, *columns, now()) != len(orders):
            await _all_written_by_a_twin(orders)
        pots = await accounts_of("organisation_pot", {order.organisation for order in orders}, constrained=True)
        await record([_grant_transfer(order, pots[order.organisation]) for order in orders], actor=actor)


def _columns(order: GrantOrder) -> tuple[Any, ...]:
    family, organisation, cents, starts, expires, *earmarks, carry_over, policy = _content(order)
    listed = [None if named is None else "\n".join(map(str, named)) for named in earmarks]
    return (order.id, order.external_ref, family, organisation, cents, starts, expires, *listed, carry_over, policy)


def _grant_transfer(order: GrantOrder, pot: UUID) -> TransferOrder:
    ref = f"{order.organisation}:{order.external_ref}"
    return TransferOrder(new_id(), "grant", ref, "posted", pot, order.id, order.amount_cents)


async def _all_written_by_a_twin(orders: Sequence[GrantOrder]) -> None:
    """Somebody granted the same at the same moment: fine when every id and every content is the same."""
    known = await known_grants(orders)
    for order in orders:
        if known.get((order.organisation, order.external_ref)) != order.id:
            raise GrantKnown(external_ref=order.external_ref)


async def _pot_too_small(orders: Sequence[GrantOrder]) -> PotTooSmall:
    wanted: dict[UUID, int] = {}
    for order in orders:
        wanted[order.organisation] = wanted.get(order.organisation, 0) + order.amount_cents
    pots = await find_accounts("organisation_pot", wanted.keys())
    found = await balances(pots.values())
    free = {who: found[pots[who]].free_cents if who in pots else 0 for who in wanted}
    missing_cents, organisation = max((total - free[who], who) for who, total in wanted.items())
    return PotTooSmall(organisation=organisation, missing_cents=missing_cents, free_cents=free[organisation])


async def hold(
    purpose: UUID,
    family: UUID,
    total_cents: int,
    *,
    theme: str,
    form: str,
    municipality: str | None = None,
    course: UUID | None = None,
    on: date,
    payee_account: UUID,
    actor: UUID | None,
) -> tuple[PaymentShare, ...]:
    """Set cents of the family's budgets aside for one purpose (a booking); what each budget pays.

    Only budgets that are active, whose period holds `on` (the day of the first meeting) and is not over today,
    and whose earmarks fit; earmarked first, then earliest expiry, then smallest id (R04). Without a municipality
    (online) money for a place does not pay, without a course no money for certain courses. The same purpose
    again with the same family, amount and payee gives the same answer.

    Raises:
        InvalidInput: the amount or the day is malformed.
        BudgetTooSmall: the budgets of that day hold too little: `missing_cents`, `free_cents` that may pay.
        EarmarkExcludes: they hold enough, but too little of it may pay this: also `elsewhere_cents`.
        HoldKnown: the purpose holds money of another family, for another amount or to another payee.
        Busy: a correction took money away at this very moment; try again.
    """
    refuse([("total_cents", cents_fault(total_cents)), ("on", day_fault(on))])
    try:
        row = await call(
            "SELECT h.shares FROM rooms.hold_money($1, $2, $3, $4, $5, $6, $7, NULL, $8, $9, $10, $11, $12) h",
            *(purpose, family, total_cents, theme, form, municipality, course),
            *(on, today(), payee_account, actor, now()),
        )
    except NeverOverspent as refusal:  # a correction took the money between reading and writing
        raise Busy(reason="money_moved") from refusal
    return shares_in(row["shares"])


async def hold_own(purpose: UUID, amount_cents: int, *, payer: UUID, payee_account: UUID, actor: UUID | None) -> None:
    """Set what a family paid itself aside for one purpose, beside its budgets. `payer`: the account that it came in at.

    Raises:
        NeverOverspent: the account has less.
        HoldKnown: the family pays for this purpose already.
    """
    reservation = new_id()
    ref = f"hold:{purpose}:own"
    await record(
        [TransferOrder(reservation, "booking", ref, "reserve", payer, payee_account, amount_cents)], actor=actor
    )
    await execute(_HOLD_OWN, new_id(), purpose, reservation, amount_cents, now())


_HOLD_OWN = """
    INSERT INTO budget_hold (id, purpose, budget, payer, reservation, amount_cents, held_at)
    VALUES ($1, $2, NULL, 'own', $3, $4, $5)
"""


async def settle(purpose: UUID, keep_cents: int, *, actor: UUID | None, reason: str) -> tuple[PaymentShare, ...]:
    """End the hold of a purpose, exactly once: pay `keep_cents` to the payee and release the rest.

    What is kept is spread over the budgets in proportion to what each held, to the cent (`rules.kept`).
    Gives what each budget paid, zero included; nothing when nothing was held and nothing is kept. The same
    settlement again has no effect and gives the same answer.

    Raises:
        InvalidInput: the amount or the reason is malformed.
        KeepsTooMuch: more than was held.
        AlreadySettled: it was settled before for another amount, `kept_cents`.
    """
    refuse([("keep_cents", cents_fault(keep_cents, least=0)), ("reason", text_fault(reason, REASON_LENGTH))])
    rows = await fetch_all(_HOLDS, [purpose])
    if not rows:
        if keep_cents:
            raise KeepsTooMuch(held_cents=0)
        return ()
    if all(row["phase"] is not None for row in rows):
        return _same_settlement(rows, keep_cents)
    parts = kept(_held(rows), keep_cents)
    orders = [_resolution(row, part.amount_cents, reason) for row, part in zip(rows, parts, strict=True)]
    try:
        await record(orders, actor=actor)
    except (TransferKnown, AlreadyResolved):
        return _same_settlement(await fetch_all(_HOLDS, [purpose]), keep_cents)
    return parts


def _held(rows: Sequence[Any]) -> list[PaymentShare]:
    return [PaymentShare(row["budget"], row["amount_cents"], row["payer"]) for row in rows]


def _resolution(row: Any, keep_cents: int, reason: str) -> TransferOrder:
    phase, cents = ("post", keep_cents) if keep_cents else ("void", row["amount_cents"])
    ref = f"end:{row['purpose']}:{row['budget'] or row['payer']}"
    return TransferOrder(
        new_id(), "booking", ref, phase, row["debit"], row["credit"], cents, row["reservation"], reason=reason
    )


def _same_settlement(rows: Sequence[Any], keep_cents: int) -> tuple[PaymentShare, ...]:
    kept_cents = sum(row["kept_cents"] for row in rows)
    if kept_cents != keep_cents:
        raise AlreadySettled(kept_cents=kept_cents)
    return tuple(PaymentShare(row["budget"], row["kept_cents"], row["payer"]) for row in rows)


async def settle_many(keep_cents: Mapping[UUID, int], *, actor: UUID | None, reason: str) -> int:
    """End every open hold of these purposes at once: pay so much for each (see `settle`). How many purposes it ended.

    Purposes that hold nothing or were settled before, in whatever way, are left as they are.

    Raises:
        InvalidInput: an amount or the reason is malformed.
        KeepsTooMuch: more than was held.
        AlreadySettled: another settlement of one of them won at this very moment; nothing changed, try again.
    """
    faults = [("keep_cents", cents_fault(cents, least=0)) for cents in keep_cents.values()]
    refuse([*faults, ("reason", text_fault(reason, REASON_LENGTH))])
    held: dict[UUID, list[Any]] = {}
    for row in await fetch_all(_HOLDS, list(keep_cents)):
        if row["phase"] is None:
            held.setdefault(row["purpose"], []).append(row)
    orders = []
    for purpose, rows in held.items():
        parts = kept(_held(rows), keep_cents[purpose])
        orders += [_resolution(row, part.amount_cents, reason) for row, part in zip(rows, parts, strict=True)]
    try:
        await record(orders, actor=actor)
    except (TransferKnown, AlreadyResolved) as refusal:
        raise AlreadySettled from refusal
    return len(held)


async def give_back(amounts_cents: Mapping[UUID, int], *, actor: UUID | None, reason: str) -> int:
    """So much of what was paid for each purpose goes back to who paid it, once. How many transfers that took.

    Never more than was paid; to each payer of a purpose in proportion to what it paid (`rules.kept`).
    A budget whose period is over passes it on to its organisation (`expire_due`).

    Raises:
        InvalidInput: the reason is malformed.
    """
    refuse([("reason", text_fault(reason, REASON_LENGTH))])
    paid: dict[UUID, list[Any]] = {}
    for row in await fetch_all(_HOLDS, list(amounts_cents)):
        paid.setdefault(row["purpose"], []).append(row)
    orders = []
    for purpose, rows in paid.items():
        shares = [PaymentShare(row["budget"], row["kept_cents"], row["payer"]) for row in rows]
        back = kept(shares, min(amounts_cents[purpose], sum(share.amount_cents for share in shares)))
        orders += [
            _fee_return(row, part.amount_cents, reason)
            for row, part in zip(rows, back, strict=True)
            if part.amount_cents
        ]
    await record(orders, actor=actor)
    return len(orders)


def _fee_return(row: Any, cents: int, reason: str) -> TransferOrder:
    ref = f"fee:{row['purpose']}:{row['budget'] or row['payer']}"
    return TransferOrder(new_id(), "fee_return", ref, "posted", row["credit"], row["debit"], cents, reason=reason)


async def expire_due(*, actor: UUID | None) -> int:
    """End the budgets whose last day is over: what is free goes on to the next period, or back to the pot.

    It goes on to the family's running budget by the policy that follows, up to the bounds of its own policy,
    once for a budget's whole life; the rest, and everything without such a budget, falls back to the pot it
    came from. Held money stays until its purpose is settled; what that releases takes the same way at the next
    call. Safe to call at any time and by several at once: it moves what is free, so a second call moves nothing.
    How many budgets ended or gave something back.
    """
    on = today()
    async with together():
        ended = await fetch_all(_LOCK_ENDED, on)
        if not ended:
            return 0
        accounts = [row["account"] for row in ended]
        found = await balances(accounts)
        onward = await _onward(ended, found, on)
        times = {row["debit"]: row["times"] for row in await fetch_all(_RETURNS_SO_FAR, accounts)}
        pots = await accounts_of("organisation_pot", {row["organisation"] for row in ended}, constrained=True)
        rest = {row["account"]: found[row["account"]].free_cents for row in ended}
        for order in onward:
            rest[order.debit] -= order.amount_cents
        orders = [
            _return(
                f"expiry:{row['id']}:{times.get(row['account'], 0) + 1}",
                row["account"],
                pots[row["organisation"]],
                rest[row["account"]],
                "Periode voorbij",
            )
            for row in ended
            if rest[row["account"]] > 0
        ]
        await record([*onward, *orders], actor=actor)
        await execute("UPDATE budget SET state = 'expired' WHERE id = ANY($1::uuid[])", [row["id"] for row in ended])
    return len(ended)


async def _onward(ended: Sequence[Any], found: Mapping[UUID, Balance], on: date) -> list[TransferOrder]:
    """What goes on to the next period. The ended budgets are locked, so what was carried before stays true."""
    accounts = {row["id"]: row["account"] for row in ended}
    orders = []
    for row in await fetch_all(_NEXT_PERIODS, list(accounts), on):
        account = accounts[row["id"]]
        bounds = CarryBounds(row["carry_cents_max"], row["carry_percent_max"])
        cents = carried_cents(found[account].free_cents, row["granted_cents"], row["carried_cents"], bounds)
        if cents:
            ref, reason = f"carry:{row['id']}:{row['times'] + 1}", "Mee naar de volgende periode"
            made = TransferOrder(
                new_id(), "carry_over", ref, "posted", account, row["next_account"], cents, reason=reason
            )
            orders.append(made)
    return orders


def _return(ref: str, account: UUID, pot: UUID, cents: int, reason: str) -> TransferOrder:
    return TransferOrder(new_id(), "grant_return", ref, "posted", account, pot, cents, reason=reason)


async def lower(budget: UUID, by_cents: int, *, lowering: UUID, actor: UUID | None, reason: str) -> None:
    """Take cents that are free back from a budget to its organisation's pot.

    Args:
        budget: which budget.
        by_cents: how much less it becomes.
        lowering: id of this lowering, made by the caller: the same one again has no effect.
        actor: who asked.
        reason: why, for the family to read.

    Raises:
        InvalidInput: the amount or the reason is malformed.
        BudgetUnknown: there is no such budget.
        LoweringTooLarge: less is free; what is held and spent stays. `free_cents`.
        TransferKnown: this lowering was done before, with another content.
    """
    refuse([("by_cents", cents_fault(by_cents)), ("reason", text_fault(reason, REASON_LENGTH))])
    async with together():
        rows = await fetch_all("SELECT account, organisation FROM budget WHERE id = $1 FOR NO KEY UPDATE", budget)
        if not rows:
            raise BudgetUnknown(budget=budget)
        account = rows[0]["account"]
        pot = await account_of("organisation_pot", rows[0]["organisation"], constrained=True)
        try:
            await record([_return(f"lowering:{lowering}", account, pot, by_cents, reason)], actor=actor)
        except NeverOverspent as refusal:
            free_cents = (await balances([account]))[account].free_cents
            raise LoweringTooLarge(free_cents=free_cents) from refusal
