"""The what-if is what a run with the extra gives, money goes by the published rule, and nobody can be found in it."""

from functools import cache
from random import Random

import msgspec
import pytest

from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher import radar_what_if
from leerbudget.matcher.contradictions import check
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import Placed
from leerbudget.matcher.instance import instance_from
from leerbudget.matcher.radar_cells import SMALLEST_CELL, told
from leerbudget.matcher.radar_extra import (
    ExtraChildcare,
    ExtraMoney,
    ExtraSeats,
    Rule,
    grants,
    with_extra,
    with_money,
)
from leerbudget.matcher.radar_what_if import estimate, what_if
from leerbudget.matcher.solving import Limits, solve
from leerbudget.matcher.vocabulary import Theme
from matcher.small import a_person, a_seeker, a_session, a_wish, an_instance, an_outcome, strings_of
from matcher.tiny import a_random_instance, a_random_seeker, a_random_session

LIMITS = Limits(seconds=60, gap=1e-3, seed=5)
EXACT = Limits(seconds=20, gap=0.0)


@cache
def a_round(seed):
    """A made-up round and its outcome."""
    instance = instance_from(generate_instance(families=400, sessions=36, seed=seed))
    return instance, solve(instance, LIMITS)


def a_poor_round(seed):
    """Random families with too little money, and the outcome of their round."""
    dice = Random(seed)  # noqa: S311 - a seed, no secret
    seekers = [a_random_seeker(dice, f"f{i}", "foster_parents") for i in range(10)]
    poor = [
        seeker | {"budgets": seeker["budgets"][:1], "own_contribution_cents_max": 0, "max_placements": 2}
        for seeker in seekers
    ]
    dear = [
        a_random_session(dice, f"s{i}") | {"price_cents": dice.choice((300, 700, 1500)), "seats_min": 0}
        for i in range(6)
    ]
    instance = an_instance(poor, dear)
    return instance, solve(instance, EXACT)


