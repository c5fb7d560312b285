"""Writing notices to the outbox, and the worker's side of sending them.

`post` belongs in the transaction of its cause: either both happen or neither. The worker claims, delivers
outside any transaction, and then tells what came of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.notifications.rules import LEASE, Letter, check_notice, hopeless, next_attempt

_ERROR_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell one address once: `(kind, business_ref, address)` is never sent twice.

    `context` holds what the words need: `link` is a path on this site, moments are ISO 8601 with a zone,
    amounts are cents. After `useless_after` the notice is dropped.
    """

    kind: str
    business_ref: str
    address: str
    context: Mapping[str, Any]
    send_after: datetime | None = None
    useless_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice that this worker may deliver until `claimed_until`."""

    id: UUID
    kind: str
    business_ref: str
    address: str
    context: Mapping[str, Any]
    claimed_until: datetime


async def post(kind: str, business_ref: str, address: str, context: Mapping[str, Any]) -> None:
    """Write one notice to the outbox; a second time does nothing.

    Raises:
        UnknownNotice: there is no such kind, or the context misses something.
    """
    await post_many([Notice(kind=kind, business_ref=business_ref, address=address, context=context)])


async def post_many(notices: Sequence[Notice]) -> int:
    """Write notices to the outbox in one statement; the number that were not there yet.

    Raises:
        UnknownNotice: there is no such kind, or the context misses something.
    """
    for notice in notices:
        check_notice(notice.kind, notice.context)
    now = clock.now()
    return await execute(
        """
        INSERT INTO outbox_message (id, kind, business_ref, address, context, created_at, send_after, useless_after)
        SELECT id, kind, business_ref, address, context, $8, COALESCE(send_after, $8), useless_after
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::timestamptz[])
             AS n (id, kind, business_ref, address, context, send_after, useless_after)
        ON CONFLICT ON CONSTRAINT every_notice_once DO NOTHING
        """,
        [new_id() for _ in notices],
        [notice.kind for notice in notices],
        [notice.business_ref for notice in notices],
        [notice.address for notice in notices],
        [json.dumps(dict(notice.context), default=str) for notice in notices],
        [notice.send_after for notice in notices],
        [notice.useless_after for notice in notices],
        now,
    )


async def claim(limit: int) -> list[Claimed]:
    """Take at most `limit` notices that are due, for five minutes, oldest first.

    Two workers never hold the same notice: a row that another worker is taking is skipped, and a row that
    was taken is not due before its lease ends.
    """
    now = clock.now()
    rows = await fetch_all(
        """
        UPDATE outbox_message SET claimed_until = $2, attempts = attempts + 1
        WHERE id IN (
            SELECT id FROM outbox_message
            WHERE sent_at IS NULL AND given_up_at IS NULL AND send_after <= $1
              AND (claimed_until IS NULL OR claimed_until <= $1)
              AND (useless_after IS NULL OR useless_after > $1)
            ORDER BY send_after, id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, kind, business_ref, address, context, claimed_until
        """,
        now,
        now + LEASE,
        limit,
    )
    return [
        Claimed(
            id=row["id"],
            kind=row["kind"],
            business_ref=row["business_ref"],
            address=row["address"],
            context=json.loads(row["context"]),
            claimed_until=row["claimed_until"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


async def sent(notice: UUID) -> None:
    """The notice was accepted for delivery. Its context (perhaps a login token) is wiped."""
    await execute(
        """
        UPDATE outbox_message SET sent_at = $2, claimed_until = NULL, last_error = NULL, context = '{}'
        WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL
        """,
        notice,
        clock.now(),
    )


async def keep_claim(notice: Claimed) -> Claimed | None:
    """The claim with a fresh lease, or None when it is another's by now (this worker slept too long).

    Asked right before each letter, so that only the letter under way can ever be sent by two workers.
    """
    until = await fetch_value(
        """
        UPDATE outbox_message SET claimed_until = $3
        WHERE id = $1 AND claimed_until = $2 AND sent_at IS NULL AND given_up_at IS NULL RETURNING claimed_until
        """,
        notice.id,
        notice.claimed_until,
        clock.now() + LEASE,
    )
    return None if until is None else replace(notice, claimed_until=until)


async def failed(notice: Claimed, error: str, *, permanent: bool = False) -> None:
    """The notice was not accepted: it is tried again later, or given up and its context wiped.

    Of no effect when the claim is another's by now.
    """
    now = clock.now()
    async with together():
        row = await fetch_one(
            """
            SELECT attempts, created_at, useless_after FROM outbox_message
            WHERE id = $1 AND claimed_until = $2 AND sent_at IS NULL FOR UPDATE
            """,
            notice.id,
            notice.claimed_until,
        )
        if row is None:
            return
        again_at = next_attempt(row["attempts"], now)
        over = hopeless(
            created_at=row["created_at"], useless_after=row["useless_after"], permanent=permanent, next_at=again_at
        )
        await execute(
            """
            UPDATE outbox_message SET claimed_until = NULL, last_error = $2, send_after = $3,
                given_up_at = CASE WHEN $4 THEN $5::timestamptz END,
                context = CASE WHEN $4 THEN '{}'::jsonb ELSE context END
            WHERE id = $1
            """,
            notice.id,
            error.replace("\x00", "")[:_ERROR_LENGTH_MAX],
            again_at,
            over,
            now,
        )


async def release(notice: Claimed) -> None:
    """Give a claimed notice back undelivered (the worker stops); it is due again at once."""
    await execute(
        """
        UPDATE outbox_message SET claimed_until = NULL, attempts = attempts - 1
        WHERE id = $1 AND claimed_until = $2 AND sent_at IS NULL AND attempts > 0
        """,
        notice.id,
        notice.claimed_until,
    )


async def withdraw(kinds: Sequence[str], business_refs: Sequence[str]) -> int:
    """Give up notices that say nothing any more and were not sent, and wipe them; the number.

    One that a worker is delivering at this moment goes out.
    """
    return await execute(
        """
        UPDATE outbox_message SET given_up_at = $3, context = '{}', last_error = 'withdrawn'
        WHERE kind = ANY($1::text[]) AND business_ref = ANY($2::text[]) AND sent_at IS NULL AND given_up_at IS NULL
          AND (claimed_until IS NULL OR claimed_until <= $3)
        """,
        list(kinds),
        list(business_refs),
        clock.now(),
    )


async def drop_useless() -> int:
    """Give up what has become useless unsent (an expired login link), and wipe it; the number."""
    return await execute(
        """
        UPDATE outbox_message SET given_up_at = $1, context = '{}', last_error = 'too late to be of use'
        WHERE sent_at IS NULL AND given_up_at IS NULL AND useless_after <= $1
          AND (claimed_until IS NULL OR claimed_until <= $1)
        """,
        clock.now(),
    )


async def put_in_mailbox(letter: Letter) -> None:
    """Lay a letter in the local mailbox; the same Message-ID only once."""
    await execute(
        """
        INSERT INTO mailbox_message (id, message_id, address, subject, body, delivered_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT every_message_once DO NOTHING
        """,
        new_id(),
        letter.message_id,
        letter.address,
        letter.subject,
        letter.body,
        clock.now(),
    )
