"""The demand radar proposes only what is true, and tells nothing of anybody."""

from functools import cache
from random import Random

import msgspec
import pytest

from leerbudget.fictional.instances import generate_instance
from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher import radar as the_radar
from leerbudget.matcher.contradictions import check
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import Placed
from leerbudget.matcher.instance import instance_from, read_instance, to_json
from leerbudget.matcher.radar import Options, Order, radar, with_session
from leerbudget.matcher.radar_cells import SMALLEST_CELL, told, told_part, told_spread
from leerbudget.matcher.radar_demand import waiting
from leerbudget.matcher.solving import Limits, solve
from leerbudget.matcher.vocabulary import Theme
from matcher.small import a_person, a_seeker, a_session, a_wish, an_instance, an_outcome, strings_of
from matcher.tiny import a_random_seeker, a_random_session

QUICK = Limits(seconds=20, gap=0.0)
MORNINGS, EVENINGS = "100" * 7, "001" * 7


@cache
def a_round(seed, families=500, sessions=40):
    """A made-up round and its outcome."""
    instance = instance_from(generate_instance(families=families, sessions=sessions, seed=seed))
    return instance, solve(instance, Limits(seconds=20, gap=1e-2))


def a_tiny_round(seed, families=12, **wish):
    """Random families and sessions in which every rule bites, and the outcome of their round."""
    dice = Random(seed)  # noqa: S311 - a seed, no secret
    seekers = [a_random_seeker(dice, f"f{i}", "foster_parents") for i in range(families)]
    seekers = [seeker | {"wishes": [w | wish for w in seeker["wishes"]]} for seeker in seekers]
    sessions = [a_random_session(dice, f"s{i}") for i in range(6)]
    instance = an_instance(seekers, sessions, policy={"max_placements": 3})
    return instance, solve(instance, QUICK)


def most_families(instance, outcome, proposals):
    """How many families could be placed in the proposed sessions, all others where they are: by an exact solver.

    Every family may have one placement more; each placement in a proposed session is worth one point, all
    placements of the outcome are fixed, and the hard rules do the rest.
    """
    have = [Placed(p.seeker, p.wish, p.session) for p in outcome.placements]
    for proposal in proposals:
        instance = with_session(instance, proposal)
    added = instance.sessions[len(instance.sessions) - len(proposals) :]
    check(instance)
    pairs = [
        (seeker.id, wish.id, session.id, 1)
        for seeker in instance.seekers
        for wish in seeker.wishes
        for session in added
        if wish.theme == session.theme and (seeker.id, wish.id) not in {(p.seeker, p.wish) for p in have}
    ]
    counts = {p.seeker: sum(q.seeker == p.seeker for q in have) for p in have}
    seekers = [
        msgspec.structs.replace(s, max_placements=min(s.max_placements, counts.get(s.id, 0) + 1))
        for s in instance.seekers
    ]
    question = msgspec.structs.replace(
        instance, seekers=seekers, fixed=have, candidates=[*((*p, 0) for p in have), *pairs]
    )
    answer = solve(question, QUICK)
    assert answer.gap == 0
    assert len(answer.placements) == len(have) + answer.score
    return answer.score


@pytest.mark.parametrize("order", list(Order))
def test_each_proposal_serves_so_many_families_without_displacing_anybody(order):
    """With the session added and everybody else where they are, an exact solver places at least that many."""
    instance, outcome = a_round(1)
    found = radar(instance, outcome, Options(most=3, order=order))
    assert len(found.proposals) == 3
    for proposal in found.proposals:
        assert proposal.families >= SMALLEST_CELL
        assert most_families(instance, outcome, [proposal]) >= proposal.families
        assert proposal.cost_cents == proposal.price_cents * proposal.seats_max


@pytest.mark.parametrize("seed", [1, 2])
def test_all_proposals_hold_together(seed):
    """Each family is counted once, so all proposals together serve the sum."""
    instance, outcome = a_round(seed)
    found = radar(instance, outcome, Options(most=5))
    assert found.families == sum(proposal.families for proposal in found.proposals)
    assert most_families(instance, outcome, found.proposals) >= found.families


def test_proposals_are_true_where_every_rule_bites(monkeypatch):
    """Couples, blocked evenings, earmarks, childcare, avoided people, places elsewhere: never too much is promised.

    Most promises are exactly what is possible, so one family more would show.
    """
    monkeypatch.setattr(the_radar, "told", int)
    promised = []
    for seed in range(40):
        instance, outcome = a_tiny_round(seed)
        found = radar(instance, outcome, Options(most=4, least_families=1))
        for proposal in found.proposals:
            possible = most_families(instance, outcome, [proposal])
            assert possible >= proposal.families >= 1, seed
            promised.append(possible == proposal.families)
        assert most_families(instance, outcome, found.proposals) >= found.families, seed
    assert len(promised) >= 40
    assert sum(promised) >= 0.8 * len(promised)


