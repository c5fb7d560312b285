"""The money rooms against a small model in plain Python: any sequence of events, the same cents."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from ledger.bookkeeping import a_family, a_grant, a_payee, an_organisation, top_up
from leerbudget.budgets.actions import expire_due, grant, hold, lower, settle, settle_many
from leerbudget.budgets.errors import (
    AlreadySettled,
    BudgetTooSmall,
    EarmarkExcludes,
    KeepsTooMuch,
    LoweringTooLarge,
    PotTooSmall,
)
from leerbudget.budgets.queries import budgets_of, free_for, pot
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import balances, check

START = date(2027, 1, 1)
THEMES = ("trauma", "endings")
cents = st.integers(1, 30_000)
days = st.integers(0, 60)


@dataclass
class Purse:
    """A budget in the model."""

    id: object
    free: int
    starts: date
    ends: date
    themes: tuple | None
    held: int = 0
    spent: int = 0
    returned: int = 0
    active: bool = True


@dataclass
class Model:
    """What a bookkeeper with pencil and paper would know."""

    pot: int = 0
    paid: int = 0
    purses: dict = field(default_factory=dict)
    holds: dict = field(default_factory=dict)  # purpose -> {budget: cents}
    settled: dict = field(default_factory=dict)  # purpose -> kept cents

    def open_on(self, on, today):
        """The purses of that day, whatever they are for."""
        return [p for p in self.purses.values() if p.active and p.starts <= on <= p.ends and today <= p.ends]

    def able(self, theme, on, today):
        """The purses that may pay, in their order."""
        fit = [p for p in self.open_on(on, today) if p.themes is None or theme in p.themes]
        return sorted(fit, key=lambda p: (p.themes is None, p.ends, p.id))


def split(total, parts):
    """Largest remainder, by exact fractions; ties to the smallest budget id."""
    whole = sum(parts.values())
    ordered = sorted(parts)
    base = {b: total * parts[b] // whole for b in ordered}
    rest = sorted(ordered, key=lambda b: (-(total * parts[b] % whole), ordered.index(b)))
    for b in rest[: total - sum(base.values())]:
        base[b] += 1
    return base


class MoneyMachine(RuleBasedStateMachine):
    """Grants, holds, settlements, lowerings and passing days, in any order."""

    loop: asyncio.AbstractEventLoop
    purposes = Bundle("purposes")
    budgets = Bundle("budgets")

    def does(self, work):
        """Run an action in the tests' loop on the machine's day; its answer, or the refusal."""

        async def on_this_day():
            with travelling(datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(hours=12)):
                try:
                    return await work()
                except LeerbudgetError as refusal:
                    return refusal

        return asyncio.run_coroutine_threadsafe(on_this_day(), self.loop).result(30)

    @initialize(target=budgets)
    def begin(self):
        """An organisation with € 500, a trainer, and a family with two budgets, so that holds are often split."""
        self.today, self.model = START, Model(pot=50_000)

        async def stage():
            self.organisation = await an_organisation()
            self.family = await a_family(self.organisation)
            self.payee = await a_payee()
            await top_up(self.organisation, 50_000)

        asyncio.run_coroutine_threadsafe(stage(), self.loop).result(30)
        return multiple(self.grants_one(7_001, 0, 20, THEMES[:1]), self.grants_one(9_002, 0, 40, None))

    @rule(
        target=budgets,
        amount=cents,
        starts=st.integers(0, 20),
        length=days,
        themes=st.sampled_from([None, THEMES[:1], THEMES]),
    )
    def grants(self, amount, starts, length, themes):
        """A grant succeeds exactly when the pot can pay it."""
        return self.grants_one(amount, starts, length, themes)

    def grants_one(self, amount, starts, length, themes):
        """One grant, in the books and in the model."""
        first = self.today + timedelta(days=starts)
        order = a_grant(
            self.family,
            self.organisation,
            amount,
            starts_on=first,
            expires_on=first + timedelta(days=length),
            themes=themes,
        )
        answer = self.does(lambda: grant(order, actor=None))
        if amount > self.model.pot:
            assert isinstance(answer, PotTooSmall)
            assert answer.data["missing_cents"] == amount - self.model.pot
            return None
        assert answer == order.id
        self.model.pot -= amount
        self.model.purses[order.id] = Purse(order.id, amount, order.starts_on, order.expires_on, themes)
        return order.id

    @rule(target=purposes, amount=st.integers(1, 15_000), theme=st.sampled_from(THEMES), ahead=st.integers(0, 10))
    def holds(self, amount, theme, ahead):
        """A hold takes from the purses in their order, or says how much is missing."""
        purpose, on = new_id(), self.today + timedelta(days=ahead)
        answer = self.does(lambda: self._hold(purpose, amount, theme, on))
        able = self.model.able(theme, on, self.today)
        free = sum(p.free for p in able)
        if free < amount:
            other = sum(p.free for p in self.model.open_on(on, self.today)) - free
            excluded = free + other >= amount
            assert type(answer) is (EarmarkExcludes if excluded else BudgetTooSmall)
            elsewhere = {"elsewhere_cents": other} if excluded else {}
            assert answer.data == {"missing_cents": amount - free, "free_cents": free} | elsewhere
            return purpose
        parts = {}
        for purse in able:
            part = min(purse.free, amount - sum(parts.values()))
            if part:
                parts[purse.id] = part
                purse.free, purse.held = purse.free - part, purse.held + part
        assert {share.budget: share.amount_cents for share in answer} == parts
        assert set(self.does(lambda: self._hold(purpose, amount, theme, on))) == set(answer)
        self.model.holds[purpose] = parts
        return purpose

    async def _hold(self, purpose, amount, theme, on):
        return await hold(
            purpose, self.family, amount, theme=theme, form="webinar", on=on, payee_account=self.payee, actor=None
        )

    @rule(purpose=purposes, keep=st.integers(0, 100))
    def settles(self, purpose, keep):
        """A settlement keeps its share of each purse, once."""
        parts = self.model.holds.get(purpose, {})
        amount = sum(parts.values()) * keep // 100
        answer = self.does(lambda: settle(purpose, amount, actor=None, reason="Test"))
        if purpose in self.model.settled and self.model.settled[purpose] != amount:
            assert isinstance(answer, AlreadySettled)
        elif parts:
            kept = split(amount, parts)
            assert {share.budget: share.amount_cents for share in answer} == kept
            self._settled(purpose, kept)
        else:
            assert answer == ()

    @rule(purpose=purposes, more=cents)
    def keeps_too_much(self, purpose, more):
        """More than was held is never kept."""
        amount = sum(self.model.holds.get(purpose, {}).values()) + more
        answer = self.does(lambda: settle(purpose, amount, actor=None, reason="Test"))
        assert isinstance(answer, AlreadySettled if purpose in self.model.settled else KeepsTooMuch)

    @rule(keep=st.sampled_from(["all", "nothing"]))
    def settles_what_is_open(self, keep):
        """Every open hold ends at once."""
        known = list(self.model.holds)
        open_ones = [purpose for purpose in known if purpose not in self.model.settled]
        wanted = {p: sum(parts.values()) if keep == "all" else 0 for p, parts in self.model.holds.items()}
        assert self.does(lambda: settle_many(wanted, actor=None, reason="Test")) == len(open_ones)
        for purpose in open_ones:
            parts = self.model.holds[purpose]
            self._settled(purpose, parts if keep == "all" else dict.fromkeys(parts, 0))

    def _settled(self, purpose, kept):
        if purpose in self.model.settled:
            return
        self.model.settled[purpose] = sum(kept.values())
        for budget, held in self.model.holds[purpose].items():
            purse = self.model.purses[budget]
            purse.held -= held
            purse.spent += kept[budget]
            purse.free += held - kept[budget]
            self.model.paid += kept[budget]

    @rule(budget=budgets, amount=cents)
    def lowers(self, budget, amount):
        """A budget is lowered by what is free at most."""
        if budget is None:
            return
        purse = self.model.purses[budget]
        answer = self.does(lambda: lower(budget, amount, lowering=new_id(), actor=None, reason="Test"))
        if amount > purse.free:
            assert isinstance(answer, LoweringTooLarge)
            assert answer.data == {"free_cents": purse.free}
            return
        assert answer is None
        self._back(purse, amount)

    @rule(passing=st.integers(0, 15))
    def days_pass(self, passing):
        """Days go by and the worker ends what is over."""
        self.today += timedelta(days=passing)
        ended = [p for p in self.model.purses.values() if p.ends < self.today and (p.active or p.free)]
        assert self.does(lambda: expire_due(actor=None)) == len(ended)
        for purse in ended:
            purse.active = False
            self._back(purse, purse.free)

    @rule(purpose=purposes, keep=st.integers(0, 99), passing=st.integers(10, 25))
    def settles_late(self, purpose, keep, passing):
        """What a settlement releases after the end falls back too."""
        self.days_pass(passing)
        self.settles(purpose, keep)
        self.days_pass(0)

    def _back(self, purse, amount):
        purse.free -= amount
        purse.returned += amount
        self.model.pot += amount

    @invariant()
    def the_same_cents(self):
        """Every purse, the pot and the trainer hold what the model says."""
        if not hasattr(self, "family"):
            return
        views = self.does(lambda: budgets_of(self.family))
        shown = {
            v.id: (v.free_cents, v.held_cents, v.spent_cents, v.returned_cents, v.state == "active") for v in views
        }
        purses = self.model.purses.values()
        assert shown == {p.id: (p.free, p.held, p.spent, p.returned, p.active) for p in purses}
        assert self.does(lambda: pot(self.organisation)).free_cents == self.model.pot
        assert self.does(lambda: balances([self.payee]))[self.payee].posted_cents == self.model.paid
        for theme in THEMES:
            free = sum(p.free for p in self.model.able(theme, self.today, self.today))
            assert self.does(lambda t=theme: free_for(self.family, t, "webinar", self.today)) == free

    def teardown(self):
        """The books balance at the end of every story; nothing stays behind that could end in the next one."""
        if hasattr(self, "family"):
            self.does(lambda: settle_many(dict.fromkeys(self.model.holds, 0), actor=None, reason="Einde"))
            self.today = date(2030, 1, 1)
            self.does(lambda: expire_due(actor=None))
            assert self.does(check) == []
            assert self.does(check_budgets) == []


async def test_the_money_rooms_do_what_the_model_does(world_db):
    """Hundreds of random events leave the same cents in the books as on paper."""
    loop = asyncio.get_running_loop()
    machine = type("Machine", (MoneyMachine,), {"loop": loop})
    limits = settings(
        max_examples=30,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=limits)
