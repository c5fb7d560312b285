"""Staffing in, audited proposal out. The system proposes, people confirm (`staffing_confirming`)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata

from msgspec.structs import replace

from leerbudget.matcher.engine.staffing import StaffFound, search
from leerbudget.matcher.engine.staffing_roster import Roster
from leerbudget.matcher.outcome import gap_of
from leerbudget.matcher.staffing import (
    OUTCOME_FORMAT,
    Assignment,
    Satisfaction,
    Spread,
    Staffing,
    StaffingOutcome,
    TrainerLoad,
    staffing_fingerprint,
)
from leerbudget.matcher.staffing_arrays import ROLES, StaffArrays, staff_arrays
from leerbudget.matcher.staffing_audit import audit_staffing, gap_of_wishes
from leerbudget.matcher.staffing_points import minutes_of, place_points, places_of, weights_of
from leerbudget.matcher.staffing_reasons import unstaffed, why
from leerbudget.matcher.staffing_rules import Assigned, StaffingRules, spread_above, way_to

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: elapsed `seconds`, or a proven `gap` (share of the score).

    The search uses one core. The same seed gives the same proposal unless the time runs out first.
    """

    seconds: float = 60.0
    gap: float = 1e-4
    seed: int = 0


def nothing(phase: str, seconds: float) -> None:
    """The progress of who does not watch."""


@dataclass(slots=True)
class Laps:
    """Elapsed seconds by phase."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.perf_counter)

    def lap(self, phase: str) -> None:
        """The phase that ends now."""
        present = time.perf_counter()
        self.seconds[phase] = round(present - self.since, 3)
        self.progress(phase, present - self.since)
        self.since = present


def assign(staffing: Staffing, limits: Limits | None = None, progress: Progress = nothing) -> StaffingOutcome:
    """The best proposal found within the limits, with reasons, loads and a bound that holds.

    The staffing is one that `staffing.read_staffing` or `staffing_contradictions.check` accepted.

    Raises:
        RuntimeError: the audit found a violation; nothing is returned that breaks a rule.
    """
    limits = Limits() if limits is None else limits
    laps = Laps(progress)
    arrays = staff_arrays(staffing)
    laps.lap("candidates")
    found = search(arrays, limits.seconds, limits.gap, limits.seed, spread=spread_above(staffing), lap=laps.lap)
    outcome = _outcome(arrays, found, limits.seed, laps)
    violations = audit_staffing(staffing, outcome)
    laps.lap("audit")
    if violations:
        raise RuntimeError(f"the engine broke its own rules: {violations[:3]}")
    return outcome


def _outcome(arrays: StaffArrays, found: StaffFound, seed: int, laps: Laps) -> StaffingOutcome:
    staffing, rules = arrays.staffing, StaffingRules(arrays.staffing)
    roster = Roster.of(arrays)
    roster.hold(found.rows)
    loads = _loads(arrays, roster)
    relative = {load.trainer: load.relative for load in loads}
    assignments = [_assignment(arrays, rules, row, relative) for row in found.rows]
    open_still = unstaffed(rules, [Assigned(a.trainer, a.session, a.role) for a in assignments])
    laps.lap("explain")
    filling = sum(place_points(weights_of(staffing.policy), a.role) for a in assignments)
    return StaffingOutcome(
        format=OUTCOME_FORMAT,
        assignments=assignments,
        unstaffed=open_still,
        loads=loads,
        spread=_spread(roster, loads),
        satisfaction=_satisfaction(loads, staffing),
        places=places_of(staffing),
        filled=len(assignments),
        score=found.score,
        bound=found.bound,
        gap=gap_of(found.score, found.bound),
        wish_gap=gap_of_wishes(found.score, found.bound, filling),
        seconds=laps.seconds,
        seed=seed,
        version=_version(),
        staffing=staffing_fingerprint(staffing),
    )


def _assignment(arrays: StaffArrays, rules: StaffingRules, row: int, relative: dict[str, int]) -> Assignment:
    table, staffing = arrays.table, arrays.staffing
    trainer, session = staffing.trainers[table.trainer[row]], staffing.sessions[table.session[row]]
    way = way_to(trainer, session)
    plain = Assignment(
        trainer=trainer.id,
        session=session.id,
        role=ROLES[table.role[row]],
        points=int(table.points[row]),
        load=int(table.load[row]),
        fixed=bool(table.fixed[row]),
        mode=None if way is None else way.mode,
        travel_minutes=0 if way is None else way.minutes,
    )
    return replace(plain, reasons=why(rules, plain, relative[trainer.id]))


def _loads(arrays: StaffArrays, roster: Roster) -> list[TrainerLoad]:
    """Loads as the engine counts them; the audit counts again by its own rules."""
    table, staffing = arrays.table, arrays.staffing
    mine: dict[int, list[int]] = {}
    for row in sorted(roster.chosen):
        mine.setdefault(int(table.trainer[row]), []).append(row)
    loads = []
    for number, trainer in enumerate(staffing.trainers):
        sessions = [staffing.sessions[table.session[row]] for row in mine.get(number, [])]
        ways = [(way_to(trainer, session), len(session.meetings)) for session in sessions]
        loads.append(
            TrainerLoad(
                trainer=trainer.id,
                sessions=len(sessions),
                minutes=sum(minutes_of(session) for session in sessions),
                unit=trainer.wished_load.unit,
                load=roster.load.get(number, 0),
                least=int(arrays.least[number]),
                most=int(arrays.most[number]),
                relative=roster.relative.get(number, 0),
                travel_minutes=sum(2 * way.minutes * times for way, times in ways if way is not None),
                wished_themes=sum(session.theme in trainer.wished_themes for session in sessions),
                wished_regions=sum(session.region in trainer.wished_regions for session in sessions),
                points=roster.trainer_points(number),
            )
        )
    return loads


def _spread(roster: Roster, loads: list[TrainerLoad]) -> Spread:
    relative = sorted(load.relative for load in loads) or [0]
    worst = max((takeover.behind for takeover in roster.takeovers(0)), default=0)
    return Spread(worst, relative[0], relative[len(relative) // 2], relative[-1])


def _satisfaction(loads: list[TrainerLoad], staffing: Staffing) -> Satisfaction:
    pairs = list(zip(staffing.trainers, loads, strict=True))
    themes = [load for trainer, load in pairs if trainer.wished_themes]
    regions = [load for trainer, load in pairs if trainer.wished_regions]
    hopeful = [load for load in loads if load.least]
    return Satisfaction(
        themes=(sum(load.wished_themes for load in themes), sum(load.sessions for load in themes)),
        regions=(sum(load.wished_regions for load in regions), sum(load.sessions for load in regions)),
        least=(sum(load.load >= load.least for load in hopeful), len(hopeful)),
    )


def _version() -> str:
    try:
        return metadata.version("leerbudget")
    except metadata.PackageNotFoundError:
        return "0"
