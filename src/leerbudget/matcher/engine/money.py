"""What one seeker can pay together from several earmarked budgets, and in which order they pay.

Budgets that may pay a bill are bits of a mask. By Hall's theorem the bills can be paid exactly when, for
every union of masks, the bills inside it are no more than the money inside it plus the own contribution.
Cents are whole, so a payment in whole cents exists as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable, purse_pays
from leerbudget.matcher.instance import LearningBudget


def payer_masks(arrays: Arrays, table: CandidateTable) -> Whole:
    """Per candidate the budgets that may pay it, as bits in the order of the seeker's list."""
    masks = np.zeros(len(table), np.int64)
    for purse in range(arrays.seekers.budget_cents.shape[1]):
        pays = purse_pays(arrays, purse, table.seeker, table.session)
        masks |= pays.astype(np.int64) << purse
    return masks


def unions(masks: Iterable[int]) -> list[int]:
    """Every union of the masks, once, smallest first."""
    found: set[int] = set()
    for mask in set(masks):
        found |= {mask} | {mask | union for union in found}
    return sorted(found)


def inside(mask: int, union: int) -> bool:
    """Whether all budgets of a mask are in the union."""
    return mask & ~union == 0


def cents_in(union: int, purses: Sequence[int]) -> int:
    """The money in the budgets of a union."""
    return sum(cents for purse, cents in enumerate(purses) if union >> purse & 1)


def shortage(bills: Sequence[tuple[int, int]], purses: Sequence[int]) -> int:
    """Cents that the budgets cannot pay of the bills, each (cents, mask)."""
    worst = 0
    for union in unions(mask for _, mask in bills):
        due = sum(cents for cents, mask in bills if inside(mask, union))
        worst = max(worst, due - cents_in(union, purses))
    return worst


@dataclass(frozen=True, slots=True)
class Payment:
    """How one bill is paid: (number of the budget, cents) in paying order, and the own contribution."""

    shares: list[tuple[int, int]]
    own_cents: int


def waterfall(budgets: Sequence[LearningBudget], bills: Sequence[tuple[int, int]]) -> list[Payment]:
    """Pay bills, each (cents, mask), in their order: earmarked budgets first, then earliest expiry, then smallest id.

    A budget steps back as far as a later bill could otherwise not be paid (R04). The own contribution is
    the least possible and comes last.
    """
    if len(bills) == 1:
        return [_paid_alone(budgets, *bills[0])]
    left = [budget.available_cents for budget in budgets]
    due = [cents for cents, _ in bills]
    own = shortage(bills, left)
    order = sorted(range(len(budgets)), key=lambda purse: _paying_order(budgets[purse]))
    payments = []
    for bill, (_, mask) in enumerate(bills):
        shares = []
        for purse in (purse for purse in order if mask >> purse & 1):
            unpaid = [(cents, other) for cents, (_, other) in zip(due, bills, strict=True)]
            cents = min(due[bill], _room(purse, mask, unpaid, left, own))
            if cents > 0:
                left[purse] -= cents
                due[bill] -= cents
                shares.append((purse, cents))
        own -= due[bill]
        payments.append(Payment(shares, due[bill]))
        due[bill] = 0
    return payments


def _paid_alone(budgets: Sequence[LearningBudget], due: int, mask: int) -> Payment:
    shares = []
    for purse in sorted(range(len(budgets)), key=lambda purse: _paying_order(budgets[purse])):
        cents = min(due, budgets[purse].available_cents) if mask >> purse & 1 else 0
        if cents > 0:
            due -= cents
            shares.append((purse, cents))
    return Payment(shares, due)


def _paying_order(budget: LearningBudget) -> tuple[bool, str, str]:
    expires = "9999" if budget.expires_on is None else budget.expires_on.isoformat()
    return budget.themes is None, expires, budget.id


def _room(purse: int, mask: int, bills: Sequence[tuple[int, int]], left: Sequence[int], own: int) -> int:
    """The most this budget can pay for a bill with this mask without leaving another bill unpaid."""
    room = left[purse]
    for union in unions(other for cents, other in bills if cents > 0):
        if union >> purse & 1 and not inside(mask, union):
            needed = sum(cents for cents, other in bills if inside(other, union))
            room = min(room, cents_in(union, left) + own - needed)
    return max(0, room)
