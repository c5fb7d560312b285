"""The part of Stripe's interface that the gateway uses: which request is what."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.refusals import Refusal

LIMIT, LIMIT_MOST = 10, 100
EVENT_TYPES_MOST = 20

Answer = Callable[[Books, str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that can be asked: how, the name of its parameters' type, and who answers."""

    method: str
    path: re.Pattern[str]
    operation: str
    answer: Answer


def find(method: str, path: str) -> tuple[Resource, str]:
    """What is asked, and of which object (empty: of none).

    Raises:
        Refusal: there is no such address.
    """
    for each in RESOURCES:
        found = each.path.fullmatch(path)
        if found and each.method == method:
            return each, found[1] if found.groups() else ""
    raise Refusal(f"Unrecognized request URL ({method}: {path}).", status=404)


def _one(kind: str) -> Answer:
    def answer(books: Books, identifier: str, params: dict[str, Any]) -> dict[str, Any]:
        return books.shown(books.get(kind, identifier), params.get("expand", []))

    return answer


def _list(kind: str, *filters: str) -> Answer:
    known = {*filters, "created", "types", "limit", "starting_after", "expand"}

    def answer(books: Books, _: str, params: dict[str, Any]) -> dict[str, Any]:
        for name in sorted(set(params) - known):
            raise Refusal("This imitation does not select by that.", param=name)
        found = books.where(kind, **{name: params[name] for name in filters if name in params})
        found = [each for each in found if _created_within(each["created"], params.get("created", {}))]
        if "types" in params:
            found = [each for each in found if each["type"] in params["types"]]
        return _page(books, kind, found, params)

    return answer


def _created_within(created: int, bounds: Any) -> bool:
    if isinstance(bounds, int):
        return created == bounds
    within = {"gt": created.__gt__, "gte": created.__ge__, "lt": created.__lt__, "lte": created.__le__}
    return all(within[name](bound) for name, bound in bounds.items())


def _page(books: Books, kind: str, found: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    limit = params.get("limit", LIMIT)
    if not 1 <= limit <= LIMIT_MOST:
        raise Refusal(f"Invalid limit: {limit}", code="parameter_invalid_integer", param="limit")
    if len(params.get("types", [])) > EVENT_TYPES_MOST:
        raise Refusal(f"You may name {EVENT_TYPES_MOST} types of events.", param="types")
    after = params.get("starting_after")
    if after is not None:
        books.get(kind, after)
        ids = [each["id"] for each in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    page = {"object": "list", "url": "/v1", "has_more": len(found) > limit, "data": found[:limit]}
    return books.shown(page, params.get("expand", []))


def _create_session(books: Books, _: str, params: dict[str, Any]) -> dict[str, Any]:
    return books.shown(deeds.create_session(books, params), params.get("expand", []))


def _expire_session(books: Books, identifier: str, params: dict[str, Any]) -> dict[str, Any]:
    session = books.get("checkout.session", identifier)
    deeds.expire(books, session)
    return books.shown(session, params.get("expand", []))


def _create_refund(books: Books, _: str, params: dict[str, Any]) -> dict[str, Any]:
    known = {"payment_intent", "amount", "metadata", "expand"}
    if "payment_intent" not in params or not set(params) <= known:
        raise Refusal("This imitation refunds a payment intent.", param="payment_intent")
    intent = books.get("payment_intent", params["payment_intent"])
    made = deeds.refund(books, intent, params.get("amount"), params.get("metadata") or {})
    return books.shown(made, params.get("expand", []))


def _resource(method: str, path: str, operation: str, answer: Answer) -> Resource:
    return Resource(method, re.compile(f"/v1/{path}", re.ASCII), operation, answer)


_ID = "([A-Za-z0-9_]+)"

RESOURCES = (
    _resource("POST", "checkout/sessions", "create_session", _create_session),
    _resource("GET", "checkout/sessions", "list_sessions", _list("checkout.session", "payment_intent", "status")),
    _resource("GET", f"checkout/sessions/{_ID}", "get_session", _one("checkout.session")),
    _resource("POST", f"checkout/sessions/{_ID}/expire", "expire_session", _expire_session),
    _resource("GET", f"payment_intents/{_ID}", "get_intent", _one("payment_intent")),
    _resource("GET", "charges", "list_charges", _list("charge", "payment_intent")),
    _resource("GET", f"charges/{_ID}", "get_charge", _one("charge")),
    _resource("POST", "refunds", "create_refund", _create_refund),
    _resource("GET", "refunds", "list_refunds", _list("refund", "payment_intent", "charge")),
    _resource("GET", f"refunds/{_ID}", "get_refund", _one("refund")),
    _resource("GET", "disputes", "list_disputes", _list("dispute", "payment_intent", "charge")),
    _resource("GET", f"disputes/{_ID}", "get_dispute", _one("dispute")),
    _resource("GET", "events", "list_events", _list("event", "type")),
    _resource("GET", f"events/{_ID}", "get_event", _one("event")),
    _resource(
        "GET",
        "balance_transactions",
        "list_balance_transactions",
        _list("balance_transaction", "type", "source", "currency"),
    ),
    _resource("GET", "payouts", "list_payouts", _list("payout", "status")),
)
