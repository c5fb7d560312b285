"""Files of courses and tariffs: before the first session, all or nothing, and every mistake where it stands (R06)."""

import io
from datetime import UTC, datetime

import pytest

import world
from entrypoints.cli.rows import GOOD, a_file, with_cells
from leerbudget.catalogue import price_list
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.tariffs import end_tariff
from leerbudget.entrypoints.files.exporting import write_export
from leerbudget.entrypoints.files.importing import import_bytes
from leerbudget.entrypoints.files.reading import FileRefused
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value
from leerbudget.people.rules import Registered

AT = datetime(2026, 12, 28, tzinfo=UTC)


@pytest.fixture
async def country(world_db):
    """An organisation, a trainer and a course, at the end of 2026."""
    with clock.travelling(AT):
        for kind in ("organisations", "trainers", "courses"):
            await import_bytes(kind, a_file(kind, GOOD[kind]))
        yield world_db


async def load(kind, *rows):
    return (await import_bytes(kind, a_file(kind, *rows))).things


async def told(kind, *rows):
    with pytest.raises(FileRefused) as refusal:
        await load(kind, *rows)
    return [str(cell) for cell in refusal.value.cells]


async def priced():
    """The price of the session that came in, and by which scope."""
    found = await catalogue.session_detail((await catalogue.session_ids(["S1"]))["S1"])
    return found.price_cents, found.tariff and found.tariff.scope


def a_tariff(**cells):
    return with_cells("tariffs", **cells)


async def test_an_empty_price_is_the_tariff(country):
    """Courses, tariffs, then sessions without a price; the same files again change nothing, also after a dearer tariff."""
    region = a_tariff(
        tariff_ref="P2", scope="youth_region", region="Regio", municipalities="Zeist;Utrecht", price_cents="1"
    )
    land = a_tariff(tariff_ref="P3", scope="national", municipalities="", price_cents="2", ends_on="2027-12-31")
    files = [
        ("tariffs", (a_tariff(price_cents="4600"), region, land)),
        ("sessions", (with_cells("sessions", price_cents=""),)),
    ]
    assert (await load(*[files[0][0], *files[0][1]])) == {"tariffs": Registered(3, 0, 0)}
    await load(files[1][0], *files[1][1])
    assert await priced() == (4600, "municipality")
    (town,) = [each for each in await price_list.tariffs() if each.scope == "municipality"]
    await end_tariff(town.id, clock.today(), actor=None)
    for kind, rows in files:
        assert all(did.added == did.changed == 0 < did.unchanged for did in (await load(kind, *rows)).values())
    assert await priced() == (4600, "municipality")


async def test_without_a_tariff_an_empty_price_is_told(country):
    """At the row and the column of the price; so is a price that is not the tariff."""
    (missing,) = await told("sessions", with_cells("sessions", price_cents=""))
    assert missing == "rij 2, kolom price_cents: Vul een prijs in: er is geen tarief voor deze plek en deze dag."
    await load("tariffs", GOOD["tariffs"])
    (other,) = await told("sessions", with_cells("sessions", price_cents="4499"))
    assert other.startswith("rij 2, kolom price_cents: Hier geldt op die dag een tarief van €")
    await load("sessions", with_cells("sessions", price_cents="4500"))
    assert await priced() == (4500, "municipality")


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ({"course_ref": "C9"}, "rij 2, kolom course_ref: 'C9' kennen we niet"),
        ({"scope": "organisation", "municipalities": "", "organisation_ref": "O9"}, "rij 2, kolom organisation_ref: 'O9' kennen we niet"),
        ({"scope": "planet"}, "rij 2, kolom scope: 'planet' kennen we niet"),
        ({"municipalities": "Atlantis"}, "rij 2, kolom municipalities: De gemeente Atlantis kennen we niet."),
        ({"municipalities": "Utrecht;Zeist"}, "rij 2, kolom municipalities: Noem één gemeente"),
        ({"scope": "youth_region"}, "rij 2, kolom region: Een jeugdregio heeft een naam"),
        ({"organisation_ref": "O1"}, "rij 2, kolom organisation_ref: Een tarief van een organisatie"),
        ({"price_cents": "-1"}, "rij 2, kolom price_cents"),
        ({"starts_on": ""}, "rij 2, kolom starts_on"),
        ({"ends_on": "2026-01-01"}, "rij 2, kolom ends_on: De laatste dag ligt voor de eerste."),
    ],
)  # fmt: skip
async def test_a_mistake_is_told_where_it_stands(country, cells, place):
    """By row and column, in Dutch; nothing is kept."""
    messages = await told("tariffs", a_tariff(**cells), a_tariff(tariff_ref="P2", municipalities="Zeist"))
    assert any(message.startswith(place) for message in messages), messages
    assert await fetch_value("SELECT count(*) FROM tariff") == 0


async def test_tariffs_that_collide_are_named(country):
    """Within the file and with what stands; a known reference with another content is refused: it is money."""
    both = await told("tariffs", GOOD["tariffs"], a_tariff(tariff_ref="P2"))
    assert [message.partition(":")[0] for message in both] == ["rij 2, kolom tariff_ref", "rij 3, kolom tariff_ref"]
    await load("tariffs", GOOD["tariffs"])
    (later,) = await told("tariffs", a_tariff(tariff_ref="P2", starts_on="2028-01-01"))
    assert "geldt daar op die dagen al een ander tarief" in later
    (changed,) = await told("tariffs", a_tariff(price_cents="4501"))
    assert changed.startswith("rij 2, kolom tariff_ref: Dit tarief bestaat al")


async def test_exported_sessions_can_come_back_after_their_tariff(country):
    """An export has the price that was published; it goes in again whatever the tariffs are by then."""
    await load("tariffs", GOOD["tariffs"])
    await load("sessions", with_cells("sessions", price_cents=""))
    await end_tariff((await price_list.tariffs())[0].id, clock.today(), actor=None)
    await load("tariffs", a_tariff(tariff_ref="P2", price_cents="9900", starts_on="2026-12-29"))
    target = io.BytesIO()
    await write_export("sessions", target)
    things = (await import_bytes("sessions", target.getvalue())).things
    assert things["sessions"] == Registered(0, 0, 1)
    assert await priced() == (4500, "municipality")


async def test_a_file_of_courses_says_the_same_as_sessions_do(country):
    """The course that the session brings is the one that the file brought; an unknown organisation is told."""
    assert await load("courses", GOOD["courses"]) == {"courses": Registered(0, 0, 1)}
    assert (await load("sessions", GOOD["sessions"]))["courses"] == Registered(0, 0, 1)
    (message,) = await told("courses", with_cells("courses", organisation_ref="O9"))
    assert message == "rij 2, kolom organisation_ref: 'O9' kennen we niet"
    assert await world.a_course()
