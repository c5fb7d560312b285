"""What the made-up Stripe tells of a payment, recorded once over real HTTP and told again to many payments, in any order.

Whoever hears a message looks at the payment, and sees it as it was when the message was sent or as it became since:
looks overtake each other, so an older sight may be noted after a later one.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from ledger.bookkeeping import an_organisation
from leerbudget.entrypoints.sandbox.webhooks import signature
from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one
from leerbudget.foundation.ids import new_id
from leerbudget.payments import inbox
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.gateways import RefundOrder, Sighting
from payments.paying import NOON, a_payment, standing
from payments.sandbox_server import an_order, gateway_to

STRANGER = UUID("00000000-0000-4000-8000-00000000feed")
"""In a recording: the payment that metadata name and that is not the one that was paid."""

_IDS = re.compile(r"\b(cs_test|pi|ch|re|du|txn|evt|po)_[0-9a-f]{24}\b")


@dataclass(frozen=True)
class Chapter:
    """What payers and banks do from a day on, and what we do once all of it was told.

    Args:
        deeds: `(sandbox's books, session)`, each; `REFUND` is asked for by us.
        days: after the payment was asked for.
        then: what happens here after it.
    """

    deeds: tuple[Callable[..., object], ...] = ()
    days: int = 0
    then: Callable[["Stage"], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Story:
    """A scenario through a gateway: its number in `test_scenarios`, what happens, and how it always ends.

    `tasks`: what a person must still look at, with the cents.
    """

    number: int
    cents: int
    chapters: tuple[Chapter, ...]
    expected: dict[str, int]
    state: str
    tasks: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Message:
    """An event as it was sent, and which sight of the payment there was at that moment."""

    body: str
    seen: int


@dataclass
class Recording:
    """A story as the made-up Stripe told it: the messages of each chapter, and what there was to see, ever more."""

    payment: UUID
    methods: tuple[str, ...]
    refund: UUID = field(default_factory=new_id)
    refund_ref: str = ""
    chapters: list[list[Message]] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)


def REFUND(recording, gateway, started, cents):  # noqa: N802 - a deed like the others, that the gateway does for us
    """Give a part back, as we ask for it."""
    order = RefundOrder(recording.payment, started.gateway_ref, recording.refund, cents)
    return gateway.refund(order, key=str(recording.refund))


async def record(story, sandbox):
    """Play a story at the made-up Stripe and keep what it tells."""
    moment = NOON
    sandbox.books.clock = lambda: moment
    sandbox.books.unsent.clear()
    gateway = gateway_to(sandbox)
    order = an_order(story.cents, methods=gateway.methods("top_up", story.cents), lapses_at=NOON + timedelta(hours=12))
    found = Recording(order.payment, order.methods)
    started = await gateway.start(order, key=str(order.payment))
    session = sandbox.books.get("checkout.session", started.gateway_ref)
    for chapter in story.chapters:
        messages = []
        for deed in chapter.deeds:
            moment = max(moment, NOON + timedelta(days=chapter.days)) + timedelta(minutes=1)
            if isinstance(deed, int):
                found.refund_ref = await REFUND(found, gateway, started, deed)
            else:
                deed(sandbox.books, session)
            found.sightings.append(await gateway.fetch(started.gateway_ref))
            events = [sandbox.books.get("event", each) for each in sandbox.books.unsent]
            sandbox.books.unsent.clear()
            messages += [Message(json.dumps(each), len(found.sightings) - 1) for each in events]
        found.chapters.append(messages)
    return found


@dataclass
class Stage:
    """One payment to which a recording is told, with an organisation of its own."""

    recording: Recording
    organisation: UUID
    payment: UUID
    other: UUID
    refund: UUID
    gateway: "Replayed"
    kept: dict[str, object] = field(default_factory=dict)

    def ours(self, text):
        """Text of the recording with the ids of this payment's own objects."""
        text = text.replace(str(self.recording.payment), str(self.payment)).replace(str(STRANGER), str(self.other))
        text = text.replace(str(self.recording.refund), str(self.refund))
        return _IDS.sub(lambda found: f"{found[1]}_{self._spread(found[0])}", text)

    def _spread(self, name):
        return hashlib.sha256(f"{name}{self.payment}".encode()).hexdigest()[:24]

    def sighting(self, place):
        """What there was to see of this payment."""
        seen = self.recording.sightings[place]
        facts = tuple(
            replace(
                fact, key=self.ours(fact.key), money_ref=self.ours(fact.money_ref), refund=fact.refund and self.refund
            )
            for fact in seen.facts
        )
        named = {self.recording.payment: self.payment, STRANGER: self.other}.get(seen.payment)
        return Sighting(self.ours(seen.gateway_ref), named, facts)

    async def hears(self, message, place):
        """A message comes in; whoever looks for it sees so much, or more."""
        body = self.ours(message.body).encode()
        self.gateway.about_to_show(self, place)
        signed = signature(body, SANDBOX_WEBHOOK_SECRET, int(now().timestamp()))
        await inbox.receive(self.gateways, "sandbox", body, {"stripe-signature": signed})

    async def looks(self):
        """What was heard is looked at."""
        await inbox.look_at_messages(self.gateways)

    @property
    def gateways(self):
        """The one gateway there is."""
        return {"sandbox": self.gateway}

    async def ends(self):
        """The balances, the payment's state, and what a person must still look at."""
        row = await fetch_one("SELECT state FROM payment WHERE id = $1", self.payment)
        tasks = await fetch_all(_OPEN_TASKS, self.payment, [f"%{self.ours(name)}%" for name in self._names()])
        return await standing(self.organisation), row["state"], tuple((t["kind"], t["amount_cents"]) for t in tasks)

    def _names(self):
        return {fact.money_ref for fact in self.recording.sightings[-1].facts}


_OPEN_TASKS = """
    SELECT kind, amount_cents FROM finance_task
    WHERE closed_at IS NULL AND (payment = $1 OR subject LIKE ANY ($2::text[])) ORDER BY kind, amount_cents
"""


class Replayed:
    """The gateway to the made-up Stripe, which judges messages itself and shows what was recorded."""

    name = "sandbox"

    def __init__(self, gateway):
        self._judge, self._shown, self._next = gateway, {}, None

    def about_to_show(self, stage, place):
        """Whoever looks for the next message sees this sight, or a later one that was shown for it before."""
        self._next = (stage, place)

    def verify(self, body, headers, *, at):
        """As the gateway does."""
        notice = self._judge.verify(body, headers, at=at)
        stage, place = self._next
        _, before = self._shown.get(notice.gateway_ref, (stage, 0))
        self._shown[notice.gateway_ref] = (stage, max(place, before))
        return notice

    async def fetch(self, ref):
        """What was to be shown; once, so that a message that comes again is shown an older sight again."""
        stage, place = self._shown.pop(ref)
        return stage.sighting(place)

    async def refund(self, order, *, key):
        """The answer that was recorded."""
        del key
        stage = self._next[0]
        assert order.refund == stage.refund
        return stage.ours(stage.recording.refund_ref)


async def a_stage(story, recording, gateway):
    """An organisation that asked for the payment, and for another that nobody pays."""
    organisation = await an_organisation()
    payment, other = [await a_payment(organisation, story.cents, list(recording.methods), "sandbox") for _ in "ab"]
    stage = Stage(recording, organisation, payment, other, new_id(), gateway)
    ref = stage.ours(recording.sightings[0].gateway_ref)
    await execute("UPDATE payment SET gateway_ref = $2 WHERE id = $1", payment, ref)
    return stage
