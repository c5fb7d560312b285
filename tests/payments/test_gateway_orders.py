"""The scenarios through a gateway: told in whatever order, twice and late, with old sights after later ones, one end.

What the made-up Stripe tells is recorded with the real library and the real signatures; `test_scenarios` says which
scenario is which.
"""

import itertools
import json
import random
from functools import partial

import pytest

from ledger.bookkeeping import CLERK, a_family, a_grant, a_payee, an_organisation, hold_once
from leerbudget.budgets.actions import grant, lower, settle
from leerbudget.budgets.errors import PotTooSmall
from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.webhooks import signature
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import balances
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.asking import refund_top_up, start_top_up
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.errors import GatewaySilent
from leerbudget.payments.inbox import receive
from leerbudget.payments.queries import check
from leerbudget.payments.receivables import even_out, lock_payer, organisation_payer, release_held
from leerbudget.payments.reconciling import reconcile
from payments.orders import some_orders, with_duplicates
from payments.paying import NOON, at, standing
from payments.replaying import STRANGER, Chapter, Replayed, Story, a_stage, record
from payments.sandbox_server import gateway_to, sandbox_on_a_port

# --- what payers and banks do ---------------------------------------------------------------------------------------


def paid_by(method):
    """Somebody pays at once."""
    return partial(deeds.pay, method=method)


def dispute_decided(books, session, *, won):
    """The payer's bank decides."""
    (made,) = books.where("dispute", payment_intent=session["payment_intent"])
    deeds.dispute_ends(books, made, won=won)


def refund_comes_back(books, session):
    """The payer's bank sends the refund back."""
    (made,) = books.where("refund", payment_intent=session["payment_intent"])
    deeds.refund_fails(books, made)


def paid_otherwise(books, session, **intent):
    """What comes in is not what was asked: these fields of the intent are others, `method` that of the charge."""
    deeds.pay(books, session, "ideal")
    made = books.get("payment_intent", session["payment_intent"])
    method = intent.pop("method", None)
    if method:
        books.get("charge", made["latest_charge"])["payment_method_details"] = {"type": method}
    made.update(intent)
    if "metadata" in intent:
        session["metadata"] = intent["metadata"]


# --- what we do in between ------------------------------------------------------------------------------------------


async def cannot_be_granted(stage):
    """What has not come in for certain is no allocation, not of a cent."""
    family = await a_family(stage.organisation)
    with pytest.raises(PotTooSmall):
        await grant(a_grant(family, stage.organisation, 1), actor=None)


async def is_held(stage):
    """What came in can still be called back: it waits beside the pot, whoever asks for it."""
    await release_held()
    await cannot_be_granted(stage)
    assert await standing(stage.organisation) == {"gateway_clearing": -700_000, "organisation_held": 700_000}


async def is_released(stage):
    """Day 57, as often as anybody asks."""
    for _ in "abc":
        await release_held()


async def granted_and_delivered(stage):
    """Of 700,000: 600,000 granted, 250,000 delivered, 100,000 held for a place that is confirmed."""
    await is_released(stage)
    family, stage.kept["payee"] = await a_family(stage.organisation), await a_payee()
    stage.kept["budget"] = await grant(a_grant(family, stage.organisation, 600_000), actor=None)
    delivered, confirmed = new_id(), new_id()
    await hold_once(family, stage.kept["payee"], 250_000, purpose=delivered)
    await settle(delivered, 250_000, actor=None, reason="Geweest")
    await hold_once(family, stage.kept["payee"], 100_000, purpose=confirmed)


async def taken_back(stage):
    """The organisation owes what its pot cannot pay; confirmed places stay, and it takes back what families may spend."""
    budget, payee = stage.kept["budget"], stage.kept["payee"]
    assert await standing(stage.organisation) == {"organisation_receivable": -600_000}
    found = await balances([budget, payee])
    assert (found[budget].free_cents, found[budget].pending_cents) == (250_000, 100_000)
    assert found[payee].posted_cents == 250_000
    await lower(budget, 250_000, lowering=new_id(), actor=None, reason="Teruggeboekt door de bank")
    for _ in "ab":
        async with together():
            await lock_payer(organisation_payer(stage.organisation))
            await even_out(organisation_payer(stage.organisation))
    assert (await balances([budget]))[budget].pending_cents == 100_000


