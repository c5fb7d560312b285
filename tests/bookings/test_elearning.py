"""E-learning in place of a missed meeting: once per person, said to be done by the trainer, without money or seats."""

from datetime import timedelta

import pytest

import world
from bookings.test_meetings import (
    PRICE,
    a_booking,
    a_course_of,
    catching_up,
    nothing_is_wrong,
    seats,
    spent,
    two_groups,
)
from leerbudget.bookings import actions, elearning, meetings, own_meetings, queries
from leerbudget.bookings.elearning import ElearningOrder
from leerbudget.bookings.errors import (
    BookingUnknown,
    CatchUpOver,
    CatchUpUnknown,
    CatchUpUsed,
    CountsOnce,
    NoElearning,
    NothingMissed,
    PersonsUnknown,
)
from leerbudget.catalogue.elearning import UnitOrder, publish_unit
from leerbudget.catalogue.errors import MeetingUnknown, NotBookable, UnitNotValid
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.foundation.ids import new_id

pytestmark = pytest.mark.usefixtures("world_db")
LINK = "https://leren.example/rust"


async def a_unit(session, number=2, **more):
    """E-learning in place of a meeting."""
    order = {"title": "Rust vinden", "link": LINK, "duration_minutes": 60} | more
    await publish_unit(UnitOrder(session, number, **order), actor=None)


async def learns(booking, missed, persons=None):
    await elearning.learn(ElearningOrder(booking.id, missed, persons or booking.persons), actor=None)


async def a_learner(**more):
    """A booking of three meetings whose second can be done alone: session, meetings, booking."""
    session, own = await a_course_of(10, 17, 24)
    await a_unit(session)
    return session, own, await a_booking(session, **more)


async def rows_of(booking):
    return await fetch_all(
        "SELECT m.number, a.unit IS NOT NULL AS alone, a.live, a.state FROM attendance a"
        " LEFT JOIN meeting m ON m.id = a.meeting WHERE a.booking = $1 ORDER BY m.number NULLS LAST",
        booking.id,
    )


async def test_who_knows_beforehand_is_not_expected_and_the_hour_is_free():
    """Neither seat nor money moves; the own row is not live; again has no effect; the family and the trainer see it."""
    session, own, booking = await a_learner()
    before = (await seats(session), await spent(booking.family))
    for _ in range(2):
        await learns(booking, own[1])
    assert (await seats(session), await spent(booking.family)) == before
    assert [tuple(row) for row in await rows_of(booking)] == [
        (1, False, True, "planned"),
        (2, False, False, "planned"),
        (3, False, True, "planned"),
        (None, True, True, "planned"),
    ]
    (_, second, third) = await own_meetings.meetings_of(booking.id, booking.family)
    assert (second.persons[0].state, second.unit.link, third.may_learn) == ("elearning", LINK, False)
    (seen,) = await queries.roster(session)
    assert seen.attendance == ("planned", "elearning", "planned")
    busy = await a_course_of(17, 60)  # at the very hour of the missed meeting
    await a_booking(busy[0], family=booking.family)
    await nothing_is_wrong()


async def test_the_trainer_says_that_it_was_done_and_it_counts_as_present():
    """Absent at two meetings and done alone for one: attended, and the whole price is paid as ever."""
    session, own, booking = await a_learner()
    await learns(booking, own[1])
    (learner,) = await elearning.learners(session)
    assert (learner.number, learner.done) == (2, False)
    with clock.travelling(clock.now() + timedelta(days=25)):
        for at in (0, 2):
            await actions.record_attendance(own[at], booking.persons, actor=None)
        for _ in range(2):
            await elearning.say_done(session, booking.id, booking.persons[0], actor=None)
        await actions.finish_session(session, actor=None)
    assert await fetch_value("SELECT state FROM booking WHERE id = $1", booking.id) == "attended"
    assert await spent(booking.family) == (0, PRICE)
    (seen,) = await queries.roster(session)
    assert seen.attendance == ("absent", "elearning_done", "absent")
    await nothing_is_wrong()


async def test_what_was_only_chosen_is_no_presence_and_keeps_nobody_waiting():
    """Absent everywhere, the e-learning never done: no-show, and the session is finished without it."""
    session, own, booking = await a_learner()
    await learns(booking, own[1])
    with clock.travelling(clock.now() + timedelta(days=25)):
        for at in (0, 2):
            await actions.record_attendance(own[at], booking.persons, actor=None)
        await actions.finish_session(session, actor=None)
    assert await fetch_value("SELECT state FROM booking WHERE id = $1", booking.id) == "no_show"
    await nothing_is_wrong()


