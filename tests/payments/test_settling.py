"""Between organisations: what trainers earned goes to who they work for, once a month and to the cent (R05)."""

import asyncio
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bookkeeping import CLERK
from leerbudget.budgets.queries import pot
from leerbudget.budgets.queries import totals as all_money
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.queries import balances
from leerbudget.ledger.queries import check as check_books
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.errors import MonthNotOver
from leerbudget.payments.queries import check
from leerbudget.payments.rules import last_month_to_settle, month_fault
from leerbudget.payments.settlements import matrix, matrix_of, net_positions
from leerbudget.payments.settling import settle_months
from payments.settling_world import a_country, on

MONTH_OVER = "2027-02-02"


@pytest.fixture
async def country(world_db):
    """Two organisations with two families each, a trainer for each, and one trainer who works for nobody."""
    yield await a_country(families=[2, 2], employers=[0, 1, None])
    assert [*await check(), *await check_books()] == []


async def settled(day, through=None):
    """Settle on a day."""
    with travelling(on(day)):
        return await settle_months(through, actor=CLERK)


async def pots(country):
    """What each organisation got by settling."""
    return [(await pot(organisation)).settled_cents for organisation in country.organisations]


async def transfers():
    """Every settlement: month and cents."""
    sql = (
        "SELECT substr(business_ref, 8, 7) AS month, amount_cents FROM transfer WHERE kind = 'settlement' ORDER BY 1, 2"
    )
    return [tuple(row) for row in await fetch_all(sql)]


def test_a_month_is_over_after_a_whole_day():
    """On the first of March January is the last month that can be settled, from the second on it is February."""
    days = [date(2027, 1, 1), date(2027, 1, 2), date(2027, 3, 1), date(2027, 3, 2), date(2027, 3, 31)]
    assert [last_month_to_settle(day) for day in days] == ["2026-11", "2026-12", "2027-01", "2027-02", "2027-02"]


@given(st.text(max_size=8) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}\Z", fullmatch=True) | st.integers())
def test_only_months_are_months(value):
    """Whatever is not `YYYY-MM` in this century is refused; what is, reads back the same."""
    if month_fault(value) is None:
        assert f"{date.fromisoformat(f'{value}-01'):%Y-%m}" == value


async def test_a_family_learns_at_another_organisation_and_nobody_has_to_do_anything(country):
    """R05: a budget of one organisation pays a trainer of another; after the month the money is in that one's pot."""
    await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await country.pays("2027-01-21", country.families[1][0], 1, 1_000)
    await country.pays("2027-01-22", country.families[1][0], 2, 700)
    assert await settled(MONTH_OVER) == 1
    assert await pots(country) == [0, 5_500]
    assert [b.posted_cents for b in (await balances(country.accounts)).values()] == [0, 0, 700]
    cells = {(c.guest, c.host): (c.month, c.cents, len(c.families)) for c in await matrix()}
    one, two = country.organisations
    assert cells == {(one, two): ("2027-01", 4_500, 1), (two, two): ("2027-01", 1_000, 1)}
    assert net_positions(await matrix()) == {one: -4_500, two: 4_500}
    assert {cell.guest for cell in await matrix_of(one)} == {one}


async def test_settling_again_or_at_once_moves_nothing_more(country):
    """Ten runs at the same moment and one later: one transfer for each trainer."""
    await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await country.pays("2027-01-20", country.families[0][0], 0, 900)
    await asyncio.gather(*(settled(MONTH_OVER) for _ in range(10)))
    assert await settled("2027-02-03") == 0
    assert await transfers() == [("2027-01", 900), ("2027-01", 4_500)]


async def test_without_the_constraint_a_month_is_settled_more_than_once(country, admin):
    """Negative control: nothing but the uniqueness of a business event keeps runs at the same moment from moving it twice."""
    await asyncio.gather(*(settled("2027-01-02") for _ in range(10)))  # all connections are there: the runs meet
    await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await admin.execute("ALTER TABLE transfer DROP CONSTRAINT every_business_event_once")
    await asyncio.gather(*(settled(MONTH_OVER) for _ in range(10)))
    assert len(await transfers()) > 1
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("DELETE FROM transfer WHERE kind = 'settlement'")
    await admin.execute("UPDATE account SET credits_posted_cents = 200000 WHERE kind = 'organisation_pot'")


async def test_a_month_that_is_not_over_waits(country):
    """Nothing of this month or of yesterday's is settled, and asking for it is refused; a month that is none as well."""
    await country.pays("2027-01-31", country.families[0][0], 1, 4_500)
    assert [await settled(day) for day in ("2027-01-31", "2027-02-01")] == [0, 0]
    with pytest.raises(MonthNotOver, match="2027-01"):
        await settled("2027-02-01", "2027-01")
    with pytest.raises(InvalidInput):
        await settled("2027-02-01", "2027-13")
    assert await settled(MONTH_OVER, "2026-12") == 0
    assert await settled(MONTH_OVER, "2027-01") == 1


