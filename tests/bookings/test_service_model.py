"""Bookings, money and the waiting list against a small model in plain Python: any story, the same seats and cents.

The model knows the published rules only: who is refused and why, what a cancellation gives back, who is next in line.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, seed
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

import world
from leerbudget.bookings import actions, moving, queries, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.moving import MoveRequest
from leerbudget.bookings.rules import answer_until
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from scale import STORIES
from stories import StoryMachine, live_through
from without import changed_function

PRICE, DAY = 4_500, timedelta(days=1)
SEATS = (2, 3, 2)
HOUSEHOLDS = ((1, 250), (2, 250), (1, 45), (1, 0), (2, 90), (1, 500))
"""Parents and euros of each family."""
STEPS_MIN = 5_000
family_numbers = st.integers(0, len(HOUSEHOLDS) - 1)
session_numbers = st.integers(0, len(SEATS) - 1)
places = st.integers(0, 30)


@dataclass
class Session:
    """The first two are of one course; the first and the third meet at the same hour."""

    id: Any
    course: int
    seats: int
    starts: datetime
    taken: int = 0
    runs: bool = True
    freed: datetime | None = None


@dataclass
class Family:
    """A household that always goes together."""

    id: Any
    persons: tuple
    free: int
    spared: int = 0


@dataclass
class Booking:
    """Seats of a family; `until` when they are an offer. `fee`: what cancelling cost, until it came back."""

    id: Any
    family: Family
    session: Session
    state: str
    until: datetime | None = None
    fee: int = 0

    @property
    def price(self):
        """For all together."""
        return PRICE * len(self.family.persons)

    @property
    def live(self):
        """Whether it keeps its seats."""
        return self.state in ("offered", "confirmed")


@dataclass
class Entry:
    """A place in line. `tries`: session number → (refusal or None, when)."""

    id: Any
    family: Family
    session: Session
    asked: datetime
    state: str = "waiting"
    booking: Booking | None = None
    tries: dict = field(default_factory=dict)

    def untried(self, session, since):
        """Whether seats of the session may be tried on it."""
        refused, at = self.tries.get(session.id, ("never", None))
        return at is None or (refused is not None and (since is None or at < since))


_FREE = """
(SELECT (a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents)::int FROM account a WHERE a.id = b.account)
"""


class ServiceMachine(StoryMachine):
    """Families book, cancel, wait, answer; trainers call off; hours pass and the worker does its jobs."""

    @initialize()
    def begin(self):
        """Six families, two courses, three sessions a month from now."""
        self.now = datetime.combine(clock.today(), datetime.min.time(), clock.AMSTERDAM) + timedelta(hours=12)
        self.began = self.now
        self.bookings, self.entries = [], []
        self.sessions, self.families = self.does(self._stage)

    async def _stage(self):
        one, other = await world.a_course(theme="trauma"), await world.a_course(theme="adolescence")
        sessions, families = [], []
        for number, (course, day) in enumerate(((one, 30), (one, 37), (other, 30))):
            meeting = world.in_days(day)
            key = await world.a_session(course=course, seats=SEATS[number], price_cents=PRICE, meetings=(meeting,))
            sessions.append(Session(key, number // 2, SEATS[number], meeting[0]))
        for parents, euros in HOUSEHOLDS:
            key = await world.a_family(parents=parents)
            if euros:
                await world.a_budget(key, euros=euros)
            families.append(Family(key, tuple(await world.parents_of(key)), euros * 100))
        return sessions, families

    # --- what the model knows

    def open(self, session):
        """Whether anybody can get a seat."""
        return session.runs and session.starts > self.now

    def refusal(self, family, session, *, direct):
        """Why a booking is refused, in the order in which it is; None when it is not."""
        if not self.open(session):
            return "not_bookable"
        if session.taken + len(family.persons) > session.seats:
            return "session_full"
        if direct and self.others_wait(family, session):
            return "kept_for_waiting"
        mine = [each.session for each in self.bookings if each.live and each.family is family]
        if session in mine:
            return "already_booked"
        if any(other.starts == session.starts for other in mine):
            return "meetings_overlap"
        return "budget_too_small" if family.free < PRICE * len(family.persons) else None

    def others_wait(self, family, session):
        """Whether free seats are first for others."""
        return (
            session.freed is not None
            and session.starts > self.now + DAY
            and any(
                each.state == "waiting" and each.family is not family and each.session.course == session.course
                and each.untried(session, session.freed)
                for each in self.entries
            )
        )  # fmt: skip

    def take(self, key, family, session, state, until=None):
        """Seats and money."""
        made = Booking(key, family, session, state, until)
        session.taken += len(family.persons)
        family.free -= made.price
        self.bookings.append(made)
        return made

    def end(self, booking, state, fee=0):
        """Seats and money back; who waited for them waits on."""
        booking.state, booking.fee = state, fee
        booking.session.taken -= len(booking.family.persons)
        booking.session.freed = self.now
        booking.family.free += booking.price - fee
        for entry in self.entries:
            if entry.booking is booking and entry.state == "offered":
                entry.state = "waiting"

    # --- what people do

    @rule(family=family_numbers, session=session_numbers)
    def books(self, family, session):
        """A direct booking."""
        family, session, key = self.families[family], self.sessions[session], new_id()
        expected = self.refusal(family, session, direct=True)
        request = BookingRequest(key, family.id, session.id, family.persons)
        answer = self.does(lambda: actions.book(request, actor=None))
        if expected is not None:
            assert answer == expected
            return
        assert not isinstance(answer, str), answer
        assert answer.price_cents == PRICE * len(family.persons)
        self.take(key, family, session, "confirmed")

    def fee(self, booking):
        """Free until two weeks before, half until one week before, nothing back after that."""
        starts, now = (each.astimezone(clock.AMSTERDAM).date() for each in (booking.session.starts, self.now))
        days = (starts - now).days
        back = 100 if days >= 14 or booking.state == "offered" else 50 if days >= 7 else 0
        return booking.price * (100 - back) // 100

    @rule(place=places, child=st.booleans())
    def cancels(self, place, child):
        """By the ladder; with something with a child for free, twice a year."""
        if place >= len(self.bookings):
            return
        booking = self.bookings[place]
        answer = self.does(lambda: actions.cancel(booking.id, actor=None, emergency=child))
        if not booking.live or self.now >= booking.session.starts:
            assert answer == "not_cancellable"
            return
        fee = self.fee(booking)
        if child and fee:
            if booking.family.spared == 2:
                assert answer == "emergencies_used"
                return
            booking.family.spared += 1
            fee = 0
        assert answer.fee_cents == fee
        self.end(booking, "cancelled", fee)

    @rule(place=places, session=session_numbers)
    def moves(self, place, session):
        """To another date of the course: the old seats go by the ladder, the others come, or nothing happens."""
        if place >= len(self.bookings):
            return
        booking, session, key = self.bookings[place], self.sessions[session], new_id()
        answer = self.does(lambda: moving.move(MoveRequest(key, booking.id, session.id), actor=None))
        if session.course != booking.session.course or session is booking.session:
            assert answer == "not_a_sister"
        elif booking.state != "confirmed" or self.now >= booking.session.starts:
            assert answer == "not_cancellable"
        else:
            family, old = booking.family, booking.session
            before, fee = (old.taken, old.freed, family.free), self.fee(booking)
            self.end(booking, "cancelled", fee)
            expected = self.refusal(family, session, direct=True)
            if expected is None:
                assert not isinstance(answer, str), answer
                assert answer.cancellation.fee_cents == fee
                self.take(key, family, session, "confirmed")
            else:
                assert answer == expected
                booking.state, booking.fee = "confirmed", 0
                old.taken, old.freed, family.free = before

    @rule(family=family_numbers, session=session_numbers)
    def waits(self, family, session):
        """A place in line, once per course."""
        family, session, key = self.families[family], self.sessions[session], new_id()
        order = WaitingOrder(key, family.id, session.id, family.persons)
        answer = self.does(lambda: waiting.join(order, actor=None))
        mine = [each for each in self.entries if each.family is family and each.state in ("waiting", "offered")]
        if not self.open(session):
            assert answer == "not_bookable"
        elif any(
            b.state == "confirmed" and b.family is family and b.session.course == session.course for b in self.bookings
        ):
            assert answer == "already_in_course"
        elif any(each.session.course == session.course for each in mine):
            assert answer == "already_waiting"
        else:
            assert answer is None
            self.entries.append(Entry(key, family, session, self.now))

    @rule(place=places, verb=st.sampled_from(["accept", "decline", "leave"]))
    def answers(self, place, verb):
        """Yes, no, or off the list."""
        if place >= len(self.entries):
            return
        entry = self.entries[place]
        answer = self.does(lambda: getattr(waiting, verb)(entry.id, actor=None))
        if verb == "leave":
            if entry.state not in ("waiting", "offered"):
                assert answer == "not_waiting"
                return
            if entry.state == "offered":
                self.end(entry.booking, "declined")
            entry.state = "left"
        elif entry.state != "offered" or (verb == "accept" and entry.booking.until < self.now):
            assert answer == "offer_lapsed"
        elif verb == "accept":
            entry.state, entry.booking.state = "served", "confirmed"
        else:
            self.end(entry.booking, "declined")

    @rule(session=session_numbers, seldom=st.integers(0, 9))
    def is_called_off(self, session, seldom):
        """A trainer cancels: everybody gets everything back, fees too."""
        session = self.sessions[session]
        if seldom or not self.open(session):
            return
        ended = self.does(lambda: actions.cancel_session(session.id, reason="ziek", actor=None))
        live = [each for each in self.bookings if each.live and each.session is session]
        assert set(ended) == {each.id for each in live}
        session.runs = False
        for booking in live:
            self.end(booking, "cancelled")
        for booking in self.bookings:
            if booking.session is session:
                booking.family.free += booking.fee
                booking.fee = 0

    # --- what the worker does

    @rule(hours=st.integers(1, 60))
    def hours_pass(self, hours):
        """Time goes by."""
        self.now += timedelta(hours=hours)

    @rule()
    def offers_lapse(self):
        """What was not answered in time."""
        late = [each for each in self.bookings if each.state == "offered" and each.until < self.now]
        assert set(self.does(actions.expire_offers)) == {each.id for each in late}
        for booking in late:
            self.end(booking, "expired")

    @rule()
    def free_seats_are_offered(self):
        """To who waits, in order, all of a family or none."""
        found = self.does(waiting.offer_free_seats)
        assert isinstance(found, list), found
        for entry in self.entries:
            got = (b for b in self.bookings if b.state == "confirmed" and b.family is entry.family)
            if entry.state == "waiting" and any(b.session.course == entry.session.course for b in got):
                entry.state = "served"
        made = [self._offered(entry, session) for session in self._with_seats() for entry in self._line(session)]
        assert len(found) == sum(map(bool, made))

    def _with_seats(self):
        soonest = sorted(self.sessions, key=lambda each: (each.starts, each.id))
        return [each for each in soonest if self.open(each) and each.starts > self.now + DAY]

    def _line(self, session):
        """Who may be tried, in order, as long as there are seats."""
        since = max(session.freed, self.now - DAY) if session.freed else self.now - DAY
        line = [each for each in self.entries if each.session.course == session.course]
        for entry in sorted(line, key=lambda each: (each.asked, each.id)):
            if session.taken < session.seats and entry.state == "waiting" and entry.untried(session, since):
                yield entry

    def _offered(self, entry, session):
        refused = self.refusal(entry.family, session, direct=False)
        entry.tries[session.id] = (refused, self.now)
        if refused is None:
            key = waiting.uuid5(entry.id, str(session.id))
            entry.booking = self.take(key, entry.family, session, "offered", answer_until(self.now))
            entry.state = "offered"
        return refused is None

    # --- what must be the same

    @invariant()
    def the_same_seats_and_cents(self):
        """Seats, free money, and the state of every booking and place in line are what the model says."""
        if not hasattr(self, "families"):
            return
        type(self).steps += 1
        seen = self.does(self._seen)
        assert seen["seats"] == {each.id: each.taken for each in self.sessions}
        assert seen["money"] == {each.id: each.free for each in self.families if each.id in seen["money"]}
        assert seen["bookings"] == {each.id: each.state for each in self.bookings}
        assert seen["entries"] == {each.id: each.state for each in self.entries}

    async def _seen(self):
        sessions = [each.id for each in self.sessions]
        families = [each.id for each in self.families]
        own = "WHERE family = ANY($1::uuid[])"
        read = {
            "seats": ("SELECT id, seats_taken AS told FROM course_session WHERE id = ANY($1::uuid[])", sessions),
            "money": (f"SELECT family AS id, {_FREE} AS told FROM budget b {own}", families),
            "bookings": (f"SELECT id, state AS told FROM booking {own}", families),
            "entries": (f"SELECT id, state AS told FROM waiting_entry {own}", families),
        }
        return {name: {row["id"]: row["told"] for row in await fetch_all(*asked)} for name, asked in read.items()}

    def teardown(self):
        """At the end of every story the promises hold, and nothing is left that could take part in the next one."""
        if hasattr(self, "families"):
            self.now = self.began
            for session in self.sessions:
                if session.runs:
                    self.does(lambda s=session: actions.cancel_session(s.id, reason="einde", actor=None))
            assert self.does(queries.inconsistencies) == []
            assert self.does(ledger.check) == []


async def test_the_service_does_what_the_model_does(world_db):
    """Five thousand random steps leave the same seats, money, bookings and places in line as on paper."""
    await live_through(ServiceMachine, STORIES, steps=100, least=STEPS_MIN)


class EarlyMachine(ServiceMachine):
    """The same, for stories by a seed that comes soon where it must."""


GUARDS = (
    ("bookings", "book", "_origin IN ('direct', 'coordinator') AND (", "false AND ("),
    ("bookings", "others_wait", "(t.refused IS NULL OR t.tried_at >= s.freed_at)", "t.refused IS NULL"),
)
"""Room, function, a rule in it, and what stands there instead."""


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard[1])
async def test_the_model_notices_a_rule_that_is_missing(world_db, admin, guard):
    """Negative control: without one rule of the service the stories end otherwise than on paper."""
    await admin.execute(changed_function(*guard))
    with pytest.raises(AssertionError):
        await live_through(seed(2)(EarlyMachine), 60, steps=100, phases=[Phase.generate])
