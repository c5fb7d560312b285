"""Events of Stripe: bytes and a signature in, a notice out. No network and no library.

Snapshots carry the object as it was when the event was made, thin events only its id. Nothing of what they say about
money is used: they name the payment to look at.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from leerbudget.payments.errors import EventRefused
from leerbudget.payments.gateways import EventNotice

AGE_MAX = timedelta(minutes=5)
"""How far the time in a signature may lie in the past, and in the future."""

SIGNATURE_HEADER = "stripe-signature"
HEADER_LENGTH_MAX = 4096

REFERENCE = re.compile(r"(?:cs|pi|ch|py|re|pyr|du|dp)_[A-Za-z0-9_]{1,200}", re.ASCII)
"""The id of an object of one payment: checkout session, payment intent, charge, refund or dispute."""

_WORD = re.compile(r"[A-Za-z0-9_.]{1,250}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
_PART_OF_PAYMENT = {"charge", "refund", "dispute"}
_PAYMENT = {"checkout.session", "payment_intent"}
_OBJECTS = ("event", "v2.core.event")


def judged(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], live: bool, at: datetime) -> EventNotice:
    """What a genuine event is about.

    Args:
        body: exactly the bytes that came in; their size is the caller's to bound.
        headers: names in small letters.
        secrets: every webhook secret that is active; while one is changed there are two.
        live: whether events must be about real money; any other is refused.
        at: when the bytes came in.

    Raises:
        EventRefused: forged, older than five minutes, as far in the future, malformed, or of the other mode.
    """
    _genuine(body, headers.get(SIGNATURE_HEADER, ""), secrets, at)
    event = _decoded(body)
    if event.get("object") not in _OBJECTS:
        raise EventRefused("not_an_event")
    if event.get("livemode") is not live:
        raise EventRefused("other_mode")
    return notice(event)


def notice(event: Mapping[str, Any]) -> EventNotice:
    """What an event is about, one that came in or one from Stripe's own list.

    Raises:
        EventRefused: it has not the shape of an event.
    """
    event_id, kind = event.get("id"), event.get("type")
    if not _is_word(event_id) or not _is_word(kind):
        raise EventRefused("not_an_event")
    return EventNotice(str(event_id), str(kind), _payment_of(event))


def _genuine(body: bytes, header: str, secrets: Sequence[str], at: datetime) -> None:
    if not header:
        raise EventRefused("signature_missing")
    if len(header) > HEADER_LENGTH_MAX:
        raise EventRefused("signature_malformed")
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode(errors="replace") for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not given or not _SECONDS.fullmatch(times[0]):
        raise EventRefused("signature_malformed")
    signed = times[0].encode() + b"." + body
    right = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets if secret]
    if not any([hmac.compare_digest(one, other) for one in right for other in given]):  # noqa: C419 - looks at all
        raise EventRefused("signature_wrong")
    age = at - datetime.fromtimestamp(int(times[0]), UTC)
    if age > AGE_MAX:
        raise EventRefused("too_old")
    if age < -AGE_MAX:
        raise EventRefused("from_the_future")


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(body.decode())
    except UnicodeDecodeError:
        raise EventRefused("not_utf8") from None
    except (msgspec.DecodeError, RecursionError):
        raise EventRefused("not_json") from None
    if not isinstance(event, dict):
        raise EventRefused("not_an_object")
    return event


def _payment_of(event: Mapping[str, Any]) -> str | None:
    """The reference to fetch: the payment's own where the event has it."""
    if event.get("object") == "v2.core.event":
        about = event.get("related_object")
        kind = about.get("type") if isinstance(about, dict) else None
    else:
        data = event.get("data")
        about = data.get("object") if isinstance(data, dict) else None
        kind = about.get("object") if isinstance(about, dict) else None
    if not isinstance(about, dict) or not isinstance(kind, str) or kind not in _PAYMENT | _PART_OF_PAYMENT:
        return None
    intent = id_of(about.get("payment_intent")) if kind in _PART_OF_PAYMENT else None
    reference = intent or about.get("id")
    if not _is_word(reference):
        raise EventRefused("not_an_event")
    return str(reference) if REFERENCE.fullmatch(str(reference)) else None


def id_of(value: object) -> str | None:
    """The id of an object that stands there in full or by its id; None when there is none."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None
