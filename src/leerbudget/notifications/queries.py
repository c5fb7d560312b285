"""Reading the local mailbox, and how the outbox is doing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class MailboxLetter:
    """A mail in the local mailbox."""

    id: UUID
    message_id: str
    address: str
    subject: str
    body: str
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How many notices wait, were sent and were given up, and since when the oldest is due."""

    waiting: int
    sent: int
    given_up: int
    oldest_due_at: datetime | None


async def mailbox(*, address: str | None = None, limit: int = 50) -> list[MailboxLetter]:
    """The newest mails in the local mailbox, of one address or of all."""
    rows = await fetch_all(
        """
        SELECT id, message_id, address, subject, body, delivered_at FROM mailbox_message
        WHERE $1::text IS NULL OR address = $1 ORDER BY delivered_at DESC, id DESC LIMIT $2
        """,
        address,
        limit,
    )
    return [MailboxLetter(**dict(row)) for row in rows]


async def outbox_state() -> OutboxState:
    """How the outbox is doing, for the health page and the doctor."""
    row = await fetch_one(
        """
        SELECT count(*) FILTER (WHERE sent_at IS NULL AND given_up_at IS NULL) AS waiting,
               count(sent_at) AS sent, count(given_up_at) AS given_up,
               min(send_after) FILTER (WHERE sent_at IS NULL AND given_up_at IS NULL AND send_after <= $1) AS oldest_due_at
        FROM outbox_message
        """,
        clock.now(),
    )
    if row is None:  # pragma: no cover - an aggregate always gives a row
        return OutboxState(0, 0, 0, None)
    return OutboxState(**dict(row))


async def letter(id: UUID) -> MailboxLetter | None:  # noqa: A002 - the word of the house for a key
    """One mail in the local mailbox, or None."""
    row = await fetch_one(
        "SELECT id, message_id, address, subject, body, delivered_at FROM mailbox_message WHERE id = $1", id
    )
    return None if row is None else MailboxLetter(**dict(row))
