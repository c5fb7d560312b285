"""A quote is immutable: no later tariff alters what was booked, offered or frozen (R06)."""

from dataclasses import replace
from datetime import timedelta

import pytest

import world
from catalogue.tariffing import an_order
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings import waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.catalogue import actions as catalogue_actions
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.errors import SessionFixed
from leerbudget.catalogue.rules import TariffOrder
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.rounds import actions, queries
from rounds.test_actions import QUICK, a_round, a_wish


async def a_tariff(course, cents, **scope):
    made = new_id()
    kind = "municipality" if scope else "national"
    order = TariffOrder(made, str(made), course, kind, cents, clock.today(), **scope)
    await add_tariffs([order], actor=None)
    return made


async def everything_gets_dearer(course, tariff):
    """The tariff ends, a much dearer one follows tomorrow, and the town gets one of its own at once."""
    await end_tariff(tariff, clock.today(), actor=None)
    made = new_id()
    tomorrow = clock.today() + timedelta(days=1)
    await add_tariffs([TariffOrder(made, str(made), course, "national", 90_000, tomorrow)], actor=None)
    await a_tariff(course, 80_000, municipalities=("Utrecht",))


@pytest.fixture
async def course(world_db):
    """A course; afterwards the books balance and every booking has its money."""
    yield await world.a_course()
    assert await ledger.check() == []
    assert await booking_queries.inconsistencies() == []


async def a_family_with_money():
    family = await world.a_family()
    await world.a_budget(family, euros=250)
    return family


async def booked(family, session, **more):
    (parent,) = await world.parents_of(family)
    return await bookings.book(BookingRequest(new_id(), family, session, (parent,), **more), actor=None)


async def test_a_booking_and_its_quote_keep_the_price_and_the_rule(course):
    """What was booked costs what it cost; who books the session tomorrow pays the same; only fresh sessions differ."""
    first = await a_tariff(course, 4500)
    session = await world.a_session(course=course, price_cents=None)
    family = await a_family_with_money()
    receipt = await booked(family, session)
    row = "SELECT to_jsonb(b)::text FROM booking b WHERE id = $1"
    before = await fetch_value(row, receipt.booking)
    await everything_gets_dearer(course, first)
    assert (receipt.price_cents, await fetch_value(row, receipt.booking)) == (4500, before)
    assert (await catalogue.session_detail(session)).tariff.id == first
    second = await booked(await a_family_with_money(), session, price_shown_cents=4500)
    assert second.price_cents == 4500
    (back,) = [await bookings.cancel(receipt.booking, actor=None)]
    assert back.fee_cents == 0
    dear = await world.a_session(course=course, price_cents=None, meetings=[world.in_days(40)])
    assert (await catalogue.session_detail(dear)).price_cents == 80_000


async def test_what_was_ever_booked_never_gets_another_tariff(course):
    """Somebody booked and cancelled: the session cannot move to a day of another tariff, for its quote was given."""
    first = await a_tariff(course, 4500)
    order = await an_order(course, starts_at=world.in_days(30)[0])
    await catalogue_actions.publish_sessions([order])
    receipt = await booked(await a_family_with_money(), order.id)
    await bookings.cancel(receipt.booking, actor=None)
    await everything_gets_dearer(course, first)
    with pytest.raises(SessionFixed):
        await catalogue_actions.publish_sessions([replace(order, meetings=(world.in_days(35),))])
    found = await catalogue.session_detail(order.id)
    assert (found.price_cents, found.tariff.id) == (4500, first)


async def test_an_offer_from_the_waiting_list_keeps_the_price(course):
    """Offered before the tariffs changed, accepted after: the price that was shown is the price that is paid."""
    first = await a_tariff(course, 4500)
    session = await world.a_session(course=course, price_cents=None, seats=1)
    taken = await booked(await a_family_with_money(), session)
    family = await a_family_with_money()
    (parent,) = await world.parents_of(family)
    await waiting.join(WaitingOrder(new_id(), family, session, (parent,)), actor=None)
    await bookings.cancel(taken.booking, actor=None)
    (offer,) = await waiting.offer_free_seats()
    await everything_gets_dearer(course, first)
    await bookings.accept(offer, actor=None)
    rows = await fetch_all("SELECT state, price_cents FROM booking WHERE family = $1", family)
    assert [tuple(row) for row in rows] == [("confirmed", 4500)]


async def test_a_frozen_round_is_published_at_the_prices_it_was_frozen_with(course):
    """The instance, the proposal and the place that is accepted cost the same, whatever came in between."""
    first = await a_tariff(course, 4500)
    family = await a_family_with_money()
    await a_wish(family)
    session = await world.a_session(course=course, price_cents=None)
    round_id = await a_round()
    await actions.freeze(round_id, actor=None)
    await everything_gets_dearer(course, first)
    await actions.solve(round_id, QUICK, actor=None)
    assert await actions.check(round_id, actor=None) == []
    until = clock.now() + timedelta(days=7)
    assert await actions.publish(round_id, answer_until=until, actor=None) == (1, 0)
    (proposal,) = await queries.proposals_of(family)
    assert (proposal.session, proposal.price_cents) == (session, 4500)
    await actions.accept(proposal.proposal, seeker=family, actor=None)
    assert await fetch_value("SELECT price_cents FROM booking WHERE family = $1", family) == 4500
