# ruff: noqa: INP001 (a folder of commands, not a package)
"""Many clients that post over HTTP, each as soon as its last answer is there, and how long each answer took."""

import asyncio
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


class Client(asyncio.Protocol):
    """One connection: asks, waits, asks again."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, done: asyncio.Future[None], ends: float) -> None:
        """`ends`: after this moment nothing more is asked."""
        self.requests, self.tally, self.done, self.ends = requests, tally, done, ends
        self.buffer, self.asked = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self.transport = transport
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
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        """No more."""
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        request = next(self.requests, None) if time.perf_counter() < self.ends else None
        if request is None:
            self.transport.close()
            return
        self.asked = time.perf_counter()
        self.transport.write(request)


async def posted(host: str, port: int, requests: Iterator[bytes], *, clients: int, seconds: float) -> Tally:
    """Post these requests, so many at once, until the time is over or there are no more."""
    loop, tally = asyncio.get_running_loop(), Tally()
    ends = tally.began + seconds
    waiting = [loop.create_future() for _ in range(clients)]
    await asyncio.gather(
        *(loop.create_connection(lambda done=done: Client(requests, tally, done, ends), host, port) for done in waiting)  # type: ignore[misc] # a default argument
    )
    await asyncio.gather(*waiting)
    return tally
