"""The list of clock-driven jobs. A room adds its own with one line."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import reminding, waiting
from leerbudget.budgets import actions as budgets
from leerbudget.identity import actions as identity
from leerbudget.notifications import actions as notifications
from leerbudget.papers import actions as papers
from leerbudget.papers.rules import Party
from leerbudget.payments import asking, inbox, own_shares, receivables, reconciling, settling
from leerbudget.payments.gateways import Gateway
from leerbudget.rounds import actions as rounds


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so many seconds, in every worker.

    `work` opens its own transactions, and does no harm when two workers do it at the same moment or when it
    is cut off and done again.
    """

    name: str
    every_seconds: float
    work: Callable[[], Awaitable[object]]


JOBS: tuple[Job, ...] = (
    Job("let unanswered proposals lapse", 30, rounds.expire_answers),
    Job("remind of offers that wait for an answer", 60, reminding.remind),
    Job("offer free seats to who waits", 10, waiting.offer_free_seats),
    Job("close rounds that are answered", 60, rounds.close),
    Job("decide whether sessions go on", 300, bookings.decide_sessions),
    Job("return what is left of expired budgets", 900, lambda: budgets.expire_due(actor=None)),
    Job("release direct debits that are certain", 900, receivables.release_held),
    Job("cover what organisations owe", 900, receivables.even_out_all),
    Job("settle months that are over", 3600, lambda: settling.settle_months(actor=None)),
    Job("solve rounds that were asked for", 5, rounds.solve_requested),
    Job("make the offers of announced rounds", 5, rounds.offer_announced),
    Job("drop notices that came too late", 60, notifications.drop_useless),
    Job("forget old sessions and tries", 3600, identity.prune),
)


def payment_jobs(gateways: Mapping[str, Gateway]) -> tuple[Job, ...]:
    """What there is to do with payment services; nothing without one."""
    if all(name == "manual" for name in gateways):
        return ()
    return (
        Job("look at what payment services tell", 2, lambda: inbox.look_at_messages(gateways)),
        Job("give what families paid its place", 2, own_shares.place_all),
        Job("close pages that nobody needs to pay on", 30, lambda: own_shares.close_unneeded(gateways)),
        Job("ask payment services again", 60, lambda: asking.ask_again(gateways)),
        Job("look at unfinished payments", 600, lambda: inbox.look_at_unfinished(gateways)),
        Job("compare with the books of payment services", 6 * 3600, lambda: reconciling.reconcile(gateways)),
    )


def paper_jobs(programme: Party | None) -> tuple[Job, ...]:
    """The papers that nobody has to ask for, made out in the name of the programme."""
    return (Job("issue invoices of trainers", 3600, lambda: papers.issue_invoices(programme, actor=None)),)
