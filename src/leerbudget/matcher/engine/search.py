"""From a problem to the best plan and bound within the time: greedy, then the integer program.

A small program is solved whole. For a large one the linear relaxation gives a bound and a value per
candidate; the program with only the candidates that are nearly worth their seat is solved first, then the
whole one in the time that is left, for a tighter bound and perhaps a better plan.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine import mip
from leerbudget.matcher.engine.model import Problem, Program, program_of
from leerbudget.matcher.engine.plan import Board, Plan, greedy, mended
from leerbudget.matcher.errors import InstanceRefused

LARGE = 12_000
"""Candidates from which the whole program is too slow to start with."""
NEARLY_WORTH = 15.0
"""Points a candidate may miss of its price and still be looked at."""
FIRST_SHARE = 0.5
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
    try:
        if len(problem.table) > LARGE and best.gap() > gap:
            _narrow(program, best, ends, gap, seed)
            progress("narrow")
        if best.gap() > gap:
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


def _narrow(program: Program, best: Best, ends: float, gap: float, seed: int) -> None:
    """Bound by the relaxation; then only the candidates that are nearly worth their seat."""
    relaxed = mip.relax(program, ends - time.perf_counter())
    if relaxed is None:
        return
    best.bound = min(best.bound, relaxed.bound)
    keep = (relaxed.value > -NEARLY_WORTH) | (relaxed.level > 1e-6) | (program.least > 0)
    keep[len(best.board.seeker) :] = True
    columns = np.flatnonzero(keep)
    seconds = FIRST_SHARE * (ends - time.perf_counter())
    _take(best, mip.solve(_only(program, columns), seconds, gap * GAP_SHARE, seed), columns)


def _only(program: Program, columns: Whole) -> Program:
    """The program with only these variables; the others are zero."""
    matrix = program.matrix[:, columns].tocsr()
    rows = np.flatnonzero(np.diff(matrix.indptr) > 0)
    return Program(
        program.objective[columns], program.least[columns], matrix[rows], program.lower[rows], program.upper[rows]
    )


def _rescue(problem: Problem, program: Program, best: Best, gap: float, seed: int) -> None:
    """Complete only the sessions that hold fixed people; a small program, solved whatever the time."""
    table = problem.table
    forced = np.isin(table.pairs.session, table.pairs.session[problem.fixed])
    keep = np.ones(program.matrix.shape[1], bool)
    keep[: len(table)] = forced
    columns = np.flatnonzero(keep)
    _take(best, mip.solve(_only(program, columns), RESCUE_SECONDS, gap, seed), columns)
