"""`leerbudget round …` from beginning to end, and what it refuses."""

import asyncio
import json
from datetime import timedelta

import pytest

import world
from entrypoints.cli.commanding import forked, on
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import PreferenceOrder, WeekOrder, WishOrder


@pytest.fixture
async def waiting(world_db):
    """Two families that wish the same, one session of two seats that both can reach."""
    await world.a_session(seats=2, seats_min=2, price_cents=4500)
    for _ in range(2):
        family = await world.a_family()
        await world.a_budget(family)
        parent = (await world.parents_of(family))[0]
        await wishes.set_weeks([WeekOrder(parent, "1" * 21)])
        preference = PreferenceOrder(
            family=family, professional=None, postcode4="3511", travel_minutes_max={"car": 45}, online_ok=True
        )
        await wishes.set_preferences([preference])
        order = WishOrder(id=new_id(), family=family, stated_by=parent, persons=(parent,), theme="trauma", rank=1)
        await wishes.state_many([order], actor=None)


@pytest.fixture
def ask(world_db, tmp_path):
    """Run a command on the test's database, in a folder of its own."""

    async def run(*words):
        return await asyncio.to_thread(forked, *words, env=on(world_db), cwd=tmp_path)

    return run


def period(first=1, last=90):
    """Options for a period of sessions, in days from today."""
    today = clock.today()
    return ("--from", today + timedelta(days=first), "--until", today + timedelta(days=last))


async def opened(ask):
    """The id of a round that was just opened."""
    done = await ask("round", "open", "--name", "Ronde 1 (fictief)", *period(), "--seed", "5")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


async def test_a_round_from_opening_to_replay(waiting, ask, tmp_path):
    """open, freeze, solve, show, publish, replay: both families are offered a place; the files pass the public audit."""
    key = await opened(ask)
    assert (await ask("round", "freeze", key)).stdout == "frozen: 2 seekers\n"
    solved = await ask("round", "solve", key, "--seconds", "10")
    assert (solved.returncode, solved.stdout, solved.stderr) == (0, "audited: sound\n", "")
    shown = json.loads((await ask("round", "show", key, "--json")).stdout)
    assert [(line["state"], line["placed"], line["families_placed"], line["gap"]) for line in shown] == [
        ("audited", 2, 2, 0.0)
    ]
    assert "state=audited" in (await ask("round", "show")).stdout
    for _ in range(2):  # publishing goes on where it stopped, so a second time changes nothing
        assert (await ask("round", "publish", key)).stdout == "offered: 2, refused: 0\n"
    assert await fetch_value("SELECT count(*) FROM booking WHERE state = 'offered'") == 2
    replayed = await ask("round", "replay", key, "--out", tmp_path / "files")
    assert replayed.stdout.split() == [str(tmp_path / "files" / f"{name}.json") for name in ("instance", "outcome")]
    audited = await ask("match", "audit", *replayed.stdout.split())
    assert (audited.returncode, audited.stdout) == (0, "no violations: every rule holds\n")
    assert sorted(file.name for file in (tmp_path / "files").iterdir()) == ["instance.json", "outcome.json"]


async def test_steps_out_of_order_and_unknown_rounds_are_refused(waiting, ask, tmp_path):
    """Each refusal is one line with its code and exit code 1 (2 for wrong usage); the round stays as it was."""
    key, unknown = await opened(ask), new_id()
    refusals = [
        ("solve", key, "wrong_round_state"),
        ("freeze", unknown, "round_unknown"),
        ("show", unknown, "unknown"),
    ]
    for step, round_id, said in refusals:
        refused = await ask("round", step, round_id)
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1), refused.stderr
        assert said in refused.stderr
    unfrozen = await ask("round", "replay", key, "--out", tmp_path / "nothing")
    assert (unfrozen.returncode, (tmp_path / "nothing").exists()) == (1, False)
    backwards = await ask("round", "open", "--name", "x", *period(30, 1), "--seed", "1")
    assert (backwards.returncode, "[period_invalid]" in backwards.stderr) == (1, True), backwards.stderr
    assert [line["state"] for line in json.loads((await ask("round", "show", "--json")).stdout)] == ["open"]


async def test_a_folder_that_cannot_be_is_wrong_usage(waiting, ask, tmp_path):
    """A file where the folder should come: exit code 2, one line, the file stays."""
    key = await opened(ask)
    await ask("round", "freeze", key)
    (tmp_path / "taken").write_text("kept")
    refused = await ask("round", "replay", key, "--out", tmp_path / "taken" / "deeper")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
    assert (tmp_path / "taken").read_text() == "kept"
