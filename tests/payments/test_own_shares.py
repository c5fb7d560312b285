"""What a family pays itself: the seat is kept for it, and every cent ends where it belongs (money.md, scenarios 11-14)."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scale
import world
from leerbudget.bookings import actions, queries
from leerbudget.bookings.errors import OfferLapsed, OwnShareUnpaid
from leerbudget.bookings.moving import MoveRequest, move
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.errors import BudgetTooSmall, EarmarkExcludes, OwnShareChanged
from leerbudget.budgets.rules import PaymentShare, kept
from leerbudget.foundation import clock
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments import asking, inbox, own_shares
from leerbudget.payments.errors import GatewayRefused, OwnShareUnavailable, TooLateToPay
from leerbudget.payments.netting import told
from leerbudget.payments.queries import check
from leerbudget.payments.receivables import even_out_all
from leerbudget.payments.settlements import matrix_of
from leerbudget.payments.settling import settle_months
from leerbudget.trainers.employers import work_for
from payments.own_share_world import (
    BUDGET,
    LATE,
    OWN,
    PRICE,
    UNPAID,
    a_family,
    a_request,
    asked,
    finished,
    standing,
    state,
)
from payments.pretend import PretendGateway


@pytest.fixture
def gateway():
    """A gateway that nobody asked anything yet."""
    return PretendGateway()


@pytest.fixture(autouse=True)
async def everything_fits(world_db):
    """Afterwards bookings, budgets, payments and books fit."""
    yield
    found = [await queries.inconsistencies(), await budgets.check(), await check(), await check_books()]
    assert found == [[], [], [], []]


async def payment_of(request):
    """The payment of a booking and the gateway's name for it."""
    return await fetch_one(
        "SELECT id, gateway_ref, state FROM payment WHERE requested_at IS NOT NULL AND id = $1",
        own_shares.payment_of(request.id),
    )


async def paid(gateway, request, *, placed=True):
    """The family pays; what it paid is given its place."""
    ref = (await payment_of(request))["gateway_ref"]
    gateway.tell(ref, "received", request.own_shown_cents)
    await inbox.look_at(gateway, ref)
    if placed:
        await own_shares.place_all()


async def refund(gateway, refs=None):
    """The worker asks for what is owed, and looks at what became of it: of these payments, or of all."""
    with travelling(clock.now() + timedelta(minutes=2)):
        await asking.ask_again({"stripe": gateway})
        for ref in refs or gateway.facts:
            await inbox.look_at(gateway, ref)


async def test_a_seat_is_paid_from_the_budget_and_by_the_family(gateway):
    """Scenario 11: EUR 150 of budget and EUR 30 of their own; the trainer gets EUR 180 once the course was given."""
    family, session = await a_family(), await world.a_session(price_cents=PRICE)
    request = await a_request(family, session)
    share = await asked(gateway, request)
    assert (share.receipt.state, share.receipt.own_cents) == ("offered", OWN)
    assert share.pay_url == f"https://pay.example/{own_shares.payment_of(request.id)}"
    assert [each.amount_cents for each in share.receipt.shares] == [BUDGET]
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'booking_confirmed'") == 0
    for _ in "ab":
        await paid(gateway, request)
    assert await state(request.id) == "confirmed"
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'booking_confirmed'") == 1
    await finished(session)
    assert await standing() == {"gateway_clearing": -OWN, "trainer_payable": PRICE}


