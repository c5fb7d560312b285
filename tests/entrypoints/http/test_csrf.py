"""What changes something must come from our own pages: forms, JSON, and what other sites can send."""

import re

import pytest
from litestar import Request, Response, get, post

from clones import cloned
from entrypoints.http.browsing import BASE, ORIGIN, client_for, log_in, running, settings_for
from leerbudget.app import API, create_app
from leerbudget.entrypoints.http.csrf import OwnOrigin, csrf_token, token_for
from leerbudget.foundation.database import close_pool, open_pool


@get("/form")
async def show(request: Request) -> Response[str]:
    """A page with a form."""
    return Response(f'<input name="_csrf_token" value="{csrf_token(request)}">', media_type="text/html")


@post("/form", status_code=200)
async def take(request: Request) -> str:
    """What the form does."""
    return f"done {(await request.form()).get('name')}"


@pytest.fixture(scope="module")
async def app(cluster, template):
    """The application with a page that has a form."""
    async with cloned(cluster, template) as database:
        await open_pool(database.dsns.app, size=5)
        try:
            async with running(create_app(settings_for(), api=API, pages=[show, take])) as made:
                yield made
        finally:
            await close_pool()


@pytest.fixture
async def browser(app):
    """A logged-in browser, and the token that its pages carry."""
    async with client_for(app) as made:
        await log_in(made)
        page = (await made.get("/form")).text
        yield made, re.search(r'value="([0-9a-f]{64})"', page)[1]


async def test_a_form_of_our_own_page_passes(browser):
    """Origin and token right: done; the token may also come in a header."""
    client, token = browser
    done = await client.post("/form", data={"_csrf_token": token, "name": "A"}, headers=ORIGIN)
    assert (done.status_code, done.text) == (200, "done A")
    with_header = await client.post("/form", data={"name": "B"}, headers={**ORIGIN, "X-CSRF-Token": token})
    assert with_header.text == "done B"
    modern = await client.post("/form", data={"_csrf_token": token}, headers={"Sec-Fetch-Site": "same-origin"})
    assert modern.status_code == 200


async def test_a_multipart_form_passes_too(browser):
    """A form with a file carries the token in the same way."""
    client, token = browser
    done = await client.post(
        "/form", data={"_csrf_token": token, "name": "A"}, files={"f": ("a.csv", b"x")}, headers=ORIGIN
    )
    assert done.text == "done A"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://leerbudget.test.elsewhere.example"},
        {"Origin": "https://leerbudget.test"},
        {"Origin": "http://leerbudget.test:8080"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", **ORIGIN},
        {"Referer": f"{BASE}/form"},
    ],
)
async def test_a_form_of_another_page_is_refused_even_with_the_right_token(browser, headers):
    """403 when the browser does not say that it comes from us."""
    client, token = browser
    assert (await client.post("/form", data={"_csrf_token": token}, headers=headers)).status_code == 403


async def test_a_form_without_the_sessions_own_token_is_refused(browser, app):
    """No token, a wrong one, another session's, or the token of before a new login."""
    client, token = browser
    async with client_for(app) as other:
        await log_in(other, "ander@fictief.example")
        others = re.search(r'value="([0-9a-f]{64})"', (await other.get("/form")).text)[1]
    assert others != token
    for wrong in (
        {},
        {"_csrf_token": ""},
        {"_csrf_token": "0" * 64},
        {"_csrf_token": others},
        {"_csrf_token": "\u20ac"},
    ):
        assert (await client.post("/form", data=wrong, headers=ORIGIN)).status_code == 403, wrong
    await log_in(client)
    assert (await client.post("/form", data={"_csrf_token": token}, headers=ORIGIN)).status_code == 403


async def test_a_strangers_form_needs_our_origin(app):
    """Logging somebody in from another site is refused; from our page it passes, without a token."""
    async with client_for(app) as stranger:
        assert (await stranger.post("/form", data={}, headers=ORIGIN)).status_code == 200
        assert (await stranger.post("/form", data={})).status_code == 403
        assert (await stranger.post("/form", data={}, headers={"Origin": "https://x.example"})).status_code == 403


async def test_the_api_with_a_cookie_needs_our_origin(browser):
    """JSON with a session cookie from elsewhere, or from who does not say, is refused as a problem document."""
    client, _ = browser
    for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = await client.delete("/api/v1/web-sessions/current", headers=headers)
        assert refused.status_code == 403
        assert refused.json()["code"] == "forged_request"
    assert (await client.get("/api/v1/me")).status_code == 200
    assert (await client.delete("/api/v1/web-sessions/current", headers=ORIGIN)).status_code == 204


async def test_the_api_without_a_cookie_takes_programs_but_not_other_sites(app):
    """A program sends no origin; another site's script does, and is refused."""
    async with client_for(app) as program:
        order = {"email": "x@fictief.example"}
        assert (await program.post("/api/v1/login-links", json=order)).status_code == 202
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert (await program.post("/api/v1/login-links", json=order, headers=elsewhere)).status_code == 403


async def test_another_sites_form_cannot_send_json(browser):
    """What a form can send without a preflight (text/plain) is not JSON to us."""
    client, _ = browser
    answer = await client.post(
        "/api/v1/login-links",
        content=b'{"email":"x@fictief.example"}',
        headers={"Content-Type": "text/plain", **ORIGIN},
    )
    assert answer.status_code == 415


async def test_the_form_token_does_not_give_the_session_away(browser):
    """Token and session differ, and a stranger's page has none."""
    client, token = browser
    assert token == token_for(client.cookies["leerbudget"])
    assert client.cookies["leerbudget"] not in token


def test_loopback_counts_as_ours_only_outside_production():
    """The demonstration may run on any port; production knows one address."""
    asked = {"origin": "http://127.0.0.1:4567", "host": "127.0.0.1:4567"}
    assert OwnOrigin("http://127.0.0.1:8000", any_loopback=True).named_by(asked)
    assert not OwnOrigin("https://leerbudget.example", any_loopback=False).named_by(asked)
    other_port = {**asked, "host": "127.0.0.1:1111"}
    assert not OwnOrigin("http://127.0.0.1:8000", any_loopback=True).named_by(other_port)
    rebound = {"origin": "http://elsewhere.example:80", "host": "elsewhere.example:80"}
    assert not OwnOrigin("http://127.0.0.1:8000", any_loopback=True).named_by(rebound)
