"""States of a pool member (requirements 4.7), the steps between them, and until when a certificate holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

TRAINER_STATES = ("nominated", "approached", "applied", "assessed", "admitted", "suspended", "left")

STEPS: dict[str, frozenset[str]] = {
    "nominated": frozenset({"approached", "applied", "left"}),
    "approached": frozenset({"applied", "left"}),
    "applied": frozenset({"assessed", "left"}),
    "assessed": frozenset({"admitted", "left"}),
    "admitted": frozenset({"suspended", "left"}),
    "suspended": frozenset({"admitted", "left"}),
    "left": frozenset(),
}

WARNING_DAYS = 60
"""So long before a certificate ends its owner hears of it (R56)."""


@dataclass(frozen=True, slots=True)
class TrainerOrder:
    """A member of the pool to register; the person is registered before (party `trainers`)."""

    id: UUID
    external_ref: str
    person: UUID
    themes: tuple[str, ...]
    region: str
    state: str = "nominated"
    certificate_valid_until: date | None = None


def may_step(state: str, to: str) -> bool:
    """Whether a pool member in `state` may go to state `to`."""
    return to in STEPS[state]


def sources_of(to: str) -> tuple[str, ...]:
    """The states from which a pool member may go to state `to`."""
    return tuple(state for state in TRAINER_STATES if to in STEPS[state])


def days_without_certificate(valid_until: date | None, days: Iterable[date]) -> list[date]:
    """The days on which the certificate does not hold; its last day still counts (R56)."""
    return sorted({day for day in days if valid_until is None or day > valid_until})


def ends_soon(valid_until: date | None, today: date) -> bool:
    """Whether the certificate ends within `WARNING_DAYS` days, or did already."""
    return valid_until is not None and valid_until <= today + timedelta(days=WARNING_DAYS)
