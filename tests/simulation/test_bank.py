"""Our bank in the made-up year writes what a bank writes: statements that add up, and payments back with a reason."""

from datetime import date

from stdnum import iban

from leerbudget.entrypoints.simulator import bank as banks
from leerbudget.entrypoints.simulator.bank import BACK_AFTER_DAYS, REASONS, Bank, account_number
from leerbudget.fictional.dice import Dice
from leerbudget.foundation.clock import now
from leerbudget.payments.camt import read_statements
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.pain import CreditTransfer, payment_order

DAY = date(2027, 1, 4)


def an_order(*cents):
    """A file with these payments, each to an account of its own."""
    transfers = [
        CreditTransfer(f"{place:032x}", f"Trainer {place} (fictief)", account_number(place), each, "Uitbetaling")
        for place, each in enumerate(cents, 1)
    ]
    return payment_order(EXAMPLE, "ORDER-1", transfers, execution_on=DAY, made_at=now())


def read(bank, day):
    """The one statement of a day."""
    (found,) = read_statements(bank.statement(day, DAY))
    assert found.iban == EXAMPLE.iban
    return found


def test_accounts_are_numbers_that_banks_accept():
    """Every one is another, with the right check digits."""
    numbers = [account_number(place) for place in range(200)]
    assert len(set(numbers)) == 200
    assert all(iban.is_valid(number) for number in numbers)


def test_what_comes_in_stands_on_the_statement_of_that_day(monkeypatch):
    """With what was written along; a day without anything has no statement, and each opens where the one before closed."""
    monkeypatch.setattr(banks, "COMES_BACK", 0.0)
    bank = Bank(Dice(1, "test"))
    bank.receives(3, 50_000, "Stichting Voorbeeld (fictief)", "Storting RF18X")
    assert bank.statement(2, DAY) is None
    first = read(bank, 3)
    assert [(each.cents, each.note) for each in first.entries] == [(50_000, "Storting RF18X")]
    assert bank.statement(3, DAY) is None
    assert bank.pays(4, an_order(1_000, 2_000)) == 2
    bank.pays_by_hand(4, 500, "Gezin (fictief)", "Terugbetaling RF18X")
    second = read(bank, 5)
    assert (second.opening_cents, second.closing_cents, bank.cents) == (first.closing_cents, 46_500, 46_500)
    assert [(each.cents, each.end_to_end, each.party_iban) for each in second.entries] == [
        (-1_000, f"{1:032x}", account_number(1)),
        (-2_000, f"{2:032x}", account_number(2)),
        (-500, "NOTPROVIDED", second.entries[2].party_iban),
    ]


def test_what_comes_back_says_why_and_which_payment(monkeypatch):
    """All of it a few days later, under the name that we gave the payment."""
    monkeypatch.setattr(banks, "COMES_BACK", 1.0)
    bank = Bank(Dice(1, "test"))
    bank.pays(0, an_order(1_000, 2_000))
    out, back = read(bank, 1), read(bank, 1 + BACK_AFTER_DAYS)
    assert {each.end_to_end: -each.cents for each in out.entries} == {e.end_to_end: e.cents for e in back.entries}
    assert {each.return_reason for each in back.entries} <= set(REASONS)
    assert bank.cents == 0
