"""Policies and their cohorts: what an organisation gives whom. The only writer of these tables (R02).

A policy is never changed and nobody leaves a cohort: cohorts can only be compared when they stay what they were.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid5

from leerbudget.budgets.approvals import GrantAnswer, grant_or_ask
from leerbudget.budgets.earmarks import refuse_unknown_courses
from leerbudget.budgets.errors import PolicyKnown, PolicyOver, PolicyUnknown
from leerbudget.budgets.rules import EARMARKS, GrantOrder, PolicyOrder, policy_faults, sorted_earmark
from leerbudget.foundation.clock import now, today
from leerbudget.foundation.database import execute, fetch_all, fetch_one, together
from leerbudget.identity.actions import record_audit
from leerbudget.ledger.rules import refuse

_COLUMNS = PolicyOrder.__slots__

_ADD = """
    INSERT INTO grant_policy (id, organisation, name, amount_cents, per, starts_on, ends_on, themes, forms,
                               municipalities, courses, carry_cents_max, carry_percent_max, follows, added_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT (id) DO NOTHING
"""

_POLICY = """
    SELECT id, organisation, name, amount_cents, per, starts_on, ends_on, themes, forms, municipalities,
           courses, carry_cents_max, carry_percent_max, follows
    FROM grant_policy WHERE id = $1
"""

# In one order for everybody: two calls with the same families wait for each other once, never in a circle.
_JOIN = """
    INSERT INTO cohort_family (id, policy, organisation, family, starts_on, ends_on, joined_at)
    SELECT uuidv7(), p.id, p.organisation, w.family, p.starts_on, p.ends_on, $3
    FROM grant_policy p CROSS JOIN (SELECT DISTINCT unnest($2::uuid[]) AS family) w WHERE p.id = $1
    ORDER BY w.family
    ON CONFLICT (policy, family) DO NOTHING
"""

_TO_GRANT = """
    SELECT c.family, (SELECT count(*) FROM person p WHERE p.family = c.family AND p.party = 'foster_parents') AS adults
    FROM cohort_family c JOIN family f ON f.id = c.family
    WHERE c.policy = $1 AND f.active AND NOT EXISTS (SELECT FROM budget b WHERE b.policy = $1 AND b.family = c.family)
    ORDER BY c.family
"""


async def add_policy(order: PolicyOrder, *, actor: UUID | None) -> None:
    """Add a policy. The same one again has no effect.

    Raises:
        InvalidInput: it is malformed, names an unknown course, or begins before the policy that it follows has ended.
        PolicyUnknown: the organisation has no policy such as it follows.
        PolicyFollowed: another policy follows that one already.
        PolicyKnown: the id or the name stands for another policy.
        HolderUnknown: no such organisation.
    """
    refuse(list(policy_faults(order)))
    await refuse_unknown_courses({"courses": order.courses})
    async with together():
        if order.follows is not None:
            before = await policy_of(order.follows, order.organisation)
            if before.ends_on >= order.starts_on:
                refuse([("starts_on", "Dit begint voor het beleid waar het op volgt voorbij is.")])
        if not await execute(_ADD, *_values(order), now()):
            if _order(await fetch_one(_POLICY, order.id)) != _order(dict(zip(_COLUMNS, _values(order), strict=True))):
                raise PolicyKnown(id=order.id)
            return
        await record_audit(actor, "policy_added", "grant_policy", order.id, {"organisation": order.organisation})


def _values(order: PolicyOrder) -> list[Any]:
    """The order as columns; earmarks sorted and without doubles, as grants keep them."""
    found = {name: getattr(order, name) for name in _COLUMNS}
    for name in EARMARKS:
        found[name] = sorted_earmark(found[name])
    return list(found.values())


def _order(row: Any) -> PolicyOrder:
    found = dict(row)
    for name in EARMARKS:
        found[name] = None if found[name] is None else tuple(found[name])
    return PolicyOrder(**found)


async def policy_of(policy: UUID, organisation: UUID) -> PolicyOrder:
    """A policy of this organisation.

    Raises:
        PolicyUnknown: it has no such policy.
    """
    row = await fetch_one(_POLICY, policy)
    if row is None or row["organisation"] != organisation:
        raise PolicyUnknown(id=policy)
    return _order(row)


async def join_cohort(policy: UUID, organisation: UUID, families: Collection[UUID], *, actor: UUID | None) -> int:
    """Put families in a policy's cohort, all or none; how many were not in it yet.

    Raises:
        PolicyUnknown: the organisation has no such policy.
        PolicyOver: its last day is over.
        FamilyInCohort: one is in another cohort of the organisation in the same period.
        HolderUnknown: no such family.
    """
    async with together():
        found = await policy_of(policy, organisation)
        if found.ends_on < today():
            raise PolicyOver
        joined = await execute(_JOIN, policy, list(families), now())
        if joined:
            await record_audit(actor, "cohort_joined", "grant_policy", policy, {"families": joined})
    return joined


async def grant_by_policy(request: UUID, policy: UUID, organisation: UUID, *, actor: UUID) -> GrantAnswer:
    """Grant every family of the cohort its budget, all or none; who has it already is left alone.

    Above the organisation's limit a colleague decides (`approvals.grant_or_ask`). Per adult means for each
    foster parent that the family has at this moment; a family without one gets nothing.

    Args:
        request: id of this press, made by the caller.
        policy: which policy.
        organisation: whose policy it must be.
        actor: the login that grants or asks.

    Raises:
        PolicyUnknown: the organisation has no such policy.
        PolicyOver: its last day is over.
        PotTooSmall: the pot holds too little for all of them together.
        GrantRequestKnown: the id stands for a request for other grants, or the cohort changed since.
    """
    found = await policy_of(policy, organisation)
    if found.ends_on < today():
        raise PolicyOver
    rows = await fetch_all(_TO_GRANT, policy)
    orders = [_grant(found, row["family"], 1 if found.per == "family" else row["adults"]) for row in rows]
    return await grant_or_ask(request, [order for order in orders if order.amount_cents], actor=actor)


def _grant(policy: PolicyOrder, family: UUID, times: int) -> GrantOrder:
    return GrantOrder(
        id=uuid5(policy.id, str(family)),
        external_ref=f"policy:{policy.id}:{family}",
        family=family,
        organisation=policy.organisation,
        amount_cents=policy.amount_cents * times,
        starts_on=policy.starts_on,
        expires_on=policy.ends_on,
        themes=policy.themes,
        forms=policy.forms,
        municipalities=policy.municipalities,
        courses=policy.courses,
        carry_over=policy.carries_over,
        policy=policy.id,
    )
