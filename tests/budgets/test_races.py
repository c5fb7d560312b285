"""Two carers, one budget, the same second. Each race has its negative control."""

import asyncio
from datetime import UTC, datetime

import pytest

from ledger.bookkeeping import CLERK, a_family, a_grant, a_shared_budget, an_organisation, hold_once, top_up
from leerbudget.budgets.actions import expire_due, grant, grant_many, settle
from leerbudget.budgets.errors import AlreadySettled, BudgetTooSmall, GrantKnown, HoldKnown, PotTooSmall
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.budgets.queries import holds_of
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_value, together
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import record
from leerbudget.ledger.errors import NeverOverspent
from leerbudget.ledger.queries import balances, check
from leerbudget.ledger.rules import TransferOrder
from without import changed_function

RACES = 100
HELD = 18_000


async def won(work):
    """Whether the work was done; money that is not there is the only reason to lose."""
    try:
        await work
    except (BudgetTooSmall, NeverOverspent):
        return False
    return True


async def budgets_for_races(number):
    """Families with one budget of 25000 each, in one pot: enough for one hold of 18000 and not for two."""
    organisation = await an_organisation()
    await top_up(organisation, 25_000 * number)
    families = [await a_family(organisation) for _ in range(number)]
    ids = await grant_many([a_grant(family, organisation, 25_000) for family in families], actor=CLERK)
    return list(zip(families, ids, strict=True))


async def race(pairs, attempt):
    """Two carers per family at once; how many of them got the money, per family."""
    outcomes = await asyncio.gather(*(won(attempt(*pair)) for pair in pairs for _ in "ab"))
    return [sum(outcomes[place : place + 2]) for place in range(0, len(outcomes), 2)]


async def read_then_insert(family, budget, payee):
    """The classic mistake: look whether there is enough, think for a moment, then write."""
    async with together():
        free_cents = (await balances([budget]))[budget].free_cents
        await asyncio.sleep(0.01)
        if free_cents < HELD:
            raise BudgetTooSmall(missing_cents=HELD - free_cents, free_cents=free_cents)
        order = TransferOrder(new_id(), "booking", f"naive:{new_id()}", "reserve", budget, payee, HELD)
        await record([order], actor=None)


async def test_a_shared_budget_is_never_spent_twice(world_db):
    """In 100 races of two carers for one budget exactly one gets the money, every time."""
    pairs = await budgets_for_races(RACES)
    _, _, payee = await a_shared_budget(100)
    winners = await race(pairs, lambda family, _: hold_once(family, payee, HELD))
    assert winners == [1] * RACES
    assert [*await check(), *await check_budgets()] == []


async def test_without_the_guard_the_same_race_overspends(world_db, admin):
    """Negative control: read-then-insert spends money twice once the constraint is gone, and the check says so."""
    pairs = await budgets_for_races(5)
    _, _, payee = await a_shared_budget(100)
    assert await race(pairs, lambda family, budget: read_then_insert(family, budget, payee)) == [1] * 5
    await admin.execute("ALTER TABLE account DROP CONSTRAINT never_overspent")
    pairs = await budgets_for_races(5)
    winners = await race(pairs, lambda family, budget: read_then_insert(family, budget, payee))
    assert max(winners) == 2
    assert any("te laag" in message for message in await check())


async def test_many_carers_get_exactly_what_the_budgets_can_pay(world_db):
    """100 holds of 4500 on budgets of 25000 and 20000: ten succeed, none is refused while money is left."""
    family, budgets, payee = await a_shared_budget(25_000, 20_000)
    outcomes = await asyncio.gather(*(won(hold_once(family, payee, 4_500)) for _ in range(100)))
    assert sum(outcomes) == 10
    assert [b.free_cents for b in (await balances(budgets)).values()] == [0, 0]
    assert [*await check(), *await check_budgets()] == []


async def test_without_the_lock_money_is_refused_that_is_there(world_db, admin):
    """Negative control: when holds do not wait for each other, some are turned away while a budget could pay."""
    await admin.execute(changed_function("budgets", "hold_money", "ORDER BY b.id FOR NO KEY UPDATE", ""))
    turned_away = 0
    for _ in range(10):
        family, _, payee = await a_shared_budget(25_000, 20_000)
        outcomes = await asyncio.gather(
            *(won(hold_once(family, payee, 4_500)) for _ in range(10)), return_exceptions=True
        )
        turned_away += sum(isinstance(outcome, Busy) for outcome in outcomes)
    assert turned_away > 0


