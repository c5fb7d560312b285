"""The trainer pool: steps, certificates, and every named constraint."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import world
from firing import constraints_of, fires, goes_in
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.people import actions as people
from leerbudget.people.rules import PersonOrder, Registered
from leerbudget.trainers import actions, queries, rules
from leerbudget.trainers.employers import work_for
from leerbudget.trainers.errors import (
    AlreadyInPool,
    CertificateMissing,
    EmployerUnknown,
    TrainerRefTwice,
    TrainerStepNotAllowed,
    TrainerUnknown,
    UnknownTheme,
    UnknownTrainerState,
)
from leerbudget.trainers.rules import STEPS, TRAINER_STATES, TrainerOrder

db = pytest.mark.usefixtures("world_db")
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))


def test_the_pipeline_is_whole():
    """Requirements 4.7: every state has its steps; who left does not return; only the assessed and suspended come in."""
    assert set(STEPS) == set(TRAINER_STATES)
    assert STEPS["left"] == frozenset()
    assert rules.sources_of("admitted") == ("assessed", "suspended")
    for state in TRAINER_STATES:
        assert rules.sources_of(state) == tuple(s for s in TRAINER_STATES if rules.may_step(s, state))


@given(valid_until=st.none() | days, wanted=st.lists(days, max_size=8))
def test_a_certificate_holds_until_and_including_its_last_day(valid_until, wanted):
    """R56: exactly the later days lack a certificate, in order and once; without one every day does."""
    late = rules.days_without_certificate(valid_until, wanted)
    assert late == sorted({day for day in wanted if valid_until is None or day > valid_until})


def test_sixty_days_before_the_end_there_is_a_warning():
    """R56: the owner hears of it sixty days before the certificate ends, and keeps hearing it afterwards."""
    end = date(2027, 6, 30)
    assert not rules.ends_soon(end, end - timedelta(days=61))
    assert rules.ends_soon(end, end - timedelta(days=60))
    assert rules.ends_soon(end, end + timedelta(days=5))
    assert not rules.ends_soon(None, end)


async def an_order(**changes):
    person = new_id()
    await people.register_persons([PersonOrder(person, f"P-{person}", "Trainer (fictief)", None, "trainers")])
    values = {"id": new_id(), "external_ref": f"T-{person}", "person": person, "themes": ("trauma",), "region": "Regio"}
    return TrainerOrder(**(values | changes))


@db
async def test_a_pool_member_goes_through_the_pipeline():
    """Nominated to admitted, each step once, none skipped, a certificate before the last; the trail says who did it."""
    order, login = await an_order(), new_id()
    assert await actions.register_trainers([order]) == Registered(1, 0, 0)
    with pytest.raises(TrainerStepNotAllowed):
        await actions.step(order.id, "admitted")
    for state in ("applied", "assessed"):
        await actions.step(order.id, state, actor=login)
    with pytest.raises(CertificateMissing):
        await actions.step(order.id, "admitted")
    await actions.step(order.id, "admitted", certificate_valid_until=date(2029, 1, 1))
    member = await queries.trainer(order.id)
    assert (member.state, member.certificate_valid_until, member.name) == (
        "admitted",
        date(2029, 1, 1),
        "Trainer (fictief)",
    )
    assert await queries.trainer_of(order.person) == member
    trail = await fetch_all("SELECT login, detail->>'to' AS state FROM audit_entry ORDER BY at, id")
    assert [tuple(row) for row in trail] == [(login, "applied"), (login, "assessed"), (None, "admitted")]


@db
async def test_registering_again_takes_steps_only():
    """The same content changes nothing, a legal step does, an impossible one refuses the whole set with its reference."""
    order, other = await an_order(state="assessed"), await an_order()
    assert await actions.register_trainers([order]) == Registered(1, 0, 0)
    assert await actions.register_trainers([order]) == Registered(0, 0, 1)
    admitted = TrainerOrder(
        new_id(), order.external_ref, order.person, ("self_care",), "Elders", "admitted", date(2029, 1, 1)
    )
    assert await actions.register_trainers([admitted, other]) == Registered(1, 1, 0)
    with pytest.raises(TrainerStepNotAllowed) as refusal:
        await actions.register_trainers([order, await an_order()])
    assert refusal.value.data["trainers"] == [order.external_ref]
    assert len(await queries.trainers()) == 2
    assert [t.themes for t in await queries.trainers(state="admitted")] == [("self_care",)]
    assert await queries.trainer_ids([order.external_ref, "?"]) == {order.external_ref: order.id}
    assert await queries.trainer_persons([order.external_ref]) == {order.external_ref: order.person}


@db
async def test_impossible_pool_members_are_refused():
    """Unknown words, twice the same reference, twice the same person, nobody at all: each has its own error."""
    order = await an_order()
    await actions.register_trainers([order])
    for refused, error in (
        ([await an_order(themes=("magic",))], UnknownTheme),
        ([await an_order(state="famous")], UnknownTrainerState),
        ([await an_order(external_ref="X"), await an_order(external_ref="X")], TrainerRefTwice),
        ([await an_order(person=order.person)], AlreadyInPool),
        ([await an_order(person=new_id())], TrainerUnknown),
        ([await an_order(state="admitted")], CertificateMissing),
    ):
        with pytest.raises(error):
            await actions.register_trainers(refused)
    assert len(await queries.trainers()) == 1
    with pytest.raises(UnknownTrainerState):
        await actions.step(order.id, "famous")
    for verb in (
        actions.step(new_id(), "left"),
        actions.renew_certificate(new_id(), date(2030, 1, 1)),
        queries.trainer(new_id()),
    ):
        with pytest.raises(TrainerUnknown):
            await verb


@db
async def test_certificates_that_end_are_listed():
    """Admitted members whose certificate ends within sixty days, the first to end first."""
    today = clock.today()
    late, soon, fine = [(await world.a_trainer(certificate_until=today + timedelta(days=n)))[0] for n in (50, -3, 90)]
    assert [t.id for t in await queries.certificates_ending()] == [soon, late]
    await actions.renew_certificate(soon, today + timedelta(days=800))
    assert [t.id for t in await queries.certificates_ending()] == [late]
    assert fine in [t.id for t in await queries.certificates_ending(100)]


@db
async def test_every_constraint_of_the_pool_fires():
    """Each CHECK, UNIQUE and foreign key of the table answers with the error that claims it; none is left out."""
    _, taken = await world.a_trainer()
    order = await an_order()
    good = {"external_ref": order.external_ref, "person": order.person, "themes": ["trauma"], "region": "X"}
    good |= {"state": "nominated", "created_at": "2026-11-21T12:00:00Z"}
    someone = (await an_order()).person
    attempts = [
        ("trainer_ref_once", good, {"external_ref": (await queries.trainers())[0].external_ref, "person": someone}),
        ("trainer_person_once", good, {"person": taken}),
        ("trainer_state_is_known", good, {"state": "x"}),
        ("admitted_with_certificate", good, {"state": "admitted"}),
        ("trainer_person_fkey", good, {"person": new_id()}),
    ]
    for constraint, row, bad in attempts:
        await goes_in("trainer", row)
        await fires(constraint, "trainer", row, **bad)
    assert {attempt[0] for attempt in attempts} == await constraints_of("trainer")


@db
async def test_every_constraint_of_employers_fires():
    """Each CHECK, UNIQUE and foreign key answers with the error that claims it; a month that is over cannot be named."""
    trainer, _ = await world.a_trainer()
    good = {"trainer": trainer, "organisation": await world.an_organisation(), "from_month": "2027-03-01"}
    good |= {"noted_at": "2027-02-28T22:30:00Z"}
    attempts = [
        ("one_employer_a_month", {}),
        ("employer_from_a_first_day", {"from_month": "2027-03-02"}),
        ("employer_never_from_before", {"noted_at": "2027-03-31T22:30:00Z"}),
        ("trainer_employer_trainer_fkey", {"trainer": new_id()}),
        ("trainer_employer_organisation_fkey", {"organisation": new_id()}),
    ]
    await goes_in("trainer_employer", good | {"noted_at": "2027-03-31T21:30:00Z"})
    for constraint, bad in attempts:
        await fires(constraint, "trainer_employer", good, **bad)
    assert {constraint for constraint, _ in attempts} == await constraints_of("trainer_employer")


async def employers(trainer):
    """From which month a trainer works for whom, as it stands."""
    sql = "SELECT from_month, organisation FROM trainer_employer WHERE trainer = $1 ORDER BY from_month"
    return [tuple(row) for row in await fetch_all(sql, trainer)]


@db
async def test_for_whom_somebody_works_counts_from_the_next_month():
    """At once in the month of joining the pool, later from the next month on; the same again changes nothing."""
    one, two = await world.an_organisation(), await world.an_organisation()
    january, february = datetime(2027, 1, 31, 22, tzinfo=UTC), datetime(2027, 1, 31, 23, tzinfo=UTC)
    with clock.travelling(january):
        trainer, _ = await world.a_trainer()
        assert [await work_for({trainer: who}, actor=None) for who in (None, one, one)] == [0, 1, 0]
    with clock.travelling(february):
        assert [await work_for({trainer: who}, actor=None) for who in (two, None, None)] == [1, 1, 0]
    assert await employers(trainer) == [(date(2027, 1, 1), one), (date(2027, 3, 1), None)]
    with pytest.raises(EmployerUnknown):
        await work_for({trainer: new_id()}, actor=None)
    for sql in ("DELETE FROM trainer_employer", "UPDATE trainer_employer SET from_month = from_month"):
        with pytest.raises(Exception, match="permission denied"):
            await execute(sql)
