"""What the pages of the gallery show of an organisation that allocates with four eyes."""

from datetime import date
from types import SimpleNamespace as Thing
from typing import Any

from browser.gallery_things import CHOICES
from leerbudget.entrypoints.web.templating import Form


def a_request(**changes: Any) -> Thing:
    """Grants that wait for a colleague."""
    return Thing(
        **{
            "id": "g1",
            "state": "asked",
            "total_cents": 1200000,
            "families": 48,
            "each": "€ 250,00 per gezin",
            "for_what": "Trauma en veiligheid, Hechting",
            "starts_on": date(2027, 2, 3),
            "expires_on": date(2027, 12, 31),
            "asked_by": "financien.eerste.medewerker@debrugpleegzorg.example",
            "decided_by": None,
            "asked_on": date(2027, 2, 3),
            "decided_on": None,
            "reason": None,
            "limit_cents": 1000000,
            "may_decide": True,
            "own": False,
            **changes,
        }
    )


REQUESTS = [
    Thing(
        id="g1",
        state="asked",
        families=48,
        total_cents=1200000,
        asked_on=date(2027, 2, 3),
        expires_on=date(2027, 12, 31),
    ),
    Thing(
        id="g0",
        state="refused",
        families=2,
        total_cents=900000,
        asked_on=date(2027, 1, 12),
        expires_on=date(2027, 12, 31),
    ),
]
REFUSED = a_request(
    state="refused",
    decided_by="tweede@debrugpleegzorg.example",
    decided_on=date(2027, 2, 4),
    reason="Wij wachten op de begroting van het volgende jaar. Vraag het daarna opnieuw aan.",
    may_decide=False,
)
WRONG = Form(
    values={"reason": ""},
    errors={"approve": "Er staat niet genoeg in de pot. Er staat € 800,00 in de pot.", "reason": "Vul hier tekst in."},
)

POLICIES = Thing(
    policies=[
        Thing(
            id="b1",
            name="Groep met vrij budget (fictief)",
            each="€ 500,00 per gezin",
            starts_on=date(2027, 1, 1),
            ends_on=date(2027, 12, 31),
            families=120,
            granted_cents=6000000,
            held_cents=810000,
            spent_cents=2145050,
            using_percent=71,
            own_choice_percent=96,
        ),
        Thing(
            id="b2",
            name="Groep met thema (fictief)",
            each="€ 250,00 per pleegouder",
            starts_on=date(2027, 1, 1),
            ends_on=date(2027, 12, 31),
            families=18,
            granted_cents=450000,
            held_cents=None,
            spent_cents=None,
            using_percent=None,
            own_choice_percent=None,
        ),
        Thing(
            id=None,
            name="Kleine groep (fictief)",
            each="€ 250,00 per gezin",
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            families=None,
            granted_cents=None,
            held_cents=None,
            spent_cents=None,
            using_percent=None,
            own_choice_percent=None,
        ),
    ],
    may_add=True,
    choices=CHOICES,
    earlier=[("b1", "Groep met vrij budget (fictief)"), ("b2", "Groep met thema (fictief)")],
)
POLICY_FORM = Form(
    values={"policy_id": "b9", "per": "family", "starts_on": "2028-01-01", "ends_on": "2028-12-31", "each": "x"},
    errors={
        "name": "Vul hier tekst in.",
        "each": "Vul een bedrag in, zoals 250.",
        "municipalities": "De gemeente Renkem kennen we niet. Bedoelt u Renkum?",
    },
)
POLICY = Thing(
    id="b1",
    name="Groep met vrij budget (fictief)",
    each="€ 500,00 per gezin",
    for_what="Alles in het aanbod",
    starts_on=date(2027, 1, 1),
    ends_on=date(2027, 12, 31),
    carry="Hooguit € 200,00 en 50 procent gaat mee naar de volgende periode.",
    follows=None,
    families=120,
    families_waiting=12,
    families_free=34,
    over=False,
    grant_id="g9",
)
