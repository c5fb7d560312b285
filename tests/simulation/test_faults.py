"""Faults at named points: each does to the house what its name says, and none happens outside the block."""

import pytest

from leerbudget.entrypoints.simulator import faults
from leerbudget.entrypoints.simulator.faults import Crashed, Faults, Post
from leerbudget.fictional.dice import Dice
from leerbudget.foundation.database import execute, fetch_value, together
from leerbudget.foundation.errors import Busy
from leerbudget.notifications.delivery import MailboxDelivery
from leerbudget.notifications.errors import DeliveryFailed
from leerbudget.notifications.rules import Letter

LETTER = Letter("<1@leerbudget.example>", "ouder@fictief.example", "Onderwerp", "Tekst")


def only(monkeypatch, point):
    """Of all faults only this one can happen, and always does."""
    for name in faults.SHARES:
        monkeypatch.setitem(faults.SHARES, name, float(name == point))


@pytest.fixture
async def scrap(admin):
    """How many rows stand in a table that anybody can write in."""
    await admin.execute("CREATE TABLE scrap (x int); GRANT ALL ON scrap TO PUBLIC")
    return lambda: admin.fetchval("SELECT count(*) FROM scrap")


async def write(number):
    """A row in a transaction with a savepoint, as actions write."""
    async with together():
        await execute("INSERT INTO scrap VALUES ($1)", number)
        async with together():
            await execute("INSERT INTO scrap VALUES ($1)", number)


CASES = (
    (faults.NO_CONNECTION, Busy, 0),
    (faults.AT_STATEMENT, Busy, 0),
    (faults.AT_COMMIT, Busy, 0),
    (faults.AFTER_COMMIT, Crashed, 2),
)
"""Point, what the caller meets, and the rows that are kept."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
async def test_a_fault_ends_the_work_before_or_after_it_is_kept(world_db, scrap, monkeypatch, case):
    """All or nothing at every point; the pool works on afterwards, and nothing happens where faults are not wanted."""
    point, error, rows = case
    only(monkeypatch, point)
    some = Faults(Dice(1, "test"), world_db.dsns.app, wanted=True)
    with some.in_the_pool():
        with some.happening(), pytest.raises(error):
            await write(1)
        assert await scrap() == rows
        assert some.counts == {point: 1}
        await write(2)
        assert await fetch_value("SELECT count(*) FROM scrap") == rows + 2
        none = Faults(Dice(1, "test"), world_db.dsns.app, wanted=False)
        with none.happening():
            assert not none.strikes(point)
    await write(3)


async def test_a_single_statement_can_lose_its_answer_too(world_db, scrap, monkeypatch):
    """What commits by itself is kept although nobody hears of it."""
    only(monkeypatch, faults.AFTER_COMMIT)
    some = Faults(Dice(1, "test"), world_db.dsns.app, wanted=True)
    with some.in_the_pool(), some.happening(), pytest.raises(Crashed):
        await execute("INSERT INTO scrap VALUES (1)")
    assert await scrap() == 1


async def test_the_mail_server_refuses_and_the_worker_dies_after_it_accepted(world_db, monkeypatch):
    """A refused letter was not handed over; an accepted one was, and may come again."""
    some = Faults(Dice(1, "test"), world_db.dsns.app, wanted=True)
    post = Post(MailboxDelivery(), some)
    only(monkeypatch, faults.MAIL_REFUSED)
    with some.happening(), pytest.raises(DeliveryFailed):
        await post.deliver(LETTER)
    assert not post.handed
    only(monkeypatch, faults.MAIL_ACCEPTED)
    with some.happening(), pytest.raises(Crashed):
        await post.deliver(LETTER)
    assert post.handed == {LETTER.message_id: 1}
    assert post.again == {LETTER.message_id}
