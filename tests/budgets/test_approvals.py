"""Grants above the organisation's limit wait for a colleague of who asked (four eyes)."""

import asyncio
from dataclasses import replace

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, a_family, a_grant, an_organisation, some_families, top_up
from leerbudget.budgets import approvals
from leerbudget.budgets.actions import grant_many
from leerbudget.budgets.approvals import approve, grant_or_ask, refuse_request, set_limit
from leerbudget.budgets.errors import (
    GrantRequestEnded,
    GrantRequestKnown,
    GrantRequestUnknown,
    HolderUnknown,
    PotTooSmall,
    SecondApproverNeeded,
)
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.budgets.queries import pot
from leerbudget.budgets.requests import limit_of, requests_of
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.ledger.queries import check

LIMIT = 50_000


@pytest.fixture
async def organisation(world_db):
    """An organisation with € 5,000 and a limit of € 500; afterwards its books balance."""
    made = await an_organisation()
    await top_up(made, 500_000)
    await set_limit(made, LIMIT, actor=None)
    yield made
    assert [*await check(), *await check_budgets()] == []


async def orders_for(organisation, number, cents):
    """Grants of so many cents each."""
    return [a_grant(family, organisation, cents) for family in await some_families(organisation, number)]


async def test_at_the_limit_is_granted_and_a_cent_above_asks(organisation):
    """€ 500,00 goes at once; € 500,01 moves no money and waits, with what a colleague must know."""
    at_once = await grant_or_ask(new_id(), await orders_for(organisation, 2, LIMIT // 2), actor=CLERK)
    assert (len(at_once.budgets), at_once.request) == (2, None)
    request, orders = new_id(), await orders_for(organisation, 1, LIMIT + 1)
    asked = await grant_or_ask(request, orders, actor=COLLEAGUE)
    assert (asked.budgets, asked.request, asked.state) == ((), request, "asked")
    assert (await pot(organisation)).granted_cents == LIMIT
    (view,) = await requests_of(organisation)
    assert (view.id, view.state, view.families, view.total_cents) == (request, "asked", 1, LIMIT + 1)
    assert (view.least_cents, view.most_cents, view.expires_on) == (LIMIT + 1, LIMIT + 1, orders[0].expires_on)
    assert (view.asked_by, view.decided_by) == (COLLEAGUE, None)


async def test_without_a_limit_nothing_waits(organisation):
    """No row and no limit both mean that any amount goes at once; a limit of nothing stops everything."""
    other = await an_organisation()
    await top_up(other, 500_000)
    assert await limit_of(other) is None
    assert (await grant_or_ask(new_id(), await orders_for(other, 1, 400_000), actor=CLERK)).state == "granted"
    await set_limit(organisation, None, actor=None)
    assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, 400_000), actor=CLERK)).state == "granted"
    await set_limit(organisation, 0, actor=None)
    assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, 1), actor=CLERK)).state == "asked"


async def test_splitting_does_not_get_around_the_limit(organisation):
    """A batch counts as a whole, and so does a day of one login; a colleague and the next day start at nothing."""
    assert (await grant_or_ask(new_id(), await orders_for(organisation, 6, 10_000), actor=CLERK)).state == "asked"
    with travelling(TODAY):
        for _ in range(5):
            assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, 10_000), actor=CLERK)).budgets
        assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, 1), actor=CLERK)).state == "asked"
        assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, LIMIT), actor=COLLEAGUE)).budgets
    with travelling(TODAY.replace(hour=22, minute=59)):
        assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, 1), actor=CLERK)).state == "asked"
    with travelling(TODAY.replace(hour=23)):  # midnight in Amsterdam
        assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, LIMIT), actor=CLERK)).budgets


async def test_what_was_approved_does_not_use_up_the_day(organisation):
    """Neither who asked nor who approved has less left for small grants."""
    request = new_id()
    await grant_or_ask(request, await orders_for(organisation, 1, 90_000), actor=CLERK)
    await approve(request, organisation, actor=COLLEAGUE)
    for who in (CLERK, COLLEAGUE):
        assert (await grant_or_ask(new_id(), await orders_for(organisation, 1, LIMIT), actor=who)).budgets


async def test_a_colleague_approves_and_the_money_moves_once(organisation):
    """Approving grants exactly what was asked; asking and approving again change nothing and say the same."""
    request, orders = new_id(), await orders_for(organisation, 3, 30_000)
    for _ in "ab":
        assert (await grant_or_ask(request, orders, actor=CLERK)).state == "asked"
    for _ in "ab":
        assert set(await approve(request, organisation, actor=COLLEAGUE)) == {order.id for order in orders}
    assert (await pot(organisation)).granted_cents == 90_000
    again = await grant_or_ask(request, orders, actor=CLERK)
    assert (again.budgets, again.state) == (tuple(order.id for order in orders), "granted")
    assert await fetch_value("SELECT actor FROM transfer WHERE kind = 'grant' LIMIT 1") == COLLEAGUE
    told = await fetch_all("SELECT verb, login FROM audit_entry WHERE subject = $1 ORDER BY at, id", request)
    assert [tuple(row) for row in told] == [("grant_asked", CLERK), ("grant_approved", COLLEAGUE)]


