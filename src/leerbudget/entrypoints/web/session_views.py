"""Course sessions as pages show them, with the travel time of whoever looks."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from leerbudget.bookings.rules import free_until
from leerbudget.budgets.earmarks import Spending
from leerbudget.budgets.rules import PaymentShare
from leerbudget.catalogue.queries import SessionDetail, SessionTariff
from leerbudget.catalogue.search import SessionCard
from leerbudget.entrypoints.web.earmarks import kind_of
from leerbudget.entrypoints.web.pages import View
from leerbudget.entrypoints.web.templating import day
from leerbudget.foundation import clock
from leerbudget.geography.postcodes import UnknownPostcode, place_of
from leerbudget.geography.travel import Point, travel_minutes
from leerbudget.people import queries as people
from leerbudget.wishes import queries as wishes

Journey = tuple[int | None, str | None]
NOWHERE: Journey = (None, None)


@lru_cache(maxsize=50_000)
def _minutes(here: str, there: str) -> Mapping[str, int]:
    one, other = place_of(here), place_of(there)
    return travel_minutes(Point(one.lat, one.lon), Point(other.lat, other.lon))


def journey(here: str | None, there: str | None, modes: Mapping[str, int] | None) -> Journey:
    """Minutes one way and the mode: the quickest of the modes somebody uses (by car when they said nothing)."""
    if here is None or there is None:
        return NOWHERE
    try:
        minutes = _minutes(here, there)
    except UnknownPostcode:
        return NOWHERE
    mode = min(modes or {"car": 0}, key=lambda each: minutes[each])
    return minutes[mode], mode


class Traveller:
    """From where and how a family travels; nobody, for visitors."""

    def __init__(self, postcode4: str | None = None, modes: Mapping[str, int] | None = None) -> None:
        self.postcode4 = postcode4
        self.modes = modes

    def to(self, postcode4: str | None) -> Journey:
        """Minutes and mode to a place; unknown for online and for visitors."""
        return journey(self.postcode4, postcode4, self.modes)


async def traveller_of(family: UUID | None) -> Traveller:
    """How this family travels."""
    if family is None:
        return Traveller()
    preference = await wishes.preference_of(family)
    if preference is not None:
        return Traveller(preference.postcode4, preference.travel_minutes_max)
    return Traveller((await people.family(family)).postcode4)


def card(session: SessionDetail, traveller: Traveller) -> View:
    """A session in short, as most pages show it."""
    venue = session.venue
    minutes, mode = traveller.to(venue.postcode4 if venue else None)
    trainers = [leader.name for leader in session.leaders if leader.role == "trainer"]
    return View(
        id=session.id,
        course_title=session.course.title,
        theme=session.course.theme,
        form=session.course.form,
        goal=session.course.goal,
        state=session.state,
        trainer=" en ".join(trainers) or "nog niet bekend",
        starts_at=session.starts_at,
        ends_at=session.meetings[0][2] if session.meetings else session.ends_at,
        meetings_count=len(session.meetings),
        place=venue.place if venue else None,
        venue=venue_name(venue.name, venue.place) if venue else None,
        travel_minutes=minutes,
        travel_mode=mode,
        price_cents=session.price_cents,
        seats_free=session.seats_free,
        childcare=bool(session.childcare),
    )


def spending(found: SessionCard) -> Spending:
    """What earmarks and periods of budgets ask of a session that was found."""
    municipality = place_of(found.postcode4).municipality if found.postcode4 else None
    on = found.starts_at.astimezone(clock.AMSTERDAM).date()
    return Spending(found.theme, found.form, municipality, found.course, on)


def venue_name(name: str, place: str) -> str:
    """The name of a venue without the place, which is shown behind it."""
    return name.replace(f", {place}", "").removesuffix(f" {place}")


def meetings(session: SessionDetail) -> list[View]:
    """Its meetings, in order."""
    return [View(id=key, starts_at=start, ends_at=end) for key, start, end in session.meetings]


def cancel_until(session: SessionDetail) -> date | None:
    """The last day on which cancelling is free and still possible."""
    last = free_until(session.course.cancellation, session.starts_at)
    return last.astimezone(clock.AMSTERDAM).date() if last is not None and last > clock.now() else None


def budget_name(budget: Any) -> str:
    """A budget in words."""
    return f"{kind_of(budget)} van {budget.organisation_name}"


def payer_name(share: PaymentShare, names: Mapping[UUID, str]) -> str:
    """Who pays or gets back a share, in words; `names` are of the family's budgets."""
    if share.budget is not None:
        return names[share.budget]
    return "uw eigen rekening" if share.payer == "own" else "afronding (betaalt u niet)"


def where_the_price_comes_from(session: SessionDetail) -> str | None:
    """The tariff of a session in plain words; None for a price of its own."""
    tariff = session.tariff
    if tariff is None:
        return None
    first_day = session.starts_at.astimezone(clock.AMSTERDAM).date()
    if tariff.ends_on is None:
        return f"{_whose(tariff)}."
    if tariff.ends_on < first_day:
        return f"{_whose(tariff)}. Het tarief is veranderd, maar deze prijs blijft zo."
    return f"{_whose(tariff)}, geldig tot en met {day(tariff.ends_on, 'plain')}."


def _whose(tariff: SessionTariff) -> str:
    if tariff.scope == "national":
        return "Dit is het landelijke tarief"
    return f"Tarief van {'de gemeente ' if tariff.scope == 'municipality' else ''}{tariff.name}"
