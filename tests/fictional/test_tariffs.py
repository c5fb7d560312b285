"""The made-up tariffs: a handful of every scope, prices around the country's, and nothing else of the world moves (R06)."""

from collections import Counter
from dataclasses import replace

from leerbudget.fictional.tariffs import EACH, SPREAD_PERCENT, with_tariffs
from leerbudget.fictional.world import World
from leerbudget.geography.postcodes import place_of


def test_there_are_tariffs_of_every_scope(world: World) -> None:
    """Some of each kind, each within 10 % of the country's price for the course and never equal to it."""
    tariffs = with_tariffs(world).tariffs
    counts = Counter(tariff.scope for tariff in tariffs)
    assert set(counts) == {"national", "youth_region", "municipality", "organisation"}
    assert all(counts[scope] == EACH for scope in counts if scope != "national")
    land = {tariff.course_ref: tariff.price_cents for tariff in tariffs if tariff.scope == "national"}
    for tariff in tariffs:
        if tariff.scope != "national":
            apart = abs(tariff.price_cents - land[tariff.course_ref])
            assert 0 < apart <= land[tariff.course_ref] * SPREAD_PERCENT / 100 + 50


def test_sessions_cost_what_their_tariff_says(world: World) -> None:
    """Whoever reads the list with the sessions beside it finds the same price; sessions of a case keep theirs."""
    priced = with_tariffs(world)
    towns = {venue.ref: place_of(venue.pc4).municipality for venue in world.venues}
    offers = {course.ref: course.organisation_ref for course in world.courses}
    employers = {trainer.ref: trainer.organisation_ref for trainer in world.trainers}
    order = ["national", "youth_region", "municipality", "organisation"]
    before = {session.ref: session for session in world.sessions}
    changed = set()
    for session in priced.sessions:
        town = towns.get(session.venue_ref or "")
        giver = employers[session.trainer_refs[0]] or offers[session.course_ref]
        found = [
            tariff
            for tariff in priced.tariffs
            if tariff.course_ref == session.course_ref
            and (tariff.scope == "national" or town in tariff.municipalities or tariff.organisation_ref == giver)
        ]  # fmt: skip
        if found:
            assert session.price_cents == max(found, key=lambda tariff: order.index(tariff.scope)).price_cents
        assert replace(session, price_cents=before[session.ref].price_cents) == before[session.ref]
        if session != before[session.ref]:
            changed.add(session.ref)
    assert changed
    assert changed.isdisjoint(case.session_ref for case in world.cases)
    assert replace(priced, tariffs=(), sessions=world.sessions) == world
    assert with_tariffs(world) == priced
