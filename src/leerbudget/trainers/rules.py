"""States of a pool member (requirements 4.7) and which steps are allowed between them."""

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


def may_step(state: str, to: str) -> bool:
    """Whether a pool member in `state` may go to state `to`."""
    return to in STEPS[state]
