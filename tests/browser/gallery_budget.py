"""What the pages of the gallery show of a learning budget's movements."""

from datetime import date
from types import SimpleNamespace as Thing
from typing import Any

from browser.gallery_things import BUDGET


def line(on: date, text: str, free: int, held: int = 0, **more: Any) -> Thing:
    """One movement."""
    fields = {"reason": "", "paid_cents": 0, "free_after_cents": 0, "held_after_cents": 0, "budget": "Leerbudget 2027"}
    return Thing(on=on, text=text, amount_cents=free, held_change_cents=held, **{**fields, **more})


COURSE = "Zorgen voor een kind dat veel meemaakte (fictief)"
LINES = [
    line(
        date(2027, 2, 1), f"Gereserveerd voor {COURSE}", -13500, 13500, free_after_cents=12500, held_after_cents=13500
    ),
    line(date(2027, 1, 28), "Terug naar de organisatie", -1000, reason="Afspraak gewijzigd", free_after_cents=26000),
    line(date(2027, 1, 20), f"Betaald voor {COURSE}", 0, -9000, paid_cents=9000, free_after_cents=27000),
    line(date(2027, 1, 4), f"Gereserveerd voor {COURSE}", -9000, 9000, free_after_cents=27000, held_after_cents=9000),
    line(date(2027, 1, 1), "Meegekomen uit de vorige periode", 1000, free_after_cents=36000),
    line(date(2026, 12, 2), "Toegekend", 35000, free_after_cents=35000),
]
HERE_ONLY = ("held_change_cents", "free_after_cents", "held_after_cents")
ELSEWHERE = ("granted_cents", "spent_cents", "held_cents", "available_cents", "for_what")


def without(thing: Thing, names: tuple[str, ...]) -> Thing:
    """The thing without fields that a page does not show."""
    return Thing(**{name: value for name, value in vars(thing).items() if name not in names})


BUDGET_PAGE = Thing(**vars(BUDGET), transfers=[without(each, HERE_ONLY) for each in LINES])
STATEMENT = Thing(
    budget=Thing(**vars(without(BUDGET.budgets[0], ELSEWHERE)), for_all_what="Alles in het aanbod"),
    lines=[without(each, ("budget",)) for each in LINES],
    granted_cents=35000,
    carried_in_cents=1000,
    corrected_cents=0,
    paid_cents=9000,
    returned_cents=1000,
    carried_out_cents=0,
    free_cents=12500,
    held_cents=13500,
)
