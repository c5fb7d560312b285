"""A world as the files that an organisation would import (docs/import-files.md has the promise).

UTF-8, comma, header, one row per thing; lists inside a cell are parted by `;`, pairs written `key=value`.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from leerbudget.fictional.families import childcare
from leerbudget.fictional.world import Course, CourseSession, Family, Interval, Professional, Venue, World

Row = dict[str, str]


def write_world(world: World, folder: Path) -> list[Path]:
    """Write every file into the folder, which is made when it is not there; the paths in order of import."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in FILES.items():
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, COLUMNS[name])
            writer.writeheader()
            writer.writerows(rows(world))
        written.append(path)
    return written


def _list(values: Iterable[str] | None) -> str:
    return ";".join(values or ())


def _pairs(values: Mapping[str, object]) -> str:
    return ";".join(f"{key}={value}" for key, value in values.items())


def _flag(value: bool) -> str:  # noqa: FBT001 - the value itself is the flag
    return "true" if value else "false"


def _interval(interval: Interval) -> str:
    begin, end = interval
    return f"{begin.isoformat(timespec='minutes')}/{end.isoformat(timespec='minutes')}"


def _organisations(world: World) -> Iterator[Row]:
    for org in world.organisations:
        yield {
            "organisation_ref": org.ref,
            "name": org.name,
            "kind": org.kind,
            "region": org.region,
            "email": org.email,
        }


def _families(world: World) -> Iterator[Row]:
    for family in world.families:
        row = {
            "family_ref": family.ref,
            "label": family.label,
            "organisation_ref": family.organisation_ref,
            "postcode4": family.pc4,
            "family_type": family.family_type,
            "care_forms": _list(family.care_forms),
            "child_age_bands": _list(family.child_age_bands),
            "first_placement_on": family.first_placement_on.isoformat(),
        }
        for number, parent in enumerate(family.parents, start=1):
            row |= {
                f"parent{number}_ref": parent.ref,
                f"parent{number}_name": parent.name,
                f"parent{number}_email": parent.email,
            }
        yield row


def _professionals(world: World) -> Iterator[Row]:
    for professional in world.professionals:
        yield {
            "professional_ref": professional.ref,
            "name": professional.name,
            "email": professional.email,
            "role": professional.role,
            "organisation_ref": professional.organisation_ref,
            "families": _pairs(professional.since),
        }


def _trainers(world: World) -> Iterator[Row]:
    for trainer in world.trainers:
        valid = trainer.certificate_valid_until
        yield {
            "trainer_ref": trainer.ref,
            "name": trainer.name,
            "email": trainer.email,
            "themes": _list(trainer.themes),
            "region": trainer.region,
            "state": trainer.state,
            "certificate_valid_until": "" if valid is None else valid.isoformat(),
            "organisation_ref": trainer.organisation_ref or "",
        }


def _courses(world: World) -> Iterator[Row]:
    for course in world.courses:
        yield _course(course)


def _tariffs(world: World) -> Iterator[Row]:
    for tariff in world.tariffs:
        yield {
            "tariff_ref": tariff.ref,
            "course_ref": tariff.course_ref,
            "scope": tariff.scope,
            "region": tariff.region,
            "municipalities": _list(tariff.municipalities),
            "organisation_ref": tariff.organisation_ref,
            "price_cents": str(tariff.price_cents),
            "starts_on": tariff.starts_on.isoformat(),
            "ends_on": "" if tariff.ends_on is None else tariff.ends_on.isoformat(),
        }


def _sessions(world: World) -> Iterator[Row]:
    courses = {course.ref: course for course in world.courses}
    venues = {venue.ref: venue for venue in world.venues}
    for session in world.sessions:
        venue = None if session.venue_ref is None else venues[session.venue_ref]
        yield {**_session(session), **_course(courses[session.course_ref]), **_venue(venue)}


def _session(session: CourseSession) -> Row:
    parties = session.parties or {}
    return {
        "session_ref": session.ref,
        "state": session.state,
        "meetings": _list(map(_interval, session.meetings)),
        "price_cents": str(session.price_cents),
        "seats_min": str(session.seats_min),
        "seats_max": str(session.seats_max),
        "decide_on": session.decide_on.isoformat(),
        "trainer_refs": _list(session.trainer_refs),
        "facilitator_refs": _list(session.facilitator_refs),
        "parties": _pairs({party: f"{least}-{most}" for party, (least, most) in parties.items()}),
        "party_spread_max": "" if session.party_spread_max is None else str(session.party_spread_max),
        "childcare_places": _pairs(session.childcare_places),
    }


def _course(course: Course) -> Row:
    fits = {f"{facet}:{value}": fit for facet, values in course.audience.items() for value, fit in values.items()}
    return {
        "course_ref": course.ref,
        "course_title": course.title,
        "theme": course.theme,
        "form": course.form,
        "goal": course.goal,
        "organisation_ref": course.organisation_ref,
        "course_state": course.state,
        "audience": _pairs(fits),
        "cancellation": _pairs({str(days): percent for days, percent in course.cancellation.items()}),
    }


def _venue(venue: Venue | None) -> Row:
    if venue is None:
        return {}
    return {
        "venue_ref": venue.ref,
        "venue_name": venue.name,
        "venue_postcode4": venue.pc4,
        "venue_wheelchair": _flag(venue.wheelchair),
    }


