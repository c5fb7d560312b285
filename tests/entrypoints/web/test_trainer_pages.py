"""A trainer's pages: who comes, who was there, and being paid."""

from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import queries as catalogue
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id


@pytest.fixture
async def course(world_db):
    """A confirmed session of two meetings with one family of two: (session, trainer, person, family)."""
    family = await world.a_family(parents=2)
    await world.a_budget(family, euros=250)
    member, person = await world.a_trainer()
    session = await world.a_session(
        trainer=member,
        people_there=((person, "trainer"),),
        meetings=(world.in_days(20), world.in_days(27)),
        childcare={"a4_8": 2},
    )
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)), childcare={"a4_8": 1})
    await bookings.book(request, actor=None)
    with clock.travelling(clock.now() + timedelta(days=14)):
        await bookings.decide_sessions()
    return session, member, person, family


def in_days(days):
    return clock.travelling(clock.now() + timedelta(days=days))


async def test_attendance_meeting_by_meeting_until_the_trainer_is_paid(app, course):
    """After each meeting the trainer says who was there; after the last one the money is posted. Twice is once."""
    session, member, person, family = course
    page = f"/trainer/bijeenkomsten/{session}"
    detail = await catalogue.session_detail(session)
    one, two = await world.parents_of(family)
    async with visiting.trainer(app, member, person) as trainer:
        shown = await trainer.page(page)
        assert "Ouder" in shown
        assert "1\u00a0kind" in shown
        assert "?bijeenkomst=" not in shown  # nothing to fill in yet
    for number, (meeting, _, _) in enumerate(detail.meetings):
        with in_days(21 + 7 * number):
            async with visiting.trainer(app, member, person) as trainer:
                assert "Aanwezigheid invullen" in await trainer.page("/trainer")
                action = f"{page}/aanwezigheid/{meeting}"
                there = {f"was_there-{one}": "present", f"was_there-{two}": "absent"}
                answer = await trainer.submit(f"{page}?bijeenkomst={meeting}", action, **there)
                assert answer.status_code == 303
                answer = await trainer.post(action, there)
                assert answer.status_code == 303
                assert ("afgerond" in answer.headers["location"]) == (number == 1)
    with in_days(28):
        async with visiting.trainer(app, member, person) as trainer:
            assert "Is geweest" in await trainer.page(page)
            assert "Aanwezigheid invullen" not in await trainer.page("/trainer")
    assert (await catalogue.session_detail(session)).state == "done"
    (budget,) = await budgets.budgets_of(family)
    assert (budget.spent_cents, budget.held_cents) == (9000, 0)
    assert await count("SELECT count(*) FROM attendance WHERE state = 'absent'") == 2


async def test_wrong_attendance_comes_back(app, course):
    """Too early, incomplete and made-up answers are told at the person they are about."""
    session, member, person, family = course
    (first, _, _), _ = (await catalogue.session_detail(session)).meetings
    one, two = await world.parents_of(family)
    action = f"/trainer/bijeenkomsten/{session}/aanwezigheid/{first}"
    both = {f"was_there-{one}": "present", f"was_there-{two}": "present"}
    async with visiting.trainer(app, member, person) as trainer:
        answer = await trainer.post(action, both)
        assert answer.status_code == 422
        assert "na afloop" in answer.text
    with in_days(21):
        async with visiting.trainer(app, member, person) as trainer:
            for wrong in ({}, {f"was_there-{one}": "present"}, {**both, f"was_there-{two}": "misschien"}):
                answer = await trainer.post(action, wrong)
                assert answer.status_code == 422
                assert f'id="was_there-{two}-fout"' in answer.text
            strange = action.replace(str(first), str(new_id()))
            assert (await trainer.post(strange, both)).status_code == 404
    assert await count("SELECT count(*) FROM attendance WHERE state <> 'planned'") == 0


async def test_another_trainer_sees_and_does_nothing(app, course):
    """A roster is for the responsible trainer alone."""
    session, *_ = course
    (first, _, _), _ = (await catalogue.session_detail(session)).meetings
    other, person = await world.a_trainer()
    with in_days(21):
        async with visiting.trainer(app, other, person) as trainer:
            for answer in (
                await trainer.get(f"/trainer/bijeenkomsten/{session}"),
                await trainer.post(f"/trainer/bijeenkomsten/{session}/aanwezigheid/{first}", {}),
            ):
                assert answer.status_code == 404
                assert "Ouder" not in answer.text
            assert "Cursus" not in await trainer.page("/trainer")
