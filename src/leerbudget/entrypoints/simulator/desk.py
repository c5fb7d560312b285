"""Where everybody's commands are given: asked again after a fault, answers remembered, surprises written down."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from leerbudget.entrypoints.simulator.faults import Crashed, Faults
from leerbudget.foundation.errors import Busy, LeerbudgetError

TRIES_MAX: Final = 60
"""A worker that makes the offers of a large round dies more than ten times on the way; each time it goes on where it was."""

Verb = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command: its `value`, or the `code` of a refusal.

    `doubtful`: a fault hid the answer of an earlier try, so a refusal may mean that it was done then.
    """

    value: Any = None
    code: str | None = None
    doubtful: bool = False

    @property
    def done(self) -> bool:
        """Whether it was not refused."""
        return self.code is None


@dataclass(slots=True)
class Desk:
    """Gives commands as a client does that keeps its ids: after a fault the same command again.

    `bookings`: of each booking that was answered, the states it may be in by now (I6). `troubles`: what should not be.
    """

    faults: Faults
    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    bookings: dict[UUID, frozenset[str]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    async def ask(
        self, what: str, verb: Verb, *given: Any, refusals: Collection[str] | None = (), **words: Any
    ) -> Answer:
        """The answer to a command. `refusals`: the only ones that are no surprise; None: any is fine."""
        doubtful = False
        for _ in range(TRIES_MAX):
            try:
                with self.faults.happening():
                    value = await verb(*given, **words)
            except (Crashed, Busy):
                doubtful = True
                continue
            except LeerbudgetError as refusal:
                if refusals is not None and refusal.code not in refusals and not doubtful:
                    self.troubles.append(f"{what}: refused with {refusal.code}")
                self.refusals[f"{what}: {refusal.code}"] += 1
                return Answer(code=refusal.code, doubtful=doubtful)
            self.counts[what] += 1
            return Answer(value, doubtful=doubtful)
        self.troubles.append(f"{what}: no answer after {TRIES_MAX} tries")
        return Answer(code="no_answer", doubtful=True)

    async def must_refuse(self, what: str, code: str, verb: Verb, *given: Any, **words: Any) -> None:
        """A command that has to be refused with this code."""
        answer = await self.ask(what, verb, *given, refusals=(code,), **words)
        if answer.done:
            self.troubles.append(f"{what}: not refused, {code} was due")