def _grants(world: World) -> Iterator[Row]:
    for grant in world.grants:
        yield {
            "grant_ref": grant.ref,
            "family_ref": grant.family_ref,
            "organisation_ref": grant.organisation_ref,
            "amount_cents": str(grant.amount_cents),
            "starts_on": grant.starts_on.isoformat(),
            "expires_on": grant.expires_on.isoformat(),
            "themes": _list(grant.themes),
            "forms": "",
            "municipalities": _list(grant.municipalities),
            "course_refs": "",
        }


def _preferences(world: World) -> Iterator[Row]:
    asking = {wish.seeker_ref for wish in world.wishes}
    yield from map(_family_preferences, world.families)
    yield from (_professional_preferences(worker) for worker in world.professionals if worker.ref in asking)


def _family_preferences(family: Family) -> Row:
    blocked = [(parent.ref, interval) for parent in family.parents for interval in parent.blocked]
    return {
        "seeker_ref": family.ref,
        "postcode4": family.pc4,
        "travel_minutes_max": _pairs(family.travel_minutes_max),
        "online_ok": _flag(family.online_ok),
        "max_placements": str(family.places_max),
        "own_contribution_cents_max": str(family.own_contribution_cents_max),
        "childcare_need": family.childcare_need,
        "childcare": _pairs(childcare(family)),
        "avoid_refs": _list(family.avoid_refs),
        "weeks": _pairs({parent.ref: parent.week for parent in family.parents}),
        "blocked": _list(f"{ref}={_interval(interval)}" for ref, interval in blocked),
    }


def _professional_preferences(worker: Professional) -> Row:
    return {
        "seeker_ref": worker.ref,
        "postcode4": worker.pc4,
        "travel_minutes_max": _pairs(worker.travel_minutes_max),
        "online_ok": "false",
        "max_placements": "1",
        "own_contribution_cents_max": "0",
        "childcare_need": "none",
        "weeks": _pairs({worker.ref: worker.week}),
    }


def _wishes(world: World) -> Iterator[Row]:
    for wish in world.wishes:
        yield {
            "wish_ref": wish.ref,
            "seeker_ref": wish.seeker_ref,
            "person_refs": _list(wish.person_refs),
            "theme": wish.theme,
            "rank": str(wish.rank),
            "urgent": _flag(wish.urgent),
            "forms": _list(wish.forms),
            "situation": wish.situation,
            "wants_to_learn": wish.wants_to_learn,
        }


FILES: Mapping[str, Callable[[World], Iterator[Row]]] = {
    "organisations.csv": _organisations,
    "families.csv": _families,
    "professionals.csv": _professionals,
    "trainers.csv": _trainers,
    "courses.csv": _courses,
    "tariffs.csv": _tariffs,
    "sessions.csv": _sessions,
    "grants.csv": _grants,
    "preferences.csv": _preferences,
    "wishes.csv": _wishes,
}
"""Every file, in the order in which references are known."""

COLUMNS: Mapping[str, Sequence[str]] = {
    "organisations.csv": ("organisation_ref", "name", "kind", "region", "email"),
    "families.csv": (
        "family_ref",
        "label",
        "organisation_ref",
        "postcode4",
        "family_type",
        "care_forms",
        "child_age_bands",
        "first_placement_on",
        "parent1_ref",
        "parent1_name",
        "parent1_email",
        "parent2_ref",
        "parent2_name",
        "parent2_email",
    ),
    "professionals.csv": ("professional_ref", "name", "email", "role", "organisation_ref", "families"),
    "trainers.csv": (
        "trainer_ref",
        "name",
        "email",
        "themes",
        "region",
        "state",
        "certificate_valid_until",
        "organisation_ref",
    ),
    "courses.csv": (
        "course_ref",
        "course_title",
        "theme",
        "form",
        "goal",
        "organisation_ref",
        "course_state",
        "audience",
        "cancellation",
    ),
    "tariffs.csv": (
        "tariff_ref",
        "course_ref",
        "scope",
        "region",
        "municipalities",
        "organisation_ref",
        "price_cents",
        "starts_on",
        "ends_on",
    ),
    "sessions.csv": (
        "session_ref",
        "state",
        "course_ref",
        "course_title",
        "theme",
        "form",
        "goal",
        "organisation_ref",
        "course_state",
        "audience",
        "cancellation",
        "venue_ref",
        "venue_name",
        "venue_postcode4",
        "venue_wheelchair",
        "meetings",
        "price_cents",
        "seats_min",
        "seats_max",
        "decide_on",
        "trainer_refs",
        "facilitator_refs",
        "parties",
        "party_spread_max",
        "childcare_places",
    ),
    "grants.csv": (
        "grant_ref",
        "family_ref",
        "organisation_ref",
        "amount_cents",
        "starts_on",
        "expires_on",
        "themes",
        "forms",
        "municipalities",
        "course_refs",
    ),
    "preferences.csv": (
        "seeker_ref",
        "postcode4",
        "travel_minutes_max",
        "online_ok",
        "max_placements",
        "own_contribution_cents_max",
        "childcare_need",
        "childcare",
        "avoid_refs",
        "weeks",
        "blocked",
    ),
    "wishes.csv": (
        "wish_ref",
        "seeker_ref",
        "person_refs",
        "theme",
        "rank",
        "urgent",
        "forms",
        "situation",
        "wants_to_learn",
    ),
}
"""Columns of each file; docs/import-files.md explains every one of them (a test compares the two)."""
