"""The outbox: written with its cause, claimed by one, sent once, tried again, given up."""

import asyncio
from contextvars import Context
from datetime import timedelta
from uuid import uuid4

import pytest

from leerbudget.entrypoints.worker.mail import deliver_due
from leerbudget.foundation import clock
from leerbudget.foundation.database import DB, execute, fetch_all, fetch_one, fetch_value, together
from leerbudget.notifications import actions, queries
from leerbudget.notifications.actions import Notice
from leerbudget.notifications.delivery import MailboxDelivery, SmtpDelivery
from leerbudget.notifications.errors import DeliveryFailed, UnknownNotice
from leerbudget.notifications.rules import LEASE, Letter
from notifications.mail_server import mail_server

BASE = "http://leerbudget.test"


async def post_some(count: int = 1, **changes) -> None:
    """Notices to so many addresses."""
    await actions.post_many(
        [
            Notice(
                kind="grant_received",
                business_ref="b1",
                address=f"ouder{n}@fictief.example",
                context={"link": "/budget", "amount_cents": 100 * n},
                **changes,
            )
            for n in range(count)
        ]
    )


class Recorder:
    """A delivery that remembers, waits, or fails as told."""

    def __init__(self, *, seconds: float = 0, failure: Exception | None = None) -> None:
        self.ids: list[str] = []
        self.in_transaction: list[bool] = []
        self._seconds = seconds
        self._failure = failure

    async def deliver(self, letter: Letter) -> None:
        """Remember the letter."""
        self.in_transaction.append(DB.own_transaction() is not None)
        await asyncio.sleep(self._seconds)
        if self._failure is not None:
            raise self._failure
        self.ids.append(letter.message_id)


async def test_a_notice_exists_only_with_its_cause(world_db):
    """Rolled back with it; and written twice it is one."""

    async def cause() -> None:
        async with together():
            await post_some()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await cause()
    assert (await queries.outbox_state()).waiting == 0
    await post_some()
    await actions.post("grant_received", "b1", "ouder0@fictief.example", {"link": "/budget", "amount_cents": 0})
    assert (await queries.outbox_state()).waiting == 1


async def test_a_notice_that_cannot_be_worded_is_refused_at_once(world_db):
    """Nothing is written."""
    with pytest.raises(UnknownNotice):
        await actions.post("grant_received", "b1", "a@b.nl", {"link": "/"})
    assert (await queries.outbox_state()).waiting == 0


async def test_mail_goes_out_once_and_outside_any_transaction(world_db):
    """A second round sends nothing; the context is wiped."""
    await post_some(3)
    recorder = Recorder()
    assert (await deliver_due(recorder, BASE)).sent == 3
    assert (await deliver_due(recorder, BASE)).sent == 0
    assert len(set(recorder.ids)) == len(recorder.ids) == 3
    assert recorder.in_transaction == [False] * 3
    assert {row["context"] for row in await fetch_all("SELECT context::text FROM outbox_message")} == {"{}"}


async def test_a_refused_notice_is_tried_again_later_and_then_arrives(world_db):
    """Not at once; after the wait it goes out under the same Message-ID."""
    await post_some()
    later = Recorder(failure=DeliveryFailed(permanent=False, reason="451"))
    assert (await deliver_due(later, BASE)).failed == 1
    recorder = Recorder()
    assert (await deliver_due(recorder, BASE)).sent == 0
    row = await fetch_one("SELECT last_error, attempts, claimed_until FROM outbox_message")
    assert dict(row) == {"last_error": "451", "attempts": 1, "claimed_until": None}
    with clock.travelling(clock.now() + timedelta(minutes=2)):
        assert (await deliver_due(recorder, BASE)).sent == 1


async def test_a_notice_refused_for_good_is_given_up(world_db):
    """No more attempts, the context wiped, the reason kept."""
    await post_some()
    assert (await deliver_due(Recorder(failure=DeliveryFailed(permanent=True, reason="550")), BASE)).failed == 1
    with clock.travelling(clock.now() + timedelta(days=1)):
        assert await actions.claim(10) == []
    row = await fetch_one("SELECT given_up_at, last_error, context::text AS context FROM outbox_message")
    assert row["given_up_at"] is not None
    assert (row["last_error"], row["context"]) == ("550", "{}")


async def test_after_three_days_of_trying_a_notice_is_given_up(world_db):
    """The attempts end, at growing distances."""
    await post_some()
    now, attempts = clock.now(), 0
    for hours in range(80):
        with clock.travelling(now + timedelta(hours=hours)):
            attempts += (await deliver_due(Recorder(failure=DeliveryFailed(permanent=False, reason="x")), BASE)).failed
    state = await queries.outbox_state()
    assert (state.waiting, state.given_up) == (0, 1)
    assert 15 < attempts < 40


async def test_a_login_link_that_expired_is_dropped_not_sent(world_db):
    """After a long outage nobody gets a dead link; its token does not stay behind."""
    await post_some(useless_after=clock.now() + timedelta(minutes=15))
    recorder = Recorder()
    with clock.travelling(clock.now() + timedelta(minutes=16)):
        assert (await deliver_due(recorder, BASE)).sent == 0
        assert await actions.drop_useless() == 1
    assert await fetch_value("SELECT context::text FROM outbox_message") == "{}"


async def test_a_notice_for_later_waits(world_db):
    """`send_after` is kept."""
    await post_some(send_after=clock.now() + timedelta(hours=1))
    assert await actions.claim(10) == []
    with clock.travelling(clock.now() + timedelta(hours=1, seconds=1)):
        assert len(await actions.claim(10)) == 1


