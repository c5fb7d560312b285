"""A round is everybody's: no single person's data holds it up, and an answer is final whoever is still at work."""

import gzip
from datetime import date, timedelta

import msgspec
import pytest

import world
from leerbudget.bookings import queries as bookings
from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import GrantOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_one, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.matcher.audit import audit
from leerbudget.matcher.instance import read_instance
from leerbudget.matcher.outcome import read_outcome
from leerbudget.people import actions as people
from leerbudget.rounds import actions, queries, snapshot
from leerbudget.rounds.errors import SolverFailed
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import PreferenceOrder, WeekOrder, WishOrder


async def a_seeker(**more):
    family = await world.a_family(**more)
    (parent, *_) = await world.parents_of(family)
    await wishes.set_weeks([WeekOrder(parent, "1" * 21)])
    await wishes.set_preference(PreferenceOrder(family, None, "3511", {"car": 45}, online_ok=False))
    await wishes.state_wish(
        WishOrder(id=new_id(), family=family, stated_by=parent, persons=(parent,), theme="trauma"), actor=None
    )
    return family, parent


async def frozen():
    today = clock.today()
    plain = await snapshot.take(today, today + timedelta(days=120), {})
    read_instance(msgspec.json.encode(plain))
    return plain


async def test_a_time_with_parts_of_a_second_does_not_hold_up_a_round(world_db):
    """A parent's program may write parts of seconds; the round counts in whole seconds, never fewer."""
    _, parent = await a_seeker()
    start, end = world.in_days(10)
    odd = timedelta(microseconds=250_000)
    await wishes.add_exception(new_id(), parent, start + odd, end + odd)
    plain = await frozen()
    assert plain["seekers"][0]["persons"][0]["blocked"] == [
        [t.astimezone(clock.AMSTERDAM).isoformat() for t in (start, end + timedelta(seconds=1))]
    ]


async def test_what_is_over_is_not_in_a_round(world_db):
    """A time on which somebody could not come, years ago, says nothing about this round."""
    _, parent = await a_seeker()
    await wishes.add_exception(new_id(), parent, *world.in_days(-400))
    assert (await frozen())["seekers"][0]["persons"][0]["blocked"] == []


async def test_a_family_with_many_small_budgets_does_not_hold_up_a_round(world_db):
    """The twelve budgets that would pay first take part; the formats hold no more."""
    family, _ = await a_seeker()
    organisation, today = await world.an_organisation(), clock.today()
    await world.fill_pot(organisation, 1000)
    orders = [
        GrantOrder(new_id(), f"klein-{n}", family, organisation, 100, today, today + timedelta(days=100 + n))
        for n in range(14)
    ]
    await budgets.grant_many(orders, actor=None)
    found = (await frozen())["seekers"][0]["budgets"]
    assert [budget["id"] for budget in found] == [str(order.id) for order in orders[:12]]


async def test_odd_facts_about_one_family_do_not_hold_up_a_round(world_db):
    """A mistyped year, or an avoided person who is the family's own parent, does not stop everybody else."""
    family, parent = await a_seeker(since=date(1820, 1, 1))
    await people.avoid(family, parent)
    (seeker,) = (await frozen())["seekers"]
    assert (seeker["avoid"], seeker["experience_years"]) == ([], 120)


async def an_audited_round(**session):
    family, _ = await a_seeker()
    await world.a_budget(family)
    await world.a_session(**session)
    round_id, today = new_id(), clock.today()
    await actions.open_round(
        round_id, name="Proefronde", starts_on=today, ends_on=today + timedelta(days=120), seed=1, actor=None
    )
    await actions.freeze(round_id, actor=None)
    await actions.solve(round_id, actions.SolveLimits(seconds=10, gap=0.0), actor=None)
    assert await actions.check(round_id, actor=None) == []
    return round_id, family


@pytest.mark.parametrize("answer", ["accepted", "declined"])
async def test_a_second_worker_never_undoes_an_answer(world_db, answer):
    """Page and worker make offers at the same time; whoever comes late leaves the family's answer alone."""
    round_id, family = await an_audited_round()
    until = clock.now() + timedelta(days=7)
    await actions.announce(round_id, answer_until=until, actor=None)
    (late,) = await fetch_all(actions._TO_OFFER, round_id)  # what a second worker read before the first was done
    assert await actions.offer_announced() == 1
    (proposal,) = await queries.proposals_of(family)
    verb = actions.accept if answer == "accepted" else actions.decline
    await verb(proposal.proposal, seeker=family, actor=None)
    await actions._offer(late, {}, until, actor=None)
    assert (await queries.totals(round_id)).by_state == {answer: 1}
    assert len(await actions.close()) == 1
    assert await bookings.inconsistencies() == []