@pytest.mark.parametrize(
    ("late", "left", "trainer_cents"), [(timedelta(), {}, 0), (LATE, {"gateway_clearing": -1500}, 9_000)]
)
async def test_what_comes_back_mirrors_who_paid(gateway, late, left, trainer_cents):
    """Scenario 12: in time everything goes back; late half of it does, EUR 75 to the budget and EUR 15 to their account."""
    family, session = await a_family(), await world.a_session(price_cents=PRICE)
    request = await a_request(family, session)
    await asked(gateway, request)
    await paid(gateway, request)
    with travelling(clock.now() + late):
        told = await actions.cancel(request.id, actor=None)
        for _ in "ab":
            await own_shares.place_all()
        await refund(gateway)
    assert sum(each.free_cents for each in await budgets.budgets_of(family)) == BUDGET - (7_500 if late else 0)
    assert sum(f.amount_cents for facts in gateway.facts.values() for f in facts if f.kind == "refunded") == (
        OWN - (1_500 if late else 0)
    )
    books = await standing()
    assert books.pop("trainer_payable", 0) == told.fee_cents == trainer_cents
    assert books.pop("family_budget", 0) == BUDGET - (7_500 if late else 0)
    assert books == left
    mail = await fetch_all("SELECT context FROM outbox_message WHERE kind = 'own_money_returned'")
    assert len(mail) == 1


@pytest.mark.parametrize(
    "order", [("refunded", "refund_failed"), ("refund_failed", "refunded"), ("refund_failed",), ()]
)
async def test_a_refund_that_fails_stays_owed(gateway, order):
    """Scenario 13: what cannot go back is owed; a person and the family are told, also when failing is told first, or it is refused at once."""
    family, session = await a_family(), await world.a_session(price_cents=PRICE)
    request = await a_request(family, session)
    await asked(gateway, request)
    await paid(gateway, request)
    await actions.cancel(request.id, actor=None)
    await own_shares.place_all()
    ref, back = (
        (await payment_of(request))["gateway_ref"],
        await fetch_value("SELECT id FROM payment_attempt WHERE kind = 'refund'"),
    )
    gateway.moods.extend([] if order else ["refuse"])
    with travelling(clock.now() + timedelta(minutes=2)):
        await asking.ask_again({"stripe": gateway})
    came_in = [fact for fact in gateway.facts[ref] if fact.kind == "received"]
    for kind in (*order, *order):
        gateway.facts[ref] = list(came_in)
        gateway.tell(ref, kind, OWN, ref=f"re_{back}")
        await inbox.look_at(gateway, ref)
    assert (await standing()) == {"gateway_clearing": -OWN, "refunds_owed": OWN, "family_budget": BUDGET}
    assert await fetch_value("SELECT count(*) FROM finance_task WHERE kind = 'refund_failed'") == 1
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'own_money_stuck'") == 1


@pytest.mark.parametrize("others_take_it", [False, True])
async def test_money_that_comes_too_late_finds_the_seat_or_goes_back(gateway, others_take_it):
    """Scenario 14: the seat is there and it is theirs; it went to others and the money goes back once, with a message."""
    session = await world.a_session(price_cents=PRICE, seats=1)
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    with travelling(clock.now() + UNPAID):
        assert await actions.expire_offers() == [request.id]
        if others_take_it:
            other = await a_family(PRICE)
            await actions.book(await a_request(other, session, own_cents=None), actor=None)
        for _ in "ab":
            await paid(gateway, request)
        await refund(gateway)
    went_back = [f.amount_cents for facts in gateway.facts.values() for f in facts if f.kind == "refunded"]
    seated = await fetch_all("SELECT own_cents FROM booking WHERE state = 'confirmed'")
    assert [row["own_cents"] for row in seated] == ([0] if others_take_it else [OWN])
    assert went_back == ([OWN] if others_take_it else [])
    told = await fetch_all(
        "SELECT DISTINCT kind FROM outbox_message WHERE kind IN ('booking_confirmed', 'own_money_returned')"
    )
    assert ("own_money_returned" in {row["kind"] for row in told}) == others_take_it


