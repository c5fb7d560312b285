"""`leerbudget doctor` and `leerbudget ledger check`: well when all is well, and exit code 1 for whatever is broken."""

import asyncio
import json
from datetime import timedelta

import pytest

import world
from crowd import paid_top_up
from entrypoints.cli.commanding import forked, on
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import GrantOrder
from leerbudget.entrypoints.cli.upkeep import examine
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id

LEDGER, BUDGETS, I3, I4, I7 = "I1, I2", "budgets", "I3", "I4", "I7"


async def a_paid_budget(family):
    """250 euros that an organisation asked to top up, paid and granted."""
    organisation = await world.an_organisation()
    await paid_top_up(organisation, 25_000)
    begin, end = clock.today() - timedelta(days=1), clock.today() + timedelta(days=300)
    grant = GrantOrder(new_id(), "G1", family, organisation, 25_000, begin, end, None, None, carry_over=False)
    await budgets.grant(grant, actor=None)


@pytest.fixture
async def small_world(world_db):
    """A family with a paid course (childcare included), a cancelled one, and a place beside a professional."""
    family = await world.a_family(parents=1)
    parent = (await world.parents_of(family))[0]
    worker = await world.a_professional()
    await a_paid_budget(family)
    evening, later = world.in_days(30), world.in_days(40)
    ids = {
        "family": family,
        "worker": worker,
        "going": await world.a_session(meetings=[evening], childcare={"a4_8": 4}),
        "dropped": await world.a_session(meetings=[later]),
        "dialogue": await world.a_dialogue(meetings=[world.in_days(50)]),
    }
    for session, childcare in (("going", {"a4_8": 1}), ("dropped", {}), ("dialogue", {})):
        ids[f"{session} booking"] = new_id()
        request = BookingRequest(ids[f"{session} booking"], family, ids[session], (parent,), childcare=childcare)
        await bookings.book(request, actor=None)
    await bookings.book(BookingRequest(new_id(), None, ids["dialogue"], (worker,)), actor=None)
    await bookings.cancel(ids["dropped booking"], actor=None)
    return ids


