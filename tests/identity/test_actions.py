"""Logins, roles, tries and the audit trail, against a real server."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value, together
from leerbudget.foundation.errors import Conflict, InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions, queries
from leerbudget.identity.actions import LoginOrder
from leerbudget.identity.errors import LinkNotUsable, LoginTaken, LoginUnknown, TooManyTries


async def test_logins_are_given_in_bulk_and_a_second_time_does_nothing(world_db):
    """Addresses are stored lower case; roles are added once; ids stay."""
    family = uuid4()
    orders = [
        LoginOrder(new_id(), f"Ouder{n}@Fictief.example", None, (("foster_parent", family), ("foster_parent", family)))
        for n in range(300)
    ]
    first = await actions.give_logins(orders)
    second = await actions.give_logins(orders)
    assert first == second
    assert len(first) == 300
    assert set(first) == {f"ouder{n}@fictief.example" for n in range(300)}
    assert await fetch_value("SELECT count(*) FROM role_grant") == 300


async def test_roles_of_two_orders_for_one_address_are_joined(world_db):
    """A parent who is also a trainer logs in with one address."""
    person, family, trainer = uuid4(), uuid4(), uuid4()
    found = await actions.give_logins(
        [
            LoginOrder(new_id(), "beide@fictief.example", person, (("foster_parent", family),)),
            LoginOrder(new_id(), "Beide@fictief.example", person, (("trainer", trainer),)),
        ]
    )
    (view,) = await queries.logins(ids=list(found.values()))
    assert view.roles == {("foster_parent", family), ("trainer", trainer)}
    assert view.person == person


async def test_an_address_is_never_given_to_a_second_person(world_db):
    """Not in one order, not in two; nothing is changed by the refusal."""
    await actions.give_login("a@fictief.example", uuid4(), [])
    with pytest.raises(LoginTaken):
        await actions.give_login("a@fictief.example", uuid4(), [("coordinator", None)])
    with pytest.raises(LoginTaken):
        await actions.give_logins([LoginOrder(new_id(), "b@fictief.example", uuid4()) for _ in range(2)])
    assert await fetch_value("SELECT count(*) FROM login") == 1
    assert await fetch_value("SELECT count(*) FROM role_grant") == 0


async def test_a_role_that_was_taken_is_gone_at_once_and_can_be_given_back(world_db):
    """Taking a role ends the sessions; giving it back makes it hold again."""
    login = await actions.give_login("c@fictief.example", None, [("coordinator", None)])
    await actions._make_link("c@fictief.example")
    token = await _mailed_token()
    session = await actions.redeem_link(token)
    assert await queries.actor_of(session.token) is not None
    await actions.take_role(login, "coordinator", None, actor=None)
    assert await queries.actor_of(session.token) is None
    assert (await queries.logins(ids=[login]))[0].roles == frozenset()
    await actions.give_login("c@fictief.example", None, [("coordinator", None)])
    assert (await queries.logins(ids=[login]))[0].roles == {("coordinator", None)}


async def _mailed_token() -> str:
    link = await fetch_value("SELECT context->>'link' FROM outbox_message ORDER BY id DESC LIMIT 1")
    return link.rsplit("=", 1)[1]


async def test_locking_an_unknown_login_is_refused(world_db):
    """There is no such login."""
    with pytest.raises(LoginUnknown):
        await actions.set_locked(uuid4(), locked=True, actor=None)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.nl",
        "a@b",
        "a b@c.nl",
        "a@b.nl\nBcc: x@y.nl",
        "a@b.nl\x00",
        "a@b..nl",
        "é@b.nl",
        "a" * 250 + "@b.nl",
        "a@-b.nl",
    ],
)
async def test_what_is_no_address_is_refused_before_the_database(address):
    """Also what would inject a mail header."""
    with pytest.raises(InvalidInput):
        await actions.request_link(address, network="n")


async def test_the_database_itself_refuses_upper_case_addresses(world_db):
    """The constraint holds for who goes around the action."""
    insert = "INSERT INTO login (id, email, locked, created_at) VALUES ($1, 'A@b.nl', false, $2)"
    with pytest.raises(Conflict) as refusal:
        await execute(insert, new_id(), clock.now())
    assert refusal.value.data["constraint"] == "email_is_lower_case"


async def test_tries_are_counted_exactly_under_a_crowd(world_db):
    """Of fifty tries at once exactly ten pass a limit of ten."""

    async def attempt() -> bool:
        try:
            await actions.throttle("crowd", 10, 900)
        except TooManyTries:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(50)))) == 10


async def test_read_then_write_would_let_a_crowd_through(world_db):
    """The negative control: counting in two steps lets more than ten pass."""
    at = clock.now()
    await execute(
        "INSERT INTO throttle (id, subject, window_starts_at, tries) VALUES ($1, 'naive', $2, 0)", new_id(), at
    )
    barrier = asyncio.Barrier(8)

    async def attempt() -> bool:
        tries = await fetch_value("SELECT tries FROM throttle WHERE subject = 'naive'")
        await barrier.wait()
        await execute("UPDATE throttle SET tries = $1 WHERE subject = 'naive'", tries + 1)
        return tries + 1 <= 1

    assert sum(await asyncio.gather(*(attempt() for _ in range(8)))) == 8


async def test_a_new_window_starts_counting_anew(world_db):
    """After the time that the refusal named, the next try passes."""
    await actions.throttle("w", 1, 60)
    with pytest.raises(TooManyTries) as refusal:
        await actions.throttle("w", 1, 60)
    with clock.travelling(clock.now() + timedelta(seconds=refusal.value.data["retry_after_seconds"])):
        await actions.throttle("w", 1, 60)


async def test_the_audit_line_goes_with_its_deed(world_db):
    """Rolled back together, kept together."""
    subject = uuid4()

    async def looked_and_failed() -> None:
        async with together():
            await actions.record_audit(None, "look", "family", subject, {"why": "test"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await looked_and_failed()
    assert await queries.who_looked(subject) == []
    await actions.record_audit(None, "look", "family", subject, {"why": "test"})
    (line,) = await queries.who_looked(subject)
    assert (line.verb, line.detail) == ("look", {"why": "test"})


async def test_the_audit_trail_cannot_be_changed_even_by_the_application(world_db):
    """No update, no delete."""
    await actions.record_audit(None, "look", "family", uuid4())
    for statement in ("UPDATE audit_entry SET verb = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(asyncpg.PostgresError):
            await execute(statement)
    assert await fetch_value("SELECT verb FROM audit_entry") == "look"


async def test_two_links_of_one_login_used_at_once_give_one_session(world_db):
    """Whoever comes second finds the other link used up; nobody is locked out by the race."""
    await actions.give_login("d@fictief.example", None, [])
    for _ in range(5):
        tokens = []
        for _ in range(2):
            await actions._make_link("d@fictief.example")
            tokens.append(await _mailed_token())
        results = await asyncio.gather(*(actions.redeem_link(token) for token in tokens), return_exceptions=True)
        assert sorted(type(result) for result in results if isinstance(result, Exception)) == [LinkNotUsable], results


async def test_addresses_by_role_leave_out_who_is_locked_or_lost_the_role(world_db):
    """Notices go to whoever has the role now."""
    family = uuid4()
    for name in ("een", "twee", "drie"):
        await actions.give_login(f"{name}@fictief.example", None, [("foster_parent", family)])
    logins = {
        view.email: view.id for view in await queries.logins(emails=["twee@fictief.example", "drie@fictief.example"])
    }
    await actions.set_locked(logins["twee@fictief.example"], locked=True, actor=None)
    await actions.take_role(logins["drie@fictief.example"], "foster_parent", family, actor=None)
    assert await queries.emails_with_role("foster_parent", scopes=[family]) == {family: ["een@fictief.example"]}
    assert await queries.emails_with_role("foster_parent") == {family: ["een@fictief.example"]}


async def test_pruning_deletes_what_is_long_over_and_nothing_else(world_db):
    """Live sessions and fresh tries stay."""
    await actions.give_login("e@fictief.example", None, [("foster_parent", None)])
    await actions._make_link("e@fictief.example")
    session = await actions.redeem_link(await _mailed_token())
    await actions.throttle("old", 5, 60)
    with clock.travelling(clock.now() + timedelta(days=29)):
        await actions.prune()
    rows = await fetch_all("SELECT (SELECT count(*) FROM web_session) s, (SELECT count(*) FROM throttle) t")
    assert dict(rows[0]) == {"s": 1, "t": 0}
    assert await queries.actor_of(session.token) is not None
    with clock.travelling(clock.now() + timedelta(days=61)):
        await actions.prune()
    assert await fetch_value("SELECT count(*) FROM web_session") == 0
