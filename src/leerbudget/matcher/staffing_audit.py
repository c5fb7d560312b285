"""The judge of every proposal: recomputes each hard rule, the points, the loads, the spread and every promise.

Independent of the candidates and the engine: it shares the formats, the formulas of `staffing_points` and the
travel minutes with them, nothing else.
"""

from collections.abc import Iterator
from datetime import date

from msgspec.structs import replace

from leerbudget.matcher.audit import Violation
from leerbudget.matcher.outcome import gap_of
from leerbudget.matcher.staffing import (
    Helped,
    Role,
    Satisfaction,
    Spread,
    Staffing,
    StaffingOutcome,
    StaffTrainer,
    TrainerLoad,
    WishedLoad,
    staffing_fingerprint,
)
from leerbudget.matcher.staffing_points import (
    UNIT,
    minutes_of,
    pair_points,
    place_points,
    places_of,
    trainer_points,
    weights_of,
)
from leerbudget.matcher.staffing_rules import Assigned, StaffingRules, by_session, by_trainer, spread_above, way_to

STAFFING_AUDIT = {
    "other_staffing": "the proposal answers another staffing",
    "unknown_id": "every trainer and session is in the staffing",
    "fixed": "what people confirmed stays, and is marked as such",
    "assignment": "points, load and way of an assignment are what the formulas give",
    "load_report": "every trainer is reported once, with the load the assignments make",
    "spread_report": "the spread is what the loads make of it",
    "satisfaction": "the wishes that come true are counted right",
    "unstaffed": "every open place is reported, once",
    "would_have_helped": "the promised change makes the assignment possible",
    "places_total": "places and filled places are counted right",
    "score": "the score is the sum of places, assignments and trainers",
    "bound": "the bound is not below the score",
    "gap": "the gaps follow from score and bound",
}
"""What the audit checks beside `staffing_rules.STAFFING_RULES`."""

NO_PROMISE = frozenset({"declined", "forbidden", "not_together", "certificate"})
"""Rules that no promise may set aside: they are nobody's to trade."""


def audit_staffing(staffing: Staffing, outcome: StaffingOutcome) -> list[Violation]:
    """Everything that is wrong with a proposal; an empty list means it keeps all rules."""
    if outcome.staffing is not None and outcome.staffing != staffing_fingerprint(staffing):
        return [Violation("other_staffing", "$.staffing", "the fingerprint is of another staffing")]
    rules = StaffingRules(staffing)
    unknown = list(_unknown(rules, outcome))
    if unknown:
        return unknown
    assigned = [Assigned(a.trainer, a.session, a.role) for a in outcome.assignments]
    return [
        *_hard_rules(rules, assigned),
        *_fixed(rules, outcome, assigned),
        *_assignments(rules, outcome, assigned),
        *_loads(rules, outcome, assigned),
        *_unstaffed(rules, outcome, assigned),
        *_promises(rules, outcome, assigned),
        *_totals(rules, outcome, assigned),
    ]


def _unknown(rules: StaffingRules, outcome: StaffingOutcome) -> Iterator[Violation]:
    for i, a in enumerate(outcome.assignments):
        if a.trainer not in rules.trainers or a.session not in rules.sessions:
            yield Violation("unknown_id", f"$.assignments[{i}]", "trainer or session is not in the staffing")
    for i, u in enumerate(outcome.unstaffed):
        if u.session not in rules.sessions or any(h.trainer not in rules.trainers for h in u.would_have_helped):
            yield Violation("unknown_id", f"$.unstaffed[{i}]", "trainer or session is not in the staffing")
    for i, load in enumerate(outcome.loads):
        if load.trainer not in rules.trainers:
            yield Violation("unknown_id", f"$.loads[{i}]", "the trainer is not in the staffing")


def _hard_rules(rules: StaffingRules, assigned: list[Assigned]) -> Iterator[Violation]:
    place = {one: f"$.assignments[{i}]" for i, one in enumerate(assigned)}
    for one in assigned:
        for code, message in rules.of_pair(one):
            yield Violation(code, place[one], message)
    for trainer, group in by_trainer(assigned).items():
        for code, message in rules.of_trainer(trainer, group):
            yield Violation(code, place[group[-1]], f"trainer {trainer}: {message}")
    for session, group in by_session(assigned).items():
        for code, message in rules.of_session(session, group):
            yield Violation(code, place[group[-1]], f"session {session}: {message}")
    if len(place) == len(assigned):
        for found in rules.avoidable(assigned, spread_above(rules.staffing)):
            message = f"{found.by} could take this over and would still be {found.behind / 100:.2f} % behind"
            yield Violation("spread", place[found.assigned], message)


