"""Instance in, audited outcome out: the whole way of one matching round."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from threading import Event

import numpy as np
from msgspec.structs import replace

from leerbudget.matcher.arrays import Arrays, arrays_of
from leerbudget.matcher.audit import audit
from leerbudget.matcher.candidates import CandidateTable, beside_fixed, candidates_of, rows_of
from leerbudget.matcher.certificates import SCALE, prices_of
from leerbudget.matcher.collecting import no_collecting
from leerbudget.matcher.engine.model import Problem, problem_of
from leerbudget.matcher.engine.money import waterfall
from leerbudget.matcher.engine.plan import Board, Plan
from leerbudget.matcher.engine.search import Found, search
from leerbudget.matcher.explain import placement_reasons, unplaced_wishes
from leerbudget.matcher.instance import Instance, fingerprint
from leerbudget.matcher.outcome import FORMAT, Outcome, Placement, SessionReport, gap_of

Progress = Callable[[str, float, int | None, int | None], None]
"""Told of each phase that ends: its name, its seconds, and the score and bound so far (None: none yet)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: elapsed `seconds`, or a proven `gap` (share of the score).

    `workers`: how many cores the search uses at once. The same seed and workers give the same outcome unless
    the time runs out first. `keep`: an earlier outcome of a form of this round; its proposals that still fit
    are the start and stay, unless moving them makes the plan better.
    """

    seconds: float = 60.0
    gap: float = 1e-4
    seed: int = 0
    workers: int = 1
    keep: Outcome | None = None


@dataclass(slots=True)
class Watch:
    """Elapsed seconds by phase."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.perf_counter)

    def lap(self, phase: str, score: int | None = None, bound: int | None = None) -> None:
        """The phase that ends now, and what was reached."""
        present = time.perf_counter()
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + present - self.since, 3)
        self.progress(phase, present - self.since, score, bound)
        self.since = present


def nothing(phase: str, seconds: float, score: int | None, bound: int | None) -> None:
    """The progress of who does not watch."""


@no_collecting()
def solve(
    instance: Instance, limits: Limits | None = None, progress: Progress = nothing, stop: Event | None = None
) -> Outcome:
    """The best outcome found within the limits, with reasons, payments and a bound that holds.

    The instance is one that `instance.read_instance` or `contradictions.check` accepted. Once `stop` is set the
    search ends, whatever it is at, and the best plan so far is explained and audited as ever.

    Raises:
        InstanceRefused: what is fixed cannot be completed to groups that run.
        RuntimeError: the audit found a violation; nothing is returned that breaks a rule.
    """
    limits = Limits() if limits is None else limits
    watch = Watch(progress)
    arrays = arrays_of(instance)
    table = beside_fixed(arrays, candidates_of(arrays))
    watch.lap("candidates")
    problem = problem_of(arrays, table)
    watch.lap("problem")
    seconds = limits.seconds - sum(watch.seconds.values())
    wanted = (seconds, limits.gap, limits.seed, limits.workers)
    found = search(problem, wanted, watch.lap, _kept(problem, limits.keep), stop)
    outcome = outcome_of(problem, found, limits.seed, watch)
    del arrays, table, problem, found  # the audit needs the room, and nothing of the engine's
    violations = audit(instance, outcome)
    watch.lap("audit")
    if violations:
        raise RuntimeError(f"the engine broke its own rules: {violations[:3]}")
    return outcome


def _kept(problem: Problem, outcome: Outcome | None) -> list[int] | None:
    """The candidate rows of an earlier outcome, as far as they are still candidates."""
    if outcome is None:
        return None
    arrays, table = problem.arrays, problem.table
    places = [
        (arrays.wishes.row.get((p.seeker, p.wish)), arrays.sessions.row.get(p.session)) for p in outcome.placements
    ]
    size = len(arrays.sessions.ids)
    codes = [wish * size + session for wish, session in places if wish is not None and session is not None]
    kept: list[int] = np.flatnonzero(np.isin(table.wish * size + table.session, codes)).tolist()
    return kept


