"""The written files keep the promise of docs/import-files.md: its columns, its codes, and no loose reference."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leerbudget.catalogue.rules import COURSE_STATES, FORMS, SESSION_STATES, THEMES
from leerbudget.fictional.csv_files import COLUMNS, write_world
from leerbudget.fictional.population import make_world
from leerbudget.fictional.tariffs import with_tariffs
from leerbudget.fictional.world import World
from leerbudget.geography.postcodes import all_places
from leerbudget.people.rules import CARE_FORMS, CHILD_AGE_BANDS, FAMILY_TYPES, ORGANISATION_KINDS, PARTIES
from leerbudget.trainers.rules import TRAINER_STATES
from leerbudget.wishes.rules import CHILDCARE_NEEDS, TRAVEL_MODES

START_ON = date(2027, 1, 4)
DOC = (Path(__file__).resolve().parents[2] / "docs" / "import-files.md").read_text(encoding="utf-8")
Rows = list[dict[str, str]]

ONE_OF = {
    "kind": ORGANISATION_KINDS,
    "family_type": FAMILY_TYPES,
    "theme": THEMES,
    "form": FORMS,
    "course_state": COURSE_STATES,
    "childcare_need": CHILDCARE_NEEDS,
    "role": ("foster_care_worker", "guardian_worker"),
    "online_ok": ("true", "false"),
    "urgent": ("true", "false"),
}
SOME_OF = {"care_forms": CARE_FORMS, "child_age_bands": CHILD_AGE_BANDS, "themes": THEMES, "forms": FORMS}
KEYS_OF = {
    "travel_minutes_max": TRAVEL_MODES,
    "childcare": CHILD_AGE_BANDS,
    "childcare_places": CHILD_AGE_BANDS,
    "parties": PARTIES,
}


def sections() -> Iterator[tuple[str, str]]:
    """File name and text of each section of the document."""
    parts = re.split(r"^## (\S+\.csv)$", DOC, flags=re.MULTILINE)[1:]
    return zip(parts[::2], parts[1::2], strict=True)


def read(path: Path) -> Rows:
    """The rows of a file; the header must be exactly the promised one."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, strict=True)
        assert tuple(rows.fieldnames or ()) == tuple(COLUMNS[path.name])
        found = list(rows)
    assert all(None not in row and None not in row.values() for row in found)
    return found


def test_the_document_names_every_column_in_order() -> None:
    """Each table of the document lists exactly the columns of its file."""
    documented = {
        name: tuple(re.findall(r"^\| ([a-z0-9_]+) \| \S", text, re.MULTILINE)[1:]) for name, text in sections()
    }
    assert documented == {name: tuple(columns) for name, columns in COLUMNS.items()}


def test_the_examples_in_the_document_are_whole() -> None:
    """Each example has the header of its file and a row with as many cells."""
    examples = {name: re.search(r"```csv\n(.*?)```", text, re.DOTALL) for name, text in sections()}
    assert set(examples) == set(COLUMNS)
    for name, example in examples.items():
        assert example is not None
        header, row = csv.reader(io.StringIO(example.group(1)), strict=True)
        assert header == list(COLUMNS[name])
        assert len(row) == len(header)
        assert_codes([dict(zip(header, row, strict=True))])


def test_the_importers_read_these_columns() -> None:
    """What the importers expect is what the document promises and the demonstration writes."""
    from leerbudget.entrypoints.files.columns import COLUMNS as EXPECTED

    for kind, columns in EXPECTED.items():
        assert tuple(columns) == tuple(COLUMNS[f"{kind}.csv"])


def test_the_importers_accept_what_is_written(world: World, tmp_path: Path) -> None:
    """Every file that an organisation may import passes the importers' own reading, row for row."""
    from leerbudget.entrypoints.files.importing import IMPORTERS

    read_by_importers = 0
    for path in write_world(with_tariffs(world), tmp_path):
        if path.stem in IMPORTERS:
            assert len(IMPORTERS[path.stem].read(path.read_bytes())) == len(read(path)) > 0
            read_by_importers += 1
    assert read_by_importers == len(IMPORTERS)


@settings(max_examples=6, deadline=None)
@given(families=st.integers(1, 250), sessions=st.integers(1, 40), seed=st.integers(0, 2**63))
def test_every_world_keeps_the_promise(tmp_path_factory, families: int, sessions: int, seed: int) -> None:
    """For any seed: exactly the promised columns, known codes, sound money and moments, references that resolve."""
    folder = tmp_path_factory.mktemp("world")
    files = {
        path.name: read(path)
        for path in write_world(with_tariffs(make_world(families, sessions, seed, START_ON)), folder)
    }
    assert set(files) == set(COLUMNS)
    assert len(files["families.csv"]) == families
    for rows in files.values():
        assert_codes(rows)
    assert_references(files)


def test_the_same_world_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    """Writing twice gives equal files, in UTF-8 without a byte-order mark."""
    one, other = write_world(world, tmp_path / "one"), write_world(world, tmp_path / "other")
    for first, second in zip(one, other, strict=True):
        data = first.read_bytes()
        assert data == second.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert not re.search(rb'(^|,)"?[=+@\t]', data), "a spreadsheet would run this"


