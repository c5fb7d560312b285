"""One test per hard rule: the audit accepts an outcome and rejects it once the rule is broken by hand."""

from copy import deepcopy
from random import Random

import msgspec
import pytest

from leerbudget.matcher.audit import OUTCOME_CODES, applied, audit
from leerbudget.matcher.cards import SeekerCard
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import CODES, NEEDS_COMPANY, Placed, Rulebook
from leerbudget.matcher.instance import fingerprint, instance_from
from leerbudget.matcher.outcome import outcome_from
from matcher.small import MONDAY_EVENING, a_person, a_seeker, a_session, a_wish, an_instance, an_outcome
from matcher.tiny import a_random_instance

BOTH = [("f1", "w1", "s1"), ("f2", "w1", "s1")]
ONE = [("f1", "w1", "s1")]
TWO = [("f1", "w1", "s1"), ("f1", "w2", "s2")]
TUESDAY_EVENING = ["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]
EVENING_MASK = "001" + "0" * 18
MORNING_MASK = "100" + "0" * 18


def parties(least=1, most=3):
    return {"foster_parents": [least, most], "guardian_workers": [least, most]}


def a_worker(name="v1", **facts):
    return a_seeker(name, persons=[a_person(f"{name}a", party="guardian_workers")], **facts)


def two_wishes(**facts):
    return a_seeker(wishes=[a_wish("w1"), a_wish("w2", rank=2)], **facts)


def a_couple(**facts):
    return a_seeker(persons=[a_person("f1a"), a_person("f1b", **facts)])


# code: (sound seekers, sound sessions, facts, placements), then what changes to break that one rule
CASES = {
    "theme": ([a_seeker()], [a_session()], {}, ONE, {"session": {"theme": "attachment"}}),
    "party_not_invited": (
        [a_seeker()],
        [a_session(parties={"foster_parents": [0, 3]})],
        {},
        ONE,
        {"session": {"parties": {"guardian_workers": [0, 3]}}},
    ),
    "not_for": (
        [a_seeker(family_type="kinship")],
        [a_session(audience={"family_type": {"kinship": "for"}})],
        {},
        ONE,
        {"session": {"audience": {"family_type": {"kinship": "not_for"}}}},
    ),
    "online": ([a_seeker(online_ok=True)], [a_session(pc4=None)], {}, ONE, {"seeker": {"online_ok": False}}),
    "travel": ([a_seeker()], [a_session()], {}, ONE, {"session": {"pc4": "9711"}}),
    "day_part": (
        [a_seeker(persons=[a_person("f1a", availability=EVENING_MASK)])],
        [a_session()],
        {},
        ONE,
        {"seeker": {"persons": [a_person("f1a", availability=MORNING_MASK)]}},
    ),
    "blocked": (
        [a_seeker(persons=[a_person("f1a", blocked=[["2027-03-01T12:00+01:00", "2027-03-01T19:00+01:00"]])])],
        [a_session()],
        {},
        ONE,
        {"seeker": {"persons": [a_person("f1a", blocked=[["2027-03-01T12:00+01:00", "2027-03-01T19:01+01:00"]])]}},
    ),
    "forbidden": ([a_seeker()], [a_session()], {"forbidden": []}, ONE, {"facts": {"forbidden": [["f1", "s1"]]}}),
    "not_together": (
        [a_seeker(professionals=["t8"])],
        [a_session(people=["t9"])],
        {},
        ONE,
        {"session": {"people": ["t9", "t8"]}},
    ),
    "max_placements": (
        [two_wishes()],
        [a_session(), a_session("s2", meetings=[TUESDAY_EVENING])],
        {},
        TWO,
        {"seeker": {"max_placements": 1}},
    ),
    "overlap": (
        [two_wishes()],
        [a_session(meetings=[TUESDAY_EVENING]), a_session("s2")],
        {},
        TWO,
        {"session": {"meetings": [MONDAY_EVENING]}},
    ),
    "course_twice": (
        [two_wishes()],
        [a_session(meetings=[TUESDAY_EVENING]), a_session("s2")],
        {},
        TWO,
        {"session": {"course": "course-s2"}},
    ),
    "money": ([a_seeker()], [a_session(price_cents=50_000)], {}, ONE, {"session": {"price_cents": 50_001}}),
    "capacity": ([a_seeker(), a_seeker("f2")], [a_session(seats_max=2)], {}, BOTH, {"session": {"seats_max": 1}}),
    "minimum": (
        [a_seeker(), a_seeker("f2")],
        [a_session(seats_min=3, seats_max=4, seats_taken=1)],
        {},
        BOTH,
        {"session": {"seats_min": 4}},
    ),
    "childcare": (
        [
            a_seeker(childcare={"a4_8": 2}, childcare_need="needs_place"),
            a_seeker("f2", childcare={"a4_8": 1}, childcare_need="needs_place"),
        ],
        [a_session(childcare_places={"a4_8": 3})],
        {},
        BOTH,
        {"session": {"childcare_places": {"a4_8": 2}}},
    ),
    "party_max": (
        [a_seeker(), a_seeker("f2")],
        [a_session(parties={"foster_parents": [0, 2]})],
        {},
        BOTH,
        {"session": {"parties": {"foster_parents": [0, 1]}}},
    ),
    "party_min": (
        [a_seeker(), a_worker()],
        [a_session(parties=parties(1))],
        {},
        [("f1", "w1", "s1"), ("v1", "w1", "s1")],
        {"session": {"parties": {"foster_parents": [1, 3], "guardian_workers": [2, 3]}, "seats_max": 6}},
    ),
    "party_spread": (
        [a_seeker(), a_seeker("f2"), a_worker()],
        [a_session(parties=parties(1), party_spread_max=1, seats_max=4)],
        {},
        [*BOTH, ("v1", "w1", "s1")],
        {"session": {"party_spread_max": 0}},
    ),
}


def changed(code):
    """The sound and the broken instance of a case, and its placements."""
    seekers, sessions, facts, placements, change = deepcopy(CASES[code])
    sound = an_instance(seekers, sessions, **facts)
    broken = an_instance(
        [seekers[0] | change.get("seeker", {}), *seekers[1:]],
        [sessions[0] | change.get("session", {}), *sessions[1:]],
        **(facts | change.get("facts", {})),
    )
    return sound, broken, placements


@pytest.mark.parametrize("code", CASES)
def test_the_rule_holds_or_is_named(code):
    """The unbroken outcome passes; the same placements in the broken instance are named by their rule alone."""
    sound, broken, placements = changed(code)
    assert audit(sound, an_outcome(sound, placements)) == []
    assert {v.code for v in audit(broken, an_outcome(broken, placements))} - {"payment_overspent"} == {code}


def test_one_session_per_wish():
    """A wish with two sessions is found, even when both would fit."""
    instance = an_instance([a_seeker()], [a_session(), a_session("s2", meetings=[TUESDAY_EVENING], course="c9")])
    assert audit(instance, an_outcome(instance, ONE)) == []
    twice = an_outcome(instance, [*ONE, ("f1", "w1", "s2")])
    assert "wish_twice" in {v.code for v in audit(instance, twice)}


def test_every_hard_rule_is_tested():
    """A rule that is added to the book needs its case here."""
    assert set(CASES) | {"wish_twice"} == set(CODES)


@pytest.mark.parametrize("code", CASES)
def test_what_is_fixed_breaks_no_rule(code):
    """A fixed placement that breaks a rule is refused with its place and the rule; one that waits for company is not."""
    sound, broken, placements = changed(code)
    fixed = [list(triple) for triple in placements]
    instance_from(msgspec.to_builtins(sound) | {"fixed": fixed})
    data = msgspec.to_builtins(broken) | {"fixed": fixed}
    if code in NEEDS_COMPANY:
        assert instance_from(data).fixed == [tuple(triple) for triple in fixed]
        return
    with pytest.raises(InstanceRefused, match=f"breaks the hard rule {code}:") as refused:
        instance_from(data)
    assert refused.value.path == f"$.fixed[{len(fixed) - 1}]"


def test_a_room_keeps_two_seekers_apart():
    """A family and its own worker never sit in one dialogue, whoever of the two says so; others may."""
    for shunning in ({"professionals": ["v1"]}, {"avoid": ["v1a"]}):
        sound = an_instance([a_seeker(), a_worker()], [a_session(parties=parties())])
        broken = an_instance([a_seeker(**shunning), a_worker()], [a_session(parties=parties())])
        placements = [("f1", "w1", "s1"), ("v1", "w1", "s1")]
        assert audit(sound, an_outcome(sound, placements)) == []
        violations = audit(broken, an_outcome(broken, placements))
        assert [v.code for v in violations] == ["not_together"]
        assert not any(word in violations[0].message for word in ("f1", "v1"))


def test_travel_between_meetings_counts():
    """Half an hour after a meeting in Utrecht nobody is in Amersfoort; after two hours everybody can be."""
    afternoon = ["2027-03-01T15:00+01:00", "2027-03-01T17:00+01:00"]
    for start, codes in (("2027-03-01T17:20+01:00", {"overlap"}), ("2027-03-01T19:00+01:00", set())):
        sessions = [
            a_session(meetings=[afternoon]),
            a_session("s2", pc4="3811", meetings=[[start, "2027-03-01T21:00+01:00"]]),
        ]
        instance = an_instance([two_wishes()], sessions)
        assert {v.code for v in audit(instance, an_outcome(instance, TWO))} == codes


def test_from_a_room_to_the_own_screen_takes_the_way_home():
    """An online meeting right after a meeting elsewhere needs the travel home; two online meetings need none."""
    first = ["2027-03-01T17:00+01:00", "2027-03-01T19:00+01:00"]
    for place, codes in (("3811", {"overlap"}), (None, set())):
        sessions = [a_session(pc4=place, meetings=[first]), a_session("s2", pc4=None)]
        instance = an_instance([two_wishes()], sessions)
        assert {v.code for v in audit(instance, an_outcome(instance, TWO))} == codes


@pytest.mark.parametrize(("places", "codes"), [(2, set()), (1, {"childcare"})])
def test_children_count_once_in_a_session(places, codes):
    """Two parents of one family in one session, each for an own wish, bring their two children once."""
    family = a_seeker(
        persons=[a_person("f1a"), a_person("f1b")],
        wishes=[a_wish("w1", persons=["f1a"]), a_wish("w2", persons=["f1b"])],
        childcare={"a4_8": 2},
        childcare_need="needs_place",
    )
    instance = an_instance([family], [a_session(childcare_places={"a4_8": places})])
    outcome = an_outcome(instance, [("f1", "w1", "s1"), ("f1", "w2", "s1")])
    assert {v.code for v in audit(instance, outcome)} == codes


@pytest.mark.parametrize("when", [("2027-03-28T10:00+02:00", "2027-03-28T12:00+02:00"), MONDAY_EVENING])
@pytest.mark.parametrize(("expires_on", "pays"), [(0, True), (-1, False)])
def test_a_budget_lasts_through_its_last_day(when, expires_on, pays):
    """A budget pays for a session that starts on the day it expires (Amsterdam), and not on the day after."""
    from datetime import date, timedelta

    last = (date.fromisoformat(when[0][:10]) + timedelta(days=expires_on)).isoformat()
    budgets = [{"id": "b1", "available_cents": 50_000, "themes": None, "expires_on": last}]
    instance = an_instance([a_seeker(budgets=budgets)], [a_session(meetings=[list(when)])])
    codes = {v.code for v in audit(instance, an_outcome(instance, ONE))}
    assert codes == (set() if pays else {"money", "payment_expired"})


def broken_outcome(outcome, **changes):
    """The outcome with some of its plain values changed."""
    plain = msgspec.to_builtins(outcome)
    for path, value in changes.items():
        target = plain
        *way, last = path.split("__")
        for step in way:
            target = target[int(step) if step.isdigit() else step]
        target[last] = value
    return outcome_from(plain)


BUDGETS = [
    {"id": "early", "available_cents": 3_000, "themes": None, "expires_on": "2027-03-01"},
    {"id": "other", "available_cents": 9_000, "themes": ["attachment"], "expires_on": None},
    {"id": "gone", "available_cents": 9_000, "themes": None, "expires_on": "2027-02-28"},
    {"id": "later", "available_cents": 9_000, "themes": ["trauma"], "expires_on": None},
]
INTO_NOWHERE = {"change": {"kind": "online"}, "session": "s9"}
PAID = {"placements__0__payment": [["early", 3_000], ["later", 1_000]], "placements__0__own_contribution_cents": 500}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("payment_overspent", {"placements__0__payment": [["early", 3_001], ["later", 999]]}),
        ("payment_earmark", {"placements__0__payment": [["early", 3_000], ["other", 1_000]]}),
        ("payment_expired", {"placements__0__payment": [["gone", 3_000], ["later", 1_000]]}),
        ("payment_sum", {"placements__0__payment": [["early", 3_000], ["later", 999]]}),
        (
            "own_contribution",
            {
                "placements__0__payment": [["later", 3_999]],
                "placements__0__own_contribution_cents": 501,
            },
        ),
        ("unknown_id", {"placements__0__payment": [["nobodys", 4_000]]}),
        ("unknown_id", {"placements__0__session": "s9"}),
        ("unknown_id", {"placements__0__wish": "w9"}),
        ("unknown_id", {"placements__0__seeker": "f9"}),
        ("unknown_id", {"unplaced": [{"seeker": "f9", "wish": "w1"}]}),
        ("unknown_id", {"unplaced": [{"seeker": "f1", "wish": "w9"}]}),
        ("unknown_id", {"unplaced": [{"seeker": "f1", "wish": "w1", "would_have_helped": [INTO_NOWHERE]}]}),
        ("unknown_id", {"sessions__0__id": "s9"}),
        ("persons_apart", {"placements__0__persons": []}),
        ("persons_apart", {"placements__0__persons": ["f1a", "f1a"]}),
        ("score_placement", {"placements__0__score": 150}),
        ("score_total", {"score": 648}),
        ("bound", {"bound": 600}),
        ("gap", {"gap": 0.5}),
        ("session_report", {"sessions__0__seats": 2}),
        ("session_report", {"sessions__0__runs": False}),
        ("session_report", {"sessions": []}),
        ("session_report", {"sessions": [{"id": "s1", "runs": True, "seats": 1}] * 2}),
        ("unplaced", {"unplaced": [{"seeker": "f1", "wish": "w1"}] * 2}),
        ("unplaced", {"unplaced": [{"seeker": "f1", "wish": "w1"}]}),
        ("other_instance", {"instance": "0" * 64}),
    ],
)
def test_a_changed_outcome_is_rejected(code, changes):
    """Every number and name an outcome carries is checked; the honest one passes."""
    instance = an_instance([a_seeker(budgets=BUDGETS, own_contribution_cents_max=500)], [a_session()])
    honest = broken_outcome(an_outcome(instance, ONE), **PAID, instance=fingerprint(instance))
    assert audit(instance, honest) == []
    assert code in {v.code for v in audit(instance, broken_outcome(honest, **changes))}