def served(instance, outcome):
    """Families with a place, professionals left out."""
    families = {s.id for s in instance.seekers if any(p.party == "foster_parents" for p in s.persons)}
    return {p.seeker for p in outcome.placements} & families


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "extra",
    [
        ExtraMoney(500_000),
        ExtraMoney(200_000, rule=Rule.EQUAL, themes=[Theme.BEHAVIOUR]),
        ExtraSeats(3),
        ExtraChildcare(4),
    ],
)
def test_the_answer_is_that_of_a_run_with_the_extra(seed, extra):
    """solve() on the changed instance, by itself and with the same seed, gives exactly the numbers of the answer."""
    instance, before = a_round(seed)
    found = what_if(instance, before, extra, LIMITS)
    changed = with_extra(instance, before, extra)
    after = solve(changed, LIMITS)
    more = len(served(instance, after)) - len(served(instance, before))
    own = {(s.id, b.id) for s in instance.seekers for b in s.budgets}
    paid = [(p.seeker, c) for p in after.placements for b, c in p.payment if (p.seeker, b) not in own]
    assert found.before.families == len(served(instance, before))
    assert found.before.placements == len(before.placements)
    assert found.extra_families == told(more)
    if told(more) is not None:
        assert found.after.families == len(served(instance, after))
    if told(len({seeker for seeker, _ in paid})) is not None:
        assert found.cents_used == sum(cents for _, cents in paid)
        assert found.cents_per_extra_family == (
            -(-found.cents_used // more) if paid and told(more) and more > 0 else None
        )
    assert (found.gap_before, found.gap_after, found.seed) == (before.gap, after.gap, after.seed)
    assert found.extra == extra


def test_the_extra_helps_somebody():
    """The runs above compare something: with € 5,000 more, families get a place."""
    instance, before = a_round(1)
    found = what_if(instance, before, ExtraMoney(500_000), LIMITS)
    assert found.extra_families >= SMALLEST_CELL
    assert found.extra_families > found.chance_families
    assert 0 < found.cents_used <= found.cents_given <= 500_000
    assert found.cents_given + found.cents_left == 500_000


def test_nobody_gets_more_than_is_missing_and_the_money_never_runs_over():
    """Smallest first within each handing out, never over the amount, one grant per family, only in the region."""
    for seed in range(40):
        instance, outcome = a_poor_round(seed)
        for cents in (0, 400, 1_500, 100_000):
            given = grants(instance, outcome, ExtraMoney(cents, "35"))
            homes = {s.id: s.pc4 for s in instance.seekers}
            assert sum(grant.cents for grant in given) <= cents
            assert len({grant.seeker for grant in given}) == len(given)
            assert all(homes[grant.seeker].startswith("35") for grant in given)
            assert not {grant.seeker for grant in given} & {p.seeker for p in outcome.placements}
            for sure in (True, False):
                order = [grant.cents for grant in given if grant.sure is sure]
                assert order == sorted(order)
                assert 0 not in order
            assert [grant.sure for grant in given] == sorted((grant.sure for grant in given), reverse=True)


def test_for_a_sure_grant_a_seat_is_free_and_a_cent_less_is_too_little():
    """An exact solver seats all sure grants at once, everybody else where they are; a cent less seats the first not."""
    granted = 0
    for seed in range(40):
        instance, outcome = a_poor_round(seed)
        given = [grant for grant in grants(instance, outcome, ExtraMoney(100_000)) if grant.sure]
        granted += len(given)
        names = [grant.seeker for grant in given]
        assert seated(with_money(instance, outcome, ExtraMoney(100_000)), outcome, names) == len(given), seed
        for grant in given[:1]:
            cheap = with_own_money(instance, grant.seeker, grant.cents - 1)
            nothing = with_own_money(instance, grant.seeker, 0)
            assert seated(cheap, outcome, names[:1]) == seated(nothing, outcome, names[:1]), seed
    assert granted >= 40


def with_own_money(instance, family, cents):
    """The instance in which a family pays so much itself."""
    seekers = [
        msgspec.structs.replace(s, own_contribution_cents_max=cents) if s.id == family else s for s in instance.seekers
    ]
    return msgspec.structs.replace(instance, seekers=seekers)


def seated(instance, outcome, families):
    """How many of these families an exact solver seats beside all placements of the outcome."""
    have = [Placed(p.seeker, p.wish, p.session) for p in outcome.placements]
    pairs = [
        (s.id, w.id, o.id, 1)
        for s in instance.seekers
        if s.id in families
        for w in s.wishes
        for o in instance.sessions
        if o.theme == w.theme
    ]
    one = [msgspec.structs.replace(s, max_placements=1) if s.id in families else s for s in instance.seekers]
    question = msgspec.structs.replace(instance, seekers=one, fixed=have, candidates=[*((*p, 0) for p in have), *pairs])
    return solve(question, EXACT).score


def short_of(cents, name, **facts):
    """A family that lacks so many cents for the session of € 45."""
    budget = {"id": "b1", "available_cents": 4_500 - cents, "themes": None, "expires_on": None}
    return a_seeker(name, [a_person(f"{name}a")], budgets=[budget], **facts)


def test_smallest_shortage_first_then_who_waited_longest():
    """€ 10 for shortages of 3, 8, 6 and 3 euros, one of whom waited: the two of 3 first, who waited before who did not."""
    families = [short_of(300, "f1"), short_of(800, "f2"), short_of(600, "f3"), short_of(300, "f4", waiting_rounds=1)]
    instance = an_instance(families, [a_session(seats_max=9, seats_min=0)])
    given = grants(instance, an_outcome(instance, []), ExtraMoney(1_000))
    assert [(g.seeker, g.cents, g.sure) for g in given] == [("f4", 300, True), ("f1", 300, True)]
    assert [g.seeker for g in grants(instance, an_outcome(instance, []), ExtraMoney(1_200))] == ["f4", "f1", "f3"]


def test_a_free_seat_goes_before_a_smaller_shortage():
    """Who lacks more but has a seat waiting is first; who could only stand in line is second."""
    families = [short_of(100, "f1", wishes=[a_wish(theme="attachment")]), short_of(900, "f2"), a_seeker("f3")]
    sessions = [a_session("s1"), a_session("s2", theme="attachment", seats_min=2)]
    instance = an_instance(families, sessions)
    given = grants(instance, an_outcome(instance, [("f3", "w1", "s1")]), ExtraMoney(1_000))
    assert [(g.seeker, g.sure) for g in given] == [("f2", True), ("f1", False)]


@pytest.mark.parametrize(
    "facts",
    [
        {"max_placements": 0},
        {"travel_minutes_max": {}},
        {"pc4": "1012", "travel_minutes_max": {"car": 180}},
        {"wishes": [a_wish(theme="attachment")]},
    ],
)
def test_money_goes_only_where_money_is_what_is_missing(facts):
    """No place wanted, no way to get there, another region, another theme: nothing is handed out."""
    instance = an_instance([short_of(300, "f1", **facts)], [a_session(seats_min=0)])
    assert grants(instance, an_outcome(instance, []), ExtraMoney(10_000, "35", [Theme.TRAUMA])) == []


def test_an_equal_share_is_equal():
    """€ 10 for three families without a place is € 3.33 each; the last cent stays."""
    families = [short_of(300, f"f{i}") for i in range(4)]
    instance = an_instance([*families[:3], a_seeker("f9")], [a_session(seats_min=0)])
    outcome = an_outcome(instance, [("f9", "w1", "s1")])
    given = grants(instance, outcome, ExtraMoney(1_000, rule=Rule.EQUAL))
    assert [(g.seeker, g.cents) for g in given] == [("f0", 333), ("f1", 333), ("f2", 333)]


def test_the_changed_instance_is_sound_and_changes_nothing_else():
    """Whatever is added, the instance passes every check, and only budgets, seats or childcare places differ."""
    for seed in range(40):
        instance = instance_from(a_sound_instance(seed))
        outcome = solve(instance, EXACT)
        money = with_extra(instance, outcome, ExtraMoney(2_000, themes=[Theme.TRAUMA]))
        seats = with_extra(instance, outcome, ExtraSeats(2, "35"))
        care = with_extra(instance, outcome, ExtraChildcare(1))
        for changed in (money, seats, care):
            check(changed)
        assert (money.sessions, seats.seekers, care.seekers) == (instance.sessions, instance.seekers, instance.seekers)
        for old, now in zip(instance.seekers, money.seekers, strict=True):
            assert now.budgets[: len(old.budgets)] == old.budgets
            assert msgspec.structs.replace(now, budgets=old.budgets) == old
            assert all(budget.themes == [Theme.TRAUMA] for budget in now.budgets[len(old.budgets) :])
        for old, now in zip(instance.sessions, seats.sessions, strict=True):
            grows = old.parties is None and (old.pc4 or "").startswith("35")
            assert now.seats_max == old.seats_max + (2 if grows else 0)
        solve(money, EXACT)


def a_sound_instance(seed):
    """A random instance that is accepted; what is fixed is left out."""
    return a_random_instance(Random(seed)) | {"fixed": []}  # noqa: S311 - a seed, no secret


def test_the_estimate_is_never_more_than_what_is_possible():
    """Every family of the quick estimate gets a place in a run with the money, where runs are exact."""
    for seed in range(30):
        instance, before = a_poor_round(seed)
        sure = sum(grant.sure for grant in grants(instance, before, ExtraMoney(100_000)))
        after = solve(with_money(instance, before, ExtraMoney(100_000)), EXACT)
        assert len(served(instance, after)) >= len(served(instance, before)) + sure, seed


def test_an_outcome_of_another_instance_is_refused():
    """By its fingerprint, and without one by the ids it names."""
    _, outcome = a_round(1)
    other, _ = a_round(2)
    with pytest.raises(InstanceRefused, match="another instance"):
        what_if(other, outcome, ExtraMoney(1_000))
    small = an_instance([a_seeker()], [a_session()])
    with pytest.raises(InstanceRefused, match="placements"):
        estimate(small, msgspec.structs.replace(outcome, instance=None), ExtraMoney(1_000))


def numbers_of(value):
    """Every whole number in a struct with its field."""
    plain = msgspec.to_builtins(value)
    found = []
    for name, item in plain.items():
        found += numbers_of(item) if isinstance(item, dict) else [(name, item)]
    return found


def test_no_answer_tells_of_fewer_than_five_families(monkeypatch):
    """No id, and no count of families between one and four in any answer; nor the euros that went to so few."""
    hidden = 0
    for seed in range(12):
        instance, before = a_poor_round(seed)
        names = {n for s in instance.seekers for n in (s.id, *(p.id for p in s.persons), *(w.id for w in s.wishes))}
        found = what_if(instance, before, ExtraMoney(2_000), EXACT)
        quick = estimate(instance, before, ExtraMoney(2_000))
        assert not (strings_of(found) | strings_of(quick)) & names
        counts = {"families", "placements", "extra_families", "in_region", "topped_up", "estimated_families"}
        for name, number in [*numbers_of(found), *numbers_of(quick)]:
            if name in counts and number is not None:
                assert number == 0 or abs(number) >= SMALLEST_CELL
        assert all(abs(change) >= SMALLEST_CELL for change in found.regions.values())
        given = len(grants(instance, before, ExtraMoney(2_000)))
        hidden += 0 < given < SMALLEST_CELL
        if 0 < given < SMALLEST_CELL:
            assert found.cents_given is found.cents_left is found.cents_per_extra_family is quick.cents_given is None
    assert hidden >= 5


def test_hidden_after_small_change():
    """A change of fewer than five families hides the total after as well: the total before is known."""
    families = [short_of(300, f"f{i}") for i in range(3)] + [a_seeker(f"g{i}") for i in range(6)]
    instance = an_instance(families, [a_session(seats_max=9)])
    before = solve(instance, EXACT)
    found = what_if(instance, before, ExtraMoney(1_000), EXACT)
    assert (found.before.families, found.after.families, found.extra_families) == (6, None, None)
    assert (found.after.placements, found.cents_used, found.regions) == (None, None, {})


def test_professionals_are_no_families():
    """A professional who gets a place in a dialogue is not counted as a family that is served."""
    worker = a_seeker("v1", [a_person("v1a", party="guardian_workers")])
    families = [a_seeker(f"f{i}") for i in range(5)]
    instance = an_instance([worker, *families], [a_session(seats_max=9)])
    before = solve(instance, EXACT)
    assert len(before.placements) == 6
    found = radar_what_if.what_if(instance, before, ExtraMoney(0), EXACT)
    assert found.before.families == found.after.families == 5
    assert found.extra_families == 0
