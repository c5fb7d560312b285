"""Publishing: only admitted courses, by admitted trainers, whose certificates hold on every date."""

from dataclasses import replace
from datetime import timedelta

import pytest

import world
from leerbudget.catalogue import actions, queries
from leerbudget.catalogue.errors import (
    CatalogueRefTwice,
    CatalogueUnknown,
    CourseNotComplete,
    CourseStepNotAllowed,
    NotBookable,
    NotPublishable,
    SessionFixed,
    SessionNotValid,
    SessionStepNotAllowed,
    SessionUnknown,
)
from leerbudget.catalogue.rules import CourseOrder, SessionOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.people.rules import Registered
from leerbudget.trainers import actions as trainers

pytestmark = pytest.mark.usefixtures("world_db")


async def an_order(**changes):
    start, end = world.in_days(30)
    values = {
        "id": new_id(),
        "external_ref": f"S-{new_id()}",
        "venue": None,
        "price_cents": 4500,
        "seats_min": 2,
        "seats_max": 3,
        "meetings": ((start, end), (start + timedelta(days=7), end + timedelta(days=7))),
        "decide_on": clock.today() + timedelta(days=20),
    }
    if "course" not in changes:
        values["course"] = await world.a_course()
    if "trainer" not in changes:
        values["trainer"] = (await world.a_trainer())[0]
    return SessionOrder(**(values | changes))


async def codes(order):
    with pytest.raises(NotPublishable) as refusal:
        await actions.publish_sessions([order])
    assert all(problem["ref"] == order.external_ref for problem in refusal.value.data["problems"])
    return [problem["code"] for problem in refusal.value.data["problems"]]


@pytest.mark.parametrize("state", ["draft", "submitted", "in_review", "supplement", "refused", "expired"])
async def test_only_an_admitted_course_is_published(state):
    """R19: a course in any other state has no bookable session, though a draft may be prepared."""
    order = await an_order(course=await world.a_course(state=state))
    assert await codes(order) == ["course_not_admitted"]
    assert await actions.draft_sessions([order]) == Registered(1, 0, 0)
    with pytest.raises(NotBookable):
        await actions.take_seats(order.id, 1, party="foster_parents", childcare={})
    with pytest.raises(SessionUnknown):
        await queries.session_detail(order.id)


async def test_only_an_admitted_trainer_gives_sessions():
    """R55: a suspended pool member cannot be scheduled, also not as the second trainer."""
    trainer, person = await world.a_trainer()
    await trainers.step(trainer, "suspended")
    assert await codes(await an_order(trainer=trainer)) == ["trainer_not_admitted"]
    assert await codes(await an_order(people=((person, "trainer"),))) == ["trainer_not_admitted"]


async def test_who_is_not_in_the_pool_does_not_train():
    """R55: naming somebody trainer does not make them one; a foster parent or an unknown person may only facilitate."""
    (parent,) = await world.parents_of(await world.a_family())
    worker = await world.a_professional()
    for somebody in (parent, worker):
        assert await codes(await an_order(people=((somebody, "trainer"),))) == ["trainer_not_admitted"]
    assert await actions.publish_sessions([await an_order(people=((worker, "facilitator"),))]) == Registered(1, 0, 0)


async def test_a_meeting_begins_and_ends_on_a_whole_second():
    """Parts of a second mean nothing to people, and the matching counts in seconds."""
    start, end = world.in_days(30)
    with pytest.raises(SessionNotValid) as refusal:
        await actions.publish_sessions([await an_order(meetings=((start, end + timedelta(microseconds=1)),))])
    assert [problem["code"] for problem in refusal.value.data["problems"]] == ["parts_of_a_second"]


async def test_the_certificate_holds_on_every_meeting_date():
    """R56: a certificate that ends between two meetings keeps the session out; its last day still counts."""
    last = clock.today() + timedelta(days=37)
    trainer, _ = await world.a_trainer(certificate_until=last)
    assert await actions.publish_sessions([await an_order(trainer=trainer)]) == Registered(1, 0, 0)
    short, _ = await world.a_trainer(certificate_until=last - timedelta(days=1))
    order = await an_order(trainer=short)
    assert await codes(order) == ["certificate_ended"]
    await trainers.renew_certificate(short, last)
    assert await actions.publish_sessions([order]) == Registered(1, 0, 0)


