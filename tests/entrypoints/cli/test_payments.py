"""`leerbudget payments` as people run it: in a process of its own, against a database of its own."""

import asyncio
import json
from datetime import timedelta

import pytest

import world
from entrypoints.cli.commanding import forked, on
from leerbudget.budgets import queries as budgets
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import actions
from leerbudget.payments.rules import readable


@pytest.fixture
def run(world_db):
    """Runs `leerbudget payments …`; exit code, what it printed, and what it complained of."""

    async def payments(*words: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(forked, "payments", *words, env=on(world_db))
        return done.returncode, done.stdout, done.stderr

    return payments


def day(days: int = 0) -> str:
    """A day from today, as the command reads it."""
    return (clock.today() + timedelta(days=days)).isoformat()


async def test_money_from_a_bank_statement_is_credited_once(run):
    """List, confirm by the printed reference, confirm again: in the pot once, and the list is empty."""
    organisation, top_up = await world.an_organisation(), new_id()
    reference = await actions.request_top_up(top_up, organisation, 123_450, "INK-7", actor=None)
    code, said, _ = await run("list")
    assert (code, readable(reference) in said, "€ 1.234,50" in said) == (0, True, True)
    (listed,) = json.loads((await run("list", "--json"))[1])
    assert (listed["id"], listed["reference"], listed["amount_cents"]) == (str(top_up), reference, 123_450)
    for _ in range(2):
        order = (readable(reference), "--amount-cents", "123450", "--received-on", day())
        code, said, complained = await run("confirm-top-up", *order)
        assert (code, complained) == (0, "")
        assert str(top_up) in said
    assert (await budgets.pot(organisation)).free_cents == 123_450
    assert json.loads((await run("list", "--json"))[1]) == []
    assert await ledger.check() == []


@pytest.mark.parametrize(
    ("amount", "received_on", "code", "words"),
    [
        ("1", 0, 1, "amount_differs"),
        ("5000", 1, 2, "received_on"),
        ("0", 0, 2, "amount-cents"),
        ("9" * 30, 0, 2, "amount-cents"),
        ("veel", 0, 2, "amount-cents"),
    ],
)
async def test_what_does_not_fit_is_one_line_and_credits_nothing(run, amount, received_on, code, words):
    """Another amount, a day still to come, or no amount at all: an exit code, one line, no traceback."""
    organisation = await world.an_organisation()
    reference = await actions.request_top_up(new_id(), organisation, 5000, None, actor=None)
    order = (reference, "--amount-cents", amount, "--received-on", day(received_on))
    left, _, complained = await run("confirm-top-up", *order)
    assert (left, len(complained.strip().splitlines())) == (code, 1), complained
    assert words in complained
    assert (await budgets.pot(organisation)).free_cents == 0


async def test_a_mistyped_reference_is_refused(run):
    """Check digits catch the slip; a sound reference that nobody has is not there either."""
    order = ("--amount-cents", "5000", "--received-on", day())
    assert (await run("confirm-top-up", "RF00 1234 5678", *order))[0] == 2
    assert (await run("confirm-top-up", "RF18539007547034", *order))[0] == 1
