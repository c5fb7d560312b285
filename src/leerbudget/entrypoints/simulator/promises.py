"""What must hold every evening (docs: the promises I1-I8), looked at without faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.simulator.desk import Desk
from leerbudget.entrypoints.simulator.faults import Post
from leerbudget.entrypoints.simulator.till import Till
from leerbudget.foundation.clock import now
from leerbudget.ledger import queries as ledger
from leerbudget.payments import own_shares
from leerbudget.payments import queries as payments
from leerbudget.payments.asking import ask_again
from leerbudget.payments.reconciling import reconcile

WORKED_OFF: Final = timedelta(days=3)
"""A refund that failed today is paid at the bank tomorrow and stands on the statement after it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What others know of our money: `topped_up_cents` organisations paid, `bank_cents` stand at the bank."""

    topped_up_cents: int = 0
    bank_cents: int = 0


async def broken(desk: Desk, post: Post, till: Till, known: Known) -> list[str]:
    """Every promise that does not hold now, in a sentence each."""
    found = [*await bookings.inconsistencies(), *await ledger.check(), *await budgets.check(), *await payments.check()]
    totals = await budgets.totals()
    if totals.topped_up_cents != known.topped_up_cents:
        found.append(f"I1: {known.topped_up_cents} cents were paid in, the books say {totals.topped_up_cents}")
    bank = await ledger.own_balance("bank")
    if bank.posted_cents + known.bank_cents:
        found.append(f"I1: {known.bank_cents} cents stand at the bank, the books say {-bank.posted_cents}")
    found += await _kept_by_the_till(till)
    return [*found, *_forgotten(desk, await bookings.states()), *_sent_twice(post)]


async def _kept_by_the_till(till: Till) -> list[str]:
    """I1 for families' own money: after a calm hour both sides know the same cents, which all have a place."""
    gateways = {till.name: till}
    await ask_again(gateways)
    found = [f"I1: {words}" for words in (await reconcile(gateways)).differences]
    booked = await ledger.own_balance("gateway_clearing")
    if booked.posted_cents + till.kept_cents:
        found.append(f"I1: the payment service keeps {till.kept_cents} cents, the books say {-booked.posted_cents}")
    old = [task for task in await payments.open_tasks() if task.opened_at <= now() - WORKED_OFF]
    found += [f"I1: somebody must look: {task.kind} {task.subject}" for task in old]
    await own_shares.place_all()
    return [*found, *(f"I1: {reference} has no seat and does not go back" for reference in await own_shares.unplaced())]


def _forgotten(desk: Desk, states: dict[UUID, str]) -> Iterator[str]:
    """I6: what was answered is still so."""
    for booking, allowed in desk.bookings.items():
        if states.get(booking) not in allowed:
            yield f"I6: booking {booking} was answered to be {sorted(allowed)}, it is {states.get(booking)}"


def _sent_twice(post: Post) -> Iterator[str]:
    """I8: a letter is handed over once, unless the worker died before it could write that down."""
    for message_id, times in post.handed.items():
        if times > 1 and message_id not in post.again:
            yield f"I8: {message_id} was handed over {times} times"
