"""What the pages of the gallery show of dialogues."""

from types import SimpleNamespace as Thing

from browser.gallery_things import at
from leerbudget.bookings.dialogues import PartyShare
from leerbudget.entrypoints.web.templating import Form

PARTIES = (
    PartyShare("foster_care_workers", 1, 2, 4, 0),
    PartyShare("foster_parents", 4, 2, 4, 3),
    PartyShare("guardian_workers", 3, 2, 3, 1),
)
_DIALOGUE = {
    "id": "s7",
    "course_title": "Samen om het kind (fictief)",
    "form": "dialogue",
    "state": "conditional",
    "open": True,
    "starts_at": at(3, 8, 19),
    "ends_at": at(3, 8, 21, 30),
    "place": "Utrecht",
    "seats_taken": 8,
    "seats_min": 6,
    "seats_max": 11,
    "spread_max": 1,
    "parties": PARTIES,
    "missing": ("foster_care_workers",),
}
_LINE = {name: _DIALOGUE[name] for name in ("id", "course_title", "state", "starts_at", "place", "parties", "missing")}
DIALOGUES = Thing(
    dialogues=[Thing(**_LINE), Thing(**_LINE | {"id": "s8", "state": "confirmed", "place": None, "missing": ()})]
)
SEATED = [
    Thing(booking="b1", name="Femke Dijkstra (fictief)", party="foster_care_workers", state="offered"),
    Thing(booking="b2", name="Ruben Willemsen (fictief)", party="guardian_workers", state="confirmed"),
    Thing(booking="b3", name="Noor van den Heuvel-Oosterhuis (fictief)", party="guardian_workers", state="confirmed"),
]
IN_LINE = [Thing(entry="w1", name="Karin Postma (fictief)", party="guardian_workers", asked_at=at(2, 11, 9))]
SEAT_FORM = Form(values={"seat_id": "p1"})
SEAT_ERROR = Form(
    values={"seat_id": "p1", "who": "r.willemsen@voorbeeld.example"},
    errors={"who": "Voor deze partij is geen plaats vrij. U kunt deze persoon op de wachtlijst zetten."},
)


def dialogue(**changes: object) -> Thing:
    """The page of one dialogue."""
    filled = {"seated": SEATED, "in_line": IN_LINE, "taking_back": None}
    return Thing(**_DIALOGUE | filled | changes)


_SHOWN = {
    "id": "s7",
    "course_title": "Samen om het kind (fictief)",
    "form": "dialogue",
    "goal": "U luistert naar elkaar en zoekt samen wat een kind helpt.",
    "place": "Utrecht",
    "venue": "Buurthuis De Linde (fictief)",
}


def _line(**changes: object) -> Thing:
    """One seat of somebody without a family, in the list."""
    seat = {
        "booking": "b1",
        "title": "Samen om het kind (fictief)",
        "form": "dialogue",
        "state": "offered",
        "session_state": "conditional",
        "starts_at": at(3, 8, 19),
        "first_meeting_ends_at": at(3, 8, 21, 30),
        "meetings": 2,
        "place": "Utrecht",
        "offered_until": at(2, 20, 23, 59),
        "may_give_up": False,
    }
    return Thing(**seat | changes)


OWN_SEATS = Thing(
    offers=[_line()],
    coming=[_line(booking="b2", state="confirmed", offered_until=None, may_give_up=True)],
    past=[_line(booking="b3", state="declined", offered_until=None, meetings=1, place=None)],
)


def own_seat(**changes: object) -> Thing:
    """The page of one seat."""
    filled = {
        "id": "b1",
        "state": "offered",
        "session_state": "conditional",
        "answer_until": at(2, 20, 23, 59),
        "may_give_up": False,
        "session": Thing(**_SHOWN),
        "meetings": [Thing(starts_at=at(3, 8, 19), ends_at=at(3, 8, 21, 30))],
        "reasons": ["Het is dichtbij: ongeveer 20 minuten met de fiets.", "De tijd past in uw week."],
        "decline_reasons": [("no_time", "Ik kan dan niet"), ("too_far", "Het is te ver weg")],
    }
    return Thing(**filled | changes)
