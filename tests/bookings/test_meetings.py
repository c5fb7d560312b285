"""Single meetings: one is called off while the course goes on, or a missed one is caught up in another group."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import world
from leerbudget.bookings import actions, meetings, queries, rules
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import (
    BookingUnknown,
    CatchUpOver,
    CatchUpUnknown,
    CatchUpUsed,
    KeptForWaiting,
    MeetingsOverlap,
    MeetingTookPlace,
    NothingMissed,
    NotTheSameMeeting,
    NotTogether,
    PersonsUnknown,
)
from leerbudget.bookings.meetings import CatchUpOrder
from leerbudget.bookings.waiting import WaitingOrder, join
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import publishing
from leerbudget.catalogue import queries as catalogue_queries
from leerbudget.catalogue.errors import (
    LastMeeting,
    MeetingUnknown,
    NotBookable,
    SessionFixed,
    SessionFull,
    SessionStepNotAllowed,
)
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, execute, fetch_all, fetch_one, fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.people import actions as people

pytestmark = pytest.mark.usefixtures("world_db")
PRICE = 10_000


async def a_course_of(*days, course=None, going=True, **more):
    """A session that goes on, with a meeting after so many days each; its meetings by number."""
    session = await world.a_session(
        course=course, meetings=[world.in_days(day) for day in days], price_cents=PRICE, **more
    )
    if going:
        await execute("UPDATE course_session SET state = 'confirmed' WHERE id = $1", session)
    rows = await fetch_all("SELECT id FROM meeting WHERE session = $1 ORDER BY number", session)
    return session, [row["id"] for row in rows]


async def a_booking(session, *, family=None, parents=1):
    if family is None:
        family = await world.a_family(parents=parents)
        await world.a_budget(family, euros=500)
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    await actions.book(request, actor=None)
    return request


async def two_groups(**more):
    """Two groups of one course, each of three meetings a week apart; the second is four days behind the first."""
    course = await world.a_course()
    first = await a_course_of(10, 17, 24, course=course)
    second = await a_course_of(14, 21, 28, course=course, **more)
    return *first, *second


def catching_up(booking, missed, meeting, *, persons=None):
    return CatchUpOrder(booking.id, missed, meeting, booking.persons if persons is None else persons)


async def there(request, session, *, absent=()):
    """Everybody was there, at every meeting of the session, except at the absent numbers."""
    rows = await fetch_all("SELECT id, number FROM meeting WHERE session = $1 ORDER BY number", session)
    for row in rows:
        await actions.record_attendance(row["id"], request.persons if row["number"] in absent else (), actor=None)


async def seats(session):
    row = await fetch_one("SELECT seats_taken, catch_up_seats FROM course_session WHERE id = $1", session)
    return tuple(row)


async def spent(family):
    (budget,) = await budgets.budgets_of(family)
    return budget.held_cents, budget.spent_cents


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []
    assert await budgets.check() == []


async def told(kind):
    return await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = $1", kind)


# --- a meeting that does not take place ---------------------------------------------------------------------


async def test_the_trainer_earns_what_took_place():
    """One of three meetings is called off: the family pays two thirds, rounded down, and its time is free again."""
    session, (_, second, _) = await a_course_of(10, 17, 24)
    booking = await a_booking(session)
    await meetings.cancel_meeting(second, reason="De trainer is ziek.", actor=None)
    assert await told("meeting_cancelled") == 1
    elsewhere, _ = await a_course_of(17)
    assert (await a_booking(elsewhere, family=booking.family)).session == elsewhere
    await nothing_is_wrong()
    with clock.travelling(clock.now() + timedelta(days=25)):
        await there(booking, session)
        await actions.finish_session(session, actor=None)
        assert await spent(booking.family) == (PRICE, 6_666)
        await nothing_is_wrong()


async def test_who_does_not_come_pays_the_share_of_what_took_place():
    """Half of the meetings, and half of the price for not coming: a quarter."""
    course = await world.a_course()
    await execute("UPDATE course SET no_show_percent = 50 WHERE id = $1", course)
    session, (first, _) = await a_course_of(10, 17, course=course)
    booking = await a_booking(session)
    await meetings.cancel_meeting(first, reason="Zaal dicht.", actor=None)
    with clock.travelling(clock.now() + timedelta(days=25)):
        await there(booking, session, absent=(2,))
        await actions.finish_session(session, actor=None)
        assert await spent(booking.family) == (0, 2_500)
        await nothing_is_wrong()


@given(st.integers(0, 10_000_000), st.integers(1, 20), st.integers(0, 20))
def test_no_more_is_due_than_took_place(price, held, not_held):
    """What is due is at most the exact share, and less than a cent below it; everything when nothing was called off."""
    due = rules.due_cents(price, held, held + not_held)
    assert 0 <= price * held - due * (held + not_held) < held + not_held
    assert not_held or due == price


async def test_the_course_begins_and_ends_with_what_is_left():
    """The first and last moment of a session follow its meetings; what began keeps its beginning."""
    session, (first, _, third) = await a_course_of(10, 17, 24)
    starts, ends = (await fetch_one("SELECT starts_at, ends_at FROM course_session WHERE id = $1", session)).values()
    week = timedelta(days=7)
    await meetings.cancel_meeting(first, reason="Ziek.", actor=None)
    with clock.travelling(starts + week + timedelta(hours=1)):
        await meetings.cancel_meeting(third, reason="Ziek.", actor=None)
    found = await catalogue_queries.session_detail(session)
    assert (found.starts_at, found.ends_at) == (starts + week, ends - week)
    assert len(found.meetings) == 1
    assert [start for start, _ in found.cancelled_meetings] == [starts, starts + 2 * week]
    begun, (first, _) = await a_course_of(10, 17)
    with clock.travelling(starts + timedelta(hours=3)):
        await meetings.cancel_meeting(first, reason="De trainer kwam niet.", actor=None)
    assert (await catalogue_queries.session_detail(begun)).starts_at == starts


async def test_what_became_less_may_be_given_up_for_free():
    """A week before, cancelling costs half; after a meeting was called off nothing, for who booked before that."""
    session, (_, second, _) = await a_course_of(10, 17, 24, seats=2)
    early = await a_booking(session)
    assert (await actions.cancel(early.id, actor=None, dry_run=True)).fee_cents == PRICE // 2
    with clock.travelling(clock.now() + timedelta(seconds=5)):
        await meetings.cancel_meeting(second, reason="Ziek.", actor=None)
    with clock.travelling(clock.now() + timedelta(seconds=10)):
        late = await a_booking(session)
        assert (await actions.cancel(early.id, actor=None, dry_run=True)).fee_cents == 0
        assert (await actions.cancel(late.id, actor=None, dry_run=True)).fee_cents == PRICE // 2
        assert (await actions.cancel(early.id, actor=None)).refund_cents == PRICE
    await nothing_is_wrong()


async def test_what_cannot_be_called_off_is_refused():
    """The last meeting, one that took place, one that is gone, one without a reason, one of a session that is over."""
    session, (first, second) = await a_course_of(10, 17)
    booking = await a_booking(session)
    for reason in ("", "x" * 201):
        with pytest.raises(InvalidInput):
            await meetings.cancel_meeting(first, reason=reason, actor=None)
    with pytest.raises(MeetingUnknown):
        await meetings.cancel_meeting(new_id(), reason="Ziek.", actor=None)
    with clock.travelling(clock.now() + timedelta(days=11)):
        await actions.record_attendance(first, (), actor=None)
        with pytest.raises(MeetingTookPlace):
            await meetings.cancel_meeting(first, reason="Ziek.", actor=None)
        await meetings.cancel_meeting(second, reason="Ziek.", actor=None)
        with pytest.raises(MeetingUnknown):
            await meetings.cancel_meeting(second, reason="Ziek.", actor=None)
        await actions.record_attendance(first, booking.persons, actor=None)
        with pytest.raises(LastMeeting):
            await meetings.cancel_meeting(first, reason="Ziek.", actor=None)
        await actions.finish_session(session, actor=None)
    over, (one, _) = await a_course_of(10, 17)
    await actions.cancel_session(over, reason="Ziek.", actor=None)
    with pytest.raises(SessionStepNotAllowed):
        await meetings.cancel_meeting(one, reason="Ziek.", actor=None)
    await nothing_is_wrong()


async def test_the_same_file_again_leaves_a_called_off_meeting_called_off():
    """What was published is compared with what is published again, not with what is left of it."""
    when = [world.in_days(day) for day in (10, 17)]
    session = await world.a_session(meetings=when)
    (stored,) = await catalogue_queries.session_sheets()
    (order,) = [known.order for known in (await publishing._stored("s.id = $1", session)).values()]
    meeting = await fetch_value("SELECT id FROM meeting WHERE session = $1 AND number = 1", session)
    await meetings.cancel_meeting(meeting, reason="Ziek.", actor=None)
    assert (await catalogue.publish_sessions([order])).unchanged == 1
    with pytest.raises(SessionFixed):
        await catalogue.publish_sessions([replace(order, seats_max=order.seats_max + 1)])
    assert [sheet.meetings for sheet in await catalogue_queries.session_sheets()] == [stored.meetings]


# --- catching up --------------------------------------------------------------------------------------------


async def test_a_missed_meeting_is_caught_up_in_another_group():
    """Who was absent comes to the same meeting of a sister group, is on its list, pays nothing more, and has attended."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups()
    booking = await a_booking(first)
    with clock.travelling(clock.now() + timedelta(days=18)):
        await actions.record_attendance(missed, booking.persons, actor=None)
        await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
        await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
        assert (await seats(second), await told("catch_up_planned")) == ((0, 1), 1)
        (guest,) = await queries.roster(second)
        assert (guest.person, guest.guest, guest.attendance) == (booking.persons[0], True, (None, "planned", None))
        (own,) = await queries.roster(first)
        assert own.attendance == ("planned", "absent", "planned")
        await nothing_is_wrong()
    with clock.travelling(clock.now() + timedelta(days=29)):
        await there(booking, first, absent=(1, 2, 3))
        await actions.finish_session(first, actor=None)
        assert await fetch_value("SELECT state FROM booking WHERE id = $1", booking.id) == "attended"
        assert await queries.attendance_missing(second) == 1
        await actions.record_attendance(again_there, (), actor=None)
        await actions.finish_session(second, actor=None)
        assert await spent(booking.family) == (0, PRICE)
        await nothing_is_wrong()


