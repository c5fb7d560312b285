"""What the pages of the gallery show of an organisation that allocates with four eyes."""

from datetime import date
from types import SimpleNamespace as Thing
from typing import Any

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
