"""Read the budgets: for families, organisations, the matcher and the auditor. Amounts are cents."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from leerbudget.budgets.rules import EARMARKS, PaymentShare, kept
from leerbudget.foundation.clock import today
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.foundation.money import euros
from leerbudget.ledger.queries import MESSAGES_MAX, one_long_look


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget: granted + carried in = free + held + spent + returned + carried out (to the next period)."""

    id: UUID
    organisation: UUID
    organisation_name: str
    external_ref: str
    granted_cents: int
    free_cents: int
    held_cents: int
    spent_cents: int
    returned_cents: int
    carried_in_cents: int
    carried_out_cents: int
    starts_on: date
    expires_on: date
    themes: tuple[str, ...] | None
    forms: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None
    courses: tuple[UUID, ...] | None
    course_titles: tuple[str, ...]
    carry_over: bool
    state: str


class MatchingBudget(NamedTuple):
    """A budget as the matcher counts with it."""

    budget: UUID
    available_cents: int
    themes: tuple[str, ...] | None
    forms: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None
    courses: tuple[UUID, ...] | None
    expires_on: date
    starts_on: date


@dataclass(frozen=True, slots=True)
class Mutation:
    """One line of a family's statement.

    Per budget the changes add up to what is free (`free_after_cents`), what is held and what was paid. Money that
    is carried over is two lines with one number: out of one budget, into the next.
    """

    number: int
    at: datetime
    budget: UUID
    organisation_name: str
    kind: str
    phase: str
    amount_cents: int
    free_change_cents: int
    held_change_cents: int
    paid_cents: int
    free_after_cents: int
    purpose: UUID | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PotView:
    """An organisation's pot: free = topped up + settled + returned + corrected - granted - taken back.

    `settled_cents`: what trainers who work for it earned, once their months were settled. `taken_back_cents`: what went
    back to the payer, or was called back by its bank.
    """

    organisation: UUID
    topped_up_cents: int
    settled_cents: int
    granted_cents: int
    returned_cents: int
    taken_back_cents: int
    corrected_cents: int
    free_cents: int


@dataclass(frozen=True, slots=True)
class RegionTotals:
    """What an organisation granted to families guided from one region: granted = free + held + spent + returned."""

    region: str
    budgets: int
    families: int
    granted_cents: int
    free_cents: int
    held_cents: int
    spent_cents: int
    returned_cents: int


@dataclass(frozen=True, slots=True)
class OrganisationOverview:
    """An organisation's pot and its grants, in all and by region. Never what anything was spent on."""

    pot: PotView
    total: RegionTotals
    regions: tuple[RegionTotals, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole service: granted = free + held + posted + returned; topped up + settled + returned - granted is in the pots."""

    topped_up_cents: int
    settled_cents: int
    granted_cents: int
    held_cents: int
    posted_cents: int
    returned_cents: int
    free_cents: int
    pots_cents: int


@dataclass(frozen=True, slots=True)
class HoldView:
    """What a payer (`rules.PAYERS`) set aside for a purpose; `phase` is None while it is open, then post, void or expire."""

    purpose: UUID
    budget: UUID | None
    payer: str
    held_cents: int
    phase: str | None
    kept_cents: int


# `spent` is what left the account for good, less what went back to the pot or on to the next period, and less what
# trainers gave back.
_BUDGETS = """
    SELECT b.id, b.organisation, o.name AS organisation_name, b.external_ref, b.granted_cents,
           a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents AS free_cents,
           a.debits_pending_cents AS held_cents,
           a.debits_posted_cents - went.back_cents - went.onward_cents - came.fees_cents AS spent_cents,
           went.back_cents AS returned_cents, came.carried_cents AS carried_in_cents,
           went.onward_cents AS carried_out_cents,
           b.starts_on, b.expires_on, b.themes, b.forms, b.municipalities, b.courses,
           array(SELECT c.title FROM course c WHERE c.id = ANY (b.courses) ORDER BY c.title, c.id) AS course_titles,
           b.carry_over, b.state, b.family, guide.region
    FROM budget b
    JOIN organisation o ON o.id = b.organisation
    JOIN account a ON a.id = b.account
    JOIN family f ON f.id = b.family
    JOIN organisation guide ON guide.id = f.organisation
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents) FILTER (WHERE kind = 'grant_return'), 0)::bigint AS back_cents,
               coalesce(sum(amount_cents) FILTER (WHERE kind = 'carry_over'), 0)::bigint AS onward_cents
        FROM transfer WHERE debit = b.account
    ) went
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents) FILTER (WHERE kind = 'carry_over'), 0)::bigint AS carried_cents,
               coalesce(sum(amount_cents) FILTER (WHERE kind = 'fee_return'), 0)::bigint AS fees_cents
        FROM transfer WHERE credit = b.account
    ) came
