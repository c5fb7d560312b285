"""Who asks: the session cookie, looked up once per request."""

from collections.abc import Mapping
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from leerbudget.entrypoints.http.cookies import SessionCookie
from leerbudget.entrypoints.http.envelope import CACHE_CONTROL
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.identity.actions import seen
from leerbudget.identity.queries import live_session

PUBLIC = "public_content"
"""`opt` key of handlers that are the same for everybody (static files, health): no session is looked up."""


class Authentication(ASGIMiddleware):
    """Puts the Actor in `request.user` and the web session in `request.auth`; both None for a stranger.

    A cookie that stands for nothing makes a stranger, not an error. No token is ever taken over from a
    browser: tokens are made at login only, so one that somebody planted stays worthless.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, cookie: SessionCookie) -> None:
        self._cookie = cookie

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Look the session up and pass the request on."""
        scope["user"] = scope["auth"] = None
        if not _public(scope["route_handler"].opt):
            token = HouseRequest(scope).cookies.get(self._cookie.name)
            session = await live_session(token) if token else None
            if session is not None:
                scope["user"], scope["auth"] = session.actor, session
                if session.to_be_seen:
                    await seen(session.id)
        await next_app(scope, receive, send)


def _public(opt: Mapping[str, Any]) -> bool:
    return bool(opt.get(PUBLIC)) or str(opt.get(CACHE_CONTROL, "")).startswith("public")
