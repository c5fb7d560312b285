"""Importing: all of a file or nothing, the same file again changes nothing, and what is written can be read."""

import io

import pytest

import world
from entrypoints.cli.rows import GOOD, a_file, with_cells
from leerbudget.budgets.queries import budgets_of
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import queries as catalogue_queries
from leerbudget.entrypoints.files.columns import COLUMNS
from leerbudget.entrypoints.files.exporting import write_export
from leerbudget.entrypoints.files.importing import IMPORTERS, import_bytes, import_file
from leerbudget.entrypoints.files.reading import FileRefused
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.people import queries as people
from leerbudget.people.rules import Registered

pytestmark = pytest.mark.usefixtures("world_db")


async def load(*kinds):
    """Import the good rows of these kinds, in order."""
    for kind in kinds:
        await import_bytes(kind, a_file(kind, GOOD[kind]))


async def told(kind, *rows):
    with pytest.raises(FileRefused) as refusal:
        await import_bytes(kind, a_file(kind, *rows))
    return [str(cell) for cell in refusal.value.cells]


async def rows_in(*tables):
    return [await fetch_value(f"SELECT count(*) FROM {table}") for table in tables]


async def test_every_kind_goes_in_and_the_same_file_again_changes_nothing():
    """Every file in its order; the second time nothing is new and nothing changes."""
    for kind in IMPORTERS:
        if kind == "grants":
            await world.fill_pot((await people.organisation_ids(["O1"]))["O1"], 250)
        report = await import_bytes(kind, a_file(kind, GOOD[kind]))
        assert (report.rows, report.dry_run) == (1, False)
        known = {"courses"} if kind == "sessions" else set()
        for thing, did in report.things.items():
            assert did.changed == 0 < did.added + did.unchanged, report
            assert (did.added == 0) if thing in known else (did.unchanged == 0), report
    for kind in IMPORTERS:
        report = await import_bytes(kind, a_file(kind, GOOD[kind]))
        assert all(did.added == did.changed == 0 < did.unchanged for did in report.things.values()), report
    family = (await people.family_ids(["F1"]))["F1"]
    assert [(p.name, p.party) for p in await people.persons_of(family)] == [
        ("Anne (fictief)", "foster_parents"),
        ("Ben (fictief)", "foster_parents"),
    ]
    assert await people.must_not_meet(family, (await people.person_ids(["W1"])).values())
    session = (await catalogue_queries.session_ids(["S1"]))["S1"]
    detail = await catalogue_queries.session_detail(session)
    assert (detail.venue.place, detail.seats_max, detail.childcare) == ("Utrecht", 12, {"a4_8": (4, 0)})
    assert [leader.name for leader in detail.leaders] == ["Tessa (fictief)"]


async def test_a_dry_run_does_everything_and_keeps_nothing():
    """The report is the real one, the database is as it was."""
    report = await import_bytes("organisations", a_file("organisations", GOOD["organisations"]), dry_run=True)
    assert (report.dry_run, report.things) == (True, {"organisations": Registered(1, 0, 0)})
    assert await rows_in("organisation") == [0]
    await load("organisations")
    with pytest.raises(FileRefused):
        await import_bytes("families", a_file("families", with_cells("families", postcode4="x")), dry_run=True)


async def test_one_bad_row_keeps_everything_out():
    """5,000 families of which one has an unknown organisation: that row is told, and not one family is kept."""
    await load("organisations")
    rows = [
        [
            *with_cells("families", family_ref=f"F{n}", parent1_ref=f"F{n}a", parent1_email=f"f{n}@f.example")[:11],
            *"   ",
        ]
        for n in range(5_000)
    ]
    rows[4_321][2] = "O9"
    assert await told("families", *rows) == ["rij 4323, kolom organisation_ref: 'O9' kennen we niet"]
    assert await rows_in("family", "person") == [0, 0]
    rows[4_321][2] = "O1"
    report = await import_bytes("families", a_file("families", *rows))
    assert report.things["families"] == Registered(5_000, 0, 0)


async def test_other_content_updates_who_is_known():
    """A family that moved and a parent with another address are updated under the same reference."""
    await load("organisations", "families")
    moved = with_cells("families", postcode4="1011", parent1_email="anne2@fictief.example")
    report = await import_bytes("families", a_file("families", moved))
    assert report.things == {"families": Registered(0, 1, 0), "parents": Registered(0, 1, 1)}