async def test_a_meeting_to_come_is_caught_up_beforehand():
    """Who cannot come to a meeting is free at that time, not missed on its list, and expected again after all."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups()
    booking = await a_booking(first, parents=2)
    one, other = booking.persons
    await meetings.catch_up(catching_up(booking, missed, again_there, persons=(one,)), actor=None)
    states = {each.person: each.attendance for each in await queries.roster(first)}
    assert states == {one: ("planned", "elsewhere", "planned"), other: ("planned",) * 3}
    assert await seats(second) == (0, 1)
    await nothing_is_wrong()
    await meetings.drop_catch_up(booking.id, missed, actor=None)
    await meetings.drop_catch_up(booking.id, missed, actor=None)
    assert {each.attendance for each in await queries.roster(first)} == {("planned",) * 3}
    assert (await seats(second), await queries.roster(second)) == ((0, 0), [])
    await nothing_is_wrong()


async def test_who_took_another_course_at_that_hour_stays_absent():
    """The own meeting's time was given away meanwhile: dropping the other leaves them absent, never at two places."""
    first, (_, missed, _), _, (_, again_there, _) = await two_groups()
    booking = await a_booking(first)
    await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    at_that_hour, _ = await a_course_of(17)
    await a_booking(at_that_hour, family=booking.family)
    await meetings.drop_catch_up(booking.id, missed, actor=None)
    (own,) = await queries.roster(first)
    assert own.attendance == ("planned", "absent", "planned")
    await nothing_is_wrong()


