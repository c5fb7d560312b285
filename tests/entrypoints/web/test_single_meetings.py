"""Single meetings through the pages: a trainer calls one off, a family catches one up in another group."""

from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import actions as catalogue_actions
from leerbudget.catalogue import queries as catalogue
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id


@pytest.fixture
async def family(world_db):
    made = await world.a_family(parents=2)
    await world.a_budget(made, euros=250)
    return made


async def a_group(*days, **more):
    """A session that goes on, with a meeting after so many days each."""
    session = await world.a_session(meetings=[world.in_days(day) for day in days], **more)
    await catalogue_actions.decide(session, runs=True, reason=None, actor=None)
    return await catalogue.session_detail(session)


async def booked(family, session):
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    return (await actions.book(request, actor=None)).booking


def later(days):
    return clock.travelling(clock.now() + timedelta(days=days))


async def test_a_family_catches_up_in_three_presses(app, family):
    """From the list of bookings: which meeting, which group, who; the list then says when, and it can be undone."""
    course = await world.a_course()
    own = await a_group(10, 17, course=course)
    other = await a_group(14, 21, course=course)
    booking = await booked(family, own.id)
    missed, there = own.meetings[1][0], other.meetings[1][0]
    one, two = await world.parents_of(family)
    path = f"/inschrijvingen/{booking}/inhalen"
    async with visiting.parent(app, family) as parent:
        assert f'href="{path}"' in await parent.page("/inschrijvingen")
        assert f'href="{path}?keer={missed}"' in await parent.page(path)
        asked = await parent.page(f"{path}?keer={missed}")
        assert str(there) in asked
        assert asked.count('name="persons"') == 2
        nothing = await parent.post(path, {"missed": str(missed)})
        assert nothing.status_code == 422
        assert "Kies een datum." in nothing.text
        assert "Kies wie er komt." in nothing.text
        for _ in range(2):
            answer = await parent.post(path, {"missed": str(missed), "meeting": str(there), "persons": str(one)})
            assert answer.headers["location"] == "/inschrijvingen?melding=haalt-in"
        assert "U haalt een keer in op" in await parent.page("/inschrijvingen")
        refused = await parent.post(
            path, {"missed": str(own.meetings[0][0]), "meeting": str(other.meetings[0][0]), "persons": str(one)}
        )
        assert refused.status_code == 422
        assert "U haalt al een keer in." in refused.text
        states = {each.person: each.attendance for each in await queries.roster(own.id)}
        assert states == {one: ("planned", "elsewhere"), two: ("planned", "planned")}
        dropped = await parent.post(f"{path}/niet", {"missed": str(missed)})
        assert (await parent.post(f"{path}/niet", {"missed": "x"})).status_code == 404
        assert dropped.headers["location"] == "/inschrijvingen?melding=haalt-niet-in"
        assert "U haalt een keer in op" not in await parent.page("/inschrijvingen")
    assert {each.attendance for each in await queries.roster(own.id)} == {("planned", "planned")}


async def test_a_guest_is_on_the_other_trainers_list_for_one_meeting(app, family):
    """Who catches up is named as such, is asked for at that meeting only, and not at the own one."""
    course, (member, person) = await world.a_course(), await world.a_trainer()
    own = await a_group(10, 17, course=course, trainer=member)
    other = await a_group(14, 21, course=course, trainer=member)
    booking, (one, two) = await booked(family, own.id), await world.parents_of(family)
    async with visiting.parent(app, family) as parent:
        form = {"missed": str(own.meetings[0][0]), "meeting": str(other.meetings[0][0]), "persons": str(one)}
        await parent.post(f"/inschrijvingen/{booking}/inhalen", form)
    with later(15):
        async with visiting.trainer(app, member, person) as trainer:
            page = f"/trainer/bijeenkomsten/{own.id}"
            asked = await trainer.page(f"{page}?bijeenkomst={own.meetings[0][0]}")
            assert "Haalt in" in asked
            assert f"was_there-{two}" in asked
            assert f"was_there-{one}" not in asked
            answer = await trainer.post(f"{page}/aanwezigheid/{own.meetings[0][0]}", {f"was_there-{two}": "present"})
            assert answer.status_code == 303
            page = f"/trainer/bijeenkomsten/{other.id}"
            assert "(haalt in)" in await trainer.page(page)
            answer = await trainer.post(f"{page}/aanwezigheid/{other.meetings[0][0]}", {f"was_there-{one}": "present"})
            assert answer.headers["location"] == f"{page}?melding=aanwezigheid"
    assert await count("SELECT count(*) FROM attendance WHERE live AND state = 'present'") == 2


