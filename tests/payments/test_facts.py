"""What happens to the money of a payment ends in the same books in whatever order, and however often, it is told."""

import asyncio
import itertools

import pytest

from ledger.bookkeeping import a_family, a_grant, a_payee, an_organisation, hold_once
from leerbudget.budgets.actions import grant, lower, settle
from leerbudget.budgets.errors import PotTooSmall
from leerbudget.budgets.queries import pot
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import balances
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import end_trust, trust
from leerbudget.payments.errors import PayerTrusted
from leerbudget.payments.facts import apply_facts
from leerbudget.payments.gateways import FACT_KINDS
from leerbudget.payments.queries import check
from leerbudget.payments.receivables import even_out_all, release_held
from leerbudget.payments.rules import PAYMENT_STATES, held_until, state_of
from payments.orders import some_orders
from payments.paying import NOON, a_payment, at, of, standing, told

SEPA = {"method": "sepa_debit"}
PAID = told("received", 500_000)
DEBIT = told("received", 700_000, **SEPA)
UNDER_WAY = told("processing", 0, **SEPA)
OPENED = told("dispute_opened", 700_000, ref="dp_1", days=20, **SEPA)
LOST = told("dispute_lost", 700_000, ref="dp_1", days=30, **SEPA)
CARD = told("received", 500_000, method="card")
CARD_OPENED = told("dispute_opened", 500_000, ref="dp_1", method="card", days=3)
CARD_WON = told("dispute_won", 500_000, ref="dp_1", method="card", days=9)
CARD_LOST = told("dispute_lost", 500_000, ref="dp_1", method="card", days=9)

STORIES = {
    "paid at once": (500_000, [PAID], {"gateway_clearing": -500_000, "organisation_pot": 500_000}, "succeeded"),
    "never paid": (500_000, [told("expired", ref="cs_1")], {}, "expired"),
    "a debit under way": (700_000, [UNDER_WAY], {}, "processing"),
    "a debit that came in waits": (
        700_000,
        [UNDER_WAY, DEBIT],
        {"gateway_clearing": -700_000, "organisation_held": 700_000},
        "succeeded",
    ),
    "a debit that failed": (700_000, [told("failed", **SEPA), UNDER_WAY], {}, "failed"),
    "a debit called back while it waits": (700_000, [UNDER_WAY, DEBIT, OPENED, LOST], {}, "disputed"),
    "a card payment called back in vain": (
        500_000,
        [CARD, CARD_OPENED, CARD_WON],
        {"gateway_clearing": -500_000, "organisation_pot": 500_000},
        "succeeded",
    ),
    "a card payment called back": (500_000, [CARD, CARD_OPENED, CARD_LOST], {}, "disputed"),
    "a part called back": (
        500_000,
        [CARD, told("dispute_opened", 200_000, ref="dp_1"), told("dispute_lost", 200_000, ref="dp_1")],
        {"gateway_clearing": -300_000, "organisation_pot": 300_000},
        "disputed",
    ),
    "another amount": (
        500_000,
        [told("received", 50_000)],
        {"gateway_clearing": -50_000, "suspense": 50_000},
        "review",
    ),
    "another way than offered": (
        500_000,
        [told("received", 500_000, method=None)],
        {"gateway_clearing": -500_000, "suspense": 500_000},
        "review",
    ),
    "another currency": (500_000, [told("received", 500_000, currency="USD")], {}, "review"),
    "paid twice": (
        500_000,
        [PAID, told("received", 500_000, ref="pi_2")],
        {"gateway_clearing": -1_000_000, "organisation_pot": 500_000, "suspense": 500_000},
        "succeeded",
    ),
    "paid after it had lapsed": (
        500_000,
        [told("expired", ref="cs_1"), PAID],
        {"gateway_clearing": -500_000, "organisation_pot": 500_000},
        "succeeded",
    ),
    "given back by somebody else": (
        500_000,
        [PAID, told("refunded", 200_000, ref="re_1", days=2)],
        {"gateway_clearing": -300_000, "organisation_pot": 300_000},
        "part_refunded",
    ),
}


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """Whatever a story did, payments and books fit afterwards."""
    yield
    assert [*await check(), *await check_books()] == []