@pytest.mark.parametrize("called_off", ["meeting", "session"])
async def test_when_it_does_not_take_place_there_they_are_expected_at_home(called_off):
    """The other group's meeting is called off, or all of it: who would come hears it and is on the own list again."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups()
    booking = await a_booking(first)
    await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    if called_off == "meeting":
        await meetings.cancel_meeting(again_there, reason="Ziek.", actor=None)
    else:
        await actions.cancel_session(second, reason="Ziek.", actor=None)
    assert (await seats(second), await told("meeting_cancelled")) == ((0, 0), 1)
    (own,) = await queries.roster(first)
    assert own.attendance == ("planned",) * 3
    await nothing_is_wrong()


async def test_giving_up_the_course_gives_up_the_seat_elsewhere():
    """A cancelled booking keeps no seat in the other group."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups()
    booking = await a_booking(first)
    await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    await actions.cancel(booking.id, actor=None)
    assert (await seats(second), await queries.roster(second)) == ((0, 0), [])
    await nothing_is_wrong()


async def test_a_seat_kept_for_catching_up_is_not_sold():
    """One seat is left: who catches up has it, and nobody books it; two of them at different meetings need one seat."""
    first, (one, two, _), second, (one_there, two_there, _) = await two_groups(seats=1)
    guest, next_guest, third = [await a_booking(first) for _ in range(3)]
    await meetings.catch_up(catching_up(guest, one, one_there), actor=None)
    await meetings.catch_up(catching_up(next_guest, two, two_there), actor=None)
    assert await seats(second) == (0, 1)
    with pytest.raises(SessionFull):
        await meetings.catch_up(catching_up(third, two, two_there), actor=None)
    with pytest.raises(SessionFull):
        await a_booking(second)
    found = await catalogue_queries.session_detail(second)
    assert (found.seats_free, found.bookable) == (0, False)
    await nothing_is_wrong()


