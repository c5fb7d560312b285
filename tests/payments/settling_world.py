"""A little country that settles: organisations, families with budgets, trainers who work for somebody or not.

Everything and everyone here is fictional (fictief).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import world
from ledger.bookkeeping import CLERK, FIRST_MEETING, a_grant, an_organisation, some_families, top_up
from leerbudget.budgets.actions import give_back, grant, hold, settle
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of
from leerbudget.trainers.employers import work_for

BEFORE = datetime(2027, 1, 4, 12, tzinfo=UTC)


def on(day, hour=12):
    """A moment on a day."""
    return datetime.fromisoformat(f"{day}T{hour:02}:00+00:00")


@dataclass
class Country:
    """Who there is, in the order in which they came."""

    organisations: list[UUID] = field(default_factory=list)
    families: list[list[UUID]] = field(default_factory=list)
    trainers: list[UUID] = field(default_factory=list)
    accounts: list[UUID] = field(default_factory=list)

    async def pays(self, day, family, trainer, cents):
        """On a day a seat at the trainer is paid from the family's budget; what it was paid for."""
        purpose = new_id()
        with travelling(on(day)):
            rule = {"theme": "trauma", "form": "webinar", "on": FIRST_MEETING}
            await hold(purpose, family, cents, payee_account=self.accounts[trainer], actor=CLERK, **rule)
            await settle(purpose, cents, actor=CLERK, reason="Geweest")
        return purpose

    async def gets_back(self, day, purpose):
        """On a day the family gets back what it paid."""
        with travelling(on(day)):
            await give_back({purpose: 10**9}, actor=CLERK, reason="Vervangen")

    async def works_for(self, day, trainer, organisation):
        """On a day it is noted for whom the trainer works: number of an organisation, or None."""
        with travelling(on(day)):
            employer = None if organisation is None else self.organisations[organisation]
            await work_for({self.trainers[trainer]: employer}, actor=CLERK)


async def a_country(*, families, employers):
    """Organisations with so many families each, with € 1,000 a family; trainers that work for who is named."""
    made = Country()
    with travelling(BEFORE):
        for number in families:
            organisation = await an_organisation()
            await top_up(organisation, max(1, number) * 100_000)
            made.organisations.append(organisation)
            made.families.append(await some_families(organisation, number))
            for family in made.families[-1]:
                await grant(a_grant(family, organisation, 100_000), actor=CLERK)
        for employer in employers:
            made.trainers.append((await world.a_trainer())[0])
            made.accounts.append(await account_of("trainer_payable", made.trainers[-1], constrained=False))
            await made.works_for("2027-01-04", len(made.trainers) - 1, employer)
    return made
