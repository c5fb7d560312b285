"""A gateway in memory, which keeps the promises of `Gateway` and can be told to be silent or to refuse."""

from collections import deque
from datetime import timedelta

from leerbudget.foundation import clock
from leerbudget.payments.errors import EventRefused, GatewayRefused, GatewaySilent
from leerbudget.payments.gateways import BalanceLine, EventNotice, MoneyFact, Sighting, Started


class PretendGateway:
    """Money that is paid by calling `pay`. `moods`: what the next questions meet (`silent`, `lost`, `refuse`, `""`)."""

    name = "stripe"

    def __init__(self):
        self.moods = deque()
        self.questions = []
        self.answers = {}
        self.orders = {}
        self.facts = {}
        self.payments = {}
        self.events = []
        self.lines = []

    def methods(self, purpose, amount_cents):
        """Up to fifty thousand euros, whatever for."""
        del purpose
        return ("ideal", "card", "sepa_debit") if amount_cents <= 5_000_000 else ()

    def _meet(self, what, key):
        self.questions.append((what, key))
        mood = self.moods.popleft() if self.moods else ""
        if mood == "silent":
            raise GatewaySilent
        if mood == "refuse":
            raise GatewayRefused("amount_too_large")
        return mood

    async def start(self, order, *, key):
        """`lost`: it was accepted and nobody heard the answer. Another order under the same key is refused."""
        mood = self._meet("start", key)
        if self.orders.setdefault(key, order) != order:
            raise GatewayRefused("idempotency_error")
        made = self.answers.setdefault(key, Started(f"cs_{order.payment}", f"https://pay.example/{order.payment}"))
        self.payments[made.gateway_ref] = order
        self.facts.setdefault(made.gateway_ref, [])
        if mood == "lost":
            raise GatewaySilent
        return made

    async def fetch(self, gateway_ref):
        """What was told with `tell`; the payment may be named by its money."""
        self._meet("fetch", gateway_ref)
        gateway_ref = gateway_ref.removeprefix("pi_")
        if gateway_ref not in self.facts:
            raise GatewayRefused("resource_missing")
        return Sighting(gateway_ref, self.payments[gateway_ref].payment, tuple(self.facts[gateway_ref]))

    async def end(self, gateway_ref):
        """Nothing is paid after this."""
        self._meet("end", gateway_ref)
        if gateway_ref not in self.facts:
            raise GatewayRefused("resource_missing")
        if not self.facts[gateway_ref]:
            self.tell(gateway_ref, "expired")

    async def refund(self, order, *, key):
        """Never more than was paid."""
        mood = self._meet("refund", key)
        if key not in self.answers:
            facts = self.facts[order.gateway_ref]
            left = sum(fact.amount_cents for fact in facts if fact.kind == "received")
            left -= sum(fact.amount_cents for fact in facts if fact.kind == "refunded")
            if order.amount_cents > left:
                raise GatewayRefused("refund_too_large")
            self.answers[key] = f"re_{order.refund}"
            self.tell(order.gateway_ref, "refunded", order.amount_cents, ref=self.answers[key], refund=order.refund)
        if mood == "lost":
            raise GatewaySilent
        return self.answers[key]

    def verify(self, body, headers, *, at):
        """A body is genuine when its header says so, at any time."""
        del at
        if headers.get("stripe-signature") != "genuine":
            raise EventRefused("signature")
        event, _, ref = body.decode().partition(" ")
        return EventNotice(event, "checkout.session.completed", ref or None)

    async def events_since(self, after):
        """Everything that was told."""
        self._meet("events", after)
        return list(self.events)

    async def balance_lines(self, after):
        """The lines that a test put there."""
        self._meet("lines", after)
        return list(self.lines)

    def tell(self, gateway_ref, kind, cents=0, *, ref=None, method="ideal", currency="EUR", refund=None):
        """Something happens to the money of a payment; there is an event for it."""
        money = ref or f"pi_{gateway_ref}"
        at = clock.now() + timedelta(seconds=len(self.events))
        self.facts[gateway_ref].append(MoneyFact(f"{money}:{kind}", kind, money, cents, currency, method, at, refund))
        self.events.append(EventNotice(f"evt_{len(self.events)}_{gateway_ref}", kind, gateway_ref))
        return self.events[-1]

    def book(self, gateway_ref, cents, *, kind="payment", fee=0, ref=None):
        """A line in the gateway's own books."""
        money = ref or f"pi_{gateway_ref}"
        line = BalanceLine(f"txn_{len(self.lines)}_{money}", kind, money, cents, fee, clock.now())
        self.lines.append(line)
        return line
