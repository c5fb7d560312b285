"""From a problem to the best plan and a proven bound within the time.

An auction first: seat prices, a bound and a plan to fall back on. Then theme after theme is relaxed, which gives the bound,
its certificate and a plan that is nearly whole. A problem that is small enough is also solved as one integer program, with a bound of its own. The plan is made anew where it falls short of what
the prices promise, until the gap is small.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.candidates import roomy_beside
from leerbudget.matcher.engine import mip
from leerbudget.matcher.engine.auction import opening
from leerbudget.matcher.engine.blocks import BLOCK_SECONDS, NEAR, WIDE, Task, Terms, part_of, replanned, threads
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.lottery import drawn
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.engine.plan import Board, Plan, mended
from leerbudget.matcher.engine.prices import SCALE, Market, Prices, certificate, proven
from leerbudget.matcher.engine.shortfalls import repaired
from leerbudget.matcher.engine.themes import constructed, relaxed
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.outcome import Certificate

SWEPT_MAX = 1_500_000
"""Candidates up to which all themes are relaxed for the bound; beyond it the auction's prices prove nearly as much."""
NEAREST, LOOKED_AT_MAX = 10, 500_000
"""Candidates that a plan is made of above that: the nearest of each seeker, and so many that are nearest to their seeker's best."""
WHOLE_MAX = 40_000
"""Candidates beside the fixed ones up to which the whole round goes to one integer program."""
FEW = 5_000
"""Candidates beside the fixed ones up to which it does so at once."""
WHOLE_SHARE = 0.8
BEFORE_WHOLE_SHARE = 0.05
"""Shares of the time that is left: for that program, and before it for what the prices promise."""
BLOCK_SESSIONS = 100
TURN_GAIN = 4e-6
"""A turn of all ways that gains less than this share of the score is the last."""
RESCUE_SECONDS = 600.0
STAYS_POINTS = 5.0
"""What it must be worth to move a proposal of an earlier plan."""
GAP_SHARE = 0.5

Progress = Callable[[str, int | None, int | None], None]


@dataclass(frozen=True, slots=True)
class Found:
    """`rows`: chosen candidates. `bound`: no plan scores higher. `price`: per candidate, in points."""

    rows: list[int]
    score: int
    bound: int
    price: Reals
    certificate: Certificate


@dataclass(slots=True)
class Proof:
    """The best `bound` so far, and the `prices` in whole thousandths that prove most: `proves`."""

    market: Market
    prices: Prices
    proves: int
    bound: int

    @staticmethod
    def of(market: Market, prices: Prices) -> "Proof":
        """What these prices prove."""
        whole = prices.whole(market)
        proves = proven(market, whole)
        return Proof(market, whole, proves, proves)

    def offer(self, prices: Prices) -> None:
        """Keep the prices when they prove more."""
        other = Proof.of(self.market, prices)
        if other.proves < self.proves:
            self.prices, self.proves = other.prices, other.proves
            self.bound = min(self.bound, self.proves)


@dataclass(slots=True)
class Best:
    """The best plan of a task so far.

    `rows`: the candidates it is made of, as rows of the whole table; `market`: of these. `points`: what each variable
    of the program adds to the score.
    """

    task: Task
    rows: Whole
    market: Market
    board: Board
    points: Reals
    proof: Proof
    plan: Plan | None = None

    @staticmethod
    def of(proof: Proof, terms: Terms, rows: Whole, tools: tuple[Task, Board] | None) -> "Best":
        """No plan yet; it is made of these rows. `tools`: when they were made for all rows already."""
        market = proof.market
        if len(rows) < len(market.problem.table):
            market = replace(Market.of(market.problem.part(rows)), certain=market.certain)
        task, board = tools_for(market.problem, terms) if tools is None else tools
        return Best(task, rows, market, board, task.program.objective, proof)

    def offer(self, plan: Plan) -> None:
        """Keep the plan when it is possible and better."""
        if plan.possible() and (self.plan is None or plan.score() > self.plan.score()):
            self.plan = plan

    def mend(self, *choices: Flags) -> None:
        """Keep what can be made of a choice of candidates, and of further ones beside it, when it is better."""
        self.offer(mended(self.board, *(np.flatnonzero(chosen).tolist() for chosen in choices)))

    def score(self) -> int | None:
        """What the plan scores."""
        return None if self.plan is None else self.plan.score()

    def gap(self) -> float:
        """How far the bound lies above the plan, as a share of the plan."""
        score = self.score()
        return float("inf") if score is None else (self.proof.bound - score) / max(1, abs(score))

    def over(self) -> bool:
        """Whether the plan is good enough or the time is up."""
        return self.gap() <= self.task.terms.gap or self.task.terms.over()

    def chosen(self) -> Flags:
        """The plan as values of all variables."""
        chosen = np.zeros(len(self.rows), bool)
        chosen[list(self.plan.chosen if self.plan is not None else ())] = True
        return self.task.program.complete(chosen)


def tools_for(problem: Problem, terms: Terms) -> tuple[Task, Board]:
    """What plans are made with. It takes a while and needs no prices, so the auction runs meanwhile."""
    return Task.of(problem, terms), Board.of(problem)


