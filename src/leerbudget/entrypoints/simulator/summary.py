"""What the year came to: the same seed prints the same lines, so two years can be compared byte by byte."""

import hashlib
import json
from typing import Any

from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.simulator.year import Year
from leerbudget.foundation.money import euros
from leerbudget.notifications import queries as notifications
from leerbudget.wishes import queries as wishes

Summary = dict[str, Any]


async def of(year: Year) -> Summary:
    """The year in numbers. `fingerprint`: SHA-256 of every booking's state and every sum of money."""
    money = await budgets.totals()
    cents = {
        "topped_up_cents": money.topped_up_cents,
        "settled_cents": money.settled_cents,
        "granted_cents": money.granted_cents,
        "held_cents": money.held_cents,
        "posted_cents": money.posted_cents,
        "returned_cents": money.returned_cents,
        "free_cents": money.free_cents,
        "pots_cents": money.pots_cents,
    }
    states = sorted((str(booking), state) for booking, state in (await bookings.states()).items())
    outbox = await notifications.outbox_state()
    return {
        "families": year.script.families,
        "sessions": year.script.sessions,
        "seed": year.script.seed,
        "days": year.days,
        "done": dict(sorted(year.desk.counts.items())),
        "refused": dict(sorted(year.desk.refusals.items())),
        "faults": dict(sorted(year.desk.faults.counts.items())),
        "bookings": dict(sorted((await bookings.totals()).by_state.items())),
        "course_sessions": dict(sorted((await catalogue.numbers_by_state()).items())),
        "wishes": dict(sorted((await wishes.numbers_by_state()).items())),
        "money": cents,
        "letters": {"delivered": len(year.post.handed), "waiting": outbox.waiting, "given_up": outbox.given_up},
        "fingerprint": hashlib.sha256(json.dumps([states, cents]).encode()).hexdigest(),
        "troubles": year.troubles,
    }


def lines(summary: Summary) -> list[str]:
    """The same for people."""
    told = [f"{summary['days']} days of {summary['families']} families (fictief), seed {summary['seed']}"]
    for title in ("done", "refused", "faults", "bookings", "course_sessions", "wishes", "letters"):
        told.append(title.replace("_", " ").capitalize())
        told += [f"  {name:<70}{count:>9}" for name, count in summary[title].items()]
    told.append("Money")
    told += [
        f"  {name.removesuffix('_cents').replace('_', ' '):<61}{euros(cents):>18}"
        for name, cents in summary["money"].items()
    ]
    told.append(f"Fingerprint {summary['fingerprint']}")
    told += [f"BROKEN  {trouble}" for trouble in summary["troubles"]]
    told.append("promises: BROKEN" if summary["troubles"] else "promises: all kept, every evening")
    return told
