"""What Stripe's objects say about money, as facts. Plain values in, plain values out.

A fact is said only of what is certain, and is never taken back: looking again gives the same facts and perhaps more.
A debit, a refund or a dispute that ended says its beginning too, so that an earlier look that was missed changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from leerbudget.payments.gateways import BalanceLine, MoneyFact, Sighting
from leerbudget.payments.stripe_events import id_of

OFFERED = ("ideal", "card", "sepa_debit")
"""The methods of ours that go through Stripe, which calls them the same."""

_DISPUTE_OPEN = {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "won", "lost"}
"""Statuses in which the money was taken; `warning_…` and `prevented` are questions that take nothing."""

_LINE_KINDS = {
    "charge": "payment",
    "charge_failure": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute_won",
    "fee": "fee",
    "network_cost": "fee",
    "tax": "fee",
    "payout": "payout",
    "payout_reversal": "payout",
}
"""Stripe's reporting category of a balance transaction and ours (its `type` puts disputes and others together)."""


class Unreadable(ValueError):
    """Stripe's answer has not the shape that it always has."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The objects of one payment as they were at one moment: a session or an intent is there, perhaps both."""

    at: datetime
    session: Mapping[str, Any] | None
    intent: Mapping[str, Any] | None
    refunds: Sequence[Mapping[str, Any]] = ()
    disputes: Sequence[Mapping[str, Any]] = ()


def sighting(seen: Seen) -> Sighting:
    """The facts of one payment, in the order in which they happened.

    Raises:
        Unreadable: an object lacks what it always has.
    """
    method = _method_of(seen.intent)
    facts = [*_of_session(seen), *_of_intent(seen, method)]
    for each in seen.refunds:
        facts += _of_refund(each, method)
    for each in seen.disputes:
        facts += _of_dispute(each, method)
    whole = seen.session if seen.session is not None else seen.intent
    if whole is None:
        raise Unreadable("neither a session nor an intent")
    facts.sort(key=lambda fact: fact.happened_at)
    return Sighting(_text(whole, "id"), _payment_of(seen), tuple(facts))


def balance_line(line: Mapping[str, Any]) -> BalanceLine:
    """One balance transaction, with its source in full.

    Raises:
        Unreadable: it lacks what it always has.
    """
    source, kind = line.get("source"), _LINE_KINDS.get(_text(line, "reporting_category"), "other")
    about = id_of(source)
    if kind == "payment" and isinstance(source, dict):
        about = id_of(source.get("payment_intent")) or about
    return BalanceLine(
        ref=_text(line, "id"),
        kind=kind,
        money_ref=about,
        amount_cents=_number(line, "amount"),
        fee_cents=_number(line, "fee"),
        happened_at=_moment(line, "created"),
        currency=_text(line, "currency").upper(),
    )


def _of_session(seen: Seen) -> Iterator[MoneyFact]:
    session = seen.session
    if session is not None and session.get("status") == "expired":
        at = min(_moment(session, "expires_at"), seen.at)  # one that was closed early keeps the later moment
        yield _fact(session, "expired", amount_cents=0, at=at)


def _of_intent(seen: Seen, method: str | None) -> Iterator[MoneyFact]:
    """While the session is open a failed attempt is no fact: the payer may try again."""
    intent = seen.intent
    if intent is None:
        return
    status, charge = _text(intent, "status"), intent.get("latest_charge")
    at = _moment(charge if isinstance(charge, dict) else intent, "created")
    ended = seen.session.get("status") == "complete" if seen.session is not None else status == "canceled"
    failed = ended and status in {"requires_payment_method", "canceled"}
    if status == "processing" or (method == "sepa_debit" and (failed or status == "succeeded")):
        yield _fact(intent, "processing", amount_cents=_number(intent, "amount"), method=method, at=at)
    if status == "succeeded":
        amount_cents = _number(intent, "amount_received")
        yield _fact(intent, "received", amount_cents=amount_cents, method=method, at=max(at, _booked(charge) or at))
    if failed:
        yield _fact(intent, "failed", amount_cents=0, method=method, at=at)


def _of_refund(refund: Mapping[str, Any], method: str | None) -> Iterator[MoneyFact]:
    """What left our balance is refunded, though the payer's bank may take days and may send it back.

    One that came back says both; one that failed before it left says only that.
    """
    status, ours = refund.get("status"), _uuid(refund, "refund_id")
    amount_cents, at = _number(refund, "amount"), _moment(refund, "created")
    failed = status in {"failed", "canceled"}
    if status == "succeeded" or id_of(refund.get("balance_transaction")):
        yield _fact(refund, "refunded", amount_cents=amount_cents, method=method, at=at, refund=ours)
    if failed:
        back = refund.get("failure_balance_transaction")
        at = _moment(back, "created") if isinstance(back, dict) else at
        yield _fact(refund, "refund_failed", amount_cents=amount_cents, method=method, at=at, refund=ours)


def _of_dispute(dispute: Mapping[str, Any], method: str | None) -> Iterator[MoneyFact]:
    status, amount_cents = _text(dispute, "status"), _number(dispute, "amount")
    opened_at = _moment(dispute, "created")
    if status in _DISPUTE_OPEN:
        yield _fact(dispute, "dispute_opened", amount_cents=amount_cents, method=method, at=opened_at)
    if status in {"won", "lost"}:
        lines = [line for line in dispute.get("balance_transactions") or [] if isinstance(line, dict)]
        at = max([opened_at, *(_moment(line, "created") for line in lines)])
        yield _fact(dispute, f"dispute_{status}", amount_cents=amount_cents, method=method, at=at)


def _fact(
    about: Mapping[str, Any],
    kind: str,
    *,
    amount_cents: int,
    at: datetime,
    method: str | None = None,
    refund: UUID | None = None,
) -> MoneyFact:
    ref = _text(about, "id")
    return MoneyFact(f"{ref}:{kind}", kind, ref, amount_cents, _text(about, "currency").upper(), method, at, refund)


def _payment_of(seen: Seen) -> UUID | None:
    """What the money itself names, and as long as there is none, the page."""
    about = seen.intent if seen.intent is not None else seen.session
    return None if about is None else _uuid(about, "payment_id")


def _method_of(intent: Mapping[str, Any] | None) -> str | None:
    charge = intent.get("latest_charge") if intent is not None else None
    details = charge.get("payment_method_details") if isinstance(charge, dict) else None
    used = details.get("type") if isinstance(details, dict) else None
    return used if used in OFFERED else None


def _booked(charge: object) -> datetime | None:
    line = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return _moment(line, "created") if isinstance(line, dict) else None


def _uuid(about: Mapping[str, Any], name: str) -> UUID | None:
    metadata = about.get("metadata")
    value = metadata.get(name) if isinstance(metadata, dict) else None
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if str(found) == value else None


def _text(about: Mapping[str, Any], name: str) -> str:
    value = about.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{about.get('object')} without {name}")
    return value


def _number(about: Mapping[str, Any], name: str) -> int:
    value = about.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{about.get('object')} without {name}")
    return value


def _moment(about: Mapping[str, Any], name: str) -> datetime:
    seconds = _number(about, name)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as far:
        raise Unreadable(f"{about.get('object')} with an impossible {name}") from far
