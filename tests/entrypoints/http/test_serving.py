"""The application under a real server, its OpenAPI document, and where requests come from."""

import asyncio
import os
import re
import signal
import socket
import sys
from dataclasses import dataclass

import httpx
import pytest

from entrypoints.http.browsing import ORIGIN, client_for, link_token, log_in, settings_for
from leerbudget.app import create_app
from leerbudget.entrypoints.http.network import Proxies, network_of
from leerbudget.identity import actions

SERVE = """
import sys
import uvicorn
from leerbudget.app import create_app
from leerbudget.foundation.settings import Settings

app = create_app(Settings.from_environment(), dsn=sys.argv[1])
uvicorn.run(app, fd=int(sys.argv[2]), access_log=False, server_header=False, proxy_headers=False, log_level="info")
"""


@dataclass
class Served:
    """A server process of ours, and where it listens."""

    process: asyncio.subprocess.Process
    base: str


@pytest.fixture
async def served(world_db):
    """Uvicorn in a process of its own, on a port that the system chose."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SERVE,
            world_db.dsns.app,
            str(listening.fileno()),
            pass_fds=[listening.fileno()],
            env={**os.environ, "LEERBUDGET_ENV": "test", "LEERBUDGET_BASE_URL": base},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        yield Served(process, base)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_real_server_logs_somebody_in_and_stops_when_asked(served):
    """Over a socket: health, login, me; then SIGTERM ends it after its shutdown is complete."""
    async with httpx.AsyncClient(base_url=served.base, timeout=30) as browser:
        assert (await browser.get("/api/v1/health")).json()["database"] == "ok"
        await actions.give_login("ouder@fictief.example", None, [])
        assert (await browser.post("/api/v1/login-links", json={"email": "ouder@fictief.example"})).status_code == 202
        order = {"token": await link_token("ouder@fictief.example")}
        made = await browser.post("/api/v1/web-sessions", json=order, headers={"Origin": served.base})
        assert made.status_code == 201, made.text
        assert "server" not in made.headers
        assert (await browser.get("/api/v1/me")).json()["email"] == "ouder@fictief.example"
    served.process.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(served.process.communicate(), 20)
    assert served.process.returncode in {0, -signal.SIGTERM}  # uvicorn passes the signal on once it is done
    assert b"Application shutdown complete" in said, said.decode()[-2000:]
    assert order["token"] not in said.decode()


async def test_a_real_server_answers_bad_requests_with_4xx(served):
    """What only a real server sees: raw bytes in the path and headers, and a body shorter than promised."""
    async with httpx.AsyncClient(base_url=served.base, timeout=30) as browser:
        await browser.get("/api/v1/health")
    port = int(served.base.rsplit(":", 1)[1])
    for request in (
        b"GET /api/v1/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nCookie: leerbudget=\xff\xfe\r\nConnection: close\r\n\r\n",
        (
            b"POST /api/v1/login-links HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n"
            b"Connection: close\r\n\r\n{}"
        ),
        (
            b"POST /api/v1/login-links HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        ),
        b"GET /api/v1/me?a=%ff%00 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \xff,,\r\nConnection: close\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await writer.drain()
        first = await asyncio.wait_for(reader.readline(), 20)
        writer.close()
        assert re.match(rb"HTTP/1.1 4\d\d ", first), (request, first)


async def test_the_openapi_document_is_complete(client):
    """3.1, contact, licence, version; request bodies refuse unknown fields; every operation tells its errors."""
    answer = await client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.0.0"
    assert document["info"]["license"]["identifier"] == "EUPL-1.2"
    assert document["info"]["contact"]["url"]
    schemas = document["components"]["schemas"]
    assert schemas["LoginLinkOrder"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Me"]
    assert {"/api/v1/login-links", "/api/v1/web-sessions", "/api/v1/web-sessions/current", "/api/v1/me"} <= set(
        document["paths"]
    )
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["operationId"], path
            for status in ("404", "422", "503"):
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"], path
    assert document == (await client.get("/api/v1/docs/openapi.json")).json()


async def test_the_documentation_page_loads_nothing_from_elsewhere(client):
    """No address outside the site and no inline script."""
    page = await client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert source.startswith("/"), source
    script = await client.get("/api/v1/docs/start.js")
    assert script.headers["content-type"].startswith("text/javascript")


async def test_a_proxy_that_we_know_says_who_is_behind_it(world_db):
    """From a trusted proxy X-Forwarded-For counts; what the client wrote further left does not."""
    app = create_app(settings_for(trusted_proxies=("192.0.2.0/24",)))
    async with client_for(app) as browser:
        statuses = [
            (
                await browser.post(
                    "/api/v1/login-links",
                    json={"email": "x@fictief.example"},
                    headers={"X-Forwarded-For": f"10.0.0.{n}, 198.51.100.1, 192.0.2.9"},
                )
            ).status_code
            for n in range(6)
        ]
        elsewhere = await browser.post(
            "/api/v1/login-links", json={"email": "x@fictief.example"}, headers={"X-Forwarded-For": "198.51.100.2"}
        )
    assert statuses == [202] * 5 + [429]
    assert elsewhere.status_code == 202


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("10.1.1.1", "1.2.3.4", "1.2.3.4"),
        ("10.1.1.1", "6.6.6.6, 1.2.3.4, 10.2.2.2", "1.2.3.4"),
        ("10.1.1.1", "rubbish", "10.1.1.1"),
        ("10.1.1.1", "1.2.3.4, rubbish", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("::ffff:10.1.1.1", "2001:db8::1", "2001:db8::1"),
        (None, "1.2.3.4", "unknown"),
        ("socket", None, "unknown"),
    ],
)
def test_who_asks_is_the_first_hop_that_is_not_ours(peer, forwarded, client):
    """Read from the right, past our own proxies, until somebody else's word begins."""
    assert Proxies(["10.0.0.0/8"]).client(peer, forwarded) == client


def test_an_ipv6_household_is_one_network():
    """Addresses in one /64 count together; IPv4 addresses count one by one."""
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("rubbish") == "unknown"


async def test_me_does_not_answer_strangers(client):
    """401 with the way to log in, and nothing else."""
    answer = await client.get("/api/v1/me")
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    await log_in(client)
    assert (await client.get("/api/v1/me", headers=ORIGIN)).status_code == 200
