"""Own payments through the made-up Stripe: its real messages in every order, some of them twice, and one end (money.md, 11-14)."""

import itertools
import json
import random
from dataclasses import dataclass

import pytest

import world
from leerbudget.bookings import actions, queries
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.webhooks import signature
from leerbudget.foundation.clock import now, travelling
from leerbudget.foundation.database import fetch_value
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments import asking, inbox, own_shares
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.queries import check
from payments.orders import with_duplicates
from payments.own_share_world import BUDGET, LATE, OWN, PRICE, UNPAID, a_family, a_request, asked, finished, standing
from payments.sandbox_server import gateway_to, sandbox_on_a_port

PAYING, REFUNDING = 3, 2
"""Messages that a payment by iDEAL has, and those that a refund has."""


@dataclass
class Play:
    """One family that pays a part of one seat itself, at a made-up Stripe of its own."""

    sandbox: object
    chance: random.Random
    orders: tuple

    async def begin(self):
        """The family is at the page where it pays, and pays; nobody here has heard."""
        self.sandbox.books.clock = now
        self.gateway, self.before = gateway_to(self.sandbox), []
        self.heard = len(self.sandbox.books.objects["event"])
        self.session = await world.a_session(price_cents=PRICE, seats=1)
        self.request = await a_request(await a_family(), self.session)
        await asked(self.gateway, self.request)
        ref = await fetch_value("SELECT gateway_ref FROM payment WHERE booking = $1", self.request.id)
        deeds.pay(self.sandbox.books, self.sandbox.books.get("checkout.session", ref), "ideal")

    async def hear(self, place):
        """What was sent is told in its order, some of it and of what was told before twice, between looks of the worker."""
        sent, order = list(self.sandbox.books.objects["event"])[self.heard :], self.orders[place]
        self.heard += len(sent)
        assert len(sent) == len(order)
        told = [*with_duplicates([sent[each] for each in order], self.chance), *self.before[:1]]
        for event in told:
            await self._receive(self.sandbox.books.get("event", event))
            if self.chance.random() < 0.5:
                await self.work()
        await self.work()
        self.before += sent

    async def _receive(self, event):
        body = json.dumps(event).encode()
        headers = {"stripe-signature": signature(body, SANDBOX_WEBHOOK_SECRET, int(now().timestamp()))}
        await inbox.receive({"sandbox": self.gateway}, "sandbox", body, headers)

    async def work(self):
        """What the worker does, twice."""
        for _ in "ab":
            await inbox.look_at_messages({"sandbox": self.gateway})
            await own_shares.place_all()

    async def refund(self):
        """What is owed is asked for, as often as anybody likes, and what is told of it is heard."""
        with travelling(now() + UNPAID):
            for _ in "ab":
                await asking.ask_again({"sandbox": self.gateway})
            await self.hear(1)


async def given(play):
    """11: the course is given, and the job that pays the trainer is done twice."""
    await play.hear(0)
    await finished(play.session)


async def cancelled_in_time(play):
    """12: everything goes back to who paid it."""
    await play.hear(0)
    await actions.cancel(play.request.id, actor=None)
    await play.work()
    await play.refund()


async def cancelled_late(play):
    """12: half of the price is kept, of the budget and of their own money alike."""
    await play.hear(0)
    with travelling(now() + LATE):
        await actions.cancel(play.request.id, actor=None)
        await play.work()
        await play.refund()


async def refund_comes_back(play):
    """13: their bank does not take it, so it is owed."""
    await play.hear(0)
    await actions.cancel(play.request.id, actor=None)
    await play.work()
    with travelling(now() + UNPAID):
        await asking.ask_again({"sandbox": play.gateway})
        made = play.sandbox.books.where("refund")[0]
        deeds.refund_fails(play.sandbox.books, made)
        await play.hear(1)


async def seat_still_there(play):
    """14: the seat was given up before anybody heard of the money, and nobody else took it."""
    with travelling(now() + UNPAID):
        assert await actions.expire_offers() == [play.request.id]
        await play.hear(0)


async def seat_of_others(play):
    """14: somebody else sits there by now."""
    with travelling(now() + UNPAID):
        await actions.expire_offers()
        await actions.book(await a_request(await a_family(PRICE), play.session, own_cents=None), actor=None)
        await play.hear(0)
        await play.refund()


STORIES = {
    given: (0, {"gateway_clearing": -OWN, "trainer_payable": PRICE}, "attended"),
    cancelled_in_time: (REFUNDING, {"family_budget": BUDGET}, "cancelled"),
    cancelled_late: (
        REFUNDING,
        {"gateway_clearing": -OWN // 2, "trainer_payable": PRICE // 2, "family_budget": BUDGET // 2},
        "cancelled",
    ),
    refund_comes_back: (
        REFUNDING + 1,
        {"gateway_clearing": -OWN, "refunds_owed": OWN, "family_budget": BUDGET},
        "cancelled",
    ),
    seat_still_there: (0, {"gateway_clearing": -OWN, "own_payment": OWN, "family_budget": BUDGET}, "confirmed"),
    seat_of_others: (REFUNDING, {"family_budget": BUDGET + PRICE}, "expired"),
}
"""How many messages a refund has, what every kind of account has more in the end, and what became of the seat."""


@pytest.fixture(scope="module")
async def served():
    """One made-up Stripe for this module."""
    async with sandbox_on_a_port() as sandbox:
        yield sandbox


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_every_order_of_messages_pays_the_seat_or_goes_back(world_db, served, story):
    """Own money paid by iDEAL: in each order of its messages and of its refund's, the same books, seat and letters."""
    refunding, expected, became = STORIES[story]
    chance = random.Random(story.__name__)  # noqa: S311 - an order, no secret
    for orders in itertools.product(itertools.permutations(range(PAYING)), itertools.permutations(range(refunding))):
        before = await standing()
        play = Play(served, chance, orders)
        await play.begin()
        await story(play)
        after = await standing()
        gained = {kind: after.get(kind, 0) - before.get(kind, 0) for kind in {*before, *after}}
        assert {kind: cents for kind, cents in gained.items() if cents} == expected, orders
        assert await fetch_value(_SEAT, own_shares.payment_of(play.request.id)) == became, orders
        letters = await fetch_value(_LETTERS, f"{play.request.id}:%")
        assert letters == bool(refunding), orders
    assert [await queries.inconsistencies(), await budgets.check(), await check(), await check_books()] == [
        [],
        [],
        [],
        [],
    ]


_SEAT = "SELECT b.state FROM payment p JOIN booking b ON b.id = p.booking WHERE p.id = $1"
_LETTERS = "SELECT count(*) FROM outbox_message WHERE kind = 'own_money_returned' AND business_ref LIKE $1"
