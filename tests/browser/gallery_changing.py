"""What the pages of the gallery show of bookings, of cancelling and of another date."""

from types import SimpleNamespace as Thing
from typing import Any

from browser.gallery_things import at

GIVEN_UP = {
    "booking_id": "b1",
    "course_title": "Zorgen voor een kind dat veel meemaakte (fictief)",
    "starts_at": at(3, 1, 19),
    "ends_at": at(3, 1, 21, 30),
    "names": ["Sanne (fictief)"],
}
CANCELLING = Thing(
    **GIVEN_UP,
    price_cents=13500,
    refund_cents=6750,
    fee_cents=6750,
    refund=[Thing(budget="leerbudget van De Brug pleegzorg (fictief)", amount_cents=6750)],
    rule="De eerste keer is dichtbij. Een deel van de prijs komt terug.",
    when_replaced=True,
    emergencies_left=2,
    dates=3,
)


def date_line(**changes: object) -> Thing:
    """Another date of the course."""
    line = {
        "session_id": "s5",
        "starts_at": at(3, 8, 19),
        "ends_at": at(3, 8, 21, 30),
        "meetings_count": 5,
        "place": "Amersfoort",
        "travel_minutes": 35,
        "travel_mode": "car",
        "price_cents": 13500,
        "seats_free": 4,
    }
    return Thing(**line | changes)


MOVING = Thing(
    **GIVEN_UP,
    at=1,
    dates=[
        date_line(),
        date_line(
            session_id="s6", starts_at=at(3, 15, 10), place=None, travel_minutes=None, travel_mode=None, seats_free=1
        ),
    ],
    quote=None,
)
MOVING_CHECK = Thing(
    **GIVEN_UP,
    at=2,
    dates=[],
    quote=date_line(
        fee_cents=6750,
        when_replaced=True,
        for_a_child=True,
        payment=[
            Thing(budget="budget voor een thema van Gemeente Voorbeeld (fictief)", amount_cents=5000),
            Thing(budget="leerbudget van De Brug pleegzorg (fictief)", amount_cents=8500),
        ],
    ),
)
BOOKING = Thing(
    id="b1",
    session_id="s1",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    state="confirmed",
    session_state="conditional",
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    meetings_count=3,
    place="Utrecht",
    names=["Sanne (fictief)", "Joris (fictief)"],
    price_cents=27000,
    may_cancel=True,
    may_catch_up=True,
    catches_up_at=None,
    elearning=False,
    cancelled_meetings=[],
    moved=False,
    fee_cents=0,
    fee_returned_cents=0,
    proposal_id=None,
    waiting_id=None,
    answer_until=None,
    to_pay_cents=0,
)


def booking(**changes: Any) -> Thing:
    return Thing(**{**vars(BOOKING), **changes})


BOOKINGS = Thing(
    upcoming=[
        BOOKING,
        booking(
            id="b2", state="offered", proposal_id="p1", answer_until=at(2, 14, 23, 59), may_cancel=False, place=None
        ),
        booking(id="b4", state="offered", waiting_id="w2", answer_until=at(2, 14, 18), may_cancel=False),
    ],
    past=[
        booking(
            id="b3",
            state="attended",
            session_state="done",
            may_cancel=False,
            catches_up_at=at(3, 11, 19),
            elearning=True,
            cancelled_meetings=[at(3, 8, 19)],
        )
    ],
)


def own_meeting(number: int, **changes: Any) -> Thing:
    """A meeting of the own group."""
    meeting = {
        "id": f"m{number}",
        "number": number,
        "starts_at": at(3, 7 * number, 19),
        "ends_at": at(3, 7 * number, 21, 30),
        "persons": [],
        "may_miss": [("x1", "Sanne (fictief)"), ("x2", "Joris (fictief)")],
        "there": None,
        "may_drop": False,
        "options": [],
        "called_off": False,
        "unit": None,
        "learns": False,
        "learnt": False,
        "may_learn": False,
    }
    return Thing(**meeting | changes)


UNIT = Thing(
    number=2,
    title="Rust vinden in een druk huis (fictief)",
    link="https://leren.voorbeeld.example/rust",
    duration_minutes=75,
)
ELEARNING = Thing(
    id="s1",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    open=True,
    meetings=[
        Thing(number=1, starts_at=at(3, 7, 19), ends_at=at(3, 7, 21, 30), called_off=False, unit=None, learners=[]),
        Thing(
            number=2,
            starts_at=at(3, 14, 19),
            ends_at=at(3, 14, 21, 30),
            called_off=True,
            unit=UNIT,
            learners=[
                Thing(booking="b1", person="x1", name="Sanne de Wit-van den Heuvel (fictief)", done=False),
                Thing(booking="b1", person="x2", name="Joris de Wit (fictief)", done=True),
            ],
        ),
    ],
)


def elsewhere(place: str | None, day: int) -> Thing:
    """The same meeting of another group."""
    minutes, mode = (35, "car") if place else (None, None)
    return Thing(
        id=f"e{day}",
        starts_at=at(3, day, 19),
        ends_at=at(3, day, 21, 30),
        place=place,
        travel_minutes=minutes,
        travel_mode=mode,
    )


_TITLE = "Zorgen voor een kind dat veel meemaakte (fictief)"
_MISSED = own_meeting(2, options=[elsewhere("Amersfoort", 16), elsewhere(None, 18)])
CATCH_UP = Thing(
    booking_id="b1",
    course_title=_TITLE,
    meetings=[own_meeting(1, may_miss=[]), _MISSED, own_meeting(3), own_meeting(4, options=[elsewhere(None, 30)])],
    chosen=None,
)
CATCHING_UP = Thing(
    booking_id="b2",
    course_title=_TITLE,
    meetings=[own_meeting(1, there=elsewhere("Amersfoort", 9), may_drop=True), own_meeting(2)],
    chosen=None,
)
CATCH_UP_CHOICE = Thing(booking_id="b1", course_title=_TITLE, meetings=[_MISSED], chosen=_MISSED)
_LEARNT = own_meeting(2, unit=UNIT, learns=True, may_drop=True, called_off=True)
LEARNING = Thing(booking_id="b4", course_title=_TITLE, meetings=[own_meeting(1), _LEARNT], chosen=None)
_FREE = own_meeting(2, unit=UNIT, may_learn=True, options=[elsewhere("Amersfoort", 16)])
LEARNING_CHOICE = Thing(booking_id="b5", course_title=_TITLE, meetings=[_FREE], chosen=_FREE)
CALL_OFF = Thing(
    id="s1",
    course_title=_TITLE,
    starts_at=at(3, 14, 19),
    ends_at=at(3, 14, 21, 30),
    meeting_id="m2",
    participants=8,
    priced=True,
)
