"""What is in the way of a pair, in bulk, is what the plain rules say one pair at a time; and promises are kept."""

from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
import numpy as np

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher import obstacles
from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.audit import audit
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.day_parts import day_parts_of, mask_of
from leerbudget.matcher.engine.model import problem_of
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.explain import unplaced_wishes
from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook, by_seeker, by_session
from leerbudget.matcher.instance import instance_from
from leerbudget.matcher.obstacles import NOTHING, RULES, looks
from leerbudget.matcher.outcome import FreeDayParts, PayMore, TravelFarther
from leerbudget.matcher.promises import HELPED_MAX, KINDS
from leerbudget.matcher.reasons import DEPTH, REASON_OF_RULE
from leerbudget.matcher.standing import Standing
from matcher.small import a_person, a_seeker, a_session, a_wish, an_instance, an_outcome
from matcher.tiny import a_random_instance

SEEDS = 160
KIND_OF = {
    "FreeBlocked": "blocked",
    "FreeDayParts": "day_part",
    "TravelFarther": "travel",
    "AcceptOnline": "online",
    "ArrangeSitter": "childcare",
    "MorePlacements": "max_placements",
    "PayMore": "money",
}


def some_instances(count=SEEDS):
    """Random tiny instances that no rule of the format refuses, and how to draw further."""
    for seed in range(count):
        dice = Random(seed)  # noqa: S311 - made-up data, not secrets
        plain = a_random_instance(dice)
        pairs = [(seeker["id"], session["id"]) for seeker in plain["seekers"] for session in plain["sessions"]]
        plain["forbidden"] = sorted({*map(tuple, plain["forbidden"]), dice.choice(pairs)})
        for session in plain["sessions"]:
            if session["parties"] and dice.random() < 0.3:
                del session["parties"]["guardian_workers"]
        try:
            yield dice, instance_from(plain)
        except InstanceRefused:
            continue


def an_arbitrary_plan(dice, instance, rules):
    """Placements in an arbitrary order, each taken when nothing forbids it; groups that stay too small go."""
    chosen, triples = [], possible(instance)
    dice.shuffle(triples)
    for placed in triples:
        mine = [one for one in chosen if one.seeker == placed.seeker]
        group = [one for one in chosen if one.session == placed.session]
        codes = {breach.code for breach in rules.of_placement(placed)}
        codes |= {breach.code for breach in rules.of_seeker(placed.seeker, [*mine, placed])}
        codes |= {breach.code for breach in rules.of_session(placed.session, [*group, placed])}
        if codes <= NEEDS_COMPANY and dice.random() < 0.7:
            chosen.append(placed)
    small = {s for s, group in by_session(chosen).items() if list(rules.of_session(s, group))}
    return [placed for placed in chosen if placed.session not in small]


def possible(instance):
    """Every wish with every session of its theme, or what the instance names for it."""
    if instance.candidates is not None:
        return [Placed(*row[:3]) for row in instance.candidates]
    return [
        Placed(seeker.id, wish.id, session.id)
        for seeker in instance.seekers
        for wish in seeker.wishes
        for session in instance.sessions
        if session.theme is wish.theme
    ]


def in_the_way(rules, plan, placed):
    """By the plain rules: everything that adding one placement to the plan would break."""
    mine, group = by_seeker(plan).get(placed.seeker, []), by_session(plan).get(placed.session, [])
    breaches = [
        *rules.of_placement(placed),
        *rules.of_seeker(placed.seeker, [*mine, placed]),
        *rules.of_session(placed.session, [*group, placed]),
    ]
    session = rules.sessions[placed.session]
    people = session.seats_taken + sum(len(rules.persons(one)) for one in group)
    alive = people > 0 and rules.runs(placed.session, group)
    told = {"course_twice": "overlap", "party_min": "minimum", "party_spread": "party_max" if alive else "minimum"}
    return {told.get(breach.code, breach.code) for breach in breaches}


def standing_of(arrays, plan):
    """The plan in arrays."""
    wish = [arrays.wishes.row[placed.seeker, placed.wish] for placed in plan]
    session = [arrays.sessions.row[placed.session] for placed in plan]
    return Standing.of(arrays, np.array(wish, np.int64), np.array(session, np.int64))


