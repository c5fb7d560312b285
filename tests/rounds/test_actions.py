"""One matching round, step by step, on a small world with the real solver in its own process."""

import asyncio
import gzip
from datetime import timedelta

import msgspec
import pytest

import world
from leerbudget.bookings import queries as bookings
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.matcher.instance import read_instance
from leerbudget.people import actions as people
from leerbudget.rounds import actions, queries
from leerbudget.rounds.errors import (
    DeadlineInvalid,
    OutcomeRejected,
    PeriodInvalid,
    ProposalUnknown,
    RoundUnknown,
    SolverFailed,
    WrongRoundState,
)
from leerbudget.rounds.solving import SolveLimits
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import PreferenceOrder, WeekOrder, WishOrder

QUICK = SolveLimits(seconds=20, workers=1, gap=0.0)
ALWAYS = "1" * 21


async def a_wish(family, *, theme="trauma", persons=None, week=ALWAYS, **preference):
    going = tuple(persons or await world.parents_of(family))
    await wishes.set_weeks([WeekOrder(person, week) for person in going])
    await wishes.set_preference(
        PreferenceOrder(
            family=family,
            professional=None,
            postcode4="3511",
            travel_minutes_max={"car": 45},
            online_ok=False,
            **preference,
        )
    )
    wish = new_id()
    await wishes.state_wish(
        WishOrder(id=wish, family=family, stated_by=going[0], persons=going, theme=theme, situation="Geheim."),
        actor=None,
    )
    return wish


async def a_round(*, seed=1):
    round_id, today = new_id(), clock.today()
    await actions.open_round(
        round_id, name="Proefronde", starts_on=today, ends_on=today + timedelta(days=120), seed=seed, actor=None
    )
    return round_id


async def decided(round_id):
    await actions.freeze(round_id, actor=None)
    await actions.solve(round_id, QUICK, actor=None)
    assert await actions.check(round_id, actor=None) == []


def next_week():
    return clock.now() + timedelta(days=7)


async def test_a_round_runs_from_wish_to_paid_seat(world_db):
    """Open, freeze, solve, audit, publish, accept: the seat is taken, the money held, the wish booked."""
    family = await world.a_family(parents=2)
    await world.a_budget(family, euros=250)
    wish = await a_wish(family)
    session = await world.a_session(price_cents=4500)
    round_id = await a_round()
    await decided(round_id)
    assert await actions.publish(round_id, answer_until=next_week(), actor=None) == (1, 0)
    (proposal,) = await queries.proposals_of(family)
    assert (proposal.session, proposal.state, proposal.price_cents) == (session, "offered", 9000)
    assert proposal.reasons
    assert all(reason.sentence for reason in proposal.reasons)
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", wish) == "proposed"
    await actions.accept(proposal.proposal, seeker=family, actor=None)
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", wish) == "booked"
    assert len(await actions.close()) == 1
    view = await queries.round_view(round_id)
    assert (view.state, view.score, view.bound) == ("answered", view.bound, view.score)
    assert await ledger.check() == []
    assert await bookings.inconsistencies() == []


async def test_the_frozen_instance_holds_no_names_addresses_or_private_words(world_db):
    """What the solver sees are ids, minutes, cents and bands (reliability section 4)."""
    family = await world.a_family()
    await world.a_budget(family)
    await a_wish(family)
    await world.a_session()
    round_id = await a_round()
    assert await actions.freeze(round_id, actor=None) == 1
    instance, outcome = await queries.files(round_id)
    text = gzip.decompress(instance).decode()
    assert outcome is None
    assert not any(word in text for word in ("fictief", "Ouder", "@", "Geheim"))
    assert len(read_instance(text.encode()).seekers) == 1


async def test_money_for_a_place_or_a_course_takes_no_part_but_pays_first(world_db):
    """A round counts on none of it (record 21), so what it proposes can be paid; the booking then uses it first (R04)."""
    family, course = await world.a_family(), await world.a_course()
    free = await world.a_budget(family, euros=60)
    local = await world.a_budget(family, euros=10, municipalities=("Utrecht",))
    await world.a_budget(family, euros=300, courses=(await world.a_course(theme="endings"),))
    await a_wish(family)
    await world.a_session(course=course, price_cents=4500)
    await world.a_session(course=course, price_cents=6500, meetings=[world.in_days(20)])
    round_id = await a_round()
    await decided(round_id)
    (seeker,) = read_instance(gzip.decompress((await queries.files(round_id))[0])).seekers
    assert [(budget.id, budget.available_cents) for budget in seeker.budgets] == [(str(free), 6000)]
    assert await actions.publish(round_id, answer_until=next_week(), actor=None) == (1, 0)
    (proposal,) = await queries.proposals_of(family)
    assert proposal.price_cents == 4500
    held = await fetch_all("SELECT budget, amount_cents FROM budget_hold ORDER BY amount_cents")
    assert [tuple(row) for row in held] == [(local, 1000), (free, 3500)]


