"""A payment service of the made-up year: it keeps the promises of `Gateway` in memory, and fails by seed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from leerbudget.entrypoints.simulator.faults import MESSAGE_LOST, SERVICE_SILENT, SERVICE_UNHEARD, Faults
from leerbudget.fictional.dice import Dice
from leerbudget.foundation import clock
from leerbudget.payments.errors import EventRefused, GatewayRefused, GatewaySilent
from leerbudget.payments.gateways import (
    BalanceLine,
    EventNotice,
    MoneyFact,
    PaymentOrder,
    RefundOrder,
    Sighting,
    Started,
)

FEE_CENTS: Final = 29
SHARE_CENTS_MIN: Final = 50
FAILS_LATER: Final = 0.05
"""Chance that the payer's bank sends a refund back to the service [guess]."""
FAILS_AFTER: Final = timedelta(days=2)
PAGE: Final = "https://betalen.example/"
SIGNATURE: Final = "fictief"


class Till:
    """Its payers pay on `PAGE` + reference: `begin` and `pay` do that for them. Every instant it uses is the year's clock."""

    name = "sandbox"

    def __init__(self, faults: Faults, dice: Dice) -> None:
        """`faults`: when a question or an answer gets lost; `dice`: which refunds come back."""
        self._faults, self._dice = faults, dice
        self._answers: dict[str, tuple[object, Any]] = {}
        self._orders: dict[str, PaymentOrder] = {}
        self._facts: dict[str, list[MoneyFact]] = {}
        self._of_money: dict[str, str] = {}
        self._events: list[tuple[datetime, EventNotice]] = []
        self._lines: list[BalanceLine] = []
        self._unsent: list[EventNotice] = []
        self._failing: list[tuple[datetime, str, MoneyFact]] = []

    @property
    def kept_cents(self) -> int:
        """What stands here for us: paid, less what went back and what the service keeps."""
        return sum(line.amount_cents - line.fee_cents for line in self._lines)

    def work(self) -> None:
        """What is due: refunds that the payer's bank did not take come back."""
        due = [each for each in self._failing if each[0] <= clock.now()]
        self._failing = [each for each in self._failing if each[0] > clock.now()]
        for _, gateway_ref, fact in due:
            self._happens(gateway_ref, "refund_failed", fact.money_ref, fact.amount_cents, fact.refund)
            self._books("refund", fact.money_ref, fact.amount_cents, 0, again="failed")

    def pay_out(self, name: str) -> int:
        """Pay everything that stands here to our bank; the cents, none when there is nothing."""
        cents = max(0, self.kept_cents)
        if cents:
            self._lines.append(BalanceLine(f"txn_{name}", "payout", name, -cents, 0, clock.now()))
        return cents

    # --- payers -----------------------------------------------------------------------------------------------------

    def begin(self, gateway_ref: str) -> None:
        """The payer is sent to its bank, which takes its time."""
        if not self._facts[gateway_ref]:
            self._happens(gateway_ref, "processing", f"pi_{gateway_ref}", 0)

    def pay(self, gateway_ref: str) -> bool:
        """Somebody pays all of it. False when that cannot be done (any more)."""
        order, facts = self._orders[gateway_ref], self._seen(gateway_ref)
        if any(fact.kind != "processing" for fact in facts):
            return False
        money = f"pi_{gateway_ref}"
        self._happens(gateway_ref, "received", money, order.amount_cents)
        self._books("payment", money, order.amount_cents, FEE_CENTS)
        return True

    def messages(self) -> list[tuple[bytes, dict[str, str]]]:
        """What the service sends by itself, as bytes with headers: some get lost, and those are never sent again."""
        sent = [each for each in self._unsent if not self._faults.strikes(MESSAGE_LOST)]
        self._unsent.clear()
        return [(f"{each.event_id} {each.kind} {each.gateway_ref}".encode(), {"signature": SIGNATURE}) for each in sent]

    # --- what every gateway does ------------------------------------------------------------------------------------

    def methods(self, purpose: str, amount_cents: int) -> tuple[str, ...]:
        """Families pay their share by iDEAL; nothing else is paid here."""
        return ("ideal",) if purpose == "own_share" and amount_cents >= SHARE_CENTS_MIN else ()

    async def start(self, order: PaymentOrder, *, key: str) -> Started:
        """As `Gateway.start`."""
        started: Started = self._answer(key, order, lambda: self._open(order))
        return started

    async def fetch(self, gateway_ref: str) -> Sighting:
        """As `Gateway.fetch`."""
        self._asked()
        ref = self._of_money.get(gateway_ref, gateway_ref)
        self._known(ref)
        return Sighting(ref, self._orders[ref].payment, tuple(self._seen(ref)))

    async def end(self, gateway_ref: str) -> None:
        """As `Gateway.end`."""
        self._asked()
        self._known(gateway_ref)
        if not self._facts[gateway_ref]:
            self._happens(gateway_ref, "expired", gateway_ref, 0)

    async def refund(self, order: RefundOrder, *, key: str) -> str:
        """As `Gateway.refund`."""
        self._known(order.gateway_ref)
        ref: str = self._answer(key, order, lambda: self._give_back(order))
        return ref

    def verify(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> EventNotice:
        """As `Gateway.verify`."""
        del at
        if headers.get("signature") != SIGNATURE:
            raise EventRefused("signature")
        event, kind, ref = body.decode().split(" ")
        return EventNotice(event, kind, ref)

    async def events_since(self, after: datetime) -> Sequence[EventNotice]:
        """As `Gateway.events_since`."""
        after = _zoned(after)
        self._asked()
        return [notice for at, notice in self._events if at >= after]

    async def balance_lines(self, after: datetime) -> Sequence[BalanceLine]:
        """As `Gateway.balance_lines`."""
        after = _zoned(after)
        self._asked()
        return [line for line in self._lines if line.happened_at >= after]

    # --- its own books ----------------------------------------------------------------------------------------------

    def _asked(self) -> None:
        if self._faults.strikes(SERVICE_SILENT):
            raise GatewaySilent

    def _answer(self, key: str, asked: object, make: Callable[[], Any]) -> Any:
        self._asked()
        if key not in self._answers:
            self._answers[key] = (asked, make())
        before, answer = self._answers[key]
        if before != asked:
            raise GatewayRefused("idempotency_error")
        if self._faults.strikes(SERVICE_UNHEARD):
            raise GatewaySilent
        return answer

    def _known(self, gateway_ref: str) -> None:
        if gateway_ref not in self._orders:
            raise GatewayRefused("resource_missing")

    def _open(self, order: PaymentOrder) -> Started:
        ref = f"cs_{order.payment}"
        self._orders[ref], self._facts[ref] = order, []
        return Started(ref, PAGE + ref)

    def _give_back(self, order: RefundOrder) -> str:
        facts, cents = self._facts[order.gateway_ref], order.amount_cents
        paid = sum(fact.amount_cents for fact in facts if fact.kind == "received")
        given = sum(fact.amount_cents for fact in facts if fact.kind == "refunded")
        if type(cents) is not int or not 0 < cents <= paid - given:
            raise GatewayRefused("refund_amount")
        ref = f"re_{order.refund}"
        self._happens(order.gateway_ref, "refunded", ref, cents, order.refund)
        if self._dice.chance(FAILS_LATER):
            self._failing.append((clock.now() + FAILS_AFTER, order.gateway_ref, facts[-1]))
        self._books("refund", ref, -cents, 0)
        return ref

    def _seen(self, gateway_ref: str) -> list[MoneyFact]:
        """What happened by now: a page that nobody used in time has lapsed."""
        if not self._facts[gateway_ref] and self._orders[gateway_ref].lapses_at <= clock.now():
            self._happens(gateway_ref, "expired", gateway_ref, 0)
        return self._facts[gateway_ref]

    def _happens(self, gateway_ref: str, kind: str, money_ref: str, cents: int, refund: UUID | None = None) -> None:
        at, key = clock.now(), f"{money_ref}:{kind}"
        self._of_money[money_ref] = gateway_ref
        self._facts[gateway_ref].append(MoneyFact(key, kind, money_ref, cents, "EUR", "ideal", at, refund))
        notice = EventNotice(f"evt_{key}", kind, gateway_ref)
        self._events.append((at, notice))
        self._unsent.append(notice)

    def _books(self, kind: str, money_ref: str, cents: int, fee_cents: int, again: str = "") -> None:
        self._lines.append(BalanceLine(f"txn_{money_ref}{again}", kind, money_ref, cents, fee_cents, clock.now()))


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
