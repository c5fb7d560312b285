"""`leerbudget demo`: the story from top-up to balanced books, the same for a seed, never over somebody's data."""

import asyncio
import os
import pty
import re

import asyncpg
import pytest

from entrypoints.cli.commanding import COMMAND, complaint, forked, leerbudget, on
from leerbudget.entrypoints.demo.story import Calendar
from leerbudget.foundation import clock, ids
from leerbudget.foundation.clock import aware

WORDS = ("demo", "--families", "60", "--sessions", "12", "--seed", "3", "--no-serve")
ASKED = """
    topped up by organisations
    granted to families
    held for bookings to come
    posted to trainers
    returned to organisations
    wishes stated
    wishes placed
    wishes unplaced
    families with at least one place
    score
    bound
    gap
    held to the end
    cancelled: group too small
    solve
    audit
    publish
"""
SHOWN = """
    declined
    cancelled by the family
    refused for lack of money
    refused for a full session
    refused for its own professional in the room
    offered in the second round, open now
    mails in the local mailbox
"""

PAID_IN = {
    "a transfer, placed from a made-up bank statement": "€ 2.500,00",
    "money without a reference, waiting at /bank": "€ 70,00",
    "online, on the made-up payment page": "€ 1.250,00",
}


def lines_of(text):
    """The non-empty lines of a text, without their margins."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def figures(told):
    """Label and value of every line of the summary that has both."""
    found = (re.fullmatch(r" {2,4}(\S.*?)\s{2,}(\S.*)", line) for line in told.splitlines())
    return {match[1]: match[2] for match in found if match}


def without_seconds(told):
    """The summary without what a clock says."""
    return re.sub(r" *\d+\.\d s\b", "", told)


@pytest.fixture
def env(clean_database):
    """A database that a demonstration may have for itself."""
    return on(clean_database, LEERBUDGET_OWNER_URL=clean_database.dsns.owner, LEERBUDGET_ENV="demo")


async def demo(env, run=forked):
    """Tell the story in a process of its own."""
    return await asyncio.to_thread(run, *WORDS, env=env)


async def test_the_story_shows_everything_and_is_the_same_again(env):
    """Exit code 0 and every figure that was asked for; again in the same database: a fresh world with the same numbers."""
    first = await demo(env, leerbudget)  # a real start: strings have another order in sets than in the second
    assert (first.returncode, first.stderr) == (0, "")
    told = figures(first.stdout)
    for label in lines_of(ASKED):
        assert any(line.startswith(label) for line in told), label
    for label in lines_of(SHOWN):
        assert int(told[label]) >= 1, label
    assert sum(label.startswith("because: ") for label in told) == 3
    for label, amount in PAID_IN.items():
        assert told[label] == amount, label
    assert told["checked by the independent audit"] == "sound"
    assert "ledger: balanced" in first.stdout.splitlines()
    for role in ("a foster parent", "a trainer", "an organisation", "the coordinator", "the cashier"):
        assert re.search(rf"^  {role} +\S+@\S+$", first.stdout, re.MULTILINE), role
    assert "migrated" not in first.stdout
    assert (await asyncio.to_thread(forked, "doctor", env=env)).returncode == 0
    assert (await asyncio.to_thread(forked, "ledger", "check", env=env)).returncode == 0

    second = await demo(env)
    assert (second.returncode, second.stderr) == (0, "")
    assert without_seconds(second.stdout) == without_seconds(first.stdout)


async def test_somebodys_data_are_never_thrown_away(env, clean_database):
    """A database in which anything was stored that is no demonstration is refused and stays as it was."""
    keeper = await asyncpg.connect(clean_database.admin_dsn)
    await keeper.execute(
        "INSERT INTO organisation (id, external_ref, name, kind, region, email, created_at)"
        " VALUES (gen_random_uuid(), 'O1', 'Pleegzorg (fictief)', 'provider', 'R', 'o@fictief.example', now())"
    )
    line = complaint(await demo(env), 2)
    assert "niet van de demonstratie" in line
    assert await keeper.fetchval("SELECT count(*) FROM organisation") == 1
    await keeper.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE other (x int)")
    await keeper.execute("INSERT INTO other VALUES (1)")
    complaint(await demo(env), 2)
    assert await keeper.fetchval("SELECT count(*) FROM other") == 1
    await keeper.close()


async def test_without_an_owner_login_the_demonstration_says_what_it_needs(clean_database):
    """A database of one's own needs the login that may empty it; nothing is changed."""
    assert "LEERBUDGET_OWNER_URL" in complaint(await demo(on(clean_database)), 2)


async def test_somebody_who_watches_sees_each_phase_as_it_comes(env):
    """On a terminal every phase is named when it begins; in a pipe nothing is (the first test saw an empty stderr)."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, *WORDS), env=env, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    async with asyncio.timeout(60):
        while b"solve \xe2\x80\xa6" not in seen:
            seen += await asyncio.to_thread(os.read, ours, 4096)
    assert b"ledger" not in seen
    assert re.search(rb"freeze \xe2\x80\xa6 \d+\.\d s\r\n", seen)
    process.terminate()
    told, _ = await process.communicate()
    os.close(ours)
    assert process.returncode == 143
    assert told.startswith(b"leerbudget: a fictional Netherlands of 60 families")


def test_the_story_ends_on_the_last_morning():
    """Days are mornings in Amsterdam, whether the clocks change in between or it is not morning yet."""
    for now, last in (
        ("2027-04-01T12:00+02:00", "2027-04-01T06:00+02:00"),
        ("2027-04-01T06:00+02:00", "2027-04-01T06:00+02:00"),
        ("2027-04-01T05:59+02:00", "2027-03-31T06:00+02:00"),
        ("2027-03-31T23:30+00:00", "2027-03-31T06:00+02:00"),
    ):
        days = Calendar.until(aware(clock.datetime.fromisoformat(now)))
        assert days.morning(63) == clock.datetime.fromisoformat(last)
        assert days.morning(0).astimezone(clock.AMSTERDAM).hour == 6
        assert (days.morning(63).date() - days.morning(0).date()).days == 63


def test_ids_repeat_only_inside_their_block():
    """The same seed gives the same ids at the same moment; outside, and for another seed, they differ."""
    moment = aware(clock.datetime.fromisoformat("2027-04-01T12:00+02:00"))

    def some(seed):
        with clock.travelling(moment), ids.repeatable(seed):
            return [ids.new_id() for _ in range(100)]

    assert some(1) == some(1)
    assert not set(some(1)) & set(some(2))
    assert len({*some(1), ids.new_id(), ids.new_id()}) == 102
    assert {(each.version, each.variant, each.int >> 80) for each in some(1)} == {
        (7, "specified in RFC 4122", int(moment.timestamp() * 1000))
    }
