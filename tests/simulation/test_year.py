"""A made-up year: the promises hold every evening, also when processes die and connections end; and a look that can fail."""

from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from leerbudget.bookings import actions as bookings
from leerbudget.bookings.errors import BookingUnknown
from leerbudget.budgets import actions as budgets
from leerbudget.entrypoints.simulator import lives, promises, summary
from leerbudget.entrypoints.simulator.desk import Desk
from leerbudget.entrypoints.simulator.faults import (
    AFTER_COMMIT,
    MESSAGE_LOST,
    SERVICE_SILENT,
    SERVICE_UNHEARD,
    SHARES,
    Crashed,
    Faults,
    Post,
)
from leerbudget.entrypoints.simulator.promises import Known
from leerbudget.entrypoints.simulator.till import Till
from leerbudget.entrypoints.simulator.year import Script, live
from leerbudget.fictional.dice import Dice
from leerbudget.foundation.clock import now, travelling
from leerbudget.foundation.database import close_pool, open_pool
from leerbudget.foundation.errors import Busy
from leerbudget.foundation.ids import new_id
from leerbudget.notifications.delivery import MailboxDelivery
from leerbudget.payments import own_shares
from leerbudget.payments.gateways import PaymentOrder

DAYS = 30
"""Enough for the files, a round, its answers, direct bookings, cancellations and the first meetings."""


@asynccontextmanager
async def opened(database):
    """The pool as the worker has it."""
    await open_pool(database.dsns.worker)
    try:
        yield
    finally:
        await close_pool()


