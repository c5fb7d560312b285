"""Telling the website what happened, signed as Stripe signs."""

import asyncio
import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import httpx
import structlog

from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.faults import Faults

TIMEOUT_SECONDS = 10.0
AGAIN_AFTER_SECONDS = 5.0
TRIES_MAX = 50

log = structlog.get_logger(__name__)


def signature(body: bytes, secret: str, seconds: int) -> str:
    """The `Stripe-Signature` header of a body."""
    signed = str(seconds).encode() + b"." + body
    return f"t={seconds},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def thin(event: dict[str, Any]) -> dict[str, Any]:
    """An event that only names its object."""
    about = event["data"]["object"]
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "livemode": event["livemode"],
        "created": event["created"],
        "related_object": {"id": about["id"], "type": about["object"], "url": f"/v1/{about['object']}s/{about['id']}"},
    }


class Webhooks:
    """Sends the events that the website was not told yet, again and again until it thanks for them.

    Args:
        books: where the events wait.
        faults: what goes wrong on the way.
        url: the address of the website that receives events; None: nothing is sent, and nothing waits.
        secret: what events are signed with.
        as_thin: whether events only name their object.
    """

    def __init__(self, books: Books, faults: Faults, url: str | None, secret: str, *, as_thin: bool = False) -> None:
        self._books = books
        self._faults = faults
        self._url = url
        self._secret = secret
        self._as_thin = as_thin
        self._woken = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._tries: dict[str, int] = {}

    def wake(self) -> None:
        """Something may have happened."""
        self._woken.set()

    async def send(self) -> bool:
        """Send what waits; whether nothing is left that should be sent."""
        async with self._one_at_a_time:
            waiting = self._books.unsent
            if self._url is None:
                waiting.clear()
                return True
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                for event_id in self._faults.to_send(waiting):
                    await self._send(client, self._url, event_id)
            return self._faults.held or not waiting

    async def _send(self, client: httpx.AsyncClient, url: str, event_id: str) -> None:
        event = self._books.get("event", event_id)
        body = json.dumps(thin(event) if self._as_thin else event).encode()
        signed = signature(body, self._secret, self._books.seconds())
        headers = {"Stripe-Signature": signed, "Content-Type": "application/json; charset=utf-8"}
        self._tries[event_id] = self._tries.get(event_id, 0) + 1
        try:
            thanked = (await client.post(url, content=body, headers=headers)).is_success
        except httpx.HTTPError:
            thanked = False
        if not thanked and self._tries[event_id] >= TRIES_MAX:
            log.warning("event given up", type=event["type"])
            thanked = True
        if thanked:
            self._tries.pop(event_id, None)
            with suppress(ValueError):  # it was sent twice
                self._books.unsent.remove(event_id)

    async def live(self) -> None:
        """Send whatever comes, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            if not await self.send():
                asyncio.get_running_loop().call_later(AGAIN_AFTER_SECONDS, self._woken.set)
