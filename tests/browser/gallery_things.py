"""The made-up contents that the pages of the gallery are shown with. Everybody in here is fictional."""

from datetime import UTC, date, datetime
from types import SimpleNamespace as Thing
from typing import Any

from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.wording import LABELS


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, month, day, hour - 1, minute, tzinfo=UTC)


CHOICES = Thing(
    themes=list(LABELS["theme"].items()),
    forms=list(LABELS["form"].items()),
    courses=[("c1", "Zorgen voor een kind dat veel meemaakte (fictief)"), ("c2", "Afscheid nemen (fictief)")],
)
"""What an organisation may choose for what its money is."""


def session(**changes: Any) -> Thing:
    return Thing(
        **{
            "id": "s1",
            "course_title": "Zorgen voor een kind dat veel meemaakte (fictief)",
            "theme": "trauma",
            "form": "group_training",
            "state": "conditional",
            "goal": "U herkent stress bij een kind. U weet wat u kunt doen als een kind schrikt, vlucht of vecht. En u zorgt daarbij ook voor uzelf.",
            "trainer": "Bram Hoekstra (fictief)",
            "starts_at": at(3, 1, 19),
            "ends_at": at(3, 1, 21, 30),
            "meetings_count": 3,
            "place": "Utrecht",
            "venue": "Buurthuis De Linde (fictief)",
            "travel_minutes": 25,
            "travel_mode": "car",
            "price_cents": 13500,
            "seats_free": 4,
            "childcare": True,
            "fits": ["Het gaat over uw eerste wens.", "U kunt op alle drie de avonden."],
            "affordable": True,
            **changes,
        }
    )


MEETINGS = [Thing(starts_at=at(3, d, 19), ends_at=at(3, d, 21, 30)) for d in (1, 8, 15)]
PAYMENT = [
    Thing(budget="uw leerbudget 2027 van De Brug (fictief)", amount_cents=25000, after_cents=0),
    Thing(
        budget="het extra budget voor trauma van gemeente Lindehoven (fictief)", amount_cents=2000, after_cents=13000
    ),
]
BALANCE = Thing(
    granted_cents=50000,
    spent_cents=9000,
    held_cents=13500,
    available_cents=27500,
    expires_on=date(2027, 12, 31),
    expires_cents=27500,
)
PROPOSAL = Thing(
    id="p1",
    state="offered",
    answer_until=at(2, 14, 23, 59),
    theme="trauma",
    persons=["Sanne (fictief)", "Joris (fictief)"],
    session=session(),
    meetings=MEETINGS,
    reasons=[
        "Het gaat over uw eerste wens: Trauma en veiligheid.",
        "U en Joris kunnen allebei op alle drie de avonden.",
        "De reis duurt ongeveer 25 minuten. U wilde hooguit 45 minuten reizen.",
        "De groep is speciaal voor gezinnen met kinderen van 4 tot en met 8 jaar.",
        "Er is opvang voor uw kind.",
    ],
    price_cents=27000,
    payment=PAYMENT,
    own_cents=0,
    cancel_until=date(2027, 2, 15),
    decline_reasons=list(LABELS["decline_reason"].items()),
    alternatives=[
        Thing(
            session_id="s2",
            course_title="Veilig thuis voelen (fictief)",
            starts_at=at(3, 4, 10),
            why_not="Joris kan niet op donderdagochtend.",
        )
    ],
)
WISHES = [
    Thing(
        id="w1",
        theme="trauma",
        forms=["group_training", "theme_meeting"],
        urgent=True,
        state="proposed",
        persons=["Sanne (fictief)", "Joris (fictief)"],
        waiting_rounds=0,
        why_not=[],
        would_help=[],
        proposal_id="p1",
        may_change=False,
        may_withdraw=False,
    ),
    Thing(
        id="w2",
        theme="birth_parents",
        forms=[],
        urgent=False,
        state="open",
        persons=["Sanne (fictief)"],
        waiting_rounds=1,
        why_not=["Alle groepen binnen 45 minuten reizen waren vol."],
        would_help=["Een kwartier verder reizen. Dan was er plaats in Amersfoort."],
        proposal_id=None,
        may_change=True,
        may_withdraw=True,
    ),
]
PERSONS = [
    Thing(id="a1", name="Sanne", is_me=True, free=True, why_not=None),
    Thing(id="a2", name="Joris", is_me=False, free=False, why_not="Heeft maandag 8 maart al een afspraak."),
]
BUDGET = Thing(
    total=BALANCE,
    buys_count=14,
    budgets=[
        Thing(
            id="g1",
            name="Leerbudget 2027",
            organisation="De Brug (fictief)",
            state="active",
            granted_cents=35000,
            spent_cents=9000,
            held_cents=13500,
            available_cents=12500,
            starts_on=date(2027, 1, 1),
            expires_on=date(2027, 12, 31),
            for_what="Alles in het aanbod",
        ),
        Thing(
            id="g2",
            name="Extra voor trauma",
            organisation="gemeente Lindehoven (fictief)",
            state="active",
            granted_cents=15000,
            spent_cents=0,
            held_cents=0,
            available_cents=15000,
            starts_on=date(2027, 1, 1),
            expires_on=date(2027, 6, 30),
            for_what="Trauma en veiligheid, alleen in Arnhem, Duiven, Ede, Renkum en 12 andere gemeenten",
        ),
    ],
    page=1,
    last_page=2,
)
ORGANISATION = Thing(
    name="De Brug pleegzorg (fictief)",
    kind="provider",
    pot_cents=1234500,
    topped_up_cents=25000000,
    settled_cents=1240000,
    granted_cents=23765500,
    spent_cents=8120000,
    held_cents=1930000,
    available_cents=13715500,
    returned_cents=0,
    regions=[
        Thing(
            region="Midden-IJssel/Oost-Veluwe",
            families=312,
            granted_cents=7800000,
            spent_cents=2600000,
            held_cents=700000,
            available_cents=4500000,
        ),
        Thing(
            region="Kop van Noord-Holland",
            families=None,
            granted_cents=None,
            spent_cents=None,
            held_cents=None,
            available_cents=None,
        ),
    ],
    top_ups=[
        Thing(
            reference="RF18539007547034",
            amount_cents=25000000,
            state="succeeded",
            requested_on=date(2027, 1, 2),
            purchase_order="PO-2027-118",
            received_on=date(2027, 1, 5),
        ),
        Thing(
            reference="RF45000000000118",
            amount_cents=5000000,
            state="open",
            requested_on=date(2027, 2, 2),
            purchase_order=None,
            received_on=None,
        ),
    ],
    grants=[
        Thing(
            on=date(2027, 1, 6),
            families=951,
            amount_cents=25000,
            total_cents=23775000,
            expires_on=date(2027, 12, 31),
            for_what="Alles in het aanbod",
        )
    ],
    may_grant=True,
    may_top_up=True,
    may_pay_online=True,
    may_see_settlements=True,
    choices=CHOICES,
)


