"""Opening accounts and recording transfers, against the real database."""

import asyncio
from datetime import UTC, datetime

import pytest

from leerbudget.foundation.database import fetch_value, together
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, accounts_of, open_accounts, record
from leerbudget.ledger.errors import (
    AccountKindUnknown,
    AccountKnown,
    AccountUnknown,
    AlreadyResolved,
    NeverOverspent,
    ResolutionDoesNotFit,
    TransferKnown,
)
from leerbudget.ledger.queries import Balance, balances, check
from leerbudget.ledger.rules import AccountOrder, TransferOrder


class Stage:
    """A bank, a pot of 1000 and a trainer."""

    async def open(self):
        """Fill the pot."""
        self.bank = await account_of("bank", None, constrained=False)
        self.pot = await account_of("organisation_pot", new_id(), constrained=True)
        self.trainer = await account_of("trainer_payable", new_id(), constrained=False)
        await record([self.order(debit=self.bank, credit=self.pot, cents=1_000)], actor=None)
        return self

    def order(self, *, ref=None, phase="posted", cents=100, debit=None, credit=None, resolves=None, **more):
        """A transfer from the pot to the trainer, unless told otherwise."""
        sides = (debit or self.pot, credit or self.trainer)
        return TransferOrder(new_id(), "booking", ref or str(new_id()), phase, *sides, cents, resolves, **more)

    async def pot_shows(self):
        """The pot: in minus out, held, free."""
        found = (await balances([self.pot]))[self.pot]
        return found.posted_cents, found.pending_cents, found.free_cents


@pytest.fixture
async def stage(world_db):
    """The stage; afterwards the books must balance."""
    yield await Stage().open()
    assert await check() == []


async def test_reserve_then_resolve_in_each_way(stage):
    """Posting in full, posting a part, voiding and expiring all end a reservation of 100 and free the rest."""
    for phase, cents, left in (("post", 100, 900), ("post", 40, 860), ("void", 100, 860), ("expire", 100, 860)):
        held = stage.order(phase="reserve", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
        await record([held], actor=None)
        before = await stage.pot_shows()
        assert before[1] == 100
        await record([stage.order(phase=phase, cents=cents, resolves=held.id)], actor=None)
        assert await stage.pot_shows() == (left, 0, left)
    found = await balances([stage.bank, stage.trainer, new_id()])
    assert found == {stage.bank: Balance(-1000, 0, -1000), stage.trainer: Balance(140, 0, 140)}


async def test_a_reservation_and_its_resolution_may_come_together(stage):
    """One call may reserve and resolve, and the counters come out right."""
    held = stage.order(phase="reserve")
    await record([held, stage.order(phase="post", cents=30, resolves=held.id)], actor=None)
    assert await stage.pot_shows() == (970, 0, 970)


async def test_all_orders_or_none(stage):
    """One order too many undoes the others, and the refusal leaves the outer work alone."""
    async with together():
        await record([stage.order(ref="kept")], actor=None)
        with pytest.raises(NeverOverspent):
            await record([stage.order(), stage.order(cents=801)], actor=None)
    assert await stage.pot_shows() == (900, 0, 900)


async def test_pending_money_cannot_be_spent(stage):
    """What is reserved counts as gone until it is released."""
    await record([stage.order(phase="reserve", cents=600)], actor=None)
    with pytest.raises(NeverOverspent):
        await record([stage.order(cents=401)], actor=None)
    await record([stage.order(cents=400)], actor=None)
    assert await stage.pot_shows() == (600, 600, 0)


async def test_an_event_again_has_no_effect(stage):
    """The same event, under another id and in a larger batch, counts once; with another content it is refused."""
    await record([stage.order(ref="hold:1")], actor=None)
    await record([stage.order(ref="hold:1"), stage.order(ref="hold:2"), stage.order(ref="hold:2")], actor=None)
    assert await stage.pot_shows() == (800, 0, 800)
    for changed in (stage.order(ref="hold:1", cents=101), stage.order(ref="hold:1", reason="Anders")):
        with pytest.raises(TransferKnown) as refused:
            await record([stage.order(ref="hold:3"), changed], actor=None)
        assert refused.value.data["business_ref"] == "hold:1"
    assert await stage.pot_shows() == (800, 0, 800)


async def test_an_id_is_one_event(stage):
    """An id that was used for another event is refused."""
    order = stage.order(ref="one")
    await record([order], actor=None)
    twin = TransferOrder(order.id, "booking", "two", "posted", stage.pot, stage.trainer, 100)
    with pytest.raises(TransferKnown):
        await record([twin], actor=None)


async def test_the_same_event_fifty_times_at_once_counts_once(stage):
    """Fifty callers at the same moment, with one id or with ids of their own: one effect, no error."""
    order = stage.order(ref="same id")
    await asyncio.gather(*(record([order], actor=None) for _ in range(25)))
    await asyncio.gather(*(record([stage.order(ref="own id")], actor=None) for _ in range(25)))
    assert await stage.pot_shows() == (800, 0, 800)


async def test_two_callers_with_the_same_events_in_another_order_do_not_lock_each_other_out(stage):
    """Twenty pairs that record the same two events, each starting at the other end, all finish."""
    for _ in range(20):
        refs = [str(new_id()), str(new_id())]
        batches = ([stage.order(ref=ref, cents=1) for ref in order] for order in (refs, refs[::-1]))
        await asyncio.gather(*(record(batch, actor=None) for batch in batches))
    assert await stage.pot_shows() == (960, 0, 960)


async def test_a_reservation_ends_once(stage):
    """A second resolution, under another event, is refused, also when both come at the same moment."""
    held = stage.order(phase="reserve")
    await record([held], actor=None)
    tries = [record([stage.order(phase=p, resolves=held.id)], actor=None) for p in ("post", "void", "expire")]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, AlreadyResolved) for outcome in outcomes) == 2
    with pytest.raises(AlreadyResolved):
        await record([stage.order(phase="void", resolves=held.id)], actor=None)