async def test_what_is_booked_already_blocks_the_time_and_the_course(world_db):
    """A family in a session of the course is not offered the course again, nor another session at that time."""
    from leerbudget.bookings import actions as booking_actions

    family = await world.a_family()
    await world.a_budget(family)
    course = await world.a_course()
    booked = await world.a_session(course=course)
    (parent,) = await world.parents_of(family)
    await booking_actions.book(
        booking_actions.BookingRequest(id=new_id(), family=family, session=booked, persons=(parent,)), actor=None
    )
    await a_wish(family)
    again = await world.a_session(course=course, meetings=[world.in_days(40)])
    same_time = await world.a_session()
    round_id = await a_round()
    await actions.freeze(round_id, actor=None)
    plain = msgspec.json.decode(gzip.decompress((await queries.files(round_id))[0]))
    assert [str(family), str(again)] in plain["forbidden"]
    assert len(plain["seekers"][0]["persons"][0]["blocked"]) == 1
    await actions.solve(round_id, QUICK, actor=None)
    assert await actions.check(round_id, actor=None) == []
    assert (await queries.totals(round_id)).placed == 0, same_time


async def test_a_non_placement_says_why_and_gains_priority(world_db):
    """Without money the reason names the money; after publication the wish has waited one round (R75, idea 17)."""
    family = await world.a_family()
    await world.a_budget(family, euros=10)
    wish = await a_wish(family)
    await world.a_session(price_cents=4500)
    round_id = await a_round()
    await decided(round_id)
    assert await queries.non_placements_of(family) == []
    await actions.publish(round_id, answer_until=next_week(), actor=None)
    (reason,) = await queries.unplaced_reasons(round_id)
    assert "money" in reason.code
    (view,) = await queries.non_placements_of(family)
    assert (view.wish, bool(view.reasons[0].sentence)) == (wish, True)
    assert await fetch_value("SELECT waiting_rounds FROM wish WHERE id = $1", wish) == 1


async def test_own_professional_and_avoided_people_stay_apart(world_db):
    """The only session is led by somebody the family must not or would rather not meet: no proposal (R65, R66)."""
    _, person = trainer = await world.a_trainer()
    await world.a_session(trainer=trainer[0])
    family = await world.a_family()
    await world.a_budget(family)
    await people.avoid(family, person)
    await a_wish(family)
    round_id = await a_round()
    await decided(round_id)
    assert (await queries.totals(round_id)).placed == 0


async def test_publishing_again_after_an_interruption_offers_the_rest_once(world_db):
    """Every proposal has a booking id of its own that never changes, so nobody gets two offers."""
    for _ in range(3):
        family = await world.a_family()
        await world.a_budget(family)
        await a_wish(family)
    await world.a_session()
    round_id, until = await a_round(), next_week()
    await decided(round_id)
    assert await actions.publish(round_id, answer_until=until, actor=None) == (3, 0)
    await execute(
        "UPDATE proposal SET state = 'proposed', booking = NULL WHERE ctid = (SELECT min(ctid) FROM proposal)"
    )
    assert await actions.publish(round_id, answer_until=until, actor=None) == (3, 0)
    assert await fetch_value("SELECT count(*) FROM booking") == 3
    assert await bookings.inconsistencies() == []


async def test_what_changed_since_the_freeze_is_checked_again_at_publication(world_db):
    """A seat that was sold meanwhile makes a refused proposal with its code, not an overbooked session."""
    family = await world.a_family()
    await world.a_budget(family)
    await a_wish(family)
    session = await world.a_session(seats=1)
    round_id = await a_round()
    await decided(round_id)
    await execute("UPDATE course_session SET seats_taken = 1 WHERE id = $1", session)
    assert await actions.publish(round_id, answer_until=next_week(), actor=None) == (0, 1)
    assert (await queries.totals(round_id)).refusals == {"session_full": 1}


