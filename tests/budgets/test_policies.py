"""Policies and cohorts: what an organisation gives whom, and what became of it (R02)."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

import world
from budgets.planning import a_cohort, a_policy
from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, a_payee, an_organisation, some_families, top_up
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets.actions import hold, lower, settle
from leerbudget.budgets.approvals import approve, set_limit
from leerbudget.budgets.cohorts import CohortView, cohorts_of, families_to_draw, figures
from leerbudget.budgets.errors import (
    FamilyInCohort,
    HolderUnknown,
    PolicyFollowed,
    PolicyKnown,
    PolicyOver,
    PolicyUnknown,
    PotTooSmall,
)
from leerbudget.budgets.policies import add_policy, grant_by_policy, join_cohort
from leerbudget.budgets.queries import budgets_of, pot
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.foundation.clock import today, travelling
from leerbudget.foundation.database import execute, fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check


@pytest.fixture
async def organisation(world_db):
    """An organisation with € 10,000 on a day in January 2027; afterwards its books balance."""
    made = await an_organisation()
    await top_up(made, 1_000_000)
    with travelling(TODAY):
        yield made
    assert [*await check(), *await check_budgets()] == []


async def test_a_policy_grants_its_cohort_once(organisation):
    """Each family gets the policy's amount, period, earmark and carry-over; a second press grants nobody twice."""
    families = await some_families(organisation, 3)
    rule = {"themes": ("trauma", "endings", "trauma"), "forms": ("webinar",), "carry_percent_max": 50}
    policy = await a_cohort(organisation, families, **rule)
    answers = [await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK) for _ in range(2)]
    assert [len(answer.budgets) for answer in answers] == [3, 0]
    (view,) = await budgets_of(families[0])
    assert (view.granted_cents, view.starts_on, view.expires_on) == (25_000, policy.starts_on, policy.ends_on)
    assert (view.themes, view.forms, view.carry_over) == (("endings", "trauma"), ("webinar",), True)
    late = await some_families(organisation, 1)
    await join_cohort(policy.id, organisation, late, actor=CLERK)
    assert len((await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)).budgets) == 1
    assert (await pot(organisation)).granted_cents == 100_000


async def test_per_adult_counts_the_foster_parents_of_that_moment(organisation):
    """Two parents get twice the amount, one gets it once, a family without a known parent gets nothing."""
    families = [await world.a_family(organisation=organisation, parents=n) for n in (2, 1)]
    families += await some_families(organisation, 1)
    policy = await a_cohort(organisation, families, per="adult")
    await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
    granted = [sum(view.granted_cents for view in await budgets_of(family)) for family in families]
    assert granted == [50_000, 25_000, 0]


async def test_all_of_the_cohort_or_nobody(organisation):
    """When the pot cannot pay for everybody nobody gets anything, and it works once there is money."""
    policy = await a_cohort(organisation, await some_families(organisation, 3), amount_cents=400_000)
    request = new_id()
    with pytest.raises(PotTooSmall) as refused:
        await grant_by_policy(request, policy.id, organisation, actor=CLERK)
    assert refused.value.data["missing_cents"] == 200_000
    assert await fetch_value("SELECT count(*) FROM budget") == 0
    await top_up(organisation, 200_000)
    assert len((await grant_by_policy(request, policy.id, organisation, actor=CLERK)).budgets) == 3


async def test_above_the_limit_a_colleague_decides_on_the_whole_cohort(organisation):
    """Granting by policy asks like any other grant; pressing again is the same request; approving grants it all."""
    await set_limit(organisation, 60_000, actor=None)
    policy = await a_cohort(organisation, await some_families(organisation, 3))
    request = new_id()
    for _ in "ab":
        answer = await grant_by_policy(request, policy.id, organisation, actor=CLERK)
        assert (answer.state, answer.request, answer.budgets) == ("asked", request, ())
    second = await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
    assert second.state == "asked"
    for asked in (request, second.request):
        assert len(await approve(asked, organisation, actor=COLLEAGUE)) == 3
    assert (await pot(organisation)).granted_cents == 75_000


async def test_granting_by_policy_at_once_grants_once(organisation):
    """Ten presses by ten people at the same moment: every family has one budget."""
    families = await some_families(organisation, 5)
    policy = await a_cohort(organisation, families)
    presses = [grant_by_policy(new_id(), policy.id, organisation, actor=new_id()) for _ in range(10)]
    await asyncio.gather(*presses)
    assert [len(await budgets_of(family)) for family in families] == [1] * 5
    assert (await pot(organisation)).granted_cents == 125_000


