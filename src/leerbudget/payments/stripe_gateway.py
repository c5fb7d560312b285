"""Stripe as a gateway: hosted Checkout, refunds, disputes, its events and its books.

The only module that imports `stripe`, which takes a second: whoever has no Stripe does not import this
(`payments.choosing`). Nothing about people goes out: an amount, a reference, and ids of our own as metadata.
"""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import stripe

from leerbudget.foundation.clock import aware, now
from leerbudget.payments.errors import EventRefused, GatewayRefused, GatewaySilent
from leerbudget.payments.gateways import BalanceLine, EventNotice, PaymentOrder, RefundOrder, Sighting, Started
from leerbudget.payments.stripe_events import REFERENCE, id_of, judged, notice
from leerbudget.payments.stripe_facts import OFFERED, Seen, Unreadable, balance_line, sighting

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

TIMEOUT_SECONDS = 10.0
RETRIES = 2
PAGE = 100

_CODE = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_FULL_CHARGE = "latest_charge.balance_transaction"

_EVENTS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
]
"""The events about a payment; a list may name twenty. A webhook may send others too: they look at nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which amounts, in euro cents, a method may be used, and whether families may use it for their own share."""

    least_cents: int
    most_cents: int
    own_share: bool


LIMITS: Mapping[str, Limits] = {
    "ideal": Limits(50, 5_000_000, own_share=True),
    "card": Limits(50, 250_000, own_share=True),
    "sepa_debit": Limits(50, 1_000_000, own_share=False),
}
"""Stripe takes 50 cents at least, iDEAL EUR 50,000 and SEPA EUR 10,000 at most. A card costs a part of the amount, and its
holder can ask it back for months: EUR 2,500 at most. A debit can be asked back for eight weeks, so never a family's."""


