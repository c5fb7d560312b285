"""What happens to money that does not exist: somebody pays, a bank refuses, a refund comes back."""

from typing import Any

from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.refusals import Refusal

AMOUNT_LEAST, AMOUNT_MOST = 50, 99_999_999
LAPSES_AFTER_LEAST, LAPSES_AFTER_MOST = 30 * 60, 24 * 3600
DISPUTE_FEE_CENTS = 1500
_FEES = {"card": (150, 25), "ideal": (0, 29), "sepa_debit": (0, 35)}
"""Per ten thousand, and cents."""


def create_session(books: Books, params: dict[str, Any]) -> dict[str, Any]:
    """A page where an amount can be paid.

    Raises:
        Refusal: something that Stripe would not have.
    """
    item = _only_item(params)
    amount, words = item["price_data"]["unit_amount"], item["price_data"]["product_data"]["name"]
    _check_amount(amount)
    lapses = params.get("expires_at", books.seconds() + LAPSES_AFTER_MOST)
    if not LAPSES_AFTER_LEAST <= lapses - books.seconds() <= LAPSES_AFTER_MOST:
        told = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise Refusal(told, param="expires_at")
    methods = params.get("allowed_payment_method_types", ["card"])
    made = books.add(
        "checkout.session",
        mode="payment",
        status="open",
        payment_status="unpaid",
        amount_subtotal=amount,
        amount_total=amount,
        currency="eur",
        expires_at=lapses,
        metadata=params.get("metadata", {}),
        payment_intent=None,
        payment_method_types=methods,
        allowed_payment_method_types=methods,
        success_url=params["success_url"],
        cancel_url=params.get("cancel_url"),
        customer=None,
        customer_details=None,
        locale=params.get("locale"),
    )
    made["url"] = f"{books.address}/betalen/{made['id']}"
    books.notes[made["id"]] = {"words": words, "intent": params.get("payment_intent_data", {})}
    return made


def _only_item(params: dict[str, Any]) -> dict[str, Any]:
    for name in ("mode", "success_url", "line_items"):
        if not params.get(name):
            raise Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if params["mode"] != "payment" or len(params["line_items"]) != 1:
        raise Refusal("This imitation knows one item in mode payment.", param="line_items")
    item: dict[str, Any] = params["line_items"][0]
    price = item.get("price_data", {})
    if item.get("quantity") != 1 or price.get("currency") != "eur":
        raise Refusal("This imitation knows one thing in euros.", param="line_items[0]")
    if "unit_amount" not in price or "product_data" not in price:
        where = "line_items[0][price_data]"
        raise Refusal(f"Missing required param: {where}.", code="parameter_missing", param=where)
    return item


def _check_amount(amount: int) -> None:
    if amount < AMOUNT_LEAST:
        raise Refusal("The amount is below the minimum charge.", code="amount_too_small", param="amount")
    if amount > AMOUNT_MOST:
        raise Refusal("The amount is above the maximum charge.", code="amount_too_large", param="amount")


def lapse(books: Books) -> bool:
    """Close every page whose time is over; whether there was one."""
    over = list(books.sessions_to_lapse())
    for session in over:
        _close(books, session)
    return bool(over)


def expire(books: Books, session: dict[str, Any]) -> None:
    """Close a page at once.

    Raises:
        Refusal: it is closed already.
    """
    if session["status"] != "open":
        told = 'Only Checkout Sessions with a status in ["open"] can be expired. This one has a status of '
        raise Refusal(f"{told}`{session['status']}`.")
    _close(books, session)


def _close(books: Books, session: dict[str, Any]) -> None:
    session["status"], session["url"] = "expired", None
    if session["payment_intent"]:
        books.get("payment_intent", session["payment_intent"])["status"] = "canceled"
    books.tell("checkout.session.expired", session)


def pay(books: Books, session: dict[str, Any], method: str) -> None:
    """Somebody pays, and it succeeds at once."""
    intent, charge = _attempt(books, session, method)
    _succeed(books, intent, charge)
    _complete(books, session, "paid")


