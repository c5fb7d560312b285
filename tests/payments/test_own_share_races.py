"""A seat and a refund never take the same money, and what guards that."""

import asyncio
from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import AnotherSeatUnpaid
from leerbudget.foundation import clock
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.payments import inbox, own_shares
from leerbudget.payments.facts import PAYMENT
from payments.pretend import PretendGateway

OWN = 4_500


async def late_money(gateway):
    """A payment whose money came when its seat was given up, and the seat is still there; nobody gave it its place yet."""
    family, session = await world.a_family(), await world.a_session(seats=1)
    persons = tuple((await world.parents_of(family))[:1])
    request = BookingRequest(new_id(), family, session, persons, own_shown_cents=OWN)
    await own_shares.book(request, gateway=gateway, return_url="https://leerbudget.example", actor=None)
    payment = own_shares.payment_of(request.id)
    with travelling(clock.now() + timedelta(hours=1)):
        await actions.expire_offers()
    gateway.tell(f"cs_{payment}", "received", OWN)
    await inbox.look_at(gateway, f"cs_{payment}")
    return payment


async def unlocked(payment):
    """What `lock_payment` reads, without waiting for anybody."""
    return await fetch_one(PAYMENT + "WHERE id = $1", payment)


@pytest.mark.parametrize(
    ("guarded", "seats_and_refunds"), [("by the lock", (1, 0)), ("by the constraint", (0, 1)), ("by nothing", (1, 1))]
)
async def test_a_seat_and_a_refund_never_take_the_same_money(admin, monkeypatch, guarded, seats_and_refunds):
    """One worker seats the family while another gives the money back: one of them finds nothing. Unguarded, both take it."""
    payment = await late_money(PretendGateway())
    about_to_pay, go_on = asyncio.Event(), asyncio.Event()
    late, pay = await fetch_value("SELECT booking FROM payment"), own_shares.seats.pay

    async def slowly(booking, **more):
        if booking != late:
            about_to_pay.set()
            await go_on.wait()
        return await pay(booking, **more)

    monkeypatch.setattr(own_shares.seats, "pay", slowly)
    if guarded != "by the lock":
        monkeypatch.setattr(own_shares, "lock_payment", unlocked)
    if guarded == "by nothing":
        await admin.execute("ALTER TABLE account DROP CONSTRAINT never_overspent")
    one = asyncio.create_task(own_shares.place(payment))
    await about_to_pay.wait()
    other = asyncio.create_task(own_shares._give_back(payment))
    await (_waits(admin) if guarded == "by the lock" else other)
    go_on.set()
    await asyncio.gather(one, other)
    seats = await fetch_value("SELECT count(*) FROM booking WHERE state = 'confirmed'")
    refunds = await fetch_value("SELECT count(*) FROM payment_attempt WHERE kind = 'refund'")
    assert (seats, refunds) == seats_and_refunds


async def _waits(admin):
    """Until the second worker waits for the first one in the database."""
    for _ in range(500):
        if await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody waited")


@pytest.mark.parametrize(("guarded", "kept"), [(True, 1), (False, 4)])
async def test_a_family_that_asks_for_many_seats_at_once_keeps_one_unpaid(admin, guarded, kept):
    """Seats that nobody pays for are seats that others do not get; without the index all of them are kept."""
    if not guarded:
        await admin.execute("DROP INDEX one_unpaid_seat_per_family")
    family, gateway = await world.a_family(), PretendGateway()
    persons = tuple((await world.parents_of(family))[:1])
    sessions = [await world.a_session(meetings=[world.in_days(40 + 10 * n)]) for n in range(4)]
    requests = [BookingRequest(new_id(), family, session, persons, own_shown_cents=OWN) for session in sessions]

    async def ask(request):
        return await own_shares.book(request, gateway=gateway, return_url="https://leerbudget.example", actor=None)

    answers = await asyncio.gather(*(ask(request) for request in requests), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, AnotherSeatUnpaid)]
    assert (len(refused), await fetch_value("SELECT count(*) FROM booking")) == (4 - kept, kept)
    assert await fetch_value("SELECT count(*) FROM payment") == kept


@pytest.mark.usefixtures("world_db")
async def test_who_gave_a_seat_up_or_paid_for_it_can_keep_another():
    """The one before is given up, and the next is paid: each time another one is kept."""
    family, gateway = await world.a_family(), PretendGateway()
    persons = tuple((await world.parents_of(family))[:1])
    for n, ends in enumerate(("given up", "paid", "kept")):
        session = await world.a_session(meetings=[world.in_days(40 + 10 * n)])
        request = BookingRequest(new_id(), family, session, persons, own_shown_cents=OWN)
        await own_shares.book(request, gateway=gateway, return_url="https://leerbudget.example", actor=None)
        if ends == "given up":
            await actions.decline(request.id, actor=None)
        elif ends == "paid":
            ref = f"cs_{own_shares.payment_of(request.id)}"
            gateway.tell(ref, "received", OWN)
            await inbox.look_at(gateway, ref)
            await own_shares.place_all()
    rows = await fetch_all("SELECT state FROM booking ORDER BY booked_at, id")
    assert [row["state"] for row in rows] == ["declined", "confirmed", "offered"]
