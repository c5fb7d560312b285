"""Read the top-ups: for the organisation, for who confirms them, and for the auditor."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.ledger.queries import MESSAGES_MAX, one_long_look
from leerbudget.payments.settlements import troubles


@dataclass(frozen=True, slots=True)
class TopUpView:
    """One top-up. `reference` is without spaces (`rules.readable` prints it)."""

    id: UUID
    organisation: UUID
    organisation_name: str
    amount_cents: int
    reference: str
    purchase_order: str | None
    state: str
    requested_at: datetime
    requested_by: UUID | None
    received_on: date | None
    confirmed_at: datetime | None
    confirmed_by: UUID | None


_TOP_UPS = """
    SELECT t.id, t.organisation, o.name, t.amount_cents, t.reference, t.purchase_order, t.state, t.requested_at,
           t.requested_by, t.received_on, t.confirmed_at, t.confirmed_by
    FROM top_up t JOIN organisation o ON o.id = t.organisation
"""

_WRONG_TOP_UPS = """
    SELECT t.reference,
           CASE WHEN m.id IS NULL THEN 'is bevestigd maar staat niet in de boeken'
                WHEN t.state <> 'confirmed' THEN 'staat in de boeken maar is niet bevestigd'
                WHEN a.kind <> 'organisation_pot' OR a.owner IS DISTINCT FROM t.organisation OR d.kind <> 'bank'
                    THEN 'ging niet van de bank naar de pot van de organisatie'
                ELSE 'heeft een ander bedrag dan in de boeken' END AS trouble
    FROM top_up t LEFT JOIN transfer m ON m.kind = 'top_up' AND m.business_ref = t.reference
    LEFT JOIN account a ON a.id = m.credit LEFT JOIN account d ON d.id = m.debit
    WHERE (t.state = 'confirmed') <> (m.id IS NOT NULL)
       OR m.amount_cents <> t.amount_cents OR a.kind <> 'organisation_pot' OR d.kind <> 'bank'
       OR (m.id IS NOT NULL AND a.owner IS DISTINCT FROM t.organisation)
    ORDER BY t.reference LIMIT $1
"""

_STRAY_TOP_UPS = """
    SELECT m.number, m.business_ref FROM transfer m LEFT JOIN top_up t ON t.reference = m.business_ref
    WHERE m.kind = 'top_up' AND t.id IS NULL ORDER BY m.number LIMIT $1
"""


async def top_ups_of(organisation: UUID) -> list[TopUpView]:
    """The organisation's top-ups, latest first."""
    sql = _TOP_UPS + " WHERE t.organisation = $1 ORDER BY t.requested_at DESC, t.id DESC"
    return [TopUpView(*row) for row in await fetch_all(sql, organisation)]


async def open_top_ups() -> list[TopUpView]:
    """The top-ups whose arrival somebody must confirm, oldest first."""
    sql = _TOP_UPS + " WHERE t.state = 'requested' ORDER BY t.requested_at, t.id"
    return [TopUpView(*row) for row in await fetch_all(sql)]


async def check() -> list[str]:
    """What does not fit between top-ups, settlements and the books, in plain Dutch. Call it outside a transaction."""
    async with one_long_look():
        messages = [
            f"Storting {row['reference']} {row['trouble']}." for row in await fetch_all(_WRONG_TOP_UPS, MESSAGES_MAX)
        ]
        messages += [
            f"Mutatie {row['number']} ({row['business_ref']}) is een storting die niemand aankondigde."
            for row in await fetch_all(_STRAY_TOP_UPS, MESSAGES_MAX)
        ]
        messages += await troubles(MESSAGES_MAX)
    return messages
