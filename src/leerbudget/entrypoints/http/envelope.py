"""What every answer carries, errors and unknown addresses included, and the one line that is logged about it."""

import time
from collections.abc import Mapping
from typing import Any, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from leerbudget.entrypoints.http.network import Proxies
from leerbudget.foundation.ids import new_id

API_VERSION = "1.0.0"
"""Version of the API's contract (NL API Design Rules: semantic, and named in every answer)."""

_CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _CSP,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
"""Nothing inline, nothing from elsewhere, in nobody's frame (reliability section 4)."""

CACHE_CONTROL = "cache_control"
"""`opt` key of handlers whose good answers are the same for everybody and may be kept."""

log = structlog.get_logger("leerbudget.http")


class Envelope:
    """Wraps the whole application.

    An answer that says nothing about caching is personal: `no-store`, unless its handler's `opt` says otherwise
    under `cache_control`. HEAD is answered as GET without the body (RFC 9110 9.1). The log line has method, path (never
    the query: it may hold a login link), status, duration and a random request id; no name and no address.

    Args:
        app: what answers.
        proxies: whose `X-Forwarded-For` is believed.
        https: whether people reach the site over https.
    """

    def __init__(self, app: ASGIApp, *, proxies: Proxies, https: bool) -> None:
        self._app = app
        self._proxies = proxies
        headers = dict(SECURITY_HEADERS)
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with headers added and the request logged."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), [0]
        request_id = str(new_id())
        scope["state"]["request_id"] = request_id
        scope["state"]["client_address"] = self._client(scope)
        head = scope.get("method") == "HEAD"
        inner = cast("Scope", {**scope, "method": "GET"}) if head else scope

        async def send_wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                headers = [*message["headers"], *self._added(inner, message, request_id)]
                message = cast("Message", {**message, "headers": headers})
            elif head and message["type"] == "http.response.body":
                message = cast("Message", {**message, "body": b""})
            await send(message)

        try:
            await self._app(inner, receive, send_wrapped)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            note = log.warning if status[0] >= 500 or status[0] == 0 else log.info
            note(
                "request",
                method=scope.get("method"),
                path=scope["path"],
                status=status[0],
                milliseconds=milliseconds,
                request_id=request_id,
            )

    def _client(self, scope: Scope) -> str:
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        peer = scope.get("client")
        return self._proxies.client(peer[0] if peer else None, forwarded.decode("latin-1"))

    def _added(self, scope: Scope, start: HTTPResponseStartEvent, request_id: str) -> list[tuple[bytes, bytes]]:
        names = {bytes(name).lower() for name, _ in start["headers"]}
        path = scope["path"]
        added = [(name, value) for name, value in self._headers if name not in names]
        added.append((b"x-request-id", request_id.encode()))
        if b"cache-control" not in names:
            added.append((b"cache-control", _caching(cast("Mapping[str, Any]", scope), start["status"]).encode()))
        if path == "/api" or path.startswith("/api/"):
            added.append((b"api-version", API_VERSION.encode()))
        return added


def _caching(scope: Mapping[str, Any], status: int) -> str:
    handler = scope.get("route_handler")  # absent when no handler has this path
    if handler is None or status != 200:
        return "no-store"
    return str(handler.opt.get(CACHE_CONTROL, "no-store"))
