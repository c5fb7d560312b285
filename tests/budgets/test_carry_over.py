"""What is left goes on to the next period, up to the policy's bounds, once; the rest goes back to the pot."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from budgets.planning import a_cohort
from ledger.bookkeeping import CLERK, TODAY, Books, a_grant, a_payee, an_organisation, some_families, top_up
from leerbudget.budgets import actions
from leerbudget.budgets.actions import expire_due, grant, hold, settle
from leerbudget.budgets.policies import grant_by_policy
from leerbudget.budgets.queries import budgets_of, mutations, organisation_overview, totals
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.budgets.rules import CarryBounds, carried_cents
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import record
from leerbudget.ledger.queries import check
from leerbudget.ledger.rules import TransferOrder

NEW_YEAR = datetime(2028, 1, 1, 12, tzinfo=UTC)
TWO_YEARS = """
    top-up  500000
    policy  2027  25000  from=2027-01-01  until=2027-12-31  {}
    policy  2028  25000  from=2028-01-01  until=2028-12-31  follows=2027
"""


@pytest.fixture
async def books(world_db):
    """Open books; afterwards everything in them must still balance."""
    opened = await Books().open()
    yield opened
    assert [*await check(), *await check_budgets()] == []


@pytest.mark.parametrize(
    ("free", "already", "bounds", "carried"),
    [
        (7_000, 0, (10_000, None), 7_000),
        (17_000, 0, (10_000, None), 10_000),
        (17_000, 4_000, (10_000, None), 6_000),
        (17_000, 10_000, (10_000, None), 0),
        (25_001, 0, (None, 50), 12_500),  # half of 25001 is rounded down
        (25_001, 0, (9_000, 50), 9_000),
        (25_001, 0, (20_000, 50), 12_500),
        (25_001, 0, (30_000, 100), 25_001),
        (40_000, 0, (30_000, None), 30_000),  # what came from the period before counts too
        (25_001, 0, (None, None), 0),
        (0, 0, (None, 100), 0),
    ],
)
def test_how_much_goes_on(free, already, bounds, carried):
    """The smaller of both bounds, less what went on before, and never more than is free; 25001 was granted."""
    assert carried_cents(free, 25_001, already, CarryBounds(*bounds)) == carried


async def test_midnight_in_amsterdam_carries_over_once(books):
    """Before midnight nothing moves; after it what is left is on the next budget, and stays there."""
    await books.happens(TWO_YEARS.format("percent=50"))
    with travelling(datetime(2027, 12, 31, 22, 59, tzinfo=UTC)):
        assert await expire_due(actor=None) == 0
    with travelling(datetime(2027, 12, 31, 23, tzinfo=UTC)):
        assert [await expire_due(actor=None) for _ in range(3)] == [1, 0, 0]
    await books.shows("""
        account   posted   held    free
        pot       462500      0  462500
        2027           0      0       0
        2028       37500      0   37500
    """)
    assert (await totals()).granted_cents == 50_000
    views = {view.starts_on.year: view for view in await budgets_of(books.family)}
    assert (views[2027].carried_out_cents, views[2027].returned_cents, views[2027].spent_cents) == (12_500, 12_500, 0)
    assert (views[2028].carried_in_cents, views[2028].free_cents, views[2028].spent_cents) == (12_500, 37_500, 0)
    total = (await organisation_overview(books.organisation)).total
    assert total.granted_cents == total.free_cents + total.held_cents + total.spent_cents + total.returned_cents


@pytest.mark.parametrize("rule", ["", "carry=10000"])
async def test_without_a_next_budget_or_a_rule_everything_goes_back(books, rule):
    """A policy that carries nothing, or a family without a budget in the next period: the pot gets it all."""
    next_one = "follows=2027" if not rule else ""
    await books.happens(f"""
        top-up  500000
        policy  2027  25000  from=2027-01-01  until=2027-12-31  {rule}
        policy  2028  25000  from=2028-01-01  until=2028-12-31  {next_one}
        clock   2028-01-01
        expire
    """)
    await books.shows("""
        account   posted   held    free
        pot       475000      0  475000
        2028       25000      0   25000
    """)


async def test_a_loose_grant_that_may_be_kept_goes_back(books):
    """Without a policy nothing says how much goes on, so `carry_over` alone moves nothing to another budget."""
    await books.happens("top-up 500000")
    await grant(a_grant(books.family, books.organisation, 25_000, carry_over=True), actor=CLERK)
    await grant(a_grant(books.family, books.organisation, 1, expires_on=date(2028, 12, 31)), actor=CLERK)
    await books.happens("clock 2028-01-01\nexpire")
    await books.shows("account posted held free\npot 499999 0 499999")


async def test_what_is_released_after_the_next_period_goes_back(books):
    """A hold that outlives both periods: neither budget runs any more, so the pot gets what comes free."""
    await books.happens(TWO_YEARS.format("percent=100") + "hold booking 18000\nclock 2029-01-01\nexpire\n")
    await books.happens("settle booking 0\nexpire")
    await books.shows("""
        account   posted   held    free
        pot       500000      0  500000
        2027           0      0       0
        2028           0      0       0
    """)


async def test_what_was_carried_can_be_spent_and_carried_on(books):
    """Over three periods the carried cents are held, paid and carried again; the statement adds up per budget."""
    await books.happens("""
        top-up  500000
        policy  2027  25000  from=2027-01-01  until=2027-12-31  percent=100
        policy  2028  25000  from=2028-01-01  until=2028-12-31  follows=2027  carry=40000
        policy  2029  25000  from=2029-01-01  until=2029-12-31  follows=2028
        clock   2028-01-01
        expire
        hold    booking  45000  on=2028-03-01
        settle  booking  5000
        clock   2029-01-01
        expire
    """)
    await books.shows("""
        account   posted   held    free
        pot       430000      0  430000
        2027           0      0       0
        2028           0      0       0
        2029       65000      0   65000
        trainer     5000      0    5000
    """)
    changes = [line.free_change_cents for line in await mutations(books.family) if line.kind == "carry_over"]
    assert sorted(changes) == [-40_000, -25_000, 25_000, 40_000]


async def test_a_carry_that_does_not_fit_is_said_plainly(books, admin):
    """Another family's budget, a policy that does not follow, and more than the policy allows: each gives a sentence."""
    await books.happens(TWO_YEARS.format("carry=10000") + "clock 2028-01-01\nexpire\n")
    await admin.execute("SET session_replication_role = replica")
    breaks = [
        ("UPDATE grant_policy SET follows = NULL", "niet naar de volgende periode van hetzelfde gezin"),
        (
            "UPDATE grant_policy SET carry_cents_max = 9999 WHERE carry_cents_max = 10000",
            "meer dan het beleid toestaat",
        ),
        ("UPDATE grant_policy SET carry_cents_max = NULL", "meer dan het beleid toestaat"),
        ("UPDATE budget SET family = uuidv7() WHERE starts_on > '2027-12-01'", "hetzelfde gezin"),
    ]
    for sql, said in breaks:
        broken = admin.transaction()
        kept = await admin.fetch("SELECT id, family FROM budget")
        rules = await admin.fetch("SELECT id, follows, carry_cents_max FROM grant_policy")
        await broken.start()
        await admin.execute(sql)
        await broken.commit()
        messages = await check_budgets()
        assert any(said in message for message in messages), (sql, messages)
        await admin.executemany("UPDATE budget SET family = $2 WHERE id = $1", [tuple(row) for row in kept])
        await admin.executemany(
            "UPDATE grant_policy SET follows = $2, carry_cents_max = $3 WHERE id = $1", [tuple(row) for row in rules]
        )
        assert await check_budgets() == []


