"""Read policies and what became of their cohorts (R02). Amounts are cents; families are counted, never named."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from leerbudget.budgets.rules import EARMARKS
from leerbudget.foundation.database import fetch_all
from leerbudget.people.rules import SMALLEST_GROUP


@dataclass(frozen=True, slots=True)
class CohortView:
    """A policy and its cohort. What is free, held and spent may hold cents carried over from the period before.

    `families_granted` have their budget; `families_using` held or spent anything of it.
    """

    policy: UUID
    name: str
    amount_cents: int
    per: str
    starts_on: date
    ends_on: date
    themes: tuple[str, ...] | None
    forms: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None
    courses: tuple[UUID, ...] | None
    course_titles: tuple[str, ...]
    carry_cents_max: int | None
    carry_percent_max: int | None
    follows: UUID | None
    families: int
    families_granted: int
    families_using: int
    granted_cents: int
    free_cents: int
    held_cents: int
    spent_cents: int


_COHORTS = """
    SELECT p.id AS policy, p.name, p.amount_cents, p.per, p.starts_on, p.ends_on, p.themes, p.forms,
           p.municipalities, p.courses,
           array(SELECT c.title FROM course c WHERE c.id = ANY (p.courses) ORDER BY c.title, c.id) AS course_titles,
           p.carry_cents_max, p.carry_percent_max, p.follows,
           (SELECT count(*) FROM cohort_family c WHERE c.policy = p.id) AS families,
           count(DISTINCT b.family) AS families_granted,
           count(DISTINCT b.family) FILTER (WHERE b.held_cents > 0 OR b.spent_cents > 0) AS families_using,
           coalesce(sum(b.granted_cents), 0)::bigint AS granted_cents,
           coalesce(sum(b.free_cents), 0)::bigint AS free_cents,
           coalesce(sum(b.held_cents), 0)::bigint AS held_cents,
           coalesce(sum(b.spent_cents), 0)::bigint AS spent_cents
    FROM grant_policy p
    LEFT JOIN (
        SELECT b.policy, b.family, b.granted_cents, a.debits_pending_cents AS held_cents,
               a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents AS free_cents,
               (SELECT coalesce(sum(t.amount_cents), 0) FROM transfer t
                WHERE t.debit = b.account AND t.kind = 'booking' AND t.phase = 'post')
               - (SELECT coalesce(sum(t.amount_cents), 0) FROM transfer t
                  WHERE t.credit = b.account AND t.kind = 'fee_return') AS spent_cents
        FROM budget b JOIN account a ON a.id = b.account WHERE b.organisation = $1 AND b.policy IS NOT NULL
    ) b ON b.policy = p.id
    WHERE p.organisation = $1
    GROUP BY p.id ORDER BY p.starts_on DESC, p.name, p.id
"""

# By lot, and the same lot whenever it is drawn again: nobody chooses who gets which policy.
_TO_DRAW = """
    SELECT f.id FROM grant_policy p JOIN family f ON f.organisation = p.organisation
    WHERE p.id = $1 AND f.active AND NOT EXISTS (
        SELECT FROM cohort_family c WHERE c.family = f.id AND c.organisation = p.organisation
          AND daterange(c.starts_on, c.ends_on, '[]') && daterange(p.starts_on, p.ends_on, '[]'))
    ORDER BY md5(p.id::text || f.id::text), f.id LIMIT $2
"""


async def cohorts_of(organisation: UUID) -> list[CohortView]:
    """The organisation's policies with their cohorts, the latest period first."""
    lists = (*EARMARKS, "course_titles")
    return [
        CohortView(**dict(row) | {name: None if row[name] is None else tuple(row[name]) for name in lists})
        for row in await fetch_all(_COHORTS, organisation)
    ]


async def families_to_draw(policy: UUID, number: int | None) -> list[UUID]:
    """So many active families that the organisation guides and that are in no cohort of the period, by lot; None: all."""
    return [row["id"] for row in await fetch_all(_TO_DRAW, policy, number)]


@dataclass(frozen=True, slots=True)
class CohortFigures:
    """What may be told of a cohort: None where fewer than five families, or bookings, could be recognised in it."""

    families: int | None
    granted_cents: int | None
    held_cents: int | None
    spent_cents: int | None
    using_percent: int | None
    own_choice_percent: int | None


def figures(cohorts: Sequence[CohortView], bookings: dict[UUID, tuple[int, int]]) -> dict[UUID, CohortFigures]:
    """The figures of each cohort, small cells left out, also where they would follow by subtraction.

    `bookings`: per policy how many bookings its budgets paid for, and how many of them somebody else approved
    or made for the family (R03).
    """
    hidden = _hidden(cohorts)
    return {each.policy: _figures(each, bookings.get(each.policy, (0, 0)), each.policy in hidden) for each in cohorts}


def _hidden(cohorts: Sequence[CohortView]) -> set[UUID]:
    """The small cohorts; with the next smallest when all that is hidden still counts fewer than five families."""
    found: set[UUID] = set()
    together = 0
    for each in sorted(cohorts, key=lambda cohort: (cohort.families, cohort.policy)):
        if each.families >= SMALLEST_GROUP and not 0 < together < SMALLEST_GROUP:
            break
        found.add(each.policy)
        together += each.families
    return found


def _figures(each: CohortView, bookings: tuple[int, int], hidden: bool) -> CohortFigures:  # noqa: FBT001 - private
    if hidden:
        return CohortFigures(None, None, None, None, None, None)
    few = 0 < each.families_using < SMALLEST_GROUP
    made, approved = bookings
    return CohortFigures(
        families=each.families,
        granted_cents=each.granted_cents,
        held_cents=None if few else each.held_cents,
        spent_cents=None if few else each.spent_cents,
        using_percent=_percent(each.families_using, each.families_granted),
        own_choice_percent=_percent(made - approved, made),
    )


def _percent(part: int, whole: int) -> int | None:
    """A part in whole percents; None when it, or the rest, is about one to four."""
    if whole < SMALLEST_GROUP or 0 < part < SMALLEST_GROUP or 0 < whole - part < SMALLEST_GROUP:
        return None
    return round(100 * part / whole)
