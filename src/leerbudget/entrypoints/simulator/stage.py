"""Everybody and everything of a made-up year, while it is lived."""

from dataclasses import dataclass, field
from uuid import UUID

from leerbudget.entrypoints.demo import filling
from leerbudget.entrypoints.simulator.bank import Bank
from leerbudget.entrypoints.simulator.desk import Desk
from leerbudget.entrypoints.simulator.plan import Plan
from leerbudget.entrypoints.simulator.promises import Known
from leerbudget.entrypoints.simulator.till import Till
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.world import Family, World


@dataclass(slots=True)
class Stage:
    """Everybody and everything of the year.

    `families`: who takes part now; `paid_in_cents`: what organisations paid, `by_hand_cents`: what of it a person
    confirmed; `slow`: payments that a bank still works on; `accounts`: how many accounts trainers gave;
    `paid_by_hand`: refunds that failed and that one of us paid at the bank.
    """

    world: World
    plan: Plan
    seed: int
    desk: Desk
    dice: Dice
    ids: filling.Ids
    till: Till
    bank: Bank
    slow: list[str] = field(default_factory=list)
    logins: dict[str, UUID] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    payers: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    paid_in_cents: int = 0
    by_hand_cents: int = 0
    accounts: int = 0
    paid_by_hand: set[UUID] = field(default_factory=set)
    round: UUID | None = None

    @property
    def known(self) -> Known:
        """What others know of our money now."""
        return Known(self.paid_in_cents, self.by_hand_cents + self.bank.cents)
