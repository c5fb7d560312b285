"""Many clients over real sockets, with little work of their own: a browser-like client would be busier than the website."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit


class Connection:
    """One client's own connection, kept open."""

    def __init__(self, origin: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.origin, self._reader, self._writer = origin, reader, writer

    @classmethod
    async def to(cls, origin: str) -> Self:
        """Connect to a website."""
        place = urlsplit(origin)
        return cls(origin, *await asyncio.open_connection(place.hostname, place.port))

    async def post(self, path: str, body: Any, cookie: str) -> tuple[int, Any]:
        """The status and the decoded body of the answer."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {urlsplit(self.origin).netloc}\r\nOrigin: {self.origin}\r\n"
            f"Cookie: {cookie}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._writer.write(head.encode() + content)
        told = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(told.partition("content-length: ")[2].partition("\r\n")[0])
        return int(told[9:12]), json.loads(await self._reader.readexactly(length))

    async def close(self) -> None:
        """No more."""
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def connections(origin: str, count: int) -> AsyncIterator[Sequence[Connection]]:
    """So many open connections to a website."""
    async with AsyncExitStack() as stack:
        made = [await Connection.to(origin) for _ in range(count)]
        for each in made:
            stack.push_async_callback(each.close)
        yield made
