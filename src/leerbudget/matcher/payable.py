"""Whether several purses can pay several bills, when not every purse may pay every bill.

The smallest possible unpaid rest, by augmenting paths (a maximum flow): plain, exact in whole cents, and
without any part of the engine.
"""

from collections.abc import Sequence


def shortage(bills: Sequence[tuple[int, Sequence[int]]], purses: Sequence[int]) -> int:
    """Cents that stay unpaid when the purses pay as much as they can.

    `bills`: (cents, numbers of the purses that may pay). `purses`: cents in each.
    """
    if len(bills) == 1:
        cents, allowed = bills[0]
        return max(0, cents - sum([purses[purse] for purse in allowed]))
    paid = [dict.fromkeys(allowed, 0) for _, allowed in bills]
    left = list(purses)
    unpaid = 0
    for bill, (cents, _) in enumerate(bills):
        rest = cents
        while rest > 0 and (pushed := _push(bill, rest, paid, left, set())) > 0:
            rest -= pushed
        unpaid += rest
    return unpaid


def _push(bill: int, cents: int, paid: list[dict[int, int]], left: list[int], seen: set[int]) -> int:
    """Pay some of a bill, letting other bills move to other purses when needed; the cents that were paid."""
    for purse in paid[bill]:
        if purse in seen:
            continue
        seen.add(purse)
        moved = min(cents, left[purse])
        if moved > 0:
            left[purse] -= moved
            paid[bill][purse] += moved
            return moved
        for other, shares in enumerate(paid):
            if other != bill and shares.get(purse, 0) > 0:
                moved = _push(other, min(cents, shares[purse]), paid, left, seen)
                if moved > 0:
                    shares[purse] -= moved
                    paid[bill][purse] += moved
                    return moved
    return 0
