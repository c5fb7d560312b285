"""Whatever comes in wrong about money: refused, and the books are byte for byte what they were."""

import asyncio
import json
from datetime import date, timedelta

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, an_organisation, top_up
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import InvalidInput, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.payments.actions import confirm_by_reference, confirm_top_up, request_top_up
from leerbudget.payments.asking import refund_top_up, start_top_up
from leerbudget.payments.errors import (
    AmountDiffers,
    EventRefused,
    GatewayRefused,
    GatewayUnknown,
    MethodUnavailable,
    RefundTooLarge,
    SecondPersonNeeded,
    TopUpOutOfBounds,
    TopUpUnknown,
)
from leerbudget.payments.inbox import EVENT_BYTES_MAX, look_at, receive
from leerbudget.payments.rules import reference_of
from leerbudget.payments.statements import import_statements
from payments.bank_world import OWN_IBAN, Line, books, one
from payments.paying import NOON
from payments.pretend import PretendGateway
from payments.sandbox_server import an_order, gateway_to, sandbox_on_a_port
from payments.test_camt import HOSTILE
from payments.test_stripe_events import AT, BODIES, BODY, GOOD, HEADERS, header, judge

SIZE = b" " * (EVENT_BYTES_MAX + 1 - len(BODY))
EVENTS = {
    **{f"signature: {name}": (BODY, signature) for name, (signature, _) in HEADERS.items()},
    **{f"body: {name}": (body, None) for name, (body, _) in BODIES.items()},
    "too old": (BODY, header(BODY, at=AT - timedelta(seconds=301))),
    "from the future": (BODY, header(BODY, at=AT + timedelta(seconds=301))),
    "too large by a byte": (BODY + SIZE, header(BODY + SIZE)),
}
"""Bytes and signature; without one, they are signed as they should be."""


@pytest.fixture
async def organisation(world_db):
    """An organisation with € 5,000.00 through a gateway and as much by bank."""
    with travelling(NOON):
        yield await an_organisation()


@pytest.fixture
def gateway():
    """A gateway in memory."""
    return PretendGateway()


@pytest.fixture
async def paid(organisation, gateway):
    """A payment of € 5,000.00 through the gateway that came in."""
    made = new_id()
    await start_top_up(made, organisation, 500_000, None, gateway=gateway, return_url="http://x.test/", actor=CLERK)
    gateway.tell(f"cs_{made}", "received", 500_000)
    await look_at(gateway, f"cs_{made}")
    return made


async def everything():
    """The books, and how every payment, question and message stands."""
    rows = [
        (row["told"],)
        for table in ("payment", "payment_attempt", "payment_event", "payment_fact", "bank_entry", "bank_statement")
        for row in await fetch_all(f"SELECT t::text AS told FROM {table} t ORDER BY 1")
    ]
    return await books(), rows


async def test_no_wrong_event_leaves_a_trace(organisation, paid):
    """Forged, old, future, cut off, not UTF-8, too large, of the other mode, and sent to a service that is not here."""
    before = await everything()
    stripe = {"stripe": judge()}
    with travelling(AT):
        for name, (content, signature) in EVENTS.items():
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            signed = header(body) if signature is None and name.startswith("body") else signature
            headers = {} if signed is None else {"stripe-signature": signed}
            with pytest.raises(EventRefused):
                await receive(stripe, "stripe", body, headers)
        for unknown in ("manual", "sandbox", "", "stripe "):
            with pytest.raises(GatewayUnknown):
                await receive(stripe, unknown, BODY, {"stripe-signature": GOOD})
    assert await everything() == before


async def test_no_wrong_statement_leaves_a_trace(organisation, paid):
    """Every hostile file: a DTD, another currency, an entry that is missing, a stranger's account, cut off, too large."""
    await import_statements(one(Line(3_000, "OLD")), [OWN_IBAN], actor=None)
    before = await everything()
    for file, error in HOSTILE.values():
        with pytest.raises(error):
            await import_statements(file, [OWN_IBAN], actor=None)
    assert await everything() == before


WRONG_AMOUNTS = (None, True, 0, -1, 4_999, 25_000_000_001, 10**30, 50.0, "50", "\u0665\u0660\u0660\u0660", [5_000])


async def test_no_amount_that_cannot_be_is_asked_for(organisation, gateway, paid):
    """Nothing, less than € 50, above the limits, half cents and words: neither by bank nor through a gateway, nothing asked."""
    before, asked = await everything(), len(gateway.questions)
    for cents in WRONG_AMOUNTS:
        with pytest.raises((InvalidInput, TopUpOutOfBounds)):
            await request_top_up(new_id(), organisation, cents, None, actor=CLERK)
        with pytest.raises((InvalidInput, TopUpOutOfBounds)):
            await start_top_up(
                new_id(), organisation, cents, None, gateway=gateway, return_url="http://x.test/", actor=CLERK
            )
    with pytest.raises(MethodUnavailable):
        await start_top_up(
            new_id(), organisation, 5_000_001, None, gateway=gateway, return_url="http://x.test/", actor=CLERK
        )
    assert (await everything(), len(gateway.questions)) == (before, asked)


