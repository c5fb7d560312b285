"""A dialogue against a small model in plain Python: any story leaves each party the same seats, lines and reminders.

Families book, wait and answer; a coordinator gives seats to professionals and keeps a line for them. The model knows
the published rules of decisions 12 and 20 only.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

import world
from leerbudget.bookings import actions, queries, seating, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.reminding import remind
from leerbudget.bookings.rules import REMIND_DAY_HOURS, answer_until, by_day, day_hours_after
from leerbudget.bookings.seating import SeatOrder
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from scale import STORIES
from stories import StoryMachine, live_through
from without import changed_function

PARENTS, WORKERS, GUARDIANS = "foster_parents", "foster_care_workers", "guardian_workers"
SEATS, PARTIES = 4, {PARENTS: 2, WORKERS: 2, GUARDIANS: 1}
PEOPLE = (PARENTS, PARENTS, PARENTS, PARENTS, WORKERS, WORKERS, WORKERS, WORKERS, GUARDIANS, GUARDIANS)
DAY, STEPS_MIN = timedelta(days=1), 650
someone = st.integers(0, len(PEOPLE) - 1)


@dataclass
class Person:
    """Somebody of a party; a parent is a family of one. `seat`: the booking, with until when it is an offer."""

    id: Any
    family: Any
    party: str
    booking: Any = None
    until: datetime | None = None
    reminded: bool = False


@dataclass
class Entry:
    """A place in line. `tried`: what stood in the way at the latest try, and when."""

    id: Any
    person: Person
    asked: datetime
    state: str = "waiting"
    tried: tuple = field(default=("never", None))

    def untried(self, since):
        """Whether seats may be tried on it."""
        refused, at = self.tried
        return at is None or (refused is not None and (since is None or at < since))


class DialogueMachine(StoryMachine):
    """One dialogue with fewer seats than its parties have together."""

    @initialize()
    def begin(self):
        """Four families, four workers and two guardians, a dialogue in twelve days."""
        self.now = datetime.combine(clock.today(), datetime.min.time(), clock.AMSTERDAM) + timedelta(hours=12)
        self.began, self.freed, self.entries, self.letters = self.now, None, [], 0
        self.people, self.session, self.starts = self.does(self._stage)

    async def _stage(self):
        meeting = world.in_days(12)
        led = tuple([((await world.a_trainer())[1], "facilitator") for _ in range(2)])
        course = await world.a_course(theme="collaboration_assertiveness", form="dialogue")
        session = await world.a_session(
            course=course, seats=SEATS, price_cents=0, meetings=(meeting,), people_there=led,
            parties={party: (0, most) for party, most in PARTIES.items()},
        )  # fmt: skip
        people = []
        for party in PEOPLE:
            if party == PARENTS:
                family = await world.a_family()
                people.append(Person((await world.parents_of(family))[0], family, party))
            else:
                people.append(Person(await world.a_professional(party=party), None, party))
        return people, session, meeting[0]

    # --- what the model knows

    def seated(self, party=None):
        """Who has a seat."""
        return [each for each in self.people if each.booking and party in (None, each.party)]

    def refusal(self, person, *, direct):
        """Why a seat is refused, in the order in which it is; None when it is not."""
        if self.starts <= self.now:
            return "not_bookable"
        if len(self.seated()) >= SEATS:
            return "session_full"
        if len(self.seated(person.party)) >= PARTIES[person.party]:
            return "party_full"
        if direct and self.others_wait(person):
            return "kept_for_waiting"
        return "already_booked" if person.booking else None

    def others_wait(self, person):
        """Whether a freed seat is first for others of the same party."""
        return (
            self.freed is not None
            and self.starts > self.now + DAY
            and any(
                each.state == "waiting" and each.person is not person and each.person.party == person.party
                and each.untried(self.freed)
                for each in self.entries
            )
        )  # fmt: skip

    def leaves(self, person):
        """The seat is free again; who waited for it waits on."""
        for entry in self.entries:
            if entry.person is person and entry.state == "offered":
                entry.state = "waiting"
        person.booking, person.until, person.reminded = None, None, False
        self.freed = self.now

    # --- what people do

    @rule(number=someone)
    def comes(self, number):
        """A family books, or a coordinator gives a seat."""
        person, key = self.people[number], new_id()
        expected = self.refusal(person, direct=True)
        if person.family:
            request = BookingRequest(key, person.family, self.session, (person.id,))
            answer = self.does(lambda: actions.book(request, actor=None))
        else:
            answer = self.does(lambda: seating.give(SeatOrder(key, self.session, person.id), actor=None))
        if expected is not None:
            assert answer == expected
            return
        assert not isinstance(answer, str), answer
        person.booking, person.until = key, None

    @rule(number=someone)
    def goes(self, number):
        """A seat is given up, or taken back."""
        person = self.people[number]
        if not person.booking:
            return
        verb = actions.cancel if person.family else seating.take_back
        answer = self.does(lambda: verb(person.booking, actor=None))
        if self.now >= self.starts:
            assert answer == "not_cancellable"
        else:
            assert not isinstance(answer, str), answer
            self.leaves(person)

    @rule(number=someone)
    def waits(self, number):
        """A place in line, once."""
        person, key = self.people[number], new_id()
        if person.family:
            order = WaitingOrder(key, person.family, self.session, (person.id,))
            answer = self.does(lambda: waiting.join(order, actor=None))
        else:
            answer = self.does(lambda: seating.wait(SeatOrder(key, self.session, person.id), actor=None))
        mine = [each for each in self.entries if each.person is person and each.state in ("waiting", "offered")]
        if self.now >= self.starts:
            assert answer == "not_bookable"
        elif person.booking and person.until is None:
            assert answer == "already_in_course"
        elif mine:
            assert answer == "already_waiting"
        else:
            assert answer is None
            self.entries.append(Entry(key, person, self.now))

    @rule(place=st.integers(0, 15), verb=st.sampled_from(["accept", "decline", "leave"]))
    def answers(self, place, verb):
        """Yes, no, or off the list; who has no family is only ever taken off it."""
        if place >= len(self.entries):
            return
        entry = self.entries[place]
        person = entry.person
        if verb == "leave":
            act = waiting.leave if person.family else seating.leave
            answer = self.does(lambda: act(entry.id, actor=None))
            if entry.state not in ("waiting", "offered"):
                assert answer == "not_waiting"
                return
            if entry.state == "offered":
                self.leaves(person)
            entry.state = "left"
            return
        answer = self.does(lambda: getattr(waiting, verb)(entry.id, actor=None))
        if entry.state != "offered" or (verb == "accept" and person.until < self.now):
            assert answer == "offer_lapsed"
        elif verb == "accept":
            entry.state, person.until, person.reminded = "served", None, False
        else:
            self.leaves(person)

    # --- what the worker does

    @rule(hours=st.integers(1, 20))
    def hours_pass(self, hours):
        """Time goes by."""
        self.now += timedelta(hours=hours)

    @rule()
    def offers_lapse(self):
        """What was not answered in time."""
        late = [each for each in self.people if each.until and each.until < self.now]
        assert set(self.does(actions.expire_offers)) == {each.booking for each in late}
        for person in late:
            self.leaves(person)

    @rule()
    def reminders_go_out(self):
        """By day, to families whose offer ends within four hours of day, once."""
        soon = day_hours_after(self.now, REMIND_DAY_HOURS["waiting"])
        due = [
            each for each in self.people
            if by_day(self.now) and each.until and not each.reminded and self.now < each.until <= soon
        ]  # fmt: skip
        assert set(self.does(remind)) == {each.booking for each in due}
        for person in due:
            person.reminded = True
        self.letters += len(due)

    @rule()
    def free_seats_are_offered(self):
        """To the first in line of each party that has seats: a family is asked, anybody else is seated."""
        found = self.does(waiting.offer_free_seats)
        assert isinstance(found, list), found
        for entry in self.entries:
            if entry.state == "waiting" and entry.person.booking and entry.person.until is None:
                entry.state = "served"
        if self.starts <= self.now + DAY or len(self.seated()) >= SEATS:
            assert found == []
            return
        since = max(self.freed, self.now - DAY) if self.freed else self.now - DAY
        made = 0
        for entry in sorted(self.entries, key=lambda each: (each.asked, each.id)):
            if len(self.seated()) < SEATS and entry.state == "waiting" and entry.untried(since):
                refused = self.refusal(entry.person, direct=False)
                entry.tried = (refused, self.now)
                if refused is None:
                    made += 1
                    self._comes_in(entry)
        assert len(found) == made

    def _comes_in(self, entry):
        person = entry.person
        if person.family:
            entry.state, person.until = "offered", answer_until(self.now)
        else:
            entry.state = "served"
        person.booking = "seat of the line"

    # --- what must be so

    @invariant()
    def everything_is_the_same(self):
        """Who has a seat, who waits, and how many reminders there are."""
        if not hasattr(self, "people"):
            return
        type(self).steps += 1
        seats, places, letters = self.does(self._found)
        for person in self.people:
            booking, until = seats.get(person.id, (None, None))
            assert (booking is None) == (person.booking is None)
            assert until == person.until
            person.booking = booking
        assert places == {each.id: each.state for each in self.entries}
        assert letters == self.letters

    async def _found(self):
        seats = await fetch_all(
            "SELECT p.person, b.id, b.offered_until FROM booking b JOIN booking_person p ON p.booking = b.id AND p.live"
            " WHERE b.session = $1",
            self.session,
        )
        people = [each.id for each in self.people]
        places = await fetch_all("SELECT id, state FROM waiting_entry WHERE session = $1", self.session)
        letters = await fetch_all(
            "SELECT n.id FROM outbox_message n JOIN booking b ON n.business_ref LIKE b.id || ':%'"
            " WHERE n.kind = 'place_expiring' AND b.session = $1",
            self.session,
        )
        return (
            {row["person"]: (row["id"], row["offered_until"]) for row in seats if row["person"] in people},
            {row["id"]: row["state"] for row in places},
            len(letters),
        )

    def teardown(self):
        """At the end no promise is broken, and nothing is left that could take part in the next story."""
        if hasattr(self, "people"):
            assert self.does(queries.inconsistencies) == []
            self.now = self.began
            self.does(lambda: actions.cancel_session(self.session, reason="einde", actor=None))


async def test_a_dialogue_does_what_the_model_does(world_db):
    """Any story of fifty steps: the same people sit, wait and are reminded as on paper."""
    await live_through(DialogueMachine, STORIES // 3, steps=50, least=STEPS_MIN)


async def test_the_model_notices_a_rule_that_is_missing(world_db, admin):
    """Negative control: without the seats of the party the stories end otherwise than on paper.

    The guards of the line have theirs in `test_seating`: a story comes to them too seldom.
    """
    await admin.execute("ALTER TABLE session_party DROP CONSTRAINT party_within_capacity")
    guard = "p.party = _party AND p.seats_taken + _persons <= p.seats_max"
    await admin.execute(changed_function("catalogue", "take_seats", guard, "p.party = _party"))
    with pytest.raises(AssertionError):
        await live_through(DialogueMachine, 60, steps=50, phases=[Phase.generate], derandomize=True)