def trainer_session(**changes: Any) -> Thing:
    return Thing(
        **{
            "id": "s1",
            "course_title": "Zorgen voor een kind dat veel meemaakte (fictief)",
            "form": "group_training",
            "state": "conditional",
            "starts_at": at(3, 1, 19),
            "ends_at": at(3, 1, 21, 30),
            "meetings_count": 3,
            "place": "Utrecht",
            "seats_taken": 5,
            "seats_min": 6,
            "seats_max": 12,
            "decide_on": date(2027, 2, 20),
            "attendance_open": False,
            **changes,
        }
    )


MEETING = Thing(
    id="m1",
    number=1,
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    open=True,
    may_cancel=False,
    attendance={"x1": "present", "x2": "planned"},
)
TRAINER_SESSION = Thing(
    id="s1",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    state="running",
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    place="Utrecht",
    venue="Buurthuis De Linde (fictief)",
    seats_taken=8,
    seats_min=6,
    seats_max=12,
    participants=[
        Thing(person_id="x1", name="Sanne de Wit (fictief)", email="sanne@voorbeeld.example", guest=False),
        Thing(person_id="x2", name="Joris de Wit (fictief)", email=None, guest=True),
    ],
    childcare=[Thing(age_band="a4_8", children=2)],
    meetings=[
        MEETING,
        Thing(
            id="m2",
            number=2,
            starts_at=at(3, 8, 19),
            ends_at=at(3, 8, 21, 30),
            open=False,
            may_cancel=True,
            attendance={"x1": "elsewhere", "x2": None},
        ),
    ],
    meeting=MEETING,
    cancelled_meetings=[Thing(starts_at=at(3, 15, 19), ends_at=at(3, 15, 21, 30))],
    may_cancel=True,
    expected=("planned", "present", "absent"),
)
FAIRNESS = [
    Thing(
        title="Per soort gezin",
        rows=[
            Thing(group="Bestandspleeggezin", seekers=980, placed_share=0.871),
            Thing(group="Netwerkpleeggezin", seekers=540, placed_share=0.866),
            Thing(group="Grootouderpleeggezin", seekers=None, placed_share=None),
        ],
    ),
    Thing(
        title="Per regio",
        rows=[
            Thing(group="Groningen", seekers=88, placed_share=0.81),
            Thing(group="Midden-IJssel/Oost-Veluwe", seekers=140, placed_share=0.9),
        ],
    ),
]
ROUND = Thing(
    id="r1",
    name="Voorjaar 2027",
    state="audited",
    seed=20270301,
    starts_on=date(2027, 3, 1),
    ends_on=date(2027, 6, 30),
    answer_until=None,
    solving=False,
    to_send=0,
    seekers=2000,
    wishes=2388,
    sessions=250,
    seats=2901,
    result=Thing(
        placed_wishes=1820,
        placed_seekers=1741,
        families=2000,
        placed_share=0.8705,
        sessions_running=214,
        sessions_empty=36,
        score=1834220,
        bound=1840015,
        gap=0.0031,
        seconds=[("Kandidaten zoeken", 1.4), ("Verdelen", 58.2), ("Controleren", 2.1)],
        travel_minutes_median=27,
    ),
    audit=Thing(passed=True, rules_checked=17, problems=[]),
    unplaced=[
        Thing(reason="Er was geen bijeenkomst over dit thema op een moment dat kon.", wishes=230),
        Thing(reason="Alle passende groepen waren vol.", wishes=141),
        Thing(reason="De prijs was hoger dan het leerbudget.", wishes=64),
    ],
    fairness=FAIRNESS,
    answers=None,
    steps=[
        Thing(
            action="publiceren",
            text="Publiceren",
            explain="Elk gezin met een plaats krijgt een voorstel. De plaatsen en het geld worden vastgehouden.",
            primary=True,
        ),
        Thing(
            action="berekenen",
            text="Opnieuw berekenen",
            explain="U kunt ook nog een keer rekenen, met hetzelfde lotnummer.",
            primary=False,
        ),
    ],
)


