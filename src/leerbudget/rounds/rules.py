"""States of a round and of a proposal, and the ids that make publishing safe to repeat."""

from typing import Final
from uuid import UUID, uuid5

ROUND_STATES: Final = ("open", "frozen", "solved", "audited", "rejected", "published", "answered")
PROPOSAL_STATES: Final = ("proposed", "offered", "refused", "accepted", "declined", "expired")

STEPS: Final = {
    "open": frozenset({"frozen"}),
    "frozen": frozenset({"frozen", "solved"}),
    "solved": frozenset({"frozen", "audited", "rejected"}),
    "audited": frozenset({"frozen", "published"}),
    "rejected": frozenset({"frozen"}),
    "published": frozenset({"answered"}),
    "answered": frozenset(),
}
"""Until it is published a round may be frozen anew; afterwards families have been told."""


def may_step(state: str, to: str) -> bool:
    """Whether a round in `state` may go to state `to`."""
    return to in STEPS[state]


def booking_id(round_id: UUID, wish: UUID) -> UUID:
    """The id of the booking that stands for a proposal: the same at every attempt to publish."""
    return uuid5(round_id, str(wish))
