"""The fairness table adds up, shows no small groups, and counts who could and who could not."""

from random import Random

import pytest
from msgspec.structs import replace

from leerbudget.fictional.instances import generate_instance
from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.baselines import first_come_first_served
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.fairness import COMPARED_FROM, fairness
from leerbudget.matcher.groups import SHOWN_FROM, dimensions, hidden, is_family, members, province
from leerbudget.matcher.instance import instance_from
from matcher.small import a_person, a_seeker, a_session, a_wish, an_instance, an_outcome
from matcher.test_baselines import readable
from matcher.tiny import a_random_instance

COUNTS = ("families", "with_wishes", "possible", "served", "placements")


def group(table, name):
    """The groups of one dimension."""
    return next(groups for groups in table.groups if groups.name == name)


def line(table, name, value):
    """One group."""
    return next(told for told in group(table, name).lines if told.value == value)


@pytest.fixture(scope="module")
def generated():
    """A generated round and its first-come outcome."""
    instance = instance_from(generate_instance(families=400, sessions=50, seed=4))
    return instance, first_come_first_served(instance, 1)


def test_groups_add_up_to_all_families(generated):
    """Where every family is in one group, the shown groups make the total, less what is hidden."""
    instance, outcome = generated
    table = fairness(instance, outcome)
    checked = 0
    for groups in table.groups:
        shown = [told for told in groups.lines if not told.hidden]
        for count in COUNTS:
            together, total = sum(getattr(told, count) for told in shown), getattr(table.families, count)
            if groups.once:
                assert together <= total
                if len(shown) == len(groups.lines):
                    assert together == total
                    checked += 1
            else:
                assert together >= total
    assert checked >= 3 * len(COUNTS)


def test_totals_are_counted_again_by_hand(generated):
    """Families, wishes, served, placements, rank and points, counted one by one from the files."""
    instance, outcome = generated
    seekers = {seeker.id: seeker for seeker in instance.seekers}
    mine = [p for p in outcome.placements if is_family(seekers[p.seeker])]
    ranks = [next(w.rank for w in seekers[p.seeker].wishes if w.id == p.wish) for p in mine]
    families = fairness(instance, outcome).families
    assert families.families == 400
    assert families.with_wishes == sum(bool(s.wishes) for s in instance.seekers if is_family(s))
    assert (families.served, families.placements) == (len({p.seeker for p in mine}), len(mine))
    assert families.mean_rank == round(sum(ranks) / len(ranks), 2)
    assert families.mean_score == round(sum(p.score for p in mine) / len(mine), 1)
    assert families.served <= families.possible <= families.with_wishes
    assert families.share_served == round(families.served / families.with_wishes, 4)


def test_online_has_no_travel():
    """Minutes are an average over the placements that one travels to."""
    seekers = [a_seeker(f"f{i}", wishes=[a_wish(theme="grief_loss" if i < 5 else "trauma")]) for i in range(10)]
    sessions = [
        a_session(pc4=None, theme="grief_loss", seats_max=9),
        a_session("s2", pc4="3512", seats_max=9),
    ]
    near = an_instance(seekers, sessions)
    placements = [(f"f{i}", "w1", "s1" if i < 5 else "s2") for i in range(10)]
    mean = fairness(near, an_outcome(near, placements)).families.mean_travel_minutes
    alone = an_instance(seekers[5:], sessions)
    assert mean == fairness(alone, an_outcome(alone, placements[5:])).families.mean_travel_minutes
    assert mean > 0
    online = an_instance(seekers[:5], sessions)
    assert fairness(online, an_outcome(online, placements[:5])).families.mean_travel_minutes is None


def test_what_is_out_of_reach_is_not_the_rounds_doing():
    """A family without any possible session is counted with wishes, not as possible."""
    far = [a_seeker(f"far{i}", pc4="9712") for i in range(5)]
    near = [a_seeker(f"near{i}") for i in range(5)]
    instance = an_instance(far + near, [a_session(seats_max=9)])
    table = fairness(instance, an_outcome(instance, [(f"near{i}", "w1", "s1") for i in range(5)]))
    assert (table.families.with_wishes, table.families.possible, table.families.served) == (10, 5, 5)
    assert line(table, "region", "Groningen").share_served == 0.0
    assert line(table, "region", "Groningen").share_of_possible is None
    assert line(table, "region", "Utrecht").share_of_possible == 1.0


def test_small_groups_are_hidden_and_cannot_be_worked_out():
    """Four grandparents of twenty: their line is empty, and so is one more, or the total would tell."""
    kinds = ["kinship_grandparent"] * 4 + ["kinship"] * 6 + ["recruited"] * 10
    seekers = [a_seeker(f"f{i}", family_type=kind) for i, kind in enumerate(kinds)]
    instance = an_instance(seekers, [a_session(seats_max=20)])
    table = fairness(instance, an_outcome(instance, [("f0", "w1", "s1")]))
    told = {told.value: told for told in group(table, "family_type").lines}
    assert [value for value, of in told.items() if of.hidden] == ["kinship", "kinship_grandparent"]
    assert all(getattr(told["kinship_grandparent"], count) is None for count in (*COUNTS, "mean_rank", "share_served"))
    assert told["recruited"].families == 10