async def test_below_fifty_cents_never_reaches_the_payment_service(organisation):
    """What a gateway does not take is refused before it is asked, whatever way was named."""
    async with sandbox_on_a_port() as sandbox:
        for cents in (0, 1, 49, 5_000_001):
            with pytest.raises(GatewayRefused):
                await gateway_to(sandbox).start(an_order(cents, methods=("ideal",)), key="x")
        assert not sandbox.asked


async def test_no_wrong_refund_leaves_a_trace(organisation, gateway, paid):
    """More than was paid, no amount, half a cent, of a payment that is not there: nothing is owed, nothing is asked."""
    before, asked = await everything(), len(gateway.questions)
    gateways = {"stripe": gateway}
    for cents in (500_001, *WRONG_AMOUNTS):
        if cents == 4_999:
            continue
        with pytest.raises((RefundTooLarge, InvalidInput)):
            await refund_top_up(paid, cents, id=new_id(), gateways=gateways, actor=CLERK)
    with pytest.raises(TopUpUnknown):
        await refund_top_up(new_id(), 1, id=new_id(), gateways=gateways, actor=CLERK)
    assert (await everything(), len(gateway.questions)) == (before, asked)


async def test_two_who_refund_at_once_give_back_what_one_would(organisation, gateway, paid):
    """Ten at the same moment, each nearly all of it: one goes back; whoever came after hears it, and the books show one."""
    refunds = [
        refund_top_up(paid, 400_000, id=new_id(), gateways={"stripe": gateway}, actor=actor)
        for actor in [CLERK, COLLEAGUE] * 5
    ]
    told = await asyncio.gather(*refunds, return_exceptions=True)
    assert [type(each) for each in told if each is not None] == [RefundTooLarge] * 9
    before = await everything()
    with pytest.raises(RefundTooLarge):
        await refund_top_up(paid, 100_001, id=new_id(), gateways={"stripe": gateway}, actor=CLERK)
    assert await everything() == before
    assert await fetch_value("SELECT sum(amount_cents)::bigint FROM transfer WHERE kind = 'refund'") == 400_000


async def test_what_goes_back_is_bounded_by_what_came_in(organisation, gateway, paid, admin):
    """Negative control: without the guard both of two refunds at once go out of a pot that other money fills."""
    await top_up(organisation, 500_000)
    await admin.execute("ALTER TABLE payment DROP CONSTRAINT refunded_within_received")
    refunds = [
        refund_top_up(paid, 400_000, id=new_id(), gateways={"stripe": gateway}, actor=actor)
        for actor in (CLERK, COLLEAGUE)
    ]
    assert await asyncio.gather(*refunds) == [None, None]
    assert await fetch_value("SELECT sum(amount_cents)::bigint FROM transfer WHERE kind = 'refund'") == 800_000


async def test_no_wrong_confirmation_leaves_a_trace(organisation, paid):
    """Another amount, a day that cannot be, by who asked, of a gateway's payment, under a reference of nobody."""
    mine = new_id()
    reference = await request_top_up(mine, organisation, 500_000, None, actor=CLERK)
    before, day = await everything(), NOON.date()
    refused = [
        (AmountDiffers, confirm_by_reference(reference, day, amount_cents=499_999, actor=None)),
        (InvalidInput, confirm_by_reference(reference, day, amount_cents=None, actor=None)),
        (InvalidInput, confirm_by_reference("RF00", day, amount_cents=500_000, actor=None)),
        (TopUpUnknown, confirm_by_reference(reference_of(new_id()), day, amount_cents=500_000, actor=None)),
        (TopUpUnknown, confirm_by_reference(reference_of(paid), day, amount_cents=500_000, actor=None)),
        (SecondPersonNeeded, confirm_top_up(mine, day, actor=CLERK)),
        (InvalidInput, confirm_top_up(mine, day + timedelta(days=1), actor=COLLEAGUE)),
        (InvalidInput, confirm_top_up(mine, date(2020, 1, 1), actor=COLLEAGUE)),
        (InvalidInput, confirm_top_up(mine, None, actor=COLLEAGUE)),
    ]
    for error, verb in refused:
        with pytest.raises(LeerbudgetError) as refusal:
            await verb
        assert isinstance(refusal.value, error)
    assert await everything() == before
