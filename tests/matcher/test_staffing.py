"""Trainer assignment: equal to trying everything, judged independently, fair to who declines, quick at national size."""

from itertools import product
from random import Random

import msgspec
import pytest

from leerbudget.fictional.staffing import generate_staffing
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.staffing import Role, read_staffing, staffing_from
from leerbudget.matcher.staffing_arrays import ROLES, staff_arrays
from leerbudget.matcher.staffing_assigning import Limits, assign
from leerbudget.matcher.staffing_audit import points_of
from leerbudget.matcher.staffing_points import place_points, trainer_points, weights_of
from leerbudget.matcher.staffing_rules import (
    Assigned,
    StaffingRules,
    by_session,
    by_trainer,
    spread_above,
)

EXACT = Limits(seconds=60, gap=0)
SMALL = 300
EVENINGS = [[f"2027-03-0{day}T19:00+01:00", f"2027-03-0{day}T21:00+01:00"] for day in (1, 2, 3)]
LATER = ["2027-03-01T21:20+01:00", "2027-03-01T22:00+01:00"]


def a_trainer(name="t1", **changes):
    """A trainer who can do everything nearby, a little."""
    plain = {
        "id": name,
        "wished_load": {"unit": "hours", "most": 10, "least": 2},
        "certificate_until": "2030-01-01",
        "themes": ["trauma", "attachment"],
        "pc4": "3511",
        "travel_minutes_max": {"car": 60},
        "online_ok": True,
    }
    return plain | changes


def a_session(name="s1", **changes):
    """One evening in Utrecht that needs a leader."""
    plain = {
        "id": name,
        "theme": "attachment",
        "form": "theme_meeting",
        "meetings": [EVENINGS[0]],
        "participants": 8,
        "pc4": "3511",
    }
    return plain | changes


def plain_staffing(trainers, sessions, **changes):
    """The file in plain values."""
    return {"format": "leerbudget-staffing/1", "trainers": trainers, "sessions": sessions} | changes


def a_staffing(trainers, sessions, **changes):
    """The file, read."""
    return staffing_from(plain_staffing(trainers, sessions, **changes))


