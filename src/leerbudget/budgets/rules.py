"""Who pays and what comes back: plain values in, plain values out (R01, R04)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.budgets.errors import KeepsTooMuch
from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.foundation.money import shares
from leerbudget.geography.postcodes import municipalities
from leerbudget.ledger.rules import cents_fault, text_fault

BUDGET_STATES = ("active", "expired")
OWN_SHARE_CENTS_MIN = 50
"""Below this no family is asked to pay itself: asking costs more than it brings (`rooms.hold_money` has the same)."""
PAYERS = ("budget", "own", "rounding")
"""Who holds money for a seat: a budget, the family itself, or nobody for what is too little to ask for."""
POLICY_UNITS = ("family", "adult")
"""What a policy's amount is for: the whole family, or each of its foster parents."""

GRANT_REQUEST_STATES = ("asked", "approved", "refused")
EXTERNAL_REF_LENGTH = 80
POLICY_NAME_LENGTH = 80
YEARS = (2000, 2100)
EARMARKS = ("themes", "forms", "municipalities", "courses")
"""What may bound the use of money; a session must fit each one that is given."""

UNKNOWN_COURSE = "Deze cursus bestaat niet."


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
        municipalities: only in a venue that lies in one of these, so nothing online; None for everywhere.
        courses: only these; None for all.
        carry_over: whether the organisation lets what is left count for the next period; its policy says how much (R02).
        policy: by which policy it is granted; what is left is carried over by that policy's rule.
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
    municipalities: tuple[str, ...] | None = None
    courses: tuple[UUID, ...] | None = None
    carry_over: bool = False
    policy: UUID | None = None


@dataclass(frozen=True, slots=True)
class PolicyOrder:
    """What an organisation gives every family of one cohort in one period.

    Args:
        id: made by the caller.
        organisation: from whose pot it comes.
        name: the organisation's own name for it; unique within the organisation.
        amount_cents: more than zero, for each of `per`.
        per: one of `POLICY_UNITS`.
        starts_on: first day.
        ends_on: last day.
        themes: only these; None for everything.
        forms: as themes.
        municipalities: as of a grant.
        courses: as of a grant.
        carry_cents_max: at most so much of what is left goes on to the policy that follows; None: no such bound.
        carry_percent_max: at most this part of what was granted does; with both None nothing is carried over.
        follows: the policy of the period before, of the same organisation.
    """

    id: UUID
    organisation: UUID
    name: str
    amount_cents: int
    per: str
    starts_on: date
    ends_on: date
    themes: tuple[str, ...] | None = None
    forms: tuple[str, ...] | None = None
    municipalities: tuple[str, ...] | None = None
    courses: tuple[UUID, ...] | None = None
    carry_cents_max: int | None = None
    carry_percent_max: int | None = None
    follows: UUID | None = None

    @property
    def carries_over(self) -> bool:
        """Whether anything goes on to a following period."""
        return self.carry_cents_max is not None or self.carry_percent_max is not None


def orders_written(orders: Sequence[GrantOrder]) -> str:
    """Grants as a document that says the same whenever they are the same."""
    return msgspec.json.encode(sorted(orders, key=lambda order: order.external_ref), order="sorted").decode()


def orders_in(document: str) -> list[GrantOrder]:
    """The grants of such a document."""
    return msgspec.json.decode(document, type=list[GrantOrder])


@dataclass(frozen=True, slots=True)
class PaymentShare:
    """The cents that one payer pays, keeps or gets back. Only the payer `budget` names one."""

    budget: UUID | None
    amount_cents: int
    payer: str = "budget"


@dataclass(frozen=True, slots=True)
class CarryBounds:
    """At most so many cents, and at most so many percent of what was granted. None does not count; twice is nothing."""

    cents_max: int | None
    percent_max: int | None


def shares_in(document: str) -> tuple[PaymentShare, ...]:
    """What each budget pays, as a function of the database tells it."""
    return msgspec.json.decode(document, type=tuple[PaymentShare, ...])


