"""A made-up world is repeatable, marked as fictional, and hangs together."""

from collections import Counter
from dataclasses import fields
from datetime import UTC, date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leerbudget.fictional.calendar import HORIZON, HOURS, daypart_of, easter_sunday, holidays
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.families import Circumstances, make_families, reference
from leerbudget.fictional.fitting import spendable_cents
from leerbudget.fictional.organisations import make_landscape
from leerbudget.fictional.population import make_world, published
from leerbudget.fictional.regions import crow_km, regions
from leerbudget.fictional.world import World
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.geography.postcodes import all_places, place_of

START_ON = date(2027, 1, 4)
FIRST_THROWS = [3, 3, 1, 4, 6, 5, 4, 4]
SHUFFLED = "bcda"


def test_the_same_seed_gives_the_same_world() -> None:
    """Every value of two worlds of one seed is equal; another seed gives other people."""
    one, same, other = (make_world(120, 20, seed, START_ON) for seed in (3, 3, 4))
    assert one == same
    assert one.families != other.families
    assert one.sessions != other.sessions


def test_the_dice_never_change() -> None:
    """The first throws of a stream are these, on every machine: a stored seed keeps its meaning."""
    dice = Dice(7, "test")
    assert [dice.between(1, 6) for _ in range(8)] == FIRST_THROWS
    assert dice.shuffled("abcd") == list(SHUFFLED)


def test_everything_says_that_it_is_fictional(world: World) -> None:
    """Each name that a person could read carries `fictief`, each address ends in `.fictief.example`."""
    names = [
        *(each.name for each in (*world.organisations, *world.professionals, *world.trainers, *world.venues)),
        *(family.label for family in world.families),
        *(parent.name for family in world.families for parent in family.parents),
        *(text for course in world.courses for text in (course.title, course.goal)),
        *(text for wish in world.wishes for text in (wish.situation, wish.wants_to_learn) if text),
        *(top_up.reference for top_up in world.top_ups),
        *(organisation.region for organisation in world.organisations),
    ]
    assert [name for name in names if "fictief" not in name] == []


def test_addresses_cannot_exist_and_are_unique(world: World) -> None:
    """All e-mail addresses are lower case under `.fictief.example` (RFC 2606) and no two are equal."""
    addresses = [
        *(each.email for each in (*world.organisations, *world.professionals, *world.trainers)),
        *(parent.email for family in world.families for parent in family.parents),
    ]
    assert all(address.endswith(".fictief.example") and address == address.lower() for address in addresses)
    assert all(address.isascii() and address.count("@") == 1 and " " not in address for address in addresses)
    assert max(Counter(addresses).values()) == 1


def test_references_are_unique(world: World) -> None:
    """No reference is given twice, within or between kinds."""
    refs = [each.ref for field in fields(world) for each in _with_ref(getattr(world, field.name))]
    refs += [parent.ref for family in world.families for parent in family.parents]
    assert max(Counter(refs).values()) == 1


def _with_ref(values: object) -> list:
    return [value for value in values if hasattr(value, "ref")] if isinstance(values, tuple) else []


def test_geography_is_real(world: World) -> None:
    """Every home and venue lies in an existing postcode, and families live within reach of their region's centre."""
    centres = {region.name: region.centre for region in regions()}
    for someone in (*world.families, *world.professionals, *world.venues):
        assert someone.pc4 in all_places()
        assert crow_km(place_of(someone.pc4), centres[someone.region]) <= 50


def test_bigger_places_have_more_families() -> None:
    """In a national world Amsterdam has 4-7 % of the families; all 42 regions and all 12 provinces take part."""
    national = make_world(4_000, 900, 5, START_ON)
    homes = [place_of(family.pc4) for family in national.families]
    assert 0.04 <= sum(home.place == "Amsterdam" for home in homes) / len(homes) <= 0.07
    assert len({home.province for home in homes}) == 12
    assert len({family.region for family in national.families}) == 42
    assert sum(organisation.kind == "provider" for organisation in national.organisations) == 32


