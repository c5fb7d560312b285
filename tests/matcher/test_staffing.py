"""Trainer assignment: equal to trying everything, judged independently, fair to who declines, quick at national size."""

import time
from itertools import product
from pathlib import Path
from random import Random

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from leerbudget.entrypoints.cli.match import match
from leerbudget.fictional.staffing import generate_staffing
from leerbudget.matcher.engine import staffing as engine
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import to_json
from leerbudget.matcher.staffing import Assignment, Role, read_staffing, read_staffing_outcome, staffing_from
from leerbudget.matcher.staffing_arrays import ROLES, staff_arrays
from leerbudget.matcher.staffing_assigning import Limits, assign
from leerbudget.matcher.staffing_audit import STAFFING_AUDIT, audit_staffing, points_of
from leerbudget.matcher.staffing_confirming import Decision, Verdict, confirmed, difference
from leerbudget.matcher.staffing_points import LOAD, WEIGHTS, place_points, trainer_points, weights_of
from leerbudget.matcher.staffing_rules import (
    STAFFING_RULES,
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


def test_the_search_by_neighbourhoods_never_claims_too_much(monkeypatch):
    """The way of large files, on small ones: never above the optimum, its bound never below, mostly the optimum itself."""
    monkeypatch.setattr(engine, "EXACT_COLUMNS_MAX", 0)
    monkeypatch.setattr(engine, "STALE_ROUNDS", 6)
    optimal = tried = 0
    for seed in range(60):
        staffing = a_random_staffing(seed)
        outcome, best = assign(staffing, EXACT), best_by_trying(staffing)
        assert outcome.score <= best <= outcome.bound, seed
        tried += outcome.places > 0
        optimal += outcome.places > 0 and outcome.score == best
    assert optimal > 0.8 * tried


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


def busy_example():
    """A staffing in which most rules can be broken by hand, with its proposal."""
    trainers = [
        a_trainer("t1", blocked=[EVENINGS[2]], avoid=["x1"]),
        a_trainer("t2", themes=["attachment"], forms=["theme_meeting"], availability="001" * 7),
        a_trainer("t3", certificate_until="2027-03-01", co_themes=["grief_loss"]),
        a_trainer("t4", travel_minutes_max={"bike": 10}, online_ok=False, wished_load={"unit": "hours", "most": 3}),
    ]
    sessions = [
        a_session("s1", co=1),
        a_session("s2", meetings=[LATER], pc4="1012"),
        a_session("s3", meetings=[EVENINGS[2]], people=["x1"]),
        a_session("s4", meetings=[EVENINGS[1]], theme="trauma", form="dialogue", apart_from=["t2"]),
        a_session("s5", meetings=[EVENINGS[1]], pc4=None),
        a_session("s6", meetings=[["2027-03-04T10:00+01:00", "2027-03-04T12:00+01:00"]], co=1),
        a_session("s7", meetings=[["2027-03-05T19:00+01:00", "2027-03-05T23:00+01:00"]]),
    ]
    changes = {"declined": [("t1", "s5")], "forbidden": [("t1", "s6")]}
    return a_staffing(trainers, sessions, **changes)


BROKEN = {
    "theme": [("t2", "s4", "lead")],
    "form": [("t2", "s4", "lead")],
    "certificate": [("t3", "s4", "lead")],
    "online": [("t4", "s5", "lead")],
    "travel": [("t4", "s2", "lead")],
    "day_part": [("t2", "s6", "lead")],
    "blocked": [("t1", "s3", "lead")],
    "load": [("t4", "s7", "lead")],
    "overlap": [("t1", "s1", "lead"), ("t1", "s2", "lead")],
    "not_together": [("t1", "s3", "lead")],
    "declined": [("t1", "s5", "lead")],
    "forbidden": [("t1", "s6", "lead")],
    "twice": [("t1", "s1", "lead"), ("t1", "s1", "co")],
    "places": [("t1", "s1", "lead"), ("t2", "s1", "lead")],
    "co_needs_lead": [("t1", "s1", "co")],
    "spread": [("t1", "s1", "lead"), ("t1", "s4", "lead"), ("t1", "s7", "lead")],
}


def by_hand(outcome, rows):
    """A proposal with other assignments."""
    return replace(outcome, assignments=[Assignment(t, s, Role(role), 0, 0) for t, s, role in rows])


@pytest.mark.parametrize("code", STAFFING_RULES)
def test_the_audit_sees_each_broken_rule(code):
    """Every hard rule, broken by hand, is found under its own code; the proposal itself is clean."""
    staffing = busy_example()
    outcome = assign(staffing, EXACT)
    assert code not in {v.code for v in audit_staffing(staffing, outcome)}
    assert code in {v.code for v in audit_staffing(staffing, by_hand(outcome, BROKEN[code]))}


WRONG = {
    "other_staffing": lambda o: replace(o, staffing="0" * 64),
    "unknown_id": lambda o: by_hand(o, [("t9", "s1", "lead")]),
    "fixed": lambda o: replace(o, assignments=[replace(a, fixed=not a.fixed) for a in o.assignments]),
    "assignment": lambda o: replace(o, assignments=[replace(a, load=a.load + 1) for a in o.assignments]),
    "load_report": lambda o: replace(o, loads=[replace(load, relative=load.relative - 1) for load in o.loads]),
    "spread_report": lambda o: replace(o, spread=replace(o.spread, avoidable=o.spread.avoidable + 1)),
    "satisfaction": lambda o: replace(o, satisfaction=replace(o.satisfaction, themes=(9, 9))),
    "unstaffed": lambda o: replace(o, unstaffed=o.unstaffed[1:]),
    "would_have_helped": lambda o: replace(o, unstaffed=[bent(u) for u in o.unstaffed]),
    "places_total": lambda o: replace(o, filled=o.filled + 1),
    "score": lambda o: replace(o, score=o.score + 1, bound=o.bound + 1),
    "bound": lambda o: replace(o, bound=o.score - 1),
    "gap": lambda o: replace(o, gap=o.gap + 0.5),
}


def bent(unstaffed):
    """The same open place with promises that do not hold."""
    helped = [replace(h, rule="declined") for h in unstaffed.would_have_helped]
    return replace(unstaffed, would_have_helped=helped)


@pytest.mark.parametrize("code", STAFFING_AUDIT)
def test_the_audit_sees_each_wrong_report(code):
    """Every other thing the audit promises to check is found when it is wrong."""
    staffing = busy_example()
    outcome = assign(staffing, EXACT)
    assert audit_staffing(staffing, outcome) == []
    assert any(u.would_have_helped for u in outcome.unstaffed)
    assert code in {v.code for v in audit_staffing(staffing, WRONG[code](outcome))}


def decided(outcome, verdicts):
    """Decisions about the first assignments of a proposal."""
    return [
        Decision(a.trainer, a.session, a.role, Verdict(verdict))
        for a, verdict in zip(outcome.assignments, verdicts, strict=False)
    ]


def test_declining_costs_nothing():
    """After a trainer declines, every other pair keeps its points and load, and the trainer may get more than before."""
    staffing = busy_example()
    outcome = assign(staffing, EXACT)
    after = confirmed(staffing, outcome, decided(outcome, ["declined"]))
    gone = (outcome.assignments[0].trainer, outcome.assignments[0].session)
    assert after.declined == [*staffing.declined, gone]

    def worth(question):
        table = staff_arrays(question).table
        return {
            (question.trainers[t].id, question.sessions[s].id, int(r)): (int(points), int(share))
            for t, s, r, points, share in zip(
                table.trainer, table.session, table.role, table.points, table.share, strict=True
            )
        }

    before = worth(staffing)
    assert worth(after) == {pair: value for pair, value in before.items() if pair[:2] != gone}
    again = assign(after, EXACT)
    assert gone not in {(a.trainer, a.session) for a in again.assignments}


def test_a_trainer_who_declined_gets_the_next_session_all_the_same():
    """Of two trainers who are alike in everything, the one who declined one session is asked for the other."""
    trainers = [a_trainer("t1"), a_trainer("t2")]
    sessions = [a_session("s1"), a_session("s2", meetings=[EVENINGS[1]])]
    for who in ("t1", "t2"):
        outcome = assign(a_staffing(trainers, sessions, declined=[(who, "s1")]), EXACT)
        assert {(a.session, a.trainer) for a in outcome.assignments if a.session == "s2"} == {("s2", who)}


def test_people_confirm_and_the_log_tells_the_difference():
    """Accepted stays, declined and dropped never come back, added is fixed; the log counts what people changed."""
    staffing = busy_example()
    outcome = assign(staffing, EXACT)
    first, second, *others = outcome.assignments
    final = confirmed(staffing, outcome, decided(outcome, ["accepted", "declined", *["accepted"] * len(others)]))
    assert (first.trainer, first.session, first.role) in final.fixed
    log = difference(outcome, final)
    assert (second.trainer, second.session, second.role) in log.removed
    assert (len(log.kept), log.proposed) == (len(others) + 1, len(outcome.assignments))
    again = assign(final, EXACT)
    assert {(a.trainer, a.session, a.role) for a in again.assignments if a.fixed} == set(final.fixed)
    assert audit_staffing(final, again) == []


@pytest.mark.parametrize(
    ("decisions", "place"),
    [
        ([("t1", "s2", "lead", "accepted")] * 2, "$[1]"),
        ([("t4", "s7", "lead", "accepted")], "$[0]"),
        ([("t4", "s7", "lead", "added")], "$.fixed[0]"),
    ],
)
def test_wrong_decisions_are_refused(decisions, place):
    """A decision twice, about nothing proposed, or against a hard rule is refused with its place."""
    staffing = busy_example()
    outcome = assign(staffing, EXACT)
    proposed = next(a for a in outcome.assignments)
    rows = [
        Decision(proposed.trainer, proposed.session, proposed.role, Verdict.ACCEPTED)
        if place == "$[1]"
        else Decision(t, s, Role(role), Verdict(verdict))
        for t, s, role, verdict in decisions
    ]
    with pytest.raises(InstanceRefused) as refusal:
        confirmed(staffing, outcome, rows)
    assert refusal.value.path == place


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"format": "leerbudget-staffing/2"}, "$.format"),
        ({"surprise": 1}, "$"),
        ({"trainers": [a_trainer(), a_trainer()]}, "$.trainers[1].id"),
        ({"trainers": [a_trainer(pc4="0000")]}, "$.trainers[0].pc4"),
        (
            {"trainers": [a_trainer(wished_load={"unit": "hours", "most": 2, "least": 3})]},
            "$.trainers[0].wished_load.least",
        ),
        ({"trainers": [a_trainer(wished_load={"unit": "days", "most": 2})]}, "$.trainers[0].wished_load.unit"),
        ({"trainers": [a_trainer(blocked=[["2027-03-01T19:00", "2027-03-01T21:00"]])]}, "$.trainers[0].blocked[0][0]"),
        ({"trainers": [a_trainer(avoid=["t1"])]}, "$.trainers[0].avoid"),
        ({"sessions": [a_session(meetings=[EVENINGS[0], EVENINGS[0]])]}, "$.sessions[0].meetings[1]"),
        ({"sessions": [a_session(meetings=[EVENINGS[0][::-1]])]}, "$.sessions[0].meetings[0]"),
        ({"sessions": [a_session(lead=2)]}, "$.sessions[0].lead"),
        ({"policy": {"weights": {"charm": 5}}}, "$.policy.weights.charm"),
        ({"policy": {"spread_max_percent": 0}}, "$.policy.spread_max_percent"),
        ({"fixed": [["t9", "s1", "lead"]]}, "$.fixed[0][0]"),
        ({"declined": [["t1", "s9"]]}, "$.declined[0][1]"),
        ({"fixed": [["t1", "s1", "co"]]}, "$.fixed[0]"),
        ({"fixed": [["t1", "s1", "lead"]], "declined": [["t1", "s1"]]}, "$.fixed[0]"),
    ],
)
def test_unsound_files_are_refused_with_their_place(changes, place):
    """Nothing unsound is read; the refusal says where in the file."""
    with pytest.raises(InstanceRefused) as refusal:
        staffing_from(plain_staffing([a_trainer()], [a_session()]) | changes)
    assert refusal.value.path == place


