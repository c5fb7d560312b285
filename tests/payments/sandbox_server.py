"""The made-up Stripe over real HTTP on a free port, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import uvicorn

from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.server import Sandbox, application
from leerbudget.foundation.clock import now
from leerbudget.payments.choosing import SANDBOX_KEY, SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.gateways import PaymentOrder, RefundOrder
from leerbudget.payments.rules import reference_of
from leerbudget.payments.stripe_gateway import StripeGateway

EUROS_250 = 25_000


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, app, lifespan) -> None:
        super().__init__(uvicorn.Config(app, lifespan=lifespan, log_config=None, access_log=False, ws="none"))
        self.listening = asyncio.Event()

    async def startup(self, sockets=None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def listening(app, *, lifespan="on") -> AsyncIterator[str]:
    """Where an application answers; `lifespan` is `off` for one that was started already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.bind(("127.0.0.1", 0))
        server = Server(app, lifespan)
        life = asyncio.create_task(server._serve([door]))
        await asyncio.wait({life, told := asyncio.create_task(server.listening.wait())}, return_when="FIRST_COMPLETED")
        try:
            assert told.done(), "the server did not start"
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await life


@asynccontextmanager
async def sandbox_on_a_port(events_to=None, *, books=None, as_thin=False) -> AsyncIterator[Sandbox]:
    """A made-up Stripe that answers."""
    books = books or Books()
    books.load()
    sandbox = Sandbox.over(books, events_to=events_to, secret=SANDBOX_WEBHOOK_SECRET, as_thin=as_thin)
    async with listening(application(sandbox)) as address:
        books.address = address
        yield sandbox


def gateway_to(sandbox, **changes) -> StripeGateway:
    """The gateway that speaks to it; a lost call is not made again, so that no test waits for that."""
    usual = {"name": "sandbox", "environment": "test", "api_base": sandbox.books.address, "retries": 0}
    return StripeGateway(SANDBOX_KEY, (SANDBOX_WEBHOOK_SECRET,), **usual | changes)


def an_order(amount_cents=EUROS_250, *, purpose="top_up", methods=("ideal", "card", "sepa_debit"), **changes):
    """Money to ask for."""
    payment = uuid4()
    usual = {
        "payment": payment,
        "purpose": purpose,
        "methods": methods,
        "amount_cents": amount_cents,
        "reference": reference_of(payment),
        "return_url": "http://leerbudget.test/terug",
        "lapses_at": now() + timedelta(hours=1),
    }
    return PaymentOrder(**usual | changes)


def back(order, started, amount_cents):
    """An order to give a part back."""
    return RefundOrder(order.payment, started.gateway_ref, uuid4(), amount_cents)


def a_key():
    """An idempotency key that nobody used."""
    return str(uuid4())


@dataclass
class SandboxTill:
    """How the contract's deeds are done at the imitation."""

    sandbox: Sandbox
    gateway: StripeGateway
    unknown: str = "cs_test_" + "0" * 24

    def order(self, amount_cents):
        """Money to ask for."""
        return an_order(amount_cents)

    async def pay(self, started) -> None:
        """Somebody pays it by iDEAL."""
        deeds.pay(self.sandbox.books, self.session(started), "ideal")

    def session(self, started):
        """The session behind what was started."""
        return self.sandbox.books.get("checkout.session", started.gateway_ref)
