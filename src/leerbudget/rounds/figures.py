"""The figures of a round that a coordinator sees at a glance: plain values in, plain values out."""

import statistics
from collections.abc import Mapping
from typing import Any

from leerbudget.geography.postcodes import UnknownPostcode, place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.matcher.instance import Instance
from leerbudget.matcher.outcome import Outcome


def counts(instance: Mapping[str, Any]) -> dict[str, int]:
    """How many seekers, wishes, sessions and free seats a frozen instance holds."""
    return {
        "seekers": len(instance["seekers"]),
        "wishes": sum(len(seeker["wishes"]) for seeker in instance["seekers"]),
        "sessions": len(instance["sessions"]),
        "seats": sum(session["seats_max"] - session["seats_taken"] for session in instance["sessions"]),
    }


def result(instance: Instance, outcome: Outcome) -> dict[str, int | None]:
    """Sessions that run, sessions that get nobody, and the median travel time of the placements in minutes."""
    running = sum(report.runs and report.seats > 0 for report in outcome.sessions)
    minutes = list(_minutes(instance, outcome))
    return {
        "sessions_running": running,
        "sessions_empty": len(outcome.sessions) - running,
        "travel_minutes_median": round(statistics.median(minutes)) if minutes else None,
    }


def _minutes(instance: Instance, outcome: Outcome) -> Any:
    """One way, by the quickest mode the seeker allows, for placements that are held somewhere."""
    seekers = {seeker.id: seeker for seeker in instance.seekers}
    places = {session.id: session.pc4 for session in instance.sessions}
    for placement in outcome.placements:
        seeker, there = seekers[placement.seeker], places[placement.session]
        if seeker.pc4 is None or there is None or not seeker.travel_minutes_max:
            continue
        try:
            one, other = place_of(seeker.pc4), place_of(there)
        except UnknownPostcode:
            continue
        by_mode = travel_minutes(Point(one.lat, one.lon), Point(other.lat, other.lon))
        yield min(by_mode[mode] for mode in seeker.travel_minutes_max)