def explained(instance, plan):
    """The unplaced wishes of a plan, and the plan as an outcome that tells them."""
    arrays = arrays_of(instance)
    table = candidates_of(arrays)
    number = {pair: row for row, pair in enumerate(zip(table.wish.tolist(), table.session.tolist(), strict=True))}
    rows = [number[arrays.wishes.row[p.seeker, p.wish], arrays.sessions.row[p.session]] for p in plan]
    unplaced = unplaced_wishes(problem_of(arrays, table), rows)
    return unplaced, msgspec.structs.replace(an_outcome(instance, plan), unplaced=unplaced)


def untrue(instance, outcome):
    """What the audit says of the promises and of the wishes that are told."""
    told = {"would_have_helped", "unplaced", "unknown_id"}
    return [violation for violation in audit(instance, outcome) if violation.code in told]


def open_wishes(arrays, plan):
    """The wishes that a plan leaves without a session."""
    served = {(placed.seeker, placed.wish) for placed in plan}
    return np.array([row for name, row in arrays.wishes.row.items() if name not in served], np.int64)


def test_the_rules_in_the_way_are_those_of_the_plain_rulebook():
    """Beside arbitrary plans: the same first rule for every pair, all the same rules and cents for those near."""
    alone, count = Counter(), 0
    for dice, instance in some_instances():
        count += 1
        rules, arrays = Rulebook.of(instance), arrays_of(instance)
        plan = an_arbitrary_plan(dice, instance, rules)
        served = {(placed.seeker, placed.wish) for placed in plan}
        left = {pair: in_the_way(rules, plan, pair) for pair in possible(instance) if pair[:2] not in served}
        name = {row: key for key, row in arrays.wishes.row.items()}
        for look in looks(standing_of(arrays, plan), open_wishes(arrays, plan)):
            near = {row: place for place, row in enumerate(look.near.rows.tolist())}
            for row, (wish, session) in enumerate(zip(look.wish.tolist(), look.session.tolist(), strict=True)):
                pair = Placed(*name[wish], arrays.sessions.ids[session])
                expected = left.pop(pair)
                assert look.first[row] == min(map(RULES.index, expected), default=NOTHING), (pair, expected)
                assert row in near or len(expected) > 1
                if row in near:
                    breaks = look.near.breaks[:, near[row]]
                    assert {rule for rule, broken in zip(RULES, breaks, strict=True) if broken} == expected, pair
                    mine = by_seeker(plan).get(pair.seeker, [])
                    missing = rules.missing_cents(rules.seekers[pair.seeker], [*mine, pair])
                    assert look.near.cents[near[row]] == missing
                alone.update(expected if len(expected) == 1 else [])
        assert left == {}
    assert set(alone) == set(RULES), "every rule stood in the way alone now and then"
    assert count > SEEDS / 2


def test_some_wishes_at_a_time_find_the_same(monkeypatch):
    """Looking at few pairs at once changes no answer."""
    for dice, instance in some_instances(40):
        plan = an_arbitrary_plan(dice, instance, Rulebook.of(instance))
        together, _ = explained(instance, plan)
        with monkeypatch.context() as patch:
            patch.setattr(obstacles, "PAIRS_AT_ONCE", 2)
            assert explained(instance, plan)[0] == together


def test_travel_is_the_same_without_a_table_of_minutes():
    """A round with too many places for a table gets the same answers, pair by pair."""
    for dice, instance in some_instances(40):
        plan = an_arbitrary_plan(dice, instance, Rulebook.of(instance))
        arrays = arrays_of(instance)
        assert arrays.minutes is not None
        for one in (arrays, replace(arrays, minutes=None)):
            found = [look.first.tolist() for look in looks(standing_of(one, plan), open_wishes(one, plan))]
            if one is arrays:
                expected = found
        assert found == expected


def test_children_of_a_family_are_counted_once():
    """A second wish of a family in the same room needs no second childcare place."""
    persons = [a_person("f1a"), a_person("f1b")]
    wishes = [a_wish("w1", persons=["f1a"]), a_wish("w2", persons=["f1b"])]
    needs = {"childcare": {"a0_3": 1}, "childcare_need": "needs_place"}
    family, other = a_seeker("f1", persons, wishes, **needs), a_seeker("f2", **needs)
    instance = an_instance([family, other], [a_session(seats_max=5, childcare_places={"a0_3": 1})])
    unplaced, _ = explained(instance, [Placed("f1", "w1", "s1")])
    assert [(one.wish, one.reasons[0].code) for one in unplaced] == [("w2", "not_better"), ("w1", "childcare_full")]


