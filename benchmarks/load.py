# ruff: noqa: INP001 (a folder of commands, not a package)
"""Many clients that post over HTTP, and how long each answer took.

Each asks as soon as its last answer is there, or at set times; then an answer counts from the moment at which it should
have been asked for, so that a slow answer does not hide the next one.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_END = b"\r\n\r\n"


@dataclass(slots=True)
class Tally:
    """Seconds of every answer, by status."""

    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0
    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, status: int, seconds: float) -> None:
        """One answer."""
        self.seconds.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.ended = time.perf_counter()

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.seconds) / (self.ended - self.began)

    def milliseconds(self, share: float) -> float:
        """The time within which this share of the answers came."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """`ends`: after this moment nothing more is asked. `every_seconds`: how often each client asks; 0: at once again."""

    ends: float
    every_seconds: float


class Client(asyncio.Protocol):
    """One connection: asks, waits, asks again."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, done: asyncio.Future[None], terms: "Terms") -> None:
        """`terms`: until when and how often it asks."""
        self.requests, self.tally, self.done, self.terms = requests, tally, done, terms
        self.buffer, self.asked = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self.transport = transport
        if self.terms.every_seconds:  # spread over the first turn
            first = time.perf_counter() + random.uniform(0, self.terms.every_seconds)  # noqa: S311 - no secret
            self._ask_at(first)
        else:
            self._ask()

    def data_received(self, data: bytes) -> None:
        """Count the answer when it is whole, and ask again."""
        self.buffer += data
        head, found, body = self.buffer.partition(_END)
        if not found:
            return
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if len(body) >= length:
            self.buffer = b""
            self.tally.add(int(head[9:12]), time.perf_counter() - self.asked)
            if self.terms.every_seconds:
                self._ask_at(self.asked + self.terms.every_seconds)
            else:
                self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        """No more."""
        if not self.done.done():
            self.done.set_result(None)

    def _ask_at(self, due: float) -> None:
        wait = max(0.0, due - time.perf_counter())
        asyncio.get_running_loop().call_later(wait, self._ask, due)

    def _ask(self, due: float | None = None) -> None:
        request = next(self.requests, None) if time.perf_counter() < self.terms.ends else None
        if request is None:
            self.transport.close()
            return
        self.asked = time.perf_counter() if due is None else due
        self.transport.write(request)


async def posted(
    host: str, port: int, requests: Iterator[bytes], *, clients: int, seconds: float, every_seconds: float = 0.0
) -> Tally:
    """Post these requests, so many at once, until the time is over or there are no more."""
    loop, tally = asyncio.get_running_loop(), Tally()
    terms = Terms(tally.began + seconds, every_seconds)
    waiting = [loop.create_future() for _ in range(clients)]
    await asyncio.gather(
        *(
            loop.create_connection(lambda done=done: Client(requests, tally, done, terms), host, port)
            for done in waiting
        )  # type: ignore[misc] # a default argument
    )
    await asyncio.gather(*waiting)
    return tally
