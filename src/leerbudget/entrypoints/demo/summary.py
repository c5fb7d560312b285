"""What the demonstration shows when it is done: money, wishes, sessions, the round, the refusals, the logins."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.demo import filling, paying
from leerbudget.entrypoints.demo.events import Events
from leerbudget.foundation.money import euros
from leerbudget.ledger import queries as ledger
from leerbudget.payments import queries as payments
from leerbudget.rounds import queries as rounds

REASONS_SHOWN = 3
REFUSALS = {
    "budget_too_small": "refused for lack of money",
    "session_full": "refused for a full session",
    "not_together": "refused for its own professional in the room",
}


@dataclass(frozen=True, slots=True)
class Visitors:
    """E-mail addresses to look around with."""

    parent: str
    trainer: str
    organisation: str
    coordinator: str
    cashier: str


async def lines(events: Events) -> tuple[list[str], bool]:
    """The summary, line by line, and whether the books balance."""
    assert events.round is not None  # noqa: S101 - the story has had its round
    troubles = [*await ledger.check(), *await budgets.check(), *await payments.check()]
    told = [
        *await _money(),
        *_paid_in(events),
        *await _round(events.round),
        *await _sessions(events),
        *await _families(events),
        *_phases(events),
        "",
        *(troubles[:5]),
        "ledger: NOT balanced" if troubles else "ledger: balanced",
    ]
    return told, not troubles


def _line(label: str, value: object) -> str:
    return f"  {label:<50}{value:>18}"


async def _money() -> Iterator[str]:
    totals = await budgets.totals()
    rows = {
        "topped up by organisations": totals.topped_up_cents,
        "granted to families": totals.granted_cents,
        "held for bookings to come": totals.held_cents,
        "posted to trainers": totals.posted_cents,
        "of which settled with who they work for": totals.settled_cents,
        "returned to organisations": totals.returned_cents,
    }
    return iter(["Money", *(_line(label, euros(cents)) for label, cents in rows.items())])


def _paid_in(events: Events) -> Iterator[str]:
    counts = events.counts
    rows = {
        "a transfer, placed from a made-up bank statement": euros(counts["transfers placed"] * paying.TRANSFER_CENTS),
        "money without a reference, waiting at /bank": euros(counts["bank entries waiting"] * paying.STRANGERS_CENTS),
        "online, on the made-up payment page": euros(counts["payments online"] * paying.ONLINE_CENTS),
    }
    return iter(["Paid in today", *(_line(label, amount) for label, amount in rows.items())])


async def _round(round_id: UUID) -> Iterator[str]:
    view, totals = await rounds.round_view(round_id), await rounds.totals(round_id)
    reasons = await rounds.unplaced_reasons(round_id, at_most=REASONS_SHOWN)
    assert view is not None and view.gap is not None  # noqa: S101, PT018 - the round was solved
    return iter(
        [
            f"Round: {view.name}",
            _line("wishes stated", totals.wishes),
            _line("wishes placed", totals.placed),
            _line("wishes unplaced", totals.unplaced),
            *(_line(f"  because: {reason.code}", reason.wishes) for reason in reasons),
            _line("families with a wish", totals.families),
            _line("families with at least one place", f"{totals.share_placed:.1%}"),
            _line("score", view.score),
            _line("bound (proven: no outcome scores higher)", view.bound),
            _line("gap", f"{view.gap:.3%}"),
            _line("checked by the independent audit", "sound" if not view.violations else "REJECTED"),
        ]
    )


async def _sessions(events: Events) -> Iterator[str]:
    states = await catalogue.numbers_by_state()
    return iter(
        [
            "Course sessions",
            _line("held to the end", states.get("done", 0)),
            _line("going on", states.get("confirmed", 0) + states.get("running", 0)),
            _line("waiting for their decision date", states.get("conditional", 0)),
            _line("cancelled: group too small", states.get("cancelled", 0)),
            _line("meetings held", events.counts["meetings held"]),
        ]
    )


async def _families(events: Events) -> Iterator[str]:
    counts, totals = events.counts, await bookings.totals()
    rows = {
        "proposals offered (ordinary booking action)": counts["offered"],
        "accepted": counts["accepted"],
        "declined": counts["declined"],
        "not answered in time": counts["expired"],
        "cancelled by the family": counts["cancelled by the family"],
        "of which paid as cancellation fee": euros(counts["cancellation fee cents"]),
        "got in line for a full session": counts["on a waiting list"],
        "given a seat that became free": counts["seats from the waiting list"],
        "families that stopped": counts["families that stopped"],
        "attended": totals.by_state.get("attended", 0),
        "did not come": totals.by_state.get("no_show", 0),
        **{label: events.refusals[code] for code, label in REFUSALS.items()},
        "offered in the second round, open now": counts["offered in the second round"],
        "mails in the local mailbox": counts["mails delivered"],
    }
    return iter(["Families", *(_line(label, value) for label, value in rows.items())])


def _phases(events: Events) -> Iterator[str]:
    rows = (_line(name, f"{seconds:.1f} s") for name, seconds in events.seconds.items())
    return iter(["Seconds per phase", *rows])


async def visitors() -> Visitors:
    """A parent with an open proposal, a trainer with participants, the funder of most families, the coordinator."""
    found = await rounds.visitors()
    return Visitors(
        found.parent or "-", found.trainer or "-", found.organisation or "-", filling.COORDINATOR, filling.CASHIER
    )
