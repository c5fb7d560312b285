"""Closed lists and orders of the ledger: plain values in, plain values out."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.money import CENTS_MAX

ACCOUNT_KINDS = (
    "bank",
    "organisation_pot",
    "family_budget",
    "trainer_payable",
    "gateway_clearing",
    "gateway_fees",
    "organisation_held",
    "organisation_receivable",
    "refunds_owed",
    "suspense",
    "rounding",
    "payout_clearing",
    "bank_costs",
    "own_payment",
    "own_receivable",
)

PHASES = ("posted", "reserve", "post", "void", "expire")
"""`posted` moves cents at once; `reserve` sets them aside; `post`, `void` and `expire` resolve a reservation."""

RESOLVING = ("post", "void", "expire")
"""Phases that end a reservation."""

TRANSFER_KINDS = (
    "top_up",
    "grant",
    "grant_return",
    "carry_over",
    "booking",
    "fee_return",
    "settlement",
    "hold_release",
    "unmatched",
    "dispute",
    "recovery",
    "refund",
    "gateway_fee",
    "gateway_payout",
    "entry_explained",
    "payout",
    "payout_booked",
    "payout_returned",
    "payout_undone",
    "own_payment",
    "correction",
)
"""Why cents move: bank to pot, pot to budget and back, on to the budget of the next period, budget to trainer,
a fee back to the budget, what a trainer earned to the pot of the organisation it works for, a direct debit that can
no longer be called back to the pot, money that nobody asked for, a payment called back by the payer's bank and what the
payer owes for it, money going back to a payer, what a gateway keeps and what it pays out, what an unknown entry of the
bank turned out to be, a payout (ordered, booked, sent back by the payee's bank, returned to what paid it), what a
family pays itself, or a correction."""

BUSINESS_REF_LENGTH = 120
REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """An account to open. `constrained`: it may never pay out more than came in."""

    id: UUID
    kind: str
    owner: UUID | None
    constrained: bool


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """A transfer to record. (`kind`, `business_ref`) names the business event, which happens once.

    Args:
        id: made by the caller.
        kind: one of `TRANSFER_KINDS`.
        business_ref: what happened, in a form that is the same when the caller tries again.
        phase: one of `PHASES`.
        debit: the account that cents leave.
        credit: the account that cents reach.
        amount_cents: more than zero; a `post` may take less than was reserved, the rest is released.
        resolves: the reservation that a `post`, `void` or `expire` ends.
        expires_at: when a `reserve` loses its meaning; informative, somebody must resolve it.
        reason: why, for people; obligatory for a correction.
    """

    id: UUID
    kind: str
    business_ref: str
    phase: str
    debit: UUID
    credit: UUID
    amount_cents: int
    resolves: UUID | None = None
    expires_at: datetime | None = None
    reason: str | None = None

    def content(self) -> tuple[Any, ...]:
        """What must be the same for two orders to be one event; who asked and under which id is not."""
        return (self.phase, self.debit, self.credit, self.amount_cents, self.resolves, self.expires_at, self.reason)


def cents_fault(value: object, *, least: int = 1) -> str | None:
    """What is wrong with an amount in cents, in Dutch; None when nothing is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return "Een bedrag is een geheel aantal centen."
    if value < least:
        return "Een bedrag kan niet negatief zijn." if least == 0 else "Een bedrag is meer dan nul."
    if value > CENTS_MAX:
        return "Dit bedrag is te groot."
    return None


def text_fault(value: object, length: int) -> str | None:
    """What is wrong with a line of text that people or programs gave, in Dutch; None when nothing is."""
    if not isinstance(value, str) or not value.strip():
        return "Vul hier tekst in."
    if len(value) > length:
        return f"Gebruik ten hoogste {length} tekens."
    if not value.isprintable() and any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in value):
        return "Er staat een teken in dat niet mag (een stuurteken)."
    return None


def refuse(faults: Sequence[tuple[str, str | None]]) -> None:
    """Refuse when any (path, fault) holds a fault.

    Raises:
        InvalidInput: with every place and its fault.
    """
    found = [{"path": path, "message": fault} for path, fault in faults if fault is not None]
    if found:
        raise InvalidInput(errors=found)


def transfer_faults(order: TransferOrder, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every place of a transfer order and what is wrong with it (None: nothing)."""
    yield f"{path}amount_cents", cents_fault(order.amount_cents)
    yield f"{path}business_ref", text_fault(order.business_ref, BUSINESS_REF_LENGTH)
    if order.reason is not None:
        yield f"{path}reason", text_fault(order.reason, REASON_LENGTH)
    elif order.kind == "correction":
        yield f"{path}reason", "Een correctie heeft een reden nodig."
    if order.kind not in TRANSFER_KINDS:
        yield f"{path}kind", "Deze soort mutatie bestaat niet."
    if order.phase not in PHASES:
        yield f"{path}phase", "Deze fase bestaat niet."
    elif (order.phase in RESOLVING) != (order.resolves is not None):
        yield f"{path}resolves", "Alleen wat een reservering afrondt noemt een reservering, en moet dat ook."
    if order.debit == order.credit:
        yield f"{path}credit", "Geld gaat van de ene rekening naar een andere."
    if order.expires_at is not None:
        if order.phase != "reserve":
            yield f"{path}expires_at", "Alleen een reservering kan verlopen."
        if order.expires_at.tzinfo is None:
            yield f"{path}expires_at", "Een tijdstip heeft een tijdzone nodig."
