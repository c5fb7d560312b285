"""Part of the round planned anew, all else held: small integer programs over the sessions of a block."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import numpy as np
from scipy import sparse

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.candidates import expanded
from leerbudget.matcher.engine import mip
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.model import Problem, Program, program_of
from leerbudget.matcher.engine.relaxation import LOWEST_GAIN, WHOLE, Relaxed, losses_within, whole_part
from leerbudget.matcher.memory import give_back

GAP = 2e-4
ROUNDING_GAP, ROUNDING_SHARE = 1e-3, 0.75
"""Themes are rounded to the first, or to the second of the gap that is asked when that is more."""
HALF = 0.5
HOT_SESSIONS = 60
"""Sessions with somebody half in them that one program decides."""
CLOSE, NEAR, WIDE = 12.0, 30.0, 60.0
"""Points a candidate may cost its seeker and still be looked at."""
BLOCK_SECONDS, ROUNDING_SECONDS = 10.0, 4.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked: until when (seconds of `time.perf_counter`), to which gap, with which seed and how many cores.

    `stop` is set when somebody interrupts; solvers in other threads look at it.
    """

    ends: float
    gap: float
    seed: int
    workers: int = 1
    stop: Event = field(default_factory=Event)

    def left(self) -> float:
        """Seconds that are left."""
        return self.ends - time.perf_counter()

    def over(self) -> bool:
        """Whether nothing further should be started."""
        return self.stop.is_set() or self.left() <= 0


@dataclass(frozen=True, slots=True)
class Task:
    """A problem, its program, and what is asked. `by_session`: candidate rows, as `CandidateTable.by_session` has them."""

    problem: Problem
    program: Program
    terms: Terms
    by_session: tuple[Whole, Whole]

    @staticmethod
    def of(problem: Problem, terms: Terms) -> "Task":
        """The task of a problem."""
        by_session = problem.table.by_session(len(problem.arrays.sessions.ids))
        return Task(problem, program_of(problem), terms, by_session)

    def candidates(self, sessions: Whole) -> Whole:
        """The candidate rows of these sessions, ascending."""
        first, rows = self.by_session
        return np.sort(rows[expanded(first, sessions)[1]])