async def test_whoever_does_not_pay_keeps_no_seat(gateway):
    """The page lapses and then the seat; nothing is left. A seat that the family gave up is not taken again by late money."""
    session = await world.a_session(price_cents=PRICE, seats=1)
    request = await a_request(await a_family(), session)
    share = await asked(gateway, request)
    lapses_at = await fetch_value("SELECT lapses_at FROM payment")
    assert share.pay_before > lapses_at
    await actions.decline(request.id, actor=None)
    assert await own_shares.close_unneeded({"stripe": gateway}) == 1
    assert ("end", (await payment_of(request))["gateway_ref"]) in gateway.questions
    await paid(gateway, request)
    await refund(gateway)
    assert await state(request.id) == "declined"
    assert (await standing()).keys() <= {"family_budget"}
    assert await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session) == 0


async def test_below_fifty_cents_nobody_is_asked(gateway):
    """A budget that lacks 49 cents pays for the seat, and rounding the rest; cancelling gives nobody those cents."""
    session = await world.a_session(price_cents=PRICE)
    family = await a_family(PRICE - 49)
    receipt = await own_shares.quote(await a_request(family, session, own_cents=None), gateway=None, actor=None)
    assert [(each.payer, each.amount_cents) for each in receipt.shares] == [("budget", PRICE - 49), ("rounding", 49)]
    request = await a_request(family, session, own_cents=0)
    share = await asked(None, request)
    assert (share.receipt.state, share.receipt.own_cents, share.pay_url) == ("confirmed", 0, None)
    await actions.cancel(request.id, actor=None)
    assert (await standing()) == {"family_budget": PRICE - 49}
    await actions.book(replace(request, id=new_id()), actor=None)
    await finished(session)
    assert await standing() == {"rounding": -49, "trainer_payable": PRICE}


async def test_a_share_is_what_was_shown_or_nothing_happens(gateway):
    """Another share than was shown, without a service to pay it, too small, too soon or refused: no seat and no money."""
    session = await world.a_session(price_cents=PRICE)
    soon = await fetch_value("SELECT starts_at FROM course_session WHERE id = $1", session) - timedelta(minutes=40)
    family = await a_family()
    good = await a_request(family, session)
    for request, service, error in (
        (replace(good, own_shown_cents=OWN - 1), gateway, OwnShareChanged),
        (replace(good, own_shown_cents=0), gateway, OwnShareChanged),
        (replace(good, own_shown_cents=None), gateway, BudgetTooSmall),
        (good, None, OwnShareUnavailable),
    ):
        with pytest.raises(error):
            await asked(service, request)
        with pytest.raises(BudgetTooSmall):
            await own_shares.quote(await a_request(family, session, own_cents=None), gateway=None, actor=None)
    assert await fetch_value("SELECT count(*) FROM booking") == await fetch_value("SELECT count(*) FROM payment") == 0
    with travelling(soon), pytest.raises(TooLateToPay):
        await asked(gateway, good)
    gateway.moods.append("refuse")
    with pytest.raises(GatewayRefused):
        await asked(gateway, good)
    assert (await state(good.id), await standing()) == ("declined", {"family_budget": BUDGET})


async def test_money_for_something_else_can_be_topped_up_too(gateway):
    """An earmark that does not fit leaves it to the family; the quote shows the share, and booking wants that very share."""
    session, family = await world.a_session(price_cents=PRICE), await a_family(50_000, themes=("self_care",))
    request = await a_request(family, session, own_cents=None)
    with pytest.raises(EarmarkExcludes):
        await actions.quote(request, actor=None)
    receipt = await own_shares.quote(request, gateway=gateway, actor=None)
    assert (receipt.own_cents, receipt.shares) == (PRICE, ())
    share = await asked(gateway, replace(request, own_shown_cents=PRICE))
    assert (share.receipt.state, share.receipt.own_cents) == ("offered", PRICE)


async def test_an_unpaid_seat_cannot_be_accepted(gateway):
    """Saying yes is paying: the database refuses a seat that the family did not pay its share of."""
    session = await world.a_session(price_cents=PRICE)
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    with pytest.raises(OwnShareUnpaid):
        await actions.accept(request.id, actor=None)
    assert await state(request.id) == "offered"
    await actions.decline(request.id, actor=None)
    with pytest.raises(OfferLapsed):
        await actions.decline(request.id, actor=None)