async def test_what_cannot_be_caught_up_is_refused():
    """Each with its own reason, and nothing changed."""
    first, (one, missed, _), second, (one_there, again_there, _) = await two_groups()
    booking, stranger = await a_booking(first), await a_booking(first)
    order = catching_up(booking, missed, again_there)
    unsure, (_, unsure_there, _) = await a_course_of(14, 21, 28, course=await course_of(first), going=False)
    other, (_, other_there) = await a_course_of(15, 22)
    refused = [
        (BookingUnknown, replace(order, booking=new_id())),
        (MeetingUnknown, replace(order, missed=new_id())),
        (MeetingUnknown, replace(order, missed=again_there)),
        (NotTheSameMeeting, replace(order, meeting=new_id())),
        (PersonsUnknown, replace(order, persons=())),
        (PersonsUnknown, replace(order, persons=stranger.persons)),
        (NotTheSameMeeting, replace(order, meeting=one_there)),
        (NotTheSameMeeting, replace(order, meeting=missed)),
        (NotTheSameMeeting, replace(order, meeting=other_there)),
        (NotBookable, replace(order, meeting=unsure_there)),
    ]
    for reason, wrong in refused:
        with pytest.raises(reason):
            await meetings.catch_up(wrong, actor=None)
    with clock.travelling(clock.now() + timedelta(days=22)), pytest.raises(NotBookable):
        await meetings.catch_up(order, actor=None)
    await meetings.catch_up(order, actor=None)
    with pytest.raises(CatchUpUsed):
        await meetings.catch_up(catching_up(booking, one, one_there), actor=None)
    with pytest.raises(CatchUpUnknown):
        await meetings.drop_catch_up(booking.id, one, actor=None)
    with clock.travelling(clock.now() + timedelta(days=22)), pytest.raises(CatchUpOver):
        await meetings.drop_catch_up(booking.id, missed, actor=None)
    with clock.travelling(clock.now() + timedelta(days=18)):
        await actions.record_attendance(missed, (), actor=None)
        with pytest.raises(NothingMissed):
            await meetings.catch_up(catching_up(stranger, missed, again_there), actor=None)
    await actions.cancel(stranger.id, actor=None)
    with pytest.raises(CatchUpOver):
        await meetings.catch_up(catching_up(stranger, missed, again_there), actor=None)
    assert (await seats(second), await seats(unsure), await seats(other)) == ((0, 1), (0, 0), (0, 0))
    await nothing_is_wrong()


async def course_of(session):
    return await fetch_value("SELECT course FROM course_session WHERE id = $1", session)


async def test_nobody_catches_up_at_two_places_at_once():
    """Another meeting at that hour stands in the way."""
    first, (_, missed, _), _, (_, again_there, _) = await two_groups()
    booking = await a_booking(first)
    at_that_hour, _ = await a_course_of(21)
    await a_booking(at_that_hour, family=booking.family)
    with pytest.raises(MeetingsOverlap):
        await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    await nothing_is_wrong()


