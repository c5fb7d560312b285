"""Logging in over HTTP: mailed links, web sessions, and what an attacker tries."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from entrypoints.http.browsing import ORIGIN, client_for, link_token, log_in, running, settings_for
from leerbudget.app import create_app
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.identity import actions

EMAIL = "ouder@fictief.example"


async def test_a_mailed_link_logs_in_and_logging_out_ends_it(client):
    """Ask, redeem, be somebody, log out, be nobody: also with the cookie kept."""
    family = uuid4()
    await actions.give_login(EMAIL, None, [("foster_parent", family)])
    asked = await client.post("/api/v1/login-links", json={"email": " Ouder@Fictief.example ".strip()})
    assert asked.status_code == 202
    made = await client.post("/api/v1/web-sessions", json={"token": await link_token(EMAIL)}, headers=ORIGIN)
    assert made.status_code == 201
    me = await client.get("/api/v1/me")
    assert me.status_code == 200
    assert me.json()["email"] == EMAIL
    assert me.json()["roles"] == [{"role": "foster_parent", "scope": str(family)}]
    kept = client.cookies["leerbudget"]
    assert (await client.delete("/api/v1/web-sessions/current", headers=ORIGIN)).status_code == 204
    assert "leerbudget" not in client.cookies
    again = await client.get("/api/v1/me", headers={"Cookie": f"leerbudget={kept}"})
    assert again.status_code == 401
    assert again.json()["code"] == "not_logged_in"


async def test_a_link_works_once_even_when_used_by_many_at_once(app):
    """Of twenty browsers that redeem one link at the same moment exactly one is logged in."""
    await actions.give_login(EMAIL, None, [])
    await actions.request_link(EMAIL, network="n")
    token = await link_token(EMAIL)

    async def redeem() -> int:
        async with client_for(app) as browser:
            return (await browser.post("/api/v1/web-sessions", json={"token": token}, headers=ORIGIN)).status_code

    statuses = await asyncio.gather(*(redeem() for _ in range(20)))
    assert sorted(statuses) == [201] + [410] * 19
    assert await fetch_value("SELECT count(*) FROM web_session") == 1


async def test_a_link_is_used_up_by_another_link_of_the_same_login(client):
    """Logging in closes the links that are still in the mailbox."""
    await actions.give_login(EMAIL, None, [])
    await actions.request_link(EMAIL, network="n")
    older = await link_token(EMAIL)
    await log_in(client, EMAIL, [])
    refused = await client.post("/api/v1/web-sessions", json={"token": older}, headers=ORIGIN)
    assert refused.status_code == 410


async def test_a_link_expires_after_fifteen_minutes(client):
    """One second before it works, one second after it does not."""
    await actions.give_login(EMAIL, None, [])
    for seconds, status in ((901, 410), (899, 201)):
        await actions.request_link(EMAIL, network="n")
        token = await link_token(EMAIL)
        with clock.travelling(clock.now() + timedelta(seconds=seconds)):
            answer = await client.post("/api/v1/web-sessions", json={"token": token}, headers=ORIGIN)
        assert answer.status_code == status


async def test_only_digests_of_tokens_are_kept(client):
    """Neither the link's token nor the session's token is readable in the database once the mail is sent."""
    token = await log_in(client)
    stored = await fetch_all("SELECT token_sha256 FROM web_session UNION ALL SELECT token_sha256 FROM magic_link")
    assert all(len(row["token_sha256"]) == 32 and token.encode() not in row["token_sha256"] for row in stored)


async def test_a_planted_cookie_is_never_taken_over(client):
    """Session fixation: a token chosen by an attacker stays worthless and is replaced at login."""
    planted = "A" * 43
    client.cookies.set("leerbudget", planted, domain="leerbudget.test", path="/")
    token = await log_in(client)
    assert token != planted
    assert (await client.get("/api/v1/me", headers={"Cookie": f"leerbudget={planted}"})).status_code == 401


async def test_logging_in_again_ends_the_browsers_former_session(client, app):
    """The former token of the same browser is dead after a new login."""
    first = await log_in(client)
    second = await log_in(client)
    assert first != second
    async with client_for(app, cookies={"leerbudget": first}) as other:
        assert (await other.get("/api/v1/me")).status_code == 401


async def test_unknown_and_known_addresses_get_the_same_answer(client):
    """Status, body and headers do not tell whether somebody has the address; nor does a locked login."""
    await actions.give_login(EMAIL, None, [])
    locked = await actions.give_login("gesloten@fictief.example", None, [])
    await actions.set_locked(locked, locked=True, actor=None)
    answers = [
        await client.post("/api/v1/login-links", json={"email": email})
        for email in (EMAIL, "niemand@fictief.example", "gesloten@fictief.example")
    ]
    seen = {(a.status_code, a.content, tuple(sorted(set(a.headers) - {"x-request-id"}))) for a in answers}
    assert len(seen) == 1
    assert await fetch_value("SELECT count(*) FROM outbox_message") == 1


async def test_known_and_unknown_addresses_take_the_same_time(world_db):
    """Both take the floor time, which is far above what the work costs."""
    await actions.give_login(EMAIL, None, [])
    loop = asyncio.get_running_loop()
    for email in (EMAIL, "niemand@fictief.example"):
        started = loop.time()
        await actions.request_link(email, network="n")
        assert loop.time() - started >= actions.LINK_ANSWER_SECONDS


async def test_too_many_links_are_refused_with_the_time_to_wait(client):
    """The sixth link for one address from one network within a window is refused, known or not."""
    for email in (EMAIL, "niemand@fictief.example"):
        if email == EMAIL:
            await actions.give_login(EMAIL, None, [])
        answers = [await client.post("/api/v1/login-links", json={"email": email}) for _ in range(6)]
        assert [a.status_code for a in answers] == [202] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 901
        assert answers[-1].json()["code"] == "too_many_tries"


async def test_a_forged_forwarded_for_does_not_make_another_network(client):
    """Without a configured proxy the header is not believed, so it does not escape the count."""
    for n in range(6):
        last = await client.post(
            "/api/v1/login-links",
            json={"email": "iemand@fictief.example"},
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
        )
    assert last.status_code == 429


async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(world_db):
    """Over https the cookie has the __Host- prefix, Secure, HttpOnly, SameSite=Lax and Path=/."""
    secure = create_app(settings_for("https://leerbudget.test"))
    async with running(secure), client_for(secure, "https://leerbudget.test") as browser:
        await actions.give_login(EMAIL, None, [])
        await actions.request_link(EMAIL, network="n")
        answer = await browser.post(
            "/api/v1/web-sessions",
            json={"token": await link_token(EMAIL)},
            headers={"Origin": "https://leerbudget.test"},
        )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-leerbudget=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert "strict-transport-security" in answer.headers


async def test_staff_sessions_end_after_twelve_hours_and_two_idle_hours(client):
    """A parent stays logged in for days; a trainer for one working day and not while away."""
    await log_in(client, "trainer@fictief.example", [("trainer", uuid4())])
    now = clock.now()
    for later, status in ((timedelta(minutes=119), 200), (timedelta(minutes=121), 200), (timedelta(hours=5), 401)):
        with clock.travelling(now + later):
            assert (await client.get("/api/v1/me")).status_code == status, later
    await execute("UPDATE web_session SET last_seen_at = $1", now + timedelta(hours=12))
    with clock.travelling(now + timedelta(hours=12, seconds=1)):
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_parent_sessions_last_thirty_days_when_used(client):
    """Thirteen idle days are fine, fifteen are not; thirty days is the end."""
    await log_in(client)
    now = clock.now()
    for days, status in ((13, 200), (26, 200), (29.99, 200), (30.01, 401)):
        with clock.travelling(now + timedelta(days=days)):
            assert (await client.get("/api/v1/me")).status_code == status, days


async def test_rotating_replaces_the_token(client, app):
    """After a rotation the former token is dead and the fresh one is the same person."""
    former = await log_in(client)
    fresh = await actions.rotate(former)
    assert (await client.get("/api/v1/me")).status_code == 401
    async with client_for(app, cookies={"leerbudget": fresh.token}) as browser:
        assert (await browser.get("/api/v1/me")).json()["email"] == EMAIL


async def test_locking_a_login_ends_its_sessions(client):
    """Who is locked out is out at once."""
    await log_in(client)
    await actions.set_locked(await fetch_value("SELECT id FROM login"), locked=True, actor=None)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_tampered_cookie_makes_a_stranger(client):
    """Rubbish in the cookie is 401, never an error of ours."""
    for rubbish in ("x", "%00", "a" * 5000, "\u20ac".encode().decode("latin-1"), '"', "=", "a=b; c"):
        answer = await client.get("/api/v1/me", headers={"Cookie": f"leerbudget={rubbish}".encode("latin-1")})
        assert answer.status_code == 401, rubbish


async def test_logging_in_is_on_the_audit_trail(client):
    """Who logged in stands on the audit trail, written in the same transaction."""
    await log_in(client)
    assert await fetch_value("SELECT verb FROM audit_entry") == "log_in"
