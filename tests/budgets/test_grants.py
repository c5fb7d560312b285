"""Granting: one budget or a nation of them, all or none, and again without effect."""

import time

import pytest

from ledger.bookkeeping import (
    CLERK,
    TODAY,
    a_family,
    a_grant,
    a_payee,
    a_shared_budget,
    an_organisation,
    hold_once,
    some_families,
    top_up,
)
from leerbudget.budgets.actions import grant, grant_many, lower, settle_many
from leerbudget.budgets.errors import BudgetUnknown, GrantKnown, HolderUnknown, PotTooSmall
from leerbudget.budgets.queries import budgets_of, for_matching, holds_of, organisation_overview, pot
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_value, together
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.errors import TransferKnown
from leerbudget.ledger.queries import balances, check

MANY = 5_000


async def test_a_large_grant_takes_seconds(world_db):
    """5,000 budgets in one call, every cent accounted for; the bound leaves room for a busy machine."""
    organisation = await an_organisation()
    await top_up(organisation, MANY * 25_000)
    families = await some_families(organisation, MANY)
    orders = [a_grant(family, organisation, 25_000, themes=("trauma", "endings")) for family in families]
    started = time.perf_counter()
    ids = await grant_many(orders, actor=CLERK)
    assert time.perf_counter() - started < 9
    assert ids == [order.id for order in orders]
    assert (await pot(organisation)).free_cents == 0
    assert [*await check(), *await check_budgets()] == []
    with travelling(TODAY):
        found = await for_matching(families)
    assert sum(budget.available_cents for each in found.values() for budget in each) == MANY * 25_000
    assert (await organisation_overview(organisation)).total.budgets == MANY


async def test_a_hold_asks_the_database_one_thing(world_db):
    """Whatever the number of budgets, besides the marks of its savepoint."""
    family, _, payee = await a_shared_budget(100, 100, 100, 100, 100)
    asked = []
    async with together() as connection:
        with connection.query_logger(lambda query: asked.append(query.query)):
            assert len(await hold_once(family, payee, 450)) == 5
    assert len([sql for sql in asked if "SAVEPOINT" not in sql.upper()]) == 1


async def test_a_grant_again_has_no_effect(world_db):
    """The same file twice, with other ids, grants once and answers with the ids that stand in the books."""
    organisation = await an_organisation()
    await top_up(organisation, 100_000)
    families = await some_families(organisation, 2)
    first = [a_grant(family, organisation, 25_000, external_ref=f"R{n}") for n, family in enumerate(families)]
    again = [a_grant(family, organisation, 25_000, external_ref=f"R{n}") for n, family in enumerate(families)]
    ids = await grant_many(first, actor=CLERK)
    more = a_grant(families[0], organisation, 25_000)
    assert await grant_many([*again, more], actor=CLERK) == [*ids, more.id]
    assert (await pot(organisation)).free_cents == 25_000


async def test_organisations_number_their_grants_themselves(world_db):
    """Two organisations may both have a grant number 1."""
    for _ in "ab":
        organisation = await an_organisation()
        await top_up(organisation, 100_000)
        await grant(a_grant(await a_family(organisation), organisation, 25_000, external_ref="1"), actor=CLERK)
    assert await fetch_value("SELECT count(*) FROM budget WHERE external_ref = '1'") == 2


async def test_all_or_none(world_db):
    """One grant that cannot be made undoes the others: too small a pot, an unknown family, a changed grant."""
    organisation = await an_organisation()
    await top_up(organisation, 60_000)
    families = await some_families(organisation, 3)
    good = [a_grant(family, organisation, 25_000) for family in families]
    with pytest.raises(PotTooSmall) as refused:
        await grant_many(good, actor=CLERK)
    assert refused.value.data == {"organisation": organisation, "missing_cents": 15_000, "free_cents": 60_000}
    with pytest.raises(HolderUnknown):
        await grant_many([good[0], a_grant(new_id(), organisation, 1)], actor=CLERK)
    await grant(good[0], actor=CLERK)
    changed = a_grant(families[1], organisation, 25_000, external_ref=good[0].external_ref)
    with pytest.raises(GrantKnown):
        await grant_many([good[1], changed], actor=CLERK)
    assert await fetch_value("SELECT count(*) FROM budget") == 1
    assert await fetch_value("SELECT count(*) FROM account WHERE kind = 'family_budget'") == 1


