"""The script that rebuilds the postcode table: its rules, on lines made up in the form of GeoNames."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from leerbudget.geography.postcodes import all_places

ROOT = Path(__file__).resolve().parents[2]
LINES = (
    "BE\t1000\tBruxelles\tBrussels\tBRU\tBrussel\t21\t\t\t50.8\t4.3\t6\n",
    "NL\t2324\tAmersfoort\tUtrecht\t09\tAmersfoort Municipality\t0307\t\t\t52.2\t5.37\t\n",
    "NL\t2501\tDen Haag\tSouth Holland\t11\tGemeente Den Haag\t0518\t\t\t52.07\t4.3\t6\n",
    "NL\t2501\tScheveningen\tSouth Holland\t11\tGemeente Den Haag\t0518\t\t\t52.11\t4.27\t4\n",
    "NL\t9999\tKantens\tGroningen\t04\tGemeente Het Hogeland\t1966\t\t\t53.3507\t6.6023\t6\n",
)


@pytest.fixture
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("rebuild_pc4", ROOT / "scripts" / "rebuild_pc4.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_row_per_postcode_with_official_names(script: ModuleType) -> None:
    """Other countries fall away, the first line of a postcode counts, names become the official Dutch ones."""
    rows = list(script.rows(LINES, {}))
    assert [(row["postcode4"], row["municipality"], row["province"]) for row in rows] == [
        ("2324", "Amersfoort", "Utrecht"),
        ("2501", "'s-Gravenhage", "Zuid-Holland"),
        ("9999", "Het Hogeland", "Groningen"),
    ]
    assert rows[1]["place"] == "Den Haag"


def test_corrections_replace_what_geonames_has_wrong(script: ModuleType) -> None:
    """A corrected postcode takes every value of its correction."""
    corrections = json.loads((script.GEOGRAPHY / "pc4_corrections.json").read_text(encoding="utf-8"))
    assert len(corrections) == 13
    assert next(script.rows(LINES, corrections)) == {"postcode4": "2324", **corrections["2324"]}


def test_the_shipped_table_holds_the_corrections(script: ModuleType) -> None:
    """The 13 corrections are in the package data, which names its source."""
    corrections = json.loads((script.GEOGRAPHY / "pc4_corrections.json").read_text(encoding="utf-8"))
    for postcode4, correction in corrections.items():
        place = all_places()[postcode4]
        assert (place.place, place.municipality, place.lat) == (
            correction["place"],
            correction["municipality"],
            float(correction["lat"]),
        )
    attribution = (script.GEOGRAPHY / "pc4.attribution.txt").read_text(encoding="utf-8")
    assert "GeoNames" in attribution
    assert "CC BY 4.0" in attribution