@pytest.mark.parametrize("story", STORIES)
async def test_every_order_with_duplicates_ends_in_the_same_books(story):
    """Each fact told three times, at once and one by one, in every order: one effect, one state."""
    cents, facts, expected, state = STORIES[story]
    for order in some_orders(facts):
        organisation = await an_organisation()
        payment = await a_payment(organisation, cents)
        ours = of(payment, order)
        for fact in ours:
            await asyncio.gather(*(apply_facts(payment, [fact]) for _ in range(3)))
        await apply_facts(payment, [*ours, *ours])
        assert await standing(organisation) == expected, order
        assert await fetch_value("SELECT state FROM payment WHERE id = $1", payment) == state


async def test_twenty_messages_at_once_credit_once():
    """Three facts of one payment, each twenty times at the same moment: one transfer."""
    organisation = await an_organisation()
    payment = await a_payment(organisation, 500_000)
    facts = of(payment, [told("processing"), PAID])
    fresh = await asyncio.gather(*(apply_facts(payment, facts) for _ in range(20)))
    assert sorted(fresh)[-2:] == [0, 2]
    assert (await pot(organisation)).topped_up_cents == 500_000


async def test_a_debit_can_be_granted_from_day_57_and_not_before():
    """Held money is no allocation; it reaches the pot once, at midnight in Amsterdam, however often it is asked."""
    organisation = await an_organisation()
    family = await a_family(organisation)
    payment = await a_payment(organisation, 700_000)
    await apply_facts(payment, of(payment, [DEBIT]))
    with at(56):
        await release_held()
        with pytest.raises(PotTooSmall):
            await grant(a_grant(family, organisation, 100), actor=None)
    with at(57):
        await asyncio.gather(*(release_held() for _ in range(5)))
        await grant(a_grant(family, organisation, 600_000), actor=None)
    assert await standing(organisation) == {"gateway_clearing": -700_000, "organisation_pot": 100_000}
    told_pot = await pot(organisation)
    assert (told_pot.topped_up_cents, told_pot.free_cents) == (700_000, 100_000)


def test_the_wait_ends_at_midnight_in_amsterdam():
    """Also when the clock went forward in between."""
    assert held_until(NOON).isoformat() == "2027-04-27T00:00:00+02:00"


async def test_a_part_that_was_lost_is_not_released():
    """What was called back of a debit stays away; the rest is released when its time comes, not while it is disputed."""
    organisation = await an_organisation()
    payment = await a_payment(organisation, 700_000)
    opened = told("dispute_opened", 200_000, ref="dp_1", days=50, **SEPA)
    await apply_facts(payment, of(payment, [DEBIT, opened]))
    with at(60):
        await release_held()
        assert (await standing(organisation))["organisation_held"] == 500_000
        await apply_facts(payment, of(payment, [told("dispute_lost", 200_000, ref="dp_1", days=59, **SEPA)]))
        await release_held()
    assert await standing(organisation) == {"gateway_clearing": -500_000, "organisation_pot": 500_000}


async def test_a_dispute_won_late_comes_to_the_pot():
    """Lost, the rest released, and won after all: what returns is not held for a second time."""
    organisation = await an_organisation()
    payment = await a_payment(organisation, 700_000)
    await apply_facts(payment, of(payment, [DEBIT, OPENED, LOST]))
    with at(58):
        await release_held()
        await apply_facts(payment, of(payment, [told("dispute_won", 700_000, ref="dp_1", days=58, **SEPA)]))
    assert await standing(organisation) == {"gateway_clearing": -700_000, "organisation_pot": 700_000}


