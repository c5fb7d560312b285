"""A made-up Netherlands as a matching file `leerbudget-instance/1`, without any database."""

import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from leerbudget.fictional.cases import by_family
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.families import childcare
from leerbudget.fictional.figures import WISHES_MEAN
from leerbudget.fictional.fitting import experience_years, in_reach, is_for, is_free, spendable_cents
from leerbudget.fictional.population import CONTENTION, make_world, published
from leerbudget.fictional.world import Course, CourseSession, Family, Grant, Interval, Professional, Wish, World

FORMAT = "leerbudget-instance/1"
START_ON = date(2027, 1, 4)
"""The first day of every generated instance, so that the seed alone decides."""
POLICY = {"max_placements": 2, "weights": {}}
WAITING_ROUNDS = Chances({0: 0.80, 1: 0.13, 2: 0.05, 3: 0.02})
"""Rounds in which a family already waited in vain [guess]."""
PARTLY_TAKEN = 0.12
"""Sessions on which some people enrolled before the round [guess]."""
FAMILIES_PER_FIXED = 100
FIXED_MAX = 50


def generate_instance(
    families: int,
    sessions: int,
    seed: int,
    contention: float = CONTENTION,
    *,
    wishes_mean: float = WISHES_MEAN,
) -> dict[str, object]:
    """A round over so many families and published sessions, with every hard rule of the interface in play.

    Professionals who wish to join a dialogue are seekers too. What is fixed breaks no hard rule, together
    with the people who already enrolled.

    Raises:
        ValueError: a size, the contention or the mean number of wishes is out of bounds.
    """
    return instance_of(make_world(families, sessions, seed, START_ON, contention, wishes_mean=wishes_mean))


def instance_of(world: World) -> dict[str, object]:
    """A world as a matching file; what only a round knows (waiting, taken seats, pins) is drawn by its seed."""
    dice = Dice(world.seed, "round")
    wishes: dict[str, list[Wish]] = defaultdict(list)
    for wish in world.wishes:
        wishes[wish.seeker_ref].append(wish)
    sessions = published(world)
    courses = {course.ref: course for course in world.courses}
    pc4 = {venue.ref: venue.pc4 for venue in world.venues}
    taken = {session.ref: _seats_taken(session, dice) for session in sessions}
    fixed, forbidden = _pins(_Pins(world, sessions, courses, pc4, wishes, by_family(world.grants), dice), taken)
    grants = by_family(world.grants)
    seekers = [
        _family(family, wishes[family.ref], grants[family.ref], world.start_on, dice) for family in world.families
    ]
    seekers += [_professional(worker, wishes[worker.ref]) for worker in world.professionals if worker.ref in wishes]
    return {
        "format": FORMAT,
        "policy": POLICY,
        "seekers": seekers,
        "sessions": [
            _session(session, courses[session.course_ref], pc4.get(session.venue_ref or ""), taken[session.ref])
            for session in sessions
        ],
        "fixed": fixed,
        "forbidden": forbidden,
        "candidates": None,
    }


def write_instance(instance: Mapping[str, object], file: Path) -> None:
    """Write the instance as JSON; gzipped when the name ends in `.gz` (without a time, so equal seeds give equal bytes)."""
    data = msgspec.json.encode(instance)
    file.write_bytes(gzip.compress(data, 6, mtime=0) if file.suffix == ".gz" else data)


def _moments(intervals: Sequence[Interval]) -> list[list[str]]:
    return [[begin.isoformat(timespec="minutes"), end.isoformat(timespec="minutes")] for begin, end in intervals]


def _family(
    family: Family, wishes: Sequence[Wish], grants: Sequence[Grant], start_on: date, dice: Dice
) -> dict[str, object]:
    return {
        "id": family.ref,
        "persons": [
            {
                "id": parent.ref,
                "party": "foster_parents",
                "availability": parent.week,
                "blocked": _moments(parent.blocked),
            }
            for parent in family.parents
        ],
        "pc4": family.pc4,
        "travel_minutes_max": family.travel_minutes_max,
        "online_ok": family.online_ok,
        "family_type": family.family_type,
        "care_forms": family.care_forms,
        "experience_years": experience_years(family, start_on),
        "child_age_bands": family.child_age_bands,
        "budgets": [
            {
                "id": grant.ref,
                "available_cents": grant.amount_cents,
                "themes": grant.themes,
                "expires_on": grant.expires_on.isoformat(),
            }
            for grant in grants
            if grant.municipalities is None
        ],
        "own_contribution_cents_max": family.own_contribution_cents_max,
        "max_placements": family.places_max,
        "waiting_rounds": dice.draw(WAITING_ROUNDS),
        "childcare": childcare(family),
        "childcare_need": family.childcare_need,
        "avoid": family.avoid_refs,
        "professionals": family.professional_refs,
        "wishes": [_wish(wish) for wish in wishes],
    }