def kept(held: Sequence[PaymentShare], keep_cents: int) -> tuple[PaymentShare, ...]:
    """What each payer pays in the end, in proportion to what was held of it, to the cent (R04: mirrored).

    By largest remainder; ties go to the smallest budget id, then to who is no budget. What was held above that share
    goes back to who it came from.

    Raises:
        KeepsTooMuch: more than was held.
    """
    held_cents = sum(share.amount_cents for share in held)
    if keep_cents > held_cents:
        raise KeepsTooMuch(held_cents=held_cents)
    ordered = sorted(held, key=lambda share: (share.budget is None, share.budget or UUID(int=0)))
    parts = shares(keep_cents, [share.amount_cents for share in ordered])
    return tuple(replace(share, amount_cents=part) for share, part in zip(ordered, parts, strict=True))


def carried_cents(free_cents: int, granted_cents: int, already_cents: int, bounds: CarryBounds) -> int:
    """How much of what is free goes on to the next period, when so much was granted and has gone on already.

    Percents are of what was granted, rounded down to the cent.
    """
    bounds_cents = [] if bounds.cents_max is None else [bounds.cents_max]
    if bounds.percent_max is not None:
        bounds_cents.append(granted_cents * bounds.percent_max // 100)
    return max(0, min(free_cents, min(bounds_cents, default=0) - already_cents))


def grant_faults(order: GrantOrder, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every place of a grant and what is wrong with it (None: nothing)."""
    yield f"{path}external_ref", text_fault(order.external_ref, EXTERNAL_REF_LENGTH)
    yield f"{path}amount_cents", cents_fault(order.amount_cents)
    starts, expires = day_fault(order.starts_on), day_fault(order.expires_on)
    yield f"{path}starts_on", starts
    yield f"{path}expires_on", expires
    if starts is None and expires is None and order.expires_on < order.starts_on:
        yield f"{path}expires_on", "De periode eindigt voor zij begint."
    for name, fault in earmark_faults(order):
        yield f"{path}{name}", fault


def policy_faults(order: PolicyOrder) -> Iterator[tuple[str, str | None]]:
    """Every place of a policy and what is wrong with it (None: nothing)."""
    yield "name", text_fault(order.name, POLICY_NAME_LENGTH)
    yield "amount_cents", cents_fault(order.amount_cents)
    yield "per", None if order.per in POLICY_UNITS else "Kies per gezin of per pleegouder."
    starts, ends = day_fault(order.starts_on), day_fault(order.ends_on)
    yield "starts_on", starts
    yield "ends_on", ends
    if starts is None and ends is None and order.ends_on < order.starts_on:
        yield "ends_on", "De periode eindigt voor zij begint."
    yield from earmark_faults(order)
    if order.carry_cents_max is not None:
        yield "carry_cents_max", cents_fault(order.carry_cents_max)
    percent: object = order.carry_percent_max
    if percent is not None and (type(percent) is not int or not 1 <= percent <= 100):
        yield "carry_percent_max", "Geef een heel percentage van 1 tot en met 100."


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


def sorted_earmark(named: Collection[Any] | None) -> list[Any] | None:
    """An earmark as it is kept: sorted, nothing twice."""
    return None if named is None else sorted(set(named))


def earmark_faults(order: "GrantOrder | PolicyOrder") -> Iterator[tuple[str, str | None]]:
    """Every earmark and what is wrong with it (None: nothing). Whether courses exist is for the actions to see."""
    yield "themes", _earmark_fault(order.themes, THEMES)
    yield "forms", _earmark_fault(order.forms, FORMS)
    told = "Deze gemeente kennen we niet"
    yield "municipalities", _earmark_fault(order.municipalities, municipalities(), told)
    named = all(isinstance(course, UUID) for course in order.courses or ())
    yield "courses", _earmark_fault(order.courses, order.courses or ()) if named else UNKNOWN_COURSE


def _earmark_fault(
    codes: Collection[str | UUID] | None, known: Collection[str | UUID], told: str = "Deze code bestaat niet"
) -> str | None:
    if codes is None:
        return None
    if isinstance(codes, str) or not codes:
        return "Een oormerk noemt ten minste een code; laat het weg als alles mag."
    unknown = sorted(str(code) for code in codes if code not in known)
    return f"{told}: {unknown[0][:60]}." if unknown else None