async def test_a_refusal_has_a_reason_and_moves_nothing(organisation):
    """Who asked sees why; a refused request cannot be approved any more, nor an approved one refused."""
    request, orders = new_id(), await orders_for(organisation, 1, 60_000)
    await grant_or_ask(request, orders, actor=CLERK)
    with pytest.raises(InvalidInput):
        await refuse_request(request, organisation, actor=COLLEAGUE, reason=" ")
    for _ in "ab":
        await refuse_request(request, organisation, actor=COLLEAGUE, reason="Eerst overleggen.")
    (view,) = await requests_of(organisation)
    assert (view.state, view.reason, view.decided_by) == ("refused", "Eerst overleggen.", COLLEAGUE)
    with pytest.raises(GrantRequestEnded):
        await approve(request, organisation, actor=COLLEAGUE)
    assert (await grant_or_ask(request, orders, actor=CLERK)).state == "refused"
    assert (await pot(organisation)).granted_cents == 0
    other = new_id()
    await grant_or_ask(other, await orders_for(organisation, 1, 60_000), actor=CLERK)
    await approve(other, organisation, actor=COLLEAGUE)
    with pytest.raises(GrantRequestEnded):
        await refuse_request(other, organisation, actor=COLLEAGUE, reason="Toch niet.")


async def test_who_asked_never_decides(organisation):
    """Not before a colleague decided, and not after; the database refuses it by itself too."""
    request = new_id()
    await grant_or_ask(request, await orders_for(organisation, 1, 60_000), actor=CLERK)
    for _ in "ab":
        with pytest.raises(SecondApproverNeeded):
            await approve(request, organisation, actor=CLERK)
        with pytest.raises(SecondApproverNeeded):
            await refuse_request(request, organisation, actor=CLERK, reason="Zelf")
        await approve(request, organisation, actor=COLLEAGUE)
    assert (await pot(organisation)).granted_cents == 60_000


async def test_a_pot_that_became_too_small_leaves_the_request_waiting(organisation):
    """Approving makes every check again: refused without a trace, and possible once there is money."""
    request = new_id()
    await grant_or_ask(request, await orders_for(organisation, 1, 400_000), actor=CLERK)
    await grant_many(await orders_for(organisation, 1, 200_000), actor=None)
    with pytest.raises(PotTooSmall) as refused:
        await approve(request, organisation, actor=COLLEAGUE)
    assert refused.value.data["missing_cents"] == 100_000
    assert [view.state for view in await requests_of(organisation)] == ["asked"]
    await top_up(organisation, 100_000)
    assert len(await approve(request, organisation, actor=COLLEAGUE)) == 1


async def test_what_cannot_be_asked(organisation):
    """Other grants under a request's id, an unknown family, two organisations at once, another's request."""
    request, orders = new_id(), await orders_for(organisation, 1, 60_000)
    await grant_or_ask(request, orders, actor=CLERK)
    with pytest.raises(GrantRequestKnown):
        await grant_or_ask(request, [replace(orders[0], amount_cents=60_001)], actor=CLERK)
    with pytest.raises(HolderUnknown):
        await grant_or_ask(new_id(), [a_grant(new_id(), organisation, 60_000)], actor=CLERK)
    with pytest.raises(HolderUnknown):
        await grant_or_ask(new_id(), [a_grant(orders[0].family, new_id(), 1)], actor=CLERK)
    with pytest.raises(HolderUnknown):
        await set_limit(new_id(), 1, actor=None)
    with pytest.raises(InvalidInput) as refused:
        await grant_or_ask(new_id(), [orders[0], a_grant(orders[0].family, new_id(), 1)], actor=CLERK)
    assert [error["path"] for error in refused.value.data["errors"]] == ["1.organisation"]
    for wrong in (-1, True, 2**60, "10"):
        with pytest.raises(InvalidInput):
            await set_limit(organisation, wrong, actor=None)
    other = await an_organisation()
    for unknown, of in ((new_id(), organisation), (request, other)):
        with pytest.raises(GrantRequestUnknown):
            await approve(unknown, of, actor=COLLEAGUE)
    assert await grant_or_ask(new_id(), [], actor=CLERK) == approvals.GrantAnswer(())
    assert (await pot(organisation)).granted_cents == 0


async def test_the_colleagues_hear_and_who_asked_does_not(organisation):
    """Everybody of this organisation who may decide gets one mail, without a word about families."""
    for name, role in (("asks", "organisation_finance"), ("decides", "organisation_admin"), ("looks", "municipality_viewer")):  # fmt: skip
        await give_login(f"{name}@fictief.example", None, [(role, organisation)])
    await give_login("elsewhere@fictief.example", None, [("organisation_finance", await an_organisation())])
    asks = await fetch_value("SELECT id FROM login WHERE email = 'asks@fictief.example'")
    request, orders = new_id(), await orders_for(organisation, 1, 60_000)
    for _ in "ab":
        await grant_or_ask(request, orders, actor=asks)
    rows = await fetch_all("SELECT address, kind FROM outbox_message")
    assert [tuple(row) for row in rows] == [("decides@fictief.example", "grant_to_approve")]