def test_a_missing_wish_is_noticed():
    """An outcome that forgets a wish is rejected."""
    instance = an_instance([a_seeker(), a_seeker("f2")], [a_session()])
    outcome = an_outcome(instance, ONE)
    assert audit(instance, outcome) == []
    assert {v.code for v in audit(instance, broken_outcome(outcome, unplaced=[]))} == {"unplaced"}


def test_what_is_fixed_stays():
    """Leaving out a fixed placement is a violation; keeping it is none."""
    instance = an_instance([a_seeker()], [a_session()], fixed=[["f1", "w1", "s1"]])
    assert audit(instance, an_outcome(instance, ONE)) == []
    assert {v.code for v in audit(instance, an_outcome(instance, []))} == {"fixed"}


PROMISES = {
    "travel": (
        a_seeker("f2", travel_minutes_max={"car": 5}),
        {"kind": "travel", "mode": "car", "minutes": 12},
        {"kind": "travel", "mode": "car", "minutes": 6},
    ),
    "day_parts": (
        a_seeker("f2", persons=[a_person("f2a", availability=MORNING_MASK)]),
        {"kind": "day_parts", "day_parts": [2]},
        {"kind": "day_parts", "day_parts": [1]},
    ),
    "unblock": (
        a_seeker("f2", persons=[a_person("f2a", blocked=[MONDAY_EVENING])]),
        {"kind": "unblock"},
        {"kind": "own_sitter"},
    ),
    "money": (
        a_seeker("f2", budgets=[]),
        {"kind": "money", "cents": 4_500},
        {"kind": "money", "cents": 4_499},
    ),
    "own_sitter": (
        a_seeker("f2", childcare={"a0_3": 1}, childcare_need="needs_place"),
        {"kind": "own_sitter"},
        {"kind": "unblock"},
    ),
    "max_placements": (
        a_seeker("f2", max_placements=0),
        {"kind": "max_placements", "max_placements": 1},
        {"kind": "online"},
    ),
}


