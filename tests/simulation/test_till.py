"""The payment service of the made-up year is a gateway like any other, and fails where it says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leerbudget.entrypoints.simulator import faults
from leerbudget.entrypoints.simulator import till as tills
from leerbudget.entrypoints.simulator.faults import Faults
from leerbudget.entrypoints.simulator.till import FEE_CENTS, Till
from leerbudget.fictional.dice import Dice
from leerbudget.foundation.clock import now, travelling
from leerbudget.payments.errors import EventRefused, GatewaySilent
from payments.gateway_contract import AMOUNT, GatewayContract, a_key, returning
from payments.sandbox_server import an_order


class PayersOf:
    """Somebody who pays at once."""

    unknown = "cs_unknown"

    def __init__(self, gateway):
        self.gateway = gateway

    def order(self, amount_cents):
        """A share that a family pays itself."""
        return replace(
            an_order(amount_cents, methods=("ideal",), lapses_at=now() + timedelta(hours=1)), purpose="own_share"
        )

    async def pay(self, started):
        """All of it."""
        assert self.gateway.pay(started.gateway_ref)


@pytest.fixture
def till():
    """A service at which nothing goes wrong."""
    return PayersOf(Till(Faults(Dice(1, "none"), "", wanted=False), Dice(1, "none")))


class TestTheTillKeepsTheContract(GatewayContract):
    """Money is asked for, seen, given back and ended as through any gateway."""

    @pytest.fixture
    async def till(self):
        """The same."""
        return PayersOf(Till(Faults(Dice(1, "none"), "", wanted=False), Dice(1, "none")))


async def test_what_it_keeps_is_what_came_in_less_what_went_back_and_its_fee(till):
    """A slow bank pays after the time is over, a page that nobody used lapses, and ending one that is under way does nothing."""
    order, slow = till.order(AMOUNT), till.order(AMOUNT)
    started, late, unused = [await till.gateway.start(each, key=a_key()) for each in (order, slow, till.order(AMOUNT))]
    await till.pay(started)
    till.gateway.begin(late.gateway_ref)
    await till.gateway.end(late.gateway_ref)
    with travelling(now() + timedelta(hours=2)):
        assert not till.gateway.pay(unused.gateway_ref)
        await till.pay(late)
        assert not till.gateway.pay(late.gateway_ref)
        await till.gateway.refund(returning(order, started, 2_345), key=a_key())
        assert [fact.kind for fact in (await till.gateway.fetch(unused.gateway_ref)).facts] == ["expired"]
    assert till.gateway.kept_cents == 2 * (AMOUNT - FEE_CENTS) - 2_345
    assert (await till.gateway.fetch(f"pi_{late.gateway_ref}")).payment == slow.payment


async def test_a_refund_that_the_payers_bank_does_not_take_comes_back(till, monkeypatch):
    """Two days later, as a fact, in the service's own books, and never twice."""
    monkeypatch.setattr(tills, "FAILS_LATER", 1.0)
    order = till.order(AMOUNT)
    started = await till.gateway.start(order, key=a_key())
    await till.pay(started)
    await till.gateway.refund(returning(order, started, 2_345), key=a_key())
    till.gateway.work()
    assert till.gateway.kept_cents == AMOUNT - FEE_CENTS - 2_345
    with travelling(now() + tills.FAILS_AFTER):
        for _ in "ab":
            till.gateway.work()
    assert till.gateway.kept_cents == AMOUNT - FEE_CENTS
    assert [f.kind for f in (await till.gateway.fetch(started.gateway_ref)).facts][1:] == ["refunded", "refund_failed"]


async def test_what_it_pays_out_stands_there_no_more(till):
    """All of it, with a line of its own; the next time there is nothing."""
    started = await till.gateway.start(till.order(AMOUNT), key=a_key())
    await till.pay(started)
    assert [till.gateway.pay_out(name) for name in ("po_1", "po_2")] == [AMOUNT - FEE_CENTS, 0]
    assert till.gateway.kept_cents == 0
    lines = await till.gateway.balance_lines(now() - timedelta(days=1))
    assert [line.kind for line in lines] == ["payment", "payout"]


async def test_its_messages_are_genuine_and_come_once(till):
    """Each event is sent once and can be judged; other bytes are refused."""
    started = await till.gateway.start(till.order(AMOUNT), key=a_key())
    await till.pay(started)
    ((body, headers),) = till.gateway.messages()
    notice = till.gateway.verify(body, headers, at=now())
    assert [notice] == await till.gateway.events_since(now() - timedelta(days=1))
    assert (notice.kind, notice.gateway_ref) == ("received", started.gateway_ref)
    assert till.gateway.messages() == []
    with pytest.raises(EventRefused):
        till.gateway.verify(body, {}, at=now())


async def test_an_answer_that_gets_lost_was_given(monkeypatch):
    """Silence before it was done, and silence after: only the second leaves a payment, and asking again gives that one."""
    some = Faults(Dice(1, "test"), "", wanted=True)
    gateway = Till(some, Dice(1, "none"))
    order, key = PayersOf(gateway).order(AMOUNT), a_key()
    for point in (faults.SERVICE_SILENT, faults.SERVICE_UNHEARD):
        only(monkeypatch, point)
        with some.happening(), pytest.raises(GatewaySilent):
            await gateway.start(order, key=key)
    started = await gateway.start(order, key=key)
    assert gateway.pay(started.gateway_ref)
    only(monkeypatch, faults.MESSAGE_LOST)
    with some.happening():
        assert gateway.messages() == []
    assert gateway.messages() == []


def only(monkeypatch, point):
    """Of all faults only this one can happen, and always does."""
    for name in faults.SHARES:
        monkeypatch.setitem(faults.SHARES, name, float(name == point))
