"""From a problem to the best plan and bound within the time: greedy, then integer programs.

A small program is solved whole. For a large one the linear relaxation gives a bound and a price per seat;
then groups of sessions (a theme, a region, chance) are planned anew, all else held, with only the candidates
that are nearly worth their seat; then the whole program in the time that is left, for a tighter bound.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine import mip
from leerbudget.matcher.engine.model import Flags, Problem, Program, program_of
from leerbudget.matcher.engine.plan import Board, Plan, greedy, mended
from leerbudget.matcher.errors import InstanceRefused

LARGE = 12_000
"""Candidates from which the whole program is too slow to start with."""
NARROW, WIDE = 15.0, 100.0
"""Points a candidate may miss of its price and still be looked at, in large and in small groups."""
GROUP_SESSIONS = 40
AT_ONCE_MAX = 400
GROUP_SECONDS, AT_ONCE_SECONDS = 10.0, 600.0
PASSES_MIN = 5
PASS_GAIN = 1e-4
"""A pass over all groups that gains less than this share of the score is the last."""
WHOLE_SHARE = 0.6
GROUPS_SHARE = 0.85
RESCUE_SECONDS = 600.0
GAP_SHARE = 0.5

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """`rows`: chosen candidates. `bound`: no plan scores higher."""

    rows: list[int]
    score: int
    bound: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: until when (seconds of `time.perf_counter`), to which gap, with which seed."""

    problem: Problem
    ends: float
    gap: float
    seed: int


@dataclass(frozen=True, slots=True)
class Way:
    """How a pass makes its groups: their order and size, the slack of their candidates, seconds for each."""

    order: str
    size: int
    slack: float
    seconds: float


@dataclass(slots=True)
class Best:
    """The best plan and the best bound so far."""

    board: Board
    bound: int
    plan: Plan | None = None
    interrupted: bool = False

    def offer(self, plan: Plan) -> None:
        """Keep the plan when it is possible and better."""
        if plan.possible() and (self.plan is None or plan.score() > self.plan.score()):
            self.plan = plan

    def gap(self) -> float:
        """How far the bound lies above the plan, as a share of the plan."""
        if self.plan is None:
            return float("inf")
        score = self.plan.score()
        return (self.bound - score) / max(1, abs(score))


def search(problem: Problem, seconds: float, gap: float, seed: int, progress: Progress) -> Found:
    """The best plan found in the time, with a bound that is always valid.

    Raises:
        InstanceRefused: what is fixed cannot be completed to groups that run.
    """
    ends = time.perf_counter() + seconds
    board = Board.of(problem)
    best = Best(board, _simple_bound(board))
    best.offer(greedy(board))
    progress("greedy")
    program = program_of(problem)
    large = len(problem.table) > LARGE
    try:
        if not large and best.gap() > gap:
            _whole(program, best, WHOLE_SHARE * (ends - time.perf_counter()), gap, seed)
            progress("whole")
        if best.gap() > gap:
            _by_groups(Task(problem, ends, gap, seed), program, best)
            progress("groups")
        if large and best.gap() > gap:
            _whole(program, best, ends - time.perf_counter(), gap, seed)
            progress("whole")
    except KeyboardInterrupt:
        best.interrupted = True
    if best.plan is None:
        _rescue(problem, program, best, gap, seed)
    progress("mend")
    if best.plan is None:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    score = best.plan.score()
    return Found(sorted(best.plan.chosen), score, max(score, best.bound), best.interrupted)


def _simple_bound(board: Board) -> int:
    """Every seeker gets the best candidates of its wishes, as if alone in the world."""
    dearest: dict[int, dict[int, int]] = {}
    for row, seeker in enumerate(board.seeker):
        wishes = dearest.setdefault(seeker, {})
        wishes[board.wish[row]] = max(wishes.get(board.wish[row], board.score[row]), board.score[row])
    total = 0
    fixed = {board.seeker[row] for row in board.problem.fixed.tolist()}
    for seeker, wishes in dearest.items():
        points = sorted(wishes.values(), reverse=True)[: board.most[seeker]]
        useful = [p for p in points if p > 0] or points[:1]
        worth = sum(useful) + board.bonus[seeker] if useful else 0
        total += worth if seeker in fixed else max(0, worth)
    return total


def _whole(program: Program, best: Best, seconds: float, gap: float, seed: int) -> None:
    answer = mip.solve(program, seconds, gap * GAP_SHARE, seed)
    if answer.impossible:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    if answer.bound is not None:
        best.bound = min(best.bound, answer.bound)
    _take(best, answer, np.arange(program.matrix.shape[1]))


def _take(best: Best, answer: mip.Answer, columns: Whole) -> None:
    if answer.chosen is not None:
        chosen = columns[answer.chosen]
        best.offer(mended(best.board, chosen[chosen < len(best.board.seeker)].tolist()))