async def test_the_same_purpose_twice_at_once_holds_once(world_db):
    """Twenty retries of one hold at the same moment have one effect and one answer."""
    family, budgets, payee = await a_shared_budget(10_000, 20_000)
    purpose = new_id()
    answers = await asyncio.gather(*(hold_once(family, payee, HELD, purpose) for _ in range(20)))
    assert len({frozenset(answer) for answer in answers}) == 1
    assert sum(b.pending_cents for b in (await balances(budgets)).values()) == HELD
    assert len(await holds_of([purpose])) == 2


async def test_a_purpose_holds_one_thing(world_db):
    """The same purpose for another amount, payee or family is refused and holds nothing more."""
    family, _, payee = await a_shared_budget(40_000)
    other, _, other_payee = await a_shared_budget(40_000)
    purpose = new_id()
    await hold_once(family, payee, HELD, purpose)
    for who, to, cents in ((family, payee, HELD + 1), (family, other_payee, HELD), (other, payee, HELD)):
        with pytest.raises(HoldKnown):
            await hold_once(who, to, cents, purpose)
    assert sum(view.held_cents for view in await holds_of([purpose])) == HELD


async def test_cancelling_and_attending_at_once_settle_once(world_db):
    """Of two different settlements at the same moment one counts; the other hears what was kept."""
    for _ in range(20):
        family, budgets, payee = await a_shared_budget(10_000, 20_000)
        purpose = new_id()
        await hold_once(family, payee, HELD, purpose)
        outcomes = await asyncio.gather(
            *(settle(purpose, cents, actor=None, reason="Test") for cents in (HELD, 9_000, 0)), return_exceptions=True
        )
        assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
        kept = (await balances([payee]))[payee].posted_cents
        told = {o.data["kept_cents"] for o in outcomes if isinstance(o, AlreadySettled)}
        assert told == {kept}
        assert all(b.pending_cents == 0 for b in (await balances(budgets)).values())
    assert [*await check(), *await check_budgets()] == []


async def test_a_grant_twice_at_once_is_granted_once(world_db):
    """Ten retries of one grant take the money from the pot once; another content under its id is refused."""
    organisation = await an_organisation()
    await top_up(organisation, 100_000)
    order = a_grant(await a_family(organisation), organisation, 25_000)
    answers = await asyncio.gather(*(grant(order, actor=CLERK) for _ in range(10)))
    assert set(answers) == {order.id}
    assert await fetch_value("SELECT debits_posted_cents FROM account WHERE kind = 'organisation_pot'") == 25_000
    changed = a_grant(order.family, organisation, 25_001, id=order.id, external_ref=order.external_ref)
    with pytest.raises(GrantKnown):
        await grant(changed, actor=CLERK)


async def test_a_pot_is_never_granted_twice(world_db):
    """Eight grants of 25000 from a pot of 100000 at the same moment: four are made, four hear what is missing."""
    organisation = await an_organisation()
    await top_up(organisation, 100_000)
    orders = [a_grant(await a_family(organisation), organisation, 25_000) for _ in range(8)]
    outcomes = await asyncio.gather(*(grant(order, actor=CLERK) for order in orders), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, PotTooSmall)]
    assert (len(refused), sum(not isinstance(o, Exception) for o in outcomes)) == (4, 4)
    assert await check_budgets() == []


async def test_an_expiry_and_its_twin_return_the_money_once(world_db):
    """Five workers that end the same budgets at the same moment move every free cent once."""
    family, budgets, payee = await a_shared_budget(10_000, 20_000)
    await hold_once(family, payee, HELD)

    async def worker():
        with travelling(datetime(2028, 1, 1, 12, tzinfo=UTC)):
            return await expire_due(actor=None)

    await asyncio.gather(*(worker() for _ in range(5)))
    assert [b.free_cents for b in (await balances(budgets)).values()] == [0, 0]
    returned = await fetch_value("SELECT sum(amount_cents)::bigint FROM transfer WHERE kind = 'grant_return'")
    assert returned == 30_000 - HELD
    assert [*await check(), *await check_budgets()] == []
