"""Comparing two outcomes: nothing moves beside itself, every family is counted once, nobody is named."""

import msgspec
import pytest
from msgspec.structs import replace

from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher.baselines import deferred_acceptance, first_come_first_served
from leerbudget.matcher.compare import Fourfold, Moves, compare
from leerbudget.matcher.groups import is_family
from leerbudget.matcher.instance import instance_from
from matcher.small import a_seeker, a_session, a_wish, an_instance, an_outcome

TUESDAY_EVENING = ["2027-03-02T19:00+01:00", "2027-03-02T21:30+01:00"]


@pytest.fixture(scope="module")
def rounds():
    """A generated round with both baselines."""
    instance = instance_from(generate_instance(families=400, sessions=50, seed=4))
    return instance, first_come_first_served(instance, 1), deferred_acceptance(instance, 1)


def test_an_outcome_beside_itself_moves_nothing(rounds):
    """All placements are kept, nobody gains or loses, and both sides read the same."""
    instance, one, _ = rounds
    found = compare(instance, one, one)
    assert found.moves == Moves(len(one.placements), 0, 0, 0)
    assert (found.families.only_one, found.families.only_other) == (0, 0)
    assert found.one == found.other
    assert found.fairness_one == found.fairness_other
    for groups in found.changes:
        for told in groups.lines:
            assert not any((told.gains_place, told.loses_place, told.better, told.worse))


def test_everybody_is_counted_once(rounds):
    """The four counts make all families with a wish; placements of each side are kept, moved and its own."""
    instance, one, other = rounds
    found = compare(instance, one, other)
    wishing = [seeker for seeker in instance.seekers if seeker.wishes]
    assert sum(msgspec.structs.astuple(found.families)) == sum(map(is_family, wishing))
    assert sum(msgspec.structs.astuple(found.others)) == sum(not is_family(seeker) for seeker in wishing)
    moves = found.moves
    assert moves.kept + moves.moved + moves.lost == len(one.placements) == found.one.placements
    assert moves.kept + moves.moved + moves.gained == len(other.placements) == found.other.placements
    assert min(moves.kept, moves.moved, moves.lost, moves.gained) > 0
    for groups in found.changes:
        if groups.name == "family_type":
            assert sum(told.gains_place for told in groups.lines) == found.families.only_other
            assert sum(told.loses_place for told in groups.lines) == found.families.only_one


def test_the_other_way_round_is_the_mirror(rounds):
    """Who gains from one to the other loses the other way."""
    instance, one, other = rounds
    there, back = compare(instance, one, other), compare(instance, other, one)
    assert (there.moves.lost, there.moves.gained) == (back.moves.gained, back.moves.lost)
    assert there.families == Fourfold(
        back.families.both, back.families.only_other, back.families.only_one, back.families.neither
    )
    assert (there.one, there.other) == (back.other, back.one)
    for groups, mirrored in zip(there.changes, back.changes, strict=True):
        for told, reverse in zip(groups.lines, mirrored.lines, strict=True):
            assert (told.gains_place, told.better) == (reverse.loses_place, reverse.worse)


def test_each_kind_of_move():
    """Kept, moved, lost and gained are each counted for the wish they happen to, and so is who is better off."""
    wishes = [a_wish("w1"), a_wish("w2", rank=2)]
    seekers = [a_seeker(f"f{i}", wishes=wishes) for i in range(5)]
    sessions = [a_session(seats_max=9), a_session("s2", pc4="3811", meetings=[TUESDAY_EVENING], seats_max=9)]
    instance = an_instance(seekers, sessions)
    one = an_outcome(instance, [("f0", "w1", "s1"), ("f1", "w1", "s1"), ("f2", "w1", "s1"), ("f4", "w1", "s2")])
    two = an_outcome(
        instance, [("f0", "w1", "s1"), ("f1", "w1", "s2"), ("f3", "w1", "s1"), ("f4", "w1", "s2"), ("f4", "w2", "s1")]
    )
    found = compare(instance, one, two)
    assert found.moves == Moves(kept=2, moved=1, lost=1, gained=2)
    assert found.families == Fourfold(both=3, only_one=1, only_other=1, neither=0)
    (told,) = next(groups for groups in found.changes if groups.name == "region").lines
    assert (told.families, told.gains_place, told.loses_place, told.better, told.worse) == (5, 1, 1, 1, 1)
    assert (found.one.budget_cents, found.other.budget_cents) == (4 * 4_500, 5 * 4_500)


def test_what_is_fixed_is_no_open_proposal():
    """The stability report leaves confirmed places out."""
    seekers = [a_seeker(f"f{i}") for i in range(5)]
    sessions = [a_session(seats_max=9), a_session("s2", pc4="3811", seats_max=9)]
    instance = an_instance(seekers, sessions, fixed=[["f0", "w1", "s1"], ["f1", "w1", "s1"]])
    one = an_outcome(instance, [(f"f{i}", "w1", "s1") for i in range(4)])
    two = an_outcome(instance, [(f"f{i}", "w1", "s1" if i < 3 else "s2") for i in range(5)])
    found = compare(instance, one, two)
    assert found.moves == Moves(kept=3, moved=1, lost=0, gained=1)
    assert found.open_moves == Moves(kept=1, moved=1, lost=0, gained=1)


def test_an_outcome_of_the_round_as_it_was_before():
    """What a changed round no longer has is left out and counted; bounds of two rounds are not compared."""
    before = an_instance([a_seeker(f"f{i}") for i in range(6)], [a_session(seats_max=9)])
    one = replace(an_outcome(before, [(f"f{i}", "w1", "s1") for i in range(6)]), instance="0" * 64)
    now = an_instance([a_seeker(f"f{i}") for i in range(5)], [a_session(seats_max=9)])
    two = an_outcome(now, [(f"f{i}", "w1", "s1") for i in range(5)])
    found = compare(now, one, two)
    assert (found.one.answers, found.one.left_out, found.one.placements) == (False, 1, 5)
    assert (found.other.answers, found.other.left_out) == (True, 0)
    assert found.moves == Moves(5, 0, 0, 0)
    assert found.one.gap_to_best is None


def test_the_gap_is_to_the_lowest_bound_of_the_two():
    """A weak bound of one does not flatter the other."""
    instance = an_instance([a_seeker(f"f{i}") for i in range(5)], [a_session(seats_max=9)])
    all_of_them = an_outcome(instance, [(f"f{i}", "w1", "s1") for i in range(5)])
    fewer = an_outcome(instance, [(f"f{i}", "w1", "s1") for i in range(4)], bound=9_999)
    found = compare(instance, fewer, all_of_them)
    assert found.other.gap_to_best == 0.0
    assert found.one.gap_to_best == pytest.approx(0.25)


def test_nobody_is_named(rounds):
    """No id of a seeker, person or wish is in the comparison."""
    instance, one, other = rounds
    text = msgspec.json.encode(compare(instance, one, other)).decode()
    ids = {seeker.id for seeker in instance.seekers} | {p.id for seeker in instance.seekers for p in seeker.persons}
    assert not [name for name in ids if f'"{name}"' in text]