BREAKS = {
    "a counter": (
        "UPDATE account SET credits_posted_cents = credits_posted_cents + 1 WHERE kind = 'family_budget'",
        {LEDGER: "de tellers zeggen"},
    ),
    "money that was never there": (
        "DELETE FROM transfer WHERE kind = 'grant'",
        {LEDGER: "te laag", BUDGETS: "toegekend"},
    ),
    "a seat too many": (
        "UPDATE course_session SET seats_taken = seats_taken + 1 WHERE id = '{going}'",
        {I3: "bij 1 bijeenkomsten klopt het aantal bezette plaatsen niet"},
    ),
    "a party's seat too many": (
        "UPDATE session_party SET seats_taken = seats_taken + 1 WHERE party = 'foster_parents'",
        {I3: "bij 1 partijen klopt"},
    ),
    "a child too many": (
        "UPDATE childcare_places SET places_taken = places_taken + 1 WHERE session = '{going}'",
        {I3: "bij 1 leeftijdsgroepen klopt"},
    ),
    "a seat kept after cancelling": (
        "UPDATE booking_person SET live = true WHERE booking = '{dropped booking}'",
        {I3: "bij 1 inschrijvingen horen niet precies de personen", I7: "niet op de lijst van een datum"},
    ),
    "somebody who vanished": (
        "DELETE FROM booking_person WHERE booking = '{going booking}'",
        {I3: "bij 1 inschrijvingen horen niet precies de personen"},
    ),
    "a place without a hold": (
        "DELETE FROM budget_hold WHERE purpose = '{going booking}'",
        {I4: "1 inschrijvingen hebben niet precies hun prijs", BUDGETS: "hoort bij geen vastlegging"},
    ),
    "a price that is not what is held": (
        "UPDATE booking SET price_cents = price_cents - 1 WHERE id = '{going booking}'",
        {I4: "1 inschrijvingen hebben niet precies hun prijs"},
    ),
    "a hold that outlives its cancellation": (
        "DELETE FROM transfer WHERE phase = 'void'",
        {I4: "1 inschrijvingen hebben niet precies hun prijs", LEDGER: "de tellers zeggen"},
    ),
    "a cancelled place that came back for nothing": (
        "UPDATE booking SET state = 'confirmed', ended_at = NULL WHERE id = '{dropped booking}'",
        {I4: "1 inschrijvingen hebben niet precies hun prijs", I3: "horen niet precies de personen"},
    ),
    "somebody in two places at once": (
        (
            "UPDATE meeting m SET starts_at = g.starts_at, ends_at = g.ends_at FROM meeting g"
            " WHERE g.session = '{going}' AND m.session = '{dialogue}'"
        ),
        {I7: "1 keer zou iemand op twee plaatsen tegelijk zijn"},
    ),
    "somebody not expected at a meeting": (
        "DELETE FROM attendance WHERE booking = '{going booking}'",
        {I7: "1 keer staat iemand niet op de lijst van een datum"},
    ),
    "their own professional in the room": (
        (
            "INSERT INTO professional_relation (id, family, professional, starts_on)"
            " VALUES (gen_random_uuid(), '{family}', '{worker}', '2020-01-01')"
        ),
        {I7: "1 gezinnen zitten bij hun eigen professional of iemand van hun lijst"},
    ),
    "somebody they avoid in the room": (
        (
            "INSERT INTO avoid_entry (id, family, person, created_at)"
            " VALUES (gen_random_uuid(), '{family}', '{worker}', '2020-01-01')"
        ),
        {I7: "1 gezinnen zitten bij hun eigen professional of iemand van hun lijst"},
    ),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_every_broken_promise_is_said_under_its_own_name(small_world, admin, case):
    """Healthy before; after one broken row exactly the checks that it concerns complain, in plain words."""
    assert [problem for found in (await examine()).values() for problem in found] == []
    sql, told = BREAKS[case]
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("ALTER TABLE account DROP CONSTRAINT never_overspent")
    assert not (await admin.execute(sql.format_map(small_world))).endswith(" 0")
    report = await examine()
    for check, words in told.items():
        assert any(words in problem for name, found in report.items() if name.startswith(check) for problem in found), (
            report
        )
    assert {name[:2] for name, found in report.items() if found} & {I3, I4, I7} == set(told) & {I3, I4, I7}


async def test_a_relation_that_began_after_both_came_is_no_breach(small_world, admin):
    """Whoever sat together before they had to be kept apart did nothing wrong; the next booking is checked."""
    sql = (
        "INSERT INTO professional_relation (id, family, professional, starts_on)"
        " VALUES (gen_random_uuid(), $1, $2, current_date + 1)"
    )
    await admin.execute(sql, small_world["family"], small_world["worker"])
    assert [problem for found in (await examine()).values() for problem in found] == []


async def test_the_commands_say_so_with_their_exit_codes(small_world, world_db, admin):
    """Well: 0 and `ok` on every line. Broken: 1, `FAIL` at the promise, JSON that says the same, no traceback."""

    async def ask(*words):
        return await asyncio.to_thread(forked, *words, env=on(world_db))

    well = await ask("doctor")
    assert (well.returncode, well.stderr) == (0, "")
    assert [line[:4] for line in well.stdout.splitlines()] == ["ok  "] * 8
    assert (await ask("ledger", "check")).stdout.startswith("ledger: balanced\n")

    await admin.execute("SET session_replication_role = replica")
    await admin.execute("UPDATE course_session SET seats_taken = seats_taken + 1 WHERE id = $1", small_world["going"])
    await admin.execute("UPDATE transfer SET amount_cents = amount_cents - 1 WHERE kind = 'grant'")
    sick = await ask("doctor")
    assert (sick.returncode, sick.stderr) == (1, "")
    failed = [line for line in sick.stdout.splitlines() if line.startswith("FAIL")]
    assert [line[6:8] for line in failed] == ["I1", "bu", "I3"]
    told = json.loads((await ask("doctor", "--json")).stdout)
    assert told["healthy"] is False
    assert [bool(found) for found in told["checks"].values()] == [False, True, True, False, True, False, False, False]
    books = await ask("ledger", "check")
    assert (books.returncode, books.stdout.splitlines()[0][:21]) == (1, "ledger: NOT balanced ")


async def test_the_doctor_only_reads(small_world, world_db, admin):
    """Nothing it does writes: the database's count of changed rows stays the same."""
    changed = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    await admin.execute("SELECT pg_stat_force_next_flush()")
    await asyncio.sleep(1.2)  # a pool connection's statistics come in late
    before = await admin.fetchval(changed)
    assert (await asyncio.to_thread(forked, "doctor", env=on(world_db))).returncode == 0
    await asyncio.sleep(timedelta(seconds=1).total_seconds())
    assert await admin.fetchval(changed) == before
