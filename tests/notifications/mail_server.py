"""A real SMTP server on loopback that keeps what it accepts and can be told to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class MailServer:
    """What arrived, and how to answer next.

    `answer`: an SMTP reply instead of accepting; `hang`: say nothing; `forget_to_answer`: accept and say nothing;
    `before_answer`: what happens between accepting and saying so.
    """

    port: int = 0
    letters: list[Message] = field(default_factory=list)
    answer: str | None = None
    answer_to_recipient: str | None = None
    hang: bool = False
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    forget_to_answer: bool = False
    before_answer: Callable[[], Awaitable[None]] | None = None

    @property
    def ids(self) -> list[str]:
        """The Message-IDs in order of arrival."""
        return [letter["Message-ID"] for letter in self.letters]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd calls it so
        """Take or refuse the address."""
        if self.answer_to_recipient is not None:
            return self.answer_to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - as above
        """Take or refuse the letter."""
        if self.hang:
            await asyncio.sleep(3600)
        if self.answer is not None:
            return self.answer
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.accepted.set()
        if self.before_answer is not None:
            await self.before_answer()
        if self.forget_to_answer:
            await asyncio.sleep(3600)
        return "250 OK"


@asynccontextmanager
async def mail_server(port: int = 0) -> AsyncIterator[MailServer]:
    """A server in the test's own loop, on this port or on one that the system chooses."""
    box = MailServer()
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="mail.fictief.example", enable_SMTPUTF8=False), "127.0.0.1", port
    )
    box.port = listening.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        listening.close()
        for task in asyncio.all_tasks():
            if "SMTP._handle_client" in repr(task):
                task.cancel()
        await asyncio.sleep(0)