async def test_unknown_references_are_told_by_row_and_column():
    """Every reference that is not known is told where it stands."""
    assert await told("families", GOOD["families"]) == ["rij 2, kolom organisation_ref: 'O1' kennen we niet"]
    assert await told("professionals", GOOD["professionals"]) == [
        "rij 2, kolom families: 'F1' kennen we niet",
        "rij 2, kolom organisation_ref: 'O1' kennen we niet",
    ]
    assert await told("grants", GOOD["grants"]) == [
        "rij 2, kolom family_ref: 'F1' kennen we niet",
        "rij 2, kolom organisation_ref: 'O1' kennen we niet",
    ]
    assert await told("sessions", with_cells("sessions", facilitator_refs="W1;W2")) == [
        "rij 2, kolom facilitator_refs: 'W1' kennen we niet",
        "rij 2, kolom facilitator_refs: 'W2' kennen we niet",
        "rij 2, kolom organisation_ref: 'O1' kennen we niet",
        "rij 2, kolom trainer_refs: 'T1' kennen we niet",
    ]


async def test_for_whom_a_trainer_works_comes_from_the_file_and_an_older_file_says_nothing_about_it():
    """The column names an organisation that is known; empty is for oneself; a file without it leaves it as it was."""
    employer = "SELECT o.external_ref FROM trainer_employer e LEFT JOIN organisation o ON o.id = e.organisation"
    (message,) = await told("trainers", GOOD["trainers"])
    assert message == "rij 2, kolom organisation_ref: 'O1' kennen we niet"
    await load("organisations", "trainers")
    older = COLUMNS["trainers"][:-1]
    await import_bytes("trainers", a_file("trainers", GOOD["trainers"][:-1], header=older))
    assert [row[0] for row in await fetch_all(employer)] == ["O1"]
    await import_bytes("trainers", a_file("trainers", with_cells("trainers", organisation_ref="")))
    assert [row[0] for row in await fetch_all(employer)] == [None]


async def test_what_the_rooms_refuse_is_told_by_row_and_column():
    """An unadmitted course, a late certificate, a lonely dialogue: the room's own sentence stands at its row."""
    await load("organisations", "trainers")
    cases = [
        ({"course_state": "in_review"}, "course_state", "niet toegelaten"),
        ({"audience": "family_type:kinship=for"}, "audience", "ervaringsjaren"),
        ({"seats_min": "13"}, "seats_min", "minimum"),
        ({"form": "dialogue"}, "facilitator_refs", "twee gespreksleiders"),
        ({"decide_on": "2027-03-02"}, "decide_on", "uiterlijk"),
        ({"meetings": "2029-01-01T23:00+01:00/2029-01-02T01:00+01:00"}, "trainer_refs", "VOG"),
    ]
    for cells, column, words in cases:
        messages = await told("sessions", with_cells("sessions", **cells))
        assert any(m.startswith(f"rij 2, kolom {column}: ") and words in m for m in messages), (cells, messages)
    assert await rows_in("course_session", "course", "venue") == [0, 0, 0]


async def test_steps_that_do_not_exist_are_told():
    """A trainer who left does not come back by a file, a course does not go back to draft."""
    await load("organisations", "trainers", "sessions")
    await import_bytes("trainers", a_file("trainers", with_cells("trainers", state="left")))
    (message,) = await told("trainers", GOOD["trainers"])
    assert message.startswith("rij 2, kolom state: ")
    messages = await told("sessions", with_cells("sessions", course_state="draft", state="draft"))
    assert messages[0].startswith("rij 2, kolom course_ref: ")


async def test_a_session_that_somebody_booked_is_fixed():
    """The same row is fine, another price is told at its row, and the price stays."""
    await load("organisations", "trainers", "sessions")
    session = (await catalogue_queries.session_ids(["S1"]))["S1"]
    await catalogue.take_seats(session, 1, party="foster_parents", childcare={})
    await load("sessions")
    (message,) = await told("sessions", with_cells("sessions", price_cents="1"))
    assert message.startswith("rij 2, kolom session_ref: ")
    assert (await catalogue_queries.session_detail(session)).price_cents == 4500


async def test_grants_need_money_and_never_change():
    """A pot that is too small and other content under a known reference keep the whole file out."""
    await load("organisations", "families")
    assert "[pot_too_small]" in (await told("grants", GOOD["grants"]))[0]
    await world.fill_pot((await people.organisation_ids(["O1"]))["O1"], 1_000)
    await load("grants")
    assert await told("grants", with_cells("grants", grant_ref="G2"), with_cells("grants", amount_cents="30000"))
    assert await rows_in("budget") == [1]


async def test_grants_may_be_for_a_place_and_for_courses():
    """Municipalities by name and courses by reference go in; what does not exist is told by row and column."""
    await load("organisations", "families", "trainers", "sessions")
    await world.fill_pot((await people.organisation_ids(["O1"]))["O1"], 1_000)
    place, course = "Nuenen, Gerwen en Nederwetten;Renkum", "C1"
    assert await told("grants", with_cells("grants", municipalities="Renkum;Atlantis", course_refs="C1;C9")) == [
        "rij 2, kolom municipalities: 'Atlantis' is geen gemeente, zoals Renkum"
    ]
    assert await told("grants", with_cells("grants", course_refs="C1;C9")) == [
        "rij 2, kolom course_refs: 'C9' kennen we niet"
    ]
    await import_bytes("grants", a_file("grants", with_cells("grants", municipalities=place, course_refs=course)))
    (view,) = await budgets_of((await people.family_ids(["F1"]))["F1"])
    assert view.municipalities == ("Nuenen, Gerwen en Nederwetten", "Renkum")
    assert view.courses == tuple((await catalogue_queries.course_ids(["C1"])).values())


