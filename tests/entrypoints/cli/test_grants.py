"""`leerbudget grants` as people run it: in a process of its own, against a database of its own."""

import asyncio

import pytest

import world
from entrypoints.cli.commanding import forked, on
from leerbudget.budgets.requests import limit_of
from leerbudget.foundation.database import fetch_value


@pytest.fixture
def run(world_db):
    """Runs `leerbudget grants …`; exit code, what it printed, and what it complained of."""

    async def grants(*words: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(forked, "grants", *words, env=on(world_db))
        return done.returncode, done.stdout, done.stderr

    return grants


async def test_the_operator_sets_and_lifts_a_limit(run):
    """A limit by the organisation's own number, again without effect, and none again; anything else is refused."""
    organisation = await world.an_organisation()
    own = await fetch_value("SELECT external_ref FROM organisation WHERE id = $1", organisation)
    for _ in range(2):
        code, said, complained = await run("limit", own, "--cents", "500000")
        assert (code, said, complained) == (0, "limit: € 5.000,00\n", "")
    assert await limit_of(organisation) == 500_000
    assert (await run("limit", own, "--none"))[:2] == (0, "no limit\n")
    assert await limit_of(organisation) is None
    for wrong, expected in (((own,), 2), ((own, "--none", "--cents", "1"), 2), (("nobody", "--none"), 1)):
        assert (await run("limit", *wrong))[0] == expected
    assert await limit_of(organisation) is None