async def test_declining_and_expiring_put_the_wish_back(world_db):
    """After a no or silence the wish is open again and the seat is free; the reason is kept with the proposal."""
    families = [await world.a_family() for _ in range(2)]
    for family in families:
        await world.a_budget(family)
        await a_wish(family)
    session = await world.a_session()
    round_id = await a_round()
    await decided(round_id)
    await actions.publish(round_id, answer_until=next_week(), actor=None)
    (first,), (second,) = [await queries.proposals_of(family) for family in families]
    with pytest.raises(ProposalUnknown):
        await actions.decline(first.proposal, seeker=families[1], actor=None)
    await actions.decline(first.proposal, seeker=families[0], reason="too_far", actor=None)
    with clock.travelling(next_week() + timedelta(seconds=1)):
        assert await actions.expire_answers() == 1
    states = await fetch_all("SELECT state, decline_reason FROM proposal ORDER BY state")
    assert [tuple(row) for row in states] == [("declined", "too_far"), ("expired", None)]
    assert {row["state"] for row in await fetch_all("SELECT state FROM wish")} == {"open"}
    assert await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session) == 0
    assert second.proposal != first.proposal


async def test_an_outcome_that_breaks_a_rule_is_never_published(world_db):
    """A tampered outcome is rejected by the audit, and publishing then refuses."""
    family = await world.a_family()
    await world.a_budget(family)
    await a_wish(family)
    await world.a_session()
    round_id = await a_round()
    await actions.freeze(round_id, actor=None)
    await actions.solve(round_id, QUICK, actor=None)
    _, outcome = await queries.files(round_id)
    plain = msgspec.json.decode(gzip.decompress(outcome))
    plain["score"] += 1
    await execute(
        "UPDATE matching_round SET outcome = $2 WHERE id = $1", round_id, gzip.compress(msgspec.json.encode(plain))
    )
    assert await actions.check(round_id, actor=None)
    with pytest.raises(OutcomeRejected):
        await actions.publish(round_id, answer_until=next_week(), actor=None)
    assert await fetch_value("SELECT count(*) FROM booking") == 0


async def test_steps_out_of_order_are_refused(world_db):
    """Each step follows from the state before it; unknown rounds and silly periods are refused too."""
    round_id = await a_round()
    for step in (actions.solve(round_id, actor=None), actions.check(round_id, actor=None)):
        with pytest.raises(WrongRoundState):
            await step
    with pytest.raises(WrongRoundState):
        await actions.publish(round_id, answer_until=next_week(), actor=None)
    with pytest.raises(DeadlineInvalid):
        await actions.publish(round_id, answer_until=clock.now() + timedelta(hours=1), actor=None)
    with pytest.raises(RoundUnknown):
        await actions.freeze(new_id(), actor=None)
    today = clock.today()
    for starts_on, ends_on in [(today, today - timedelta(days=1)), (today, today + timedelta(days=400))]:
        with pytest.raises(PeriodInvalid):
            await actions.open_round(new_id(), name="x", starts_on=starts_on, ends_on=ends_on, seed=1, actor=None)


async def test_a_broken_solving_process_leaves_the_round_frozen(world_db):
    """The solver's last words come back as one error, and the step can be repeated."""
    round_id = await a_round()
    await actions.freeze(round_id, actor=None)
    await execute("UPDATE matching_round SET instance = 'nonsense'::bytea WHERE id = $1", round_id)
    with pytest.raises(SolverFailed):
        await actions.solve(round_id, QUICK, actor=None)
    assert (await queries.round_view(round_id)).state == "frozen"
    await actions.freeze(round_id, actor=None)
    await actions.solve(round_id, QUICK, actor=None)
    assert (await queries.round_view(round_id)).state == "solved"


async def test_the_worker_solves_what_the_coordinator_asks_for(world_db):
    """A request from the page is done once by the worker: frozen, solved and audited."""
    round_id = await a_round()
    await actions.request_solve(round_id, actor=None)
    assert (await queries.round_view(round_id)).solving
    assert await actions.solve_requested(QUICK) == 1
    assert await actions.solve_requested(QUICK) == 0
    assert (await queries.round_view(round_id)).state == "audited"


