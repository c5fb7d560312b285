"""Unsound files are refused with the place of the mistake; sound ones, however empty, are read."""

import gc
import json
from copy import deepcopy
from random import Random

import msgspec
import pytest

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Instance, _read_directly, fingerprint, instance_from, read_instance, to_json
from leerbudget.matcher.outcome import outcome_from, read_outcome
from leerbudget.matcher.solving import Limits, solve
from matcher.small import MONDAY_EVENING, a_person, a_seeker, a_session, a_wish, an_instance, an_outcome, plain
from matcher.tiny import a_random_instance

HUGE = 10**30
NAN = float("nan")
LATE_IN_IT = ["2027-03-01T21:29+01:00", "2027-03-01T22:00+01:00"]
WRITTEN = (
    str,
    lambda moment: moment.replace("+01:00", ":00+01:00"),
    lambda moment: moment.replace("+01:00", "+0100"),
    lambda moment: moment.replace("T", " "),
    lambda moment: moment.replace("-", "").replace(":", ""),
)
"""Ways in which people and programs write the same moment."""


def changed(path, value):
    """A sound file with one place changed; a path such as `seekers.0.id`."""
    data = deepcopy(plain([a_seeker(), a_seeker("f2")], [a_session(), a_session("s2")]))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target = data
    for step in way:
        target = target[step]
    if isinstance(target, list) and last == len(target):
        target.append(value)
    else:
        target[last] = value
    return data


