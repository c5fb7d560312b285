"""From the payer's button to the ledger and back: what we hold at the gateway is what the gateway says it holds."""

import json
import random
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.bookkeeping import CLERK, an_organisation
from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.refusals import Refusal
from leerbudget.entrypoints.sandbox.webhooks import signature, thin
from leerbudget.foundation.clock import now, travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments import asking, inbox, reconciling
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.gateways import FACT_KINDS
from leerbudget.payments.queries import check
from payments.sandbox_server import EUROS_250, gateway_to, sandbox_on_a_port

PAYMENTS, STEPS, TRIES = 8, 45, 12
DEEDS = ("pay", "debit", "settle", "settle", "bounce", "refund", "refund fails", "dispute", "won", "lost")

HELD = """
    SELECT coalesce(sum(CASE WHEN t.debit = a.id THEN t.amount_cents ELSE -t.amount_cents END), 0)::bigint
    FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) AND t.phase IN ('posted', 'post')
    WHERE a.kind = 'gateway_clearing'
"""


class Story:
    """Some top-ups of one organisation to which anything happens, by seed; messages are lost, doubled and shuffled."""

    def __init__(self, sandbox, seed):
        self.sandbox, self.books, self.gateway = sandbox, sandbox.books, gateway_to(sandbox)
        self.gateways = {"sandbox": self.gateway}
        self.chance = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.time = now()
        self.books.clock = lambda: self.time

    async def begin(self):
        """An organisation asks for payments."""
        organisation = await an_organisation()
        self.payments = {}
        for payment in [uuid4() for _ in range(PAYMENTS)]:
            started = await asking.start_top_up(
                payment, organisation, EUROS_250, None, gateway=self.gateway, return_url="http://x.test/", actor=CLERK
            )
            self.payments[payment] = started.gateway_ref

    async def step(self):
        """Some time passes, and somebody does something that can be done with one of them."""
        self.time += timedelta(minutes=self.chance.choice([1, 5, 20, 60, 120]))
        deeds.lapse(self.books)
        with travelling(self.time):
            for _ in range(TRIES):
                payment, ref = self.chance.choice(list(self.payments.items()))
                with suppress(Refusal, LeerbudgetError, IndexError):
                    await self._do(self.chance.choice(DEEDS), payment, self.books.get("checkout.session", ref))
                    break
            await self._hear()

    async def _do(self, deed, payment, session):
        """One deed, if it can be done now."""
        part = {"payment_intent": session["payment_intent"] or "none"}
        if deed == "pay":
            deeds.pay(self.books, session, self.chance.choice(["ideal", "card"]))
        elif deed == "refund":
            cents = self.chance.choice([1_000, 2_500, 9_000])
            await asking.refund_top_up(payment, cents, id=uuid4(), gateways=self.gateways, actor=CLERK)
        elif deed == "refund fails":
            deeds.refund_fails(self.books, self.books.where("refund", **part)[0])
        elif deed in {"won", "lost"}:
            deeds.dispute_ends(self.books, self.books.where("dispute", **part)[0], won=deed == "won")
        else:
            of_payer = {"debit": deeds.pay_later, "settle": deeds.settle, "bounce": deeds.bounce}
            (of_payer | {"dispute": deeds.dispute})[deed](self.books, session)

    async def _hear(self):
        """What is told now: a third is lost, some of it comes twice, in any order, whole or thin."""
        told = [each for each in self.books.unsent if self.chance.random() < 0.6] * self.chance.choice([1, 2])
        self.books.unsent.clear()
        self.chance.shuffle(told)
        for event_id in told:
            event = self.books.get("event", event_id)
            body = json.dumps(thin(event) if self.chance.random() < 0.3 else event).encode()
            signed = signature(body, SANDBOX_WEBHOOK_SECRET, self.books.seconds())
            await inbox.receive(self.gateways, "sandbox", body, {"stripe-signature": signed})
        await inbox.look_at_messages(self.gateways)

    async def end(self):
        """Everything is looked at once more, and the books are compared; what differs, in sentences."""
        with travelling(self.time):
            for ref in self.payments.values():
                await inbox.look_at(self.gateway, ref)
            first = await reconciling.reconcile(self.gateways)
            again = await reconciling.reconcile(self.gateways)
        assert again.facts == 0
        return first.differences


@pytest.mark.parametrize("seed", range(3))
async def test_what_we_hold_is_what_the_gateway_holds(world_db, seed):
    """Whatever payers and banks do and whatever messages are lost, the clearing account is the gateway's balance."""
    async with sandbox_on_a_port() as sandbox:
        story = Story(sandbox, seed)
        await story.begin()
        for _ in range(STEPS):
            await story.step()
        assert await story.end() == ()
        assert await fetch_value(HELD) == sum(line["net"] for line in sandbox.books.where("balance_transaction"))
    assert list(await check()) == []
    assert await check_books() == []
    happened = {row["kind"] for row in await fetch_all("SELECT DISTINCT kind FROM payment_fact")}
    assert len(happened) >= len(FACT_KINDS) - 2, happened  # the story is a story