async def test_a_limit_that_is_set_again_is_told_once(organisation):
    """Setting the limit it already has leaves no trace."""
    for _ in "ab":
        await set_limit(organisation, 70_000, actor=None)
    assert await limit_of(organisation) == 70_000
    told = "SELECT count(*) FROM audit_entry WHERE verb = 'grant_limit_set' AND subject = $1"
    assert await fetch_value(told, organisation) == 2


# --- races -------------------------------------------------------------------------------------------------


async def decided_at_once(organisation):
    """Two approvals and two refusals of one request at the same moment: the answers, and the audit rows."""
    request = new_id()
    await grant_or_ask(request, await orders_for(organisation, 1, 60_000), actor=CLERK)
    colleagues = [new_id() for _ in range(4)]
    answers = await asyncio.gather(
        *(approve(request, organisation, actor=who) for who in colleagues[:2]),
        *(refuse_request(request, organisation, actor=who, reason="Nee") for who in colleagues[2:]),
        return_exceptions=True,
    )
    sql = "SELECT count(*) FROM audit_entry WHERE subject = $1 AND verb IN ('grant_approved', 'grant_refused')"
    return answers, await fetch_value(sql, request)


async def test_deciding_at_once_has_one_effect(organisation):
    """Of approvals and refusals at the same moment one counts; who decided the other way hears so."""
    approved = 0
    for _ in range(10):
        answers, effects = await decided_at_once(organisation)
        assert effects == 1
        ended = [answer for answer in answers if isinstance(answer, GrantRequestEnded)]
        assert len(ended) == 2
        approved += not isinstance(answers[0], Exception)
        assert (await pot(organisation)).granted_cents == approved * 60_000
        if (await pot(organisation)).free_cents < 60_000:
            await top_up(organisation, 60_000)


async def test_without_the_guard_one_request_is_decided_twice(organisation, monkeypatch):
    """Negative control: when the decision does not ask whether somebody decided before, there are several effects."""
    monkeypatch.setattr(approvals, "_DECIDE", approvals._DECIDE.replace("AND state = 'asked'", ""))
    _, effects = await decided_at_once(organisation)
    assert effects > 1


async def small_grants_at_once(organisation):
    """Ten grants of € 100 by one login at the same moment; how many moved money."""
    batches = [await orders_for(organisation, 1, 10_000) for _ in range(10)]
    answers = await asyncio.gather(*(grant_or_ask(new_id(), orders, actor=CLERK) for orders in batches))
    return sum(bool(answer.budgets) for answer in answers)


async def test_a_day_is_counted_once_when_many_grants_come_at_once(organisation):
    """Exactly five of ten fit under the limit; the same batch ten times at once is granted and counted once."""
    assert await small_grants_at_once(organisation) == 5
    orders, request = await orders_for(organisation, 1, LIMIT), new_id()
    answers = await asyncio.gather(*(grant_or_ask(request, orders, actor=COLLEAGUE) for _ in range(10)))
    assert {answer.budgets for answer in answers} == {(orders[0].id,)}
    assert await fetch_value("SELECT granted_cents FROM grant_day WHERE login = $1", COLLEAGUE) == LIMIT


async def test_without_the_guard_small_grants_pass_the_limit(organisation, monkeypatch):
    """Negative control: reading the day's sum first and adding to it later lets more through."""

    async def no_lock(*_):
        await approvals.execute(approvals._OPEN_DAY, new_id(), organisation, CLERK, approvals.today())

    async def look_then_count(fresh, login, on):
        where = "WHERE organisation = $1 AND login = $2 AND on_day = $3"
        so_far = await fetch_value(f"SELECT granted_cents FROM grant_day {where}", organisation, login, on)
        await asyncio.sleep(0.05)
        cents = sum(order.amount_cents for order in fresh)
        if so_far + cents > LIMIT:
            return False
        sql = f"UPDATE grant_day SET granted_cents = granted_cents + $4 {where}"
        return bool(await approvals.execute(sql, organisation, login, on, cents))

    monkeypatch.setattr(approvals, "_lock_day", no_lock)
    monkeypatch.setattr(approvals, "_within_limit", look_then_count)
    assert await small_grants_at_once(organisation) > 5


async def test_a_request_is_never_edited(organisation):
    """The application may decide on a request, and not change what was asked."""
    family = await a_family(organisation)
    await grant_or_ask(new_id(), [a_grant(family, organisation, 60_000)], actor=CLERK)
    for sql in ("UPDATE grant_request SET total_cents = 1", "DELETE FROM grant_request", "UPDATE grant_day SET login = id"):  # fmt: skip
        with pytest.raises(Exception, match="permission denied"):
            await approvals.execute(sql)
