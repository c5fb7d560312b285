"""Which budgets pay a seat: the database's answer against the rule in plain Python (R01, R04)."""

import random
from datetime import timedelta

import pytest

import world
from ledger.bookkeeping import STARTS, TODAY, a_family, a_grant, a_payee, an_organisation, top_up
from leerbudget.budgets.actions import expire_due, grant_many, hold
from leerbudget.budgets.earmarks import Spending, spendable_cents
from leerbudget.budgets.errors import BudgetTooSmall, EarmarkExcludes, HoldKnown
from leerbudget.budgets.queries import budgets_of, free_for
from leerbudget.budgets.rules import PaymentShare
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import euros

THEMES = ("trauma", "endings", "attachment")
FORMS = ("webinar", "group_training")
PLACES = ("Renkum", "Nuenen, Gerwen en Nederwetten", "'s-Hertogenbosch")
pytestmark = pytest.mark.usefixtures("world_db")


def on_that_day(order, *, on, today):
    """The rule, from the requirements: the period of the budget, and today."""
    return order.starts_on <= on <= order.expires_on and today <= order.expires_on


def fits(order, *, theme, form, municipality, course):
    """The rule, from the requirements: every earmark that a budget has; online lies nowhere."""
    return (
        (order.themes is None or theme in order.themes)
        and (order.forms is None or form in order.forms)
        and (order.municipalities is None or municipality in order.municipalities)
        and (order.courses is None or course in order.courses)
    )


def for_anything(order):
    """Whether a budget has no earmark at all."""
    return [order.themes, order.forms, order.municipalities, order.courses] == [None] * 4


def waterfall(orders, cents):
    """The rule, from the requirements: earmarked first, then earliest expiry, then smallest id."""
    shares = []
    for order in sorted(orders, key=lambda o: (for_anything(o), o.expires_on, o.id)):
        part = min(order.amount_cents, cents)
        cents -= part
        if part:
            shares.append(PaymentShare(order.id, part))
    return tuple(shares)


def some_grants(chance, family, organisation, courses):
    """Up to six budgets with all sorts of periods and earmarks."""

    def earmark(codes):
        return tuple(chance.sample(codes, chance.randint(1, 2))) if chance.random() < 0.3 else None

    for _ in range(chance.randint(0, 6)):
        starts = STARTS + timedelta(days=chance.choice([0, 0, 20, 60]))
        yield a_grant(
            family,
            organisation,
            chance.randint(1, 9) * 1_000,
            starts_on=starts,
            expires_on=starts + timedelta(days=chance.choice([5, 30, 30, 90, 300])),
            themes=earmark(THEMES),
            forms=earmark(FORMS),
            municipalities=earmark(PLACES),
            courses=earmark(courses),
        )


@pytest.mark.parametrize("seed", range(4))
async def test_the_database_pays_from_the_budgets_that_the_rule_says(seed):
    """Random budgets: exactly the shares of the rule, in its order, or exactly what is missing and whether earmarks are why."""
    chance = random.Random(seed)  # noqa: S311 - a seed, no secret
    organisation, payee = await an_organisation(), await a_payee()
    courses = [await world.a_course() for _ in range(3)]
    await top_up(organisation, 2_000_000)
    ends = {"paid": 0, BudgetTooSmall: 0, EarmarkExcludes: 0}
    for _ in range(40):
        family = await a_family(organisation)
        orders = list(some_grants(chance, family, organisation, courses))
        await grant_many(orders, actor=None)
        days, cents = chance.choice([0, 3, 25, 70]), chance.randint(1, 20) * 500
        on, today = STARTS + timedelta(days=days), TODAY + timedelta(days=chance.choice([0, 10, 40]))
        session = {"theme": chance.choice(THEMES), "form": chance.choice(FORMS)}
        session |= {"municipality": chance.choice([*PLACES, None]), "course": chance.choice(courses)}
        open_now = [order for order in orders if on_that_day(order, on=on, today=today.date())]
        fitting = [order for order in open_now if fits(order, **session)]
        free, whole = (sum(order.amount_cents for order in some) for some in (fitting, open_now))
        words = session | {"on": on, "payee_account": payee, "actor": None}
        with travelling(today):
            assert await free_for(family, **session, on=on) == free
            if on >= today.date():
                assert spendable_cents(await budgets_of(family), Spending(**session, on=on)) == free
            if cents <= free:
                assert await hold(new_id(), family, cents, **words) == waterfall(fitting, cents)
                ends["paid"] += 1
                continue
            why = EarmarkExcludes if cents <= whole else BudgetTooSmall
            with pytest.raises(why) as refusal:
                await hold(new_id(), family, cents, **words)
        elsewhere = {"elsewhere_cents": whole - free} if why is EarmarkExcludes else {}
        assert refusal.value.data == {"missing_cents": cents - free, "free_cents": free} | elsewhere
        assert f"{euros(cents - free)} te weinig" in str(refusal.value).replace("\N{NO-BREAK SPACE}", " ")
        ends[why] += 1
    assert min(ends.values()) > 3, ends


async def test_a_second_hold_finds_what_the_first_left_and_an_ended_budget_pays_nothing():
    """What is held already is not free; a budget that has ended does not pay, whatever is left in it."""
    organisation, payee = await an_organisation(), await a_payee()
    await top_up(organisation, 100_000)
    family = await a_family(organisation)
    soon = a_grant(family, organisation, 5_000, expires_on=STARTS + timedelta(days=20))
    late = a_grant(family, organisation, 5_000)
    await grant_many([soon, late], actor=None)
    words = {"theme": "trauma", "form": "webinar", "on": STARTS + timedelta(days=10), "actor": None}
    with travelling(TODAY):
        first = await hold(new_id(), family, 3_000, payee_account=payee, **words)
        second = await hold(new_id(), family, 3_000, payee_account=payee, **words)
    assert first == (PaymentShare(soon.id, 3_000),)
    assert second == (PaymentShare(soon.id, 2_000), PaymentShare(late.id, 1_000))
    with travelling(TODAY + timedelta(days=40)):
        await expire_due(actor=None)
        words["on"] = STARTS + timedelta(days=60)
        assert await hold(new_id(), family, 1_000, payee_account=payee, **words) == (PaymentShare(late.id, 1_000),)


async def test_one_purpose_holds_once_and_for_one_thing():
    """The same hold again gives the same answer; another amount, family or payee under its id is refused."""
    organisation, payee = await an_organisation(), await a_payee()
    await top_up(organisation, 100_000)
    family, other = await a_family(organisation), await a_family(organisation)
    await grant_many([a_grant(who, organisation, 5_000) for who in (family, other)], actor=None)
    purpose = new_id()
    words = {"theme": "trauma", "form": "webinar", "on": STARTS + timedelta(days=10), "actor": None}
    with travelling(TODAY):
        first = await hold(purpose, family, 3_000, payee_account=payee, **words)
        assert await hold(purpose, family, 3_000, payee_account=payee, **words) == first
        for who, cents, account in ((family, 2_000, payee), (other, 3_000, payee), (family, 3_000, await a_payee())):
            with pytest.raises(HoldKnown):
                await hold(purpose, who, cents, payee_account=account, **words)