# --- races -------------------------------------------------------------------------------------------------

CAP = 10_000
FAMILIES = 12


async def a_new_year():
    """Families with a budget for each of two years, of which € 180 of the first is held for a booking each."""
    organisation = await an_organisation()
    await top_up(organisation, 1_000_000)
    families, payee = await some_families(organisation, FAMILIES), await a_payee()
    with travelling(TODAY):
        first = await a_cohort(organisation, families, carry_cents_max=CAP)
        years = {"starts_on": date(2028, 1, 1), "ends_on": date(2028, 12, 31), "follows": first.id}
        second = await a_cohort(organisation, families, **years)
        for policy in (first, second):
            await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
        purposes = {family: new_id() for family in families}
        for family, purpose in purposes.items():
            await hold_for(purpose, family, 18_000, date(2027, 12, 1), payee)
    return purposes, payee


async def hold_for(purpose, family, cents, on, payee):
    """Cents of a family set aside."""
    await hold(purpose, family, cents, theme="trauma", form="webinar", on=on, payee_account=payee, actor=None)


async def everything_at_once(monkeypatch):
    """Four workers end the year while every family's booking is settled or cancelled and another is made."""
    purposes, payee = await a_new_year()
    read = actions.balances

    async def slowly(accounts):
        found = await read(accounts)
        await asyncio.sleep(0.03)  # what was read is old by the time it is used
        return found

    async def worker(after):
        await asyncio.sleep(after)
        return await expire_due(actor=None)

    monkeypatch.setattr(actions, "balances", slowly)
    with travelling(NEW_YEAR):
        settled = [
            settle(purpose, 9_000 if place % 2 else 0, actor=None, reason="Test")
            for place, purpose in enumerate(purposes.values())
        ]
        booked = [hold_for(new_id(), family, 20_000, date(2028, 3, 1), payee) for family in purposes]
        work = [worker(0.01 * turn) for turn in range(4)]
        outcomes = await asyncio.gather(*work, *settled, *booked, return_exceptions=True)
        monkeypatch.undo()
        while await expire_due(actor=None):
            pass
    return list(purposes), [outcome for outcome in outcomes if isinstance(outcome, Exception)]


