"""The verbs of the trainer pool: register, take a step, renew a certificate."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.identity.actions import record_audit
from leerbudget.matcher.vocabulary import Theme
from leerbudget.people.rules import Registered, repeated, tally
from leerbudget.trainers.errors import (
    TrainerRefTwice,
    TrainerStepNotAllowed,
    TrainerUnknown,
    UnknownTheme,
    UnknownTrainerState,
)
from leerbudget.trainers.rules import STEPS, TRAINER_STATES, TrainerOrder, may_step, sources_of

_TRAINERS = """
INSERT INTO trainer AS t (id, external_ref, person, themes, region, state, certificate_valid_until, created_at)
SELECT id, external_ref, person, themes, region, state, certificate_valid_until, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, external_ref text, person uuid, themes text[], region text, state text, certificate_valid_until date)
ON CONFLICT (external_ref) DO UPDATE
SET person = excluded.person, themes = excluded.themes, region = excluded.region, state = excluded.state,
    certificate_valid_until = excluded.certificate_valid_until
WHERE (t.person, t.themes, t.region, t.state, t.certificate_valid_until) IS DISTINCT FROM
      (excluded.person, excluded.themes, excluded.region, excluded.state, excluded.certificate_valid_until)
RETURNING old.id IS NULL AS added
"""


async def register_trainers(orders: Sequence[TrainerOrder]) -> Registered:
    """Add or update pool members by reference. A first registration may have any state; later ones take steps.

    Raises:
        TrainerRefTwice: a reference occurs twice among the orders.
        UnknownTheme, UnknownTrainerState: outside the closed lists.
        TrainerStepNotAllowed: a known member cannot go to the state of its order.
        AlreadyInPool: the person is in the pool under another reference.
        CertificateMissing: admitted without a certificate.
        TrainerUnknown: the person does not exist.
    """
    twice = repeated(order.external_ref for order in orders)
    if twice:
        raise TrainerRefTwice(refs=", ".join(twice[:20]))
    unknown = sorted({theme for order in orders for theme in order.themes} - {theme.value for theme in Theme})
    if unknown:
        raise UnknownTheme(themes=", ".join(unknown))
    async with together():
        await _steps_fit(orders)
        rows = await fetch_all(_TRAINERS, msgspec.json.encode(orders).decode(), clock.now())
        return tally([row["added"] for row in rows], len(orders))


async def step(
    trainer: UUID, to: str, *, certificate_valid_until: date | None = None, actor: UUID | None = None
) -> None:
    """Bring a pool member to another state; a certificate date that is given is kept.

    Raises:
        UnknownTrainerState: outside the closed list.
        TrainerUnknown: there is no such trainer.
        TrainerStepNotAllowed: not from the present state.
        CertificateMissing: admitted without a certificate.
    """
    if to not in TRAINER_STATES:
        raise UnknownTrainerState(state=to)
    async with together():
        stepped = await execute(
            """UPDATE trainer SET state = $2, certificate_valid_until = coalesce($3, certificate_valid_until)
               WHERE id = $1 AND state = ANY($4::text[])""",
            trainer,
            to,
            certificate_valid_until,
            list(sources_of(to)),
        )
        if not stepped:
            row = await fetch_one("SELECT state FROM trainer WHERE id = $1", trainer)
            if row is None:
                raise TrainerUnknown
            raise TrainerStepNotAllowed(trainers=[str(trainer)], state=row["state"], to=to)
        await record_audit(actor, "trainer_step", "trainer", trainer, {"to": to})


async def renew_certificate(trainer: UUID, valid_until: date, *, actor: UUID | None = None) -> None:
    """Note until and including which day the certificate of conduct holds (R56).

    Raises:
        TrainerUnknown: there is no such trainer.
    """
    async with together():
        if not await execute("UPDATE trainer SET certificate_valid_until = $2 WHERE id = $1", trainer, valid_until):
            raise TrainerUnknown
        await record_audit(actor, "certificate_renewed", "trainer", trainer, {"valid_until": valid_until})


async def _steps_fit(orders: Sequence[TrainerOrder]) -> None:
    """Refuse orders that would take a known pool member along a step that does not exist.

    Raises:
        TrainerStepNotAllowed: with the references.
    """
    wanted = {order.external_ref: order.state for order in orders}
    rows = await fetch_all(
        "SELECT external_ref, state FROM trainer WHERE external_ref = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE",
        list(wanted),
    )
    refused = [
        row["external_ref"]
        for row in rows
        if row["state"] in STEPS
        and wanted[row["external_ref"]] != row["state"]
        and not may_step(row["state"], wanted[row["external_ref"]])
    ]
    if refused:
        raise TrainerStepNotAllowed(trainers=refused)