@pytest.mark.parametrize("kind", PROMISES)
def test_a_promise_is_true_or_found_out(kind):
    """A change that helps is accepted; one that is just too little is a violation."""
    seeker, enough, too_little = PROMISES[kind]
    instance = an_instance([a_seeker(), seeker], [a_session()])
    for change, codes in ((enough, set()), (too_little, {"would_have_helped"})):
        unplaced = [{"seeker": "f2", "wish": "w1", "would_have_helped": [{"change": change, "session": "s1"}]}]
        outcome = an_outcome(instance, ONE, unplaced=unplaced)
        assert {v.code for v in audit(instance, outcome)} == codes


def test_a_promise_takes_nobodys_place():
    """No change helps into a session that is full."""
    instance = an_instance([a_seeker(), a_seeker("f2", online_ok=False)], [a_session(pc4=None, seats_max=1)])
    promise = [{"change": {"kind": "online"}, "session": "s1"}]
    outcome = an_outcome(instance, ONE, unplaced=[{"seeker": "f2", "wish": "w1", "would_have_helped": promise}])
    assert {v.code for v in audit(instance, outcome)} == {"would_have_helped"}


def test_a_promise_beside_the_own_partner_needs_no_second_place_for_the_children():
    """One parent has a place there and the children too: for the other, one more placement is enough, a sitter not."""
    family = a_seeker(
        persons=[a_person("f1a"), a_person("f1b")],
        wishes=[a_wish("w1", persons=["f1a"]), a_wish("w2", persons=["f1b"])],
        childcare={"a4_8": 2},
        childcare_need="needs_place",
        max_placements=1,
    )
    instance = an_instance([family], [a_session(childcare_places={"a4_8": 2})])
    for change, codes in (
        ({"kind": "max_placements", "max_placements": 2}, set()),
        ({"kind": "own_sitter"}, {"would_have_helped"}),
    ):
        unplaced = [{"seeker": "f1", "wish": "w2", "would_have_helped": [{"change": change, "session": "s1"}]}]
        outcome = an_outcome(instance, ONE, unplaced=unplaced)
        assert {v.code for v in audit(instance, outcome)} == codes


