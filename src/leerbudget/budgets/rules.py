"""Who pays and what comes back: plain values in, plain values out (R01, R04)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.budgets.errors import KeepsTooMuch
from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.foundation.money import shares
from leerbudget.ledger.rules import cents_fault, text_fault

BUDGET_STATES = ("active", "expired")
GRANT_REQUEST_STATES = ("asked", "approved", "refused")
EXTERNAL_REF_LENGTH = 80
YEARS = (2000, 2100)


@dataclass(frozen=True, slots=True)
class GrantOrder:
    """What an organisation grants a family: an amount, a period of whole days, perhaps earmarks.

    Args:
        id: made by the caller; becomes the budget's id.
        external_ref: the organisation's own number for this grant; unique within the organisation.
        family: who may spend it.
        organisation: from whose pot it comes.
        amount_cents: more than zero.
        starts_on: first day on which a paid session may start.
        expires_on: last day on which a paid session may start, and on which money can be held.
        themes: only these; None for everything. Never empty: that would fit nothing.
        forms: as themes.
        carry_over: whether the organisation lets what is left count for the next period; kept for its policy (R02).
    """

    id: UUID
    external_ref: str
    family: UUID
    organisation: UUID
    amount_cents: int
    starts_on: date
    expires_on: date
    themes: tuple[str, ...] | None = None
    forms: tuple[str, ...] | None = None
    carry_over: bool = False


def orders_written(orders: Sequence[GrantOrder]) -> str:
    """Grants as a document that says the same whenever they are the same."""
    return msgspec.json.encode(sorted(orders, key=lambda order: order.external_ref), order="sorted").decode()


def orders_in(document: str) -> list[GrantOrder]:
    """The grants of such a document."""
    return msgspec.json.decode(document, type=list[GrantOrder])


@dataclass(frozen=True, slots=True)
class PaymentShare:
    """The cents that one budget pays, keeps or gets back."""

    budget: UUID
    amount_cents: int


def shares_in(document: str) -> tuple[PaymentShare, ...]:
    """What each budget pays, as a function of the database tells it."""
    return msgspec.json.decode(document, type=tuple[PaymentShare, ...])


def kept(held: Sequence[PaymentShare], keep_cents: int) -> tuple[PaymentShare, ...]:
    """What each budget pays in the end, in proportion to what it held, to the cent (R04: mirrored).

    By largest remainder; ties go to the smallest budget id. What a budget held above its share goes back
    to that same budget.

    Raises:
        KeepsTooMuch: more than was held.
    """
    held_cents = sum(share.amount_cents for share in held)
    if keep_cents > held_cents:
        raise KeepsTooMuch(held_cents=held_cents)
    ordered = sorted(held, key=lambda share: share.budget)
    parts = shares(keep_cents, [share.amount_cents for share in ordered])
    return tuple(PaymentShare(share.budget, part) for share, part in zip(ordered, parts, strict=True))


def grant_faults(order: GrantOrder, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every place of a grant and what is wrong with it (None: nothing)."""
    yield f"{path}external_ref", text_fault(order.external_ref, EXTERNAL_REF_LENGTH)
    yield f"{path}amount_cents", cents_fault(order.amount_cents)
    starts, expires = day_fault(order.starts_on), day_fault(order.expires_on)
    yield f"{path}starts_on", starts
    yield f"{path}expires_on", expires
    if starts is None and expires is None and order.expires_on < order.starts_on:
        yield f"{path}expires_on", "De periode eindigt voor zij begint."
    yield f"{path}themes", _earmark_fault(order.themes, THEMES)
    yield f"{path}forms", _earmark_fault(order.forms, FORMS)


def batch_faults(orders: Sequence[GrantOrder]) -> Iterator[tuple[str, str | None]]:
    """Every place of grants that belong together and what is wrong with it, twins included (None: nothing)."""
    refs: dict[Any, int] = {}
    for place, order in enumerate(orders):
        yield from grant_faults(order, f"{place}.")
        for path, name in (("id", order.id), ("external_ref", (order.organisation, order.external_ref))):
            if refs.setdefault(name, place) != place:
                yield f"{place}.{path}", f"Dit staat ook al in regel {refs[name]}."


def day_fault(value: object) -> str | None:
    """What is wrong with a day; None when nothing is."""
    if isinstance(value, datetime) or not isinstance(value, date):
        return "Geef een dag, zonder tijd."
    if not YEARS[0] <= value.year <= YEARS[1]:
        return f"Geef een dag tussen {YEARS[0]} en {YEARS[1]}."
    return None


def _earmark_fault(codes: Collection[str] | None, known: Sequence[str]) -> str | None:
    if codes is None:
        return None
    if isinstance(codes, str) or not codes:
        return "Een oormerk noemt ten minste een code; laat het weg als alles mag."
    unknown = sorted(str(code) for code in codes if code not in known)
    return f"Deze code bestaat niet: {unknown[0][:60]}." if unknown else None
