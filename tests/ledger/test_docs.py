"""The page for bookkeepers tells the truth: its examples are played, its lists are the code's."""

import re
from pathlib import Path

import pytest

from ledger.bookkeeping import Books
from leerbudget.ledger.queries import check
from leerbudget.ledger.rules import ACCOUNT_KINDS, PHASES, TRANSFER_KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ledger.md").read_text()
SECTIONS = {part.splitlines()[0]: part for part in PAGE.split("\n## ")[1:]}
EXAMPLES = [title for title in SECTIONS if title.startswith("Voorbeeld")]
FENCE = re.compile(r"```(events|balances)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("title", EXAMPLES)
async def test_an_example_is_true(world_db, title):
    """Playing the events of the example gives the balances that the page shows."""
    books = await Books().open()
    fences = FENCE.findall(SECTIONS[title])
    assert [kind for kind, _ in fences] == ["events", "balances"] * (len(fences) // 2)
    for kind, text in fences:
        await (books.happens if kind == "events" else books.shows)(text)
    assert await check() == []


def test_there_are_examples():
    """The page has its six examples; none was lost to another heading."""
    assert len(EXAMPLES) == 6
    assert len(FENCE.findall(PAGE)) == sum(len(FENCE.findall(SECTIONS[title])) for title in EXAMPLES)


def test_the_lists_are_complete():
    """Every kind of account, kind of transfer and phase of the code is explained in a table row, and no other."""
    for title, column in (("Rekeningen", ACCOUNT_KINDS), ("Mutaties", (*TRANSFER_KINDS, *PHASES))):
        rows = re.findall(r"^\| `(\w+)` \|", SECTIONS[title], re.MULTILINE)
        assert sorted(rows) == sorted(column)
