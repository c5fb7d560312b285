"""Bad input: always 4xx problem+json with a code, never 5xx, never half done (I9)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody

from clones import cloned
from entrypoints.http.browsing import ORIGIN, client_for, log_in, running, settings_for
from leerbudget.app import API, create_app
from leerbudget.entrypoints.api.types import (
    Body,
    Cents,
    CursorText,
    Limit,
    LongText,
    Moment,
    PostCode4,
    ShortText,
    make_cursor,
    read_cursor,
)
from leerbudget.entrypoints.http.envelope import CACHE_CONTROL
from leerbudget.entrypoints.http.failures import field_error
from leerbudget.foundation.database import DB, close_pool, fetch_value, open_pool
from leerbudget.foundation.errors import Busy, NotFound

PROBLEM = "application/problem+json"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A part of an order."""

    n: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Order(Body, frozen=True, kw_only=True):
    """Something with every strict type in it."""

    title: ShortText = "titel"
    note: LongText = "tekst"
    price_cents: Cents = 0
    postcode: PostCode4 = "3511"
    at: Moment | None = None
    id: UUID | None = None
    lines: tuple[Inner, ...] = ()


@post("/probe", include_in_schema=True)
async def probe(data: JSONBody[Order]) -> dict[str, str]:
    """Say back what was understood, by way of the database."""
    return {"title": await fetch_value("SELECT $1::text", data.title), "at": str(data.at)}


@get("/probe/{probe_id:uuid}")
async def probe_id(probe_id: FromPath[UUID]) -> dict[str, str]:
    """Say the id back."""
    return {"id": str(probe_id)}


@get("/probe-list")
async def probe_list(limit: Limit = 20, cursor: CursorText = None) -> dict[str, object]:
    """Say the page back."""
    return {"limit": limit, "after": read_cursor(cursor, (str, int))}


@get("/probe-trouble")
async def probe_trouble(kind: FromQuery[str]) -> None:
    """Raise what was asked for."""
    if kind == "query":
        await fetch_value("SELECT $1::text", "a\x00b")
    errors = {
        "busy": Busy(reason="55P03"),
        "bug": RuntimeError("secret-password in a message"),
        "data": asyncpg.DataError("value out of range"),
        "forbidden": NotFound(family="5f0c7a52"),
        "missing": NotFound(),
    }
    raise errors[kind]


@get("/probe-page")
async def probe_page() -> Response[str]:
    """A personal page."""
    return Response("<p>hallo</p>", media_type="text/html")


@get("/probe-file", opt={CACHE_CONTROL: "public, max-age=31536000, immutable"})
async def probe_file(gone: FromQuery[bool] = False) -> str:  # noqa: FBT002 - a query parameter
    """A file that is the same for everybody, when it is there."""
    if gone:
        raise NotFound
    return "body {}"


@post("/probe-form", status_code=200)
async def probe_form(data: URLEncodedBody[dict[str, str]]) -> str:
    """Say the form back."""
    return await fetch_value("SELECT $1::text", "|".join(f"{name}={value}" for name, value in data.items()))


@pytest.fixture(scope="module")
async def probed(cluster, template):
    """The application with the probes above beside its own controllers; nothing here changes its database."""
    async with cloned(cluster, template) as database:
        await open_pool(database.dsns.app, size=5)
        try:
            probes = [probe, probe_id, probe_list, probe_trouble]
            async with running(
                create_app(settings_for(), api=[*API, *probes], pages=[probe_page, probe_form, probe_file])
            ) as made:
                yield made
        finally:
            await close_pool()


@pytest.fixture
async def api(probed):
    """A stranger's browser."""
    async with client_for(probed) as browser:
        yield browser