async def test_a_month_ends_at_midnight_in_amsterdam(country):
    """A seat that is paid at 23:30 on the last of January is January's, one of half an hour after midnight is not."""
    for moment in ("2027-01-31T22:30:00+00:00", "2027-01-31T23:30:00+00:00"):
        with travelling(on("2027-01-31").fromisoformat(moment)):
            bank = await account_of("bank", None, constrained=False)
            ref = f"fix:{moment}"
            order = TransferOrder(new_id(), "correction", ref, "posted", bank, country.accounts[0], 100, reason="Fout")
            await record([order], actor=CLERK)
    await settled("2027-03-02")
    assert await transfers() == [("2027-01", 100), ("2027-02", 100)]


async def test_what_came_back_after_the_month_is_in_the_next_sum(country):
    """A fee that a family gets back in February lowers February's settlement of the same trainer."""
    purpose = await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await settled(MONTH_OVER)
    await country.gets_back("2027-02-10", purpose)
    await country.pays("2027-02-11", country.families[1][1], 1, 6_000)
    await settled("2027-03-02")
    assert await transfers() == [("2027-01", 4_500), ("2027-02", 1_500)]
    one, two = country.organisations
    february = {(c.guest, c.host): c.cents for c in await matrix() if c.month == "2027-02"}
    assert february == {(one, two): -4_500, (two, two): 6_000}
    assert net_positions(await matrix()) == {one: 0, two: 0}


async def test_a_negative_sum_waits_until_there_is_enough(country):
    """When more came back than was earned nothing is settled; the months after make up for it first."""
    purpose = await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await settled(MONTH_OVER)
    await country.gets_back("2027-02-10", purpose)
    assert await settled("2027-03-02") == 0
    await country.pays("2027-03-10", country.families[0][0], 1, 4_000)
    assert await settled("2027-04-02") == 0
    await country.pays("2027-04-10", country.families[0][1], 1, 800)
    assert await settled("2027-05-02") == 1
    assert await transfers() == [("2027-01", 4_500), ("2027-04", 300)]
    assert await pots(country) == [0, 4_800]


async def test_months_that_were_missed_are_settled_one_by_one(country):
    """A worker that was away for three months settles each month for itself, as if it had been there."""
    purpose = await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await country.gets_back("2027-02-10", purpose)
    await country.pays("2027-03-10", country.families[0][0], 1, 5_000)
    assert await settled("2027-04-02") == 2
    assert await transfers() == [("2027-01", 4_500), ("2027-03", 500)]


async def test_who_changes_employer_earns_for_the_new_one_from_the_next_month(country):
    """What was earned before belongs to who the trainer worked for then, settled or not; for oneself means: not settled."""
    await country.pays("2027-01-10", country.families[0][0], 2, 100)
    await country.works_for("2027-01-15", 2, 0)  # joined this month: at once
    await country.works_for("2027-02-15", 2, 1)
    await country.pays("2027-02-20", country.families[0][0], 2, 20)
    await country.pays("2027-03-20", country.families[0][0], 2, 3)
    await country.works_for("2027-03-21", 2, None)
    await country.pays("2027-04-20", country.families[0][0], 2, 7)
    assert await settled("2027-06-02") == 3
    assert await transfers() == [("2027-01", 100), ("2027-02", 20), ("2027-03", 3)]
    assert await pots(country) == [120, 3]
    assert (await balances(country.accounts[2:]))[country.accounts[2]].posted_cents == 7


async def test_what_somebody_earned_alone_stays_theirs(country):
    """A trainer who joins an organisation does not hand over what was earned before."""
    await country.pays("2027-02-10", country.families[0][0], 2, 100)
    await country.works_for("2027-02-15", 2, 0)
    await country.pays("2027-03-10", country.families[0][0], 2, 20)
    assert await settled("2027-04-02") == 1
    assert await transfers() == [("2027-03", 20)]


async def test_settled_money_can_be_granted_and_the_totals_say_where_it_is(country):
    """Pots hold what was paid in, settled and returned, less what was granted; trainers' accounts give it."""
    await country.pays("2027-01-20", country.families[0][0], 1, 4_500)
    await settled(MONTH_OVER)
    told = await all_money()
    assert told.settled_cents == 4_500
    assert told.pots_cents == told.topped_up_cents + told.settled_cents + told.returned_cents - told.granted_cents
    mine = await pot(country.organisations[1])
    assert mine.free_cents == mine.topped_up_cents + 4_500 - mine.granted_cents


async def test_a_fee_that_comes_back_while_settling_changes_nothing_of_the_month(country):
    """Runs and fees that come back at the same moment: the month is settled in full, the fee is for the next."""
    purposes = [
        await country.pays("2027-01-20", family, 1, 4_500) for families in country.families for family in families
    ]
    runs = [settled(MONTH_OVER) for _ in range(5)]
    await asyncio.gather(*runs, *(country.gets_back(MONTH_OVER, purpose) for purpose in purposes))
    assert await transfers() == [("2027-01", 18_000)]
    assert await fetch_value("SELECT sum(amount_cents)::int FROM transfer WHERE kind = 'fee_return'") == 18_000
