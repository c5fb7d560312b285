"""Grants above an organisation's limit wait for a colleague of who asked: the only writer of limits and requests.

Locks: the day's sum of who grants, before anything else. One login's grants of one day therefore go one
after the other, and many small grants are seen together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from leerbudget.budgets.actions import grant_many, known_grants
from leerbudget.budgets.earmarks import refuse_unknown_courses
from leerbudget.budgets.errors import (
    GrantRequestEnded,
    GrantRequestKnown,
    GrantRequestUnknown,
    HolderUnknown,
    SecondApproverNeeded,
)
from leerbudget.budgets.rules import GrantOrder, batch_faults, orders_in, orders_written
from leerbudget.foundation.clock import now, today
from leerbudget.foundation.database import execute, fetch_one, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.identity.queries import emails_with_role, logins
from leerbudget.ledger.rules import REASON_LENGTH, cents_fault, refuse, text_fault
from leerbudget.notifications.actions import Notice, post_many

APPROVER_ROLES = ("organisation_finance", "organisation_admin")
"""Who hears that a grant waits for a colleague; who may decide stands in `identity.permissions`."""


GrantState = Literal["granted", "asked", "refused"]


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """What became of grants: the budgets that stand, or the request that waits or was refused (`state`)."""

    budgets: tuple[UUID, ...]
    request: UUID | None = None
    state: GrantState = "granted"


_REQUEST = """
    SELECT id, organisation, orders, total_cents, state, asked_by FROM grant_request
    WHERE id = $1
"""

_ASK = """
    INSERT INTO grant_request (id, organisation, orders, families, total_cents, state, asked_by, asked_at)
    VALUES ($1, $2, $3::jsonb, $4, $5, 'asked', $6, $7)
"""

_DECIDE = """
    UPDATE grant_request SET state = $3, decided_by = $4, decided_at = $5, reason = $6
    WHERE id = $1 AND organisation = $2 AND state = 'asked' RETURNING orders, total_cents
"""

_OPEN_DAY = """
    INSERT INTO grant_day (id, organisation, login, on_day, granted_cents) VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT DO NOTHING
"""

_LOCK_DAY = """
    SELECT granted_cents FROM grant_day WHERE organisation = $1 AND login = $2 AND on_day = $3
    FOR NO KEY UPDATE
"""

_COUNT_DAY = """
    UPDATE grant_day SET granted_cents = granted_cents + $4
    WHERE organisation = $1 AND login = $2 AND on_day = $3 AND ($5::bigint IS NULL OR granted_cents + $4 <= $5)
