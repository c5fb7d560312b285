"""Bounds and references of top-ups: plain values in, plain values out."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.errors import InvalidInput
from leerbudget.ledger.rules import cents_fault, refuse, text_fault
from leerbudget.payments.errors import TopUpOutOfBounds
from leerbudget.payments.gateways import MoneyFact

GATEWAYS = ("manual", "sandbox", "stripe")
PAYMENT_STATES = (
    "created",
    "open",
    "processing",
    "succeeded",
    "failed",
    "expired",
    "cancelled",
    "review",
    "part_refunded",
    "refunded",
    "disputed",
)
ATTEMPT_KINDS = ("start", "end", "refund")
ATTEMPT_STATES = ("asked", "done", "refused")
TASK_KINDS = (
    "not_as_asked",
    "paid_twice",
    "stranger",
    "refund_failed",
    "refund_unasked",
    "disputed",
    "dispute_lost",
    "unmatched",
    "discrepancy",
)
"""What a person looks at: another amount or currency than was asked, paid after all or once too often, money whose payment is
not ours, money that could not go back or went back unasked, a payment called back, and books that differ."""
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


HELD_DAYS = 57
"""A payer can have a direct debit called back for eight weeks without a reason; a day later nobody can (money.md section 3)."""


def held_until(received_at: datetime) -> datetime:
    """When a direct debit can no longer be called back without a reason: the start of that day in Amsterdam."""
    day = received_at.astimezone(AMSTERDAM).date() + timedelta(days=HELD_DAYS)
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)


def receipt_fault(
    *, manual: bool, methods: Sequence[str], amount_cents: int, received_cents: int, fact: MoneyFact
) -> str | None:
    """Why money that came in cannot be credited as it was asked: the kind of task that makes; None when it can.

    A bank transfer may come in parts, in euros. Through a gateway it comes at once: exactly what was asked, in a way
    that was offered.
    """
    if fact.currency != "EUR" or (not manual and fact.method not in methods):
        return "not_as_asked"
    if manual:
        return "paid_twice" if received_cents >= amount_cents else None
    if fact.amount_cents != amount_cents:
        return "not_as_asked"
    return "paid_twice" if received_cents else None


def state_of(
    *,
    amount_cents: int,
    received_cents: int,
    refunded_cents: int,
    known: bool,
    cancelled: bool,
    facts: Sequence[tuple[str, str]],
) -> str:
    """The state of a payment, from what happened alone: one of `PAYMENT_STATES`.

    Args:
        amount_cents: what was asked.
        received_cents: what was credited.
        refunded_cents: what went back, or is to go back.
        known: its gateway knows it.
        cancelled: the payer withdrew it.
        facts: kind and money object of everything that happened, in whatever order.
    """
    kinds = {kind for kind, _ in facts}
    won = {ref for kind, ref in facts if kind == "dispute_won"}
    called_back = any(kind in {"dispute_opened", "dispute_lost"} and ref not in won for kind, ref in facts)
    holds = {
        "disputed": called_back,
        "refunded": refunded_cents > 0 and refunded_cents >= received_cents,
        "part_refunded": refunded_cents > 0,
        "succeeded": received_cents >= amount_cents,
        "review": "received" in kinds and not received_cents,
        "failed": "failed" in kinds,
        "expired": "expired" in kinds,
        "cancelled": cancelled,
        "processing": "processing" in kinds,
        "open": known,
        "created": True,
    }
    return next(state for state, applies in holds.items() if applies)


def check_order(amount_cents: int, purchase_order: str | None) -> None:
    """Refuse a top-up that cannot be.

    Raises:
        InvalidInput: the amount or the purchase order is malformed.
        TopUpOutOfBounds: less than EUR 50 or more than EUR 250 million.
    """
    refuse(list(top_up_faults(amount_cents, purchase_order)))
    if not within_bounds(amount_cents):
        raise TopUpOutOfBounds(errors=[{"path": "amount_cents", "message": TopUpOutOfBounds.message_nl}])