def _professional(worker: Professional, wishes: Sequence[Wish]) -> dict[str, object]:
    return {
        "id": worker.ref,
        "persons": [{"id": worker.ref, "party": worker.party, "availability": worker.week, "blocked": []}],
        "pc4": worker.pc4,
        "travel_minutes_max": worker.travel_minutes_max,
        "online_ok": False,
        "max_placements": 1,
        "wishes": [_wish(wish) for wish in wishes],
    }


def _wish(wish: Wish) -> dict[str, object]:
    return {
        "id": wish.ref,
        "theme": wish.theme,
        "rank": wish.rank,
        "persons": wish.person_refs,
        "forms": wish.forms,
        "urgent": wish.urgent,
    }


def _session(session: CourseSession, course: Course, pc4: str | None, seats_taken: int) -> dict[str, object]:
    return {
        "id": session.ref,
        "course": session.course_ref,
        "theme": course.theme,
        "form": course.form,
        "pc4": pc4,
        "meetings": _moments(session.meetings),
        "price_cents": session.price_cents,
        "seats_min": session.seats_min,
        "seats_max": session.seats_max,
        "seats_taken": seats_taken,
        "audience": course.audience,
        "parties": session.parties,
        "party_spread_max": session.party_spread_max,
        "people": session.people_refs,
        "childcare_places": session.childcare_places,
    }


def _seats_taken(session: CourseSession, dice: Dice) -> int:
    if session.parties is not None or not dice.chance(PARTLY_TAKEN):
        return 0
    return dice.between(1, session.seats_min)


@dataclass(frozen=True, slots=True)
class _Pins:
    """What is needed to pin placements that break no rule."""

    world: World
    sessions: Sequence[CourseSession]
    courses: Mapping[str, Course]
    pc4: Mapping[str, str]
    wishes: Mapping[str, Sequence[Wish]]
    grants: Mapping[str, Sequence[Grant]]
    dice: Dice

    def sound(self, session: CourseSession) -> Iterator[tuple[Family, Wish]]:
        """Families of the region and their wishes that this session can fulfil, whatever others do."""
        course = self.courses[session.course_ref]
        place = None if session.venue_ref is None else self.pc4[session.venue_ref]
        first_day = session.meetings[0][0].date()
        leading = set(session.people_refs)
        for family in self.world.families:
            if family.region != session.region or family.childcare_need == "needs_place":
                continue
            if leading & {*family.avoid_refs, *family.professional_refs}:
                continue
            if not (is_for(course, family, self.world.start_on) and in_reach(family, place)):
                continue
            for wish in self.wishes.get(family.ref, ()):
                going = [parent for parent in family.parents if parent.ref in wish.person_refs]
                money = spendable_cents(self.grants[family.ref], course.theme, first_day)
                pays = money >= session.price_cents * len(going)
                if wish.theme == course.theme and pays and all(is_free(parent, session) for parent in going):
                    yield family, wish


def _pins(pins: _Pins, taken: dict[str, int]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """Fixed placements, one per family and session, in sessions that already have their minimum; and forbidden pairs."""
    count = min(FIXED_MAX, max(1, len(pins.world.families) // FAMILIES_PER_FIXED))
    fixed: list[tuple[str, str, str]] = []
    used = {case.family_ref for case in pins.world.cases}
    for session in pins.dice.shuffled(pins.sessions):
        if len(fixed) == count:
            break
        if session.parties is not None:
            continue
        found = next(((f, w) for f, w in pins.sound(session) if f.ref not in used), None)
        if found is not None:
            family, wish = found
            used.add(family.ref)
            taken[session.ref] = session.seats_min
            fixed.append((family.ref, wish.ref, session.ref))
    others = [family.ref for family in pins.world.families if family.ref not in used] or [pins.world.families[0].ref]
    pinned = {(family, session) for family, _, session in fixed}
    forbidden = [(pins.dice.pick(others), pins.dice.pick(pins.sessions).ref) for _ in range(count)]
    return fixed, [pair for pair in dict.fromkeys(forbidden) if pair not in pinned]