def test_no_choice_of_proposals_serves_more_than_the_ceiling(monkeypatch):
    """The ceiling of one proposal is never below what an exact solver reaches with any proposal on the list."""
    for seed in range(5):
        instance, outcome = a_tiny_round(seed, families=7, forms=None)
        looked = every_group(monkeypatch, instance, outcome)
        found = radar(instance, outcome, Options(most=1, least_families=1, order=Order.FAMILIES))
        for session in looked:
            proposal = the_radar._proposal(the_radar.Group(session, [], 0, None))
            assert most_families(instance, outcome, [proposal]) <= found.families_at_most, seed


def every_group(monkeypatch, instance, outcome):
    """Every fourth session the radar could propose at all, whether it has a group or not."""
    searches = []

    class Watched(the_radar.Search):
        def groups(self):
            searches.append(self)
            return iter(())

    with monkeypatch.context() as patched:
        patched.setattr(the_radar, "Search", Watched)
        radar(instance, outcome)
    (search,) = searches
    return [
        kind.template.session("-", pc4, part, search.weeks[0])
        for kind in search.demand.kinds
        for pc4, held in zip(search.demand.places, kind.held, strict=True)
        if held
        for part in kind.template.day_parts()[::4]
    ]


def waiting_for_an_evening(count, **facts):
    """So many families that are free in the evening while the only session is in the morning."""
    seekers = [a_seeker(f"f{i}", [a_person(f"f{i}a", availability=EVENINGS)], **facts) for i in range(count)]
    morning = ["2027-03-01T09:00+01:00", "2027-03-01T11:00+01:00"]
    instance = an_instance(seekers, [a_session(meetings=[morning], seats_min=3, seats_max=8)])
    return instance, an_outcome(instance, [])


def test_a_session_in_the_evening_is_proposed_to_who_is_free_in_the_evening():
    """Six families could come in the evening: the proposal says so, with its cost and its way."""
    instance, outcome = waiting_for_an_evening(6)
    found = radar(instance, outcome)
    (proposal,) = found.proposals
    assert (proposal.theme, proposal.pc4, proposal.day_part % 3) == (Theme.TRAUMA, "3512", 2)
    assert (proposal.families, proposal.families_without_place) == (6, 6)
    assert (proposal.price_cents, proposal.seats_max, proposal.cost_cents) == (4_500, 8, 36_000)
    assert proposal.families_per_1000_euro == pytest.approx(6 / 0.36, abs=0.05)
    home, venue = (Point(p.lat, p.lon) for p in (place_of("3511"), place_of("3512")))
    assert proposal.average_travel_minutes == travel_minutes(home, venue)["car"]
    assert found.families_waiting == found.families == 6
    assert found.families_at_most >= 6


def test_a_group_under_five_is_not_proposed_and_when_asked_for_not_counted():
    """Four families are no proposal; with a smaller least group they are one whose counts stay hidden."""
    instance, outcome = waiting_for_an_evening(4)
    assert radar(instance, outcome).proposals == []
    found = radar(instance, outcome, Options(least_families=2))
    (proposal,) = found.proposals
    assert proposal.families is proposal.families_without_place is None
    assert proposal.families_per_1000_euro is proposal.average_travel_minutes is None
    assert found.families is found.families_waiting is None
    assert [theme.families for theme in found.demand] == [None]


@pytest.mark.parametrize(
    "facts",
    [
        {"max_placements": 0},
        {"budgets": []},
        {"travel_minutes_max": {}},
        {"childcare": {"a0_3": 1}, "childcare_need": "needs_place"},
        {"wishes": [a_wish(forms=["webinar"])]},
        {"wishes": [a_wish(theme="attachment")]},
    ],
)
def test_who_could_not_come_is_not_counted(facts):
    """No places wanted, no money, no travel, no childcare, another form or another theme: nothing is proposed."""
    instance, outcome = waiting_for_an_evening(6, **facts)
    assert radar(instance, outcome).proposals == []


def test_who_may_not_be_together_is_not_counted_together():
    """One of seven is avoided by another: six are promised, and the avoided one is told to nobody."""
    seekers = [a_seeker(f"f{i}", [a_person(f"f{i}a", availability=EVENINGS)]) for i in range(7)]
    seekers[3]["avoid"] = ["f5"]
    morning = ["2027-03-01T09:00+01:00", "2027-03-01T11:00+01:00"]
    instance = an_instance(seekers, [a_session(meetings=[morning], seats_max=8)])
    (proposal,) = radar(instance, an_outcome(instance, [])).proposals
    assert proposal.families == 6


def test_only_the_places_and_themes_that_were_asked_for():
    """A region limits where, themes limit what; online is no place in a region."""
    instance, outcome = a_round(1)
    everywhere = radar(instance, outcome, Options(most=6))
    region = next(p.pc4 for p in everywhere.proposals if p.pc4)[:2]
    there = radar(instance, outcome, Options(most=6, region=region))
    assert there.proposals
    assert all(p.pc4.startswith(region) for p in there.proposals)
    theme = everywhere.proposals[0].theme
    about = radar(instance, outcome, Options(most=6, themes=frozenset({theme})))
    assert {p.theme for p in about.proposals} == {one.theme for one in about.demand} == {theme}
    assert about.families_waiting == about.demand[0].families < everywhere.families_waiting
    assert radar(instance, outcome, Options(themes=frozenset())).proposals == []


