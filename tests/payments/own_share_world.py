"""A family whose budget pays a part of a seat, the seat, and what the books hold in the end."""

from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import actions as budget_actions
from leerbudget.budgets.rules import GrantOrder
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue.errors import SessionStepNotAllowed
from leerbudget.foundation import clock
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments import own_shares

BACK = "https://leerbudget.example/inschrijvingen"
PRICE, BUDGET, OWN = 18_000, 15_000, 3_000
LATE = timedelta(days=20)
"""Ten days before the first meeting: half of the price comes back."""
UNPAID = timedelta(hours=1)
"""The time to pay is over, and the worker may see it."""


async def a_family(cents=BUDGET, themes=None):
    """A family with one parent and so much budget, out of a pot that a correction filled."""
    family, organisation, today = await world.a_family(), await world.an_organisation(), clock.today()
    pot = await account_of("organisation_pot", organisation, constrained=True)
    bank = await account_of("bank", None, constrained=False)
    opening = TransferOrder(
        new_id(), "correction", f"opening:{family}", "posted", bank, pot, cents, reason="Beginstand"
    )
    await record([opening], actor=None)
    period = (today - timedelta(days=1), today + timedelta(days=300))
    grant = GrantOrder(new_id(), f"G{family}", family, organisation, cents, *period, themes=themes)
    await budget_actions.grant(grant, actor=None)
    return family


async def a_request(family, session, own_cents=OWN, **more):
    """One seat, with what the family saw that it pays itself."""
    persons = tuple((await world.parents_of(family))[:1])
    return BookingRequest(
        new_id(), family, session, persons, price_shown_cents=PRICE, own_shown_cents=own_cents, **more
    )


async def asked(gateway, request):
    """The booking is asked for, and the family is at the page where it pays."""
    return await own_shares.book(request, gateway=gateway, return_url=BACK, actor=None)


async def state(booking):
    """The booking's state."""
    return await fetch_value("SELECT state FROM booking WHERE id = $1", booking)


async def standing():
    """What every kind of account holds in the end, zeros left out: credits less debits, in cents; budgets left out."""
    rows = await fetch_all(
        """
        SELECT a.kind, sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)::bigint AS cents
        FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) AND t.phase IN ('posted', 'post')
        WHERE a.kind NOT IN ('bank', 'organisation_pot') GROUP BY a.kind
        """
    )
    return {row["kind"]: row["cents"] for row in rows if row["cents"]}


async def finished(session):
    """After its last meeting, with everybody there; the job that pays is done twice."""
    with travelling(clock.now() + timedelta(days=31)):
        for meeting in await fetch_all("SELECT id FROM meeting WHERE session = $1", session):
            await actions.record_attendance(meeting["id"], [], actor=None)
        await catalogue.decide(session, runs=True, reason=None, actor=None)
        await actions.finish_session(session, actor=None)
        with pytest.raises(SessionStepNotAllowed):
            await actions.finish_session(session, actor=None)
        await own_shares.place_all()