@pytest.mark.parametrize("step", ["freeze", "solve", "check"])
async def test_a_worker_that_dies_while_solving_leaves_the_request_to_the_next(world_db, monkeypatch, step):
    """Wherever it is cut off, the round is still asked for; the next worker freezes, solves and audits it."""
    round_id = await a_round()
    await actions.request_solve(round_id, actor=None)
    whole = getattr(actions, step)

    async def dies(*given, **words):
        await whole(*given, **words)
        raise asyncio.CancelledError

    monkeypatch.setattr(actions, step, dies)
    with pytest.raises(asyncio.CancelledError):
        await actions.solve_requested(QUICK)
    monkeypatch.setattr(actions, step, whole)
    assert (await queries.round_view(round_id)).solving is (step != "check")
    assert await actions.solve_requested(QUICK) == (1 if step != "check" else 0)
    assert (await queries.round_view(round_id)).state == "audited"


async def test_one_worker_at_a_time_solves(world_db, monkeypatch):
    """While one is at it the round shows that it is being solved, and a second worker leaves it alone."""
    round_id = await a_round()
    await actions.request_solve(round_id, actor=None)
    whole, seen = actions.solve, []

    async def watched(*given, **words):
        seen.append((await asyncio.create_task(actions.solve_requested(QUICK)), await queries.round_view(round_id)))
        await whole(*given, **words)

    monkeypatch.setattr(actions, "solve", watched)
    assert await actions.solve_requested(QUICK) == 1
    ((by_second, view),) = seen
    assert by_second == 0
    assert view.solving


async def test_small_groups_are_not_shown_in_the_fairness_tables(world_db):
    """Groups under five families are left out (R35)."""
    for kind in ["kinship"] * 5 + ["recruited"] * 3 + ["kinship_grandparent"] * 2:
        family = await world.a_family(family_type=kind)
        await world.a_budget(family)
        await a_wish(family)
    await world.a_session()
    round_id = await a_round()
    await decided(round_id)
    tables = await queries.fairness(round_id)
    assert [(row.group, row.families, row.placed) for row in tables["family_type"]] == [("kinship", 5, 5)]


async def test_an_announced_round_is_offered_by_the_worker_once(world_db):
    """The coordinator only announces; the worker makes every offer, and a second worker changes nothing."""
    for _ in range(3):
        family = await world.a_family()
        await world.a_budget(family)
        await a_wish(family)
    await world.a_session()
    round_id, until = await a_round(), next_week()
    await decided(round_id)
    await actions.announce(round_id, answer_until=until, actor=None)
    await actions.announce(round_id, answer_until=until, actor=None)
    assert await fetch_value("SELECT count(*) FROM booking") == 0
    assert await actions.close() == []
    assert [await actions.offer_announced(), await actions.offer_announced()] == [1, 0]
    assert (await queries.totals(round_id)).by_state == {"offered": 3}
    with pytest.raises(WrongRoundState):
        await actions.announce(round_id, answer_until=until + timedelta(days=1), actor=None)


@pytest.mark.parametrize(("how", "state"), [("family", "declined"), ("session", "expired")])
async def test_an_offer_that_was_cancelled_does_not_keep_its_round_open(world_db, how, state):
    """Cancelled by the family or with its session: the proposal ends too, and the round can be closed."""
    from leerbudget.bookings import actions as booking_actions

    family = await world.a_family()
    await world.a_budget(family)
    await a_wish(family)
    session = await world.a_session()
    round_id = await a_round()
    await decided(round_id)
    await actions.publish(round_id, answer_until=next_week(), actor=None)
    (proposal,) = await queries.proposals_of(family)
    if how == "family":
        await booking_actions.cancel(proposal.booking, actor=None)
    else:
        await booking_actions.cancel_session(session, reason="trainer_ill", actor=None)
    await actions.expire_answers()
    assert (await queries.totals(round_id)).by_state == {state: 1}
    assert await actions.close() == [round_id]


async def test_a_postcode_that_does_not_exist_never_stops_a_round(world_db, admin):
    """Its seeker is left with online sessions, its venue with nobody; all others get their round."""
    for postcode in ("3511", "1000"):
        family = await world.a_family()
        await world.a_budget(family)
        await a_wish(family)
        await admin.execute("UPDATE learning_preference SET postcode4 = $2 WHERE family = $1", family, postcode)
    await world.a_session()
    await world.a_session(meetings=[world.in_days(33)])
    await admin.execute("UPDATE venue SET postcode4 = '1000' WHERE id = (SELECT max(id::text)::uuid FROM venue)")
    round_id = await a_round()
    await decided(round_id)
    totals = await queries.totals(round_id)
    assert (totals.placed, totals.unplaced) == (1, 1)