async def test_nobody_is_in_two_cohorts_at_a_time(organisation):
    """Another policy of the same organisation whose period overlaps refuses the family, and everybody with it."""
    families = await some_families(organisation, 2)
    await a_cohort(organisation, families[:1])
    overlapping = a_policy(organisation, starts_on=date(2027, 12, 31), ends_on=date(2028, 12, 31))
    await add_policy(overlapping, actor=CLERK)
    with pytest.raises(FamilyInCohort):
        await join_cohort(overlapping.id, organisation, families, actor=CLERK)
    assert await fetch_value("SELECT count(*) FROM cohort_family") == 1
    assert await families_to_draw(overlapping.id, None) == families[1:]
    later = a_policy(organisation, starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 31))
    await add_policy(later, actor=CLERK)
    assert [await join_cohort(later.id, organisation, families, actor=CLERK) for _ in "ab"] == [2, 0]
    other = await an_organisation()
    await a_cohort(other, families)  # another organisation has its own experiment
    for sql in ("DELETE FROM cohort_family", "UPDATE cohort_family SET policy = policy", "UPDATE grant_policy SET per = per"):  # fmt: skip
        with pytest.raises(Exception, match="permission denied"):
            await execute(sql)


async def join_at_once(organisation):
    """Twenty families, each put in two overlapping cohorts at the same moment; how many cohorts each is in."""
    families = await some_families(organisation, 20)
    policies = [a_policy(organisation) for _ in "ab"]
    for policy in policies:
        await add_policy(policy, actor=CLERK)
    await asyncio.gather(
        *(join_cohort(policy.id, organisation, [family], actor=CLERK) for family in families for policy in policies),
        return_exceptions=True,
    )
    sql = "SELECT count(*) FROM cohort_family WHERE family = $1"
    return [await fetch_value(sql, family) for family in families]


async def test_two_cohorts_at_the_same_moment_get_a_family_once(organisation):
    """Whoever comes second hears that the family is in a cohort; nobody ends up in two or in none."""
    assert await join_at_once(organisation) == [1] * 20


async def test_without_the_constraint_a_family_is_in_two_cohorts(organisation, admin):
    """Negative control: nothing but the exclusion constraint keeps a family out of a second cohort."""
    await admin.execute("ALTER TABLE cohort_family DROP CONSTRAINT one_cohort_at_a_time")
    assert max(await join_at_once(organisation)) == 2


async def test_a_policy_is_one_thing(organisation):
    """Again has no effect; another content, a used name, a second follower and an impossible one are refused."""
    first = a_policy(organisation, name="A")
    for _ in "ab":
        await add_policy(first, actor=CLERK)
    assert await fetch_value("SELECT count(*) FROM audit_entry WHERE verb = 'policy_added'") == 1
    for wrong in (replace(first, amount_cents=1), replace(first, id=new_id())):
        with pytest.raises(PolicyKnown):
            await add_policy(wrong, actor=CLERK)
    year = {"starts_on": date(2028, 1, 1), "ends_on": date(2028, 12, 31), "follows": first.id}
    await add_policy(a_policy(organisation, **year), actor=CLERK)
    with pytest.raises(PolicyFollowed):
        await add_policy(a_policy(organisation, **year), actor=CLERK)
    with pytest.raises(PolicyUnknown):
        await add_policy(a_policy(await an_organisation(), **year), actor=CLERK)
    with pytest.raises(HolderUnknown):
        await add_policy(a_policy(new_id()), actor=CLERK)
    with pytest.raises(InvalidInput) as refused:
        await add_policy(a_policy(organisation, **{**year, "starts_on": date(2027, 12, 31)}), actor=CLERK)
    assert [error["path"] for error in refused.value.data["errors"]] == ["starts_on"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": " "}, "name"),
        ({"amount_cents": 0}, "amount_cents"),
        ({"per": "child"}, "per"),
        ({"ends_on": date(2026, 12, 31)}, "ends_on"),
        ({"starts_on": date(1999, 1, 1)}, "starts_on"),
        ({"themes": ()}, "themes"),
        ({"forms": ("ballet",)}, "forms"),
        ({"carry_cents_max": 0}, "carry_cents_max"),
        ({"carry_percent_max": 101}, "carry_percent_max"),
        ({"carry_percent_max": True}, "carry_percent_max"),
    ],
)
async def test_what_is_no_policy(change, place):
    """What has no meaning is refused with its place before the database is asked: this test opens none."""
    with pytest.raises(InvalidInput) as refused:
        await add_policy(a_policy(new_id(), **change), actor=None)
    assert [error["path"] for error in refused.value.data["errors"]] == [place]


async def test_when_it_is_over_nobody_joins_and_nothing_is_granted(organisation):
    """The day after the last day both are refused; the last day itself still counts."""
    families = await some_families(organisation, 2)
    policy = await a_cohort(organisation, families[:1])
    with travelling(datetime(2027, 12, 31, 22, tzinfo=UTC)):
        await join_cohort(policy.id, organisation, families, actor=CLERK)
    with travelling(datetime(2027, 12, 31, 23, tzinfo=UTC)):
        with pytest.raises(PolicyOver):
            await join_cohort(policy.id, organisation, families, actor=CLERK)
        with pytest.raises(PolicyOver):
            await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
    other = await an_organisation()
    for work in (join_cohort(policy.id, other, families, actor=CLERK), grant_by_policy(new_id(), new_id(), organisation, actor=CLERK)):  # fmt: skip
        with pytest.raises(PolicyUnknown):
            await work
    with pytest.raises(HolderUnknown):
        await join_cohort(policy.id, organisation, [new_id()], actor=CLERK)