@contextmanager
def threads(terms: Terms, count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads for solvers; an interrupt reaches them before it is waited for their end.

    What they have freed is given back when they are done.
    """
    with ThreadPoolExecutor(count) as pool:
        try:
            yield pool
        except GeneratorExit:  # whoever asked has enough; nobody interrupted
            raise
        except BaseException:
            terms.stop.set()
            raise
    give_back()


def part_of(program: Program, chosen: Flags, columns: Whole, present: Reals | None = None) -> Program:
    """The program in these variables alone, all others held as they are.

    `present`: what the rows of the program add up to; worked out when it is not given.
    """
    matrix = program.matrix[:, columns]
    rows, at = np.unique(matrix.indices, return_inverse=True)
    part = sparse.csc_matrix((matrix.data, at, matrix.indptr), shape=(len(rows), len(columns)))
    present = program.matrix @ chosen.astype(np.float64) if present is None else present
    held = present[rows] - part @ chosen[columns].astype(np.float64)
    lower, upper = program.lower[rows] - held, program.upper[rows] - held
    return Program(program.objective[columns], program.least[columns], part, lower, upper, program.triggers[:0])


def rounded(task: Task, relaxed: Relaxed, price: Reals, decided: Flags) -> Flags:
    """The candidates of a theme, as nearly chosen as can be, beside what is decided in other themes.

    `price`: of the theme's candidates. What came out whole stays, the rest is decided by programs: sessions with
    somebody half in them are planned anew, those of one neighbourhood together. Neighbourhoods are planned at
    once: whoever is drawn to several takes part in the one with the best offer. Where a group with fixed people
    cannot be completed like that, more of those who are left may come.
    """
    first, session, rows = len(task.problem.table), task.problem.table.session, relaxed.draft.rows
    whole, half = whole_part(relaxed)
    chosen, gain = np.zeros(first, bool), np.zeros(first)
    chosen[whole], gain[rows] = True, relaxed.draft.gain
    hot = (relaxed.running > WHOLE) & (relaxed.running < 1 - WHOLE)
    hot[session[half]] = True
    loss = losses_within(task.problem, relaxed.draft, price)
    drawn = np.flatnonzero(hot[session[rows]] & (relaxed.draft.gain > LOWEST_GAIN))
    number, home = _homes(task.problem, (rows[drawn], loss[drawn]), np.flatnonzero(hot))
    near = home & (loss[drawn] < CLOSE)
    present = task.program.complete(chosen | decided)
    with threads(task.terms, task.terms.workers) as pool:
        parts = [rows[drawn[near & (number == one)]] for one in range(number.max(initial=-1) + 1)]
        answers = list(pool.map(lambda free: _planned(task, gain, present, free), parts))
    for one in sorted(range(len(parts)), key=lambda one: answers[one][1].chosen is None):
        columns, answer = answers[one]
        if answer.chosen is None:
            more = rows[drawn[(number == one) & (loss[drawn] < NEAR)]]
            columns, answer = _planned(task, gain, task.program.complete(chosen | decided), more)
        of_rows = columns < first
        free = columns[of_rows]
        chosen[free] = np.isin(free, rows[relaxed.level > HALF]) if answer.chosen is None else answer.chosen[of_rows]
    return chosen


def _homes(problem: Problem, drawn: tuple[Whole, Reals], sessions: Whole) -> tuple[Whole, Flags]:
    """Of candidates, given with what their seekers lose by them: the number of their neighbourhood, and whether it is their seeker's best."""
    (rows, loss), number = drawn, np.zeros(len(problem.arrays.sessions.ids), np.int64)
    for one, together in enumerate(neighbourhoods(problem, sessions, HOT_SESSIONS)):
        number[together] = one
    seeker, there = problem.table.seeker[rows], number[problem.table.session[rows]]
    best, best_last = np.zeros(len(problem.arrays.seekers.ids), np.int64), np.argsort(-loss, kind="stable")
    best[seeker[best_last]] = there[best_last]
    return there, best[seeker] == there


def _planned(task: Task, gain: Reals, present: Flags, free: Whole) -> tuple[Whole, mip.Answer]:
    """These candidates decided by one program, all others held: its variables and the answer."""
    columns = task.program.columns(free)
    part = part_of(task.program, present, columns)
    last = len(gain) - 1
    part.objective[:] = np.where(columns <= last, gain[np.minimum(columns, last)], 0.0)
    terms, gap = task.terms, max(ROUNDING_GAP, ROUNDING_SHARE * task.terms.gap)
    return columns, mip.solve(part, min(ROUNDING_SECONDS, terms.left()), gap, terms.seed, terms.stop)


def neighbourhoods(problem: Problem, sessions: Whole, size: int) -> Iterator[Whole]:
    """Sessions by place, no more than so many together: halved along the longer side until they are few enough."""
    if len(sessions) <= size:
        yield sessions
        return
    places = np.nan_to_num(problem.arrays.sessions.places.xyz[sessions])
    order = sessions[np.argsort(places[:, np.ptp(places, axis=0).argmax()], kind="stable")]
    for half in np.array_split(order, 2):
        yield from neighbourhoods(problem, half, size)


def replanned(
    task: Task, chosen: Flags, hopeful: Flags, blocks: Sequence[Whole], limits: tuple[int, float]
) -> Iterator[Flags]:
    """A plan (all variables) that gets better block after block of sessions, so many together, each within so many seconds.

    Blocks that are planned together share no seeker: a later one leaves
    the candidates of an earlier one alone.
    """
    together, seconds = limits
    with threads(task.terms, task.terms.workers) as pool:
        for first in range(0, len(blocks), together):
            if task.terms.over():
                return
            answers = [
                (columns, pool.submit(_better, task, part, chosen[columns], seconds))
                for part, columns in _apart(task, chosen, hopeful, blocks[first : first + together])
            ]
            chosen = chosen.copy()
            for columns, answer in answers:
                found = answer.result()
                if found is not None:
                    chosen[columns] = found
            yield chosen


def _apart(task: Task, chosen: Flags, hopeful: Flags, blocks: Sequence[Whole]) -> Iterator[tuple[Program, Whole]]:
    """The part of every block, and its variables."""
    table, taken = task.problem.table, np.zeros(len(task.problem.arrays.seekers.ids), bool)
    present = task.program.matrix @ chosen.astype(np.float64)
    for block in blocks:
        rows = task.candidates(block)
        rows = rows[(hopeful[rows] | chosen[rows]) & ~taken[table.seeker[rows]]]
        taken[table.seeker[rows]] = True
        columns = task.program.columns(rows)
        yield part_of(task.program, chosen, columns, present), columns


def _better(task: Task, part: Program, present: Flags, seconds: float) -> Flags | None:
    """Better values for the variables of a part, or None."""
    if not len(present) or task.terms.over():
        return None
    answer = mip.solve(part, min(seconds, task.terms.left()), GAP, task.terms.seed, task.terms.stop)
    if answer.chosen is None or part.objective @ answer.chosen <= part.objective @ present + 0.5:
        return None
    return answer.chosen