async def test_an_answer_that_got_lost_gives_the_same_page(gateway):
    """The gateway's answer is lost: the seat is kept, the worker asks again with the same key, and there is one payment."""
    session = await world.a_session(price_cents=PRICE)
    request = await a_request(await a_family(), session)
    gateway.moods.append("lost")
    assert (await asked(gateway, request)).pay_url is None
    again = await asked(gateway, request)
    assert again.pay_url == f"https://pay.example/{own_shares.payment_of(request.id)}"
    assert len({key for what, key in gateway.questions if what == "start"}) == len(gateway.payments) == 1


async def test_a_card_payment_that_is_called_back_leaves_the_seat(gateway):
    """The family owes it and keeps its place; after a cancellation what is free covers that first, and nothing goes back twice."""
    session = await world.a_session(price_cents=PRICE)
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    await paid(gateway, request)
    ref = (await payment_of(request))["gateway_ref"]
    gateway.tell(ref, "dispute_opened", OWN, ref="dp_1", method="card")
    await inbox.look_at(gateway, ref)
    assert await state(request.id) == "confirmed"
    assert (await standing())["own_receivable"] == -OWN
    await actions.cancel(request.id, actor=None)
    await own_shares.place_all()
    await even_out_all()
    assert await standing() == {"family_budget": BUDGET}
    gateway.tell(ref, "dispute_won", OWN, ref="dp_1", method="card")
    await inbox.look_at(gateway, ref)
    await own_shares.place_all()
    await refund(gateway)
    assert await standing() == {"family_budget": BUDGET}
    assert sum(f.amount_cents for f in gateway.facts[ref] if f.kind == "refunded") == OWN


MOVES = ("pay", "look", "look", "place", "place", "lapse", "lapse", "other", "close", "again", "refund")


@pytest.mark.parametrize("chunk", range(2))
async def test_whatever_the_order_the_money_pays_a_seat_or_goes_back(gateway, chunk):
    """Fifty orders of paying, looking, lapsing, others booking and asking again, with doubles: one seat or all back."""
    for seed in range(chunk, scale.PERMUTATIONS, 2):
        session = await world.a_session(price_cents=PRICE, seats=1)
        request, other = await a_request(await a_family(), session), await a_family(PRICE)
        await asked(gateway, request)
        moves = random.Random(seed).sample(MOVES, len(MOVES))  # noqa: S311 - an order, no secret
        ref = (await payment_of(request))["gateway_ref"]
        took_it = False
        with travelling(clock.now() + UNPAID):
            for move in (*moves, "look", "place", "refund", "look"):
                took_it |= await _do(move, gateway, request, ref, (session, other))
        facts = gateway.facts[ref]
        came_in = sum(f.amount_cents for f in facts if f.kind == "received")
        back = sum(f.amount_cents for f in facts if f.kind == "refunded")
        seats = await fetch_all(
            "SELECT own_cents FROM booking WHERE session = $1 AND state = 'confirmed' AND family = $2",
            session,
            request.family,
        )
        assert len(seats) + took_it <= 1, (seed, moves)
        assert came_in - back == sum(row["own_cents"] for row in seats), (seed, moves)
        assert await fetch_value("SELECT count(*) FROM finance_task") == 0, (seed, moves)


async def _do(move, gateway, request, ref, others):
    session, other = others
    if move == "pay" and not any(fact.kind == "expired" for fact in gateway.facts[ref]):
        gateway.tell(ref, "received", OWN)
    elif move == "look":
        await inbox.look_at(gateway, ref)
    elif move == "place":
        await own_shares.place_all()
    elif move == "lapse":
        await actions.expire_offers()
    elif move == "close":
        await own_shares.close_unneeded({"stripe": gateway})
    elif move == "again":
        await asked(gateway, request)
    elif move == "refund":
        await refund(gateway, [ref])
    elif move == "other":
        try:
            await actions.book(await a_request(other, session, own_cents=None), actor=None)
        except LeerbudgetError:
            return False
        return True
    return False