class StripeGateway:
    """Stripe, or a server that speaks as Stripe does.

    A connection lasts for one call: it belongs to one event loop, and payments are rare.

    Args:
        secret_key: of the account; never logged.
        webhook_secrets: every active secret of the address that receives events.
        name: `stripe`, or `sandbox` for the imitation.
        environment: where this runs; part of every idempotency key, and `production` is live.
        api_base: another address than Stripe's own.
        limits: what may be paid how.
        retries: how often a lost call is made again, with the same key, before it counts as unanswered.
        timeout_seconds: for connecting and for each wait on an answer.
    """

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: Sequence[str],
        *,
        name: str,
        environment: str,
        api_base: str | None = None,
        limits: Mapping[str, Limits] = LIMITS,
        retries: int = RETRIES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._secret_key = secret_key
        self._webhook_secrets = tuple(webhook_secrets)
        self._name = name
        self._environment = environment
        self._api_base = api_base
        self._limits = limits
        self._retries = retries
        self._timeout_seconds = timeout_seconds
        _keep_quiet()

    @property
    def name(self) -> str:
        """`stripe`, or `sandbox`."""
        return self._name

    def methods(self, purpose: str, amount_cents: int) -> tuple[str, ...]:
        """How a payer may pay this here; what is too large for all of them goes by bank transfer."""
        return tuple(
            method
            for method, limits in self._limits.items()
            if limits.least_cents <= amount_cents <= limits.most_cents and (limits.own_share or purpose == "top_up")
        )

    async def start(self, order: PaymentOrder, *, key: str) -> Started:
        """Make a page where this can be paid. The same key and order again give the same page.

        Stripe wants the page to lapse between 30 minutes and 24 hours from when it is made.

        Raises:
            GatewayRefused: a method that is not for this amount, or Stripe will not have it.
            GatewaySilent: nobody knows whether there is a page now; ask again with the same key.
            ValueError: the moment it lapses has no zone.
        """
        if not order.methods or not set(order.methods) <= set(self.methods(order.purpose, order.amount_cents)):
            raise GatewayRefused("method_not_for_amount")
        params = _checkout(order)
        async with self._stripe() as v1:
            session = await v1.checkout.sessions.create_async(params, {"idempotency_key": self._once(key)})
            if not session.id or not session.url:
                raise Unreadable("a session without an address")
            return Started(session.id, session.url)

    async def fetch(self, gateway_ref: str) -> Sighting:
        """What became of a payment; any id of its objects will do.

        Raises:
            GatewayRefused: Stripe does not know it, or it belongs to no payment.
            GatewaySilent: no answer.
        """
        _refuse_malformed(gateway_ref)
        async with self._stripe() as v1:
            session, intent = await _found(v1, gateway_ref)
            if intent is None:
                return sighting(Seen(now(), session, None))
            of_intent = {"payment_intent": str(id_of(intent)), "limit": PAGE}
            back = {**of_intent, "expand": ["data.failure_balance_transaction"]}
            refunds = await _every(v1.refunds.list_async, back)
            disputes = await _every(v1.disputes.list_async, of_intent)
            return sighting(Seen(now(), session, intent, refunds, disputes))

    async def end(self, gateway_ref: str) -> None:
        """Close the page; no effect when it was paid or has lapsed.

        Raises:
            GatewayRefused: Stripe does not know the payment.
            GatewaySilent: no answer.
        """
        _refuse_malformed(gateway_ref)
        async with self._stripe() as v1:
            try:
                await v1.checkout.sessions.expire_async(gateway_ref)
            except stripe.InvalidRequestError:
                session = await v1.checkout.sessions.retrieve_async(gateway_ref)
                if session.status == "open":
                    raise

    async def refund(self, order: RefundOrder, *, key: str) -> str:
        """Give an amount back to who paid; Stripe's id of the refund.

        Raises:
            GatewayRefused: more than was paid, nothing was paid, or no amount is said.
            GatewaySilent: nobody knows; ask again with the same key.
        """
        amount: object = order.amount_cents
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise GatewayRefused("amount_missing")
        _refuse_malformed(order.gateway_ref)
        metadata = {"payment_id": str(order.payment), "refund_id": str(order.refund)}
        async with self._stripe() as v1:
            _, intent = await _found(v1, order.gateway_ref)
            if intent is None:
                raise GatewayRefused("not_paid")
            made = await v1.refunds.create_async(
                {"payment_intent": str(id_of(intent)), "amount": amount, "metadata": metadata},
                {"idempotency_key": self._once(key)},
            )
            if not made.id:
                raise Unreadable("a refund without an id")
            return made.id

    def verify(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> EventNotice:
        """Judge bytes that came in as an event, snapshot or thin.

        Raises:
            EventRefused: forged, too old, from the future, malformed, or of the other mode.
        """
        live = self._environment == "production"
        return judged(body, headers, secrets=self._webhook_secrets, live=live, at=aware(at))

    async def events_since(self, after: datetime) -> Sequence[EventNotice]:
        """Every event about a payment from this moment on, oldest first; Stripe keeps them for 30 days.

        Raises:
            GatewaySilent: no answer.
            ValueError: the moment has no zone.
        """
        params = {"created": {"gte": int(aware(after).timestamp())}, "types": _EVENTS, "limit": PAGE}
        async with self._stripe() as v1:
            found = await _every(v1.events.list_async, params)
            try:
                return tuple(notice(event) for event in reversed(found))
            except EventRefused as refused:
                raise Unreadable("a list of something else") from refused

    async def balance_lines(self, after: datetime) -> Sequence[BalanceLine]:
        """Stripe's own books from this moment on, oldest first: payments, refunds, disputes, fees and payouts.

        What fails or is reversed is a line of the same kind with the opposite amount.

        Raises:
            GatewaySilent: no answer.
            ValueError: the moment has no zone.
        """
        since = int(aware(after).timestamp())
        params = {"created": {"gte": since}, "limit": PAGE, "expand": ["data.source"]}
        async with self._stripe() as v1:
            found = await _every(v1.balance_transactions.list_async, params)
            return tuple(balance_line(line) for line in reversed(found))

    def _once(self, key: str) -> str:
        """Two installations on one account never share a key."""
        return f"{self._environment}:{key}"

    @asynccontextmanager
    async def _stripe(self) -> AsyncIterator[stripe.V1Services]:
        plain = self._api_base is not None and self._api_base.startswith("http://")  # no certificate to look at
        http = stripe.HTTPXClient(timeout=self._timeout_seconds, verify_ssl_certs=not plain)
        try:
            yield stripe.StripeClient(
                self._secret_key,
                http_client=http,
                max_network_retries=self._retries,
                base_addresses={} if self._api_base is None else {"api": self._api_base},
            ).v1
        except stripe.StripeError as failure:
            raise _ours(failure) from failure
        except Unreadable as failure:
            raise GatewaySilent from failure
        finally:
            await http.close_async()  # type: ignore[no-untyped-call] # the library gives this one no types


def _checkout(order: PaymentOrder) -> "SessionCreateParams":
    """The page to make. Prices stay in euros, and the page keeps no wallet of its own."""
    words, ours = f"Leerbudget {order.reference}", {"payment_id": str(order.payment)}
    methods = [method for method in OFFERED if method in order.methods]
    return {
        "mode": "payment",
        "allowed_payment_method_types": list(methods),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": order.amount_cents,
                    "product_data": {"name": words},
                },
            }
        ],
        "payment_intent_data": {"description": words, "metadata": ours},
        "metadata": ours,
        "expires_at": int(aware(order.lapses_at).timestamp()),
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "locale": "nl",
        "adaptive_pricing": {"enabled": False},
        "wallet_options": {"link": {"display": "never"}},
    }