def test_a_sitter_counts_for_the_whole_family():
    """A family that is in the room against the rule for childcare: a sitter for its other wish mends that too."""
    family = a_seeker(
        persons=[a_person("f1a"), a_person("f1b")],
        wishes=[a_wish("w1", persons=["f1a"]), a_wish("w2", persons=["f1b"])],
        childcare={"a4_8": 2},
        childcare_need="needs_place",
    )
    instance = an_instance([family], [a_session()])
    for kind, codes in (("own_sitter", {"childcare"}), ("unblock", {"childcare", "would_have_helped"})):
        promise = [{"change": {"kind": kind}, "session": "s1"}]
        outcome = an_outcome(instance, ONE, unplaced=[{"seeker": "f1", "wish": "w2", "would_have_helped": promise}])
        assert {v.code for v in audit(instance, outcome)} == codes


CHANGES = (
    {"kind": "travel", "mode": "walk", "minutes": 300},
    {"kind": "online"},
    {"kind": "day_parts", "day_parts": [0, 2, 5]},
    {"kind": "unblock"},
    {"kind": "money", "cents": 100},
    {"kind": "max_placements", "max_placements": 3},
    {"kind": "own_sitter"},
)


def a_promise_among_others(dice):
    """An instance, up to three placements in it that may break anything, and one wanted placement of another wish."""
    instance = instance_from(a_random_instance(dice) | {"fixed": []})
    triples = [Placed(u.id, w.id, s.id) for u in instance.seekers for w in u.wishes for s in instance.sessions]
    wanted = dice.choice(triples)
    others = {t[:2]: t for t in dice.sample(triples, min(3, len(triples))) if t[:2] != wanted[:2]}
    return instance, list(others.values()), wanted


