"""Closed lists and pure functions of the bank side: entries, payout accounts and payouts."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from stdnum import iban as iban_numbers

ENTRY_DIRECTIONS = ("in", "out")

ENTRY_STATES = ("read", "matched", "suspense", "sent_back", "payout", "payout_returned", "cost", "known", "gateway")
"""`read`: stored, not looked at yet. `suspense`: nobody knows what it is for. `known`: it was confirmed by hand before.
`gateway`: what a payment company paid us; its own books took it out of suspense."""

WAITING_ENTRIES = ("read", "suspense")

PAYOUT_STATES = ("drafted", "approved", "cancelled")

LINE_STATES = ("drafted", "approved", "accepted", "booked", "rejected", "returned", "cancelled")

OPEN_LINES = ("drafted", "approved", "accepted")
"""What such a line pays may be in no other line."""

LINE_PURPOSES = ("trainer", "refund", "send_back")
"""A trainer who works for themselves, a refund that is owed, or money that came in and is for nothing here."""

ACCOUNT_FAULTS = frozenset({"AC01", "AC03", "AC04", "AC06", "AC07"})
"""Why a bank did not pay that asking again does not mend (ISO 20022, ExternalStatusReason1Code): the payee's account number
is wrong, or the account is closed or blocked."""

REST = ":rest"
"""How transfers name what a payment did not take of an entry."""

HOLDER_LENGTH = 70
NOTE_LENGTH = 140
CENTS_MAX = 99_999_999_999
"""The most that one SEPA credit transfer carries."""

_SEPA_COUNTRIES = frozenset(
    [
        "AD",
        "AL",
        "AT",
        "BE",
        "BG",
        "CH",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GB",
        "GI",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MC",
        "MD",
        "ME",
        "MK",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "RS",
        "SE",
        "SI",
        "SK",
        "SM",
        "VA",
    ]
)


@dataclass(frozen=True, slots=True)
class LineOrder:
    """Something to pay out.

    Args:
        id: made by the caller.
        purpose: one of `LINE_PURPOSES`.
        subject: the trainer, the refund or the bank entry; it is in one open line at most.
        source: the account of the books that pays.
        payee_name: who gets it, as their bank knows them.
        iban: their account.
        amount_cents: more than zero.
        note: what they read on their statement.
    """

    id: UUID
    purpose: str
    subject: UUID
    source: UUID
    payee_name: str
    iban: str
    amount_cents: int
    note: str


def compact_iban(written: object) -> str | None:
    """An account number as people write it, without spaces and in capitals; None when it cannot be one of SEPA."""
    if not isinstance(written, str) or not written.isascii():
        return None
    number = re.sub(r"\s", "", written).upper()
    return number if number[:2] in _SEPA_COUNTRIES and iban_numbers.is_valid(number) else None


def masked(iban: str) -> str:
    """An account number of which only the last four signs are shown."""
    return f"{iban[:2]}•• … {iban[-4:]}"


def end_to_end_of(line: UUID) -> str:
    """What a payout line is called in every message about it, as long as banks allow."""
    return line.hex


def message_id_of(payout: UUID) -> str:
    """What a payout's file is called in every message about it."""
    return f"LB-{payout.hex}"[:35]


def entry_ref(iban: str, bank_ref: str) -> str:
    """How transfers and money facts name a bank entry."""
    return f"bank:{iban}:{bank_ref}"


def next_working_day(today: date) -> date:
    """The first day from today on that is no weekend; banks move holidays by themselves."""
    return today + timedelta(days={5: 2, 6: 1}.get(today.weekday(), 0))
