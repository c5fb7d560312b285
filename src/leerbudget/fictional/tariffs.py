"""What courses cost where: the country's price, and a handful of others around it (R06).

Added to a finished world, so that worlds without tariffs stay what they are. Youth regions buy at prices up to 10 %
around the mean (requirements 2.3); municipalities and organisations are given the same spread [guess].
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from leerbudget.fictional.dice import Dice
from leerbudget.fictional.world import Course, CourseSession, Tariff, World
from leerbudget.geography.postcodes import place_of

EACH = 4
"""So many tariffs of regions, of municipalities and of organisations, where the world is large enough."""
SPREAD_PERCENT = 10


def with_tariffs(world: World) -> World:
    """The world with tariffs, and the prices of its sessions by them. Sessions of a `Case` cost what they did."""
    return _Agreements(world).world()


class _Agreements:
    """Tariffs while they are being agreed on. Each course gets at most one beside the country's: none collides."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = Dice(world.seed, "tariffs")
        self._town = {venue.ref: place_of(venue.pc4).municipality for venue in world.venues}
        self._sessions: dict[str, list[CourseSession]] = {}
        for session in world.sessions:
            self._sessions.setdefault(session.course_ref, []).append(session)
        self._employer = {trainer.ref: trainer.organisation_ref for trainer in world.trainers}
        self._offers = {course.ref: course.organisation_ref for course in world.courses}
        self._fixed = {case.session_ref for case in world.cases}
        self._of: dict[str, list[Tariff]] = {}
        self._found: list[Tariff] = []

    def world(self) -> World:
        """Country first, then regions, municipalities and organisations, each for a course of its own."""
        courses = [course for course in self._world.courses if self._one_price(course)]
        for course in courses:
            self._agree(course, course.price_cents, scope="national")
        for course in courses:
            place = self._place(course)
            if place is not None and self._fixed.isdisjoint(each.ref for each in self._sessions[course.ref]):
                self._agree(course, self._around(course.price_cents), **place)
        sessions = tuple(replace(session, price_cents=self._price(session)) for session in self._world.sessions)
        return replace(self._world, sessions=sessions, tariffs=tuple(self._found))

    def _one_price(self, course: Course) -> bool:
        sessions = self._sessions.get(course.ref, [])
        paid = course.state == "admitted" and course.price_cents > 0 and bool(sessions)
        return paid and all(session.price_cents == course.price_cents for session in sessions)

    def _around(self, cents: int) -> int:
        """At most 10 % more or less, in whole euros, and never the same."""
        percent = self._dice.between(4, SPREAD_PERCENT) * (1 if self._dice.chance(0.5) else -1)
        return round(cents * (100 + percent) / 10_000) * 100

    def _place(self, course: Course) -> Mapping[str, object] | None:
        """Where its tariff holds: the scope that there are fewest of; online courses have no place."""
        so_far = Counter(tariff.scope for tariff in self._found)
        here = next((session for session in self._sessions[course.ref] if session.venue_ref is not None), None)
        scopes = ("organisation",) if here is None else ("municipality", "youth_region", "organisation")
        scope = min(scopes, key=lambda each: so_far[each])
        if so_far[scope] == EACH:
            return None
        if here is None or here.venue_ref is None or scope == "organisation":
            return {"scope": "organisation", "organisation_ref": self._giver(self._sessions[course.ref][0])}
        if scope == "municipality":
            return {"scope": scope, "municipalities": (self._town[here.venue_ref],)}
        return {"scope": scope, "region": here.region, "municipalities": tuple(self._towns(here.region))}

    def _giver(self, session: CourseSession) -> str:
        """For whom its trainer works, or else who offers the course."""
        return self._employer.get(session.trainer_refs[0]) or self._offers[session.course_ref]

    def _towns(self, region: str) -> Iterator[str]:
        homes = {place_of(family.pc4).municipality for family in self._world.families if family.region == region}
        rooms = {self._town[venue.ref] for venue in self._world.venues if venue.region == region}
        yield from sorted(homes | rooms)

    def _agree(self, course: Course, cents: int, **scope: object) -> None:
        national = scope["scope"] == "national"
        year = self._world.start_on.year
        tariff = Tariff(
            ref=f"P{len(self._found) + 1:04d}",
            course_ref=course.ref,
            scope="national",
            region="",
            municipalities=(),
            organisation_ref="",
            price_cents=cents,
            starts_on=date(year - 1, 1, 1),
            ends_on=None if national else date(year + 1, 12, 31),
        )
        made = replace(tariff, **scope)  # type: ignore[arg-type]
        self._found.append(made)
        self._of.setdefault(course.ref, []).append(made)

    def _price(self, session: CourseSession) -> int:
        """By the last one that was agreed on and applies: it is the most specific."""
        town = None if session.venue_ref is None else self._town[session.venue_ref]
        for tariff in reversed(self._of.get(session.course_ref, [])):
            theirs = tariff.scope == "organisation" and tariff.organisation_ref == self._giver(session)
            if tariff.scope == "national" or theirs or town in tariff.municipalities:
                return tariff.price_cents
        return session.price_cents