async def test_a_meeting_that_was_called_off_can_be_done_alone():
    """Its share of the price stays unpaid all the same: e-learning moves no money."""
    session, own, booking = await a_learner()
    await meetings.cancel_meeting(own[1], reason="Ziek.", actor=None)
    shown = await own_meetings.meetings_of(booking.id, booking.family)
    assert [(each.number, each.called_off, each.may_learn) for each in shown][1] == (2, True, True)
    await learns(booking, own[1])
    await elearning.say_done(session, booking.id, booking.persons[0], actor=None)
    with clock.travelling(clock.now() + timedelta(days=25)):
        for at in (0, 2):
            await actions.record_attendance(own[at], (), actor=None)
        await actions.finish_session(session, actor=None)
    assert await spent(booking.family) == (0, PRICE * 2 // 3)
    await nothing_is_wrong()


async def test_one_catch_up_in_all_there_or_alone():
    """Who catches up in another group does not do e-learning too, nor the other way, nor two units; dropped is free again."""
    first, own, _, other = await two_groups()
    for number in (1, 2):
        await a_unit(first, number)
    booking = await a_booking(first)
    await learns(booking, own[0])
    with pytest.raises(CatchUpUsed):
        await learns(booking, own[1])
    with pytest.raises(CatchUpUsed):
        await meetings.catch_up(catching_up(booking, own[1], other[1]), actor=None)
    await meetings.drop_catch_up(booking.id, own[0], actor=None)
    await meetings.catch_up(catching_up(booking, own[1], other[1]), actor=None)
    with pytest.raises(CatchUpUsed):
        await learns(booking, own[0])
    await meetings.drop_catch_up(booking.id, own[1], actor=None)
    await learns(booking, own[1])
    await elearning.say_done(first, booking.id, booking.persons[0], actor=None)
    with pytest.raises(CatchUpOver):
        await meetings.drop_catch_up(booking.id, own[1], actor=None)
    await nothing_is_wrong()


async def test_a_meeting_counts_once():
    """Who catches it up was not at it: the trainer's correction is refused, and so is catching up what one was at."""
    session, own, booking = await a_learner()
    with clock.travelling(clock.now() + timedelta(days=18)):
        await actions.record_attendance(own[0], (), actor=None)
        await actions.record_attendance(own[1], booking.persons, actor=None)
        await learns(booking, own[1])
        with pytest.raises(CountsOnce):
            await actions.record_attendance(own[1], (), actor=None)
        await a_unit(session, 1)
        with pytest.raises(NothingMissed):
            await learns(booking, own[0])
    await nothing_is_wrong()


async def test_without_the_index_a_meeting_would_count_twice(admin):
    """Negative control: the correction goes through, and the person is present twice for one meeting."""
    _, own, booking = await a_learner()
    await admin.execute("DROP INDEX one_presence_per_meeting")
    with clock.travelling(clock.now() + timedelta(days=18)):
        await actions.record_attendance(own[1], booking.persons, actor=None)
        await learns(booking, own[1])
        await actions.record_attendance(own[1], (), actor=None)


async def test_what_cannot_be_is_refused():
    """No unit, no such meeting, nobody, strangers, a course that is not sure, a booking that stopped."""
    session, own, booking = await a_learner()
    stranger = (await world.parents_of(await world.a_family()))[0]
    for refusal, missed, persons in (
        (NoElearning, own[0], booking.persons),
        (MeetingUnknown, new_id(), booking.persons),
        (PersonsUnknown, own[1], (stranger,)),
    ):
        with pytest.raises(refusal):
            await learns(booking, missed, persons)
    with pytest.raises(BookingUnknown):
        await elearning.learn(ElearningOrder(new_id(), own[1], booking.persons), actor=None)
    with pytest.raises(CatchUpUnknown):
        await elearning.say_done(session, booking.id, booking.persons[0], actor=None)
    await execute("UPDATE course_session SET state = 'conditional' WHERE id = $1", session)
    with pytest.raises(NotBookable):
        await learns(booking, own[1])
    await actions.cancel(booking.id, actor=None)
    with pytest.raises(CatchUpOver):
        await learns(booking, own[1])


async def test_a_unit_is_for_a_planned_meeting_with_a_safe_link():
    """Published again it is changed; nothing else than https, no meeting that never was, no dialogue."""
    session, _ = await a_course_of(10, 17)
    await a_unit(session)
    await a_unit(session, title="Anders")
    assert [each.title for each in await elearning.units_of(session)] == ["Anders"]
    for wrong in ({"link": "javascript:alert(1)"}, {"link": "http://a.b"}, {"duration_minutes": 4}):
        with pytest.raises(UnitNotValid):
            await a_unit(session, **wrong)
    with pytest.raises(MeetingUnknown):
        await a_unit(session, 3)
    with pytest.raises(MeetingUnknown):
        await a_unit(await world.a_dialogue(), 1)
