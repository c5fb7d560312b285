"""What happened in the demonstration, counted and timed, for the summary."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import click


@dataclass(slots=True)
class Events:
    """Counts of what families tried and did, the refusals they met, and seconds per phase.

    Somebody who watches at a terminal sees each phase when it begins, and its seconds when it ends.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    round: UUID | None = None
    watched: bool = field(default_factory=lambda: sys.stderr.isatty())  # noqa: PLW0108 - of the moment, not of the import

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the block's elapsed seconds to the phase."""
        self._show(f"  {name} … ")
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            self._show(f"{spent:.1f} s\n")

    def _show(self, text: str) -> None:
        if self.watched:
            click.echo(text, nl=False, err=True)
