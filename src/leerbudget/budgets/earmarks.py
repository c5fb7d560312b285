"""What money is earmarked for: which courses exist, what a family can spend on a session, what can never be spent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from leerbudget.budgets.queries import BudgetView
from leerbudget.budgets.rules import EARMARKS, UNKNOWN_COURSE
from leerbudget.catalogue.queries import known_courses
from leerbudget.foundation.clock import today
from leerbudget.foundation.database import fetch_all
from leerbudget.geography.postcodes import municipalities
from leerbudget.ledger.queries import MESSAGES_MAX
from leerbudget.ledger.rules import refuse


@dataclass(frozen=True, slots=True)
class Spending:
    """What earmarks and periods ask of a session. Without a municipality it is online; `on`: its first meeting."""

    theme: str
    form: str
    municipality: str | None
    course: UUID
    on: date


def spendable_cents(budgets: Iterable[BudgetView], what: Spending) -> int:
    """The cents of these budgets that may pay this session, which is to come: as `rooms.hold_money` counts them."""
    asked = dict(zip(EARMARKS, (what.theme, what.form, what.municipality, what.course), strict=True))
    return sum(
        each.free_cents
        for each in budgets
        if each.state == "active" and each.starts_on <= what.on <= each.expires_on
        if all(getattr(each, name) is None or wanted in getattr(each, name) for name, wanted in asked.items())
    )


async def refuse_unknown_courses(named: Mapping[str, Sequence[UUID] | None]) -> None:
    """Refuse earmarks, by their place in what was asked, that name a course which is not there.

    Raises:
        InvalidInput: with every such place.
    """
    wanted = {course for courses in named.values() for course in courses or ()}
    known = await known_courses(wanted) if wanted else set()
    refuse([(path, None if known.issuperset(courses or ()) else UNKNOWN_COURSE) for path, courses in named.items()])


_LOST = """
    SELECT b.id, m.name AS municipality, c.id AS course FROM budget b
    LEFT JOIN LATERAL (SELECT DISTINCT name FROM unnest(b.municipalities) AS n(name) WHERE name <> ALL ($2::text[])) m
      ON true
    LEFT JOIN LATERAL (SELECT DISTINCT n.id FROM unnest(b.courses) AS n(id)
                       WHERE NOT EXISTS (SELECT FROM course k WHERE k.id = n.id)) c ON true
    WHERE b.state = 'active' AND b.expires_on >= $1 AND (m.name IS NOT NULL OR c.id IS NOT NULL)
    ORDER BY b.id, m.name, c.id LIMIT $3
"""


async def lost_earmarks() -> list[str]:
    """Running budgets for a municipality or a course that is not there, in plain Dutch: municipalities merge."""
    messages: dict[str, None] = {}
    for row in await fetch_all(_LOST, today(), sorted(municipalities()), MESSAGES_MAX):
        if row["municipality"] is not None:
            told = f"is voor een gemeente die niet (meer) bestaat: {row['municipality']}."
            messages[f"Leerbudget {row['id']} {told}"] = None
        if row["course"] is not None:
            messages[f"Leerbudget {row['id']} is voor een cursus die niet bestaat: {row['course']}."] = None
    return list(messages)