"""

_OF_FAMILY = f"{_BUDGETS} WHERE b.family = $1 ORDER BY b.expires_on, b.id"

_REGIONS = f"""
    SELECT region, count(*) AS budgets, count(DISTINCT family) AS families,
           coalesce(sum(granted_cents), 0)::bigint, coalesce(sum(free_cents), 0)::bigint,
           coalesce(sum(held_cents), 0)::bigint, coalesce(sum(spent_cents), 0)::bigint,
           coalesce(sum(returned_cents), 0)::bigint
    FROM ({_BUDGETS} WHERE b.organisation = $1) granted
    GROUP BY GROUPING SETS ((region), ()) ORDER BY region NULLS LAST
"""

_FREE_FOR = """
    SELECT coalesce(sum(a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents), 0)::bigint AS cents
    FROM budget b JOIN account a ON a.id = b.account
    WHERE b.family = $1 AND b.state = 'active' AND $2 BETWEEN b.starts_on AND b.expires_on AND b.expires_on >= $3
      AND (b.themes IS NULL OR $4 = ANY(b.themes)) AND (b.forms IS NULL OR $5 = ANY(b.forms))
      AND (b.municipalities IS NULL OR $6 = ANY(b.municipalities)) AND (b.courses IS NULL OR $7 = ANY(b.courses))
"""

_FOR_MATCHING = """
    SELECT b.family, b.id, a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents AS cents,
           b.themes, b.forms, b.municipalities, b.courses, b.expires_on, b.starts_on
    FROM budget b JOIN account a ON a.id = b.account
    WHERE b.family = ANY($1::uuid[]) AND b.state = 'active' AND b.expires_on >= $2
      AND a.credits_posted_cents > a.debits_posted_cents + a.debits_pending_cents
    ORDER BY b.family, num_nonnulls(b.themes, b.forms, b.municipalities, b.courses) = 0, b.expires_on, b.id
"""

_MUTATIONS = """
    WITH line AS (
        SELECT t.number, t.at, b.id AS budget, o.name AS organisation_name, t.kind, t.phase, t.amount_cents, t.reason,
               coalesce(h.purpose, f.purpose) AS purpose,
               CASE WHEN t.credit = b.account THEN t.amount_cents
                    WHEN t.phase = 'post' THEN r.amount_cents - t.amount_cents
                    WHEN t.phase IN ('void', 'expire') THEN r.amount_cents
                    ELSE -t.amount_cents END AS free_change,
               CASE WHEN t.phase = 'reserve' THEN t.amount_cents
                    WHEN t.resolves IS NOT NULL THEN -r.amount_cents ELSE 0 END AS held_change,
               CASE WHEN t.phase = 'post' THEN t.amount_cents WHEN t.kind = 'fee_return' THEN -t.amount_cents ELSE 0 END
                 AS paid
        FROM budget b
        JOIN organisation o ON o.id = b.organisation
        JOIN transfer t ON t.debit = b.account OR (t.credit = b.account AND t.phase = 'posted')
        LEFT JOIN transfer r ON r.id = t.resolves
        LEFT JOIN budget_hold h ON h.reservation = coalesce(t.resolves, t.id)
        LEFT JOIN budget_hold f ON t.kind = 'fee_return' AND f.budget = b.id
          AND t.business_ref = 'fee:' || f.purpose || ':' || f.budget
        WHERE b.family = $1
    )
    SELECT number, at, budget, organisation_name, kind, phase, amount_cents, free_change,
           held_change, paid, sum(free_change) OVER (PARTITION BY budget ORDER BY number)::bigint AS free_after, purpose, reason
    FROM line ORDER BY number, budget
