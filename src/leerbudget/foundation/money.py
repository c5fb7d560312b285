"""Money is integer euro cents. Floats and decimals never carry money."""

from collections.abc import Sequence

CENTS_MAX = 2**53 - 1
"""Largest amount that JSON readers everywhere hold exactly."""


def euros(cents: int) -> str:
    """Cents as a Dutch amount: 123450 → `€ 1.234,50`; negative amounts as `€ -5,00`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"€ {sign}{whole:,}".replace(",", ".") + f",{rest:02d}"


def shares(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights, to the cent, by largest remainder.

    Ties go to the earliest weight. The shares add up to `total_cents` exactly and none exceeds
    its weight when `total_cents <= sum(weights)`.

    Raises:
        ValueError: a negative amount or weight, or only zero weights for a positive amount.
    """
    whole = sum(weights)
    if total_cents < 0 or any(w < 0 for w in weights) or (whole == 0 and total_cents > 0):
        raise ValueError("cannot split a negative amount, by negative weights, or by nothing")
    if whole == 0:
        return [0 for _ in weights]
    floors = [total_cents * w // whole for w in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(total_cents * weights[i] % whole), i))
    for i in remainders[: total_cents - sum(floors)]:
        floors[i] += 1
    return floors