async def test_a_session_is_not_confirmed_on_a_certificate_that_ended():
    """R56 is checked again when it is decided that the session goes on; cancelling is always possible."""
    trainer, _ = await world.a_trainer()
    order = await an_order(trainer=trainer)
    await actions.publish_sessions([order])
    await trainers.renew_certificate(trainer, clock.today())
    with pytest.raises(NotPublishable, match="VOG"):
        await actions.decide(order.id, runs=True, reason=None, actor=None)
    await actions.decide(order.id, runs=False, reason="trainer", actor=None)
    assert (await queries.session_detail(order.id)).state == "cancelled"


async def test_one_bad_session_keeps_the_whole_set_out():
    """Every problem of every session is told, and nothing is kept."""
    good, wrong = await an_order(), await an_order(seats_min=9, decide_on=clock.today() + timedelta(days=90))
    with pytest.raises(SessionNotValid) as refusal:
        await actions.publish_sessions([good, wrong])
    assert [problem["code"] for problem in refusal.value.data["problems"]] == ["decide_too_late", "seats"]
    assert await queries.session_ids([good.external_ref, wrong.external_ref]) == {}


async def test_what_is_named_must_exist():
    """An unknown course, trainer, venue or person is not found; the same reference twice is refused."""
    for changes in (
        {"course": new_id()},
        {"trainer": new_id()},
        {"venue": new_id()},
        {"people": ((new_id(), "facilitator"),)},
    ):
        with pytest.raises(CatalogueUnknown):
            await actions.publish_sessions([await an_order(**changes)])
    order = await an_order()
    with pytest.raises(CatalogueRefTwice):
        await actions.publish_sessions([order, order])


async def test_publishing_again_changes_what_nobody_booked():
    """The same content is left alone, other content replaces the old under the same id."""
    order = await an_order()
    await actions.publish_sessions([order])
    assert await actions.publish_sessions([replace(order, id=new_id())]) == Registered(0, 0, 1)
    changed = replace(order, id=new_id(), meetings=order.meetings[:1], childcare={}, price_cents=100)
    assert await actions.publish_sessions([changed]) == Registered(0, 1, 0)
    detail = await queries.session_detail(order.id)
    assert (len(detail.meetings), detail.price_cents, detail.state) == (1, 100, "conditional")


async def test_what_somebody_booked_is_fixed():
    """Other content for a session with a seat taken, or that was decided about, is a clear error."""
    order = await an_order()
    await actions.publish_sessions([order])
    await actions.take_seats(order.id, 1, party="foster_parents", childcare={})
    dearer = replace(order, price_cents=9900)
    with pytest.raises(SessionFixed) as refusal:
        await actions.publish_sessions([dearer])
    assert refusal.value.data["refs"] == [order.external_ref]
    await actions.decide(order.id, runs=False, reason="x", actor=None)
    with pytest.raises(SessionFixed):
        await actions.publish_sessions([dearer])
    assert await actions.publish_sessions([order]) == Registered(0, 0, 1)
    assert (await queries.session_detail(order.id)).state == "cancelled"


async def test_a_draft_opens_and_never_goes_back():
    """Draft to conditional to confirmed is a step forward; a draft of an open session changes nothing or is refused."""
    order = await an_order()
    assert await actions.draft_sessions([order]) == Registered(1, 0, 0)
    assert await actions.publish_sessions([order]) == Registered(0, 1, 0)
    assert await actions.draft_sessions([order]) == Registered(0, 0, 1)
    with pytest.raises(SessionFixed):
        await actions.draft_sessions([replace(order, seats_max=30)])
    assert await actions.publish_sessions([replace(order, state="confirmed")]) == Registered(0, 1, 0)
    assert await actions.publish_sessions([order]) == Registered(0, 0, 1)
    assert (await queries.session_detail(order.id)).state == "confirmed"


async def test_the_trainer_is_always_in_the_room():
    """Who gives the session stands among its people, so that R65 and R66 see the trainer too."""
    trainer, person = await world.a_trainer()
    order = await an_order(trainer=trainer)
    await actions.publish_sessions([order])
    leaders = (await queries.session_detail(order.id)).leaders
    assert [(leader.person, leader.role) for leader in leaders] == [(person, "trainer")]


