"""Paying by our own bank keeps the contract of gateways: asked for, paid on a statement, given back by a payment order.

There is no gateway object for it: what a gateway does over the net, people and bank files do here. So the contract is
held against the actions, through `ByBank`, which translates and decides nothing.
"""

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, an_organisation
from leerbudget.foundation.clock import now, travelling
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import cancel_top_up, confirm_top_up, request_top_up
from leerbudget.payments.asking import refund_top_up
from leerbudget.payments.bank_errors import NothingToPay
from leerbudget.payments.bank_rules import entry_ref
from leerbudget.payments.errors import GatewayRefused, GatewayUnknown, TopUpEnded, TopUpUnknown
from leerbudget.payments.explaining import known_by_hand
from leerbudget.payments.gateways import BalanceLine, MoneyFact, PaymentOrder, Sighting, Started
from leerbudget.payments.inbox import receive
from leerbudget.payments.payouts import draft_payout
from leerbudget.payments.queries import check
from leerbudget.payments.statements import import_statements
from payments.bank_world import OWN_IBAN, PAYER_IBAN, Line, books, one, sums
from payments.gateway_contract import GatewayContract
from payments.sandbox_server import an_order


@asynccontextmanager
async def refusing():
    """What an action refuses is refused by the gateway."""
    try:
        yield
    except LeerbudgetError as refusal:
        raise GatewayRefused(type(refusal).code) from refusal


@dataclass
class ByBank:
    """The actions of top-ups by bank transfer, under the names of a gateway. A payment is known by its reference."""

    organisation: UUID
    name: str = "manual"

    def methods(self, purpose, amount_cents):
        """A transfer, of any amount that a top-up may have; a family's share is not paid by transfer."""
        return ("transfer",) if purpose == "top_up" and amount_cents >= 5_000 else ()

    async def start(self, order, *, key):
        """Ask for it; the payment's own id is the key."""
        del key
        async with refusing():
            reference = await request_top_up(order.payment, self.organisation, order.amount_cents, None, actor=CLERK)
        return Started(reference, None)

    async def _payment(self, reference):
        row = await fetch_one("SELECT id FROM payment WHERE reference = $1 AND gateway = 'manual'", reference)
        if row is None:
            raise TopUpUnknown(reference=reference)
        return row["id"]

    async def fetch(self, reference):
        """What the statement, or a person, told about it."""
        async with refusing():
            payment = await self._payment(reference)
        columns = "key, kind, money_ref, amount_cents, currency, method, happened_at"
        rows = await fetch_all(
            f"SELECT {columns} FROM payment_fact WHERE payment = $1 ORDER BY happened_at, key", payment
        )
        return Sighting(reference, payment, tuple(MoneyFact(*row) for row in rows))

    async def end(self, reference):
        """Withdraw it. One that was paid stays paid."""
        async with refusing():
            with suppress(TopUpEnded):
                await cancel_top_up(await self._payment(reference), actor=CLERK)

    async def refund(self, order, *, key):
        """Owe it, until a payment order pays it."""
        del key
        async with refusing():
            payment = await self._payment(order.gateway_ref)
            await refund_top_up(payment, order.amount_cents, id=order.refund, gateways={}, actor=CLERK)
        return str(order.refund)

    async def balance_lines(self, after):
        """The lines of our bank's statements."""
        rows = await fetch_all(
            "SELECT iban, bank_ref, amount_cents FROM bank_entry WHERE booked_on >= $1", after.date()
        )
        return [
            BalanceLine(
                row["bank_ref"], "payment", entry_ref(row["iban"], row["bank_ref"]), row["amount_cents"], 0, now()
            )
            for row in rows
        ]


@dataclass
class BankTill:
    """How the contract's deeds are done at our bank."""

    gateway: ByBank
    unknown: str = "RF18539007547034"

    def order(self, amount_cents) -> PaymentOrder:
        """Money to ask for."""
        return an_order(amount_cents, methods=("transfer",))

    async def pay(self, started):
        """Somebody transfers it, and it stands on today's statement."""
        row = await fetch_one("SELECT amount_cents FROM payment WHERE reference = $1", started.gateway_ref)
        await transferred(row["amount_cents"], started.gateway_ref, number=uuid4().hex[:12])