"""

_POT = """
    SELECT coalesce(sum(t.amount_cents) FILTER (WHERE t.kind IN ('top_up', 'hold_release')), 0)::bigint AS topped_up,
           coalesce(sum(t.amount_cents) FILTER (WHERE t.kind = 'settlement'), 0)::bigint AS settled,
           coalesce(sum(t.amount_cents) FILTER (WHERE t.kind = 'grant'), 0)::bigint AS granted,
           coalesce(sum(t.amount_cents) FILTER (WHERE t.kind = 'grant_return'), 0)::bigint AS returned,
           coalesce(sum(CASE WHEN t.debit = a.id THEN t.amount_cents ELSE -t.amount_cents END)
                    FILTER (WHERE t.kind IN ('recovery', 'refund', 'dispute')), 0)::bigint AS taken_back,
           coalesce(sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)
                    FILTER (WHERE t.kind = 'correction'), 0)::bigint AS corrected,
           coalesce(max(a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents), 0) AS free
    FROM account a LEFT JOIN transfer t ON a.id IN (t.debit, t.credit) AND t.phase = 'posted'
    WHERE a.kind = 'organisation_pot' AND a.owner = $1
"""

_TOTALS = """
    SELECT (SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'top_up') AS topped_up,
           (SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'settlement') AS settled,
           (SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'grant') AS granted,
           (SELECT coalesce(sum(amount_cents), 0)::bigint FROM transfer WHERE kind = 'grant_return') AS returned,
           (SELECT coalesce(sum(CASE t.kind WHEN 'booking' THEN t.amount_cents ELSE -t.amount_cents END), 0)::bigint
            FROM transfer t JOIN account p ON p.id = CASE t.kind WHEN 'booking' THEN t.debit ELSE t.credit END
            WHERE ((t.kind = 'booking' AND t.phase = 'post') OR t.kind = 'fee_return') AND p.kind = 'family_budget') AS posted,
           coalesce(sum(debits_pending_cents) FILTER (WHERE kind = 'family_budget'), 0)::bigint AS held,
           coalesce(sum(free) FILTER (WHERE kind = 'family_budget'), 0)::bigint AS free,
           coalesce(sum(free) FILTER (WHERE kind = 'organisation_pot'), 0)::bigint AS pots
    FROM (SELECT *, credits_posted_cents - debits_posted_cents - debits_pending_cents AS free
          FROM account WHERE constrained) counted
"""

_HOLDS = """
    SELECT h.purpose, h.budget, h.payer, h.amount_cents, r.phase,
           CASE WHEN r.phase = 'post' THEN r.amount_cents ELSE 0 END AS kept_cents
    FROM budget_hold h LEFT JOIN transfer r ON r.resolves = h.reservation
    WHERE h.purpose = ANY($1::uuid[]) ORDER BY h.purpose, h.budget
"""

_WRONG_BUDGETS = """
    SELECT b.id, CASE WHEN a.kind <> 'family_budget' OR a.owner IS DISTINCT FROM b.id OR NOT a.constrained
                          THEN 'heeft een rekening die niet bij dit leerbudget hoort'
                      WHEN coalesce(g.times, 0) <> 1 THEN 'is niet precies een keer toegekend in de boeken'
                      ELSE 'noemt een ander bedrag dan de boeken: '
                 END AS trouble, b.granted_cents, coalesce(g.cents, 0)::bigint AS booked_cents
    FROM budget b JOIN account a ON a.id = b.account
    LEFT JOIN (SELECT credit, count(*) AS times, sum(amount_cents) AS cents FROM transfer WHERE kind = 'grant'
               GROUP BY credit) g ON g.credit = b.account
    WHERE a.kind <> 'family_budget' OR a.owner IS DISTINCT FROM b.id OR NOT a.constrained
       OR coalesce(g.times, 0) <> 1 OR g.cents <> b.granted_cents
    ORDER BY b.id LIMIT $1
"""

_WRONG_HOLDS = """
    SELECT h.id, h.purpose FROM budget_hold h LEFT JOIN budget b ON b.id = h.budget
    LEFT JOIN transfer t ON t.id = h.reservation AND t.phase = 'reserve' AND t.amount_cents = h.amount_cents
    LEFT JOIN account a ON a.id = t.debit
         AND CASE h.payer WHEN 'budget' THEN a.id = b.account WHEN 'own' THEN a.kind = 'own_payment' ELSE a.kind = 'rounding' END
    WHERE a.id IS NULL ORDER BY h.id LIMIT $1
