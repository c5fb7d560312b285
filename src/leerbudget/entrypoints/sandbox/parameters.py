"""Forms as Stripe reads them, held against the parameter types of the installed `stripe` package.

The one module beside the gateway that imports that package, for its types: what this refuses, the real one would not
understand. It is stricter in one thing: a word must be one of those that the package lists.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import RequestOptions
from stripe.params import (
    BalanceTransactionListParams,
    ChargeListParams,
    ChargeRetrieveParams,
    DisputeListParams,
    DisputeRetrieveParams,
    EventListParams,
    EventRetrieveParams,
    PaymentIntentRetrieveParams,
    PayoutListParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListParams,
    SessionRetrieveParams,
)
from typing_extensions import get_type_hints, is_typeddict

from leerbudget.entrypoints.sandbox.refusals import Refusal

TYPES: dict[str, Any] = {
    "create_session": SessionCreateParams,
    "get_session": SessionRetrieveParams,
    "list_sessions": SessionListParams,
    "expire_session": SessionExpireParams,
    "get_intent": PaymentIntentRetrieveParams,
    "get_charge": ChargeRetrieveParams,
    "list_charges": ChargeListParams,
    "create_refund": RefundCreateParams,
    "get_refund": RefundRetrieveParams,
    "list_refunds": RefundListParams,
    "get_dispute": DisputeRetrieveParams,
    "list_disputes": DisputeListParams,
    "get_event": EventRetrieveParams,
    "list_events": EventListParams,
    "list_balance_transactions": BalanceTransactionListParams,
    "list_payouts": PayoutListParams,
}
"""What may be asked, and the type of its parameters."""

DEPTH_MAX = 8
METADATA_KEYS_MAX, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500

_PARTS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NOT_SENT = frozenset(RequestOptions.__annotations__)


def read(operation: str, form: str) -> dict[str, Any]:
    """The parameters of a request, each of the type that it should have.

    Raises:
        Refusal: a parameter that is unknown, lacks, or has another type.
    """
    return _fields(TYPES[operation], nested(form), "")


def nested(form: str) -> dict[str, Any]:
    """`a[b][0]=c` as `{"a": {"b": {"0": "c"}}}`.

    Raises:
        Refusal: the names do not fit together, or the text is not UTF-8.
    """
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form), errors="strict")
    except ValueError:
        raise Refusal("Invalid request: the form cannot be read.") from None
    for name, value in pairs:
        _put(found, name, value)
    return found


def _put(found: dict[str, Any], name: str, value: str) -> None:
    parts = _PARTS.fullmatch(name)
    keys = [parts[1], *re.findall(r"\[([^\[\]]*)\]", parts[2])] if parts else []
    if not keys or len(keys) > DEPTH_MAX:
        raise Refusal(f"Invalid parameter name: {name}", param=name)
    at = found
    for key in keys[:-1]:
        at = at.setdefault(key, {})
        if not isinstance(at, dict):
            raise Refusal(f"Invalid parameter name: {name}", param=name)
    last = keys[-1] or str(len(at))
    if last in at:
        raise Refusal(f"Parameter given twice: {name}", param=name)
    at[last] = value


def _fields(kind: Any, given: dict[str, Any], path: str) -> dict[str, Any]:
    hints = _hints(kind)
    for name in given:
        if name not in hints:
            where = _below(path, name)
            raise Refusal(f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
    for name in sorted(kind.__required_keys__ - set(given) - _NOT_SENT):
        where = _below(path, name)
        raise Refusal(f"Missing required param: {where}.", code="parameter_missing", param=where)
    return {name: _value(hints[name], value, _below(path, name)) for name, value in given.items()}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The parameters of a type, without what the package keeps to itself (its key, its own headers)."""
    # a request's own options are written with names of their module, and with one that only checkers see
    options = {**vars(sys.modules[RequestOptions.__module__]), "StripeContext": str}
    hints = get_type_hints(kind, localns=options)
    own = _NOT_SENT if set(hints) >= _NOT_SENT else frozenset[str]()
    return {name: hint for name, hint in hints.items() if name not in own}


def _value(hint: Any, value: Any, path: str) -> Any:
    choices = list(_choices(hint))
    words = {word for choice in choices if get_origin(choice) is Literal for word in get_args(choice)}
    if isinstance(value, dict):
        return _inner(choices, value, path)
    if words and str in choices:
        choices.remove(str)
    for choice in choices:
        if choice is int and _WHOLE.fullmatch(value):
            return int(value)
        if choice is bool and value in {"true", "false"}:
            return value == "true"
        if choice is str or value in words:
            return value
    raise _wrong(choices, words, value, path)


def _inner(choices: list[Any], value: dict[str, Any], path: str) -> Any:
    for choice in choices:
        if is_typeddict(choice):
            return _fields(choice, value, path)
        if get_origin(choice) is list and set(value) == {str(number) for number in range(len(value))}:
            (item,) = get_args(choice)
            return [_value(item, value[str(number)], f"{path}[{number}]") for number in range(len(value))]
        if get_origin(choice) is dict:
            return _metadata(value, path)
    raise _wrong(choices, set(), value, path)


def _metadata(value: dict[str, Any], path: str) -> dict[str, str]:
    fits = len(value) <= METADATA_KEYS_MAX and all(
        isinstance(each, str) and len(name) <= METADATA_KEY_LENGTH and len(each) <= METADATA_VALUE_LENGTH
        for name, each in value.items()
    )
    if not fits:
        raise Refusal(f"Invalid metadata: {path}", param=path)
    return value


def _choices(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in {Union, UnionType}:
        for each in get_args(hint):
            yield from _choices(each)
    elif get_origin(hint) is NotRequired:
        yield from _choices(get_args(hint)[0])
    else:
        yield hint


def _wrong(choices: list[Any], words: set[str], value: Any, path: str) -> Refusal:
    if words:
        return Refusal(f"Invalid {path}: must be one of {', '.join(sorted(words))}", param=path)
    if int in choices:
        return Refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
    return Refusal(f"Invalid value for {path}", param=path)


def _below(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