async def asked_back(stage):
    """Somebody here gives 3,000 back; asked twice."""
    stage.gateway.about_to_show(stage, 0)
    for _ in "ab":
        await refund_top_up(stage.payment, 3_000, id=stage.refund, gateways=stage.gateways, actor=CLERK)


IDEAL, CARD = paid_by("ideal"), paid_by("card")
DEBIT = (deeds.pay_later, deeds.settle)
CREDITED = {"gateway_clearing": -500_000, "organisation_pot": 500_000}

STORIES = {
    "1 paid by iDEAL": Story(1, 500_000, (Chapter((IDEAL,)),), CREDITED, "succeeded"),
    "2 never paid": Story(2, 500_000, (Chapter((deeds.expire,)),), {}, "expired"),
    "3 a debit under way": Story(3, 700_000, (Chapter((deeds.pay_later,), then=cannot_be_granted),), {}, "processing"),
    "4 a debit that waits until day 57": Story(
        4,
        700_000,
        (Chapter(DEBIT, then=is_held), Chapter(days=56, then=is_held), Chapter(days=57, then=is_released)),
        {"gateway_clearing": -700_000, "organisation_pot": 700_000},
        "succeeded",
    ),
    "5 a debit that failed": Story(5, 700_000, (Chapter((deeds.pay_later, deeds.bounce)),), {}, "failed"),
    "6 a debit called back while it waits": Story(
        6,
        700_000,
        (Chapter((*DEBIT, deeds.dispute), then=cannot_be_granted), Chapter(days=57, then=is_released)),
        {},
        "disputed",
        (("dispute_lost", 700_000), ("disputed", 700_000)),
    ),
    "7 a debit called back in month twelve": Story(
        7,
        700_000,
        (Chapter(DEBIT), Chapter(days=57, then=granted_and_delivered), Chapter((deeds.dispute,), 365, taken_back)),
        {"organisation_receivable": -350_000},
        "disputed",
        (("dispute_lost", 700_000), ("disputed", 700_000)),
    ),
    "8 a card payment disputed in vain": Story(
        8,
        200_000,
        (Chapter((CARD, deeds.dispute, partial(dispute_decided, won=True))),),
        {"gateway_clearing": -200_000, "organisation_pot": 200_000},
        "succeeded",
    ),
    "13 a refund that comes back": Story(
        13,
        500_000,
        (Chapter((IDEAL,), then=asked_back), Chapter((3_000, refund_comes_back), 1)),
        {"gateway_clearing": -500_000, "organisation_pot": 497_000, "refunds_owed": 3_000},
        "part_refunded",
        (("refund_failed", 3_000),),
    ),
    "15 another amount": Story(
        15,
        500_000,
        (Chapter((partial(paid_otherwise, amount_received=50_000),)),),
        {"gateway_clearing": -50_000, "suspense": 50_000},
        "review",
        (("not_as_asked", 50_000),),
    ),
    "15 another currency": Story(
        15,
        500_000,
        (Chapter((partial(paid_otherwise, currency="usd"),)),),
        {},
        "review",
        (("not_as_asked", 500_000),),
    ),
    "15 another method": Story(
        15,
        500_000,
        (Chapter((partial(paid_otherwise, method="bancontact"),)),),
        {"gateway_clearing": -500_000, "suspense": 500_000},
        "review",
        (("not_as_asked", 500_000),),
    ),
    "15 somebody else's metadata": Story(
        15,
        500_000,
        (Chapter((partial(paid_otherwise, metadata={"payment_id": str(STRANGER)}),)),),
        {},
        "open",
        (("stranger", 500_000),),
    ),
}