def _fixed(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    for one in sorted(rules.fixed - set(assigned)):
        yield Violation("fixed", "$.assignments", f"the confirmed assignment {list(one)} is not there")
    for i, (one, a) in enumerate(zip(assigned, outcome.assignments, strict=True)):
        if a.fixed != (one in rules.fixed):
            yield Violation("fixed", f"$.assignments[{i}].fixed", f"{a.fixed} is not so")


def _assignments(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    for i, (one, a) in enumerate(zip(assigned, outcome.assignments, strict=True)):
        way = way_to(rules.trainers[one.trainer], rules.sessions[one.session])
        told = (a.points, a.load, a.mode, a.travel_minutes)
        truth = (
            points_of(rules, one),
            rules.load(one),
            None if way is None else way.mode,
            0 if way is None else way.minutes,
        )
        if told != truth:
            yield Violation("assignment", f"$.assignments[{i}]", f"{told}, the formulas give {truth}")


def points_of(rules: StaffingRules, one: Assigned) -> int:
    """The points of an assignment, without those for its place."""
    trainer, session = rules.trainers[one.trainer], rules.sessions[one.session]
    way = way_to(trainer, session)
    share = 0 if way is None else way.share
    return sum(pair_points(weights_of(rules.staffing.policy), trainer, session, share))


def loads_of(rules: StaffingRules, assigned: list[Assigned]) -> list[TrainerLoad]:
    """The load of every trainer, in the order of the file."""
    mine, relative = by_trainer(assigned), rules.relative_loads(assigned)
    return [
        _load(rules, trainer, mine.get(trainer.id, []), relative[trainer.id]) for trainer in rules.staffing.trainers
    ]


def _load(rules: StaffingRules, trainer: StaffTrainer, mine: list[Assigned], relative: int) -> TrainerLoad:
    sessions = [rules.sessions[one.session] for one in mine]
    ways = [(way_to(trainer, session), len(session.meetings)) for session in sessions]
    load = sum(rules.load(one) for one in mine)
    return TrainerLoad(
        trainer=trainer.id,
        sessions=len(mine),
        minutes=sum(minutes_of(session) for session in sessions),
        unit=trainer.wished_load.unit,
        load=load,
        least=trainer.wished_load.least * UNIT,
        most=trainer.wished_load.most * UNIT,
        relative=relative,
        travel_minutes=sum(2 * way.minutes * meetings for way, meetings in ways if way is not None),
        wished_themes=sum(session.theme in trainer.wished_themes for session in sessions),
        wished_regions=sum(session.region in trainer.wished_regions for session in sessions),
        points=sum(trainer_points(weights_of(rules.staffing.policy), trainer, load, relative)),
    )


def spread_of(rules: StaffingRules, assigned: list[Assigned]) -> Spread:
    """How even the loads are."""
    relative = sorted(rules.relative_loads(assigned).values()) or [0]
    return Spread(rules.largest_avoidable(assigned), relative[0], relative[len(relative) // 2], relative[-1])


def satisfaction_of(rules: StaffingRules, loads: list[TrainerLoad]) -> Satisfaction:
    """Which wishes come true, counted."""
    themes = [load for load in loads if rules.trainers[load.trainer].wished_themes]
    regions = [load for load in loads if rules.trainers[load.trainer].wished_regions]
    hopeful = [load for load in loads if load.least]
    return Satisfaction(
        themes=(sum(load.wished_themes for load in themes), sum(load.sessions for load in themes)),
        regions=(sum(load.wished_regions for load in regions), sum(load.sessions for load in regions)),
        least=(sum(load.load >= load.least for load in hopeful), len(hopeful)),
    )


def _loads(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    truth = {load.trainer: load for load in loads_of(rules, assigned)}
    if sorted(load.trainer for load in outcome.loads) != sorted(truth):
        yield Violation("load_report", "$.loads", "every trainer is reported once")
    for i, load in enumerate(outcome.loads):
        if load != truth[load.trainer]:
            yield Violation("load_report", f"$.loads[{i}]", "these are not the figures the assignments give")
    spread = spread_of(rules, assigned)
    if outcome.spread != spread:
        yield Violation("spread_report", "$.spread", f"{outcome.spread}, it is {spread}")
    if outcome.satisfaction != satisfaction_of(rules, list(truth.values())):
        yield Violation("satisfaction", "$.satisfaction", "these are not the counts of the assignments")


def open_places(rules: StaffingRules, assigned: list[Assigned]) -> dict[tuple[str, Role], int]:
    """Places without a trainer, by session and role."""
    groups = by_session(assigned)
    found = {}
    for session in rules.staffing.sessions:
        roles = [one.role for one in groups.get(session.id, [])]
        for role, asked in ((Role.LEAD, session.lead), (Role.CO, session.co)):
            if asked > roles.count(role):
                found[session.id, role] = asked - roles.count(role)
    return found


def _unstaffed(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    told = [((u.session, u.role), u.places) for u in outcome.unstaffed]
    if sorted(told) != sorted(open_places(rules, assigned).items()):
        yield Violation("unstaffed", "$.unstaffed", "the open places are not these")


def _promises(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    mine, present = by_trainer(assigned), by_session(assigned)
    for i, u in enumerate(outcome.unstaffed):
        for j, helped in enumerate(u.would_have_helped):
            wanted = Assigned(helped.trainer, u.session, u.role)
            if helped.rule in NO_PROMISE or not kept(rules, wanted, helped, mine, present):
                path = f"$.unstaffed[{i}].would_have_helped[{j}]"
                yield Violation("would_have_helped", path, "it is still not possible after this change")


def kept(
    rules: StaffingRules,
    wanted: Assigned,
    helped: Helped,
    mine: dict[str, list[Assigned]],
    present: dict[str, list[Assigned]],
) -> bool:
    """Whether after the change the assignment breaks nothing; the spread is for the next proposal to even out."""
    sessions = {wanted.session, *(one.session for one in mine.get(wanted.trainer, []))}
    changed = replace(
        rules.staffing,
        trainers=[applied(helped, rules, wanted)],
        sessions=[rules.sessions[session] for session in sorted(sessions)],
    )
    after = StaffingRules(changed)
    if any(after.of_pair(wanted)) or any(after.of_addition(wanted, mine.get(wanted.trainer, []))):
        return False
    return not any(rules.of_session(wanted.session, [*present.get(wanted.session, []), wanted]))


def applied(helped: Helped, rules: StaffingRules, wanted: Assigned) -> StaffTrainer:  # noqa: PLR0911 - one return per rule
    """The trainer as after the change that was told: one rule gives way, everything else stays."""
    trainer, session = rules.trainers[wanted.trainer], rules.sessions[wanted.session]
    match helped.rule:
        case "theme":
            return replace(trainer, themes=[*trainer.themes, session.theme])
        case "form":
            return replace(trainer, forms=[*(trainer.forms or []), session.form])
        case "online":
            return replace(trainer, online_ok=True)
        case "travel" if helped.mode is not None and helped.minutes is not None:
            return replace(trainer, travel_minutes_max=trainer.travel_minutes_max | {helped.mode: helped.minutes})
        case "day_part":
            return replace(trainer, availability="1" * 21)
        case "blocked":
            return replace(trainer, blocked=[])
        case "load" if helped.most is not None:
            unit = trainer.wished_load.unit
            return replace(trainer, wished_load=WishedLoad(unit, helped.most, trainer.wished_load.least))
    return replace(trainer, certificate_until=date.min)


def _totals(rules: StaffingRules, outcome: StaffingOutcome, assigned: list[Assigned]) -> Iterator[Violation]:
    weights = weights_of(rules.staffing.policy)
    filling = sum(place_points(weights, one.role) for one in assigned)
    rest = sum(points_of(rules, one) for one in assigned) + sum(load.points for load in loads_of(rules, assigned))
    if outcome.places != places_of(rules.staffing) or outcome.filled != len(assigned):
        yield Violation("places_total", "$.places", "places or filled places are counted wrong")
    if outcome.score != filling + rest:
        yield Violation("score", "$.score", f"{outcome.score}, the assignments give {filling + rest}")
    if outcome.bound < outcome.score:
        yield Violation("bound", "$.bound", f"{outcome.bound} is below the score {outcome.score}")
    gaps = (gap_of(outcome.score, outcome.bound), gap_of_wishes(outcome.score, outcome.bound, filling))
    if not (abs(outcome.gap - gaps[0]) <= 1e-6 and abs(outcome.wish_gap - gaps[1]) <= 1e-6):
        yield Violation("gap", "$.gap", f"score and bound give {gaps}")


def gap_of_wishes(score: int, bound: int, filling: int) -> float:
    """How far the bound lies above the score, as a share of the score without the points for filling places."""
    return round((bound - score) / max(1, score - filling), 6)
