"""The bank accounts that trainers are paid on: part of the actions of this room.

Whoever can change where money goes can take it. So an account counts once somebody else than who gave it confirmed
it, and until then the one before is used.
"""

from uuid import UUID

from leerbudget.foundation.clock import now
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.rules import refuse, text_fault
from leerbudget.payments.bank_errors import NotAnIban, PayoutAccountKnown, PayoutAccountUnknown
from leerbudget.payments.bank_rules import HOLDER_LENGTH, compact_iban


async def propose_account(
    id: UUID,  # noqa: A002 - the name every action uses for what the caller made
    trainer: UUID,
    iban: str,
    holder_name: str,
    *,
    actor: UUID | None,
) -> None:
    """Give the bank account of a trainer; it is used once somebody else confirmed it. The same again has no effect.

    Raises:
        InvalidInput: the name is malformed.
        NotAnIban: the number fails its check digits, or is of a country outside SEPA.
        PayoutAccountKnown: the id stands for another account.
        PayoutAccountUnknown: no such trainer.
    """
    refuse([("holder_name", text_fault(holder_name, HOLDER_LENGTH))])
    number = compact_iban(iban)
    if number is None:
        raise NotAnIban(errors=[{"path": "iban", "message": NotAnIban.message_nl}])
    async with together():
        if not await execute(
            "INSERT INTO payout_account (id, trainer, iban, holder_name, proposed_at, proposed_by)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            *(id, trainer, number, holder_name.strip(), now(), actor),
        ):
            row = await fetch_one("SELECT trainer, iban, holder_name FROM payout_account WHERE id = $1", id)
            if row is None or tuple(row) != (trainer, number, holder_name.strip()):
                raise PayoutAccountKnown
            return
        await record_audit(actor, "payout_account_proposed", "payout_account", id)


async def confirm_account(id: UUID, *, actor: UUID) -> None:  # noqa: A002 - as above
    """Let a bank account count, after asking the trainer by another way. Again has no effect.

    Raises:
        PayoutAccountUnknown: no such account.
        AnotherPersonConfirms: who gave the account cannot confirm it (four eyes, by the database).
    """
    async with together():
        if await execute(
            "UPDATE payout_account SET confirmed_at = $2, confirmed_by = $3"
            " WHERE id = $1 AND confirmed_at IS NULL AND ended_at IS NULL",
            *(id, now(), actor),
        ):
            await record_audit(actor, "payout_account_confirmed", "payout_account", id)
        elif await fetch_one("SELECT id FROM payout_account WHERE id = $1", id) is None:
            raise PayoutAccountUnknown


async def end_account(id: UUID, *, actor: UUID | None) -> None:  # noqa: A002 - as above
    """Use a bank account no more; the one that was confirmed before it counts again. Again has no effect.

    Raises:
        PayoutAccountUnknown: no such account.
    """
    async with together():
        if await execute("UPDATE payout_account SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", id, now()):
            await record_audit(actor, "payout_account_ended", "payout_account", id)
        elif await fetch_one("SELECT id FROM payout_account WHERE id = $1", id) is None:
            raise PayoutAccountUnknown


_END_REFUSED = """
    UPDATE payout_account a SET ended_at = $3
    WHERE a.trainer = $1 AND a.confirmed_at IS NOT NULL AND a.ended_at IS NULL
      AND a.confirmed_at <= (SELECT max(confirmed_at) FROM payout_account WHERE trainer = $1 AND iban = $2)
    RETURNING a.id
"""


async def end_refused(trainer: UUID, iban: str, *, actor: UUID | None) -> None:
    """Use an account no more of which a bank says that it is wrong, closed or blocked (`bank_rules.ACCOUNT_FAULTS`).

    Those that were confirmed before it do not count again by themselves: the trainer left them, and is asked first.
    """
    async with together():
        for row in await fetch_all(_END_REFUSED, trainer, iban, now()):
            await record_audit(actor, "payout_account_ended", "payout_account", row["id"])
