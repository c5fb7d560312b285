"""What the pages of the gallery show of an organisation that settles with others."""

from datetime import date
from types import SimpleNamespace as Thing
from typing import Any


def a_month(**changes: Any) -> Thing:
    """A month in which its trainers taught families of others, and its families learned elsewhere."""
    guests = [
        Thing(name="Uw eigen organisatie", cents=812500),
        Thing(name="Gemeente Voorbeeld aan de Vaart (fictief)", cents=240000),
        Thing(name="Overige samen", cents=-4500),
    ]
    return Thing(
        **{
            "code": "2027-03",
            "first_day": date(2027, 3, 1),
            "earned_cents": 1048000,
            "guests": guests,
            "from_others_cents": 235500,
            "paid_cents": 310050,
            "hosts": [Thing(name="Pleegzorg De Meidoorn (fictief)", cents=310050)],
            "net_cents": -74550,
            **changes,
        }
    )


SETTLEMENTS = Thing(
    months=[
        a_month(),
        a_month(code="2027-02", first_day=date(2027, 2, 1), paid_cents=None, hosts=[], net_cents=None),
        a_month(code="2027-01", first_day=date(2027, 1, 1), earned_cents=9000, guests=[], from_others_cents=None, paid_cents=0, hosts=[], net_cents=None),
        a_month(code="2026-12", first_day=date(2026, 12, 1), net_cents=235500, paid_cents=0, hosts=[]),
        a_month(code="2026-11", first_day=date(2026, 11, 1), net_cents=0),
    ],
    page=1,
    last_page=2,
)  # fmt: skip
