"""The notices about bookings: which news goes to whom, and what it never says.

Part of the actions of this room; nobody else calls it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.notifications import actions as notifications

GUESTS = {
    "booking_confirmed": "seat_given",
    "booking_cancelled": "seat_ended",
    "session_confirmed": "seat_goes_on",
    "session_cancelled": "seat_called_off",
    "meeting_cancelled": "seat_date_off",
    "proposal_offered": "seat_offered",
    "proposal_expiring": "seat_expiring",
}
"""The same news for who has no family: no budget, and no page of a family."""

REMINDERS = {"round": "proposal_expiring", "waiting": "place_expiring"}
"""Origin of an offer → the reminder before it lapses."""

MONEY_BACK = ("fee_returned", "own_money_returned", "own_money_stuck", "own_money_paid")
"""News of money that comes back is news after the course began, too."""

_LINKS = {
    "proposal_offered": "/mijn",
    "place_offered": "/mijn",
    "proposal_expiring": "/mijn",
    "place_expiring": "/mijn",
    "session_cancelled": "/zoeken",
    "booking_cancelled": "/budget",
    "fee_returned": "/budget",
}


def notice_of(origin: str, *, offered: bool, guest: bool = False) -> str:
    """The news of a booking that was just made. `guest`: for somebody without a family."""
    kind = "booking_confirmed"
    if offered:
        kind = "place_offered" if origin == "waiting" else "proposal_offered"
    return GUESTS.get(kind, kind) if guest else kind


def link_of(kind: str) -> str:
    """Where this news is read on the site: among the own seats for who has no family."""
    return "/mijn-plekken" if kind in GUESTS.values() else _LINKS.get(kind, "/inschrijvingen")


async def tell_of(kind: str, meeting: UUID, starts_at: datetime, persons: Sequence[UUID]) -> None:
    """A notice about one meeting to each of these persons with an address."""
    rows = await fetch_all(
        "SELECT id, email, family FROM person WHERE id = ANY($1::uuid[]) AND email IS NOT NULL ORDER BY id",
        list(persons),
    )
    kinds = {row["id"]: GUESTS.get(kind, kind) if row["family"] is None else kind for row in rows}
    await notifications.post_many(
        [
            notifications.Notice(
                kind=kinds[row["id"]],
                business_ref=f"{meeting}:{row['id']}",
                address=row["email"],
                context={"link": link_of(kinds[row["id"]]), "starts_at": starts_at.isoformat()},
                useless_after=starts_at,
            )
            for row in rows
        ]
    )


async def tell_about(
    bookings: Sequence[UUID], kind: str, *, returned_cents: Mapping[UUID, int] | None = None, event: str = ""
) -> None:
    """A notice to every person with an address; it names no course and no family detail (reliability 4).

    `event`: what happened, where the same kind of news can come more than once for a booking.
    """
    back = returned_cents or {}
    rows = await fetch_all(
        "SELECT b.id AS booking, b.family, p.id AS person, p.email, b.offered_until, s.starts_at"
        " FROM booking b JOIN booking_person bp ON bp.booking = b.id JOIN person p ON p.id = bp.person"
        " JOIN course_session s ON s.id = b.session WHERE b.id = ANY($1::uuid[]) AND p.email IS NOT NULL ORDER BY p.id",
        list(bookings),
    )
    kinds = {row["booking"]: GUESTS.get(kind, kind) if row["family"] is None else kind for row in rows}
    await notifications.post_many(
        [
            notifications.Notice(
                kind=kinds[row["booking"]],
                business_ref=f"{row['booking']}:{row['person']}{event and ':' + event}",
                address=row["email"],
                context={
                    "link": link_of(kinds[row["booking"]]),
                    "starts_at": row["starts_at"].isoformat(),
                    "returned_cents": back.get(row["booking"], 0),
                }
                | ({"answer_before_at": row["offered_until"].isoformat()} if row["offered_until"] else {}),
                useless_after=None if kind in MONEY_BACK else row["offered_until"] or row["starts_at"],
            )
            for row in rows
        ]
    )


async def forget_reminder(booking: UUID) -> None:
    """An offer was answered: a reminder of it that was not mailed yet says nothing any more."""
    rows = await fetch_all("SELECT person FROM booking_person WHERE booking = $1", booking)
    kinds = [*REMINDERS.values(), *(GUESTS[kind] for kind in REMINDERS.values() if kind in GUESTS)]
    await notifications.withdraw(kinds, [f"{booking}:{row['person']}" for row in rows])
