# ruff: noqa: INP001 (a folder of commands, not a package)
"""Which rounds are measured, by which solvers, for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = ((500, 60), (5_000, 600), (20_000, 2_500), (100_000, 12_000))
GAP_ASKED = {"ours_to_promille": 0.001, "ours_to_two_promille": 0.002}
"""Solvers that stop at a proven gap; `ours` searches until its seconds are over or the gap is closed."""
OURS = ("ours", *GAP_ASKED)
SOLVERS = (*OURS, "first_come", "deferred", "cp_sat", "highs_lp", "highs_mip")
QUICK = ("ours", "first_come", "deferred")
CONTENTION = 0.2
WISHES_MEAN = 1.2
"""As generated when nothing is asked."""
WISHES_DENSE = 2.2
"""At national size this gives about 480,000 candidates instead of 275,000: every family wishes for nearly twice as much."""
SECONDS = {(500, 60): 20.0, (5_000, 600): 60.0, (20_000, 2_500): 50.0, (100_000, 12_000): 250.0}
"""At national size ten seconds of the minute are left for reading, explaining and auditing, at the largest size fifty of the five minutes."""
SECONDS_OTHER = 60.0
SECONDS_LP = 180.0
"""The linear program alone is the yardstick. On the dense rounds it was not done after 900 s either."""


@dataclass(frozen=True, slots=True)
class Task:
    """One solver on one generated round."""

    families: int
    sessions: int
    seed: int
    contention: float
    wishes_mean: float
    solver: str
    seconds: float

    @property
    def name(self) -> str:
        """For file names."""
        return f"{self.families}x{self.sessions}-{self.seed}-{self.contention:g}-{self.wishes_mean:g}"

    @property
    def words(self) -> list[str]:
        """The size for `leerbudget match generate`."""
        return [
            *("--families", str(self.families), "--sessions", str(self.sessions)),
            *("--seed", str(self.seed), "--contention", str(self.contention), "--wishes", str(self.wishes_mean)),
        ]


def tasks(
    sizes: Sequence[tuple[int, int]],
    seeds: Sequence[int],
    contentions: Sequence[float],
    solvers: Sequence[str],
    *,
    wishes_mean: float = WISHES_MEAN,
    limit_seconds: float | None = None,
) -> list[Task]:
    """Every solver on every round. `limit_seconds` replaces the time of all of them, the linear program's included."""
    return [
        Task(*size, seed, contention, wishes_mean, solver, limit_seconds or seconds_for(size, solver))
        for size in sizes
        for contention in contentions
        for seed in seeds
        for solver in solvers
    ]


def seconds_for(size: tuple[int, int], solver: str) -> float:
    """Elapsed seconds that a solver may take."""
    return SECONDS_LP if solver == "highs_lp" else SECONDS.get(size, SECONDS_OTHER)


def everything() -> list[Task]:
    """The full measurement, about two hours.

    Ten, three and three seeds; at national size two levels of contention, and families that wish for twice as much.
    """
    small, middling, national, future = SIZES
    return [
        *tasks([small], [1], [CONTENTION], [one for one in SOLVERS if one not in GAP_ASKED]),
        *tasks([small], range(2, 11), [CONTENTION], ["ours"]),
        *tasks([middling], [1], [CONTENTION], SOLVERS),
        *tasks([middling], [2, 3], [CONTENTION], OURS),
        *tasks([national], [1], [CONTENTION], SOLVERS),
        *tasks([national], [2, 3], [CONTENTION], OURS),
        *tasks([national], [1], [0.6], [*OURS, "first_come", "deferred", "highs_lp"]),
        *tasks([national], [2, 3], [0.6], OURS),
        *tasks([national], [1], [CONTENTION], SOLVERS, wishes_mean=WISHES_DENSE),
        *tasks([national], [2, 3], [CONTENTION], [*OURS, "highs_lp"], wishes_mean=WISHES_DENSE),
        *tasks([national], [1, 2, 3], [0.6], [*OURS, "highs_lp"], wishes_mean=WISHES_DENSE),
        *tasks([future], [1], [CONTENTION], QUICK),
    ]