def test_no_average_tells_of_one_family():
    """With one served family there is a count but no average rank, minutes or points."""
    instance = an_instance([a_seeker(f"f{i}") for i in range(6)], [a_session()])
    families = fairness(instance, an_outcome(instance, [("f0", "w1", "s1")])).families
    assert families.served == 1
    assert (families.mean_rank, families.mean_travel_minutes, families.mean_score) == (None, None, None)


def test_hidden_groups_stay_hidden():
    """Whatever the sizes: no shown group is small, and the hidden ones together are none, or two and five or more."""
    dice, some_hidden = Random(1), 0  # noqa: S311 - made-up data, not secrets
    for _ in range(500):
        sizes = {str(i): dice.choice((1, 2, 3, 4, 5, 6, 20)) for i in range(dice.randint(1, 6))}
        unseen = hidden(sizes, once=True)
        assert all(size >= SHOWN_FROM for value, size in sizes.items() if value not in unseen)
        assert bool(unseen) == (min(sizes.values()) < SHOWN_FROM)
        if unseen and len(unseen) < len(sizes):
            some_hidden += 1
            assert len(unseen) >= 2
            assert sum(sizes[value] for value in unseen) >= SHOWN_FROM
    assert some_hidden >= 100


def test_the_spread_is_between_large_groups():
    """Forty families of two kinds count, a group of ten with the extreme does not; equal luck is told beside it."""
    kinds = ["recruited"] * 40 + ["kinship"] * 40 + ["kinship_grandparent"] * 10
    seekers = [a_seeker(f"f{i}", family_type=kind) for i, kind in enumerate(kinds)]
    instance = an_instance(seekers, [a_session(seats_max=90)])
    placements = [(f"f{i}", "w1", "s1") for i in range(90) if i < 30 or 40 <= i < 50 or i >= 80]
    spread = group(fairness(instance, an_outcome(instance, placements)), "family_type").spread
    assert (spread.least, spread.most, spread.difference) == ("kinship", "recruited", 0.5)
    assert 0 < spread.by_chance < 0.2
    assert COMPARED_FROM == 30


def test_professionals_are_no_families():
    """Who comes for another party is counted apart and in no group."""
    workers = [a_seeker(f"v{i}", persons=[a_person(f"v{i}a", party="guardian_workers")]) for i in range(5)]
    seekers = [a_seeker(f"f{i}") for i in range(6)] + workers
    instance = an_instance(seekers, [a_session(seats_max=20)])
    table = fairness(instance, an_outcome(instance, [("v0", "w1", "s1")]))
    assert (table.families.families, table.families.served) == (6, 0)
    assert (table.others.families, table.others.served) == (5, 1)
    assert all(sum(told.families or 0 for told in groups.lines) <= 6 for groups in table.groups)


def test_every_family_is_somewhere_in_every_dimension():
    """No value of the closed lists is forgotten; what is not stated is its own group."""
    for seed in range(30):
        instance = readable(a_random_instance(Random(seed)))  # noqa: S311 - made-up data
        families = {row for row, seeker in enumerate(instance.seekers) if is_family(seeker)}
        for dimension in dimensions():
            groups = members(instance, dimension)
            assert {row for rows in groups.values() for row in rows} == families
            assert not dimension.once or sum(map(len, groups.values())) == len(families)
            assert all(dimension.label(value) for value in groups)


def test_a_home_in_degrees_has_the_province_of_the_nearest_postcode():
    """Degrees a few hundred metres from a postcode's centre fall in its province; no home is unknown."""
    for digits in ("3511", "9712", "4331", "1791", "6211"):
        place = all_places()[digits]
        seeker = an_instance([a_seeker(pc4=None, lat=place.lat + 0.001, lon=place.lon)], []).seekers[0]
        assert province(seeker) == place.province
    assert province(an_instance([a_seeker(pc4=None)], []).seekers[0]) == "unknown"


def test_an_outcome_of_another_round_is_refused():
    """A fingerprint of another instance, or an unknown session, is refused with its place in the file."""
    instance = an_instance([a_seeker()], [a_session()])
    outcome = an_outcome(instance, [("f1", "w1", "s1")])
    with pytest.raises(InstanceRefused, match=r"\$\.instance"):
        fairness(instance, replace(outcome, instance="0" * 64))
    elsewhere = replace(outcome, placements=[replace(outcome.placements[0], session="s9")])
    with pytest.raises(InstanceRefused, match=r"\$\.placements\[0\]"):
        fairness(instance, elsewhere)