async def test_who_must_not_meet_does_not_meet_when_catching_up():
    """Somebody to avoid sits in the other group, or books it after the guest: either way they do not meet."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups()
    booking, avoided = await a_booking(first), await world.a_family()
    await world.a_budget(avoided, euros=500)
    await people.avoid(booking.family, (await world.parents_of(avoided))[0])
    order = catching_up(booking, missed, again_there)
    seated = await a_booking(second, family=avoided)
    with pytest.raises(NotTogether):
        await meetings.catch_up(order, actor=None)
    await actions.cancel(seated.id, actor=None)
    await meetings.catch_up(order, actor=None)
    with pytest.raises(NotTogether):
        await a_booking(second, family=avoided)
    await nothing_is_wrong()


async def test_seats_that_others_wait_for_are_not_for_catching_up():
    """A seat became free and a family waits for the course: it comes first."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups(seats=1)
    booking, seated = await a_booking(first), await a_booking(second)
    family = await world.a_family()
    await world.a_budget(family, euros=500)
    await join(WaitingOrder(new_id(), family, second, tuple(await world.parents_of(family))), actor=None)
    await actions.cancel(seated.id, actor=None)
    with pytest.raises(KeptForWaiting):
        await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    await nothing_is_wrong()


async def twenty_and_five_for_three():
    """Twenty guests and five families for three seats, all at once: how many got one, and the session."""
    first, (_, missed, _), second, (_, again_there, _) = await two_groups(seats=3)
    await execute("UPDATE course_session SET seats_max = 30 WHERE id = $1", first)
    guests = [await a_booking(first) for _ in range(20)]
    families = [await world.a_family() for _ in range(5)]
    for family in families:
        await world.a_budget(family, euros=500)

    async def tries(work):
        try:
            await again(work)
        except SessionFull:
            return 0
        return 1

    got = await asyncio.gather(
        *(tries(partial(meetings.catch_up, catching_up(guest, missed, again_there), actor=None)) for guest in guests),
        *(tries(partial(a_booking, second, family=family)) for family in families),
    )
    return sum(got), second


async def test_many_catch_up_at_the_last_seats():
    """Three get in, guests and bookers together, and the books of seats agree."""
    got, second = await twenty_and_five_for_three()
    assert (got, sum(await seats(second))) == (3, 3)
    await nothing_is_wrong()


async def test_without_the_lock_too_many_catch_up(monkeypatch):
    """The control: guests who do not wait for each other count only themselves; seen within five rushes, as chance has it."""
    monkeypatch.setattr(meetings, "_BOTH", meetings._BOTH.replace("FOR NO KEY UPDATE", ""))
    for _ in range(5):
        got, _ = await twenty_and_five_for_three()
        if got > 3:
            break
    assert got > 3
    assert await queries.inconsistencies() != []


# --- what the doctor finds -----------------------------------------------------------------------------------


AVOIDED_BEFORE = """
INSERT INTO avoid_entry (id, family, person, created_at)
SELECT uuidv7(), family, $1, booked_at - interval '1 minute' FROM booking
"""


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ("UPDATE course_session SET catch_up_seats = 2 WHERE catch_up_seats = 1", "I3"),
        ("UPDATE attendance SET live = false WHERE instead_of IS NOT NULL", "I3 I7"),
        ("UPDATE attendance SET instead_of = NULL WHERE instead_of IS NOT NULL", "I3 I7"),
        (AVOIDED_BEFORE, "I7"),
    ],
)
async def test_a_list_that_tells_something_else_is_found(admin, change, promise):
    """Seats that nobody has, a meeting that nobody is expected at, and who should not have met: the doctor says so."""
    member, person = await world.a_trainer()
    course = await world.a_course()
    first, (_, missed) = await a_course_of(10, 17, course=course)
    _, (_, again_there) = await a_course_of(14, 21, course=course, trainer=member)
    booking = await a_booking(first)
    await meetings.catch_up(catching_up(booking, missed, again_there), actor=None)
    await nothing_is_wrong()
    await admin.execute(change, *([person] if "$1" in change else []))
    assert " ".join(sorted({problem[:2] for problem in await queries.inconsistencies()})) == promise


async def test_a_share_that_was_not_paid_is_found(admin):
    """Two thirds were paid, and the books of meetings say three of three took place (I4)."""
    session, (_, second, _) = await a_course_of(10, 17, 24)
    booking = await a_booking(session)
    await meetings.cancel_meeting(second, reason="Ziek.", actor=None)
    with clock.travelling(clock.now() + timedelta(days=25)):
        await there(booking, session)
        await actions.finish_session(session, actor=None)
    await nothing_is_wrong()
    await admin.execute("DELETE FROM cancelled_meeting")
    assert [problem[:2] for problem in await queries.inconsistencies()] == ["I4"]