"""

_WRONG_CARRIES = """
    SELECT t.number, t.business_ref FROM transfer t
    LEFT JOIN budget b ON b.account = t.debit LEFT JOIN budget n ON n.account = t.credit
    LEFT JOIN grant_policy q ON q.id = n.policy
    WHERE t.kind = 'carry_over' AND (t.phase <> 'posted' OR b.id IS NULL OR n.id IS NULL OR b.family <> n.family
                                     OR b.policy IS NULL OR q.follows IS DISTINCT FROM b.policy)
    ORDER BY t.number LIMIT $1
"""

_CARRIED_TOO_MUCH = """
    SELECT b.id, sum(t.amount_cents)::bigint AS carried_cents FROM transfer t
    JOIN budget b ON b.account = t.debit JOIN grant_policy p ON p.id = b.policy
    WHERE t.kind = 'carry_over' GROUP BY b.id, p.id
    HAVING sum(t.amount_cents) > CASE WHEN p.carry_cents_max IS NULL AND p.carry_percent_max IS NULL THEN 0
        ELSE least(p.carry_cents_max, b.granted_cents * p.carry_percent_max / 100) END
    ORDER BY b.id LIMIT $1
"""

_STRAY_RESERVATIONS = """
    SELECT t.number, t.business_ref FROM transfer t JOIN account a ON a.id = t.debit
    LEFT JOIN budget_hold h ON h.reservation = t.id
    WHERE t.phase = 'reserve' AND a.kind IN ('family_budget', 'own_payment', 'rounding') AND h.id IS NULL ORDER BY t.number LIMIT $1
"""


async def budgets_of(family: UUID) -> list[BudgetView]:
    """Every budget the family ever got, earliest end first."""
    views = []
    for row in await fetch_all(_OF_FAMILY, family):
        values = {name: row[name] for name in BudgetView.__slots__}
        listed = {name: _tuple(row[name]) for name in (*EARMARKS, "course_titles")}
        views.append(BudgetView(**values | listed))
    return views


def _tuple(listed: list[Any] | None) -> tuple[Any, ...] | None:
    return None if listed is None else tuple(listed)


async def free_for(
    family: UUID, theme: str, form: str, on: date, *, municipality: str | None = None, course: UUID | None = None
) -> int:
    """The cents the family can spend on a session whose first meeting is `on`; without a municipality it is online."""
    row = await fetch_one(_FREE_FOR, family, on, today(), theme, form, municipality, course)
    return 0 if row is None else int(row["cents"])


async def for_matching(families: Collection[UUID]) -> dict[UUID, list[MatchingBudget]]:
    """The budgets of these families that still hold free money, in the order in which they would pay."""
    found: dict[UUID, list[MatchingBudget]] = {family: [] for family in families}
    for row in await fetch_all(_FOR_MATCHING, list(families), today()):
        found[row["family"]].append(
            MatchingBudget(
                budget=row["id"],
                available_cents=row["cents"],
                expires_on=row["expires_on"],
                starts_on=row["starts_on"],
                **{name: _tuple(row[name]) for name in EARMARKS},
            )
        )
    return found


async def mutations(family: UUID) -> list[Mutation]:
    """The family's statement: every movement on its budgets, oldest first."""
    return [Mutation(*row) for row in await fetch_all(_MUTATIONS, family)]


async def holds_of(purposes: Collection[UUID]) -> list[HoldView]:
    """What was held for these purposes and what became of it."""
    return [HoldView(*row) for row in await fetch_all(_HOLDS, list(purposes))]


async def refund_preview(purpose: UUID, keep_cents: int) -> tuple[PaymentShare, ...]:
    """What each payer would get back if the purpose were settled now for `keep_cents`; nothing when it is settled.

    Raises:
        KeepsTooMuch: more than is held.
    """
    views = [view for view in await holds_of([purpose]) if view.phase is None]
    held = [PaymentShare(view.budget, view.held_cents, view.payer) for view in views]
    parts = kept(held, keep_cents)
    return tuple(
        replace(h, amount_cents=h.amount_cents - part.amount_cents) for h, part in zip(held, parts, strict=True)
    )


async def pot(organisation: UUID) -> PotView:
    """The organisation's pot; all zero when it never had one."""
    row = await fetch_one(_POT, organisation)
    return PotView(organisation, *(int(value) for value in row or (0,) * 7))


