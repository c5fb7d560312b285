"""What every gateway does alike.

A gateway passes by a test class of its own under `GatewayContract`, with a fixture `till`. A till has a `gateway`, the
reference `unknown` that it never gave, `pay(started)` by which somebody pays all of what was started, and
`order(amount_cents)`, money to ask for.
"""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from leerbudget.foundation.clock import now
from leerbudget.payments.errors import GatewayRefused, GatewaySilent
from leerbudget.payments.gateways import FACT_KINDS, METHODS, PURPOSES, RefundOrder

AMOUNT = 12_345


def a_key():
    """An idempotency key that nobody used."""
    return str(uuid4())


def returning(order, started, amount_cents):
    """An order to give a part back."""
    return RefundOrder(order.payment, started.gateway_ref, uuid4(), amount_cents)


class GatewayContract:
    """The contract."""

    def key_of(self, fact):
        """How a fact is called: its object, and what happened to it."""
        return f"{fact.money_ref}:{fact.kind}"

    @pytest.fixture
    async def till(self):
        """The gateway under test, and how somebody pays through it."""
        raise NotImplementedError

    @pytest.fixture
    async def paid(self, till):
        """An order that was paid, and how it was started."""
        order = till.order(AMOUNT)
        started = await till.gateway.start(order, key=a_key())
        await till.pay(started)
        return order, started

    async def test_the_same_key_starts_once(self, till):
        """The same order under the same key is one payment, and another key is another."""
        order, key = till.order(AMOUNT), a_key()
        first = await till.gateway.start(order, key=key)
        assert await till.gateway.start(order, key=key) == first
        other = await till.gateway.start(till.order(AMOUNT), key=a_key())
        assert other.gateway_ref != first.gateway_ref

    async def test_the_same_key_at_the_same_time_starts_once(self, till):
        """Five at once under one key are one payment: whoever gets an answer gets the same."""
        order, key = till.order(AMOUNT), a_key()
        asked = [till.gateway.start(order, key=key) for _ in range(5)]
        told = await asyncio.gather(*asked, return_exceptions=True)
        started = {each for each in told if not isinstance(each, GatewaySilent)}
        assert started == {await till.gateway.start(order, key=key)}

    async def test_what_was_started_names_its_payment_and_nothing_else(self, till):
        """Before anything happens a sighting says whose it is and has no facts."""
        order = till.order(AMOUNT)
        started = await till.gateway.start(order, key=a_key())
        seen = await till.gateway.fetch(started.gateway_ref)
        assert (seen.gateway_ref, seen.payment, seen.facts) == (started.gateway_ref, order.payment, ())

    async def test_what_was_paid_is_one_fact(self, till, paid):
        """All of the amount arrives once, in euros, by a method of ours."""
        order, started = paid
        (fact,) = (await till.gateway.fetch(started.gateway_ref)).facts
        assert (fact.kind, fact.amount_cents, fact.currency) == ("received", order.amount_cents, "EUR")
        assert fact.method in METHODS
        assert fact.happened_at.tzinfo is not None
        assert abs(fact.happened_at - now()) < timedelta(days=2)

    async def test_looking_again_gives_the_same_facts(self, till, paid):
        """A sighting is the same however often it is looked at, and every key says its object and kind."""
        order, started = paid
        await till.gateway.refund(returning(order, started, 45), key=a_key())
        first = await till.gateway.fetch(started.gateway_ref)
        assert await till.gateway.fetch(started.gateway_ref) == first
        assert len({fact.key for fact in first.facts}) == len(first.facts)
        for fact in first.facts:
            assert fact.kind in FACT_KINDS
            assert fact.key == self.key_of(fact)

    async def test_an_unknown_payment_is_refused(self, till):
        """What the gateway never gave out is refused in every verb, as is what cannot be a reference."""
        for reference in (till.unknown, "", "a/b", "?limit=1"):
            with pytest.raises(GatewayRefused):
                await till.gateway.fetch(reference)
            with pytest.raises(GatewayRefused):
                await till.gateway.end(reference)
            with pytest.raises(GatewayRefused):
                await till.gateway.refund(RefundOrder(uuid4(), reference, uuid4(), 100), key=a_key())

    async def test_a_part_comes_back_once(self, till, paid):
        """A refund under one key is one refund, recognised by our own id where the gateway carries it."""
        order, started = paid
        refund, key = returning(order, started, 2_345), a_key()
        ref = await till.gateway.refund(refund, key=key)
        assert await till.gateway.refund(refund, key=key) == ref
        facts = [f for f in (await till.gateway.fetch(started.gateway_ref)).facts if f.money_ref == ref]
        assert all(fact.refund in {None, refund.refund} for fact in facts)
        assert sum(fact.amount_cents for fact in facts if fact.kind == "refunded") in {0, 2_345}

    async def test_more_than_was_paid_never_comes_back(self, till, paid):
        """One cent more than is left is refused, and nothing changes."""
        order, started = paid
        await till.gateway.refund(returning(order, started, AMOUNT - 100), key=a_key())
        before = await till.gateway.fetch(started.gateway_ref)
        with pytest.raises(GatewayRefused):
            await till.gateway.refund(returning(order, started, 101), key=a_key())
        assert await till.gateway.fetch(started.gateway_ref) == before

    @pytest.mark.parametrize("amount", [None, 0, -1, True])
    async def test_no_amount_gives_nothing_back(self, till, paid, amount):
        """Who forgets the amount gives back nothing instead of everything."""
        order, started = paid
        with pytest.raises(GatewayRefused):
            await till.gateway.refund(returning(order, started, amount), key=a_key())
        assert len((await till.gateway.fetch(started.gateway_ref)).facts) == 1

    async def test_what_was_not_paid_does_not_come_back(self, till):
        """Nothing is given back of a payment that nobody made."""
        order = till.order(AMOUNT)
        started = await till.gateway.start(order, key=a_key())
        with pytest.raises(GatewayRefused):
            await till.gateway.refund(returning(order, started, 100), key=a_key())

    async def test_ending_what_was_paid_changes_nothing(self, till, paid):
        """Who pays just before the end has paid."""
        _, started = paid
        before = await till.gateway.fetch(started.gateway_ref)
        await till.gateway.end(started.gateway_ref)
        assert await till.gateway.fetch(started.gateway_ref) == before

    async def test_ending_twice_is_ending_once(self, till):
        """What was ended stays ended, and says so at most once."""
        started = await till.gateway.start(till.order(AMOUNT), key=a_key())
        for _ in range(2):
            await till.gateway.end(started.gateway_ref)
            facts = (await till.gateway.fetch(started.gateway_ref)).facts
            assert [fact.kind for fact in facts] in ([], ["expired"])

    async def test_methods_follow_the_amount(self, till):
        """Methods are known ones; a tiny amount has none but a transfer, and whoever pays a share never a debit."""
        for purpose in PURPOSES:
            for amount in (1, 49, 50, 100, AMOUNT, 1_000_000, 1_000_001, 5_000_000, 5_000_001, 25_000_000_000):
                found = till.gateway.methods(purpose, amount)
                assert set(found) <= set(METHODS)
                assert len(set(found)) == len(found)
                assert amount >= 50 or set(found) <= {"transfer"}
                assert purpose == "top_up" or "sepa_debit" not in found

    async def test_what_came_in_stands_in_the_books(self, till, paid):
        """The gateway's own books have a line for what was received, of the same money and amount."""
        _, started = paid
        (fact,) = (await till.gateway.fetch(started.gateway_ref)).facts
        lines = await till.gateway.balance_lines(now() - timedelta(days=2))
        (line,) = [line for line in lines if line.money_ref == fact.money_ref]
        assert (line.kind, line.amount_cents, line.currency) == ("payment", fact.amount_cents, fact.currency)
        assert line.fee_cents >= 0

    async def test_moments_have_a_zone(self, till):
        """A moment without a zone is a mistake of ours, found before anything is asked."""
        naive = now().replace(tzinfo=None)
        with pytest.raises(ValueError, match="zone"):
            await till.gateway.events_since(naive)
        with pytest.raises(ValueError, match="zone"):
            await till.gateway.balance_lines(naive)
