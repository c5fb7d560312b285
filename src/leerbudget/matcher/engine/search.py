"""From a problem to the best plan and a proven bound within the time.

Prices first: theme after theme is relaxed, which gives the bound, its certificate and a plan that is nearly
whole. A problem that is small enough is then solved as one integer program, with a bound of its own. For a
large one, blocks of sessions are planned anew until the gap is small, all else held.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from leerbudget.matcher.arrays import Whole
from leerbudget.matcher.engine import mip
from leerbudget.matcher.engine.blocks import NEAR, WIDE, Task, part_of, replanned
from leerbudget.matcher.engine.bundles import Flags, Reals
from leerbudget.matcher.engine.lottery import drawn
from leerbudget.matcher.engine.model import Problem, Program, program_of
from leerbudget.matcher.engine.plan import Board, Plan, greedy, mended
from leerbudget.matcher.engine.prices import SCALE, Market, Prices, certificate, opening, proven
from leerbudget.matcher.engine.shortfalls import repaired
from leerbudget.matcher.engine.themes import constructed, relaxed
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.outcome import Certificate

WHOLE_MAX = 40_000
"""Candidates up to which the whole round goes to one integer program."""
WHOLE_SHARE = 0.8
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
class Best:
    """The best plan and the best bound so far; `priced`: prices in whole thousandths, and what they prove.

    `points`: what each variable of the program adds to the score.
    """

    board: Board
    market: Market
    bound: int
    priced: tuple[Prices, int]
    points: Reals
    plan: Plan | None = None

    def offer(self, plan: Plan) -> None:
        """Keep the plan when it is possible and better."""
        if plan.possible() and (self.plan is None or plan.score() > self.plan.score()):
            self.plan = plan

    def price(self, prices: Prices) -> None:
        """Keep the prices when they prove more."""
        whole = prices.whole(self.market)
        bound = proven(self.market, whole)
        if bound < self.priced[1]:
            self.priced = whole, bound
        self.bound = min(self.bound, bound)

    def gap(self) -> float:
        """How far the bound lies above the plan, as a share of the plan."""
        if self.plan is None:
            return float("inf")
        score = self.plan.score()
        return (self.bound - score) / max(1, abs(score))

    def chosen(self, program: Program) -> Flags:
        """The plan as values of all variables."""
        chosen = np.zeros(len(self.board.seeker), bool)
        chosen[list(self.plan.chosen if self.plan is not None else ())] = True
        return program.complete(chosen)


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
    ends = time.perf_counter() + seconds
    task = Task(problem, program_of(problem), ends, gap, seed, workers, Event() if stop is None else stop)
    market = Market.of(problem)
    first = opening(market, task.stop).whole(market)
    bound = proven(market, first)
    best = Best(Board.of(problem), market, bound, (first, bound), task.program.objective)
    progress("prices", None, best.bound)
    try:
        if keep is None:
            _improve(task, best, _unscaled(first), progress)
        else:
            _mend(task, best, _unscaled(first), progress, keep)
    except KeyboardInterrupt:
        task.stop.set()
    if best.plan is None:
        _rescue(task, best)
    if best.plan is None:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    rows = drawn(best.plan, seed) if keep is None else sorted(best.plan.chosen)
    score = best.plan.score()
    progress("lot", score, best.bound)
    prices, proves = best.priced
    published = certificate(market, prices, proves)
    bound = max(score, best.bound)
    return Found(rows, score, bound, prices.price / SCALE, published)


def _unscaled(prices: Prices) -> Prices:
    return Prices(prices.seat / SCALE, prices.price / SCALE, prices.childcare / SCALE, prices.company / SCALE)


def _improve(task: Task, best: Best, prices: Prices, progress: Progress) -> None:
    prices = _themes(task, best, prices, progress)
    if len(task.problem.table) <= WHOLE_MAX:
        best.offer(greedy(best.board))
        progress("first plan", _score(best), best.bound)
        if best.gap() > task.gap and not task.over():
            _whole(task, best, WHOLE_SHARE * task.left())
            progress("whole", _score(best), best.bound)
    else:
        chosen, all_done = constructed(task, best.market, prices)
        rows = np.flatnonzero(chosen).tolist()
        best.offer(mended(best.board, rows) if all_done else greedy(best.board, rows))
        progress("first plan", _score(best), best.bound)
    _better_plans(task, best, prices, progress, ("places", "themes again", "places", "blocks"))


def _themes(task: Task, best: Best, prices: Prices, progress: Progress) -> Prices:
    """The prices after all themes were relaxed."""
    for better in relaxed(task, best.market, prices, best.bound):
        prices = better
        best.price(prices)
        progress("themes", None, best.bound)
    return prices


def _mend(task: Task, best: Best, prices: Prices, progress: Progress, keep: list[int]) -> None:
    """From an earlier plan: places and blocks are planned anew, and whoever stays counts a little more in them."""
    prices = _themes(task, best, prices, progress)
    best.offer(mended(best.board, keep))
    progress("kept", _score(best), best.bound)
    stays = task.program.objective.copy()
    stays[keep] += STAYS_POINTS
    staying = replace(task, program=replace(task.program, objective=stays))
    _better_plans(staying, best, prices, progress, ("places", "blocks"))


def _score(best: Best) -> int | None:
    return None if best.plan is None else best.plan.score()


def _whole(task: Task, best: Best, seconds: float) -> None:
    answer = mip.solve(task.program, seconds, task.gap * GAP_SHARE, task.seed, task.stop)
    if answer.impossible:
        raise InstanceRefused("$.fixed", "the fixed placements cannot be completed to groups that reach their minimum")
    if answer.bound is not None:
        best.bound = min(best.bound, answer.bound)
    if answer.chosen is not None:
        first = len(task.problem.table)
        best.offer(mended(best.board, np.flatnonzero(answer.chosen[:first]).tolist()))


def _better_plans(task: Task, best: Best, prices: Prices, progress: Progress, ways: Sequence[str]) -> None:
    """Better plans in several ways by turns, until the gap is reached, the time is over or a whole turn gains little."""
    blocks = _blocks(task.problem, np.random.default_rng(task.seed))
    loss = best.market.losses(prices.price)
    turn = _score(best) or 0
    for number in itertools.count():
        way = ways[number % len(ways)]
        if best.plan is None or best.gap() <= task.gap or task.over():
            return
        chosen, size = best.chosen(task.program), len(loss)
        if way == "places":
            steps = repaired(task, best.market, prices, chosen)
        elif way == "blocks":
            steps = replanned(task, chosen, loss < (NEAR if number // len(ways) % 2 == 0 else WIDE), next(blocks))
        else:
            steps = iter((task.program.complete(constructed(task, best.market, prices, chosen[:size])[0]),))
        for better in steps:
            chosen = better
            score = round(float(best.points @ chosen))
            if best.bound - score <= task.gap * abs(score):
                break
        best.offer(mended(best.board, np.flatnonzero(chosen[:size]).tolist()))
        progress(way, _score(best), best.bound)
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


def _rescue(task: Task, best: Best) -> None:
    """Complete only the sessions that hold fixed people; a small program, solved whatever the time."""
    problem, program = task.problem, task.program
    forced = np.isin(problem.table.session, problem.table.session[problem.fixed])
    part, columns = part_of(program, np.zeros(len(program.objective), bool), program.complete(forced))
    answer = mip.solve(part, RESCUE_SECONDS, task.gap, task.seed)
    if answer.chosen is not None:
        named = columns[answer.chosen]
        best.offer(mended(best.board, named[named < len(problem.table)].tolist()))