# where the mistake is made, what is put there, and where the refusal says it is
MISTAKES = [
    ("format", "leerbudget-instance/2", "$.format"),
    ("format", "leerbudget-outcome/1", "$.format"),
    ("format", 1, "$.format"),
    ("format", None, "$.format"),
    ("surprise", 1, "$"),
    ("seekers.0.surprise", 1, "$.seekers[0]"),
    ("seekers.1.id", "f1", "$.seekers[1].id"),
    ("seekers.0.id", "", "$.seekers[0].id"),
    ("seekers.0.id", "f\x001", "$.seekers[0].id"),
    ("seekers.0.id", "x" * 201, "$.seekers[0].id"),
    ("seekers.0.id", 7, "$.seekers[0].id"),
    ("seekers.0.persons.0.availability", "1" * 20, "$.seekers[0].persons[0].availability"),
    ("seekers.0.persons.0.party", "neighbours", "$.seekers[0].persons[0].party"),
    (
        "seekers.0.persons.0.blocked",
        [["2027-03-01T19:00", "2027-03-01T21:00"]],
        "$.seekers[0].persons[0].blocked[0][0]",
    ),
    ("seekers.0.persons.0.blocked", [MONDAY_EVENING[::-1]], "$.seekers[0].persons[0].blocked[0]"),
    ("seekers.0.persons", [], "$.seekers[0].persons"),
    ("seekers.0.pc4", "0000", "$.seekers[0].pc4"),
    ("seekers.0.pc4", "35\x0011", "$.seekers[0].pc4"),
    ("seekers.0.lat", 52.0, "$.seekers[0].lat"),
    ("seekers.0.travel_minutes_max", {"rocket": 5}, "$.seekers[0].travel_minutes_max"),
    ("seekers.0.travel_minutes_max", {"car": -1}, "$.seekers[0].travel_minutes_max[...]"),
    ("seekers.0.travel_minutes_max", {"car": HUGE}, "$.seekers[0].travel_minutes_max[...]"),
    ("seekers.0.experience_years", NAN, "$.seekers[0].experience_years"),
    ("seekers.0.experience_years", -1, "$.seekers[0].experience_years"),
    ("seekers.0.family_type", "royal", "$.seekers[0].family_type"),
    ("seekers.0.budgets.0.available_cents", -1, "$.seekers[0].budgets[0].available_cents"),
    ("seekers.0.budgets.0.available_cents", 1.5, "$.seekers[0].budgets[0].available_cents"),
    ("seekers.0.budgets.0.available_cents", NAN, "$.seekers[0].budgets[0].available_cents"),
    ("seekers.0.budgets.0.available_cents", HUGE, "$.seekers[0].budgets[0].available_cents"),
    ("seekers.0.budgets.0.themes", ["cooking"], "$.seekers[0].budgets[0].themes[0]"),
    ("seekers.0.budgets.0.expires_on", "31-12-2027", "$.seekers[0].budgets[0].expires_on"),
    ("seekers.0.budgets.1", {"id": "b1", "available_cents": 1}, "$.seekers[0].budgets[1].id"),
    ("seekers.0.own_contribution_cents_max", -1, "$.seekers[0].own_contribution_cents_max"),
    ("seekers.0.wishes.0.persons", ["f2a"], "$.seekers[0].wishes[0].persons"),
    ("seekers.0.wishes.0.persons", [], "$.seekers[0].wishes[0].persons"),
    ("seekers.0.wishes.0.persons", ["f1a", "f1a"], "$.seekers[0].wishes[0].persons[1]"),
    ("seekers.0.wishes.0.persons", ["nobody"], "$.seekers[0].wishes[0].persons"),
    ("seekers.0.wishes.0.rank", 0, "$.seekers[0].wishes[0].rank"),
    ("seekers.0.wishes.0.theme", "cooking", "$.seekers[0].wishes[0].theme"),
    ("seekers.0.avoid", ["f1a"], "$.seekers[0].avoid"),
    ("seekers.0.professionals", ["f1"], "$.seekers[0].avoid"),
    ("seekers.1.persons.0.id", "f1a", "$.seekers[1].wishes[0].persons"),
    ("seekers.1.persons.1", a_person("f1a"), "$.seekers[1].persons[1].id"),
    ("seekers.1.persons.1", a_person("f1"), "$.seekers[1].persons[1].id"),
    ("sessions.1.id", "s1", "$.sessions[1].id"),
    ("sessions.0.seats_min", 3, "$.sessions[0].seats_min"),
    ("sessions.0.seats_taken", 3, "$.sessions[0].seats_taken"),
    ("sessions.0.seats_max", -1, "$.sessions[0].seats_max"),
    ("sessions.0.seats_min", -1, "$.sessions[0].seats_min"),
    ("sessions.0.seats_min", 1.5, "$.sessions[0].seats_min"),
    ("sessions.0.price_cents", -1, "$.sessions[0].price_cents"),
    ("sessions.0.price_cents", NAN, "$.sessions[0].price_cents"),
    ("sessions.0.price_cents", "45", "$.sessions[0].price_cents"),
    ("sessions.0.meetings", [["2027-03-01T19:00", "2027-03-01T21:30"]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [["soon", "later"]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [["2027-03-01T19:00+01:00", "9999-12-31T23:59+01:00"]], "$.sessions[0].meetings[0][1]"),
    ("sessions.0.meetings", [["2027-03-01T19:00+01:00", "2027-03-02T19:01+01:00"]], "$.sessions[0].meetings[0]"),
    ("sessions.0.meetings", [["2027-03-01T19:00:00.5+01:00", MONDAY_EVENING[1]]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [MONDAY_EVENING, MONDAY_EVENING], "$.sessions[0].meetings[1]"),
    ("sessions.0.meetings", [MONDAY_EVENING, LATE_IN_IT], "$.sessions[0].meetings[1]"),
    ("sessions.0.meetings", [LATE_IN_IT, MONDAY_EVENING], "$.sessions[0].meetings[0]"),
    ("sessions.0.meetings", [[1, 2]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [[None, None]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [["2027-03-01", "2027-03-02"]], "$.sessions[0].meetings[0][0]"),
    ("sessions.0.meetings", [MONDAY_EVENING[:1]], "$.sessions[0].meetings[0]"),
    ("sessions.0.audience", {"family_type": {"crisis": "for"}}, "$.sessions[0].audience.family_type"),
    ("sessions.0.audience", {"shoe_size": {}}, "$.sessions[0].audience"),
    ("sessions.0.parties", {"foster_parents": [3, 2]}, "$.sessions[0].parties.foster_parents"),
    ("sessions.0.parties", {"foster_parents": [3, 4]}, "$.sessions[0].parties"),
    ("sessions.0.parties_taken", {"parents": 1}, "$.sessions[0].parties_taken"),
    ("sessions.0.people", ["t1", "t1"], "$.sessions[0].people[1]"),
    ("sessions.0.lat", NAN, "$.sessions[0].lat"),
    ("policy.weights", {"charm": 1}, "$.policy.weights.charm"),
    ("policy.weights", {"travel": -1}, "$.policy.weights[...]"),
    ("fixed", [["f1", "w1", "s9"]], "$.fixed[0]"),
    ("fixed", [["f1", "w9", "s1"]], "$.fixed[0]"),
    ("fixed", [["f9", "w1", "s1"]], "$.fixed[0]"),
    ("fixed", [["f1", "w1", "s1"], ["f2", "w9", "s1"]], "$.fixed[1]"),
    ("fixed", [["f1", "w1", "s1"], ["f1", "w1", "s1"]], "$.fixed[1]"),
    ("fixed", [["f1", "w1", "s1"], ["f1", "w1", "s2"]], "$.fixed[1]"),
    ("forbidden", [["f9", "s1"]], "$.forbidden[0]"),
    ("forbidden", [["f1", "s9"]], "$.forbidden[0]"),
    ("forbidden", [["f1", "s1"], ["f1", "s1"]], "$.forbidden[1]"),
    ("candidates", [["f1", "w9", "s1", 1]], "$.candidates[0]"),
    ("candidates", [["f1", "w1", "s9", 1]], "$.candidates[0]"),
    ("candidates", [["f1", "w1", "s1", 1], ["f9", "w1", "s1", 1]], "$.candidates[1]"),
    ("candidates", [["f1", "w1", "s1"]], "$.candidates[0]"),
    ("candidates", [["f1", "w1", "s1", 0.5]], "$.candidates[0][3]"),
    ("candidates", [["f1", "w1", "s1", NAN]], "$.candidates[0][3]"),
    ("candidates", [["f1", "w1", "s1", HUGE]], "$.candidates[0][3]"),
    ("candidates", [["f1", "w1", "s1", 1], ["f1", "w1", "s1", 2]], "$.candidates[1]"),
]


@pytest.mark.parametrize(("path", "value", "place"), MISTAKES)
def test_an_unsound_instance_is_refused_at_its_place(path, value, place):
    """One mistake, one refusal that says where it is; the same whether plain values or the bytes of a file come in."""
    with pytest.raises(InstanceRefused) as refused:
        instance_from(changed(path, value))
    assert refused.value.path == place
    in_a_file = json.dumps(changed(path, value)).encode()
    with pytest.raises(InstanceRefused) as refused_file:
        read_instance(in_a_file)
    is_json = not any(word in in_a_file for word in (b"NaN", b"Infinity"))
    assert str(refused_file.value) == str(refused.value) if is_json else refused_file.value.path == "$"


def test_a_mistake_is_a_mistake():
    """The file in which the mistakes are made is sound without them, so that each refusal is about its own."""
    assert isinstance(instance_from(changed("seekers.0.online_ok", value=True)), Instance)


def test_the_quick_way_and_the_way_with_places_read_the_same():
    """Random files with moments written in many ways: both ways of reading give the same instance, or both refuse."""
    dice = Random(8)  # noqa: S311 - the same files every time
    quick = 0
    for _ in range(150):
        data = a_random_instance(dice)
        for session in data["sessions"]:
            session["meetings"] = [[dice.choice(WRITTEN)(moment) for moment in pair] for pair in session["meetings"]]
        found = _read_directly(json.dumps(data).encode())
        try:
            slow = instance_from(data)
        except InstanceRefused:
            with pytest.raises(InstanceRefused):
                read_instance(json.dumps(data).encode())
            continue
        assert found == slow == read_instance(json.dumps(data, indent=2).encode())
        quick += 1
    assert quick > 50


def test_an_id_may_look_like_a_moment():
    """A moment without seconds gets none in an id: ids are kept as they are written."""
    odd = "2027-03-01T19:00+01:00"
    seekers = [a_seeker(odd, avoid=[odd + "x", "2027-03-01T21:30+01:00"]), a_seeker("f2", avoid=MONDAY_EVENING)]
    data = plain(seekers, [a_session(odd)], forbidden=[[odd, odd]])
    instance = read_instance(json.dumps(data).encode())
    assert instance.forbidden == [(odd, odd)]
    assert instance.seekers[1].avoid == MONDAY_EVENING
    assert instance.sessions[0].meetings[0][0].isoformat() == "2027-03-01T19:00:00+01:00"


def test_reading_leaves_the_collector_as_it_was():
    """Reading pauses Python's search for cycles; afterwards it runs again, also after a refusal, unless it was off."""
    sound = json.dumps(plain([a_seeker()], [a_session()])).encode()
    assert gc.isenabled()
    read_instance(sound)
    with pytest.raises(InstanceRefused):
        read_instance(b"{}")
    assert gc.isenabled()
    gc.disable()
    try:
        read_instance(sound)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"x"', b"[" * 50_000, b'{"format": NaN}', b"{}\x00"]
)
def test_what_is_no_json_object_is_refused(data):
    """Bytes that are no instance never give anything but a refusal."""
    for read in (read_instance, read_outcome):
        with pytest.raises(InstanceRefused):
            read(data)


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("travel", {"sessions": [a_session(pc4="9711")]}),
        ("forbidden", {"forbidden": [["f1", "s1"]]}),
        ("money", {"sessions": [a_session(price_cents=50_001)]}),
        ("not_for", {"sessions": [a_session(audience={"family_type": {"kinship": "not_for"}})]}),
        ("capacity", {"sessions": [a_session(seats_taken=2)]}),
        ("max_placements", {"policy": {"max_placements": 0}}),
    ],
)
def test_fixed_may_not_break_a_hard_rule(what, facts):
    """A fixed placement that breaks a rule is refused by the rule's name; the same without that is accepted."""
    seekers, fixed = [a_seeker(family_type="kinship")], [["f1", "w1", "s1"]]
    an_instance(seekers, [a_session()], fixed=fixed)
    data = plain(seekers, [a_session()], fixed=fixed) | facts
    with pytest.raises(InstanceRefused, match=what) as refused:
        instance_from(data)
    assert refused.value.path == "$.fixed[0]"


def test_fixed_may_wait_for_company():
    """A minimum that is not yet met is no contradiction: others may still come."""
    an_instance([a_seeker()], [a_session(seats_min=5, seats_max=9)], fixed=[["f1", "w1", "s1"]])


def test_empty_is_sound():
    """No seekers, no sessions, no wishes, no meetings and no candidates are all legal."""
    an_instance([], [])
    an_instance([a_seeker(wishes=[])], [a_session(meetings=[], seats_min=0, seats_max=0)], candidates=[])


ANYTHING = a_seeker(wishes=[a_wish("w1"), a_wish("w2", theme="attachment")])


@pytest.mark.parametrize(
    ("seekers", "sessions", "facts"),
    [
        ([], [], {}),
        ([], [a_session()], {}),
        ([a_seeker(wishes=[])], [a_session()], {}),
        ([ANYTHING], [], {}),
        ([ANYTHING], [a_session()], {"candidates": []}),
        ([ANYTHING], [a_session(theme="grief_loss")], {}),
        ([ANYTHING], [a_session(seats_min=0, seats_max=0)], {}),
        ([ANYTHING], [a_session(seats_min=2)], {}),
        ([ANYTHING], [a_session()], {"policy": {"max_placements": 0}}),
        ([ANYTHING], [a_session()], {"forbidden": [["f1", "s1"]]}),
    ],
)
def test_what_cannot_be_matched_gets_an_empty_outcome_with_reasons(seekers, sessions, facts):
    """Nobody, nothing or no candidate: legal, so solved; nobody is placed and every wish is told why."""
    outcome = solve(read_instance(json.dumps(plain(seekers, sessions, **facts)).encode()), Limits(seconds=5))
    wishes = [(seeker["id"], wish["id"]) for seeker in seekers for wish in seeker["wishes"]]
    assert (outcome.placements, outcome.score, outcome.bound, outcome.gap) == ([], 0, 0, 0.0)
    assert [(u.seeker, u.wish) for u in outcome.unplaced] == wishes
    assert all(u.reasons and all(reason.sentence for reason in u.reasons) for u in outcome.unplaced)
    assert [report.seats for report in outcome.sessions] == [0] * len(sessions)


def test_reading_does_not_change_the_file_in_memory():
    """The plain values that were handed in stay as they were."""
    data = plain([a_seeker(persons=[a_person("f1a", blocked=[MONDAY_EVENING])])], [a_session()])
    before = deepcopy(data)
    instance_from(data)
    assert data == before


def test_the_fingerprint_follows_the_content():
    """The layout of a file does not matter, its content does."""
    one = an_instance([a_seeker()], [a_session()])
    same = read_instance(msgspec.json.format(to_json(one), indent=3))
    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(an_instance([a_seeker()], [a_session(seats_max=3)]))


PLACEMENT = {"seeker": "f1", "wish": "w1", "session": "s1", "persons": ["f1a"], "score": 1}


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("format", "x", "$.format"),
        ("format", "leerbudget-outcome/2", "$.format"),
        ("format", "leerbudget-instance/1", "$.format"),
        ("score", 1.5, "$.score"),
        ("score", HUGE, "$.score"),
        ("gap", "none", "$.gap"),
        ("surprise", 1, "$"),
        ("gap", None, "$.gap"),
        ("bound", "NaN", "$.bound"),
        ("placements", [{"seeker": "f1"}], "$.placements[0]"),
        ("placements", [PLACEMENT | {"payment": [["b1", -1]]}], "$.placements[0].payment[0][1]"),
        ("placements", [PLACEMENT | {"payment": [["b1", 0]]}], "$.placements[0].payment[0][1]"),
        ("placements", [PLACEMENT | {"own_contribution_cents": -1}], "$.placements[0].own_contribution_cents"),
        ("placements", [PLACEMENT | {"score": NAN}], "$.placements[0].score"),
        ("sessions", [{"id": "s1", "runs": True, "seats": -1}], "$.sessions[0].seats"),
        ("unplaced", [{"seeker": "f1", "wish": "w1", "would_have_helped": [{"session": "s1", "change": {"kind": "pray"}}]}], "$.unplaced[0].would_have_helped[0].change.kind"),
    ],
)  # fmt: skip
def test_an_unsound_outcome_is_refused_at_its_place(path, value, place):
    """An outcome is read as strictly as an instance."""
    instance = an_instance([a_seeker(wishes=[a_wish()])], [a_session()])
    data = msgspec.to_builtins(an_outcome(instance, [])) | {path: value}
    with pytest.raises(InstanceRefused) as refused:
        outcome_from(data)
    assert refused.value.path == place
