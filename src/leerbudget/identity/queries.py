"""Who is logged in, which logins there are, and who looked at what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.identity.rules import (
    SEEN_EVERY,
    Actor,
    plausible_token,
    session_limits,
    session_lives,
    token_sha256,
)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A web session that may be used now. `to_be_seen`: its last sign of life is over a minute old."""

    id: UUID
    actor: Actor
    created_at: datetime
    expires_at: datetime
    to_be_seen: bool


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login as an administrator sees it."""

    id: UUID
    email: str
    person: UUID | None
    locked: bool
    roles: frozenset[tuple[str, UUID | None]]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit trail."""

    at: datetime
    login: UUID | None
    verb: str
    subject_kind: str
    subject: UUID
    detail: Mapping[str, Any] | None


LIVE_SESSION = """
SELECT s.id, s.login, s.created_at, s.last_seen_at, s.expires_at, l.email, l.person, r.role, r.scope
FROM web_session s JOIN login l ON l.id = s.login
LEFT JOIN role_grant r ON r.login = l.id AND r.ended_at IS NULL
WHERE s.token_sha256 = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND NOT l.locked
"""
"""A row for every role, or one without; every request asks it, and gathering them in the database costs more."""


async def live_session(token: str) -> LiveSession | None:
    """The web session of a cookie's token, or None when it is unknown, ended, too old, too long idle or locked."""
    if not plausible_token(token):
        return None
    now = clock.now()
    rows = await fetch_all(LIVE_SESSION, token_sha256(token), now)
    if not rows:
        return None
    row = rows[0]
    roles = frozenset((each["role"], each["scope"]) for each in rows if each["role"] is not None)
    actor = Actor(login=row["login"], email=row["email"], person=row["person"], roles=roles)
    limits = session_limits(actor.role_names)
    if not session_lives(last_seen_at=row["last_seen_at"], expires_at=row["expires_at"], now=now, limits=limits):
        return None
    return LiveSession(row["id"], actor, row["created_at"], row["expires_at"], row["last_seen_at"] < now - SEEN_EVERY)


async def actor_of(token: str) -> Actor | None:
    """Who the cookie's token stands for, or None."""
    session = await live_session(token)
    return session.actor if session else None


async def logins(*, ids: Sequence[UUID] | None = None, emails: Sequence[str] | None = None) -> list[LoginView]:
    """Logins by id or by e-mail address, with the roles they have now."""
    rows = await fetch_all(
        """
        SELECT l.id, l.email, l.person, l.locked,
               array_agg(r.role ORDER BY r.role, r.scope) FILTER (WHERE r.id IS NOT NULL) AS roles,
               array_agg(r.scope ORDER BY r.role, r.scope) FILTER (WHERE r.id IS NOT NULL) AS scopes
        FROM login l LEFT JOIN role_grant r ON r.login = l.id AND r.ended_at IS NULL
        WHERE l.id = ANY($1::uuid[]) OR l.email = ANY($2::text[])
        GROUP BY l.id ORDER BY l.id
        """,
        list(ids or ()),
        list(emails or ()),
    )
    return [
        LoginView(
            row["id"],
            row["email"],
            row["person"],
            row["locked"],
            frozenset(zip(row["roles"] or (), row["scopes"] or (), strict=True)),
        )
        for row in rows
    ]


async def emails_with_role(role: str, *, scopes: Sequence[UUID | None] | None = None) -> dict[UUID | None, list[str]]:
    """Scope → addresses of the logins that have the role for it now; for notices to a whole family or organisation."""
    rows = await fetch_all(
        """
        SELECT r.scope, l.email FROM role_grant r JOIN login l ON l.id = r.login
        WHERE r.role = $1 AND r.ended_at IS NULL AND NOT l.locked AND ($2::uuid[] IS NULL OR r.scope = ANY($2::uuid[]))
        ORDER BY r.scope, l.email
        """,
        role,
        None if scopes is None else list(scopes),
    )
    found: dict[UUID | None, list[str]] = {}
    for row in rows:
        found.setdefault(row["scope"], []).append(row["email"])
    return found


async def who_looked(subject: UUID, *, limit: int = 100) -> list[AuditLine]:
    """The newest audit lines about a subject; parents see who looked at what is theirs."""
    rows = await fetch_all(
        """
        SELECT at, login, verb, subject_kind, subject, detail FROM audit_entry
        WHERE subject = $1 ORDER BY at DESC, id DESC LIMIT $2
        """,
        subject,
        limit,
    )
    return [
        AuditLine(
            row["at"],
            row["login"],
            row["verb"],
            row["subject_kind"],
            row["subject"],
            None if row["detail"] is None else json.loads(row["detail"]),
        )
        for row in rows
    ]
