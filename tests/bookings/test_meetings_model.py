"""Single meetings against a small model: whatever people do, who is expected where, and how many seats are kept, is known."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

import world
from leerbudget.bookings import actions, meetings, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.meetings import CatchUpOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all
from leerbudget.foundation.ids import new_id
from scale import STORIES
from stories import StoryMachine, live_through

DAYS = ((10, 17), (13, 20), (10, 20))
"""Three groups of one course with two meetings each; the third meets when the first begins and when the second ends."""
SEATS = (4, 2, 3)
FAMILIES = 5
STEPS_MIN = 700
groups, numbers, families = st.integers(0, 2), st.integers(0, 1), st.integers(0, FAMILIES - 1)


@dataclass
class Meeting:
    """One moment of a group."""

    id: Any
    group: int
    number: int
    starts: datetime
    held: bool = True


@dataclass
class Place:
    """A person of a family in a group: what is known of each meeting, and which is caught up where."""

    booking: Any
    group: int
    states: list = field(default_factory=lambda: ["planned", "planned"])
    missed: int | None = None
    there: Meeting | None = None
    state_there: str = "planned"


class MeetingsMachine(StoryMachine):
    """One person per family; they book one group each, catch up, drop that; trainers call off and record."""

    keeps_promises = True

    @initialize()
    def begin(self):
        """Three groups that go on, five families."""
        self.now = datetime.combine(clock.today(), datetime.min.time(), clock.AMSTERDAM) + timedelta(hours=12)
        self.places, self.begun = {}, set()
        self.does(self._stage)

    async def _stage(self):
        course = await world.a_course()
        self.sessions, self.meetings = [], []
        for group, days in enumerate(DAYS):
            when = [world.in_days(day) for day in days]
            session = await world.a_session(course=course, seats=SEATS[group], price_cents=0, meetings=when)
            await execute("UPDATE course_session SET state = 'confirmed' WHERE id = $1", session)
            rows = await fetch_all("SELECT id FROM meeting WHERE session = $1 ORDER BY number", session)
            self.sessions.append(session)
            self.meetings.append([Meeting(r["id"], group, n, when[n][0]) for n, r in enumerate(rows)])
        self.families = [await world.a_family() for _ in range(FAMILIES)]
        self.persons = [(await world.parents_of(family))[0] for family in self.families]

    # --- what the model knows

    def guests(self, meeting):
        """How many catch up at a meeting."""
        return sum(place.there is meeting for place in self.places.values())

    def kept(self, group):
        """Seats kept in a group for who catches up."""
        return max(self.guests(meeting) for meeting in self.meetings[group])

    def taken(self, group):
        """Seats that were sold."""
        return sum(place.group == group for place in self.places.values())

    def busy(self, place):
        """The moments at which somebody is expected."""
        own = self.meetings[place.group]
        moments = [m.starts for m in own if m.held and place.missed != m.number and place.states[m.number] != "away"]
        return moments + ([place.there.starts] if place.there else [])

    def back_home(self, place):
        """Expected at the own meeting again, or absent when that hour is taken."""
        own, missed = self.meetings[place.group][place.missed], place.missed
        place.missed = place.there = None
        if own.held and place.states[missed] == "planned" and own.starts in self.busy_without(place, own):
            place.states[missed] = "away"

    def busy_without(self, place, own):
        """The moments of somebody but for one own meeting."""
        return [m.starts for m in self.meetings[place.group] if m is not own and m.held]

    # --- what people do

    @rule(family=families, group=groups)
    def books(self, family, group):
        """A seat in a group; one group each."""
        if family in self.places:
            return
        key = new_id()
        request = BookingRequest(key, self.families[family], self.sessions[group], (self.persons[family],))
        answer = self.does(lambda: actions.book(request, actor=None))
        if group in self.begun or min(m.starts for m in self.meetings[group] if m.held) <= self.now:
            assert answer == "not_bookable"
        elif self.taken(group) + self.kept(group) >= SEATS[group]:
            assert answer == "session_full"
        else:
            assert not isinstance(answer, str), answer
            self.places[family] = Place(key, group)

    @rule(family=families, group=groups, number=numbers, other=numbers)
    def catches_up(self, family, group, number, other):
        """The same meeting of another group, once."""
        place = self.places.get(family)
        if place is None:
            return
        missed, there = self.meetings[place.group][number], self.meetings[group][other]
        order = CatchUpOrder(place.booking, missed.id, there.id, (self.persons[family],))
        answer = self.does(lambda: meetings.catch_up(order, actor=None))
        refused = self.why_not(place, missed, there)
        assert answer in (refused or (None,))
        if answer is None:
            place.missed, place.there, place.state_there = number, there, "planned"

    def why_not(self, place, missed, there):
        """Why catching up is refused: one of these codes; none when it is not."""
        if place.there is there and place.missed == missed.number:
            return ()
        first = [
            ("meeting_unknown", not missed.held),
            ("nothing_missed", place.states[missed.number] == "present"),
            (
                "not_the_same_meeting",
                not there.held or there.group == missed.group or there.number != missed.number,
            ),
            ("not_bookable", there.starts <= self.now),
        ]
        codes = [code for code, so in first if so][:1]
        if codes:
            return tuple(codes)
        elsewhere = [m for m in self.busy(place) if m != missed.starts or place.states[missed.number] != "planned"]
        either = [("catch_up_used", place.there is not None), ("meetings_overlap", there.starts in elsewhere)]
        wanted = max(self.kept(there.group), self.guests(there) + 1)
        full = self.taken(there.group) + wanted > SEATS[there.group]
        return tuple(code for code, so in either if so) or (("session_full",) if full else ())

    @rule(family=families, number=numbers)
    def drops_it(self, family, number):
        """Not after all."""
        place = self.places.get(family)
        if place is None:
            return
        missed = self.meetings[place.group][number]
        answer = self.does(lambda: meetings.drop_catch_up(place.booking, missed.id, actor=None))
        if place.missed != number:
            assert answer in (None, "catch_up_unknown")
        elif place.there.starts <= self.now:
            assert answer == "catch_up_over"
        else:
            assert answer is None
            self.back_home(place)

    @rule(group=groups, number=numbers, seldom=st.integers(0, 5))
    def is_called_off(self, group, number, seldom):
        """One meeting of a group does not take place."""
        if seldom:
            return
        meeting, other = self.meetings[group][number], self.meetings[group][1 - number]
        answer = self.does(lambda: meetings.cancel_meeting(meeting.id, reason="ziek", actor=None))
        own = [place for place in self.places.values() if place.group == group]
        guests = [place for place in self.places.values() if place.there is meeting]
        if not meeting.held:
            assert answer == "meeting_unknown"
        elif any(place.states[number] == "present" for place in own) or any(
            place.state_there == "present" for place in guests
        ):
            assert answer == "meeting_took_place"
        elif not other.held:
            assert answer == "last_meeting"
        else:
            assert answer is None
            if min(meeting.starts, other.starts) <= self.now:
                self.begun.add(group)
            meeting.held = False
            for place in guests:
                self.back_home(place)

    @rule(group=groups, number=numbers, absent=st.sets(families))
    def attendance_is_recorded(self, group, number, absent):
        """After a meeting: who was expected and not named absent was there."""
        meeting = self.meetings[group][number]
        if not meeting.held or meeting.starts + timedelta(hours=2) > self.now:
            return
        gone = [self.persons[family] for family in absent]
        answer = self.does(lambda: actions.record_attendance(meeting.id, gone, actor=None))
        assert not isinstance(answer, str), answer
        for family, place in self.places.items():
            state = "absent" if family in absent else "present"
            own = place.group == group and (place.missed != number or place.states[number] != "planned")
            if own and place.states[number] != "away":
                place.states[number] = state
            if place.there is meeting:
                place.state_there = state

    @rule(hours=st.integers(6, 90))
    def hours_pass(self, hours):
        """Time goes by, and the promises hold."""
        self.now += timedelta(hours=hours)
        assert not self.keeps_promises or self.does(queries.inconsistencies) == []

    # --- what must be the same

    @invariant()
    def the_same_lists_and_seats(self):
        """Seats sold and kept, and every line of every list, are what the model says."""
        if not hasattr(self, "sessions"):
            return
        type(self).steps += 1
        seats, lists = self.does(self._seen)
        assert seats == [(self.taken(group), self.kept(group)) for group in range(3)]
        assert lists == [self._list(group) for group in range(3)]

    async def _seen(self):
        rows = await fetch_all("SELECT id, seats_taken, catch_up_seats FROM course_session ORDER BY id")
        seats = {row["id"]: (row["seats_taken"], row["catch_up_seats"]) for row in rows}
        lists = [{each.person: each.attendance for each in await queries.roster(s)} for s in self.sessions]
        return [seats[s] for s in self.sessions], lists

    def _list(self, group):
        held = [meeting for meeting in self.meetings[group] if meeting.held]
        found = {}
        for family, place in self.places.items():
            if place.group == group:
                found[self.persons[family]] = tuple(self._own(place, meeting.number) for meeting in held)
            elif place.there is not None and place.there.group == group:
                told = tuple(place.state_there if meeting is place.there else None for meeting in held)
                found[self.persons[family]] = told
        return found

    def _own(self, place, number):
        if place.missed == number and place.states[number] == "planned":
            return "elsewhere"
        return "absent" if place.states[number] == "away" else place.states[number]


async def test_lists_and_seats_are_what_the_model_says(world_db):
    """Seven hundred random steps leave the same lists and seats as on paper."""
    await live_through(MeetingsMachine, STORIES // 3, steps=50, least=STEPS_MIN)


async def test_the_model_notices_seats_that_are_not_kept(world_db, monkeypatch):
    """Negative control: without counting who catches up the stories end otherwise than on paper."""

    async def nothing(_):
        return None

    monkeypatch.setattr(meetings, "keep_seats", nothing)
    with pytest.raises(AssertionError):
        await live_through(
            MeetingsMachine, 50, steps=50, own={"keeps_promises": False}, phases=[Phase.generate], derandomize=True
        )