async def test_a_claim_ends_with_its_lease(world_db):
    """What a dead worker held is due again after five minutes, not before."""
    await post_some()
    assert len(await actions.claim(10)) == 1
    with clock.travelling(clock.now() + LEASE - timedelta(seconds=5)):
        assert await actions.claim(10) == []
    with clock.travelling(clock.now() + LEASE + timedelta(seconds=5)):
        assert len(await actions.claim(10)) == 1


async def test_two_workers_never_send_the_same_notice(world_db):
    """Four workers over sixty notices, at the same moment: sixty letters."""
    await post_some(60)
    recorder = Recorder(seconds=0.001)

    async def work() -> None:
        while (await deliver_due(recorder, BASE)).sent:
            pass

    await asyncio.gather(*(work() for _ in range(4)))
    assert len(recorder.ids) == 60
    assert len(set(recorder.ids)) == 60


async def test_claiming_without_locks_would_send_twice(world_db):
    """The negative control: read first, mark later, and two workers hold the same notices."""
    await post_some(20)
    read = asyncio.Barrier(2)

    async def naive_claim() -> set[object]:
        rows = await fetch_all("SELECT id FROM outbox_message WHERE sent_at IS NULL AND claimed_until IS NULL LIMIT 20")
        await read.wait()
        ids = [row["id"] for row in rows]
        await execute("UPDATE outbox_message SET claimed_until = $2 WHERE id = ANY($1)", ids, clock.now() + LEASE)
        return set(ids)

    first, second = await asyncio.gather(naive_claim(), naive_claim())
    assert len(first & second) == 20
    await execute("UPDATE outbox_message SET claimed_until = NULL")
    first, second = await asyncio.gather(actions.claim(20), actions.claim(20))
    assert {n.id for n in first} & {n.id for n in second} == set()
    assert len(first) + len(second) == 20


async def test_claims_share_the_work_while_another_worker_is_still_claiming(world_db):
    """A row that another worker is taking right now is skipped, not waited for."""
    await post_some(2)
    async with together() as connection:
        taken = await connection.fetchval("SELECT id FROM outbox_message ORDER BY send_after, id LIMIT 1 FOR UPDATE")
        (other,) = await asyncio.create_task(_claim_elsewhere(), context=Context())
    assert other.id != taken


async def _claim_elsewhere() -> list[actions.Claimed]:
    return await actions.claim(10)


async def test_a_released_notice_is_due_again_at_once(world_db):
    """A worker that stops gives back what it did not send, without counting an attempt."""
    await post_some(3)
    stop = asyncio.Event()
    stop.set()
    assert (await deliver_due(Recorder(), BASE, stop=stop)).sent == 0
    assert await fetch_value("SELECT sum(attempts) FROM outbox_message") == 0
    assert len(await actions.claim(10)) == 3


async def test_a_claim_that_is_anothers_by_now_is_not_used(world_db):
    """A worker that slept over the end of its lease neither sends nor reports on the notice again."""
    await post_some()
    (slept,) = await actions.claim(1)
    with clock.travelling(clock.now() + LEASE + timedelta(seconds=1)):
        (awake,) = await actions.claim(1)
        assert await actions.keep_claim(slept) is None
        await actions.failed(slept, "late", permanent=True)
        await actions.release(slept)
        kept = await actions.keep_claim(awake)
    assert kept is not None
    assert kept.claimed_until >= awake.claimed_until
    assert await fetch_value("SELECT claimed_until FROM outbox_message WHERE given_up_at IS NULL") == kept.claimed_until


async def test_reporting_twice_changes_nothing(world_db):
    """Sent stays sent, whatever a late worker still says."""
    await post_some()
    (notice,) = await actions.claim(1)
    await actions.sent(notice.id)
    at = await fetch_value("SELECT sent_at FROM outbox_message")
    await actions.failed(notice, "late")
    await actions.sent(notice.id)
    await actions.release(notice)
    await actions.sent(uuid4())
    assert await fetch_value("SELECT sent_at FROM outbox_message") == at
    assert await fetch_value("SELECT last_error FROM outbox_message") is None


async def test_a_lost_acknowledgement_gives_a_duplicate_with_the_same_id_and_no_more(world_db, monkeypatch):
    """The window that SMTP leaves: accepted, but the answer never came. Once more, recognisable."""
    monkeypatch.setattr("leerbudget.notifications.delivery._TIMEOUT_SECONDS", 0.3)
    await post_some()
    async with mail_server() as server:
        delivery = SmtpDelivery(f"smtp://127.0.0.1:{server.port}", "x@leerbudget.example")
        server.forget_to_answer = True
        assert (await deliver_due(delivery, BASE)).failed == 1
        server.forget_to_answer = False
        with clock.travelling(clock.now() + timedelta(minutes=2)):
            assert (await deliver_due(delivery, BASE)).sent == 1
            assert (await deliver_due(delivery, BASE)).sent == 0
        assert len(server.ids) == 2
        assert len(set(server.ids)) == 1


async def test_the_mailbox_keeps_one_even_when_delivered_twice(world_db):
    """The demonstration's mailbox has no window at all."""
    await post_some()
    assert (await deliver_due(MailboxDelivery(), BASE)).sent == 1
    await execute("UPDATE outbox_message SET sent_at = NULL, context = $1", '{"link": "/budget", "amount_cents": 0}')
    assert (await deliver_due(MailboxDelivery(), BASE)).sent == 1
    assert len(await queries.mailbox(address="ouder0@fictief.example")) == 1
