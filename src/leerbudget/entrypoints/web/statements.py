"""Movements of a learning budget in plain Dutch: what happened, why, and what it did to what is free and held."""

from collections.abc import Mapping
from uuid import UUID

from leerbudget.budgets.queries import Mutation
from leerbudget.budgets.statements import Statement
from leerbudget.entrypoints.web.pages import View
from leerbudget.foundation import clock

_TEXTS = {
    ("grant", "posted"): "Toegekend",
    ("grant_return", "posted"): "Terug naar de organisatie",
    ("carry_over", "in"): "Meegekomen uit de vorige periode",
    ("carry_over", "out"): "Meegegaan naar de volgende periode",
    ("booking", "reserve"): "Gereserveerd voor {title}",
    ("booking", "post"): "Betaald voor {title}",
    ("booking", "void"): "Weer vrij van {title}",
    ("booking", "expire"): "Weer vrij van {title}",
    ("fee_return", "posted"): "Kosten van annuleren terug voor {title}",
    ("correction", "posted"): "Verbetering",
}

REASONS = {
    "Periode voorbij": "De periode is voorbij",
    "Mee naar de volgende periode": "",
    "declined": "U koos het niet",
    "expired": "De tijd om te antwoorden was voorbij",
    "cancelled": "U annuleerde",
    "session_cancelled": "De bijeenkomst ging niet door",
    "moved": "U ging naar een andere datum",
    "replaced": "Een ander nam uw plaats in",
    "attended": "",
    "no_show": "U was er niet bij",
}
"""What the rooms write as a reason → what a family reads; anything else somebody wrote for people."""


def movement(line: Mutation, names: Mapping[UUID, str], titles: Mapping[UUID, str]) -> View:
    """One movement as a family reads it. `amount_cents` is what there is more or less to spend because of it."""
    title = titles.get(line.purpose, "een cursus") if line.purpose else "een cursus"
    way = line.phase
    if line.kind == "carry_over":
        way = "in" if line.free_change_cents > 0 else "out"
    return View(
        on=line.at.astimezone(clock.AMSTERDAM).date(),
        text=_TEXTS.get((line.kind, way), "Mutatie").format(title=title),
        reason=REASONS.get(line.reason, line.reason) if line.reason else "",
        budget=names.get(line.budget, ""),
        amount_cents=line.free_change_cents,
        held_change_cents=line.held_change_cents,
        paid_cents=line.paid_cents,
        free_after_cents=line.free_after_cents,
    )


def statement_view(budget: View, told: Statement, titles: Mapping[UUID, str]) -> View:
    """A budget with its movements, newest first, and the sums of them."""
    lines = []
    for each in reversed(told.lines):
        line = movement(each.movement, {}, titles)
        line.held_after_cents = each.held_after_cents
        lines.append(line)
    return View(
        budget=budget,
        lines=lines,
        granted_cents=told.granted_cents,
        carried_in_cents=told.carried_in_cents,
        corrected_cents=told.corrected_cents,
        paid_cents=told.paid_cents,
        returned_cents=told.returned_cents,
        carried_out_cents=told.carried_out_cents,
        free_cents=told.free_cents,
        held_cents=told.held_cents,
    )