async def test_a_trusted_payer_does_not_wait():
    """Trust holds from when it is given until it is ended, once at a time."""
    organisation = await an_organisation()
    await trust(organisation, "Gemeente met tien jaar betalingen", id=new_id(), actor=None)
    with pytest.raises(PayerTrusted):
        await trust(organisation, "Nog een keer", id=new_id(), actor=None)
    first = await a_payment(organisation, 700_000)
    await apply_facts(first, of(first, [DEBIT]))
    for _ in "ab":
        await end_trust(organisation, actor=None)
    second = await a_payment(organisation, 700_000)
    await apply_facts(second, of(second, [DEBIT]))
    expected = {"gateway_clearing": -1_400_000, "organisation_pot": 700_000, "organisation_held": 700_000}
    assert await standing(organisation) == expected


async def test_a_reversal_hits_the_organisation_and_families_keep_their_budgets():
    """Called back in month twelve, after 600,000 of 700,000 was granted and 250,000 delivered (money.md, scenario 7).

    The pot pays what it can and the rest is owed. What the organisation takes back of its families' free money covers
    that, until what was delivered is owed; what it pays in later covers it first. The trainer keeps what was earned.
    """
    organisation = await an_organisation()
    family, payee = await a_family(organisation), await a_payee()
    payment = await a_payment(organisation, 700_000)
    await apply_facts(payment, of(payment, [DEBIT]))
    with at(57):
        await release_held()
        budget = await grant(a_grant(family, organisation, 600_000), actor=None)
    delivered = new_id()
    await hold_once(family, payee, 250_000, purpose=delivered)
    await settle(delivered, 250_000, actor=None, reason="attended")
    late = [told(kind, 700_000, ref="dp_1", days=365, **SEPA) for kind in ("dispute_opened", "dispute_lost")]
    await apply_facts(payment, of(payment, late))
    assert await standing(organisation) == {"organisation_receivable": -600_000}
    assert (await balances([budget]))[budget].free_cents == 350_000
    with at(366), pytest.raises(PotTooSmall):
        await grant(a_grant(family, organisation, 100), actor=None)
    await lower(budget, 350_000, lowering=new_id(), actor=None, reason="Teruggeboekt door de bank")
    assert [await even_out_all() for _ in "ab"] == [350_000, 0]
    assert await standing(organisation) == {"organisation_receivable": -250_000}
    assert (await balances([payee]))[payee].posted_cents == 250_000
    again = await a_payment(organisation, 300_000)
    await apply_facts(again, of(again, [told("received", 300_000)]))
    assert await standing(organisation) == {"gateway_clearing": -300_000, "organisation_pot": 50_000}
    assert (await pot(organisation)).free_cents == 50_000


async def test_a_task_is_opened_once_for_what_a_person_must_see():
    """Another amount makes one task however often it is told; what is in order makes none."""
    organisation = await an_organisation()
    right, wrong = await a_payment(organisation, 500_000), await a_payment(organisation, 500_000)
    await apply_facts(right, of(right, [PAID]))
    for _ in "abc":
        await apply_facts(wrong, of(wrong, [told("received", 499_999)]))
    rows = await fetch_all(
        "SELECT kind, payment, amount_cents FROM finance_task WHERE payment = ANY($1::uuid[])", [right, wrong]
    )
    assert [tuple(row) for row in rows] == [("not_as_asked", wrong, 499_999)]


def test_the_state_follows_from_what_happened_alone():
    """Every set of three kinds of facts, in any order, gives one state of the list."""
    for kinds in itertools.combinations(FACT_KINDS, 3):
        states = {
            state_of(
                amount_cents=100,
                received_cents=100 if "received" in kinds else 0,
                refunded_cents=0,
                known=True,
                cancelled=False,
                facts=[(kind, "x") for kind in order],
            )
            for order in itertools.permutations(kinds)
        }
        assert len(states) == 1
        assert states <= set(PAYMENT_STATES)