async def test_a_resolution_fits_its_reservation(stage):
    """More than reserved, from elsewhere, or of something that is no reservation: refused."""
    held, posted = stage.order(phase="reserve"), stage.order()
    await record([held, posted], actor=None)
    misfits = (
        stage.order(phase="post", cents=101, resolves=held.id),
        stage.order(phase="void", cents=99, resolves=held.id),
        stage.order(phase="post", debit=stage.bank, resolves=held.id),
        stage.order(phase="void", resolves=posted.id),
        stage.order(phase="void", resolves=new_id()),
    )
    for misfit in misfits:
        with pytest.raises(ResolutionDoesNotFit):
            await record([misfit], actor=None)
    assert await stage.pot_shows() == (900, 100, 800)


async def test_money_goes_to_accounts_that_exist(stage):
    """An account that was never opened can neither pay nor be paid."""
    for order in (stage.order(debit=new_id()), stage.order(credit=new_id())):
        with pytest.raises(AccountUnknown):
            await record([order], actor=None)


async def test_a_malformed_order_is_named_by_its_place(stage):
    """The second of two orders is the wrong one, and nothing was recorded."""
    with pytest.raises(InvalidInput) as refused:
        await record([stage.order(), stage.order(cents=True)], actor=None)
    assert [error["path"] for error in refused.value.data["errors"]] == ["1.amount_cents"]
    assert await fetch_value("SELECT count(*) FROM transfer") == 1


async def test_opening_again_has_no_effect(stage):
    """The same account order twice is one account; another id or kind of counting for its owner is refused."""
    owner = new_id()
    order = AccountOrder(new_id(), "family_budget", owner, constrained=True)
    await open_accounts([order, order])
    await open_accounts([order])
    with pytest.raises(AccountKnown):
        await open_accounts([AccountOrder(new_id(), "family_budget", owner, constrained=True)])
    with pytest.raises(AccountKnown):
        await account_of("family_budget", owner, constrained=False)
    with pytest.raises(AccountKindUnknown):
        await account_of("purse", owner, constrained=True)
    assert await account_of("family_budget", owner, constrained=True) == order.id


async def test_many_who_ask_for_one_account_get_the_same(stage):
    """Thirty callers at the same moment, for an owner and for the house's own, find one account each."""
    owner = new_id()
    found = await asyncio.gather(*(accounts_of("suspense", [owner, None], constrained=False) for _ in range(30)))
    assert len({(each[owner], each[None]) for each in found}) == 1