async def organisation_overview(organisation: UUID) -> OrganisationOverview:
    """What became of an organisation's grants, by the region from which the families are guided.

    Amounts and counts only: for the organisation's own finance people. Anyone else sees no cell under five
    families (reliability section 4); that is for the page to hide.
    """
    rows = [_region(row) for row in await fetch_all(_REGIONS, organisation)]
    return OrganisationOverview(await pot(organisation), rows[-1], tuple(rows[:-1]))


def _region(row: Any) -> RegionTotals:
    region, *numbers = row
    return RegionTotals(region or "", *numbers)


async def totals() -> Totals:
    """The sums of the whole service, from one snapshot."""
    row = await fetch_one(_TOTALS)
    assert row is not None  # noqa: S101 - a select of aggregates always gives one row
    return Totals(
        topped_up_cents=row["topped_up"],
        settled_cents=row["settled"],
        granted_cents=row["granted"],
        held_cents=row["held"],
        posted_cents=row["posted"],
        returned_cents=row["returned"],
        free_cents=row["free"],
        pots_cents=row["pots"],
    )


async def check() -> list[str]:
    """What does not fit between budgets, holds and the books, in plain Dutch. Call it outside a transaction."""
    async with one_long_look():
        messages = []
        for row in await fetch_all(_WRONG_BUDGETS, MESSAGES_MAX):
            amounts = f"{euros(row['granted_cents'])} en {euros(row['booked_cents'])}"
            trouble = row["trouble"] + amounts if row["trouble"].endswith(": ") else row["trouble"]
            messages.append(f"Leerbudget {row['id']} {trouble}.")
        messages += [
            f"Vastlegging {row['id']} (voor {row['purpose']}) heeft geen reservering met dat bedrag in de boeken."
            for row in await fetch_all(_WRONG_HOLDS, MESSAGES_MAX)
        ]
        messages += [
            f"Reservering {row['number']} ({row['business_ref']}) op een leerbudget hoort bij geen vastlegging."
            for row in await fetch_all(_STRAY_RESERVATIONS, MESSAGES_MAX)
        ]
        messages += [
            f"Mutatie {row['number']} ({row['business_ref']}) gaat niet naar de volgende periode van hetzelfde gezin."
            for row in await fetch_all(_WRONG_CARRIES, MESSAGES_MAX)
        ]
        messages += [
            f"Van leerbudget {row['id']} ging {euros(row['carried_cents'])} mee: meer dan het beleid toestaat."
            for row in await fetch_all(_CARRIED_TOO_MUCH, MESSAGES_MAX)
        ]
    return messages


@dataclass(frozen=True, slots=True)
class GrantLine:
    """Grants of one day with the same amount, end and earmark, together."""

    on: date
    families: int
    amount_cents: int
    expires_on: date
    themes: tuple[str, ...] | None
    forms: tuple[str, ...] | None
    municipalities: tuple[str, ...] | None
    course_titles: tuple[str, ...]


async def grants_of(organisation: UUID) -> list[GrantLine]:
    """What an organisation granted, latest first; families are counted, never named."""
    rows = await fetch_all(
        """
        SELECT (granted_at AT TIME ZONE 'Europe/Amsterdam')::date AS day, count(*)::int AS families, granted_cents,
               expires_on, themes, forms, municipalities,
               array(SELECT c.title FROM course c WHERE c.id = ANY (courses) ORDER BY c.title, c.id) AS course_titles
        FROM budget WHERE organisation = $1 GROUP BY 1, 3, 4, 5, 6, 7, courses
        ORDER BY 1 DESC, 2 DESC, 3 DESC, 4, 5, 6, 7, courses
        """,
        organisation,
    )
    return [
        GrantLine(
            row["day"],
            row["families"],
            row["granted_cents"],
            row["expires_on"],
            _tuple(row["themes"]),
            _tuple(row["forms"]),
            _tuple(row["municipalities"]),
            tuple(row["course_titles"]),
        )
        for row in rows
    ]


async def families_to_grant(organisation: UUID, *, only_without: bool) -> list[UUID]:
    """The active families that this organisation guides; `only_without` leaves out who has a running budget from it."""
    rows = await fetch_all(
        """
        SELECT f.id FROM family f WHERE f.organisation = $1 AND f.active
          AND (NOT $2 OR NOT EXISTS (SELECT FROM budget b WHERE b.family = f.id AND b.organisation = $1
                                     AND b.state = 'active'))
        ORDER BY f.id
        """,
        organisation,
        only_without,
    )
    return [row["id"] for row in rows]
