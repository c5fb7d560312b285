"""House rules for the rooms' database functions (`functions.sql`), beside those for Python in test_tidy.py."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from test_tidy import FILE_LINES_MAX, SQL_CLOCK, SRC, foreign_tables_in, nobody_complains


@cache
def functions() -> list[Path]:
    """Every room's database functions."""
    return sorted(SRC.glob("*/functions.sql"))


def untidy_functions(place: str, text: str) -> Iterator[str]:
    """A room's database functions keep to the floors as its Python does, and ask nobody for the time."""
    code = "\n".join(line.split("--")[0] for line in text.splitlines())
    room = Path(place).parts[0]
    yield from foreign_tables_in(code, place, room, "functions")
    if SQL_CLOCK.search(code):
        yield f"{place}: take foundation.clock's time as a parameter"
    if text.count("\n") > FILE_LINES_MAX:
        yield f"{place}: longer than {FILE_LINES_MAX} lines, split it by verb"


def test_database_functions_are_tidy():
    """Functions in SQL write their own room's tables only, read what is at or below their floor, and know no clock."""
    nobody_complains(
        complaint
        for file in functions()
        for complaint in untidy_functions(str(file.relative_to(SRC)), file.read_text())
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("UPDATE course_session s SET seats_taken = 0", "only catalogue writes course_session"),
        ("INSERT INTO transfer (id) VALUES (1)", "only ledger writes transfer"),
        ("SELECT id FROM booking", "not below budgets"),
        ("SELECT now()", "as a parameter"),
    ],
)
def test_untidy_functions_are_noticed(text, complaint):
    """Somebody else's table, a table of a floor above, a clock: each is noticed in SQL as well."""
    found = list(untidy_functions("budgets/functions.sql", f"-- UPDATE family\n{text};\n"))
    assert len(found) == 1
    assert complaint in found[0]