async def test_the_lot_is_fair_and_the_same_again(organisation):
    """Drawing gives the same families again, another policy other ones, and never more than there are."""
    await some_families(organisation, 40)
    policies = [a_policy(organisation) for _ in "ab"]
    for policy in policies:
        await add_policy(policy, actor=CLERK)
    first, again, other = [await families_to_draw(policies[n].id, 20) for n in (0, 0, 1)]
    assert first == again
    assert 0 < len(set(first) & set(other)) < 20
    await join_cohort(policies[0].id, organisation, first, actor=CLERK)
    assert set(await families_to_draw(policies[1].id, 99)).isdisjoint(first)


# --- the comparison ----------------------------------------------------------------------------------------


async def test_two_cohorts_show_the_difference_that_was_made(organisation):
    """R02: of ten families with € 250 all spend € 100, of ten with € 500 five do; the report says exactly that."""
    payee = await a_payee()
    made = {}
    for cents, spenders in ((25_000, 10), (50_000, 5)):
        families = await some_families(organisation, 10)
        policy = await a_cohort(organisation, families, amount_cents=cents)
        await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
        for place, family in enumerate(families[:spenders]):
            purpose = new_id()
            await hold(purpose, family, 10_000, theme="trauma", form="webinar", on=date(2027, 3, 1),
                       payee_account=payee, actor=None)  # fmt: skip
            if place:
                await settle(purpose, 10_000, actor=None, reason="Geweest")
        made[cents] = policy.id
    (lowered,) = await budgets_of(families[9])
    await lower(lowered.id, 7_000, lowering=new_id(), actor=CLERK, reason="Afspraak")
    cohorts = await cohorts_of(organisation)
    found = figures(cohorts, {made[25_000]: (20, 5), made[50_000]: (4, 0)})
    small, large = found[made[25_000]], found[made[50_000]]
    assert (small.families, small.granted_cents, small.held_cents, small.spent_cents) == (10, 250_000, 10_000, 90_000)
    assert (small.using_percent, small.own_choice_percent) == (100, 75)
    assert (large.families, large.granted_cents, large.held_cents, large.spent_cents) == (10, 500_000, 10_000, 40_000)
    assert (large.using_percent, large.own_choice_percent) == (50, None)
    whole = {each.policy: each for each in cohorts}[made[50_000]]
    assert whole.granted_cents == whole.free_cents + whole.held_cents + whole.spent_cents + 7_000


def cohort(families, using=0, granted=None):
    """A cohort of which only the numbers matter."""
    whole = families if granted is None else granted
    period = (date(2027, 1, 1), date(2027, 12, 31))
    return CohortView(
        *(new_id(), "", 1, "family", *period, None, None, None, None, (), None, None, None),
        *(families, whole, using, 100, 50, 20, 30),
    )


def test_small_cells_are_not_shown():
    """Under five families nothing is told, nor of the next one when that follows; nor how few used anything, or did not."""

    def told(*cohorts, bookings=(0, 0)):
        return list(figures(cohorts, {each.policy: bookings for each in cohorts}).values())

    assert [each.families for each in told(cohort(4), cohort(9), cohort(20))] == [None, None, 20]
    assert [each.families for each in told(cohort(3), cohort(4), cohort(9))] == [None, None, 9]
    assert [each.families for each in told(cohort(5))] == [5]
    assert [each.granted_cents for each in told(cohort(4))] == [None]
    uses = {using: told(cohort(10, using))[0] for using in (0, 1, 4, 5, 6, 9, 10)}
    assert {using: each.using_percent for using, each in uses.items()} == {
        0: 0, 1: None, 4: None, 5: 50, 6: None, 9: None, 10: 100
    }  # fmt: skip
    assert {using: each.spent_cents for using, each in uses.items()} == {
        0: 30, 1: None, 4: None, 5: 30, 6: 30, 9: 30, 10: 30
    }  # fmt: skip
    shares = {made: told(cohort(9), bookings=made)[0].own_choice_percent for made in ((4, 0), (9, 0), (9, 1), (20, 10))}
    assert shares == {(4, 0): None, (9, 0): 100, (9, 1): None, (20, 10): 50}


async def test_bookings_are_counted_by_who_chose(world_db):
    """A booking of the family's own counts as own choice, one by the coordinator does not, a cancelled one not at all."""
    organisation = await world.an_organisation()
    await world.fill_pot(organisation, 1_000)
    family = await world.a_family(organisation=organisation)
    year = {"starts_on": today(), "ends_on": today().replace(year=today().year + 1)}
    policy = await a_cohort(organisation, [family], **year)
    await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
    persons = tuple(await world.parents_of(family))
    for day, origin in ((30, "direct"), (33, "coordinator"), (36, "direct")):
        session = await world.a_session(meetings=[world.in_days(day)])
        request = BookingRequest(new_id(), family, session, persons, origin=origin)
        await bookings.book(request, actor=None)
    await bookings.cancel(request.id, actor=None)
    assert await booking_queries.made_by_policy([policy.id, new_id()]) == {policy.id: (2, 1)}
