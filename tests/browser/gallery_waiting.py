"""What the pages of the gallery show of the waiting list."""

from datetime import date
from types import SimpleNamespace as Thing

from browser.gallery_things import BOOKING_FORM, MEETINGS, at, session

WAITING_FORM = BOOKING_FORM | {"action": "/bijeenkomsten/s1/wachtlijst"}
SEATS = Thing(
    id="w2",
    persons=["Sanne (fictief)", "Joris (fictief)"],
    price_cents=27000,
    answer_until=at(2, 14, 18),
    session=session(),
    meetings=MEETINGS,
    cancel_until=date(2027, 2, 15),
)
SEATS_LINE = Thing(id="w2", course_title="Samenwerken met ouders (fictief)", answer_until=at(2, 14, 18))
WAITING = [
    Thing(
        id="w1",
        session_id="s2",
        course_title="Samenwerken met ouders (fictief)",
        names=["Sanne (fictief)", "Joris (fictief)"],
        position=3,
        planned=True,
        passed_over=[
            Thing(starts_at=at(3, 8, 19), place="Utrecht", why="er waren minder plaatsen vrij dan u nodig hebt"),
            Thing(starts_at=at(3, 15, 19), place=None, why="u had toen al een andere bijeenkomst"),
        ],
    ),
    Thing(
        id="w3",
        session_id="s3",
        course_title="Pubers in huis (fictief)",
        names=["Sanne (fictief)"],
        position=1,
        planned=False,
        passed_over=[],
    ),
]