async def _found(v1: stripe.V1Services, reference: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The session and the intent that this id belongs to."""
    family = reference.partition("_")[0]
    if family == "cs":
        expand = [f"payment_intent.{_FULL_CHARGE}"]
        session = _plain(await v1.checkout.sessions.retrieve_async(reference, {"expand": expand}))
        intent = session.get("payment_intent")
        return session, intent if isinstance(intent, dict) else None
    if family != "pi":
        reference = await _intent_of_part(v1, family, reference)
    intent = _plain(await v1.payment_intents.retrieve_async(reference, {"expand": [_FULL_CHARGE]}))
    sessions = await _every(v1.checkout.sessions.list_async, {"payment_intent": reference, "limit": PAGE})
    return sessions[0] if sessions else None, intent


async def _intent_of_part(v1: stripe.V1Services, family: str, reference: str) -> str:
    part: stripe.Charge | stripe.Refund | stripe.Dispute
    if family in {"ch", "py"}:
        part = await v1.charges.retrieve_async(reference)
    elif family in {"re", "pyr"}:
        part = await v1.refunds.retrieve_async(reference)
    else:
        part = await v1.disputes.retrieve_async(reference)
    intent = id_of(_plain(part).get("payment_intent"))
    if intent is None or not REFERENCE.fullmatch(intent):
        raise GatewayRefused("no_payment")
    return intent


async def _every(
    ask: Callable[[Any], Awaitable[stripe.StripeObject]], params: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Every object of a list, page after page, the newest first as Stripe has them."""
    found: list[dict[str, Any]] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = _plain(await ask({**params, **after}))
        data = page.get("data")
        if not isinstance(data, list) or not all(isinstance(each, dict) and id_of(each) for each in data):
            raise Unreadable("a list without objects")
        found += data
        if not page.get("has_more") or not data:
            return found


def _plain(given: stripe.StripeObject) -> dict[str, Any]:
    return given.to_dict()


def _refuse_malformed(reference: str) -> None:
    """An empty id would ask for a list, and one with a slash for something else."""
    if not REFERENCE.fullmatch(reference):
        raise GatewayRefused("malformed_reference")


def _ours(failure: stripe.StripeError) -> GatewayRefused | GatewaySilent:
    """What is wrong with the question is a refusal; a key that is not right is mended, and then the answer comes."""
    if not isinstance(failure, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError):
        return GatewaySilent()
    kind = failure.error.type if failure.error is not None else None
    reason = failure.code or kind or ""
    return GatewayRefused(reason if _CODE.fullmatch(reason) else "invalid_request_error")


def _keep_quiet() -> None:
    """No bodies in a log, whatever STRIPE_LOG says, and no telemetry about this machine."""
    stripe.enable_telemetry = False
    stripe.log = None
    stripe._util.STRIPE_LOG = None  # noqa: SLF001 - read once from the environment; there is no other switch
    logging.getLogger("stripe").setLevel(logging.WARNING)