"""

_SET_LIMIT = """
    INSERT INTO grant_limit AS l (id, organisation, limit_cents, set_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (organisation) DO UPDATE SET limit_cents = excluded.limit_cents, set_at = excluded.set_at
    WHERE l.limit_cents IS DISTINCT FROM excluded.limit_cents
"""


async def set_limit(organisation: UUID, limit_cents: int | None, *, actor: UUID | None) -> None:
    """Above this many cents a grant of this organisation needs a second login; None: never. Again has no effect.

    Raises:
        InvalidInput: the limit is no amount.
        HolderUnknown: no such organisation.
    """
    if limit_cents is not None:
        refuse([("limit_cents", cents_fault(limit_cents, least=0))])
    async with together():
        if await execute(_SET_LIMIT, new_id(), organisation, limit_cents, now()):
            await record_audit(actor, "grant_limit_set", "organisation", organisation, {"limit_cents": limit_cents})


async def grant_or_ask(request: UUID, orders: Sequence[GrantOrder], *, actor: UUID) -> GrantAnswer:
    """Grant budgets of one organisation, or ask a colleague when they are above its limit.

    What counts is the sum of these grants and of everything that the same login granted on the same Amsterdam
    day without a colleague. What waits moves no money. The same call again gives the same answer, or what
    became of it since.

    Args:
        request: id of these grants together, made by the caller; the request's id when a colleague must decide.
        orders: all of one organisation.
        actor: the login that grants or asks.

    Raises:
        InvalidInput: an order is malformed or names an unknown course, or they are of several organisations.
        PotTooSmall: the pot holds too little to grant this now.
        GrantKnown: an id or number stands for another grant.
        GrantRequestKnown: the id stands for a request for other grants.
        HolderUnknown: no such family or organisation.
    """
    refuse(list(batch_faults(orders)))
    others = [place for place, order in enumerate(orders) if order.organisation != orders[0].organisation]
    refuse([(f"{place}.organisation", "Dit is van een andere organisatie.") for place in others])
    if not orders:
        return GrantAnswer(())
    await refuse_unknown_courses({f"{place}.courses": order.courses for place, order in enumerate(orders)})
    async with together():
        on = today()
        await _lock_day(orders[0].organisation, actor, on)
        asked = await fetch_one(_REQUEST, request)
        if asked is not None:
            return await _same_request(asked, orders)
        known = await known_grants(orders)
        fresh = [order for order in orders if (order.organisation, order.external_ref) not in known]
        if not fresh or await _within_limit(fresh, actor, on):
            return GrantAnswer(tuple(await grant_many(orders, actor=actor)))
        await _ask(request, orders, sum(order.amount_cents for order in fresh), actor)
        return GrantAnswer((), request, "asked")


async def _lock_day(organisation: UUID, login: UUID, on: date) -> None:
    await execute(_OPEN_DAY, new_id(), organisation, login, on)
    await fetch_value(_LOCK_DAY, organisation, login, on)


async def _within_limit(fresh: Sequence[GrantOrder], login: UUID, on: date) -> bool:
    """Count these grants for the day, unless that brings the login above the limit."""
    organisation, cents = fresh[0].organisation, sum(order.amount_cents for order in fresh)
    limit = await fetch_value("SELECT limit_cents FROM grant_limit WHERE organisation = $1 FOR SHARE", organisation)
    return await execute(_COUNT_DAY, organisation, login, on, cents, limit) == 1


async def _same_request(asked: Any, orders: Sequence[GrantOrder]) -> GrantAnswer:
    if orders_in(asked["orders"]) != orders_in(orders_written(orders)):
        raise GrantRequestKnown(id=asked["id"])
    if asked["state"] != "approved":
        return GrantAnswer((), asked["id"], asked["state"])
    known = await known_grants(orders)
    return GrantAnswer(tuple(known[order.organisation, order.external_ref] for order in orders), asked["id"])


async def _ask(request: UUID, orders: Sequence[GrantOrder], total_cents: int, actor: UUID) -> None:
    organisation, families = orders[0].organisation, {order.family for order in orders}
    if await fetch_value("SELECT count(*) FROM family WHERE id = ANY($1::uuid[])", list(families)) != len(families):
        raise HolderUnknown
    await execute(_ASK, request, organisation, orders_written(orders), len(families), total_cents, actor, now())
    detail = {"families": len(families), "total_cents": total_cents}
    await record_audit(actor, "grant_asked", "grant_request", request, detail)
    await _tell_colleagues(request, organisation, total_cents, actor)


async def _tell_colleagues(request: UUID, organisation: UUID, total_cents: int, actor: UUID) -> None:
    own = {login.email for login in await logins(ids=[actor])}
    found = [await emails_with_role(role, scopes=[organisation]) for role in APPROVER_ROLES]
    addresses = {email for by_scope in found for emails in by_scope.values() for email in emails} - own
    context = {"link": f"/organisatie/aanvragen/{request}", "amount_cents": total_cents}
    await post_many(
        [
            Notice(kind="grant_to_approve", business_ref=str(request), address=address, context=context)
            for address in sorted(addresses)
        ]
    )


async def approve(request: UUID, organisation: UUID, *, actor: UUID) -> tuple[UUID, ...]:
    """Grant what a colleague asked for; the budgets. Every check is made again. Again has no effect.

    Raises:
        GrantRequestUnknown: the organisation has no such request.
        SecondApproverNeeded: who asked cannot approve.
        GrantRequestEnded: it was refused.
        PotTooSmall: the pot holds too little now; the request stays.
        GrantKnown: an id or number stands for another grant by now; the request stays.
        HolderUnknown: a family is gone by now; the request stays.
    """
    async with together():
        decided = await fetch_one(_DECIDE, request, organisation, "approved", actor, now(), None)
        if decided is None:
            return tuple((await known_grants(await _decided(request, organisation, actor, "approved"))).values())
        orders = orders_in(decided["orders"])
        budgets = await grant_many(orders, actor=actor)
        detail = {"budgets": len(budgets), "total_cents": decided["total_cents"]}
        await record_audit(actor, "grant_approved", "grant_request", request, detail)
    return tuple(budgets)


async def refuse_request(request: UUID, organisation: UUID, *, actor: UUID, reason: str) -> None:
    """Decide against what a colleague asked for, and say why. Nothing moves. Again has no effect.

    Raises:
        InvalidInput: the reason is malformed.
        GrantRequestUnknown: the organisation has no such request.
        SecondApproverNeeded: who asked cannot decide.
        GrantRequestEnded: it was approved.
    """
    refuse([("reason", text_fault(reason, REASON_LENGTH))])
    async with together():
        if await fetch_one(_DECIDE, request, organisation, "refused", actor, now(), reason) is None:
            await _decided(request, organisation, actor, "refused")
            return
        await record_audit(actor, "grant_refused", "grant_request", request)


async def _decided(request: UUID, organisation: UUID, actor: UUID, state: str) -> list[GrantOrder]:
    """The grants of a request that was decided this way before.

    Raises:
        GrantRequestUnknown: the organisation has no such request.
        SecondApproverNeeded: the actor asked for it.
        GrantRequestEnded: it was decided the other way.
    """
    row = await fetch_one(_REQUEST, request)
    if row is None or row["organisation"] != organisation:
        raise GrantRequestUnknown(id=request)
    if row["asked_by"] == actor:
        raise SecondApproverNeeded
    if row["state"] != state:
        raise GrantRequestEnded(state=row["state"])
    return orders_in(row["orders"])