async def test_what_a_family_paid_itself_is_settled_and_tells_nobody_who(gateway):
    """It goes to the pot of who employs the trainer; one family's own money is too small a cell to be shown apart."""
    trainer, organisation = (await world.a_trainer())[0], await world.an_organisation()
    await work_for({trainer: organisation}, actor=None)
    session = await world.a_session(price_cents=PRICE, trainer=trainer)
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    await paid(gateway, request)
    await finished(session)
    with travelling(clock.now() + timedelta(days=75)):
        await settle_months(actor=None)
    cells = [cell for cell in await matrix_of(organisation) if cell.guest is None]
    assert [(cell.cents, cell.families) for cell in cells] == [(OWN, frozenset({request.family}))]
    assert [(month.earned_cents, month.guests) for month in told(organisation, await matrix_of(organisation))] == [
        (PRICE, ())
    ]


async def test_whoever_moves_takes_the_own_money_along(gateway):
    """Another date at the same price: the same split, nothing asked and nothing returned; dearer is refused and the seat kept."""
    course = await world.a_course()
    session = await world.a_session(price_cents=PRICE, course=course)
    same, dearer, cheaper = [
        await world.a_session(price_cents=cents, course=course, meetings=[world.in_days(day)])
        for day, cents in ((40, PRICE), (50, PRICE + 100), (60, PRICE - 1_000))
    ]
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    await paid(gateway, request)
    with pytest.raises(BudgetTooSmall):
        await move(MoveRequest(new_id(), request.id, dearer), actor=None)
    there = MoveRequest(new_id(), request.id, same)
    for _ in "ab":
        receipt = (await move(there, actor=None)).receipt
        assert (receipt.state, [(each.payer, each.amount_cents) for each in receipt.shares]) == (
            "confirmed",
            [("budget", BUDGET), ("own", OWN)],
        )
    assert not await own_shares.place_all()
    await move(MoveRequest(new_id(), there.id, cheaper), actor=None)
    assert await own_shares.place_all() == 1
    await refund(gateway)
    assert await standing() == {"gateway_clearing": -(OWN - 1_000), "own_payment": OWN - 1_000, "family_budget": BUDGET}


async def test_many_workers_at_once_place_it_once(gateway):
    """Twenty workers find the same late money at the same moment: one seat, or one refund, never both."""
    session = await world.a_session(price_cents=PRICE, seats=1)
    request = await a_request(await a_family(), session)
    await asked(gateway, request)
    with travelling(clock.now() + UNPAID):
        await actions.expire_offers()
        await paid(gateway, request, placed=False)
        await asyncio.gather(*(own_shares.place_all() for _ in range(20)))
        await refund(gateway)
    assert await fetch_value("SELECT count(*) FROM booking WHERE state = 'confirmed'") == 1
    assert await fetch_value("SELECT count(*) FROM payment_attempt WHERE kind = 'refund'") == 0


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=3), st.integers(50, 40_000), st.integers(0, 100))
def test_the_split_mirrors_to_the_cent(budget_cents, own_cents, percent):
    """Whatever is kept: the parts add up, nobody pays more than was held, and who is no budget comes last."""
    shares = [PaymentShare(new_id(), cents) for cents in budget_cents] + [PaymentShare(None, own_cents, "own")]
    total = sum(share.amount_cents for share in shares)
    parts = kept(shares, total * percent // 100)
    assert sum(part.amount_cents for part in parts) == total * percent // 100
    assert [part.payer for part in parts] == ["budget"] * len(budget_cents) + ["own"]
    assert abs(parts[-1].amount_cents * total - own_cents * (total * percent // 100)) < total