def search(
    problem: Problem,
    limits: tuple[float, float, int, int],
    progress: Progress,
    keep: list[int] | None = None,
    stop: Event | None = None,
) -> Found:
    """The best plan found within (seconds, gap, seed, workers), with a bound that is always valid.

    `keep`: candidates of an earlier plan; what still fits together is the start, and is moved only for something better.

    Raises:
        InstanceRefused: what is fixed cannot be completed to groups that run.
    """
    seconds, gap, seed, workers = limits
    terms = Terms(time.perf_counter() + seconds, gap, seed, workers, Event() if stop is None else stop)
    market, many = Market.of(problem), len(problem.table) > SWEPT_MAX
    with threads(terms, 1) as beside:
        tools = None if many else beside.submit(tools_for, problem, terms)
        opened = opening(market)
        market = replace(market, certain=market.certain | opened.full)
        proof, prices = Proof.of(market, opened.before), opened.after
        progress("auction", None, proof.bound)
        with _heard(terms):
            prices = _themes(terms, proof, prices, progress, ~opened.full if many else None)
    rows = _looked_at(market, prices, [*opened.rows, *(keep or ())])
    best = Best.of(proof, terms, rows, None if tools is None else tools.result())
    prices, opened_rows = prices.part(market, rows), np.isin(rows, opened.rows)
    del opened, tools
    with _heard(terms):
        if many:
            prices = next(relaxed(terms, best.market, prices, proof.bound, sweeps=1))
            progress("near themes", None, proof.bound)
        if keep is None:
            _improve(best, prices, progress, opened_rows)
        else:
            _mend(best, prices, progress, np.isin(rows, keep))
    if best.plan is None:  # interrupted before there was one
        best.mend(opened_rows)
    if best.plan is None:
        _rescue(best)
    if best.plan is None:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    plan = rows[sorted(best.plan.chosen)]
    del best  # the lot needs the room
    chosen, score = _drawn(problem, plan, None if keep is not None else seed)
    progress("lot", score, proof.bound)
    published = certificate(market, proof.prices, proof.proves)
    return Found(chosen, score, max(score, proof.bound), proof.prices.price / SCALE, published)


@contextmanager
def _heard(terms: Terms) -> Iterator[None]:
    """An interrupt sets `stop`; what was found by then counts."""
    try:
        yield
    except KeyboardInterrupt:
        terms.stop.set()


def _looked_at(market: Market, prices: Prices, rows: list[int]) -> Whole:
    """The nearest candidates of each seeker and of all, these rows, and everybody for a session with fixed people."""
    table, fixed = market.problem.table, market.problem.fixed
    if len(table) <= SWEPT_MAX:
        return np.arange(len(table))
    loss = market.losses(prices.price)
    order = np.lexsort((loss, table.seeker))
    near = np.zeros(len(table), bool)
    near[order] = np.arange(len(table)) - np.searchsorted(table.seeker, table.seeker) < NEAREST
    near |= loss <= np.partition(loss, LOOKED_AT_MAX)[LOOKED_AT_MAX]
    near[rows] = True
    near |= np.isin(table.session, table.session[fixed])
    return np.flatnonzero(near)


def _drawn(problem: Problem, chosen: Whole, seed: int | None) -> tuple[list[int], int]:
    """A plan with whatever still fits of all candidates, ties by the lots of this seed; and what it scores."""
    table = problem.table
    without = np.ones(len(problem.arrays.seekers.ids), bool)
    without[table.seeker[chosen]] = False
    matter = roomy_beside(problem.arrays, table, chosen) | without[table.seeker]
    matter[chosen], matter[problem.fixed] = True, True
    rows = np.flatnonzero(matter)
    plan = mended(Board.of(problem.part(rows)), np.searchsorted(rows, chosen).tolist())
    last = sorted(plan.chosen) if seed is None else drawn(plan, seed)
    kept: list[int] = rows[last].tolist()
    return kept, plan.score()


def _improve(best: Best, prices: Prices, progress: Progress, opened: Flags) -> None:
    task = best.task
    open_rows = len(best.rows) - len(task.problem.fixed)
    if open_rows <= FEW:
        _whole(best, WHOLE_SHARE * task.terms.left())
        progress("whole", best.score(), best.proof.bound)
    else:
        plan, all_done = constructed(task, best.market, prices)
        best.mend(*([plan] if all_done else [plan, opened]))
        progress("first plan", best.score(), best.proof.bound)
    if best.plan is None:
        best.mend(opened)
        progress("quick plan", best.score(), best.proof.bound)
    if best.over():
        return
    if FEW < open_rows <= WHOLE_MAX:
        before = task.terms.ends - (1 - BEFORE_WHOLE_SHARE) * task.terms.left()
        soon = replace(best, task=replace(task, terms=replace(task.terms, ends=before)))
        _better_plans(soon, prices, progress, ("places",))
        best.plan = soon.plan
    if FEW < open_rows <= WHOLE_MAX and not best.over():
        _whole(best, WHOLE_SHARE * task.terms.left())
        progress("whole", best.score(), best.proof.bound)
    _better_plans(best, prices, progress, ("places", "themes again", "places", "blocks"))