@pytest.fixture(scope="module")
async def served():
    """One made-up Stripe for this module."""
    async with sandbox_on_a_port() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """Whatever a story did, payments and books fit afterwards."""
    yield
    assert [*await check(), *await check_books()] == []


async def told(stage, messages, chance):
    """Messages come in one by one; every few of them somebody looks, and sees what there was or more."""
    last = max((message.seen for message in messages), default=0)
    for message in with_duplicates(messages, chance):
        await stage.hears(message, chance.randint(message.seen, last))
        if chance.random() < 0.4:
            await stage.looks()
    await stage.looks()


async def played(story, recording, gateway, order, chance):
    """One payment, to which the story is told with the messages of each chapter in an order of its own."""
    stage, before = await a_stage(story, recording, gateway), []
    for chapter, messages in zip(story.chapters, order, strict=True):
        with at(chapter.days + 0.5):
            await told(stage, [*messages, *chance.sample(before, min(1, len(before)))], chance)
            if chapter.then is not None:
                await chapter.then(stage)
        before += messages
    with at(story.chapters[-1].days + 1):
        await told(stage, before[:1], chance)
    return stage


def orders_of(recording):
    """The chapters' messages in orders: as many as the chapter that has most, the others by chance."""
    each = [some_orders(messages) for messages in recording.chapters]
    chance = random.Random(11)  # noqa: S311 - an order, not a secret
    for place in range(max(len(orders) for orders in each)):
        yield [orders[place] if place < len(orders) else chance.choice(orders) for orders in each]


@pytest.mark.parametrize("name", STORIES)
async def test_every_order_of_messages_ends_in_the_same_books(served, name):
    """Messages in every order, some twice, each met by an old or a later sight: one end, to the cent."""
    story = STORIES[name]
    recording = await record(story, served)
    gateway = Replayed(gateway_to(served))
    chance = random.Random(name)  # noqa: S311 - a story, not a secret
    for order in orders_of(recording):
        stage = await played(story, recording, gateway, order, chance)
        assert await stage.ends() == (story.expected, story.state, story.tasks), order


EVENTS_OF_PAYING = 3
LOST = list(itertools.product([False, True], repeat=EVENTS_OF_PAYING))[1:]


async def test_whichever_messages_are_lost_reconciling_credits_once():
    """Scenario 16, through the library: one, two or all messages lost, and 500 five times: credited once, and no more."""
    async with sandbox_on_a_port(books=Books(clock=lambda: NOON)) as sandbox:
        with travelling(NOON):
            for lost in LOST:
                organisation = await paid_and_told(sandbox, lost)
                gateways = {"sandbox": gateway_to(sandbox)}
                sandbox.faults.answers.extend(["error"] * 5)
                for _ in range(5):
                    with pytest.raises(GatewaySilent):
                        await reconcile(gateways)
                for _ in "ab":
                    found = await reconcile(gateways)
                assert (found.messages, found.facts, found.differences) == (0, 0, ())
                assert await standing(organisation) == CREDITED, lost


async def paid_and_told(sandbox, lost):
    """An organisation that paid EUR 5,000 by iDEAL, and that not all messages about it told of."""
    organisation, gateway = await an_organisation(), gateway_to(sandbox)
    asked = {"gateway": gateway, "return_url": "http://x.test/", "actor": CLERK}
    started = await start_top_up(new_id(), organisation, 500_000, None, **asked)
    sandbox.books.unsent.clear()
    deeds.pay(sandbox.books, sandbox.books.get("checkout.session", started.gateway_ref), "ideal")
    events = [sandbox.books.get("event", each) for each in sandbox.books.unsent]
    assert len(events) == EVENTS_OF_PAYING
    for event in itertools.compress(events, [not each for each in lost]):
        body = json.dumps(event).encode()
        signed = signature(body, SANDBOX_WEBHOOK_SECRET, int(NOON.timestamp()))
        await receive({"sandbox": gateway}, "sandbox", body, {"stripe-signature": signed})
    return organisation