def matching_round(**changes: Any) -> Thing:
    return Thing(**{**vars(ROUND), **changes})


SEARCH = Thing(
    total=37,
    page=2,
    last_page=4,
    page_address="/zoeken?thema=trauma&pagina=",
    for_family=True,
    results=[
        session(),
        session(
            id="s2",
            place=None,
            venue=None,
            travel_minutes=None,
            travel_mode=None,
            form="webinar",
            price_cents=2500,
            childcare=False,
            fits=[],
            meetings_count=1,
            affordable=False,
            state="confirmed",
            seats_free=0,
        ),
    ],
)
BOOKING_FORM = {
    "action": "/bijeenkomsten/s1/inschrijven",
    "session": session(),
    "persons": PERSONS,
    "childcare_bands": ["a4_8"],
    "unpaid": None,
}
QUOTE = Thing(
    names=["Sanne (fictief)", "Joris (fictief)"],
    children=["1 kind van 4 tot en met 8 jaar"],
    price_cents=27000,
    payment=PAYMENT,
    own_cents=0,
    pays_all=True,
    cancel_until=date(2027, 2, 15),
)
SESSION_PAGE = Thing(
    **{
        **{
            k: v
            for k, v in vars(session()).items()
            if k not in {"childcare", "trainer", "fits", "affordable", "starts_at", "ends_at", "meetings_count"}
        },
        "trainers": ["Bram Hoekstra (fictief)", "Noor Smit (fictief)"],
        "cancelled_meetings": [Thing(starts_at=at(3, 22, 19), ends_at=at(3, 22, 21, 30))],
        "meetings": MEETINGS,
        "wheelchair": True,
        "municipality": "Utrecht",
        "seats_min": 6,
        "seats_max": 12,
        "decide_on": date(2027, 2, 20),
        "childcare": [Thing(age_band="a4_8", places_free=3), Thing(age_band="a0_3", places_free=0)],
        "audience": [
            Thing(fit="for", who="gezinnen met een kind van 4 tot en met 8 jaar"),
            Thing(fit="not_for", who="crisispleegzorg"),
        ],
        "cancellation": [
            Thing(days_before=14, refund_percent=100),
            Thing(days_before=7, refund_percent=50),
            Thing(days_before=0, refund_percent=0),
        ],
        "free_when_replaced": True,
        "emergencies_per_year": 2,
        "no_show_percent": 50,
        "to_come": True,
        "price_source": "Tarief van de gemeente Utrecht, geldig tot en met 31 december 2027.",
        "may_book": True,
        "booked": False,
        "offered": False,
        "waits": False,
        "may_wait": True,
        "why_not_book": None,
    }
)
OVERVIEW = {
    "display_name": "Sanne",
    "balance": BALANCE,
    "buys_count": 14,
    "availability_known": True,
}
NEXT = Thing(
    id="b1",
    session_id="s1",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    place="Utrecht",
    travel_minutes=25,
    travel_mode="car",
)
PROPOSAL_LINE = Thing(
    id="p1",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    place="Utrecht",
    travel_minutes=25,
    travel_mode="car",
    answer_until=at(2, 14, 23, 59),
)
WISH_ERRORS = Form(
    values={
        "situation": "Ons kind slaapt slecht.",
        "persons": [],
        "forms": ["webinar"],
        "urgent": "ja",
        "wish_id": "w9",
    },
    errors={
        "theme": "Kies een thema. Weet u het nog niet? Kies dan de laatste regel.",
        "persons": "Kies wie er meegaat.",
    },
)
WISH_FORM = Thing(
    action="/wensen",
    adding=True,
    persons=[Thing(id="a1", name="Sanne", is_me=True), Thing(id="a2", name="Joris", is_me=False)],
)
AVAILABILITY = Thing(
    persons=[Thing(id="a1", name="Sanne"), Thing(id="a2", name="Joris")],
    exceptions=[Thing(id="e1", person="Sanne", starts_at=at(3, 22, 9), ends_at=at(3, 26, 22), one_day=False)],
)
WEEK = Form(values={"week-a1": ["2", "5", "8"], "week-a2": ["2", "14"]})
MAIL = Thing(id="n1", to="sanne@voorbeeld.example", subject="Er staat een bericht voor u klaar", sent_at=at(2, 1, 9))