def _themes(terms: Terms, proof: Proof, prices: Prices, progress: Progress, among: Flags | None) -> Prices:
    """The prices after all themes were relaxed, or these sessions of them."""
    for better in relaxed(terms, proof.market, prices, proof.bound, among):
        prices = better
        proof.offer(prices)
        progress("themes", None, proof.bound)
    return prices


def _mend(best: Best, prices: Prices, progress: Progress, kept: Flags) -> None:
    """From an earlier plan: places and blocks are planned anew, and whoever stays counts a little more in them."""
    best.mend(kept)
    progress("kept", best.score(), best.proof.bound)
    program = best.task.program
    points = program.objective.copy()
    points[: len(kept)] += STAYS_POINTS * kept
    staying = replace(best, task=replace(best.task, program=replace(program, objective=points)))
    _better_plans(staying, prices, progress, ("places", "blocks"))
    best.plan = staying.plan


def _whole(best: Best, seconds: float) -> None:
    terms, program = best.task.terms, best.task.program
    chosen = program.least > 0
    columns = np.flatnonzero(~chosen)
    part = part_of(program, chosen, columns)
    answer = mip.solve(part, seconds, terms.gap * GAP_SHARE, terms.seed, terms.stop)
    if answer.impossible:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    if answer.bound is not None:
        best.proof.bound = min(best.proof.bound, answer.bound + round(float(program.objective @ chosen)))
    if answer.chosen is not None:
        chosen[columns] = answer.chosen
        best.mend(chosen[: len(best.rows)])


def _better_plans(best: Best, prices: Prices, progress: Progress, ways: Sequence[str]) -> None:
    """Better plans in several ways by turns, until the gap is reached, the time is over or a whole turn gains little."""
    task, size = best.task, len(best.rows)
    blocks = _blocks(task.problem, np.random.default_rng(task.terms.seed))
    loss = best.market.losses(prices.price)
    turn = best.score() or 0
    for number in itertools.count():
        way = ways[number % len(ways)]
        if best.plan is None or best.over():
            return
        chosen = best.chosen()
        if way == "places":
            steps = repaired(task, best.market, prices, chosen)
        elif way == "blocks":
            hopeful = loss < (NEAR if number // len(ways) % 2 == 0 else WIDE)
            steps = replanned(task, chosen, hopeful, next(blocks), (task.terms.workers, BLOCK_SECONDS))
        else:
            steps = iter((task.program.complete(constructed(task, best.market, prices, chosen[:size])[0]),))
        for better in steps:
            chosen = better
            score = round(float(best.points @ chosen))
            if best.proof.bound - score <= task.terms.gap * abs(score):
                break
        best.mend(chosen[:size])
        progress(way, best.score(), best.proof.bound)
        if number % len(ways) == len(ways) - 1:
            if best.plan.score() - turn < TURN_GAIN * abs(turn):
                return
            turn = best.plan.score()


def _blocks(problem: Problem, draw: np.random.Generator) -> Iterator[list[Whole]]:
    """Blocks by place, each time cut otherwise; every third time sessions of one theme."""
    places = problem.arrays.sessions.places.xyz
    east, north = np.nan_to_num(places[:, 1]), np.nan_to_num(places[:, 2])
    online = np.isnan(places[:, 0])
    theme = problem.arrays.sessions.theme
    size = BLOCK_SESSIONS
    while True:
        for round_of in range(3):
            angle = draw.uniform(0.0, math.pi)
            across = math.cos(angle) * east + math.sin(angle) * north + online * draw.uniform(-0.05, 0.05, len(east))
            along = math.cos(angle) * north - math.sin(angle) * east
            if round_of == 1:
                order = np.lexsort((across, theme))
                cuts = np.flatnonzero(np.diff(theme[order])) + 1
                parts = [np.array_split(part, -(-len(part) // size)) for part in np.split(order, cuts) if len(part)]
            else:
                parts = [
                    np.array_split(strip[np.argsort(along[strip], kind="stable")], -(-len(strip) // size))
                    for strip in np.array_split(
                        np.argsort(across, kind="stable"), max(1, round(math.sqrt(len(east) / size)))
                    )
                    if len(strip)
                ]
            yield [block for part in parts for block in part]
        size = size * 3 // 2


def _rescue(best: Best) -> None:
    """Complete only the sessions that hold fixed people; a small program, solved whatever the time."""
    problem, program, terms = best.task.problem, best.task.program, best.task.terms
    forced = np.isin(problem.table.session, problem.table.session[problem.fixed])
    columns = program.columns(np.flatnonzero(forced))
    part = part_of(program, np.zeros(len(program.objective), bool), columns)
    answer = mip.solve(part, RESCUE_SECONDS, terms.gap, terms.seed)
    if answer.chosen is not None:
        chosen = np.zeros(len(program.objective), bool)
        chosen[columns[answer.chosen]] = True
        best.mend(chosen[: len(best.rows)])