async def test_a_session_goes_its_way_and_is_closed_after_its_end():
    """Conditional, confirmed, running, done; each step once, none skipped, and the trail says who decided."""
    order, login = await an_order(), new_id()
    await actions.publish_sessions([order])
    assert [line.id for line in await queries.due_for_decision(order.decide_on)] == [order.id]
    await actions.decide(order.id, runs=True, reason=None, actor=login)
    with pytest.raises(SessionStepNotAllowed):
        await actions.decide(order.id, runs=True, reason=None, actor=login)
    with pytest.raises(SessionStepNotAllowed):
        await actions.mark_done(order.id)
    with clock.travelling(order.starts_at):
        assert await actions.start_due() == 1
        with pytest.raises(NotBookable):
            await actions.take_seats(order.id, 1, party="foster_parents", childcare={})
    with clock.travelling(order.ends_at):
        assert [line.id for line in await queries.finished_sessions(order.ends_at + timedelta(seconds=1))] == [order.id]
        await actions.mark_done(order.id)
    with pytest.raises(SessionStepNotAllowed):
        await actions.decide(order.id, runs=False, reason="x", actor=login)
    audited = await fetch_all("SELECT verb, login FROM audit_entry WHERE subject = $1", order.id)
    assert [tuple(row) for row in audited] == [("session_confirmed", login)]
    for verb in (actions.mark_done(new_id()), actions.decide(new_id(), runs=True, reason=None, actor=None)):
        with pytest.raises(SessionUnknown):
            await verb


async def test_a_course_takes_the_steps_of_admission():
    """R19: submitted, reviewed, admitted; not admitted while it does not say for whom it is (R18), never a skip."""
    order = CourseOrder(new_id(), "C-1", "Titel (fictief)", "trauma", "webinar", "Doel", None, "draft", {})
    await actions.add_courses([order])
    with pytest.raises(CourseStepNotAllowed):
        await actions.step_course(order.id, "admitted")
    with pytest.raises(CourseNotComplete) as refusal:
        await actions.step_course(order.id, "submitted")
    assert {p["code"] for p in refusal.value.data["problems"]} == {"differentiation_missing"}
    assert await actions.add_courses([replace(order, audience=world.FOR_ALL)]) == Registered(0, 1, 0)
    for state in ("submitted", "in_review", "admitted"):
        await actions.step_course(order.id, state)
    assert (await queries.course(order.id)).state == "admitted"
    with pytest.raises(CourseStepNotAllowed) as skipped:
        await actions.add_courses([replace(order, audience=world.FOR_ALL, state="draft")])
    assert skipped.value.data["courses"] == ["C-1"]
    with pytest.raises(CatalogueUnknown):
        await actions.step_course(new_id(), "submitted")


async def test_regular_guidance_is_not_admitted():
    """R12: neither by registering nor by a step."""
    order = CourseOrder(
        new_id(),
        "C-2",
        "Begeleiding",
        "trauma",
        "buddy",
        "Doel",
        None,
        "in_review",
        world.FOR_ALL,
        regular_guidance=True,
    )
    with pytest.raises(CourseNotComplete):
        await actions.add_courses([replace(order, state="admitted")])
    await actions.add_courses([order])
    with pytest.raises(CourseNotComplete):
        await actions.step_course(order.id, "admitted")


async def test_sessions_come_in_sets():
    """500 sessions with their meetings are written together, and read back for the matcher whole."""
    course, (trainer, person) = await world.a_course(), await world.a_trainer()
    orders = [await an_order(course=course, trainer=trainer) for _ in range(500)]
    assert await actions.publish_sessions(orders) == Registered(500, 0, 0)
    today = clock.today()
    found = await queries.sessions_for_matching(today, today + timedelta(days=60))
    assert len(found) == 500
    assert {len(session.meetings) for session in found} == {2}
    assert {session.people for session in found} == {(person,)}
    assert await queries.sessions_for_matching(today, today + timedelta(days=29)) == []
    assert await fetch_value("SELECT count(*) FROM meeting") == 1_000
    assert len(await queries.sessions_of_trainer(trainer)) == 500
