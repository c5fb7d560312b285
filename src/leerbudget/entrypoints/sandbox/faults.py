"""What goes wrong on request: answers that do not come, events that are lost, doubled or late."""

from collections import deque
from dataclasses import dataclass, field

ANSWERS = ("error", "busy", "conflict", "lost", "stuck", "silence")
"""`error`: 500 and nothing was done. `busy`: 429. `conflict`: 409, the same key is being worked on. `lost`: it was done, and
the answer is 500. `stuck`: so too, and it stays 500 whoever asks under the same key, as Stripe's own failures do for a
day. `silence`: it was done, and no answer ever comes."""


@dataclass
class Faults:
    """What still has to go wrong.

    Args:
        answers: of `ANSWERS`, one for each coming request.
        drop: so many coming events are never sent.
        double: so many coming events are sent twice.
        held: nothing is sent until `release`.
        backwards: what was held is sent with the latest first.
    """

    answers: deque[str] = field(default_factory=deque)
    drop: int = 0
    double: int = 0
    held: bool = False
    backwards: bool = False

    def next_answer(self) -> str | None:
        """What goes wrong with this request; None: nothing."""
        return self.answers.popleft() if self.answers else None

    def to_send(self, waiting: list[str]) -> list[str]:
        """Which of the waiting events are sent now, in this order; those that are dropped leave `waiting`."""
        if self.held:
            return []
        while self.drop and waiting:
            self.drop -= 1
            waiting.pop(0)
        chosen = list(reversed(waiting)) if self.backwards else list(waiting)
        self.backwards = False
        doubled, self.double = chosen[: self.double], max(0, self.double - len(chosen))
        return [*doubled, *chosen]

    def release(self, *, backwards: bool = False) -> None:
        """Send what was held."""
        self.held, self.backwards = False, backwards