async def transferred(cents, reference, *, number):
    """A statement of today with a transfer under a reference."""
    day = now().date().isoformat()
    line = Line(cents, number, structured=reference, day=day)
    await import_statements(one(line, number=number, day=day), [OWN_IBAN], actor=None)


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """A day in January; afterwards payments and books fit."""
    with travelling(TODAY):
        yield
        assert [*await check(), *await check_books()] == []


class TestOurBankKeepsTheContract(GatewayContract):
    """Money by transfer is asked for, seen, given back and ended as through any gateway."""

    @pytest.fixture
    async def till(self, books_fit):  # noqa: ARG002 - the database and its day come first
        """Our bank, and an organisation that pays."""
        return BankTill(ByBank(await an_organisation()))

    def key_of(self, fact):
        """An entry at the bank is one object to which one thing happens."""
        return fact.money_ref

    async def test_moments_have_a_zone(self, till):
        """Nothing is asked since a moment: the bank's statements come by day, whole, and gaps are told on import."""
        assert not hasattr(till.gateway, "events_since")


@dataclass
class HandTill(BankTill):
    """The same, when a colleague saw the money and no statement was read."""

    async def pay(self, started):
        """A colleague confirms it."""
        row = await fetch_one("SELECT id FROM payment WHERE reference = $1", started.gateway_ref)
        await confirm_top_up(row["id"], now().date(), actor=COLLEAGUE)


class TestByHandKeepsTheContract(TestOurBankKeepsTheContract):
    """Money that a person confirmed is asked for, given back and ended alike."""

    @pytest.fixture
    async def till(self, books_fit):  # noqa: ARG002 - the database and its day come first
        """Our bank, of which nobody reads statements."""
        return HandTill(ByBank(await an_organisation()))

    def key_of(self, fact):
        """A person's word about a reference."""
        return f"hand:{fact.money_ref}"

    async def test_what_came_in_stands_in_the_books(self, till, paid):
        """There is no statement to stand on: whose word it is, another's than who asked, stands with the payment."""
        _, started = paid
        assert await till.gateway.balance_lines(now()) == []
        row = await fetch_one(
            "SELECT requested_by, confirmed_by FROM payment WHERE reference = $1", started.gateway_ref
        )
        assert tuple(row) == (CLERK, COLLEAGUE)


async def test_nobody_sends_messages_about_transfers():
    """Whoever says so is refused, and nothing is noted; statements are judged in `test_camt` and `test_statements`."""
    before = await books()
    for body in (b"", b"{}", b'{"id": "evt_1"}'):
        with pytest.raises(GatewayUnknown):
            await receive({}, "manual", body, {"stripe-signature": "t=1,v1=00"})
    assert await books() == before


async def test_a_refund_of_what_was_confirmed_by_hand_goes_where_the_statement_says_it_came_from():
    """Without a statement nobody knows the account, and nothing is paid; once the money is found on one, it goes there."""
    till = HandTill(ByBank(await an_organisation()))
    order = till.order(500_000)
    started = await till.gateway.start(order, key="")
    await till.pay(started)
    await refund_top_up(order.payment, 118_000, id=new_id(), gateways={}, actor=CLERK)
    with pytest.raises(NothingToPay):
        await draft_payout(new_id(), actor=CLERK)
    await transferred(500_000, started.gateway_ref, number="A")
    entry = await fetch_one("SELECT id FROM bank_entry")
    await known_by_hand(entry["id"], "Was al bevestigd", actor=CLERK)
    assert await draft_payout(new_id(), actor=CLERK) == 1
    line = await fetch_one("SELECT purpose, iban, amount_cents FROM payout_line")
    assert tuple(line) == ("refund", PAYER_IBAN, 118_000)
    assert await sums() == {"bank": -500_000, "refunds_owed": 118_000}