def pay_later(books: Books, session: dict[str, Any]) -> None:
    """Somebody orders a debit; whether there is money shows later."""
    intent, charge = _attempt(books, session, "sepa_debit")
    intent["status"], charge["status"] = "processing", "pending"
    books.tell("payment_intent.processing", intent)
    _complete(books, session, "unpaid")


def settle(books: Books, session: dict[str, Any]) -> None:
    """A debit succeeded after all."""
    intent, charge = _running(books, session)
    _succeed(books, intent, charge)
    session["payment_status"] = "paid"
    books.tell("checkout.session.async_payment_succeeded", session)


def bounce(books: Books, session: dict[str, Any]) -> None:
    """A debit failed after all."""
    intent, charge = _running(books, session)
    _fail(books, intent, charge, "insufficient_funds")
    books.tell("checkout.session.async_payment_failed", session)


def refuse_payment(books: Books, session: dict[str, Any], method: str) -> None:
    """Somebody tries, and it fails; the page stays open."""
    intent, charge = _attempt(books, session, method)
    _fail(books, intent, charge, "generic_decline")


def refund(books: Books, intent: dict[str, Any], amount: int | None, metadata: dict[str, str]) -> dict[str, Any]:
    """Give money back; without an amount, all that is left, as Stripe does.

    Raises:
        Refusal: nothing was paid, more than is left, or the payment is disputed.
    """
    if intent["status"] != "succeeded":
        told = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise Refusal(told, code="payment_intent_unexpected_state", param="payment_intent")
    charge = books.get("charge", intent["latest_charge"])
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if charge["disputed"]:
        raise Refusal("Charge has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise Refusal("Charge has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise Refusal(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    made = books.add(
        "refund",
        amount=amount,
        currency="eur",
        charge=charge["id"],
        payment_intent=intent["id"],
        metadata=metadata,
        status="succeeded",
        failure_balance_transaction=None,
    )
    made["balance_transaction"] = _line(books, made, "refund", -amount)
    books.tell("refund.created", made)
    books.tell("charge.refunded", charge)
    return made


def refund_fails(books: Books, made: dict[str, Any]) -> None:
    """The payer's bank sends a refund back, perhaps after it had succeeded.

    Raises:
        Refusal: it failed already.
    """
    if made["status"] == "failed":
        raise Refusal("This refund failed already.")
    charge = books.get("charge", made["charge"])
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    made["status"], made["failure_reason"] = "failed", "expired_or_canceled_card"
    made["failure_balance_transaction"] = _line(books, made, "refund_failure", made["amount"])
    books.tell("refund.failed", made)


def dispute(books: Books, session: dict[str, Any]) -> dict[str, Any]:
    """The payer asks the bank for the money back; a debit is lost at once, a card is asked about first.

    Raises:
        Refusal: nothing was paid, or it is disputed already.
    """
    intent = books.get("payment_intent", session["payment_intent"])
    charge = books.get("charge", intent["latest_charge"])
    if intent["status"] != "succeeded" or charge["disputed"]:
        raise Refusal("There is nothing to charge back.")
    charge["disputed"] = True
    debit = charge["payment_method_details"]["type"] == "sepa_debit"
    amount = charge["amount"] - charge["amount_refunded"]
    made = books.add(
        "dispute",
        amount=amount,
        currency="eur",
        charge=charge["id"],
        payment_intent=intent["id"],
        metadata={},
        reason="general",
        status="lost" if debit else "needs_response",
        is_charge_refundable=False,
        balance_transactions=[],
    )
    _dispute_line(books, made, "dispute", -amount, fee=DISPUTE_FEE_CENTS)
    books.tell("charge.dispute.created", made)
    books.tell("charge.dispute.closed" if debit else "charge.dispute.funds_withdrawn", made)
    return made


def dispute_ends(books: Books, made: dict[str, Any], *, won: bool) -> None:
    """The bank decides.

    Raises:
        Refusal: it was decided before.
    """
    if made["status"] in {"won", "lost"}:
        raise Refusal("This dispute was decided already.")
    made["status"] = "won" if won else "lost"
    if won:
        books.get("charge", made["charge"])["disputed"] = False
        _dispute_line(books, made, "dispute_reversal", made["amount"], fee=0)
        books.tell("charge.dispute.funds_reinstated", made)
    books.tell("charge.dispute.closed", made)


def pay_out(books: Books) -> dict[str, Any]:
    """Send everything that stands on the balance to the bank.

    Raises:
        Refusal: there is nothing.
    """
    amount = sum(line["net"] for line in books.objects["balance_transaction"].values())
    if amount <= 0:
        raise Refusal("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    made = books.add("payout", amount=amount, currency="eur", status="paid", arrival_date=books.seconds(), metadata={})
    made["balance_transaction"] = _line(books, made, "payout", -amount)
    books.tell("payout.paid", made)
    return made


def _attempt(books: Books, session: dict[str, Any], method: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The intent of a session, made at the first attempt, and a charge of its own for each.

    Raises:
        Refusal: the page is closed, or does not offer the method.
    """
    if session["status"] != "open" or method not in session["payment_method_types"]:
        raise Refusal("This cannot be paid now, or not in this way.")
    ordered = books.notes[session["id"]]["intent"]
    words, metadata, amount = ordered.get("description"), ordered.get("metadata", {}), session["amount_total"]
    if session["payment_intent"] is None:
        session["payment_intent"] = books.add(
            "payment_intent",
            amount=amount,
            amount_received=0,
            currency="eur",
            description=words,
            metadata=metadata,
            status="requires_payment_method",
            latest_charge=None,
        )["id"]
    intent = books.get("payment_intent", session["payment_intent"])
    charge = books.add(
        "charge",
        amount=amount,
        amount_refunded=0,
        currency="eur",
        description=words,
        metadata=metadata,
        payment_intent=intent["id"],
        payment_method_details={"type": method},
        balance_transaction=None,
        disputed=False,
        refunded=False,
        paid=False,
        status="pending",
    )
    intent["latest_charge"] = charge["id"]
    return intent, charge


def _running(books: Books, session: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    intent = books.get("payment_intent", session["payment_intent"])
    if intent["status"] != "processing":
        raise Refusal("Nothing is being processed.")
    return intent, books.get("charge", intent["latest_charge"])


def _succeed(books: Books, intent: dict[str, Any], charge: dict[str, Any]) -> None:
    intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
    charge["status"], charge["paid"] = "succeeded", True
    part, cents = _FEES[charge["payment_method_details"]["type"]]
    fee = charge["amount"] * part // 10_000 + cents
    charge["balance_transaction"] = _line(books, charge, "charge", charge["amount"], fee=fee)
    books.tell("charge.succeeded", charge)
    books.tell("payment_intent.succeeded", intent)


def _fail(books: Books, intent: dict[str, Any], charge: dict[str, Any], code: str) -> None:
    intent["status"], charge["status"], charge["failure_code"] = "requires_payment_method", "failed", code
    books.tell("charge.failed", charge)
    books.tell("payment_intent.payment_failed", intent)


def _complete(books: Books, session: dict[str, Any], paid: str) -> None:
    session["status"], session["payment_status"], session["url"] = "complete", paid, None
    books.tell("checkout.session.completed", session)


def _line(books: Books, about: dict[str, Any], category: str, amount: int, *, fee: int = 0) -> str:
    made = books.add(
        "balance_transaction",
        amount=amount,
        fee=fee,
        net=amount - fee,
        currency="eur",
        reporting_category=category,
        type=_TYPES.get(category, category),
        source=about["id"],
        status="available",
    )
    return str(made["id"])


_TYPES = {"charge": "payment", "refund": "payment_refund", "dispute": "adjustment", "dispute_reversal": "adjustment"}


def _dispute_line(books: Books, made: dict[str, Any], category: str, amount: int, *, fee: int) -> None:
    line = _line(books, made, category, amount, fee=fee)
    made["balance_transactions"].append(dict(books.get("balance_transaction", line)))
