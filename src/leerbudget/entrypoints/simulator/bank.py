"""Our bank in the made-up year: what organisations transfer, what we have it pay, and its statement of each day."""

from collections import defaultdict
from datetime import date
from typing import Final

from stdnum import iban as iban_numbers

from leerbudget.fictional.bank_file import Entry, statement_file
from leerbudget.fictional.dice import Dice
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.iso20022 import cents_at, message_in, needed
from leerbudget.payments.pain import PAIN_001

COMES_BACK: Final = 0.05
"""Chance that the payee's bank sends a payment back [guess]."""
BACK_AFTER_DAYS: Final = 3
REASONS: Final = ("AC04", "MS03")
"""Of ISO 20022: the account is closed, and no reason given."""


def account_number(number: int) -> str:
    """The made-up account of a payee, by a running number."""
    body = f"MOCK{number:010}"
    return f"NL{iban_numbers.calc_check_digits('NL00' + body)}{body}"


class Bank:
    """One account of ours. Days count from 0; what is booked on a day stands on that day's statement."""

    def __init__(self, dice: Dice) -> None:
        """`dice`: what comes back."""
        self.cents = 0
        self._dice = dice
        self._booked: defaultdict[int, list[Entry]] = defaultdict(list)

    def receives(self, day: int, cents: int, payer: str, note: str) -> None:
        """Somebody transfers to us, and writes what for."""
        self._booked[day].append(Entry(cents, payer, note))

    def pays_by_hand(self, day: int, cents: int, payee: str, note: str) -> None:
        """One of us transfers at the bank's own website: it is booked the day after."""
        self._booked[day + 1].append(Entry(-cents, payee, note))

    def pays(self, day: int, order: bytes) -> int:
        """Take an order (pain.001) in: it is booked the day after, and now and then comes back; how many payments."""
        payments = message_in(order, [PAIN_001]).findall(".//CdtTrfTxInf")
        for each in payments:
            cents, _ = cents_at(each, "Amt/InstdAmt")
            party, iban = needed(each, "Cdtr/Nm"), needed(each, "CdtrAcct/Id/IBAN")
            name = needed(each, "PmtId/EndToEndId")
            self._booked[day + 1].append(Entry(-cents, party, "Uitbetaling", iban, name))
            if self._dice.chance(COMES_BACK):
                reason = self._dice.pick(REASONS)
                back = Entry(cents, party, "Retour", iban, name, reason)
                self._booked[day + 1 + BACK_AFTER_DAYS].append(back)
        return len(payments)

    def statement(self, day: int, on: date) -> bytes | None:
        """What was booked on a day (camt.053); None when that was nothing."""
        entries = self._booked.pop(day, [])
        if not entries:
            return None
        file = statement_file(EXAMPLE.iban, f"JAAR-{day:04}", on, opening_cents=self.cents, entries=entries)
        self.cents += sum(entry.cents for entry in entries)
        return file
