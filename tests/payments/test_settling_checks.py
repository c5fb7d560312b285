"""The auditor notices what is wrong with a settlement, and a worker that dies half-way leaves nothing half done."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from entrypoints.cli.commanding import forked
from entrypoints.cli.commanding import on as environment
from ledger.bookkeeping import CLERK
from leerbudget.entrypoints.worker.jobs import JOBS
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.queries import check as check_books
from leerbudget.ledger.rules import TransferOrder
from leerbudget.payments.queries import check
from leerbudget.payments.settlements import matrix_of
from leerbudget.payments.settling import settle_months
from payments.settling_world import a_country, on

FEBRUARY, MARCH = "2027-02-02", "2027-03-02"


async def settled(day):
    """Settle on a day."""
    with travelling(on(day)):
        return await settle_months(actor=CLERK)


@pytest.fixture
async def country(world_db):
    """Two months in which a family of each organisation learned at the other; January and February are settled."""
    made = await a_country(families=[1, 1], employers=[0, 1])
    for month, cents in (("2027-01", 4_500), ("2027-02", 900)):
        await made.pays(f"{month}-20", made.families[0][0], 1, cents)
        await made.pays(f"{month}-20", made.families[1][0], 0, cents + 7)
    await settled(FEBRUARY)
    await settled(MARCH)
    assert await check() == []
    return made


# What is broken, and every sentence that says so.
BREAKS = [
    ("UPDATE transfer SET amount_cents = 4501 WHERE amount_cents = 4500 AND kind = 'settlement'", ("heeft een ander bedrag dan er te verrekenen was", "€ 0,01 meer verrekend dan er te verrekenen was", "over 2027-01 komt niet op nul uit, maar op € 0,01")),
    ("UPDATE transfer SET amount_cents = 4499 WHERE amount_cents = 4500 AND kind = 'settlement'", ("heeft een ander bedrag dan er te verrekenen was", "over 2027-01 komt niet op nul uit, maar op € -0,01")),
    ("DELETE FROM transfer WHERE amount_cents = 4500 AND kind = 'settlement'", ("ontbreekt in de boeken",)),
    ("DELETE FROM transfer WHERE kind = 'booking' AND amount_cents = 900", ("staat in de boeken, maar er was niets te verrekenen", "over 2027-02 komt niet op nul uit")),
    ("UPDATE transfer SET credit = debit, debit = credit WHERE kind = 'settlement' AND amount_cents = 900", ("ging niet van de trainer naar de pot van zijn organisatie",)),
    ("UPDATE transfer SET credit = (SELECT id FROM account WHERE kind = 'bank') WHERE kind = 'settlement' AND amount_cents = 900", ("ging niet van de trainer naar de pot van zijn organisatie",)),
    ("UPDATE transfer SET phase = 'reserve' WHERE kind = 'settlement' AND amount_cents = 900", ("ging niet van de trainer naar de pot van zijn organisatie",)),
    ("UPDATE transfer SET business_ref = 'settle:oeps' WHERE kind = 'settlement' AND amount_cents = 900", ("Verrekening settle:oeps staat in de boeken, maar er was niets te verrekenen", "over een onbekende maand komt niet op nul uit")),
    ("UPDATE trainer_employer SET organisation = NULL", ("maar er was niets te verrekenen", "meer verrekend dan er te verrekenen was")),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), BREAKS)
async def test_every_break_is_said_plainly(country, admin, sql, said):
    """A wrong amount, a missing or a stray settlement, another pot, an unreadable month: each in its own sentence."""
    await admin.execute("SET session_replication_role = replica")
    done = await admin.execute(sql)
    assert done.rpartition(" ")[2] != "0"
    messages = await check()
    for words in said:
        assert any(words in message for message in messages), (words, messages)


async def test_a_second_settlement_of_a_month_is_noticed(country):
    """The database lets a month be settled once under its own name; under another name the auditor sees it."""
    pot = await account_of("organisation_pot", country.organisations[1], constrained=True)
    ref = f"settle:2027-01:{country.accounts[1]}:again"
    await record([TransferOrder(new_id(), "settlement", ref, "posted", country.accounts[1], pot, 5)], actor=CLERK)
    messages = await check()
    said = f"Rekening {country.accounts[1]} is over 2027-01 2 keer verrekend."
    for words in (said, "€ 0,05 meer verrekend", "er was niets te verrekenen", "komt niet op nul uit, maar op € 0,05"):
        assert any(words in message for message in messages), (words, messages)


async def test_a_month_that_nobody_settled_yet_is_no_trouble(country):
    """The worker may come later: what waits is not wrong."""
    await country.pays("2027-03-20", country.families[0][0], 1, 50)
    assert await check() == []


class _Killed(Exception):
    """The worker died here."""


async def test_a_run_that_dies_half_way_leaves_nothing_and_the_next_one_does_it_all(country):
    """Everything of a run is one transaction: cut off after the transfers, no month is half settled."""
    await country.pays("2027-03-20", country.families[0][0], 1, 50)
    await country.pays("2027-03-20", country.families[1][0], 0, 60)
    count = "SELECT count(*) FROM transfer WHERE kind = 'settlement'"
    with suppress(_Killed):
        async with together():
            assert await settled("2027-04-02") == 2
            raise _Killed
    assert await fetch_value(count) == 4
    assert await settled("2027-04-02") == 2
    assert await fetch_value(count) == 6
    assert [*await check(), *await check_books()] == []


async def test_the_worker_settles(country):
    """One of its jobs does it, without anybody asking."""
    await country.pays("2027-03-20", country.families[0][0], 1, 50)
    (job,) = [job for job in JOBS if job.name == "settle months that are over"]
    with travelling(on("2027-04-02")):
        await job.work()
    assert await fetch_value("SELECT count(*) FROM transfer WHERE kind = 'settlement'") == 5


async def test_the_command_settles_and_shows_who_was_guest_of_whom(country, world_db):
    """`run` settles what is over and refuses what is not or is no month; `show` gives every cell, and nothing on balance."""

    async def run(*words):
        return await asyncio.to_thread(forked, "settlements", *words, env=environment(world_db))

    shown = await run("show", "--month", "2027-01")
    assert (shown.returncode, shown.stderr) == (0, "2 cells\n")
    assert shown.stdout.splitlines()[0] == "2027-01"
    assert "€ 45,00  Pleegzorg Voorbeeld (fictief) -> Pleegzorg Voorbeeld (fictief)" in shown.stdout
    assert "€ 0,07  net: " in shown.stdout
    assert "€ -0,07  net: " in shown.stdout
    assert shown.stdout.splitlines()[-1].split() == ["€", "0,00", "together"]
    assert '"cents":4500,"families":1' in (await run("show", "--json")).stdout
    assert (await run("run")).stdout == "settled: nothing was due\n"
    for wrong, code in (
        (("run", "--month", "2199-01"), 2),
        (("run", "--month", "2027-1"), 2),
        (("show", "--month", "x"), 2),
    ):
        assert (await run(*wrong)).returncode == code, wrong


# --- any story -------------------------------------------------------------------------------------------------

MONTHS = ["2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06", "2027-07"]
FAMILIES, TRAINERS, ORGANISATIONS = 4, 3, 3
pays = st.tuples(st.just("pays"), st.integers(0, FAMILIES - 1), st.integers(0, TRAINERS - 1), st.integers(1, 5_000))
events = st.lists(
    st.one_of(
        pays,
        pays,
        st.tuples(st.just("back"), st.integers(0, 20)),
        st.tuples(st.just("back"), st.integers(0, 20)),
        st.tuples(st.just("works"), st.integers(0, TRAINERS - 1), st.none() | st.integers(0, ORGANISATIONS - 1)),
        st.tuples(st.just("correct"), st.integers(0, TRAINERS - 1), st.integers(-3_000, 3_000).filter(bool)),
        st.tuples(st.just("settle")),
        st.tuples(st.just("month")),
        st.tuples(st.just("month")),
    ),
    min_size=15,
    max_size=40,
)

EVERYTHING = [
    *(("pays", 0, 1, 4_500), ("pays", 2, 0, 900), ("month",), ("settle",), ("back", 0), ("pays", 3, 1, 6_000)),
    *(
        ("works", 2, 0),
        ("pays", 3, 2, 70),
        ("month",),
        ("pays", 3, 2, 5),
        ("correct", 0, -950),
        ("month",),
        ("settle",),
    ),
    *(("works", 0, 2), ("pays", 2, 0, 40), ("month",), ("pays", 2, 0, 30), ("correct", 1, 8)),
]
"""A story in which everything happens; chance alone does not always think of each."""


class Pencil:
    """The same with pencil and paper: who earned what in which month, and who works for whom from when."""

    def __init__(self):
        self.earned = []  # (month, trainer, guest, cents)
        self.employers = [{0: 0}, {0: 1}, {0: None}]  # by trainer: month -> organisation

    def host(self, trainer, month):
        """Who the trainer works for in a month."""
        known = self.employers[trainer]
        return known[max(m for m in known if m <= month)]

    def settlements(self, over):
        """Month by month, trainer by trainer: what goes to whom, and from whom it came. Only sums and loops."""
        moved, cells = {}, {}
        for trainer in range(TRAINERS):
            for host in range(ORGANISATIONS):
                waiting = []
                for month in range(over):
                    if self.host(trainer, month) == host:
                        waiting += [(g, c) for m, t, g, c in self.earned if (m, t) == (month, trainer)]
                    if sum(cents for _, cents in waiting) > 0:
                        moved[month, trainer] = (host, sum(cents for _, cents in waiting))
                        for guest, cents in waiting:
                            cells[month, guest, host] = cells.get((month, guest, host), 0) + cents
                        waiting = []
        return moved, cells


async def play(story):
    """A story in a fresh country of two families each for two organisations, against pencil and paper."""
    country, pencil, month, paid = await a_country(families=[2, 2, 0], employers=[0, 1, None]), Pencil(), 0, []
    for verb, *words in story:
        day = f"{MONTHS[month]}-15"
        if verb == "pays":
            family, trainer, cents = words
            paid.append(
                (
                    await country.pays(day, country.families[family // 2][family % 2], trainer, cents),
                    family,
                    trainer,
                    cents,
                )
            )
            pencil.earned.append((month, trainer, family // 2, cents))
        elif verb == "back" and paid:
            purpose, family, trainer, cents = paid.pop(words[0] % len(paid))
            await country.gets_back(day, purpose)
            pencil.earned.append((month, trainer, family // 2, -cents))
        elif verb == "works":
            trainer, organisation = words
            await country.works_for(day, trainer, organisation)
            known = pencil.employers[trainer]
            if known[max(known)] != organisation:
                known[0 if month == 0 else month + 1] = organisation
        elif verb == "correct":
            await corrected(country.accounts[words[0]], words[1], day)
            pencil.earned.append((month, words[0], None, words[1]))
        elif verb == "settle":
            await asyncio.gather(*(settled(f"{MONTHS[month]}-02") for _ in range(2)))
        elif verb == "month" and month < len(MONTHS) - 2:
            month += 1
    await settled(f"{MONTHS[month + 1]}-02")
    return country, pencil, month + 1


async def corrected(account, cents, day):
    """A correction from or to the house's own account."""
    house = await account_of("suspense", None, constrained=False)
    debit, credit = (house, account) if cents > 0 else (account, house)
    order = TransferOrder(new_id(), "correction", f"fix:{new_id()}", "posted", debit, credit, abs(cents), reason="Fout")
    with travelling(on(day)):
        await record([order], actor=CLERK)