def outcome_of(problem: Problem, found: Found, seed: int, watch: Watch) -> Outcome:
    """A plan as an outcome: payments, reasons and reports."""
    arrays = problem.arrays
    unplaced = unplaced_wishes(problem, found.rows, found.price)
    placements = _placements(problem, found.rows)
    watch.lap("explain")
    return Outcome(
        format=FORMAT,
        placements=placements,
        unplaced=unplaced,
        sessions=_reports(problem, found.rows),
        score=found.score,
        bound=found.bound,
        gap=gap_of(found.score, found.bound),
        seconds=watch.seconds,
        seed=seed,
        version=_version(),
        instance=fingerprint(arrays.instance),
        certificate=found.certificate,
    )


def _placements(problem: Problem, rows: Sequence[int]) -> list[Placement]:
    arrays, table = problem.arrays, problem.table
    payments = _payments(problem, rows)
    reasons = placement_reasons(arrays, table, rows, first=True)
    return [
        Placement(
            seeker=arrays.seekers.ids[table.seeker[row]],
            wish=arrays.wishes.ids[table.wish[row]],
            session=arrays.sessions.ids[table.session[row]],
            persons=_persons(arrays, table, row),
            score=int(table.score[row]),
            payment=payments[row][0],
            own_contribution_cents=payments[row][1],
            reasons=told,
        )
        for row, told in zip(rows, reasons, strict=True)
    ]


def _persons(arrays: Arrays, table: CandidateTable, row: int) -> list[str]:
    wish = arrays.wishes.ids[table.wish[row]]
    seeker = arrays.instance.seekers[table.seeker[row]]
    return next(list(w.persons) for w in seeker.wishes if w.id == wish)


def _payments(problem: Problem, rows: Sequence[int]) -> dict[int, tuple[list[tuple[str, int]], int]]:
    """Per chosen candidate what each budget pays; a seeker's sessions are paid in the order in which they start."""
    arrays, table = problem.arrays, problem.table
    of_seeker: dict[int, list[int]] = {}
    for row in rows:
        of_seeker.setdefault(int(table.seeker[row]), []).append(row)
    paid: dict[int, tuple[list[tuple[str, int]], int]] = {}
    starts = arrays.sessions.starts_on[table.session]
    for seeker, mine in of_seeker.items():
        budgets = arrays.instance.seekers[seeker].budgets
        mine.sort(key=lambda row: (int(starts[row]), arrays.sessions.ids[table.session[row]]))
        bills = [(int(table.cents[row]), int(problem.payers[row])) for row in mine]
        for row, payment in zip(mine, waterfall(budgets, bills), strict=True):
            paid[row] = [(budgets[purse].id, cents) for purse, cents in payment.shares], payment.own_cents
    return paid


def _reports(problem: Problem, rows: Sequence[int]) -> list[SessionReport]:
    """Seats and whether a session runs; one without newcomers may run on those who were there before."""
    plan = Plan(Board.of(problem.part(np.array(rows, np.int64))))
    for row in range(len(rows)):
        if row not in plan.chosen:
            plan.add(row)
    return [
        SessionReport(name, runs=plan.runs(session), seats=plan.seats(session))
        for session, name in enumerate(problem.arrays.sessions.ids)
    ]


def _version() -> str:
    try:
        return metadata.version("leerbudget")
    except metadata.PackageNotFoundError:
        return "0"


def explained(instance: Instance, outcome: Outcome) -> Outcome:
    """The same outcome with the reasons worked out again; for an outcome that came without them.

    Raises:
        KeyError: a placement is not a candidate, or the certificate is of another instance; the audit says why.
    """
    arrays = arrays_of(instance)
    problem = problem_of(arrays, beside_fixed(arrays, candidates_of(arrays)))
    named = [(p.seeker, p.wish, p.session) for p in outcome.placements]
    rows = rows_of(arrays, problem.table, named).tolist()
    reasons = placement_reasons(arrays, problem.table, rows, first=True)
    placements = [replace(p, reasons=told) for p, told in zip(outcome.placements, reasons, strict=True)]
    prices = None
    if outcome.certificate is not None:
        prices = prices_of(arrays, problem.table, outcome.certificate) / SCALE
    return replace(outcome, placements=placements, unplaced=unplaced_wishes(problem, rows, prices))
