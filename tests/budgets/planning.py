"""Builders of policies and cohorts for the tests of budgets. Everything they make is fictional."""

from datetime import date

from ledger.bookkeeping import CLERK
from leerbudget.budgets.policies import add_policy, join_cohort
from leerbudget.budgets.rules import PolicyOrder
from leerbudget.foundation.ids import new_id


def a_policy(organisation, **changes):
    """€ 250 per family for 2027, unless told otherwise."""
    made = new_id()
    fields = {"id": made, "name": f"Beleid {made}", "amount_cents": 25_000, "per": "family"}
    fields |= {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31)} | changes
    return PolicyOrder(organisation=organisation, **fields)


async def a_cohort(organisation, families, **changes):
    """A policy with these families in its cohort."""
    order = a_policy(organisation, **changes)
    await add_policy(order, actor=CLERK)
    await join_cohort(order.id, organisation, families, actor=CLERK)
    return order