async def test_nobody_is_offered_what_can_no_longer_be_answered(world_db):
    """A round that is published late offers nothing with less than half a day to answer; the wish stays open."""
    round_id, family = await an_audited_round(meetings=[world.in_days(12)])  # decided on in five days
    with clock.travelling(clock.now() + timedelta(days=5)):
        until = clock.now() + timedelta(days=7)
        assert await actions.publish(round_id, answer_until=until, actor=None) == (0, 1)
        assert (await queries.totals(round_id)).refusals == {"offer_lapsed": 1}
    assert await fetch_value("SELECT state FROM wish WHERE family = $1", family) == "open"
    assert (
        await fetch_value("SELECT count(*) FROM booking") + await fetch_value("SELECT count(*) FROM outbox_message")
        == 0
    )


async def test_publishing_leaves_a_trace_of_who_decided(world_db):
    """Who published a round stands in the audit trail, written with the decision itself."""
    round_id, _ = await an_audited_round()
    coordinator = new_id()
    await actions.announce(round_id, answer_until=clock.now() + timedelta(days=7), actor=coordinator)
    row = await fetch_one("SELECT login, verb, subject FROM audit_entry WHERE subject_kind = 'matching_round'")
    assert tuple(row) == (coordinator, "round_published", round_id)


async def test_who_is_avoided_is_in_no_file_that_somebody_can_take(world_db):
    """Own professionals and avoid lists are for solver and audit only; what a coordinator takes is still sound (R66)."""
    worker, (_, trainer) = await world.a_professional(), await world.a_trainer()
    family, _ = await a_seeker()
    await people.relate(family, worker, date(2024, 1, 1))
    await people.avoid(family, trainer)
    round_id, _ = await an_audited_round()
    whole, outcome = await queries.files(round_id)
    shown = gzip.decompress(await queries.instance_for_coordinator(round_id))
    assert all(str(somebody) in gzip.decompress(whole).decode() for somebody in (worker, trainer))
    assert not any(str(somebody) in shown.decode() for somebody in (worker, trainer))
    stripped = read_outcome(gzip.decompress(outcome))
    assert {v.code for v in audit(read_instance(shown), stripped)} <= {"other_instance"}
    assert audit(read_instance(shown), msgspec.structs.replace(stripped, instance=None)) == []


async def test_small_groups_do_not_follow_from_the_total(world_db):
    """One family of another kind: showing the six others and the total would show that one (R35)."""
    for number in range(7):
        await a_seeker(family_type="kinship" if number else "recruited")
    round_id, _ = await an_audited_round()
    assert "family_type" not in await queries.fairness(round_id)


async def test_a_familys_proposals_are_found_by_index(world_db, admin):
    """The overview of one family never reads everybody's wishes."""
    await admin.execute("SET enable_seqscan = off")
    plan = [line[0] for line in await admin.fetch("EXPLAIN " + queries._PROPOSAL, new_id())]
    assert any("wish_family" in line for line in plan), plan
    worse = queries._PROPOSAL.replace("w.family = $1 OR", "coalesce(w.family, w.stated_by) = $1 OR")
    assert not any("wish_family" in line[0] for line in await admin.fetch("EXPLAIN " + worse, new_id()))


async def test_a_round_that_fails_does_not_lose_the_others_their_turn(world_db):
    """The first request breaks down; the second is still there and is done at the next call."""
    today, rounds = clock.today(), [new_id(), new_id()]
    for round_id, policy in zip(rounds, ({"weights": {"nonsense": 1}}, {}), strict=True):
        await actions.open_round(
            round_id, name="R", starts_on=today, ends_on=today + timedelta(days=9), seed=1, policy=policy, actor=None
        )
        await actions.request_solve(round_id, actor=None)
    with pytest.raises(SolverFailed):
        await actions.solve_requested()
    assert [(await queries.round_view(round_id)).solving for round_id in rounds] == [False, True]
    assert await actions.solve_requested() == 1
