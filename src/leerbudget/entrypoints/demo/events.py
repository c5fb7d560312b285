"""What happened in the demonstration, counted and timed, for the summary."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Events:
    """Counts of what families tried and did, the refusals they met, and seconds per phase."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    round: UUID | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the block's elapsed seconds to the phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
