"""Logging in by mail, logging out, and who one is."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody

from leerbudget.entrypoints.api.types import Answer, Body, Email, Instant
from leerbudget.entrypoints.http.guards import logged_in
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.identity import actions

Token = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class LoginLinkOrder(Body, frozen=True, kw_only=True):
    """The address to mail a login link to."""

    email: Email


class LoginLinkAsked(Answer, frozen=True, kw_only=True):
    """What is always answered, whether or not somebody has the address."""

    message: str = "Als dit adres bij ons bekend is, sturen wij een link. De link werkt 15 minuten."


class WebSessionOrder(Body, frozen=True, kw_only=True):
    """The token in a mailed login link."""

    token: Token


class WebSessionMade(Answer, frozen=True, kw_only=True):
    """A session was made; its token is in the cookie only."""

    expires_at: Instant


class Role(Answer, frozen=True, kw_only=True):
    """A role and the family, trainer or organisation for which it holds."""

    role: str
    scope: UUID | None = None


class Me(Answer, frozen=True, kw_only=True):
    """Who is logged in."""

    login: UUID
    email: str
    person: UUID | None
    roles: list[Role]
    session_expires_at: Instant


class LoginController(Controller):
    """Login links and web sessions."""

    tags = ("login",)

    @post("/login-links", status_code=202, summary="Ask for a login link by mail", operation_id="askLoginLink")
    async def ask(self, request: HouseRequest, data: JSONBody[LoginLinkOrder]) -> LoginLinkAsked:
        """Mail a login link. The answer and its time are the same for unknown addresses."""
        await actions.request_link(data.email, network=request.network)
        return LoginLinkAsked()

    @post("/web-sessions", status_code=201, summary="Log in with a mailed link", operation_id="makeWebSession")
    async def redeem(self, request: HouseRequest, data: JSONBody[WebSessionOrder]) -> Response[WebSessionMade]:
        """Log in, once per link. The cookie always holds a fresh token."""
        session = await actions.redeem_link(data.token, network=request.network, previous_token=request.session_token)
        cookie = request.app.state.session_cookie.holding(session.token, session.lifetime)
        return Response(WebSessionMade(expires_at=session.expires_at), cookies=[cookie])

    @delete(
        "/web-sessions/current", guards=[logged_in], summary="Log out", operation_id="endWebSession", status_code=204
    )
    async def end(self, request: HouseRequest) -> Response[None]:
        """Log out; the cookie is worthless afterwards."""
        await actions.end_session(request.session_token or "")
        return Response(None, status_code=204, cookies=[request.app.state.session_cookie.gone()])

    @get("/me", guards=[logged_in], summary="Who is logged in", operation_id="getMe")
    async def me(self, request: HouseRequest) -> Me:
        """The login, its person and its roles."""
        actor, session = request.actor, request.auth
        if session is None:  # pragma: no cover - user and auth are set together
            raise RuntimeError("an actor without a session")
        return Me(
            login=actor.login,
            email=actor.email,
            person=actor.person,
            roles=[Role(role=role, scope=scope) for role, scope in sorted(actor.roles, key=str)],
            session_expires_at=session.expires_at,
        )
