"""A family's statement of one budget: every movement, and sums that tie out to the cent. Plain values in and out."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from leerbudget.budgets.queries import Mutation


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement, and what is held after it (`movement.free_after_cents` says what is free)."""

    movement: Mutation
    held_after_cents: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What came in and went out: granted + carried in + corrected - paid - returned - carried out = free + held."""

    lines: tuple[StatementLine, ...]
    granted_cents: int
    carried_in_cents: int
    corrected_cents: int
    paid_cents: int
    returned_cents: int
    carried_out_cents: int
    free_cents: int
    held_cents: int


def statement(movements: Iterable[Mutation]) -> Statement:
    """The statement of one budget from its movements, oldest first. Every sum is of the lines and of nothing else."""
    lines = list(movements)
    held = list(accumulate(line.held_change_cents for line in lines))

    def went(kind: str, way: int) -> int:
        return sum(
            way * line.free_change_cents for line in lines if line.kind == kind and way * line.free_change_cents > 0
        )

    return Statement(
        lines=tuple(StatementLine(line, after) for line, after in zip(lines, held, strict=True)),
        granted_cents=went("grant", 1),
        carried_in_cents=went("carry_over", 1),
        corrected_cents=went("correction", 1) - went("correction", -1),
        paid_cents=sum(line.paid_cents for line in lines),
        returned_cents=went("grant_return", -1),
        carried_out_cents=went("carry_over", -1),
        free_cents=sum(line.free_change_cents for line in lines),
        held_cents=held[-1] if held else 0,
    )
