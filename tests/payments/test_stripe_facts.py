"""Stripe's objects as facts: whatever happens, in whatever order, and whenever somebody looks."""

import random
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from leerbudget.entrypoints.sandbox import deeds, parameters
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.refusals import Refusal
from leerbudget.foundation.clock import now
from leerbudget.payments.gateways import FACT_KINDS
from leerbudget.payments.stripe_facts import Seen, balance_line, sighting

AMOUNT = 10_000
STEPS = 14
STORIES = 150
MONEY_IN = {"received": 1, "refunded": -1, "refund_failed": 1, "dispute_opened": -1, "dispute_won": 1}
"""What each fact is for the balance at Stripe; a dispute that is lost was taken when it was opened."""


class Story:
    """One payment to which anything may happen, by seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.time = now()
        self.books = Books(clock=lambda: self.time)
        lapses_at = int((self.time + timedelta(hours=1)).timestamp())
        form = {
            "mode": "payment",
            "success_url": "http://leerbudget.test/terug",
            "line_items[0][quantity]": 1,
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": AMOUNT,
            "line_items[0][price_data][product_data][name]": "Leerbudget RF1",
            "expires_at": lapses_at,
        }
        form |= {f"allowed_payment_method_types[{n}]": name for n, name in enumerate(("ideal", "card", "sepa_debit"))}
        self.session = deeds.create_session(self.books, parameters.read("create_session", urlencode(form)))

    def step(self):
        """Some time passes, and somebody does something; most of it cannot be done now."""
        self.time += timedelta(minutes=self.chance.choice([1, 10, 45]))
        deeds.lapse(self.books)
        deed = self.chance.choice([self._pay, self._pay, self._bank, self._refund, self._refund_fails, self._dispute])
        with suppress(Refusal):
            deed()

    def look(self):
        """What the gateway would say now."""
        shown, books = self.books.shown, self.books
        session = shown(self.session, ["payment_intent.latest_charge.balance_transaction"])
        intent = session["payment_intent"]
        refunds = [shown(each, ["failure_balance_transaction"]) for each in books.where("refund")]
        return sighting(Seen(self.time, session, intent, refunds, books.where("dispute")))

    def _pay(self):
        method = self.chance.choice(["ideal", "card", "later", "fail"])
        if method == "later":
            deeds.pay_later(self.books, self.session)
        elif method == "fail":
            deeds.refuse_payment(self.books, self.session, "card")
        else:
            deeds.pay(self.books, self.session, method)

    def _bank(self):
        self.chance.choice([deeds.settle, deeds.settle, deeds.bounce])(self.books, self.session)

    def _refund(self):
        intent = self.books.get("payment_intent", self.session["payment_intent"])
        deeds.refund(self.books, intent, self.chance.choice([1_000, 2_500, 9_000]), {})

    def _refund_fails(self):
        for each in self.books.where("refund")[:1]:
            deeds.refund_fails(self.books, each)

    def _dispute(self):
        open_ones = self.books.where("dispute", status="needs_response")
        if open_ones:
            deeds.dispute_ends(self.books, open_ones[0], won=self.chance.random() < 0.5)
        else:
            deeds.dispute(self.books, self.session)


@pytest.mark.parametrize("first", range(0, STORIES, 50))
def test_facts_only_grow(first):
    """In many made-up stories a later look has every fact of an earlier one, each with its own key."""
    kinds = set()
    for seed in range(first, first + 50):
        story = Story(seed)
        before = frozenset()
        for _ in range(STEPS):
            story.step()
            facts = story.look().facts
            assert before <= set(facts), seed
            assert len({fact.key for fact in facts}) == len(facts), seed
            assert all(fact.happened_at <= story.time for fact in facts), seed
            before = frozenset(facts)
        kinds |= {fact.kind for fact in before}
    assert kinds == set(FACT_KINDS)


@pytest.mark.parametrize("first", range(0, STORIES, 50))
def test_facts_add_up_to_the_books(first):
    """At every moment the facts about money, added up, are what Stripe's own books say came in and went out."""
    for seed in range(first, first + 50):
        story = Story(seed)
        for _ in range(STEPS):
            story.step()
            told = sum(MONEY_IN.get(fact.kind, 0) * fact.amount_cents for fact in story.look().facts)
            booked = [
                balance_line(story.books.shown(line, ["source"])) for line in story.books.where("balance_transaction")
            ]
            assert told == sum(line.amount_cents for line in booked), seed
            assert {line.money_ref for line in booked} <= {fact.money_ref for fact in story.look().facts}, seed
