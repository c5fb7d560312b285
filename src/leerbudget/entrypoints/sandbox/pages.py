"""Where somebody pays: one page with buttons, in plain Dutch, without JavaScript."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.refusals import Refusal
from leerbudget.foundation.money import euros

NAMES = {"ideal": "iDEAL", "card": "Kaart", "sepa_debit": "Automatische incasso"}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)

STATES = {
    "open": "Deze betaling wacht op u.",
    "paid": "Deze betaling is gelukt.",
    "processing": "De bank is nog bezig met deze betaling.",
    "failed": "Deze betaling is niet gelukt.",
    "expired": "Deze betaling is gesloten. Betalen kan hier niet meer.",
}


def shown(books: Books, session: dict[str, Any], told: str = "") -> str:
    """The page of a session as it is now; `told` is what just happened."""
    refunds, disputes = _after(books, session)
    return _TEMPLATES.get_template("pay.html").render(
        amount=euros(session["amount_total"]),
        words=books.notes[session["id"]]["words"],
        state=state_of(books, session),
        sentence=STATES[state_of(books, session)],
        methods=[(method, NAMES.get(method, method)) for method in session["payment_method_types"]],
        debit="sepa_debit" in session["payment_method_types"],
        back=session["success_url"],
        refunds=[(each["id"], euros(each["amount"])) for each in refunds if each["status"] == "succeeded"],
        disputes=[(each["id"], euros(each["amount"])) for each in disputes if each["status"] == "needs_response"],
        taken_back=any(each["status"] != "won" for each in disputes),
        told=told,
    )


def state_of(books: Books, session: dict[str, Any]) -> str:
    """In which of `STATES` a session is."""
    if session["status"] != "complete":
        return str(session["status"])
    intent = books.get("payment_intent", session["payment_intent"])
    return {"succeeded": "paid", "processing": "processing"}.get(intent["status"], "failed")


def press(books: Books, session: dict[str, Any], form: dict[str, Any]) -> str | None:
    """What a button does; where to go next, or None: this page again.

    Raises:
        Refusal: the button does not exist, or not now.
    """
    button, method = str(form.get("knop")), str(form.get("methode"))
    if button == "afbreken":
        return str(session["cancel_url"] or session["success_url"])
    if button == "later" or (button == "betalen" and method == "sepa_debit"):
        deeds.pay_later(books, session)  # a debit never succeeds at once
    elif button == "betalen":
        deeds.pay(books, session, method)
    elif button == "mislukt":
        deeds.refuse_payment(books, session, method)
        return None
    else:
        _bank_press(books, session, button, str(form.get("nummer")))
        return None
    return str(session["success_url"])


def _bank_press(books: Books, session: dict[str, Any], button: str, identifier: str) -> None:
    """What the bank does afterwards."""
    deeds_of_bank: dict[str, Callable[[], object]] = {
        "gelukt": lambda: deeds.settle(books, session),
        "niet-gelukt": lambda: deeds.bounce(books, session),
        "terugdraaien": lambda: deeds.dispute(books, session),
        "gewonnen": lambda: deeds.dispute_ends(books, _own(books, session, "dispute", identifier), won=True),
        "verloren": lambda: deeds.dispute_ends(books, _own(books, session, "dispute", identifier), won=False),
        "retour": lambda: deeds.refund_fails(books, _own(books, session, "refund", identifier)),
    }
    if button not in deeds_of_bank:
        raise Refusal("There is no such button.")
    deeds_of_bank[button]()


def _own(books: Books, session: dict[str, Any], kind: str, identifier: str) -> dict[str, Any]:
    found = books.get(kind, identifier)
    if found["payment_intent"] != session["payment_intent"]:
        raise Refusal("That is about another payment.")
    return found


def _after(books: Books, session: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    intent = session["payment_intent"]
    if intent is None:
        return [], []
    return books.where("refund", payment_intent=intent), books.where("dispute", payment_intent=intent)
