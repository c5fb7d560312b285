"""Database functions without their guard, for negative controls: a race test must fail without what it tests."""

import re
from pathlib import Path

import leerbudget


def changed_function(room: str, name: str, guard: str, instead: str) -> str:
    """The statement that puts a function of a room in place with one passage changed, which must be in it once."""
    text = (Path(leerbudget.__file__).parent / room / "functions.sql").read_text()
    found = re.search(rf"CREATE FUNCTION rooms\.{name}\(.*?\n(\$\$|END \$\$);", text, re.DOTALL)
    assert found, f"no function {name} in {room}"
    assert found[0].count(guard) == 1, f"{guard!r} stands {found[0].count(guard)} times in {name}"
    return found[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(guard, instead)
