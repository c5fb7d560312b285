"""Whether a request that changes something really comes from our own pages.

Three walls: the cookie is SameSite=Lax; the browser's own word about where the request comes from (`Origin`,
`Sec-Fetch-Site`) must name us; and a form carries a token that is bound to the web session. JSON from a
logged-in browser needs the first two, and cannot be sent by another site's form.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from leerbudget.entrypoints.http.cookies import SessionCookie
from leerbudget.entrypoints.http.failures import ForgedRequest
from leerbudget.entrypoints.http.requests import HouseRequest

FIELD = "_csrf_token"
HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def token_for(session_token: str) -> str:
    """The form token of a web session. It tells nothing of the session's token and dies with it."""
    return hmac.new(session_token.encode("utf-8", "replace"), b"leerbudget form token", hashlib.sha256).hexdigest()


def csrf_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What a page puts in the hidden field `_csrf_token` of its forms; empty for a stranger."""
    token = connection.cookies.get(connection.app.state.session_cookie.name)
    return token_for(token) if token and connection.scope.get("user") is not None else ""


class OwnOrigin:
    """Which addresses are ours.

    Args:
        base_url: where people reach the site.
        any_loopback: also take the machine's own addresses, on the port that was asked (demonstration and
            tests, where the port may be chosen at start).
    """

    def __init__(self, base_url: str, *, any_loopback: bool) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._any_loopback = any_loopback

    def named_by(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser says that the request comes from our own pages. Saying nothing is not enough."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is None:
            return site is not None
        return origin == self._origin or (self._any_loopback and _loopback(origin, headers.get("host", "")))


def _loopback(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.netloc == host


class OwnPagesOnly(ASGIMiddleware):
    """Refuses what changes something and does not come from our own pages.

    Without a session cookie there is nothing to abuse, so a program may then send JSON to the API without
    naming an origin; forms must always name it (logging somebody in as another is an attack too).
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, origin: OwnOrigin, cookie: SessionCookie) -> None:
        self._origin = origin
        self._cookie = cookie

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass on what may pass.

        Raises:
            ForgedRequest: it may not.
        """
        if scope.get("method") not in _SAFE:
            request = HouseRequest(scope, receive, send)
            if not await self._may_pass(request):
                raise ForgedRequest
        await next_app(scope, receive, send)

    async def _may_pass(self, request: HouseRequest) -> bool:
        session_token = request.cookies.get(self._cookie.name)
        api = request.scope["path"].startswith("/api/")
        if (
            api
            and session_token is None
            and "origin" not in request.headers
            and "sec-fetch-site" not in request.headers
        ):
            return True
        if not self._origin.named_by(request.headers):
            return False
        if api or request.user is None or session_token is None:
            return True
        given = request.headers.get(HEADER) or (await request.form()).get(FIELD)
        return isinstance(given, str) and hmac.compare_digest(given.encode(), token_for(session_token).encode())