def test_the_42_regions_divide_the_country() -> None:
    """Each postcode lies in exactly one region, and no municipality is split."""
    homes = [
        (place.postcode4, place.municipality, region.name) for region in regions() for place in region.homes.values
    ]
    assert len(regions()) == 42
    assert sorted(postcode4 for postcode4, _, _ in homes) == sorted(all_places())
    assert len({(municipality, region) for _, municipality, region in homes}) == 342


@pytest.mark.parametrize("start_on", [date(2026, 9, 21), date(2027, 1, 4), date(2028, 2, 29)])
def test_meetings_are_believable(start_on: date) -> None:
    """Meetings last 2 or 2.5 hours inside one day-part, from day 14 to week 18, never on Sunday or a public holiday."""
    for session in make_world(400, 60, 11, start_on).sessions:
        for begin, end in session.meetings:
            day = begin.date()
            first, last = HOURS[daypart_of(begin)]
            assert (end - begin) in (timedelta(hours=2), timedelta(hours=2.5))
            assert begin.tzinfo is AMSTERDAM
            assert first <= begin.hour and (end.hour, end.minute) <= (last, 0)  # noqa: PT018 - one day-part
            assert start_on + timedelta(days=14) <= day < start_on + HORIZON
            assert begin.weekday() < 6
            assert day not in holidays(day.year)
        assert session.decide_on >= start_on


def test_summer_time_does_not_move_the_clock() -> None:
    """A weekly series across the last Sunday of March keeps its hour in Amsterdam; its length in UTC is kept too."""
    crossing = [
        session
        for session in make_world(800, 100, 7, START_ON).sessions
        if session.meetings[0][0].date() < date(2027, 3, 28) < session.meetings[-1][0].date()
    ]
    assert crossing
    for session in crossing:
        assert len({begin.time() for begin, _ in session.meetings}) == 1
        assert {begin.utcoffset() for begin, _ in session.meetings} == {timedelta(hours=1), timedelta(hours=2)}
        assert len({end.astimezone(UTC) - begin.astimezone(UTC) for begin, end in session.meetings}) == 1


def test_easter() -> None:
    """Easter falls where the church tables put it."""
    assert [easter_sunday(year) for year in (2024, 2025, 2026, 2027, 2038)] == [
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
    ]


def test_nobody_teaches_twice_at_once(world: World) -> None:
    """No trainer has two meetings in one day-part; no venue has more than its rooms."""
    rooms = {venue.ref: venue.rooms for venue in world.venues}
    teaching: Counter = Counter()
    used: Counter = Counter()
    for session in world.sessions:
        for begin, _ in session.meetings:
            at = (begin.date(), daypart_of(begin))
            teaching.update((ref, at) for ref in session.trainer_refs)
            used.update([(session.venue_ref, at)] if session.venue_ref else [])
    assert max(teaching.values()) == 1
    assert all(count <= rooms[venue] for (venue, _), count in used.items())


def test_certificates_outlive_the_sessions(world: World) -> None:
    """Every trainer of a session is admitted, with a certificate on its last day (R56), and teaches its theme."""
    trainers = {trainer.ref: trainer for trainer in world.trainers}
    courses = {course.ref: course for course in world.courses}
    for session in world.sessions:
        for ref in session.trainer_refs:
            assert trainers[ref].state == "admitted"
            assert trainers[ref].certificate_valid_until > session.meetings[-1][1].date()
            assert courses[session.course_ref].theme in trainers[ref].themes


def test_courses_differentiate(world: World) -> None:
    """Each course speaks of the three official criteria (R18); `for`, `suits` and `not_for` all occur."""
    fits = Counter(fit for course in world.courses for values in course.audience.values() for fit in values.values())
    assert set(fits) == {"for", "suits", "not_for"}
    for course in world.courses:
        assert {"family_type", "experience", "child_age_bands"} <= set(course.audience)


