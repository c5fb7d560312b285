"""Who pays and what comes back: plain values in, plain values out (R01, R04)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leerbudget.budgets.errors import BudgetTooSmall, KeepsTooMuch
from leerbudget.catalogue.rules import FORMS, THEMES
from leerbudget.foundation.money import shares
from leerbudget.ledger.rules import cents_fault, text_fault

BUDGET_STATES = ("active", "expired")
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


@dataclass(frozen=True, slots=True)
class Payer:
    """A budget as the waterfall sees it."""

    budget: UUID
    account: UUID
    free_cents: int
    starts_on: date
    expires_on: date
    themes: frozenset[str] | None = None
    forms: frozenset[str] | None = None
    state: str = "active"

    @property
    def earmarked(self) -> bool:
        """Whether it may pay for some things only."""
        return self.themes is not None or self.forms is not None


@dataclass(frozen=True, slots=True)
class PaymentShare:
    """The cents that one budget pays, keeps or gets back."""

    budget: UUID
    amount_cents: int


def may_pay(payer: Payer, *, theme: str, form: str, on: date, today: date) -> bool:
    """Whether a budget may pay for a session.

    It is active; the session's first meeting, `on`, falls inside its period; the period is not over
    `today`; and both earmarks fit. A budget of next year may thus be held now for a session next year.
    """
    return (
        payer.state == "active"
        and payer.starts_on <= on <= payer.expires_on
        and today <= payer.expires_on
        and (payer.themes is None or theme in payer.themes)
        and (payer.forms is None or form in payer.forms)
    )


def waterfall(payers: Collection[Payer], total_cents: int) -> tuple[PaymentShare, ...]:
    """Which budget pays how much: earmarked first, then earliest expiry, then smallest id (R04).

    The shares add up to the total; each is more than zero and at most what is free.

    Raises:
        BudgetTooSmall: together they hold too little.
    """
    free_cents = sum(max(payer.free_cents, 0) for payer in payers)
    if free_cents < total_cents:
        raise BudgetTooSmall(missing_cents=total_cents - free_cents, free_cents=free_cents)
    paid: list[PaymentShare] = []
    for payer in sorted(payers, key=lambda p: (not p.earmarked, p.expires_on, p.budget)):
        part = min(max(payer.free_cents, 0), total_cents)
        total_cents -= part
        if part:
            paid.append(PaymentShare(payer.budget, part))
    return tuple(paid)


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
