"""For whom trainers work: an organisation, or themselves. Part of the actions of this room (R05)."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from leerbudget.foundation.clock import now, today
from leerbudget.foundation.database import execute, fetch_all, together

_KNOWN = """
SELECT t.id, (t.created_at AT TIME ZONE 'Europe/Amsterdam')::date >= $2 AS fresh, e.organisation
FROM trainer t
LEFT JOIN LATERAL (SELECT organisation FROM trainer_employer WHERE trainer = t.id ORDER BY from_month DESC LIMIT 1) e ON true
WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR NO KEY UPDATE OF t
"""

_NOTE = """
INSERT INTO trainer_employer (id, trainer, organisation, from_month, noted_at, noted_by)
SELECT uuidv7(), trainer, organisation, from_month, $4, $5
FROM unnest($1::uuid[], $2::uuid[], $3::date[]) AS wanted(trainer, organisation, from_month)
ON CONFLICT (trainer, from_month)
DO UPDATE SET organisation = excluded.organisation, noted_at = excluded.noted_at, noted_by = excluded.noted_by
"""


async def work_for(employers: Mapping[UUID, UUID | None], *, actor: UUID | None) -> int:
    """Note for whom trainers work (None: for themselves); for how many that changed.

    It counts from the first day of the next month: what was earned in a month goes to one organisation. Who joined
    the pool this month works there from this month on. The same again has no effect.

    Raises:
        EmployerUnknown: no such organisation.
    """
    month = today().replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    async with together():
        known = await fetch_all(_KNOWN, list(employers), month)
        changed = [row for row in known if employers[row["id"]] != row["organisation"]]
        if not changed:
            return 0
        trainers = [row["id"] for row in changed]
        wanted = [employers[trainer] for trainer in trainers]
        since = [month if row["fresh"] else next_month for row in changed]
        await execute(_NOTE, trainers, wanted, since, now(), actor)
    return len(changed)
