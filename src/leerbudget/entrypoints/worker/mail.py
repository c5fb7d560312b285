"""Delivering what waits in the outbox."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from leerbudget.foundation import clock
from leerbudget.foundation.errors import Busy, LeerbudgetError
from leerbudget.notifications import actions
from leerbudget.notifications.actions import Claimed
from leerbudget.notifications.delivery import Delivery
from leerbudget.notifications.errors import DeliveryFailed
from leerbudget.notifications.rules import SEND_SECONDS_MAX, Letter, message_id, render

BATCH = 20
MARK_AGAIN_SECONDS = 0.5

log = structlog.get_logger("leerbudget.worker")


@dataclass(slots=True)
class Tally:
    """What came of a batch."""

    sent: int = 0
    failed: int = 0


async def deliver_due(
    delivery: Delivery, base_url: str, *, stop: asyncio.Event | None = None, batch: int = BATCH
) -> Tally:
    """Deliver one batch of what is due. No transaction is open while a mail server is spoken to.

    When `stop` is set, the letter under way is finished and the rest of the batch is given back.
    """
    tally = Tally()
    for claimed in await actions.claim(batch):
        if stop is not None and stop.is_set():
            await actions.release(claimed)
        elif (notice := await actions.keep_claim(claimed)) is None:
            log.warning("claim lost, left to another worker", notice=str(claimed.id))
        elif await _deliver(notice, delivery, base_url):
            tally.sent += 1
        else:
            tally.failed += 1
    return tally


async def _deliver(notice: Claimed, delivery: Delivery, base_url: str) -> bool:
    try:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await delivery.deliver(_letter(notice, base_url))
    except (LeerbudgetError, TimeoutError, ValueError) as failure:
        data = failure.data if isinstance(failure, DeliveryFailed) else {}
        reason = str(data.get("reason") or "") or str(failure) or type(failure).__name__
        await actions.failed(notice, reason, permanent=bool(data.get("permanent")))
        log.warning("notice not accepted", kind=notice.kind, notice=str(notice.id), reason=reason)
        return False
    await _mark_sent(notice)
    return True


async def _mark_sent(notice: Claimed) -> None:
    """Write down that it was sent, and keep trying while the database is away: unmarked, it would go out again."""
    while True:
        try:
            await actions.sent(notice.id)
        except Busy:
            if clock.now() + timedelta(seconds=MARK_AGAIN_SECONDS) >= notice.claimed_until:
                raise
            await asyncio.sleep(MARK_AGAIN_SECONDS)
        else:
            return


def _letter(notice: Claimed, base_url: str) -> Letter:
    subject, body = render(notice.kind, notice.context, base_url)
    return Letter(message_id(notice.kind, notice.business_ref, notice.address, base_url), notice.address, subject, body)