async def test_a_file_of_grants_from_before_these_columns_goes_in():
    """Without municipalities and course_refs a grant is for everywhere and every course, and is the same grant again."""
    await load("organisations", "families")
    await world.fill_pot((await people.organisation_ids(["O1"]))["O1"], 1_000)
    old = a_file("grants", GOOD["grants"][:8], header=COLUMNS["grants"][:8])
    assert (await import_bytes("grants", old)).things["grants"].added == 1
    for data in (old, a_file("grants", GOOD["grants"])):
        assert (await import_bytes("grants", data)).things["grants"].unchanged == 1
    (view,) = await budgets_of((await people.family_ids(["F1"]))["F1"])
    assert (view.municipalities, view.courses) == (None, None)


async def test_nobody_takes_anothers_reference_or_address():
    """A professional with a parent's reference, or a parent with somebody's address, is told at its cell."""
    await load("organisations", "families", "professionals")
    stolen = with_cells("professionals", professional_ref="F1a", email="nieuw@fictief.example")
    assert (await told("professionals", stolen))[0].startswith("rij 2, kolom professional_ref: ")
    row = with_cells("families", family_ref="F2", parent1_ref="F2a", parent1_email="w1@fictief.example")
    row[11:] = ["", "", ""]
    assert await told("families", row) == [
        "rij 2, kolom parent1_email: 'w1@fictief.example' is het adres van iemand anders"
    ]
    moved = with_cells("families", family_ref="F2")
    assert {m[:24] for m in await told("families", moved)} == {"rij 2, kolom parent1_ref", "rij 2, kolom parent2_ref"}


async def test_states_go_in_as_they_are_written():
    """A draft is not shown, a confirmed session goes on."""
    await load("organisations", "trainers")
    draft = with_cells("sessions", session_ref="S2", state="draft", course_ref="C2", course_state="submitted")
    await import_bytes("sessions", a_file("sessions", draft, with_cells("sessions", state="confirmed")))
    lines = {line.external_ref: line.state for line in await catalogue_queries.sessions()}
    assert lines == {"S1": "confirmed", "S2": "draft"}


async def exported(kind):
    target = io.BytesIO()
    count = await write_export(kind, target)
    return count, target.getvalue()


async def test_what_is_exported_can_be_imported():
    """Families and sessions read back without a change, formulas and all."""
    formula = with_cells("families", label="=HYPERLINK(1)", parent2_ref="", parent2_name="", parent2_email="")
    await load("organisations", "trainers", "sessions")
    await import_bytes("families", a_file("families", formula))
    for kind in ("families", "sessions"):
        count, data = await exported(kind)
        assert count == 1
        report = await import_bytes(kind, data)
        assert all(did.added == did.changed == 0 for did in report.things.values()), report
    assert b",'=HYPERLINK(1)," in (await exported("families"))[1]


async def test_exports_carry_no_wishes():
    """R31: no export has a column for a wish, its theme or its words; the ledger knows cents only."""
    assert await exported("bookings") == (0, await header("bookings"))
    await world.fill_pot(await world.an_organisation(), 10)
    count, data = await exported("ledger")
    assert count == 1
    assert b"top_up" in data
    for kind in ("families", "bookings", "ledger"):
        assert b"wish" not in await header(kind)
        assert b"theme" not in await header(kind)


async def header(kind):
    return (await exported(kind))[1].splitlines(keepends=True)[0]


async def test_the_demonstrations_files_go_in(tmp_path):
    """A made-up Netherlands goes in through its files as it is, twice, and its columns are ours."""
    from datetime import UTC, date, datetime

    from leerbudget.fictional import csv_files
    from leerbudget.fictional.population import make_world
    from leerbudget.fictional.tariffs import with_tariffs

    for kind, columns in COLUMNS.items():
        assert tuple(csv_files.COLUMNS[f"{kind}.csv"]) == columns
    csv_files.write_world(with_tariffs(make_world(200, 25, 3, date(2027, 1, 4))), tmp_path)
    with clock.travelling(datetime(2026, 12, 28, tzinfo=UTC)):
        for kind in ("organisations", "families", "professionals", "trainers", "courses", "tariffs", "sessions"):
            first = await import_file(kind, tmp_path / f"{kind}.csv")
            again = await import_file(kind, tmp_path / f"{kind}.csv")
            assert sum(did.added for did in first.things.values()) > 0
            assert all(did.added == did.changed == 0 for did in again.things.values()), again
