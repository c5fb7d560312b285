"""Why this, why not that: reasons for every placement and every wish without one.

For the wishes without a place every session of their theme is looked at again, as if one rule were lifted:
if that one change makes room without touching anybody else's place, it is told as what would have helped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import Arrays, Whole
from leerbudget.matcher.candidates import RULES, CandidateTable, PairFacts, criteria_facts, pair_facts
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.criterion import Case
from leerbudget.matcher.criteria.weights import CRITERIA
from leerbudget.matcher.engine.model import Problem, problem_of_pairs
from leerbudget.matcher.engine.plan import Board, Plan
from leerbudget.matcher.outcome import (
    AcceptOnline,
    ArrangeSitter,
    Change,
    FreeBlocked,
    FreeDayParts,
    MorePlacements,
    PayMore,
    Reason,
    TravelFarther,
    Unplaced,
    WouldHaveHelped,
)
from leerbudget.matcher.reasons import DEPTH, REASON_OF_RULE, why_not, would_have_helped
from leerbudget.matcher.vocabulary import FACET_VALUES, Facet, LearningForm, TravelMode

HELPED_MAX = 3
MODES = tuple(TravelMode)
ONE_RULE = 1
KIND_ORDER = (FreeBlocked, FreeDayParts, TravelFarther, AcceptOnline, ArrangeSitter, MorePlacements, PayMore)
"""Which kind of change is told first: what costs a family least."""


@dataclass(frozen=True, slots=True)
class Near:
    """A session that a wish did not get: the rules in the way, and the cents that were short."""

    wish: int
    session: int
    rules: tuple[str, ...]
    cents: int
    row: int


def placement_reasons(arrays: Arrays, table: CandidateTable, rows: Sequence[int], *, first: bool) -> list[list[Reason]]:
    """Per chosen candidate the criteria that speak for it. `first`: say why first placements went first."""
    if arrays.instance.candidates is not None:
        return [[Reason("given", "De score is bij deze ronde gegeven.", points=int(table.score[row]))] for row in rows]
    chosen = np.array(rows, np.int64)
    pairs = pair_facts(arrays, table.wish[chosen], table.session[chosen])
    facts = criteria_facts(arrays, pairs)
    points = {c.name: c.points(facts, arrays.weights[c.name]) for c in CRITERIA}
    reasons = []
    for place in range(len(rows)):
        case = _case(arrays, pairs, place)
        told = [(c, c.sentence(case)) for c in CRITERIA]
        spoken = [Reason(c.name, text, points=int(points[c.name][place])) for c, text in told if text is not None]
        reasons.append([*spoken, *_first(arrays, int(table.seeker[chosen[place]]))] if first else spoken)
    return reasons


def _first(arrays: Arrays, seeker: int) -> list[Reason]:
    bonus = int(arrays.seekers.bonus[seeker])
    waited = arrays.instance.seekers[seeker].waiting_rounds
    return [Reason(first_placement.NAME, first_placement.sentence(waited), points=bonus)] if bonus else []


def _case(arrays: Arrays, pairs: PairFacts, place: int) -> Case:
    wish, row, mode = int(pairs.wish[place]), int(pairs.session[place]), int(pairs.mode[place])
    seeker = int(arrays.wishes.seeker[wish])
    suits = int(arrays.seekers.audience[seeker] & arrays.sessions.made_for[row])
    values = [(facet, value) for facet in Facet for value in FACET_VALUES[facet]]
    forms = int(arrays.wishes.forms[wish])
    return Case(
        rank=int(arrays.wishes.rank[wish]),
        urgent=bool(arrays.wishes.urgent[wish]),
        online=bool(arrays.sessions.online[row]),
        form=tuple(LearningForm)[arrays.sessions.form[row]],
        mode=None if mode < 0 else MODES[mode],
        minutes=int(pairs.minutes[place]),
        limit=int(arrays.seekers.limits[mode, seeker]) if mode >= 0 else 0,
        meetings=int(np.diff(arrays.sessions.meetings.ptr)[row]),
        calm_meetings=int(pairs.calm[place]),
        made_for={
            facet: [value for bit, (owner, value) in enumerate(values) if owner is facet and suits >> bit & 1]
            for facet in Facet
        },
        has_form_preference=forms.bit_count() < 31,
        form_liked=bool(forms >> int(arrays.sessions.form[row]) & 1),
    )


def unplaced_wishes(problem: Problem, rows: Sequence[int]) -> list[Unplaced]:
    """Every wish that the plan leaves without a session, with its reasons."""
    arrays, table = problem.arrays, problem.table
    placed = set(table.wish[np.array(rows, np.int64)].tolist())
    open_wishes = [wish for wish in range(len(arrays.wishes.ids)) if wish not in placed]
    taken = np.array(rows, np.int64)
    chosen = pair_facts(arrays, table.wish[taken], table.session[taken])
    looked = pair_facts(arrays, *_pairs_to_look_at(arrays, np.array(open_wishes, np.int64)))
    by_wish: dict[int, list[Near]] = {}
    for one in _near(arrays, chosen, looked):
        by_wish.setdefault(one.wish, []).append(one)
    return [_unplaced(arrays, wish, by_wish.get(wish, []), looked) for wish in open_wishes]


def _pairs_to_look_at(arrays: Arrays, wishes: Whole) -> tuple[Whole, Whole]:
    """All sessions of a wish's theme, or the sessions the instance gives for it."""
    given = arrays.instance.candidates
    if given is not None:
        wanted = set(wishes.tolist())
        pairs = [(arrays.wishes.row[u, w], arrays.sessions.row[s]) for u, w, s, _ in given]
        pairs = sorted(pair for pair in pairs if pair[0] in wanted)
        return np.array([w for w, _ in pairs], np.int64), np.array([s for _, s in pairs], np.int64)
    match = arrays.wishes.theme[wishes][:, None] == arrays.sessions.theme[None, :]
    i, j = np.nonzero(match)
    return wishes[i], j.astype(np.int64)


