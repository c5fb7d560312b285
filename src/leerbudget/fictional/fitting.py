"""Whether a family fits a session, judged on the safe side: yes here is yes by the hard rules of the interface."""

from collections.abc import Iterable
from datetime import date
from functools import cache

from leerbudget.fictional.calendar import bit, daypart_of
from leerbudget.fictional.world import Course, CourseSession, Family, Grant, Parent
from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher.vocabulary import experience_band


def experience_years(family: Family, on: date) -> float:
    """Years since the first placement, in tenths."""
    return max(0.0, round((on - family.first_placement_on).days / 365.25, 1))


def is_for(course: Course, family: Family, on: date) -> bool:
    """Whether the course says `not_for` of nothing about this family, whichever of its children it comes for."""
    facts: dict[str, tuple[str, ...]] = {
        "family_type": (family.family_type,),
        "care_forms": family.care_forms,
        "experience": (str(experience_band(experience_years(family, on))),),
        "child_age_bands": family.child_age_bands,
    }
    return not any(
        course.audience.get(facet, {}).get(value) == "not_for" for facet, values in facts.items() for value in values
    )


@cache
def _minutes(home: str, venue: str) -> dict[str, int]:
    here, there = place_of(home), place_of(venue)
    return travel_minutes(Point(here.lat, here.lon), Point(there.lat, there.lon))


def in_reach(family: Family, venue_pc4: str | None) -> bool:
    """Whether one of the family's ways to travel is quick enough; online when that is fine."""
    if venue_pc4 is None:
        return family.online_ok
    minutes = _minutes(family.pc4, venue_pc4)
    return any(minutes[mode] <= most for mode, most in family.travel_minutes_max.items())


def bits_of(session: CourseSession) -> frozenset[int]:
    """The day-parts of the week on which the session meets."""
    return frozenset(bit(begin.weekday(), daypart_of(begin)) for begin, _ in session.meetings)


def is_free(parent: Parent, session: CourseSession) -> bool:
    """Whether every meeting lies in a free day-part and outside what is blocked."""
    if any(parent.week[place] == "0" for place in bits_of(session)):
        return False
    return not any(begin < until and since < end for begin, end in session.meetings for since, until in parent.blocked)


def spendable_cents(grants: Iterable[Grant], theme: str, on: date) -> int:
    """What these grants may pay for the theme on a day, wherever it is given: money for one place does not count."""
    return sum(
        grant.amount_cents
        for grant in grants
        if grant.municipalities is None
        and (grant.themes is None or theme in grant.themes)
        and grant.starts_on <= on <= grant.expires_on
    )
