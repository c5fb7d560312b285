"""Builders of tariffs for the tests, and the rule written down again without a database. All of it is fictional."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import world
from leerbudget.catalogue import actions, queries
from leerbudget.catalogue.rules import CourseOrder, SessionOrder, TariffOrder, VenueOrder
from leerbudget.catalogue.tariffs import add_tariffs
from leerbudget.foundation.ids import new_id

BEFORE = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""A day on which every tariff of 2027 is still to come."""

POSTCODES = {"Utrecht": "3511", "Zeist": "3701", "Renkum": "6861", "Amsterdam": "1011"}
"""A venue's postcode by its municipality."""

NARROW_TO_WIDE = ["organisation", "municipality", "youth_region", "national"]


def a_tariff(course, **changes):
    """€ 50 everywhere from 2027, unless told otherwise; the scope follows from what it names."""
    made = new_id()
    fields = {"id": made, "external_ref": f"P-{made}", "price_cents": 5000, "starts_on": date(2027, 1, 1)} | changes
    scope = "youth_region" if "region" in changes else "municipality" if "municipalities" in changes else "national"
    return TariffOrder(course=course, **{"scope": "organisation" if "organisation" in changes else scope} | fields)


async def tariff(course, **changes):
    """A tariff that stands."""
    order = a_tariff(course, **changes)
    await add_tariffs([order], actor=None)
    return order


def applies(order, course, municipality, organisation, starts_at):
    """Whether a tariff applies to a session: its course, its place or organisation, its day in Amsterdam."""
    day = starts_at.astimezone(ZoneInfo("Europe/Amsterdam")).date()
    if order.course != course or day < order.starts_on or (order.ends_on is not None and day > order.ends_on):
        return False
    if order.scope == "organisation":
        return organisation is not None and order.organisation == organisation
    if order.scope == "national":
        return True
    return municipality is not None and municipality in order.municipalities


def most_specific(orders, *session):
    """The tariff that wins, as a person with the list in hand would say; None when none applies."""
    for scope in NARROW_TO_WIDE:
        found = [order for order in orders if order.scope == scope and applies(order, *session)]
        assert len(found) < 2, "two tariffs of one scope apply"
        if found:
            return found[0]
    return None


def collide(one, other):
    """Whether two tariffs of one course would both hold for the same place or organisation on some day."""
    if (one.course, one.scope) != (other.course, other.scope):
        return False
    if not (one.starts_on <= (other.ends_on or date.max) and other.starts_on <= (one.ends_on or date.max)):
        return False
    if one.scope == "organisation":
        return one.organisation == other.organisation
    return one.scope == "national" or bool(set(one.municipalities) & set(other.municipalities))


async def a_course_of(organisation):
    """An admitted course that an organisation offers."""
    course = new_id()
    order = CourseOrder(
        course, f"C-{course}", "Cursus (fictief)", "trauma", "group_training", "U leert iets.", organisation, "admitted",
        world.FOR_ALL, world.FREE_UNTIL_TWO_WEEKS,
    )  # fmt: skip
    await actions.add_courses([order])
    return course


async def a_free_trainer():
    """An admitted trainer who works for nobody."""
    return (await world.a_trainer(certificate_until=date(2030, 1, 1)))[0]


async def an_order(course, *, town="Utrecht", starts_at=None, **changes):
    """A session without a price; `town` None is online."""
    start = starts_at or datetime(2027, 2, 1, 18, tzinfo=UTC)
    venue = None if town is None else new_id()
    if venue is not None:
        await actions.add_venues([VenueOrder(venue, f"V-{venue}", "Zaal (fictief)", POSTCODES[town], town)])
    values = {"id": new_id(), "external_ref": f"S-{new_id()}", "course": course, "venue": venue, "price_cents": None}
    values |= {"seats_min": 1, "seats_max": 9, "meetings": ((start, start + timedelta(hours=2)),)}
    values |= {"decide_on": (start - timedelta(days=7)).date()} | changes
    if "trainer" not in values:
        values["trainer"] = await a_free_trainer()
    return SessionOrder(**values)


async def price_of(session):
    """What it costs, and by which scope and name."""
    found = await queries.session_detail(session)
    told = found.tariff
    return found.price_cents, *((None, None) if told is None else (told.scope, told.name))


async def published(course, **how):
    """A session that asks for the tariff; what it costs, and by which scope and name."""
    order = await an_order(course, **how)
    await actions.publish_sessions([order])
    return await price_of(order.id)