def a_random_staffing(seed):
    """Three trainers and a few sessions in which every hard rule bites now and then."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    names = ["t1", "t2", "t3"]
    trainers = [
        a_trainer(
            name,
            wished_load={
                "unit": dice.choice(("hours", "hours", "sessions")),
                "most": dice.choice((2, 4, 8)),
                "least": dice.choice((0, 1, 2)),
            },
            certificate_until=dice.choice(("2030-01-01",) * 5 + ("2027-03-02", None)),
            themes=dice.choice((["trauma", "attachment"], ["attachment"], ["attachment", "grief_loss"])),
            co_themes=dice.choice(([], ["trauma"])),
            forms=dice.choice((None, None, ["theme_meeting"])),
            availability=dice.choice(("1" * 21,) * 3 + ("001" * 7, "000001" + "1" * 15)),
            blocked=dice.choice(([], [], [EVENINGS[1]])),
            pc4=dice.choice(("3511", "3511", "3811", "1012", None)),
            travel_minutes_max=dice.choice(({"car": 60}, {"car": 30, "bike": 20}, {"public_transport": 90})),
            online_ok=dice.random() < 0.7,
            wished_themes=dice.choice(([], ["trauma"], ["attachment"])),
            wished_regions=dice.choice(([], ["r1"], ["r1", "r2"])),
            avoid=dice.choice(([], [], ["x1"], [n for n in names if n != name][:1])),
        )
        for name in names
    ]
    sessions = [
        a_session(
            f"s{i}",
            theme=dice.choice(("trauma", "attachment", "attachment")),
            form=dice.choice(("theme_meeting", "theme_meeting", "dialogue")),
            meetings=dice.choice([*([e] for e in EVENINGS), [LATER], EVENINGS[:2], []]),
            participants=dice.choice((4, 8, 14)),
            lead=dice.choice((1, 1, 1, 1, 0)),
            co=dice.choice((0, 0, 1)),
            region=dice.choice((None, "r1", "r2")),
            pc4=dice.choice(("3511", "3512", "3811", None)),
            people=dice.choice(([], [], ["x1"])),
            apart_from=dice.choice(([], [], [], ["t2"])),
        )
        for i in range(dice.randint(0, 5))
    ]
    pairs = [(t, s["id"]) for t in names for s in sessions]
    policy = {"spread_max_percent": dice.choice((None, 1, 10, 30)), "weights": dice.choice(({}, {"even": 200}))}
    some = {key: [dice.choice(pairs)] if pairs and dice.random() < 0.2 else [] for key in ("declined", "forbidden")}
    try:
        fixed = [(*dice.choice(pairs), "lead")] if pairs and dice.random() < 0.3 else []
        return a_staffing(trainers, sessions, policy=policy, fixed=fixed, **some)
    except InstanceRefused:
        return a_staffing(trainers, sessions, policy=policy, **some)


def score_of(rules, assigned):
    """The score by the definitions, without the engine."""
    weights, total = weights_of(rules.staffing.policy), 0
    for one in assigned:
        total += place_points(weights, one.role) + points_of(rules, one)
    relative, mine = rules.relative_loads(assigned), by_trainer(assigned)
    for name, trainer in rules.trainers.items():
        load = sum(rules.load(one) for one in mine.get(name, []))
        total += sum(trainer_points(weights, trainer, load, relative[name]))
    return total


def keeps_all(rules, assigned):
    """Whether these assignments break no hard rule."""
    broken = [b for name, group in by_trainer(assigned).items() for b in rules.of_trainer(name, group)]
    broken += [b for name, group in by_session(assigned).items() for b in rules.of_session(name, group)]
    return not broken and not any(rules.avoidable(assigned, spread_above(rules.staffing)))


def best_by_trying(staffing):
    """The best score over every set of assignments; None for a set that the rules refuse."""
    rules = StaffingRules(staffing)
    places = []
    for session in staffing.sessions:
        for role in [Role.LEAD] * session.lead + [Role.CO] * session.co:
            who = [t for t in rules.trainers if not any(rules.of_pair(Assigned(t, session.id, role)))]
            places.append([None, *(Assigned(t, session.id, role) for t in who)])
    best = None
    for choice in product(*places):
        assigned = [one for one in choice if one is not None]
        if rules.fixed <= set(assigned) and keeps_all(rules, assigned):
            best = max(score_of(rules, assigned), -1 if best is None else best)
    return best


@pytest.mark.parametrize("block", range(10))
def test_the_proposal_equals_trying_everything(block):
    """Score and bound are the optimum of every small random staffing, and the audit accepts it."""
    bites = 0
    for seed in range(block * SMALL // 10, (block + 1) * SMALL // 10):
        staffing = a_random_staffing(seed)
        outcome = assign(staffing, EXACT)
        assert (outcome.score, outcome.bound) == (best := best_by_trying(staffing), best), seed
        bites += outcome.filled > 0
    assert bites >= 9


def test_the_spread_rule_binds_and_costs_no_place():
    """Who wishes the theme gets every session, until the rule about spread gives some to a less busy colleague."""
    trainers = [a_trainer("t1", wished_themes=["attachment"]), a_trainer("t2")]
    sessions = [a_session(f"s{i}", meetings=[evening]) for i, evening in enumerate(EVENINGS)]
    found = {}
    for most in (None, 50, 20, 1):
        outcome = assign(a_staffing(trainers, sessions, policy={"spread_max_percent": most}), EXACT)
        found[most] = [load.sessions for load in outcome.loads], outcome.spread.avoidable
        assert outcome.filled == 3
    assert found == {None: ([3, 0], 4000), 50: ([3, 0], 4000), 20: ([2, 1], 0), 1: ([2, 1], 0)}


def test_candidates_are_what_the_rules_allow():
    """The table in bulk holds exactly the pairs that the rules, one at a time, allow, with the same points and loads."""
    staffing = read_staffing(msgspec.json.encode(generate_staffing(25, 60, 3)))
    rules, table = StaffingRules(staffing), staff_arrays(staffing).table
    rows = {
        Assigned(staffing.trainers[t].id, staffing.sessions[s].id, ROLES[r]): (int(points), int(load), int(share))
        for t, s, r, points, load, share in zip(
            table.trainer, table.session, table.role, table.points, table.load, table.share, strict=True
        )
    }
    asked = [(s.id, role) for s in staffing.sessions for role, n in ((Role.LEAD, s.lead), (Role.CO, s.co)) if n]
    allowed = [one for t in rules.trainers for s, role in asked if not any(rules.of_pair(one := Assigned(t, s, role)))]
    assert rows == {one: (points_of(rules, one), rules.load(one), rules.share(one)) for one in allowed}
    assert len(rows) > 50
