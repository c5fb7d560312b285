"""The named situations occur in every sizeable world, and are what they claim by the matcher's own hard rules."""

from collections import Counter
from datetime import date

import msgspec
import pytest

from leerbudget.fictional.instances import instance_of
from leerbudget.fictional.population import make_world
from leerbudget.fictional.world import World
from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import read_instance

START_ON = date(2027, 1, 4)
KINDS = {"own_professional", "too_little_money", "avoided_trainer", "childcare_place", "couple_together"}


@pytest.mark.parametrize("seed", range(12))
def test_every_kind_occurs_from_200_families_on(seed: int) -> None:
    """Each kind of case is there, for a family of its own, in the smallest world for which it is promised."""
    cases = make_world(200, 25, seed, START_ON).cases
    assert set(Counter(case.kind for case in cases)) == KINDS
    assert len({case.family_ref for case in cases}) == len(cases)


@pytest.fixture(scope="module")
def breaches(world: World) -> dict[str, list[set[str]]]:
    """By kind: the hard rules that each case's own placement would break, alone in its session."""
    rules = Rulebook.of(read_instance(msgspec.json.encode(instance_of(world))))
    found: dict[str, list[set[str]]] = {kind: [] for kind in KINDS}
    for case in world.cases:
        placed = Placed(case.family_ref, case.wish_ref, case.session_ref)
        broken = {breach.code for breach in rules.of_placement(placed)}
        broken |= {breach.code for breach in rules.of_seeker(case.family_ref, [placed])}
        broken |= {breach.code for breach in rules.of_session(case.session_ref, [placed])}
        found[case.kind].append(broken - {"minimum", "party_min", "party_spread", "capacity"})
    return found


def test_own_professional_is_the_only_obstacle(breaches: dict[str, list[set[str]]]) -> None:
    """The family could sit in the dialogue, were it not led by its own worker."""
    assert breaches["own_professional"]
    assert all(broken == {"not_together"} for broken in breaches["own_professional"])


def test_no_other_dialogue_is_near(world: World) -> None:
    """The dialogue led by the family's own worker is the only one on that theme within its reach."""
    rules = Rulebook.of(read_instance(msgspec.json.encode(instance_of(world))))
    dialogues = [session for session in rules.sessions.values() if session.parties is not None]
    for case in world.cases:
        if case.kind == "own_professional":
            reached = [
                session.id
                for session in dialogues
                if not {"theme", "travel", "online"}
                & {b.code for b in rules.of_placement(Placed(case.family_ref, case.wish_ref, session.id))}
            ]
            assert reached == [case.session_ref]


def test_avoided_trainer_is_the_only_obstacle(breaches: dict[str, list[set[str]]]) -> None:
    """The family fits the session in every other way."""
    assert all(broken == {"not_together"} for broken in breaches["avoided_trainer"])


def test_money_is_the_only_obstacle_and_no_session_nearby_is_cheaper(
    world: World, breaches: dict[str, list[set[str]]]
) -> None:
    """The only wish costs too much here, and everywhere this family can get to."""
    assert all(broken == {"money"} for broken in breaches["too_little_money"])
    rules = Rulebook.of(read_instance(msgspec.json.encode(instance_of(world))))
    for case in world.cases:
        if case.kind == "too_little_money":
            assert [wish.ref for wish in world.wishes if wish.seeker_ref == case.family_ref] == [case.wish_ref]
            for session in rules.sessions:
                placed = Placed(case.family_ref, case.wish_ref, session)
                assert next(rules.of_placement(placed), None) or rules.missing_cents(
                    rules.seekers[placed.seeker], [placed]
                )


def test_childcare_and_couples_fit(world: World, breaches: dict[str, list[set[str]]]) -> None:
    """A place for the children is needed and there; a couple goes together and can pay twice."""
    assert all(broken == set() for broken in breaches["childcare_place"] + breaches["couple_together"])
    families = {family.ref: family for family in world.families}
    wishes = {wish.ref: wish for wish in world.wishes}
    for case in world.cases:
        if case.kind == "childcare_place":
            assert families[case.family_ref].childcare_need == "needs_place"
        if case.kind == "couple_together":
            assert len(wishes[case.wish_ref].person_refs) == 2
