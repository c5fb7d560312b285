"""Set a paper in type: a tagged PDF that programs can read aloud (PDF/UA-1). Plain values in, bytes out."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files

import typst
from babel.dates import format_date

from leerbudget.foundation.money import euros
from leerbudget.papers.rules import Party


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a paper, from top to bottom.

    `facts`: label and value. `rows`: a table below `heads`; `columns`: how wide each is (0: as wide as its words);
    `amounts`: which columns are right-aligned. `sums`: label, amount and whether it stands out.
    """

    title: str
    made_on: date
    sender: Sequence[str]
    receiver: Sequence[str]
    facts: Sequence[tuple[str, str]]
    words: Sequence[str] = ()
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    columns: Sequence[int] = ()
    amounts: Sequence[int] = ()
    sums: Sequence[tuple[str, str, bool]] = ()
    closing: Sequence[str] = field(default_factory=tuple)


async def pdf(paper: Paper) -> bytes:
    """The paper as a PDF/UA-1 file, the same each time; in a thread of its own: some tens of milliseconds of computing."""
    return await asyncio.to_thread(_compiled, paper)


def _compiled(paper: Paper) -> bytes:
    told = asdict(paper) | {
        "date": {"year": paper.made_on.year, "month": paper.made_on.month, "day": paper.made_on.day}
    }
    del told["made_on"]
    on = paper.made_on
    made = typst.compile(
        _sheet(),
        sys_inputs={"paper": json.dumps(told)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )
    assert isinstance(made, bytes)  # noqa: S101 - one PDF, as no other format was asked for
    return made


@cache
def _sheet() -> bytes:
    return files("leerbudget.papers").joinpath("paper.typ").read_bytes()


def day(on: date) -> str:
    """A day as people read it: 3 maart 2027."""
    return str(format_date(on, "d MMMM y", locale="nl"))


def month(first_day: date) -> str:
    """A month as people read it: maart 2027."""
    return str(format_date(first_day, "MMMM y", locale="nl"))


def amount(cents: int) -> str:
    """An amount that is never broken over two lines."""
    return euros(cents).replace(" ", "\N{NO-BREAK SPACE}")


def address(party: Party) -> list[str]:
    """A party as it stands at the top of a paper."""
    register = {"kvk": "KvK", "oin": "OIN"}[party.register]
    lines = [party.name, party.street, f"{party.postcode} {party.place}", f"{register} {party.number}"]
    return lines if party.vat_id is None else [*lines, f"Btw-nummer {party.vat_id}"]
