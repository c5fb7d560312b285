"""The mail server is away: booking, offering and answering go on; when it is back every letter arrives once (I8)."""

import socket
from collections import Counter

import world
from crowd import parents, sessions
from faults.test_outbox_kill import all_sent, until, worker
from leerbudget.bookings import actions, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from notifications.mail_server import MailServer, mail_server

FAMILIES = 20
LETTERS = {"booking_confirmed": 2 * FAMILIES, "booking_cancelled": FAMILIES, "place_offered": FAMILIES}


def taken_port() -> socket.socket:
    """A port at which nobody answers, and which nobody else gets until it is closed."""
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    return place


async def everybody_tried() -> bool:
    """Whether every letter was tried in vain."""
    return await fetch_value("SELECT count(*) FROM outbox_message WHERE last_error IS NULL") == 0


async def seats_that_change_hands():
    """Everybody books; they give it up, and others who wait are offered it by the worker, and take it."""
    holders, waiters = await parents(FAMILIES), await parents(FAMILIES)
    rooms = await sessions([1] * FAMILIES, courses=[await world.a_course() for _ in range(FAMILIES)])
    entries = []
    for holder, waiter, room in zip(holders, waiters, rooms, strict=True):
        request = BookingRequest(new_id(), holder.family, room, (holder.person,))
        await actions.book(request, actor=None)
        entries.append(new_id())
        await waiting.join(WaitingOrder(entries[-1], waiter.family, room, (waiter.person,)), actor=None)
        await actions.cancel(request.id, actor=None)

    async def all_offered():
        return await fetch_value("SELECT count(*) FROM waiting_entry WHERE state = 'offered'") == FAMILIES

    await until(all_offered)
    for entry in entries:
        await waiting.accept(entry, actor=None)


async def test_without_a_mail_server_all_goes_on_and_every_letter_arrives_once_it_is_back(world_db, admin):
    """Twenty bookings, cancellations, offers and acceptances while nobody takes mail; then each letter comes, once."""
    place = taken_port()
    port = place.getsockname()[1]

    async def all_arrived():  # hours go by at every look
        await admin.execute(
            "UPDATE outbox_message SET send_after = now() WHERE sent_at IS NULL AND claimed_until IS NULL"
        )
        return await all_sent()

    async with worker(world_db.dsns.worker, MailServer(port=port), jobs="all"):
        with place:
            await seats_that_change_hands()
            await until(everybody_tried)
            assert await fetch_value("SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL") == 0
        async with mail_server(port) as back:
            await until(all_arrived)
    events = await fetch_all("SELECT kind, count(*) AS n FROM outbox_message GROUP BY kind")
    assert {row["kind"]: row["n"] for row in events} == LETTERS
    assert set(Counter(back.ids).values()) == {1}
    assert len(back.ids) == sum(LETTERS.values())
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