def test_only_admitted_courses_are_published(world: World) -> None:
    """Sessions of courses under review are drafts, and the published ones number exactly what was asked."""
    states = {course.ref: course.state for course in world.courses}
    assert len(published(world)) == 375
    for session in world.sessions:
        assert (states[session.course_ref] == "admitted") == (session.state != "draft")
    assert {state for state in states.values() if state != "admitted"} <= {"submitted", "in_review"}


def test_top_ups_cover_the_grants(world: World) -> None:
    """Every organisation pays in at least what it grants, once; grants last until the end of the year of the last session."""
    granted: Counter = Counter()
    for grant in world.grants:
        granted[grant.organisation_ref] += grant.amount_cents
        assert grant.starts_on == world.start_on
        assert (grant.expires_on.month, grant.expires_on.day) == (12, 31)
        assert grant.expires_on >= world.start_on + HORIZON
    paid = {top_up.organisation_ref: top_up.amount_cents for top_up in world.top_ups}
    assert len(paid) == len(world.top_ups)
    assert set(paid) == set(granted)
    assert all(paid[ref] >= cents for ref, cents in granted.items())


def test_most_series_can_be_paid(world: World) -> None:
    """The usual grant pays most sessions for one person, and never an eight-evening series: money matters."""
    grants = [grant for grant in world.grants if grant.family_ref == "F00001" and grant.themes is None][:1]
    cents = spendable_cents(grants, "trauma", START_ON + timedelta(days=30))
    paid = Counter(session.price_cents <= 25_000 for session in published(world))
    assert cents == grants[0].amount_cents
    assert paid[True] > 0.75 * paid.total()
    assert paid[False] > 0


@settings(max_examples=8, deadline=None)
@given(
    families=st.integers(1, 60),
    sessions=st.integers(1, 30),
    seed=st.integers(0, 2**63),
    contention=st.sampled_from((0, 0.5, 1)),
)
def test_small_worlds_stand(families: int, sessions: int, seed: int, contention: float) -> None:
    """Any size and seed gives a world of that size whose people belong to existing organisations."""
    world = make_world(families, sessions, seed, START_ON, contention)
    organisations = {organisation.ref for organisation in world.organisations}
    assert (len(world.families), len(published(world))) == (families, sessions)
    assert {family.organisation_ref for family in world.families} <= organisations
    assert {course.organisation_ref for course in world.courses} <= organisations


@pytest.mark.parametrize(("families", "sessions", "contention"), [(0, 1, 0), (1, 0, 0), (1, 1, 1.5), (1_000_001, 1, 0)])
def test_sizes_out_of_bounds_are_refused(families: int, sessions: int, contention: float) -> None:
    """A size of zero, too large a size or an impossible contention is refused in plain words."""
    with pytest.raises(ValueError, match="families"):
        make_world(families, sessions, 1, START_ON, contention)


def test_more_wishes_when_asked() -> None:
    """Families wish for as many things as asked on average, and nothing else about them changes."""
    usual, eager = (make_world(1_500, 200, 3, START_ON, wishes_mean=mean) for mean in (1.2, 2.1))
    assert 1.15 <= sum(wish.seeker_ref.startswith("F") for wish in usual.wishes) / 1_500 <= 1.25
    assert 2.05 <= sum(wish.seeker_ref.startswith("F") for wish in eager.wishes) / 1_500 <= 2.15
    assert [family.first_placement_on for family in usual.families] == [
        family.first_placement_on for family in eager.families
    ]
    with pytest.raises(ValueError, match="mean"):
        make_world(10, 5, 3, START_ON, wishes_mean=3)


def test_references_stay_unique_beyond_five_digits() -> None:
    """Numbers of six digits follow those of five without a clash; the names of parents included."""
    families = make_families(30, Circumstances(make_landscape(30, 1, 1), START_ON, 1))
    assert [family.ref for family in families] == [reference(number) for number in range(1, 31)]
    assert {parent.ref for family in families for parent in family.parents} <= {
        f"{family.ref}{letter}" for family in families for letter in "ab"
    }
    assert reference(100_002) == "F100002"
    refs = [f"{reference(number)}{letter}" for number in range(1, 200_001) for letter in ("", "a", "b")]
    assert len(set(refs)) == len(refs)