def refused(answer: httpx.Response, status: int, code: str) -> dict:
    """The problem document of a refusal that is told as it should be."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["api-version"] == "1.0.0"
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:leerbudget:problem:{code}"
    return document


def test_the_probe_does_take_good_input():
    """Without this the refusals below might refuse everything."""
    assert msgspec.json.decode(b'{"title":"a","lines":[{"n":1}]}', type=Order).lines[0].n == 1


async def test_good_input_passes(api):
    """Text, amounts, moments and ids as they should be."""
    good = {"title": "Trauma & veiligheid \u20ac", "at": "2027-03-01T19:00:00+01:00", "price_cents": 2**53 - 1}
    answer = await api.post("/api/v1/probe", json=good)
    assert answer.status_code == 201, answer.text
    assert answer.json()["title"] == good["title"]


async def test_text_is_kept_in_unicode_form_nfc(api):
    """A combining accent becomes one character, so that equal words are equal."""
    assert (await api.post("/api/v1/probe", json={"title": "cafe\u0301"})).json()["title"] == "caf\u00e9"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "a\x00b"),
        ("title", "twee\nregels"),
        ("title", "regel\n"),
        ("title", "om\u202egekeerd"),
        ("title", "\u2066verstopt"),
        ("title", "\x1b[31m"),
        ("title", "\ufffe"),
        ("title", ""),
        ("title", "a" * 201),
        ("title", None),
        ("title", 5),
        ("note", "a\x07b"),
        ("note", "a" * 2001),
        ("price_cents", -1),
        ("price_cents", 2**53),
        ("price_cents", 10**40),
        ("price_cents", "12"),
        ("price_cents", 1.5),
        ("price_cents", True),
        ("postcode", "0123"),
        ("postcode", "3511\n"),
        ("postcode", "\u0663\u0665\u0661\u0661"),
        ("at", "2027-03-01T19:00:00"),
        ("at", "1999-12-31T23:59:59Z"),
        ("at", "2100-01-01T00:00:00Z"),
        ("at", "0001-01-01T00:00:00+10:00"),
        ("at", "9999-12-31T23:59:59-10:00"),
        ("at", "morgen"),
        ("at", 1),
        ("id", "{0198c0de-0000-7000-8000-00000000abcd}"),
        ("id", "1_0"),
        ("lines", [{"n": 1}, {"n": 99}]),
        ("lines", [{"n": 1, "m": 2}]),
        ("unknown", 1),
    ],
)
async def test_a_field_that_does_not_fit_is_named(api, field, value):
    """422, with the place of the mistake."""
    document = refused(await api.post("/api/v1/probe", json={field: value}), 422, "invalid_input")
    assert [error["path"].startswith(field) for error in document["errors"]] == [True], document


async def test_every_wrong_field_is_named_at_once(api):
    """Not only the first mistake: all of them, with their paths."""
    answer = await api.post("/api/v1/probe", json={"title": 5, "price_cents": -1, "lines": [{"n": 99}], "unknown": 1})
    document = refused(answer, 422, "invalid_input")
    assert {error["path"] for error in document["errors"]} == {"title", "price_cents", "lines[0].n", "unknown"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nul",
        b'{"price_cents": NaN}',
        b'{"price_cents": Infinity}',
        b'{"title": "\xff"}',
        b'{"title": "\\ud800"}',
        b"\xff\xfe{\x00}\x00",
        b'{"lines": ' + b"[" * 60_000,
        b'{"lines": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
        b'{"title": "a"} {"title": "b"}',
    ],
)
async def test_what_is_not_json_is_refused(api, body):
    """400 for what cannot be read, 422 for what has another shape; never an error of ours."""
    answer = await api.post("/api/v1/probe", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    refused(answer, answer.status_code, {400: "malformed_body", 422: "invalid_input"}[answer.status_code])


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"[" * 100_000])
async def test_json_of_another_kind_is_refused(api, body):
    """A list or nothing where an object belongs."""
    answer = await api.post("/api/v1/probe", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data", "json"])
async def test_json_must_say_that_it_is_json(api, kind):
    """Another site's form can send text/plain; it must not pass as JSON."""
    answer = await api.post("/api/v1/probe", content=b'{"title":"a"}', headers={"Content-Type": kind})
    refused(answer, 415, "wrong_content_type")


