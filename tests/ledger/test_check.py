"""`ledger check` finds what a superuser breaks, and `ledger export` hands over every line."""

import asyncio
import json
from contextlib import aclosing

import pytest

from entrypoints.cli.commanding import forked, on
from ledger.bookkeeping import Books
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.queries import book_size, check, export
from leerbudget.ledger.rules import TransferOrder

EVENTS = """
    top-up  500000
    grant   brood   25000
    hold    first   18000
    hold    second  5000
    settle  first   9000
"""

# What is broken, and a word of the sentence that says so.
BREAKS = [
    ("UPDATE transfer SET amount_cents = amount_cents + 1 WHERE kind = 'grant'", "de tellers zeggen"),
    (
        "UPDATE account SET credits_posted_cents = credits_posted_cents + 1 WHERE kind = 'family_budget'",
        "de tellers zeggen",
    ),
    ("UPDATE account SET debits_pending_cents = 0 WHERE kind = 'family_budget'", "€ 0,00 vast, de mutaties zeggen"),
    ("DELETE FROM transfer WHERE phase = 'post'", "€ 230,00 vast"),
    ("DELETE FROM transfer WHERE kind = 'top_up'", "te laag"),
    ("UPDATE transfer SET amount_cents = 90000 WHERE phase = 'post'", "past niet bij het gereserveerde bedrag"),
    ("UPDATE transfer SET resolves = gen_random_uuid() WHERE phase = 'post'", "een reservering die niet bestaat"),
    ("UPDATE transfer SET debit = gen_random_uuid() WHERE kind = 'top_up'", "een rekening die niet bestaat"),
    ("UPDATE transfer SET debit = gen_random_uuid() WHERE kind = 'top_up'", "opgeteld is niet nul"),
    ("UPDATE transfer SET credit = debit WHERE kind = 'top_up'", "twee keer dezelfde rekening"),
    ("UPDATE transfer SET kind = 'grant' WHERE phase = 'post'", "van een andere soort"),
]
BREAKS_OF_BUDGETS = [
    ("UPDATE budget SET granted_cents = 1", "noemt een ander bedrag dan de boeken: € 0,01 en € 250,00"),
    ("UPDATE account SET owner = gen_random_uuid() WHERE kind = 'family_budget'", "niet bij dit leerbudget hoort"),
    ("DELETE FROM transfer WHERE kind = 'grant'", "niet precies een keer toegekend"),
    ("UPDATE budget_hold SET amount_cents = amount_cents - 1", "geen reservering met dat bedrag"),
    ("DELETE FROM budget_hold", "hoort bij geen vastlegging"),
]


@pytest.fixture
async def books(world_db):
    """A small healthy book."""
    opened = await Books().open()
    await opened.happens(EVENTS)
    return opened


async def test_every_break_is_said_plainly(books, admin):
    """A healthy book gives no message; each broken row gives a sentence that names what is wrong."""
    assert [*await check(), *await check_budgets()] == []
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("ALTER TABLE account DROP CONSTRAINT never_overspent")
    await admin.execute("ALTER TABLE transfer DROP CONSTRAINT two_sides")
    for look, breaks in ((check, BREAKS), (check_budgets, BREAKS_OF_BUDGETS)):
        for sql, said in breaks:
            broken = admin.transaction()
            await broken.start()
            saved = await _copy(admin)
            await admin.execute(sql)
            await broken.commit()
            messages = await look()
            assert any(said in message for message in messages), (sql, messages)
            await _restore(admin, saved)
            assert await look() == []


TABLES = ("account", "transfer", "budget", "budget_hold")


async def _copy(admin):
    return {table: await admin.fetch(f"SELECT * FROM {table}") for table in TABLES}


async def _restore(admin, saved):
    for table, rows in saved.items():
        await admin.execute(f"DELETE FROM {table}")
        await admin.copy_records_to_table(table, records=[tuple(row) for row in rows], columns=list(rows[0].keys()))


async def test_the_export_holds_every_transfer_in_order(books):
    """Each line names both accounts by kind; numbers rise; the amounts add up to the balances."""
    async with aclosing(export()) as rows:
        lines = [row async for row in rows]
    assert [(row.kind, row.phase, row.amount_cents) for row in lines] == [
        ("top_up", "posted", 500_000),
        ("grant", "posted", 25_000),
        ("booking", "reserve", 18_000),
        ("booking", "reserve", 5_000),
        ("booking", "post", 9_000),
    ]
    assert [row.number for row in lines] == sorted({row.number for row in lines})
    assert (lines[0].debit.kind, lines[0].credit.kind) == ("bank", "organisation_pot")
    assert lines[4].resolves == lines[2].id
    assert (await book_size()).transfers == len(lines)


async def run_cli(database, *words):
    """`leerbudget ledger …` as a process of its own, on the test's database."""
    return await asyncio.to_thread(forked, "ledger", *words, env=on(database))


async def test_the_command_checks_and_exports(books, world_db, admin, tmp_path):
    """Healthy: exit code 0 and `ledger: balanced`; the export is one JSON object a line; broken: exit code 1."""
    healthy = await run_cli(world_db, "check")
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert healthy.stdout.splitlines()[0] == "ledger: balanced"
    assert "5 mutaties, € 5.000,00 gestort" in healthy.stdout
    out = tmp_path / "books.jsonl"
    exported = await run_cli(world_db, "export", "--out", str(out))
    assert exported.returncode == 0, exported.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["amount_cents"] for line in lines] == [500_000, 25_000, 18_000, 5_000, 9_000]
    assert {"number", "at", "kind", "business_ref", "phase", "debit", "credit", "resolves"} <= set(lines[0])
    assert (await run_cli(world_db, "export")).stdout == out.read_text()

    await admin.execute("SET session_replication_role = replica")
    await admin.execute("UPDATE transfer SET amount_cents = 24999 WHERE kind = 'grant'")
    broken = await run_cli(world_db, "check")
    assert broken.returncode == 1
    assert "ledger: NOT balanced" in broken.stdout
    assert "Traceback" not in broken.stderr
    told = json.loads((await run_cli(world_db, "check", "--json")).stdout)
    assert (told["balanced"], len(told["troubles"])) == (False, 3)


async def test_an_export_that_fails_leaves_nothing_that_looks_whole(books, world_db, tmp_path):
    """A folder that is not there: one line on stderr, wrong usage, no file."""
    failed = await run_cli(world_db, "export", "--out", str(tmp_path / "gone" / "books.jsonl"))
    assert failed.returncode == 2
    assert len(failed.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


async def test_the_check_says_nothing_of_later_work(books):
    """Healthy work after a check is healthy too: nothing was repaired or left behind."""
    assert await check() == []
    await books.happens("settle second 5000")
    bank = await account_of("bank", None, constrained=False)
    rounding = await account_of("rounding", None, constrained=False)
    order = TransferOrder(new_id(), "correction", "c1", "posted", bank, rounding, 1, reason="Afronding van de bank")
    await record([order], actor=None)
    assert [*await check(), *await check_budgets()] == []
    assert await fetch_value("SELECT count(*) FROM transfer") == 7
