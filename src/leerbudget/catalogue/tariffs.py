"""Tariffs: what a course costs by scope and period. The only writer of that table (R06).

A tariff is never changed: it is ended early, and another follows it. Sessions that were published keep the price and
the tariff under which they were (`pricing`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.catalogue.errors import (
    CatalogueRefTwice,
    TariffEndNotPossible,
    TariffKnown,
    TariffNotValid,
    TariffOverlaps,
    TariffUnknown,
)
from leerbudget.catalogue.rules import TariffOrder, tariff_problems
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.geography.postcodes import all_places
from leerbudget.identity.actions import record_audit, record_audits
from leerbudget.people.rules import Registered, repeated

_WANTED = """
  SELECT id, external_ref, course, scope, region, municipalities, organisation, price_cents, starts_on, ends_on,
         tariff_reach(scope, municipalities, organisation) AS reach, daterange(starts_on, ends_on + 1) AS period
  FROM jsonb_to_recordset($1::jsonb) AS x(
    id uuid, external_ref text, course uuid, scope text, region text, municipalities text[], organisation uuid,
    price_cents bigint, starts_on date, ends_on date)
"""

# A tariff that was ended early is still the same tariff: its last day is not looked at any more.
_KNOWN = f"""
WITH wanted AS ({_WANTED})
SELECT w.external_ref, t.external_ref = w.external_ref
       AND (t.course, t.scope, t.region, t.municipalities::text[], t.organisation, t.price_cents, t.starts_on)
           IS NOT DISTINCT FROM
           (w.course, w.scope, w.region, w.municipalities, w.organisation, w.price_cents, w.starts_on)
       AND (t.ended_at IS NOT NULL OR t.ends_on IS NOT DISTINCT FROM w.ends_on) AS same
FROM wanted w JOIN tariff t ON t.external_ref = w.external_ref OR t.id = w.id
"""

_OVERLAPPING = f"""
WITH wanted AS ({_WANTED})
SELECT w.external_ref FROM wanted w
WHERE EXISTS (SELECT FROM tariff t WHERE t.course = w.course
              AND tariff_reach(t.scope::text, t.municipalities::text[], t.organisation) && w.reach
              AND daterange(t.starts_on, t.ends_on + 1) && w.period)
   OR EXISTS (SELECT FROM wanted o WHERE o.external_ref <> w.external_ref AND o.course = w.course
              AND o.reach && w.reach AND o.period && w.period)
ORDER BY w.external_ref
"""

_ADD = f"""
INSERT INTO tariff (id, external_ref, course, scope, region, municipalities, organisation, price_cents, starts_on,
                    ends_on, added_at)
SELECT id, external_ref, course, scope, region, municipalities, organisation, price_cents, starts_on, ends_on, $2
FROM ({_WANTED}) w ORDER BY w.id
"""

# Who adds tariffs of a course, or publishes its sessions, waits for whoever does so now: the same order twice at once
# is one tariff, and a session is published wholly before a tariff or wholly after it.
_ONE_AT_A_TIME = "SELECT id FROM course WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"


async def add_tariffs(orders: Sequence[TariffOrder], *, actor: UUID | None) -> Registered:
    """Add tariffs, all or none. The same one again has no effect, also when it was ended early since.

    Raises:
        CatalogueRefTwice: a reference occurs twice among the orders.
        TariffNotValid: a scope without what it is for, a municipality that does not exist, a price or period that
            cannot be.
        TariffKnown: an id or reference that stands for another tariff.
        TariffOverlaps: two tariffs of a course for the same place or organisation on one day.
        CatalogueUnknown: a course or organisation that does not exist.
    """
    twice = repeated([order.external_ref for order in orders])
    if twice:
        raise CatalogueRefTwice(refs=", ".join(twice[:20]))
    _refuse_problems(orders)
    async with together():
        await fetch_all(_ONE_AT_A_TIME, [order.course for order in orders])
        known = await fetch_all(_KNOWN, _rows(orders))
        other = sorted({row["external_ref"] for row in known if not row["same"]})
        if other:
            raise TariffKnown(refs=other)
        there = {row["external_ref"] for row in known}
        fresh = [order for order in orders if order.external_ref not in there]
        overlapping = [row["external_ref"] for row in await fetch_all(_OVERLAPPING, _rows(fresh))]
        if overlapping:
            raise TariffOverlaps(refs=overlapping)
        await execute(_ADD, _rows(fresh), clock.now())
        await record_audits(actor, "tariff_added", "tariff", {order.id: _told(order) for order in fresh})
    return Registered(added=len(fresh), changed=0, unchanged=len(there))


async def end_tariff(tariff: UUID, last_day: date, *, actor: UUID | None) -> date:
    """Let a tariff end early; its last day. Sessions that were published stay as they are.

    A tariff that has not begun by its last day never holds: its period is empty then. Again has no effect.

    Args:
        tariff: which.
        last_day: today or later, and before the day on which it would end anyhow.
        actor: the login that ends it.

    Raises:
        TariffUnknown: there is no such tariff.
        TariffEndNotPossible: before today, or after the day on which it ends.
    """
    async with together():
        row = await fetch_one("SELECT starts_on, ends_on FROM tariff WHERE id = $1 FOR NO KEY UPDATE", tariff)
        if row is None:
            raise TariffUnknown
        ends_on: date = max(last_day, row["starts_on"] - timedelta(days=1))
        if row["ends_on"] == ends_on:
            return ends_on
        if last_day < clock.today() or (row["ends_on"] is not None and row["ends_on"] < ends_on):
            raise TariffEndNotPossible(earliest=str(clock.today()), latest=row["ends_on"] and str(row["ends_on"]))
        await execute("UPDATE tariff SET ends_on = $2, ended_at = $3 WHERE id = $1", tariff, ends_on, clock.now())
        await record_audit(actor, "tariff_ended", "tariff", tariff, {"ends_on": ends_on})
        return ends_on


def _refuse_problems(orders: Sequence[TariffOrder]) -> None:
    exist = {place.municipality for place in all_places().values()}
    problems = [
        {"ref": order.external_ref, "path": found.path, "code": found.code, "message": found.message}
        for order in orders
        for found in tariff_problems(order, exist)
    ]
    if problems:
        raise TariffNotValid(problems=problems, first=problems[0]["message"])


def _rows(orders: Sequence[TariffOrder]) -> str:
    rows: list[Any] = [
        {
            **msgspec.to_builtins(order),
            "municipalities": None if order.municipalities is None else sorted(order.municipalities),
        }
        for order in orders
    ]
    return msgspec.json.encode(rows).decode()


def _told(order: TariffOrder) -> dict[str, Any]:
    return {"course": order.course, "scope": order.scope, "price_cents": order.price_cents}