def test_every_promise_is_true_and_the_smallest():
    """The audit accepts all promises; each kind that could help is told, and a smaller change would not do."""
    kinds = Counter()
    for dice, instance in some_instances():
        rules = Rulebook.of(instance)
        plan = an_arbitrary_plan(dice, instance, rules)
        unplaced, outcome = explained(instance, plan)
        assert untrue(instance, outcome) == []
        for one in unplaced:
            told = [KIND_OF[type(helped.change).__name__] for helped in one.would_have_helped]
            assert told == kinds_that_help(rules, plan, one)
            kinds.update(told)
            for place, helped in enumerate(one.would_have_helped):
                less = smaller(helped.change)
                if less is not None:
                    assert untrue(instance, with_change(outcome, one, place, less)), (one, less)
            for helped in one.would_have_helped:
                assert measure(rules, plan, one, helped) == least(rules, plan, one, helped)
    assert set(kinds) == set(KINDS), "every kind of change was promised now and then"


def singles(rules, plan, unplaced, rule):
    """The sessions that only this rule keeps from a wish."""
    pairs = [Placed(unplaced.seeker, unplaced.wish, session) for session in rules.sessions]
    return [pair for pair in pairs if in_the_way(rules, plan, pair) == {rule}]


def kinds_that_help(rules, plan, unplaced):
    """By the plain rules: the first kinds of change that could help, at most three."""
    seeker = rules.seekers[unplaced.seeker]
    found = []
    for rule in KINDS:
        sessions = singles(rules, plan, unplaced, rule)
        if rule == "travel":
            sessions = sessions if seeker.travel_minutes_max and seeker.pc4 else []
        if rule == "max_placements" and seeker.max_placements >= rules.placements_max:
            sessions = []
        if sessions:
            found.append(rule)
    return found[:HELPED_MAX]


def smaller(change):
    """The same kind of change, a little less of it; None when there is no less."""
    match change:
        case TravelFarther(mode=mode, minutes=minutes):
            return TravelFarther(mode, minutes - 1)
        case PayMore(cents=cents) if cents > 1:
            return PayMore(cents - 1)
        case FreeDayParts(day_parts=parts):
            return FreeDayParts(parts[1:])
    return None


def with_change(outcome, unplaced, place, change):
    """The outcome with another change promised in one place."""
    helped = list(unplaced.would_have_helped)
    helped[place] = msgspec.structs.replace(helped[place], change=change)
    other = msgspec.structs.replace(unplaced, would_have_helped=helped)
    return msgspec.structs.replace(outcome, unplaced=[other if one == unplaced else one for one in outcome.unplaced])


def measure(rules, plan, unplaced, helped):
    """How large a promised change is, by what the plain rules say of its session."""
    return size(
        rules, plan, Placed(unplaced.seeker, unplaced.wish, helped.session), KIND_OF[type(helped.change).__name__]
    )


def least(rules, plan, unplaced, helped):
    """How large the smallest change of that kind is."""
    rule = KIND_OF[type(helped.change).__name__]
    return min(size(rules, plan, pair, rule) for pair in singles(rules, plan, unplaced, rule))


def a_place(pc4):
    """The point of a postcode."""
    place = place_of(pc4)
    return Point(place.lat, place.lon)


def size(rules, plan, pair, rule):
    """Cents, day-parts, or minutes beyond the limit in the mode that lacks least."""
    seeker, session = rules.seekers[pair.seeker], rules.sessions[pair.session]
    if rule == "money":
        return rules.missing_cents(seeker, [*by_seeker(plan).get(pair.seeker, []), pair])
    if rule == "day_part":
        lacking = 0
        for person in rules.persons(pair):
            for start, end in session.meetings:
                lacking |= day_parts_of(start, end) & ~mask_of(person.availability)
        return lacking.bit_count()
    if rule == "travel":
        minutes = travel_minutes(a_place(seeker.pc4), a_place(session.pc4))
        return min(minutes[mode] - limit for mode, limit in seeker.travel_minutes_max.items())
    return 0


def test_the_rules_are_in_the_order_of_their_reasons():
    """The first rule in the way is the reason that is farthest off."""
    depths = [DEPTH[REASON_OF_RULE[rule]] for rule in RULES]
    assert depths == sorted(depths)
    assert len(set(depths)) == len(RULES)
