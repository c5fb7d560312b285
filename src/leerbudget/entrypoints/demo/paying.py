"""How an organisation of the demonstration pays in twice: by bank transfer, and on the page of a made-up payment service.

Nothing is taken for granted: the statement goes through the importer, and the page is opened and paid over HTTP.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from leerbudget.entrypoints.cli.serve import address, listen
from leerbudget.entrypoints.demo.events import Events
from leerbudget.entrypoints.demo.filling import CASHIER
from leerbudget.fictional.bank_file import Entry, statement_file
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.identity import queries as identity
from leerbudget.payments import actions as payments
from leerbudget.payments import asking, inbox
from leerbudget.payments.choosing import EXAMPLE, SANDBOX_KEY, SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.gateways import Gateway
from leerbudget.payments.statements import import_statements

TRANSFER_CENTS: Final = 250_000
ONLINE_CENTS: Final = 125_000
STRANGERS_CENTS: Final = 7_000
"""Money without a reference, so that there is something to explain at `/bank`."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays in: an organisation, and the login that asks."""

    organisation: UUID
    login: UUID


async def payer(email: str) -> Payer:
    """The organisation whose finance officer has this address."""
    (login,) = await identity.logins(emails=[email])
    return Payer(next(scope for role, scope in login.roles if role == "organisation_finance" and scope), login.id)


async def by_transfer(who: Payer, events: Events) -> None:
    """Announce a transfer; the statement of the bank brings it, and money of a stranger."""
    reference = await payments.request_top_up(new_id(), who.organisation, TRANSFER_CENTS, "DEMO-1", actor=who.login)
    entries = [
        Entry(TRANSFER_CENTS, "Stichting Voorbeeldzorg (fictief)", f"Storting leerbudget {reference}"),
        Entry(STRANGERS_CENTS, "Familie Voorbeeld (fictief)", "contributie sportvereniging"),
    ]
    today = clock.today()
    file = statement_file(EXAMPLE.iban, f"DEMO-{today}", today, opening_cents=0, entries=entries)
    (cashier,) = await identity.logins(emails=[CASHIER])
    done = await import_statements(file, [EXAMPLE.iban], actor=cashier.id)
    events.counts["transfers placed"] += done.placed["matched"]
    events.counts["bank entries waiting"] += done.placed["suspense"]


async def online(who: Payer, file: Path, base_url: str, events: Events) -> None:
    """Ask for a page to pay on, and press its button as a visitor does; then look what became of it."""
    from leerbudget.payments.stripe_gateway import StripeGateway

    async with _pay_service(file) as place:
        keys = (SANDBOX_KEY, (SANDBOX_WEBHOOK_SECRET,))
        gateway = StripeGateway(*keys, name="sandbox", environment="demo", api_base=place)
        await _pay(who, gateway, base_url, events)


async def _pay(who: Payer, gateway: Gateway, base_url: str, events: Events) -> None:
    import httpx

    top_up = new_id()
    back = f"{base_url}/organisatie/stortingen/{top_up}?betaald=ja"
    started = await asking.start_top_up(
        *(top_up, who.organisation, ONLINE_CENTS, "DEMO-2"), gateway=gateway, return_url=back, actor=who.login
    )
    async with httpx.AsyncClient(trust_env=False) as visitor:
        (await visitor.get(str(started.url))).raise_for_status()
        pressed = await visitor.post(str(started.url), data={"knop": "betalen", "methode": "ideal"})
    sighted = await inbox.look_at(gateway, started.gateway_ref)
    events.counts["payments online"] += int(pressed.headers.get("location") == back and sighted > 0)


@asynccontextmanager
async def _pay_service(file: Path) -> AsyncIterator[str]:
    """The made-up payment service, in this process, over the books that will be served later."""
    import uvicorn

    from leerbudget.entrypoints.sandbox.books import Books
    from leerbudget.entrypoints.sandbox.server import Sandbox, application

    with listen("127.0.0.1", 0) as door:
        place = address(door)
        sandbox = Sandbox.over(Books(file=file, address=place), events_to=place, secret=SANDBOX_WEBHOOK_SECRET)
        sandbox.faults.held = True  # its messages stay in the books, for the website that is served later
        config = uvicorn.Config(application(sandbox), lifespan="on", log_config=None, access_log=False, ws="none")
        server = uvicorn.Server(config)
        life = asyncio.create_task(server._serve([door]))  # noqa: SLF001 - `serve` would take the signals of the story
        try:
            yield place  # who connects before it listens waits in the queue of the socket
        finally:
            server.should_exit = True
            await life