def test_nobody_and_nothing_is_a_sound_question():
    """Without trainers or without sessions there is an empty proposal, and the file reads back the same."""
    for staffing in (a_staffing([], [a_session(co=1)]), a_staffing([a_trainer()], []), a_staffing([], [])):
        outcome = assign(staffing, EXACT)
        assert (outcome.filled, outcome.score, outcome.status) == (0, 0, "proposal")
        assert read_staffing_outcome(to_json(outcome)) == outcome


def test_a_seed_gives_one_proposal():
    """The same file and seed give the same assignments, and the generator the same file."""
    made = [msgspec.json.encode(generate_staffing(40, 150, 5)) for _ in range(2)]
    assert made[0] == made[1]
    one, two = (assign(read_staffing(data), Limits(seconds=60, gap=1e-3, seed=3)) for data in made)
    assert (one.assignments, one.score, one.bound) == (two.assignments, two.score, two.bound)


def test_two_thousand_sessions_are_proposed_in_time():
    """2,500 sessions and 300 trainers: a checked proposal near its bound, the spread within its own, for little processor time."""
    staffing = read_staffing(msgspec.json.encode(generate_staffing(300, 2500, 1)))
    spent = time.process_time()
    outcome = assign(staffing, Limits(seconds=120, gap=0.03, seed=1))  # a busy machine may take its time
    assert time.process_time() - spent < 45
    assert audit_staffing(staffing, outcome) == []
    assert outcome.spread.avoidable <= 100 * staffing.policy.spread_max_percent
    assert outcome.gap < 0.03
    assert outcome.filled > 0.9 * outcome.places


