"""Strict reading of CSV: every mistake by row and column, nothing guessed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.cli.rows import GOOD, a_file, with_cells
from leerbudget.entrypoints.files import granting, layouts, reading
from leerbudget.entrypoints.files.exporting import harmless
from leerbudget.entrypoints.files.importing import IMPORTERS
from leerbudget.entrypoints.files.reading import FileRefused, rows_of


def refusals(kind, data):
    """(row, column) of every mistake, and the messages."""
    with pytest.raises(FileRefused) as refusal:
        IMPORTERS[kind].read(data)
    return [(cell.row, cell.column) for cell in refusal.value.cells], [str(cell) for cell in refusal.value.cells]


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_row_is_read(kind):
    """One good row of each kind has no mistake; so every mistake below comes from its own change."""
    (line,) = IMPORTERS[kind].read(a_file(kind, GOOD[kind]))
    assert (line.row, line.ref) == (2, GOOD[kind][0])


MISTAKES = [
    ("organisations", {"kind": "club"}, "kind"),
    ("organisations", {"name": ""}, "name"),
    ("organisations", {"name": "x" * 201}, "name"),
    ("organisations", {"name": "NUL\x00"}, "name"),
    ("organisations", {"name": "om\u202egekeerd"}, "name"),
    ("organisations", {"name": "twee\nregels"}, "name"),
    ("organisations", {"email": "geen adres"}, "email"),
    ("organisations", {"email": "a b@x.example"}, "email"),
    ("organisations", {"organisation_ref": "A;B"}, "organisation_ref"),
    ("organisations", {"organisation_ref": "x" * 61}, "organisation_ref"),
    ("families", {"postcode4": "3511AB"}, "postcode4"),
    ("families", {"postcode4": "0000"}, "postcode4"),
    ("families", {"postcode4": "３５１１"}, "postcode4"),  # noqa: RUF001 - full-width digits are the point
    ("families", {"family_type": ""}, "family_type"),
    ("families", {"care_forms": ""}, "care_forms"),
    ("families", {"care_forms": "crisis;weekend"}, "care_forms"),
    ("families", {"care_forms": "crisis;crisis"}, "care_forms"),
    ("families", {"first_placement_on": "01-02-2020"}, "first_placement_on"),
    ("families", {"first_placement_on": "2020-02-30"}, "first_placement_on"),
    ("families", {"first_placement_on": "0020-01-01"}, "first_placement_on"),
    ("families", {"parent1_ref": ""}, "parent1_ref"),
    ("families", {"parent2_name": ""}, "parent2_name"),
    ("families", {"parent2_ref": "F1a"}, "parent2_ref"),
    ("families", {"parent2_email": "ANNE@fictief.example"}, "parent2_email"),
    ("professionals", {"role": "guardian_workers"}, "role"),
    ("professionals", {"families": "F1"}, "families"),
    ("professionals", {"families": "F1=gisteren"}, "families"),
    ("professionals", {"families": "F1=2025-01-01;F1=2025-01-02"}, "families"),
    ("trainers", {"themes": "magie"}, "themes"),
    ("trainers", {"certificate_valid_until": ""}, "certificate_valid_until"),
    ("trainers", {"organisation_ref": "O1;O2"}, "organisation_ref"),
    ("sessions", {"state": "running"}, "state"),
    ("sessions", {"meetings": ""}, "meetings"),
    ("sessions", {"meetings": "2027-03-01T19:00/2027-03-01T21:00"}, "meetings"),
    ("sessions", {"meetings": "2027-03-01T21:00+01:00/2027-03-01T19:00+01:00"}, "meetings"),
    ("sessions", {"meetings": "2027-03-01T19:00+01:00"}, "meetings"),
    ("sessions", {"meetings": "9999-12-31T23:00-12:00/9999-12-31T23:30-12:00"}, "meetings"),
    ("sessions", {"price_cents": "45,00"}, "price_cents"),
    ("sessions", {"price_cents": "1e3"}, "price_cents"),
    ("sessions", {"price_cents": "1_000"}, "price_cents"),
    ("sessions", {"price_cents": "٤٥"}, "price_cents"),
    ("sessions", {"price_cents": "-1"}, "price_cents"),
    ("sessions", {"price_cents": "9" * 4000}, "price_cents"),
    ("sessions", {"seats_max": "NaN"}, "seats_max"),
    ("sessions", {"audience": "kinship=for"}, "audience"),
    ("sessions", {"audience": "family_type:kinship=maybe"}, "audience"),
    ("sessions", {"cancellation": "14=101"}, "cancellation"),
    ("sessions", {"venue_ref": ""}, "venue_ref"),
    ("sessions", {"venue_wheelchair": "ja"}, "venue_wheelchair"),
    ("sessions", {"parties": "foster_parents=3"}, "parties"),
    ("sessions", {"childcare_places": "a4_8=veel"}, "childcare_places"),
    ("grants", {"amount_cents": "0"}, "amount_cents"),
    ("grants", {"amount_cents": str(2**53)}, "amount_cents"),
    ("grants", {"expires_on": "2026-12-31"}, "expires_on"),
]


@pytest.mark.parametrize(
    ("kind", "cells", "column"), MISTAKES, ids=[f"{k}-{c}-{n}" for n, (k, _, c) in enumerate(MISTAKES)]
)
def test_each_mistake_is_told_by_row_and_column(kind, cells, column):
    """One wrong cell in the second row is one message that names row 3 and the column."""
    first = list(GOOD[kind])
    first[0] += "x"
    if kind == "families":
        first[8:] = ["X1a", "Ine (fictief)", "ine@fictief.example", "", "", ""]
    if kind in ("professionals", "trainers"):
        first[2] = "ander@fictief.example"
    places, messages = refusals(kind, a_file(kind, first, with_cells(kind, **cells)))
    assert places == [(3, column)], messages
    assert messages[0].startswith(f"rij 3, kolom {column}: ")
    assert len(messages[0]) < 400


def test_every_mistake_of_every_row_is_told():
    """Not the first mistake but all of them, in the order of the file."""
    rows = [with_cells("organisations", organisation_ref=f"O{n}", kind="x", email="y") for n in range(3)]
    places, _ = refusals("organisations", a_file("organisations", *rows))
    assert places == [(row, column) for row in (2, 3, 4) for column in ("email", "kind")]


def test_one_bad_row_among_five_thousand_is_the_only_one_told():
    """5,000 good rows do not hide it and do not drown it."""
    rows = [with_cells("organisations", organisation_ref=f"O{n}") for n in range(5_000)]
    rows[3_210][2] = "club"
    places, _ = refusals("organisations", a_file("organisations", *rows))
    assert places == [(3_212, "kind")]


def test_a_reference_stands_once_in_a_file():
    """The second row with the same key is told, with where the first stands."""
    _, messages = refusals("organisations", a_file("organisations", GOOD["organisations"], GOOD["organisations"]))
    assert messages == ["rij 3, kolom organisation_ref: 'O1' staat ook in rij 2"]


def test_a_course_or_venue_is_the_same_in_every_row():
    """Rows that repeat a course or a venue with other content are told."""
    other = with_cells("sessions", session_ref="S2", course_title="Anders", venue_name="Elders")
    places, messages = refusals("sessions", a_file("sessions", GOOD["sessions"], other))
    assert places == [(3, "course_ref"), (3, "venue_ref")]
    assert "anders dan in rij 2" in messages[0]


def test_columns_may_stand_in_any_order_and_bytes_may_start_with_a_mark():
    """A byte order mark, another order of columns and empty rows are all fine; row numbers stay those of the sheet."""
    order = list(reversed(layouts.COLUMNS["organisations"]))
    data = a_file("organisations", [], list(reversed(GOOD["organisations"])), header=order)
    (line,) = layouts.organisations("\ufeff".encode() + data)
    assert (line.row, line.ref, line.email) == (3, "O1", "o1@fictief.example")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ontbreekt"),
        (a_file("organisations", header=["organisation_ref", "name", "kind", "region"]), "kolom email: ontbreekt"),
        (
            a_file("organisations", header=[*layouts.COLUMNS["organisations"], "child_name"]),
            "child_name: hoort hier niet",
        ),
        (a_file("organisations", header=[*layouts.COLUMNS["organisations"], "kind"]), "kind: staat er twee keer"),
        (a_file("organisations", GOOD["organisations"][:4]), "rij 2: heeft 4 cellen in plaats van 5"),
        (a_file("organisations", [*GOOD["organisations"], "meer"]), "rij 2: heeft 6 cellen in plaats van 5"),
        (a_file("organisations") + b"O1,\xe9\xe9,provider,R,a@b.example\n", "is geen UTF-8 (regel 2)"),
        (a_file("organisations", GOOD["organisations"]).decode().encode("utf-16"), "is geen UTF-8"),
        (a_file("organisations") + b'"O1,x', "is geen geldig CSV-bestand"),
        (a_file("organisations") + b"O1," + b"x" * 200_000, "is geen geldig CSV-bestand"),
        (a_file("organisations", with_cells("organisations", name="x" * 30_000)), "rij 2, kolom name"),
    ],
)
def test_a_file_that_is_no_good_file_is_told(data, message):
    """Encoding, header, quoting and number of cells: one clear sentence each, never a crash."""
    _, messages = refusals("organisations", data)
    assert any(message in told for told in messages), messages


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    """A file of one gigabyte is refused by its size, before a byte is read."""
    from leerbudget.entrypoints.files.importing import read_file

    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(FileRefused, match="niet ingelezen"):
        read_file(huge)


@given(st.binary(max_size=300))
def test_no_bytes_whatever_make_it_stumble(data):
    """Random bytes, with or without a good header, are read or refused; nothing else ever happens."""
    for content in (data, a_file("grants") + data):
        with contextlib.suppress(FileRefused):
            granting.grants(content)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=8, max_size=8))
def test_no_cells_whatever_make_it_stumble(cells):
    """Random cells in a good file are read or refused by row and column."""
    with contextlib.suppress(FileRefused):
        granting.grants(a_file("grants", cells))


@given(st.text(st.characters(exclude_characters="\x00\r\n", exclude_categories=["Cs"]), max_size=40))
def test_what_an_export_makes_harmless_reads_back(text):
    """No exported text starts like a formula, and an import reads what was meant."""
    safe = harmless(text)
    assert not safe.startswith(reading.FORMULA_STARTS)
    (row,) = rows_of(a_file("x", ["r", safe], header=["ref", "text"]), ("ref", "text"))
    assert row.cells["text"] == (
        text if not (text.startswith("'") and text[1:].startswith(reading.FORMULA_STARTS)) else text[1:]
    )


@pytest.mark.parametrize("text", ["=1+1", "+31", "-2", "@sum", "\tx", "\rx"])
def test_formulas_get_an_apostrophe(text):
    """What a spreadsheet would run is written as text; a number stays a number."""
    assert harmless(text) == f"'{text}"
    assert harmless(-5) == "-5"
    assert (harmless(None), harmless(value=True)) == ("", "true")
