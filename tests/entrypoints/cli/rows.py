"""Good rows of each kind of import file, and files made of them."""

import csv
import io

from leerbudget.entrypoints.files.columns import COLUMNS

GOOD = {
    "organisations": ["O1", "Pleegzorg (fictief)", "provider", "Regio", "o1@fictief.example"],
    "families": [
        "F1", "Gezin 1 (fictief)", "O1", "3511", "kinship", "crisis;part_time", "a0_3;a4_8", "2020-01-01",
        "F1a", "Anne (fictief)", "anne@fictief.example", "F1b", "Ben (fictief)", "ben@fictief.example",
    ],
    "professionals": ["W1", "Wim (fictief)", "w1@fictief.example", "guardian_worker", "O1", "F1=2025-02-01"],
    "trainers": [
        "T1", "Tessa (fictief)", "t1@fictief.example", "trauma;self_care", "Regio", "admitted", "2029-01-01", "O1",
    ],
    "courses": [
        "C1", "Titel (fictief)", "trauma", "group_training", "U leert iets.", "O1", "admitted",
        "family_type:kinship=for;experience:lt1=suits;child_age_bands:a4_8=suits", "14=100;7=50",
    ],
    "tariffs": ["P1", "C1", "municipality", "", "Utrecht", "", "4500", "2027-01-01", ""],
    "sessions": [
        "S1", "conditional", "C1", "Titel (fictief)", "trauma", "group_training", "U leert iets.", "O1", "admitted",
        "family_type:kinship=for;experience:lt1=suits;child_age_bands:a4_8=suits", "14=100;7=50", "V1",
        "Zaal (fictief)", "3511", "false", "2027-03-01T19:00+01:00/2027-03-01T21:00+01:00", "4500", "2", "12",
        "2027-02-20", "T1", "", "", "", "a4_8=4",
    ],
    "grants": ["G1", "F1", "O1", "25000", "2027-01-01", "2027-12-31", "", "", "", ""],
}  # fmt: skip


def a_file(kind, *rows, header=None):
    """The bytes of a CSV file of that kind."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header or COLUMNS[kind], *rows])
    return text.getvalue().encode()


def with_cells(which, /, **cells):
    """A good row with some other cells."""
    return [cells.get(name, cell) for name, cell in zip(COLUMNS[which], GOOD[which], strict=True)]