def test_the_limit_of_time_ends_the_search():
    """A search that would look for the last points much longer ends within its seconds, with a sound proposal."""
    staffing = read_staffing(msgspec.json.encode(generate_staffing(60, 400, 1)))
    outcome = assign(staffing, Limits(seconds=0.5, gap=0, seed=1))
    assert sum(outcome.seconds[phase] for phase in ("bound", "start", "search")) < 1.5
    assert outcome.gap > 0
    assert audit_staffing(staffing, outcome) == []


def test_the_commands_propose_and_check(tmp_path):
    """Generate, propose and audit from files; a changed proposal ends with exit code 1, an unsound file with 2."""
    question, answer = str(tmp_path / "staffing.json.gz"), tmp_path / "proposal.json"

    def ran(*words):
        return CliRunner().invoke(match, words).exit_code

    assert ran("trainers-generate", "--trainers", "20", "--sessions", "40", "--seed", "2", "--out", question) == 0
    assert ran("trainers", question, "--seconds", "30", "--out", str(answer)) == 0
    assert ran("trainers-audit", question, str(answer)) == 0
    proposal = read_staffing_outcome(answer.read_bytes())
    answer.write_bytes(to_json(replace(proposal, score=proposal.score + 1)))
    assert ran("trainers-audit", question, str(answer)) == 1
    assert ran("trainers", str(answer)) == 2


def test_the_page_has_the_figures_of_the_code():
    """What the page says of weights and of how heavy a group is, is what the code has."""
    page = (Path(__file__).parents[2] / "docs" / "trainers-indelen.md").read_text()
    assert f"{WEIGHTS['lead']:,} or {WEIGHTS['co']:,}" in page
    assert f"at most {sum(WEIGHTS.values()) - WEIGHTS['lead'] - WEIGHTS['co']}" in page
    for figure in ("per_person", "dialogue", "heavy_theme", "co"):
        assert f"{LOAD[figure]} procent" in page
