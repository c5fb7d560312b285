"""A family's statement ties out with the ledger to the cent, whatever happened."""

import asyncio
from datetime import UTC, datetime

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.bookkeeping import CLERK, Books
from leerbudget.budgets.actions import give_back
from leerbudget.budgets.queries import budgets_of, mutations
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.budgets.statements import statement
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import record
from leerbudget.ledger.queries import balances, check
from leerbudget.ledger.rules import TransferOrder

BUDGETS = ("2027", "2028", "loose")
BOOKINGS = ("a", "b", "c")
DAYS = ("2027-03-01", "2028-01-01", "2028-03-01", "2029-01-01")
cents = st.integers(1, 20_000)
events = st.one_of(
    st.builds("hold {} {} on={}".format, st.sampled_from(BOOKINGS), cents, st.sampled_from(DAYS)),
    st.builds("settle {} {}".format, st.sampled_from(BOOKINGS), st.integers(0, 12_000)),
    st.builds("lower {} {}".format, st.sampled_from(BUDGETS), cents),
    st.builds("correct {} {}".format, st.sampled_from(BUDGETS), st.integers(-3_000, 3_000).filter(bool)),
    st.builds("clock {}".format, st.sampled_from(DAYS)),
    st.builds("give-back {}".format, st.sampled_from(BOOKINGS)),
    st.just("expire"),
)
BEGIN = """
    top-up  500000
    policy  2027  25001  from=2027-01-01  until=2027-12-31  percent=50  carry=9000
    policy  2028  15000  from=2028-01-01  until=2028-12-31  follows=2027
    grant   loose 10000  themes=trauma
"""

EVERY_KIND = [
    "hold a 30000 on=2027-03-01",
    "settle a 7001",
    "give-back a",
    "hold b 900 on=2027-03-01",
    "settle b 0",
    "lower loose 10",
    "correct loose -5",
    "correct 2027 7",
    "clock 2028-01-01",
    "expire",
]
"""A story with every kind of movement; chance alone does not always think of each."""


class Story(Books):
    """Books in which corrections happen too, and in which the clock never goes back."""

    async def _correct(self, name, cents):
        one, other = self.accounts[name], self.accounts["pot"]
        debit, credit = (other, one) if int(cents) > 0 else (one, other)
        order = TransferOrder(
            new_id(), "correction", f"fix:{new_id()}", "posted", debit, credit, abs(int(cents)), reason="Hersteld"
        )
        await record([order], actor=CLERK)

    async def _give_back(self, purpose):
        await give_back({self.purposes[purpose]: 10**9}, actor=None, reason="replaced")

    async def _clock(self, day):
        self.moment = max(self.moment, datetime.fromisoformat(f"{day}T12:00+00:00"))


async def play(story):
    """A story, whatever is refused in it; then every statement against the ledger and what a budget's view says."""
    books = await Story().open()
    await books.happens(BEGIN)
    for event in story:
        try:
            await books.happens(event)
        except (LeerbudgetError, KeyError):  # no money, or a booking that was never made
            continue
    lines = await mutations(books.family)
    shown = await balances(books.accounts[name] for name in BUDGETS)
    for view in await budgets_of(books.family):
        told = statement(line for line in lines if line.budget == view.id)
        ledger = shown[view.id]
        assert (told.free_cents, told.held_cents) == (ledger.free_cents, ledger.pending_cents)
        came = told.granted_cents + told.carried_in_cents + told.corrected_cents
        went = told.paid_cents + told.returned_cents + told.carried_out_cents
        assert came - went == told.free_cents + told.held_cents
        last = told.lines[-1]
        assert (last.movement.free_after_cents, last.held_after_cents) == (told.free_cents, told.held_cents)
        assert all(line.held_after_cents >= 0 and line.movement.free_after_cents >= 0 for line in told.lines)
        if not told.corrected_cents:  # a view counts what a correction took as spent
            corrected = sum(
                -min(0, line.free_change_cents)
                for line in lines
                if line.budget == view.id and line.kind == "correction"
            )
            assert view.spent_cents == told.paid_cents + corrected
        views = (view.granted_cents, view.returned_cents, view.carried_in_cents, view.carried_out_cents)
        assert views == (told.granted_cents, told.returned_cents, told.carried_in_cents, told.carried_out_cents)
    return {(line.kind, line.phase) for line in lines}


async def test_any_story_ties_out(world_db):
    """Grants, holds, payments, releases, lowerings, corrections, ends and carry-overs in any order: the same cents."""
    loop, seen = asyncio.get_running_loop(), set()

    @example(EVERY_KIND)
    @given(st.lists(events, min_size=4, max_size=25))
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def any_story(story):
        seen.update(asyncio.run_coroutine_threadsafe(play(story), loop).result(60))

    await asyncio.to_thread(any_story)
    kinds = {
        ("grant", "posted"),
        ("grant_return", "posted"),
        ("carry_over", "posted"),
        ("correction", "posted"),
        ("fee_return", "posted"),
    }
    assert kinds | {("booking", phase) for phase in ("reserve", "post", "void")} <= seen
    with travelling(datetime(2031, 1, 1, tzinfo=UTC)):
        assert [*await check(), *await check_budgets()] == []


def test_a_statement_of_nothing_is_nothing():
    """Without movements every sum is zero."""
    told = statement([])
    assert (told.lines, told.free_cents, told.held_cents, told.granted_cents) == ((), 0, 0, 0)