async def test_workers_bookings_and_cancellations_at_once_carry_each_cent_once(world_db, monkeypatch):
    """Nobody fails; every family keeps exactly the bound, the pot gets the rest, and the books balance."""
    for _ in range(4):
        families, failures = await everything_at_once(monkeypatch)
        assert failures == []
        for place, family in enumerate(families):
            first, second = await budgets_of(family)
            paid = 9_000 if place % 2 else 0
            assert (first.carried_out_cents, first.spent_cents, first.returned_cents) == (CAP, paid, 15_000 - paid)
            assert (second.carried_in_cents, second.held_cents, second.free_cents) == (CAP, 20_000, 15_000)
        assert [*await check(), *await check_budgets()] == []


async def test_without_the_lock_workers_get_in_each_others_way(world_db, monkeypatch):
    """Negative control: workers that do not wait for each other use what is old by then, and the ledger refuses them."""
    monkeypatch.setattr(actions, "_LOCK_ENDED", actions._LOCK_ENDED.replace("FOR NO KEY UPDATE OF b", ""))
    failures = []
    for _ in range(5):
        failures += (await everything_at_once(monkeypatch))[1]
        monkeypatch.setattr(actions, "_LOCK_ENDED", actions._LOCK_ENDED.replace("FOR NO KEY UPDATE OF b", ""))
    assert failures


async def test_without_counting_what_went_before_the_bound_is_passed(world_db):
    """Negative control: look whether a part may go on, think for a moment, then move it; the check tells of it."""
    purposes, _ = await a_new_year()
    for purpose in purposes:
        await settle(purposes[purpose], 0, actor=None, reason="Test")

    async def naive(row):
        so_far = "SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE debit = $1 AND kind = 'carry_over'"
        already = await fetch_value(so_far, row["out"])
        await asyncio.sleep(0.05)
        cents = carried_cents(7_000, 25_000, already, CarryBounds(CAP, None))
        order = TransferOrder(new_id(), "carry_over", f"naive:{new_id()}", "posted", row["out"], row["next"], cents)
        await record([order], actor=None)

    rows = await fetch_all("""
        SELECT b.account AS out, n.account AS next FROM budget b JOIN budget n ON n.family = b.family
        WHERE b.starts_on < n.starts_on""")
    await asyncio.gather(*(naive(row) for row in rows for _ in "ab"))
    assert len([message for message in await check_budgets() if "meer dan het beleid toestaat" in message]) > 0
