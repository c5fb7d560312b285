"""Read an organisation's limit and the grants that wait for a second person. Amounts are cents."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.budgets.rules import EARMARKS
from leerbudget.foundation.database import fetch_all, fetch_value

REQUESTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class GrantRequestView:
    """Grants that wait, or were decided on. `least_cents` and `most_cents`: the smallest and largest single grant."""

    id: UUID
    organisation: UUID
    state: str
    families: int
    total_cents: int
    least_cents: int
    most_cents: int
    starts_on: date
    expires_on: date
    themes: tuple[str, ...]
    forms: tuple[str, ...]
    municipalities: tuple[str, ...]
    courses: tuple[UUID, ...]
    course_titles: tuple[str, ...]
    asked_by: UUID
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str | None


# One amount, period and earmark is the rule; what differs within a request is shown as its widest.
_REQUESTS = """
    SELECT r.id, r.organisation, r.state, r.families, r.total_cents, o.least_cents, o.most_cents, o.starts_on,
           o.expires_on, o.themes, o.forms, o.municipalities, o.courses,
           array(SELECT c.title FROM course c WHERE c.id = ANY (o.courses) ORDER BY c.title, c.id) AS course_titles,
           r.asked_by, r.asked_at, r.decided_by, r.decided_at, r.reason
    FROM grant_request r CROSS JOIN LATERAL (
        SELECT min(w.amount_cents) AS least_cents, max(w.amount_cents) AS most_cents, min(w.starts_on) AS starts_on,
               max(w.expires_on) AS expires_on,
               array(SELECT DISTINCT jsonb_array_elements_text(e -> 'themes') FROM jsonb_array_elements(r.orders) e
                     WHERE jsonb_typeof(e -> 'themes') = 'array') AS themes,
               array(SELECT DISTINCT jsonb_array_elements_text(e -> 'forms') FROM jsonb_array_elements(r.orders) e
                     WHERE jsonb_typeof(e -> 'forms') = 'array') AS forms,
               array(SELECT DISTINCT jsonb_array_elements_text(e -> 'municipalities')
                     FROM jsonb_array_elements(r.orders) e
                     WHERE jsonb_typeof(e -> 'municipalities') = 'array') AS municipalities,
               array(SELECT DISTINCT jsonb_array_elements_text(e -> 'courses')::uuid
                     FROM jsonb_array_elements(r.orders) e
                     WHERE jsonb_typeof(e -> 'courses') = 'array') AS courses
        FROM jsonb_to_recordset(r.orders) AS w(amount_cents bigint, starts_on date, expires_on date)
    ) o
    WHERE r.organisation = $1 AND ($2::uuid IS NULL OR r.id = $2)
    ORDER BY r.state <> 'asked', r.asked_at DESC, r.id DESC LIMIT $3
"""


async def limit_of(organisation: UUID) -> int | None:
    """Above how many cents this organisation wants a second person; None: never."""
    found: int | None = await fetch_value("SELECT limit_cents FROM grant_limit WHERE organisation = $1", organisation)
    return found


async def requests_of(organisation: UUID, only: UUID | None = None) -> list[GrantRequestView]:
    """The organisation's requests, what waits first, then the latest; `only` the one with this id."""
    rows = await fetch_all(_REQUESTS, organisation, only, REQUESTS_SHOWN)
    lists = (*EARMARKS, "course_titles")
    return [GrantRequestView(**dict(row) | {name: tuple(sorted(row[name])) for name in lists}) for row in rows]
