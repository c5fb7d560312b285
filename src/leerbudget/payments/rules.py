"""Bounds and references of top-ups: plain values in, plain values out."""

import hashlib
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.errors import InvalidInput
from leerbudget.ledger.rules import cents_fault, text_fault

TOP_UP_STATES = ("requested", "confirmed", "cancelled")
TOP_UP_CENTS_MIN = 5_000
TOP_UP_CENTS_MAX = 25_000_000_000
PURCHASE_ORDER_LENGTH = 60
_BODY_LEAST = 10**15
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


def reference_of(top_up: UUID) -> str:
    """The payment reference of a top-up: ISO 11649, `RF`, two check digits and sixteen digits.

    Made from the id alone, so asking again gives the same. Never starts its digits with a zero, which some
    banking programs drop; two ids share one with a chance of one in nine quadrillion.
    """
    spread = int.from_bytes(hashlib.sha256(top_up.bytes).digest())
    body = str(_BODY_LEAST + spread % (9 * _BODY_LEAST))
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def readable(reference: str) -> str:
    """A reference in groups of four, as banks print it."""
    return str(iso11649.format(reference))


def compact(reference: object) -> str:
    """A reference as a person or a bank wrote it, without spaces and in capitals.

    Raises:
        InvalidInput: it is no ISO 11649 reference, or its check digits are wrong.
    """
    if not isinstance(reference, str) or not reference.isascii() or not iso11649.is_valid(reference):
        message = "Dit betalingskenmerk klopt niet; controleer elk cijfer."
        raise InvalidInput(errors=[{"path": "reference", "message": message}])
    return str(iso11649.compact(reference))


def top_up_faults(amount_cents: object, purchase_order: object) -> Iterator[tuple[str, str | None]]:
    """Every place of a top-up and what is wrong with it (None: nothing); its bounds are a rule of their own."""
    yield "amount_cents", cents_fault(amount_cents)
    if purchase_order is not None:
        yield "purchase_order", text_fault(purchase_order, PURCHASE_ORDER_LENGTH)


def within_bounds(amount_cents: int) -> bool:
    """Whether a top-up may have this amount."""
    return TOP_UP_CENTS_MIN <= amount_cents <= TOP_UP_CENTS_MAX


def arrival_fault(received_on: object, today: date) -> str | None:
    """What is wrong with the day of arrival; None when nothing is."""
    if isinstance(received_on, datetime) or not isinstance(received_on, date):
        return "Geef een dag, zonder tijd."
    return "Deze dag moet nog komen." if received_on > today else None


def arrived_before_asked(received_on: date, requested_at: datetime) -> bool:
    """Whether money would have arrived under a reference that did not exist yet."""
    return received_on < requested_at.astimezone(AMSTERDAM).date()


def month_fault(value: object) -> str | None:
    """What is wrong with a month (`YYYY-MM`, from 2000 to 2099); None when nothing is."""
    right = isinstance(value, str) and _MONTH.fullmatch(value) is not None
    return None if right else "Geef een maand als 2027-03."


def last_month_to_settle(today: date) -> str:
    """The last month (`YYYY-MM`) that is over for a whole day, so that nothing is still being written in it."""
    first = (today - timedelta(days=1)).replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"