def obstacles_as_said(instance, changed, placements, wanted):
    """By the plain rules: what stands in the way of the last placement when the instance says what was changed."""
    seekers = [changed if seeker.id == changed.id else seeker for seeker in instance.seekers]
    rules = Rulebook.of(msgspec.structs.replace(instance, seekers=seekers))
    together = [*placements, wanted]
    return [
        *rules.of_placement(wanted),
        *rules.of_seeker(wanted.seeker, [t for t in together if t.seeker == wanted.seeker]),
        *rules.of_session(wanted.session, [t for t in together if t.session == wanted.session]),
    ]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change["kind"])
def test_a_promise_is_checked_as_if_the_instance_had_said_it(change):
    """The quick check of a promise finds what the plain rules find in an instance with the change written in."""
    dice, broken, kept = Random(3), 0, 0  # noqa: S311 - the same instances every time
    for _ in range(200):
        instance, others, wanted = a_promise_among_others(dice)
        promise = {"change": change, "session": wanted.session}
        unplaced = [{"seeker": wanted.seeker, "wish": wanted.wish, "would_have_helped": [promise]}]
        outcome = an_outcome(instance, others, unplaced=unplaced)
        rules = Rulebook.of(instance)
        changed = applied(outcome.unplaced[0].would_have_helped[0].change, rules, wanted)
        expected = obstacles_as_said(instance, changed, others, wanted)[:1]
        found = [v.message for v in audit(instance, outcome) if v.code == "would_have_helped"]
        assert found == [f"it still breaks {breach.code}: {breach.message}" for breach in expected]
        assert rules.with_seeker(changed).cards[wanted.seeker] == SeekerCard.of(changed)
        broken, kept = broken + len(expected), kept + (not expected)
    assert broken > 20
    assert kept > 2


def test_every_other_check_is_tested():
    """The codes above are all the codes there are."""
    tested = {
        "other_instance", "unknown_id", "persons_apart", "fixed", "payment_earmark", "payment_expired",
        "payment_overspent", "payment_sum", "own_contribution", "score_placement", "score_total", "bound", "gap",
        "session_report", "unplaced", "would_have_helped",
    }  # fmt: skip
    assert tested == set(OUTCOME_CODES)