def pairs(cell: str) -> list[tuple[str, str]]:
    """The pairs of a cell; a repeated key is kept."""
    return [(key, value) for key, _, value in (part.partition("=") for part in filter(None, cell.split(";")))]


def assert_codes(rows: Rows) -> None:
    """Closed lists, whole cents, days, zoned moments, postcodes and weeks are written as promised."""
    for row in rows:
        for column, cell in row.items():
            if column in ONE_OF:
                assert cell in ONE_OF[column], (column, cell)
            if column in SOME_OF:
                assert set(filter(None, cell.split(";"))) <= set(SOME_OF[column])
            if column in KEYS_OF:
                assert {key for key, _ in pairs(cell)} <= set(KEYS_OF[column])
            if column.endswith(("_cents", "_cents_max")) or column in {"rank", "seats_min", "seats_max"}:
                assert cell.isascii()
                assert cell.isdecimal()
            if (column.endswith("_on") and (cell or column != "ends_on")) or (
                column == "certificate_valid_until" and cell
            ):
                assert date.fromisoformat(cell).isoformat() == cell
            if column.endswith("postcode4") and not (column == "venue_postcode4" and not row["venue_ref"]):
                assert cell in all_places()
        assert_moments(row)
        assert_states(row)


def assert_moments(row: dict[str, str]) -> None:
    """Intervals run forward and every moment has its zone; a week has 21 bits."""
    intervals = [*row.get("meetings", "").split(";"), *(interval for _, interval in pairs(row.get("blocked", "")))]
    for interval in filter(None, intervals):
        begin, end = map(datetime.fromisoformat, interval.split("/"))
        assert begin.utcoffset() is not None
        assert begin < end
    assert all(re.fullmatch("[01]{21}", week) for _, week in pairs(row.get("weeks", "")))


def assert_states(row: dict[str, str]) -> None:
    """A session is not yet running, and a trainer stands somewhere in the pool."""
    if "session_ref" in row:
        assert row["state"] in SESSION_STATES[:3]
        assert int(row["seats_min"]) <= int(row["seats_max"])
    elif "trainer_ref" in row:
        assert row["state"] in TRAINER_STATES


def assert_references(files: dict[str, Rows]) -> None:
    """Whatever is named exists in its own file; repeated courses and venues are equal."""
    refs = {
        name: {row[f"{name.removesuffix('.csv').removesuffix('s')}_ref"] for row in rows}
        for name, rows in files.items()
        if name not in {"families.csv", "preferences.csv", "wishes.csv"}
    }
    families = {row["family_ref"]: row for row in files["families.csv"]}
    parents = {row[f"parent{i}_ref"] for row in families.values() for i in (1, 2)} - {""}
    organisations, professionals, trainers = refs["organisations.csv"], refs["professionals.csv"], refs["trainers.csv"]
    for name in ("families.csv", "professionals.csv", "courses.csv", "sessions.csv", "grants.csv"):
        assert {row["organisation_ref"] for row in files[name]} <= organisations
    assert {row["organisation_ref"] for row in files["tariffs.csv"]} - {""} <= organisations
    assert {row["course_ref"] for row in files["tariffs.csv"]} <= refs["courses.csv"]
    sheets = {row["course_ref"]: row for row in files["courses.csv"]}
    assert all(sheets[row["course_ref"]].items() <= row.items() for row in files["sessions.csv"])
    assert {ref for row in files["professionals.csv"] for ref, _ in pairs(row["families"])} <= set(families)
    assert {row["family_ref"] for row in files["grants.csv"]} <= set(families)
    seekers = set(families) | professionals
    assert {row["seeker_ref"] for row in files["wishes.csv"]} <= {row["seeker_ref"] for row in files["preferences.csv"]}
    assert {row["seeker_ref"] for row in files["preferences.csv"]} <= seekers
    for row in files["sessions.csv"]:
        assert set(row["trainer_refs"].split(";")) <= trainers
        assert set(filter(None, row["facilitator_refs"].split(";"))) <= trainers | professionals
    for row in files["preferences.csv"]:
        assert {ref for ref, _ in pairs(row["weeks"]) + pairs(row["blocked"])} <= parents | professionals
        assert set(filter(None, row["avoid_refs"].split(";"))) <= trainers | professionals
    for row in files["wishes.csv"]:
        assert set(row["person_refs"].split(";")) <= parents | professionals
    for key, columns in (("course_ref", COLUMNS["sessions.csv"][2:11]), ("venue_ref", COLUMNS["sessions.csv"][11:15])):
        seen = {tuple(row[column] for column in columns) for row in files["sessions.csv"]}
        assert len(seen) == len({row[key] for row in files["sessions.csv"]})


def test_a_planted_loose_reference_is_noticed(world: World, tmp_path: Path) -> None:
    """The check of references does fail: without this it might check nothing."""
    files = {path.name: read(path) for path in write_world(world, tmp_path)}
    files["grants.csv"][0]["family_ref"] = "F99999"
    with pytest.raises(AssertionError):
        assert_references(files)