async def test_a_charset_in_the_content_type_is_fine_when_it_is_utf8(api):
    """`application/json; charset=utf-8` is what many programs send; another charset is refused."""
    for charset, status in (("utf-8", 201), ("UTF-8", 201), ("latin-1", 415)):
        kind = f"application/json; charset={charset}"
        answer = await api.post("/api/v1/probe", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == status


async def test_no_body_at_all_is_refused(api):
    """422 for an order without content."""
    answer = await api.post("/api/v1/probe", headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text


async def test_too_large_a_body_is_refused(api):
    """413 beyond 256 KiB."""
    answer = await api.post("/api/v1/probe", json={"note": "a" * 300_000})
    refused(answer, 413, "too_large")


@pytest.mark.parametrize(
    "given",
    [
        "0198C0DE-0000-7000-8000-00000000ABCD",
        "0198c0de00007000800000000000abcd",
        "%7B0198c0de-0000-7000-8000-00000000abcd%7D",
        "urn:uuid:0198c0de-0000-7000-8000-00000000abcd",
        "1_0",
        "%D9%A1",
        "%00",
        "%FF",
        "-1",
        "x" * 3000,
    ],
)
async def test_an_id_that_is_written_differently_is_not_there(api, given):
    """404, the same as for an id that does not exist."""
    refused(await api.get(f"/api/v1/probe/{given}"), 404, "not_found")


async def test_an_id_as_it_is_written_is_found(api):
    """The negative control of the test above."""
    assert (await api.get("/api/v1/probe/0198c0de-0000-7000-8000-00000000abcd")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1_0",
        "limit=%D9%A1",
        "limit=1e400",
        "limit=99999999999999999999",
        "limit=",
        "limit=%00",
        "limit=5;drop",
        "cursor=%FF",
        "cursor=!!",
        "cursor=aGFsbG8",
        "cursor=W1tdXQ",
        "cursor=" + "a" * 501,
        "cursor=" + make_cursor("a", "b"),
    ],
)
async def test_a_wrong_page_is_refused(api, query):
    """422 for a limit outside 1..100 or a cursor that is not ours."""
    refused(await api.get(f"/api/v1/probe-list?{query}"), 422, "invalid_input")


async def test_a_cursor_of_ours_is_read_back(api):
    """What make_cursor made, read_cursor understands."""
    answer = await api.get("/api/v1/probe-list", params={"limit": 100, "cursor": make_cursor("a", 7)})
    assert answer.json() == {"limit": 100, "after": ["a", 7]}


async def test_values_that_postgresql_cannot_hold_are_422(api):
    """A NUL that reaches the database, or a value out of range, is the sender's mistake, not ours."""
    for kind in ("query", "data"):
        refused(await api.get(f"/api/v1/probe-trouble?kind={kind}"), 422, "invalid_input")


async def test_busy_says_when_to_come_back(api):
    """503 with Retry-After, and nothing about locks."""
    answer = await api.get("/api/v1/probe-trouble?kind=busy")
    document = refused(answer, 503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    assert "reason" not in document


async def test_a_mistake_of_ours_tells_nothing(api, capsys):
    """500 as a problem document without the message; the message is in the log."""
    answer = await api.get("/api/v1/probe-trouble?kind=bug")
    refused(answer, 500, "unexpected")
    assert "secret" not in answer.text
    assert "secret-password" in capsys.readouterr().out


async def test_forbidden_and_missing_look_the_same(api):
    """Same status, body and headers (I10)."""
    answers = [await api.get(f"/api/v1/probe-trouble?kind={kind}") for kind in ("forbidden", "missing")]
    answers.append(await api.get("/api/v1/there-is-nothing-here"))
    assert len({(a.status_code, a.content, len(a.headers)) for a in answers}) == 1


async def test_unknown_addresses_and_methods_are_problems_too(api):
    """404 and 405 (with Allow) below /api are problem documents."""
    refused(await api.get("/api/v1/nothing"), 404, "not_found")
    refused(await api.get("/api"), 404, "not_found")
    answer = await api.put("/api/v1/probe", json={})
    refused(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


async def test_people_get_pages_not_problem_documents(api):
    """Outside /api an error is an HTML page."""
    answer = await api.get("/nergens")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "api-version" not in answer.headers


async def test_every_answer_carries_the_security_headers(api):
    """Pages, API answers and errors alike."""
    for path in ("/probe-page", "/api/v1/health", "/nergens", "/api/v1/nothing"):
        headers = (await api.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


async def test_a_public_file_may_be_kept_but_its_absence_may_not(api):
    """A year for the file, not a moment for the 404."""
    assert (await api.get("/probe-file")).headers["cache-control"] == "public, max-age=31536000, immutable"
    missing = await api.get("/probe-file?gone=true")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")


async def test_head_is_get_without_the_body(api):
    """Uptime checks and link checkers ask that way."""
    for path in ("/probe-page", "/api/v1/health", "/api/v1/me", "/nergens"):
        got, head = await api.get(path), await api.head(path)
        assert head.status_code == got.status_code
        assert head.content == b""
        assert head.headers.get("content-length") == got.headers.get("content-length")


async def test_the_log_has_no_query_and_no_secret(api, capsys):
    """A login link's token in an address does not reach the log, nor does a cookie."""
    token = await log_in(api)
    await api.get("/inloggen/bevestigen?sleutel=geheim123")
    said = capsys.readouterr().out
    assert "/inloggen/bevestigen" in said
    assert "geheim123" not in said
    assert token not in said


async def test_health_tells_when_the_database_is_away(api):
    """200 with a database, 503 without; it keeps answering."""
    assert (await api.get("/api/v1/health")).json() == {"status": "ok", "live": True, "database": "ok"}
    pool, DB.pool = DB.pool, None
    try:
        answer = await api.get("/api/v1/health")
    finally:
        DB.pool = pool
    assert answer.status_code == 503
    assert answer.json()["live"] is True


async def test_multipart_rubbish_is_not_our_error(api):
    """A broken multipart body on a page is refused, not an error of ours."""
    await log_in(api)
    for body, kind in (
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"rubbish", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n" * 1000, "multipart/form-data; boundary=x"),
        (b"a=%FF&b=%00", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
    ):
        answer = await api.post("/probe-form", content=body, headers={"Content-Type": kind, **ORIGIN})
        assert 400 <= answer.status_code < 500, (body, answer.status_code)


def test_moments_are_compared_in_their_own_zone():
    """The bounds hold for the instant, whatever the offset."""
    assert Order(at=datetime.fromisoformat("2000-01-01T01:00:00+01:00")).at is not None


def test_the_place_of_a_mistake_deep_inside_is_whole():
    """Field in list in field: the path goes from outside to inside."""
    error = msgspec.ValidationError("Expected a moment - at `$.at` - at `$.lines[3]`")
    assert field_error(error, within="order").path == "order.lines[3].at"
