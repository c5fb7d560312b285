"""The optimum of a small round by an exact model of its own: the reference for the engine and its bound.

Built from the rulebook alone, one candidate at a time, and solved by the HiGHS that scipy ships: no array, no
candidate table and no model of the engine is used. Where the engine has a choice of formulation, this one
takes the other: payments are flows from budgets to bills (the engine uses Hall's conditions), a session
that does not run is forbidden candidate by candidate, children are counted by a variable per family.

`without` names rules (codes of `hard_rules.CODES`, or `fixed`) that are left out: when that raises the
optimum, the rule was what held it down.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from leerbudget.matcher.audit import facts_of
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import score, weights_of
from leerbudget.matcher.hard_rules import CODES, Placed, Rulebook, by_seeker, by_session, can_pay
from leerbudget.matcher.vocabulary import ChildcareNeed

RULES = (*CODES, "fixed")
"""Everything `without` may name."""
INFEASIBLE = 2


@dataclass(frozen=True)
class Optimum:
    """The highest score an outcome can have, and a plan that has it."""

    score: int
    plan: frozenset[Placed]


@dataclass
class Model:
    """Variables and rows in the making. All variables have a lower bound of 0."""

    values: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    cells: list[tuple[int, int, float]] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def variable(self, value=0.0, most=1.0, *, whole=True):
        """A variable that adds `value` per unit to the objective."""
        self.values.append(value)
        self.most.append(most)
        self.least.append(0.0)
        self.whole.append(whole)
        return len(self.values) - 1

    def row(self, terms, lower=-np.inf, upper=np.inf):
        """Keep the sum of factor times variable between lower and upper; a variable named twice counts twice."""
        self.cells.extend((len(self.lower), column, factor) for column, factor in terms)
        self.lower.append(lower)
        self.upper.append(upper)

    def solved(self):
        """Per variable its value in a best solution, or None when there is no solution."""
        rows, columns, factors = zip(*self.cells, strict=True) if self.cells else ((), (), ())
        matrix = sparse.csr_matrix((factors, (rows, columns)), (len(self.lower), len(self.values)))
        found = milp(
            -np.array(self.values),
            integrality=np.array(self.whole, int),
            bounds=Bounds(np.array(self.least), np.array(self.most)),
            constraints=LinearConstraint(matrix, np.array(self.lower), np.array(self.upper)),
            options={"mip_rel_gap": 0.0},
        )
        if found.status == INFEASIBLE:
            return None
        assert found.status == 0, found.message
        return found.x


def optimum(instance, without=frozenset()):
    """The best outcome of an instance; None when what is fixed cannot be completed."""
    rules = Rulebook.of(instance)
    points = candidates(rules, weights_of(instance), without)
    model = Model()
    if not points:
        return Optimum(0, frozenset()) if not instance.fixed or "fixed" in without else None
    chosen = {placed: model.variable(value) for placed, value in points.items()}
    if "fixed" not in without:
        for triple in instance.fixed:
            if Placed(*triple) not in chosen:
                return None
            model.least[chosen[Placed(*triple)]] = 1.0
    for seeker, mine in by_seeker(chosen).items():
        _seeker(model, rules, seeker, mine, chosen=chosen, without=without)
        bonus = first_placement.bonus(rules.seekers[seeker], weights_of(instance))
        served = model.variable(bonus)
        model.row([(served, 1), *((chosen[p], -1) for p in mine)], upper=0)
    for session, group in by_session(chosen).items():
        _session(model, rules, session, group, chosen=chosen, without=without)
    found = model.solved()
    if found is None:
        return None
    plan = frozenset(placed for placed, column in chosen.items() if found[column] > 0.5)
    best = total(rules, weights_of(instance), plan, points)
    assert abs(best - np.dot(found, model.values)) < 1e-3, "the solver's value is that of the plan"
    if not without:
        _check(rules, plan)
    return Optimum(best, plan)


def candidates(rules, weights, without):
    """Every placement that is possible by itself, with its points."""
    triples = [
        Placed(seeker.id, wish.id, session)
        for seeker in rules.seekers.values()
        for wish in seeker.wishes
        for session in rules.sessions
    ]
    single = [placed for placed in triples if {breach.code for breach in rules.of_placement(placed)} <= without]
    if rules.given is not None:
        return {placed: rules.given.get(placed, 0) for placed in single}
    return dict(zip(single, score(facts_of(rules, single), weights).tolist(), strict=True))


def total(rules, weights, plan, points):
    """What a plan scores."""
    bonuses = sum(first_placement.bonus(rules.seekers[seeker], weights) for seeker in {p.seeker for p in plan})
    return bonuses + sum(points[placed] for placed in plan)


def _seeker(model, rules, name, mine, *, chosen, without):
    seeker = rules.seekers[name]
    if "max_placements" not in without:
        model.row([(chosen[p], 1) for p in mine], upper=min(seeker.max_placements, rules.placements_max))
    if "wish_twice" not in without:
        for wish in {p.wish for p in mine}:
            model.row([(chosen[p], 1) for p in mine if p.wish == wish], upper=1)
    pairwise = {"overlap", "course_twice"} - without
    for one, other in combinations(mine, 2):
        if pairwise & {breach.code for breach in rules.of_seeker(name, [one, other])}:
            model.row([(chosen[one], 1), (chosen[other], 1)], upper=1)
    if "money" not in without:
        _payments(model, rules, seeker, mine, chosen)


def _payments(model, rules, seeker, mine, chosen):
    """Cents flow from every budget to the bills it may pay; what is missing flows from the own contribution."""
    from_budget, own = defaultdict(list), []
    for placed in mine:
        session = rules.sessions[placed.session]
        due = session.price_cents * len(rules.persons(placed))
        flows = []
        for number, budget in enumerate(seeker.budgets):
            if can_pay(budget, session):
                flows.append(model.variable(most=due, whole=False))
                from_budget[number].append(flows[-1])
        own.append(model.variable(most=due, whole=False))
        model.row([(chosen[placed], -due), *((flow, 1) for flow in [*flows, own[-1]])], 0, 0)
    for number, flows in from_budget.items():
        model.row([(flow, 1) for flow in flows], upper=seeker.budgets[number].available_cents)
    model.row([(flow, 1) for flow in own], upper=seeker.own_contribution_cents_max)


def _session(model, rules, name, group, *, chosen, without):
    session = rules.sessions[name]
    people = [(chosen[p], len(rules.persons(p))) for p in group]
    runs = model.variable()
    for placed in group:
        model.row([(chosen[placed], 1), (runs, -1)], upper=0)
    if "capacity" not in without:
        model.row(people, upper=session.seats_max - session.seats_taken)
    if "minimum" not in without:
        model.row([*people, (runs, session.seats_taken - session.seats_min)], lower=0)
    if session.parties is not None:
        _parties(model, rules, session, group, runs=runs, chosen=chosen, without=without)
    if "childcare" not in without:
        _childcare(model, rules, session, group, chosen)
    if "not_together" not in without:
        for one, other in combinations(group, 2):
            if "not_together" in {breach.code for breach in rules.of_session(name, [one, other])}:
                model.row([(chosen[one], 1), (chosen[other], 1)], upper=1)


def _parties(model, rules, session, group, *, runs, chosen, without):
    taken = {party: session.parties_taken.get(party, 0) for party in session.parties}
    voices = {
        party: [(chosen[p], sum(person.party == party for person in rules.persons(p))) for p in group]
        for party in session.parties
    }
    for party, (least, most) in session.parties.items():
        if "party_max" not in without:
            model.row(voices[party], upper=most - taken[party])
        if "party_min" not in without:
            model.row([*voices[party], (runs, taken[party] - least)], lower=0)
    if session.party_spread_max is None or "party_spread" in without:
        return
    anything = 2 * session.seats_max + sum(taken.values()) + sum(len(rules.persons(p)) for p in group)
    for one in session.parties:
        for other in session.parties:
            difference = [*voices[one], *((column, -count) for column, count in voices[other]), (runs, anything)]
            model.row(difference, upper=session.party_spread_max - taken[one] + taken[other] + anything)


def _childcare(model, rules, session, group, chosen):
    """The children of a family need their places once, however many wishes of the family meet here."""
    needed = defaultdict(list)
    for name, mine in by_seeker(group).items():
        seeker = rules.seekers[name]
        if seeker.childcare_need is ChildcareNeed.NEEDS_PLACE:
            present = model.variable()
            for placed in mine:
                model.row([(chosen[placed], 1), (present, -1)], upper=0)
            for band, children in seeker.childcare.items():
                needed[band].append((present, children))
    for band, terms in needed.items():
        model.row(terms, upper=session.childcare_places.get(band, 0))


def _check(rules, plan):
    """The reference's own plan keeps every rule: otherwise its optimum would prove nothing."""
    for placed in plan:
        assert not list(rules.of_placement(placed))
    for seeker, mine in by_seeker(plan).items():
        assert not list(rules.of_seeker(seeker, mine))
    for session, group in by_session(plan).items():
        assert not list(rules.of_session(session, group))