async def lived(database, seed, *, broken, families=200, days=DAYS):
    """So many days of a few families, and their summary."""
    async with opened(database):
        told = await live(Script(families, families // 8, days, seed, broken), database.dsns.worker, lambda _: None)
        return told, await summary.of(told)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_promise_holds_every_evening_while_things_break(clean_database, seed):
    """Processes die after a commit, connections end in the middle and at the end, mail is refused: nothing is lost or twice."""
    told, sums = await lived(clean_database, seed, broken=True)
    assert told.troubles == []
    assert told.days == DAYS
    assert sums["done"]["books"] > 0
    assert sums["done"]["announces a round"] == 1
    assert sums["done"]["gives an account"] > 0
    assert sums["bookings"]["confirmed"] > 5
    assert sums["letters"]["delivered"] > 0
    assert sums["faults"][AFTER_COMMIT] > 0


async def test_what_families_pay_themselves_is_never_lost(clean_database, monkeypatch):
    """Many look for a course and pay a part; the service is often silent, slow or forgets to tell: both sides know each cent."""
    monkeypatch.setattr(lives, "LOOKS_A_YEAR", 60)
    for name, share in (("PAYS_THE_REST", 1.0), ("PAYS_AFTER_ALL", 0.6), ("BANK_IS_SLOW", 0.4)):
        monkeypatch.setattr(lives, name, share)
    monkeypatch.setattr(lives, "CANCELS_TONIGHT", 0.05)
    for name in (SERVICE_SILENT, SERVICE_UNHEARD, MESSAGE_LOST):
        monkeypatch.setitem(SHARES, name, 3 * SHARES[name])
    told, sums = await lived(clean_database, 2, broken=True, families=80, days=16)
    assert told.troubles == []
    assert min(sums["done"][what] for what in ("pays at once", "pays, slowly", "does not pay after all")) > 0
    assert sums["faults"][MESSAGE_LOST] > 0
    assert sums["done"]["knows a payout of the service"] > 0


async def pays_nobody_back(_payment):
    """What stands free stays where it is."""
    return False


async def test_own_money_that_is_not_given_back_is_noticed(clean_database, monkeypatch):
    """Negative control: when nobody gives back what came too late or what a cancelled seat had cost, it is a trouble."""
    monkeypatch.setattr(lives, "LOOKS_A_YEAR", 60)
    monkeypatch.setattr(lives, "PAYS_THE_REST", 1.0)
    monkeypatch.setattr(lives, "CANCELS_TONIGHT", 0.05)
    monkeypatch.setattr(own_shares, "_give_back", pays_nobody_back)
    told, _ = await lived(clean_database, 2, broken=False, families=80, days=16)
    assert any("does not go back" in trouble for trouble in told.troubles)


async def forgets_the_money(*_, **__):
    """A settlement that settles nothing."""
    return ()


async def test_money_that_is_not_given_back_is_noticed_the_same_evening(clean_database, monkeypatch):
    """Negative control: when bookings end without settling their money, the year is full of trouble."""
    monkeypatch.setattr(lives, "CANCELS_TONIGHT", 0.2)
    monkeypatch.setattr(budgets, "settle", forgets_the_money)
    told, _ = await lived(clean_database, 1, broken=False)
    assert any("I4" in trouble for trouble in told.troubles)


async def test_a_booking_that_was_answered_but_not_kept_is_noticed_the_same_evening(clean_database, monkeypatch):
    """Negative control: when direct bookings are answered and then undone, the year is full of trouble."""
    book, quote = bookings.book, bookings.quote

    async def answers_only(request, *, actor):
        monkeypatch.setattr(bookings, "book", book)
        try:
            return await quote(request, actor=actor)
        finally:
            monkeypatch.setattr(bookings, "book", answers_only)

    monkeypatch.setattr(lives, "PAYS_THE_REST", 0.0)
    monkeypatch.setattr(bookings, "book", answers_only)
    told, _ = await lived(clean_database, 1, broken=False)
    assert any("I6" in trouble for trouble in told.troubles)


def at_ease():
    """Faults that never happen."""
    return Faults(Dice(1, "none"), "", wanted=False)


async def test_the_evening_look_finds_what_was_forgotten_paid_twice_or_sent_twice(world_db):
    """An answered booking that is not there, money that nobody paid in, and a letter that went out twice: one line each."""
    desk, post, till = Desk(at_ease()), Post(MailboxDelivery(), at_ease()), Till(at_ease(), Dice(1, "none"))
    assert await promises.broken(desk, post, till, Known()) == []
    desk.bookings[new_id()] = frozenset(("confirmed",))
    post.handed = Counter({"<once@x>": 1, "<twice@x>": 2, "<again@x>": 2})
    post.again.add("<again@x>")
    stranger = PaymentOrder(
        new_id(), "own_share", ("ideal",), 7_500, "RF00", "https://x.test", now() + timedelta(hours=1)
    )
    till.pay((await till.start(stranger, key="1")).gateway_ref)
    till._books("other", "x", 7, 0)
    found = await promises.broken(desk, post, till, Known(5, 3))
    assert [line[:2] for line in found] == ["I1", "I1", "I1", "I6", "I8"]
    assert "paid in" in found[0]
    assert "3 cents stand at the bank, the books say 0" in found[1]
    assert "the payment service keeps 7478 cents, the books say 7471" in found[2]
    assert "<twice@x>" in found[4]
    with travelling(now() + promises.WORKED_OFF):
        later = await promises.broken(desk, post, till, Known())
    assert [line.split()[4] for line in later if "somebody must look" in line] == ["stranger"]


async def test_a_command_is_given_again_until_it_is_answered():
    """Two faults, then the answer; a refusal is an answer too, and one that nobody expected is a trouble."""
    desk, tries = Desk(at_ease()), []

    async def seldom(answer):
        tries.append(answer)
        if len(tries) < 3:
            raise Crashed if len(tries) == 1 else Busy(reason="x")
        return answer

    answer = await desk.ask("asks", seldom, 7)
    assert (answer.value, answer.doubtful, len(tries)) == (7, True, 3)

    async def refused():
        raise BookingUnknown

    assert (await desk.ask("asks", refused, refusals=("booking_unknown",))).code == "booking_unknown"
    assert desk.troubles == []
    await desk.ask("asks", refused)
    await desk.must_refuse("asks", "other", seldom, 7)
    assert desk.troubles == ["asks: refused with booking_unknown", "asks: not refused, other was due"]
    never = await desk.ask("asks", always_busy)
    assert never.code == "no_answer"
    assert desk.troubles[-1].startswith("asks: no answer")


async def always_busy():
    """Never an answer."""
    raise Busy(reason="x")
