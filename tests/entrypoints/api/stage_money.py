"""What lies on the finance desk of the stage: statements, entries that wait, payouts in each state. All of it fictional."""

from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.payments import actions, bank_queries, explaining, payouts, queries
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.statements import import_statements
from leerbudget.payments.tasks import open_task
from payments.bank_world import Line, one, rejecting

WAITING = {"A": 700, "B": 800, "C": 900, "D": 1_000, "E": 1_100}


async def money(organisation: UUID) -> dict[str, Any]:
    """A top-up that came in, an entry that waits, a task; a draft to approve, one to drop, one that is under way."""
    paid = new_id()
    await actions.request_top_up(paid, organisation, 100_000, None, actor=None)
    await actions.confirm_top_up(paid, clock.today(), actor=None)
    lines = [Line(cents, ref) for ref, cents in WAITING.items()]
    await import_statements(one(*lines, iban=EXAMPLE.iban), [EXAMPLE.iban], actor=None)
    entries = {each.bank_ref: each.id for each in await bank_queries.unmatched()}
    await open_task("discrepancy", "stripe:txn_1", 100)
    task = next(each.id for each in await queries.open_tasks() if each.kind == "discrepancy")
    made: dict[str, Any] = {"top_up_paid": paid, "entry": entries["E"], "finance_task": task}
    for name, ref in (("payout_under_way", "A"), ("payout_to_approve", "B"), ("payout_to_drop", "C")):
        made[name] = await _draft(entries[ref])
    await payouts.approve_payout(made["payout_under_way"], EXAMPLE, actor=new_id())
    await explaining.send_back(entries["D"], "Onbekend", actor=None)
    return made


async def _draft(entry: UUID) -> UUID:
    """A draft that returns the money of this entry."""
    await explaining.send_back(entry, "Onbekend", actor=None)
    payout = new_id()
    await payouts.draft_payout(payout, actor=new_id())
    return payout


def a_statement(_: object) -> dict[str, Any]:
    """A day on which nothing happened at the bank."""
    return {"file": one(iban=EXAMPLE.iban, number="leeg", day="2027-01-01").decode()}


def a_status_report(things: Any) -> dict[str, Any]:
    """The bank has the file, and says nothing of its payments yet."""
    report = rejecting(message_id_of(things["payout_under_way"])).replace(b"RJCT", b"ACCP")
    return {"file": report.decode()}