async def test_a_trainer_calls_one_meeting_off(app, family):
    """The page says what follows and asks why; everyone hears of it, the pages tell it, and two thirds are paid."""
    member, person = await world.a_trainer()
    session = await a_group(10, 17, 24, trainer=member)
    await booked(family, session.id)
    meeting = session.meetings[2][0]
    page = f"/trainer/bijeenkomsten/{session.id}"
    with later(18):
        for each, _, _ in session.meetings[:2]:
            await actions.record_attendance(each, (), actor=None)
        async with visiting.trainer(app, member, person) as trainer:
            assert f'href="{page}/afgelasten?keer={meeting}"' in await trainer.page(page)
            asked = await trainer.page(f"{page}/afgelasten?keer={meeting}")
            assert "Deze keer wordt niet betaald." in asked
            empty = await trainer.post(f"{page}/afgelasten", {"meeting": str(meeting), "reason": " "})
            assert empty.status_code == 422
            assert "Schrijf kort waarom het niet doorgaat." in empty.text
            answer = await trainer.post(f"{page}/afgelasten", {"meeting": str(meeting), "reason": "Ziek."})
            assert answer.headers["location"] == f"{page}?melding=datum-afgelast"
            again = await trainer.post(f"{page}/afgelasten", {"meeting": str(meeting), "reason": "Ziek."})
            assert again.headers["location"] == page
            taken = await trainer.post(f"{page}/afgelasten", {"meeting": str(session.meetings[0][0]), "reason": "Nee."})
            assert taken.status_code == 409
        async with visiting.parent(app, family) as parent:
            assert "gaat niet door" in await parent.page("/inschrijvingen")
            assert "Dat deel van de prijs betaalt u niet." in await parent.page(f"/bijeenkomsten/{session.id}")
    (budget,) = await budgets.budgets_of(family)
    assert (budget.held_cents, budget.spent_cents) == (0, 6_000)
    assert await count("SELECT count(*) FROM outbox_message WHERE kind = 'meeting_cancelled'") == 2


async def test_a_trainer_calls_the_whole_course_off(app, family):
    """Everybody gets everything back; a second press changes nothing."""
    member, person = await world.a_trainer()
    session = await a_group(10, 17, trainer=member)
    await booked(family, session.id)
    path = f"/trainer/bijeenkomsten/{session.id}/afgelasten"
    async with visiting.trainer(app, member, person) as trainer:
        assert "Iedereen krijgt alles terug." in await trainer.page(path)
        answer = await trainer.post(path, {"reason": "De zaal is dicht."})
        assert answer.headers["location"] == f"/trainer/bijeenkomsten/{session.id}?melding=afgelast"
        assert (await trainer.post(path, {"reason": "De zaal is dicht."})).status_code == 303
    (budget,) = await budgets.budgets_of(family)
    assert (budget.held_cents, budget.free_cents) == (0, 25_000)


async def test_another_trainer_finds_nothing_to_call_off(app, family):
    """Another's session, and a meeting that is not of this one, look as if they were not there."""
    session, (member, person) = await a_group(10, 17), await world.a_trainer()
    path = f"/trainer/bijeenkomsten/{session.id}/afgelasten"
    async with visiting.trainer(app, member, person) as trainer:
        assert (await trainer.get(path)).status_code == 404
        assert (await trainer.post(path, {"reason": "x"})).status_code == 404
        own = await a_group(12, 19, trainer=member)
        asked = f"/trainer/bijeenkomsten/{own.id}/afgelasten?keer={session.meetings[0][0]}"
        assert (await trainer.get(asked)).status_code == 404
    assert await count("SELECT count(*) FROM cancelled_meeting") == 0
