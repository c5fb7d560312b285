"""Strict reading of CSV: UTF-8, every column there and no other, one row per thing; mistakes by row and column.

Row 1 is the header, so row numbers are those of a spreadsheet. A list inside a cell is parted by `;`, pairs are
written `key=value`, moments carry their offset. Nothing is guessed and nothing is skipped but empty rows.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from leerbudget.foundation.clock import aware
from leerbudget.foundation.errors import InvalidInput
from leerbudget.geography.postcodes import all_places

Value = TypeVar("Value")

FILE_BYTES_MAX = 256 * 1024 * 1024
"""Larger files are refused before they are read: 20,000 families take about 5 MiB."""

ROWS_MAX = 1_000_000
CELL_CHARACTERS_MAX = 20_000
REF_CHARACTERS_MAX = 60
YEARS = (1900, 2100)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts like this is a formula to a spreadsheet; exports put an apostrophe before it."""


@dataclass(frozen=True, slots=True, order=True)
class CellError:
    """What is wrong with a cell. Row 0: the file as a whole; an empty column: the row as a whole."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        """Where and what, in Dutch."""
        place = "bestand" if self.row == 0 else f"rij {self.row}" + (f", kolom {self.column}" if self.column else "")
        return f"{place}: {self.message}"


class FileRefused(InvalidInput):
    """A file with mistakes: nothing of it was imported. `cells` lists every mistake in order of rows."""

    code = "file_refused"
    message_nl = "Het bestand is niet ingelezen: {count} fout(en)."

    def __init__(self, cells: Collection[CellError]) -> None:
        self.cells = sorted(set(cells))
        places = [{"path": f"{cell.row}.{cell.column}", "message": str(cell)} for cell in self.cells]
        super().__init__(count=len(self.cells), errors=places)


@dataclass(slots=True)
class Row:
    """The cells of one row. A getter notes what is wrong and answers a harmless value, so that reading goes on."""

    number: int
    cells: Mapping[str, str]
    errors: list[CellError] = field(default_factory=list)

    def wrong(self, column: str, message: str) -> None:
        """Note a mistake."""
        self.errors.append(CellError(self.number, column, message))

    def text(self, column: str, most: int = 200, *, optional: bool = False, lines: bool = False) -> str:
        """Words of at most so many characters, tidied: one form of each letter, no spaces around."""
        value = unicodedata.normalize("NFC", self.cells[column].strip())
        if not value and not optional:
            self.wrong(column, "is leeg")
        elif len(value) > most:
            self.wrong(column, f"is langer dan {most} tekens")
        elif not value.isprintable() and any(_strange(letter, lines=lines) for letter in value):
            self.wrong(column, "heeft een teken dat hier niet kan (zoals een NUL of een besturingsteken)")
        else:
            return value
        return ""

    def ref(self, column: str, most: int = REF_CHARACTERS_MAX, *, optional: bool = False) -> str:
        """The key of something in the files of whoever sends them."""
        value = self.text(column, most, optional=optional)
        if any(letter in value for letter in ";="):
            self.wrong(column, "een kenmerk heeft geen ; of = erin")
        return value

    def refs(self, column: str, *, optional: bool = False) -> tuple[str, ...]:
        """Keys, each once."""
        return self.words(column, None, optional=optional)

    def email(self, column: str, *, optional: bool = False) -> str:
        """An address, in lower case."""
        value = self.text(column, 254, optional=optional).lower()
        name, _, domain = value.rpartition("@")
        if value and (not name or "." not in domain.strip(".") or len(value.split()) != 1):
            self.wrong(column, f"'{_shown(value)}' is geen e-mailadres")
        return value

    def postcode4(self, column: str, *, optional: bool = False) -> str:
        """The four digits of a Dutch postcode that exists."""
        value = self.text(column, 10, optional=optional)
        if value and value not in all_places():
            self.wrong(column, f"'{_shown(value)}' is geen bestaande postcode van vier cijfers, zoals 3511")
            return ""
        return value

    def whole(self, column: str, least: int, most: int) -> int:
        """A whole number within bounds, in plain digits."""
        return self._read(column, lambda text: whole(text, least, most), least)

    def maybe_whole(self, column: str, least: int, most: int) -> int | None:
        """A whole number, or nothing."""
        return self.whole(column, least, most) if self.cells[column].strip() else None

    def day(self, column: str) -> date:
        """A date as 2027-03-01."""
        return self._read(column, day, date.min)

    def maybe_day(self, column: str) -> date | None:
        """A date, or nothing."""
        return self.day(column) if self.cells[column].strip() else None

    def flag(self, column: str, *, optional: bool = False) -> bool:
        """`true` or `false`."""
        value = self.cells[column].strip()
        if value not in ("true", "false") and (value or not optional):
            self.wrong(column, f"'{_shown(value)}' is niet true of false")
        return value == "true"

    def one_of(self, column: str, values: Sequence[str]) -> str:
        """A word of a closed list."""
        return self._read(column, lambda text: one_of(text, values), values[0])

    def words(self, column: str, values: Sequence[str] | None, *, optional: bool = False) -> tuple[str, ...]:
        """Words parted by `;`, each once, of a closed list if there is one."""
        parts = _parts(self.text(column, CELL_CHARACTERS_MAX, optional=optional))
        for part in parts:
            if values is not None and part not in values:
                self.wrong(column, f"'{_shown(part)}' kennen we niet; kies uit {', '.join(values)}")
            elif len(part) > REF_CHARACTERS_MAX:
                self.wrong(column, f"'{_shown(part)}' is langer dan {REF_CHARACTERS_MAX} tekens")
        if len(set(parts)) != len(parts):
            self.wrong(column, "hetzelfde staat er twee keer in")
        return tuple(parts)

    def pairs(self, column: str, read: Callable[[str, str], tuple[str, Value]]) -> dict[str, Value]:
        """Pairs `key=value` parted by `;`, each key once; `read` gives key and value, or raises ValueError."""
        found: dict[str, Value] = {}
        for part in _parts(self.text(column, CELL_CHARACTERS_MAX, optional=True)):
            key, equals, text = part.partition("=")
            try:
                if not equals:
                    raise ValueError(f"'{_shown(part)}' is geen paar als sleutel=waarde")  # noqa: TRY301 - one report
                name, value = read(key.strip(), text.strip())
            except ValueError as mistake:
                self.wrong(column, str(mistake))
                continue
            if name in found:
                self.wrong(column, f"'{_shown(name)}' staat er twee keer in")
            found[name] = value
        return found

    def intervals(self, column: str) -> tuple[tuple[datetime, datetime], ...]:
        """Moments `start/end` with their offset, parted by `;`."""
        found = []
        for part in _parts(self.text(column, CELL_CHARACTERS_MAX)):
            try:
                found.append(interval(part))
            except ValueError as mistake:
                self.wrong(column, str(mistake))
        return tuple(found)

    def _read(self, column: str, read: Callable[[str], Value], harmless: Value) -> Value:
        try:
            return read(self.cells[column].strip())
        except ValueError as mistake:
            self.wrong(column, str(mistake))
            return harmless


# --- one value ---------------------------------------------------------------------------------------------


def whole(text: str, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        ValueError: it is not; in Dutch.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError(f"'{_shown(text)}' is geen geheel getal van {least} tot en met {most}")
    if not least <= int(text) <= most:
        raise ValueError(f"{_shown(text)} ligt niet tussen {least} en {most}")
    return int(text)


def day(text: str) -> date:
    """A date.

    Raises:
        ValueError: it is not one, or too far away; in Dutch.
    """
    try:
        value = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ValueError(f"'{_shown(text)}' is geen datum als 2027-03-01") from None
    if not YEARS[0] <= value.year <= YEARS[1]:
        raise ValueError(f"{text} ligt niet tussen {YEARS[0]} en {YEARS[1]}")
    return value


def moment(text: str) -> datetime:
    """A moment with its offset, in UTC.

    Raises:
        ValueError: it is not one, or has no offset; in Dutch.
    """
    try:
        value = aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(f"'{_shown(text)}' is geen tijd met zone als 2027-03-01T19:00+01:00") from None
    if not YEARS[0] < value.year <= YEARS[1]:
        raise ValueError(f"{_shown(text)} ligt niet tussen {YEARS[0]} en {YEARS[1]}")
    return value


def interval(text: str) -> tuple[datetime, datetime]:
    """A start and a later end.

    Raises:
        ValueError: it is not; in Dutch.
    """
    start, slash, end = text.partition("/")
    if not slash:
        raise ValueError(f"'{_shown(text)}' is geen begin/einde")
    found = moment(start.strip()), moment(end.strip())
    if found[0] >= found[1]:
        raise ValueError(f"'{_shown(text)}' eindigt niet na het begin")
    return found


def one_of(text: str, values: Sequence[str]) -> str:
    """A word of a closed list.

    Raises:
        ValueError: it is not; in Dutch.
    """
    if text not in values:
        raise ValueError(f"'{_shown(text)}' kennen we niet; kies uit {', '.join(values)}")
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _shown(text: str) -> str:
    """The start of what was written, without what could disturb a screen."""
    plain = "".join("?" if _strange(letter, lines=False) else letter for letter in text[:40])
    return plain + ("…" if len(text) > 40 else "")


def _strange(letter: str, *, lines: bool) -> bool:
    """Control characters, halves of characters, and marks that turn the direction of writing."""
    if letter == "\n":
        return not lines
    bidirectional = unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") or bidirectional


# --- a whole file ------------------------------------------------------------------------------------------


def rows_of(data: bytes, columns: Sequence[str], later: Collection[str] = ()) -> Iterator[Row]:
    """Every row that is not empty, with exactly these columns, in whatever order the file has them.

    Columns in `later` may be missing; a row has no cell for them then.

    Raises:
        FileRefused: not UTF-8, too large, another header, or no CSV.
    """
    if len(data) > FILE_BYTES_MAX:
        raise FileRefused([CellError(0, "", f"is groter dan {FILE_BYTES_MAX // 1024**2} MiB")])
    lines = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        header = _header(next(lines, []), columns, later)
        for number, cells in enumerate(lines, start=2):
            if number > ROWS_MAX + 1:
                raise FileRefused([CellError(0, "", f"heeft meer dan {ROWS_MAX} rijen")])
            if any(cell.strip() for cell in cells):
                yield _row(number, cells, header)
    except csv.Error as failure:
        raise FileRefused([CellError(0, "", f"is geen geldig CSV-bestand, bij regel {lines.line_num}")]) from failure


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        message = f"is geen UTF-8 (regel {line}); bewaar het als CSV UTF-8"
        raise FileRefused([CellError(0, "", message)]) from failure


def _header(cells: Sequence[str], columns: Sequence[str], later: Collection[str]) -> list[str]:
    """The columns in the order of the file."""
    names = [name.strip() for name in cells]
    errors = [CellError(1, name, "ontbreekt") for name in columns if name not in (*names, *later)]
    errors += [CellError(1, _shown(name), "hoort hier niet") for name in names if name not in columns]
    errors += [CellError(1, _shown(name), "staat er twee keer") for name in names if names.count(name) > 1]
    if errors:
        raise FileRefused(errors)
    return names


def _row(number: int, cells: Sequence[str], columns: Sequence[str]) -> Row:
    given = [_without_apostrophe(cell) for cell in cells]
    row = Row(number, dict(zip(columns, [*given, *[""] * len(columns)], strict=False)))
    if len(cells) != len(columns):
        row.wrong("", f"heeft {len(cells)} cellen in plaats van {len(columns)}")
    for column, cell in row.cells.items():
        if len(cell) > CELL_CHARACTERS_MAX:
            row.wrong(column, f"is langer dan {CELL_CHARACTERS_MAX} tekens")
    return row


def _without_apostrophe(cell: str) -> str:
    """What an export made safe (`'-12`) is read as it was."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