def test_first_places_only():
    """Asked for first places, nobody who has a place already is counted."""
    instance, outcome = a_round(1)
    found = radar(instance, outcome, Options(most=6, first_places=True))
    assert all(p.families_without_place == p.families for p in found.proposals)
    placed = {placement.seeker for placement in outcome.placements}
    alone = {seeker.id for seeker in instance.seekers if seeker.wishes} - placed
    assert SMALLEST_CELL <= found.families_waiting <= len(alone)


def test_nothing_to_propose():
    """Without sessions to take as an example, or without anybody waiting, the answer is empty."""
    nobody = an_instance([], [a_session()])
    assert radar(nobody, an_outcome(nobody, [])).proposals == []
    nothing = an_instance([a_seeker(f"f{i}") for i in range(6)], [])
    found = radar(nothing, an_outcome(nothing, []))
    assert found.proposals == []
    assert [(d.theme, d.families, d.has_example) for d in found.demand] == [(Theme.TRAUMA, 6, False)]


def test_given_candidates_are_refused():
    """Whoever gave the candidates alone knows who fits; the radar does not guess."""
    instance = an_instance([a_seeker()], [a_session()], candidates=[["f1", "w1", "s1", 3]])
    with pytest.raises(InstanceRefused, match="candidates"):
        radar(instance, an_outcome(instance, []))


def test_the_same_question_gives_the_same_answer_and_a_file_that_can_be_read():
    """No chance, no clock; an instance with a proposal in it is a sound file."""
    instance, outcome = a_round(2)
    found = radar(instance, outcome)
    assert found == radar(instance, outcome)
    added = with_session(with_session(instance, found.proposals[0]), found.proposals[1])
    assert read_instance(to_json(added)).sessions[-2:] == added.sessions[-2:]
    assert [session.id for session in added.sessions[-2:]] == ["radar-1", "radar-2"]


def ids_of(instance):
    """Every id of a seeker, a person, a wish or a budget."""
    return {
        name
        for seeker in instance.seekers
        for name in (
            seeker.id,
            *(person.id for person in seeker.persons),
            *(wish.id for wish in seeker.wishes),
            *(budget.id for budget in seeker.budgets),
        )
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_no_answer_names_anybody(seed):
    """No id of a seeker, person, wish or budget is anywhere in the answer, and no count between one and four."""
    instance, outcome = a_round(seed)
    found = radar(instance, outcome, Options(most=40, least_families=1))
    assert strings_of(instance) & ids_of(instance)
    assert not strings_of(found) & ids_of(instance)
    counts = [found.families, found.families_waiting, *(d.families for d in found.demand)]
    counts += [c for p in found.proposals for c in (p.families, p.families_without_place)]
    assert None in counts
    assert not set(counts) & set(range(1, SMALLEST_CELL))


def test_small_cells_cannot_be_found_by_subtracting():
    """A part is hidden when the rest is small; small groups go together, and take a larger one along if need be."""
    assert [told(n) for n in (0, 1, 4, 5, -4, -5)] == [0, None, None, 5, None, -5]
    assert (told_part(7, 7), told_part(0, 7), told_part(5, 8), told_part(5, 12)) == (7, 0, None, 5)
    assert told_spread({"10": 9, "11": 3, "12": 6}) == {"10": 9, "overig": 9}
    assert told_spread({"10": 9, "11": 3, "12": 2}) == {"10": 9, "overig": 5}
    assert told_spread({"10": 3}) == {}


def test_a_group_takes_the_best_week():
    """Whoever is blocked in the first week is counted when a later week is free for more families."""
    blocked = [["2027-03-01T00:00+01:00", "2027-03-08T00:00+01:00"]]
    seekers = [a_seeker(f"f{i}", [a_person(f"f{i}a", blocked=blocked)], online_ok=False) for i in range(6)]
    weeks = (1, 8, 15)
    meetings = [[f"2027-03-{day:02}T19:00+01:00", f"2027-03-{day:02}T21:00+01:00"] for day in weeks]
    sessions = [
        a_session(f"s{i}", meetings=[meeting], seats_taken=8, seats_max=8) for i, meeting in enumerate(meetings)
    ]
    instance = an_instance(seekers, sessions)
    (proposal,) = radar(instance, an_outcome(instance, [])).proposals
    assert proposal.families == 6
    assert proposal.meetings[0][0].isocalendar().week == 10


def test_the_waiting_are_families_with_room_for_a_further_place():
    """Professionals, families that have what they wanted and placed wishes do not wait."""
    seekers = [
        a_seeker("f1", wishes=[a_wish("w1"), a_wish("w2")]),
        a_seeker("f2", max_placements=1),
        a_seeker("v1", [a_person("v1a", party="guardian_workers")]),
    ]
    instance = an_instance(seekers, [a_session()])
    found = waiting(instance, an_outcome(instance, [("f1", "w1", "s1"), ("f2", "w1", "s1")]))
    assert [(seeker.id, [wish.id for wish in seeker.wishes]) for seeker in found.instance.seekers] == [("f1", ["w2"])]
