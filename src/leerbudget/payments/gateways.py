"""What every gateway can do: ask for money, look what became of it, give it back, and judge what comes in by itself.

A gateway knows amounts, references and its own objects; never a family, a wish, a theme or a course. It writes nothing
and takes part in no transaction: callers record what they are about to ask before, and what was answered after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

PURPOSES = ("top_up", "own_share")
"""What is paid: an organisation fills its pot, or a family pays the part of a price that no budget pays."""

METHODS = ("transfer", "ideal", "card", "sepa_debit")

FACT_KINDS = (
    "processing",
    "received",
    "failed",
    "expired",
    "refunded",
    "refund_failed",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
)


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Money to ask for.

    Args:
        payment: the payment's id; the only thing about us that goes out as metadata.
        purpose: one of `PURPOSES`.
        methods: what the payer may choose from, of `METHODS`.
        amount_cents: euro cents.
        reference: ISO 11649, for the payer's statement.
        return_url: where the payer comes back, paid or not.
        lapses_at: after this moment nothing may be paid any more.
    """

    payment: UUID
    purpose: str
    methods: tuple[str, ...]
    amount_cents: int
    reference: str
    return_url: str
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class Started:
    """A payment that a gateway knows. `url` is where the payer goes; None: the payer transfers by bank."""

    gateway_ref: str
    url: str | None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money to give back. `amount_cents` is always said: a gateway would take nothing for everything."""

    payment: UUID
    gateway_ref: str
    refund: UUID
    amount_cents: int


@dataclass(frozen=True, slots=True)
class MoneyFact:
    """Something that happened to money and never stops having happened.

    Args:
        key: names the money object and what happened to it (`pi_1:received`, `re_1:refunded`); the same fact, seen
            again in whatever way, has the same key.
        kind: one of `FACT_KINDS`.
        money_ref: the gateway's id of the money object.
        amount_cents: what moved, in the currency's hundredth part; 0 for what moves nothing.
        currency: ISO 4217, in capitals.
        method: one of `METHODS`; None when the gateway names one that we never offer.
        happened_at: by the gateway's clock.
        refund: our own id of the refund (`RefundOrder.refund`) where the gateway carries it, so that a refund whose
            answer was lost is recognised; else None.
    """

    key: str
    kind: str
    money_ref: str
    amount_cents: int
    currency: str
    method: str | None
    happened_at: datetime
    refund: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a gateway says about one payment now. `payment` is what its metadata names; None: nothing of ours."""

    gateway_ref: str
    payment: UUID | None
    facts: tuple[MoneyFact, ...]


@dataclass(frozen=True, slots=True)
class EventNotice:
    """A genuine event. It says only which payment to look at; None: one that is not about a payment.

    `gateway_ref` may be the id of any money object of the payment: `fetch` knows what it belongs to, and the sighting
    has the payment's own `gateway_ref`.
    """

    event_id: str
    kind: str
    gateway_ref: str | None


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of a gateway's own books.

    Args:
        ref: the gateway's id of the line.
        kind: `payment`, `refund`, `dispute`, `dispute_won`, `fee`, `payout` or `other`.
        money_ref: the money object it is about, as in `MoneyFact`.
        amount_cents: more than zero: to us.
        fee_cents: what the gateway keeps of it.
        happened_at: when it was booked.
        currency: ISO 4217, in capitals, of both amounts.
    """

    ref: str
    kind: str
    money_ref: str | None
    amount_cents: int
    fee_cents: int
    happened_at: datetime
    currency: str = "EUR"


class Gateway(Protocol):
    """A way for money to come in and to go back."""

    @property
    def name(self) -> str:
        """`manual`, `sandbox` or `stripe`."""

    def methods(self, purpose: str, amount_cents: int) -> tuple[str, ...]:
        """How a payer may pay this; empty: not through this gateway."""

    async def start(self, order: PaymentOrder, *, key: str) -> Started:
        """Ask for money. The same key again gives the same answer.

        Raises:
            GatewayRefused: it will never be accepted like this.
            GatewaySilent: nobody knows whether it was accepted; ask again with the same key.
        """

    async def fetch(self, gateway_ref: str) -> Sighting:
        """What became of a payment, by its own reference or by that of an event.

        Raises:
            GatewayRefused: it does not know the payment.
            GatewaySilent: no answer.
        """

    async def end(self, gateway_ref: str) -> None:
        """Let nobody pay this any more; no effect when it was paid or ended. The next sighting tells which.

        Raises:
            GatewayRefused: it does not know the payment.
            GatewaySilent: no answer.
        """

    async def refund(self, order: RefundOrder, *, key: str) -> str:
        """Give money back; the gateway's id of the refund. What becomes of it is in later sightings.

        Raises:
            GatewayRefused: more than was paid, or it cannot be given back.
            GatewaySilent: nobody knows; ask again with the same key.
        """

    def verify(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> EventNotice:
        """Judge bytes that came in as an event. Header names are in small letters.

        Raises:
            EventRefused: forged, too old, from the future, malformed, or meant for another kind of installation.
        """

    async def events_since(self, after: datetime) -> Sequence[EventNotice]:
        """Events from this moment on, oldest first: what a lost message would have told.

        Raises:
            GatewaySilent: no answer.
        """

    async def balance_lines(self, after: datetime) -> Sequence[BalanceLine]:
        """The gateway's own books from this moment on, oldest first.

        Raises:
            GatewaySilent: no answer.
        """
