"""What the pages of the gallery show of tariffs."""

from datetime import date
from types import SimpleNamespace as Thing

from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.wording import LABELS

COURSE = "Bezoek dat goed verloopt (training, fictief)"
TARIFFS = Thing(
    address="/tarieven",
    own=False,
    tariffs=[
        Thing(id="p1", course=COURSE, scope="national", name=None, price_cents=11250, starts_on=date(2026, 1, 1), ends_on=None),
        Thing(id="p2", course=COURSE, scope="youth_region", name="Jeugdregio rond Emmen (fictief)", price_cents=12100, starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31)),
        Thing(id="p3", course=COURSE, scope="municipality", name="Hendrik-Ido-Ambacht", price_cents=10800, starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31)),
        Thing(id=None, course="Zorgen voor een kind dat veel meemaakte (fictief)", scope="organisation", name="De Brug pleegzorg (fictief)", price_cents=0, starts_on=date(2027, 3, 1), ends_on=date(2027, 6, 30)),
    ],
    more=True,
    courses=[("c1", COURSE), ("c2", "Zorgen voor een kind dat veel meemaakte (fictief)")],
    filter=Form(values={"cursus": "c1"}),
    scopes=[(scope, LABELS["tariff_scope"][scope]) for scope in ("national", "youth_region", "municipality")],
)  # fmt: skip
TARIFF_FORM = Form(
    values={"tariff_id": "p9", "course": "c1", "scope": "municipality", "municipalities": "Atlantis", "price": "x"},
    errors={
        "municipalities": "De gemeente Atlantis kennen we niet.",
        "price": "Vul een bedrag in, zoals 45 of 45,00.",
        "starts_on": "Voor deze cursus geldt daar op die dagen al een ander tarief. Beëindig dat eerst.",
    },
)
OWN_TARIFFS = Thing(**{**vars(TARIFFS), "address": "/organisatie/tarieven", "own": True, "tariffs": [], "more": False})
TARIFF = Thing(
    address="/tarieven",
    id="p2",
    course=COURSE,
    scope="youth_region",
    name="Jeugdregio rond Emmen (fictief)",
    municipalities=["Borger-Odoorn", "Coevorden", "Emmen"],
    price_cents=12100,
    starts_on=date(2027, 1, 1),
    ends_on=date(2027, 12, 31),
    withdrawn=False,
    over=False,
)
WITHDRAWN = Thing(
    **{**vars(TARIFF), "id": "p4", "scope": "national", "name": None, "municipalities": [], "withdrawn": True}
)