def _by_groups(search: Task, program: Program, best: Best) -> None:
    """Plan group after group of sessions anew, until a pass gains too little or its share of the time is over."""
    relaxed = mip.relax(program, search.ends - time.perf_counter())
    if relaxed is None or best.plan is None:
        return
    best.bound = min(best.bound, relaxed.bound)
    started = time.perf_counter()
    until = started + GROUPS_SHARE * (search.ends - started)
    draw = np.random.default_rng(search.seed)
    for number, way in enumerate(_passes(len(best.board.offered))):
        if best.gap() <= search.gap or time.perf_counter() > until:
            return
        hopeful = (relaxed.value > -way.slack) | (relaxed.level > 1e-6)
        before, chosen = best.plan.score(), _vector(program, best.plan)
        for group in _groups_of(search.problem, way, draw):
            free = _touched(search.problem, program, group)
            free[: len(search.problem.table)] &= (hopeful | chosen)[: len(search.problem.table)]
            seconds = min(way.seconds, until - time.perf_counter())
            chosen = _regrouped(search, program, chosen, free, seconds) if seconds > 0 else chosen
        best.offer(mended(best.board, np.flatnonzero(chosen[: len(search.problem.table)]).tolist()))
        if number >= PASSES_MIN and best.plan.score() - before < PASS_GAIN * abs(before):
            return


def _passes(sessions: int) -> Iterator[Way]:
    """Small groups first, then everything with only the candidates near their price, then chance groups."""
    yield Way("theme", GROUP_SESSIONS, WIDE, GROUP_SECONDS)
    yield Way("east", GROUP_SESSIONS, WIDE, GROUP_SECONDS)
    if sessions <= AT_ONCE_MAX:
        yield Way("east", AT_ONCE_MAX, NARROW, AT_ONCE_SECONDS)
    size = 2 * GROUP_SESSIONS
    while True:
        yield Way("chance", size, WIDE, GROUP_SECONDS)


def _vector(program: Program, plan: Plan) -> Flags:
    """A plan as values of all variables."""
    chosen = np.zeros(program.matrix.shape[1], bool)
    chosen[list(plan.chosen)] = True
    first = len(chosen) - len(program.triggers)
    for place, triggers in enumerate(program.triggers):
        chosen[first + place] = chosen[triggers].any()
    return chosen


def _groups_of(problem: Problem, way: Way, draw: np.random.Generator) -> Iterator[Whole]:
    """Groups of sessions: of one theme from west to east, from west to east, or by chance."""
    sessions = problem.arrays.sessions
    east = np.nan_to_num(sessions.places.xyz[:, 1], nan=0.0)
    order = draw.permutation(len(sessions.ids)) if way.order == "chance" else np.argsort(east, kind="stable")
    parts = [order]
    if way.order == "theme":
        order = np.lexsort((east, sessions.theme))
        parts = np.split(order, np.flatnonzero(np.diff(sessions.theme[order])) + 1)
    for part in parts:
        yield from np.array_split(part, -(-len(part) // way.size)) if len(part) else ()


def _touched(problem: Problem, program: Program, group: Whole) -> Flags:
    """Variables that may change when only these sessions are planned anew."""
    free = np.zeros(program.matrix.shape[1], bool)
    first = len(problem.table)
    free[:first] = np.isin(problem.table.session, group)
    for place, triggers in enumerate(program.triggers):
        free[first + place] = free[triggers].any()
    return free


def _regrouped(search: Task, program: Program, chosen: Flags, free: Flags, seconds: float) -> Flags:
    """The same plan, or a better one that differs only in the free variables."""
    part, columns = _part(program, chosen, free)
    answer = mip.solve(part, seconds, search.gap * GAP_SHARE, search.seed)
    if answer.chosen is None or part.objective @ answer.chosen <= part.objective @ chosen[columns]:
        return chosen
    better = chosen.copy()
    better[columns] = answer.chosen
    return better


def _part(program: Program, chosen: Flags, free: Flags) -> tuple[Program, Whole]:
    """The program in the free variables alone, all others held as they are; and which variables those are."""
    columns = np.flatnonzero(free)
    matrix = program.matrix[:, columns].tocsr()
    rows = np.flatnonzero(np.diff(matrix.indptr) > 0)
    held = (program.matrix @ (chosen & ~free).astype(np.float64))[rows]
    lower, upper = program.lower[rows] - held, program.upper[rows] - held
    return Program(program.objective[columns], program.least[columns], matrix[rows], lower, upper, []), columns


def _rescue(problem: Problem, program: Program, best: Best, gap: float, seed: int) -> None:
    """Complete only the sessions that hold fixed people; a small program, solved whatever the time."""
    table = problem.table
    forced = np.isin(table.session, table.session[problem.fixed])
    keep = np.ones(program.matrix.shape[1], bool)
    keep[: len(table)] = forced
    part, columns = _part(program, np.zeros(len(keep), bool), keep)
    _take(best, mip.solve(part, RESCUE_SECONDS, gap, seed), columns)
