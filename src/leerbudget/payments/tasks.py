"""What a person must look at about money: opened once, closed with an outcome. Part of the actions of this room."""

from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.rules import REASON_LENGTH, refuse, text_fault
from leerbudget.payments.errors import TaskUnknown

_OPEN = """
    INSERT INTO finance_task (id, kind, subject, payment, amount_cents, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING
"""


async def open_task(kind: str, subject: str, amount_cents: int, *, payment: UUID | None = None) -> None:
    """Put something on the list of what a person must look at. The same subject again has no effect.

    Args:
        kind: one of `rules.TASK_KINDS`.
        subject: what it is about, in a form that is the same the next time.
        amount_cents: how much money it is about.
        payment: which payment, if any.
    """
    await execute(_OPEN, new_id(), kind, subject[:200], payment, amount_cents, now())


async def close_task(task: UUID, outcome: str, *, actor: UUID | None) -> None:
    """Say what became of it. It moves no money; the same outcome again has no effect.

    Raises:
        InvalidInput: the outcome is malformed.
        TaskUnknown: there is no such task, or it was closed with another outcome.
    """
    refuse([("outcome", text_fault(outcome, REASON_LENGTH))])
    async with together():
        sql = "UPDATE finance_task SET closed_at = $2, closed_by = $3, outcome = $4 WHERE id = $1 AND closed_at IS NULL"
        if await execute(sql, task, now(), actor, outcome):
            await record_audit(actor, "finance_task_closed", "finance_task", task)
        elif not await execute("SELECT FROM finance_task WHERE id = $1 AND outcome = $2", task, outcome):
            raise TaskUnknown(id=task)


_ABOUT = "SELECT id FROM finance_task WHERE kind = $1 AND subject = $2 AND closed_at IS NULL"


async def solve_task(kind: str, subject: str, outcome: str, *, actor: UUID | None = None) -> None:
    """Close what was opened under this kind and subject, as it needs nobody any more. Without such a task, no effect."""
    for row in await fetch_all(_ABOUT, kind, subject):
        await close_task(row["id"], outcome, actor=actor)
