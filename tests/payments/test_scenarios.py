"""The sixteen scenarios that payments must hold: what each claims, and where it is played.

In every order of its events with duplicates (`scale.PERMUTATIONS` of them; set `SOAK_PERMUTATIONS` to 5040 for all), and
with `kill -9` in between. A test that is named here and is not there, and a scenario that is not here, fail.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.test_payment_kill import CASES
from payments.test_gateway_orders import STORIES

TESTS = Path(__file__).parents[1]
ORDERS = "payments/test_gateway_orders.py::test_every_order_of_messages_ends_in_the_same_books"
FACTS = "payments/test_facts.py::test_every_order_with_duplicates_ends_in_the_same_books"
"""What a gateway shows always holds the beginning too; here an end is told without it as well."""
OWN = "payments/test_own_shares.py::"
IN_ANY_ORDER = (
    f"{OWN}test_whatever_the_order_the_money_pays_a_seat_or_goes_back",
    "payments/test_own_share_orders.py::test_every_order_of_messages_pays_the_seat_or_goes_back",
)


@dataclass(frozen=True)
class Scenario:
    """What happens and how it ends.

    Args:
        claim: in a sentence.
        played: the tests in which it is told in every order, or meets what it is about.
        killed: the cases of `test_payment_kill` for the work it is made of.
    """

    claim: str
    played: tuple[str, ...]
    killed: tuple[str, ...]


SCENARIOS = {
    1: Scenario(
        "A top-up by iDEAL is in the pot once, in whatever order and however often it is told.",
        (
            ORDERS,
            "payments/test_facts.py::test_twenty_messages_at_once_credit_once",
            "payments/test_asking.py::test_a_message_is_noted_once_and_looked_at_later",
        ),
        ("starting", "paid"),
    ),
    2: Scenario("A page that lapses leaves nothing.", (ORDERS,), ("paid",)),
    3: Scenario("A debit under way is nothing: not a cent of it can be granted.", (ORDERS,), ("paid",)),
    4: Scenario(
        "A debit that came in waits beside the pot, and is in it on day 57, once.",
        (ORDERS, "payments/test_facts.py::test_a_debit_can_be_granted_from_day_57_and_not_before"),
        ("paid", "held"),
    ),
    5: Scenario("A debit that fails before it is told to be under way is nothing.", (ORDERS, FACTS), ("paid",)),
    6: Scenario(
        "A debit that is called back while it waits leaves all accounts at zero.", (ORDERS, FACTS), ("called_back",)
    ),
    7: Scenario(
        "A debit called back in month twelve is owed by the organisation; trainers keep theirs, confirmed places stay.",
        (
            ORDERS,
            FACTS,
            "payments/test_facts.py::test_a_reversal_hits_the_organisation_and_families_keep_their_budgets",
        ),
        ("called_back",),
    ),
    8: Scenario("A card payment that is disputed in vain is as before.", (ORDERS, FACTS), ("called_back",)),
    9: Scenario(
        "A transfer is credited by its reference, to the cent asked; the rest, and what only looks right, waits.",
        (
            "payments/test_bank_orders.py::test_transfers_in_any_order_are_credited_once",
            "payments/test_bank_orders.py::test_money_that_was_confirmed_by_hand_and_stands_on_a_statement_counts_once",
            "payments/test_statements.py::test_money_with_its_reference_is_credited_and_the_rest_waits",
        ),
        ("importing", "confirming"),
    ),
    10: Scenario(
        "A statement twice, or overlapping, posts nothing again; one that is wrong is refused whole.",
        (
            "payments/test_bank_orders.py::test_wrong_files_between_right_ones_change_nothing",
            "payments/test_statements.py::test_the_same_file_and_an_overlapping_one_post_nothing_again",
            "payments/test_statements.py::test_a_file_that_changes_history_is_refused_whole",
            "payments/test_statements.py::test_hostile_files_leave_no_trace",
        ),
        ("importing",),
    ),
    11: Scenario(
        "A seat of EUR 180 is paid with EUR 150 of budget and EUR 30 of the parents; the trainer gets it once.",
        (f"{OWN}test_a_seat_is_paid_from_the_budget_and_by_the_family", *IN_ANY_ORDER),
        ("seated",),
    ),
    12: Scenario(
        "What comes back after cancelling mirrors who paid, to the cent, in time and late.",
        (
            f"{OWN}test_what_comes_back_mirrors_who_paid",
            f"{OWN}test_the_split_mirrors_to_the_cent",
            IN_ANY_ORDER[1],
        ),
        ("too_late", "refunding"),
    ),
    13: Scenario(
        "A refund that fails, also before it was made, is owed, and a person is told.",
        (
            ORDERS,
            "payments/test_asking.py::test_a_refund_that_fails_is_owed_in_whatever_order_it_is_told",
            "payments/test_bank_orders.py::test_a_refund_by_bank_in_any_order_is_paid_or_owed",
            f"{OWN}test_a_refund_that_fails_stays_owed",
            IN_ANY_ORDER[1],
        ),
        ("refunding", "refund_returned", "approving", "refusing"),
    ),
    14: Scenario(
        "Own money that comes too late finds the seat or goes back once, with a message.",
        (f"{OWN}test_money_that_comes_too_late_finds_the_seat_or_goes_back", *IN_ANY_ORDER),
        ("seated", "too_late"),
    ),
    15: Scenario(
        "Another amount, currency, method or somebody else's metadata credits nobody: a person looks.",
        (ORDERS, FACTS, "payments/test_asking.py::test_money_of_a_stranger_touches_no_pot"),
        ("of_a_stranger",),
    ),
    16: Scenario(
        "Whichever message is lost, and though the service fails five times, reconciling credits it once.",
        (
            "payments/test_gateway_orders.py::test_whichever_messages_are_lost_reconciling_credits_once",
            "payments/test_asking.py::test_a_lost_message_is_found_and_credited_once",
        ),
        ("paid",),
    ),
}
"""By the number in the table of scenarios."""


def test_every_scenario_is_here():
    """One to sixteen, each with its claim and with tests; nothing is left out unsaid."""
    assert sorted(SCENARIOS) == list(range(1, 17))
    assert all(each.claim and each.played and each.killed for each in SCENARIOS.values())


@pytest.mark.parametrize("number", SCENARIOS)
def test_what_is_named_is_there(number):
    """Each named test exists, each story bears its number, and each kill is one that is done."""
    for test in SCENARIOS[number].played:
        file, _, name = test.partition("::")
        tree = ast.parse((TESTS / file).read_text())
        assert name in {each.name for each in tree.body if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef)}
    assert set(SCENARIOS[number].killed) <= set(CASES)
    assert (ORDERS in SCENARIOS[number].played) is any(story.number == number for story in STORIES.values())


def test_a_story_bears_the_number_of_its_scenario():
    """The name that a failing test shows begins with it."""
    assert all(re.match(r"\d+", name)[0] == str(story.number) for name, story in STORIES.items())