def _near(arrays: Arrays, chosen: PairFacts, looked: PairFacts) -> Iterator[Near]:
    """What was in the way of every pair that was looked at, beside the plan as it is.

    Pairs that break two rules by themselves need no look at the plan.
    """
    broken = looked.breaks.sum(axis=0)
    for row in np.flatnonzero(broken > 1).tolist():
        yield Near(int(looked.wish[row]), int(looked.session[row]), _own_rules(looked, row), 0, row)
    hopeful = np.flatnonzero(broken <= 1)
    both = _joined(chosen, looked.select(hopeful))
    order = np.lexsort((both.session, both.wish))
    pairs, place = both.select(order), np.argsort(order)
    plan = Plan(Board.of(problem_of_pairs(arrays, pairs, place[: len(chosen.wish)])))
    for row, at in zip(hopeful.tolist(), place[len(chosen.wish) :].tolist(), strict=True):
        rules, cents = _rules_in_the_way(plan, pairs, at)
        yield Near(int(looked.wish[row]), int(looked.session[row]), rules, cents, row)


def _joined(one: PairFacts, other: PairFacts) -> PairFacts:
    columns = {name: np.concatenate([getattr(one, name), getattr(other, name)], axis=-1) for name in one.__slots__}
    return PairFacts(**columns)


def _own_rules(pairs: PairFacts, row: int) -> tuple[str, ...]:
    """The rules a pair breaks by itself."""
    broken = (rule for rule, breaks in zip(RULES, pairs.breaks[:, row].tolist(), strict=True) if breaks)
    return tuple(sorted("capacity" if rule == "seats" else rule for rule in broken))


def _rules_in_the_way(plan: Plan, pairs: PairFacts, row: int) -> tuple[tuple[str, ...], int]:
    """All rules, and the cents that are missing beside what the seeker already pays."""
    rules = {*_own_rules(pairs, row), *plan.obstacles(row)}
    if "capacity" not in rules:
        plan.add(row)
        if not plan.complete(plan.board.session[row]):
            rules.add("minimum")
        plan.remove(row)
    return tuple(sorted(rules)), plan.missing_cents(row)


def _unplaced(arrays: Arrays, wish: int, near: list[Near], looked: PairFacts) -> Unplaced:
    seeker = int(arrays.wishes.seeker[wish])
    ids = arrays.seekers.ids[seeker], arrays.wishes.ids[wish]
    if not near:
        return Unplaced(*ids, [Reason("no_session_of_theme", why_not("no_session_of_theme"), sessions=0)])
    return Unplaced(*ids, _reasons(near), _helped(arrays, seeker, near, looked))


def _reasons(near: list[Near]) -> list[Reason]:
    """How many sessions fell away on what; the one that came closest first."""
    groups: dict[str, list[Near]] = {}
    for one in near:
        codes = [REASON_OF_RULE[rule] for rule in one.rules]
        groups.setdefault(min(codes, key=DEPTH.__getitem__, default="not_better"), []).append(one)
    reasons = []
    for code in sorted(groups, key=DEPTH.__getitem__, reverse=True):
        cents = min(one.cents for one in groups[code]) if code == "money_short" else None
        reasons.append(Reason(code, why_not(code, cents), sessions=len(groups[code]), cents=cents))
    return reasons


def _helped(arrays: Arrays, seeker: int, near: list[Near], looked: PairFacts) -> list[WouldHaveHelped]:
    """At most three changes of different kinds, each alone enough; the smallest of its kind."""
    options: list[tuple[int, int, int, Change]] = []
    for one in near:
        change = _change(arrays, seeker, one, looked) if len(one.rules) == ONE_RULE else None
        if change is not None:
            options.append((KIND_ORDER.index(type(change)), _size(change), one.session, change))
    options.sort(key=lambda option: option[:3])
    helped: dict[int, WouldHaveHelped] = {}
    for kind, _, session, change in options:
        if kind not in helped and len(helped) < HELPED_MAX:
            limit = None
            if isinstance(change, TravelFarther):
                limit = int(arrays.seekers.limits[MODES.index(change.mode), seeker])
            helped[kind] = WouldHaveHelped(change, arrays.sessions.ids[session], would_have_helped(change, limit))
    return list(helped.values())


def _change(arrays: Arrays, seeker: int, one: Near, pairs: PairFacts) -> Change | None:  # noqa: PLR0911 - one return per rule
    facts, stated = one.row, arrays.instance.seekers[seeker]
    match one.rules[0]:
        case "travel" if pairs.nearest_mode[facts] >= 0:
            return TravelFarther(MODES[pairs.nearest_mode[facts]], int(pairs.nearest_minutes[facts]))
        case "online":
            return AcceptOnline()
        case "day_part":
            lacking = int(pairs.lacking[facts])
            return FreeDayParts([part for part in range(21) if lacking >> part & 1])
        case "blocked":
            return FreeBlocked()
        case "money":
            return PayMore(one.cents)
        case "childcare":
            return ArrangeSitter()
        case "max_placements" if stated.max_placements < arrays.instance.policy.max_placements:
            return MorePlacements(stated.max_placements + 1)
    return None


def _size(change: Change) -> int:
    match change:
        case TravelFarther(minutes=minutes):
            return minutes
        case PayMore(cents=cents):
            return cents
        case FreeDayParts(day_parts=parts):
            return len(parts)
    return 0