async def test_a_pot_that_was_never_filled_is_too_small(world_db):
    """An organisation without a top-up grants nothing, and the refusal leaves no account behind."""
    organisation = await an_organisation()
    with pytest.raises(PotTooSmall) as refused:
        await grant(a_grant(await a_family(organisation), organisation, 1), actor=CLERK)
    assert (refused.value.data["missing_cents"], refused.value.data["free_cents"]) == (1, 0)
    assert await fetch_value("SELECT count(*) FROM account") == 0


async def test_twins_in_one_batch_are_named(world_db):
    """Two orders with one number, or one id, are refused before anything is asked of the database."""
    organisation, family = new_id(), new_id()
    order = a_grant(family, organisation, 1)
    with pytest.raises(InvalidInput) as refused:
        await grant_many([order, a_grant(family, organisation, 1, external_ref=order.external_ref), order], actor=None)
    places = [error["path"] for error in refused.value.data["errors"]]
    assert places == ["1.external_ref", "2.id", "2.external_ref"]


async def test_an_earmark_is_kept_and_shown(world_db):
    """Themes and forms come back as granted, without doubles, and nothing stays nothing."""
    organisation = await an_organisation()
    await top_up(organisation, 100_000)
    family = await a_family(organisation)
    await grant(a_grant(family, organisation, 1, themes=("trauma", "endings", "trauma")), actor=CLERK)
    (view,) = await budgets_of(family)
    assert (view.themes, view.forms) == (("endings", "trauma"), None)


async def test_many_bookings_are_settled_at_once(world_db):
    """Every open hold is paid, or released, in one call; what was settled before is left alone."""
    family, budgets, payee = await a_shared_budget(60_000)
    purposes = [new_id() for _ in range(6)]
    for purpose in purposes:
        await hold_once(family, payee, 10_000, purpose)
    all_of_it = dict.fromkeys(purposes, 10_000)
    assert await settle_many(dict.fromkeys(purposes[:2], 0), actor=None, reason="Afgelast") == 2
    assert await settle_many(all_of_it, actor=None, reason="Geweest") == 4
    assert await settle_many({**all_of_it, new_id(): 1}, actor=None, reason="Geweest") == 0
    assert (await balances([payee]))[payee].posted_cents == 40_000
    assert (await balances(budgets))[budgets[0]].free_cents == 20_000
    assert sorted(view.phase for view in await holds_of(purposes)) == ["post"] * 4 + ["void"] * 2


async def test_one_lowering_is_one_lowering(world_db):
    """The same lowering again has no effect, another amount under its id is refused, an unknown budget is unknown."""
    _, (budget,), _ = await a_shared_budget(10_000)
    made = new_id()
    for _ in "ab":
        await lower(budget, 4_000, lowering=made, actor=CLERK, reason="Afspraak")
    assert (await balances([budget]))[budget].free_cents == 6_000
    with pytest.raises(TransferKnown):
        await lower(budget, 4_001, lowering=made, actor=CLERK, reason="Afspraak")
    with pytest.raises(BudgetUnknown):
        await lower(new_id(), 1, lowering=new_id(), actor=CLERK, reason="Afspraak")


@pytest.mark.parametrize("cents", [True, 10.0, -1, 0, 2**53, "10", None])
async def test_a_hold_refuses_what_is_no_amount(cents):
    """A malformed amount is refused before the database is asked: this test opens none."""
    with pytest.raises(InvalidInput) as refused:
        await hold_once(new_id(), new_id(), cents)
    assert [error["path"] for error in refused.value.data["errors"]] == ["total_cents"]


async def test_the_payee_is_paid_by_whom_it_says(world_db):
    """A hold names the payee's account; an account that was never opened gets nothing."""
    family, _, payee = await a_shared_budget(10_000)
    other = await a_payee()
    purpose = new_id()
    await hold_once(family, payee, 5_000, purpose)
    await settle_many({purpose: 5_000}, actor=None, reason="Geweest")
    found = await balances([payee, other])
    assert (found[payee].posted_cents, found[other].posted_cents) == (5_000, 0)