async def against_pencil(story):
    """The books and the matrix are those of pencil and paper, to the cent; the auditor is content; how many settled."""
    country, pencil, over = await play(story)
    moved, cells = pencil.settlements(over)
    sql = (
        "SELECT business_ref, credit, amount_cents FROM transfer WHERE kind = 'settlement' AND debit = ANY($1::uuid[])"
    )
    pots = [await account_of("organisation_pot", each, constrained=True) for each in country.organisations]
    found = {
        row["business_ref"]: (pots.index(row["credit"]), row["amount_cents"])
        for row in await fetch_all(sql, country.accounts)
    }
    assert found == {f"settle:{MONTHS[m]}:{country.accounts[t]}": told for (m, t), told in moved.items()}
    number = {organisation: n for n, organisation in enumerate(country.organisations)} | {None: None}
    shown = [
        cell
        for organisation in country.organisations
        for cell in await matrix_of(organisation)
        if cell.host == organisation
    ]
    assert {(c.month, number[c.guest], number[c.host]): c.cents for c in shown} == {
        (MONTHS[m], guest, host): cents for (m, guest, host), cents in cells.items()
    }
    assert sum(c.cents for c in shown) == sum(cents for _, cents in found.values())
    assert [*await check(), *await check_books()] == []
    return len(found), sum(cents < 0 for cents in cells.values())


async def test_any_story_settles_as_with_pencil_and_paper(world_db):
    """Seats, fees that come back, corrections, changes of employer and runs in any order and at once: the same cents."""
    loop, seen = asyncio.get_running_loop(), []

    @settings(
        max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(events)
    @example(EVERYTHING)
    def every(story):
        seen.append(asyncio.run_coroutine_threadsafe(against_pencil(story), loop).result())

    await asyncio.to_thread(every)
    assert sum(transfers for transfers, _ in seen) > 20
    assert any(negative for _, negative in seen)
