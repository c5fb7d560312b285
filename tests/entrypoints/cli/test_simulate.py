"""`leerbudget simulate`: the same seed tells the same year to the byte, and nobody's data are thrown away."""

import asyncio
import json

import asyncpg
import pytest

from entrypoints.cli.commanding import complaint, forked, leerbudget, on

WORDS = ("simulate", "--families", "50", "--days", "15", "--seed", "5")


@pytest.fixture
def env(clean_database):
    """A database that a simulation may have for itself."""
    return on(clean_database, LEERBUDGET_OWNER_URL=clean_database.dsns.owner)


async def simulate(env, *more, run=forked):
    """Live through it in a process of its own."""
    return await asyncio.to_thread(run, *WORDS, *more, env=env)


async def test_the_same_seed_prints_the_same_year_to_the_byte(env):
    """With faults: exit code 0, promises kept, and the second time the same lines; another seed tells another year."""
    first = await simulate(env, "--faults", run=leerbudget)  # a real start: sets have another order than in the second
    assert first.returncode == 0, first.stdout[-500:] + first.stderr
    assert "promises: all kept, every evening" in first.stdout.splitlines()
    assert "the server ends the connection at the commit" in first.stdout, "no such fault struck"
    second = await simulate(env, "--faults")
    assert second.stdout == first.stdout
    other = await simulate(env, "--seed", "6", "--days", "2", "--json")
    told = json.loads(other.stdout)
    assert told["days"] == 2
    assert told["faults"] == {}
    assert told["fingerprint"] not in first.stdout
    assert (await asyncio.to_thread(forked, "doctor", env=env)).returncode == 0


async def test_somebodys_data_are_never_thrown_away(env, clean_database):
    """A database in which anything was stored that is no simulation is refused and stays as it was."""
    keeper = await asyncpg.connect(clean_database.admin_dsn)
    await keeper.execute(
        "INSERT INTO organisation (id, external_ref, name, kind, region, email, created_at)"
        " VALUES (gen_random_uuid(), 'O1', 'Pleegzorg (fictief)', 'provider', 'R', 'o@fictief.example', now())"
    )
    assert "niet van een simulatie" in complaint(await simulate(env), 2)
    assert await keeper.fetchval("SELECT count(*) FROM organisation") == 1
    await keeper.close()


async def test_production_is_refused(env):
    """A made-up year has no place where real people are."""
    assert "production" in complaint(await simulate(env | {"LEERBUDGET_ENV": "production"}), 2)
